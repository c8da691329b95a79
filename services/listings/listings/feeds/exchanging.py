"""Exchanging: whose turn it is, one page or batch at a time, so that a feed with much keeps nobody else's waiting.

A feed is claimed before its exchange and let go with what came of it. What an exchange brings whose claim was lost meanwhile,
because it took too long or the feed was paused or changed, counts for nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from opentelemetry.trace import SpanKind

from alliance.listings.v1 import feed_pb2
from chassis import telemetry
from chassis.clock import BusinessClock
from chassis.database import Cause, Database
from chassis.errors import Unavailable
from chassis.ids import new_id
from listings.feeds import metrics, settling, store
from listings.feeds.giving import Giving
from listings.feeds.port import ExchangeError, Peer
from listings.feeds.store import FeedRow
from listings.feeds.taking import Taking

log = logging.getLogger(__name__)
AT_ONCE = 8  # exchanges under way
_POLL = 0.5  # seconds between looks for due feeds
_WATCH = 5.0  # seconds between looks at how quiet they are
_SPARE = 2.0  # seconds beyond an exchange's time after which it counts as lost; what settles it has the row locked by then
_CAUSE = Cause("service:listings")
_UNEXPECTED = ExchangeError("平台内部错误，请联系运营方", "an error of the platform's own; turn to its operator")


@dataclass(frozen=True)
class _Claimed:
    """A feed whose exchange is ours."""

    row: FeedRow
    peer: Peer

    @property
    def direction(self) -> str:
        return "in" if self.row.direction == feed_pb2.FEED_DIRECTION_IN else "out"


class Exchanging:
    """Has the exchanges of all feeds made when they are due."""

    def __init__(
        self, database: Database, taking: Taking, giving: Giving, peer: Callable[[str, Sequence[str]], Peer], timeout: float
    ) -> None:
        """`peer` makes the other end of an address and a secret; an exchange takes `timeout` seconds at most."""
        self._database = database
        self._taking = taking
        self._giving = giving
        self._peer = peer
        self._lost_after = timedelta(seconds=timeout + _SPARE)
        self._under_way = 0
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Exchange until cancelled."""
        self._under_way = 0
        async with asyncio.TaskGroup() as group:
            while True:
                self._done.clear()
                for one in await self._next():
                    self._under_way += 1
                    group.create_task(self._turn(one))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL):  # `wait_for` of Python 3.11 can lose a cancellation
                        await self._done.wait()

    async def once(self) -> int:
        """One exchange of every feed that is due; returns how many there were."""
        claimed = await self._claim(AT_ONCE)
        await asyncio.gather(*(self._exchange(one) for one in claimed))
        return len(claimed)

    async def watch(self, clock: BusinessClock) -> None:
        """Keep the gauges up to date until cancelled."""
        while True:
            with suppress(Unavailable):
                silent, quiet_from = await store.quiet(self._database)
                metrics.SILENT.set(silent)
                metrics.QUIET.set(max(0.0, (clock.now() - quiet_from).total_seconds()) if quiet_from else 0.0)
            await asyncio.sleep(_WATCH)

    async def _next(self) -> Sequence[_Claimed]:
        try:
            room = AT_ONCE - self._under_way
            return await self._claim(room) if room and await store.is_any_due(self._database) else []
        except Unavailable:
            return []

    async def _claim(self, limit: int) -> list[_Claimed]:
        async with self._database.transaction(_CAUSE) as tx:
            found = []
            for row in await store.due(tx, limit):
                row.claim, row.next_run_at = new_id(), tx.recorded_at + self._lost_after
                await store.save(tx, row)
                secrets = await store.secrets_of(tx, row.name)
                found.append(_Claimed(FeedRow(**row.model_dump()), self._peer(row.url, secrets)))
        return found

    async def _turn(self, claimed: _Claimed) -> None:
        try:
            await self._exchange(claimed)
        finally:
            self._under_way -= 1
            self._done.set()

    async def _exchange(self, claimed: _Claimed) -> None:
        """One exchange, and what came of it; where the database is away, it counts as lost and is made again."""
        row = claimed.row
        with (
            telemetry.span(f"feed {claimed.direction}", kind=SpanKind.CLIENT, attributes={"feed": row.name}),
            suppress(Unavailable),
        ):
            try:
                await self._made(claimed)
                outcome = "good"
            except ExchangeError as error:
                log.warning("feed: no exchange", extra={"feed": row.name, "why": error.en})
                outcome = await self._failed(row, error)
            except Unavailable:
                raise
            except Exception:
                log.exception("feed: exchange failed", extra={"feed": row.name})
                outcome = await self._failed(row, _UNEXPECTED)
            metrics.EXCHANGES.labels(claimed.direction, outcome).inc()

    async def _made(self, claimed: _Claimed) -> None:
        if claimed.row.direction == feed_pb2.FEED_DIRECTION_IN:
            await self._taking.exchange(claimed.row, claimed.peer)
        else:
            await self._giving.exchange(claimed.row, claimed.peer)

    async def _failed(self, given: FeedRow, error: ExchangeError) -> str:
        async with self._database.transaction(settling.cause_of(given)) as tx:
            if row := await store.claimed(tx, given):
                await settling.failed(tx, row, error)
        return "failed"
