"""Faults that hit one broker, one database and the processes between them; one function each.

A scenario finds a world whose writer and reader are up and flowing, does its damage while the load goes on, and leaves it so;
`tests.faults.run` lets all come to rest and compares. How often, when and whom the seed decides.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from functools import partial

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from alliance.notify.v1 import events_pb2, notify_pb2
from tests.faults.fault import LEASE, PART, SERVICE, SESSION, broker_answers, database_answers
from tests.faults.process import Process
from tests.faults.world import World
from tests.waiting import until

_MANY, _LARGE = 5000, 16 * 1024  # records, and bytes of one
_STAY = 3  # seconds that a member stays
_POOL = 2  # connections
_LATE = 2 + SERVICE  # seconds after which a version that was committed late has its effect: the queue is scanned every two
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
_MAY_HOLD = 40 * 1024 * 1024  # bytes by which a reader may grow: a batch, what is fetched ahead, and both decoded


async def _crash_at(world: World, process: Process, point: str, most: int) -> None:
    """Have a process crash at a point two lives in a row, each at another time that the point is passed."""
    process.lives = [{"ALLIANCE_CRASH_AT": f"{point}:{world.random.randint(1, most)}"} for _ in range(2)]
    process.kill()
    await process.ended(3)
    await world.recovers("process", SERVICE)


async def nothing(world: World) -> None:
    """The control."""
    await world.load(3.0)


async def relay_dies_after_produce(world: World) -> None:
    await _crash_at(world, world.writer, "relay.after_produce", 6)


async def relay_dies_before_produce(world: World) -> None:
    await _crash_at(world, world.writer, "relay.before_produce", 6)


async def service_dies_in_a_transaction(world: World) -> None:
    for _ in range(4):
        await world.load(0.6)  # of its four writers, one or the other is in the midst of a transaction
        world.writer.kill()
        await world.writer.serves()
    world.writer.kill()
    await world.recovers("process", SERVICE)


async def consumer_dies_before_the_offset(world: World) -> None:
    await _crash_at(world, world.reader, "consumer.after_commit", 4)


async def consumer_dies_between_records(world: World) -> None:
    await _crash_at(world, world.reader, "consumer.between_records", 20)


async def consumer_dies_before_commit(world: World) -> None:
    await _crash_at(world, world.reader, "consumer.before_commit", 4)


async def two_relays(world: World) -> None:
    """The leader is stopped beyond its lease, another takes over, and it wakes up again."""
    second = world.process(world.writing, "relay", "1")
    await second.start()
    for _ in range(2):
        await world.load(1.0)
        leader = await _stopped_leader(world, second, world.random.uniform(1.2, 1.6))
        leader.send(signal.SIGCONT)
        await world.load(0.5)
    await world.recovers("relay", SERVICE)
    while await _leader(world, second) is not second:  # whose stop leaves the writers writing
        (await _stopped_leader(world, second, 1.2)).send(signal.SIGCONT)
    leader = await _stopped_leader(world, second, 1.8)
    connection = await asyncpg.connect(world.database(world.writing))
    try:  # nothing is written any more, and all is published: what the old leader sends now would stay the last
        await connection.execute("BEGIN; LOCK TABLE ledger IN EXCLUSIVE MODE")
        await until(lambda: _all_is_out(world), SESSION)
        leader.send(signal.SIGCONT)
        await asyncio.sleep(1.5)
        await asyncio.gather(second.stop(signal.SIGKILL), world.writer.stop(signal.SIGKILL))
    finally:
        await connection.close()


async def _stopped_leader(world: World, second: Process, leases: float) -> Process:
    """Stop the relay that leads, for so many times its lease."""
    leader = await _leader(world, second)
    leader.send(signal.SIGSTOP)
    await asyncio.sleep(LEASE * leases)
    return leader


async def _all_is_out(world: World) -> bool:
    return not await world.rows(world.writing, "SELECT 1 FROM outbox")


async def _leader(world: World, second: Process) -> Process:
    (row,) = await world.rows(world.writing, "SELECT holder FROM lease WHERE name LIKE 'relay-%'")
    return second if f":{second.pid}:" in row["holder"] else world.writer


async def zombie_consumer(world: World) -> None:
    """A consumer is stopped beyond its session, others get its partitions, and it wakes up again."""
    second = world.process(world.reading, "read", "1")
    await second.start()
    await world.load(3.0)
    world.reader.send(signal.SIGSTOP)
    await asyncio.sleep(SESSION * 1.3)
    world.reader.send(signal.SIGCONT)
    await world.recovers("consumer", SERVICE)
    await second.stop()


async def rebalance_storm(world: World) -> None:
    """Each second a member joins, and one that has come some seconds before leaves."""
    others: list[Process] = []
    most = 0
    for number in range(1, 9):
        others.append(world.process(world.reading, "read", str(number)))
        await others[-1].start()
        await world.load(1.0)
        most = max(most, await _members(world))
        if number > _STAY:
            await others.pop(0).stop(world.random.choice((signal.SIGTERM, signal.SIGKILL)))
    for one in others:
        await one.stop(world.random.choice((signal.SIGTERM, signal.SIGKILL)))
    if most < _STAY:
        world.wrong.append(f"the group had {most} members at most")
    # One that died while the group gathers is waited for, counted in, and out again once its session ends.
    await world.recovers("group", 2 * SESSION + SERVICE)


async def _members(world: World) -> int:
    """How many members the reader's group has."""
    admin = AIOKafkaAdminClient(**world.platform.kafka("admin").options())
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([f"{world.reading}.ledger"])
        (group,) = answer.groups
        return len(group[5])
    finally:
        await admin.close()


