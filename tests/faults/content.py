"""Faults of what is on the topic: garbage, what is too large, what comes twice, what is of a later contract."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from alliance.notify.v1 import events_pb2, notify_pb2
from chassis import dlq
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Database, Tx
from tests.faults import node
from tests.faults.fault import LEASE, SERVICE, SESSION
from tests.faults.world import World
from tests.waiting import until

_REPLAYED = "SELECT key FROM dead_letter WHERE state = 'replayed'"


async def garbage(world: World) -> None:
    """Bytes that are none of ours between good records."""
    good = events_pb2.SubscriptionEvent(
        subscription=notify_pb2.Subscription(name="x", subscriber=node.POISON)
    ).SerializeToString()
    for number in range(8):
        name = f"poison/{world.reading}/{number}"
        world.poison.append(name)
        ways: tuple[tuple[bytes, list[tuple[str, bytes]]], ...] = (
            (b"\xff\xff", [("ce_sequence", b"1")]),
            (good[: len(good) // 2] + b"\xff", [("ce_sequence", b"1")]),
            (good, []),
            (good, [("ce_sequence", b"-1")]),
            (good, [("ce_sequence", b"1"), ("content-type", b"application/json")]),
            (good, [("ce_sequence", b"1")]),
        )
        value, headers = ways[number] if number < len(ways) else world.random.choice(ways)
        await world.produce((name.encode(), value, headers))
        await world.load(0.2)
    await world.recovers("consumer", SERVICE)
    await _replayed(world)


async def _replayed(world: World) -> None:
    """An operator replays all of it: what the handler takes by now has its effect once, the rest is dead again."""
    await until(lambda: _all_given_up(world), SESSION)
    world.reader.environment["FAULT_TAKES_POISON"] = "1"
    world.reader.kill()
    await world.reader.serves()
    async with _operating(world) as tx:
        await dlq.replay(tx, [row.id for row in await dlq.listed(tx, dlq.Filter(), dlq.MAX_ROWS)])
    await until(lambda: world.rows(world.reading, _REPLAYED), SESSION)
    await until(lambda: _all_given_up(world), SESSION)
    replayed = await world.rows(world.reading, _REPLAYED)
    effects = await world.rows(world.reading, "SELECT key FROM effect WHERE key LIKE 'poison/%'")
    if sorted(row["key"] for row in replayed) != sorted(row["key"] for row in effects):
        world.wrong.append(f"{len(replayed)} replayed, with {len(effects)} effects")


async def garbage_on_live_keys(world: World) -> None:
    """Bytes that claim to be a coming version of keys that are in use: the true ones wait, and have their effect once an
    operator has dropped the others.
    """
    await world.load(1)
    keys = set()
    for ahead in (1, 1, 2, 1_000_000):
        key, version = max(world.random.choices(world.acknowledged(), k=20), key=lambda one: one[1])
        claimed = b"%d" % (version + ahead)
        await world.produce((key.encode(), b"\xff\xff", [("ce_sequence", claimed)]))
        keys.add(key)
        await world.load(0.3)
    coming = [(key, await world.commit(key, b"")) for key in sorted(keys)]  # are read after the garbage: that is known by then
    for key, version in coming:
        await world.takes("the key", SERVICE, until(partial(_has_effect_once_dropped, world, key, version), SERVICE + 1))
    await world.recovers("consumer", SERVICE)


async def _has_effect_once_dropped(world: World, key: str, version: int) -> bool:
    """Drop what can't be read and is known by now; says whether the version has had its effect."""
    async with _operating(world) as tx:
        await dlq.drop(tx, [row.id for row in await dlq.listed(tx, dlq.Filter(reason="undecodable"), dlq.MAX_ROWS)])
    return await world.has_effect(key, version)


@asynccontextmanager
async def _operating(world: World) -> AsyncIterator[Tx]:
    """A transaction of an operator's on the reader's database."""
    database = Database(world.database(world.reading), system=SystemClock(), business=BusinessClock(SystemClock()))
    try:
        async with database.transaction(Cause("tester", reason="the cause is mended")) as tx:
            yield tx
    finally:
        await database.close()


async def _all_given_up(world: World) -> bool:
    return not await world.rows(world.reading, "SELECT 1 FROM dead_letter WHERE state IN ('retrying', 'waiting')")


async def undecodable(world: World) -> None:
    """Bytes that are no message, and a content type that is not ours."""
    good = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name="x")).SerializeToString()
    for number in range(6):
        name = f"poison/{world.reading}/{number}"
        world.poison.append(name)
        headers = [("ce_sequence", b"1"), *([("content-type", b"text/plain")] if number % 2 else [])]
        await world.produce((name.encode(), good if number % 2 else b"\xff" + world.random.randbytes(9), headers))
        await world.load(0.2)
    await world.recovers("consumer", SERVICE)


async def oversized_in_the_queue(world: World) -> None:
    """A row that no command would let in is parked; other keys go on. A record without a key is a dead letter."""
    world.held.append("keys/huge")
    await world.commit("keys/huge", os.urandom(5 * 1024 * 1024))
    await world.produce((None, b"no key", [("ce_sequence", b"1")]))
    await world.recovers("relay", SERVICE + LEASE)
    await until(lambda: world.rows(world.reading, "SELECT 1 FROM dead_letter WHERE raw_key IS NULL"), SERVICE)
    rows = await world.rows(world.writing, "SELECT key FROM outbox WHERE parked IS NOT NULL")
    if [row["key"] for row in rows] != ["keys/huge"]:
        world.wrong.append(f"parked: {rows}")


async def everything_again(world: World) -> None:
    """The whole log is produced once more behind itself."""
    world.is_repeated = True
    await world.load(1.5)
    for one in await world.records():
        await world.produce((one.key, one.value, one.headers))
    await world.recovers("consumer", SERVICE)


async def offsets_reset(world: World) -> None:
    """The group begins at offset 0 again."""
    await world.load(1.5)
    await world.reader.stop()
    group = f"{world.reading}.ledger"
    consumer = world.consumer(group_id=group)
    await consumer.start()
    try:
        places = {TopicPartition(world.topic, number): OffsetAndMetadata(0, "") for number in range(node.PARTITIONS)}
        consumer.assign(list(places))
        await consumer.commit(places)
    finally:
        await consumer.stop()
    await world.reader.start()
    await world.recovers("consumer", SERVICE)


async def later_contract(world: World) -> None:
    """Records of a later version: unknown fields, enum values and event types."""
    known = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name="later"))
    known.subscription.channel = 77  # type: ignore[assignment]
    content = known.SerializeToString() + b"\xf8\x3f\x01"
    headers = [
        ("ce_sequence", b"1"),
        ("ce_type", b"alliance.notify.fault.invented.v9"),
        ("ce_id", b"test-later"),
        ("x-new", b"\xff"),
    ]
    name = f"later/{world.reading}"
    await world.produce((name.encode(), content, headers))
    await until(lambda: world.has_effect(name, 1), 20)
    counted = f'alliance_consumer_records_total{{group="{world.reading}.ledger",outcome="unknown_type"}} 1.0'
    if counted not in await world.reader.metrics():
        world.wrong.append("what is of an unknown type is not counted")
    await world.recovers("consumer", SERVICE)
