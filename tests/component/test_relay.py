"""The relay: nothing lost, order kept, one at a time."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from chassis.relay import _FENCED
from tests.component.conftest import TOPIC, Probe, key
from tests.metrics import Rise, metric
from tests.waiting import PATIENCE, running, until


async def test_what_is_rolled_back_is_never_published(probe: Probe) -> None:
    async def fail() -> None:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await probe.emit(key(), 1, before_commit=fail)
    assert await probe.rows("SELECT * FROM event") == []
    assert await probe.rows("SELECT * FROM outbox") == []


async def test_a_low_sequence_that_commits_late_is_published(probe: Probe) -> None:
    """`seq > last` alone would lose it: the queue is scanned from its start every 2 s."""
    late, early = key(), key()
    relay = probe.relay()
    async with running(relay.run):
        connection = await asyncpg.connect(probe.url)
        waiting = connection.transaction()
        await waiting.start()
        await _insert_event(connection, late)
        await probe.emit(early, 1)
        await until(lambda: probe.is_published(early))
        await waiting.commit()
        await connection.close()
        await until(lambda: probe.is_published(late))


async def test_a_version_does_not_overtake_an_earlier_one_that_commits_late(probe: Probe) -> None:
    """The relay has gone on beyond the earlier one's sequence by then, and finds the later one first."""
    name, other = key(), key()
    relay = probe.relay()
    async with running(relay.run):
        connection = await asyncpg.connect(probe.url)
        waiting = connection.transaction()
        await waiting.start()
        await _insert_event(connection, name)
        await probe.emit(other, 1)
        await until(lambda: probe.is_published(other))
        await waiting.commit()
        await connection.close()
        await probe.emit(name, 2)
        await until(lambda: probe.is_published(name, 2))
    assert await probe.versions(name) == [1, 2]


async def _insert_event(connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> None:
    """An event in an open transaction, as `Tx` writes it."""
    await connection.execute(
        """
        WITH e AS (
          INSERT INTO event (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id,
                             request_id, traceparent, recorded_at, effective_at)
          VALUES (gen_random_uuid(), $1, $2, 1, 'alliance.notify.subscription.created.v1', ''::bytea, '', '', '', '', '',
                  '', now(), now())
          RETURNING id)
        INSERT INTO outbox (event_id, key) SELECT id, $2 FROM e
        """,
        TOPIC,
        name,
    )


async def test_what_is_published_is_counted_with_its_batch_and_its_lag(probe: Probe) -> None:
    published, name = Rise("alliance_relay_published_total"), key()
    batches, lags = (
        [Rise(f"alliance_relay_{what}_{part}") for part in ("count", "sum")] for what in ("batch_events", "lag_seconds")
    )
    for version in (1, 2, 3):
        await probe.emit(name, version)
    await probe.change("UPDATE event SET recorded_at = recorded_at - interval '1 hour'")
    async with running(probe.relay().run):
        await until(lambda: published() == 3)
        assert metric("alliance_relay_leader") == 1
    assert metric("alliance_relay_leader") == 0
    assert [one() for one in batches] == [1, 3]
    assert lags[0]() == 3
    assert 3 * 3600 <= lags[1]() < 3 * (3600 + PATIENCE)


async def test_a_relay_that_was_held_up_beyond_its_lease_is_fenced(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read a batch, and another relay takes the lease and publishes that batch and more before it goes on."""
    name, first, second = key(), probe.relay(), probe.relay()
    has_read, goes_on, ends = asyncio.Event(), asyncio.Event(), list[Exception | None]()
    publish = first._publish

    async def held_up(producer: AIOKafkaProducer, queued: Sequence[Any]) -> None:
        has_read.set()
        await goes_on.wait()
        try:
            await publish(producer, queued)
        except Exception as error:
            ends.append(error)
            raise
        ends.append(None)

    async with running(first.run):
        await probe.emit(name, 1)
        await until(probe.is_out)
        monkeypatch.setattr(first, "_publish", held_up)
        await probe.emit(name, 2)
        await has_read.wait()
        async with running(second.run):
            await until(lambda: probe.is_published(name, 2))
            await probe.emit(name, 3)
            await until(lambda: probe.is_published(name, 3))
            goes_on.set()
            await until(lambda: ends)
    assert await probe.versions(name) == [1, 2, 3]
    assert isinstance(ends[0], _FENCED)
