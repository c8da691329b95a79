"""What reporting hears: every event that a report counts becomes a fact that keeps the event's id."""

from access.listeners import listeners
from chassis.database import Tx
from chassis.handling import Listen
from chassis.record import Record
from codes import quarters
from reporting import deadlines, store
from reporting.mapping import fact_row


def listens() -> list[Listen]:
    """The projection's listeners, and one for each topic that is counted."""
    return [
        *listeners(),
        # `effect`, since every version of a key is a fact of its own: none may be passed over by a later one.
        Listen("alliance.internal.registry.body.v1", "body", on_event),
        Listen("alliance.internal.registry.membership.v1", "membership", on_event),
        Listen("alliance.internal.listings.listing.v1", "listing", on_listing),
        Listen("alliance.internal.listings.round.v1", "round", on_event),
        Listen("alliance.internal.matching.match.v1", "match", on_event),
    ]


async def on_event(tx: Tx, record: Record) -> None:
    """Keep the fact."""
    await store.add_fact(tx, fact_row(record))


async def on_listing(tx: Tx, record: Record) -> None:
    """Keep the fact; a demand and a supply in a quarter close its round (R55)."""
    row = fact_row(record)
    await store.add_fact(tx, row)
    if row.verb in ("published", "revised"):
        for body in sorted(row.bodies):
            await deadlines.close_round_if_complete(tx, body, quarters.of(row.business_date), row.event_id)
