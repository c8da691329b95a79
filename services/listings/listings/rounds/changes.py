"""Rounds 发布期次 and the lists of a year by the business clock: opened and closed by a sweep, with the event of each.

A round that closes is frozen: what it holds stays as it is, with what changed since the one before; who had
nothing is noticed.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from access import tables
from access.register import ProjectedRegister
from alliance.listings.v1 import events_pb2, round_pb2
from alliance.registry.v1 import body_pb2
from chassis.clock import business_date, start_of_day
from chassis.database import Tx
from chassis.errors import AlreadyExists, Precondition
from chassis.ids import resource
from listings import changes
from listings import store as listings_store
from listings.domain.names import BodyKind, RoundKind
from listings.domain.rounds import LISTS, Span, is_expected, is_passed_over, quarter, since
from listings.rounds import history, store, told
from listings.rounds.mapping import round_message, silence_message
from listings.rounds.store import RoundRow, SilenceRow

TOPIC = "alliance.internal.listings.round.v1"
SILENCE_TOPIC = "alliance.internal.listings.silence.v1"
_BATCH = 200
_CLOSING = 20  # rounds that close in one transaction: each is written with all that it holds
_register = ProjectedRegister()


async def open_first(tx: Tx, body: str, span: Span) -> RoundRow:
    """Open a body's first round (R54). Raises `AlreadyExists` where there is one, whatever its days."""
    await store.lock(tx, [body])
    if first := await store.first_of(tx, body):
        raise AlreadyExists(
            "ROUND_EXISTS",
            f"{body} 的首期 {first} 已开启（R54），不能再开；请用 ListRounds 查看其期次",
            f"the first round of {body} is {first} (R54), and there is no other; see its rounds by ListRounds",
        )
    return await _open(tx, body, RoundKind.FIRST, span)


def require_movable(row: RoundRow, today: date) -> None:
    """A round is the first one, and open. Raises `Precondition`."""
    if row.kind != RoundKind.FIRST:
        raise Precondition(
            "NOT_FIRST",
            f"{row.period} 不是首期（R54），其日期不能更改；请换首期的编号",
            f"{row.period} is not the first round (R54), and keeps its days; name the first one",
            {"round": row.name},
        )
    if row.state != round_pb2.ROUND_STATE_OPEN or row.closes_on < today:
        raise Precondition(
            "CLOSED",
            f"首期已于 {row.closes_on} 截止并冻结，不能再改期",
            f"the first round closed on {row.closes_on} and is frozen: it can't be put off any more",
            {"round": row.name},
        )


async def move_first(tx: Tx, row: RoundRow, span: Span) -> None:
    """Put a first round that is movable, and locked, on other days: those of a council that was put off."""
    if (span.opens_on, span.closes_on) == (row.opens_on, row.closes_on):
        return
    await store.lock(tx, [row.body])
    row.period, row.opens_on, row.closes_on = span.period, span.opens_on, span.closes_on
    row.version += 1
    row.update_time = tx.now
    await store.move(tx, row)
    await _count(tx, row)
    await _emit(tx, row, "moved", None)


async def compile_now(tx: Tx, row: RoundRow) -> None:
    """Compile a list of a year, which is locked, and close it (R43, R57, R58). Raises `Precondition` for anything else."""
    if row.kind not in LISTS:
        raise Precondition(
            "NO_LIST",
            f"{row.period} 是发布期次，至 {row.closes_on} 自行截止；只有年度清单可以编制，请换其编号",
            f"{row.period} is a round and closes by itself on {row.closes_on}; only lists of a year are compiled; name one",
            {"round": row.name},
        )
    if row.state != round_pb2.ROUND_STATE_OPEN:
        raise Precondition(
            "COMPILED",
            f"{row.period} 清单已编制并冻结，不能再编制；请用下一年度的一期",
            f"the list of {row.period} is compiled and frozen; turn to that of the year after",
            {"round": row.name},
        )
    await store.lock(tx, [row.body])
    await _close(tx, row, business_date(tx.now), None)


async def sweep(tx: Tx) -> int:
    """One batch of what is due: listings that ran out, rounds to close, rounds to open."""
    today = business_date(tx.now)
    run_out = await listings_store.run_out(tx, today, _BATCH)
    if run_out:
        await changes.save(tx, [changes.taken(row, "expire", "expired") for row in run_out])
        return len(run_out)
    closing = await store.to_close(tx, today, _CLOSING)
    await store.lock(tx, {row.body for row in closing})
    for row in closing:
        # A round closes at the end of its last day, whenever the sweep gets to it.
        await _close(tx, row, row.closes_on, start_of_day(row.closes_on + timedelta(days=1)))
    if closing:
        return len(closing)
    for opening in _openings(today):
        if opened := await opening.open(tx):
            return opened
    return 0


async def due(tx: Tx) -> int:
    """How much of that is due and not yet done."""
    today = business_date(tx.now)
    opening = sum([len(await one.missing(tx)) for one in _openings(today)])
    return await listings_store.count_run_out(tx, today) + await store.count_to_close(tx, today) + opening


