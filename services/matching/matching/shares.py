"""Which shares this replica works on 分片租约: rows with an epoch, divided evenly among the replicas that live.

A replica keeps its name over restarts (its slot, which one process at a time has), and takes its shares again at once, under
a new epoch. A transaction that scores writes down what it has `seen` under the epochs that it began with, and fails where
another has taken a share meanwhile: so no change is passed by, and what two did at once only one commits.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from chassis.database import Database, Tx
from chassis.handling import Ends
from chassis.statements import Statements
from matching.domain.shares import SHARES
from matching.log import least

log = logging.getLogger(__name__)
SECONDS = 6.0  # that a lease lasts; renewed every second
_LIVE = """
INSERT INTO replica (name, expires_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at
"""
_FORGET = "DELETE FROM replica WHERE expires_at < clock_timestamp() - make_interval(hours => 1)"
_NAMES = "SELECT name FROM replica WHERE expires_at > clock_timestamp() ORDER BY name"
_ROWS = """
SELECT number, owner, epoch, expires_at > clock_timestamp() AS held, topic, seen, swept_on FROM share ORDER BY number
"""
_TAKE = """
UPDATE share SET owner = $2, epoch = epoch + 1, expires_at = clock_timestamp() + make_interval(secs => $3)
WHERE number = ANY($1::int[]) AND (owner = $2 OR expires_at < clock_timestamp())
RETURNING number, epoch, topic, seen, swept_on
"""
_KEEP = """
UPDATE share SET expires_at = clock_timestamp() + make_interval(secs => $4)
FROM unnest($1::int[], $2::bigint[]) AS mine (n, e) WHERE number = n AND epoch = e AND owner = $3 RETURNING number
"""
_GIVE = """
UPDATE share SET expires_at = clock_timestamp()
FROM unnest($1::int[], $2::bigint[]) AS mine (n, e) WHERE number = n AND epoch = e AND owner = $3
"""
_CUT = """
UPDATE share SET seen = seen - $3::text[], epoch = epoch + 1, expires_at = clock_timestamp() WHERE number = $1 AND epoch = $2
"""
_LEAVE = "DELETE FROM replica WHERE name = $1"
_ADVANCE = """
UPDATE share SET topic = $5, seen = s::jsonb
FROM unnest($1::int[], $2::bigint[], $3::text[]) AS mine (n, e, s) WHERE number = n AND epoch = e AND owner = $4
"""
_SWEPT = """
UPDATE share SET swept_on = $4
FROM unnest($1::int[], $2::bigint[]) AS mine (n, e) WHERE number = n AND epoch = e AND owner = $3
"""
_GUARD = """
SELECT count(*) FROM (
  SELECT 1 FROM share JOIN unnest($1::int[], $2::bigint[]) AS mine (n, e) ON number = n AND epoch = e
  WHERE owner = $3 FOR SHARE OF share) AS held
"""


class LostError(Exception):
    """Another replica has one of the shares now."""


@dataclass
class Share:
    """One that is this replica's: `seen` says for each partition up to which offset changes have been scored."""

    number: int
    epoch: int
    seen: dict[int, int]
    swept_on: date


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
        self._place, self._replicas = 0, 1  # this one's among those that live, and how many they are

    async def seen_by_all(self, topic: str) -> dict[int, int]:
        """What every share has seen of a topic, whoever works on it."""
        async with self._database.alone() as sql:
            rows = await sql.rows(_ROWS)
        return least(_seen(row, topic) for row in rows)

    def falls_here(self, key: bytes) -> bool:
        """Whether what any replica could do, and one has to, is this one's to do."""
        return key[0] % self._replicas == self._place

    async def turn(self, topic: str) -> bool:
        """Renew what is this replica's, take what is free, give back what is more than its part; says whether it took any."""
        async with self._database.alone() as sql:
            await sql.run(_LIVE, self._name, SECONDS)
            names = await sql.column(_NAMES)
            self._place, self._replicas = names.index(self._name) if self._name in names else 0, max(1, len(names))
            if topic != self.topic:  # offsets of another topic say nothing: take them all again
                self.topic, self.mine = topic, {}
            await self._keep(sql)
            rows = await sql.rows(_ROWS)
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

    async def cut(self, topic: str, ends: Ends) -> tuple[frozenset[int], Mapping[int, int]]:
        """Forget what was seen of partitions of a topic that end before it: their records are lost, and others have those
        offsets now. Takes such shares from their owners, who begin anew; returns the partitions, and where each one ends.
        """
        found: set[int] = set()
        async with self._database.alone() as sql:
            rows = await sql.rows(_ROWS)
            reached = await ends()  # asked afterwards: what was seen then is not behind it
            for row in rows:
                lost = {number for number, offset in _seen(row, topic).items() if offset > reached.get(number, 0)}
                if lost:
                    log.error("shares: the topic has lost records", extra={"share": row.number, "partitions": sorted(lost)})
                    await sql.run(_CUT, row.number, row.epoch, [str(number) for number in lost])
                    found |= lost
        if found:
            self.mine, self.others = {}, {}  # until the next turn
        return frozenset(found), reached

    async def advance(self, tx: Tx, seen: Mapping[int, Mapping[int, int]]) -> None:
        """Write down what shares have seen. Raises `LostError`."""
        told = [json.dumps({str(partition): offset for partition, offset in seen[number].items()}) for number in seen]
        changed = await tx.sql.run(_ADVANCE, *self._epochs(seen), told, self._name, self.topic)
        self._check(changed, seen)

    async def guard(self, tx: Tx, numbers: Iterable[int]) -> None:
        """Nobody else gets them before this transaction ends. Raises `LostError`."""
        wanted = list(numbers)
        self._check(await tx.sql.value(_GUARD, *self._epochs(wanted), self._name), wanted)

    async def swept(self, tx: Tx, numbers: Iterable[int], day: date) -> None:
        """Write down up to which day listings that begin have been scored. Raises `LostError`."""
        wanted = list(numbers)
        self._check(await tx.sql.run(_SWEPT, *self._epochs(wanted), self._name, day), wanted)

    def forget(self) -> None:
        """What another may have taken is asked for again."""
        self.mine = {}

    def _epochs(self, numbers: Iterable[int]) -> tuple[list[int], list[int]]:
        wanted = [number for number in numbers if number in self.mine]
        return wanted, [self.mine[number].epoch for number in wanted]

    def _check(self, found: int, wanted: Iterable[int]) -> None:
        if found != len(list(wanted)):
            raise LostError

    async def _keep(self, sql: Statements) -> None:
        if self.mine:
            kept = set(await sql.column(_KEEP, *self._epochs(self.mine), self._name, SECONDS))
            if lost := self.mine.keys() - kept:
                log.warning("shares: taken by another", extra={"shares": sorted(lost)})
            self.mine = {number: share for number, share in self.mine.items() if number in kept}

    async def _give(self, sql: Statements, numbers: list[int]) -> None:
        if numbers:
            given = self._epochs(numbers)
            self.mine = {number: share for number, share in self.mine.items() if number not in numbers}
            await sql.run(_GIVE, *given, self._name)

    async def _take(self, sql: Statements, numbers: list[int]) -> bool:
        if not numbers:
            return False
        await sql.run(_FORGET)
        taken = [
            Share(row.number, row.epoch, _seen(row, self.topic), row.swept_on)
            for row in await sql.rows(_TAKE, numbers, self._name, SECONDS)
        ]
        self.mine |= {share.number: share for share in taken}
        return bool(taken)


def _seen(row: object, topic: str) -> dict[int, int]:
    """What a row's share has seen of a topic: nothing, where it is another of the same name."""
    if row.topic != topic:  # type: ignore[attr-defined]
        return {}
    seen = row.seen  # type: ignore[attr-defined]
    told = seen if isinstance(seen, dict) else json.loads(seen)
    return {int(partition): offset for partition, offset in told.items()}
