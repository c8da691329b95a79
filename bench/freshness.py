"""Freshness 时效: from the call that publishes a listing to its first proposal in `ListMatches`, with 20,000 postings held.

All five services run, and the command line has imported the postings. Supplies are published at a fixed rate, whether or not
earlier ones are through (open loop). The floor is the sum of the bare hops, in turn with it and at the same rate: one row
committed, one Kafka transaction with one record, read by a `read_committed` consumer, one row committed, read back; the same
PostgreSQL and Kafka, no framework. It leaves out: both calls, the event store and its queue, search and scores, ten proposals
and their events, and the services that hear of all this on the same cores. Each side is asked every 50 ms for what it waits
for. CPU a publication is that of all five services; on the other side that of this process, which also asks.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import asyncpg
import grpc
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from alliance.registry.v1 import organization_pb2
from alliance_local.clock import Clocks
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from bench import ground, postings
from bench.ground import Ground
from bench.measure import Metric, Result, Spread, Taken, Watch, interleaved, say
from chassis.kafka import transactional_producer
from tests import world
from tests.world import Member

METRIC = Metric("publish → proposal, p99", "ms", lambda taken: taken.delay(99), goal=3, limit=1000)
_HELD = 20_000  # postings
_RATE = 20.0  # publications a second
_SECONDS = 15  # of a turn
_ASK = 0.05  # seconds between two looks
_WATCHED = 10  # every how many-th publication of the platform is looked for; all are in the service's own histogram
_SETTLE = 600.0  # seconds that what an import brings may take
_PATIENCE = 20.0  # seconds after which nobody looks any more; that is its delay then
Once = Callable[[int], Coroutine[None, None, float]]
"""One publication; the seconds until it could be read, or 0 where nobody looked."""


class Floor:
    """What a publication costs with nothing but a driver for each part."""

    def __init__(self, pool: asyncpg.Pool, producer: AIOKafkaProducer, topic: str) -> None:
        self._pool = pool
        self._producer = producer
        self._topic = topic
        self._free = asyncio.Lock()  # a producer has one transaction at a time

    async def once(self, _: int) -> float:
        """One row, one record, one row."""
        began, name = time.monotonic(), uuid4().hex
        await self._pool.execute("INSERT INTO source (name) VALUES ($1)", name)
        async with self._free, self._producer.transaction():
            await self._producer.send_and_wait(self._topic, name.encode(), name.encode())
        return await _seen(began, lambda: self._pool.fetchval("SELECT 1 FROM target WHERE name = $1", name))

    async def consume(self, consumer: AIOKafkaConsumer) -> None:
        """The other side, until cancelled."""
        async for record in consumer:
            await self._pool.execute("INSERT INTO target (name) VALUES ($1)", record.value.decode())


class Publishing:
    """The platform's side: drafts that are published one by one."""

    def __init__(self, platform: Platform, college: Member) -> None:
        self._token = platform.token(college.caller.sub, college.name)
        self._college = college
        self._listings = ListingsServiceStub(grpc.aio.insecure_channel(platform.target("listings")))
        self._matching = MatchingServiceStub(grpc.aio.insecure_channel(platform.target("matching")))
        self._drafts: list[str] = []

    async def prepare(self, count: int) -> None:
        """Enter drafts."""
        self._drafts = [await self._draft(number) for number in range(count)]

    async def _draft(self, number: int) -> str:
        word = postings.WORDS[number % len(postings.WORDS)]
        listing = world.talent(self._college.name, f"{word}方向毕业生")  # a marker in it would be words that no post has
        listing.description = f"{word}实训一年，熟悉{word}常用工具"
        listing.talent_supply.skills[:] = [word]
        request = listings.CreateListingRequest(listing=listing, request_id=str(uuid4()))
        return (await self._listings.CreateListing(request, metadata=self._metadata())).name

    async def once(self, number: int) -> float:
        """Publish one; every so many-th is looked for."""
        name, began = self._drafts[number], time.monotonic()
        await self._listings.PublishListing(
            listings.PublishListingRequest(name=name, request_id=str(uuid4())), metadata=self._metadata()
        )
        if number % _WATCHED:
            return 0.0
        request = matching.ListMatchesRequest(listing=name, page_size=1)

        async def proposed() -> bool:
            return bool((await self._matching.ListMatches(request, metadata=self._metadata())).matches)

        return await _seen(began, proposed)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._token}"),)


async def _seen(began: float, look: Callable[[], Coroutine[None, None, object]]) -> float:
    """Seconds until `look` finds something, or nobody waits any more."""
    while not await look() and time.monotonic() - began < _PATIENCE:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(_ASK)
    return time.monotonic() - began


