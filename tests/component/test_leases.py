"""Leases by the database's clock, also where that is put back."""

import asyncio

import pytest
from sqlalchemy import text

from chassis.clock import BusinessClock, SystemClock
from chassis.database import Database, why
from chassis.errors import Unavailable
from chassis.lease import Lease
from chassis.main import _kept_up
from tests.component.conftest import CAUSE, Probe

_FREE = {"-1 second": True, "1 second": False, "5 seconds": False, "7 seconds": True, "1 hour": True}


@pytest.mark.parametrize(("ends_in", "is_free"), _FREE.items())
async def test_who_is_gone_holds_it_no_longer_than_a_lease_lasts(probe: Probe, ends_in: str, is_free: bool) -> None:
    """Much later than any can end: it was given before the clock was put back by as much."""
    gone, other = Lease(probe.database, "a test"), Lease(probe.database, "a test")
    assert await gone.take()
    await probe.change("UPDATE lease SET expires_at = clock_timestamp() + $1::text::interval WHERE name = 'a test'", ends_in)
    assert await other.take() is is_free
    assert await gone.keep() is not is_free


async def test_why_the_database_is_away_is_told_once_and_without_its_password(caplog: pytest.LogCaptureFixture) -> None:
    """A lease is asked for four times a second."""
    nowhere = Database(
        "postgresql://nobody:hidden@127.0.0.1:1/none", system=SystemClock(), business=BusinessClock(SystemClock())
    )
    waiting = asyncio.create_task(Lease(nowhere, "a test").wait())
    await asyncio.sleep(0.9)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    (said,) = caplog.records
    assert said.getMessage() == "lease: database away"
    assert "127.0.0.1" in vars(said)["why"]
    assert "hidden" not in vars(said)["why"]
    await nowhere.close()


async def test_the_cause_is_the_drivers_word_and_no_statement(probe: Probe) -> None:
    with pytest.raises(Unavailable) as raised:
        async with probe.database.transaction(CAUSE) as tx:
            await tx.conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid()), 'a value'"))
    assert why(raised.value)
    assert "a value" not in why(raised.value)


async def test_a_task_says_why_a_part_is_away_and_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chassis.main._PAUSE", 0.05)

    async def away() -> None:
        raise Unavailable("", "the database is away") from ConnectionRefusedError("no password is given")

    running = asyncio.create_task(_kept_up(away))
    await asyncio.sleep(0.4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    (said,) = caplog.records
    assert vars(said)["why"] == "UNAVAILABLE: the database is away: no password is given"
