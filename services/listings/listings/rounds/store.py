"""Tables of rounds, of what they hold and of who was silent, and the statements on them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    FromClause,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    and_,
    any_,
    case,
    cast,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import Field

from chassis.database import Tx
from listings.domain.names import RoundChange, RoundKind
from listings.domain.rounds import YearList
from listings.store import Base, ListingRow, listing

_INSTANT: Any = DateTime(timezone=True)


class RoundRow(Base, table=True):
    """A round of a body."""

    __tablename__ = "round"
    __table_args__ = (
        UniqueConstraint("body", "kind", "period", name="round_once"),
        Index("round_open", "closes_on", postgresql_where=text("state = 1")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
    kind: int
    period: str = Field(sa_type=Text)
    opens_on: date
    closes_on: date
    state: int
    previous: str = Field(default="", sa_type=Text)
    silent: int = 0
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class RoundListing(Base, table=True):
    """A listing that counts in a round, once; once the round is closed with what it was then.

    `change` is 0 while the round is open; what is told to be gone is a row, too, as it was told last.
    """

    __tablename__ = "round_listing"

    round: str = Field(sa_type=Text, primary_key=True)
    listing: str = Field(sa_type=Text, primary_key=True)
    kind: int
    change: int = Field(sa_column_kwargs={"server_default": text("0")})
    version: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    content: bytes = Field(sa_type=LargeBinary, sa_column_kwargs={"server_default": ""})
    issuer: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    bodies: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    visibility: int = Field(sa_column_kwargs={"server_default": text("0")})
    state: int = Field(sa_column_kwargs={"server_default": text("0")})


class SilenceRow(Base, table=True):
    """A member that had nothing in a round that closed."""

    __tablename__ = "silence"
    __table_args__ = (UniqueConstraint("round", "organization", name="silence_once"),)

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    round: str = Field(sa_type=Text)
    organization: str = Field(sa_type=Text)
    last_round: str = Field(sa_type=Text)


round_: Table = RoundRow.__table__  # type: ignore[attr-defined]
round_listing: Table = RoundListing.__table__  # type: ignore[attr-defined]
silence: Table = SilenceRow.__table__  # type: ignore[attr-defined]
ISSUES = [int(RoundKind.FIRST), int(RoundKind.QUARTERLY)]
"""Kinds of rounds that follow each other."""
_COUNT = insert(round_listing).on_conflict_do_nothing()
_LAST_ROUNDS = f"""
SELECT DISTINCT ON (l.issuer) l.issuer, r.name
FROM round r
JOIN round_listing had ON had.round = r.name AND had.change <> {RoundChange.REMOVED:d}
JOIN listing l ON l.name = had.listing
WHERE r.body = $1 AND r.kind = $2 AND r.state = 2 AND r.closes_on < $3 AND l.issuer = ANY($4::text[])
ORDER BY l.issuer, r.closes_on DESC
"""  # noqa: S608 - the number is ours


@dataclass(frozen=True)
class Counted:
    """How many listings of a kind a round holds, and what became of them."""

    kind: int
    listings: int
    added: int
    revised: int
    removed: int


async def lock(tx: Tx, bodies: Collection[str]) -> None:
    """Let nothing be counted in rounds of the bodies until the transaction ends, and wait for what is being counted.

    Whoever locks those of several bodies does it in one call, in which all follow the order of their names.
    """
    await _lock(tx, bodies, func.pg_advisory_xact_lock)


async def hold(tx: Tx, bodies: Collection[str]) -> None:
    """Let no round of the bodies be opened or closed until the transaction ends; whoever else counts in them may go on."""
    await _lock(tx, bodies, func.pg_advisory_xact_lock_shared)


async def _lock(tx: Tx, bodies: Collection[str], lock: Callable[..., ColumnElement[Any]]) -> None:
    if bodies:
        body = func.unnest(cast(sorted(bodies), ARRAY(Text))).column_valued("body")
        await tx.conn.execute(select(lock(func.hashtextextended(literal("rounds of ") + body, 0))))


async def count_in(tx: Tx, rows: Sequence[ListingRow], today: date) -> None:
    """Let listings published or revised today count in the open rounds of the bodies that they name."""
    bodies = {body for row in rows for body in row.bodies}
    if not bodies:
        return
    await hold(tx, bodies)
    found = await tx.conn.execute(
        select(round_.c.name, round_.c.body).where(
            round_.c.body.in_(bodies),
            # Lists hold what belongs to them when they are compiled.
            round_.c.kind.in_((RoundKind.FIRST, RoundKind.QUARTERLY)),
            round_.c.state == 1,
            round_.c.opens_on <= today,
            round_.c.closes_on >= today,
        )
    )
    rounds = list(found)
    counted = [
        {"round": one.name, "listing": row.name, "kind": row.kind} for row in rows for one in rounds if one.body in row.bodies
    ]
    await tx.run_each(_COUNT, counted)


async def enter(tx: Tx, row: RoundRow) -> None:
    """Enter a new round. The body's rounds are locked."""
    await tx.conn.execute(insert(round_).values(row.model_dump()))


