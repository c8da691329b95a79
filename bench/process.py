"""Processes that are measured from outside: servers on a store, with a service's settings."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from alliance_local import processes
from alliance_local.control import Platform
from alliance_local.issuer import AUDIENCE, ISSUER
from alliance_local.kafka import ADMIN
from alliance_local.processes import Command
from bench.ground import Store

_START = 60.0  # seconds that a start may take
_LOOK = 0.005  # seconds between two looks


@dataclass(frozen=True)
class Serving:
    """A server that serves. `began` is when its process was started, in `time.monotonic`."""

    pid: int
    target: str
    began: float


@asynccontextmanager
async def serving(platform: Platform, store: Store, *arguments: str, **more: str) -> AsyncIterator[Serving]:
    """`python -m ARGUMENTS` until its health says SERVING; ended at the end. `more`: settings beside the usual ones."""
    with tempfile.TemporaryDirectory(prefix="alliance-bench-") as folder:
        ports, log = Path(folder) / "ports.json", Path(folder) / "log"
        command = Command([sys.executable, "-m", *arguments], _environment(platform, store, ports) | more, log)
        began = time.monotonic()
        child = await processes.start(command)
        try:
            yield Serving(child.pid, await _until_serving(child, command, ports), began)
        finally:
            await processes.stop(child, command)


async def _until_serving(child: asyncio.subprocess.Process, command: Command, ports: Path) -> str:
    """Its address, once it serves. Raises RuntimeError where it ends or takes too long."""
    deadline = time.monotonic() + _START
    while child.returncode is None and time.monotonic() < deadline:
        if (target := _target(ports)) and await _serves(target):
            return target
        await asyncio.sleep(_LOOK)
    raise RuntimeError(f"{command.arguments} did not come up: {_end_of(command.log)}")


def _target(ports: Path) -> str:
    """The address that the server wrote down; "" while there is none."""
    with suppress(FileNotFoundError, ValueError):  # not there, half written
        return f"127.0.0.1:{json.loads(ports.read_text(encoding='utf-8'))['grpc']}"
    return ""


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8")[-2000:]


async def _serves(target: str) -> bool:
    async with grpc.aio.insecure_channel(target) as channel:
        check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # made at run time
        with suppress(grpc.aio.AioRpcError):
            answer = await check(health_pb2.HealthCheckRequest(), timeout=1)
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False


def _environment(platform: Platform, store: Store, ports: Path) -> dict[str, str]:
    access = platform.kafka(ADMIN)
    return processes.environment(
        ALLIANCE_DATABASE_URL=store.url,
        ALLIANCE_KAFKA_BOOTSTRAP=access.bootstrap,
        ALLIANCE_KAFKA_SECURITY=access.security,
        ALLIANCE_KAFKA_USERNAME=access.username or "",
        ALLIANCE_KAFKA_PASSWORD=access.password or "",
        ALLIANCE_REGISTRY_TARGET="127.0.0.1:1",  # nobody is there, and nobody is asked
        ALLIANCE_JWKS_FILE=str(platform.state.folder("issuer") / "jwks.json"),
        ALLIANCE_TOKEN_ISSUER=ISSUER,
        ALLIANCE_TOKEN_AUDIENCE=AUDIENCE,
        ALLIANCE_PORTS_FILE=str(ports),
    )
