"""Consuming: CPU an event, from the first batch on, until the last is committed.

The floor is a FastStream batch subscriber as it comes (its own parser), with an empty handler, one bare upsert of the
batch's keys and versions, and one commit of the offsets a batch. Ours is the service's consumer with an empty handler of mode
`effect`. Both read the same records, `read_committed`, 500 in a batch at most. The floor leaves out: decoding the message,
the lock on the keys before they are handled, skipping by version, dead letters, spans, metrics, the watchdog, the pace.
"""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import asyncpg
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.security import SASLScram512

from bench import ground
from bench.ground import Ground, Store
from bench.measure import Metric, Result, Taken, Watch, interleaved
from chassis import relay
from chassis.consumer import Consumers
from chassis.database import Tx
from chassis.handling import Handling, Listen
from chassis.kafka import KafkaAccess, transactional_producer
from chassis.lanes import BATCH
from chassis.record import RawRecord, Record
from chassis.relay import StoredEvent

METRIC = Metric("consume, CPU", "µs/event", lambda taken: taken.cpu_each, goal=1.5)
_EVENTS = 100_000
_UPSERT = """
INSERT INTO applied (consumer_group, topic, key, version)
SELECT $1, $2, key, max(version) FROM unnest($3::text[], $4::bigint[]) AS n (key, version) GROUP BY key
ON CONFLICT (consumer_group, topic, key) DO UPDATE SET version = greatest(applied.version, excluded.version)
"""
_STORED = (0, 1, 2, 3, 4, 5, 11, 12)  # columns of the event store that the relay reads
_number = itertools.count(1)


class _Counter:
    """Measures from the first record to the last of so many."""

    def __init__(self, count: int) -> None:
        self._count = self._left = count
        self._watch: Watch | None = None
        self.taken: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()

    def begin(self) -> None:
        self._watch = self._watch or Watch()

    def end(self, records: int) -> None:
        self._left -= records
        if self._left <= 0 and self._watch and not self.taken.done():
            self.taken.set_result(self._watch.taken(self._count))


class _Observed(Handling):
    """The chassis' own, counted."""

    counter: _Counter

    async def batch(self, raws: Sequence[RawRecord]) -> None:
        self.counter.begin()
        await super().batch(raws)
        self.counter.end(len(raws))


async def ours(store: Store, kafka: KafkaAccess, topic: str, count: int) -> Taken:
    """A turn of the service's consumer, in a group of its own."""
    service = f"bench{next(_number)}"
    handling = _Observed(service, Listen(topic, "consume", _nothing), store.database, (1.0,))
    handling.counter = _Counter(count)
    consumers = Consumers(service, "0", kafka, store.database, [handling])
    running = asyncio.create_task(consumers.run())
    try:
        return await handling.counter.taken
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await consumers.stop()


async def _nothing(tx: Tx, record: Record) -> None:
    """The empty handler."""


async def floor(store: Store, kafka: KafkaAccess, topic: str, count: int) -> Taken:
    """A turn of the bare subscriber, in a group of its own."""
    group, counter = f"bench.floor{next(_number)}", _Counter(count)
    security = SASLScram512(kafka.username or "", kafka.password or "", use_ssl=False)
    broker = KafkaBroker(
        kafka.bootstrap, security=security, allow_auto_create_topics=False, apply_types=False, decoder=_whole, logger=None
    )

    async def handle(message: KafkaMessage) -> None:
        counter.begin()
        await _upsert(store.connection, group, topic, message.raw_message)
        await message.ack()
        counter.end(len(message.raw_message))

    broker.subscriber(
        topic,
        batch=True,
        group_id=group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        ack_policy=AckPolicy.MANUAL,
        max_records=BATCH,
    )(handle)
    await broker.start()
    try:
        return await counter.taken
    finally:
        await broker.stop()


async def _whole(message: KafkaMessage) -> KafkaMessage:
    return message


async def _upsert(connection: "asyncpg.Connection[asyncpg.Record]", group: str, topic: str, records: Any) -> None:
    keys = [one.key.decode() for one in records]
    versions = [int(next(value for name, value in one.headers if name == "ce_sequence")) for one in records]
    await connection.execute(_UPSERT, group, topic, keys, versions)


async def _fill(kafka: KafkaAccess, topic: str, count: int) -> None:
    """Put events on the topic, as the relay does."""
    rows = ground.invented(topic, count)
    events = [StoredEvent(*(row[column] for column in _STORED)) for row in rows]
    producer = transactional_producer(kafka, "bench-consume")
    await producer.start()
    try:
        for first in range(0, count, relay.BATCH):
            await relay.send(producer, events[first : first + relay.BATCH])
    finally:
        await producer.stop()


async def run(given: Ground) -> list[Result]:
    """Measure."""
    topic = await ground.topic(given.platform, "consume")
    count = given.some(_EVENTS)
    await _fill(given.kafka, topic, count)
    async with ground.store(given.platform, "consume") as store:
        sides = (partial(floor, store, given.kafka, topic, count), partial(ours, store, given.kafka, topic, count))
        return [await interleaved(METRIC, *sides, given.rounds)]
