"""The local platform's child processes."""

import subprocess
import sys
from pathlib import Path

# In an interpreter of its own: what gRPC does at a fork is settled when it is imported.
_BESIDE_CALLS = """
import asyncio, sys
from contextlib import suppress
from pathlib import Path
from alliance_local import processes, supervisor
from alliance_local.supervisor import grpc, health_pb2, health_pb2_grpc

async def call():
    while True:
        async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
            with suppress(grpc.aio.AioRpcError):
                await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=0.05)

async def main():
    calls = [asyncio.create_task(call()) for _ in range(4)]
    command = processes.Command([sys.executable, "-c", ""], {}, Path(sys.argv[1]))
    for _ in range(40):
        assert await processes.run(command) == 0
    for one in calls:
        one.cancel()

asyncio.run(main())
"""


def test_a_child_that_is_started_beside_calls_does_not_crash(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _BESIDE_CALLS, str(tmp_path / "log")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
