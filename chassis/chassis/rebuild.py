"""Rebuild 重建 of what a group keeps of its topic, in place: the topic is read from its start beside the group.

Nothing is emptied meanwhile, so nobody is told less than before: each record's rows are written anew in one transaction,
and rows that were there at the beginning and that no record stands behind are removed at the end. Of a `state` listener
only the newest record of each key counts, since an older one would for a moment bring back what has been withdrawn.

Kafka may have compacted what happened long ago: have the topic's owner replay it first, as `alliance rebuild` does.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import Text, column, insert, table
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import jobs, topics
from chassis.database import Cause, Database
from chassis.errors import Unavailable
from chassis.handling import Handling, away, reason
from chassis.kafka import KafkaAccess
from chassis.lease import Lease
from chassis.record import RawRecord, Record, UndecodableError, decode

log = logging.getLogger(__name__)
_LOOK = 0.5  # seconds between looks for a job
_PAUSE = 1.0  # seconds before a job is begun anew that a part's being away broke off
_BATCH = 500  # records in one transaction
_POLL_MS = 200
_STALE = table("stale", column("name", Text))


class Worker:
    """Works off the rebuilds that were asked for, one after the other; one process of a service does."""

    def __init__(self, service: str, database: Database, access: KafkaAccess, handlings: Sequence[Handling]) -> None:
        self._database = database
        self._access = access
        self._handlings = {one.group: one for one in handlings if one.listen.projection}
        self._cause = Cause(f"service:{service}")
        self._lease = Lease(database, "rebuild")

    async def run(self) -> None:
        """Look for jobs until cancelled."""
        while self._handlings:
            try:
                if not await self._lease.take() or not await self._work():
                    await asyncio.sleep(_LOOK)
            except (KafkaError, Unavailable, OSError, TimeoutError) as error:
                log.warning("rebuild: a part is away, beginning anew", extra={"error": type(error).__name__})
                await asyncio.sleep(_PAUSE)

    async def _work(self) -> bool:
        """Do the oldest job; says whether there was one."""
        async with self._database.transaction(self._cause) as tx:
            if (job := await jobs.next_open(tx, "rebuild")) is None:
                return False
            await jobs.begin(tx, job.id)
        handling = self._handlings[job.subject]
        log.info("rebuild: begun", extra={"group": handling.group})
        try:
            removed, failure = await self._rebuild(job, handling)
        except (KafkaError, Unavailable, OSError, TimeoutError):
            raise
        except Exception as error:
            log.exception("rebuild: failed", extra={"group": handling.group})
            removed, failure = 0, reason(error)
        async with self._database.transaction(self._cause) as tx:
            await jobs.finish(tx, job.id, removed, failure)
        log.info("rebuild: done", extra={"group": handling.group, "removed": removed, "failure": failure})
        return True

    async def _rebuild(self, job: Any, handling: Handling) -> tuple[int, str]:
        """Write everything anew; returns how many rows were removed, and why it was not done, if so."""
        projection = handling.listen.projection
        if projection is None:
            raise TypeError("nothing to rebuild")
        async with self._database.alone() as scratch:
            await scratch.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.stale")
            await scratch.exec_driver_sql("CREATE TEMP TABLE stale (name text PRIMARY KEY)")
            await scratch.execute(insert(_STALE).from_select(["name"], projection.names()))
            try:
                async with _reader(self._access, handling.listen.topic) as reader:
                    if not reader.size and await _any(scratch):
                        return 0, "the topic holds nothing; have its owner replay it first"
                    newest = await _newest(reader) if handling.is_state else None
                    async for records in reader.records():
                        await self._write(job, handling, records, newest, scratch)
                return await self._forget(handling, scratch), ""
            finally:
                await scratch.exec_driver_sql("DROP TABLE pg_temp.stale")

    async def _write(
        self,
        job: Any,
        handling: Handling,
        records: Sequence[Record],
        newest: Mapping[str, int] | None,
        scratch: AsyncConnection,
    ) -> None:
        counting = [one for one in records if newest is None or newest[one.key] == one.version]
        if not await self._lease.keep():
            raise Unavailable("租约已失", "the lease is lost")
        failed = await _until_done(handling, counting)
        names = [one.key if handling.is_state else one.id for one in counting]
        await scratch.exec_driver_sql("DELETE FROM stale WHERE name = ANY($1::text[])", (names,))
        async with self._database.transaction(self._cause) as tx:
            await jobs.progress(tx, job.id, "", len(counting), failed)

    async def _forget(self, handling: Handling, scratch: AsyncConnection) -> int:
        """Remove what no record stands behind."""
        stale = list((await scratch.exec_driver_sql("SELECT name FROM stale ORDER BY name")).scalars())
        for start in range(0, len(stale), _BATCH):
            async with self._database.transaction(Cause(handling.actor)) as tx:
                await handling.forget(tx, stale[start : start + _BATCH])
        return len(stale)


class _Reader:
    """Reads a topic from its start to the end that it had at first."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._ends = ends

    @property
    def size(self) -> int:
        """How far the topic goes."""
        return sum(self._ends.values())

    async def records(self) -> AsyncIterator[list[Record]]:
        """What can be read of it, in the partitions' order; the rest is among the dead letters."""
        for partition, first in (await self._consumer.beginning_offsets(list(self._ends))).items():
            self._consumer.seek(partition, first)
        while [one for one, end in self._ends.items() if await self._consumer.position(one) < end]:
            for partition, found in (await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH)).items():
                within = [one for one in found if one.offset < self._ends[partition]]
                yield [record for one in within if (record := _decoded(one)) is not None]


def _decoded(one: Any) -> Record | None:
    raw = RawRecord(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
    try:
        return decode(raw)
    except UndecodableError:
        return None


@asynccontextmanager
async def _reader(access: KafkaAccess, topic: str) -> AsyncIterator[_Reader]:
    consumer = AIOKafkaConsumer(**access.options(), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(topics.load().named(topic).partitions)]
        consumer.assign(partitions)
        yield _Reader(consumer, await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


async def _newest(reader: _Reader) -> dict[str, int]:
    """Each key's highest version."""
    found: dict[str, int] = {}
    async for records in reader.records():
        for one in records:
            found[one.key] = max(one.version, found.get(one.key, 0))
    return found


async def _any(scratch: AsyncConnection) -> bool:
    return (await scratch.exec_driver_sql("SELECT 1 FROM stale LIMIT 1")).first() is not None


async def _until_done(handling: Handling, records: Sequence[Record]) -> int:
    """Write records anew, again where two transactions collided; returns how many the handler did not take."""
    while True:
        try:
            return await handling.rewrite(records)
        except Exception as error:
            if not away(error):
                raise
            await asyncio.sleep(_PAUSE)
