"""Deadlines as data (R55, R56), and the state of one on a business date.

A deadline opens at the beginning of its first day, is due on its last, and late from the day after on, until it is closed.
"""

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
    """What is due once a quarter."""

    id: str
    clause: str
    zh: str
    en: str

    def dates(self, quarter: Quarter) -> tuple[date, date]:
        """First day and last day in time."""
        if self.id == "R55":
            return quarter.first, quarter.last
        opens_on = quarter.next().first
        return opens_on, opens_on + timedelta(days=REPORT_DAYS - 1)


ROUND = Rule("R55", "S0 附件1 二(二)", "季度供需信息发布", "quarterly publication of demand and supply")
REPORT = Rule("R56", "S0 附件1 二(六)", "季度信息报送", "quarterly information report")
RULES = (ROUND, REPORT)

_VERBS = {State.OPEN: "opened", State.DUE: "due", State.LATE: "late"}


@dataclass(frozen=True)
class Step:
    """A boundary that was crossed: the state after it, the event's verb, and the day at whose beginning it lies."""

    state: State
    verb: str
    on: date


def next_step(state: State, opens_on: date, due_on: date) -> Step | None:
    """The boundary after a state; None where time changes nothing any more."""
    if state is State.UPCOMING:
        return Step(State.OPEN, _VERBS[State.OPEN], opens_on)
    if state is State.OPEN:
        return Step(State.DUE, _VERBS[State.DUE], due_on)
    if state is State.DUE:
        return Step(State.LATE, _VERBS[State.LATE], due_on + timedelta(days=1))
    return None


def missing(formed_on: date, have: frozenset[str], today: date) -> list[Quarter]:
    """Quarters from the one of the formation to today's that have no deadlines yet."""
    last, quarter, found = quarters.of(today), quarters.of(formed_on), []
    while quarter <= last:
        if str(quarter) not in have:
            found.append(quarter)
        quarter = quarter.next()
    return found
