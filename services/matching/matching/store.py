"""Tables of matching and the statements on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    false,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy import Index as TableIndex
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array, insert
from sqlmodel import Field, SQLModel

from access.visibility import Viewer
from alliance.matching.v1 import events_pb2
from chassis import tables
from chassis.database import Tx
from chassis.statements import Statements
from matching import metrics
from matching.domain.alike import Count, Decided, Like, moved, told
from matching.domain.life import Change, Match, State
from matching.mapping import match_of, message_of, row_of

TOPIC = "alliance.internal.matching.match.v1"
_INSTANT: Any = DateTime(timezone=True)


class Base(SQLModel):
    """All tables of the service."""

    metadata = MetaData()


class MatchRow(Base, table=True):
    """A match; the columns are the fields of `domain.life.Match`, and the share of its demand."""

    __tablename__ = "match"
    __table_args__ = (
        TableIndex("match_demand", "demand"),
        TableIndex("match_supply", "supply"),
        TableIndex("match_filled_demand", "demand", postgresql_where=text("filled > 0")),
        TableIndex("match_filled_supply", "supply", postgresql_where=text("filled > 0")),
        TableIndex("match_demand_issuer", "demand_issuer"),
        TableIndex("match_supply_issuer", "supply_issuer"),
        TableIndex("match_bodies", "bodies", postgresql_using="gin"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    share: int
    demand: str = Field(sa_type=Text)
    supply: str = Field(sa_type=Text)
    demand_version: int = Field(sa_type=BigInteger)
    supply_version: int = Field(sa_type=BigInteger)
    demand_issuer: str = Field(sa_type=Text)
    supply_issuer: str = Field(sa_type=Text)
    bodies: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    state: str = Field(sa_type=Text)
    score: int
    parts: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    gaps: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    algorithm_version: str = Field(sa_type=Text)
    demand_accepted: bool
    supply_accepted: bool
    reason: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)
    decline_reason: str = Field(sa_type=Text, description="a `life.DeclineReason`; empty where none was said")
    filled: int = Field(description="how many of the listings' quantities it filled; 0 where it is not fulfilled")
    demand_kind: str = Field(sa_type=Text)
    supply_kind: str = Field(sa_type=Text)


class DecidedRow(Base, table=True):
    """How many matches of an organization were accepted by both sides, and declined; a match counts for each of its sides."""

    __tablename__ = "decided"

    demand_kind: str = Field(sa_type=Text, primary_key=True)
    supply_kind: str = Field(sa_type=Text, primary_key=True)
    lowest: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False}, description="score of their band")
    organization: str = Field(sa_type=Text, primary_key=True)
    accepted: int = Field(sa_type=BigInteger)
    declined: int = Field(sa_type=BigInteger)


class ShareRow(Base, table=True):
    """A share of the demands: who works on it, until when, and what has been scored against its demands."""

    __tablename__ = "share"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    owner: str = Field(sa_type=Text)
    epoch: int = Field(sa_type=BigInteger)
    expires_at: datetime = Field(sa_type=_INSTANT)
    topic: str = Field(sa_type=Text, description="id of the topic that `seen` is of")
    seen: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False), description="partition → offset of the next change")
    swept_on: date = Field(description="business date up to which listings that begin have been scored")
    stamp: str = Field(sa_type=Text, description="rules by which all is scored; empty before anything is")
    restamped: str = Field(sa_type=Text, description="rules since then, and the last listing that is scored by them")


class ReplicaRow(Base, table=True):
    """A process that can work on shares."""

    __tablename__ = "replica"

    name: str = Field(sa_type=Text, primary_key=True)
    expires_at: datetime = Field(sa_type=_INSTANT)


class AgainRow(Base, table=True):
    """What is to be scored again without a change of a listing's own: an organization's listings, or one that failed."""

    __tablename__ = "again"
    __table_args__ = (TableIndex("again_version", "listing", "version", unique=True, postgresql_where=text("version > 0")),)

    id: int | None = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    issuer: str = Field(sa_type=Text)
    listing: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger, description="of the listing, which has to be known; 0: any")
    shares: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False), description="those that have not done it yet")
    tries: int
    reason: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text, description="id of the event that made it necessary")
    has_changed: bool = Field(description="whether what a change of the listing means to saved searches is due as well")
    due_at: datetime = Field(sa_type=_INSTANT)


class VectorRow(Base, table=True):
    """A vector by the hash of the texts that it was made of."""

    __tablename__ = "vector"

    key: bytes = Field(sa_type=LargeBinary, primary_key=True)
    vector: bytes = Field(sa_type=LargeBinary)


match: Table = MatchRow.__table__  # type: ignore[attr-defined]
metadata = Base.metadata

_INSERT = insert(match)
_UPSERT = _INSERT.on_conflict_do_update(
    index_elements=["name"], set_={name: _INSERT.excluded[name] for name in MatchRow.model_fields if name != "name"}
)


@dataclass(frozen=True)
class Wanted:
    """What a list of matches is asked for; exactly one of listing, organization and body is set."""

    listing: str
    organization: str
    body: str
    states: Sequence[State]


@dataclass(frozen=True)
class Place:
    """Where a page ends: score and name of its last match."""

    score: int
    name: str


async def vectors(sql: Statements, keys: Collection[bytes]) -> dict[bytes, bytes]:
    """The vectors that are kept, by their keys."""
    return await sql.pairs("SELECT key, vector FROM vector WHERE key = ANY($1::bytea[])", list(keys))


async def keep_vectors(sql: Statements, made: Mapping[bytes, bytes]) -> None:
    """Keep vectors by their keys."""
    statement = (
        "INSERT INTO vector (key, vector) SELECT k, v FROM unnest($1::bytea[], $2::bytea[]) AS x (k, v) ORDER BY k"
        " ON CONFLICT DO NOTHING"
    )
    if made:
        await sql.run(statement, list(made), list(made.values()))


_COLUMNS = ", ".join(name for name in MatchRow.model_fields if name != "share")
_OF_LISTING = f"""
SELECT {_COLUMNS} FROM match WHERE (demand = $1 OR supply = $1) AND share = ANY($2::int[]) ORDER BY name FOR UPDATE
"""  # noqa: S608 - names of our own columns
_ELSEWHERE = f"""
SELECT {_COLUMNS} FROM match WHERE supply = $1 AND share <> ALL($2::int[]) ORDER BY name
"""  # noqa: S608 - names of our own columns
_FILLED = """
SELECT listing, sum(filled)::bigint FROM (
  SELECT demand AS listing, filled FROM match WHERE demand = ANY($1::text[]) AND filled > 0
  UNION ALL SELECT supply, filled FROM match WHERE supply = ANY($1::text[]) AND filled > 0) AS one
