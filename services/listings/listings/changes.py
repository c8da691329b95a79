"""Changes of listings: row, event, public record and rounds, together in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from alliance.listings.v1 import events_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.public.v1 import public_pb2
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from chassis.errors import Precondition
from chassis.ids import resource
from listings import store
from listings.bookings import changes as bookings
from listings.domain.life import IllegalStepError, step
from listings.domain.names import Kind, State
from listings.mapping import keep_persons, leave_persons, message_of, row_of
from listings.rounds import store as rounds
from listings.store import TOPIC, ListingRow

PUBLIC_TOPIC = "alliance.public.listing.v1"
ASSIGNED = "assigned"
"""Past verb of a change of who the persons behind a listing are; what the issuer wrote stays as it is."""


@dataclass(frozen=True)
class Change:
    """One step of one listing.

    Attributes:
        before: the row as it is, locked; None for a new listing.
        content: what the issuer wrote (`mapping.written`), as it is to be.
        state: state after the step.
        verb: past verb of the event.
        hashed: hash of the content as it was given.
        revised: names of the fields that changed.
        imported: whether the content came by import.
    """

    before: ListingRow | None
    content: pb.Listing
    state: State
    verb: str
    hashed: str
    revised: Sequence[str] = ()
    imported: bool = False


def created(content: pb.Listing, hashed: str, *, imported: bool = False) -> Change:
    """A new draft."""
    return Change(None, content, State.DRAFT, "created", hashed, imported=imported)


def taken(row: ListingRow, verb: str, past: str) -> Change:
    """A step that changes the state alone. Raises `Precondition` where the state does not allow it."""
    return Change(row, message_of(row), after(row, verb), past, row.content_hash)


def after(row: ListingRow, verb: str) -> State:
    """The state after a verb. Raises `Precondition`."""
    try:
        return step(State(row.state), verb)
    except IllegalStepError as error:
        raise Precondition("ILLEGAL_STATE", error.zh, error.en, {"listing": row.name}) from error


async def save(tx: Tx, changes: Sequence[Change]) -> list[ListingRow]:
    """Take steps of different listings and write what came of them; returns the rows in their new versions."""
    rows = [advance(tx, change) for change in changes]
    await write(tx, rows)
    return rows


def advance(tx: Tx, change: Change) -> ListingRow:
    """Take a step: its event, its public record, and the row in its new version, which is still to be written."""
    message = _stepped(tx, change)
    row = _row(tx, change, message)
    _emit(tx, change, row, message)
    return row


async def write(tx: Tx, rows: Sequence[ListingRow]) -> None:
    """Write rows; those published or revised today count in today's rounds, and bookings of equipment end with it.

    Whoever revises has bookings judged anew by `bookings.changes.rejudge`, for which the register may have to be asked.
    """
    await store.write(tx, rows)
    if over := [row.name for row in rows if row.kind == Kind.EQUIPMENT_SHARING and row.state > State.PUBLISHED]:
        await bookings.cancel_coming(tx, over)
    today = business_date(tx.now)
    counted = [row for row in rows if row.counts_on == today and row.state == State.PUBLISHED]
    await rounds.count_in(tx, counted, today)


def _stepped(tx: Tx, change: Change) -> pb.Listing:
    before, message = change.before, pb.Listing()
    message.CopyFrom(change.content)
    message.name = before.name if before else resource("listings")
    message.state = change.state  # type: ignore[assignment]
    if before is not None and change.verb != ASSIGNED:
        keep_persons(message, message_of(before))
    message.create_time.FromDatetime(before.create_time if before else tx.now)
    message.update_time.FromDatetime(tx.now)
    return message


def _row(tx: Tx, change: Change, message: pb.Listing) -> ListingRow:
    """The row of the message, which it completes."""
    before, today = change.before, business_date(tx.now)
    published_at = before.published_at if before else None
    counts_on = before.counts_on if before else None
    if change.state is State.PUBLISHED and change.verb != ASSIGNED:
        published_at, counts_on = published_at or tx.now, today
    return row_of(
        message,
        version=before.version + 1 if before else 1,
        today=today,
        hashed=change.hashed,
        counts_on=counts_on,
        published_at=published_at,
    )


def _emit(tx: Tx, change: Change, row: ListingRow, message: pb.Listing) -> None:
    event = events_pb2.ListingEvent(listing=message)
    if change.imported:
        event.imported.content_hash = change.hashed
    elif change.revised:
        event.revised.fields.extend(change.revised)
    # A listing runs out at the end of its last day, whenever the sweep gets to it.
    effective = start_of_day(_day_after(row.valid_to)) if change.verb == "expired" else None
    tx.emit(TOPIC, row.name, row.version, change.verb, event, effective_at=effective)
    if _is_public(row):
        public = public_pb2.PublicListingEvent(listing=message)
        leave_persons(public.listing)
        tx.emit(PUBLIC_TOPIC, row.name, row.version, "published", public)
    elif change.before is not None and _is_public(change.before):
        tx.emit(PUBLIC_TOPIC, row.name, row.version, "removed", None)


def _is_public(row: ListingRow) -> bool:
    return row.state == State.PUBLISHED and row.visibility == pb.VISIBILITY_PUBLIC


def _day_after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
