"""Replay 重放 of a topic out of the event store: a job that the lease-holding relay works off, key by key.

An internal topic gets all published versions of each key in order; a public topic only the last row of each key, so that
nothing withdrawn is published again. The relay is the only publisher, so nothing newer can come in between, and the versions
of a key are in one Kafka transaction: the last record of a key stays its highest version, wherever a replay ends.
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from chassis import jobs, topics
from chassis.database import Cause, Database
from chassis.statements import Statements

if TYPE_CHECKING:
    from chassis.relay import StoredEvent

KEYS = 200  # keys in one step, that is in one Kafka transaction, at most
BYTES = 8 * 1024 * 1024  # bytes of content in a step, unless one key alone has more
_KEYS = """
SELECT key, count(*) AS events, coalesce(sum(octet_length(payload)), 0) AS bytes FROM event
WHERE topic = $1 AND key IN (SELECT DISTINCT key FROM event WHERE topic = $1 AND key > $2 ORDER BY key LIMIT $3)
GROUP BY key ORDER BY key
"""
_ROWS = """
SELECT {which} e.id, e.topic, e.key, e.version, e.type, e.payload, e.traceparent, e.recorded_at FROM event e
WHERE e.topic = $1 AND e.key = ANY($2::text[])
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = e.id)
ORDER BY e.key, e.version {order}
"""
_ALL = _ROWS.format(which="", order="")
_LAST = _ROWS.format(which="DISTINCT ON (e.key)", order="DESC")


async def work(
    database: Database,
    cause: Cause,
    producer: AIOKafkaProducer,
    send: "Callable[[AIOKafkaProducer, Sequence[StoredEvent]], Awaitable[None]]",
    most: int,
) -> bool:
    """One step, of `most` events unless one key alone has more, of the oldest unfinished job; says whether there was one.

    A job of which a record is refused ends with that; `RefusedError` goes on to whoever has to replace the producer.
    """
    from chassis.relay import RefusedError

    async with database.transaction(cause, read_only=True) as tx:
        job = await jobs.next_open(tx, "replay")
        if job is None:
            return False
        keys = await _next(tx.sql, job.subject, job.position, most)
        rows = await _rows(tx.sql, job.subject, keys)
    try:
        if rows:
            await send(producer, rows)
    except RefusedError as error:
        async with database.transaction(cause) as tx:
            await jobs.finish(tx, job.id, failure=f"the broker refuses a record: {error}")
        raise
    async with database.transaction(cause) as tx:
        if keys:
            await jobs.progress(tx, job.id, keys[-1], len(rows))
        else:
            await jobs.finish(tx, job.id)
    return True


async def _next(sql: Statements, topic: str, after: str, most: int) -> list[str]:
    """The keys of the next step: as many whole ones as it holds, and at least one."""
    rows = await sql.rows(_KEYS, topic, after, KEYS)
    events, size = accumulate(row.events for row in rows), accumulate(row.bytes for row in rows)
    fitting = sum(number <= most and held <= BYTES for number, held in zip(events, size, strict=True))
    return [row["key"] for row in rows[: max(1, fitting)]]


async def _rows(sql: Statements, topic: str, keys: list[str]) -> "list[StoredEvent]":
    from chassis.relay import StoredEvent

    query = _LAST if topics.load().named(topic).classification == "public" else _ALL
    return [StoredEvent._make(row) for row in await sql.rows(query, topic, keys)]
