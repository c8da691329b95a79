"""Bringing a service's database to its newest revision, under a lock, with the owner's role.

A service's folder holds Alembic revisions only; the environment is here, once for all. Revisions call
`chassis.schema.create_plumbing(op, role)` with `role = chassis.migrate.service_role()`, the service's own lesser role.
"""

from pathlib import Path

from alembic import context
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.database import async_url

_LOCK = 7_166_913_250_001  # one lock a database: two migrations never run at once


def service_role() -> str:
    """The lesser role that the running migration makes tables for."""
    return str(context.config.attributes["service_role"])


async def migrate(url: str, versions: Path, role: str) -> None:
    """Upgrade the database to the newest revision in `versions`; does nothing where it is there already."""
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            await connection.commit()
            await connection.run_sync(_upgrade, versions, role)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, versions: Path, role: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(versions))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    config.attributes["service_role"] = role
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs("head", revision)):
        context.configure(connection=connection, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()
