"""Listings: which step each state allows, and the days on which one is valid."""

from datetime import date

import pytest

from alliance.listings.v1 import listing_pb2 as pb
from listings.domain.life import STEPS, IllegalStepError, step
from listings.domain.names import DETAILS, STATE_NAMES, YEAR_LISTS, Kind, State
from listings.domain.window import DEFAULT_DAYS, is_over, window

VERBS = ("revise", "publish", "withdraw", "expire", "fulfil")
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", VERBS)
def test_a_step_leads_on_or_says_what_is_possible(state: State, verb: str) -> None:
    if (state, verb) in STEPS:
        assert step(state, verb) is STEPS[state, verb]
        return
    with pytest.raises(IllegalStepError) as refused:
        step(state, verb)
    assert STATE_NAMES[state][0] in refused.value.zh
    assert STATE_NAMES[state][1] in refused.value.en
    possible = [one for one in VERBS if (state, one) in STEPS and one != "expire"]
    assert all(one in refused.value.en for one in possible)
    assert possible or "终态" in refused.value.zh


def test_what_is_over_stays_over() -> None:
    assert {state for state, _ in STEPS} == {State.DRAFT, State.PUBLISHED}
    assert State.DRAFT not in {after for (before, _), after in STEPS.items() if before is State.PUBLISHED}


def test_names_are_those_of_the_contract() -> None:
    assert {f"LISTING_STATE_{state.name}": int(state) for state in State} == {
        name: number for name, number in pb.ListingState.items() if number
    }
    assert all(pb.ListingKind.Name(int(kind)) == f"LISTING_KIND_{kind.name}" for kind in Kind)  # type: ignore[arg-type]
    assert set(DETAILS.values()) == {field.name for field in pb.Listing.DESCRIPTOR.oneofs_by_name["details"].fields}


@pytest.mark.parametrize(
    ("first", "last", "filled"),
    [
        (None, None, (TODAY, date(2027, 5, 22))),
        (date(2026, 12, 1), None, (date(2026, 12, 1), date(2027, 5, 30))),
        (None, date(2026, 11, 23), (TODAY, TODAY)),
        (date(2026, 1, 1), date(2026, 1, 1), (date(2026, 1, 1), date(2026, 1, 1))),
        (date(2026, 1, 1), None, (date(2026, 1, 1), date(2027, 5, 22))),  # the default counts from today
        (date(2026, 11, 22), None, (date(2026, 11, 22), date(2027, 5, 22))),
        (date(2026, 11, 24), None, (date(2026, 11, 24), date(2027, 5, 23))),
        (date(9999, 12, 31), None, (date(9999, 12, 31), date.max)),
    ],
)
def test_open_dates_are_filled_in(first: date | None, last: date | None, filled: tuple[date, date]) -> None:
    assert window(Kind.JOB_POSITION, first, last, TODAY) == filled
    assert DEFAULT_DAYS == 180


@pytest.mark.parametrize("kind", YEAR_LISTS)
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (None, date(2027, 3, 31)),
        (date(2026, 12, 31), date(2027, 3, 31)),
        (date(2027, 1, 1), date(2028, 3, 31)),
        (date(2025, 1, 1), date(2027, 3, 31)),
        (date.max, date.max),
    ],
)
def test_a_list_of_a_year_is_valid_until_the_next_is_due(kind: Kind, first: date | None, last: date) -> None:
    assert window(kind, first, None, TODAY)[1] == last
    assert window(kind, first, date(2027, 1, 5), TODAY)[1] == date(2027, 1, 5)


@pytest.mark.parametrize(("today", "over"), [(date(2026, 11, 22), False), (TODAY, False), (date(2026, 11, 24), True)])
def test_the_last_day_is_valid_and_the_day_after_is_not(today: date, over: bool) -> None:
    assert is_over(TODAY, today) is over
