"""What is to be scored again without a change of its own 待重评: an organization's listings, since what it may see has
changed, listings that could not be taken or scored, and those that were not scored yet when Kafka lost them. A row is there
until every share has done it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Tx
from chassis.statements import Statements
from matching.domain.shares import SHARES

_ADD = """
INSERT INTO again (issuer, listing, version, shares, tries, reason, cause, due_at, has_changed)
VALUES ($1, $2, 0, $3::int[], $4, $5, $6, $7, $8)
"""
_LEFT = """
INSERT INTO again (issuer, listing, version, shares, tries, reason, cause, due_at, has_changed)
SELECT '', l, v, $3::int[], 0, '', '', clock_timestamp(), true FROM unnest($1::text[], $2::bigint[]) AS x (l, v) ORDER BY l
ON CONFLICT (listing, version) WHERE version > 0 DO UPDATE SET shares = excluded.shares, due_at = excluded.due_at
"""
_DUE = """
SELECT id, issuer, listing, version, shares, tries, cause, has_changed FROM again
WHERE shares && $1::int[] AND due_at <= $2 AND id <> ALL($3::bigint[]) ORDER BY id LIMIT 20
"""
_FAILED = "UPDATE again SET tries = tries + 1, reason = $2, due_at = $3 WHERE id = $1"
_DONE = """
UPDATE again SET shares = ARRAY(SELECT n FROM unnest(shares) AS n WHERE n <> ALL($2::int[]) ORDER BY n) WHERE id = $1
"""
_EMPTY = "DELETE FROM again WHERE id = $1 AND shares = '{}'"
_COUNT = "SELECT count(*) FROM again WHERE tries = 0"
_FAILING = """
SELECT count(*) FROM again WHERE tries > 0 OR version > 0 AND due_at < clock_timestamp() - interval '1 minute'
"""


@dataclass(frozen=True)
class Again:
    """A row: of an issuer, or of one listing; `cause` is the id of the event that made it necessary. Who does not know
    the listing's `version` can't do it. `has_changed`: what its change means to saved searches is due as well.
    """

    id: int
    issuer: str
    listing: str
    version: int
    shares: frozenset[int]
    tries: int
    cause: str
    has_changed: bool


async def of_issuer(tx: Tx, organization: str) -> None:
    """All listings of an organization are to be scored again, by every share."""
    values = (organization, "", list(range(SHARES)), 0, "", tx.cause.event_id, tx.recorded_at)
    await tx.sql.run(_ADD, *values, False)


async def of_listing(tx: Tx, listing: str, *, has_changed: bool) -> None:
    """A listing is to be scored, by every share: it could not be taken when it changed, or its matches have."""
    values = ("", listing, list(range(SHARES)), 0, "", tx.cause.event_id, tx.recorded_at)
    await tx.sql.run(_ADD, *values, has_changed)


async def put_off(tx: Tx, listing: str, shares: Iterable[int], why: str, *, has_changed: bool) -> None:
    """A listing could not be scored."""
    await tx.sql.run(_ADD, "", listing, sorted(shares), 1, why, tx.cause.event_id, tx.recorded_at, has_changed)


async def left(sql: Statements, versions: Mapping[str, int]) -> None:
    """Listings of some versions, whose places on the topic mean nothing any more, are to be scored, by every share. Whoever
    follows the topic says so of what it has read; once is enough.
    """
    if versions:
        await sql.run(_LEFT, list(versions), list(versions.values()), list(range(SHARES)))


async def due(tx: Tx, shares: Iterable[int], but: Sequence[int]) -> list[Again]:
    """What some of the shares have to do by now, but for some rows by their ids."""
    rows = await tx.sql.rows(_DUE, sorted(shares), tx.recorded_at, but)
    return [
        Again(row.id, row.issuer, row.listing, row.version, frozenset(row.shares), row.tries, row.cause, row.has_changed)
        for row in rows
    ]


async def failed(tx: Tx, identifier: int, why: str, due_at: datetime) -> None:
    """It failed once more."""
    await tx.sql.run(_FAILED, identifier, why, due_at)


async def done(tx: Tx, identifier: int, shares: Iterable[int]) -> None:
    """Some shares have done it."""
    await tx.sql.run(_DONE, identifier, sorted(shares))
    await tx.sql.run(_EMPTY, identifier)


async def waiting(tx: Tx) -> int:
    """How many rows nobody has tried yet."""
    found: int = await tx.sql.value(_COUNT)
    return found


async def failing(sql: Statements) -> int:
    """How many rows were tried in vain, or wait for a version that nobody has who is to do them."""
    found: int = await sql.value(_FAILING)
    return found
