"""Two replicas of matching beside one: changes scored a second, of demands and, apart, of supplies.

Each replica is a process of the service as it is, on a database of the benchmark's own; listings are put on their topic as
the service listings puts them there. Posts and graduates are those of the sample data (`bench.drawn`), with names of
their own: all texts have been met before, so that no vector is made, which replicas divide anyway. A turn publishes
changes at once and ends when every share has seen them. Both replicas take every listing into their index; only
scoring is divided. PostgreSQL, Kafka and this process are on the same cores.
"""

import itertools
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from alliance.listings.v1 import events_pb2, listing_pb2
from alliance_local.control import Platform
from bench import ground
from bench.drawn import graduates, sample_postings
from bench.ground import Ground, Store
from bench.measure import Metric, Result, Taken, Watch, interleaved, say
from bench.process import Serving, serving
from chassis import topics
from chassis.ids import new_id
from chassis.kafka import transactional_producer
from chassis.relay import StoredEvent, send
from matching.domain.shares import SHARES
from tests.waiting import until

_HELD = 2000  # of either side
_CHANGES = 600  # of a turn
_TOPIC = "alliance.internal.listings.listing.v1"
_TOGETHER = 200  # records of a Kafka transaction
_PATIENCE = 600.0  # seconds that a turn may take
_numbers = itertools.count()


def _metric(what: str) -> Metric:
    return Metric(f"two replicas, {what}", "changes/s", lambda taken: taken.rate, goal=1.8, at_least=True, floor="one replica")


class Side:
    """Published listings of one side, again and again with other names."""

    def __init__(self, listings: Sequence[listing_pb2.Listing]) -> None:
        self._endless = cycle(listings)

    def some(self, count: int) -> Iterator[StoredEvent]:
        """So many more, as events."""
        for listing in islice(self._endless, count):
            listing.name = f"listings/{next(_numbers):032}"
            payload = events_pb2.ListingEvent(listing=listing).SerializeToString()
            kind = topics.load().named(_TOPIC).type_of("published")
            yield StoredEvent(new_id(), _TOPIC, listing.name, 1, kind, payload, "", datetime.now(UTC))


class Replicas:
    """One that runs all the time, a second one where it is asked for, and what they read."""

    def __init__(self, platform: Platform, store: Store, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._platform = platform
        self._store = store
        self._producer = producer
        self._consumer = consumer

    def runs(self, slot: int) -> AbstractAsyncContextManager[Serving]:
        """A replica, until the end of the context."""
        return serving(self._platform, self._store, "matching", "serve", ALLIANCE_SLOT=str(slot))

    async def one(self, side: Side, count: int, first: Serving) -> Taken:
        """Scored by the first replica alone."""
        await until(partial(self._is_divided, 1), _PATIENCE)
        return await self.scored(side, count, first)

    async def two(self, side: Side, count: int, first: Serving) -> Taken:
        """Scored by both."""
        async with self.runs(1) as second:
            await until(partial(self._is_divided, 2), _PATIENCE)
            return await self.scored(side, count, first, second)

    async def scored(self, side: Side, count: int, *by: Serving) -> Taken:
        """Publish so many, and wait until all are scored; the CPU is that of the replicas."""
        began, watches, events = time.monotonic(), [Watch(one.pid) for one in by], side.some(count)
        while some := list(islice(events, _TOGETHER)):
            await send(self._producer, some)
        await until(self._is_scored, _PATIENCE)
        return Taken(count, time.monotonic() - began, sum(watch.taken(count).cpu for watch in watches))

    async def _is_divided(self, replicas: int) -> bool:
        rows = await self._store.connection.fetch("SELECT count(*) FROM share WHERE expires_at > now() GROUP BY owner")
        return [row["count"] for row in rows] == [SHARES // replicas] * replicas

    async def _is_scored(self) -> bool:
        """Whether each share has seen the last record of each partition, behind which the mark of its transaction lies."""
        partitions = [TopicPartition(_TOPIC, number) for number in range(topics.load().named(_TOPIC).partitions)]
        ends = {str(place.partition): end - 1 for place, end in (await self._consumer.end_offsets(partitions)).items()}
        seen = [json.loads(row["seen"]) for row in await self._store.connection.fetch("SELECT seen FROM share")]
        return all(one.get(partition, 0) >= end for one in seen for partition, end in ends.items())


async def run(given: Ground) -> list[Result]:
    """Measure."""
    if not (data := os.environ.get("ALLIANCE_SAMPLE_DATA")):
        say("replicas: not measured, since ALLIANCE_SAMPLE_DATA names no folder")
        return []
    held, changes = given.some(_HELD), given.some(_CHANGES)
    demands, supplies = Side(list(sample_postings(Path(data)))[:held]), Side(list(graduates(Path(data))))
    producer = transactional_producer(given.kafka, "bench-replicas")
    async with (
        ground.store(given.platform, "replicas", "matching") as store,
        AIOKafkaConsumer(**given.kafka.options()) as consumer,
        producer,
    ):
        replicas = Replicas(given.platform, store, producer, consumer)
        async with replicas.runs(0) as first:
            for side in (supplies, demands):
                taken = await replicas.scored(side, held, first)
                say(f"{held:,} more held, {taken.rate:.0f} a second")
            return [
                await interleaved(
                    _metric(what),
                    partial(replicas.one, side, changes, first),
                    partial(replicas.two, side, changes, first),
                    given.rounds,
                )
                for what, side in (("demands", demands), ("supplies", supplies))
            ]
