"""The tables of saved searches and of what has met them, and the statements on them.

A search belongs to a share, as a demand does: the share's owner alone tells what meets it, in the transaction in which the
share has seen the change.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, Table, Text, delete, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from alliance.matching.v1 import search_pb2 as pb
from chassis.database import Tx
from chassis.ids import resource
from matching.domain.pairs import STAMP
from matching.domain.saved import Offered, anchors, keys
from matching.domain.shares import share_of
from matching.searches.mapping import kinds_of, message_of, wanted_of
from matching.store import Base

TOPIC = "alliance.internal.matching.search.v1"
_INSTANT: Any = DateTime(timezone=True)


class SavedSearchRow(Base, table=True):
    """A saved search."""

    __tablename__ = "saved_search"
    __table_args__ = (
        Index("saved_search_organization", "organization", "name"),
        # What was saved just now must cost the look-ups of changes no more than what was saved long ago.
        Index("saved_search_anchors", "anchors", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    share: int
    organization: str = Field(sa_type=Text)
    display_name: str = Field(sa_type=Text)
    query: str = Field(sa_type=Text)
    kinds: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    area: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    issuer: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    anchors: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False), description="see `domain.saved`")
    algorithm_version: str = Field(sa_type=Text, description="that the anchors are of")
    latest: bytes = Field(sa_type=LargeBinary, description="the contract's listing that met it last; empty before the first")
    recorded_at: datetime = Field(sa_type=_INSTANT)
    create_time: datetime = Field(sa_type=_INSTANT)


class MetRow(Base, table=True):
    """A listing that meets a search, and has been told of."""

    __tablename__ = "met"
    __table_args__ = (Index("met_search", "search"),)

    listing: str = Field(sa_type=Text, primary_key=True)
    search: str = Field(sa_type=Text, primary_key=True)
    share: int


saved_search: Table = SavedSearchRow.__table__  # type: ignore[attr-defined]
met: Table = MetRow.__table__  # type: ignore[attr-defined]

_COLUMNS = ", ".join(SavedSearchRow.model_fields)
_MAY_MEET = """
SELECT name, organization, query, kinds, area, body, issuer, source FROM saved_search
WHERE anchors && $1::text[] AND share = ANY($2::int[]) AND recorded_at < $3
AND (area = '' OR area = ANY($4::text[])) AND (kinds = '{}' OR $5 = ANY(kinds)) AND (body = '' OR body = ANY($6::text[]))
ORDER BY name
"""
_MET = "SELECT search FROM met WHERE listing = $1 AND share = ANY($2::int[])"
_LOST = "DELETE FROM met WHERE listing = $1 AND search = ANY($2::text[])"
_RAISE = f"""
WITH these AS (SELECT name AS this FROM saved_search WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE)
UPDATE saved_search SET version = version + 1, latest = $2 FROM these WHERE name = this RETURNING {_COLUMNS}
"""  # noqa: S608 - names of our own columns
_TELL = "INSERT INTO met (listing, search, share) SELECT $1, s, n FROM unnest($2::text[], $3::int[]) AS x (s, n)"
_STALE = f"SELECT {_COLUMNS} FROM saved_search WHERE algorithm_version <> $1 ORDER BY name LIMIT $2 FOR UPDATE"  # noqa: S608
_RENEW = """
UPDATE saved_search SET algorithm_version = $1, anchors = string_to_array(a, E'\\n')
FROM unnest($2::text[], $3::text[]) AS x (n, a) WHERE name = n
"""
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


def row_of(tx: Tx, given: pb.SavedSearch, area: str) -> SavedSearchRow:
    """A new search as it was asked for, in an area that is a code."""
    name = resource("searches")
    row = SavedSearchRow(
        name=name,
        version=1,
        share=share_of(name),
        organization=given.organization,
        display_name=given.display_name.strip(),
        query=given.query.strip(),
        kinds=kinds_of(given),
        area=area,
        body=given.body,
        issuer=given.issuer,
        source=given.source,
        anchors=[],
        algorithm_version=STAMP,
        latest=b"",
        recorded_at=tx.recorded_at,
        create_time=tx.now,
    )
    row.anchors = sorted(anchors(wanted_of(row)))
    return row


async def enter(tx: Tx, row: SavedSearchRow) -> None:
    """A new search, with its event."""
    await tx.conn.execute(insert(saved_search).values(row.model_dump()))
    _emit(tx, row, "saved")


async def remove(tx: Tx, row: Any) -> pb.SavedSearch:
    """Forget a search, which is locked, and what has met it; with its event."""
    await tx.conn.execute(delete(met).where(met.c.search == row.name))
    await tx.conn.execute(delete(saved_search).where(saved_search.c.name == row.name))
    gone = message_of(row, version=row.version + 1, state=pb.SAVED_SEARCH_STATE_FORGOTTEN)
    gone.ClearField("latest")  # which its organization may see no more by now
    tx.emit(TOPIC, row.name, row.version + 1, "forgotten", pb.SavedSearchEvent(search=gone))
    return gone


async def count(tx: Tx, organization: str) -> int:
    """How many an organization has; nobody else saves one for it before this transaction ends."""
    await tx.sql.value(_ONE_AT_A_TIME, f"saved searches of {organization}")
    query = select(func.count()).where(saved_search.c.organization == organization)
    found: int = (await tx.conn.execute(query)).scalar_one()
    return found


async def get(tx: Tx, name: str, *, lock: bool = False) -> Any | None:
    """One saved search."""
    query = select(saved_search).where(saved_search.c.name == name)
    return (await tx.conn.execute(query.with_for_update() if lock else query)).one_or_none()


async def page(tx: Tx, organization: str, before: str | None, limit: int) -> Sequence[Any]:
    """An organization's, newest first."""
    query = select(saved_search).where(saved_search.c.organization == organization)
    if before is not None:
        query = query.where(saved_search.c.name < before)
    return (await tx.conn.execute(query.order_by(saved_search.c.name.desc()).limit(limit))).all()


