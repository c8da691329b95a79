"""Rebuilding what a group keeps: lost, changed and invented rows are put right, in place, while records go on coming."""

import asyncio
from collections import Counter
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from chassis import deadletter, dlq, jobs, reading, topicid
from chassis.database import Tx
from chassis.handling import Handling, Listen, Projection
from chassis.kafka import TolerantConsumer
from chassis.rebuild import Worker
from chassis.record import RawRecord, Record, UndecodableError, decode
from tests.component.conftest import CAUSE, TOPIC, Probe, key
from tests.waiting import running, until

_KEPT = Table("effect", MetaData(), Column("event_id", Text), Column("key", Text), Column("version", BigInteger))


class Kept:
    """A listener that keeps a row a key, or a row an event."""

    def __init__(self, probe: Probe, mode: Literal["state", "effect"]) -> None:
        self.probe = probe
        self.name = "key" if mode == "state" else "event_id"
        self.refused: set[str] = set()
        self.taken: list[str] = []
        """Keys of what the handler was given."""
        listen = Listen(TOPIC, f"kept-{mode}", self._keep, mode, projection=Projection([_KEPT], self.name))
        self.handling = Handling(probe.name, listen, probe.database, (0.0,))
        self.worker = Worker(probe.name, probe.database, probe.kafka, [self.handling])

    async def _keep(self, tx: Tx, record: Record) -> None:
        if record.key in self.refused:
            raise RuntimeError("on purpose")
        self.taken.append(record.key)
        named = record.key if self.name == "key" else record.id
        await tx.sql.run(f"DELETE FROM effect WHERE {self.name} = $1", named)  # noqa: S608
        await tx.sql.run("INSERT INTO effect VALUES ($1, $2, $3)", record.id, record.key, record.version)

    async def rows(self, name: str) -> list[int]:
        """The versions that are kept of a key."""
        return sorted(row["version"] for row in await self.probe.rows("SELECT version FROM effect WHERE key = $1", name))

    async def rebuilt(self, job: UUID | None = None) -> Any:
        """The job, or a new one, once it has ended."""
        if job is None:
            async with self.probe.database.transaction(CAUSE) as tx:
                job = await jobs.start(tx, "rebuild", self.handling.group, "a test")
        async with running(self.worker.run):
            await until(lambda: self.probe.rows("SELECT 1 FROM job WHERE id = $1 AND finished_at IS NOT NULL", job))
        return (await self.probe.rows("SELECT * FROM job WHERE id = $1", job))[0]


async def _published(probe: Probe, *versions: tuple[str, int]) -> None:
    async with running(probe.relay().run):
        for name, version in versions:
            await probe.emit(name, version)
        await until(probe.is_out)


async def test_a_state_is_written_anew_from_the_newest_records(probe: Probe) -> None:
    kept, lost, changed, invented = Kept(probe, "state"), key(), key(), key()
    await _published(probe, (lost, 1), (lost, 2), (changed, 1), (changed, 2))
    assert (await kept.rebuilt())["failure"] == ""
    await probe.change("DELETE FROM effect WHERE key = $1", lost)
    await probe.change("UPDATE effect SET version = 1 WHERE key = $1", changed)
    await probe.change("INSERT INTO effect VALUES ('', $1, 7)", invented)
    job = await kept.rebuilt()
    assert (job["removed"], job["failed"], job["failure"]) == (1, 0, "")
    assert [await kept.rows(one) for one in (lost, changed, invented)] == [[2], [2], []]


async def test_facts_are_written_anew_from_every_record(probe: Probe) -> None:
    kept, names = Kept(probe, "effect"), [key() for _ in range(3)]
    await _published(probe, *((name, 1) for name in names))  # a version each: the topic may be compacted at any time
    await kept.rebuilt()
    await probe.change("DELETE FROM effect WHERE key = $1", names[0])
    await probe.change("UPDATE effect SET version = 9 WHERE key = $1", names[1])
    await probe.change("INSERT INTO effect VALUES ('invented', $1, 4)", names[2])
    job = await kept.rebuilt()
    # What other tests' keys had in the topic may have been compacted away meanwhile, and is removed with the invented one.
    assert (job["removed"] >= 1, job["failed"]) == (True, 0)
    assert [await kept.rows(name) for name in names] == [[1], [1], [1]]


