"""Listings: rounds, the first during the council (R54), then every quarter (R55)."""

from datetime import date

import pytest

from listings.domain.rounds import council, council_problem, is_passed_over, quarter, since


@pytest.mark.parametrize(
    ("day", "period", "first", "last"),
    [
        (date(2026, 12, 31), "2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), "2027Q1", date(2027, 1, 1), date(2027, 3, 31)),
        (date(2028, 2, 29), "2028Q1", date(2028, 1, 1), date(2028, 3, 31)),
    ],
)
def test_a_quarter_holds_its_first_and_its_last_day(day: date, period: str, first: date, last: date) -> None:
    found = quarter(day)
    assert (found.period, found.opens_on, found.closes_on) == (period, first, last)


@pytest.mark.parametrize(
    ("formed", "periods"),
    [
        (date(2026, 12, 31), ["2026Q4", "2027Q1"]),
        (date(2027, 1, 1), ["2027Q1"]),
        (date(2026, 4, 1), ["2026Q2", "2026Q3", "2026Q4", "2027Q1"]),
        (date(2027, 4, 1), ["2027Q2"]),  # the clock stood still meanwhile: its own quarter is opened in any case
    ],
)
def test_every_quarter_since_the_formation_has_its_round(formed: date, periods: list[str]) -> None:
    assert [one.period for one in since(formed, quarter(date(2027, 2, 3)))] == periods


@pytest.mark.parametrize(
    ("suspended_on", "resumed_on", "passed_over"),
    [
        ("2026-03-31", "2026-07-01", True),  # from before its first day until after its last
        ("2026-04-01", "2026-07-01", False),  # it stood on the morning of the first day
        ("2026-03-31", "2026-06-30", False),  # it stood again on the last day
        ("2026-03-31", "", False),  # suspended still: nothing is opened anyhow
        ("", "2026-07-01", False),
        ("", "", False),
    ],
)
def test_a_quarter_is_passed_over_where_all_of_it_was_spent_suspended(
    suspended_on: str, resumed_on: str, passed_over: bool
) -> None:
    assert is_passed_over(quarter(date(2026, 5, 1)), suspended_on, resumed_on) is passed_over


def test_the_first_round_is_the_council_itself() -> None:
    found = council(date(2026, 12, 5), date(2026, 12, 6))
    assert (found.period, found.opens_on, found.closes_on) == ("2026-12-05", date(2026, 12, 5), date(2026, 12, 6))


@pytest.mark.parametrize(
    ("opens", "closes", "wrong"),
    [
        (date(2026, 12, 4), date(2026, 12, 6), "opens_on"),
        (date(2026, 12, 5), date(2026, 12, 5), ""),
        (date(2026, 12, 6), date(2026, 12, 7), ""),  # entered after it is over
        (date(2028, 2, 4), date(2028, 2, 4), ""),
        (date(2028, 2, 4), date(2028, 2, 5), "closes_on"),
        (date(9999, 12, 31), date(9999, 12, 31), "closes_on"),
        (date(1, 1, 1), date(2026, 12, 31), "opens_on"),
    ],
)
def test_the_first_council_is_from_the_formation_on_and_over_within_a_year(opens: date, closes: date, wrong: str) -> None:
    said = council_problem(council(opens, closes), date(2026, 12, 5), date(2027, 2, 3))
    assert (said.field if said else "") == wrong
    assert said is None or ("2026-12-05" in said.zh and "2028-02-04" in said.en)
