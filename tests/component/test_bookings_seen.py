"""Bookings of equipment on a database of their own: they end where it is no longer for the organization to see."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from access.register import OrganizationRow, Owner
from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2
from chassis.database import Tx
from chassis.errors import Unavailable
from chassis.ids import resource
from listings.bookings import changes as bookings
from listings.bookings.store import BookingRow
from listings.domain.bookings import State
from listings.importing import Chunk
from listings.mapping import message_of
from listings.rpc import Listings
from listings.standing import Standing
from listings.store import get as listing_of
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import ENTERPRISE, TASK_FORCE, Body, noon

_BOOKED, _CANCELLED = int(State.BOOKED), int(State.CANCELLED)
AT = noon(2026, 1, 6)
_NOW = CAUSE._replace(effective_at=AT)
_CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({"title": "另一台"}, set()),
    ({"visibility": pb.VISIBILITY_MEMBERS}, {"stranger", "authority", "verified"}),
    ({"visibility": pb.VISIBILITY_GOVERNMENT}, {"stranger", "member", "joined"}),
]


class Registry(Owner):
    """Registry, which answers out of what it knows and the projection has not heard of yet; None: it can't be asked."""

    def __init__(self, memberships: dict[str, str] | None, verified: OrganizationRow | None = None) -> None:
        self.memberships = memberships
        self.verified = verified
        self.asked: list[str] = []

    async def member_bodies(self, organization: str, on: date) -> frozenset[str]:
        if self.memberships is None:
            raise Unavailable("不在", "away")
        self.asked.append(organization)
        return frozenset({self.memberships[organization]} if organization in self.memberships else ())

    async def organizations(self, names: Sequence[str]) -> dict[str, OrganizationRow]:
        return {one.name: one for one in (self.verified,) if one is not None and one.name in names}


class Shared:
    """Equipment of a member of a body, in the eyes of all sorts of organizations."""

    def __init__(self, probe: Probe, body: Body, owner: str, equipment: str) -> None:
        self.probe, self.body, self.owner, self.equipment = probe, body, owner, equipment

    async def booked(self, organization: str, days: int) -> str:
        """A booking so many days from now."""
        begins = AT + timedelta(days=days)
        row = BookingRow(
            name=resource("bookings"),
            version=1,
            equipment=self.equipment,
            issuer=self.owner,
            organization=organization,
            unit=1,
            begin_time=begins,
            end_time=begins + timedelta(hours=1),
            purpose="样品表征",
            state=State.BOOKED,
            reason="",
            create_time=AT,
            update_time=AT,
        )
        async with self.probe.database.transaction(_NOW) as tx:
            await bookings.enter(tx, row)
        return row.name

    async def updated(self, standing: Standing, change: dict[str, Any]) -> None:
        """Its issuer changes it."""
        request = rpc.UpdateListingRequest(listing=pb.Listing(name=self.equipment, **change))
        request.update_mask.paths.extend(change)
        async with self.probe.database.transaction(_NOW) as tx:
            await Listings(cast(Any, None), standing).UpdateListing(cast(Any, SimpleNamespace(tx=tx)), request)

    async def imported(self, standing: Standing, change: dict[str, Any]) -> None:
        """It comes, changed, as it was exported."""
        header = rpc.ImportHeader(issuer=self.owner, source="erp", kind=pb.LISTING_KIND_EQUIPMENT_SHARING)
        async with self.probe.database.transaction(_NOW) as tx:
            row = rpc.ImportRow(row=1, listing=await self._listing(tx))
            row.listing.MergeFrom(pb.Listing(**change))
            (receipt,) = await Chunk(tx, header, standing).take([row])
            assert receipt.outcome == rpc.IMPORT_OUTCOME_REVISED, receipt

    async def _listing(self, tx: Tx) -> pb.Listing:
        row = await listing_of(tx, self.equipment)
        assert row
        return message_of(row)

    async def states(self) -> dict[str, int]:
        """State of each booking."""
        return {row["name"]: row["state"] for row in await self.probe.rows("SELECT name, state FROM booking")}


@pytest.fixture
async def shared(probe: Probe) -> Shared:
    body = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    owner = await body.member(ENTERPRISE)
    sharing = details_pb2.EquipmentSharing(model="SEM-1", bookable=True)
    equipment = await body.publish(AT, owner, pb.LISTING_KIND_EQUIPMENT_SHARING, equipment_sharing=sharing)
    return Shared(probe, body, owner, equipment)