class _Opening:
    """Rounds of one kind that formed bodies of a kind are to have by now."""

    def __init__(self, kind: RoundKind, body: BodyKind, current: str, spans: Callable[[date], list[Span]]) -> None:
        self._kind, self._body, self._current, self._spans = kind, body, current, spans

    async def open(self, tx: Tx) -> int:
        """Open a batch of them, also those that nobody was there to open; returns for how many bodies."""
        bodies = (await self.missing(tx))[:_BATCH]
        await store.lock(tx, [body.name for body in bodies])
        for body in bodies:
            # What lies before its latest one was decided on then: of suspensions only the last is known.
            latest = await store.latest_period(tx, body.name, self._kind)
            for span in self._due(body):
                if span.period > latest:
                    await _open(tx, body.name, self._kind, span)
        return len(bodies)

    async def missing(self, tx: Tx) -> Sequence[Any]:
        """Formed bodies without the current one that they are to have: name, and what tells which those are."""
        t = tables.body
        formed = (t.c.kind == self._body, t.c.state == body_pb2.BODY_STATE_FORMED)
        wanted = select(t.c.name, t.c.formed_on, t.c.suspended_on, t.c.resumed_on).where(*formed).order_by(t.c.name)
        found = (await tx.conn.execute(wanted)).all()
        have = await store.with_period(tx, [body.name for body in found], self._kind, self._current)
        lacking = [body for body in found if body.name not in have]
        return [body for body in lacking if any(span.period >= self._current for span in self._due(body))]

    def _due(self, body: Any) -> list[Span]:
        """What a body is to have by now: nothing where it was formed too late for it, nothing of what it spent suspended."""
        spans = self._spans(date.fromisoformat(body.formed_on))
        return [span for span in spans if not is_passed_over(span, body.suspended_on, body.resumed_on)]


def _openings(today: date) -> list[_Opening]:
    """Quarterly rounds of alliances (R55), and the lists of the year."""
    now = quarter(today)
    quarterly = _Opening(RoundKind.QUARTERLY, BodyKind.ALLIANCE, now.period, lambda formed_on: since(formed_on, now))
    lists = [
        _Opening(kind, one.body, str(today.year), lambda formed_on, one=one: one.since(formed_on, today))  # type: ignore[misc]
        for kind, one in LISTS.items()
    ]
    return [quarterly, *lists]


async def _open(tx: Tx, body: str, kind: RoundKind, span: Span) -> RoundRow:
    """Open a round that the body, whose rounds are locked, does not have."""
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
    await store.enter(tx, row)
    await _count(tx, row)
    await _emit(tx, row, "opened", None)
    return row


async def _count(tx: Tx, row: RoundRow) -> None:
    """Let what was published within an issue's days already count in it; a list holds nothing until it is compiled."""
    if row.kind in LISTS:
        return
    await store.count_all(tx, row)
    if row.closes_on < business_date(tx.now):
        await store.count(tx, row, await history.revised_since(tx, row))


async def _close(tx: Tx, row: RoundRow, on: date, effective: datetime | None) -> None:
    """Freeze and close a round whose body's rounds are locked, with what it holds at the end of a day: as it was at
    `effective`, or is now.
    """
    if year_list := LISTS.get(RoundKind(row.kind)):
        await store.compile_list(tx, row, year_list, on)
    row.previous = await told.before(tx, row)
    then = await history.changed_since(tx, row.body, effective) if effective else []
    await told.keep(tx, row, then)
    silent = await silences(tx, row, on)  # before what was withdrawn within its days is told to be gone
    await told.tell_removed(tx, row, then)
    row.version += 1
    row.state = round_pb2.ROUND_STATE_CLOSED
    row.silent = len(silent)
    row.update_time = tx.now
    await store.close(tx, row)
    await _emit(tx, row, "closed", effective)
    await store.enter_silences(tx, silent)
    for one in silent:
        event = events_pb2.SilenceEvent(silence=silence_message(one, row))
        tx.emit(SILENCE_TOPIC, one.name, one.version, "noticed", event, effective_at=effective)


async def silences(tx: Tx, row: RoundRow, on: date) -> list[SilenceRow]:
    """Members on a day that have nothing in a round and have to (R55, R57), by organization; not written down."""
    kind = RoundKind(row.kind)
    members = {one.organization for one in await _register.members(tx, row.body, on)} - await _heard(tx, row, on)
    known = await _register.organizations(tx, sorted(members))
    silent = sorted(name for name, one in known.items() if is_expected(kind, one.org_type))
    last = await store.last_rounds(tx, row, silent)
    return [
        SilenceRow(name=resource("silences"), version=1, round=row.name, organization=name, last_round=last.get(name, ""))
        for name in silent
    ]


async def _heard(tx: Tx, row: RoundRow, on: date) -> set[str]:
    """Who has something in a round; a list holds nothing until it is compiled."""
    year_list = LISTS.get(RoundKind(row.kind))
    if year_list and row.state == round_pb2.ROUND_STATE_OPEN:
        return await store.issuers_so_far(tx, row, year_list, on)
    return await store.issuers(tx, row)


async def _emit(tx: Tx, row: RoundRow, verb: str, effective: datetime | None) -> None:
    counted = (await store.counts(tx, [row.name]))[row.name]
    event = events_pb2.RoundEvent(round=round_message(row, counted))
    tx.emit(TOPIC, row.name, row.version, verb, event, effective_at=effective)
