"""Registry: every programme's procedure, walked to its ends, and what refuses a step on the way."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from registry.domain.names import CertificationState, MemberRole, OrgType, Programme
from registry.domain.procedure import Effect, Party, State, Step, Unit, hurdle
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.certification import STANDING_ENTRY, catalogued, subject_of
from registry.domain.programmes.challenge import TAKEN_ON, counts
from registry.domain.programmes.common import CORRECTION_DAYS, experts
from registry.domain.programmes.majors import ANSWER_DAYS
from tests.unit.walking import (
    APPLICANT,
    AUTHORITY,
    DAY,
    EXPERTS,
    HINDERS,
    LEADS,
    PROVINCE,
    SCHOOL,
    UNIVERSITY,
    Walk,
    begun,
    due_on,
)

LAST_DAY = date(2026, 10, 31)  # of the window


def community(**more: Any) -> Walk:
    members = frozenset(lead.name for lead in LEADS.values())
    return begun(Programme.COMMUNITY, leads=LEADS, members=members, **more)


def sealing() -> Walk:
    """A community's form that everybody has sealed."""
    walk = community()
    walk.attach("APPLICATION_FORM", "EVIDENCE")
    walk.took("start_sealing", named=PROVINCE)
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)
    walk.attach("SEALED_FORM")
    return walk


def test_a_community_is_sealed_submitted_reviewed_and_reported() -> None:
    walk = sealing()
    assert walk.took("submit") is State.SUBMITTED
    assert walk.took("approve", PROVINCE, Party.PROVINCE) is State.REPORTED
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING
    assert walk.effects[-1] is Effect.FORM


def test_a_community_is_not_submitted_without_every_seal() -> None:
    walk = community()
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing", named=PROVINCE)
    for lead in (APPLICANT, UNIVERSITY):
        walk.took("seal", lead, Party.LEAD)
    walk.refused("ALREADY_DONE", "seal", UNIVERSITY, Party.LEAD)
    walk.case = replace(walk.case, names={SCHOOL.name: "某职业学校"})
    refusal = walk.refused("SEALS_MISSING", "submit")
    assert f"尚缺盖章：{PROVINCE.name}、某职业学校；请" in refusal.zh
    walk.refused("NOT_THE_PARTY", "seal", EXPERTS, Party.EXPERT)


@pytest.mark.parametrize(
    ("day", "is_open"),
    [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (date(2026, 10, 31), True), (date(2026, 11, 1), False)],
)
def test_a_community_is_submitted_within_the_window(day: date, is_open: bool) -> None:
    walk = sealing()
    walk.on(day)
    if is_open:
        walk.took("submit")
    else:
        assert "2026-10-31" in walk.refused("WINDOW_CLOSED", "submit").zh


def test_the_province_is_that_of_a_lead() -> None:
    walk = community()
    walk.attach("APPLICATION_FORM", "EVIDENCE")
    for wrong in (
        PROVINCE._replace(province="44"),
        PROVINCE._replace(org_type=OrgType.UNIVERSITY),
        PROVINCE._replace(verified=False),
    ):
        walk.refused("NOT_A_PROVINCE_OF_A_LEAD", "start_sealing", named=wrong)
    walk.refused("INPUT_REQUIRED", "start_sealing")
    for province in ("11", "12", "31"):
        assert isinstance(
            walk.tried("start_sealing", APPLICANT, Party.APPLICANT, named=PROVINCE._replace(province=province)), Step
        )


def test_a_central_soe_files_direct() -> None:
    walk = community(facts={"lead_is_central_soe": True})
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing")
    walk.refused("NO_PROVINCE", "submit")
    walk.refused("SEALS_MISSING", "file_direct")
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    assert walk.took("file_direct") is State.REPORTED


def filed_direct() -> Walk:
    """A central SOE's community on the ministry's table, without a province."""
    walk = community(facts={"lead_is_central_soe": True})
    walk.attach("APPLICATION_FORM", "EVIDENCE", "SEALED_FORM")
    walk.took("start_sealing")
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("file_direct")
    return walk