async def may_meet(tx: Tx, offered: Offered, shares: Collection[int], changed_at: datetime) -> Sequence[Any]:
    """Searches of some shares that a listing may meet, as rows of what they ask for; none that was saved after it changed."""
    facts = offered.facts
    conditions = (list(offered.areas), facts.kind, list(facts.bodies))
    return await tx.sql.rows(_MAY_MEET, list(keys(offered)), sorted(shares), changed_at, *conditions)


async def met_by(tx: Tx, listing: str, shares: Collection[int]) -> frozenset[str]:
    """Searches of some shares that have been told of a listing, and which it met when it was last looked at."""
    return frozenset(await tx.sql.column(_MET, listing, sorted(shares)))


async def lose(tx: Tx, listing: str, searches: Collection[str]) -> None:
    """A listing meets some searches no more."""
    if searches:
        await tx.sql.run(_LOST, listing, sorted(searches))


async def tell(tx: Tx, searches: Collection[str], found: pb.FoundListing) -> None:
    """A listing has come to meet searches: one event each."""
    if not searches:
        return
    rows = await tx.sql.rows(_RAISE, sorted(searches), found.SerializeToString())  # one may be forgotten by now
    await tx.sql.run(_TELL, found.listing, [row.name for row in rows], [row.share for row in rows])
    for row in rows:
        _emit(tx, row, "met")


async def stale(tx: Tx, algorithm_version: str, limit: int) -> Sequence[Any]:
    """Searches whose anchors another version of the algorithm made, locked."""
    return await tx.sql.rows(_STALE, algorithm_version, limit)


async def renew(tx: Tx, algorithm_version: str, found: dict[str, frozenset[str]]) -> None:
    """Write anchors anew, by search."""
    await tx.sql.run(_RENEW, algorithm_version, list(found), ["\n".join(sorted(some)) for some in found.values()])


def _emit(tx: Tx, row: Any, verb: str) -> None:
    tx.emit(TOPIC, row.name, row.version, verb, pb.SavedSearchEvent(search=message_of(row)))
