"""What reporting hears: every event that a report counts becomes a fact that keeps the event's id."""

from access.listeners import listeners
from chassis import topics
from chassis.database import Tx
from chassis.handling import Listen
from chassis.record import Record
from codes import quarters
from reporting import deadlines, store
from reporting.domain.deadlines import ROUND
from reporting.mapping import fact_row, naming_rows


def listens() -> list[Listen]:
    """The projection's listeners, and one for each topic that is counted."""
    counted = ("registry.body", "registry.membership", "listings.listing", "listings.round", "matching.match")
    return [*listeners(), *(_listen(f"alliance.internal.{one}.v1") for one in counted)]


def _listen(topic: str) -> Listen:
    """`effect`, since every version of a key is a fact of its own: none may be passed over by a later one."""
    aggregate = topics.load().named(topic).aggregate
    return Listen(topic, aggregate, on_event, projection=store.facts_of_topic(aggregate))


async def on_event(tx: Tx, record: Record) -> None:
    """Keep the fact; a demand or a supply may complete the round of each body that it names (R55)."""
    if (restored_to := record.restored_to) is not None:
        await _undo(tx, record, restored_to)
        return
    fact, names = fact_row(record), naming_rows(record)
    tx.later(store.add_facts, [fact])
    tx.later(store.add_namings, names)
    for one in names:
        if one.side:
            await tx.settle()
            await deadlines.close_if_done(tx, one.body, ROUND, quarters.of(one.business_date))


async def _undo(tx: Tx, record: Record, restored_to: int) -> None:
    """The owner was restored to a version: what was heard beyond it counts no more. Submitted reports stay as they are."""
    await tx.settle()
    aggregate = topics.load().named(record.topic).aggregate
    if gone := await store.undo(tx, aggregate, record.key, restored_to, record.version):
        await deadlines.correct(tx, gone)
