"""Tables of matching and the statements on them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    MetaData,
    Table,
    Text,
    and_,
    false,
    or_,
    select,
    true,
    update,
)
from sqlalchemy import Index as TableIndex
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array, insert
from sqlmodel import Field, SQLModel

from access.visibility import Viewer
from alliance.matching.v1 import events_pb2
from chassis import tables
from chassis.database import Tx
from matching import metrics
from matching.domain.life import Change, Match, State
from matching.mapping import match_of, message_of, row_of

TOPIC = "alliance.internal.matching.match.v1"
_INSTANT: Any = DateTime(timezone=True)


class _Base(SQLModel):
    metadata = MetaData()


class MatchRow(_Base, table=True):
    """A match; the columns are the fields of `domain.life.Match`."""

    __tablename__ = "match"
    __table_args__ = (
        TableIndex("match_demand", "demand"),
        TableIndex("match_supply", "supply"),
        TableIndex("match_demand_issuer", "demand_issuer"),
        TableIndex("match_supply_issuer", "supply_issuer"),
        TableIndex("match_bodies", "bodies", postgresql_using="gin"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
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


class Sweep(_Base, table=True):
    """One row: the business date that the sweep got to."""

    one: bool = Field(primary_key=True, default=True)
    swept_on: date


match: Table = MatchRow.__table__  # type: ignore[attr-defined]
sweep: Table = Sweep.__table__  # type: ignore[attr-defined]
metadata = _Base.metadata

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


async def swept_on(tx: Tx) -> date:
    """The business date that the sweep got to."""
    day: date = (await tx.conn.execute(select(sweep.c.swept_on))).scalar_one()
    return day


async def set_swept(tx: Tx, day: date) -> None:
    """The sweep got to this business date."""
    await tx.conn.execute(update(sweep).values(swept_on=day))


async def of_listing(tx: Tx, listing: str) -> list[Match]:
    """All matches of a listing, locked, by name."""
    mine = or_(match.c.demand == listing, match.c.supply == listing)
    found = await tx.conn.execute(select(match).where(mine).order_by(match.c.name).with_for_update())
    return [match_of(row) for row in found]


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
    for change in changes:
        event = events_pb2.MatchEvent(match=message_of(change.match))
        tx.emit(TOPIC, change.match.name, change.match.version, change.verb, event)
    tx.on_commit(lambda: metrics.count(changes))


async def steps(tx: Tx, name: str) -> Sequence[Any]:
    """The events of a match, oldest first: id, type, payload, reason, on_behalf_of, effective_at."""
    t = tables.event
    columns = (t.c.id, t.c.type, t.c.payload, t.c.reason, t.c.on_behalf_of, t.c.effective_at)
    mine = and_(t.c.topic == TOPIC, t.c.key == name)
    return (await tx.conn.execute(select(*columns).where(mine).order_by(t.c.version))).all()
