"""Bringing a service's database to its newest revision, under a lock, with the owner's role.

A service's folder holds Alembic revisions only; the environment is here, once for all. Each revision says in
`min_compatible` which revision's release is the oldest that runs on what it leaves. That is kept in the database, so that a
release which does not know the database's revision can tell whether it may serve: during an upgrade, and when one is taken
back. What a revision may do is in docs/migrations.md; `tests/migrations.py` holds every one to it.
"""

import asyncio
import logging
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.database import async_url, secure
from chassis.schema import grant

log = logging.getLogger(__name__)
_LOCK = 7_166_913_250_001  # one lock a database: two migrations never run at once
_LOCK_TIMEOUT = "5s"  # for a table: calls queue up behind a statement that waits for one, so it gives up and comes again
_PAUSE = 1.0  # seconds between looks for a database that is not there yet, and for the lock
_KEPT = """
CREATE TABLE IF NOT EXISTS schema_revision (
  revision text PRIMARY KEY,
  min_compatible text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_KEEP = """
INSERT INTO schema_revision (revision, min_compatible) VALUES (:revision, :oldest)
ON CONFLICT (revision) DO UPDATE SET min_compatible = excluded.min_compatible, applied_at = now()
"""
_OLDEST = "SELECT min_compatible FROM schema_revision WHERE revision = :revision"


class IncompatibleError(Exception):
    """The database is of a newer release, on which this one can't run."""


async def migrate(url: str, versions: Path, role: str, ca_file: Path | None = None, patience: float = 0.0) -> None:
    """Upgrade the database to the newest revision in `versions`, and let `role`, the service's lesser one, use its tables.

    `url` is the owner's. A database that is not there yet is waited for, so many seconds. Nothing is changed where it is at
    that revision already, or where a newer release has brought it further. Raises `IncompatibleError` where that release has
    left what this one can't run on, and what the driver says where the database stays away.
    """
    arguments = {"server_settings": {"lock_timeout": _LOCK_TIMEOUT}}  # to which RESET leads back
    engine = create_async_engine(async_url(url), poolclass=NullPool, connect_args=arguments)
    secure(engine, ca_file)
    try:
        await _wait(engine, patience)
        async with engine.connect() as connection:
            await _lock(connection)
            await connection.commit()
            await connection.run_sync(_upgrade, versions, role)
            await connection.commit()
    finally:
        await engine.dispose()


async def _lock(connection: AsyncConnection) -> None:
    """Wait for the lock, outside of any transaction: an index that is built CONCURRENTLY waits for the end of all of them."""
    while not (await connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK})).scalar():
        await connection.commit()
        await asyncio.sleep(_PAUSE)


async def _wait(engine: AsyncEngine, patience: float) -> None:
    """Wait until the owner gets in: a new cluster has first neither server, nor roles, nor databases."""
    deadline = time.monotonic() + patience
    while True:
        try:
            async with engine.connect():
                return
        except (OSError, DBAPIError, asyncpg.PostgresError) as error:
            if time.monotonic() > deadline:
                raise
            why = str(getattr(error, "orig", None) or error).partition("\n")[0]
            log.warning("migrate: the owner does not get in yet", extra={"error": type(error).__name__, "why": why})
        await asyncio.sleep(_PAUSE)


def _upgrade(connection: Connection, versions: Path, role: str) -> None:
    config = configuration(versions)
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    connection.commit()  # or Alembic took what goes on for its caller's transaction, and let no revision end it
    known = {one.revision for one in script.walk_revisions()}
    if current is not None and current not in known:
        _check_admitted(connection, current, known)
        return
    with EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs("head", revision)) as running:
        running.configure(connection=connection, transaction_per_migration=False, on_version_apply=_keep)  # type: ignore[arg-type]  # called by name
        with running.begin_transaction():
            running.run_migrations()
            grant(connection, role)
    reached = script.get_current_head()
    log.info("migrate: the database is at the newest revision", extra={"from": current, "to": reached})


def _check_admitted(connection: Connection, current: str, known: Collection[str]) -> None:
    """Whether the newer release that made revision `current` has left something that this one can run on."""
    oldest = connection.execute(text(_OLDEST), {"revision": current}).scalar()
    if oldest is None or oldest not in known:
        raise IncompatibleError(
            f"数据库已由更新的版本迁移到 {current}，本版本不能在其上运行（至少需修订 {oldest}）；"
            "请部署更新的版本，或恢复迁移前的备份 · "
            f"a newer release has brought the database to {current}, which this one can't run on (it takes "
            f"revision {oldest} or later): deploy that release, or restore the backup from before"
        )
    log.info("migrate: the database is of a newer release that admits this one", extra={"revision": current})


def _keep(*, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
    """Write down, in the revision's own transaction, which release is the oldest that runs on what it leaves."""
    revision = step.up_revision
    if revision is None or ctx.connection is None:
        raise RuntimeError("revisions only go up, and on a connection")
    ctx.connection.execute(text(_KEPT))
    ctx.connection.execute(text(_KEEP), {"revision": revision.revision, "oldest": _module(revision).min_compatible})


def _module(revision: Any) -> Any:
    """A revision's file."""
    return revision.module


def configuration(versions: Path) -> Config:
    """Alembic's configuration for the revisions in a service's folder."""
    config = Config()
    config.set_main_option("script_location", str(versions))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    return config