def test_what_was_filed_direct_goes_back_to_the_ministry_after_its_correction() -> None:
    walk = filed_direct()
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补正")
    form: dict[str, Any] = {"brought": frozenset({"SEALED_FORM"})}
    walk.refused("NO_CENTRAL_SOE", "resubmit", **form, facts={"lead_is_central_soe": False})
    assert walk.took("resubmit", **form) is State.REPORTED
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING


def test_what_was_returned_and_is_sealed_again_has_its_days_for_corrections_not_the_window() -> None:
    walk = filed_direct()
    walk.on(LAST_DAY)
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补正")
    last = LAST_DAY + timedelta(days=CORRECTION_DAYS)
    walk.on(last)
    walk.case = replace(walk.case, facts={})
    walk.took("start_sealing", named=PROVINCE)
    for lead in LEADS.values():
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)
    assert due_on(Programme.COMMUNITY, walk.case) == last
    assert walk.took("submit") is State.SUBMITTED, "now by way of a province"
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    assert walk.took("resubmit", brought=frozenset({"SEALED_FORM"})) is State.SUBMITTED


def test_who_is_no_central_soe_does_not() -> None:
    sealing().refused("NO_CENTRAL_SOE", "file_direct")


def test_only_the_lead_enterprise_applies() -> None:
    walk = begun(Programme.COMMUNITY, UNIVERSITY, leads=LEADS)
    walk.attach("APPLICATION_FORM", "EVIDENCE")
    walk.refused("NOT_THE_LEAD", "start_sealing", UNIVERSITY, named=PROVINCE)


def test_what_was_returned_is_sealed_again_or_corrected() -> None:
    walk = sealing()
    walk.took("submit")
    walk.refused("INPUT_REQUIRED", "return", PROVINCE, Party.PROVINCE)
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    walk.refused("DOCUMENT_REQUIRED", "resubmit")
    assert walk.took("resubmit", brought=frozenset({"SEALED_FORM"})) is State.SUBMITTED
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    walk.took("start_sealing", named=PROVINCE)
    walk.refused("SEALS_MISSING", "submit")


@pytest.mark.parametrize("returned", [False, True])
def test_a_form_that_is_taken_back_for_changes_is_sealed_again(returned: bool) -> None:
    walk = sealing()
    if returned:
        walk.took("submit")
        walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
        walk.took("start_sealing", named=PROVINCE)
        walk.took("seal", PROVINCE, Party.PROVINCE)
    due = due_on(Programme.COMMUNITY, walk.case)
    walk.refused("INPUT_REQUIRED", "reopen")
    assert walk.took("reopen", reason="更正事实") is (State.RETURNED if returned else State.DRAFT)
    assert due_on(Programme.COMMUNITY, walk.case) == due
    if returned:
        walk.refused("SEALS_MISSING", "resubmit", brought=frozenset({"SEALED_FORM"}))
    walk.took("start_sealing", named=PROVINCE)
    walk.refused("SEALS_MISSING", "submit")


@pytest.mark.parametrize("step", ["return", "reject"])
def test_the_province_reviews_what_is_submitted_and_the_ministry_what_is_reported(step: str) -> None:
    reviewers = ((PROVINCE, Party.PROVINCE), (AUTHORITY, Party.AUTHORITY))
    procedure = PROCEDURES[Programme.COMMUNITY]
    for state, (whose, other) in ((State.SUBMITTED, reviewers), (State.REPORTED, reviewers[::-1])):
        walk = community(state=state)
        walk.refused("NOT_THE_PARTY", step, *other, reason="补正")
        assert isinstance(walk.tried(step, *whose, reason="补正"), Step)
        offered = [{one.name for one in procedure.possible(state, frozenset({party}))} for _, party in (whose, other)]
        assert [step in names for names in offered] == [True, False]


NEW_LEAD = Unit("organizations/new", OrgType.UNIVERSITY, "12", verified=True)