async def test_a_newer_state_that_came_meanwhile_stays(probe: Probe) -> None:
    """The group has handled a version that the rebuild, which read the topic before, does not know."""
    kept, name = Kept(probe, "state"), key()
    await _published(probe, (name, 1))
    async with probe.database.transaction(CAUSE) as tx:
        await kept.handling.lock(tx, [name])
        await kept.handling.advance(tx, {name: 2})
        await tx.sql.run("INSERT INTO effect VALUES ('newer', $1, 2)", name)
    await kept.rebuilt()
    assert await kept.rows(name) == [2]


async def test_a_record_that_is_not_taken_leaves_the_others_and_what_was_there(probe: Probe) -> None:
    kept, bad, good = Kept(probe, "effect"), key(), key()
    await _published(probe, (bad, 1), (good, 1))
    await kept.rebuilt()
    await probe.change("DELETE FROM effect WHERE key = $1", good)
    kept.refused.add(bad)
    assert (await kept.rebuilt())["failed"] == 1
    assert [await kept.rows(one) for one in (bad, good)] == [[1], [1]]


@pytest.mark.parametrize("mode", ["state", "effect"])
async def test_what_was_dropped_or_is_not_decided_yet_has_no_effect(probe: Probe, mode: Literal["state", "effect"]) -> None:
    kept, dropped, undecided, good = Kept(probe, mode), key(), key(), key()
    await _published(probe, (dropped, 1), (undecided, 1), (good, 1))
    kept.refused.update([dropped, undecided])
    letters = deadletter.Worker(probe.database, {kept.handling.group: kept.handling})
    await kept.handling.batch([one for name in (dropped, undecided, good) for one in await probe.published(name)])
    while await letters.step():
        pass
    async with probe.database.transaction(CAUSE) as tx:
        (letter,) = [one.id for one in await dlq.listed(tx, dlq.Filter(key=dropped), 9)]
        await dlq.drop(tx, [letter])
    kept.refused.clear()
    assert (await kept.rebuilt())["failure"] == ""
    assert [await kept.rows(one) for one in (dropped, undecided, good)] == [[], [], [1]]


async def test_of_a_state_that_was_replayed_only_the_last_copy_is_written(probe: Probe) -> None:
    """`alliance rebuild` has the topic replayed first: each key's newest version is there twice then."""
    kept, name = Kept(probe, "state"), key()
    await _published(probe, (name, 1), (name, 2))
    await probe.change("INSERT INTO outbox (event_id, key) SELECT id, key FROM event ORDER BY version")
    async with running(probe.relay().run):
        await until(probe.is_out)
    assert (await kept.rebuilt())["failure"] == ""
    assert kept.taken.count(name) == 1
    assert await kept.rows(name) == [2]


@pytest.mark.parametrize("mode", ["state", "effect"])
async def test_rows_whose_records_can_not_be_read_stay_and_are_counted(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, mode: Literal["state", "effect"]
) -> None:
    kept, garbled, good = Kept(probe, mode), key(), key()
    await _published(probe, (garbled, 1), (good, 1))
    await kept.rebuilt()

    def garbage(record: RawRecord) -> Record:
        if record.key == garbled.encode():
            raise UndecodableError("on purpose")
        return decode(record)

    monkeypatch.setattr(reading, "decode", garbage)
    job = await kept.rebuilt()
    assert (job["failed"], job["failure"]) == (1, "")
    assert [await kept.rows(one) for one in (garbled, good)] == [[1], [1]]
    await probe.change("DELETE FROM effect WHERE key = $1", garbled)
    assert (await kept.rebuilt())["failed"] == 0, "garbage that no row hangs on is nobody's loss"


@pytest.mark.parametrize("mode", ["state", "effect"])
async def test_a_crashed_rebuild_begins_anew(probe: Probe, mode: Literal["state", "effect"]) -> None:
    kept, name = Kept(probe, mode), key()
    await _published(probe, (name, 1))
    async with probe.database.transaction(CAUSE) as tx:
        job = await jobs.start(tx, "rebuild", kept.handling.group, "a test")
        await jobs.progress(tx, job, "", 41)  # what it had done before it crashed
    found = await kept.rebuilt(job)
    assert (found["id"], found["failure"]) == (job, "")
    assert await kept.rows(name) == [1]


