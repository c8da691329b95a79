"""A disk is full: nothing that was acknowledged is lost, and all goes on once there is space again."""

from contextlib import suppress
from pathlib import Path

import asyncpg

from alliance_local.postgres import Postgres
from tests.faults import parts
from tests.faults.fault import PART, broker_answers, database_answers
from tests.faults.world import World
from tests.waiting import until

_LARGER = 1024  # MiB
_LEFT = 256 * 1024  # bytes that are left free
_NOTICED = 60.0  # seconds in which a full disk has to end a part
_START = 60.0  # seconds that a part may take to start again
_SEGMENT = 1024 * 1024  # bytes; of what is written to the write-ahead log at once


async def broker_disk_full(world: World) -> None:
    """Kafka's log directory: the broker halts, and is started in vain until there is space."""
    folder = parts.log_folder(world.platform.state.root)
    _fill(folder)
    await until(lambda: _restarts(world, "kafka") > 0, _NOTICED)
    before = len(world.acknowledged())
    await world.load(3.0)
    if len(world.acknowledged()) == before:
        world.wrong.append("commands stopped")
    parts.grow(folder, _LARGER)
    await until(lambda: broker_answers(world), _START)
    await world.recovers("broker", PART)


async def database_disk_full(world: World) -> None:
    """PostgreSQL's write-ahead log: the server panics, and is started in vain until there is space."""
    folder = parts.wal_folder(world.platform.state.root)
    _fill(folder)
    connection = await asyncpg.connect(Postgres(world.platform.state).url("postgres", "postgres"))
    try:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            while True:
                await connection.execute("SELECT pg_logical_emit_message(false, 'fault', repeat('x', $1))", _SEGMENT)
    finally:
        connection.terminate()
    await until(lambda: _restarts(world, "postgres") > 0, _NOTICED)
    await world.load(3.0)
    parts.grow(folder, _LARGER)
    await until(lambda: database_answers(world), _START)
    await world.recovers("database", PART)


def _fill(folder: Path) -> None:
    """Leave next to no space."""
    with (folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(_LEFT))
    with (folder / "ballast").open("r+b") as ballast:
        ballast.truncate(ballast.seek(0, 2) - _LEFT)


def _restarts(world: World, part: str) -> int:
    return int(world.platform.parts()[part]["restarts"])
