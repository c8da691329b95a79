"""The relay 转发: publishes what the outbox holds, in order per aggregate, each event at least once.

One relay a service, under a lease. It reads from a floor that is only a hint, and scans the queue from its start every
2 s: a low sequence that commits late is picked up then (`seq > last` alone would lose it), or at once where a later
version of the same aggregate is already there, which must not overtake it. It produces in Kafka
transactions under `relay-<service>`, so a relay that was paused is fenced, and it deletes rows after the broker has
committed them: a crash in between publishes them twice, and consumers drop what they have applied.
"""

import asyncio
import logging
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    IllegalOperation,
    InvalidMessageError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)
from opentelemetry.trace import SpanKind

from chassis import metrics, refusals, replay, telemetry, topics
from chassis.backoff import Backoff
from chassis.crash import crash_point
from chassis.database import Cause, Database
from chassis.errors import Unavailable
from chassis.kafka import MAX_BATCH, KafkaAccess, dispose, partition_of, transactional_producer
from chassis.lease import Lease, LeaseLostError
from chassis.record import CONTENT_TYPE
from chassis.statements import Statements

log = logging.getLogger(__name__)
BATCH, BATCH_BYTES = 1000, 8 * 1024 * 1024  # events in one transaction, and bytes of their content, at most
POLL = 0.05  # seconds between looks at the queue when nothing woke the relay
FULL_SCAN = 2.0  # seconds between scans from the queue's start
REST = 0.2  # seconds of rest after a small batch, at most
SEND = 10.0  # seconds that one Kafka transaction may take; a producer that takes longer is given up
START = (2.0, 16.0)  # seconds that a producer may take to start: at first, and at most, doubled each time
REPLAYS = 0.5  # seconds between looks for a replay that was asked for
ABSENT = 5.0  # seconds between looks for a topic that there was not
_LOOK_AGAIN = 0.2  # seconds between looks that have to agree
_REFUSED = (
    CorruptRecordException,
    InvalidMessageError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)
_CONTENT_TYPE = CONTENT_TYPE.encode()

_QUEUE = "SELECT seq, event_id, key, bytes FROM outbox WHERE seq > $1 AND parked IS NULL ORDER BY seq LIMIT $2"
# The same without what stands behind a parked row of its key. Only where there is one: of a table with many dead rows, the
# planner believes that many are parked, and reads all of it.
_QUEUE_BESIDE_PARKED = """
SELECT o.seq, o.event_id, o.key, o.bytes FROM outbox o
WHERE o.seq > $1 AND o.parked IS NULL
  AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.parked IS NOT NULL AND p.key = o.key AND p.seq < o.seq)
ORDER BY o.seq LIMIT $2
"""
_PARKED = "SELECT key FROM outbox WHERE parked IS NOT NULL ORDER BY key LIMIT 1"  # ordered, so that the index is read
_PARK = "UPDATE outbox SET parked = $2 WHERE seq = ANY($1::bigint[])"
_UNPARK = "UPDATE outbox SET parked = NULL WHERE parked = $1"
_NO_TOPIC = "no topic "
_WAIT_FOR_TOPICS = "SELECT DISTINCT parked FROM outbox WHERE parked IS NOT NULL AND parked LIKE $1"
_LATE = """
SELECT 1 FROM unnest($1::text[]) AS k (key), LATERAL (
  SELECT 1 FROM outbox o WHERE o.key = k.key AND o.seq + 0 <= $2 AND o.parked IS NULL ORDER BY o.seq + 0 LIMIT 1
) AS late LIMIT 1
"""  # key by key, or the planner would rather read a bloated table than ask its index a thousand times
# The bounds let PostgreSQL leave out every partition that holds none of the ids.
_EVENTS = """
SELECT id, topic, key, version, type, payload, traceparent, recorded_at FROM event
WHERE id = ANY($1::uuid[]) AND id BETWEEN $2 AND $3
"""
_DONE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"


class StoredEvent(NamedTuple):
    """A row of the event store, as it is published."""

    id: UUID
    topic: str
    key: str
    version: int
    type: str
    payload: bytes | None
    traceparent: str
    recorded_at: datetime


class _Queued(NamedTuple):
    seq: int
    event: StoredEvent


class RefusedError(Exception):
    """A batch will never be taken because of a record in it."""


