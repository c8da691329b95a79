"""Rounds 期次 by the business clock: opened and closed by a sweep, with the event of each."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from access import tables
from alliance.listings.v1 import events_pb2, round_pb2
from alliance.registry.v1 import body_pb2
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from chassis.errors import AlreadyExists
from chassis.ids import resource
from listings import changes, store
from listings.domain.rounds import Span, quarter, since
from listings.mapping import round_message
from listings.store import RoundRow

TOPIC = "alliance.internal.listings.round.v1"
_BATCH = 200


async def open_first(tx: Tx, body: str, span: Span) -> RoundRow:
    """Open a body's first round (R54). Raises `AlreadyExists` where there is one."""
    await store.lock_rounds(tx, [body])
    row = await _open(tx, body, round_pb2.ROUND_KIND_FIRST, span)
    if row is None:
        raise AlreadyExists("ROUND_EXISTS", f"{body} 的首期已开启（R54）", f"the first round of {body} is open already (R54)")
    return row


async def sweep(tx: Tx) -> int:
    """One batch of what is due: listings that ran out, rounds to close, quarterly rounds to open."""
    today = business_date(tx.now)
    run_out = await store.run_out(tx, today, _BATCH)
    if run_out:
        await changes.save(tx, [changes.taken(row, "expire", "expired") for row in run_out])
        return len(run_out)
    closing = await store.rounds_to_close(tx, today, _BATCH)
    await store.lock_rounds(tx, {row.body for row in closing})
    for row in closing:
        await _close(tx, row)
    return len(closing) or await _open_quarterly(tx, quarter(today))


async def due(tx: Tx) -> int:
    """How much of that is due and not yet done."""
    today = business_date(tx.now)
    closing = await store.rounds_to_close_count(tx, today)
    return await store.count_run_out(tx, today) + closing + len(await _without_round(tx, quarter(today)))


async def _open_quarterly(tx: Tx, span: Span) -> int:
    bodies = await _without_round(tx, span)
    await store.lock_rounds(tx, [body.name for body in bodies[:_BATCH]])
    for body in bodies[:_BATCH]:
        have = await store.periods_of(tx, body.name)
        for missed in since(date.fromisoformat(body.formed_on), span):
            if missed.period not in have:
                await _open(tx, body.name, round_pb2.ROUND_KIND_QUARTERLY, missed)
    return len(bodies)


async def _without_round(tx: Tx, span: Span) -> list[Any]:
    """Formed alliances that have no round for the quarter yet (R55): name, formed_on."""
    t = tables.body
    alliance = (t.c.kind == body_pb2.BODY_KIND_ALLIANCE, t.c.state == body_pb2.BODY_STATE_FORMED)
    found = (await tx.conn.execute(select(t.c.name, t.c.formed_on).where(*alliance).order_by(t.c.name))).all()
    have = await store.with_period(tx, [body.name for body in found], span.period)
    return [body for body in found if body.name not in have]


async def _open(tx: Tx, body: str, kind: int, span: Span) -> RoundRow | None:
    row = RoundRow(
        name=resource("rounds"),
        version=1,
        body=body,
        kind=kind,
        period=span.period,
        opens_on=span.opens_on,
        closes_on=span.closes_on,
        state=round_pb2.ROUND_STATE_OPEN,
        create_time=tx.now,
        update_time=tx.now,
    )
    if not await store.open_round(tx, row):
        return None
    await _emit(tx, row, "opened")
    return row


async def _close(tx: Tx, row: RoundRow) -> None:
    row.version += 1
    row.state = round_pb2.ROUND_STATE_CLOSED
    row.update_time = tx.now
    await store.close_round(tx, row.name, row.version, row.update_time)
    await _emit(tx, row, "closed")


async def _emit(tx: Tx, row: RoundRow, verb: str) -> None:
    counted = (await store.counts(tx, [row.name]))[row.name]
    event = events_pb2.RoundEvent(round=round_message(row, counted))
    # A round closes at the end of its last day, whenever the sweep gets to it.
    effective = start_of_day(row.closes_on + timedelta(days=1)) if verb == "closed" else None
    tx.emit(TOPIC, row.name, row.version, verb, event, effective_at=effective)
