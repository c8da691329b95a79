"""Consuming: each record has its effect once, order kept, bad records aside, one process a slot."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError
from aiokafka.record.util import calc_crc32c
from sqlalchemy import text

from alliance.notify.v1 import events_pb2
from chassis import deadletter, dlq, topicid, topics
from chassis.consumer import Consumers
from chassis.database import Tx
from chassis.errors import Unavailable
from chassis.handling import Handling, Listen
from chassis.kafka import TolerantConsumer, partition_of
from chassis.lanes import Client, Lane
from chassis.record import RawRecord, Record
from tests.component.conftest import CAUSE, TOPIC, Probe, key, raw
from tests.metrics import metric
from tests.waiting import PATIENCE, running, until


async def test_events_reach_the_handler_once_and_in_order(probe: Probe) -> None:
    name = key()
    relay = probe.relay()
    consumers = probe.consumers(probe.handling())
    async with running(relay.run, consumers.run):
        for version in range(1, 21):
            await probe.emit(name, version)
        await until(lambda: probe.has(name, 20))
    assert await probe.effects(name) == list(range(1, 21))
    assert await probe.rows("SELECT * FROM outbox") == []


async def test_a_bad_record_does_not_stop_the_good_ones(probe: Probe) -> None:
    bad, good = key(), key()
    probe.broken.add(bad)
    handling = probe.handling()
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    relay, consumers = probe.relay(), probe.consumers(handling)
    async with running(relay.run, consumers.run, worker.run):
        for version in (1, 2, 3):
            await probe.emit(bad, version)
            await probe.emit(good, version)
        await until(lambda: probe.has(good, 3))
        await until(lambda: _is_stuck(probe))
        # An operator replays it once the cause is mended; the waiting ones follow in their order.
        probe.broken.clear()
        dead = await probe.rows("SELECT id FROM dead_letter WHERE state = 'dead'")
        async with probe.database.transaction(CAUSE) as tx:
            assert len(await dlq.replay(tx, [row["id"] for row in dead])) == 1
        await until(lambda: probe.has(bad, 3))
    assert await probe.effects(bad) == [1, 2, 3]
    assert await probe.effects(good) == [1, 2, 3]


async def test_a_record_that_always_runs_out_of_time_does_not_stop_the_good_ones(probe: Probe) -> None:
    """Not at once: PostgreSQL may hang, or somebody hold a lock."""
    slow, good, handling = key(), key(), probe.handling()
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    probe.slow.add(slow)
    records = [raw(slow, 1), raw(good, 1), raw(slow, 2)]
    for _ in range(3):
        with pytest.raises(Unavailable):
            await handling.batch(records)
    assert (await probe.effects(good), await probe.states()) == ([], [])
    await handling.batch(records)
    assert (await probe.effects(good), await probe.states()) == ([1], ["retrying", "waiting"])
    while await worker.step():
        pass
    assert await probe.states() == ["dead", "waiting"]
    probe.slow.clear()
    again = key()
    probe.slow.add(again)
    with pytest.raises(Unavailable):  # the next one is met with all the patience again
        await handling.batch([raw(again, 1)])


async def _is_stuck(probe: Probe) -> bool:
    return await probe.states() == ["dead", "waiting", "waiting"]


async def test_a_database_error_says_what_postgresql_names_and_where_our_code_was(probe: Probe) -> None:
    """Both ways of asking the database, in a handler that is called and asks by way of the chassis."""
    await probe.change("ALTER TABLE effect ADD CONSTRAINT only_once UNIQUE (key)")
    names = (key(), key())

    async def twice(tx: Tx, record: Record) -> None:
        for number in (1, 2):
            if record.key == names[0]:
                await tx.sql.run("INSERT INTO effect (key, version) VALUES ($1, $2)", record.key, number)
            else:
                await tx.conn.execute(text("INSERT INTO effect (key) VALUES (:key)"), {"key": record.key})

    handling = Handling(probe.name, Listen(TOPIC, "probe", twice), probe.database, (0.0,))
    await handling.batch([raw(name, 1) for name in names])
    found = await probe.rows("SELECT key, reason FROM dead_letter")
    assert {row["key"] for row in found} == set(names)
    said, places = zip(*(row["reason"].split(" at ") for row in found), strict=True)
    assert set(said) == {"UniqueViolationError 23505 only_once effect"}
    assert {place.partition(":")[0] for place in places} == {__name__}
    assert len(set(places)) == len(names), "each says its own line"


async def test_offsets_of_another_topic_of_the_same_name_mean_nothing(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a topic is made anew, what comes lies at offsets that were read on the old one; seen at once and at a start."""
    monkeypatch.setattr("chassis.consumer._WATCH", 0.1)
    names, other, handling = [key() for _ in range(5)], key(), probe.handling()  # one version each: none is compacted away
    async with running(probe.relay().run):
        first = probe.consumers(handling)
        async with running(first.run):
            for name in names:
                await probe.emit(name, 1)
            await until(partial(_have, probe, names))
            await until(partial(_has_committed, first))
        await _forget(probe)
        async with running(probe.consumers(handling).run):  # the very topic: it goes on where it stopped
            await probe.emit(other, 1)
            await until(lambda: probe.has(other, 1))
            assert [await probe.effects(name) for name in names] == [[]] * len(names)
            monkeypatch.setattr("chassis.lanes.topic_id", _another())
            await until(partial(_have, probe, names))
        await _forget(probe)
        monkeypatch.setattr("chassis.lanes.topic_id", _another())
        async with running(probe.consumers(handling).run):
            await until(partial(_have, probe, names))
    assert [await probe.effects(name) for name in names] == [[1]] * len(names)


