"""Rebuild 重建 of what a group keeps of its topic, in place: the topic is read from its start beside the group.

Nothing is emptied meanwhile, so nobody is told less than before: each record's rows are written anew in one transaction,
and rows that were there at the beginning and that no record stands behind are removed at the end. Of a `state` listener
only the newest record of each key counts, since an older one would for a moment bring back what has been withdrawn.

What an operator has dropped stays without effect, and what is an open dead letter waits for its decision.

Kafka may have compacted what happened long ago: have the topic's owner replay it first, as `alliance rebuild` does.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError
from sqlalchemy import delete, insert

from chassis import jobs, reading
from chassis.database import Cause, Database, Tx
from chassis.errors import Unavailable
from chassis.handling import Handling, away, reason
from chassis.kafka import KafkaAccess
from chassis.lease import Lease, LeaseLostError
from chassis.reading import Newest, Unreadable
from chassis.record import Record
from chassis.tables import stale

log = logging.getLogger(__name__)
_LOOK = 0.5  # seconds between looks for a job
_PAUSE = 1.0  # seconds before a job is begun anew that a part's being away broke off
_BATCH = 500  # records in one transaction


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
                if not await self._lease.take() or not await self._lease.during(self._work()):
                    await asyncio.sleep(_LOOK)
            except (KafkaError, Unavailable, LeaseLostError, OSError, TimeoutError) as error:
                log.warning("rebuild: a part is away, beginning anew", extra={"error": type(error).__name__})
                await asyncio.sleep(_PAUSE)

    async def _work(self) -> bool:
        """Do the oldest job; says whether there was one."""
        async with self._database.transaction(self._cause) as tx:
            if (job := await jobs.next_open(tx, "rebuild")) is None:
                return False
            await jobs.begin(tx, job.id)
        log.info("rebuild: begun", extra={"group": job.subject})
        try:
            failure = await self._tried(job)
            async with self._guarded(job) as tx:
                await jobs.finish(tx, job.id, failure=failure)
        except jobs.EndedError:
            log.info("rebuild: cancelled", extra={"group": job.subject})
        else:
            log.info("rebuild: done", extra={"group": job.subject, "failure": failure})
        return True

    async def _tried(self, job: Any) -> str:
        """Do a job; returns why it was not done, if so."""
        try:
            return await self._rebuild(job)
        except (KafkaError, Unavailable, LeaseLostError, OSError, TimeoutError, jobs.EndedError):
            raise
        except Exception as error:
            log.exception("rebuild: failed", extra={"group": job.subject})
            return reason(error)

    @asynccontextmanager
    async def _guarded(self, job: Any) -> AsyncIterator[Tx]:
        """A transaction beside which no other process can take the rebuild over: each begins with a list of its own. Raises
        `EndedError` where the job was cancelled.
        """
        async with self._database.transaction(self._cause) as tx:
            await self._lease.guard(tx)
            await jobs.check_open(tx, job.id)
            yield tx

    async def _rebuild(self, job: Any) -> str:
        """Write everything anew; returns why it was not done, if so."""
        handling = self._handlings.get(job.subject)
        projection = handling.listen.projection if handling else None
        if handling is None or projection is None:
            return "the service has no such group any more"
        async with self._guarded(job) as tx:
            await tx.conn.execute(delete(stale))
            await tx.conn.execute(insert(stale).from_select(["name"], projection.names()))
        async with reading.topic(self._access, handling.listen.topic) as reader:
            if not reader.size and await self._stale(1):
                return "the topic holds nothing; have its owner replay it first"
            newest = await reader.newest(partial(self._polled, job)) if handling.is_state else None
            async for records in reader.records():
                await self._write(job, handling, records, newest)
            await self._keep(job, handling, reader.unreadable)
        await self._forget(job, handling)
        return ""

    async def _polled(self, job: Any, count: int) -> None:
        """Whoever waits for records stops where the job was cancelled."""
        if not count:
            async with self._guarded(job):
                pass

    async def _write(
        self, job: Any, handling: Handling, records: Sequence[Record], newest: Mapping[str, Newest] | None
    ) -> None:
        counting = [one for one in records if newest is None or newest[one.key].place == (one.partition, one.offset)]
        failed = await self._until_done(job, handling, counting)
        async with self._guarded(job) as tx:
            await _seen(tx, [one.key if handling.is_state else one.id for one in counting])
            await jobs.progress(tx, job.id, "", len(counting), failed)

    async def _keep(self, job: Any, handling: Handling, unreadable: Sequence[Unreadable]) -> None:
        """Leave the rows of records that can't be read as they are, and count them as failed."""
        names = {one.key if handling.is_state else one.id for one in unreadable}
        async with self._guarded(job) as tx:
            await jobs.progress(tx, job.id, "", 0, await _seen(tx, list(names)))

    async def _until_done(self, job: Any, handling: Handling, records: Sequence[Record]) -> int:
        """Write records anew, again where two transactions collided or a part is away, unless the job is cancelled meanwhile;
        returns how many the handler did not take.
        """
        while True:
            try:
                return await handling.rewrite(records)
            except Exception as error:
                if not away(error):
                    raise
                await asyncio.sleep(_PAUSE)
                async with self._guarded(job):
                    pass

    async def _forget(self, job: Any, handling: Handling) -> None:
        """Remove what no record stands behind."""
        while names := await self._stale(_BATCH):
            async with self._guarded(job) as tx:
                await handling.forget(tx, names)
                await _seen(tx, names)
                await jobs.progress(tx, job.id, "", 0, removed=len(names))

    async def _stale(self, most: int) -> list[str]:
        """Names of rows that no record has been seen for."""
        async with self._database.alone() as sql:
            return await sql.column("SELECT name FROM stale ORDER BY name LIMIT $1", most)


async def _seen(tx: Tx, names: Sequence[str]) -> int:
    """Take rows off the list of those that nothing stands behind; returns how many were on it."""
    return await tx.sql.run("DELETE FROM stale WHERE name = ANY($1::text[])", list(names))