@pytest.mark.parametrize("way", ["updated", "imported"])
@pytest.mark.parametrize(("change", "cancelled"), _CHANGES, ids=["public", "members", "government"])
async def test_a_booking_ends_where_its_organization_sees_the_equipment_no_more(
    shared: Shared, way: str, change: dict[str, Any], cancelled: set[str]
) -> None:
    probe, body = shared.probe, shared.body
    elsewhere = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await body.member(ENTERPRISE)
    stranger, joined = [await elsewhere.member(ENTERPRISE) for _ in range(2)]
    authority, verified = [await elsewhere.member(TASK_FORCE) for _ in range(2)]
    await probe.rows("UPDATE access_organization SET verified = false WHERE name = $1", verified)
    registry = Registry({joined: body.name}, OrganizationRow(verified, "", TASK_FORCE, verified=True))

    over = await shared.booked(stranger, -1)
    by = {"owner": shared.owner, "member": member, "stranger": stranger, "joined": joined}
    by |= {"authority": authority, "verified": verified}
    coming = {who: await shared.booked(organization, day) for day, (who, organization) in enumerate(by.items(), 1)}
    again = {who: await shared.booked(organization, day) for day, (who, organization) in enumerate(by.items(), 10)}
    await getattr(shared, way)(Standing(registry), change)

    states = await shared.states()
    expected = {who: _CANCELLED if who in cancelled else _BOOKED for who in by}
    assert {who: states[name] for who, name in coming.items()} == expected
    assert {who: states[name] for who, name in again.items()} == expected
    assert states[over] == _BOOKED, "what is over is over"
    told = await probe.rows("SELECT reason FROM booking WHERE state = $1", _CANCELLED)
    assert all("另选设备" in row["reason"] for row in told)
    assert len(registry.asked) == len(set(registry.asked)), "once of each organization"


@pytest.mark.parametrize("way", ["updated", "imported"])
async def test_no_booking_is_cancelled_where_it_cannot_be_told_who_sees_the_equipment(shared: Shared, way: str) -> None:
    elsewhere = await Body(shared.probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    away = Standing(Registry(None))
    insider = await shared.booked(await shared.body.member(ENTERPRISE), 1)
    await getattr(shared, way)(away, {"visibility": pb.VISIBILITY_MEMBERS})
    stranger = await shared.booked(await elsewhere.member(ENTERPRISE), 2)
    with pytest.raises(Unavailable):
        await getattr(shared, way)(away, {"title": "另一台"})
    assert await shared.states() == {insider: _BOOKED, stranger: _BOOKED}
    (row,) = await shared.probe.rows("SELECT content FROM listing")
    assert pb.Listing.FromString(row["content"]).title != "另一台"


async def test_a_booking_ends_with_the_membership_by_which_its_organization_saw_the_equipment(shared: Shared) -> None:
    probe, body = shared.probe, shared.body
    elsewhere = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    left, stays, again, heard = [await body.member(ENTERPRISE) for _ in range(4)]
    stranger = await elsewhere.member(ENTERPRISE)
    by = {"left": left, "stays": stays, "again": again, "heard": heard, "stranger": stranger, "owner": shared.owner}
    registry = Registry({heard: body.name})
    for_members = await body.publish(
        AT,
        shared.owner,
        pb.LISTING_KIND_EQUIPMENT_SHARING,
        visibility=pb.VISIBILITY_MEMBERS,
        equipment_sharing=details_pb2.EquipmentSharing(model="SEM-2", bookable=True),
    )
    for_all = {who: await shared.booked(organization, day) for day, (who, organization) in enumerate(by.items(), 1)}
    shared.equipment = for_members
    over = await shared.booked(left, -1)
    coming = {who: await shared.booked(organization, day) for day, (who, organization) in enumerate(by.items(), 1)}
    twice = await shared.booked(left, 20)
    last = "UPDATE access_membership SET valid_to = '2026-01-06' WHERE organization = ANY($1::text[])"
    await probe.rows(last, [left, again, heard, shared.owner])
    anew = "INSERT INTO access_membership VALUES ($1, $2, $3, '{}', '2026-01-07', NULL)"
    await probe.rows(anew, f"{body.name}/memberships/again", body.name, again)

    async def swept(at: datetime, standing: Standing) -> tuple[int, int]:
        async with probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            return await bookings.due(tx), await bookings.sweep(tx, standing)

    day_after = AT + timedelta(days=1)
    assert await swept(AT, Standing(registry)) == (0, 0), "on the last day it is a member"
    with pytest.raises(Unavailable):
        await swept(day_after, Standing(Registry(None)))
    assert set((await shared.states()).values()) == {_BOOKED}
    assert await swept(day_after, Standing(registry)) == (3, 2), "of one the membership is not heard of yet"
    assert sorted(registry.asked) == sorted([left, heard]), "once of each organization"
    assert await swept(day_after, Standing(registry)) == (1, 0), "once"
    expected = dict.fromkeys([over, *for_all.values(), *coming.values()], _BOOKED) | {
        coming["left"]: _CANCELLED,
        twice: _CANCELLED,
    }
    assert await shared.states() == expected
    (told,) = await probe.rows("SELECT reason, version FROM booking WHERE name = $1", coming["left"])
    assert "另选设备" in told["reason"]
    types = await probe.rows("SELECT type FROM event WHERE key = $1 ORDER BY version", coming["left"])
    assert [row["type"].split(".")[-2] for row in types] == ["created", "cancelled"]
