"""A world for one scenario: a topic, two databases, a writer and a reader in processes that are started again when they die.

The parts beneath, PostgreSQL and Kafka, are one reused platform. Everything that the checker compares lies outside of what the
faults hit: the writer's journal is a file, and topics and tables are read once all has come to rest.
"""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from alliance_local import processes
from alliance_local.control import Platform
from alliance_local.issuer import AUDIENCE, ISSUER
from alliance_local.postgres import Postgres
from chassis.migrate import migrate
from tests.faults import node
from tests.faults.process import ROOT, Process
from tests.faults.proxies import Proxies
from tests.records import everything
from tests.waiting import until

_MIGRATIONS = ROOT / "services" / "listings" / "migrations"
_OWNER, _ROLE = "listings_owner", "listings"  # roles that the platform has, and databases of the world's own
_TEMPLATE = "fault_template"
RATE = 60.0  # transactions a second
_REST = 60.0  # seconds in which all has to come to rest
_STILL = 15.0  # seconds without a change after which it comes to none where something is broken on purpose
_RECOVERY = 40.0  # seconds in which something has to happen again
_RECOVERY_BROKEN = 10.0  # the same where something is broken on purpose: the event that is waited for may be what is lost
_UNEXPECTED = ("task failed", "call failed", "consumer: batch failed")
_EFFECTS = "SELECT 1 FROM effect JOIN unnest($1::text[], $2::bigint[]) AS e (key, version) USING (key, version) LIMIT 1"
_INSERT_EVENT = """
WITH e AS (
  INSERT INTO event (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id, request_id,
                     traceparent, recorded_at, effective_at)
  VALUES (gen_random_uuid(), $1, $2, $3, 'alliance.notify.fault.changed.v1', $4, '', '', '', '', '', '', now(), now())
  RETURNING id, key)
INSERT INTO outbox (event_id, key, bytes) SELECT id, key, octet_length($4) FROM e
"""


