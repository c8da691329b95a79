"""What a fault is, and what its injection needs again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

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
    inject: Callable[[World], Awaitable[None]]
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


async def leaders(world: World) -> dict[int, tuple[int, int]]:
    """Partition of the topic → its leader (-1 for none) and how many brokers are in sync. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**world.platform.kafka("admin").options())
    try:
        await admin.start()
        (topic,) = await admin.describe_topics([world.topic])
        return {one["partition"]: (one["leader"], len(one["isr"])) for one in topic["partitions"]}
    finally:
        await admin.close()


async def database_answers(world: World) -> bool:
    """Whether the writer's database does."""
    try:
        return bool(await world.rows(world.writing, "SELECT 1"))
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
