"""Changes of bookings: row and event together in one transaction."""

from collections.abc import Collection

from alliance.listings.v1 import events_pb2
from chassis.database import Tx
from listings.bookings import store
from listings.bookings.mapping import message_of
from listings.bookings.store import BookingRow
from listings.domain.bookings import State

TOPIC = "alliance.internal.listings.booking.v1"
_ENDED = "设备信息已撤回、到期或办结 the equipment is no longer offered"


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


def _emit(tx: Tx, row: BookingRow, verb: str) -> None:
    tx.emit(TOPIC, row.name, row.version, verb, events_pb2.BookingEvent(booking=message_of(row)))
