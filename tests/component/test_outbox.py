"""The outbox's bound: what waits counts, what a parked event holds does not."""

from datetime import timedelta

import asyncpg
import pytest

from chassis.errors import Unavailable
from chassis.housekeeping import Outbox
from chassis.relay import _DONE
from chassis.settings import ServiceSettings
from tests.component.conftest import Probe, key
from tests.metrics import metric
from tests.waiting import PATIENCE

_MANY = 12_000


def _outbox(probe: Probe, *, rows: int = 1_000_000, age: float = 600.0) -> Outbox:
    return Outbox(probe.database, ServiceSettings.model_construct(outbox_max_rows=rows, outbox_max_age=age))


async def test_commands_are_refused_beyond_so_many_rows(probe: Probe) -> None:
    outbox = _outbox(probe, rows=2)
    for version in (1, 2):
        await probe.emit(key(), version)
    await outbox._look()
    outbox.accepting()
    await probe.emit(key(), 1)
    await outbox._look()
    with pytest.raises(Unavailable):
        outbox.accepting()


async def test_commands_are_refused_while_an_event_waits_too_long(probe: Probe) -> None:
    outbox = _outbox(probe, age=60)
    await probe.emit(key(), 1)
    await outbox._look()
    outbox.accepting()
    await probe.change("UPDATE event SET recorded_at = recorded_at - $1::interval", timedelta(seconds=61))
    await outbox._look()
    with pytest.raises(Unavailable):
        outbox.accepting()
    assert 61 <= metric("alliance_outbox_oldest_seconds") < 61 + PATIENCE


async def test_what_stands_behind_a_parked_event_refuses_nobody(probe: Probe) -> None:
    outbox, parked, other = _outbox(probe, rows=1, age=60), key(), key()
    for version in (1, 2, 3):
        await probe.emit(parked, version)
    await probe.change("UPDATE outbox SET parked = 'refused' WHERE seq = (SELECT min(seq) FROM outbox)")
    await probe.change("UPDATE event SET recorded_at = recorded_at - interval '1 hour'")
    await probe.emit(other, 1)
    await outbox._look()
    outbox.accepting()
    assert (metric("alliance_outbox_rows"), metric("alliance_outbox_parked_rows")) == (1, 3)


async def test_a_long_queue_is_told_by_the_span_of_its_places(probe: Probe) -> None:
    await probe.emit(key(), 1)
    more = "INSERT INTO outbox (event_id, key) SELECT event_id, 'k' || n FROM outbox, generate_series(1, $1) AS n"
    await probe.change(more, _MANY)
    await _outbox(probe)._look()
    assert metric("alliance_outbox_rows") == _MANY + 1


async def test_a_row_that_came_late_below_the_floor_is_seen_within_a_minute(probe: Probe) -> None:
    outbox = _outbox(probe)
    await probe.emit(key(), 1)
    await outbox._look()
    late = "INSERT INTO outbox (seq, event_id, key) OVERRIDING SYSTEM VALUE SELECT 0, event_id, 'late' FROM outbox"
    await probe.change(late)
    for _ in range(60):
        await outbox._look()
    assert metric("alliance_outbox_rows") == 2


async def test_dead_rows_do_not_slow_what_takes_published_ones_off(probe: Probe) -> None:
    """A snapshot holds them, and statistics say that the table is empty: the batch's places are looked for by their own index,
    not through every key's (PostgreSQL 18 would skip from key to key, for 20 s with a million of them).
    """
    connection = await asyncpg.connect(probe.owner)
    held = await asyncpg.connect(probe.url)
    snapshot = held.transaction(isolation="repeatable_read")
    await snapshot.start()
    await held.fetch("SELECT count(*) FROM outbox")
    filled = "INSERT INTO outbox (event_id, key) SELECT gen_random_uuid(), 'k/' || n FROM generate_series(1, $1::int) AS n"
    await connection.execute(filled, _MANY)
    await connection.execute("DELETE FROM outbox")
    await connection.execute("ANALYZE outbox")
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        await connection.execute(f"PREPARE done AS {_DONE}")
        plan = "\n".join(row[0] for row in await connection.fetch("EXPLAIN EXECUTE done('{1,2,3}')"))
        assert "outbox_pkey" in plan, plan
        await connection.execute("DEALLOCATE done")
    await snapshot.rollback()
    await held.close()
    await connection.close()
