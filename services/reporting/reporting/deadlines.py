"""Deadlines by the business clock: set up, moved over their boundaries, closed; each with its event."""

from datetime import date

from alliance.reporting.v1 import events_pb2
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from chassis.ids import resource
from codes import quarters
from codes.quarters import Quarter
from reporting import store
from reporting.domain.deadlines import ROUND, RULES, Rule, State, missing, next_step
from reporting.mapping import deadline_message
from reporting.store import DeadlineRow

TOPIC = "alliance.internal.reporting.deadline.v1"
_BATCH = 200


async def sweep(tx: Tx) -> int:
    """One batch of what is due: new deadlines, then boundaries, the earliest first."""
    today = business_date(tx.now)
    bodies = await store.unscheduled(tx, str(quarters.of(today)))
    for body in bodies[:_BATCH]:
        await _schedule(tx, body.name, date.fromisoformat(body.formed_on), today)
    if bodies:
        return len(bodies)
    crossed = await store.due_deadlines(tx, today, _BATCH)
    for row in crossed:
        await _step(tx, row)
    return len(crossed)


async def due(tx: Tx) -> int:
    """How much of that is due and not yet done."""
    today = business_date(tx.now)
    return len(await store.unscheduled(tx, str(quarters.of(today)))) + await store.count_due(tx, today)


async def close(tx: Tx, body: str, rule: Rule, period: str, event_id: str) -> None:
    """The item is done; nothing happens where its deadline is closed or was never set up."""
    row = await store.deadline_of(tx, body, rule.id, period)
    if row is None or row.state == State.CLOSED:
        return
    today = business_date(tx.now)
    while row.next_on is not None and row.next_on <= today:  # every boundary fires, also when the sweep is behind
        await _step(tx, row)
    row.state, row.next_on = State.CLOSED, None
    row.closed_late, row.closed_by_event = today > row.due_on, event_id
    await _save(tx, row, "closed")


async def close_round_if_complete(tx: Tx, body: str, period: Quarter, event_id: str) -> None:
    """R55 is done once a demand and a supply of the quarter name the body."""
    if await store.has_both_sides(tx, body, period.first, period.last):
        await close(tx, body, ROUND, str(period), event_id)


async def _schedule(tx: Tx, body: str, formed_on: date, today: date) -> None:
    for quarter in missing(formed_on, await store.periods_of(tx, body), today):
        for rule in RULES:
            opens_on, due_on = rule.dates(quarter)
            row = DeadlineRow(
                name=resource("deadlines"),
                version=1,
                body=body,
                rule=rule.id,
                period=str(quarter),
                opens_on=opens_on,
                due_on=due_on,
                state=State.UPCOMING,
                next_on=opens_on,
                closed_late=False,
                closed_by_event="",
                create_time=tx.now,
                update_time=tx.now,
            )
            if await store.add_deadline(tx, row):
                tx.emit(TOPIC, row.name, 1, "scheduled", events_pb2.DeadlineEvent(deadline=deadline_message(row)))
        await close_round_if_complete(tx, body, quarter, "")


async def _step(tx: Tx, row: DeadlineRow) -> None:
    """Move a deadline over its next boundary; the event takes effect at the boundary, whenever the sweep gets to it."""
    crossed = next_step(State(row.state), row.opens_on, row.due_on)
    if crossed is None:
        row.next_on = None
        return
    row.state = crossed.state
    after = next_step(crossed.state, row.opens_on, row.due_on)
    row.next_on = after.on if after else None
    await _save(tx, row, crossed.verb, on=crossed.on)


async def _save(tx: Tx, row: DeadlineRow, verb: str, *, on: date | None = None) -> None:
    row.version += 1
    row.update_time = tx.now
    await store.save_deadline(tx, DeadlineRow(**row.model_dump()))
    event = events_pb2.DeadlineEvent(deadline=deadline_message(row))
    tx.emit(TOPIC, row.name, row.version, verb, event, effective_at=start_of_day(on) if on else None)
