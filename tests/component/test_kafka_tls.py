"""SASL over TLS to Kafka: topics, relay and consumers on a broker that takes nothing else."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError

from alliance_local import kafka, ports, processes
from alliance_local.kafka import ADMIN, Kafka
from alliance_local.state import State
from chassis import provision, refusals
from chassis.consumer import Consumers
from chassis.kafka import KafkaAccess
from chassis.main import _tell_health
from chassis.server import Server
from tests.certificates import Authority
from tests.component.conftest import Probe, key
from tests.waiting import running, until


class TlsKafka(Kafka):
    """A broker with a certificate; clients, and the broker itself, check it."""

    def __init__(self, state: State, assigned: dict[str, int], authority: Authority) -> None:
        super().__init__(state, assigned, "test")
        self.files = authority.issue(state.folder("tls"))
        self._chain = self.files.cert.with_name("chain.pem")
        self._chain.write_bytes(self.files.key.read_bytes() + self.files.cert.read_bytes())

    def _properties(self, node: str) -> str:
        stores = {"keystore": self._chain, "truststore": self.files.ca}
        more = "".join(f"ssl.{kind}.type=PEM\nssl.{kind}.location={file}\n" for kind, file in stores.items())
        return super()._properties(node).replace("CLIENT:SASL_PLAINTEXT", "CLIENT:SASL_SSL") + more

    def access(self, user: str) -> KafkaAccess:
        """How a user reaches it."""
        return replace(super().access(user), security="SASL_SSL", ca_file=str(self.files.ca))


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[TlsKafka]:
    state = State(tmp_path)
    made = TlsKafka(state, ports.assign(state, kafka.ports(1)), Authority())
    await made.prepare()
    child = await processes.start(made.command("kafka"))
    try:
        await kafka.wait_ready(made, "kafka", child)
        yield made
    finally:
        child.kill()  # nobody needs its data, and a proper end takes longer than the test
        await child.wait()


async def _plain_port(stack: AsyncExitStack) -> str:
    """An address that answers whatever it is asked with a text."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    await stack.enter_async_context(server)
    return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _topics(access: KafkaAccess, folder: Path) -> str:
    """What the command `topics` says in its one line, as a user of a folder."""
    login = folder / "login"
    login.mkdir(exist_ok=True)
    (login / "username").write_text(access.username or "", "utf-8")
    (login / "password").write_text(access.password or "", "utf-8")
    settings = {
        "ALLIANCE_DATABASE_URL": "postgresql://nobody@/none",
        "ALLIANCE_JWKS_FILE": "/none",
        "ALLIANCE_TOKEN_ISSUER": "nobody",
        "ALLIANCE_KAFKA_BOOTSTRAP": access.bootstrap,
        "ALLIANCE_KAFKA_SECURITY": access.security,
        "ALLIANCE_KAFKA_CA_FILE": access.ca_file or "",
    }
    command = (sys.executable, "-m", "notify", "topics", "--login", str(login))
    child = await asyncio.create_subprocess_exec(*command, env=settings, stderr=asyncio.subprocess.PIPE)
    said = (await child.communicate())[1].decode()
    assert child.returncode == 1, said
    return str(json.loads(said)["message"])


async def test_events_go_their_way_by_tls_and_no_other(
    broker: TlsKafka, probe: Probe, tmp_path: Path, stack: AsyncExitStack, kafka_heard: None
) -> None:
    access = broker.access(ADMIN)
    made = await provision.provide(access, "test", 1, provision.rights())
    assert made
    assert await provision.provide(access, "test", 1) == []
    probe.kafka = access
    name = key()
    async with running(probe.relay().run, probe.consumers(probe.handling()).run):
        await probe.emit(name, 1)
        await until(lambda: probe.has(name, 1))

    other = Authority().issue(tmp_path / "other").ca
    wrong = {
        "certificate is not trusted": replace(access, ca_file=str(other)),
        "refuses the login": replace(access, password="wrong"),
        "no connection to Kafka": replace(access, security="SASL_PLAINTEXT"),
        "TLS handshake with Kafka failed": replace(access, bootstrap=await _plain_port(stack)),
        "no connection to Kafka: .*Errno 111": replace(access, bootstrap="127.0.0.1:1"),
    }
    for why, refused in wrong.items():
        refusals.forget()
        with pytest.raises(KafkaConnectionError) as raised:
            await provision.provide(refused, "test", 1)
        assert re.search(why, refusals.why(raised.value))
        said = await _topics(refused, tmp_path)
        assert re.search(why, said)
    for file in (other.with_name("none.crt"), broker.files.key):  # the key's file has no certificate
        said = await _topics(replace(access, ca_file=str(file)), tmp_path)
        assert f"ALLIANCE_KAFKA_CA_FILE {file}" in said
        assert "username" not in said
    other.write_bytes(broker.files.ca.read_bytes())  # a CA that was renewed: the next client reads it
    assert await provision.provide(replace(access, ca_file=str(other)), "test", 1) == []
    with pytest.raises(KafkaError):
        await provision.provide(replace(access, password="wrong"), "test", 1)


