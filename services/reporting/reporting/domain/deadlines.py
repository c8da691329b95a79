"""Deadlines as data (R55, R56), and the boundaries that they cross.

A deadline opens at the beginning of its first day, is due at that of its last, and late from the day after on, until it
is closed. Days begin at 00:00 in Asia/Shanghai.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from codes import quarters
from codes.quarters import Quarter

REPORT_DAYS = 15
"""Days after a quarter in which its report is in time; our default, S0 附件1 二(六) says once a quarter only."""


class State(StrEnum):
    """States, named as in the contract."""

    UPCOMING = "UPCOMING"
    OPEN = "OPEN"
    DUE = "DUE"
    LATE = "LATE"
    CLOSED = "CLOSED"


@dataclass(frozen=True)
class Rule:
    """What is due once a quarter. The document names no day: the title says that the last day is our default."""

    id: str
    clause: str
    zh: str
    en: str


ROUND = Rule(
    "R55",
    "S0 附件1 二(二)",
    "季度供需信息发布（截止日为平台默认）",
    "quarterly publication of demand and supply (last day: our default)",
)
REPORT = Rule(
    "R56", "S0 附件1 二(六)", "季度信息报送（截止日为平台默认）", "quarterly information report (last day: our default)"
)
RULES = (ROUND, REPORT)


def dates(rule: Rule, quarter: Quarter, report_days: int = REPORT_DAYS) -> tuple[date, date]:
    """First day and last day in time: the quarter itself for the round, the days after it for the report."""
    if rule is ROUND:
        return quarter.first, quarter.last
    opens_on = quarter.next().first
    return opens_on, opens_on + timedelta(days=report_days - 1)


@dataclass(frozen=True)
class Step:
    """A boundary that was crossed: the state after it, the event's verb, and the day at whose beginning it lies."""

    state: State
    verb: str
    on: date


def next_step(state: State, opens_on: date, due_on: date) -> Step | None:
    """The boundary after a state; None where time changes nothing any more."""
    if state is State.UPCOMING:
        return Step(State.OPEN, "opened", opens_on)
    if state is State.OPEN:
        return Step(State.DUE, "due", due_on)
    if state is State.DUE:
        return Step(State.LATE, "late", due_on + timedelta(days=1))
    return None


def crossed(state: State, opens_on: date, due_on: date, today: date) -> Iterator[Step]:
    """Every boundary between a state and today, in order; each once, however far the clock has jumped."""
    while (step := next_step(state, opens_on, due_on)) is not None and step.on <= today:
        yield step
        state = step.state


def missing(since: date, have: frozenset[str], today: date) -> list[Quarter]:
    """Quarters from that of a day on, today's included, that have no deadlines yet."""
    last, quarter, found = quarters.of(today), quarters.of(since), []
    while quarter <= last:
        if str(quarter) not in have:
            found.append(quarter)
        quarter = quarter.next()
    return found
