"""What a transaction leaves behind where it is cancelled, or where its connection goes."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import text

from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.database import Tx
from chassis.errors import Unavailable
from chassis.handling import Handling
from chassis.record import RawRecord, Record, decode
from chassis.statements import Statements
from tests.component.conftest import CAUSE, TOPIC, Probe, key

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


@pytest.mark.parametrize("turns", range(1, 8))
async def test_one_that_is_cancelled_as_it_begins_takes_nothing_from_the_next(probe: Probe, turns: int) -> None:
    """PostgreSQL may have begun what nobody waits for any more: the next one on that connection is not a part of it."""

    async def work() -> None:
        async with probe.database.transaction(CAUSE):
            await asyncio.sleep(60)

    await probe.emit(key(), 1)  # a connection that is there already
    task = asyncio.create_task(work())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    name = key()
    await probe.emit(name, 1)
    assert len(await probe.rows("SELECT 1 FROM event WHERE key = $1", name)) == 1
    async with probe.database.alone() as sql:
        await sql.run("INSERT INTO effect (key) VALUES ('alone')")
    assert len(await probe.rows("SELECT 1 FROM effect")) == 1


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(60)", "INSERT INTO effect SELECT 'a', 'b', 1 FROM pg_sleep(60)"])
@pytest.mark.parametrize("is_driver", [True, False])
async def test_a_cancelled_statement_is_a_cancellation(probe: Probe, statement: str, *, is_driver: bool) -> None:
    async def work() -> None:
        async with probe.database.transaction(CAUSE) as tx:
            await (tx.sql.run(statement) if is_driver else tx.conn.execute(text(statement)))

    for _ in range(12):  # more than the pool has: none of them keeps its place
        task = asyncio.create_task(work())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(5):
                await task
    await probe.emit(key(), 1)


@pytest.mark.parametrize("is_driver", [True, False])
async def test_where_the_connection_goes_meanwhile_the_database_is_away(probe: Probe, *, is_driver: bool) -> None:
    async def work() -> None:
        async with probe.database.transaction(CAUSE) as tx:
            own = await tx.sql.value("SELECT pg_backend_pid()")
            await probe.rows("SELECT pg_terminate_backend($1, 5000)", own)
            await (tx.sql.run("SELECT 1") if is_driver else tx.conn.execute(text("SELECT 1")))

    for _ in range(12):
        with pytest.raises(Unavailable):
            await work()
    await probe.emit(key(), 1)


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "alone"])
async def test_between_its_last_words_and_its_end_the_database_is_away(probe: Probe, statement: str) -> None:
    """What a crash of PostgreSQL says arrives before the connection's end does, and a statement may come between."""

    async def work() -> None:
        if statement == "alone":
            async with probe.database.alone() as sql:
                await sql.value("SELECT 1")
        async with probe.database.transaction(CAUSE) as tx:
            if statement == "INSERT":
                _told_of_the_end(tx.sql)
            await tx.sql.run("INSERT INTO effect (key) VALUES ('lost')")

    if statement != "INSERT":
        async with probe.database.alone() as sql:
            _told_of_the_end(sql)
    with pytest.raises(Unavailable):
        await work()
    await probe.emit(key(), 1)  # that connection is not given out again
    assert await probe.rows("SELECT 1 FROM effect") == []


def _told_of_the_end(sql: Statements) -> None:
    text = b"SFATAL\0VFATAL\0C57P02\0Mterminating connection because of crash of another server process\0\0"
    sql._driver._protocol.data_received(b"E" + (len(text) + 4).to_bytes(4) + text)  # type: ignore[attr-defined]


async def test_what_fails_after_the_commit_undoes_nothing(probe: Probe) -> None:
    name, called = key(), list[str]()

    def fails() -> None:
        raise RuntimeError("on purpose")

    async with probe.database.transaction(CAUSE) as tx:
        await tx.sql.run("INSERT INTO effect (key) VALUES ($1)", name)
        for one in (fails, lambda: called.append("next")):
            tx.on_commit(one)
            tx.on_end(one)
    assert called == ["next", "next"]
    assert len(await probe.rows("SELECT 1 FROM effect WHERE key = $1", name)) == 1


@pytest.mark.parametrize("state", ["53100", "53200", "57014", "58030", "25006", "40P01", "40001", "55P03"])
async def test_what_is_the_databases_trouble_is_no_failure_of_a_record(probe: Probe, state: str) -> None:
    """A full disk, no memory, a cancelled statement, an unreadable file, a standby, a collision."""
    with pytest.raises(Unavailable):
        async with probe.database.transaction(CAUSE) as tx:
            await tx.sql.run(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")


async def test_a_lock_that_does_not_come_is_no_failure_of_the_record(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also inside the savepoint in which a record is alone: it is tried again, and never a dead letter for that."""
    name, handling = key(), probe.handling()

    async def no_answer(tx: Tx, record: Record) -> None:
        raise TimeoutError

    monkeypatch.setattr(Handling, "_give", lambda self, tx, record: no_answer(tx, record))
    message = RawRecord(TOPIC, 0, 1, 0, name.encode(), None, [("ce_sequence", b"1"), ("ce_id", b"x")])
    with pytest.raises(Unavailable):
        await handling.batch([message])
    async with probe.database.transaction(CAUSE) as tx:
        with pytest.raises(TimeoutError):
            await handling._taken(tx, message, decode(message), isolate=True)
    assert await probe.rows("SELECT 1 FROM dead_letter") == []


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
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE datname = $1 AND backend_type = 'client backend'",
        probe.name,
    )
    await superuser.close()
    assert ended == 5
    await asyncio.sleep(0.1)  # the loop hears of it
    await asyncio.gather(*(work() for _ in range(5)))


async def test_what_is_put_off_is_written_once_and_in_the_transaction(probe: Probe) -> None:
    """Also where a savepoint follows: what was put off inside a failed one is gone, what was before it stays."""
    written: list[list[str]] = []

    async def write(tx: Tx, rows: list[str]) -> None:
        written.append(rows)
        for row in rows:
            await tx.sql.run("INSERT INTO effect (key) VALUES ($1)", row)

    async with probe.database.transaction(CAUSE) as tx:
        tx.later(write, ["a"])
        tx.later(write, ["b"])
        with suppress(RuntimeError):
            async with tx.savepoint():
                tx.later(write, ["c"])
                raise RuntimeError("on purpose")
        async with tx.savepoint():
            tx.later(write, ["d"])
        tx.later(write, ["e"])
        tx.later(write, [])
    assert written == [["a", "b"], ["d"], ["e"]]
    assert [row["key"] for row in await probe.rows("SELECT key FROM effect ORDER BY place")] == ["a", "b", "d", "e"]


async def test_what_one_savepoint_read_is_not_known_after_it_failed(probe: Probe) -> None:
    async with probe.database.transaction(CAUSE) as tx:
        with suppress(RuntimeError):
            async with tx.savepoint():
                tx.memo["read"] = True
                raise RuntimeError("on purpose")
        assert "read" not in tx.memo
