"""Tables of listings and rounds, and the statements on them.

A listing's row holds its whole message beside the columns that filters and rules look at.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    cast,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import Field, SQLModel

from chassis.database import Tx

_INSTANT: Any = DateTime(timezone=True)


class _Base(SQLModel):
    metadata = MetaData()


class _ListingTable(_Base, table=True):
    """The table of listings."""

    __tablename__ = "listing"
    __table_args__ = (
        Index(
            "listing_identity",
            "issuer",
            "source",
            "external_key",
            unique=True,
            postgresql_where=text("external_key <> ''"),
        ),
        Index("listing_issuer", "issuer", "name"),
        Index("listing_state", "state", "name"),
        Index("listing_bodies", "bodies", postgresql_using="gin"),
        Index("listing_areas", "areas", postgresql_using="gin"),
        Index("listing_validity", "valid_to", postgresql_where=text("state = 2")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    issuer: str = Field(sa_type=Text)
    kind: int
    state: int
    visibility: int
    bodies: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    areas: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    source: str = Field(sa_type=Text)
    external_key: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    valid_from: date
    valid_to: date
    counts_on: date | None
    published_at: datetime | None = Field(sa_type=_INSTANT)
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)
    content: bytes = Field(sa_type=LargeBinary)


@dataclass(slots=True)
class ListingRow:
    """A row of the table. Not the table's own class: an import makes thousands, and that one costs a millisecond each.

    Attributes:
        content: the message (alliance.listings.v1.Listing) as of this version.
        areas: the regions and the areas that they lie in; empty: anywhere.
        content_hash: of what the issuer wrote; tells a revision from the same content again.
        counts_on: business date on which it was published or revised last; what rounds count by.
    """

    name: str
    version: int
    issuer: str
    kind: int
    state: int
    visibility: int
    bodies: list[str]
    areas: list[str]
    source: str
    external_key: str
    content_hash: str
    valid_from: date
    valid_to: date
    counts_on: date | None
    published_at: datetime | None
    create_time: datetime
    update_time: datetime
    content: bytes


class RoundRow(_Base, table=True):
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
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class RoundListing(_Base, table=True):
    """A listing that counts in a round, once."""

    __tablename__ = "round_listing"

    round: str = Field(sa_type=Text, primary_key=True)
    listing: str = Field(sa_type=Text, primary_key=True)
    kind: int


listing: Table = _ListingTable.__table__  # type: ignore[attr-defined]
round_: Table = RoundRow.__table__  # type: ignore[attr-defined]
round_listing: Table = RoundListing.__table__  # type: ignore[attr-defined]
metadata = _Base.metadata
_COLUMNS = tuple(field.name for field in fields(ListingRow))
_ALL = select(*(listing.c[name] for name in _COLUMNS))
_WRITE = f"""
INSERT INTO listing ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))})
ON CONFLICT (name) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "name")}
"""  # noqa: S608 - the columns' names are ours
_values = attrgetter(*_COLUMNS)
_COUNT = insert(round_listing).on_conflict_do_nothing()


@dataclass(frozen=True)
class Wanted:
    """What a list of listings is asked for; empty fields take in everything."""

    kinds: Sequence[int] = ()
    states: Sequence[int] = ()
    issuer: str = ""
    body: str = ""
    area: str = ""
    source: str = ""
    external_key: str = ""


async def get(tx: Tx, name: str, *, lock: bool = False) -> ListingRow | None:
    """One listing."""
    statement = _ALL.where(listing.c.name == name)
    row = (await tx.conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return ListingRow(*row) if row else None


async def get_all(tx: Tx, names: Collection[str], visible: ColumnElement[bool]) -> dict[str, ListingRow]:
    """The named listings that are visible."""
    found = await tx.conn.execute(_ALL.where(listing.c.name.in_(names), visible))
    return {row.name: ListingRow(*row) for row in found}


async def page(tx: Tx, wanted: Wanted, visible: ColumnElement[bool], before: str | None, limit: int) -> Sequence[ListingRow]:
    """Listings that are wanted and visible, newest first: their names rise with time."""
    statement = _ALL.where(*_conditions(wanted), visible).order_by(listing.c.name.desc()).limit(limit)
    if before is not None:
        statement = statement.where(listing.c.name < before)
    return [ListingRow(*row) for row in await tx.conn.execute(statement)]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kinds:
        found.append(listing.c.kind.in_(wanted.kinds))
    if wanted.states:
        found.append(listing.c.state.in_(wanted.states))
    if wanted.body:
        found.append(listing.c.bodies.contains([wanted.body]))
    if wanted.area:
        found.append(listing.c.areas.contains([wanted.area]))
    for column in ("issuer", "source", "external_key"):
        if value := getattr(wanted, column):
            found.append(listing.c[column] == value)
    return found


async def lock_identities(tx: Tx, issuer: str, source: str) -> None:
    """Let one transaction at a time enter rows of an issuer's source, so that no two enter the same row."""
    await tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{issuer}\n{source}", 0))))


async def identified(tx: Tx, issuer: str, source: str, keys: Collection[str]) -> dict[str, ListingRow]:
    """Listings by external key, locked."""
    found = await tx.conn.execute(
        _ALL.where(listing.c.issuer == issuer, listing.c.source == source, listing.c.external_key.in_(keys))
        .order_by(listing.c.name)
        .with_for_update()
    )
    return {row.external_key: ListingRow(*row) for row in found}