def swap(walk: Walk) -> None:
    """Let another university lead."""
    walk.case = replace(walk.case, leads={**walk.case.leads, MemberRole.LEAD_UNIVERSITY: NEW_LEAD})


def test_a_community_is_never_formed_with_a_lead_that_has_not_sealed() -> None:
    walk = sealing()
    walk.took("submit")
    before = walk.case
    swap(walk)
    assert "return" in walk.refused("SEALS_MISSING", "approve", PROVINCE, Party.PROVINCE).zh
    walk.case = before
    walk.took("approve", PROVINCE, Party.PROVINCE)
    swap(walk)
    walk.refused("SEALS_MISSING", "accept", AUTHORITY, Party.AUTHORITY)
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="更换了牵头高校")
    form: dict[str, Any] = {"brought": frozenset({"SEALED_FORM"})}
    assert "start_sealing" in walk.refused("SEALS_MISSING", "resubmit", **form).zh
    walk.took("start_sealing", named=PROVINCE)
    for lead in (APPLICANT, NEW_LEAD, SCHOOL):
        walk.took("seal", lead, Party.LEAD)
    walk.took("seal", PROVINCE, Party.PROVINCE)
    walk.took("submit", **form)
    walk.took("approve", PROVINCE, Party.PROVINCE)
    assert walk.took("accept", AUTHORITY, Party.AUTHORITY) is State.RUNNING


@pytest.mark.parametrize("state", [State.DRAFT, State.SEALING])
def test_what_is_not_submitted_lapses_after_the_window(state: State) -> None:
    walk = community(state=state)
    procedure = PROCEDURES[Programme.COMMUNITY]
    for day, lapses in ((date(2026, 10, 31), False), (date(2026, 11, 1), True)):
        walk.on(day)
        step = procedure.overdue(walk.case)
        assert (step is not None) is lapses
    assert step is not None
    assert walk.took("lapse", party=Party.PLATFORM) is State.LAPSED


def test_a_correction_has_thirty_days() -> None:
    walk = sealing()
    walk.took("submit")
    walk.took("return", PROVINCE, Party.PROVINCE, reason="补正")
    procedure = PROCEDURES[Programme.COMMUNITY]
    last = DAY + timedelta(days=CORRECTION_DAYS)
    assert due_on(Programme.COMMUNITY, walk.case) == last
    for day, lapses in ((last, False), (last + timedelta(days=1), True)):
        walk.on(day)
        assert (procedure.overdue(walk.case) is not None) is lapses


PILOT_FORMS = {Programme.PILOT: ("SEALED_FORM", "PLATFORM_RECEIPT"), Programme.SUPPORT: ("SEALED_FORM",)}


def sent(person: str, *acts_for: Unit) -> dict[str, Any]:
    """What a step says of an expert whom an institute sends, and who acts for others beside it."""
    return {"named": EXPERTS, "principal": person, "acts_for": {person: frozenset({EXPERTS, *acts_for})}}


def reviewed(programme: Programme) -> Walk:
    """A pilot's or a support unit's application before its selection."""
    walk = begun(programme, UNIVERSITY)
    walk.attach(*PILOT_FORMS[programme])
    walk.took("submit", UNIVERSITY)
    walk.took("qualify", AUTHORITY, Party.AUTHORITY)
    for expert in ("first", "second"):
        walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent(expert))
        walk.took("score", EXPERTS, Party.EXPERT, actor=expert, score=80, reason="可行")
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
        walk.refused("CONFLICT_OF_INTEREST", "score", EXPERTS, Party.EXPERT, **now, **hidden)


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
    walk.took("score", EXPERTS, Party.EXPERT, actor="first", score=70, reason="重评")
    assert walk.took("select", AUTHORITY, Party.AUTHORITY) is State.RUNNING


def test_who_acted_for_the_applicant_does_not_score_it() -> None:
    walk = begun(Programme.PILOT, UNIVERSITY)
    walk.attach(*PILOT_FORMS[Programme.PILOT])
    walk.took("submit", UNIVERSITY, actor="dean")
    walk.took("qualify", AUTHORITY, Party.AUTHORITY)
    walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, **sent("dean"))


