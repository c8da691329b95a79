"""Commit → broker's acknowledgement, one event at a time, p99, on an idle platform.

The floor is `begin, send, commit` of a transactional producer: the same record, without a database. It leaves out: the look
at the queue after the commit, the event's row, the lease. Both wait for a random time between two events, as single
commands do: without it, both would meet what the broker still does for the transaction before. CPU is that of this process.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from bench import ground, relay
from bench.ground import CAUSE, PARTITIONS, Ground, Store
from bench.measure import Metric, Result, Taken, Watch, interleaved
from chassis.ids import new_id, resource
from chassis.kafka import KafkaAccess, partition_of, transactional_producer

METRIC = Metric("commit → ack, p99", "ms", lambda taken: taken.delay(99), goal=3, limit=60)
_EVENTS = 200  # a turn
_PAUSE = 0.1  # seconds between two events, at most


async def ours(store: Store, kafka: KafkaAccess, topic: str, count: int) -> Taken:
    """From the commit of a transaction with one event to the broker's commit."""

    async def one() -> float:
        done = led.expect(1)
        async with store.database.transaction(CAUSE) as tx:
            tx.emit(topic, resource("listings"), 1, "created", ground.event())
        committed = time.monotonic()
        await done.wait()
        return led.acknowledged_at - committed

    async with relay.leading(store, kafka) as led:
        return await _one_by_one(one, count)


async def floor(kafka: KafkaAccess, topic: str, count: int) -> Taken:
    """From `begin` to the end of `commit`."""
    producer = transactional_producer(kafka, "bench-ack-floor")

    async def one() -> float:
        key = resource("listings")
        values = {"id": new_id(), "key": key, "version": 1, "type": "created", "traceparent": "", "recorded_at": now}
        began = time.monotonic()
        async with producer.transaction():
            sent = relay.headers(values)
            await producer.send_and_wait(topic, value, key.encode(), partition_of(key, PARTITIONS), headers=sent)
        return time.monotonic() - began

    value, now = ground.event().SerializeToString(), datetime.now(UTC)
    await producer.start()
    try:
        return await _one_by_one(one, count)
    finally:
        await producer.stop()


async def _one_by_one(once: Callable[[], Awaitable[float]], count: int) -> Taken:
    for _ in range(5):  # what a new producer asks first
        await once()
    watch, delays = Watch(), list[float]()
    for _ in range(count):
        await asyncio.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - no secret
        delays.append(await once())
    return watch.taken(count, delays)


async def run(given: Ground) -> list[Result]:
    """Measure."""
    topic = await ground.topic(given.platform, "ack")
    count = given.some(_EVENTS)
    async with ground.store(given.platform, "ack") as store:
        sides = (partial(floor, given.kafka, topic, count), partial(ours, store, given.kafka, topic, count))
        return [await interleaved(METRIC, *sides, given.rounds)]
