"""Registry: the machine that all procedures share, and what holds of every programme."""

from datetime import date, timedelta
from typing import Any

import pytest

from alliance.registry.v1 import application_pb2 as pb
from chassis.status import _FOR_PEOPLE
from registry.applications.mapping import FACTS_OF
from registry.domain.calls import BODIES
from registry.domain.facts import Facts, of_members
from registry.domain.limits import limits
from registry.domain.names import OrgType, Programme
from registry.domain.policy import of_kind, of_programme
from registry.domain.procedure import (
    ALWAYS,
    PARTIES,
    REMIND_DAYS,
    STATES,
    Party,
    Refusal,
    State,
    Step,
    Unit,
    Window,
    remind_day,
)
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.common import is_college_of, related
from registry.domain.rules import finding
from tests.unit.walking import APPLICANT, DAY, EXPERTS, HINDERS, UNIVERSITY, UNTOLD, begun

each_programme = pytest.mark.parametrize("programme", PROCEDURES)


@pytest.mark.parametrize("programme", BODIES)
def test_what_somebody_still_has_to_do_for_a_body_can_be_ended(programme: Programme) -> None:
    """Nothing hinders a body's end for ever, and what has ended or stands without another step hinders none."""
    procedure = PROCEDURES[programme]
    people = frozenset(Party) - {Party.PLATFORM}
    for state in State:
        assert bool(procedure.ways_out(state)) is bool(procedure.possible(state, people)), state


_INSTEAD_OF_A_FACT = {Programme.CHALLENGE: {"PROBLEM"}}


@each_programme
def test_every_state_of_a_programme_can_be_reached_and_every_document_is_asked_for(programme: Programme) -> None:
    procedure = PROCEDURES[programme]
    states = {state for step in procedure.steps for state in (*step.at, step.to) if state}
    reached = {State.DRAFT}
    for _ in states:
        reached |= {step.to for step in procedure.steps if step.to and reached.intersection(step.at)}
    assert reached == states
    asked = {kind for step in procedure.steps for kind in (*step.documents, *step.brings)}
    assert asked | _INSTEAD_OF_A_FACT.get(programme, set()) == set(procedure.documents)
    assert len({step.name for step in procedure.steps}) == len(procedure.steps)
    assert all(deadline.step == "" or procedure.step(deadline.step) for deadline in procedure.deadlines)
    facts = getattr(pb.Application(), FACTS_OF[programme]).DESCRIPTOR.fields_by_name if programme in FACTS_OF else {}
    assert all(step.sets in facts if "day" in step.asks else not step.sets for step in procedure.steps)


@each_programme
def test_no_step_is_taken_in_another_state_or_by_another_party(programme: Programme) -> None:
    for step in PROCEDURES[programme].steps:
        for state in State:
            walk = begun(programme, state=state)
            for party in Party:
                found = walk.tried(step.name, APPLICANT, party)
                if state not in step.at:
                    assert isinstance(found, Refusal)
                    assert found.reason == "ILLEGAL_STATE"
                elif party not in step.takers(state):
                    assert isinstance(found, Refusal)
                    assert found.reason == "NOT_THE_PARTY"
                else:
                    assert not isinstance(found, Refusal) or found.reason not in ("ILLEGAL_STATE", "NOT_THE_PARTY")


@each_programme
def test_who_lost_what_it_applied_by_hands_nothing_in_and_may_take_it_back(programme: Programme) -> None:
    open_states = (State.DRAFT, State.SEALING, State.RETURNED)
    for step in PROCEDURES[programme].steps:
        for state in step.at:
            if Party.APPLICANT not in step.takers(state):
                continue
            found = begun(programme, state=state).tried(step.name, APPLICANT, Party.APPLICANT, is_admitted=False)
            is_refused = isinstance(found, Refusal) and found.reason == "NOT_ADMITTED"
            assert is_refused is (state in open_states and step.to not in (State.WITHDRAWN, State.REMOVED)), (step.name, state)


