"""Roles that a member had on days that are past."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.tenure import Tenure

LEAD, VICE, CHAIR = 1, 2, 3
FIRST, LAST = date(2029, 1, 1), date(2029, 12, 31)
DAY = timedelta(1)


def tenure(former: Sequence[tuple[date, list[int]]] = (), last: date | None = None) -> Tenure:
    return Tenure(date(2027, 1, 1), last, [VICE], former)


@pytest.mark.parametrize(
    ("held", "roles"),
    [
        (tenure(), {VICE}),
        (tenure([(FIRST - DAY, [LEAD])]), {VICE}),
        (tenure([(FIRST, [LEAD])]), {LEAD, VICE}),
        (tenure([(LAST - DAY, [LEAD])]), {LEAD, VICE}),
        (tenure([(LAST, [LEAD])]), {LEAD}),
        (tenure([(date(2030, 3, 31), [LEAD])]), {LEAD}),
        (tenure([(FIRST - DAY, [CHAIR]), (LAST, [LEAD])]), {LEAD}),
        (tenure(last=FIRST - DAY), None),
        (tenure(last=FIRST), {VICE}),
        (tenure([(FIRST, [LEAD])], last=FIRST), {LEAD}),
        (Tenure(LAST, None, [LEAD]), {LEAD}),
        (Tenure(LAST + DAY, None, [LEAD]), None),
        (Tenure(LAST, None, [VICE], [(FIRST, [LEAD])]), {VICE}),
        (Tenure(FIRST, date.max, [VICE], [(date.max, [LEAD])]), {LEAD}),
    ],
)
def test_a_year_has_the_roles_of_each_of_its_days(held: Tenure, roles: set[int] | None) -> None:
    assert held.within(FIRST, LAST) == roles


_DAYS = st.dates(date(2028, 11, 1), date(2030, 2, 28))


@given(_DAYS, st.none() | _DAYS, st.dictionaries(_DAYS, st.sets(st.integers(1, 9)), max_size=4), _DAYS, st.integers(0, 60))
def test_it_equals_a_look_at_each_day(
    first: date, last: date | None, former: dict[date, set[int]], asked: date, days: int
) -> None:
    held = Tenure(first, last, {0}, sorted(former.items()))

    def on(day: date) -> set[int]:
        return former[min(until for until in former if until >= day)] if any(one >= day for one in former) else {0}

    span = [asked + timedelta(number) for number in range(days + 1)]
    there = [on(day) for day in span if first <= day <= (last or day)]
    assert held.within(span[0], span[-1]) == (set[int]().union(*there) if there else None)