class Relay:
    """Publishes one service's events."""

    def __init__(self, service: str, database: Database, access: KafkaAccess) -> None:
        self._service = service
        self._database = database
        self._access = access
        self._cause = Cause(actor=f"service:{service}")
        self._wake = asyncio.Event()
        self._lease = Lease(database, f"relay-{service}")
        self._most = BATCH
        self._start = START[0]
        self._floor = 0
        self._scanned_at = 0.0
        self._queue = _QUEUE
        self._replays_at = 0.0
        self._replaying = False
        self._absent: dict[str, float] = {}  # topic → until when nobody need look for it
        self._backoff = Backoff("relay", metrics.CLIENT_REBUILDS.labels("relay"))
        database.woken = self._wake.set

    async def run(self) -> None:
        """Lead whenever the lease is free; never ends by itself."""
        while True:
            try:
                await self._lease.wait()
                await self._lease.during(self._lead())
            except LeaseLostError:
                log.warning("relay: another one leads now")
            except (KafkaError, Unavailable, ConnectionError, TimeoutError, IllegalOperation) as error:
                await self._backoff.after(error)
            finally:
                metrics.RELAY_LEADER.set(0)

    async def stop(self) -> None:
        """Give the lease back."""
        with suppress(Unavailable):
            await self._lease.give()

    async def _lead(self) -> None:
        """Publish until the lease or the broker is lost."""
        async with self._producing() as producer:
            self._scanned_at = 0.0  # whoever led meanwhile may have parked
            metrics.RELAY_LEADER.set(1)
            log.info("relay: leading", extra={"epoch": self._lease.epoch})
            while True:
                self._wake.clear()
                queued = await self._next(producer)
                began = time.monotonic()
                if queued:
                    await self._publish(producer, queued)
                is_more = await self._replayed(producer) or len(queued) == self._most
                self._backoff.worked()
                if is_more:
                    continue
                if queued:  # rest as long: what comes meanwhile costs one Kafka transaction, not several
                    await asyncio.sleep(min(time.monotonic() - began, REST))
                else:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL):
                            await self._wake.wait()

    @asynccontextmanager
    async def _producing(self) -> AsyncIterator[AIOKafkaProducer]:
        """A producer of this relay's, which from its start fences every other: so it is built with the lease held, and used
        only where nobody has taken the lease meanwhile.
        """
        producer = transactional_producer(self._access, f"relay-{self._service}")
        try:
            await self._started(producer)
            if not await self._lease.keep():
                raise LeaseLostError
            yield producer
        finally:
            await dispose(producer)

    async def _started(self, producer: AIOKafkaProducer) -> None:
        """A broker that has just come back may leave one request unanswered for long, and answer the next at once."""
        try:
            async with asyncio.timeout(self._start):
                await producer.start()
        except TimeoutError:
            self._start = min(2 * self._start, START[1])
            raise
        self._start = START[0]
        refusals.forget()

    async def _replayed(self, producer: AIOKafkaProducer) -> bool:
        """Work on a replay that was asked for; looked for now and then, and without a pause once there is one."""
        if not self._replaying and time.monotonic() - self._replays_at < REPLAYS:
            return False
        try:
            self._replaying = await replay.work(self._database, self._cause, producer, self._resend, self._most)
            if self._replaying:
                self._most = min(BATCH, 2 * self._most)
        except TimeoutError:
            self._most = max(1, self._most // 2)
            raise
        except RefusedError as error:
            raise KafkaError("a record was refused") from error  # a new producer goes on
        self._replays_at = time.monotonic()  # where it failed, it is the next thing that is tried
        return self._replaying

    async def _next(self, producer: AIOKafkaProducer) -> list[_Queued]:
        """The next rows of the queue with their events; none where some had to be set aside first."""
        async with self._database.alone() as sql:
            if time.monotonic() - self._scanned_at >= FULL_SCAN:
                self._floor, self._scanned_at = 0, time.monotonic()
                parked = await sql.row(_PARKED)
                self._queue = _QUEUE_BESIDE_PARKED if parked else _QUEUE
                if parked:
                    await self._unpark(sql, producer)
            rows = await sql.rows(self._queue, self._floor, self._most)
            if rows and self._floor and await self._is_overtaking(sql, [key for _, _, key, _ in rows]):
                rows = await sql.rows(self._queue, 0, self._most)
            if not rows:
                return []
            sequence, ids, _, sizes = zip(*rows, strict=True)
            most = _within(BATCH_BYTES, sizes)
            sequence, ids = sequence[:most], ids[:most]
            found = await sql.rows(_EVENTS, ids, min(ids), max(ids))  # events never change
            events = {row["id"]: StoredEvent._make(row) for row in found}
            places = list(zip(sequence, ids, strict=True))
            if await self._set_aside(sql, producer, places, events):
                return []
        return [_Queued(seq, events[event_id]) for seq, event_id in places]

    async def _set_aside(
        self, sql: Statements, producer: AIOKafkaProducer, places: Sequence[tuple[int, UUID]], events: dict[UUID, StoredEvent]
    ) -> bool:
        """Park rows without an event, and those whose topic there is not: they must hold up nobody else's. Says whether there
        were any."""
        absent = {topic for topic in {one.topic for one in events.values()} if not await self._has(producer, topic)}
        whys: dict[str, list[int]] = defaultdict(list)
        for seq, event_id in places:
            if event_id not in events:
                whys["no such event"].append(seq)
            elif events[event_id].topic in absent:
                whys[_NO_TOPIC + events[event_id].topic].append(seq)
        for why, some in whys.items():
            log.error("relay: events can't be sent; parked", extra={"events": len(some), "why": why})
            await sql.run(_PARK, some, why)
        self._queue = _QUEUE_BESIDE_PARKED if whys else self._queue
        return bool(whys)

    async def _unpark(self, sql: Statements, producer: AIOKafkaProducer) -> None:
        """Go on with what waited for a topic that there is by now."""
        for why in await sql.column(_WAIT_FOR_TOPICS, f"{_NO_TOPIC}%"):
            if await self._has(producer, why.removeprefix(_NO_TOPIC), looks=1):
                log.info("relay: the topic is there; going on", extra={"why": why})
                await sql.run(_UNPARK, why)

    async def _has(self, producer: AIOKafkaProducer, topic: str, *, looks: int = 3) -> bool:
        """Whether there is a topic: declared by this version, and known to the broker, which may not know all of them a moment
        after its own start. Raises KafkaError where it does not say.
        """
        cluster = producer.client.cluster
        if topic in cluster.topics():
            return True
        if not topics.load().declares(topic) or time.monotonic() < self._absent.get(topic, 0.0):
            return False
        for _ in range(looks):
            producer.client.add_topic(topic)
            async with asyncio.timeout(SEND):
                is_told = await producer.client.force_metadata_update()
            if topic in cluster.topics():
                return True
            if not is_told:
                raise KafkaError(f"the broker does not say whether there is a topic {topic}")
            await asyncio.sleep(_LOOK_AGAIN)
        self._absent[topic] = time.monotonic() + ABSENT
        return False

    async def _resend(self, producer: AIOKafkaProducer, events: Sequence[StoredEvent]) -> None:
        """Send what is replayed, where it can be sent at all."""
        for topic in {one.topic for one in events}:
            if not await self._has(producer, topic):
                raise RefusedError(_NO_TOPIC + topic)
        await send(producer, events)

    async def _is_overtaking(self, sql: Statements, keys: list[str]) -> bool:
        """Whether an earlier version of one of them lies below the floor: its transaction drew a low sequence, and ended late.

        Versions of an aggregate are written one after the other, so whoever sees the later one sees the earlier one too.
        """
        return await sql.row(_LATE, keys, self._floor) is not None

    async def _publish(self, producer: AIOKafkaProducer, queued: Sequence[_Queued]) -> None:
        """Publish rows and take them off the queue; a row that the broker refuses is parked."""
        crash_point("relay.before_produce")
        try:
            await send(producer, [one.event for one in queued])
        except TimeoutError:
            self._most = max(1, len(queued) // 2)  # a slow line may take half as many
            raise
        except RefusedError as error:
            await self._isolate(queued, str(error))
            self._backoff.worked()
            # The producer may be wedged by what it was given: a new one goes on.
            raise KafkaError("a record was refused") from error
        self._most = min(BATCH, 2 * self._most)
        crash_point("relay.after_produce")
        await self._done([one.seq for one in queued])
        now = time.time()
        for one in queued:
            metrics.RELAY_LAG.observe(max(0.0, now - one.event.recorded_at.timestamp()))
        metrics.RELAY_BATCH.observe(len(queued))
        metrics.RELAY_PUBLISHED.inc(len(queued))
        self._floor = queued[-1].seq

    async def _isolate(self, queued: Sequence[_Queued], why: str) -> None:
        """Halve a refused batch, each half by a producer of its own, until the bad row is alone; park that one."""
        if len(queued) == 1:
            log.error("relay: the broker refuses an event; parked", extra={"event_id": str(queued[0].event.id), "why": why})
            await self._park(queued[0].seq, why)
            return
        middle = len(queued) // 2
        for half in (queued[:middle], queued[middle:]):
            rows = await self._not_held(half)
            try:
                async with self._producing() as producer:
                    if rows:
                        await send(producer, [one.event for one in rows])
                        await self._done([one.seq for one in rows])
            except RefusedError as error:
                await self._isolate(rows, str(error))

    async def _not_held(self, queued: Sequence[_Queued]) -> list[_Queued]:
        """Those whose aggregate has no parked row before them."""
        async with self._database.transaction(self._cause, read_only=True) as tx:
            keys = set(await tx.sql.column("SELECT DISTINCT key FROM outbox WHERE parked IS NOT NULL"))
        return [one for one in queued if one.event.key not in keys]

    async def _park(self, seq: int, why: str) -> None:
        async with self._database.transaction(self._cause) as tx:
            await tx.sql.run(_PARK, [seq], why)
        self._queue = _QUEUE_BESIDE_PARKED

    async def _done(self, sequence: list[int]) -> None:
        async with self._database.alone() as sql:
            await sql.run(_DONE, sequence)


def _within(limit: int, sizes: Sequence[int]) -> int:
    """How many of the first together are within a limit; at least one."""
    return max(1, bisect_right(list(accumulate(sizes)), limit))


async def send(producer: AIOKafkaProducer, events: Sequence[StoredEvent]) -> None:
    """Send events in one Kafka transaction, in their order per key. Raises `RefusedError` for a bad record.

    After an error the transaction stays open and the producer is of no use: the next one of its id aborts it. To abort it here
    would take as long as the broker that may be the trouble.
    """
    try:
        async with asyncio.timeout(SEND):
            await producer.begin_transaction()
            waiting = [
                await producer.send_batch(batch, topic, partition=partition)
                for topic, partition, batch in _batches(producer, events)
            ]
            await asyncio.gather(*waiting)
            await producer.commit_transaction()
    except _REFUSED as error:
        raise RefusedError(type(error).__name__) from error


def _batches(producer: AIOKafkaProducer, events: Sequence[StoredEvent]) -> list[tuple[str, int, Any]]:
    """The events as batches, one after the other for each partition."""
    places: dict[tuple[str, int], list[StoredEvent]] = defaultdict(list)
    for event in events:
        declared = topics.load().named(event.topic)
        places[event.topic, partition_of(event.key, declared.partitions)].append(event)
    found: list[tuple[str, int, Any]] = []
    for (topic, partition), inside in places.items():
        batch = producer.create_batch()
        for event in inside:
            if not _append(batch, event):
                found.append((topic, partition, batch))
                batch = producer.create_batch()
                _append(batch, event)
        found.append((topic, partition, batch))
    for _, _, batch in found:
        batch.close()
    return found


def _append(batch: Any, event: StoredEvent) -> bool:
    """Add an event to a batch that has room. A batch takes its first record whatever its size: that one is measured here, and
    not by the broker, whose answer would not tell it from a limit of its own that is too low.
    """
    added = batch.append(timestamp=None, key=event.key.encode(), value=event.payload, headers=headers(event))
    if added is not None and batch.size() > MAX_BATCH:
        raise RefusedError(f"record too large: {batch.size()} bytes of {MAX_BATCH}")
    return added is not None


def headers(event: StoredEvent) -> list[tuple[str, bytes]]:
    """CloudEvents attributes of a record; `ce_traceparent` is where the event began, `traceparent` this hop."""
    source, dataschema = _declared(event.topic)
    key = event.key.encode()
    found = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event.id).encode()),
        ("ce_source", source),
        ("ce_type", event.type.encode()),
        ("ce_subject", key),
        ("ce_partitionkey", key),
        ("ce_time", event.recorded_at.isoformat().replace("+00:00", "Z").encode()),
        ("ce_dataschema", dataschema),
        ("ce_sequence", b"%d" % event.version),
        ("content-type", _CONTENT_TYPE),
    ]
    if event.traceparent:
        found += [("ce_traceparent", event.traceparent.encode()), ("traceparent", _hop(event).encode())]
    return found


@cache
def _declared(topic: str) -> tuple[bytes, bytes]:
    """What is the same in all records of a topic: source and schema."""
    declared = topics.load().named(topic)
    return f"//alliance/{declared.owner}".encode(), declared.message.encode()


def _hop(event: StoredEvent) -> str:
    """The traceparent of this hop: a span of its own where the trace is recorded."""
    if not telemetry.is_sampled(event.traceparent):
        return event.traceparent
    attributes = telemetry.messaging_attributes("send", event.topic, str(event.id))
    with telemetry.span(f"publish {event.topic}", kind=SpanKind.PRODUCER, parent=event.traceparent, attributes=attributes):
        return telemetry.traceparent() or event.traceparent