class World:
    """One scenario's."""

    def __init__(
        self,
        platform: Platform,
        folder: Path,
        name: str,
        seed: int,
        broken: "dict[str, str] | None" = None,
        proxies: "Proxies | None" = None,
    ) -> None:
        self.platform = platform
        self._proxies = proxies
        self.random = Random(seed)
        self.seed = seed
        self.topic = f"alliance.internal.fault.{name}.v1"
        self.writing, self.reading = f"{name}_w", f"{name}_r"
        self.journal = folder / f"{name}.journal"
        self.recoveries: list[tuple[str, float, float]] = []
        """What had to recover, in how many seconds it did, and in how many it has to."""
        self.wrong: list[str] = []
        """What else a scenario saw that should not be."""
        self.poison: list[str] = []
        """Keys of the poison records that were put on the topic."""
        self.held: list[str] = []
        """Keys of events that no broker takes."""
        self.is_repeated = False
        """Whether the scenario itself put old records behind new ones."""
        self._broken = broken or {}
        self._folder = folder
        self._postgres = Postgres(platform.state)
        self._processes: list[Process] = []
        self._left, self._changed_at = "", 0.0
        self.writer = self.process(self.writing, "write", "0")
        self.reader = self.process(self.reading, "read", "0")

    @property
    def proxies(self) -> "Proxies":
        """The proxies that writer and reader go through."""
        if self._proxies is None:
            raise RuntimeError("this world has no proxies")
        return self._proxies

    # Processes

    def process(self, service: str, roles: str, slot: str, *, is_direct: bool = False, **more: str) -> Process:
        """A process of a node, not started yet; through the proxies, where there are any, unless it is direct."""
        kafka = self.platform.kafka("admin")
        proxies = None if is_direct else self._proxies
        url = self.database(service)
        environment = processes.environment(
            PYTHONPATH=str(ROOT),
            FAULT_NODE=service,
            FAULT_ROLES=roles,
            FAULT_TOPIC=self.topic,
            FAULT_SEED=str(self.seed),
            FAULT_RATE=str(RATE),
            FAULT_JOURNAL=str(self.journal),
            FAULT_BROKEN=self._broken.get("write" if service == self.writing else "read", ""),
            ALLIANCE_SLOT=slot,
            ALLIANCE_DATABASE_URL=proxies.url(url) if proxies else url,
            ALLIANCE_KAFKA_BOOTSTRAP=proxies.bootstrap if proxies else kafka.bootstrap,
            ALLIANCE_KAFKA_SECURITY=kafka.security,
            ALLIANCE_KAFKA_USERNAME=kafka.username or "",
            ALLIANCE_KAFKA_PASSWORD=kafka.password or "",
            ALLIANCE_JWKS_FILE=str(self.platform.state.folder("issuer") / "jwks.json"),
            ALLIANCE_TOKEN_ISSUER=ISSUER,
            ALLIANCE_TOKEN_AUDIENCE=AUDIENCE,
            ALLIANCE_RETRY_DELAYS="[0.1, 0.2, 0.3]",
            ALLIANCE_GRPC_MAX_CONCURRENT=str(node.MOST_CALLS),
            ALLIANCE_PORTS_FILE=str(self._folder / f"{service}.{slot}.ports"),
            **more,
        )
        made = Process(
            [sys.executable, "-m", "tests.faults.node", "serve"], environment, self._folder / f"{service}.{slot}.log"
        )
        self._processes.append(made)
        return made

    async def start(self) -> None:
        """Start writer and reader."""
        await self.writer.start()
        await self.reader.start()

    # What there is

    def database(self, service: str, role: str = _ROLE) -> str:
        """The URL of a database of this world."""
        return self._postgres.url(service, role)

    async def rows(self, service: str, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of one of the databases."""
        connection = await asyncpg.connect(self.database(service), timeout=10)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    def acknowledge(self, key: str, version: int) -> None:
        """Write down what a node answered to a call."""
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.write(f"ack {key} {version}\n")

    def acknowledged(self) -> list[tuple[str, int]]:
        """Key and version of all that the writer said was committed."""
        if not self.journal.exists():
            return []
        lines = self.journal.read_text(encoding="utf-8").splitlines()
        return [(key, int(version)) for _, key, version in (line.split() for line in lines)]

    async def records(self) -> list["ConsumerRecord[bytes, bytes]"]:
        """Committed records of the topic, in their order per partition."""
        return await everything(self.platform.kafka("admin"), self.topic, range(node.PARTITIONS))

    async def answers(self) -> list["ConsumerRecord[bytes, bytes]"]:
        """Committed records of what they caused."""
        return await everything(self.platform.kafka("admin"), node.answers(self.topic), range(node.PARTITIONS))

    def consumer(self, **more: Any) -> AIOKafkaConsumer:
        """A consumer of the harness's own."""
        return AIOKafkaConsumer(
            **self.platform.kafka("admin").options(),
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            **more,
        )

    async def commit(self, key: str, payload: bytes, *, seconds: float = 0.0) -> int:
        """Write the next version of a key as the writer does, in a transaction that stays open for a while; says which."""
        connection = await asyncpg.connect(self.database(self.writing))
        try:
            async with connection.transaction():
                version: int = await connection.fetchval(node.NEXT, key)
                await connection.execute(_INSERT_EVENT, self.topic, key, version, payload)
                await asyncio.sleep(seconds)
        finally:
            await connection.close()
        return version

    async def produce(self, *records: tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]) -> None:
        """Put records on the topic past everything: key, value, headers."""
        producer = AIOKafkaProducer(**self.platform.kafka("admin").options(), acks="all")
        await producer.start()
        try:
            for key, value, headers in records:
                await producer.send_and_wait(self.topic, value, key=key, headers=list(headers))
        finally:
            await producer.stop()

    def surprises(self) -> list[str]:
        """Errors in the processes' logs that no fault excuses: a part that is away is none of them."""
        return [f"{one.log.stem} says: {text}" for one in self._processes for text in _UNEXPECTED if one.said(f'"{text}"')]

    # Time

    async def load(self, seconds: float) -> None:
        """Let the writer write for a while, a little shorter or longer as the seed has it."""
        await asyncio.sleep(seconds * self.random.uniform(0.7, 1.3))

    async def flows(self, within: float = _RECOVERY) -> None:
        """Wait until an event that is written from now on has had its effect: the first, or any where something is broken on
        purpose, since the first may be what is lost.
        """
        async with asyncio.timeout(within):
            before = len(self.acknowledged())
            await until(lambda: len(self.acknowledged()) > before, within)
            last = None if self._broken else before + 1
            await until(lambda: self._have_effect(self.acknowledged()[before:last]), within)

    async def has_effect(self, key: str, version: int) -> bool:
        """Whether a version has had its effect."""
        return await self._have_effect([(key, version)])

    async def _have_effect(self, events: Sequence[tuple[str, int]]) -> bool:
        """Whether any of these keys and versions has had its effect."""
        with suppress(OSError, asyncpg.PostgresError):
            return bool(await self.rows(self.reading, _EFFECTS, *map(list, zip(*events, strict=True))))
        return False

    async def recovers(self, what: str, within: float) -> None:
        """Measure how long it takes from now until events flow again."""
        patience = _RECOVERY_BROKEN if self._broken else _RECOVERY
        await self.takes(what, within, self.flows(within + patience))

    async def takes(self, what: str, within: float, waiting: Awaitable[object]) -> None:
        """Measure how long something takes that has to be done within so many seconds."""
        began = time.monotonic()
        with suppress(TimeoutError):
            await waiting
        self.recoveries.append((what, time.monotonic() - began, within))

    async def rest(self) -> str:
        """Stop writing, and wait until nothing is under way; says what still is where it does not come to that."""
        self._left = "no look came to its end"
        await self.writer.stop()
        relay = self.process(self.writing, "relay", "9", is_direct=True)  # publishes what is left
        await relay.start()
        try:
            await relay.serves()  # a busy machine takes long to start it
            await until(self._is_still, _REST)
        except TimeoutError:
            pass
        finally:
            await relay.stop()
        return self._left

    async def _is_still(self) -> bool:
        """Whether nothing is under way, or where something is broken on purpose nothing changes: what is lost never comes."""
        before, self._left = self._left, await self._under_way()
        if self._left != before:
            self._changed_at = time.monotonic()
        return not self._left or (bool(self._broken) and time.monotonic() - self._changed_at > _STILL)

    async def _under_way(self) -> str:
        """What still is under way; "" for nothing."""
        try:
            queued = [
                row
                for service in (self.writing, self.reading)
                for row in await self.rows(service, "SELECT 1 FROM outbox WHERE parked IS NULL")
            ]
            retrying = await self.rows(self.reading, "SELECT 1 FROM dead_letter WHERE state = 'retrying'")
            if queued or retrying:  # to read the topic takes from those who work on it
                return f"{len(queued)} queued, {len(retrying)} retrying"
            behind = await self._lag()
            return f"the reader is {behind} versions behind" if behind else ""
        except (OSError, asyncpg.PostgresError, KafkaError):
            return "a part can't be asked"

    async def _lag(self) -> int:
        """Records of the topic that are neither applied nor parked; by key and version, since offsets are hints only."""
        newest: dict[str, int] = {}
        for one in await self.records():
            if one.key and (version := version_of(one)):
                newest[one.key.decode("utf-8", "replace")] = max(version, newest.get(one.key.decode("utf-8", "replace"), 0))
        rows = await self.rows(self.reading, "SELECT key, version FROM applied UNION ALL SELECT key, version FROM dead_letter")
        done: dict[str, int] = {}
        for row in rows:
            done[row["key"]] = max(row["version"], done.get(row["key"], 0))
        return sum(version > done.get(key, 0) for key, version in newest.items())

    async def end(self) -> None:
        """End every process."""
        await asyncio.gather(*(one.stop(signal.SIGKILL) for one in self._processes))


