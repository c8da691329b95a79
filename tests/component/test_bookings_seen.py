"""Bookings of equipment on a database of their own: they end where it is no longer for the organization to see."""

from datetime import timedelta
from typing import Any

import pytest

from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.registry.v1 import body_pb2
from chassis.ids import resource
from listings import changes
from listings.bookings import changes as bookings
from listings.bookings.store import BookingRow
from listings.changes import Change
from listings.domain.bookings import State
from listings.domain.names import State as ListingState
from listings.mapping import content_hash, message_of, written
from listings.store import get as listing_of
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import ENTERPRISE, TASK_FORCE, Body, noon

_BOOKED, _CANCELLED = int(State.BOOKED), int(State.CANCELLED)
AT = noon(2026, 1, 6)
_CHANGES: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({"title": "另一台"}, {}),
    ({"visibility": pb.VISIBILITY_MEMBERS}, {"stranger": _CANCELLED, "authority": _CANCELLED}),
    ({"visibility": pb.VISIBILITY_GOVERNMENT}, {"stranger": _CANCELLED, "member": _CANCELLED}),
]


@pytest.mark.parametrize(("change", "cancelled"), _CHANGES, ids=["public", "members", "government"])
async def test_a_booking_ends_where_its_organization_sees_the_equipment_no_more(
    probe: Probe, change: dict[str, Any], cancelled: dict[str, int]
) -> None:
    body = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    elsewhere = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    owner, member = [await body.member(ENTERPRISE) for _ in range(2)]
    stranger, authority = await elsewhere.member(ENTERPRISE), await elsewhere.member(TASK_FORCE)
    sharing = details_pb2.EquipmentSharing(model="SEM-1", bookable=True)
    kind = pb.LISTING_KIND_EQUIPMENT_SHARING
    equipment = await body.publish(AT, owner, kind, equipment_sharing=sharing)

    async def booked(organization: str, days: int) -> str:
        begins = AT + timedelta(days=days)
        row = BookingRow(
            name=resource("bookings"),
            version=1,
            equipment=equipment,
            issuer=owner,
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
        async with probe.database.transaction(CAUSE._replace(effective_at=AT)) as tx:
            await bookings.enter(tx, row)
        return row.name

    over = await booked(stranger, -1)
    by = {"owner": owner, "member": member, "stranger": stranger, "authority": authority}
    coming = {who: await booked(organization, day) for day, (who, organization) in enumerate(by.items(), 1)}
    async with probe.database.transaction(CAUSE._replace(effective_at=AT)) as tx:
        row = await listing_of(tx, equipment, lock=True)
        assert row
        bare = written(message_of(row))
        bare.MergeFrom(pb.Listing(**change))
        await changes.save(tx, [Change(row, bare, ListingState.PUBLISHED, "revised", content_hash(bare), list(change))])

    states = {row["name"]: row["state"] for row in await probe.rows("SELECT name, state FROM booking")}
    assert {who: states[name] for who, name in coming.items()} == dict.fromkeys(by, _BOOKED) | cancelled
    assert states[over] == _BOOKED, "what is over is over"
    told = await probe.rows("SELECT reason FROM booking WHERE state = $1", _CANCELLED)
    assert all("另选设备" in row["reason"] for row in told)
