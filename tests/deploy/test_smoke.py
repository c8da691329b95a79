"""`helm test`: it waits for every service, and its last line says which does not answer."""

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance_local.state import SERVICES
from tests.deploy.helm import CHART

_FILE = CHART / "files/smoke.py"
_SERVING, _NOT = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
def smoke() -> ModuleType:
    spec = importlib.util.spec_from_file_location("smoke", _FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def up() -> Iterator[tuple[str, health.HealthServicer]]:
    """A server that says nothing but its health."""
    said = health.HealthServicer()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(said, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", said
    server.stop(None)


def test_it_asks_every_service(smoke: ModuleType) -> None:
    assert set(smoke.SERVICES) == set(SERVICES)


def test_it_waits_for_one_that_takes_no_calls_yet(
    smoke: ModuleType, up: tuple[str, health.HealthServicer], capsys: pytest.CaptureFixture[str]
) -> None:
    address, said = up
    said.set("", _NOT)
    threading.Timer(1.5, said.set, ("", _SERVING)).start()
    with grpc.insecure_channel(address) as channel:
        smoke.serving({"notify": channel}, 30)
    told = capsys.readouterr().out
    assert "waiting for notify: NOT_SERVING\n" in told
    assert told.endswith("notify takes calls\n")


def test_those_that_do_not_are_named(smoke: ModuleType, up: tuple[str, health.HealthServicer]) -> None:
    address, said = up
    with grpc.insecure_channel(address) as there, grpc.insecure_channel("127.0.0.1:1") as away:
        with pytest.raises(smoke.FailedError, match=r"within 1 s: reporting \(UNAVAILABLE [^\n]*\)$"):
            smoke.serving({"registry": there, "reporting": away}, 1)
        said.set("", _NOT)
        with pytest.raises(smoke.FailedError, match=r"registry \(NOT_SERVING\); reporting \(UNAVAILABLE"):
            smoke.serving({"registry": there, "reporting": away}, 1)


def test_the_last_line_says_what_was_answered_by_whom(up: tuple[str, health.HealthServicer]) -> None:
    address, _ = up
    told = {f"SMOKE_{service.upper()}": address for service in SERVICES} | {"SMOKE_TOKEN": os.devnull}
    done = subprocess.run([sys.executable, _FILE], env=os.environ | told, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "registry answers ListOrganizations: UNIMPLEMENTED" in done.stderr


class _Refused(grpc.RpcError):
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "away"


class _Listings:
    """Drafts and what is published, by issuer; one of them can't be withdrawn."""

    def __init__(self, stuck: str) -> None:
        self.open = {"a": ["draft", "published"], "b": ["other"]}
        self._stuck = stuck

    def ListListings(self, request: Any, **_: Any) -> Any:
        assert set(request.states) == {listing_pb2.LISTING_STATE_DRAFT, listing_pb2.LISTING_STATE_PUBLISHED}
        found = [listing_pb2.Listing(name=name) for name in self.open[request.issuer]]
        return listings_service_pb2.ListListingsResponse(listings=found)

    def WithdrawListing(self, request: Any, **_: Any) -> Any:
        if request.name == self._stuck:
            raise _Refused
        for names in self.open.values():
            if request.name in names:
                names.remove(request.name)
        return listing_pb2.Listing(name=request.name)


def test_what_can_t_be_withdrawn_keeps_nothing_else_from_it(
    smoke: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text("any")
    monkeypatch.setenv("SMOKE_TOKEN", str(tmp_path / "token"))
    there = _Listings("draft")
    (failed,) = smoke._withdrawn(there, ("a", "b"))
    assert there.open == {"a": ["draft"], "b": []}
    assert "listings answers WithdrawListing: UNAVAILABLE away (draft)" in failed
    assert failed in capsys.readouterr().out
    assert smoke._withdrawn(_Listings(""), ("a", "b")) == []
