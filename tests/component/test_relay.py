"""The relay: nothing lost, order kept, one at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ProducerFenced, TopicAuthorizationFailedError
from aiokafka.producer.sender import Sender

from alliance.notify.v1 import events_pb2, notify_pb2
from chassis import backoff, jobs, replay, topics
from chassis import relay as relaying
from chassis.backoff import Backoff
from chassis.housekeeping import Outbox
from chassis.kafka import MAX_BATCH, dispose, transactional_producer
from chassis.relay import BATCH_BYTES, RefusedError
from chassis.settings import ServiceSettings
from tests.component.conftest import CAUSE, TOPIC, Probe, key
from tests.metrics import Rise, metric
from tests.records import everything
from tests.waiting import PATIENCE, running, until


async def test_what_is_rolled_back_is_never_published(probe: Probe) -> None:
    async def fail() -> None:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await probe.emit(key(), 1, before_commit=fail)
    assert await probe.rows("SELECT * FROM event") == []
    assert await probe.rows("SELECT * FROM outbox") == []


async def test_a_low_sequence_that_commits_late_is_published(probe: Probe) -> None:
    """`seq > last` alone would lose it: the queue is scanned from its start every 2 s."""
    late, early = key(), key()
    relay = probe.relay()
    async with running(relay.run):
        async with _uncommitted(probe, late):
            await probe.emit(early, 1)
            await until(lambda: probe.is_published(early))
        await until(lambda: probe.is_published(late))


async def test_a_version_does_not_overtake_an_earlier_one_that_commits_late(probe: Probe) -> None:
    """The relay has gone on beyond the earlier one's sequence by then, and finds the later one first."""
    name, other = key(), key()
    relay = probe.relay()
    async with running(relay.run):
        async with _uncommitted(probe, name):
            await probe.emit(other, 1)
            await until(lambda: probe.is_published(other))
        await probe.emit(name, 2)
        await until(lambda: probe.is_published(name, 2))
    assert await probe.versions(name) == [1, 2]


@asynccontextmanager
async def _uncommitted(probe: Probe, name: str) -> AsyncIterator[None]:
    """The first event of a key, in a transaction that commits at the end of the block."""
    connection = await asyncpg.connect(probe.url)
    async with connection.transaction():
        await connection.execute(
            """
            WITH e AS (
              INSERT INTO event (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id,
                                 request_id, traceparent, recorded_at, effective_at)
              VALUES (gen_random_uuid(), $1, $2, 1, 'alliance.notify.subscription.created.v1', ''::bytea, '', '', '', '', '',
                      '', now(), now())
              RETURNING id)
            INSERT INTO outbox (event_id, key) SELECT id, $2 FROM e
            """,
            TOPIC,
            name,
        )
        yield
    await connection.close()


async def test_what_is_published_is_counted_with_its_batch_and_its_lag(probe: Probe) -> None:
    published, name = Rise("alliance_relay_published_total"), key()
    batches, lags = (
        [Rise(f"alliance_relay_{what}_{part}") for part in ("count", "sum")] for what in ("batch_events", "lag_seconds")
    )
    for version in (1, 2, 3):
        await probe.emit(name, version)
    await probe.change("UPDATE event SET recorded_at = recorded_at - interval '1 hour'")
    async with running(probe.relay().run):
        await until(lambda: published() == 3)
        assert metric("alliance_relay_leader") == 1
    assert metric("alliance_relay_leader") == 0
    assert [one() for one in batches] == [1, 3]
    assert lags[0]() == 3
    assert 3 * 3600 <= lags[1]() < 3 * (3600 + PATIENCE)


