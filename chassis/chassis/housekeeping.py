"""What every service does beside its work: watch the outbox, make partitions ahead, forget old requests."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from chassis import metrics
from chassis.database import Cause, Database, Tx
from chassis.errors import Unavailable
from chassis.limit import SAMPLE, Limit
from chassis.settings import ServiceSettings
from chassis.statements import Statements
from chassis.vault import Papers, Vault

log = logging.getLogger(__name__)
_EVERY = 1.0  # seconds between looks at the outbox
_DUE = 15.0  # seconds between looks at what is due
_HOURLY = 3600.0
_FIRST = 60.0
_KEEP_REQUESTS = timedelta(days=7)
_CAUSE = Cause("chassis:housekeeping")
_PAST = Cause("chassis:housekeeping", reason="保存期满 · past its date")

# In the order of an index each, and from a floor: while a snapshot is held somewhere, the queue's dead rows stay, and a look
# that passes over all of them costs more than the relay.
_PARKED = "SELECT key FROM outbox WHERE parked IS NOT NULL ORDER BY key LIMIT 1000"
_HELD = "SELECT count(*) FROM outbox WHERE key = ANY($1::text[])"
_OLDEST = """
SELECT o.seq, coalesce(e.recorded_at, now()) AS recorded_at FROM outbox o LEFT JOIN event e ON e.id = o.event_id
WHERE o.seq >= $1 AND o.key <> ALL($2::text[]) ORDER BY o.seq LIMIT 1
"""
_COUNT = """
SELECT count(*) FROM (SELECT 1 FROM outbox WHERE seq >= $1 AND key <> ALL($2::text[]) ORDER BY seq LIMIT $3) AS waiting
"""
_LAST = "SELECT seq FROM outbox ORDER BY seq DESC LIMIT 1"
_FORGET = """
DELETE FROM request_log WHERE ctid = ANY (ARRAY(SELECT ctid FROM request_log WHERE created_at < $1 LIMIT $2))
"""
_FORGOTTEN = 5000  # requests in one transaction
_COUNTED = 10_000  # rows that are counted; beyond, the span of their places says how many there are
_FROM_THE_START = 60  # looks after which the floor is given up once


class Outbox:
    """How full the outbox is; commands are refused while it is beyond its bound."""

    def __init__(self, database: Database, settings: ServiceSettings) -> None:
        self._database = database
        self._max_rows = settings.outbox_max_rows
        self._max_age = settings.outbox_max_age
        self._full = False
        self._floor = 0
        self._looks = 0

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
        """What waits behind a parked event is held with it, and neither makes the outbox full nor old."""
        self._floor = 0 if self._looks % _FROM_THE_START == 0 else self._floor
        self._looks += 1
        async with self._database.alone() as sql:
            keys = sorted(set(await sql.column(_PARKED)))
            held = await sql.value(_HELD, keys) if keys else 0
            oldest = await sql.row(_OLDEST, self._floor, keys)
            rows = await self._waiting(sql, oldest.seq, keys) if oldest else 0
        self._floor = oldest.seq if oldest else self._floor
        age = (self._database.system_time() - oldest.recorded_at).total_seconds() if oldest else 0.0
        metrics.OUTBOX_ROWS.set(rows)
        metrics.OUTBOX_PARKED.set(held)
        metrics.OUTBOX_AGE.set(age)
        self._full = rows > self._max_rows or age > self._max_age

    async def _waiting(self, sql: Statements, first: int, held: list[str]) -> int:
        rows: int = await sql.value(_COUNT, first, held, _COUNTED)
        if rows < _COUNTED:
            return rows
        return int(await sql.value(_LAST)) - first + 1


async def hourly(database: Database, papers: Papers) -> None:
    """Partitions three months ahead; requests older than 7 days and outdated personal data go."""
    await asyncio.sleep(_FIRST)  # a start has better things to do
    while True:
        try:
            async with database.alone() as sql:
                await sql.value("SELECT ensure_event_partitions()")
                metrics.EVENTS_WITHOUT_PARTITION.set(await sql.value("SELECT event_default_rows()"))
                while await sql.run(_FORGET, database.system_time() - _KEEP_REQUESTS, _FORGOTTEN) == _FORGOTTEN:
                    pass
            await asyncio.sleep(_FIRST if await purge(database, papers) else _HOURLY)
        except Unavailable as error:
            log.warning("housekeeping: not done yet", extra={"why": str(error)})
            await asyncio.sleep(_EVERY)


async def purge(database: Database, papers: Papers) -> int:
    """Personal data that are past their date go, and the papers that are about the same persons; returns how many are left.

    Each record in a transaction of its own: one that can't go keeps no other.
    """
    vault, failures = Vault(), list[Exception]()
    async with database.transaction(_PAST, read_only=True) as tx:
        past = await vault.past(tx)
    for name in past:
        try:
            async with database.transaction(_PAST) as tx:
                await papers.erase(tx, await vault.purge(tx, name, papers.lock))
        except Exception as error:
            failures.append(error)
    if failures:
        log.error(
            "housekeeping: personal data are kept past their date", extra={"records": len(failures)}, exc_info=failures[0]
        )
    return len(failures)


async def due_work(database: Database, count: Callable[[Tx], Awaitable[int]]) -> None:
    """Say how much is due and not yet done; who only waits for its turn is gone at the next look."""
    while True:
        async with database.transaction(_CAUSE, read_only=True) as tx:
            metrics.DUE_WORK.set(await count(tx))
        await asyncio.sleep(_DUE)


async def loop_lag(limit: Limit) -> None:
    """How late the event loop wakes up: the limit hears it each time, the metric of the worst within a second."""
    while True:
        worst = 0.0
        for _ in range(round(_EVERY / SAMPLE)):
            asked = time.monotonic()
            await asyncio.sleep(SAMPLE)
            lag = max(0.0, time.monotonic() - asked - SAMPLE)
            limit.saw(lag)
            worst = max(worst, lag)
        metrics.LOOP_LAG.set(worst)
