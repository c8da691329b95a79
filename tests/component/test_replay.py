"""Replays: every version again, in as many batches as it takes, with an end that says why."""

from alliance.notify.v1 import events_pb2, notify_pb2
from chassis import jobs
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


async def _count(probe: Probe, name: str, count: int) -> bool:
    return len(await probe.published(name)) == count
