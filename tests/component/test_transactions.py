"""What a transaction leaves behind where it is cancelled, or where its connection goes."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.database import Tx
from tests.component.conftest import CAUSE, Probe, key

_ROWS = [("x" * 20_000, f"row {number}", number) for number in range(500)]  # far more than a socket takes at once
_LOCK = "SELECT pg_try_advisory_lock(7)"


async def _with_driver(tx: Tx) -> None:
    await tx.sql.run_each("INSERT INTO effect (event_id, key, version) VALUES ($1, $2, $3)", _ROWS)


async def _with_sqlalchemy(tx: Tx) -> None:
    statement = text("INSERT INTO effect (event_id, key, version) VALUES (:event_id, :key, :version)")
    await tx.run_each(statement, [dict(zip(("event_id", "key", "version"), row, strict=True)) for row in _ROWS])


@pytest.mark.parametrize("send", [_with_driver, _with_sqlalchemy])
@pytest.mark.parametrize("after", [0.0, 0.002, 0.005, 0.01])
async def test_a_cancelled_one_gives_its_locks_back_at_once(probe: Probe, send: object, after: float) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with probe.database.transaction(CAUSE) as tx:
            await tx.sql.value("SELECT pg_advisory_xact_lock(7)")
            begun.set()
            await send(tx)  # type: ignore[operator]
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await begun.wait()
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await task
    assert [row[0] for row in await probe.rows(_LOCK)] == [True]
    assert await probe.rows("SELECT 1 FROM effect") == []
    await probe.emit(key(), 1)  # and its connection, if it is given out again, is sound


async def test_connections_that_the_server_closed_are_not_given_out(probe: Probe, platform: Platform) -> None:
    """PostgreSQL was restarted: nobody's next transaction fails by the old connections."""
    at_once = asyncio.Barrier(5)

    async def work() -> None:
        async with probe.database.transaction(CAUSE) as tx:
            await tx.sql.value("SELECT 1")
            await at_once.wait()

    await asyncio.gather(*(work() for _ in range(5)))
    superuser = await asyncpg.connect(Postgres(platform.state).url("postgres", "postgres"))
    ended = await superuser.fetchval(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = $1", probe.name
    )
    await superuser.close()
    assert ended == 5
    await asyncio.sleep(0.1)  # the loop hears of it
    await asyncio.gather(*(work() for _ in range(5)))
