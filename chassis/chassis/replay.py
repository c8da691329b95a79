"""Replay 重放 of a topic out of the event store: a job that the lease-holding relay works off, key by key.

An internal topic gets all published versions of each key in order; a public topic only the last row of each key, so that
nothing withdrawn is published again. The relay is the only publisher, so nothing newer can come in between: the last
record of a key stays its highest version.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from chassis import jobs, topics
from chassis.database import Cause, Database, Tx

if TYPE_CHECKING:
    from chassis.relay import StoredEvent

KEYS = 200  # keys published in one step
BATCH = 1000  # events in one Kafka transaction
_KEYS = "SELECT DISTINCT key FROM event WHERE topic = $1 AND key > $2 ORDER BY key LIMIT $3"
_ROWS = """
SELECT e.id, e.topic, e.key, e.version, e.type, e.payload, e.traceparent, e.recorded_at FROM event e
WHERE e.topic = $1 AND e.key = ANY($2::text[])
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = e.id)
ORDER BY e.key, e.version
"""


async def work(
    database: Database,
    cause: Cause,
    producer: AIOKafkaProducer,
    send: "Callable[[AIOKafkaProducer, Sequence[StoredEvent]], Awaitable[None]]",
) -> bool:
    """One step of the oldest unfinished job; says whether there was one."""
    async with database.transaction(cause) as tx:
        job = await jobs.next_open(tx, "replay")
        if job is None:
            return False
        keys = await tx.sql.column(_KEYS, job.subject, job.position, KEYS)
        if keys:
            rows = await _rows(tx, job.subject, keys)
            for first in range(0, len(rows), BATCH):
                await send(producer, rows[first : first + BATCH])
            await jobs.progress(tx, job.id, keys[-1], len(rows))
        else:
            await jobs.finish(tx, job.id)
    return True


async def give_up(database: Database, cause: Cause, why: str) -> None:
    """End the oldest unfinished job, which can't be done."""
    async with database.transaction(cause) as tx:
        if (job := await jobs.next_open(tx, "replay")) is not None:
            await jobs.finish(tx, job.id, failure=why)


async def _rows(tx: Tx, topic: str, keys: list[str]) -> "list[StoredEvent]":
    from chassis.relay import StoredEvent

    rows = [StoredEvent._make(row) for row in await tx.sql.rows(_ROWS, topic, keys)]
    if topics.load().named(topic).classification == "public":
        return list({row.key: row for row in rows}.values())
    return rows
