"""Matching: the life of a match."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alliance.common.v1 import field_pb2
from alliance.matching.v1 import match_pb2
from chassis.errors import Invalid
from matching.domain.life import (
    OPEN,
    STEPS,
    AlreadyAcceptedError,
    DeclineReason,
    IllegalStepError,
    Match,
    State,
    Verb,
    accept,
    decline,
    expire,
    match_name,
    step,
)
from matching.mapping import decline_of, declined_of, message_of

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


@pytest.mark.parametrize("why", DeclineReason)
def test_a_match_is_declined_for_a_reason_of_the_list(why: DeclineReason) -> None:
    declined = decline(PROPOSED, why, "名额已满", NOW).match
    assert (declined.state, declined.decline_reason, declined.reason) == (State.DECLINED, why, "名额已满")
    message = message_of(declined)
    assert decline_of(message.decline_reason) is why
    with pytest.raises(IllegalStepError):
        decline(declined, why, "", NOW)


def test_the_contract_and_the_domain_have_the_same_reasons() -> None:
    values = match_pb2.DeclineReason.DESCRIPTOR.values
    assert [one.name.removeprefix("DECLINE_REASON_") for one in values] == [one.name for one in DeclineReason]
    assert all(one.GetOptions().Extensions[field_pb2.zh] for one in values if one.number)


@pytest.mark.parametrize(
    ("number", "words", "found"),
    [
        (match_pb2.DECLINE_REASON_FILLED, "", (DeclineReason.FILLED, "")),
        (match_pb2.DECLINE_REASON_PAY, " 低于预期 ", (DeclineReason.PAY, "低于预期")),
        (match_pb2.DECLINE_REASON_OTHER, "改招实习", (DeclineReason.OTHER, "改招实习")),
        (match_pb2.DECLINE_REASON_UNSPECIFIED, "名额已满", (DeclineReason.UNSPECIFIED, "名额已满")),
    ],
)
def test_a_reason_is_of_the_list_or_in_words(number: int, words: str, found: tuple[DeclineReason, str]) -> None:
    assert declined_of(number, words) == found


@pytest.mark.parametrize(
    ("number", "field"),
    [(match_pb2.DECLINE_REASON_OTHER, "reason"), (match_pb2.DECLINE_REASON_UNSPECIFIED, "reason"), (99, "decline_reason")],
)
def test_a_reason_that_says_nothing_is_refused_with_the_list(number: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        declined_of(number, "  ")
    (violation,) = refused.value.violations
    assert violation.field == field
    assert "FILLED 名额已满" in violation.zh
