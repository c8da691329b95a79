"""Tables of listings and rounds, and the statements on them.

A listing's row holds its whole message beside the columns that filters and rules look at.
"""

from collections.abc import Collection, Sequence
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
    Select,
    Table,
    Text,
    and_,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from alliance.listings.v1 import events_pb2, listing_pb2
from chassis import tables
from chassis.database import Tx
from listings.domain.names import State

TOPIC = "alliance.internal.listings.listing.v1"
_INSTANT: Any = DateTime(timezone=True)


class Base(SQLModel):
    """All tables of the service."""

    metadata = MetaData()


class _ListingTable(Base, table=True):
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
        Index("listing_kind", "kind", "state", "name"),
        Index("listing_source", "source", "name", postgresql_where=text("source <> ''")),
        Index("listing_key", "external_key", "name", postgresql_where=text("external_key <> ''")),
        Index("listing_bodies", "bodies", postgresql_using="gin"),
        Index("listing_areas", "areas", postgresql_using="gin"),
        Index("listing_validity", "valid_to", postgresql_where=text("state = 2")),
        # What is public, by name and version alone: feeds compare it with what others hold.
        Index("listing_public", "name", postgresql_include=["version"], postgresql_where=text("state = 2 AND visibility = 1")),
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
    list_year: int
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
        list_year: year of the list that a challenge belongs to; 0 for other kinds.
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
    list_year: int
    counts_on: date | None
    published_at: datetime | None
    create_time: datetime
    update_time: datetime
    content: bytes


listing: Table = _ListingTable.__table__  # type: ignore[attr-defined]
metadata = Base.metadata
LISTINGS = "SELECT kind, state, count(*) FROM listing GROUP BY kind, state"
"""By the index `listing_kind` alone."""
_COLUMNS = tuple(field.name for field in fields(ListingRow))
_ALL = select(*(listing.c[name] for name in _COLUMNS))
_WRITE = f"""
INSERT INTO listing ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))})
ON CONFLICT (name) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "name")}
"""  # noqa: S608 - the columns' names are ours
_values = attrgetter(*_COLUMNS)


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


async def at_version(tx: Tx, name: str, version: int) -> listing_pb2.Listing | None:
    """One listing as it was at a version, out of the event that said so."""
    t = tables.event
    of_it = and_(t.c.topic == TOPIC, t.c.key == name, t.c.version == version)
    payload = (await tx.conn.execute(select(t.c.payload).where(of_it).order_by(t.c.id.desc()).limit(1))).scalar()
    return events_pb2.ListingEvent.FromString(payload).listing if payload else None


async def saying(tx: Tx, words: str, beside: str, limit: int) -> Sequence[str]:
    """Names of listings, of the issuer of one, that hold words in this very writing, now or in an earlier version."""
    t, theirs = tables.event, select(listing.c.issuer).where(listing.c.name == beside).scalar_subquery()
    holds = func.position(literal(words.encode(), LargeBinary).op("IN")(t.c.payload)) > 0
    of_theirs = select(listing.c.name).where(listing.c.issuer == theirs)
    statement = select(t.c.key).distinct().where(t.c.topic == TOPIC, t.c.key.in_(of_theirs), holds)
    return (await tx.conn.execute(statement.order_by(t.c.key).limit(limit))).scalars().all()


async def get_all(tx: Tx, names: Collection[str], visible: ColumnElement[bool]) -> dict[str, ListingRow]:
    """The named listings that are visible."""
    found = await tx.conn.execute(_ALL.where(listing.c.name.in_(names), visible))
    return {row.name: ListingRow(*row) for row in found}


async def page(tx: Tx, wanted: Wanted, visible: ColumnElement[bool], before: str | None, limit: int) -> Sequence[ListingRow]:
    """Listings that are wanted and visible, newest first: their names rise with time."""
    return [ListingRow(*row) for row in await tx.conn.execute(paged(wanted, visible, before, limit))]


def paged(wanted: Wanted, visible: ColumnElement[bool], before: str | None, limit: int) -> Select[Any]:
    """The statement of a page."""
    statement = _ALL.where(*_conditions(wanted), visible).order_by(listing.c.name.desc()).limit(limit)
    return statement if before is None else statement.where(listing.c.name < before)


async def published(tx: Tx, body: str, kind: int) -> Sequence[ListingRow]:
    """Published listings of a kind that name a body, by name."""
    wanted = (listing.c.bodies.contains([body]), listing.c.kind == kind, listing.c.state == State.PUBLISHED)
    return [ListingRow(*row) for row in await tx.conn.execute(_ALL.where(*wanted).order_by(listing.c.name))]


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


async def identified(
    tx: Tx, issuer: str, source: str, keys: Collection[str], names: Collection[str] = ()
) -> Sequence[ListingRow]:
    """An issuer's listings of a source with these external keys, and those of these names that have no key; locked."""
    c = listing.c
    by_key = and_(c.source == source, c.external_key.in_(keys), text("external_key <> ''"))
    by_name = and_(c.name.in_(names), c.external_key == text("''"))
    wanted = or_(by_key, by_name) if names else by_key
    found = await tx.conn.execute(_ALL.where(c.issuer == issuer, wanted).order_by(c.name).with_for_update())
    return [ListingRow(*row) for row in found]


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
