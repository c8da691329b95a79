"""Changes of bookings: row and event together in one transaction."""

from collections.abc import Collection, Sequence

from access.register import ProjectedRegister
from access.visibility import Viewer, may_see
from alliance.listings.v1 import events_pb2
from chassis.clock import business_date
from chassis.database import Tx
from listings.bookings import store
from listings.bookings.mapping import message_of, taken, terms_of
from listings.bookings.store import BookingRow
from listings.domain.bookings import State, misfit
from listings.domain.names import AUTHORITIES
from listings.mapping import message_of as listing_of
from listings.store import ListingRow

TOPIC = "alliance.internal.listings.booking.v1"
_register = ProjectedRegister()
_UNSEEN = (
    "设备改由其他单位使用，贵单位不再可见；请另选设备 the equipment is for others now, not for you to see; choose another"
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


async def rejudge(tx: Tx, equipment: Sequence[ListingRow]) -> None:
    """Cancel what is booked, and not over, of published equipment on terms that it no longer has or by who sees it no more."""
    offered = {row.name: row for row in equipment}
    for row in await store.coming(tx, list(offered), tx.now):
        offer = listing_of(offered[row.equipment])
        if why := misfit(taken(row), terms_of(offer), is_bookable=offer.equipment_sharing.bookable):
            await cancel(tx, [row], f"{why[0]} {why[1]}")
        elif not await _sees(tx, row.organization, offered[row.equipment]):
            await cancel(tx, [row], _UNSEEN)


async def _sees(tx: Tx, organization: str, row: ListingRow) -> bool:
    known = (await _register.organizations(tx, [organization])).get(organization)
    viewer = Viewer(
        organization=organization,
        member_bodies=await _register.member_bodies(tx, organization, business_date(tx.now)),
        government=known is not None and known.verified and known.org_type in AUTHORITIES,
    )
    return may_see(viewer, issuer=row.issuer, bodies=row.bodies, visibility=row.visibility, state=row.state)


def _emit(tx: Tx, row: BookingRow, verb: str) -> None:
    tx.emit(TOPIC, row.name, row.version, verb, events_pb2.BookingEvent(booking=message_of(row)))
