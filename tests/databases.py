"""Databases that a test has for itself, on the platform's server."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.migrate import migrate


@asynccontextmanager
async def made(platform: Platform, name: str, service: str, migrations: Path) -> AsyncIterator[tuple[str, str]]:
    """One with the tables of a service, until the end of the block; the URLs for the service's own role and for the role
    that owns the tables. It is a copy of one that was migrated, which takes a tenth of the time that migrations take.
    """
    postgres = Postgres(platform.state)
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    try:
        template = await _template(superuser, postgres, service, migrations)
        await superuser.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {service}_owner")
        await superuser.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")  # rights on the database itself aren't copied
        await superuser.execute(f"GRANT CONNECT ON DATABASE {name} TO {service}")
        yield postgres.url(name, service), postgres.url(name, f"{service}_owner")
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")  # the server would look after all that were ever made
    finally:
        await superuser.close()


async def _template(
    superuser: "asyncpg.Connection[asyncpg.Record]", postgres: Postgres, service: str, migrations: Path
) -> str:
    """The database that all of a service's are copies of; made once a run, since migrations may differ in the next."""
    name = f"template_{service}_{os.getpid()}"
    if not await superuser.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await superuser.execute(f"CREATE DATABASE {name} OWNER {service}_owner")
        await migrate(postgres.url(name, f"{service}_owner"), migrations, service)
    return name


async def rows(url: str, query: str, *values: object) -> list[asyncpg.Record]:
    """What a query finds, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()
