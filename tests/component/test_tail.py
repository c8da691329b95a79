"""Tails: a follower is given all that is on its topic, from where it stands; what it cannot take is parked."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from chassis import deadletter, lanes, topics
from chassis.consumer import Consumers
from chassis.handling import Handling
from chassis.kafka import partition_of
from chassis.topicid import topic_id
from tests.component.conftest import TOPIC, Probe, key
from tests.metrics import metric
from tests.waiting import running, until


async def test_a_follower_is_given_what_was_there_and_what_comes(probe: Probe) -> None:
    old, new = key(), key()
    async with running(probe.relay().run):
        await probe.emit(old, 1)
        await until(lambda: probe.is_published(old))
        handling = probe.handling("state", tail=True)
        consumers = probe.consumers(handling)
        async with running(consumers.run):
            await until(consumers.ready.is_set)
            assert probe.has_followed(old)
            before = metric("alliance_consumer_records_total", group=handling.group, outcome="recalled")
            assert before == len(probe.followed)
            await probe.emit(new, 1)
            await until(lambda: probe.has_followed(new))
            applied = metric("alliance_consumer_records_total", group=handling.group, outcome="applied")
            assert applied == len(probe.followed) - before
    assert not await probe.rows("SELECT 1 FROM applied")


async def test_it_goes_on_where_its_follower_stands(probe: Probe) -> None:
    before, after = key(), key()
    async with running(probe.relay().run):
        await probe.emit(before, 1)
        await until(lambda: probe.is_published(before))
        (record,) = await probe.published(before)
        probe.places = {record.partition: record.offset + 1}
        await probe.emit(after, 1)
        await until(lambda: probe.is_published(after))
    consumers = probe.consumers(probe.handling("state", tail=True))
    async with running(consumers.run):
        await until(consumers.ready.is_set)
    assert probe.has_followed(after)
    assert not probe.has_followed(before)


async def test_two_followers_of_a_topic_go_on_each_where_it_stands(probe: Probe) -> None:
    """In one process, which is ready once both have all that was there."""
    before, after = key(), key()
    other = replace(probe, followed=[], places={}, topics=[], held_up=asyncio.Event())
    async with running(probe.relay().run):
        await probe.emit(before, 1)
        await until(lambda: probe.is_published(before))
        (record,) = await probe.published(before)
        probe.places = {record.partition: record.offset + 1}
        await probe.emit(after, 1)
        await until(lambda: probe.is_published(after))
    one = probe.handling("state", tail=True)
    second = Handling(probe.name, replace(other.listen("state", tail=True), name="other"), probe.database, (0.0,))
    consumers = Consumers(probe.name, "0", probe.kafka, probe.database, [one, second])
    async with running(consumers.run):
        await until(lambda: probe.has_followed(after))
        await asyncio.sleep(1)
        assert not consumers.ready.is_set()
        assert other.held_up
        other.held_up.set()
        await until(consumers.ready.is_set)
    assert not probe.has_followed(before)
    assert other.has_followed(before)
    assert other.has_followed(after)


async def test_ready_is_who_has_all_that_was_there(probe: Probe) -> None:
    name = key()
    async with running(probe.relay().run):
        await probe.emit(name, 1)
        await until(lambda: probe.is_published(name))
    probe.held_up = asyncio.Event()
    consumers = probe.consumers(probe.handling("state", tail=True))
    async with running(consumers.run):
        await asyncio.sleep(1)
        assert not consumers.ready.is_set()
        probe.held_up.set()
        await until(consumers.ready.is_set)
    assert probe.has_followed(name)


async def test_what_a_follower_can_not_take_is_parked_and_stops_nobody(probe: Probe) -> None:
    broken, good = _neighbours()
    probe.broken.add(broken)
    handling = probe.handling("state", tail=True)
    async with running(probe.relay().run):
        for name in (broken, good):
            await probe.emit(name, 1)
            await until(lambda name=name: probe.is_published(name))  # type: ignore[misc]
    consumers = probe.consumers(handling)
    for _ in range(2):  # the next start meets it again
        async with running(consumers.run):
            await until(consumers.ready.is_set)
        await consumers.stop()
        probe.places.clear()
        consumers = probe.consumers(handling)
    assert probe.has_followed(good)
    assert not probe.has_followed(broken)
    (row,) = await probe.rows("SELECT key, version, reason FROM dead_letter WHERE key = ANY($1)", [broken, good])
    assert (row["key"], row["version"]) == (broken, 1)
    assert "RuntimeError" in row["reason"]


async def test_a_later_state_that_a_follower_took_supersedes_one_that_it_could_not_take(probe: Probe) -> None:
    """Also where another process parked it, and this one learns of it only by the database."""
    name, handling = key(), probe.handling("state", tail=True)
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    probe.broken.add(name)
    async with running(probe.relay().run):
        async with running(probe.consumers(handling).run):
            await probe.emit(name, 1)
            await until(lambda: _is_dead(probe, worker))
        probe.broken.clear()
        another = probe.handling("state", tail=True)
        async with running(probe.consumers(another).run):
            await probe.emit(name, 2)
            await until(lambda: any(one.key == name and one.version == 2 for one in probe.followed))
            await until(lambda: _is_superseded(probe, worker))


async def _is_dead(probe: Probe, worker: deadletter.Worker) -> bool:
    await worker.step()
    return await probe.states() == ["dead"]


async def _is_superseded(probe: Probe, worker: deadletter.Worker) -> bool:
    await worker.step()
    return await probe.states() == ["superseded"]


async def test_a_topic_that_ends_before_what_was_read_begins_anew(probe: Probe) -> None:
    consumers = probe.consumers(probe.handling("state", tail=True))
    async with running(consumers.run):
        await until(consumers.ready.is_set)
        await until(lambda: probe.known_at > 0)
        assert (len(probe.topics), probe.stops) == (1, 0)
        probe.places[0] = 10**9
        await until(lambda: probe.places[0] < 10**9)
        assert (len(probe.topics), probe.stops) == (2, 1)


async def test_a_topic_of_another_id_begins_anew(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    consumers, another = probe.consumers(probe.handling("state", tail=True)), uuid4()

    async def made_anew(*_: object) -> UUID:
        return another

    async with running(consumers.run):
        await until(consumers.ready.is_set)
        monkeypatch.setattr(lanes, "topic_id", made_anew)
        await until(lambda: len(probe.topics) == 2)
        assert probe.topics[1] == another


async def test_the_topic_is_known_by_its_id(probe: Probe) -> None:
    consumers = probe.consumers(probe.handling("state", tail=True))
    async with running(consumers.run):
        await until(consumers.ready.is_set)
    client = AIOKafkaConsumer(**probe.kafka.options())
    await client.start()
    try:
        mine = await topic_id(client, TOPIC)
        others = {await topic_id(client, topic.name) for topic in topics.load().all if topic.name != TOPIC}
    finally:
        await client.stop()
    assert probe.topics == [mine]
    assert mine.int
    assert mine not in others


def _neighbours() -> tuple[str, str]:
    """Two keys of one partition."""
    partitions, first = topics.load().named(TOPIC).partitions, key()
    return first, next(one for one in iter(key, "") if partition_of(one, partitions) == partition_of(first, partitions))
