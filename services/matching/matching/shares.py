"""Which shares this replica works on 分片租约: rows with an epoch, divided evenly among the replicas that live.

A replica keeps its name over restarts (its slot, which one process at a time has), and takes its shares again at once, under
a new epoch. A transaction that scores writes down what it has `seen` under the epochs that it began with, and fails where
a share was taken meanwhile, by another or by this one itself: so no change is passed by, and what two did at once only one
commits.
"""

import asyncio
import json
import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from chassis.database import Database, Tx
from chassis.handling import Ends
from chassis.statements import Statements
from matching.domain.shares import SHARES
from matching.log import least

log = logging.getLogger(__name__)
SECONDS = 6.0  # that a lease lasts; renewed every second
CUT = -1  # before every offset
_LIVE = """
INSERT INTO replica (name, expires_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at
"""
_FORGET = "DELETE FROM replica WHERE expires_at < clock_timestamp() - make_interval(hours => 1)"
# What ends much later than any can was given before the clock was put back, and holds nobody up.
_NAMES = """
SELECT name FROM replica
WHERE expires_at BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => 2 * $1) ORDER BY name
"""
_ROWS = """
SELECT number, owner, epoch, topic, seen,
  expires_at BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => 2 * $1) AS held
FROM share ORDER BY number
"""
# Whoever changes several rows locks them in the order of their numbers, so that no two wait for each other.
_HELD = """
WITH held AS MATERIALIZED (
  SELECT number AS n FROM share JOIN unnest($1::int[], $2::bigint[]) AS mine (m, e) ON number = m AND epoch = e
  WHERE owner = $3 ORDER BY number FOR UPDATE OF share)
"""
_TAKE = """
WITH free AS MATERIALIZED (
  SELECT number AS n FROM share
  WHERE number = ANY($1::int[]) AND (
    owner = $2 OR expires_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => 2 * $3))
  ORDER BY number FOR UPDATE)
UPDATE share SET owner = $2, epoch = epoch + 1, expires_at = clock_timestamp() + make_interval(secs => $3)
FROM free WHERE number = n RETURNING number, epoch, topic, seen, swept_on, stamp, restamped
"""
_KEEP = f"""{_HELD}
UPDATE share SET expires_at = clock_timestamp() + make_interval(secs => $4) FROM held WHERE number = n RETURNING number
"""  # noqa: S608 - text of our own
_GIVE = f"{_HELD} UPDATE share SET expires_at = clock_timestamp() FROM held WHERE number = n"  # noqa: S608
_CUT = """
WITH whole AS MATERIALIZED (SELECT number AS n FROM share WHERE topic = $1 ORDER BY number FOR UPDATE)
UPDATE share SET seen = seen || $2::jsonb, epoch = epoch + 1, expires_at = clock_timestamp() FROM whole WHERE number = n
"""
_LEAVE = "DELETE FROM replica WHERE name = $1"
_ADVANCE = f"""{_HELD}
UPDATE share SET topic = t, seen = s::jsonb
FROM held JOIN unnest($1::int[], $4::text[], $5::text[]) AS told (m, t, s) ON m = n WHERE number = n
"""  # noqa: S608
_SWEPT = f"{_HELD} UPDATE share SET swept_on = $4 FROM held WHERE number = n"  # noqa: S608
_RESTAMPED = f"{_HELD} UPDATE share SET stamp = $4, restamped = $5 FROM held WHERE number = n"  # noqa: S608
_GUARD = """
SELECT count(*) FROM (
  SELECT 1 FROM share JOIN unnest($1::int[], $2::bigint[]) AS mine (n, e) ON number = n AND epoch = e
  WHERE owner = $3 ORDER BY number FOR SHARE OF share) AS held
"""


class LostError(Exception):
    """One of the shares was taken since."""


@dataclass(eq=False)
class Share:
    """One that is this replica's, as it was taken: `seen` says for each partition of a topic (its id) up to which offset
    changes have been scored, or that it has lost its end since (`CUT`). Taken once more, it is another.
    """

    number: int
    epoch: int
    topic: str
    seen: dict[int, int]
    swept_on: date
    stamp: str
    """Rules by which all is scored against it; empty before anything is."""
    restamped: str
    """Where those are others now: they, and the last listing, by name, that is scored by them."""
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def is_cut(self) -> bool:
        """Whether some partition has lost its end, and nothing has been scored of it since."""
        return CUT in self.seen.values()