def test_who_is_admitted_goes_on_and_others_than_the_applicant_do_too() -> None:
    walk = begun(Programme.COMMUNITY, state=State.SEALING, is_admitted=False)
    told = walk.refused("NOT_ADMITTED", "reopen")
    assert "牵头企业" in told.zh
    assert "撤回" in told.zh
    sealed = walk.tried("seal", UNIVERSITY, Party.LEAD)
    assert not isinstance(sealed, Refusal) or sealed.reason != "NOT_ADMITTED"
    assert not isinstance(walk.tried("reopen", APPLICANT, Party.APPLICANT, is_admitted=True, reason="修改"), Refusal)


HANDING_IN = {
    Programme.COMMUNITY: "submit file_direct",
    Programme.CHALLENGE: "publish",
    Programme.EVALUATION: "commission",
    Programme.PERFORMANCE: "",  # what is late is told, and taken
    Programme.EMPLOYEE_INTAKE: "apply",
}
"""The steps for which a call has a window, where they have other names than `submit`."""
MARCH = Window(date(2026, 3, 1), date(2026, 3, 31))


@each_programme
@pytest.mark.parametrize(
    ("day", "window", "is_open"),
    [
        (date(2026, 2, 28), MARCH, False),
        (date(2026, 3, 1), MARCH, True),
        (date(2026, 3, 31), MARCH, True),
        (date(2026, 4, 1), MARCH, False),
        (date(2026, 2, 28), Window(None, MARCH.closes_on), True),
        (date(2026, 4, 1), Window(MARCH.opens_on, None), True),
        (date(2026, 4, 1), ALWAYS, True),
    ],
)
def test_an_application_is_handed_in_within_the_dates_of_its_call(
    programme: Programme, day: date, window: Window, is_open: bool
) -> None:
    names = HANDING_IN.get(programme, "submit").split()
    for step in PROCEDURES[programme].steps:
        found = judged(programme, step, today=day, window=window, call="calls/of-the-year")
        is_closed = isinstance(found, Refusal) and found.reason == "WINDOW_CLOSED"
        assert is_closed is (step.name in names and not is_open), step.name
        if isinstance(found, Refusal) and is_closed:
            way_out = ("请自 2026-03-01 起办理", "2026-03-01") if day < date(2026, 3, 1) else ("call list", "call list")
            for text, way in zip((found.zh, found.en), way_out, strict=True):
                assert all(one in text for one in ("calls/of-the-year", "2026-03-31", day.isoformat(), way))


@each_programme
def test_what_violates_a_required_rule_is_not_submitted(programme: Programme) -> None:
    for step in PROCEDURES[programme].steps:
        if step.checks_rules or step.settles_rules:
            found = judged(programme, step, hindering=(HINDERS,))
            assert isinstance(found, Refusal)
            assert found.reason == "RULES_VIOLATED"
            assert "R11" in found.zh


@each_programme
def test_nothing_is_decided_in_favour_of_what_cannot_be_told_and_only_that_waits(programme: Programme) -> None:
    for step in PROCEDURES[programme].steps:
        found = judged(programme, step, untold=(UNTOLD,))
        is_refused = isinstance(found, Refusal) and found.reason == "FACTS_MISSING"
        assert is_refused is (step.name in DECIDING.get(programme, "").split()), step.name
        if isinstance(found, Refusal) and is_refused:
            for text in (found.zh, found.en):
                assert "R22.1" in text
                assert "S4 三(一)3" in text
                assert "alliance body update … --fact enrolling_since=…" in text


DECIDING = {
    Programme.COMMUNITY: "approve accept",
    Programme.PILOT: "qualify select",
    Programme.SUPPORT: "qualify select",
    Programme.CONSORTIUM: "list",
    Programme.CERTIFICATION: "cultivate certify",
    Programme.MAJOR_ADJUSTMENT: "approve",
    Programme.EMPLOYEE_INTAKE: "apply admit",
}
"""The steps that take something up by what the rules say."""


