"""What a fault is, and what its injection needs again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.faults.world import World

SERVICE, PART = 5.0, 5.0  # seconds to recover: of a service's process, and after a part answers again
LEASE = 3.0  # seconds
SESSION = 10.0  # seconds of aiokafka's session timeout


@dataclass(frozen=True)
class Fault:
    """One fault: its number in the catalogue, what it is, and how it is done."""

    number: str
    title: str
    holds: str
    inject: Callable[[Any], Awaitable[None]]
    """Does it to a `World`, or to the platform of the five services (`tests.faults.whole`)."""
    parts: str = "one"
    """On which parts: a name of `tests.faults.parts.PARTS`."""
    is_proxied: bool = False
    """Whether writer and reader reach database and broker through proxies only."""
    missing: Callable[[], str] = lambda: ""
    """What this machine lacks for it; "" for nothing."""


async def broker_answers(world: World) -> bool:
    """Whether a client of its own finds the end of the topic."""
    consumer = world.consumer()
    try:
        await asyncio.wait_for(consumer.start(), 5)
        await asyncio.wait_for(consumer.end_offsets([TopicPartition(world.topic, 0)]), 5)
    except Exception:
        return False
    finally:
        await consumer.stop()
    return True


async def leaders(world: World, broker: str = "", *topics: str) -> list[tuple[int, int]]:
    """For each partition its leader (-1 for none) and how many brokers are in sync: of the world's topic and of others, as one
    broker sees it (by its address; any where none is named). Raises KafkaError.
    """
    options = world.platform.kafka("admin").options()
    admin = AIOKafkaAdminClient(**options | ({"bootstrap_servers": broker} if broker else {}))
    try:
        await admin.start()
        found = await admin.describe_topics([world.topic, *topics])
        partitions = [one for topic in found for one in sorted(topic["partitions"], key=itemgetter("partition"))]
        return [(one["leader"], len(one["isr"])) for one in partitions]
    finally:
        await admin.close()


async def database_answers(world: World) -> bool:
    """Whether the writer's database does."""
    try:
        return bool(await world.rows(world.writing, "SELECT 1"))
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