class Shares:
    """Those of this replica."""

    def __init__(self, name: str, database: Database) -> None:
        """`name`: this replica's, which no other process has."""
        self._name = name
        self._database = database
        self.topic = ""
        """Id of the topic whose offsets they have seen."""
        self.mine: dict[int, Share] = {}
        self.others: dict[int, Mapping[int, int]] = {}
        """What the shares of others had seen when they were last looked at."""
        self._looking = asyncio.Lock()  # at the rows, to learn whose they are
        self._place, self._replicas = 0, 1  # this one's among those that live, and how many they are

    async def seen_by_all(self, topic: str) -> dict[int, int]:
        """What every share has seen of a topic, whoever works on it."""
        async with self._database.alone() as sql:
            rows = await sql.rows(_ROWS, SECONDS)
        return least(_seen(row, topic) for row in rows)

    def falls_here(self, key: bytes) -> bool:
        """Whether what any replica could do, and one has to, is this one's to do."""
        return key[0] % self._replicas == self._place

    async def turn(self, topic: str) -> bool:
        """Renew what is this replica's, take what is free, give back what is more than its part; says whether it took any."""
        async with self._looking, self._database.alone() as sql:
            await sql.run(_LIVE, self._name, SECONDS)
            names = await sql.column(_NAMES, SECONDS)
            self._place, self._replicas = names.index(self._name) if self._name in names else 0, max(1, len(names))
            if topic != self.topic:  # offsets of another topic say nothing: take them all again
                self.topic, self.mine = topic, {}
            await self._keep(sql)
            rows = await sql.rows(_ROWS, SECONDS)
            part = -(-SHARES // self._replicas)
            await self._give(sql, sorted(self.mine)[part:])
            free = [row.number for row in rows if row.number not in self.mine and (row.owner == self._name or not row.held)]
            taken = await self._take(sql, free[: part - len(self.mine)])
            self.others = {row.number: _seen(row, topic) for row in rows if row.number not in self.mine}
        return taken

    async def leave(self) -> None:
        """Give all back, so that others need not wait."""
        async with self._database.alone() as sql:
            await self._give(sql, list(self.mine))
            await sql.run(_LEAVE, self._name)

    async def lost(self, topic: str, places: Mapping[int, int], ends: Ends) -> frozenset[int]:
        """Partitions of a topic that end before what was seen of them, or before what this replica has read (`places`): their
        records are lost, and others have those offsets now.
        """
        async with self._database.alone() as sql:
            known = [_seen(row, topic) for row in await sql.rows(_ROWS, SECONDS)]
        reached = await ends()  # asked afterwards: what was seen then is not behind it
        return frozenset(n for one in [places, *known] for n, offset in one.items() if offset > reached.get(n, 0))

    async def cut(self, topic: str, lost: Collection[int]) -> None:
        """Forget what was seen of lost partitions. Takes the shares from all owners, who begin anew, so that none writes down
        what it is just scoring.
        """
        log.error("shares: the topic has lost records", extra={"partitions": sorted(lost)})
        async with self._looking, self._database.alone() as sql:
            await sql.run(_CUT, topic, json.dumps({str(number): CUT for number in lost}))
            self.mine, self.others = {}, {}  # until the next turn

    async def advance(self, tx: Tx, seen: Mapping[Share, Mapping[int, int]]) -> None:
        """Write down what shares have seen. Raises `LostError`."""
        told = [json.dumps({str(partition): offset for partition, offset in places.items()}) for places in seen.values()]
        changed = await tx.sql.run(_ADVANCE, *_epochs(seen), self._name, [share.topic for share in seen], told)
        _check(changed, seen)

    async def guard(self, tx: Tx, shares: Collection[Share]) -> None:
        """Nobody takes them before this transaction ends. Raises `LostError`."""
        _check(await tx.sql.value(_GUARD, *_epochs(shares), self._name), shares)

    async def swept(self, tx: Tx, shares: Collection[Share], day: date) -> None:
        """Write down up to which day listings that begin have been scored. Raises `LostError`."""
        _check(await tx.sql.run(_SWEPT, *_epochs(shares), self._name, day), shares)

    async def stamped(self, tx: Tx, shares: Collection[Share], stamp: str, restamped: str) -> None:
        """Write down by which rules all is scored, or up to which listing by those of now. Raises `LostError`."""
        _check(await tx.sql.run(_RESTAMPED, *_epochs(shares), self._name, stamp, restamped), shares)

    def forget(self) -> None:
        """What another may have taken is asked for again."""
        self.mine = {}

    async def _keep(self, sql: Statements) -> None:
        if self.mine:
            kept = set(await sql.column(_KEEP, *_epochs(self.mine.values()), self._name, SECONDS))
            if lost := self.mine.keys() - kept:
                log.warning("shares: taken by another", extra={"shares": sorted(lost)})
            self.mine = {number: share for number, share in self.mine.items() if number in kept}

    async def _give(self, sql: Statements, numbers: list[int]) -> None:
        if numbers:
            given = _epochs([self.mine[number] for number in numbers if number in self.mine])
            self.mine = {number: share for number, share in self.mine.items() if number not in numbers}
            await sql.run(_GIVE, *given, self._name)

    async def _take(self, sql: Statements, numbers: list[int]) -> bool:
        if not numbers:
            return False
        await sql.run(_FORGET)
        taken = [
            Share(row.number, row.epoch, self.topic, _seen(row, self.topic), row.swept_on, row.stamp, row.restamped)
            for row in await sql.rows(_TAKE, numbers, self._name, SECONDS)
        ]
        self.mine |= {share.number: share for share in taken}
        return bool(taken)


def _epochs(shares: Iterable[Share]) -> tuple[list[int], list[int]]:
    some = list(shares)
    return [share.number for share in some], [share.epoch for share in some]


def _check(found: int, wanted: Collection[Share]) -> None:
    if found != len(wanted):
        raise LostError


def _seen(row: object, topic: str) -> dict[int, int]:
    """What a row's share has seen of a topic: nothing, where it is another of the same name."""
    if row.topic != topic:  # type: ignore[attr-defined]
        return {}
    seen = row.seen  # type: ignore[attr-defined]
    told = seen if isinstance(seen, dict) else json.loads(seen)
    return {int(partition): offset for partition, offset in told.items()}
