"""Tails: what is in memory is recalled from the topic's start, and what is new is handled once."""

import asyncio
from dataclasses import replace

import pytest

from chassis import topics
from chassis.kafka import partition_of
from chassis.record import Record
from tests.component.conftest import TOPIC, Probe, key
from tests.metrics import metric
from tests.waiting import running, until


async def test_a_tail_recalls_what_was_handled_and_handles_what_is_new(probe: Probe) -> None:
    old, new = key(), key()
    relay = probe.relay()
    async with running(relay.run):
        await probe.emit(old, 1)
        consumers = probe.consumers(probe.handling("state", tail=True))
        async with running(consumers.run):
            await until(lambda: probe.has(old, 1))
        await consumers.stop()
        await probe.emit(new, 1)
        await until(lambda: probe.is_published(new))
        handling = probe.handling("state", tail=True)
        again = probe.consumers(handling)
        async with running(again.run):
            await until(again.ready.is_set)
            await until(lambda: probe.has(new, 1))
    assert (old, 1) in probe.recalled
    assert (new, 1) not in probe.recalled
    assert metric("alliance_consumer_records_total", group=handling.group, outcome="recalled") == len(probe.recalled)
    assert await probe.effects(old) == [1]


async def test_a_tail_remembers_what_a_lost_topic_is_given_again(probe: Probe) -> None:
    """After Kafka was lost, records come anew that had their effect long ago; history alone must not overwrite the newest."""
    name = key()
    handling = probe.handling("state", tail=True)
    first, second = await probe.two(name)
    await handling.batch([first, second])
    assert probe.recalled == []
    await handling.batch([first])
    assert probe.recalled == []
    await handling.batch([first, second])
    assert probe.recalled == [(name, 2)]
    assert await probe.effects(name) == [1, 2]


async def test_a_tail_loses_nothing_that_arrives_while_it_turns_back(probe: Probe) -> None:
    before, meanwhile = key(), key()
    async with running(probe.relay().run):
        await probe.emit(before, 1)
        await until(lambda: probe.is_published(before))
        probe.held_up = asyncio.Event()
        consumers = probe.consumers(probe.handling("state", tail=True))
        async with running(consumers.run):
            await until(lambda: not consumers._lanes[0]._is_recalling)  # type: ignore[union-attr]
            await probe.emit(meanwhile, 1)
            await until(lambda: probe.is_published(meanwhile))
            assert not consumers.ready.is_set()
            probe.held_up.set()
            await until(lambda: probe.has(before, 1))
            await until(lambda: probe.has(meanwhile, 1))
            await until(consumers.ready.is_set)


async def test_a_tail_recalls_what_is_known_behind_what_is_new(probe: Probe) -> None:
    """Both on one partition: the new one is handled once, and the known one's effect is not repeated."""
    new, known = _neighbours()
    handling = probe.handling("state", tail=True)
    async with running(probe.relay().run):
        for name in (new, known):
            await probe.emit(name, 1)
            await until(lambda name=name: probe.is_published(name))  # type: ignore[misc]
    await handling.batch(await probe.published(known))
    consumers = probe.consumers(handling)
    async with running(consumers.run):
        await until(consumers.ready.is_set)
    assert await probe.effects(new) == await probe.effects(known) == [1]
    assert (known, 1) in probe.recalled
    assert (new, 1) not in probe.recalled


@pytest.mark.parametrize("is_known", [False, True])
async def test_what_is_not_recalled_stops_no_tail(probe: Probe, monkeypatch: pytest.MonkeyPatch, *, is_known: bool) -> None:
    """A record whose handler failed was dropped by an operator, and is given again, at a start or after a replay."""
    name, handling = key(), probe.handling("state", tail=True)
    first, _ = await probe.two(name)
    await handling.batch([first])

    def refuse(_: Record) -> None:
        raise ValueError("what it could not take then, either")

    monkeypatch.setattr(handling, "listen", replace(handling.listen, recall=refuse))
    await handling.batch([first])
    if is_known:
        await handling.batch(await probe.published(name))
    consumers = probe.consumers(handling)
    async with running(consumers.run):
        await until(consumers.ready.is_set)
    assert await probe.effects(name) == [1, 2]


def _neighbours() -> tuple[str, str]:
    """Two keys of one partition."""
    partitions, first = topics.load().named(TOPIC).partitions, key()
    return first, next(one for one in iter(key, "") if partition_of(one, partitions) == partition_of(first, partitions))
