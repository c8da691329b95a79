"""Replays: every version again, in as many batches as it takes, with an end that says why."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from alliance.notify.v1 import events_pb2, notify_pb2
from chassis import jobs, replay
from chassis import relay as relaying
from tests.component.conftest import CAUSE, TOPIC, Probe, key
from tests.metrics import Rise
from tests.waiting import running, until


async def test_a_replay_publishes_every_version_again(probe: Probe) -> None:
    name = key()
    relay = probe.relay()
    async with running(relay.run):
        await probe.emit(name, 1)
        await probe.emit(name, 2)
        await until(lambda: probe.is_published(name, 2))
        async with probe.database.transaction(CAUSE) as tx:
            await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: _count(probe, name, 4))
    assert await probe.versions(name) == [1, 2, 1, 2]


async def test_a_replay_leaves_out_what_the_outbox_holds(probe: Probe) -> None:
    """What is parked, and what waits behind it, is not published past its place."""
    name, out = key(), key()
    async with running(probe.relay().run):
        await probe.emit(name, 1)
        await probe.emit(out, 1)
        await until(probe.is_out)
        async with probe.database.transaction(CAUSE) as tx:
            async with tx.savepoint(whole=True):
                tx.emit(TOPIC, name, 2, "created", events_pb2.SubscriptionEvent())
            await tx.sql.run("UPDATE outbox SET parked = 'on purpose'")
        async with probe.database.transaction(CAUSE) as tx:
            job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))
    assert [await probe.versions(one) for one in (name, out)] == [[1, 1], [1, 1]]


async def test_a_replay_of_large_records_takes_as_many_batches_as_it_needs(probe: Probe) -> None:
    """More of a partition than the broker takes in one batch, in one step."""
    name, versions, size = key(), 30, 60_000
    relay = probe.relay()
    async with probe.database.transaction(CAUSE) as tx:
        for version in range(1, versions + 1):
            event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=name, subscriber="x" * size))
            tx.emit(TOPIC, name, version, "created", event)
    async with running(relay.run):
        await until(probe.is_out)
        async with probe.database.transaction(CAUSE) as tx:
            job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))
    (row,) = await probe.rows("SELECT records, failure FROM job WHERE id = $1", job)
    assert (row["records"], row["failure"]) == (versions, "")
    assert not await probe.rows("SELECT 1 FROM outbox WHERE parked IS NOT NULL")


async def test_a_replay_gets_on_beside_light_load(probe: Probe) -> None:
    """As many steps as there are keys for, with something to publish before each."""
    async with probe.database.transaction(CAUSE) as tx:
        for name in [key() for _ in range(replay.KEYS * 3)]:
            tx.emit(TOPIC, name, 1, "created", events_pb2.SubscriptionEvent())
    busy, published = key(), relaying.Relay._publish
    versions = itertools.count(1)

    async def busily(relay: relaying.Relay, *given: Any) -> None:
        await published(relay, *given)
        await probe.emit(busy, next(versions))  # so that the queue is never found empty

    async with running(probe.relay().run):
        await until(probe.is_out)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(relaying.Relay, "_publish", busily)
            await probe.emit(busy, next(versions))
            async with probe.database.transaction(CAUSE) as tx:
                job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
            await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))


async def test_a_replay_that_the_broker_refuses_ends_and_says_so(probe: Probe) -> None:
    name, rebuilt = key(), Rise("alliance_client_rebuilds_total", client="relay")
    relay = probe.relay()
    await probe.emit(name, 1)
    async with running(relay.run):
        await until(probe.is_out)
        await probe.change("UPDATE event SET payload = decode(repeat('00', 5000000), 'hex') WHERE key = $1", name)
        async with probe.database.transaction(CAUSE) as tx:
            job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND failure <> ''", job))
        await probe.emit(name, 2)
        await until(probe.is_out)
    assert rebuilt() == 1


async def test_a_keys_versions_are_in_one_transaction_however_many(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a replay that ends early leaves no old version behind a newer one."""
    monkeypatch.setattr(relaying, "BATCH", 3)
    names, sent, given = sorted(key() for _ in range(4)), list[list[str]](), relaying.send
    for name, versions in zip(names, (1, 2, 5, 1), strict=True):
        for version in range(1, versions + 1):
            await probe.emit(name, version)
    async with running(probe.relay().run):
        await until(lambda: probe.is_published(names[2], 5))
        await until(probe.is_out)
    before = (await probe.published(names[2]))[-1].offset

    async def send(producer: AIOKafkaProducer, events: Sequence[relaying.StoredEvent]) -> None:
        sent.append([one.key for one in events])
        if names[3] in sent[-1]:
            raise relaying.RefusedError("on purpose")
        await given(producer, events)

    monkeypatch.setattr(relaying, "send", send)
    async with probe.database.transaction(CAUSE) as tx:
        job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND failure <> ''", job))
    assert sent == [[names[0], names[1], names[1]], [names[2]] * 5, [names[3]]]
    await until(lambda: _is_last(probe, names[2], 5, before + 5))


async def test_each_order_is_a_job_of_its_own(probe: Probe) -> None:
    """The topic may have been lost since the first was begun."""
    name = key()
    async with running(probe.relay().run):
        await probe.emit(name, 1)
        await until(lambda: probe.is_published(name))
        await until(probe.is_out)
    before = (await probe.published(name))[-1].offset
    async with probe.database.transaction(CAUSE) as tx:
        first, second = [await jobs.start(tx, "replay", TOPIC, reason) for reason in ("a new consumer", "kafka lost")]
        await jobs.progress(tx, first, name, 1)
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", second))
    rows = await probe.rows("SELECT reason, records, failure FROM job ORDER BY id")
    assert [tuple(row) for row in rows] == [("a new consumer", 1, ""), ("kafka lost", 1, "")]
    await until(lambda: _is_last(probe, name, 1, before + 1))


async def test_a_replay_on_a_slow_line_takes_smaller_steps(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "BATCH", 4)
    names, tried, given = sorted(key() for _ in range(8)), list[int](), relaying.send
    for name in names:
        await probe.emit(name, 1)
    async with running(probe.relay().run):
        await until(probe.is_out)

    async def send(producer: AIOKafkaProducer, events: Sequence[relaying.StoredEvent]) -> None:
        tried.append(len(events))
        if len(events) > 2:
            raise TimeoutError
        await given(producer, events)

    monkeypatch.setattr(relaying, "send", send)
    async with probe.database.transaction(CAUSE) as tx:
        job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
    async with running(probe.relay().run):
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))
    assert tried == [4, 2, 4, 2, 4, 2, 2]
    for name in names:
        await until(lambda name=name: probe.is_published(name))  # type: ignore[misc]  # of equal ones the topic may keep the last


async def _is_last(probe: Probe, name: str, version: int, offset: int) -> bool:
    """Whether the last committed record of a key, which alone the topic keeps for sure, is a version, at an offset or later; a
    transaction of another test may be open before it for a while.
    """
    return await probe.is_published(name, version) and (await probe.published(name))[-1].offset >= offset


async def _count(probe: Probe, name: str, count: int) -> bool:
    return len(await probe.published(name)) == count