def test_every_expert_scores_once_before_the_selection() -> None:
    walk = reviewed(Programme.PILOT)
    walk.refused("ALREADY_DONE", "score", EXPERTS, Party.EXPERT, actor="first", score=10, reason="再评")
    walk.refused("ALREADY_DONE", "assign_expert", AUTHORITY, Party.AUTHORITY, **sent("first"))
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **sent("third"))
    walk.refused("SCORES_MISSING", "select", AUTHORITY, Party.AUTHORITY)


def test_a_cycle_from_a_leap_day_ends_on_the_last_of_february() -> None:
    walk = reviewed(Programme.PILOT)
    walk.on(date(2028, 2, 29))
    walk.took("select", AUTHORITY, Party.AUTHORITY)
    assert due_on(Programme.PILOT, walk.case) == date(2030, 2, 28)


def test_a_consortium_is_listed_summarised_commended_and_leaves() -> None:
    walk = begun(Programme.CONSORTIUM, UNIVERSITY)
    walk.attach("APPLICATION_FORM")
    walk.took("submit", UNIVERSITY)
    assert walk.took("list", AUTHORITY, Party.AUTHORITY) is State.RUNNING
    walk.took("warn", AUTHORITY, Party.AUTHORITY, reason="整改")
    walk.refused("DOCUMENT_REQUIRED", "summarise", UNIVERSITY)
    assert walk.took("summarise", UNIVERSITY, brought=frozenset({"SUMMARY"})) is State.WARNED, "a summary lifts no warning"
    walk.refused("DOCUMENT_REQUIRED", "summarise", UNIVERSITY)
    walk.took("restore", AUTHORITY, Party.AUTHORITY, reason="已整改")
    assert walk.took("commend", AUTHORITY, Party.AUTHORITY, brought=frozenset({"CASE"})) is State.RUNNING
    assert walk.took("exit", UNIVERSITY, reason="退出") is State.REMOVED
    assert walk.effects[-1] is Effect.DISSOLVE


def test_a_certification_is_cultivated_certified_and_left() -> None:
    walk = begun(Programme.CERTIFICATION, facts={"kind": "ENTERPRISE"})
    walk.attach("APPLICATION_FORM")
    walk.took("submit")
    assert catalogued(walk.case) is None
    walk.refused("DOCUMENT_REQUIRED", "cultivate", AUTHORITY, Party.AUTHORITY)
    walk.took("cultivate", AUTHORITY, Party.AUTHORITY, brought=frozenset({"CULTIVATION_PLAN"}))
    assert catalogued(walk.case) is CertificationState.CULTIVATING
    walk.refused("ILLEGAL_STATE", "submit")
    walk.attach("CULTIVATION_REPORT")
    assert walk.took("certify", AUTHORITY, Party.AUTHORITY) is State.CERTIFIED
    assert catalogued(walk.case) is CertificationState.CERTIFIED
    assert walk.took("exit", AUTHORITY, Party.AUTHORITY, reason="不再符合") is State.REMOVED
    assert catalogued(walk.case) is CertificationState.EXITED


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "INPUT_REQUIRED"),
        ({"kind": "REGION"}, "INPUT_REQUIRED"),
        ({"kind": "INDUSTRY", "region_code": "110000"}, "INPUT_REQUIRED"),
        ({"kind": "ENTERPRISE"}, "WRONG_APPLICANT"),
        ({"kind": "REGION", "region_code": "110000", "industry_code": "39"}, "CONTRADICTION"),
        ({"kind": "ENTERPRISE", "region_code": "110000"}, "CONTRADICTION"),
        ({"kind": "REGION", "region_code": "110000", STANDING_ENTRY: "applications/other"}, "ALREADY_CATALOGUED"),
        ({"kind": "REGION", "region_code": "110000"}, ""),
        ({"kind": "INDUSTRY", "industry_code": "39"}, ""),
    ],
)
def test_a_certification_says_what_is_to_be_certified_and_stands_once(facts: dict[str, Any], why: str) -> None:
    walk = begun(Programme.CERTIFICATION, PROVINCE, facts=facts)
    walk.attach("APPLICATION_FORM")
    if why:
        walk.refused(why, "submit", PROVINCE)
    else:
        assert walk.took("submit", PROVINCE) is State.SUBMITTED


