"""The relay: nothing lost, order kept, one at a time."""

import asyncpg
import pytest

from tests.component.conftest import TOPIC, Probe, key
from tests.waiting import running, until


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


async def test_a_relay_that_was_paused_is_fenced(probe: Probe) -> None:
    """The second relay takes the lease when the first lets it run out; each event is on the topic, the last one last.

    The first may have been stopped before it had taken the event off its queue: then that one is there twice.
    """
    name = key()
    first, second = (probe.relay() for _ in range(2))
    async with running(first.run):
        await probe.emit(name, 1)
        await until(lambda: probe.is_published(name))
    async with running(second.run):  # `first` was cancelled without giving its lease back
        await probe.emit(name, 2)
        await until(lambda: probe.is_published(name, 2))
    versions = await probe.versions(name)
    assert versions in ([1, 2], [1, 1, 2])
