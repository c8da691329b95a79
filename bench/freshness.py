"""Freshness 时效: from the call that publishes a listing to its first proposal in `ListMatches`, with postings held.

    python -m bench.freshness [--rate 20] [--seconds 15] [--rounds 5]

Brings up a platform of its own, has the command line import the sample postings (`ALLIANCE_SAMPLE_DATA`; 5,000 invented
ones without it), then publishes supplies at a fixed rate, whether or not earlier ones are through (open loop). The bare
floor, in turn with it and at the same rate: one row committed, one record acknowledged by Kafka, read by a consumer, one
row committed, read back; the same PostgreSQL and Kafka, no framework. Each side is asked every 50 ms for what it waits for.
"""

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import asyncpg
import grpc
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from rich.console import Console
from rich.table import Table

from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform, temporary
from alliance_local.kafka import ADMIN
from alliance_local.postgres import Postgres
from tests import world
from tests.world import Member

_ASK = 0.05  # seconds between two looks
_WATCHED = 10  # every how many-th publication is looked for; all of them are in the service's own histogram
_PATIENCE = 20.0  # seconds until a publication counts as lost
_TOPIC = "bench.floor"
_WORDS = ("Java开发", "数据分析", "软件测试", "嵌入式开发", "前端开发", "运维开发", "产品经理")
_console = Console(width=None if sys.stdout.isatty() else 140)
Once = Callable[[int], Coroutine[None, None, float]]
"""One publication; the seconds until it could be read, or 0 where nobody looked."""


class Floor:
    """What a publication costs with nothing but a driver for each part."""

    def __init__(self, pool: asyncpg.Pool, producer: AIOKafkaProducer) -> None:
        self._pool = pool
        self._producer = producer

    async def once(self, _: int) -> float:
        """One row, one record, one row."""
        began, name = time.monotonic(), uuid4().hex
        await self._pool.execute("INSERT INTO source (name) VALUES ($1)", name)
        await self._producer.send_and_wait(_TOPIC, name.encode())
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
        word = _WORDS[number % len(_WORDS)]
        listing = world.talent(self._college.name, world.unique(f"{word}方向毕业生"))
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
    """Seconds until `look` finds something."""
    while not await look():
        if time.monotonic() - began > _PATIENCE:
            raise AssertionError("a publication never came through")
        await asyncio.sleep(_ASK)
    return time.monotonic() - began


async def _paced(once: Once, rate: float, count: int) -> list[float]:
    """Begin `count` publications at a fixed rate; the delays of those that were looked for."""
    began, tasks = time.monotonic(), list[asyncio.Task[float]]()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(once(number)))
    return [delay for delay in await asyncio.gather(*tasks) if delay]


@asynccontextmanager
async def _floor(platform: Platform) -> AsyncIterator[Floor]:
    """Tables and a topic of the benchmark's own."""
    postgres, access = Postgres(platform.state), platform.kafka(ADMIN)
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await superuser.execute("CREATE DATABASE bench")
    await superuser.close()
    admin = AIOKafkaAdminClient(**access.options())
    await admin.start()
    await admin.create_topics([NewTopic(_TOPIC, 1, 1)])
    await admin.close()
    consumer = AIOKafkaConsumer(_TOPIC, **access.options(), auto_offset_reset="earliest")
    producer = AIOKafkaProducer(**access.options(), acks="all")
    async with asyncpg.create_pool(postgres.url("bench", "postgres"), min_size=2, max_size=4) as pool:
        await pool.execute("CREATE TABLE source (name text PRIMARY KEY); CREATE TABLE target (name text PRIMARY KEY)")
        await consumer.start()
        await producer.start()
        floor = Floor(pool, producer)
        consuming = asyncio.create_task(floor.consume(consumer))
        try:
            yield floor
        finally:
            consuming.cancel()
            await producer.stop()
            await consumer.stop()


