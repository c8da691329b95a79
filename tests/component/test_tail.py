"""Tails: what is in memory is recalled from the topic's start, and what is new is handled once."""

import asyncio

from aiokafka.errors import KafkaError

from chassis.consumer import Consumers
from tests.component.conftest import Probe, key
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
        probe.recalled.clear()
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


async def test_a_tail_loses_nothing_that_arrives_while_it_hands_over_what_it_held(probe: Probe) -> None:
    before, meanwhile = key(), key()
    relay = probe.relay()
    async with running(relay.run):
        await probe.emit(before, 1)
        await until(lambda: probe.is_published(before))
        probe.held_up = asyncio.Event()
        consumers = probe.consumers(probe.handling("state", tail=True))
        async with running(consumers.run):
            await until(lambda: _has_read_all(consumers))
            await probe.emit(meanwhile, 1)
            await until(lambda: probe.is_published(meanwhile))
            await until(lambda: _has_read_all(consumers))
            assert not consumers.ready.is_set()
            probe.held_up.set()
            await until(lambda: probe.has(before, 1))
            await until(lambda: probe.has(meanwhile, 1))


async def _has_read_all(consumers: Consumers) -> bool:
    try:
        return await consumers.lag() == 0
    except KafkaError:  # not connected yet
        return False