async def slow_handler(world: World) -> None:
    """A batch takes longer than the group allows between two polls: it loses its partitions again and again, and gets on."""
    world.writer.lives = [{"FAULT_RATE": "4"}]
    world.reader.lives = [{"FAULT_SLOW": "0.1", "FAULT_POLL_INTERVAL": "1"}]
    for one in (world.writer, world.reader):
        one.kill()
        await one.serves()
    await asyncio.sleep(8)
    before = await _effects(world)
    await asyncio.sleep(8)
    if await _effects(world) < before + 8:
        world.wrong.append("the slow reader came to a stand")
    for one in (world.writer, world.reader):
        one.kill()
    await world.recovers("consumer", SERVICE)


async def _effects(world: World) -> int:
    (row,) = await world.rows(world.reading, "SELECT count(*) FROM effect")
    return int(row["count"])


async def much_to_read(world: World) -> None:
    """A handler is slow, and far more waits than its process may hold: the rest stays with the broker."""
    world.reader.lives = [{"FAULT_SLOW": "0.3"}]
    world.reader.kill()
    await until(lambda: world.reader.said('"serving"') > 1, SESSION * 2)
    await world.load(2.0)
    before = world.reader.memory()
    large = notify_pb2.Subscription(organization=f"organizations/{'x' * _LARGE}")
    content = events_pb2.SubscriptionEvent(subscription=large).SerializeToString()
    headers = [("ce_sequence", b"1"), ("ce_type", b"alliance.notify.fault.changed.v1")]
    await world.produce(
        *(
            (f"test/{world.reading}-{number}".encode(), content, [*headers, ("ce_id", f"test-{number}".encode())])
            for number in range(_MANY)
        )
    )
    await world.load(3.0)
    if (grown := world.reader.memory() - before) > _MAY_HOLD:
        world.wrong.append(f"the reader grew by {grown // 2**20} MiB")
    world.reader.kill()
    await until(lambda: world.has_effect(f"test/{world.reading}-{_MANY - 1}", 1), 30)  # what was held up comes first
    await world.recovers("consumer", SERVICE)


async def broker_crash(world: World) -> None:
    world.platform.kill("kafka")
    await until(lambda: broker_answers(world), 40)
    await world.recovers("broker", PART)


async def database_backend_killed(world: World) -> None:
    """`kill -9` of one backend: PostgreSQL ends all sessions and goes through recovery."""
    (row,) = await world.rows(
        world.writing, "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid() LIMIT 1", world.writing
    )
    os.kill(row["pid"], signal.SIGKILL)
    await until(lambda: database_answers(world), 30)
    await world.recovers("database", PART)