def _hold(platform: Platform, root: Path) -> int:
    """Have the command line import the postings; returns how many are published."""
    employer = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    data = os.environ.get("ALLIANCE_SAMPLE_DATA")
    file = Path(data) / "data/texts/zh_job_postings_sample.csv.gz" if data else _invented(root)
    environment = {**os.environ, "ALLIANCE_STATE_DIR": str(platform.state.root), "ALLIANCE_SESSION": str(root / "session")}

    def alliance(*arguments: str) -> None:
        command = [str(Path(sys.executable).parent / "alliance"), *arguments]
        subprocess.run(command, check=False, env=environment)  # noqa: S603 - our own program; 1 says that rows were refused

    alliance("login", employer.caller.sub, "--as", employer.name)
    options = ["--kind", "job_position", "--map", "zh_job_postings", "--receipts", str(root / "receipts.csv")]
    alliance("listing", "import", str(file), *options)
    request = matching.SearchListingsRequest(issuer=employer.name, page_size=1)
    world.settle(platform)
    return int(employer.caller.matching.SearchListings(request).total_size)


def _invented(root: Path) -> Path:
    file = root / "postings.csv"
    rows = [
        f"invented-{number},{_WORDS[number % len(_WORDS)]}工程师,负责{_WORDS[number % len(_WORDS)]}工作,虚构"
        for number in range(5000)
    ]
    file.write_text("\n".join(["job_id,title,description,source", *rows]), encoding="utf-8")
    return file


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


def _show(rounds: list[tuple[list[float], list[float]]], histogram: str) -> None:
    """A line a round: p50 and p99 of both sides and their ratio; then the spread."""
    table = Table("", "floor p50", "floor p99", "platform p50", "platform p99", "ratio p50", "ratio p99")
    figures = []
    for number, (bare, ours) in enumerate(rounds, 1):
        values = [_at(bare, 50), _at(bare, 99), _at(ours, 50), _at(ours, 99)]
        figures.append([*values, values[2] / values[0], values[3] / values[1]])
        table.add_row(str(number), *(f"{1000 * one:.0f} ms" for one in values), *(f"{one:.1f}" for one in figures[-1][4:]))
    spread = [(statistics.median(column), min(column), max(column)) for column in zip(*figures, strict=True)]
    table.add_section()
    cells = [f"{1000 * mid:.0f} ({1000 * low:.0f}–{1000 * high:.0f}) ms" for mid, low, high in spread[:4]]
    table.add_row("median", *cells, *(f"{mid:.1f} ({low:.1f}–{high:.1f})" for mid, low, high in spread[4:]))
    _console.print(table)
    _console.print(histogram)


def _at(delays: list[float], percent: int) -> float:
    return statistics.quantiles(delays, n=100, method="inclusive")[percent - 1]


async def _run(platform: Platform, rate: float, seconds: float, count: int) -> None:
    college = await asyncio.to_thread(world.organization, platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    await asyncio.to_thread(world.settle, platform)
    publications = int(rate * seconds)
    rounds = []
    async with _floor(platform) as floor:
        publishing = Publishing(platform, college)
        before = _histogram(platform)
        for number in range(count):
            await publishing.prepare(publications)
            await asyncio.to_thread(world.settle, platform)
            bare = await _paced(floor.once, rate, publications)
            ours = await _paced(publishing.once, rate, publications)
            rounds.append((bare, ours))
            _console.print(f"round {number + 1}: p99 {_at(bare, 99):.3f} s bare, {_at(ours, 99):.3f} s")
        after = _histogram(platform)
    middle, end = _quantile(before, after, 0.5), _quantile(before, after, 0.99)
    _show(rounds, f"alliance_matching_freshness_seconds: p50 {middle}, p99 {end}, {count * publications} publications")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=20.0, help="publications a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of a round's side")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--traces", default="0.1", help="share of the traces that are recorded")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="alliance-bench-") as folder:
        root = Path(folder)
        sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": given.traces}
        with temporary(root / "state", _console.print, **sampler) as platform:
            _console.print(f"{_hold(platform, root)} postings held")
            asyncio.run(_run(platform, given.rate, given.seconds, given.rounds))


if __name__ == "__main__":
    main()
