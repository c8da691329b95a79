"""How many there are of something, by what tells them apart 存量统计: counted now and then, and never because somebody asks.

A scrape reads what was counted last. Between two counts there are at least a minute and, but after the first, a thousand times
what the last one took in the database, so that a table of any size costs PostgreSQL a thousandth of one core at most.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from prometheus_client import Gauge

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.service import Task

log = logging.getLogger(__name__)
LEAST = 60.0
"""Seconds between two counts at least."""
_TIMES = 1000  # the time that a count took
_UNKNOWN = "unknown"


def counting(database: Database, gauge: Gauge, statement: str, *kinds: Callable[[Any], object]) -> Task:
    """A task that keeps a gauge up to date.

    `statement` gives a row for each group: a value for each of the gauge's labels, then the number. `kinds` make names of the
    values, in their order: an enum, a look-up, or `str`.
    """

    async def run() -> None:
        counted: frozenset[tuple[str, ...]] = frozenset()
        times = 0  # the first one takes what a service takes that starts: of the next ones it says nothing
        while True:
            took = 0.0
            try:
                async with database.alone() as sql:
                    began = time.monotonic()
                    rows = await sql.rows(statement)
                    took = time.monotonic() - began
                    counted = show(gauge, grouped([tuple(row) for row in rows], kinds), counted)
            except Unavailable as error:
                log.warning("not counted", extra={"statement": statement, "error": str(error)})
            await asyncio.sleep(pause(took, times))
            times = _TIMES

    return run


def pause(took: float, times: int = _TIMES) -> float:
    """Seconds until the next count, after one that took so many; so many times as long."""
    return max(LEAST, took * times)


def grouped(rows: Sequence[Sequence[Any]], kinds: Sequence[Callable[[Any], object]]) -> dict[tuple[str, ...], int]:
    """Names of the groups → number. What only a newer release knows, whose rows may be there, is `unknown`."""
    found: Counter[tuple[str, ...]] = Counter()
    for *values, number in rows:
        found[tuple(_label(kind, value) for kind, value in zip(kinds, values, strict=True))] += number
    return dict(found)


def _label(kind: Callable[[Any], object], value: object) -> str:
    try:
        made = kind(value)
    except (ValueError, KeyError):
        return _UNKNOWN
    return (made.name if isinstance(made, Enum) else str(made)).lower()


def show(gauge: Gauge, found: Mapping[tuple[str, ...], int], before: frozenset[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Set the gauge; groups that were there before and have nothing left are 0. Returns all groups that it has now."""
    for labels in before | found.keys():
        gauge.labels(*labels).set(found.get(labels, 0))
    return before | found.keys()
