"""mTLS between services on real connections: who gets in, and certificates that are renewed while they are used."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import ValidationError

from alliance_cli.session import Session, context
from alliance_cli.session import channel as session_channel
from chassis import metrics
from chassis.client import channel
from chassis.rpc import Pipeline
from chassis.server import Probes, Server
from chassis.settings import ServiceSettings
from chassis.tls import Files, FilesError, Watched
from tests.certificates import Authority

_LISTENING = """
from chassis.server import Server
import asyncio, sys
from pathlib import Path
from chassis.tls import Files

async def main():
    folder = Path("{folder}")
    files = Files(folder / "tls.crt", folder / "tls.key", folder / "ca.crt")
    server = Server(None, [], with_reflection=False, files=files)
    print(await server.start("127.0.0.1:0"), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

asyncio.run(main())
"""
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVING = health_pb2.HealthCheckResponse.SERVING
_WRONG: list[dict[str, Any]] = [{"days": -1}, {"since": 1, "days": 2}, {"uses": [ExtendedKeyUsageOID.SERVER_AUTH]}]


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


def _shown(target: str, files: Files) -> grpc.aio.Channel:
    """One that shows what no service would."""
    shown = grpc.ssl_channel_credentials(files.ca.read_bytes(), files.key.read_bytes(), files.cert.read_bytes())
    return grpc.aio.secure_channel(target, shown)


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
    assert await _refused(_shown(served.target, strangers))
    without = grpc.ssl_channel_credentials(served.files.ca.read_bytes())
    assert await _refused(grpc.aio.secure_channel(served.target, without))
    for number, wrong in enumerate(_WRONG):
        assert await _refused(_shown(served.target, served.authority.issue(tmp_path / f"{number}", **wrong)))


async def test_a_caller_does_not_trust_another_ca_or_name(served: Served, tmp_path: Path) -> None:
    mine = served.authority.issue(tmp_path / "client")
    mine.ca.write_bytes(Authority().issue(tmp_path / "other").ca.read_bytes())
    assert await _refused(_shown(served.target, mine))
    right = served.authority.issue(tmp_path / "right")
    assert await _refused(channel(served.target.replace("127.0.0.1", "localhost"), None, right))


async def test_a_renewed_certificate_is_shown_to_the_next_connection(served: Served, tmp_path: Path) -> None:
    other = Authority()
    theirs = other.issue(tmp_path / "client")
    assert await _refused(channel(served.target, None, theirs))
    other.issue(tmp_path / "server")
    assert await _ask(channel(served.target, None, theirs)) == _SERVING


async def test_a_callers_renewed_certificate_is_used_by_its_next_call(served: Served, tmp_path: Path) -> None:
    mine = Authority().issue(tmp_path / "client")
    connection = channel(served.target, None, mine)
    assert await _refused(connection)
    served.authority.issue(tmp_path / "client")
    assert await _ask(connection) == _SERVING


@pytest.mark.parametrize("wrong", [*_WRONG, {"ca_days": -1}, "another's key"])
async def test_renewed_files_that_let_nobody_in_are_not_taken(served: Served, tmp_path: Path, wrong: Any) -> None:
    mine = served.authority.issue(tmp_path / "client")
    connection = channel(served.target, None, mine)
    assert await _ask(connection) == _SERVING
    for files in (mine, served.files):
        if isinstance(wrong, dict):
            served.authority.issue(files.cert.parent, **wrong)
        else:
            files.key.write_bytes(served.authority.issue(tmp_path / "another").key.read_bytes())
    assert await _ask(connection) == _SERVING
    assert await _ask(channel(served.target, None, served.authority.issue(tmp_path / "third"))) == _SERVING
    for files in (mine, served.files):
        served.authority.issue(files.cert.parent)
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


async def test_a_handshake_that_fails_writes_nothing_that_is_no_json(served: Served, tmp_path: Path) -> None:
    """Here gRPC may have been loaded before what silences it: so in a process of its own, begun as services are."""
    script = tmp_path / "listening.py"
    script.write_text(_LISTENING.format(folder=tmp_path / "server"), "utf-8")
    settings = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    child = await asyncio.create_subprocess_exec(sys.executable, str(script), env=settings, **pipes)  # type: ignore[arg-type]
    assert child.stdout
    assert child.stdin
    port = int(await child.stdout.readline())
    stranger = Authority().issue(tmp_path / "stranger")
    stranger.ca.write_bytes(served.files.ca.read_bytes())
    ended = served.authority.issue(tmp_path / "ended", days=-1)
    for shown in (
        _shown(f"127.0.0.1:{port}", stranger),
        _shown(f"127.0.0.1:{port}", ended),
        channel(f"127.0.0.1:{port}", None),
        channel(f"localhost:{port}", None, served.authority.issue(tmp_path / "named")),  # a name that the certificate lacks
    ):
        assert await _refused(shown)
    assert await _ask(channel(f"127.0.0.1:{port}", None, served.authority.issue(tmp_path / "right"))) == _NOT_SERVING
    child.stdin.close()
    assert (await child.communicate())[1] == b""
    assert child.returncode == 0


def _ends_in(days: int) -> bool:
    return bool(metrics.CERTIFICATE_END._value.get() == pytest.approx(time.time() + days * 86400, abs=60))


def test_when_the_certificate_ends_is_told_and_told_again_once_it_is_renewed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority()
    files = authority.issue(tmp_path / "own", days=3, ca_days=9)
    watched = Watched(files)
    for days in (3, 5):
        authority.issue(tmp_path / "own", days=days, ca_days=9)
        watched.look()
        assert _ends_in(days)
    authority.issue(tmp_path / "own", days=8, ca_days=7)
    watched.look()
    assert _ends_in(7), "its CA ends before"
    assert not caplog.records
    other = Authority()
    files.cert.write_bytes(other.issue(tmp_path / "other").cert.read_bytes())
    watched.look()
    watched.look()
    (said,) = caplog.records
    assert "is not the key of the certificate" in said.getMessage()
    assert _ends_in(7), "the ones before are still shown"


def test_a_file_that_stays_away_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = Authority().issue(tmp_path / "own")
    watched = Watched(files)
    for _ in range(2):
        caplog.clear()
        content = files.ca.read_bytes()
        files.ca.unlink()
        watched.look()
        assert not caplog.records, "it may be just being replaced"
        watched.look()
        watched.look()
        (said,) = caplog.records
        assert f"{files.ca} 读不到 · can't be read" in said.getMessage()
        files.ca.write_bytes(content)
        watched.look()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"days": -1}, "is valid in .*Z – .*Z alone"),
        ({"since": 1, "days": 2}, "is valid in"),
        ({"days": 5, "ca_days": -1}, "is valid in"),
        ({"uses": [ExtendedKeyUsageOID.SERVER_AUTH]}, "both server auth and client auth"),
        ({"uses": [ExtendedKeyUsageOID.CLIENT_AUTH]}, "both server auth and client auth"),
    ],
)
def test_what_no_peer_takes_is_refused(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    Authority().issue(tmp_path, uses=[ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]).read()
    with pytest.raises(FilesError, match=said):
        Authority().issue(tmp_path, **wrong).read()


_CALLED = ("alliance-registry-pods.platform.svc.cluster.local", "alliance-registry")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (_CALLED, None),
        ((*_CALLED, "another"), None),
        (("*.platform.svc.cluster.local", "Alliance-Registry"), None),
        (("alliance-listings-pods.platform.svc.cluster.local", "alliance-listings"), ", ".join(_CALLED)),
        ((), ", ".join(_CALLED)),
        (_CALLED[:1], _CALLED[1]),
        ((*_CALLED[1:], "*.svc.cluster.local"), _CALLED[0]),
        ((*_CALLED[1:], "alliance-*.platform.svc.cluster.local"), _CALLED[0]),
        (("*", "*.platform.svc.cluster.local"), _CALLED[1]),
    ],
)
def test_a_certificate_is_for_every_name_by_which_callers_check_it(
    tmp_path: Path, given: tuple[str, ...], missing: str | None
) -> None:
    files = Authority().issue(tmp_path, names=given)
    files.read()  # of one that is called by no name, as on one machine
    named = replace(files, names=_CALLED)
    if missing is None:
        named.read()
        return
    with pytest.raises(FilesError, match=rf"{files.cert} is not for {missing.replace('.', '[.]')}, by which"):
        named.read()


async def test_a_renewed_certificate_for_another_name_is_told_and_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority()
    files = replace(authority.issue(tmp_path / "own", days=3, ca_days=9, names=["localhost"]), names=("localhost",))
    watched, server = Watched(files), Server(cast(Pipeline, None), [], with_reflection=False, files=files)
    port = await server.start("127.0.0.1:0")
    watched.look()
    authority.issue(tmp_path / "own", days=5, ca_days=9, names=["example.org"])
    watched.look()
    watched.look()
    (said,) = caplog.records
    assert said.getMessage().startswith("tls: ")
    assert "is not for localhost, by which it is called, but for example.org (SAN)" in said.getMessage()
    assert _ends_in(3)
    client = authority.issue(tmp_path / "client")
    assert await _ask(channel(f"localhost:{port}", None, client)) == _NOT_SERVING
    await server.stop()


def test_files_that_change_while_they_are_read_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Authority().issue(tmp_path)
    versions = iter([(1,), (2,), (2,), (2,), *((number,) for number in range(3, 9))])
    monkeypatch.setattr(Files, "version", lambda _: next(versions))
    assert files.read().version == (2,)
    with pytest.raises(FilesError, match="are being replaced"):
        files.read()


def test_what_a_service_shows_is_of_the_ca_beside_it(tmp_path: Path) -> None:
    authority, other = Authority(), Authority()
    files = authority.issue(tmp_path / "own")
    strange = other.issue(tmp_path / "other")
    files.read()
    own = files.ca.read_bytes()
    files.ca.write_bytes(strange.ca.read_bytes() + own)  # while one follows the other
    files.read()
    files.ca.write_bytes(strange.ca.read_bytes())
    with pytest.raises(FilesError, match=r"is not of the CA in .*ca\.crt"):
        files.read()
    files.cert.write_bytes(files.cert.read_bytes() + own)  # what lies between is shown with it
    with pytest.raises(FilesError, match="is not of the CA"):
        files.read()
    between = other.vouch(authority)
    files.cert.write_bytes(authority.issue(tmp_path / "new").cert.read_bytes() + between)
    files.key.write_bytes((tmp_path / "new" / "tls.key").read_bytes())
    files.read()
    for file, wrong in ((files.key, "no private key"), (files.ca, "no certificate"), (files.cert, "no certificate")):
        file.write_text("nothing", "utf-8")
        with pytest.raises(FilesError, match=rf"{file}.*{wrong}"):
            files.read()
    files.cert.unlink()
    with pytest.raises(FilesError, match=rf"{files.cert}.*No such file"):
        files.read()


async def test_a_service_does_not_start_with_a_certificate_that_its_peers_refuse(tmp_path: Path) -> None:
    files = Authority().issue(tmp_path / "own", names=["another"])
    settings = {
        "ALLIANCE_DATABASE_URL": "postgresql://nobody@/none",
        "ALLIANCE_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "ALLIANCE_JWKS_FILE": "/none",
        "ALLIANCE_TOKEN_ISSUER": "nobody",
        "ALLIANCE_GRPC_CERT_FILE": str(files.cert),
        "ALLIANCE_GRPC_KEY_FILE": str(files.key),
        "ALLIANCE_GRPC_CA_FILE": str(files.ca),
        "ALLIANCE_GRPC_NAMES": '["alliance-notify"]',
    }
    command = (sys.executable, "-m", "notify", "serve")

    async def refused() -> str:
        child = await asyncio.create_subprocess_exec(*command, env=settings, stderr=asyncio.subprocess.PIPE)
        async with asyncio.timeout(60):
            said = (await child.communicate())[1].decode()
        assert child.returncode == 2, said
        return str(json.loads(said)["message"])

    assert f"{files.cert} is not for alliance-notify, by which it is called, but for another" in await refused()
    files.ca.write_bytes(Authority().issue(tmp_path / "other").ca.read_bytes())
    assert f"is not of the CA in {files.ca}" in await refused()


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
