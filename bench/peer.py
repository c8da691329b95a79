"""The relay against a peer: faststream-outbox, a transactional outbox on PostgreSQL that FastStream relays to Kafka.

The same events in its own table (payload and headers), the same broker, `acks=all`; a turn begins when they are committed and
the peer has been notified as it notifies itself, and ends when its table is empty. Twice: with one worker, which is what it
takes to keep the order per key, and with many. Batches of its claims and deletes are as large as ours. At the end both
topics are read, and the keys counted that a lower version reached after a higher one.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream.kafka import KafkaBroker, KafkaResponse
from faststream.security import SASLScram512
from faststream_outbox import OutboxBroker, make_outbox_table
from faststream_outbox.annotations import OutboxMessage
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from bench import ground, relay
from bench.ground import PARTITIONS, Ground
from bench.measure import Metric, Result, Taken, Watch, interleaved, say
from chassis.database import async_url
from chassis.kafka import KafkaAccess
from chassis.relay import BATCH

_EVENTS = 5_000  # a turn
_WORKERS = (1, 32)
_TABLE, _QUEUE = "peer", "events"
_LOOK = 0.02  # seconds between looks at whether the peer's table is empty
_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM peer)"


def _metric(workers: int) -> Metric:
    name = f"relay against a peer with {workers} worker{'s' if workers > 1 else ''}"
    return Metric(name, "events/s", lambda taken: taken.rate, goal=1, at_least=True, floor="peer")


@asynccontextmanager
async def _relaying(url: str, kafka: KafkaAccess, topic: str, workers: int) -> AsyncIterator[None]:
    """The peer at work on its table, as its manual wires it."""
    table = make_outbox_table(MetaData(), table_name=_TABLE)
    engine = create_async_engine(async_url(url), pool_size=workers + 4)
    async with engine.begin() as connection:
        await connection.run_sync(table.metadata.create_all)
    security = SASLScram512(kafka.username or "", kafka.password or "", use_ssl=False)
    broker = KafkaBroker(kafka.bootstrap, security=security, acks="all", allow_auto_create_topics=False, logger=None)
    outbox = OutboxBroker(engine, outbox_table=table, logger=None)

    @broker.publisher(topic)
    @outbox.subscriber(
        _QUEUE,
        max_workers=workers,
        fetch_batch_size=BATCH,
        terminal_flush_batch_size=BATCH,
        min_fetch_interval=0.05,
        max_fetch_interval=0.1,
    )
    async def forward(body: bytes, message: OutboxMessage) -> KafkaResponse:
        return KafkaResponse(body, key=message.headers["ce_subject"].encode(), headers=dict(message.headers))

    await broker.connect()
    await outbox.start()
    try:
        yield
    finally:
        await outbox.stop()
        await broker.stop()
        await engine.dispose()


async def _peer(given: Ground, topic: str, count: int, workers: int) -> Taken:
    """A turn of the peer, in a new database."""
    async with ground.store(given.platform, "peer") as store, _relaying(store.owner, given.kafka, topic, workers):
        connection = await asyncpg.connect(store.owner)
        try:
            await _put(connection, topic, count // 10)
            await _until_empty(connection)
            await _put(connection, topic, count)
            watch = Watch()
            await _until_empty(connection)
            return watch.taken(count)
        finally:
            await connection.close()


async def _put(connection: "asyncpg.Connection[asyncpg.Record]", topic: str, count: int) -> None:
    """Enter events in one transaction, and notify."""
    names = ("id", "topic", "key", "version", "type", "payload", "traceparent", "recorded_at")
    rows = [dict(zip(names, (*row[:6], row[11], row[12]), strict=True)) for row in ground.invented(topic, count)]
    sent = [(row["payload"], {name: value.decode() for name, value in relay.headers(row)}) for row in rows]
    async with connection.transaction():
        records = [(_QUEUE, payload, json.dumps(headers)) for payload, headers in sent]
        await connection.copy_records_to_table(_TABLE, records=records, columns=("queue", "payload", "headers"))
        await connection.execute("SELECT pg_notify($1, $2)", f"outbox_{_TABLE}", _QUEUE)


async def _until_empty(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    while not await connection.fetchval(_EMPTY):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(_LOOK)


async def _out_of_order(kafka: KafkaAccess, topic: str) -> str:
    """How many keys of a topic a lower version reached after a higher one."""
    consumer = AIOKafkaConsumer(**kafka.options(), isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends, highest, wrong = await consumer.end_offsets(places), defaultdict[bytes, int](int), set[bytes]()
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for one in records:
                    version = int(dict(one.headers)["ce_sequence"])
                    if version < highest[one.key]:
                        wrong.add(one.key)
                    highest[one.key] = max(version, highest[one.key])
    finally:
        await consumer.stop()
    return f"{len(wrong):,} of {len(highest):,} keys out of order"


async def run(given: Ground) -> list[Result]:
    """Measure."""
    platform, kafka, count = given.platform, given.kafka, given.some(_EVENTS)
    results = []
    async with ground.store(platform, "peer_ours") as store:
        for workers in _WORKERS:
            theirs, own = await ground.topic(platform, "theirs"), await ground.topic(platform, "ours")
            sides = (partial(_peer, given, theirs, count, workers), partial(relay.ours, store, kafka, own, count))
            results.append(await interleaved(_metric(workers), *sides, given.rounds))
            say(f"{workers} workers: peer {await _out_of_order(kafka, theirs)}, ours {await _out_of_order(kafka, own)}")
    return results
