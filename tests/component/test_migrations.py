"""Migrations on a real PostgreSQL: what they make, who runs beside whom, and what the lesser role may do."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.database import async_url
from chassis.migrate import IncompatibleError, migrate
from tests.migrations import ROOT, SERVICES, faults, tables_of
from tests.waiting import until

_SERVICE = "listings"
_HERE = ROOT / f"services/{_SERVICE}/migrations"
_NEXT = '''"""The next release."""
from alembic import op
revision, down_revision, min_compatible = "0002", "0001", "{oldest}"


def upgrade():
    op.execute("CREATE TABLE made_by_the_next (number integer)")
    op.execute("{more}")
'''
_INDEX = '''"""An index."""
from alembic import op
revision, down_revision, min_compatible = "0003", "0002", "0001"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS request_log_method")
        op.create_index("request_log_method", "request_log", ["method"], postgresql_concurrently=True)
        op.execute("RESET lock_timeout")
    if op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar() != "5s":
        raise RuntimeError("what follows would hold everybody up")
'''
_STEPS = {  # as docs/migrations.md has it
    "0003": 'op.create_check_constraint("t", "request_log", "principal <> \'b\'", postgresql_not_valid=True)',
    "0004": """with op.get_context().autocommit_block():
        op.execute("ALTER TABLE request_log VALIDATE CONSTRAINT t")""",
    "0005": 'op.drop_constraint("t", "request_log")',
}
_STEP = '''"""A step."""
from alembic import op
revision, down_revision, min_compatible = "{number}", "{before:04}", "0002"


def upgrade():
    {does}
'''
_WRITTEN = """
INSERT INTO request_log (principal, method, request_id, request_hash, created_at)
VALUES ('a', 'b', gen_random_uuid(), '', now())
"""
_LOCK_TIMEOUT = 5.0  # seconds


class Fresh:
    """A database of its own, without a table."""

    def __init__(self, owner: str, lesser: str) -> None:
        self.owner = owner
        self.lesser = lesser

    async def rows(self, query: str, *, lesser: bool = False) -> Sequence[Any]:
        """What a statement finds, as the owner or as the lesser role."""
        connection = await asyncpg.connect(self.lesser if lesser else self.owner)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    async def revision(self) -> str:
        """Where its tables are."""
        return str((await self.rows("SELECT version_num FROM alembic_version"))[0][0])


@pytest.fixture
async def fresh(platform: Platform) -> AsyncIterator[Fresh]:
    name = "fresh_for_migrations"
    postgres = Postgres(platform.state)
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {_SERVICE}_owner")
    yield Fresh(postgres.url(name, f"{_SERVICE}_owner"), postgres.url(name, _SERVICE))
    await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await superuser.close()


def _next_release(root: Path, *, oldest: str = "0001", more: str = "SELECT 1") -> Path:
    """The migrations of the release after this one."""
    versions = root / "migrations"
    shutil.copytree(_HERE, versions, ignore=shutil.ignore_patterns("__pycache__"))
    (versions / "0002_next.py").write_text(_NEXT.format(oldest=oldest, more=more), encoding="utf-8")
    return versions


@pytest.mark.parametrize("service", SERVICES)
async def test_they_make_what_is_declared(fresh: Fresh, service: str) -> None:
    await migrate(fresh.owner, ROOT / f"services/{service}/migrations", _SERVICE)

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True, "include_name": _is_declared_somewhere}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), cast(Any, tables_of(service))))

    engine = create_async_engine(async_url(fresh.owner))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def _is_declared_somewhere(name: str | None, kind: str, _: object) -> bool:
    """Partitions are made by themselves, and the owner's tables by Alembic and by `chassis.migrate`."""
    return not (kind == "table" and name is not None and (name.startswith("event_") or name == "schema_revision"))


async def test_it_says_from_where_to_where_it_came(fresh: Fresh, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "chassis.migrate")
    for versions in (_HERE, _HERE, _next_release(tmp_path)):
        await migrate(fresh.owner, versions, _SERVICE)
    said = [(one.__dict__["from"], one.__dict__["to"]) for one in caplog.records if "newest revision" in one.message]
    assert said == [(None, "0001"), ("0001", "0001"), ("0001", "0002")]


