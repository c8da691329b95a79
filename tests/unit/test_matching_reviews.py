"""Matching: reviews of matches by a person, and what an overturned match means for later proposals."""

from dataclasses import replace
from datetime import date

import pytest

from matching.domain.facts import Facts
from matching.domain.life import DISPUTABLE, OPEN, State, Verb, is_proposable, overturn
from matching.domain.plan import Day, plan
from matching.domain.reviews import due_on, is_partial
from matching.domain.score import Partner
from tests.unit.test_matching_life import DEMANDER, NOW, PROPOSED, SUPPLIER

DEMAND = Facts("listings/d", 3, DEMANDER, (), "TECH_DEMAND", 1, words={"封装": 24})
SUPPLY = Facts("listings/s", 5, SUPPLIER, (), "RESEARCH_OUTCOME", 1, words={"封装": 24})
OVERTURNED = replace(PROPOSED, state=State.OVERTURNED, demand_version=3, supply_version=5)
DAY = Day(NOW, NOW.date(), 400)


@pytest.mark.parametrize("state", list(State))
def test_a_review_ends_only_what_is_still_the_platforms(state: State) -> None:
    change = overturn(replace(PROPOSED, state=state), 3, 5, "学历条件误读", NOW)
    if state not in {State.PROPOSED, State.ACCEPTED, State.EXPIRED}:
        assert change is None
        return
    assert change is not None
    assert change.verb is Verb.OVERTURNED
    match = change.match
    assert (match.state, match.reason, match.version) == (State.OVERTURNED, "学历条件误读", PROPOSED.version + 1)
    assert (match.demand_version, match.supply_version) == (3, 5)


def test_an_overturned_match_is_closed() -> None:
    assert State.OVERTURNED not in OPEN | DISPUTABLE


@pytest.mark.parametrize(("demand", "supply", "possible"), [(3, 5, False), (4, 5, True), (3, 6, True), (2, 5, False)])
def test_it_is_proposed_again_once_one_of_its_listings_changes(demand: int, supply: int, possible: bool) -> None:
    now = replace(DEMAND, version=demand), replace(SUPPLY, version=supply)
    assert is_proposable(OVERTURNED, *now) is possible
    changes = plan(now[0], [Partner(now[1])], [], {}, {now[1].name: OVERTURNED}, DAY)
    assert [(change.verb, change.match.version) for change in changes] == ([(Verb.PROPOSED, 2)] if possible else [])


@pytest.mark.parametrize("state", [State.DECLINED, State.FULFILLED, State.FAILED, State.IN_PROGRESS])
def test_what_the_sides_have_ended_is_never_proposed_again(state: State) -> None:
    assert not is_proposable(replace(PROPOSED, state=state), replace(DEMAND, version=9), SUPPLY)


def test_what_is_new_or_expired_is_proposed() -> None:
    assert is_proposable(None, DEMAND, SUPPLY)
    assert is_proposable(replace(PROPOSED, state=State.EXPIRED, demand_version=3, supply_version=5), DEMAND, SUPPLY)


@pytest.mark.parametrize(
    ("reviewer", "acts_for", "partial"),
    [
        ("secretary", {"organizations/secretariat"}, False),
        ("secretary", {""}, False),
        ("secretary", {"", DEMANDER}, True),
        ("secretary", {"organizations/secretariat", SUPPLIER}, True),
        ("asker", {"organizations/secretariat"}, True),
    ],
)
def test_nobody_reviews_for_a_side(reviewer: str, acts_for: set[str], partial: bool) -> None:
    assert is_partial([DEMANDER, SUPPLIER], "asker", reviewer, acts_for) is partial


def test_the_last_day_in_time_is_counted_in_calendar_days() -> None:
    assert due_on(date(2026, 12, 20), 15) == date(2027, 1, 4)