GROUP BY listing
"""
_COUNT = """
INSERT INTO decided (demand_kind, supply_kind, lowest, organization, accepted, declined)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bigint[], $6::bigint[])
ON CONFLICT (demand_kind, supply_kind, lowest, organization) DO UPDATE
SET accepted = decided.accepted + excluded.accepted, declined = decided.declined + excluded.declined
"""
_ALIKE = """
SELECT coalesce(sum(accepted), 0)::bigint, coalesce(sum(declined), 0)::bigint, coalesce(max(accepted + declined), 0)
FROM decided WHERE demand_kind = $1 AND supply_kind = $2 AND lowest = $3
"""


async def of_listing(tx: Tx, listing: str, shares: Collection[int]) -> list[Match]:
    """The matches of a listing with demands of some shares, locked, by name; those of other shares are others' to lock."""
    return [match_of(row) for row in await tx.sql.rows(_OF_LISTING, listing, sorted(shares))]


async def elsewhere(tx: Tx, supply: str, shares: Collection[int]) -> list[Match]:
    """The matches of a supply with demands of all other shares, as they are right now, by name."""
    return [match_of(row) for row in await tx.sql.rows(_ELSEWHERE, supply, sorted(shares))]


async def filled(tx: Tx, listings: Collection[str]) -> Mapping[str, int]:
    """Listing → how many of its quantity its fulfilled matches have filled; without those of which none is."""
    return await tx.sql.pairs(_FILLED, sorted(listings)) if listings else {}