async def test_a_release_comes_back_after_the_next_one_has_migrated(fresh: Fresh, tmp_path: Path) -> None:
    await migrate(fresh.owner, _HERE, _SERVICE)
    await migrate(fresh.owner, _next_release(tmp_path, oldest="0001"), _SERVICE)
    before = await fresh.rows("SELECT * FROM schema_revision ORDER BY revision")
    await migrate(fresh.owner, _HERE, _SERVICE)  # an old pod starts anew
    assert await fresh.rows("SELECT * FROM schema_revision ORDER BY revision") == before
    assert await fresh.revision() == "0002"
    assert [row["min_compatible"] for row in before] == ["0001", "0001"]
    await fresh.rows("SELECT * FROM made_by_the_next", lesser=True)


async def test_a_release_that_the_next_one_does_not_admit_says_so(fresh: Fresh, tmp_path: Path) -> None:
    await migrate(fresh.owner, _next_release(tmp_path, oldest="0002"), _SERVICE)
    with pytest.raises(IncompatibleError, match=r"0002.*请部署更新的版本.*deploy that release"):
        await migrate(fresh.owner, _HERE, _SERVICE)
    assert await fresh.revision() == "0002"


@pytest.mark.parametrize(("oldest", "code"), [("0001", 0), ("0002", 1)])
async def test_the_command_ends_as_the_pod_should(fresh: Fresh, tmp_path: Path, oldest: str, code: int) -> None:
    await migrate(fresh.owner, _next_release(tmp_path, oldest=oldest), _SERVICE)
    settings = {
        "ALLIANCE_DATABASE_URL": fresh.lesser,
        "ALLIANCE_MIGRATION_DATABASE_URL": fresh.owner,
        "ALLIANCE_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "ALLIANCE_JWKS_FILE": "/none",
        "ALLIANCE_TOKEN_ISSUER": "nobody",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _SERVICE, "migrate", env=settings, stderr=asyncio.subprocess.PIPE
    )
    _, said = await child.communicate()
    assert child.returncode == code, said.decode()
    assert ("deploy that release" in said.decode()) == bool(code)