@pytest.mark.parametrize(
    ("facts", "applicant", "why"),
    [
        ({"kind": "ENTERPRISE"}, APPLICANT, ""),
        ({"kind": "ENTERPRISE"}, APPLICANT._replace(verified=False), "NOT_VERIFIED"),
        ({"kind": "ENTERPRISE"}, UNIVERSITY, "WRONG_APPLICANT"),
        ({"kind": "REGION", "region_code": "110000"}, APPLICANT, "WRONG_APPLICANT"),
        ({"kind": "REGION", "region_code": "110000"}, PROVINCE, ""),
        ({"kind": "INDUSTRY", "industry_code": "39"}, UNIVERSITY, "WRONG_APPLICANT"),
        ({"kind": "INDUSTRY", "industry_code": "39"}, PROVINCE._replace(org_type=OrgType.INDUSTRY_ASSOCIATION), ""),
    ],
)
def test_a_certification_is_applied_for_by_whom_it_concerns(facts: dict[str, Any], applicant: Unit, why: str) -> None:
    """At every step that admits it: what was verified once may be no more."""
    steps = (
        ("submit", State.DRAFT, Party.APPLICANT),
        ("resubmit", State.RETURNED, Party.APPLICANT),
        ("cultivate", State.SUBMITTED, Party.AUTHORITY),
        ("certify", State.CULTIVATED, Party.AUTHORITY),
    )
    for step, state, party in steps:
        walk = begun(Programme.CERTIFICATION, applicant, facts=facts, state=state)
        walk.attach("APPLICATION_FORM", "CULTIVATION_PLAN", "CULTIVATION_REPORT")
        unit = applicant if party is Party.APPLICANT else AUTHORITY
        if why:
            walk.refused(why, step, unit, party)
        else:
            walk.took(step, unit, party)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1, "110105", "", "a"), (1, "110105", "", "b"), True),
        ((1, "110105", "", "a"), (1, "110108", "", "a"), False),
        ((2, "", "39", "a"), (2, "", "39", "b"), True),
        ((3, "", "", "a"), (3, "", "", "b"), False),
        ((3, "110105", "", "a"), (3, "", "", "a"), True),
    ],
)
def test_a_region_or_industry_is_the_same_whoever_applies(one: Any, other: Any, same: bool) -> None:
    assert (subject_of(*one) == subject_of(*other)) is same


def test_an_evaluation_is_a_third_partys() -> None:
    walk = begun(Programme.EVALUATION, authority=AUTHORITY.name)
    walk.refused("CONFLICT_OF_INTEREST", "commission", AUTHORITY, Party.AUTHORITY, named=AUTHORITY)
    own = Unit("organizations/own", OrgType.PROFESSIONAL_SERVICE_ORG, parent=APPLICANT.name)
    walk.refused("CONFLICT_OF_INTEREST", "commission", AUTHORITY, Party.AUTHORITY, named=own)
    walk.took("commission", AUTHORITY, Party.AUTHORITY, named=EXPERTS)
    walk.refused("NOT_THE_PARTY", "report", APPLICANT, Party.APPLICANT)
    walk.took("report", EXPERTS, Party.EVALUATOR, score=88, brought=frozenset({"REPORT"}))
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补充")
    walk.took("report", EXPERTS, Party.EVALUATOR, score=90, brought=frozenset({"REPORT"}))
    assert walk.took("publish", AUTHORITY, Party.AUTHORITY) is State.PUBLISHED


