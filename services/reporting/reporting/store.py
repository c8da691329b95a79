"""Tables of reporting, and the statements on them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import defer
from sqlmodel import Field, SQLModel

from access import tables as access
from alliance.registry.v1 import body_pb2
from chassis.clock import start_of_day
from chassis.database import Tx
from chassis.handling import Projection
from codes.quarters import Quarter
from reporting.domain.deadlines import ROUND, State
from reporting.domain.figures import Fact, Figure, Side

_INSTANT: Any = DateTime(timezone=True)


class _Base(SQLModel):
    metadata = MetaData()


class FactRow(_Base, table=True):
    """One event as reports count it (see `domain.figures.Fact`); its key is the event's id."""

    __tablename__ = "fact"
    __table_args__ = (Index("fact_subject", "subject", "version"),)

    event_id: str = Field(sa_type=Text, primary_key=True)
    event_type: str = Field(sa_type=Text)
    aggregate: str = Field(sa_type=Text)
    verb: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    kind: int
    counts: bool = Field(sa_type=Boolean)
    accepted: bool = Field(sa_type=Boolean)
    valid_from: date | None
    valid_to: date | None
    effective_at: datetime = Field(sa_type=_INSTANT)
    business_date: date


class NamingRow(_Base, table=True):
    """A body that an event names; `side` is set where the event counts in the body's round (R55)."""

    __tablename__ = "fact_body"
    __table_args__ = (
        Index("fact_body_period", "body", "aggregate", "business_date"),
        Index("fact_body_side", "body", "side", "effective_at", postgresql_where=text("side <> ''")),
    )

    event_id: str = Field(sa_type=Text, primary_key=True)
    body: str = Field(sa_type=Text, primary_key=True)
    aggregate: str = Field(sa_type=Text)
    side: str = Field(sa_type=Text)
    effective_at: datetime = Field(sa_type=_INSTANT)
    business_date: date