async def filled_and_locked(tx: Tx, listings: Collection[str]) -> Mapping[str, int]:
    """The same, and it stays so until this transaction ends."""
    for one in sorted(listings):
        await tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(one, 0))))
    return await filled(tx, listings)


async def get(tx: Tx, name: str, *, lock: bool = False) -> Match | None:
    """One match."""
    statement = select(match).where(match.c.name == name)
    row = (await tx.conn.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return match_of(row) if row else None


async def issuers_and_bodies(tx: Tx, listing: str) -> frozenset[str]:
    """Who issued a listing that has matches, and the bodies of those matches; empty where it has none."""
    columns = (match.c.demand, match.c.demand_issuer, match.c.supply_issuer, match.c.bodies)
    mine = or_(match.c.demand == listing, match.c.supply == listing)
    found = (await tx.conn.execute(select(*columns).where(mine))).all()
    issuers = {row.demand_issuer if row.demand == listing else row.supply_issuer for row in found}
    return frozenset(issuers.union(*(row.bodies for row in found)))


async def page(tx: Tx, wanted: Wanted, viewer: Viewer, after: Place | None, size: int) -> list[Match]:
    """The next matches that the viewer may see, best first."""
    conditions = [_asked(wanted), _visible(viewer)]
    if wanted.states:
        conditions.append(match.c.state.in_(wanted.states))
    if after:
        later = and_(match.c.score == after.score, match.c.name > after.name)
        conditions.append(or_(match.c.score < after.score, later))
    order = (match.c.score.desc(), match.c.name)
    found = await tx.conn.execute(select(match).where(*conditions).order_by(*order).limit(size))
    return [match_of(row) for row in found]


def _asked(wanted: Wanted) -> ColumnElement[bool]:
    if wanted.listing:
        return or_(match.c.demand == wanted.listing, match.c.supply == wanted.listing)
    if wanted.organization:
        return or_(match.c.demand_issuer == wanted.organization, match.c.supply_issuer == wanted.organization)
    return _overlap({wanted.body})


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    """The two issuers and the secretariats of the bodies that both listings name see a match."""
    if viewer.platform:
        return true()
    ways: list[ColumnElement[bool]] = []
    if viewer.organization:
        ways += [match.c.demand_issuer == viewer.organization, match.c.supply_issuer == viewer.organization]
    if viewer.bodies_run:
        ways.append(_overlap(viewer.bodies_run))
    return or_(false(), *ways)


def _overlap(bodies: Collection[str]) -> ColumnElement[bool]:
    named: ColumnElement[bool] = match.c.bodies.op("&&")(sql_cast(array(sorted(bodies)), ARRAY(Text)))
    return named


async def write(tx: Tx, changes: Sequence[Change]) -> None:
    """Write matches after what happened to them, and the events that say so."""
    await tx.run_each(_UPSERT, [row_of(change.match) for change in changes])
    if counts := moved(changes):
        columns = zip(*((*tally.like, tally.organization, *count) for tally, count in counts.items()), strict=True)
        await tx.sql.run(_COUNT, *map(list, columns))
    for change in changes:
        event = events_pb2.MatchEvent(match=message_of(change.match))
        tx.emit(TOPIC, change.match.name, change.match.version, change.verb, event)
    tx.on_commit(lambda: metrics.count(changes))


async def alike(tx: Tx, like: Like) -> Decided | None:
    """What became of matches like these; None where nothing may be said of them."""
    ((accepted, declined, most),) = await tx.sql.rows(_ALIKE, *like)
    return told(Count(accepted, declined), most)


async def steps(tx: Tx, name: str) -> Sequence[Any]:
    """The events of a match, oldest first: id, type, payload, reason, on_behalf_of, effective_at."""
    t = tables.event
    columns = (t.c.id, t.c.type, t.c.payload, t.c.reason, t.c.on_behalf_of, t.c.effective_at)
    mine = and_(t.c.topic == TOPIC, t.c.key == name)
    return (await tx.conn.execute(select(*columns).where(mine).order_by(t.c.version))).all()
