"""A probe: the chassis in this process, on a database of its own and the platform's Kafka."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from aiokafka import TopicPartition

from alliance.notify.v1 import events_pb2, notify_pb2
from alliance_local.control import Platform
from chassis import topics
from chassis.clock import BusinessClock, SystemClock
from chassis.consumer import Consumers
from chassis.database import Cause, Database, Tx
from chassis.handling import Ends, Handling, Listen
from chassis.ids import resource
from chassis.kafka import KafkaAccess, partition_of
from chassis.record import RawRecord, Record
from chassis.relay import Relay
from tests import databases
from tests.records import Reading
from tests.waiting import running, until

# A topic that none of the services reads: what the probe puts there disturbs nobody.
TOPIC = "alliance.internal.notify.subscription.v1"
CAUSE = Cause("tester", reason="a test")
_MIGRATIONS = Path(__file__).resolve().parents[2] / "services" / "listings" / "migrations"
_number = itertools.count(1)
_EFFECT = "CREATE TABLE effect (event_id text, key text, version bigint, place bigint GENERATED ALWAYS AS IDENTITY)"
_CONTENT_TYPE = ("content-type", b"application/protobuf")


@dataclass
class Probe:
    """One probe; its service is called like its database, so that no two share a group or a transactional id."""

    name: str
    database: Database
    kafka: KafkaAccess
    url: str
    owner: str
    """The URL for the role that owns the tables."""
    broken: set[str] = field(default_factory=set)
    """Keys whose records the handler does not take."""
    followed: list[Record] = field(default_factory=list)
    """What its follower took."""
    places: dict[int, int] = field(default_factory=dict)
    """Where its follower goes on."""
    topics: list[UUID] = field(default_factory=list)
    known_at: float = 0.0
    stops: int = 0
    """Ids of the topic that its follower was told."""
    slow: set[str] = field(default_factory=set)
    """Keys whose records ask for more than a statement has time for."""
    held_up: asyncio.Event | None = None
    """Where it is set, the handler waits for it."""
    _readings: dict[int, Reading] = field(default_factory=dict)
    """Of partitions of its topic that were read."""

    def listen(self, mode: str = "effect", *, tail: bool = False) -> Listen:
        """A listener that writes each record down, or fails on broken keys."""
        return Listen(TOPIC, "probe", self._handle, "state" if mode == "state" else "effect", self if tail else None)

    def handling(self, mode: str = "effect", *, tail: bool = False) -> Handling:
        """Its handling; retries come at once."""
        return Handling(self.name, self.listen(mode, tail=tail), self.database, (0.0, 0.0, 0.0))

    def relay(self) -> Relay:
        """A relay of its events."""
        return Relay(self.name, self.database, self.kafka)

    def consumers(self, handling: Handling) -> Consumers:
        """Consumers in its only slot."""
        return Consumers(self.name, "0", self.kafka, self.database, [handling])

    async def emit(self, key: str, version: int, *, before_commit: Callable[[], Awaitable[None]] | None = None) -> None:
        """One event in one transaction."""
        async with self.database.transaction(CAUSE) as tx:
            event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=key))
            tx.emit(TOPIC, key, version, "created" if version == 1 else "cancelled", event)
            if before_commit:
                await before_commit()

    async def two(self, key: str) -> tuple[RawRecord, RawRecord]:
        """The first two versions of a key, published."""
        async with running(self.relay().run):
            await self.emit(key, 1)
            await self.emit(key, 2)
            await until(lambda: self.is_published(key, 2))
        first, second = await self.published(key)
        return first, second

    async def effects(self, key: str) -> list[int]:
        """Versions that had an effect, in order."""
        rows = await self.rows("SELECT version FROM effect WHERE key = $1 ORDER BY place", key)
        return [row["version"] for row in rows]

    async def has(self, key: str, count: int) -> bool:
        """Whether so many records of a key had an effect."""
        return len(await self.effects(key)) >= count

    async def states(self) -> list[str]:
        """States of all dead letters, by version."""
        return [row["state"] for row in await self.rows("SELECT state FROM dead_letter ORDER BY version, id")]

    async def published(self, key: str) -> list[RawRecord]:
        """Committed records of a key, in order."""
        place = partition_of(key, topics.load().named(TOPIC).partitions)
        reading = self._readings.setdefault(place, Reading(self.kafka, TopicPartition(TOPIC, place)))
        return [
            RawRecord(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
            for one in await reading.all()
            if one.key == key.encode()
        ]

    async def versions(self, key: str) -> list[int]:
        """Versions of a key's committed records, in order."""
        return [int(dict(raw.headers)["ce_sequence"] or b"0") for raw in await self.published(key)]

    async def is_published(self, key: str, version: int = 1) -> bool:
        """Whether a version is the last committed one of its key."""
        return (await self.versions(key))[-1:] == [version]

    async def is_out(self) -> bool:
        """Whether nothing waits to be published."""
        return not await self.rows("SELECT 1 FROM outbox")

    async def change(self, statement: str, *values: object) -> None:
        """Change what the service itself may not, as the tables' owner."""
        connection = await asyncpg.connect(self.owner)
        await connection.execute(statement, *values)
        await connection.close()

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of the probe's database."""
        return await databases.rows(self.url, query, *values)

    async def _handle(self, tx: Tx, record: Record) -> None:
        if self.held_up:
            await self.held_up.wait()
        if record.key in self.broken:
            raise RuntimeError("broken on purpose")
        if record.key in self.slow:
            await tx.sql._driver.execute("SELECT pg_sleep(60)", timeout=0.1)
        await tx.sql.run(
            "INSERT INTO effect (event_id, key, version) VALUES ($1, $2, $3)", record.id, record.key, record.version
        )

    async def beginning(self, topic: UUID, ends: Ends) -> Mapping[int, int]:
        """See `chassis.handling.Follower`."""
        self.topics.append(topic)
        reached = await ends()
        self.places = {number: min(place, reached[number]) for number, place in self.places.items()}
        return self.places

    def was_still(self, at: float) -> None:
        """See `chassis.handling.Follower`."""
        self.known_at = at

    def stopped(self) -> None:
        """See `chassis.handling.Follower`."""
        self.stops += 1

    async def take(self, records: Sequence[Record]) -> None:
        """See `chassis.handling.Follower`."""
        if self.held_up:
            await self.held_up.wait()
        if any(record.key in self.broken for record in records):
            raise RuntimeError("broken on purpose")
        self.followed += records
        for record in records:
            self.places[record.partition] = record.offset + 1

    def caught_up(self) -> None:
        """See `chassis.handling.Follower`."""

    def has_followed(self, key: str, version: int = 1) -> bool:
        """Whether its follower took a version of a key."""
        return any((record.key, record.version) == (key, version) for record in self.followed)


def key() -> str:
    """A key that no other test uses."""
    return resource("subscriptions")


def raw(name: str, version: int, value: bytes | None = None, *, offset: int = 0, at: int = 0) -> RawRecord:
    """A record as it would lie on the topic."""
    event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=name))
    content = event.SerializeToString() if value is None else value
    headers = [("ce_sequence", str(version).encode()), ("ce_type", b"alliance.notify.subscription.created.v1"), _CONTENT_TYPE]
    return RawRecord(TOPIC, 0, offset or version, at, name.encode(), content, headers)


@pytest.fixture
async def probe(platform: Platform) -> AsyncIterator[Probe]:
    """A probe with an empty database."""
    name = f"probe_{os.getpid()}_{next(_number)}"
    async with databases.made(platform, name, "listings", _MIGRATIONS) as (url, owner):
        connection = await asyncpg.connect(owner)
        await connection.execute(_EFFECT)
        await connection.execute("GRANT SELECT, INSERT, DELETE ON effect TO listings")
        await connection.close()
        system = SystemClock()
        database = Database(url, system=system, business=BusinessClock(system))
        yield Probe(name, database, platform.kafka("admin"), url, owner)
        await database.close()
