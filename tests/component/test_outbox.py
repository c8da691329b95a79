"""The outbox's bound: what waits counts, what a parked event holds does not."""

from datetime import timedelta

import asyncpg
import pytest

from chassis.errors import Unavailable
from chassis.housekeeping import Outbox
from chassis.metrics import OUTBOX_PARKED, OUTBOX_ROWS
from chassis.settings import ServiceSettings
from tests.component.conftest import Probe, key

_MANY = 12_000


def _outbox(probe: Probe, *, rows: int = 1_000_000, age: float = 600.0) -> Outbox:
    return Outbox(probe.database, ServiceSettings.model_construct(outbox_max_rows=rows, outbox_max_age=age))


async def _change(probe: Probe, statement: str, *values: object) -> None:
    connection = await asyncpg.connect(probe.owner)
    await connection.execute(statement, *values)
    await connection.close()


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
    await _change(probe, "UPDATE event SET recorded_at = recorded_at - $1::interval", timedelta(seconds=61))
    await outbox._look()
    with pytest.raises(Unavailable):
        outbox.accepting()


async def test_what_stands_behind_a_parked_event_refuses_nobody(probe: Probe) -> None:
    outbox, parked, other = _outbox(probe, rows=1, age=60), key(), key()
    for version in (1, 2, 3):
        await probe.emit(parked, version)
    await _change(probe, "UPDATE outbox SET parked = 'refused' WHERE seq = (SELECT min(seq) FROM outbox)")
    await _change(probe, "UPDATE event SET recorded_at = recorded_at - interval '1 hour'")
    await probe.emit(other, 1)
    await outbox._look()
    outbox.accepting()
    assert (OUTBOX_ROWS._value.get(), OUTBOX_PARKED._value.get()) == (1, 3)


async def test_a_long_queue_is_told_by_the_span_of_its_places(probe: Probe) -> None:
    await probe.emit(key(), 1)
    more = "INSERT INTO outbox (event_id, key) SELECT event_id, 'k' || n FROM outbox, generate_series(1, $1) AS n"
    await _change(probe, more, _MANY)
    await _outbox(probe)._look()
    assert OUTBOX_ROWS._value.get() == _MANY + 1


async def test_a_row_that_came_late_below_the_floor_is_seen_within_a_minute(probe: Probe) -> None:
    outbox = _outbox(probe)
    await probe.emit(key(), 1)
    await outbox._look()
    late = "INSERT INTO outbox (seq, event_id, key) OVERRIDING SYSTEM VALUE SELECT 0, event_id, 'late' FROM outbox"
    await _change(probe, late)
    for _ in range(60):
        await outbox._look()
    assert OUTBOX_ROWS._value.get() == 2