async def move(tx: Tx, row: RoundRow) -> None:
    """Give an open round other days, in which nothing counts yet. The body's rounds are locked."""
    values = {name: getattr(row, name) for name in ("period", "opens_on", "closes_on", "version", "update_time")}
    await tx.conn.execute(update(round_).where(round_.c.name == row.name).values(values))
    await tx.conn.execute(delete(round_listing).where(round_listing.c.round == row.name))


async def count_all(tx: Tx, row: RoundRow) -> None:
    """Let all that was published or revised last within an issue's days count in it. The body's rounds are locked."""
    counting = select(text(":round"), listing.c.name, listing.c.kind).where(
        listing.c.bodies.contains([row.body]), listing.c.counts_on.between(row.opens_on, row.closes_on)
    )
    statement = insert(round_listing).from_select(["round", "listing", "kind"], counting)
    await tx.conn.execute(statement.on_conflict_do_nothing(), {"round": row.name})


async def count(tx: Tx, row: RoundRow, kinds: Mapping[str, int]) -> None:
    """Let listings count in a round; each is given with its kind."""
    await tx.run_each(_COUNT, [{"round": row.name, "listing": name, "kind": kind} for name, kind in kinds.items()])


async def get(tx: Tx, name: str) -> RoundRow | None:
    """One round."""
    return (await tx.session.execute(select(RoundRow).where(round_.c.name == name))).scalar_one_or_none()


async def page(tx: Tx, body: str, before: str | None, limit: int) -> Sequence[RoundRow]:
    """Rounds of a body, newest first."""
    statement = select(RoundRow).where(round_.c.body == body).order_by(round_.c.name.desc()).limit(limit)
    if before is not None:
        statement = statement.where(round_.c.name < before)
    return (await tx.session.execute(statement)).scalars().all()


async def counts(tx: Tx, names: Collection[str]) -> dict[str, list[Counted]]:
    """Round → what it holds, by kind."""
    t, changed = round_listing.c, (RoundChange.ADDED, RoundChange.REVISED, RoundChange.REMOVED)
    found = await tx.conn.execute(
        select(
            t.round,
            t.kind,
            func.count().filter(t.change != RoundChange.REMOVED),
            *(func.count().filter(t.change == change) for change in changed),
        )
        .where(t.round.in_(names))
        .group_by(t.round, t.kind)
        .order_by(t.kind)
    )
    counted: dict[str, list[Counted]] = {name: [] for name in names}
    for name, *numbers in found:
        counted[name].append(Counted(*numbers))
    return counted


