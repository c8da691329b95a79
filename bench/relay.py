"""Relay throughput: events a second from a queue that is full, through Kafka transactions, until their places are deleted.

The floor is a bare loop over the same rows, in the same process, one at a time: scan of the queue with its events,
`send_batch` a partition in one Kafka transaction, one delete a batch. It writes the same records (key, value, all headers)
with the same producer (`acks=all`, transactional), in order per key. It leaves out: lease, parked rows and the look for
low sequences that committed late, Kafka's own choice of the partition (it takes a CRC), spans, metrics, errors.
"""

import asyncio
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from bench import ground
from bench.ground import PARTITIONS, Ground, Store
from bench.measure import Metric, Result, Taken, Watch, interleaved
from chassis.kafka import KafkaAccess, transactional_producer
from chassis.relay import BATCH, Relay

METRIC = Metric("relay throughput", "events/s", lambda taken: taken.rate, goal=0.5, at_least=True)
_EVENTS = 20_000  # a turn
_WARM = 2 * BATCH  # events published before the clock starts
_LOOK = 0.01  # seconds
_NEXT = """
SELECT o.seq, e.id, e.topic, e.key, e.version, e.type, e.payload, e.traceparent, e.recorded_at
FROM outbox o JOIN event e ON e.id = o.event_id ORDER BY o.seq LIMIT $1
"""
_DELETE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"


class Observed(Relay):
    """The service's own relay, which says when it has got how far."""

    acknowledged_at = 0.0
    """When the broker last committed a batch, in `time.monotonic`."""
    _left = 0
    _done_with = asyncio.Event()

    def expect(self, count: int) -> asyncio.Event:
        """Set once so many more events are published and off the queue."""
        self._left, self._done_with = count, asyncio.Event()
        return self._done_with

    async def _done(self, sequence: list[int]) -> None:
        self.acknowledged_at = time.monotonic()
        await super()._done(sequence)
        self._left -= len(sequence)
        if self._left <= 0:
            self._done_with.set()


@asynccontextmanager
async def leading(store: Store, kafka: KafkaAccess) -> AsyncIterator[Observed]:
    """The service's own relay at work on a store."""
    relay = Observed(store.name, store.database, kafka)
    running = asyncio.create_task(relay.run())
    try:
        while not REGISTRY.get_sample_value("alliance_relay_leader"):  # noqa: ASYNC110 - it tells nobody else
            await asyncio.sleep(_LOOK)
        yield relay
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await relay.stop()


async def ours(store: Store, kafka: KafkaAccess, topic: str, count: int) -> Taken:
    """A turn of the service's own relay, from the commit of the events on."""
    async with leading(store, kafka) as relay:
        warm = relay.expect(_WARM)
        await store.put(topic, _WARM)
        await warm.wait()
        done = relay.expect(count)
        await store.put(topic, count)
        watch = Watch()
        store.database.woken()
        await done.wait()
        return watch.taken(count)


async def floor(store: Store, kafka: KafkaAccess, topic: str, count: int) -> Taken:
    """A turn of the bare loop."""
    producer = transactional_producer(kafka, f"floor-{store.name}")
    await producer.start()
    try:
        await store.put(topic, _WARM)
        await _drain(store.connection, producer)
        await store.put(topic, count)
        watch = Watch()
        await _drain(store.connection, producer)
        return watch.taken(count)
    finally:
        await producer.stop()


async def _drain(connection: "asyncpg.Connection[asyncpg.Record]", producer: AIOKafkaProducer) -> None:
    """Publish until the queue is empty."""
    while rows := await connection.fetch(_NEXT, BATCH):
        async with producer.transaction():
            batches = _batches(producer, rows)
            await asyncio.gather(
                *[await producer.send_batch(batch, topic, partition=partition) for topic, partition, batch in batches]
            )
        await connection.execute(_DELETE, [row["seq"] for row in rows])


def _batches(producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> list[tuple[str, int, Any]]:
    batches: dict[tuple[str, int], Any] = defaultdict(producer.create_batch)
    for row in rows:
        key = row["key"].encode()
        batch = batches[row["topic"], zlib.crc32(key) % PARTITIONS]
        batch.append(timestamp=None, key=key, value=row["payload"], headers=headers(row))
    for batch in batches.values():
        batch.close()
    return [(topic, partition, batch) for (topic, partition), batch in batches.items()]


def headers(row: Mapping[str, Any] | asyncpg.Record) -> list[tuple[str, bytes]]:
    """The headers that the relay writes."""
    key, trace = row["key"].encode(), row["traceparent"].encode()
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(row["id"]).encode()),
        ("ce_source", b"//alliance/listings"),
        ("ce_type", row["type"].encode()),
        ("ce_subject", key),
        ("ce_partitionkey", key),
        ("ce_time", row["recorded_at"].isoformat().encode()),
        ("ce_dataschema", b"alliance.listings.v1.ListingEvent"),
        ("ce_sequence", b"%d" % row["version"]),
        ("content-type", b"application/protobuf"),
        ("ce_traceparent", trace),
        ("traceparent", trace),
    ]


async def run(given: Ground) -> list[Result]:
    """Measure."""
    topic = await ground.topic(given.platform, "relay")
    count = given.some(_EVENTS)
    async with ground.store(given.platform, "bare") as bare, ground.store(given.platform, "relay") as own:
        sides = (partial(floor, bare, given.kafka, topic, count), partial(ours, own, given.kafka, topic, count))
        return [await interleaved(METRIC, *sides, given.rounds)]
