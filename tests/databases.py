"""Databases that a test has for itself, on the platform's server."""

from pathlib import Path

import asyncpg

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.migrate import migrate


async def create(platform: Platform, name: str, service: str, migrations: Path) -> tuple[str, str]:
    """One with the tables of a service; the URLs for the service's own role and for the role that owns the tables."""
    postgres = Postgres(platform.state)
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {service}_owner")
    await superuser.close()
    url, owner = postgres.url(name, service), postgres.url(name, f"{service}_owner")
    await migrate(owner, migrations, service)
    return url, owner


async def rows(url: str, query: str, *values: object) -> list[asyncpg.Record]:
    """What a query finds, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()