async def to_close(tx: Tx, today: date, limit: int) -> Sequence[RoundRow]:
    """Open rounds whose last day is past, locked; each once those before it are closed, which it is told against."""
    c, before = round_.c, round_.alias()
    follows = or_(before.c.kind == c.kind, and_(before.c.kind.in_(ISSUES), c.kind.in_(ISSUES)))
    earlier = tuple_(before.c.closes_on, before.c.kind) < tuple_(c.closes_on, c.kind)
    waits = exists().where(before.c.body == c.body, before.c.state == text("1"), follows, earlier)
    found = await tx.session.execute(
        select(RoundRow)
        .where(round_.c.state == text("1"), round_.c.closes_on < today, ~waits)
        .order_by(round_.c.closes_on, round_.c.kind, round_.c.name)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.scalars().all()


async def count_to_close(tx: Tx, today: date) -> int:
    """How many open rounds are past their last day."""
    over = and_(round_.c.state == text("1"), round_.c.closes_on < today)
    return int((await tx.conn.execute(select(func.count()).select_from(round_).where(over))).scalar_one())


async def close(tx: Tx, row: RoundRow) -> None:
    """Close a round."""
    values = {name: getattr(row, name) for name in ("state", "version", "previous", "silent", "update_time")}
    await tx.conn.execute(update(round_).where(round_.c.name == row.name).values(values))


async def get_locked(tx: Tx, name: str) -> RoundRow | None:
    """One round, locked."""
    query = select(RoundRow).where(round_.c.name == name).with_for_update()
    return (await tx.session.execute(query)).scalar_one_or_none()


async def lock_closed(tx: Tx, names: Collection[str], kind: int) -> None:
    """Lock closed rounds of a kind; who locks several does it in one call, in which all follow the order of their names."""
    closed = (round_.c.name.in_(names), round_.c.kind == kind, round_.c.state == 2)
    await tx.conn.execute(select(round_.c.name).where(*closed).order_by(round_.c.name).with_for_update())


async def with_period(tx: Tx, bodies: Collection[str], kind: int, period: str) -> set[str]:
    """Those of the bodies that have a round of the kind for the period."""
    having = (round_.c.body.in_(bodies), round_.c.kind == kind, round_.c.period == period)
    return set((await tx.conn.execute(select(round_.c.body).where(*having))).scalars())


async def closed(tx: Tx, bodies: Collection[str], kind: int, period: str) -> set[str]:
    """Those of the bodies whose round of the kind for the period is closed."""
    closing = (round_.c.body.in_(bodies), round_.c.kind == kind, round_.c.period == period, round_.c.state == 2)
    return set((await tx.conn.execute(select(round_.c.body).where(*closing))).scalars())


async def latest_period(tx: Tx, body: str, kind: int) -> str:
    """The last period that a body has a round of the kind for; "" for none. Periods of a kind rise with time."""
    having = (round_.c.body == body, round_.c.kind == kind)
    return (await tx.conn.execute(select(func.max(round_.c.period)).where(*having))).scalar_one() or ""


async def first_of(tx: Tx, body: str) -> str | None:
    """Name of a body's first round."""
    found = await tx.conn.execute(
        select(round_.c.name).where(round_.c.body == body, round_.c.kind == RoundKind.FIRST).limit(1)
    )
    return found.scalar_one_or_none()


# What a closed round holds


async def compile_list(tx: Tx, row: RoundRow, year_list: YearList, on: date) -> None:
    """Let a list hold what belongs to it on a day."""
    holding = select(literal(row.name), listing.c.name, listing.c.kind).where(*_belonging(row, year_list, on))
    await tx.conn.execute(insert(round_listing).from_select(["round", "listing", "kind"], holding))


async def issuers_so_far(tx: Tx, row: RoundRow, year_list: YearList, on: date) -> set[str]:
    """Who has something that would be in a list if it were compiled on a day."""
    found = await tx.conn.execute(select(listing.c.issuer).where(*_belonging(row, year_list, on)).distinct())
    return set(found.scalars())


def _belonging(row: RoundRow, year_list: YearList, on: date) -> list[ColumnElement[bool]]:
    c = listing.c
    belongs = [c.bodies.contains([row.body]), c.kind.in_(year_list.kinds), c.state.in_(year_list.states)]
    if year_list.is_of_year:
        return [*belongs, c.list_year == row.opens_on.year, c.published_at.is_not(None)]
    return [*belongs, c.valid_from <= on, c.valid_to >= on]


async def issuers(tx: Tx, row: RoundRow) -> set[str]:
    """Who has something in a round: while it is open, what still names its body."""
    t = round_listing.c
    names_it = or_(t.version > 0, listing.c.bodies.contains([row.body]))  # what is kept named it then
    holding = (t.round == row.name, t.change != RoundChange.REMOVED, names_it)
    found = await tx.conn.execute(
        select(listing.c.issuer).join(round_listing, round_listing.c.listing == listing.c.name).where(*holding)
    )
    return set(found.scalars())


async def last_rounds(tx: Tx, row: RoundRow, organizations: Collection[str]) -> dict[str, str]:
    """Organization → the last closed round of this one's kind in which it had something."""
    found = await tx.sql.rows(_LAST_ROUNDS, row.body, row.kind, row.closes_on, list(organizations))
    return {one[0]: one[1] for one in found}


@dataclass(frozen=True)
class WantedEntries:
    """What a closed round is asked for; empty fields take in everything."""

    round: RoundRow
    changes: Sequence[int] = ()
    kinds: Sequence[int] = ()


@dataclass(frozen=True)
class Entry:
    """What a closed round tells somebody of a listing.

    Attributes:
        content, state, version: as it stands in the round, or, where that is not shown, as it was told last.
        change: what became of it for who is told.
        is_shown: whether it is shown as it stands in the round.
    """

    listing: str
    content: bytes
    state: int
    version: int
    change: int
    is_shown: bool


Shown = Callable[[FromClause], ColumnElement[bool]]
"""Which rows of `round_listing`, or of an alias of it, somebody may see."""


async def entries(tx: Tx, wanted: WantedEntries, shown: Shown, after: str, limit: int) -> list[Entry]:
    """What a closed round tells somebody, by listing: what is shown, and to be gone what was shown when it was told last."""
    held = round_listing.alias("held")
    last = _told_last(held, await _followed(tx, wanted.round))
    c, sees, saw = held.c, shown(held), func.coalesce(shown(last), false())
    narrowed = and_(~sees, saw, c.change != RoundChange.REMOVED, last.c.change != RoundChange.REMOVED)
    comes_anew = and_(~saw, c.change.in_((RoundChange.REVISED, RoundChange.KEPT)))
    change = case((~sees, int(RoundChange.REMOVED)), (comes_anew, int(RoundChange.ADDED)), else_=c.change)
    told = [case((sees, c[name]), else_=last.c[name]) for name in ("content", "state", "version")]
    query = select(c.listing, *told, change, sees).outerjoin(last, true())
    query = query.where(c.round == wanted.round.name, c.listing > after, or_(sees, narrowed))
    if wanted.changes:
        query = query.where(change.in_(wanted.changes))
    if wanted.kinds:
        query = query.where(c.kind.in_(wanted.kinds))
    found: Sequence[Any] = (await tx.conn.execute(query.order_by(c.listing).limit(limit))).all()
    return [Entry(*row) for row in found]


async def _followed(tx: Tx, row: RoundRow) -> list[str]:
    """The rounds that a closed one was told against, last first: those that it follows and that were closed then."""
    c, kinds = round_.c, ISSUES if row.kind in ISSUES else [row.kind]
    earlier = tuple_(c.closes_on, c.kind) < tuple_(literal(row.closes_on), literal(row.kind))
    closed_then = and_(c.state == text("2"), c.update_time <= row.update_time)
    query = select(c.name).where(c.body == row.body, c.kind.in_(kinds), earlier, closed_then)
    return list((await tx.conn.execute(query.order_by(c.closes_on.desc(), c.kind.desc()))).scalars())


def _told_last(held: FromClause, rounds: Sequence[str]) -> FromClause:
    """What was told last of a listing by these rounds, of which the last stands first."""
    told, names = round_listing.alias("told"), cast(literal(rounds, ARRAY(Text)), ARRAY(Text))
    query = select(told).where(told.c.listing == held.c.listing, told.c.round == any_(names)).correlate(held)
    return query.order_by(func.array_position(names, told.c.round)).limit(1).lateral("last")


async def enter_silences(tx: Tx, rows: Sequence[SilenceRow]) -> None:
    """Enter who was silent."""
    await tx.run_each(insert(silence), [row.model_dump() for row in rows])


async def silences(tx: Tx, name: str) -> Sequence[SilenceRow]:
    """Who was silent in a closed round, by organization."""
    query = select(SilenceRow).where(silence.c.round == name).order_by(silence.c.organization)
    return (await tx.session.execute(query)).scalars().all()
