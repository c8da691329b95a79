"""What a closed round holds: each listing as it was then, and what became of it since it was told last (ADR 0024).

What was told last, closed rounds before told that this one follows: issues, the first and the quarterly, or lists of a kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter

from sqlalchemy import select

from alliance.listings.v1 import listing_pb2 as pb
from chassis.database import Tx
from listings.domain.names import RoundChange, State
from listings.domain.rounds import LISTS
from listings.mapping import changed_fields, written
from listings.rounds.store import ISSUES, RoundRow, round_

_LEFT = f"""
DELETE FROM round_listing held WHERE held.round = $1 AND ($2 <> ALL(held.bodies) OR held.state = {State.DRAFT:d})
"""  # noqa: S608 - the number is ours
# What a body's closed rounds of some kinds have told so far, up to a day: of each listing, the last.
_TOLD = """
round r JOIN round_listing told ON told.round = r.name
WHERE r.body = $2 AND r.kind = ANY($3::integer[]) AND r.closes_on <= $4 AND r.state = 2
"""
_LAST = "r.closes_on DESC, r.kind DESC"
_ENDED = f"""
DELETE FROM round_listing held
WHERE held.round = $1 AND held.state <> {State.PUBLISHED:d} AND EXISTS (
  SELECT 1 FROM (
    SELECT told.change FROM {_TOLD} AND told.listing = held.listing ORDER BY {_LAST} LIMIT 1
  ) last WHERE last.change <> {RoundChange.REMOVED:d})
"""  # noqa: S608 - the numbers are ours
# Of another version, what a listing says may be the same: `_KEPT` says of which it is.
_KEEP = f"""
UPDATE round_listing held
SET version = l.version, content = l.content,
    issuer = l.issuer, bodies = l.bodies, visibility = l.visibility, state = l.state,
    change = CASE WHEN was.change IS NULL OR was.change = {RoundChange.REMOVED:d} THEN {RoundChange.ADDED:d}
                  WHEN was.version = l.version THEN {RoundChange.KEPT:d}
                  ELSE {RoundChange.REVISED:d} END
FROM %s
LEFT JOIN LATERAL (
  SELECT told.change, told.version FROM {_TOLD} AND told.listing = l.name ORDER BY {_LAST} LIMIT 1
) was ON true
WHERE held.round = $1 AND l.name = held.listing
"""  # noqa: S608 - the numbers are ours
_KEEP_AS_NOW = _KEEP % "listing AS l"
_KEEP_AS_THEN = (
    _KEEP
    % """(
  VALUES ($5::text, $6::bigint, $7::bytea, $8::text, $9::text[], $10::integer, $11::integer)
) AS l (name, version, content, issuer, bodies, visibility, state)"""
)
_REVISED = f"""
SELECT held.listing, held.content, was.content
FROM round_listing held
JOIN LATERAL (
  SELECT told.content FROM {_TOLD} AND told.listing = held.listing ORDER BY {_LAST} LIMIT 1
) was ON true
WHERE held.round = $1 AND held.change = {RoundChange.REVISED:d} AND held.listing > $5 ORDER BY held.listing LIMIT $6
"""  # noqa: S608 - the numbers are ours
_KEPT = f"UPDATE round_listing SET change = {RoundChange.KEPT:d} WHERE round = $1 AND listing = ANY($2::text[])"  # noqa: S608
_PAGE = 200  # listings that are compared at a time
_REMOVED = f"""
INSERT INTO round_listing (round, listing, kind, change, version, content, issuer, bodies, visibility, state)
SELECT $1, was.listing, was.kind, {RoundChange.REMOVED:d}, was.version, was.content,
       was.issuer, was.bodies, was.visibility, was.state
FROM (SELECT DISTINCT ON (told.listing) told.round, told.listing FROM {_TOLD} ORDER BY told.listing, {_LAST}) last
JOIN round_listing was ON was.round = last.round AND was.listing = last.listing
JOIN listing l ON l.name = was.listing
LEFT JOIN unnest($6::text[], $7::boolean[]) AS at_the_end (name, stood) ON at_the_end.name = l.name
WHERE was.change <> {RoundChange.REMOVED:d}
  AND ($5 OR was.state = {State.PUBLISHED:d}
       AND NOT coalesce(at_the_end.stood, l.state = {State.PUBLISHED:d} AND $2 = ANY(l.bodies)))
  AND NOT EXISTS (SELECT 1 FROM round_listing held WHERE held.round = $1 AND held.listing = was.listing)
"""  # noqa: S608 - the numbers are ours


@dataclass(frozen=True)
class Stood:
    """A listing as it was at the end of a round's last day, where it is another since; fields as in `listing`."""

    name: str
    version: int
    content: bytes
    issuer: str
    bodies: list[str]
    visibility: int
    state: int


_stood = attrgetter(*(field.name for field in fields(Stood)))


async def before(tx: Tx, row: RoundRow) -> str:
    """The closed round that this one, which closes, follows; "" for none."""
    c = round_.c
    query = select(c.name).where(c.body == row.body, c.kind.in_(_series(row.kind)), c.state == 2, c.closes_on <= row.closes_on)
    found = await tx.conn.execute(query.order_by(c.closes_on.desc(), c.kind.desc()).limit(1))
    return found.scalar_one_or_none() or ""


async def keep(tx: Tx, row: RoundRow, then: Sequence[Stood]) -> None:
    """Keep what a round holds as it is now, or as it was `then`, with what became of it since it was told last; what had left
    the body, or was not published yet, is out of it.
    """
    earlier = _earlier(row)
    await tx.sql.run(_KEEP_AS_NOW, *earlier)
    await tx.sql.run_each(_KEEP_AS_THEN, [(*earlier, *_stood(one)) for one in then])
    await tx.sql.run(_LEFT, row.name, row.body)
    await _tell_kept(tx, earlier)


async def _tell_kept(tx: Tx, earlier: tuple[str, str, list[int], date]) -> None:
    """Tell of what is of another version than it was told in, and says the same, that it is kept: who sees both compares what
    they say, the days that the platform filled in among it, and not how it came to be so.
    """
    after = ""
    while found := await tx.sql.rows(_REVISED, *earlier, after, _PAGE):
        kept = [name for name, now, then in found if _says_the_same(now, then)]
        await tx.sql.run(_KEPT, earlier[0], kept)
        after = found[-1][0]


def _says_the_same(now: bytes, then: bytes) -> bool:
    return not changed_fields(*(written(pb.Listing.FromString(one)) for one in (then, now)))


async def tell_removed(tx: Tx, row: RoundRow, then: Sequence[Stood]) -> None:
    """Tell what is gone from a round that is kept, now or as it was `then`.

    A list is whole: what it holds no more is gone from it. An issue tells of its days alone: gone is what was published as it
    was told last, and is not any more, also where it was revised within its days, or names the body no more. What was told
    to have ended is not told again.
    """
    if row.kind not in LISTS:
        await tx.sql.run(_ENDED, *_earlier(row))
    stood = [one.state == State.PUBLISHED and row.body in one.bodies for one in then]
    await tx.sql.run(_REMOVED, *_earlier(row), row.kind in LISTS, [one.name for one in then], stood)


def _earlier(row: RoundRow) -> tuple[str, str, list[int], date]:
    """A round that closes, and what tells those before it: they are closed."""
    return row.name, row.body, _series(row.kind), row.closes_on


def _series(kind: int) -> list[int]:
    """Kinds of rounds that follow each other: the first issue and those of the quarters, or the lists of a kind."""
    return ISSUES if kind in ISSUES else [kind]
