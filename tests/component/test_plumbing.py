"""The event plumbing on real PostgreSQL and Kafka: nothing lost, nothing doubled, order kept, bad records aside."""

import asyncio
import base64
from contextlib import suppress

import asyncpg
import pytest

from alliance.notify.v1 import events_pb2, notify_pb2
from chassis import deadletter, dlq, jobs, topics
from chassis.consumer import Consumers
from chassis.database import Tx
from chassis.handling import Handling
from chassis.kafka import partition_of
from chassis.record import RawRecord
from chassis.relay import Relay
from tests.component.conftest import CAUSE, TOPIC, Probe, key
from tests.records import everything
from tests.waiting import running, until


def _consumers(probe: Probe, handling: Handling) -> Consumers:
    return Consumers(probe.name, "0", probe.kafka, probe.database, [handling])


async def _published(probe: Probe, name: str) -> list[RawRecord]:
    """Committed records of a key."""
    place = partition_of(name, topics.load().named(TOPIC).partitions)
    return [
        RawRecord(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
        for one in await everything(probe.kafka, TOPIC, [place])
        if one.key == name.encode()
    ]


def _version(raw: RawRecord) -> int:
    return int(dict(raw.headers)["ce_sequence"] or b"0")


async def test_events_reach_the_handler_once_and_in_order(probe: Probe) -> None:
    name = key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    consumers = _consumers(probe, probe.handling())
    async with running(relay.run, consumers.run):
        for version in range(1, 21):
            await probe.emit(name, version)
        await until(lambda: _has(probe, name, 20))
    assert await probe.effects(name) == list(range(1, 21))
    assert await probe.rows("SELECT * FROM outbox") == []


async def _has(probe: Probe, name: str, count: int) -> bool:
    return len(await probe.effects(name)) >= count


async def test_what_is_rolled_back_is_never_published(probe: Probe) -> None:
    async def fail() -> None:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await probe.emit(key(), 1, before_commit=fail)
    assert await probe.rows("SELECT * FROM event") == []
    assert await probe.rows("SELECT * FROM outbox") == []


async def test_what_is_put_off_is_written_once_and_in_the_transaction(probe: Probe) -> None:
    """Also where a savepoint follows: what was put off inside a failed one is gone, what was before it stays."""
    written: list[list[str]] = []

    async def write(tx: Tx, rows: list[str]) -> None:
        written.append(rows)
        for row in rows:
            await tx.sql.run("INSERT INTO effect (key) VALUES ($1)", row)

    async with probe.database.transaction(CAUSE) as tx:
        tx.later(write, ["a"])
        tx.later(write, ["b"])
        with suppress(RuntimeError):
            async with tx.savepoint():
                tx.later(write, ["c"])
                raise RuntimeError("on purpose")
        async with tx.savepoint():
            tx.later(write, ["d"])
        tx.later(write, ["e"])
        tx.later(write, [])
    assert written == [["a", "b"], ["d"], ["e"]]
    assert [row["key"] for row in await probe.rows("SELECT key FROM effect ORDER BY ctid")] == ["a", "b", "d", "e"]


async def test_what_one_savepoint_read_is_not_known_after_it_failed(probe: Probe) -> None:
    async with probe.database.transaction(CAUSE) as tx:
        with suppress(RuntimeError):
            async with tx.savepoint():
                tx.memo["read"] = True
                raise RuntimeError("on purpose")
        assert "read" not in tx.memo


async def test_a_low_sequence_that_commits_late_is_published(probe: Probe) -> None:
    """`seq > last` alone would lose it: the queue is scanned from its start every 2 s."""
    late, early = key(), key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run):
        connection = await asyncpg.connect(probe.url)
        waiting = connection.transaction()
        await waiting.start()
        await _insert_event(connection, late)
        await probe.emit(early, 1)
        await until(lambda: _is_published(probe, early))
        await waiting.commit()
        await connection.close()
        await until(lambda: _is_published(probe, late))


async def test_a_version_does_not_overtake_an_earlier_one_that_commits_late(probe: Probe) -> None:
    """The relay has gone on beyond the earlier one's sequence by then, and finds the later one first."""
    name, other = key(), key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run):
        connection = await asyncpg.connect(probe.url)
        waiting = connection.transaction()
        await waiting.start()
        await _insert_event(connection, name)
        await probe.emit(other, 1)
        await until(lambda: _is_published(probe, other))
        await waiting.commit()
        await connection.close()
        await probe.emit(name, 2)
        await until(lambda: _is_last(probe, name, 2))
    assert [_version(raw) for raw in await _published(probe, name)] == [1, 2]


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