@pytest.mark.parametrize("step", ["_write", "_forget"])
async def test_who_lost_the_rebuild_to_another_process_removes_nothing(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It was stopped for longer than its lease, and another process has begun anew, with a list of its own."""
    kept, name, invented = Kept(probe, "state"), key(), key()
    await _published(probe, (name, 1))
    await probe.change("INSERT INTO effect VALUES ('x', $1, 1)", invented)
    async with probe.database.transaction(CAUSE) as tx:
        await jobs.start(tx, "rebuild", kept.handling.group, "a test")
    work, lost = getattr(kept.worker, step), list[bool]()

    async def overtaken(*arguments: Any) -> Any:
        if not lost:
            lost.append(True)
            await probe.change("UPDATE lease SET holder = 'another', epoch = epoch + 1 WHERE name = 'rebuild'")
            await probe.change("UPDATE lease SET expires_at = clock_timestamp() + interval '2 seconds' WHERE name = 'rebuild'")
        return await work(*arguments)

    monkeypatch.setattr(kept.worker, step, overtaken)
    async with running(kept.worker.run):
        await until(lambda: lost)
        await asyncio.sleep(1)
        assert await kept.rows(invented) == [1]
        assert len(await probe.rows("SELECT 1 FROM job WHERE finished_at IS NULL")) == 1
        await until(lambda: probe.rows("SELECT 1 FROM job WHERE finished_at IS NOT NULL"))  # once the other one has ended
    assert (await kept.rows(name), await kept.rows(invented)) == ([1], [])


async def test_a_group_that_is_gone_keeps_no_other_from_its_rebuild(probe: Probe) -> None:
    kept, name = Kept(probe, "state"), key()
    await _published(probe, (name, 1))
    async with probe.database.transaction(CAUSE) as tx:
        gone = await jobs.start(tx, "rebuild", "renamed.since", "a test")
    assert (await kept.rebuilt())["failure"] == ""
    assert await kept.rows(name) == [1]
    (job,) = await probe.rows("SELECT failure FROM job WHERE id = $1", gone)
    assert job["failure"] == "the service has no such group any more"


@pytest.mark.parametrize("is_anew", [True, False])
async def test_a_topic_that_is_lost_meanwhile_is_read_again(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, is_anew: bool
) -> None:
    """Made anew, or without its end: nobody waits for the end that it had."""
    kept, name = Kept(probe, "state"), key()
    await _published(probe, (name, 1), (name, 2))
    found, ends = topicid.topic_id, TolerantConsumer.end_offsets
    asked = Counter[str]()

    async def another(*of: Any) -> UUID:
        asked["id"] += 1
        return uuid4() if is_anew and asked["id"] == 1 else await found(*of)

    async def further(consumer: TolerantConsumer, partitions: Any) -> Any:
        asked["ends"] += 1
        later = 3 if not is_anew and asked["ends"] == 1 else 0
        return {one: end + later for one, end in (await ends(consumer, partitions)).items()}

    monkeypatch.setattr(reading, "topic_id", another)
    monkeypatch.setattr(TolerantConsumer, "end_offsets", further)
    assert (await kept.rebuilt())["failure"] == ""
    assert await kept.rows(name) == [2]
    assert asked["id"] > 2, "it began anew"


@pytest.mark.parametrize("mode", ["state", "effect"])
async def test_a_rebuild_that_waits_for_records_can_be_cancelled(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, mode: Literal["state", "effect"]
) -> None:
    kept, name, polled = Kept(probe, mode), key(), asyncio.Event()
    await _published(probe, (name, 1))

    async def nothing(*_: Any, **__: Any) -> dict[Any, Any]:
        polled.set()
        await asyncio.sleep(0.05)
        return {}

    monkeypatch.setattr(TolerantConsumer, "getmany", nothing)
    async with probe.database.transaction(CAUSE) as tx:
        job = await jobs.start(tx, "rebuild", kept.handling.group, "a test")
    async with running(kept.worker.run):
        await polled.wait()
        async with probe.database.transaction(CAUSE) as tx:
            await jobs.cancel(tx, job)
        monkeypatch.undo()
        assert (await kept.rebuilt())["failure"] == "", "the next one is not held up"
