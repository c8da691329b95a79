"""The procedure of pilots and support units: checked, reviewed by experts without an interest, selected, two years (R30)."""

from datetime import date
from typing import Any

import pytest

from registry.domain.names import OrgType, Programme
from registry.domain.procedure import Effect, Party, State, Step, Unit
from registry.domain.programmes.common import experts
from tests.unit.walking import (
    APPLICANT,
    AUTHORITY,
    EXPERTS,
    UNIVERSITY,
    Walk,
    begun,
    due_on,
)

PILOT_FORMS = {Programme.PILOT: ("SEALED_FORM", "PLATFORM_RECEIPT"), Programme.SUPPORT: ("SEALED_FORM",)}


def sent(person: str, *acts_for: Unit) -> dict[str, Any]:
    """What a step says of an expert whom an institute sends, and who acts for others beside it."""
    return {"named": EXPERTS, "principal": person, "acts_for": {person: frozenset({EXPERTS, *acts_for})}}


def scored(person: str, score: int = 80) -> dict[str, Any]:
    """What an expert of the institute says, whom it still sends."""
    return {"actor": person, "score": score, "reason": "可行", "acts_for": {person: frozenset({EXPERTS})}}


def reviewed(programme: Programme) -> Walk:
    """A pilot's or a support unit's application before its selection."""
    walk = begun(programme, UNIVERSITY)
    walk.attach(*PILOT_FORMS[programme])
    walk.took("submit", UNIVERSITY)
    walk.took("qualify", AUTHORITY, Party.AUTHORITY)
    for expert in ("first", "second"):
        walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent(expert))
        walk.took("score", EXPERTS, Party.EXPERT, **scored(expert))
    return walk


@pytest.mark.parametrize("programme", PILOT_FORMS)
def test_a_pilot_is_checked_reviewed_selected_and_runs_for_two_years(programme: Programme) -> None:
    walk = reviewed(programme)
    assert walk.took("select", AUTHORITY, Party.AUTHORITY) is State.RUNNING
    assert walk.effects[-1] is Effect.FORM
    assert due_on(programme, walk.case) == date(2028, 3, 2)
    walk.on(date(2028, 3, 2))
    walk.refused("TOO_EARLY", "complete", AUTHORITY, Party.AUTHORITY)
    walk.on(date(2028, 3, 3))
    assert walk.took("complete", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


@pytest.mark.parametrize("programme", PILOT_FORMS)
def test_a_pilot_is_managed_dynamically(programme: Programme) -> None:
    walk = reviewed(programme)
    walk.took("select", AUTHORITY, Party.AUTHORITY)
    for step, state in (("warn", State.WARNED), ("restore", State.RUNNING), ("warn", State.WARNED), ("remove", State.REMOVED)):
        walk.refused("INPUT_REQUIRED", step, AUTHORITY, Party.AUTHORITY)
        assert walk.took(step, AUTHORITY, Party.AUTHORITY, reason="评估") is state
    assert walk.effects[-1] is Effect.DISSOLVE


@pytest.mark.parametrize("programme", PILOT_FORMS)
def test_a_pilot_brings_its_forms(programme: Programme) -> None:
    for missing in PILOT_FORMS[programme]:
        walk = begun(programme, UNIVERSITY)
        walk.attach(*(form for form in PILOT_FORMS[programme] if form != missing))
        assert missing in walk.refused("DOCUMENT_REQUIRED", "submit", UNIVERSITY).zh


@pytest.mark.parametrize(
    "expert",
    [
        UNIVERSITY,
        Unit("organizations/college", OrgType.SECONDARY_COLLEGE, parent=UNIVERSITY.name),
        Unit("organizations/member", OrgType.ENTERPRISE),
    ],
)
def test_an_expert_with_an_interest_is_refused(expert: Unit) -> None:
    walk = begun(Programme.PILOT, UNIVERSITY, state=State.QUALIFIED, members=frozenset({"organizations/member"}))
    walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, named=expert, principal="expert")


PARENT = Unit("organizations/parent", OrgType.GOV_DEPARTMENT)
INTERESTED = [
    APPLICANT,
    Unit("organizations/college", OrgType.SECONDARY_COLLEGE, parent=APPLICANT.name),
    PARENT,
    Unit("organizations/sister", OrgType.ENTERPRISE, parent=PARENT.name),
    Unit("organizations/member", OrgType.ENTERPRISE),
    AUTHORITY,
]
NEUTRAL = Unit("organizations/neutral", OrgType.ENTERPRISE)


def judged(state: State) -> Walk:
    """A pilot with a member, whose applicant belongs to somebody."""
    members = frozenset({"organizations/member"})
    applicant = APPLICANT._replace(parent=PARENT.name)
    return begun(Programme.PILOT, applicant, state=state, members=members, authority=AUTHORITY.name)


@pytest.mark.parametrize("other", [*INTERESTED, NEUTRAL])
def test_an_expert_who_acts_for_an_interested_party_is_refused_whoever_is_named(other: Unit) -> None:
    walk = judged(State.QUALIFIED)
    if other is NEUTRAL:
        walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("expert", other))
    else:
        walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, **sent("expert", other))
        walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, named=other, principal="expert")


