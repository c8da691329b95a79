"""Reporting: quarters, and which of them a body owes."""

from datetime import date

import pytest

from codes import quarters
from codes.quarters import Quarter
from reporting.domain.deadlines import missing


@pytest.mark.parametrize(
    ("period", "first", "last", "after"),
    [
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31), "2026Q2"),
        ("2026Q2", date(2026, 4, 1), date(2026, 6, 30), "2026Q3"),
        ("2026Q3", date(2026, 7, 1), date(2026, 9, 30), "2026Q4"),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31), "2027Q1"),
    ],
)
def test_days_of_a_quarter(period: str, first: date, last: date, after: str) -> None:
    quarter = quarters.parse(period)
    assert quarter is not None
    assert (quarter.first, quarter.last, str(quarter.next()), str(quarter)) == (first, last, after, period)
    assert quarters.of(first) == quarters.of(last) == quarter


@pytest.mark.parametrize("text", ["", "2026", "2026Q0", "2026Q5", "2026q1", "26Q1", "2026Q1 ", "2026-Q1"])
def test_what_is_no_quarter(text: str) -> None:
    assert quarters.parse(text) is None


def test_a_body_owes_the_quarters_since_its_formation() -> None:
    formed, today = date(2026, 2, 28), date(2026, 7, 1)
    assert missing(formed, frozenset(), today) == [Quarter(2026, 1), Quarter(2026, 2), Quarter(2026, 3)]
    assert missing(formed, frozenset({"2026Q1", "2026Q2"}), today) == [Quarter(2026, 3)]
    assert missing(formed, frozenset(), formed) == [Quarter(2026, 1)]
    assert missing(date(2026, 10, 1), frozenset(), today) == []
