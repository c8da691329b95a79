"""Dead letters 死信: records that their handler could not take, in the service's own database.

States: `retrying` (a worker tries again with backoff) → `replayed`, or after the last attempt `dead`; `waiting` (an earlier
record of the key is open) → `retrying` when its turn comes; `superseded` (a later version had its effect first); `dropped`
(an operator gave it up). What operators do is in `chassis.dlq`.

A record that can't be decoded never stands for the record of the version that its header claims: that one may still come.
Where its key can be read, it holds the key while it is open.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis import metrics
from chassis.database import Cause, Database, Tx
from chassis.errors import Unavailable
from chassis.ids import new_id
from chassis.record import RawRecord, Record, UndecodableError, decode
from chassis.statements import Statements

if TYPE_CHECKING:
    from chassis.handling import Handling

log = logging.getLogger(__name__)
OPEN = ("retrying", "waiting", "dead")
_POLL = 0.2  # seconds between looks for due rows
_COUNT = 2.0  # seconds between counts of the open ones

_PARK = """
INSERT INTO dead_letter (id, consumer_group, topic, partition, "offset", key, version, decoded, raw_key, value, headers,
                         recorded_ms, state, reason, attempts, first_failed_at, last_failed_at, next_attempt_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17)
ON CONFLICT DO NOTHING
"""
_OPEN_KEYS = """
SELECT DISTINCT key FROM dead_letter
WHERE consumer_group = $1 AND topic = $2 AND key = ANY($3::text[]) AND state IN ('retrying', 'waiting', 'dead')
"""
_ALL_OPEN_KEYS = """
SELECT DISTINCT key FROM dead_letter WHERE consumer_group = $1 AND state IN ('retrying', 'waiting', 'dead')
"""
_REPLAYED = """
SELECT * FROM dead_letter WHERE consumer_group = $1 AND state = 'replayed' AND last_failed_at >= $2 ORDER BY last_failed_at
"""
_WITHOUT_EFFECT = """
SELECT key, version FROM dead_letter
WHERE consumer_group = $1 AND topic = $2 AND key = ANY($3::text[]) AND decoded
AND state IN ('retrying', 'waiting', 'dead', 'dropped')
"""
_DUE = """
SELECT id, consumer_group, key FROM dead_letter
WHERE state = 'retrying' AND next_attempt_at <= $1 AND consumer_group = ANY($2::text[]) ORDER BY next_attempt_at, id LIMIT 20
"""
_TAKE = "SELECT * FROM dead_letter WHERE id = $1 AND state = 'retrying' AND next_attempt_at <= $2 FOR UPDATE"
_SETTLE = """
UPDATE dead_letter SET state = $2, reason = $3, attempts = $4, last_failed_at = $5, next_attempt_at = $6 WHERE id = $1
"""
_PUT_OFF = "UPDATE dead_letter SET next_attempt_at = $2 WHERE id = $1 AND state = 'retrying'"
_RELEASE = """
UPDATE dead_letter SET state = 'retrying', next_attempt_at = $4 WHERE id = (
  SELECT id FROM dead_letter WHERE consumer_group = $1 AND topic = $2 AND key = $3 AND state = 'waiting'
  ORDER BY version LIMIT 1)
AND NOT EXISTS (
  SELECT 1 FROM dead_letter WHERE consumer_group = $1 AND topic = $2 AND key = $3 AND state IN ('retrying', 'dead'))
