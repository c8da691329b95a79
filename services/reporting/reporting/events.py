"""What reporting hears: every event that a report counts becomes a fact that keeps the event's id."""

from access.listeners import listeners
from chassis.database import Tx
from chassis.handling import Listen
from chassis.record import Record
from codes import quarters
from reporting import deadlines, store
from reporting.domain.deadlines import ROUND
from reporting.mapping import fact_row, naming_rows


def listens() -> list[Listen]:
    """The projection's listeners, and one for each topic that is counted."""
    return [
        *listeners(),
        # `effect`, since every version of a key is a fact of its own: none may be passed over by a later one.
        Listen("alliance.internal.registry.body.v1", "body", on_event),
        Listen("alliance.internal.registry.membership.v1", "membership", on_event),
        Listen("alliance.internal.listings.listing.v1", "listing", on_event),
        Listen("alliance.internal.listings.round.v1", "round", on_event),
        Listen("alliance.internal.matching.match.v1", "match", on_event),
    ]


async def on_event(tx: Tx, record: Record) -> None:
    """Keep the fact; a demand or a supply may complete the round of each body that it names (R55)."""
    fact, names = fact_row(record), naming_rows(record)
    tx.later(store.add_facts, [fact])
    tx.later(store.add_namings, names)
    for one in names:
        if one.side:
            await tx.settle()
            await deadlines.close_if_done(tx, one.body, ROUND, quarters.of(one.business_date))