def test_a_challenge_is_answered_taken_on_worked_on_and_accepted() -> None:
    walk = begun(Programme.CHALLENGE)
    walk.took("publish")
    answer = {"brought": frozenset({"ANSWER"})}
    walk.refused("CONFLICT_OF_INTEREST", "answer", APPLICANT, Party.PARTNER, **answer)
    walk.took("answer", UNIVERSITY, Party.PARTNER, **answer)
    walk.refused("ALREADY_DONE", "answer", UNIVERSITY, Party.PARTNER, **answer)
    walk.took("answer", SCHOOL, Party.PARTNER, **answer)
    walk.refused("NO_ANSWER", "team", named=EXPERTS)
    assert counts({walk.case.state: 1}) == (1, 0, 0)
    walk.took("team", named=UNIVERSITY)
    walk.refused("ALREADY_DONE", "team", named=UNIVERSITY)
    walk.took("team", named=SCHOOL)
    assert counts({walk.case.state: 1}) == (1, 1, 0)
    walk.refused("DAY_IS_PAST", "start", day=DAY - timedelta(days=1))
    assert isinstance(walk.tried("start", APPLICANT, Party.APPLICANT, day=DAY), Step)
    walk.took("start", day=date(2026, 9, 1))
    walk.took("deliver", UNIVERSITY, Party.TEAM, brought=frozenset({"RESULT"}))
    walk.took("rework", reason="未达指标")
    walk.took("deliver", SCHOOL, Party.TEAM, brought=frozenset({"RESULT"}))
    assert walk.took("accept") is State.COMPLETED
    assert counts({walk.case.state: 1}) == (1, 1, 1)


def test_what_was_taken_on_follows_from_the_state() -> None:
    for step in PROCEDURES[Programme.CHALLENGE].steps:
        if step.to is not None and step.name != "team":
            assert (step.to in TAKEN_ON) == TAKEN_ON.issuperset(step.at), step.name
    some = {State.DRAFT: 9, State.WITHDRAWN: 9, State.ANSWERING: 3, State.IN_WORK: 2, State.REJECTED: 1, State.COMPLETED: 4}
    assert counts(some) == (10, 7, 4)


def test_a_meeting_is_compiled_before_and_relayed_after() -> None:
    walk = begun(Programme.MEETING, facts={"meeting_on": DAY})
    walk.refused("DOCUMENT_REQUIRED", "compile", EXPERTS, Party.SECRETARIAT)
    walk.took("compile", EXPERTS, Party.SECRETARIAT, brought=frozenset({"PROGRESS", "SUGGESTIONS"}))
    walk.on(DAY + timedelta(days=1))
    walk.refused("TOO_LATE", "submit", EXPERTS, Party.SECRETARIAT)
    walk.on(DAY - timedelta(days=1))
    walk.took("submit", EXPERTS, Party.SECRETARIAT)
    walk.took("request_experts", AUTHORITY, Party.TASK_FORCE, reason="咨询论证")
    walk.took("name_expert", EXPERTS, Party.SECRETARIAT, named=UNIVERSITY)
    walk.refused("TOO_EARLY", "hold", AUTHORITY, Party.TASK_FORCE)
    walk.on(DAY)
    walk.took("hold", AUTHORITY, Party.TASK_FORCE)
    walk.refused("DOCUMENT_REQUIRED", "relay", EXPERTS, Party.SECRETARIAT)
    assert walk.took("relay", EXPERTS, Party.SECRETARIAT, brought=frozenset({"POLICY"})) is State.COMPLETED


def test_a_step_that_a_guard_refuses_is_not_offered() -> None:
    """Where the guard looks at what the call will name, only the call tells."""
    walk = begun(Programme.PERFORMANCE, UNIVERSITY, state=State.SCORED)
    case = replace(walk.case, parties=frozenset({Party.AUTHORITY}))
    procedure = PROCEDURES[Programme.PERFORMANCE]

    def in_the_way(name: str) -> str:
        step = procedure.step(name)
        assert step
        found = hurdle(procedure, case, step)
        return found.reason if found else ""

    assert in_the_way("close") == "TO_BE_FORWARDED"
    assert in_the_way("forward") == ""
    case = replace(case, applicant=APPLICANT)
    assert in_the_way("close") == ""