async def _is_published(probe: Probe, name: str) -> bool:
    return bool(await _published(probe, name))


async def test_a_bad_record_does_not_stop_the_good_ones(probe: Probe) -> None:
    bad, good = key(), key()
    probe.broken.add(bad)
    handling = probe.handling()
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    relay, consumers = Relay(probe.name, probe.database, probe.kafka), _consumers(probe, handling)
    async with running(relay.run, consumers.run, worker.run):
        for version in (1, 2, 3):
            await probe.emit(bad, version)
            await probe.emit(good, version)
        await until(lambda: _has(probe, good, 3))
        await until(lambda: _states(probe, ["dead", "waiting", "waiting"]))
        # An operator replays it once the cause is mended; the waiting ones follow in their order.
        probe.broken.clear()
        dead = await probe.rows("SELECT id FROM dead_letter WHERE state = 'dead'")
        async with probe.database.transaction(CAUSE) as tx:
            assert len(await dlq.replay(tx, [row["id"] for row in dead])) == 1
        await until(lambda: _has(probe, bad, 3))
    assert await probe.effects(bad) == [1, 2, 3]
    assert await probe.effects(good) == [1, 2, 3]


async def _states(probe: Probe, wanted: list[str]) -> bool:
    rows = await probe.rows("SELECT state FROM dead_letter ORDER BY version")
    return [row["state"] for row in rows] == wanted


async def test_a_later_state_supersedes_a_failed_one(probe: Probe) -> None:
    name = key()
    handling = probe.handling("state")
    worker = deadletter.Worker(probe.database, {handling.group: handling})
    first, second = await _two_records(probe, name)
    probe.broken.add(name)
    await handling.batch([first])
    probe.broken.clear()
    await handling.batch([second])
    assert await probe.effects(name) == [2]
    await worker.step()
    assert await _states(probe, ["superseded"])
    assert await probe.effects(name) == [2]


async def _two_records(probe: Probe, name: str) -> tuple[RawRecord, RawRecord]:
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run):
        await probe.emit(name, 1)
        await probe.emit(name, 2)
        await until(lambda: _two(probe, name))
    first, second = await _published(probe, name)
    return first, second


async def _is_last(probe: Probe, name: str, version: int) -> bool:
    found = await _published(probe, name)
    return bool(found) and _version(found[-1]) == version


async def _two(probe: Probe, name: str) -> bool:
    return len(await _published(probe, name)) == 2


async def test_records_given_again_have_no_second_effect(probe: Probe) -> None:
    """Also when the group starts over at offset 0."""
    name = key()
    handling = probe.handling()
    records = await _two_records(probe, name)
    for _ in range(3):
        await handling.batch(list(records))
    assert await probe.effects(name) == [1, 2]


async def test_what_cannot_be_decoded_is_parked_and_retried(probe: Probe) -> None:
    handling = probe.handling()
    raw = RawRecord(TOPIC, 0, 10**9, 0, b"subscriptions/x", b"\xff\xff", [("ce_sequence", b"1"), ("ce_id", None)])
    await handling.batch([raw])
    (row,) = await probe.rows("SELECT state, reason, value FROM dead_letter")
    assert row["state"] == "retrying"
    assert "undecodable" in row["reason"]
    assert base64.b64encode(row["value"]) == base64.b64encode(b"\xff\xff")
    await handling.batch([raw])
    assert len(await probe.rows("SELECT 1 FROM dead_letter")) == 1


async def test_a_relay_that_was_paused_is_fenced(probe: Probe) -> None:
    """The second relay takes the lease when the first lets it run out; each event is on the topic, the last one last.

    The first may have been stopped before it had taken the event off its queue: then that one is there twice.
    """
    name = key()
    first, second = (Relay(probe.name, probe.database, probe.kafka) for _ in range(2))
    async with running(first.run):
        await probe.emit(name, 1)
        await until(lambda: _is_published(probe, name))
    async with running(second.run):  # `first` was cancelled without giving its lease back
        await probe.emit(name, 2)
        await until(lambda: _is_last(probe, name, 2))
    versions = [_version(raw) for raw in await _published(probe, name)]
    assert versions in ([1, 2], [1, 1, 2])


async def test_a_tail_recalls_what_was_handled_and_handles_what_is_new(probe: Probe) -> None:
    old, new = key(), key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run):
        await probe.emit(old, 1)
        consumers = _consumers(probe, probe.handling("state", tail=True))
        async with running(consumers.run):
            await until(lambda: _has(probe, old, 1))
        await consumers.stop()
        await probe.emit(new, 1)
        await until(lambda: _is_published(probe, new))
        again = _consumers(probe, probe.handling("state", tail=True))
        async with running(again.run):
            await until(again.ready.is_set)
            await until(lambda: _has(probe, new, 1))
    assert (old, 1) in probe.recalled
    assert (new, 1) not in probe.recalled
    assert await probe.effects(old) == [1]


