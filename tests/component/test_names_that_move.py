"""Addresses behind a name change, as those of pods do in a rollout: who calls goes on with the new ones."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.client import channel
from chassis.rpc import Pipeline
from chassis.server import Probes, Server

_OLD, _NEW = "127.0.0.2", "127.0.0.3"
_SOON = 6.0  # seconds; gRPC by itself asks for a name again after 30
_A, _ANSWER = 1, 0x8400
_TTL = b"\x00\x00\x00\x00"


class Names(asyncio.DatagramProtocol):
    """A name server that knows one address for every name."""

    address = _OLD

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, caller: tuple[str | Any, int]) -> None:
        end = data.index(b"\x00", 12) + 5
        question, kind = data[12:end], int.from_bytes(data[end - 4 : end - 2], "big")
        answers = [b"\xc0\x0c" + question[-4:] + _TTL + b"\x00\x04" + socket.inet_aton(self.address)] if kind == _A else []
        counts = b"".join(number.to_bytes(2, "big") for number in (_ANSWER, 1, len(answers), 0, 0))
        self._transport.sendto(data[:2] + counts + question + b"".join(answers), caller)


@pytest.fixture
async def names() -> AsyncIterator[tuple[Names, int]]:
    transport, found = await asyncio.get_running_loop().create_datagram_endpoint(Names, ("127.0.0.1", 0))
    yield found, transport.get_extra_info("sockname")[1]
    transport.close()


async def _serve(listen: str) -> tuple[Server, int]:
    server = Server(cast(Pipeline, None), [], with_reflection=False, probes=Probes())  # health alone asks no pipeline
    port = await server.start(listen)
    await server.serving(True)
    return server, port


async def test_calls_go_on_where_a_name_has_another_address(names: tuple[Names, int]) -> None:
    told, port = names
    old, serving = await _serve(f"{_OLD}:0")
    async with channel(f"dns://127.0.0.1:{port}/pods.example:{serving}", None) as connection:
        stub: Any = health_pb2_grpc.HealthStub(connection)
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True)
        await old.stop()  # and the name still tells of it, as names do for a moment
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        told.address = _NEW
        new, _ = await _serve(f"{_NEW}:{serving}")
        await stub.Check(health_pb2.HealthCheckRequest(), timeout=_SOON, wait_for_ready=True)
        await new.stop()