async def test_a_relay_that_was_held_up_beyond_its_lease_is_fenced(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read a batch, and another relay takes the lease and publishes that batch and more before it goes on."""
    name, first, second = key(), probe.relay(), probe.relay()
    has_read, goes_on, ends = asyncio.Event(), asyncio.Event(), list[Exception | None]()
    publish = first._publish

    async def held_up(producer: AIOKafkaProducer, queued: Sequence[Any]) -> None:
        has_read.set()
        await goes_on.wait()
        try:
            await publish(producer, queued)
        except Exception as error:
            ends.append(error)
            raise
        ends.append(None)

    async with running(first.run):
        await probe.emit(name, 1)
        await until(probe.is_out)
        monkeypatch.setattr(first, "_publish", held_up)
        await probe.emit(name, 2)
        await has_read.wait()
        monkeypatch.setattr(first._lease, "keep", asyncio.Event().wait)  # a process that is stopped renews nothing
        async with running(second.run):
            await until(lambda: probe.is_published(name, 2))
            await probe.emit(name, 3)
            await until(lambda: probe.is_published(name, 3))
            goes_on.set()
            await until(lambda: ends)
    assert await probe.versions(name) == [1, 2, 3]
    assert isinstance(ends[0], ProducerFenced)


async def test_a_slow_broker_costs_no_relay_its_lease(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction takes longer than a lease that nobody renews: two relays would end each other's for ever."""
    monkeypatch.setattr("chassis.lease.SECONDS", 0.9)
    name, first, second = key(), probe.relay(), probe.relay()
    publish, begun = first._publish, asyncio.Event()

    async def slow(producer: AIOKafkaProducer, queued: Sequence[Any]) -> None:
        begun.set()
        await asyncio.sleep(2.5)
        await publish(producer, queued)

    monkeypatch.setattr(first, "_publish", slow)
    async with running(first.run):
        await probe.emit(name, 1)
        await begun.wait()
        async with running(second.run):
            await until(lambda: probe.is_published(name))
    assert second._lease.epoch == 0
    assert await probe.versions(name) == [1]


async def test_who_lost_the_lease_while_it_looked_for_a_refused_record_sends_nothing_more(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each half of a refused batch has a producer of its own, which would fence whoever leads now, and send what is old."""
    names, sent = [key(), key()], list[int]()
    relay = probe.relay()

    async def refused(_: AIOKafkaProducer, events: Sequence[Any]) -> None:
        sent.append(len(events))
        await probe.change("UPDATE lease SET holder = 'another', epoch = epoch + 1")
        raise RefusedError("one of them")

    for name in names:
        await probe.emit(name, 1)
    monkeypatch.setattr("chassis.relay.send", refused)
    async with running(relay.run):
        await until(lambda: sent)
        await asyncio.sleep(1)
    assert sent == [2]
    assert len(await probe.rows("SELECT 1 FROM outbox WHERE parked IS NULL")) == 2


async def test_large_events_are_sent_in_smaller_batches(probe: Probe) -> None:
    relay, name, large = probe.relay(), key(), "x" * (1000 * 1024)
    async with probe.database.transaction(CAUSE) as tx:
        for version in range(1, 21):  # of one key, so that compaction soon leaves but one on the topic of all tests
            event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(organization=large))
            tx.emit(TOPIC, name, version, "created", event)
    assert await relay._lease.take()
    async with relay._producing() as producer:
        queued = await relay._next(producer)
    assert len(queued) == BATCH_BYTES // (1000 * 1024)
    async with running(relay.run):
        await until(probe.is_out)


async def test_what_is_over_the_limit_is_parked_with_its_size_and_what_is_at_it_goes_out(probe: Probe) -> None:
    """One byte more is refused before the broker sees it: what the broker refuses is then a matter of the broker's limit."""
    fits, over = key(), key()
    for name in (fits, over):
        await probe.emit(name, 1)
    large = 1_000_000
    for name in (fits, over):
        await _grow(probe, name, large)
    about = await _sizes(probe)
    for name, more in ((fits, 0), (over, 1)):
        await _grow(probe, name, large + MAX_BATCH - about[name] + more)
    assert await _sizes(probe) == {fits: MAX_BATCH, over: MAX_BATCH + 1}
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM outbox WHERE parked IS NOT NULL"))
        await until(lambda: probe.is_published(fits))
    (row,) = await probe.rows("SELECT key, parked FROM outbox")
    assert (row["key"], row["parked"]) == (over, f"record too large: {MAX_BATCH + 1} bytes of {MAX_BATCH}")


async def test_what_follows_a_refused_event_of_its_aggregate_does_not_overtake_it(probe: Probe) -> None:
    """Both were in the batch that the refusal halved, and not in the same half."""
    bad, good = key(), key()
    await probe.emit(bad, 1)
    await _grow(probe, bad, MAX_BATCH)
    await probe.emit(good, 1)
    await probe.emit(bad, 2)
    await probe.emit(good, 2)
    async with running(probe.relay().run):
        await until(lambda: probe.is_published(good, 2))
    assert await probe.versions(bad) == []
    rows = await probe.rows("SELECT key, parked IS NOT NULL AS parked FROM outbox ORDER BY seq")
    assert [(row["key"], row["parked"]) for row in rows] == [(bad, True), (bad, False)]


async def test_a_row_without_its_event_holds_up_no_other(probe: Probe) -> None:
    good, bad = key(), key()
    await probe.emit(bad, 1)
    await probe.emit(good, 1)
    await probe.change("DELETE FROM event WHERE key = $1", bad)
    look = Outbox(probe.database, ServiceSettings.model_construct(outbox_max_rows=1, outbox_max_age=60.0))
    await look._look()
    assert metric("alliance_outbox_rows") == 2, "it counts as one that waits"
    async with running(probe.relay().run):
        await until(lambda: probe.is_published(good))
    (row,) = await probe.rows("SELECT key, parked FROM outbox")
    assert (row["key"], row["parked"]) == (bad, "no such event")


@pytest.mark.parametrize("declared", [True, False])
async def test_what_has_no_topic_waits_for_it_and_holds_up_only_its_own_aggregate(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    """The broker has not got it yet, or a release that was taken back had it."""
    monkeypatch.setattr(relaying, "ABSENT", 0.5)
    monkeypatch.setattr(relaying, "FULL_SCAN", 0.3)
    topic = replace(topics.load().named(TOPIC), name=f"alliance.internal.{probe.name}.late.v1", partitions=1)
    good, waits = key(), key()
    await probe.emit(waits, 1)
    await probe.change("UPDATE event SET topic = $1 WHERE key = $2", topic.name, waits)
    await probe.emit(waits, 2)
    await probe.emit(good, 1)
    if declared:
        monkeypatch.setitem(topics._by_name(), topic.name, topic)
    admin = AIOKafkaAdminClient(**probe.kafka.options())
    await admin.start()
    try:
        async with running(probe.relay().run):
            await until(lambda: probe.is_published(good))
            assert await probe.versions(waits) == []
            parked = await probe.rows("SELECT parked FROM outbox WHERE key = $1 ORDER BY seq", waits)
            assert [row["parked"] for row in parked] == [f"no topic {topic.name}", None]
            await admin.create_topics([NewTopic(topic.name, 1, 1)])
            monkeypatch.setitem(topics._by_name(), topic.name, topic)
            await until(probe.is_out)
        assert [one.key for one in await everything(probe.kafka, topic.name, [0])] == [waits.encode()]
        assert await probe.versions(waits) == [2]
    finally:
        await admin.delete_topics([topic.name])
        await admin.close()


async def test_a_replay_of_what_has_no_topic_is_given_up_and_holds_up_nothing(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = replace(topics.load().named(TOPIC), name=f"alliance.internal.{probe.name}.lost.v1")
    monkeypatch.setitem(topics._by_name(), topic.name, topic)
    await probe.emit(key(), 1)
    await probe.change("UPDATE event SET topic = $1", topic.name)
    await probe.change("DELETE FROM outbox")
    async with probe.database.transaction(CAUSE) as tx:
        job = await jobs.start(tx, "replay", topic.name, "a test")
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))
    (row,) = await probe.rows("SELECT failure FROM job")
    assert row["failure"] == f"the broker refuses a record: no topic {topic.name}"


async def _grow(probe: Probe, name: str, size: int) -> None:
    """Give an event a content that is somewhat over a size, and can be read by whoever reads the topic too."""
    event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=name, subscriber="x" * size))
    await probe.change("UPDATE event SET payload = $2 WHERE key = $1", name, event.SerializeToString())