async def _have(probe: Probe, names: Sequence[str]) -> bool:
    return all([await probe.has(name, 1) for name in names])


async def _has_committed(consumers: Consumers) -> bool:
    return await consumers.lag() == 0


async def test_what_a_poll_gave_waits_until_it_is_known_where_the_group_stopped(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, handling, asked = key(), probe.handling(), list[str]()
    first, second = probe.consumers(handling), probe.consumers(handling)

    async def topic_id(consumer: AIOKafkaConsumer, topic: str) -> UUID:
        if isinstance(consumer, Client) and len(asked) < 2:  # which has been assigned its partitions
            asked.append(topic)
            raise KafkaConnectionError
        return await topicid.topic_id(consumer, topic)

    async with running(probe.relay().run):
        await probe.emit(name, 1)
        async with running(first.run):
            await until(lambda: probe.has(name, 1))
            await until(partial(_has_committed, first))
        await probe.emit(name, 2)
        await until(lambda: probe.is_published(name, 2))
    monkeypatch.setattr("chassis.lanes.topic_id", topic_id)
    async with running(second.run):
        await until(lambda: probe.has(name, 2))
    assert len(asked) == 2


async def _forget(probe: Probe) -> None:
    """As if nothing had had its effect."""
    await probe.change("DELETE FROM applied")
    await probe.change("DELETE FROM effect")


def _another() -> Callable[..., Awaitable[UUID]]:
    """A topic that was made anew."""
    found = uuid4()

    async def topic_id(*_: object) -> UUID:
        return found

    return topic_id


async def test_a_later_state_supersedes_a_failed_one(probe: Probe) -> None:
    name = key()
    handling = probe.handling("state")
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    first, second = await probe.two(name)
    probe.broken.add(name)
    await handling.batch([first])
    probe.broken.clear()
    await handling.batch([second])
    assert await probe.effects(name) == [2]
    await worker.step()
    assert await probe.states() == ["superseded"]
    assert await probe.effects(name) == [2]


async def test_records_given_again_have_no_second_effect(probe: Probe) -> None:
    """Also when the group starts over at offset 0."""
    name = key()
    handling = probe.handling()
    records = await probe.two(name)
    for _ in range(3):
        await handling.batch(list(records))
    assert await probe.effects(name) == [1, 2]
    assert (_records(handling, "applied"), _records(handling, "skipped")) == (2, 4)


def _records(handling: Handling, outcome: str) -> float:
    return metric("alliance_consumer_records_total", group=handling.group, outcome=outcome)


async def test_batches_are_counted_with_their_sizes_times_and_delays(probe: Probe) -> None:
    handling, hours = probe.handling(), int(time.time() - 7200) * 1000
    await handling.batch([raw(key(), 1, at=hours) for _ in range(3)])
    await handling.batch([raw(key(), 1, at=hours)])
    batches, times, delays = (
        [metric(f"alliance_{name}_{part}", group=handling.group) for part in ("count", "sum")]
        for name in ("consumer_batch_records", "handler_seconds", "event_delay_seconds")
    )
    assert (batches, times[0], delays[0]) == ([2, 4], 2, 4)
    assert 0 < times[1] < PATIENCE
    assert 4 * 7200 <= delays[1] < 4 * (7200 + PATIENCE)


async def test_a_version_that_never_came_is_counted_and_the_next_one_handled(probe: Probe) -> None:
    name, handling = key(), probe.handling()
    await handling.batch([raw(name, version) for version in (1, 2, 4)])
    await handling.batch([raw(name, version) for version in (4, 5, 9)])
    assert await probe.effects(name) == [1, 2, 4, 5, 9]
    assert metric("alliance_consumer_version_gaps_total", group=handling.group) == 2


async def test_no_event_without_its_record_s_effect(probe: Probe) -> None:
    """What a handler says before it fails is never said; what its neighbours say is."""
    bad, good = key(), key()

    async def tells(tx: Tx, record: Record) -> None:
        tx.emit(TOPIC, record.key, 1, "created", events_pb2.SubscriptionEvent())
        if record.key == bad:
            raise RuntimeError("on purpose")

    handling = Handling(probe.name, Listen(TOPIC, "probe", tells), probe.database, (0.0,))
    await handling.batch([raw(good, 1, offset=1), raw(bad, 1, offset=2), raw(key(), 1, offset=3)])
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    while await worker.step():
        pass
    told = {row["key"] for row in await probe.rows("SELECT e.key FROM event e JOIN outbox o ON o.event_id = e.id")}
    assert (len(told), good in told, bad in told) == (2, True, False)
    assert await probe.states() == ["dead"]


@pytest.mark.parametrize("isolated", [False, True])
async def test_a_part_that_is_away_is_no_failure_of_a_record(probe: Probe, isolated: bool) -> None:
    """Also where another record of the batch fails by itself, so that each is tried alone."""
    bad, good = key(), key()

    async def asks(tx: Tx, record: Record) -> None:
        if record.key == bad:
            raise RuntimeError("on purpose")
        raise Unavailable("", "away")

    handling = Handling(probe.name, Listen(TOPIC, "probe", asks), probe.database, (0.0,))
    with pytest.raises(Unavailable):
        await handling.batch([raw(name, 1, offset=place) for place, name in enumerate([bad, good] if isolated else [good], 1)])
    assert await probe.states() == []


async def test_a_group_keeps_its_place_and_leaves_with_its_process(probe: Probe) -> None:
    """What was handled is not read again at the next start, and nobody waits until a static member's time is up."""
    name, handling = key(), probe.handling()
    admin = AIOKafkaAdminClient(**probe.kafka.options())
    await admin.start()
    async with running(probe.relay().run):
        await probe.emit(name, 1)
        consumers = probe.consumers(handling)
        async with running(consumers.run):
            await until(lambda: probe.has(name, 1))
            place = TopicPartition(TOPIC, partition_of(name, topics.load().named(TOPIC).partitions))
            (record,) = await probe.published(name)
            await until(lambda: _committed(admin, handling.group, place, record.offset + 1))
        await consumers.stop()
    (described,) = (await admin.describe_consumer_groups([handling.group]))[0].groups
    await admin.close()
    assert list(described[-2]) == [], "no member is left"


async def _committed(admin: AIOKafkaAdminClient, group: str, place: TopicPartition, least: int) -> bool:
    offsets = await admin.list_consumer_group_offsets(group)
    return place in offsets and offsets[place].offset >= least


async def test_what_is_not_handled_yet_is_the_lag(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.consumer._WATCH", 0.1)
    probe.held_up, name, handling = asyncio.Event(), key(), probe.handling()

    def lag() -> float:
        return metric("alliance_consumer_lag_records", group=handling.group)

    async with running(probe.relay().run, probe.consumers(handling).run):
        for version in (1, 2, 3):
            await probe.emit(name, version)
        await until(lambda: lag() >= 3)
        probe.held_up.set()
        await until(lambda: probe.has(name, 3))
        await until(lambda: lag() == 0)


async def test_what_is_in_hand_is_not_handled_yet(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client counts it as read."""
    place, client = TopicPartition(TOPIC, 0), Client()
    client.in_hand = 2

    async def position(_: TopicPartition) -> int:
        return 7

    monkeypatch.setattr(client, "position", position)
    monkeypatch.setattr(Lane, "consumer", client)
    (lane,) = probe.consumers(probe.handling())._lanes
    assert await lane.lag({place: 10}) == 5


async def test_what_cannot_be_decoded_is_parked_and_retried(probe: Probe) -> None:
    handling = probe.handling()
    odd = RawRecord(TOPIC, 0, 10**9, 0, b"subscriptions/x", b"\xff\xff", [("ce_sequence", b"1"), ("ce_id", None)])
    await handling.batch([odd])
    (row,) = await probe.rows("SELECT state, reason, value FROM dead_letter")
    assert row["state"] == "retrying"
    assert "undecodable" in row["reason"]
    assert base64.b64encode(row["value"]) == base64.b64encode(b"\xff\xff")
    await handling.batch([odd])
    assert len(await probe.rows("SELECT 1 FROM dead_letter")) == 1


async def test_the_second_process_of_a_slot_waits_and_warns_once(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = key()
    first, second = probe.consumers(probe.handling()), probe.consumers(probe.handling())
    take, did = second._lease.take, list[str]()

    async def asks() -> bool:
        taken = await take()
        did.append("asks, and has it" if taken else "asks, and is refused")
        return taken

    async def consumes() -> None:
        did.append("consumes")
        await asyncio.sleep(0.1)

    monkeypatch.setattr(second._lease, "take", asks)
    monkeypatch.setattr(second, "_consume", consumes)
    async with running(probe.relay().run, first.run):
        await probe.emit(name, 1)
        await until(lambda: probe.has(name, 1))
        async with running(second.run):
            await until(lambda: len(did) > 1)
    assert did[:2] == ["asks, and is refused"] * 2
    assert [one.levelname for one in caplog.records if one.message == "lease is held by another"] == ["WARNING"]


async def test_a_record_that_the_client_can_not_read_is_passed_by(probe: Probe) -> None:
    """Other clients can write headers whose names are no text, of which aiokafka would raise an error for ever."""
    admin = AIOKafkaAdminClient(**probe.kafka.options())
    await admin.start()
    await admin.create_topics([NewTopic(probe.name, 1, 1)])
    async with AIOKafkaProducer(**probe.kafka.options()) as producer:
        for name in ("first", "x-no-text", "second", "x-no-text", "x-no-text", "third"):
            batch = producer.create_batch()
            batch.append(key=name.encode(), value=b"", timestamp=None, headers=[(name, b"")])
            if name == "x-no-text":
                _spoil(batch)
            await (await producer.send_batch(batch, probe.name, partition=0))
    found = list[tuple[int, bytes | None]]()
    async with TolerantConsumer(**probe.kafka.options(), auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(probe.name, 0)])
        while len(found) < 6:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [(one.offset, one.key) for one in records]
    assert found == [(0, b"first"), (1, None), (2, b"second"), (3, None), (4, None), (5, b"third")]
    await admin.delete_topics([probe.name])
    await admin.close()


def _spoil(batch: Any) -> None:
    """Put a header's name that is not UTF-8 into a batch (format v2: the checksum is at 17, of what begins at 21)."""
    built = batch._build

    def spoiled() -> bytes:
        content = bytes(built()).replace(b"x-no-text", b"x-\xff\xfe-text")
        checksum: int = calc_crc32c(content[21:])
        return content[:17] + checksum.to_bytes(4) + content[21:]

    batch._build = spoiled
