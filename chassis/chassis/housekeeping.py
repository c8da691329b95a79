"""What every service does beside its work: watch the outbox, make partitions ahead, forget old requests."""

import asyncio
import logging
import time
from datetime import timedelta

from chassis import metrics
from chassis.clock import business_date
from chassis.database import Cause, Database
from chassis.errors import Unavailable
from chassis.personal import Vault
from chassis.settings import ServiceSettings

log = logging.getLogger(__name__)
_EVERY = 1.0  # seconds between looks at the outbox
_HOURLY = 3600.0
_FIRST = 60.0
_KEEP_REQUESTS = timedelta(days=7)
_CAUSE = Cause("chassis:housekeeping")

# Bounded: counting goes on to one row beyond the limit only.
_OUTBOX = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE parked IS NULL LIMIT $1) AS queued) AS rows,
       (SELECT count(*) FROM outbox WHERE parked IS NOT NULL) AS parked,
       (SELECT e.recorded_at FROM outbox o JOIN event e ON e.id = o.event_id
        WHERE o.parked IS NULL ORDER BY o.seq LIMIT 1) AS oldest
"""


class Outbox:
    """How full the outbox is; commands are refused while it is beyond its bound."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._max_rows = settings.outbox_max_rows
        self._max_age = settings.outbox_max_age
        self._full = False

    def accepting(self) -> None:
        """Raises `Unavailable` while too many events wait to be published, or one waits too long."""
        if self._full:
            raise Unavailable(
                "事件发布积压，暂不接受新的操作；请稍后重试",
                "too many events wait to be published; no commands are taken for now",
                5.0,
            )

    async def watch(self) -> None:
        """Look at the outbox every second."""
        while True:
            try:
                await self._look()
            except Unavailable:
                log.debug("outbox: database away")
            await asyncio.sleep(_EVERY)

    async def _look(self) -> None:
        async with self._database.alone() as conn:
            row = (await conn.exec_driver_sql(_OUTBOX, (self._max_rows + 1,))).one()
        age = (self._database.system_time() - row.oldest).total_seconds() if row.oldest else 0.0
        metrics.OUTBOX_ROWS.set(row.rows)
        metrics.OUTBOX_PARKED.set(row.parked)
        metrics.OUTBOX_AGE.set(age)
        self._full = row.rows > self._max_rows or age > self._max_age


async def hourly(database: Database) -> None:
    """Partitions three months ahead; requests older than 7 days and outdated personal data go."""
    await asyncio.sleep(_FIRST)  # a start has better things to do
    while True:
        try:
            async with database.transaction(_CAUSE) as tx:
                await tx.conn.exec_driver_sql("SELECT ensure_event_partitions()")
                found = await tx.conn.exec_driver_sql("SELECT event_default_rows()")
                metrics.EVENTS_WITHOUT_PARTITION.set(found.scalar_one())
                old = tx.recorded_at - _KEEP_REQUESTS
                await tx.conn.exec_driver_sql("DELETE FROM request_log WHERE created_at < $1", (old,))
                await Vault().purge(tx, business_date(tx.now))
            await asyncio.sleep(_HOURLY)
        except Unavailable:
            await asyncio.sleep(_EVERY)


async def loop_lag() -> None:
    """How late the event loop wakes up."""
    while True:
        asked = time.monotonic()
        await asyncio.sleep(_EVERY)
        metrics.LOOP_LAG.set(max(0.0, time.monotonic() - asked - _EVERY))