async def test_a_database_that_is_not_there_yet_is_waited_for(platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    postgres, name = Postgres(platform.state), "made_late"
    url = postgres.url(name, f"{_SERVICE}_owner")
    with pytest.raises(DBAPIError, match="does not exist"):
        await migrate(url, _HERE, _SERVICE)
    waiting = asyncio.create_task(migrate(url, _HERE, _SERVICE, patience=30.0))
    await until(lambda: any("does not exist" in getattr(one, "why", "") for one in caplog.records))
    superuser = await asyncpg.connect(postgres.url("postgres", "postgres"))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {_SERVICE}_owner")
    await waiting
    await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await superuser.close()


async def test_one_that_fails_leaves_everything_as_it_was(fresh: Fresh, tmp_path: Path) -> None:
    await migrate(fresh.owner, _HERE, _SERVICE)
    broken = _next_release(tmp_path, more="SELECT * FROM no_such_table")
    with pytest.raises(DBAPIError):
        await migrate(fresh.owner, broken, _SERVICE)
    assert await fresh.revision() == "0001"
    assert await fresh.rows("SELECT to_regclass('made_by_the_next') AS found") == [(None,)]


async def test_an_index_is_built_while_rows_are_written_and_others_wait_to_migrate(fresh: Fresh, tmp_path: Path) -> None:
    """CONCURRENTLY, as docs/migrations.md says."""
    await migrate(fresh.owner, _HERE, _SERVICE)
    versions = _next_release(tmp_path)
    (versions / "0003_index.py").write_text(_INDEX, encoding="utf-8")
    writer = await asyncpg.connect(fresh.lesser)
    async with writer.transaction():
        await writer.execute(_WRITTEN)
        migrating = [asyncio.create_task(migrate(fresh.owner, versions, _SERVICE)) for _ in range(3)]
        await until(lambda: fresh.rows("SELECT FROM pg_class WHERE relname = 'request_log_method'"))
        await asyncio.sleep(_LOCK_TIMEOUT + 1)  # the others have asked for the lock by then
        await writer.execute("UPDATE request_log SET method = 'c'")
        assert not any(one.done() for one in migrating)
    await asyncio.gather(*migrating)
    await writer.close()
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'request_log_method'::regclass"
    assert await fresh.rows(valid) == [(True,)]
    assert await fresh.revision() == "0003"


async def test_an_index_that_was_left_half_built_is_built_anew(fresh: Fresh, tmp_path: Path) -> None:
    await migrate(fresh.owner, _HERE, _SERVICE)
    for _ in range(2):
        await fresh.rows(_WRITTEN)
    with pytest.raises(asyncpg.UniqueViolationError):
        await fresh.rows("CREATE UNIQUE INDEX CONCURRENTLY request_log_method ON request_log (method)")
    versions = _next_release(tmp_path)
    (versions / "0003_index.py").write_text(_INDEX, encoding="utf-8")
    await migrate(fresh.owner, versions, _SERVICE)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'request_log_method'::regclass"
    assert await fresh.rows(valid) == [(True,)]


async def test_a_constraint_is_validated_while_others_write(fresh: Fresh, tmp_path: Path) -> None:
    """All steps come at once: the lock of the one that adds it is gone by then, and stays done where the next one fails."""
    await migrate(fresh.owner, _HERE, _SERVICE)
    await fresh.rows(_WRITTEN.replace("'a'", "'b'"))
    versions = _next_release(tmp_path)
    for number, does in _STEPS.items():
        step = _STEP.format(number=number, before=int(number) - 1, does=does)
        (versions / f"{number}_step.py").write_text(step, encoding="utf-8")
    assert faults(versions) == []
    with pytest.raises(IntegrityError, match="violated by some row"):
        await migrate(fresh.owner, versions, _SERVICE)
    assert await fresh.revision() == "0003"
    await fresh.rows(_WRITTEN)
    await fresh.rows("DELETE FROM request_log WHERE principal = 'b'")
    await migrate(fresh.owner, versions, _SERVICE)
    assert await fresh.revision() == "0005"


async def test_many_at_once_make_it_once(fresh: Fresh) -> None:
    await asyncio.gather(*(migrate(fresh.owner, _HERE, _SERVICE) for _ in range(5)))
    assert len(await fresh.rows("SELECT * FROM schema_revision")) == 1


async def test_one_does_not_wait_long_behind_a_table_in_use(fresh: Fresh, tmp_path: Path) -> None:
    await migrate(fresh.owner, _HERE, _SERVICE)
    using = await asyncpg.connect(fresh.owner)
    async with using.transaction():
        await using.execute("SELECT * FROM listing")
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrate(fresh.owner, _next_release(tmp_path, more="ALTER TABLE listing ADD COLUMN other text"), _SERVICE)
    await using.close()
    assert await fresh.revision() == "0001"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (number integer)",
        "UPDATE event SET reason = ''",
        "DELETE FROM event",
        "TRUNCATE outbox",
        "DROP TABLE outbox",
        "SELECT * FROM event_default",
        "SELECT * FROM schema_revision",
        "UPDATE alembic_version SET version_num = '0000'",
        "CREATE TEMPORARY TABLE mine (number integer)",
    ],
)
async def test_the_lesser_role_may_not(fresh: Fresh, statement: str) -> None:
    await migrate(fresh.owner, _HERE, _SERVICE)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fresh.rows(statement, lesser=True)


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM event", "DELETE FROM outbox", "UPDATE listing SET version = 2", "SELECT ensure_event_partitions()"],
)
async def test_the_lesser_role_may(fresh: Fresh, statement: str) -> None:
    await migrate(fresh.owner, _HERE, _SERVICE)
    await fresh.rows(statement, lesser=True)


async def test_nobody_elses_role_gets_in(fresh: Fresh, platform: Platform) -> None:
    stranger = fresh.lesser.replace(fresh.lesser.split("@")[0], platform.database_url("notify").split("@")[0])
    connection = await asyncpg.connect(stranger)  # PostgreSQL's default: everybody may
    await connection.close()
    await migrate(fresh.owner, _HERE, _SERVICE)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stranger)