async def _sizes(probe: Probe) -> dict[str, int]:
    """The size of each event as a batch of its own, by Kafka's client."""
    producer, found = transactional_producer(probe.kafka, "nobody"), {}
    for row in await probe.rows("SELECT id, topic, key, version, type, payload, traceparent, recorded_at FROM event"):
        event, batch = relaying.StoredEvent._make(row), producer.create_batch()
        batch.append(timestamp=None, key=event.key.encode(), value=event.payload, headers=relaying.headers(event))
        found[event.key] = batch.size()
    await dispose(producer)
    return found


async def test_what_does_not_get_through_in_time_is_tried_in_half(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    names, given, sizes = [key() for _ in range(8)], relaying.send, list[int]()

    async def slow(producer: AIOKafkaProducer, events: Sequence[Any]) -> None:
        sizes.append(len(events))
        if len(events) > 2:
            raise TimeoutError
        await given(producer, events)

    monkeypatch.setattr(relaying, "send", slow)
    async with probe.database.transaction(CAUSE) as tx:
        for name in names:
            tx.emit(TOPIC, name, 1, "created", events_pb2.SubscriptionEvent())
    async with running(probe.relay().run):
        await until(probe.is_out)
    assert sizes[:3] == [8, 4, 2]
    assert [await probe.versions(name) for name in names] == [[1]] * 8


async def test_a_producer_that_does_not_start_is_given_up(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that has just come back may leave one request unanswered for long, and answer the next at once."""
    monkeypatch.setattr(relaying, "START", (0.2, 1.0))
    name, starts, start = key(), list[int](), AIOKafkaProducer.start

    async def stuck(producer: AIOKafkaProducer) -> None:
        starts.append(1)
        if len(starts) < 3:
            await asyncio.sleep(10)
        await start(producer)

    monkeypatch.setattr(AIOKafkaProducer, "start", stuck)
    async with running(probe.relay().run):
        await probe.emit(name, 1)
        await until(lambda: probe.is_published(name), 8)


async def test_a_replay_that_fails_again_and_again_is_tried_less_and_less_often(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses, after = list[float](), Backoff.after

    async def refused(*_: object) -> bool:
        raise TopicAuthorizationFailedError

    async def noted(self: Backoff, error: BaseException) -> None:
        pauses.append(self._pause)
        await after(self, error)

    monkeypatch.setattr(replay, "work", refused)
    monkeypatch.setattr(Backoff, "after", noted)
    async with running(probe.relay().run):
        await until(lambda: len(pauses) == 4)
    assert pauses == pytest.approx([backoff.FIRST * 1.25**number for number in range(4)])


async def test_a_producer_that_is_given_up_leaves_nothing_running(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a transaction, and where the broker does not answer any more."""

    async def unanswered(self: Sender, *_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Sender, "_send_produce_req", unanswered)
    producer = transactional_producer(probe.kafka, f"{probe.name}-given-up")
    before = asyncio.all_tasks()
    await producer.start()
    await producer.begin_transaction()
    batch = producer.create_batch()
    batch.append(key=b"x", value=b"x", timestamp=None)
    await producer.send_batch(batch, TOPIC, partition=0)
    async with asyncio.timeout(5):
        await dispose(producer)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()
    monkeypatch.undo()
    successor = transactional_producer(probe.kafka, f"{probe.name}-given-up")
    await successor.start()  # which ends what was left open: readers of the partition would wait for that for half a minute
    await successor.stop()
