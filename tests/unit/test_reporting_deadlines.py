"""Reporting: deadlines on both sides of every boundary."""

from datetime import UTC, date, datetime, timedelta

import pytest

from alliance.reporting.v1 import report_pb2
from chassis.clock import business_date, start_of_day
from codes.quarters import Quarter
from reporting.deadlines import delay
from reporting.domain.deadlines import REPORT, ROUND, Rule, State, Step, crossed, dates, next_step

Q1 = Quarter(2026, 1)
_BEFORE = timedelta(microseconds=1)


def state_at(rule: Rule, instant: datetime) -> State:
    """The state of a deadline of 2026Q1 that nobody closed."""
    opens_on, due_on = dates(rule, Q1)
    steps = list(crossed(State.UPCOMING, opens_on, due_on, business_date(instant)))
    return steps[-1].state if steps else State.UPCOMING


@pytest.mark.parametrize(
    ("rule", "day", "before", "after"),
    [
        (ROUND, date(2026, 1, 1), State.UPCOMING, State.OPEN),
        (ROUND, date(2026, 3, 31), State.OPEN, State.DUE),
        (ROUND, date(2026, 4, 1), State.DUE, State.LATE),
        (REPORT, date(2026, 4, 1), State.UPCOMING, State.OPEN),
        (REPORT, date(2026, 4, 15), State.OPEN, State.DUE),
        (REPORT, date(2026, 4, 16), State.DUE, State.LATE),
    ],
)
def test_a_state_changes_at_midnight_in_shanghai(rule: Rule, day: date, before: State, after: State) -> None:
    midnight = start_of_day(day)
    assert midnight == datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    assert (state_at(rule, midnight - _BEFORE), state_at(rule, midnight)) == (before, after)


def test_every_boundary_fires_once_and_in_order_when_the_clock_jumps() -> None:
    opens_on, due_on = dates(REPORT, Q1)
    every = [
        Step(State.OPEN, "opened", date(2026, 4, 1)),
        Step(State.DUE, "due", date(2026, 4, 15)),
        Step(State.LATE, "late", date(2026, 4, 16)),
    ]
    assert list(crossed(State.UPCOMING, opens_on, due_on, date(2027, 1, 1))) == every
    assert list(crossed(State.UPCOMING, opens_on, due_on, date(2026, 4, 15))) == every[:2]
    assert list(crossed(State.OPEN, opens_on, due_on, date(2026, 4, 16))) == every[1:]
    assert list(crossed(State.LATE, opens_on, due_on, date(2027, 1, 1))) == []


def test_however_the_clock_moves_the_same_boundaries_fire() -> None:
    opens_on, due_on = dates(REPORT, Q1)
    state = State.UPCOMING
    fired: list[Step] = []
    for day in range(40):
        for step in crossed(state, opens_on, due_on, date(2026, 3, 20) + timedelta(days=day)):
            state = step.state
            fired.append(step)
    assert fired == list(crossed(State.UPCOMING, opens_on, due_on, date(2026, 12, 31)))


def test_a_closed_deadline_does_not_move() -> None:
    assert next_step(State.CLOSED, *dates(ROUND, Q1)) is None
    assert list(crossed(State.CLOSED, *dates(ROUND, Q1), date(2030, 1, 1))) == []


def test_the_days_of_the_report_are_a_setting() -> None:
    assert dates(REPORT, Quarter(2026, 4), 10) == (date(2027, 1, 1), date(2027, 1, 10))
    opens_on, due_on = dates(REPORT, Q1, 1)
    assert opens_on == due_on
    assert [step.verb for step in crossed(State.UPCOMING, opens_on, due_on, due_on)] == ["opened", "due"]


def test_states_are_those_of_the_contract() -> None:
    named = {f"DEADLINE_STATE_{state}" for state in State} | {"DEADLINE_STATE_UNSPECIFIED"}
    assert named == set(report_pb2.DeadlineState.keys())


@pytest.mark.parametrize("rule", [ROUND, REPORT])
def test_the_title_says_that_the_last_day_is_our_default(rule: Rule) -> None:
    assert "默认" in rule.zh
    assert "our default" in rule.en


@pytest.mark.parametrize(
    ("since", "now", "late"),
    [
        (timedelta(days=-9), timedelta(0), 0.0),
        (timedelta(days=-9), timedelta(seconds=7), 7.0),
        (timedelta(hours=2), timedelta(hours=2, seconds=7), 7.0),  # set up after its boundary
        (timedelta(days=-9), timedelta(seconds=-1), 0.0),
    ],
)
def test_a_boundary_is_late_from_when_it_could_have_been_crossed(since: timedelta, now: timedelta, late: float) -> None:
    boundary = start_of_day(date(2026, 4, 1))
    assert delay(Step(State.OPEN, "opened", date(2026, 4, 1)), boundary + since, boundary + now) == late