def test_a_meeting_is_not_compiled_without_its_day() -> None:
    walk = begun(Programme.MEETING)
    walk.attach("PROGRESS", "SUGGESTIONS")
    assert "meeting_on" in walk.refused("INPUT_REQUIRED", "compile", EXPERTS, Party.SECRETARIAT).zh


@pytest.mark.parametrize("applicant", [UNIVERSITY, SCHOOL, APPLICANT])
def test_the_performance_of_universities_goes_on_to_the_commission(applicant: Unit) -> None:
    walk = begun(Programme.PERFORMANCE, applicant, facts={"year": 2026})
    walk.took("set_indicators", AUTHORITY, Party.AUTHORITY, brought=frozenset({"INDICATORS"}))
    assert due_on(Programme.PERFORMANCE, walk.case) == date(2026, 12, 31)
    walk.took("report", applicant, brought=frozenset({"SELF_REPORT"}))
    walk.refused("INPUT_REQUIRED", "rate", AUTHORITY, Party.AUTHORITY)
    walk.took("rate", AUTHORITY, Party.AUTHORITY, score=91, reason="优秀")
    if applicant is not APPLICANT:
        walk.refused("TO_BE_FORWARDED", "close", AUTHORITY, Party.AUTHORITY)
        walk.case = replace(
            walk.case, names={PROVINCE.name: "市教委", AUTHORITY.name: "市农业农村局", EXPERTS.name: "教育公司"}
        )
        for wrong in (EXPERTS, AUTHORITY, PROVINCE._replace(verified=False)):
            walk.refused("NOT_THE_DEPARTMENT", "forward", AUTHORITY, Party.AUTHORITY, named=wrong)
        assert walk.took("forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE) is State.COMPLETED
    else:
        walk.refused("NOT_A_UNIVERSITY", "forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE)
        assert walk.took("close", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


def test_a_school_proposes_a_major() -> None:
    walk = begun(Programme.MAJOR_ADJUSTMENT, SCHOOL, facts={"change": "NEW"})
    walk.attach("PROPOSAL", "PROGRAMME")
    assert "major_code" in walk.refused("INPUT_REQUIRED", "submit", SCHOOL).zh
    walk.case = replace(walk.case, facts={"change": "NEW", "major_code": "460301"})
    walk.refused("RULES_VIOLATED", "submit", SCHOOL, hindering=(HINDERS,))
    walk.took("submit", SCHOOL)
    assert walk.took("approve", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


def test_a_warning_of_a_major_is_answered_until_it_is_resolved() -> None:
    walk = begun(Programme.MAJOR_ADJUSTMENT, SCHOOL)
    walk.took("warn", AUTHORITY, Party.AUTHORITY, reason="就业率低")
    assert due_on(Programme.MAJOR_ADJUSTMENT, walk.case) == DAY + timedelta(days=ANSWER_DAYS)
    walk.took("respond", SCHOOL, brought=frozenset({"ANSWER"}))
    walk.took("warn_again", AUTHORITY, Party.AUTHORITY, reason="不够")
    walk.refused("DOCUMENT_REQUIRED", "respond", SCHOOL)
    walk.took("respond", SCHOOL, brought=frozenset({"ANSWER"}))
    assert walk.took("resolve", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


def test_an_employee_applies_is_recommended_and_assessed() -> None:
    walk = begun(Programme.EMPLOYEE_INTAKE)
    walk.attach("APPLICATION_FORM")
    walk.took("apply")
    walk.refused("DOCUMENT_REQUIRED", "recommend")
    walk.took("recommend", brought=frozenset({"RECOMMENDATION"}))
    walk.took("assess", UNIVERSITY, Party.AUTHORITY, score=85)
    assert walk.took("admit", UNIVERSITY, Party.AUTHORITY) is State.COMPLETED
