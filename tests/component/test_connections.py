"""Connections that are renewed: gRPC servers end each after a while, so that callers spread over pods that came meanwhile."""

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from alliance_local.ports import assign
from alliance_local.state import State
from chassis import server as serving
from chassis.client import channel
from chassis.rpc import Pipeline
from chassis.server import Server
from tests.certificates import Authority
from tests.faults.proxy import Proxy
from tests.waiting import until

_AGE = 0.3  # seconds, give or take a tenth
_LONG = 4.0  # seconds that the caller calls
_HEALTH = health_pb2.HealthCheckRequest()
_SERVING, _NOT = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Door(Proxy):
    """Counts who connects."""

    accepted = 0

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        await super()._passed(reader, writer)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "mTLS"])
async def test_a_caller_notices_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: bool) -> None:
    assert dict(serving._OPTIONS)["grpc.max_connection_age_ms"] == 5 * 60 * 1000
    short = dict(serving._OPTIONS) | {"grpc.max_connection_age_ms": int(1000 * _AGE)}
    monkeypatch.setattr(serving, "_OPTIONS", list(short.items()))
    files = Authority().issue(tmp_path / "tls") if secure else None
    server = Server(cast(Pipeline, None), [], with_reflection=False, files=files)  # health alone asks no pipeline
    port = await server.start("127.0.0.1:0")
    door_port = assign(State(tmp_path), ["door"])["door"]
    door = Door(("127.0.0.1", port), ("127.0.0.1", door_port))
    await door.start()
    stub: Any = health_pb2_grpc.HealthStub(channel(f"127.0.0.1:{door_port}", None, files))
    under_way, heard = stub.Watch(_HEALTH), list[int]()
    hearing = asyncio.create_task(_hear(under_way, heard))
    try:
        await until(lambda: heard == [_NOT])
        await server.serving(True)
        calls, ends = 0, time.monotonic() + _LONG
        while time.monotonic() < ends:
            assert (await stub.Check(_HEALTH, timeout=5)).status == _SERVING
            calls += 1
        assert door.accepted >= _LONG / _AGE / 2
        assert calls > door.accepted  # not one connection a call
        await server.serving(False)  # which the call from the beginning still hears of
        await until(lambda: heard == [_NOT, _SERVING, _NOT], within=5)
    finally:
        under_way.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        door.stop()
        await server.stop()


async def test_calls_that_wait_for_a_busy_loop_are_answered_before_it_stops() -> None:
    """By gRPC alone they end as CANCELLED, which nobody sends again."""
    server = Server(cast(Pipeline, None), [], with_reflection=False)
    port = await server.start("127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as found:
        await asyncio.to_thread(grpc.channel_ready_future(found).result, 10)
        stub: Any = health_pb2_grpc.HealthStub(found)
        calls = [stub.Check.future(_HEALTH, timeout=20) for _ in range(20)]
        time.sleep(0.5)  # noqa: ASYNC251 - the loop accepts nothing meanwhile
        await server.stop()
        answers = await asyncio.gather(*(asyncio.to_thread(call.code) for call in calls))
    assert answers == [grpc.StatusCode.OK] * 20


async def _hear(call: "grpc.aio.UnaryStreamCall[Any, Any]", heard: list[int]) -> None:
    async for answer in call:
        heard.append(answer.status)