@pytest.mark.usefixtures("kafka_heard")
async def test_who_is_refused_takes_no_calls_until_it_is_let_in_and_who_finds_nobody_does(
    broker: TlsKafka, probe: Probe, tmp_path: Path
) -> None:
    access = broker.access(ADMIN)
    await provision.provide(access, "test", 1)
    ca = tmp_path / "ca.crt"
    ca.write_bytes(Authority().issue(tmp_path / "other").ca.read_bytes())
    refused = {"its CA": replace(access, ca_file=str(ca)), "its login": replace(access, password="wrong")}
    for kafka_access in refused.values():
        probe.kafka = kafka_access
        consumers = probe.consumers(probe.handling())
        async with running(consumers.run):
            await asyncio.sleep(6)  # longer than it waits for a first word
            assert not consumers.ready.is_set()
            if kafka_access.ca_file == str(ca):
                ca.write_bytes(broker.files.ca.read_bytes())
                await until(consumers.ready.is_set)
    probe.kafka = replace(access, bootstrap="127.0.0.1:1")
    refusals.forget()
    consumers = probe.consumers(probe.handling())
    assert not consumers.ready.is_set()
    async with running(consumers.run):
        await until(consumers.ready.is_set)


class _Told:
    """What health was told, in the place of a server."""

    def __init__(self) -> None:
        self.said: list[bool] = []

    async def serving(self, yes: bool) -> None:
        self.said.append(yes)


async def _led_on(port: int, address: str, stack: AsyncExitStack) -> None:
    """From a port on to an address."""
    host, _, number = address.rpartition(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            while some := await reader.read(65536):
                writer.write(some)

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, int(number))
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer))

    await stack.enter_async_context(await asyncio.start_server(lead, "127.0.0.1", port))


@pytest.mark.usefixtures("kafka_heard")
async def test_who_was_taken_on_trust_and_is_refused_then_takes_no_calls_until_it_is_let_in_and_never_falls_again(
    broker: TlsKafka, probe: Probe, tmp_path: Path, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker is away when it starts, and its first word is a refusal."""
    access = broker.access(ADMIN)
    await provision.provide(access, "test", 1)
    other, right = Authority().issue(tmp_path / "other").ca.read_bytes(), broker.files.ca.read_bytes()
    ca = tmp_path / "ca.crt"
    ca.write_bytes(other)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    probe.kafka = replace(access, bootstrap=f"127.0.0.1:{port}", ca_file=str(ca))
    consumers, health = probe.consumers(probe.handling()), _Told()
    async with running(consumers.run, lambda: _tell_health(consumers, cast(Server, health), port)):
        await until(lambda: health.said == [True])
        await _led_on(port, access.bootstrap, stack)
        await until(lambda: health.said == [True, False])
        ca.write_bytes(right)
        await until(lambda: health.said == [True, False, True])

    consumers, health = probe.consumers(probe.handling()), _Told()
    async with running(consumers.run, lambda: _tell_health(consumers, cast(Server, health), port)):
        await until(lambda: health.said == [True])
        await until(lambda: consumers._was_let_in)
        ca.write_bytes(other)  # from here on it is refused, and was let in before
        refused = asyncio.Event()
        told = refusals.is_refusal
        monkeypatch.setattr(
            "chassis.refusals.is_refusal",
            lambda error: told(error) and (refused.set() or True),  # type: ignore[func-returns-value]
        )
        monkeypatch.setattr(Consumers, "_look", _given_up)
        await asyncio.wait_for(refused.wait(), 20)
        await asyncio.sleep(0.5)
        assert health.said == [True]


async def _given_up(_: Consumers) -> None:
    raise KafkaError("given up")
