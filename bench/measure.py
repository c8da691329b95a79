"""What the benchmarks share: two sides in turn, the spread of their ratio, CPU of a process, and the tables.

A turn is one side's part of a round. The ratio is ours ÷ floor, round by round, so that what slows the machine down for
a while slows both. The sides change places every round, and one round before the first is not counted: it warms both.
"""

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

_TICKS = os.sysconf("SC_CLK_TCK")  # of /proc/PID/stat, a second
console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def say(text: str) -> None:
    """A line of progress, with the time of day."""
    console.print(f"{time.strftime('%H:%M:%S')}  {text}", markup=False)


@dataclass(frozen=True)
class Taken:
    """What a turn took. `cpu` is of the process that did the work, user and system; times in seconds."""

    items: int
    seconds: float
    cpu: float = 0.0
    delays: Sequence[float] = ()

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds

    @property
    def cpu_each(self) -> float:
        """CPU an item, µs."""
        return 1e6 * self.cpu / self.items

    def delay(self, percent: int) -> float:
        """A percentile of the delays, ms."""
        return 1000 * statistics.quantiles(self.delays, n=100, method="inclusive")[percent - 1]


class Watch:
    """Runs from its making on; follows the CPU of this process, or of another one of this machine."""

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._began, self._cpu = time.monotonic(), cpu(pid)

    def taken(self, items: int, delays: Sequence[float] = ()) -> Taken:
        """What has been taken until now, for so many items."""
        return Taken(items, time.monotonic() - self._began, cpu(self._pid) - self._cpu, delays)


def cpu(pid: int | None = None) -> float:
    """CPU seconds of a process so far, all its threads; of this one without `pid`. Another's come in steps of 10 ms."""
    if pid is None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@dataclass(frozen=True)
class Metric:
    """What is compared: `figure` of a turn, in `unit`; `goal` is of the ratio, `limit` of our own figure at most."""

    name: str
    unit: str
    figure: Callable[[Taken], float]
    goal: float
    at_least: bool = False
    limit: float | None = None
    floor: str = "floor"
    """What stands on the other side."""

    def wanted(self) -> str:
        """The goal in words."""
        more = f", ≤ {self.limit:g} {self.unit}" if self.limit is not None else ""
        return f"{'≥' if self.at_least else '≤'} {self.goal:g} ×{more}"


@dataclass(frozen=True)
class Result:
    """The turns of both sides, one a round."""

    metric: Metric
    floor: Sequence[Taken]
    ours: Sequence[Taken]

    @property
    def ratio(self) -> "Spread":
        """Ours ÷ floor."""
        figure = self.metric.figure
        return Spread.of([figure(ours) / figure(floor) for floor, ours in zip(self.floor, self.ours, strict=True)])

    def spread(self, side: Sequence[Taken]) -> "Spread":
        """The figures of one side."""
        return Spread.of([self.metric.figure(one) for one in side])

    @property
    def holds(self) -> bool:
        """Whether the medians meet the goal."""
        metric, ratio = self.metric, self.ratio.median
        kept = ratio >= metric.goal if metric.at_least else ratio <= metric.goal
        return kept and (metric.limit is None or self.spread(self.ours).median <= metric.limit)


@dataclass(frozen=True)
class Spread:
    """A median between the least and the most."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of some values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_number(self.median)} ({_number(self.low)}–{_number(self.high)})"


Turn = Callable[[], Awaitable[Taken]]
"""One side's part of a round."""


async def interleaved(metric: Metric, floor: Turn, ours: Turn, rounds: int) -> Result:
    """Measure both sides in turn, and show it."""
    taken: dict[Turn, list[Taken]] = {floor: [], ours: []}
    for number in range(rounds + 1):
        for side in (floor, ours) if number % 2 else (ours, floor):
            taken[side].append(await side())
        bare, own = (metric.figure(taken[side][-1]) for side in (floor, ours))
        counted = f"round {number}" if number else "warm-up"
        say(f"{metric.name}, {counted}: {metric.floor} {_number(bare)}, ours {_number(own)} {metric.unit}, {own / bare:.2f} ×")
    result = Result(metric, taken[floor][1:], taken[ours][1:])
    show(result)
    return result


def show(result: Result) -> None:
    """A line a round, then the medians with their spread."""
    metric = result.metric
    table = Table("", metric.floor, "ours", "ratio", f"CPU/item, {metric.floor}", "CPU/item, ours", title=_title(metric))
    for number, (floor, ours) in enumerate(zip(result.floor, result.ours, strict=True), 1):
        figures = [metric.figure(floor), metric.figure(ours)]
        table.add_row(
            str(number), *map(_number, figures), f"{figures[1] / figures[0]:.2f}", *(_cpu([one]) for one in (floor, ours))
        )
    table.add_section()
    spreads = [str(result.spread(result.floor)), str(result.spread(result.ours)), str(result.ratio)]
    table.add_row("median", *spreads, _cpu(result.floor), _cpu(result.ours))
    console.print(table)


def summary(results: Sequence[Result], command: str) -> None:
    """One row a benchmark, with goal and verdict; then the machine and the command."""
    table = Table("metric", "floor", "ours", "ratio", "CPU/item floor → ours", "goal", "", title="benchmarks")
    for one in results:
        cpus = f"{_cpu(one.floor)} → {_cpu(one.ours)}"
        sides = [f"{one.spread(side)} {one.metric.unit}" for side in (one.floor, one.ours)]
        table.add_row(one.metric.name, *sides, str(one.ratio), cpus, one.metric.wanted(), "held" if one.holds else "missed")
    console.print(table)
    console.print(f"{machine()}\n{command}", markup=False)


def machine() -> str:
    """Cores, model and what else runs."""
    model = "unknown model"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}, Python {platform.python_version()}; load {load}"


def _title(metric: Metric) -> str:
    return f"{metric.name} [{metric.unit}], goal {metric.wanted()}".replace("[", "\\[")


def _cpu(turns: Sequence[Taken]) -> str:
    each = statistics.median(one.cpu_each for one in turns)
    return f"{_number(each)} µs" if each else "–"


def _number(value: float) -> str:
    """Three digits, and no more of them than that before the point are hidden."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
