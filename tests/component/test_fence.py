"""The restore fence: what was said after the restored point is taken back, on every topic, and once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from alliance.listings.v1 import events_pb2
from alliance.public.v1 import public_pb2
from chassis import fence, jobs, reading, topics
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Tx
from chassis.etag import etag
from chassis.fence import FENCE, Fence, Outcome, ServingError
from chassis.handling import Listen
from chassis.main import _fence_finished
from chassis.record import RawRecord, Record, decode
from chassis.service import Context
from tests.component.conftest import CAUSE, Probe, key
from tests.records import everything
from tests.waiting import running, until

ASKED = Cause("operator:somebody", reason="a test")
_LEDGER = Table("ledger", MetaData(), Column("name", Text), Column("version", BigInteger))


async def _nothing(tx: Tx, record: Record) -> None:
    """Handles nothing."""


@dataclass
class Owner:
    """A service that owns an internal and a public topic, and whose database can be put back."""

    probe: Probe
    internal: topics.Topic
    public: topics.Topic

    async def says(self, name: str, version: int, *, public: bool = False) -> None:
        """The next version of an aggregate; whether everybody may see it."""
        async with self.probe.database.transaction(CAUSE) as tx:
            await tx.sql.run("DELETE FROM ledger WHERE name = $1", name)
            await tx.sql.run("INSERT INTO ledger VALUES ($1, $2)", name, version)
            event = events_pb2.ListingEvent()
            event.listing.name, event.listing.title, event.listing.etag = name, f"title {version}", etag(version)
            event.imported.content_hash = "of the change, not of the state"
            tx.emit(self.internal.name, name, version, "changed", event)
            if public:
                shown = public_pb2.PublicListingEvent()
                shown.listing.title = f"title {version}"
                tx.emit(self.public.name, name, version, "published", shown)

    async def put_back(self, **versions: int) -> None:
        """Forget what came after these versions, as a database does that is restored; ids are the tables' own."""
        connection = await asyncpg.connect(self.probe.owner)
        for name, version in versions.items():
            await connection.execute("DELETE FROM event WHERE key LIKE '%' || $1 AND version > $2", name, version)
            await connection.execute("UPDATE ledger SET version = $2 WHERE name LIKE '%' || $1", name, version)
            await connection.execute("DELETE FROM ledger WHERE name LIKE '%' || $1 AND version = 0", name)
        await connection.close()

    async def publishes(self) -> None:
        """Have the relay publish what is queued."""
        async with running(self.probe.relay().run):
            await until(self.probe.is_out)

    def fence(self) -> Fence:
        """The service's fence."""
        listens = [Listen(self.internal.name, "probe", _nothing)]
        found = Fence(self.probe.name, self.probe.database, self.probe.kafka, listens, [_LEDGER], ASKED)
        found._topics = [self.internal, self.public]
        return found

    async def last(self, topic: topics.Topic) -> dict[str, Record]:
        """The last record of each key, by the letter that the key ends with."""
        found: dict[str, Record] = {}
        for one in await everything(self.probe.kafka, topic.name, [0]):
            raw = RawRecord(one.topic, 0, one.offset, one.timestamp, one.key, one.value, list(one.headers))
            found[raw.key.decode()[-1] if raw.key else ""] = decode(raw)
        return found


@pytest.fixture
async def owner(probe: Probe) -> AsyncIterator[Owner]:
    connection = await asyncpg.connect(probe.owner)
    await connection.execute("CREATE TABLE ledger (name text PRIMARY KEY, version bigint NOT NULL)")
    await connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ledger TO listings")
    await connection.close()
    declared = [
        topics.Topic(f"alliance.{kind}.{probe.name}.thing.v1", probe.name, "", message, types, 1, kind, ())
        for kind, message, types in (
            ("internal", "alliance.listings.v1.ListingEvent", ("changed",)),
            ("public", "alliance.public.v1.PublicListingEvent", ("published", "removed")),
        )
    ]
    topics._by_name().update({one.name: one for one in declared})
    admin = AIOKafkaAdminClient(**probe.kafka.options())
    await admin.start()
    await admin.create_topics([NewTopic(one.name, 1, 1) for one in declared])
    yield Owner(probe, *declared)
    await admin.delete_topics([one.name for one in declared])
    await admin.close()
    for one in declared:
        del topics._by_name()[one.name]


async def _lost(owner: Owner) -> None:
    """a goes back from 3 to 2; b was not public at 1; nobody knows of c."""
    names = {letter: f"{key()}{letter}" for letter in "abc"}
    await owner.says(names["a"], 1, public=True)
    await owner.says(names["a"], 2)
    await owner.says(names["b"], 1)
    await owner.says(names["a"], 3, public=True)
    await owner.says(names["b"], 2, public=True)
    await owner.says(names["c"], 1, public=True)
    await owner.publishes()
    await owner.put_back(a=2, b=1, c=0)


async def _ledger(owner: Owner) -> dict[str, int]:
    return {row["name"][-1]: row["version"] for row in await owner.probe.rows("SELECT name, version FROM ledger")}


async def test_what_is_known_rises_above_what_was_lost_and_the_rest_is_taken_off(owner: Owner) -> None:
    await _lost(owner)
    assert await owner.fence().set_up() == Outcome(raised=2, removed=3)
    await owner.publishes()
    internal, public = await owner.last(owner.internal), await owner.last(owner.public)
    assert {letter: (one.version, one.restored_to) for letter, one in internal.items()} == {
        "a": (2 + FENCE, 2),
        "b": (1 + FENCE, 1),
        "c": (1 + FENCE, 0),
    }
    assert {letter: (one.version, one.message is None) for letter, one in public.items()} == {
        "a": (2 + FENCE, False),
        "b": (1 + FENCE, True),  # what b says next has a higher version there, too
        "c": (1 + FENCE, True),
    }
    assert await _ledger(owner) == {"a": 2 + FENCE, "b": 1 + FENCE}


