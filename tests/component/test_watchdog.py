"""The watchdog: which clients are given up, and which only have nothing to do."""

import asyncio
import itertools
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from chassis import topics
from chassis.consumer import Consumers
from chassis.kafka import partition_of
from chassis.lanes import Client
from tests.component.conftest import TOPIC, Probe, key
from tests.metrics import Rise
from tests.waiting import running, until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.consumer._WATCH", 0.1)
    monkeypatch.setattr("chassis.consumer._SILENT", 1.0)


def _rebuilds() -> Rise:
    return Rise("alliance_client_rebuilds_total", client="consumer")


@pytest.mark.parametrize("tail", [False, True])
async def test_a_silent_client_is_given_up(probe: Probe, monkeypatch: pytest.MonkeyPatch, *, tail: bool) -> None:
    """One that gives no records although there are some, and raises nothing: a known end of outages."""
    silent, given = asyncio.Event(), Client.getmany

    async def getmany(client: Client, *partitions: TopicPartition, **options: Any) -> Any:
        if not silent.is_set():
            silent.set()
            await asyncio.Event().wait()  # for ever
        return await given(client, *partitions, **options)

    monkeypatch.setattr(Client, "getmany", getmany)
    name, rebuilt = key(), _rebuilds()
    consumers = probe.consumers(probe.handling("state" if tail else "effect", tail=tail))
    async with running(probe.relay().run):
        await probe.emit(name, 1)
        async with running(consumers.run):
            await until(lambda: probe.has_followed(name) if tail else probe.has(name, 1))
    assert silent.is_set()
    assert rebuilt() >= 1


async def test_a_partition_that_alone_is_silent_is_noticed(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client goes on with all others meanwhile."""
    names, given = dict[int, str](), Client.getmany
    while len(names) < 2:
        one = key()
        names[partition_of(one, topics.load().named(TOPIC).partitions)] = one
    (place, silent), (_, busy) = sorted(names.items())
    clients = list[Client]()

    async def getmany(client: Client, *partitions: TopicPartition, **options: Any) -> Any:
        if client not in clients:
            clients.append(client)
        some = [one for one in client.assignment() if client is not clients[0] or one != TopicPartition(TOPIC, place)]
        return await given(client, *some, **options)

    monkeypatch.setattr(Client, "getmany", getmany)
    rebuilt = _rebuilds()
    async with running(probe.relay().run, probe.consumers(probe.handling()).run):
        await probe.emit(busy, 1)
        await until(lambda: probe.has(busy, 1))  # the client knows its partitions by now
        await probe.emit(silent, 1)
        began = time.monotonic()
        for version in itertools.count(2):
            if await probe.has(silent, 1) or time.monotonic() - began > 10:
                break
            await probe.emit(busy, version)
            await asyncio.sleep(0.05)
    assert await probe.effects(silent) == [1]
    assert rebuilt() == 1


async def test_a_handler_that_takes_its_time_is_not_silent(probe: Probe) -> None:
    probe.held_up, name, rebuilt = asyncio.Event(), key(), _rebuilds()
    async with running(probe.relay().run, probe.consumers(probe.handling()).run):
        await probe.emit(name, 1)
        await asyncio.sleep(3)
        assert rebuilt() == 0
        probe.held_up.set()
        await until(lambda: probe.has(name, 1))
    assert rebuilt() == 0


async def test_a_member_to_which_the_group_gave_nothing_is_not_silent(probe: Probe) -> None:
    """More processes than partitions: what is over waits for another's end."""
    slots = range(topics.load().named(TOPIC).partitions + 1)
    members = [Consumers(probe.name, str(slot), probe.kafka, probe.database, [probe.handling()]) for slot in slots]
    async with AsyncExitStack() as stack:
        for one in members:
            await stack.enter_async_context(running(one.run))
        await until(lambda: _one_has_nothing(members))
        rebuilt = _rebuilds()
        await asyncio.sleep(2.5)
        assert rebuilt() == 0
        await until(lambda: _nothing_left(members))


async def _nothing_left(members: list[Consumers]) -> bool:
    return not sum([await one.lag() for one in members])


def _one_has_nothing(members: list[Consumers]) -> bool:
    lanes = [lane for one in members for lane in one._lanes]
    try:
        return all(lane.is_settled for lane in lanes) and sum(not lane.consumer.assignment() for lane in lanes) == 1
    except KafkaError:  # not connected yet
        return False