async def test_a_tail_remembers_what_a_lost_topic_is_given_again(probe: Probe) -> None:
    """After Kafka was lost, records come anew that had their effect long ago; history alone must not overwrite the newest."""
    name = key()
    handling = probe.handling("state", tail=True)
    first, second = await _two_records(probe, name)
    await handling.batch([first, second])
    assert probe.recalled == []
    await handling.batch([first])
    assert probe.recalled == []
    await handling.batch([first, second])
    assert probe.recalled == [(name, 2)]
    assert await probe.effects(name) == [1, 2]


async def test_a_tail_loses_nothing_that_arrives_while_it_hands_over_what_it_held(probe: Probe) -> None:
    before, meanwhile = key(), key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run):
        await probe.emit(before, 1)
        await until(lambda: _is_published(probe, before))
        probe.held_up = asyncio.Event()
        consumers = _consumers(probe, probe.handling("state", tail=True))
        async with running(consumers.run):
            await until(lambda: not consumers._lanes[0]._is_recalling)  # type: ignore[union-attr]
            await probe.emit(meanwhile, 1)
            await until(lambda: _is_published(probe, meanwhile))
            assert not consumers.ready.is_set()
            probe.held_up.set()
            await until(lambda: _has(probe, before, 1))
            await until(lambda: _has(probe, meanwhile, 1))


async def test_a_replay_publishes_every_version_again(probe: Probe) -> None:
    name = key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run):
        await probe.emit(name, 1)
        await probe.emit(name, 2)
        await until(lambda: _two(probe, name))
        async with probe.database.transaction(CAUSE) as tx:
            await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: _count(probe, name, 4))
    assert [_version(raw) for raw in await _published(probe, name)] == [1, 2, 1, 2]


async def test_a_replay_of_large_records_takes_as_many_batches_as_it_needs(probe: Probe) -> None:
    """More of a partition than the broker takes in one batch, in one step."""
    name, versions, size = key(), 30, 60_000
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with probe.database.transaction(CAUSE) as tx:
        for version in range(1, versions + 1):
            event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=name, subscriber="x" * size))
            tx.emit(TOPIC, name, version, "created", event)
    async with running(relay.run):
        await until(lambda: _is_out(probe))
        async with probe.database.transaction(CAUSE) as tx:
            job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))
    (row,) = await probe.rows("SELECT records, failure FROM job WHERE id = $1", job)
    assert (row["records"], row["failure"]) == (versions, "")
    assert not await probe.rows("SELECT 1 FROM outbox WHERE parked IS NOT NULL")


async def test_a_replay_that_the_broker_refuses_ends_and_says_so(probe: Probe) -> None:
    name = key()
    relay = Relay(probe.name, probe.database, probe.kafka)
    await probe.emit(name, 1)
    async with running(relay.run):
        await until(lambda: _is_out(probe))
        connection = await asyncpg.connect(probe.owner)
        await connection.execute("UPDATE event SET payload = decode(repeat('00', 5000000), 'hex') WHERE key = $1", name)
        await connection.close()
        async with probe.database.transaction(CAUSE) as tx:
            job = await jobs.start(tx, "replay", TOPIC, "a new consumer")
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE id = $1 AND failure <> ''", job))
        await probe.emit(name, 2)
        await until(lambda: _is_out(probe))


async def _is_out(probe: Probe) -> bool:
    return not await probe.rows("SELECT 1 FROM outbox")


async def _count(probe: Probe, name: str, count: int) -> bool:
    return len(await _published(probe, name)) == count


async def test_the_service_cannot_change_or_remove_events(probe: Probe) -> None:
    await probe.emit(key(), 1)
    for statement in ("UPDATE event SET reason = 'x'", "DELETE FROM event", "DROP TABLE event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await probe.rows(statement)


async def test_the_second_process_of_a_slot_waits(probe: Probe) -> None:
    name = key()
    first, second = _consumers(probe, probe.handling()), _consumers(probe, probe.handling())
    relay = Relay(probe.name, probe.database, probe.kafka)
    async with running(relay.run, first.run):
        await probe.emit(name, 1)
        await until(lambda: _has(probe, name, 1))
        async with running(second.run):
            await asyncio.sleep(1)
            with pytest.raises(Exception, match="not connected"):
                await second.lag()