def version_of(record: "ConsumerRecord[bytes, bytes]") -> int:
    """The version that a record says it has; 0 for none."""
    text = dict(record.headers).get("ce_sequence", b"")
    return int(text) if text.isdigit() else 0


@asynccontextmanager
async def created(
    platform: Platform,
    folder: Path,
    name: str,
    seed: int,
    broken: "dict[str, str] | None" = None,
    proxies: Proxies | None = None,
) -> AsyncIterator[World]:
    """A world with its topic and databases; all of it is gone afterwards. `broken`: side (write, read) → variant."""
    world = World(platform, folder, name, seed, broken, proxies)
    brokers = len(platform.kafka("admin").bootstrap.split(","))
    node.declare(world.topic)
    await _template(platform)
    superuser = await asyncpg.connect(Postgres(platform.state).url("postgres", "postgres"))
    admin = AIOKafkaAdminClient(**platform.kafka("admin").options())
    await admin.start()
    try:
        for service in (world.writing, world.reading):
            await superuser.execute(f"CREATE DATABASE {service} TEMPLATE {_TEMPLATE} OWNER {_OWNER}")
        made = [NewTopic(name, node.PARTITIONS, brokers) for name in (world.topic, node.answers(world.topic))]
        await admin.create_topics(made, timeout_ms=30_000)
        try:
            yield world
        finally:
            await world.end()
    finally:
        with suppress(KafkaError):
            await admin.close()
        with suppress(OSError, asyncpg.PostgresError):
            await superuser.close()
        await _forget(platform, world)


async def _template(platform: Platform) -> None:
    """The database that all are copies of; made once a platform."""
    postgres = Postgres(platform.state)
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    try:
        if await superuser.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _TEMPLATE):
            return
        await superuser.execute(f"CREATE DATABASE {_TEMPLATE} OWNER {_OWNER}")
    finally:
        await superuser.close()
    owner = postgres.url(_TEMPLATE, _OWNER)
    await migrate(owner, _MIGRATIONS, _ROLE)
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute(node.TABLES)
        await connection.execute(f"GRANT SELECT, INSERT, UPDATE ON ledger, effect TO {_ROLE}")
    finally:
        await connection.close()


async def _forget(platform: Platform, world: World) -> None:
    with suppress(OSError, asyncpg.PostgresError):
        superuser = await asyncpg.connect(Postgres(platform.state).url("postgres", "postgres"), timeout=10)
        try:
            for service in (world.writing, world.reading):
                await superuser.execute(f"DROP DATABASE IF EXISTS {service} WITH (FORCE)")
        finally:
            await superuser.close()
    with suppress(KafkaError, OSError):
        admin = AIOKafkaAdminClient(**platform.kafka("admin").options())
        await admin.start()
        try:
            await admin.delete_topics([world.topic, node.answers(world.topic)])
        finally:
            await admin.close()