"""
_IS_OPEN = """
SELECT 1 FROM dead_letter WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND "offset" = $4 AND recorded_ms = $5
AND NOT decoded AND state IN ('retrying', 'dead')
"""
_SUPERSEDE = """
UPDATE dead_letter d SET state = 'superseded' FROM applied a
WHERE d.state = 'dead' AND d.version > 0 AND d.consumer_group = ANY($1::text[])
AND a.consumer_group = d.consumer_group AND a.topic = d.topic AND a.key = d.key AND a.version >= d.version
RETURNING d.consumer_group, d.topic, d.key
"""
_COUNTS = "SELECT state, count(*) AS rows FROM dead_letter WHERE state IN ('retrying', 'waiting', 'dead') GROUP BY state"


async def open_keys(tx: Tx, group: str, topic: str, keys: Iterable[str]) -> set[str]:
    """Those of the keys that have an open row."""
    return set(await tx.sql.column(_OPEN_KEYS, group, topic, list(keys)))


async def all_open_keys(sql: Statements, group: str) -> set[str]:
    """Every key that has an open row."""
    return set(await sql.column(_ALL_OPEN_KEYS, group))


async def replayed(sql: Statements, group: str, since: datetime) -> list[Record]:
    """What had its effect after all, since a time, in that order; for followers, which are in every process."""
    return [decode(raw_of(row)) for row in await sql.rows(_REPLAYED, group, since)]


async def park(
    tx: Tx, handling: "Handling", raw: RawRecord, record: Record | UndecodableError, why: str, *, waits: bool = False
) -> bool:
    """Write a record down as failed, or as waiting behind another of its key; says whether it is open now: what can't be
    decoded may have been dropped before.
    """
    decoded = isinstance(record, Record)
    headers = [[name.replace("\0", "\ufffd"), base64.b64encode(value or b"").decode()] for name, value in raw.headers]
    next_attempt = None if waits else tx.recorded_at + timedelta(seconds=handling.retry_delays[0])
    await tx.sql.run(
        _PARK,
        new_id(),
        handling.group,
        raw.topic,
        raw.partition,
        raw.offset,
        record.key,
        record.version,
        decoded,
        raw.key,
        raw.value,
        json.dumps(headers),
        raw.timestamp,
        "waiting" if waits else "retrying",
        why,
        0 if waits else 1,
        tx.recorded_at,
        next_attempt,
    )
    place = (handling.group, raw.topic, raw.partition, raw.offset, raw.timestamp)
    return bool(decoded or await tx.sql.row(_IS_OPEN, *place))


async def without_effect(tx: Tx, group: str, topic: str, keys: Iterable[str]) -> set[tuple[str, int]]:
    """Key and version of records that have no effect: they were dropped, or are open."""
    rows = await tx.sql.rows(_WITHOUT_EFFECT, group, topic, list(keys))
    return {(row["key"], row["version"]) for row in rows}


async def counts(sql: Statements) -> dict[str, int]:
    """Open rows by state."""
    return await sql.pairs(_COUNTS)


async def release(tx: Tx, group: str, topic: str, key: str) -> None:
    """The first that waits for this key is next, unless another one still holds it."""
    await tx.sql.run(_RELEASE, group, topic, key, tx.recorded_at)


def raw_of(row: Any) -> RawRecord:
    """The record of a row, as it lay on the topic."""
    headers = row.headers if isinstance(row.headers, list) else json.loads(row.headers)
    decoded = [(name, base64.b64decode(value)) for name, value in headers]
    return RawRecord(row.topic, row.partition, row.offset, row.recorded_ms, row.raw_key, row.value, decoded)


class Worker:
    """Retries what is due, one row a transaction."""

    def __init__(self, database: Database, handlings: Mapping[str, "Handling"]) -> None:
        self._database = database
        self._handlings = handlings
        self._counted_at = -_COUNT

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                worked = await self.step()
            except Unavailable:
                worked = 0
            if not worked:
                await asyncio.sleep(_POLL)

    async def step(self) -> int:
        """Try every row that is due; returns how many there were."""
        async with self._database.alone() as sql:
            due = await sql.rows(_DUE, self._database.system_time(), list(self._handlings))
            looks = due or time.monotonic() - self._counted_at > _COUNT
            if looks:
                self._counted_at = time.monotonic()
                open_rows = {**dict.fromkeys(OPEN, 0), **await counts(sql)}
                for state, rows in open_rows.items():
                    metrics.DEAD_LETTERS.labels(state).set(rows)
        if looks and open_rows["dead"]:
            await self._supersede()
        for row in due:
            handling = self._handlings[row.consumer_group]
            try:
                await self._attempt(handling, row.id, row.key)
            except Unavailable:  # which is no failure of its own, and no reason for the others to wait
                await self._put_off(handling, row.id)
            except Exception as error:  # a fault of ours: an attempt that failed, for which the others need not wait either
                log.exception("dead letter: not tried", extra={"dead_letter": str(row.id), "group": handling.group})
                await self._not_tried(handling, row.id, error)
        return len(due)

    async def _supersede(self) -> None:
        """Close what is dead and was overtaken: nobody need decide on it any more."""
        async with self._database.transaction(Cause("dead-letter worker")) as tx:
            for row in await tx.sql.rows(_SUPERSEDE, list(self._handlings)):
                metrics.RETRIES.labels("superseded").inc()
                await release(tx, row.consumer_group, row.topic, row.key)

    async def _put_off(self, handling: "Handling", identifier: UUID) -> None:
        until = self._database.system_time() + timedelta(seconds=handling.retry_delays[0])
        async with self._database.alone() as sql:
            await sql.run(_PUT_OFF, identifier, until)

    async def _not_tried(self, handling: "Handling", identifier: UUID, error: Exception) -> None:
        """Count an attempt that came to nothing by itself, so that it ends before an operator as any other does."""
        from chassis.handling import reason

        async with self._database.transaction(Cause(handling.actor)) as tx:
            if row := await tx.sql.row(_TAKE, identifier, tx.recorded_at):
                await self._failed(tx, handling, row, reason(error))

    async def _attempt(self, handling: "Handling", identifier: UUID, key: str) -> None:
        """One attempt. The `applied` row is locked before the dead letter's, as the consumer does."""
        from chassis.handling import away, out_of_time, reason

        async with self._database.transaction(Cause(handling.actor)) as tx:
            applied = await handling.lock(tx, [key] if key else [])
            row = await tx.sql.row(_TAKE, identifier, tx.recorded_at)
            if row is None:
                return
            if row.version and row.version <= applied[row.key]:
                await self._close(tx, handling, row, "superseded")
                return
            try:
                async with tx.savepoint(whole=True):
                    record = decode(raw_of(row))
                    overtaken = record.version <= (await handling.lock(tx, [record.key]))[record.key]
                    if not overtaken:
                        await handling.handle(tx, record)
                        await handling.advance(tx, {record.key: record.version})
            except UndecodableError as error:
                await self._failed(tx, handling, row, f"undecodable: {error}")
            except Exception as error:
                if away(error) and not out_of_time(error):
                    raise Unavailable("", "a part is away") from error
                await self._failed(tx, handling, row, reason(error))
            else:
                await self._close(tx, handling, row, "superseded" if overtaken else "replayed")

    async def _close(self, tx: Tx, handling: "Handling", row: Any, state: str) -> None:
        await self._settle(tx, row, state, row.reason)
        await release(tx, handling.group, row.topic, row.key)

    async def _failed(self, tx: Tx, handling: "Handling", row: Any, why: str) -> None:
        left = handling.retry_delays[row.attempts :]
        if left:
            delay = timedelta(seconds=left[0])
            values = (row.id, "retrying", why, row.attempts + 1, tx.recorded_at, tx.recorded_at + delay)
            await tx.sql.run(_SETTLE, *values)
            metrics.RETRIES.labels("failed").inc()
        else:
            log.error("dead letter: given up", extra={"dead_letter": str(row.id), "group": handling.group, "why": why})
            await self._settle(tx, row, "dead", why)

    async def _settle(self, tx: Tx, row: Any, state: str, why: str) -> None:
        values = (row.id, state, why, row.attempts + 1, tx.recorded_at, None)
        await tx.sql.run(_SETTLE, *values)
        metrics.RETRIES.labels(state).inc()
