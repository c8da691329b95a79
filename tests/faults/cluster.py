"""Faults of three brokers, of which two have to have a record before it counts."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from alliance_local import processes
from alliance_local.kafka import nodes
from tests.faults import node
from tests.faults.fault import PART, leaders
from tests.faults.world import RATE, World
from tests.waiting import until

_NODES = nodes(3)
_KAFKAS_OWN = ("__consumer_offsets", "__transaction_state")
_ELECTION = 3.0  # seconds after which a broker that was killed counts as gone, and others lead
_START = 90.0  # seconds that brokers may take to start
_DOWN = 15.0  # seconds


async def leader_change(world: World) -> None:
    """The brokers that lead two partitions die, one after the other."""
    for partition in world.random.sample(range(node.PARTITIONS), 2):
        leader, _ = (await leaders(world))[partition]
        _end(world, _NODES[leader - 1])
        await world.recovers(f"partition {partition}", _ELECTION + PART)
        await until(lambda: _is_whole(world), _START)


async def all_brokers_down(world: World) -> None:
    for one in _NODES:
        _end(world, one)
    await world.load(2.0)
    await until(lambda: _is_whole(world), _START)
    await world.recovers("brokers", PART)


async def too_few_up(world: World) -> None:
    """Two of three are kept down: nothing may be acknowledged by the third alone, and commands go on."""
    await world.load(1.0)
    before = len(world.acknowledged())
    await _kept_down(world, world.random.sample(_NODES, 2))
    await _backlog_drains(world, before)


async def too_few_in_sync(world: World) -> None:
    """All three have to have a record, and one is kept down: the two others are up and may acknowledge nothing."""
    admin = AIOKafkaAdminClient(**world.platform.kafka("admin").options())
    await admin.start()
    config = {"min.insync.replicas": str(len(_NODES))}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, world.topic, configs=config)])
    await admin.close()
    await world.load(1.0)
    before = len(world.acknowledged())
    await _kept_down(world, world.random.sample(_NODES, 1))
    if min(copies for _, copies in await leaders(world)) == len(_NODES):
        world.wrong.append("all were in sync")
    await _backlog_drains(world, before)


async def _backlog_drains(world: World, before: int) -> None:
    """Commands went on and nothing was published; once all brokers are up again, all of it is."""
    written = len(world.acknowledged()) - before
    (row,) = await world.rows(world.writing, "SELECT count(*) FROM outbox")
    if written < RATE * _DOWN / 3:
        world.wrong.append(f"commands stopped: {written} in {_DOWN:.0f} s")
    if row["count"] < written / 2:
        world.wrong.append(f"{written} written, and only {row['count']} wait")
    await until(lambda: _is_whole(world), _START)
    await world.recovers("backlog", PART)


async def disk_lied(world: World) -> None:
    """One broker after the other loses what it had said it had: of each partition the newest records, on its own disk."""
    for one in world.random.sample(_NODES, 2):
        await world.load(1.0)
        os.kill(world.platform.parts()[one]["pid"], signal.SIGSTOP)  # nothing is written while the files are cut
        folder = world.platform.state.root / one / "data"
        lost = sum(_cut(file, world.random) for file in folder.glob(f"{world.topic}-*/*.log"))
        lost += sum(_cut(file, world.random) for name in _KAFKAS_OWN for file in folder.glob(f"{name}-*/*.log"))
        if not lost:
            world.wrong.append(f"{one} had nothing to lose")
        _end(world, one)
        await until(lambda: _is_whole(world), _START)
    await world.recovers("broker", PART)


def _cut(segment: Path, random: Random) -> int:
    """Cut off up to a half of a segment's end, in the midst of a record; returns how many bytes that are."""
    size = segment.stat().st_size
    kept = size - int(size * random.uniform(0.1, 0.5))
    os.truncate(segment, kept)
    return size - kept


async def _kept_down(world: World, parts: Sequence[str]) -> None:
    """Kill brokers whenever the supervisor has started them again."""
    until_then = time.monotonic() + _DOWN
    while time.monotonic() < until_then:
        for one in parts:
            _end(world, one)
        await asyncio.sleep(0.1)


def _end(world: World, part: str) -> None:
    """`kill -9`, unless it has ended already."""
    found = world.platform.parts()[part]
    processes.end(found["pid"], found["started"])


async def _is_whole(world: World) -> bool:
    """Whether every broker answers, and sees each partition led and every broker in sync; what one alone says may be old."""
    with suppress(KafkaError, OSError, TimeoutError):
        brokers = world.platform.kafka("admin").bootstrap.split(",")
        seen = await asyncio.wait_for(asyncio.gather(*(leaders(world, one, *_KAFKAS_OWN) for one in brokers)), 10)
        return all(leader > 0 and copies == len(_NODES) for found in seen for leader, copies in found)
    return False
