"""Faults under which the five services themselves are looked at: what they heard already has no effect when it comes again.

E  the matches equal a from-scratch oracle and what they were, and all that is kept anywhere equals what its owner has
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from alliance.notify.v1 import notify_pb2
from alliance_local.clock import NotSettledError
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from chassis import topics
from chassis.statements import Row
from tests import world
from tests.recovery import equality
from tests.recovery.drill import Drill

_MATCHES = "SELECT name, version, demand, supply, state FROM match ORDER BY name"
_EVENTS = "SELECT count(*), max(id::text) FROM event"
_INBOX = "SELECT count(*) FROM inbox_message HAVING count(*) > 0"
_AT_MOST = 200.0  # seconds that a scenario may take
Injection = Callable[[Platform], Awaitable[None]]


async def broken(platform: Platform, inject: Injection, seed: int) -> dict[str, str]:
    """Let bodies, listings, matches and reports come about, inject, and see what differs; empty where nothing does."""
    try:
        async with asyncio.timeout(_AT_MOST):
            found = await _differences(platform, inject, seed)
    except (TimeoutError, NotSettledError) as error:
        found = [f"it comes to no end: {error}"]
    return {"E": "; ".join(found[:3])} if found else {}


async def _differences(platform: Platform, inject: Injection, seed: int) -> list[str]:
    drill = Drill(platform.state.root)
    scene = drill.published(Random(seed).randint(3, 6))
    world.subscribe(scene.employer, "alliance.matching.match.*.v1", channel=notify_pb2.CHANNEL_INBOX)
    drill.changed(scene)
    world.settle(platform)
    before = await _state(platform)
    if empty := [what for what, state in before.items() if not state]:
        return [f"there is nothing to compare: {', '.join(empty)}"]
    await inject(platform)
    world.settle(platform)
    after = await _state(platform)
    found = [f"{what} is not what it was" for what, state in before.items() if after[what] != state]
    return found + await equality.differences(platform)


async def everything_again(platform: Platform) -> None:
    """The whole log of every topic is produced once more behind itself."""
    await _produce(platform)


async def _produce(platform: Platform, raised: int = 0) -> None:
    producer = AIOKafkaProducer(**platform.kafka("admin").options(), acks="all")
    await producer.start()
    try:
        for topic in topics.load().all:
            for one in await equality.records(platform, topic):
                version = int(dict(one.headers)["ce_sequence"]) + raised
                headers = [*((name, value) for name, value in one.headers if name != "ce_sequence")]
                headers.append(("ce_sequence", str(version).encode()))
                await producer.send_and_wait(topic.name, one.value, key=one.key, partition=one.partition, headers=headers)
    finally:
        await producer.stop()


async def old_as_news(platform: Platform) -> None:
    """What a platform does that takes what it heard for new: every record again, in versions that it has not seen."""
    await _produce(platform, raised=1000)


async def offsets_reset(platform: Platform) -> None:
    """Every group begins at offset 0 again."""
    options = platform.kafka("admin").options()
    begun = await _begun(options)  # while all is up: a broker that has just started does not know its groups yet
    if not begun:
        raise AssertionError("no group has committed anything")
    platform.down()
    platform.up(lambda _: None, sinks=False, ALLIANCE_LOCAL_SERVICES="")
    for group, places in begun.items():
        await _begin_again(platform.kafka("admin").options(), group, places)
    platform.down()
    platform.up(lambda _: None, sinks=False)


async def _begun(options: dict[str, object]) -> dict[str, list[TopicPartition]]:
    """Group → where it has a place; some topics hold nothing yet."""
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    try:
        groups = [name for name, *_ in await admin.list_consumer_groups()]
        offsets = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    finally:
        await admin.close()
    return {group: list(committed) for group, committed in offsets.items() if committed}


async def _begin_again(options: dict[str, object], group: str, places: list[TopicPartition]) -> None:
    """Members that had to be killed are in the group until their sessions end."""
    while True:
        consumer = AIOKafkaConsumer(**options, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.commit(dict.fromkeys(places, 0))
            return
        except KafkaError:
            await asyncio.sleep(1)
        finally:
            await consumer.stop()


async def _state(platform: Platform) -> dict[str, list[Row]]:
    """What must not change: the matches, what every service has said, and what went out."""
    found = {"the state of matching": await equality.rows(platform, "matching", _MATCHES)}
    for service in SERVICES:
        found[f"what {service} says"] = await equality.rows(platform, service, _EVENTS)
    found["the inbox"] = await equality.rows(platform, "notify", _INBOX)
    return found
