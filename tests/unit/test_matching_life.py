"""Matching: the life of a match."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from matching.domain.life import (
    OPEN,
    STEPS,
    AlreadyAcceptedError,
    IllegalStepError,
    Match,
    State,
    Verb,
    accept,
    expire,
    match_name,
    step,
)

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
DEMANDER, SUPPLIER = "organizations/d", "organizations/s"
PROPOSED = Match(
    name=match_name("listings/d", "listings/s"),
    version=1,
    demand="listings/d",
    supply="listings/s",
    demand_version=1,
    supply_version=1,
    demand_issuer=DEMANDER,
    supply_issuer=SUPPLIER,
    bodies=(),
    state=State.PROPOSED,
    score=500,
    parts=(),
    gaps=(),
    algorithm_version="x",
    demand_accepted=False,
    supply_accepted=False,
    reason="",
    create_time=NOW,
    update_time=NOW,
)


@pytest.mark.parametrize("order", [(DEMANDER, SUPPLIER), (SUPPLIER, DEMANDER)])
def test_accepted_by_both_it_is_accepted(order: tuple[str, str]) -> None:
    once = accept(PROPOSED, order[0], "合适", NOW).match
    assert (once.state, once.version, once.reason) == (State.PROPOSED, 2, "合适")
    with pytest.raises(AlreadyAcceptedError):
        accept(once, order[0], "", NOW)
    both = accept(once, order[1], "", NOW).match
    assert (both.state, both.demand_accepted, both.supply_accepted) == (State.ACCEPTED, True, True)
    with pytest.raises(IllegalStepError):
        accept(both, order[0], "", NOW)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", [Verb.DECLINED, Verb.STARTED, Verb.FULFILLED, Verb.FAILED])
def test_only_the_steps_of_the_table_are_possible(state: State, verb: Verb) -> None:
    match = replace(PROPOSED, state=state)
    if (state, verb) in STEPS:
        change = step(match, verb, "因为", NOW)
        assert (change.verb, change.match.state) == (verb, STEPS[state, verb])
        assert change.match.version == 2
        return
    with pytest.raises(IllegalStepError) as refused:
        step(match, verb, "因为", NOW)
    assert refused.value.possible == tuple(sorted(other for start, other in STEPS if start is state))


def test_open_matches_expire_with_a_reason() -> None:
    assert {State.PROPOSED, State.ACCEPTED} == OPEN
    assert expire(PROPOSED, "信息已撤回", NOW).match.reason == "信息已撤回"


def test_the_name_follows_from_the_pair() -> None:
    assert match_name("listings/d", "listings/s") == PROPOSED.name != match_name("listings/s", "listings/d")