@pytest.mark.parametrize("other", [*INTERESTED, NEUTRAL])
def test_an_expert_who_acts_for_an_interested_party_since_does_not_score(other: Unit) -> None:
    walk = judged(State.QUALIFIED)
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("expert"))
    now = {"actor": "expert", "score": 100, "reason": "好", "acts_for": {"expert": frozenset({EXPERTS, other})}}
    if other is NEUTRAL:
        walk.took("score", EXPERTS, Party.EXPERT, **now)
    else:
        hidden = {"named": EXPERTS, "principal": "neutral"}
        told = walk.refused("CONFLICT_OF_INTEREST", "score", EXPERTS, Party.EXPERT, **now, **hidden)
        assert "unassign_expert" in told.zh, "an expert chooses no other"


def test_an_expert_whom_the_institute_sends_no_more_does_not_score() -> None:
    walk = judged(State.QUALIFIED)
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("expert", NEUTRAL))
    for acts_for in (frozenset[Unit](), frozenset({NEUTRAL})):
        since = {**scored("expert"), "acts_for": {"expert": acts_for}}
        told = walk.refused("NOT_OF_THE_ORGANIZATION", "score", EXPERTS, Party.EXPERT, **since)
        assert EXPERTS.name in told.zh
    walk.took("score", EXPERTS, Party.EXPERT, **scored("expert"))


@pytest.mark.parametrize("other", [*INTERESTED, NEUTRAL])
def test_a_score_counts_as_long_as_who_gave_it_has_no_interest(other: Unit) -> None:
    walk = judged(State.QUALIFIED)
    for expert in ("first", "second"):
        walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent(expert))
        walk.took("score", EXPERTS, Party.EXPERT, **scored(expert))
    since = {"acts_for": {"first": frozenset({EXPERTS}), "second": frozenset({other})}}
    if other is NEUTRAL:
        walk.took("select", AUTHORITY, Party.AUTHORITY, **since)
        return
    told = walk.refused("CONFLICT_OF_INTEREST", "select", AUTHORITY, Party.AUTHORITY, **since)
    assert all(part in told.zh for part in (f"second（{EXPERTS.name}）", "R30", "unassign_expert", "assign_expert"))
    assert "first" not in told.zh
    walk.took("unassign_expert", AUTHORITY, Party.AUTHORITY, principal="second", reason="回避")
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("third"))
    walk.refused("SCORES_MISSING", "select", AUTHORITY, Party.AUTHORITY, **since)
    walk.took("score", EXPERTS, Party.EXPERT, **scored("third"))
    assert walk.took("select", AUTHORITY, Party.AUTHORITY, **since) is State.RUNNING


def test_who_runs_the_body_or_had_a_hand_in_the_application_is_no_expert() -> None:
    walk = judged(State.SUBMITTED)
    walk.took("qualify", AUTHORITY, Party.AUTHORITY, actor="clerk")
    for person in ("clerk", "secretary"):
        more = {**sent(person), "runs_body": frozenset({"secretary"})}
        walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, **more)


def test_an_expert_is_somebody_of_the_organization_that_is_named() -> None:
    walk = judged(State.QUALIFIED)
    for acts_for in (frozenset[Unit](), frozenset({NEUTRAL})):
        more = {**sent("typo"), "acts_for": {"typo": acts_for}}
        walk.refused("NOT_OF_THE_ORGANIZATION", "assign_expert", AUTHORITY, Party.AUTHORITY, **more)


def test_an_expert_is_taken_off_with_the_score() -> None:
    walk = reviewed(Programme.PILOT)
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("third"))
    walk.refused("INPUT_REQUIRED", "unassign_expert", AUTHORITY, Party.AUTHORITY, principal="third")
    off = {"reason": "无法参加"}
    told = walk.refused("NOT_AN_EXPERT", "unassign_expert", AUTHORITY, Party.AUTHORITY, principal="fourth", **off)
    assert "first、second、third" in told.zh
    assert walk.took("unassign_expert", AUTHORITY, Party.AUTHORITY, principal="third", **off) is State.IN_REVIEW
    assert experts(walk.case) == {"first": True, "second": True}
    assert isinstance(walk.tried("select", AUTHORITY, Party.AUTHORITY), Step)
    for person in ("first", "second"):
        walk.took("unassign_expert", AUTHORITY, Party.AUTHORITY, principal=person, **off)
    walk.refused("NO_EXPERT", "select", AUTHORITY, Party.AUTHORITY)
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("first"))
    walk.refused("SCORES_MISSING", "select", AUTHORITY, Party.AUTHORITY)
    walk.took("score", EXPERTS, Party.EXPERT, **scored("first", 70))
    assert walk.took("select", AUTHORITY, Party.AUTHORITY) is State.RUNNING


def test_who_acted_for_the_applicant_does_not_score_it() -> None:
    walk = begun(Programme.PILOT, UNIVERSITY)
    walk.attach(*PILOT_FORMS[Programme.PILOT])
    walk.took("submit", UNIVERSITY, actor="dean")
    walk.took("qualify", AUTHORITY, Party.AUTHORITY)
    walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, **sent("dean"))


def test_every_expert_scores_once_before_the_selection() -> None:
    walk = reviewed(Programme.PILOT)
    walk.refused("ALREADY_DONE", "score", EXPERTS, Party.EXPERT, **scored("first", 10))
    walk.refused("ALREADY_DONE", "assign_expert", AUTHORITY, Party.AUTHORITY, **sent("first"))
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("third"))
    walk.refused("SCORES_MISSING", "select", AUTHORITY, Party.AUTHORITY)


def test_a_cycle_from_a_leap_day_ends_on_the_last_of_february() -> None:
    walk = reviewed(Programme.PILOT)
    walk.on(date(2028, 2, 29))
    walk.took("select", AUTHORITY, Party.AUTHORITY)
    assert due_on(Programme.PILOT, walk.case) == date(2030, 2, 28)