async def database_immediate_stop(world: World) -> None:
    os.kill(world.platform.parts()["postgres"]["pid"], signal.SIGQUIT)
    await asyncio.sleep(0.2)
    await until(lambda: database_answers(world), 30)
    await world.recovers("database", PART)


async def pool_exhausted(world: World) -> None:
    """Every connection of the writer's pool is held for a while; what was committed before is published all the same."""
    world.writer.lives = [{"ALLIANCE_DATABASE_POOL": str(_POOL)}]
    world.writer.kill()
    await world.flows()
    leads = await world.rows(world.writing, "SELECT holder, epoch FROM lease")
    connection = await asyncpg.connect(world.database(world.writing))
    try:
        await connection.execute("BEGIN; LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")  # who writes waits, with its connection
        await asyncio.sleep(8)  # longer than one waits for a connection
        (waiting,) = await world.rows(world.writing, _WAITING, world.writing)
        if waiting["count"] != _POOL or await world.rows(world.writing, "SELECT 1 FROM outbox"):
            world.wrong.append(f"{waiting['count']} connections are held, or what was committed is not published")
    finally:
        await connection.close()
    if await world.rows(world.writing, "SELECT holder, epoch FROM lease") != leads:
        world.wrong.append("the relay lost its lease")
    await world.recovers("pool", SERVICE)


async def held_snapshot(world: World) -> None:
    """A snapshot and an open transaction that has written, here and in another database: the relay goes on beside them."""
    connections = [await asyncpg.connect(world.database(service)) for service in (world.writing, world.reading)]
    for connection in connections:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        await connection.execute("INSERT INTO ledger (key, version) VALUES ($1, 1)", "keys/held")
    await world.load(2.0)
    await world.recovers("relay", SERVICE)
    for connection in connections:
        await connection.close()


async def late_commits(world: World) -> None:
    """Transactions that drew their places early commit in reverse order; the next version follows at once, or never."""
    keys = [f"keys/late-{number}" for number in range(3)]
    await _held(world, keys)
    await asyncio.gather(*(world.commit(key, b"") for key in keys))
    versions = await _held(world, keys)
    waiting = (until(partial(world.has_effect, key, version), _LATE + 1) for key, version in zip(keys, versions, strict=True))
    await asyncio.gather(*(world.takes("late version", _LATE, one) for one in waiting))
    await world.recovers("relay", SERVICE)


async def _held(world: World, keys: Sequence[str]) -> list[int]:
    """Write the next version of each key in a transaction that stays open for a while, the first the longest."""
    held = (3.0, 1.5, 0.5)
    return await asyncio.gather(*(world.commit(key, b"", seconds=seconds) for key, seconds in zip(keys, held, strict=True)))


async def rolling_restart(world: World) -> None:
    """SIGTERM under load, writer and reader in turn; each leaves nothing to wait for."""
    for one in (world.writer, world.reader) * 2:
        await world.load(1.0)
        ends = len(one.codes)
        one.send(signal.SIGTERM)
        await one.ended(ends + 1)
        if one.codes[-1]:
            world.wrong.append(f"exit {one.codes[-1]} instead of 0")
    await world.recovers("process", SERVICE)


async def one_member_twice(world: World) -> None:
    """A second process of the reader's slot is refused, until the first has been still for longer than its lease."""
    second = world.process(world.reading, "read", "0")
    await second.start()
    await world.load(3.0)
    if (holder := await _member(world)) != world.reader.pid:
        world.wrong.append(f"the member is {holder}, not {world.reader.pid}")
    world.reader.send(signal.SIGSTOP)
    await asyncio.sleep(LEASE * 1.6)
    world.reader.send(signal.SIGCONT)
    await world.recovers("consumer", SESSION + SERVICE)
    await world.load(2.0)
    if (holder := await _member(world)) != second.pid:
        world.wrong.append(f"the member is {holder}, not {second.pid}")
    await second.stop(signal.SIGKILL)
    await world.recovers("consumer", LEASE + SERVICE)


async def _member(world: World) -> int:
    """The pid of the process that holds the reader's slot."""
    (row,) = await world.rows(world.reading, "SELECT holder FROM lease WHERE name = $1", f"member:{world.reading}.0")
    return int(row["holder"].split(":")[1])
