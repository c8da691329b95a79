"""Bookings of shared equipment on the running platform: never a unit twice, told to both sides, gone with the equipment."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import grpc
import pytest

from alliance.listings.v1 import booking_pb2 as pb
from alliance.listings.v1 import booking_service_pb2 as rpc
from alliance.listings.v1 import details_pb2, listing_pb2, listings_service_pb2, person_service_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.world import Member, until


def _day(platform: Platform) -> datetime:
    """Midnight of the day after tomorrow, by the business clock."""
    return world.noon(platform, days=2) - timedelta(hours=12)


def _equipment(
    member: Member, units: int = 2, visibility: int = listing_pb2.VISIBILITY_PUBLIC, bodies: Sequence[str] = (), **more: Any
) -> listing_pb2.Listing:
    details = details_pb2.EquipmentSharing(model="SEM-1", open_from="08:00", open_until="20:00", bookable=True, **more)
    given = listing_pb2.Listing(
        issuer=member.name, kind=listing_pb2.LISTING_KIND_EQUIPMENT_SHARING, title="扫描电镜", equipment_sharing=details
    )
    given.visibility, given.quantity = visibility, units  # type: ignore[assignment]
    given.bodies.extend(bodies)
    return world.publish(member, given)


def _book(member: Member, equipment: str, begins: datetime, hours: float = 1.0, purpose: str = "样品表征") -> pb.Booking:
    booking = pb.Booking(equipment=equipment, organization=member.name, purpose=purpose)
    booking.begin_time.FromDatetime(begins)
    booking.end_time.FromDatetime(begins + timedelta(hours=hours))
    made: pb.Booking = member.caller.bookings.CreateBooking(rpc.CreateBookingRequest(booking=booking))
    return made


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)


@pytest.fixture(scope="module")
def guest(platform: Platform) -> Member:
    member = world.verified(platform, world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE))
    world.settle(platform)
    return member


def _refused(error: "pytest.ExceptionInfo[grpc.RpcError]", code: grpc.StatusCode, word: str) -> None:
    assert error.value.code() == code
    assert word in world.said(error.value)


def test_fifty_at_once_get_as_many_as_there_are_units(platform: Platform, owner: Member, guest: Member) -> None:
    equipment, begins = _equipment(owner, units=3).name, _day(platform) + timedelta(hours=9)

    def one(place: int) -> int:
        try:
            return _book(guest, equipment, begins + timedelta(minutes=15 * (place % 4)), 2).unit
        except grpc.RpcError as error:
            return 0 if "约满" in world.said(error) else -1

    with ThreadPoolExecutor(16) as pool:
        units = sorted(pool.map(one, range(50)))
    assert units == [0] * 47 + [1, 2, 3], "all of the times meet"
    request = rpc.GetBusyTimesRequest(equipment=equipment)
    busy = Caller(platform).bookings.GetBusyTimes(request)
    assert ([one.unit for one in sorted(busy.times, key=lambda one: one.unit)], busy.units) == ([1, 2, 3], 3)


def test_what_is_taken_is_refused_with_the_next_free_time(platform: Platform, owner: Member, guest: Member) -> None:
    equipment, day = _equipment(owner, units=1).name, _day(platform)
    _book(guest, equipment, day + timedelta(hours=9), 2)
    with pytest.raises(grpc.RpcError) as taken:
        _book(guest, equipment, day + timedelta(hours=10), 1)
    _refused(taken, grpc.StatusCode.FAILED_PRECONDITION, f"{day:%Y-%m-%d} 11:00")
    assert _book(guest, equipment, day + timedelta(hours=11), 1).unit == 1, "the end of one is the beginning of the next"
    with pytest.raises(grpc.RpcError) as closed:
        _book(guest, equipment, day + timedelta(hours=19.5), 1)
    _refused(closed, grpc.StatusCode.INVALID_ARGUMENT, "08:00–20:00")
    with pytest.raises(grpc.RpcError) as personal:
        _book(guest, equipment, day + timedelta(hours=14), 1, "找张工 13800138000")
    _refused(personal, grpc.StatusCode.INVALID_ARGUMENT, "booking.purpose")


def test_only_what_is_bookable_and_by_who_is_verified(platform: Platform, owner: Member, guest: Member) -> None:
    begins = _day(platform) + timedelta(hours=9)
    unverified = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    with pytest.raises(grpc.RpcError) as refused:
        _book(unverified, _equipment(owner).name, begins)
    _refused(refused, grpc.StatusCode.FAILED_PRECONDITION, "核验")
    job = world.publish(owner, world.job(owner.name, "实验员"))
    with pytest.raises(grpc.RpcError) as no_equipment:
        _book(guest, job.name, begins)
    assert no_equipment.value.code() == grpc.StatusCode.NOT_FOUND
    hidden = _equipment(owner)
    hidden.visibility = listing_pb2.VISIBILITY_GOVERNMENT
    update = listings_service_pb2.UpdateListingRequest(listing=hidden, reason="收回公开")
    update.update_mask.paths.append("visibility")
    owner.caller.listings.UpdateListing(update)
    with pytest.raises(grpc.RpcError) as unseen:
        _book(guest, hidden.name, begins)
    assert unseen.value.code() == grpc.StatusCode.NOT_FOUND


def test_both_sides_hear_of_it_and_it_ends_with_the_equipment(platform: Platform, owner: Member, guest: Member) -> None:
    for side in (owner, guest):
        world.subscribe(side, "alliance.listings.booking.*.v1", channel=notify_pb2.CHANNEL_INBOX)
    equipment, day = _equipment(owner, units=1).name, _day(platform)
    first = _book(guest, equipment, day + timedelta(hours=9))
    second = _book(guest, equipment, day + timedelta(hours=13))
    cancel = rpc.CancelBookingRequest(name=first.name, reason="样品未到", etag=first.etag)
    cancelled = guest.caller.bookings.CancelBooking(cancel)
    assert (cancelled.state, cancelled.reason) == (pb.BOOKING_STATE_CANCELLED, "样品未到")
    with pytest.raises(grpc.RpcError) as over:
        guest.caller.bookings.CancelBooking(rpc.CancelBookingRequest(name=first.name, reason="再取消"))
    assert over.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert _book(guest, equipment, day + timedelta(hours=9)).unit == 1, "what was cancelled is free again"

    withdraw = listings_service_pb2.WithdrawListingRequest(name=equipment, reason="设备检修")
    owner.caller.listings.WithdrawListing(withdraw)
    ended = guest.caller.bookings.GetBooking(rpc.GetBookingRequest(name=second.name))
    assert ended.state == pb.BOOKING_STATE_CANCELLED
    held = owner.caller.bookings.ListBookings(rpc.ListBookingsRequest(equipment=equipment)).bookings
    assert [one.state for one in held] == [pb.BOOKING_STATE_CANCELLED] * 3

    def heard(side: Member) -> list[str] | None:
        request = notify_service_pb2.ListInboxMessagesRequest(organization=side.name, page_size=1000)
        about = [one.event_type.split(".")[3] for one in side.caller.notify.ListInboxMessages(request).messages]
        return sorted(about) if len(about) >= 6 else None

    for side in (owner, guest):
        assert until(lambda side=side: heard(side)) == ["cancelled"] * 3 + ["created"] * 3  # type: ignore[misc]
    stranger = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    with pytest.raises(grpc.RpcError) as hidden:
        stranger.caller.bookings.GetBooking(rpc.GetBookingRequest(name=second.name))
    assert hidden.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_a_booking_ends_after_the_last_day_of_the_membership_by_which_it_was_made(
    platform: Platform, owner: Member, guest: Member
) -> None:
    body, yesterday = world.alliance(platform).name, f"{world.noon(platform, days=-1):%Y-%m-%d}"
    world.join(platform, body, owner)
    membership = world.join(platform, body, guest, since=yesterday)
    world.settle(platform)
    inside = _equipment(owner, units=1, visibility=listing_pb2.VISIBILITY_MEMBERS, bodies=[body]).name
    booked = _book(guest, inside, _day(platform) + timedelta(hours=9))
    end = registry_service_pb2.EndMembershipRequest(name=membership.name, valid_to=yesterday, reason="退出")
    world.operator(platform).registry.EndMembership(end)

    def ended() -> pb.Booking | None:
        found: pb.Booking = guest.caller.bookings.GetBooking(rpc.GetBookingRequest(name=booked.name))
        return found if found.state == pb.BOOKING_STATE_CANCELLED else None

    assert "不再可见" in until(ended).reason


def test_fewer_units_end_what_was_booked_beyond_them(platform: Platform, owner: Member, guest: Member) -> None:
    equipment, begins = _equipment(owner, units=2), _day(platform) + timedelta(hours=9)
    first, second = _book(guest, equipment.name, begins), _book(guest, equipment.name, begins)
    equipment.quantity = 1
    request = listings_service_pb2.UpdateListingRequest(listing=equipment, reason="一台送修")
    request.update_mask.paths.append("quantity")
    owner.caller.listings.UpdateListing(request)
    states = [guest.caller.bookings.GetBooking(rpc.GetBookingRequest(name=one.name)) for one in (first, second)]
    assert [one.state for one in states] == [pb.BOOKING_STATE_BOOKED, pb.BOOKING_STATE_CANCELLED]
    assert "减为 1 台" in states[1].reason


def test_a_booking_says_nothing_of_who_is_behind_the_equipment(platform: Platform, owner: Member, guest: Member) -> None:
    """Purpose and reason stay with the booking, whatever becomes of the person's record."""
    equipment, day, name = _equipment(owner).name, _day(platform), "虚构的司马测"
    owner.caller.people.SetListingPerson(
        person_service_pb2.SetListingPersonRequest(
            listing=equipment,
            role=person_service_pb2.PERSON_ROLE_CONTACT,
            person=person_service_pb2.Person(display_name=name, phone="010-66660001"),
            legal_basis=person_service_pb2.LEGAL_BASIS_CONTRACT,
            evidence="劳动合同",
        )
    )
    with pytest.raises(grpc.RpcError) as named:
        _book(guest, equipment, day + timedelta(hours=9), purpose=f"与{name}约好的表征")
    _refused(named, grpc.StatusCode.INVALID_ARGUMENT, "booking.purpose")
    made = _book(guest, equipment, day + timedelta(hours=9), purpose="与设备联系人约好的表征")
    with pytest.raises(grpc.RpcError) as ended:
        guest.caller.bookings.CancelBooking(rpc.CancelBookingRequest(name=made.name, reason=f"{name}请假"))
    _refused(ended, grpc.StatusCode.INVALID_ARGUMENT, "the name of the personal record")
    assert guest.caller.bookings.CancelBooking(rpc.CancelBookingRequest(name=made.name, reason="联系人请假")).reason


@pytest.mark.parametrize("seconds", [-62135596800, 253402300799])
def test_a_time_that_no_clock_shows_is_refused(platform: Platform, owner: Member, guest: Member, seconds: int) -> None:
    """The first instant of the year 1 and the last of 9999, which are in other years in Shanghai."""
    equipment = _equipment(owner).name
    booking = pb.Booking(equipment=equipment, organization=guest.name, purpose="样品表征")
    booking.begin_time.seconds = booking.end_time.seconds = seconds
    busy = rpc.GetBusyTimesRequest(equipment=equipment)
    busy.begin_time.seconds = seconds
    for call, request in (
        (guest.caller.bookings.CreateBooking, rpc.CreateBookingRequest(booking=booking)),
        (guest.caller.bookings.GetBusyTimes, busy),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call(request)
        _refused(refused, grpc.StatusCode.INVALID_ARGUMENT, "1900")
