"""Changes of bookings: row and event together in one transaction."""

from collections.abc import Collection, Iterable

from alliance.listings.v1 import events_pb2
from chassis.clock import business_date
from chassis.database import Tx
from listings import store as listings
from listings.bookings import store
from listings.bookings.mapping import message_of, taken, terms_of
from listings.bookings.store import BookingRow
from listings.domain.bookings import State, misfit
from listings.domain.names import Kind
from listings.domain.names import State as ListingState
from listings.mapping import message_of as listing_of
from listings.standing import Standing
from listings.store import ListingRow

TOPIC = "alliance.internal.listings.booking.v1"
_BATCH = 200
_UNSEEN = (
    "设备改由其他单位使用，贵单位不再可见；请另选设备 the equipment is for others now, not for you to see; choose another"
)
_LEFT = (
    "贵单位已不是有关组织的成员，设备不再可见；请另选设备"
    " the equipment is for members of bodies that your organization has left; choose another"
)
_ENDED = "设备信息已撤回、到期或办结；请另选设备 the equipment is no longer offered; choose another"


async def enter(tx: Tx, row: BookingRow) -> None:
    """A new booking."""
    await store.write(tx, [row])
    _emit(tx, row, "created")


async def cancel(tx: Tx, rows: Collection[BookingRow], reason: str) -> None:
    """Cancel bookings, which are locked."""
    for row in rows:
        row.version += 1
        row.state, row.reason, row.update_time = State.CANCELLED, reason, tx.now
    await store.write(tx, list(rows))
    for row in rows:
        _emit(tx, row, "cancelled")


async def cancel_coming(tx: Tx, equipment: Collection[str]) -> None:
    """Cancel what is booked of equipment that is offered no more, and not over."""
    await cancel(tx, await store.coming(tx, equipment, tx.now), _ENDED)


async def rejudge(tx: Tx, standing: Standing, revised: Iterable[ListingRow]) -> None:
    """Of revised listings, cancel what is booked, and not over, of published equipment on terms that it no longer has or by
    who sees it no more. Raises `Unavailable` where that can't be told.
    """
    offered = {row.name: row for row in revised if (row.kind, row.state) == (Kind.EQUIPMENT_SHARING, ListingState.PUBLISHED)}
    if not offered:
        return
    seen: dict[tuple[str, str], bool] = {}
    for row in await store.coming(tx, offered, tx.now):
        offer, by = listing_of(offered[row.equipment]), (row.organization, row.equipment)
        if why := misfit(taken(row), terms_of(offer), is_bookable=offer.equipment_sharing.bookable):
            await cancel(tx, [row], f"{why[0]} {why[1]}")
            continue
        if by not in seen:
            seen[by] = await standing.sees(tx, row.organization, offered[row.equipment])
        if not seen[by]:
            await cancel(tx, [row], _UNSEEN)


async def sweep(tx: Tx, standing: Standing) -> int:
    """Cancel one batch of what is booked, and not over, of equipment for members by who is none any more; returns how many.

    Raises `Unavailable` where it can't be told whether one of them is a member again.
    """
    left = await store.left(tx, business_date(tx.now), tx.now, _BATCH)
    seen: dict[tuple[str, str], bool] = {}
    for by in {(row.organization, row.equipment) for row in left}:
        equipment = await listings.get(tx, by[1])
        seen[by] = equipment is None or await standing.sees(tx, by[0], equipment)
    gone = [row for row in left if not seen[row.organization, row.equipment]]
    await cancel(tx, gone, _LEFT)
    return len(gone)


async def due(tx: Tx) -> int:
    """How much of that is due and not yet done."""
    return await store.count_left(tx, business_date(tx.now), tx.now)


def _emit(tx: Tx, row: BookingRow, verb: str) -> None:
    tx.emit(TOPIC, row.name, row.version, verb, events_pb2.BookingEvent(booking=message_of(row)))
