"""SASL over TLS to Kafka: topics, relay and consumers on a broker that takes nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError

from alliance_local import kafka, ports, processes
from alliance_local.kafka import ADMIN, Kafka
from alliance_local.state import State
from chassis import provision
from chassis.kafka import KafkaAccess
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


async def test_events_go_their_way_by_tls_and_no_other(broker: TlsKafka, probe: Probe, tmp_path: Path) -> None:
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
    for refused in (replace(access, security="SASL_PLAINTEXT"), replace(access, ca_file=str(other))):
        with pytest.raises(KafkaConnectionError):
            await provision.provide(refused, "test", 1)
    other.write_bytes(broker.files.ca.read_bytes())  # a CA that was renewed: the next client reads it
    assert await provision.provide(replace(access, ca_file=str(other)), "test", 1) == []
    with pytest.raises(KafkaError):
        await provision.provide(replace(access, password="wrong"), "test", 1)