async def standing_keys(tx: Tx, issuer: str, source: str, kind: int, after: str, limit: int) -> list[str]:
    """External keys of an issuer's drafts and published listings of a source and kind, in their order, after one of them."""
    c = listing.c
    found = await tx.conn.execute(
        select(c.external_key)
        .where(c.issuer == issuer, c.source == source, c.external_key > after, text("external_key <> ''"))
        .where(c.kind == kind, c.state.in_((1, 2)))
        .order_by(c.external_key)
        .limit(limit)
    )
    return list(found.scalars())


async def write(tx: Tx, rows: Sequence[ListingRow]) -> None:
    """Enter rows or put them in place of what is there."""
    await tx.sql.run_each(_WRITE, [_values(row) for row in rows])


async def run_out(tx: Tx, today: date, limit: int) -> Sequence[ListingRow]:
    """Published listings whose last day is past, locked; those that another transaction holds are left to it."""
    published = and_(listing.c.state == text("2"), listing.c.valid_to < today)
    found = await tx.conn.execute(
        _ALL.where(published).order_by(listing.c.valid_to, listing.c.name).limit(limit).with_for_update(skip_locked=True)
    )
    return [ListingRow(*row) for row in found]


async def count_run_out(tx: Tx, today: date) -> int:
    """How many published listings are past their last day."""
    published = and_(listing.c.state == text("2"), listing.c.valid_to < today)
    return int((await tx.conn.execute(select(func.count()).select_from(listing).where(published))).scalar_one())


async def lock_rounds(tx: Tx, bodies: Collection[str]) -> None:
    """Let nothing be counted in rounds of the bodies until the transaction ends, and wait for what is being counted.

    Whoever locks those of several bodies does it in one call, in which all follow the order of their names.
    """
    await _lock_rounds(tx, bodies, func.pg_advisory_xact_lock)


async def _lock_rounds(tx: Tx, bodies: Collection[str], lock: Callable[..., ColumnElement[Any]]) -> None:
    if bodies:
        body = func.unnest(cast(sorted(bodies), ARRAY(Text))).column_valued("body")
        await tx.conn.execute(select(lock(func.hashtextextended(literal("rounds of ") + body, 0))))


async def count_in_rounds(tx: Tx, rows: Sequence[ListingRow], today: date) -> None:
    """Let listings published or revised today count in the open rounds of the bodies that they name."""
    bodies = {body for row in rows for body in row.bodies}
    if not bodies:
        return
    await _lock_rounds(tx, bodies, func.pg_advisory_xact_lock_shared)
    found = await tx.conn.execute(
        select(round_.c.name, round_.c.body).where(
            round_.c.body.in_(bodies),
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


async def open_round(tx: Tx, row: RoundRow) -> bool:
    """Enter a round with what counts in it already; says whether it is new. The body's rounds are locked."""
    entered = await tx.conn.execute(insert(round_).values(row.model_dump()).on_conflict_do_nothing())
    if not entered.rowcount:
        return False
    counting = select(text(":round"), listing.c.name, listing.c.kind).where(
        listing.c.bodies.contains([row.body]), listing.c.counts_on.between(row.opens_on, row.closes_on)
    )
    statement = insert(round_listing).from_select(["round", "listing", "kind"], counting)
    await tx.conn.execute(statement.on_conflict_do_nothing(), {"round": row.name})
    return True


async def get_round(tx: Tx, name: str) -> RoundRow | None:
    """One round."""
    return (await tx.session.execute(select(RoundRow).where(round_.c.name == name))).scalar_one_or_none()


async def rounds_of(tx: Tx, body: str, before: str | None, limit: int) -> Sequence[RoundRow]:
    """Rounds of a body, newest first."""
    statement = select(RoundRow).where(round_.c.body == body).order_by(round_.c.name.desc()).limit(limit)
    if before is not None:
        statement = statement.where(round_.c.name < before)
    return (await tx.session.execute(statement)).scalars().all()


async def counts(tx: Tx, names: Collection[str]) -> dict[str, list[tuple[int, int]]]:
    """Round → (kind, listings), by kind."""
    found = await tx.conn.execute(
        select(round_listing.c.round, round_listing.c.kind, func.count())
        .where(round_listing.c.round.in_(names))
        .group_by(round_listing.c.round, round_listing.c.kind)
        .order_by(round_listing.c.kind)
    )
    counted: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for name, kind, number in found:
        counted[name].append((kind, number))
    return counted


async def rounds_to_close(tx: Tx, today: date, limit: int) -> Sequence[RoundRow]:
    """Open rounds whose last day is past, locked."""
    found = await tx.session.execute(
        select(RoundRow)
        .where(round_.c.state == text("1"), round_.c.closes_on < today)
        .order_by(round_.c.closes_on, round_.c.name)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.scalars().all()


async def rounds_to_close_count(tx: Tx, today: date) -> int:
    """How many open rounds are past their last day."""
    over = and_(round_.c.state == text("1"), round_.c.closes_on < today)
    return int((await tx.conn.execute(select(func.count()).select_from(round_).where(over))).scalar_one())


async def close_round(tx: Tx, name: str, version: int, at: datetime) -> None:
    """Close a round."""
    await tx.conn.execute(update(round_).where(round_.c.name == name).values(state=2, version=version, update_time=at))


async def with_period(tx: Tx, bodies: Collection[str], period: str) -> set[str]:
    """Those of the bodies that have a round for the period."""
    found = await tx.conn.execute(select(round_.c.body).where(round_.c.body.in_(bodies), round_.c.period == period))
    return set(found.scalars())


async def periods_of(tx: Tx, body: str) -> set[str]:
    """The periods that a body has rounds for."""
    return set((await tx.conn.execute(select(round_.c.period).where(round_.c.body == body))).scalars())
