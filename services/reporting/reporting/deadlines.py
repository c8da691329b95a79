"""Deadlines by the business clock: set up, moved over their boundaries, closed; each with its event."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from alliance.reporting.v1 import events_pb2
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from chassis.ids import resource
from codes import quarters
from codes.quarters import Quarter
from reporting import metrics, store
from reporting.domain.deadlines import ROUND, RULES, Rule, State, Step, crossed, dates, missing, next_step
from reporting.mapping import deadline_message
from reporting.store import DeadlineRow, Done

TOPIC = "alliance.internal.reporting.deadline.v1"
_BATCH = 200


async def sweep(tx: Tx, report_days: int) -> int:
    """One batch of what is due: new deadlines, then boundaries, the earliest first; returns how many changed."""
    today = business_date(tx.now)
    added = 0
    for body in (await store.unscheduled(tx, quarters.of(today)))[:_BATCH]:
        added += await _schedule(tx, body.name, date.fromisoformat(body.formed_on), today, report_days)
    if added:
        return added
    rows = await store.due_deadlines(tx, today, _BATCH)
    for row in rows:
        # One boundary each: the next waits for its turn among those of all deadlines.
        step = next(crossed(State(row.state), row.opens_on, row.due_on, today))
        await _enter(tx, row, step)
        tx.on_commit(partial(metrics.FIRING.observe, delay(step, row.create_time, tx.now)))
    return len(rows)


async def due(tx: Tx) -> int:
    """How much of that is due and not yet done."""
    today = business_date(tx.now)
    return len(await store.unscheduled(tx, quarters.of(today))) + await store.count_due(tx, today)


def delay(step: Step, since: datetime, now: datetime) -> float:
    """Seconds by which a boundary is crossed late; one that was over when the deadline was set up counts from then."""
    return max(0.0, (now - max(start_of_day(step.on), since)).total_seconds())


async def close_if_done(tx: Tx, body: str, rule: Rule, quarter: Quarter) -> None:
    """Close a deadline whose item is done; nothing happens where it is closed or was not set up yet.

    Whoever sets a deadline up asks this too, and the body is locked before either looks: what is done is seen by the one
    or by the other.
    """
    await store.lock_body(tx, body)
    row = await store.open_deadline(tx, body, rule.id, str(quarter))
    if row is None:
        return
    done = await (store.round_done(tx, body, quarter) if rule is ROUND else store.report_done(tx, body, str(quarter)))
    if done is not None:
        await _close(tx, row, done)


async def correct(tx: Tx, gone: Sequence[str]) -> None:
    """Look again at the rounds that were closed by events that never were: another event may close them, or none."""
    for body, name in await store.closed_by(tx, gone):
        await store.lock_body(tx, body)
        row = await store.get_deadline(tx, name, lock=True)
        if row is None or row.closed_by_event not in gone:
            continue
        done = await store.round_done(tx, body, quarters.of(row.opens_on))
        if done is not None:
            row.closed_late, row.closed_by_event = business_date(done.at) > row.due_on, done.event_id
        else:
            _stand(row, business_date(tx.now))
        await _save(tx, row, "corrected", tx.now)


def _stand(row: DeadlineRow, today: date) -> None:
    """Put a deadline where the calendar has it; its boundaries up to today have fired before."""
    row.state, row.closed_late, row.closed_by_event = State.UPCOMING, False, ""
    for step in crossed(State.UPCOMING, row.opens_on, row.due_on, today):
        row.state = step.state
    after = next_step(State(row.state), row.opens_on, row.due_on)
    row.next_on = after.on if after else None


async def _schedule(tx: Tx, body: str, formed_on: date, today: date, report_days: int) -> int:
    """Set up what a formed body has no deadlines for yet; quarters that it spent suspended are not made up for."""
    standing = await store.standing(tx, body)
    if standing is not None and standing.verb not in ("formed", "resumed"):
        return 0  # its events lag behind the projection of it
    since = standing.business_date if standing else formed_on
    added = 0
    for quarter in missing(since, await store.periods_of(tx, body), today):
        for rule in RULES:
            row = _new(tx, body, rule, quarter, report_days)
            if await store.add_deadline(tx, row):
                tx.emit(TOPIC, row.name, 1, "scheduled", events_pb2.DeadlineEvent(deadline=deadline_message(row)))
                await close_if_done(tx, body, rule, quarter)
                added += 1
    return added


def _new(tx: Tx, body: str, rule: Rule, quarter: Quarter, report_days: int) -> DeadlineRow:
    opens_on, due_on = dates(rule, quarter, report_days)
    return DeadlineRow(
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


async def _enter(tx: Tx, row: DeadlineRow, step: Step) -> None:
    """Move a deadline over a boundary; the event takes effect at the boundary, whenever the sweep gets to it."""
    row.state = step.state
    after = next_step(step.state, row.opens_on, row.due_on)
    row.next_on = after.on if after else None
    await _save(tx, row, step.verb, start_of_day(step.on))


async def _close(tx: Tx, row: DeadlineRow, done: Done) -> None:
    """In time or late is told by when the item was done, not by when we heard of it."""
    on = business_date(done.at)
    for step in crossed(State(row.state), row.opens_on, row.due_on, on):
        await _enter(tx, row, step)
    row.state, row.next_on = State.CLOSED, None
    row.closed_late, row.closed_by_event = on > row.due_on, done.event_id
    await _save(tx, row, "closed", done.at)


async def _save(tx: Tx, row: DeadlineRow, verb: str, effective_at: datetime) -> None:
    row.version += 1
    row.update_time = tx.now
    await store.save_deadline(tx, row)
    event = events_pb2.DeadlineEvent(deadline=deadline_message(row))
    tx.emit(TOPIC, row.name, row.version, verb, event, effective_at=effective_at)