def test_a_refusal_says_how_facts_come_into_what_was_handed_in() -> None:
    told = {}
    for name, state in (("qualify", State.SUBMITTED), ("select", State.IN_REVIEW)):
        told[name] = begun(Programme.PILOT, state=state, untold=(UNTOLD,)).refused(
            "FACTS_MISSING", name, APPLICANT, Party.AUTHORITY
        )
    assert "退回补正（return，主管单位）" in told["qualify"].zh
    assert "return" in told["qualify"].en
    assert "不予通过" in told["select"].zh
    both = begun(Programme.PILOT, state=State.SUBMITTED, hindering=(HINDERS,), untold=(UNTOLD,))
    refusal = both.refused("RULES_VIOLATED", "qualify", APPLICANT, Party.AUTHORITY)
    assert "R11" in refusal.zh
    assert "R22.1" in refusal.zh


def test_a_refusal_names_every_rule_of_which_nothing_is_known_within_what_a_message_holds() -> None:
    always_known = {**of_members([]), "parks": 1, "is_vocational_school": True, "kind": "ENTERPRISE", "change": "NEW"}
    for programme, steps in DECIDING.items():
        kinds, _ = BODIES.get(programme, (frozenset(), None))
        rules = [*(rule for kind in kinds for rule in of_kind(kind)), *of_programme(programme)]
        found = [finding(rule, min(rule.stages), Facts(DAY, always_known), limits({})) for rule in rules]
        untold = tuple(one for one in found if one.suspends)
        for name in steps.split():
            step = PROCEDURES[programme].step(name)
            assert step is not None
            refusal = judged(programme, step, untold=untold)
            assert isinstance(refusal, Refusal)
            for text in (refusal.zh, refusal.en):
                assert all(one.rule in text for one in untold)
                assert len(text.encode()) <= _FOR_PEOPLE


def judged(programme: Programme, step: Step, **found: Any) -> Step | Refusal:
    """What the machine says of a step of which nothing but rules stands in the way."""
    walk = begun(programme, state=step.at[0])
    walk.attach(*step.documents)
    return walk.tried(step.name, APPLICANT, step.takers(step.at[0])[0], brought=frozenset(step.brings), **_said(step), **found)


def _said(step: Step) -> dict[str, Any]:
    said: dict[str, Any] = {"reason": "原因", "organization": EXPERTS, "principal": "expert", "score": 1, "day": DAY}
    return {{"organization": "named"}.get(one, one): said[one] for one in step.asks}


def test_a_step_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    refusal = begun(Programme.CHALLENGE).refused("ILLEGAL_STATE", "magic")
    assert "publish" in refusal.zh


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        (Unit("a", 1), Unit("a", 1), True),
        (Unit("a", 1, parent="b"), Unit("b", 1), True),
        (Unit("a", 1), Unit("b", 1, parent="a"), True),
        (Unit("a", 1, parent="c"), Unit("b", 1, parent="c"), True),
        (Unit("a", 1), Unit("b", 1), False),
        (Unit("a", 1, parent="c"), Unit("b", 1, parent="d"), False),
    ],
)
def test_who_belongs_together(one: Unit, other: Unit, are: bool) -> None:
    assert related(one, other) is are


@pytest.mark.parametrize(
    ("changed", "acts"),
    [
        ({}, True),
        ({"verified": False}, False),
        ({"parent": "organizations/other"}, False),
        ({"org_type": OrgType.ENTERPRISE}, False),
    ],
)
def test_only_a_verified_secondary_college_acts_for_its_university(changed: dict[str, Any], acts: bool) -> None:
    college = Unit("organizations/college", OrgType.SECONDARY_COLLEGE, parent=UNIVERSITY.name, verified=True)
    assert is_college_of(college._replace(**changed), UNIVERSITY) is acts


@pytest.mark.parametrize(
    ("days", "in_days"), [(-1, None), (0, None), (1, 1), (REMIND_DAYS, 1), (REMIND_DAYS + 1, 1), (REMIND_DAYS + 2, 2)]
)
def test_a_last_day_is_said_to_be_near_a_week_before_or_on_the_next_day(days: int, in_days: int | None) -> None:
    due_on = DAY + timedelta(days=days)
    assert remind_day(due_on, DAY) == (None if in_days is None else DAY + timedelta(days=in_days))


def test_states_and_parties_have_names_in_both_languages() -> None:
    assert set(STATES) == set(State)
    assert set(PARTIES) == set(Party)
    for zh, en in (*STATES.values(), *PARTIES.values()):
        assert not zh.isascii()
        assert en.isascii()