class DeadlineRow(_Base, table=True):
    """A deadline of a body; `next_on` is the day at whose beginning its state changes next."""

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("body", "rule", "period", name="deadline_once"),
        Index("deadline_next", "next_on", postgresql_where=text("next_on IS NOT NULL")),
        Index("deadline_body", "body", "due_on", "name"),
        Index("deadline_closed_by", "closed_by_event", postgresql_where=text("closed_by_event <> ''")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    period: str = Field(sa_type=Text)
    opens_on: date
    due_on: date
    state: str = Field(sa_type=Text)
    next_on: date | None
    closed_late: bool = Field(sa_type=Boolean)
    closed_by_event: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class ReportRow(_Base, table=True):
    """A report of a body for a period; its newest revision and its version."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("body", "kind", "period", name="report_once"),)

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
    kind: int
    period: str = Field(sa_type=Text)
    revision: int
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class RevisionRow(_Base, table=True):
    """One revision of a report; frozen once it is submitted, by `submit_event`."""

    __tablename__ = "report_revision"

    report: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(primary_key=True)
    submitted: bool = Field(sa_type=Boolean)
    submit_event: str = Field(sa_type=Text)
    figures: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    recipients: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    amendment_reason: str = Field(sa_type=Text)
    cutoff_time: datetime = Field(sa_type=_INSTANT)
    submit_time: datetime | None = Field(sa_type=_INSTANT)
    workbook: bytes = Field(sa_type=LargeBinary)
    workbook_sha256: str = Field(sa_type=Text)


class SourceRow(_Base, table=True):
    """One event behind a figure of a revision."""

    __tablename__ = "figure_source"

    report: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(primary_key=True)
    figure: str = Field(sa_type=Text, primary_key=True)
    event_id: str = Field(sa_type=Text, primary_key=True)
    event_type: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    amount: int
    effective_at: datetime = Field(sa_type=_INSTANT)


fact: Table = FactRow.__table__  # type: ignore[attr-defined]
naming: Table = NamingRow.__table__  # type: ignore[attr-defined]
deadline: Table = DeadlineRow.__table__  # type: ignore[attr-defined]
DEADLINES = "SELECT rule, state, count(*) FROM deadline GROUP BY rule, state"
ALLIANCES = f"""
SELECT b.name, b.display_name, told.figure, count(DISTINCT f.subject)
FROM (
  SELECT name, display_name FROM access_body
  WHERE kind = {body_pb2.BODY_KIND_ALLIANCE:d} AND state = {body_pb2.BODY_STATE_FORMED:d} ORDER BY formed_on, name LIMIT 200
) b
JOIN fact_body n ON n.body = b.name
JOIN fact f ON f.event_id = n.event_id
CROSS JOIN LATERAL (SELECT CASE
  WHEN n.side = 'demand' THEN 'demands'
  WHEN n.side = 'supply' THEN 'supplies'
  WHEN f.aggregate = 'match' AND f.verb IN ('proposed', 'fulfilled') THEN f.verb
  WHEN f.aggregate = 'match' AND f.verb = 'accepted' AND f.accepted THEN f.verb
END AS figure) told
WHERE told.figure IS NOT NULL GROUP BY b.name, b.display_name, told.figure
"""  # noqa: S608 - the numbers are the contract's
report: Table = ReportRow.__table__  # type: ignore[attr-defined]
revision: Table = RevisionRow.__table__  # type: ignore[attr-defined]
source: Table = SourceRow.__table__  # type: ignore[attr-defined]
metadata = _Base.metadata


class Done(NamedTuple):
    """What closes a deadline: the event, and when it took effect."""

    event_id: str
    at: datetime


def facts_of_topic(aggregate: str) -> Projection:
    """The facts of one topic, and which bodies they name."""
    return Projection([fact, naming], "event_id", {"aggregate": aggregate})


async def lock_body(tx: Tx, body: str) -> None:
    """Nobody else gets past this for the body before this transaction has ended."""
    await tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(body, 0))))


async def add_facts(tx: Tx, rows: Sequence[FactRow]) -> None:
    """Keep events; one that is there already stays as it is."""
    await tx.run_each(insert(fact).on_conflict_do_nothing(), [row.model_dump() for row in rows])


async def add_namings(tx: Tx, rows: Sequence[NamingRow]) -> None:
    """Keep which bodies events name; their facts come first."""
    await tx.run_each(insert(naming).on_conflict_do_nothing(), [row.model_dump() for row in rows])


async def undo(tx: Tx, aggregate: str, subject: str, after: int, before: int) -> list[str]:
    """Forget the events of a subject between two versions: they never were; returns their ids."""
    c = fact.c
    gone = delete(fact).where(c.subject == subject, c.aggregate == aggregate, c.version > after, c.version < before)
    found = list((await tx.conn.execute(gone.returning(c.event_id))).scalars())
    if found:
        await tx.conn.execute(delete(naming).where(naming.c.event_id.in_(found)))
    return found


async def facts_of(tx: Tx, body: str, first: date, last: date, before: datetime) -> list[Fact]:
    """The facts that name a body and took effect before an instant, in the order of their taking effect.

    Of the period's days alone, and of all days where an older fact still stands: a membership.
    """
    n = naming.c
    older = and_(n.aggregate == "membership", n.business_date <= last)
    within = and_(n.aggregate.in_(("listing", "match")), n.business_date.between(first, last))
    statement = (
        select(FactRow)
        .join(naming, n.event_id == fact.c.event_id)
        .where(n.body == body, or_(older, within), n.effective_at < before)
        .order_by(fact.c.effective_at, fact.c.subject, fact.c.version)
    )
    fields = set(Fact.__dataclass_fields__)
    rows = (await tx.session.execute(statement)).scalars()
    return [Fact(**{name: value for name, value in row.model_dump().items() if name in fields}) for row in rows]


async def round_done(tx: Tx, body: str, quarter: Quarter) -> Done | None:
    """The event by which both a demand and a supply of the quarter name the body; None where one is missing."""
    firsts = [await _first(tx, body, side, quarter) for side in Side]
    found = [one for one in firsts if one is not None]
    return max(found, key=lambda done: done.at) if len(found) == len(firsts) else None


async def _first(tx: Tx, body: str, side: Side, quarter: Quarter) -> Done | None:
    n = naming.c
    begins, ends = start_of_day(quarter.first), start_of_day(quarter.next().first)
    statement = (
        select(n.event_id, n.effective_at)
        .where(n.body == body, n.side == side, n.side != "", n.effective_at >= begins, n.effective_at < ends)
        .order_by(n.effective_at)
        .limit(1)
    )
    row = (await tx.conn.execute(statement)).first()
    return Done(*row) if row else None


async def report_done(tx: Tx, body: str, period: str) -> Done | None:
    """The event by which a body's report for a period was submitted first."""
    statement = (
        select(revision.c.submit_event, revision.c.submit_time)
        .join(report, report.c.name == revision.c.report)
        .where(report.c.body == body, report.c.period == period, revision.c.submitted)
        .order_by(revision.c.revision)
        .limit(1)
    )
    row = (await tx.conn.execute(statement)).first()
    return Done(*row) if row else None


async def standing(tx: Tx, body: str) -> Any:
    """The last event that formed, suspended, resumed or dissolved a body: verb, business_date; None where none was heard."""
    statement = (
        select(fact.c.verb, fact.c.business_date)
        .join(naming, naming.c.event_id == fact.c.event_id)
        .where(
            naming.c.body == body,
            naming.c.aggregate == "body",
            fact.c.verb.in_(("formed", "suspended", "resumed", "dissolved")),
        )
        .order_by(fact.c.version.desc())
        .limit(1)
    )
    return (await tx.conn.execute(statement)).first()


async def unscheduled(tx: Tx, quarter: Quarter) -> Sequence[Any]:
    """Formed alliances that have no deadlines for a quarter yet, those formed after it left out: name, formed_on."""
    t = access.body
    have = exists().where(deadline.c.body == t.c.name, deadline.c.rule == ROUND.id, deadline.c.period == str(quarter))
    alliances = and_(t.c.kind == body_pb2.BODY_KIND_ALLIANCE, t.c.state == body_pb2.BODY_STATE_FORMED)
    by_then = and_(t.c.formed_on != "", t.c.formed_on <= quarter.last.isoformat())
    found = await tx.conn.execute(select(t.c.name, t.c.formed_on).where(alliances, by_then, ~have).order_by(t.c.name))
    return found.all()


async def periods_of(tx: Tx, body: str) -> frozenset[str]:
    """The periods that a body has deadlines for."""
    mine = and_(deadline.c.body == body, deadline.c.rule == ROUND.id)
    return frozenset((await tx.conn.execute(select(deadline.c.period).where(mine))).scalars())


async def add_deadline(tx: Tx, row: DeadlineRow) -> bool:
    """Set a deadline up; says whether it is new."""
    entered = await tx.conn.execute(insert(deadline).values(row.model_dump()).on_conflict_do_nothing())
    return bool(entered.rowcount)


async def due_deadlines(tx: Tx, today: date, limit: int) -> Sequence[DeadlineRow]:
    """Deadlines whose next boundary has come, the earliest first, locked."""
    statement = (
        select(DeadlineRow)
        .where(deadline.c.next_on <= today)
        .order_by(deadline.c.next_on, deadline.c.name)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await tx.session.execute(statement)).scalars().all()


async def count_due(tx: Tx, today: date) -> int:
    """How many deadlines' next boundary has come."""
    due = select(func.count()).select_from(deadline).where(deadline.c.next_on <= today)
    return int((await tx.conn.execute(due)).scalar_one())


async def open_deadline(tx: Tx, body: str, rule: str, period: str) -> DeadlineRow | None:
    """A body's deadline unless it is closed, locked."""
    c = deadline.c
    mine = and_(c.body == body, c.rule == rule, c.period == period, c.state != State.CLOSED)
    return (await tx.session.execute(select(DeadlineRow).where(mine).with_for_update())).scalar_one_or_none()


async def closed_by(tx: Tx, events: Sequence[str]) -> list[tuple[str, str]]:
    """Body and name of the deadlines that these events closed."""
    c = deadline.c
    found = await tx.conn.execute(select(c.body, c.name).where(c.closed_by_event.in_(events)).order_by(c.body, c.name))
    return [(row.body, row.name) for row in found]


async def get_deadline(tx: Tx, name: str, *, lock: bool = False) -> DeadlineRow | None:
    """One deadline."""
    statement = select(DeadlineRow).where(deadline.c.name == name)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def save_deadline(tx: Tx, row: DeadlineRow) -> None:
    """Write what became of a deadline."""
    values = row.model_dump(exclude={"name"})
    await tx.conn.execute(update(deadline).where(deadline.c.name == row.name).values(values))


async def deadlines_of(
    tx: Tx, body: str, states: Sequence[State], after: list[Any] | None, limit: int
) -> Sequence[DeadlineRow]:
    """A body's deadlines, the next one first."""
    c = deadline.c
    statement = select(DeadlineRow).where(c.body == body)
    if states:
        statement = statement.where(c.state.in_(states))
    if after is not None:
        day, name = after
        statement = statement.where(or_(c.due_on > day, and_(c.due_on == day, c.name > name)))
    return (await tx.session.execute(statement.order_by(c.due_on, c.name).limit(limit))).scalars().all()


async def get_report(tx: Tx, name: str, *, lock: bool = False) -> ReportRow | None:
    """One report."""
    statement = select(ReportRow).where(report.c.name == name)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def report_of(tx: Tx, body: str, kind: int, period: str) -> ReportRow | None:
    """A body's report for a period, locked; nobody else makes one before this transaction has ended."""
    await tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{body} {kind} {period}", 0))))
    mine = and_(report.c.body == body, report.c.kind == kind, report.c.period == period)
    return (await tx.session.execute(select(ReportRow).where(mine).with_for_update())).scalar_one_or_none()


async def reports_of(tx: Tx, body: str, after: list[str] | None, limit: int) -> Sequence[tuple[ReportRow, RevisionRow]]:
    """A body's reports with their newest revisions, the newest period first; workbooks are left out."""
    c = report.c
    newest = and_(revision.c.report == c.name, revision.c.revision == c.revision)
    statement = select(ReportRow, RevisionRow).join(revision, newest).where(c.body == body)
    if after is not None:
        statement = statement.where(or_(c.period < after[0], and_(c.period == after[0], c.name > after[1])))
    ordered = statement.order_by(c.period.desc(), c.name).limit(limit)
    found = await tx.session.execute(ordered.options(defer(cast(Any, RevisionRow.workbook))))
    return [(row[0], row[1]) for row in found]


async def get_revision(tx: Tx, name: str, number: int) -> RevisionRow | None:
    """One revision of a report."""
    mine = and_(revision.c.report == name, revision.c.revision == number)
    return (await tx.session.execute(select(RevisionRow).where(mine))).scalar_one_or_none()


async def save_report(tx: Tx, row: ReportRow) -> None:
    """Enter a report or put it in place of what is there."""
    statement = insert(report).values(row.model_dump())
    changed = {name: statement.excluded[name] for name in ReportRow.model_fields if name != "name"}
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


async def save_revision(tx: Tx, row: RevisionRow) -> None:
    """Enter a revision or put it in place of what is there."""
    statement = insert(revision).values(row.model_dump())
    keys = ("report", "revision")
    changed = {name: statement.excluded[name] for name in RevisionRow.model_fields if name not in keys}
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed))


async def save_sources(tx: Tx, name: str, number: int, figures: Sequence[Figure]) -> None:
    """The events behind every figure of a revision, in place of what was there."""
    await tx.conn.execute(delete(source).where(source.c.report == name, source.c.revision == number))
    values = [
        {
            "report": name,
            "revision": number,
            "figure": figure.definition.id,
            "event_id": one.fact.event_id,
            "event_type": one.fact.event_type,
            "subject": one.fact.subject,
            "version": one.fact.version,
            "amount": one.amount,
            "effective_at": one.fact.effective_at,
        }
        for figure in figures
        for one in figure.sources
    ]
    await tx.run_each(insert(source), values)


async def sources_of(tx: Tx, name: str, number: int, figure: str, after: list[str] | None, limit: int) -> Sequence[SourceRow]:
    """The events behind a figure, by id."""
    c = source.c
    statement = select(SourceRow).where(c.report == name, c.revision == number, c.figure == figure)
    if after is not None:
        statement = statement.where(c.event_id > after[0])
    return (await tx.session.execute(statement.order_by(c.event_id).limit(limit))).scalars().all()
