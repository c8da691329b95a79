"""mTLS between services on real connections: who gets in, and certificates that are renewed while they are used."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import ValidationError

from alliance_cli.session import Session, context
from alliance_cli.session import channel as session_channel
from chassis.client import channel
from chassis.rpc import Pipeline
from chassis.server import Probes, Server
from chassis.settings import ServiceSettings
from chassis.tls import Files
from tests.certificates import Authority

_SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass
class Served:
    """A server that shows the certificate in `files`; its probes' port is plain."""

    authority: Authority
    files: Files
    target: str
    server: Server


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    authority = Authority()
    files = authority.issue(tmp_path / "server")
    server = Server(cast(Pipeline, None), [], with_reflection=False, files=files)  # health alone asks no pipeline
    port = await server.start("127.0.0.1:0")
    await server.serving(True)
    yield Served(authority, files, f"127.0.0.1:{port}", server)
    await server.stop()


async def _ask(connection: grpc.aio.Channel, service: str = "") -> int:
    stub: Any = health_pb2_grpc.HealthStub(connection)
    return int((await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)).status)


async def _refused(connection: grpc.aio.Channel) -> bool:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await _ask(connection)
    return error.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_who_shows_a_certificate_of_the_ca_gets_in(served: Served, tmp_path: Path) -> None:
    assert await _ask(channel(served.target, None, served.authority.issue(tmp_path / "client"))) == _SERVING


async def test_nobody_else_gets_in(served: Served, tmp_path: Path) -> None:
    assert await _refused(channel(served.target, None))
    strangers = Authority().issue(tmp_path / "stranger")
    assert await _refused(channel(served.target, None, strangers))
    strangers.ca.write_bytes(served.files.ca.read_bytes())  # it trusts the server, which does not trust it
    assert await _refused(channel(served.target, None, strangers))
    without = grpc.ssl_channel_credentials(served.files.ca.read_bytes())
    assert await _refused(grpc.aio.secure_channel(served.target, without))
    assert await _refused(channel(served.target, None, served.authority.issue(tmp_path / "late", days=-1)))


async def test_a_caller_does_not_trust_another_ca_or_name(served: Served, tmp_path: Path) -> None:
    mine = served.authority.issue(tmp_path / "client")
    mine.ca.write_bytes(Authority().issue(tmp_path / "other").ca.read_bytes())
    assert await _refused(channel(served.target, None, mine))
    right = served.authority.issue(tmp_path / "right")
    assert await _refused(channel(served.target.replace("127.0.0.1", "localhost"), None, right))


async def test_a_renewed_certificate_is_shown_to_the_next_connection(served: Served, tmp_path: Path) -> None:
    served.authority.issue(tmp_path / "server", days=-1)
    mine = served.authority.issue(tmp_path / "client")
    assert await _refused(channel(served.target, None, mine))
    served.authority.issue(tmp_path / "server")
    assert await _ask(channel(served.target, None, mine)) == _SERVING


async def test_a_callers_renewed_certificate_is_used_by_its_next_call(served: Served, tmp_path: Path) -> None:
    mine = served.authority.issue(tmp_path / "client", days=-1)
    connection = channel(served.target, None, mine)
    assert await _refused(connection)
    served.authority.issue(tmp_path / "client")
    assert await _ask(connection) == _SERVING


async def test_files_that_are_gone_for_a_moment_end_nothing(served: Served, tmp_path: Path) -> None:
    mine = served.authority.issue(tmp_path / "client")
    connection = channel(served.target, None, mine)
    assert await _ask(connection) == _SERVING
    for files in (mine, served.files):
        files.key.unlink()
    assert await _ask(connection) == _SERVING
    other = served.authority.issue(tmp_path / "another")
    assert await _ask(channel(served.target, None, other)) == _SERVING


async def test_an_operator_gets_in_by_a_forwarded_port_with_a_certificate(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = served.authority.issue(tmp_path / "operator")
    address = served.target.replace("127.0.0.1", "localhost")  # which the server's certificate is not for
    certificate = {"tls_ca": str(mine.ca), "tls_cert": str(mine.cert), "tls_key": str(mine.key)}

    def ask(**session: str) -> int:
        monkeypatch.setattr(context, "session", Session(targets={"registry": address}, **session))
        stub: Any = health_pb2_grpc.HealthStub(session_channel("registry"))
        return int(stub.Check(health_pb2.HealthCheckRequest(), timeout=5).status)

    assert await asyncio.to_thread(ask, **certificate, tls_name="127.0.0.1") == _SERVING
    for session in ({}, certificate, {**certificate, "tls_name": "{service}"}):
        with pytest.raises(grpc.RpcError):
            await asyncio.to_thread(ask, **session)


async def test_the_probes_port_is_plain_and_tells_them_apart(tmp_path: Path) -> None:
    probes = Probes()
    server = Server(cast(Pipeline, None), [], with_reflection=False, files=Authority().issue(tmp_path / "s"), probes=probes)
    await server.start("127.0.0.1:0")
    listen = f"unix:{tmp_path}/probes"
    await probes.start(listen)
    async with grpc.aio.insecure_channel(listen) as plain:
        at_start = [await _ask(plain, name) == _SERVING for name in ("startup", "liveness", "readiness", "")]
        assert at_start == [True, True, False, False]
        await server.serving(True)
        assert [await _ask(plain, name) == _SERVING for name in ("startup", "liveness", "readiness", "")] == [True] * 4
        await server.stop()  # it drains, and is not to be killed for that
        at_end = [await _ask(plain, name) == _SERVING for name in ("startup", "liveness", "readiness", "")]
        assert at_end == [True, True, False, False]
    await probes.stop()


@pytest.mark.parametrize("given", [("grpc_cert_file",), ("grpc_key_file", "grpc_ca_file"), ("grpc_ca_file",)])
def test_half_of_it_is_refused(given: tuple[str, ...]) -> None:
    names = ("service", "database_url", "kafka_bootstrap", "jwks_file", "token_issuer")
    needed: dict[str, Any] = dict.fromkeys(names, "any")
    ServiceSettings(**needed)
    files: dict[str, Any] = dict.fromkeys(given, "any")
    with pytest.raises(ValidationError, match="missing: ALLIANCE_GRPC"):
        ServiceSettings(**needed, **files)
