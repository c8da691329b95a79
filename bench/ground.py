"""What the benchmarks stand on: databases with the plumbing's tables, topics, and events to fill them with."""

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from alliance.listings.v1 import events_pb2
from alliance_local.control import Platform
from alliance_local.kafka import ADMIN
from alliance_local.postgres import Postgres
from chassis import topics
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Database
from chassis.ids import new_id, resource
from chassis.kafka import KafkaAccess
from chassis.migrate import migrate
from tests import world

_SERVICES = Path(__file__).resolve().parents[1] / "services"
CAUSE = Cause("bench", reason="a benchmark")
PARTITIONS = 12
VERSIONS = 5  # events of one key
_IN_TURN = 8  # keys that change in turn
SAMPLED = 10  # one trace in so many is recorded
_DESCRIPTION = "负责岗位相关的设计、开发、测试与维护，参与需求评审，编写文档，配合校企联合培养与实训。" * 6
_COLUMNS = (
    "id",
    "topic",
    "key",
    "version",
    "type",
    "payload",
    "actor",
    "on_behalf_of",
    "reason",
    "cause_event_id",
    "request_id",
    "traceparent",
    "recorded_at",
    "effective_at",
)
_number = itertools.count(1)


@dataclass(frozen=True)
class Ground:
    """A running platform, and how much is to be measured on it."""

    platform: Platform
    rounds: int
    scale: float

    @property
    def kafka(self) -> KafkaAccess:
        """The administrator's access."""
        return self.platform.kafka(ADMIN)

    def some(self, count: int) -> int:
        """So many items, at this scale."""
        return max(10, int(count * self.scale))


@dataclass
class Store:
    """A database of a benchmark's own, as a service has one."""

    name: str
    url: str
    owner: str
    """The URL for the role that owns the tables."""
    database: Database
    connection: "asyncpg.Connection[asyncpg.Record]"

    async def put(self, topic: str, count: int) -> None:
        """Enter events and their places in the queue, in one transaction."""
        rows = invented(topic, count)
        async with self.connection.transaction():
            await self.connection.copy_records_to_table("event", records=rows, columns=_COLUMNS)
            places = [(row[0], row[2]) for row in rows]
            await self.connection.copy_records_to_table("outbox", records=places, columns=("event_id", "key"))


@asynccontextmanager
async def store(platform: Platform, name: str, service: str = "listings") -> AsyncIterator[Store]:
    """An empty database with the tables of a service; gone at the end."""
    name, postgres = f"bench_{name}_{next(_number)}", Postgres(platform.state)
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {service}_owner")
    owner, url, system = postgres.url(name, f"{service}_owner"), postgres.url(name, service), SystemClock()
    await migrate(owner, _SERVICES / service / "migrations", service)
    database = Database(url, system=system, business=BusinessClock(system))
    connection = await asyncpg.connect(url)
    try:
        yield Store(name, url, owner, database, connection)
    finally:
        await connection.close()
        await database.close()
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await superuser.close()


async def topic(platform: Platform, name: str) -> str:
    """A new topic of listing events, configured as in production and known to the chassis."""
    name = f"alliance.internal.bench.{name}{time.time_ns()}.v1"
    admin = AIOKafkaAdminClient(**platform.kafka(ADMIN).options())
    await admin.start()
    try:
        config = topics.load().config("production")
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=config)])
    finally:
        await admin.close()
    message, types = "alliance.listings.v1.ListingEvent", ("created", "revised")
    found = topics.Topic(name, "listings", "listings/{listing}", message, types, PARTITIONS, "internal", ())
    topics._by_name()[name] = found
    return name


def invented(topic: str, count: int) -> list[tuple[Any, ...]]:
    """Rows of the event store, about a kilobyte each: a few keys change in turn, `VERSIONS` times, then come others."""
    kind, now, payload = topics.load().named(topic).type_of("revised"), datetime.now(UTC), event().SerializeToString()
    keys: list[str] = []
    rows = []
    for number in range(count):
        if number % (_IN_TURN * VERSIONS) == 0:
            keys = [resource("listings") for _ in range(_IN_TURN)]
        key, version = keys[number % _IN_TURN], number // _IN_TURN % VERSIONS + 1
        rows.append(
            (new_id(), topic, key, version, kind, payload, "bench", "", "", "", "", _trace(number), now, now),
        )
    return rows


def event() -> events_pb2.ListingEvent:
    """A listing's event, of the usual size."""
    listing = world.job(resource("organizations"), "虚构示例封装工程师", description=_DESCRIPTION)
    listing.name = resource("listings")
    return events_pb2.ListingEvent(listing=listing)


def _trace(number: int) -> str:
    """A traceparent; every so many-th is recorded."""
    return f"00-{number + 1:032x}-{number + 1:016x}-{'00' if number % SAMPLED else '01'}"
