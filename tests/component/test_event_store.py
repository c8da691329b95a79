"""The event store's partitions: made ahead, made late, and moved to other storage."""

import os
import pwd
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.ids import first_id
from tests.component.conftest import Probe, key

_STORED = """
INSERT INTO event (id, topic, key, version, type, actor, on_behalf_of, reason, cause_event_id, request_id, traceparent,
                   recorded_at, effective_at)
VALUES ($1, '', $2, 1, '', '', '', '', '', '', '', now(), now())
"""
_WHERE = "SELECT tableoid::regclass::text AS partition FROM event WHERE key = $1"


def _this_month() -> str:
    return f"event_{datetime.now(UTC):%Y%m}"


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for one in statements:
        await connection.execute(one)
    await connection.close()


async def test_partitions_are_there_three_months_ahead(probe: Probe) -> None:
    for months in range(4):
        day = (datetime.now(UTC).replace(day=1) + timedelta(days=31 * months)).replace(day=1)
        assert await probe.rows("SELECT 1 FROM pg_class WHERE relname = $1", f"event_{day:%Y%m}")


async def test_without_its_partition_an_event_is_stored_all_the_same_and_moved_when_there_is_one(probe: Probe) -> None:
    name = key()
    await _run(probe.owner, f"DROP TABLE {_this_month()}")
    await probe.emit(name, 1)
    assert [row["partition"] for row in await probe.rows(_WHERE, name)] == ["event_default"]
    assert (await probe.rows("SELECT event_default_rows() AS rows"))[0]["rows"] == 1
    assert (await probe.rows("SELECT ensure_event_partitions() AS made"))[0]["made"] == 1
    assert [row["partition"] for row in await probe.rows(_WHERE, name)] == [_this_month()]
    assert (await probe.rows("SELECT event_default_rows() AS rows"))[0]["rows"] == 0


async def test_an_old_partition_on_other_storage_stays_readable(probe: Probe, platform: Platform) -> None:
    name, superuser = key(), Postgres(platform.state).url(probe.name, "postgres")
    await probe.emit(name, 1)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        if os.geteuid() == 0:  # PostgreSQL runs as a user of its own then
            owner = pwd.getpwnam("embedded_postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        await _run(
            superuser,
            f"CREATE TABLESPACE {probe.name} LOCATION '{folder}'",
            f"ALTER TABLE {_this_month()} SET TABLESPACE {probe.name}",
        )
        assert [row["partition"] for row in await probe.rows(_WHERE, name)] == [_this_month()]
        await probe.emit(name, 2)
        await _run(superuser, f"ALTER TABLE {_this_month()} SET TABLESPACE pg_default", f"DROP TABLESPACE {probe.name}")
    assert len(await probe.rows(_WHERE, name)) == 2


async def test_an_event_is_looked_up_in_the_partition_of_its_id_alone(probe: Probe) -> None:
    day = datetime.now(UTC) + timedelta(days=31)
    identifier = first_id(day)
    connection = await asyncpg.connect(probe.url)
    await connection.execute(_STORED, identifier, key())
    plan = await connection.fetch("EXPLAIN SELECT 1 FROM event WHERE id = $1", identifier)
    await connection.close()
    text = "\n".join(row[0] for row in plan)
    assert f"event_{day:%Y%m}" in text
    assert "event_default" not in text
    assert Path(_this_month()).name not in text


async def test_the_service_cannot_change_or_remove_events(probe: Probe) -> None:
    await probe.emit(key(), 1)
    for statement in ("UPDATE event SET reason = 'x'", "DELETE FROM event", "DROP TABLE event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await probe.rows(statement)