async def test_the_state_is_published_without_what_an_event_said_of_its_change(owner: Owner) -> None:
    await _lost(owner)
    await owner.fence().set_up()
    await owner.publishes()
    event = (await owner.last(owner.internal))["a"].message
    assert isinstance(event, events_pb2.ListingEvent)
    assert (event.listing.title, event.listing.etag) == ("title 2", etag(2 + FENCE))
    assert event.WhichOneof("change") is None
    assert (event.meta.version, event.meta.actor, event.meta.reason) == (2 + FENCE, f"service:{owner.probe.name}", "a test")
    shown = (await owner.last(owner.public))["a"].message
    assert isinstance(shown, public_pb2.PublicListingEvent)
    assert shown.listing.title == "title 1"


async def test_a_fence_that_was_broken_off_goes_on(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    await _lost(owner)
    broken = owner.fence()

    async def dies(*_: object) -> int:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(broken, "_take_off", dies)
    with pytest.raises(RuntimeError):
        await broken.set_up()
    assert (await owner.fence().set_up()).removed == 3
    await owner.publishes()
    assert await _ledger(owner) == {"a": 2 + FENCE, "b": 1 + FENCE}
    assert (await owner.last(owner.internal))["a"].version == 2 + FENCE


async def test_the_service_s_own_groups_begin_anew(owner: Owner) -> None:
    """What they had heard after the restored point is lost with it."""
    await _lost(owner)
    place, group = TopicPartition(owner.internal.name, 0), f"{owner.probe.name}.probe"
    consumer = AIOKafkaConsumer(**owner.probe.kafka.options(), group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: 3})
    assert await consumer.committed(place) == 3
    await owner.fence().set_up()
    assert await consumer.committed(place) == 0
    await consumer.stop()


async def test_a_long_topic_takes_as_long_as_it_needs(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "_PATIENCE", 1.5)
    await _lost(owner)
    given = reading.Reader.records

    async def slow(reader: reading.Reader) -> AsyncIterator[list[Record]]:
        async for records in given(reader):
            for one in records:
                await asyncio.sleep(0.4)
                yield [one]

    monkeypatch.setattr(reading.Reader, "records", slow)
    assert (await owner.fence().set_up()).raised == 2


async def test_a_second_restore_has_a_fence_of_its_own(owner: Owner) -> None:
    await _lost(owner)
    await owner.fence().set_up()
    await owner.fence().set_up()
    await owner.publishes()
    assert await _ledger(owner) == {"a": 2 + 2 * FENCE, "b": 1 + 2 * FENCE}
    found = await owner.last(owner.internal)
    assert {letter: one.version for letter, one in found.items()} == {
        "a": 2 + 2 * FENCE,
        "b": 1 + 2 * FENCE,
        "c": 1 + 2 * FENCE,
    }


async def test_a_backup_that_is_put_back_twice_rises_above_both_lives(owner: Owner) -> None:
    """The first life after it gave out versions that the second one must not give again."""
    await _lost(owner)
    await owner.fence().set_up()
    await owner.publishes()
    names = {row["name"][-1]: row["name"] for row in await owner.probe.rows("SELECT name FROM ledger")}
    await owner.says(names["a"], 3 + FENCE)
    await owner.publishes()
    await owner.put_back(a=2, b=1)
    await owner.probe.change("DELETE FROM job")  # which the backup does not know either
    await owner.fence().set_up()
    await owner.publishes()
    found = await owner.last(owner.internal)
    assert {letter: (found[letter].version, found[letter].restored_to) for letter in "ab"} == {
        "a": (2 + 2 * FENCE, 2),
        "b": (1 + 2 * FENCE, 1),  # all rise by as much: what counts together stays in step
    }
    assert await _ledger(owner) == {"a": 2 + 2 * FENCE, "b": 1 + 2 * FENCE}


async def test_the_job_says_who_set_the_fence_up_and_the_events_are_the_services(owner: Owner) -> None:
    await _lost(owner)
    await owner.put_back(a=2, b=1, c=0)
    await owner.fence().set_up()
    (job,) = await owner.probe.rows("SELECT actor, reason FROM job")
    assert tuple(job) == (ASKED.actor, ASKED.reason)
    said = await owner.probe.rows("SELECT DISTINCT actor, reason FROM event WHERE type LIKE '%.restored.v1'")
    assert [tuple(one) for one in said] == [(f"service:{owner.probe.name}", ASKED.reason)]


async def test_a_service_does_not_serve_before_its_fence_is_finished(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chassis.main._PAUSE", 0.1)
    database, system = owner.probe.database, SystemClock()
    async with database.transaction(CAUSE) as tx:
        job = await jobs.start(tx, "fence", owner.probe.name, "broken off")
        await jobs.progress(tx, job, "1000000 a.topic a/7", 7)
    waiting = asyncio.create_task(_fence_finished(Context(None, database, BusinessClock(system), system, database)))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    (said,) = [one for one in caplog.records if one.name == "chassis.main"]  # of five looks
    assert "a restore fence is not finished" in said.getMessage()
    assert (vars(said)["job"], vars(said)["raised"], vars(said)["position"]) == (str(job), 7, "1000000 a.topic a/7")
    async with database.transaction(CAUSE) as tx:
        await jobs.finish(tx, job)
    await waiting


async def test_a_service_that_serves_is_not_fenced(owner: Owner) -> None:
    async with running(owner.probe.relay().run):
        await until(lambda: owner.probe.rows("SELECT 1 FROM lease WHERE expires_at > now()"))
        with pytest.raises(ServingError):
            await owner.fence().set_up()
