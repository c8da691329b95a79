"""Passwords and tokens that are changed while a process runs: what goes on, and what it says where it can't."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.client import channel
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Database
from chassis.errors import Unavailable

_ROLE = "rotated"
_CAUSE = Cause("tester")


@pytest.fixture
async def superuser(platform: Platform) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Beside a role that may do nothing but get in, with the password `first`."""
    connection = await asyncpg.connect(Postgres(platform.state).url("postgres", "postgres"))
    await connection.execute(f"CREATE ROLE {_ROLE} LOGIN PASSWORD 'first'")
    await connection.execute(f"GRANT CONNECT ON DATABASE postgres TO {_ROLE}")
    yield connection
    await connection.execute(f"DROP OWNED BY {_ROLE}; DROP ROLE {_ROLE}")
    await connection.close()


async def test_connections_outlive_a_changed_password_and_a_new_one_is_unavailable(
    platform: Platform, superuser: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Not a fault of the call, or of the record, that met it: the same goes well once the pod has been restarted."""
    system = SystemClock()
    url = f"postgresql://{_ROLE}:first@/postgres?host={platform.state.sockets}"
    database = Database(url, system=system, business=BusinessClock(system), pool=2)
    async with database.transaction(_CAUSE, read_only=True) as tx:
        await superuser.execute(f"ALTER ROLE {_ROLE} PASSWORD 'second'")
        assert await tx.sql.value("SELECT 1") == 1
        with pytest.raises(Unavailable):
            async with database.transaction(_CAUSE, read_only=True):
                pass
    async with database.transaction(_CAUSE, read_only=True) as tx:
        assert await tx.sql.value("SELECT 1") == 1
    await database.close()


class _Hearing(health.aio.HealthServicer):
    """Keeps what callers show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    async def Check(self, request: Any, context: Any) -> Any:
        """See `HealthServicer`."""
        self.shown.append(dict(context.invocation_metadata())["authorization"])
        return await super().Check(request, context)


async def test_a_renewed_token_goes_with_the_next_call(tmp_path: Path) -> None:
    hearing, server, token = _Hearing(), grpc.aio.server(), tmp_path / "token"
    await hearing.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(hearing, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with channel(f"127.0.0.1:{port}", token) as connection:
        stub: Any = health_pb2_grpc.HealthStub(connection)
        for content in ("first\n", "second\n"):
            token.write_text(content, encoding="utf-8")
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
            await asyncio.sleep(0.01)  # file systems tell times apart no finer
    await server.stop(None)
    assert hearing.shown == ["Bearer first", "Bearer second"]