async def _paced(once: Once, count: int, *pids: int) -> Taken:
    """Begin so many publications at a fixed rate; the delays of those that were looked for. CPU is that of this process, or of
    those that are named.
    """
    began, tasks, watches = time.monotonic(), list[asyncio.Task[float]](), [Watch(pid) for pid in pids or (None,)]
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / _RATE - time.monotonic()))
        tasks.append(asyncio.create_task(once(number)))
    delays = [delay for delay in await asyncio.gather(*tasks) if delay]
    return Taken(count, time.monotonic() - began, sum(watch.taken(count).cpu for watch in watches), delays)


@asynccontextmanager
async def _floor(given: Ground) -> AsyncIterator[Floor]:
    """Tables and a topic of the benchmark's own."""
    kafka, topic = given.kafka, await ground.topic(given.platform, "freshness")
    options = {"auto_offset_reset": "earliest", "isolation_level": "read_committed"}
    consumer = AIOKafkaConsumer(topic, **kafka.options(), **options)
    producer = transactional_producer(kafka, "bench-freshness")
    async with (
        ground.store(given.platform, "freshness") as store,
        asyncpg.create_pool(store.owner, min_size=2, max_size=4) as pool,
    ):
        await pool.execute("CREATE TABLE source (name text PRIMARY KEY); CREATE TABLE target (name text PRIMARY KEY)")
        await consumer.start()
        await producer.start()
        floor = Floor(pool, producer, topic)
        consuming = asyncio.create_task(floor.consume(consumer))
        try:
            yield floor
        finally:
            consuming.cancel()
            await producer.stop()
            await consumer.stop()


def _hold(platform: Platform, count: int) -> int:
    """Have the command line import postings; returns how many are published."""
    employer = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    with tempfile.TemporaryDirectory(prefix="alliance-bench-") as folder:
        file = Path(folder) / "postings.csv"
        say(f"importing {count:,} {postings.write(file, count)}")
        postings.hold(platform, employer, file, Path(folder))
    request = matching.SearchListingsRequest(issuer=employer.name, page_size=1)
    _settle(platform)
    return int(employer.caller.matching.SearchListings(request).total_size)


def _settle(platform: Platform) -> None:
    """Wait until no service has anything left to do."""
    with Clocks(platform, SERVICES) as clocks:
        clocks.settle(_SETTLE)


async def _published(platform: Platform, publishing: Publishing, count: int) -> Taken:
    """A turn of the platform: drafts that wait until all is at rest, and are published."""
    await publishing.prepare(count)
    await asyncio.to_thread(_settle, platform)
    parts = platform.parts()
    return await _paced(publishing.once, count, *(int(parts[service]["pid"]) for service in SERVICES))


def _histogram(platform: Platform) -> list[tuple[float, float]]:
    """Upper bounds and cumulative counts of matching's freshness."""
    address = f"http://127.0.0.1:{platform.port('matching_metrics')}/metrics"
    text = urlopen(address, timeout=5).read().decode()
    found = re.findall(r'alliance_matching_freshness_seconds_bucket{le="([^"]+)"} (\S+)', text)
    return [(float(bound), float(count)) for bound, count in found]


def _quantile(before: list[tuple[float, float]], after: list[tuple[float, float]], share: float) -> str:
    """The bucket in which a quantile of what came between lies, as `≤ bound`."""
    counts = [(bound, count - earlier) for (bound, count), (_, earlier) in zip(after, before, strict=True)]
    wanted = counts[-1][1] * share
    return f"≤ {next(bound for bound, count in counts if count >= wanted):g} s"


async def run(given: Ground) -> list[Result]:
    """Measure."""
    platform, count = given.platform, max(_WATCHED * 2, given.some(int(_RATE * _SECONDS)))
    say(f"{await asyncio.to_thread(_hold, platform, given.some(_HELD)):,} postings held")
    college = await asyncio.to_thread(world.organization, platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    await asyncio.to_thread(_settle, platform)
    async with _floor(given) as floor:
        publishing, before = Publishing(platform, college), _histogram(platform)
        sides = (partial(_paced, floor.once, count), partial(_published, platform, publishing, count))
        result = await interleaved(METRIC, *sides, given.rounds)
    after = _histogram(platform)
    middle, end = _quantile(before, after, 0.5), _quantile(before, after, 0.99)
    say(f"alliance_matching_freshness_seconds, warm-up included: p50 {middle}, p99 {end}")
    p50 = [Spread.of([taken.delay(50) for taken in side]) for side in (result.floor, result.ours)]
    say(f"p50: floor {p50[0]} ms, ours {p50[1]} ms")
    return [result]
