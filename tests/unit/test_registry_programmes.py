"""Registry: the procedures of the other programmes, walked to their ends, and what refuses a step on the way."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from registry.applications.mapping import changeable
from registry.domain.names import OrgType, Programme
from registry.domain.procedure import Effect, Party, State, Step, Taken, Unit, Window
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.challenge import TAKEN_ON, counts
from registry.domain.programmes.majors import ANSWER_DAYS
from registry.domain.transitions import fill, hurdle
from tests.unit.walking import (
    APPLICANT,
    AUTHORITY,
    DAY,
    EXPERTS,
    HINDERS,
    PROVINCE,
    SCHOOL,
    UNIVERSITY,
    Walk,
    begun,
    due_on,
)


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
    case = {"brought": frozenset({"CASE"})}
    assert "body resume" in walk.refused("BODY_SUSPENDED", "commend", AUTHORITY, Party.AUTHORITY, **case, is_suspended=True).zh
    assert walk.took("commend", AUTHORITY, Party.AUTHORITY, **case) is State.RUNNING
    assert walk.took("exit", UNIVERSITY, reason="退出") is State.REMOVED
    assert walk.effects[-1] is Effect.DISSOLVE


def test_an_evaluation_is_a_third_partys() -> None:
    walk = begun(Programme.EVALUATION, authority=AUTHORITY.name)
    walk.refused("NO_THIRD_PARTY", "commission", AUTHORITY, Party.AUTHORITY, named=AUTHORITY._replace(verified=True))
    own = Unit("organizations/own", OrgType.PROFESSIONAL_SERVICE_ORG, parent=APPLICANT.name, verified=True)
    walk.refused("CONFLICT_OF_INTEREST", "commission", AUTHORITY, Party.AUTHORITY, named=own)
    theirs = own._replace(parent=AUTHORITY.name)
    walk.refused("CONFLICT_OF_INTEREST", "commission", AUTHORITY, Party.AUTHORITY, named=theirs)
    run_by_it = theirs._replace(org_type=OrgType.UNIVERSITY)
    assert isinstance(walk.tried("commission", AUTHORITY, Party.AUTHORITY, named=run_by_it), Step)
    unknown = EXPERTS._replace(verified=False)
    walk.refused("EVALUATOR_NOT_VERIFIED", "commission", AUTHORITY, Party.AUTHORITY, named=unknown)
    for kind in (OrgType.GOV_DEPARTMENT, OrgType.TASK_FORCE, OrgType.PARK_COMMITTEE):
        state = EXPERTS._replace(org_type=kind)
        walk.refused("NO_THIRD_PARTY", "commission", AUTHORITY, Party.AUTHORITY, named=state)
        unknown = state._replace(verified=False)  # verifying it would not help
        walk.refused("NO_THIRD_PARTY", "commission", AUTHORITY, Party.AUTHORITY, named=unknown)
    bound = frozenset({EXPERTS.name})
    walk.refused("CONFLICT_OF_INTEREST", "commission", AUTHORITY, Party.AUTHORITY, named=EXPERTS, bound=bound)
    walk.took("commission", AUTHORITY, Party.AUTHORITY, named=EXPERTS)
    walk.refused("NOT_THE_PARTY", "report", APPLICANT, Party.APPLICANT)
    walk.took("report", EXPERTS, Party.EVALUATOR, score=88, brought=frozenset({"REPORT"}))
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="补充")
    walk.took("report", EXPERTS, Party.EVALUATOR, score=90, brought=frozenset({"REPORT"}))
    became = {"units": {EXPERTS.name: EXPERTS}, "bound": bound}
    walk.refused("CONFLICT_OF_INTEREST", "publish", AUTHORITY, Party.AUTHORITY, **became)
    assert walk.took("publish", AUTHORITY, Party.AUTHORITY) is State.PUBLISHED


@pytest.mark.parametrize(
    ("parent", "has"), [("", False), ("organizations/somebody", False), (AUTHORITY.name, True), (APPLICANT.name, True)]
)
def test_an_evaluator_that_came_to_an_interest_neither_reports_nor_is_published(parent: str, has: bool) -> None:
    """It is judged as it is at that step; the way out is to cancel, after a return where it has reported."""
    walk = begun(Programme.EVALUATION, authority=AUTHORITY.name)
    walk.took("commission", AUTHORITY, Party.AUTHORITY, named=EXPERTS)
    was, became = {EXPERTS.name: EXPERTS}, {EXPERTS.name: EXPERTS._replace(parent=parent)}
    report = {"score": 99, "brought": frozenset({"REPORT"})}
    if has:
        told = walk.refused("CONFLICT_OF_INTEREST", "report", EXPERTS, Party.EVALUATOR, units=became, **report).zh
        assert EXPERTS.name in told
        assert "（return）" not in told
    walk.took("report", EXPERTS, Party.EVALUATOR, units=was, **report)
    if not has:
        walk.took("publish", AUTHORITY, Party.AUTHORITY, units=became)
        return
    assert "（return）" in walk.refused("CONFLICT_OF_INTEREST", "publish", AUTHORITY, Party.AUTHORITY, units=became).zh
    walk.took("return", AUTHORITY, Party.AUTHORITY, reason="须回避", units=became)
    assert walk.took("cancel", AUTHORITY, Party.AUTHORITY, reason="须回避", units=became) is State.WITHDRAWN


def test_a_challenge_is_answered_taken_on_worked_on_and_accepted() -> None:
    walk = begun(Programme.CHALLENGE, members=frozenset({APPLICANT.name, UNIVERSITY.name, SCHOOL.name}))
    walk.refused("PROBLEM_REQUIRED", "publish")
    walk.took("publish", brought=frozenset({"PROBLEM"}))
    answer = {"brought": frozenset({"ANSWER"})}
    walk.refused("CONFLICT_OF_INTEREST", "answer", APPLICANT, Party.PARTNER, **answer)
    walk.took("answer", UNIVERSITY, Party.PARTNER, **answer)
    walk.refused("ALREADY_DONE", "answer", UNIVERSITY, Party.PARTNER, **answer)
    walk.took("answer", SCHOOL, Party.PARTNER, **answer)
    walk.refused("NO_ANSWER", "team", named=EXPERTS)
    left = frozenset({APPLICANT.name, SCHOOL.name})
    assert UNIVERSITY.name in walk.refused("NOT_A_MEMBER", "team", named=UNIVERSITY, members=left).zh
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


def test_a_challenge_is_published_with_an_end_of_the_work_that_is_to_come() -> None:
    set_by = {"listing": "listings/one"}
    walk = begun(Programme.CHALLENGE, facts={**set_by, "due_on": DAY - timedelta(days=1)})
    assert "challenge.due_on" in walk.refused("DAY_IS_PAST", "publish").zh
    for facts in ({**set_by, "due_on": DAY}, set_by):
        assert isinstance(walk.tried("publish", APPLICANT, Party.APPLICANT, facts=facts), Step)


def test_what_was_taken_on_follows_from_the_state() -> None:
    for step in PROCEDURES[Programme.CHALLENGE].steps:
        if step.to is not None and step.name != "team":
            assert (step.to in TAKEN_ON) == TAKEN_ON.issuperset(step.at), step.name
    some = {State.DRAFT: 9, State.WITHDRAWN: 9, State.ANSWERING: 3, State.IN_WORK: 2, State.REJECTED: 1, State.COMPLETED: 4}
    assert counts(some) == (10, 7, 4)


def test_a_meeting_is_compiled_before_and_relayed_after() -> None:
    walk = begun(Programme.MEETING, facts={"meeting_on": DAY}, members=frozenset({EXPERTS.name, UNIVERSITY.name}))
    walk.refused("DOCUMENT_REQUIRED", "compile", EXPERTS, Party.SECRETARIAT)
    papers = {"brought": frozenset({"PROGRESS", "SUGGESTIONS"})}
    walk.on(DAY + timedelta(days=1))
    assert "meeting_on" in walk.refused("TOO_LATE", "compile", EXPERTS, Party.SECRETARIAT, **papers).zh
    walk.on(DAY)
    walk.took("compile", EXPERTS, Party.SECRETARIAT, **papers)
    walk.on(DAY + timedelta(days=1))
    assert "meeting_on" not in walk.refused("TOO_LATE", "submit", EXPERTS, Party.SECRETARIAT).zh, "it stays"
    walk.on(DAY - timedelta(days=1))
    walk.took("submit", EXPERTS, Party.SECRETARIAT)
    walk.took("request_experts", AUTHORITY, Party.TASK_FORCE, reason="咨询论证")
    assert SCHOOL.name in walk.refused("NOT_A_MEMBER", "name_expert", EXPERTS, Party.SECRETARIAT, named=SCHOOL).zh
    walk.took("name_expert", EXPERTS, Party.SECRETARIAT, named=UNIVERSITY)
    walk.refused("ALREADY_DONE", "name_expert", EXPERTS, Party.SECRETARIAT, named=UNIVERSITY)
    walk.took("name_expert", EXPERTS, Party.SECRETARIAT, named=EXPERTS)
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
    walk = begun(Programme.PERFORMANCE, applicant, facts={"year": 2026}, region="120104")
    walk.took("set_indicators", AUTHORITY, Party.AUTHORITY, brought=frozenset({"INDICATORS"}))
    report: dict[str, Any] = {"unit": applicant, "party": Party.APPLICANT, "brought": frozenset({"SELF_REPORT"})}
    call = Window(date(2026, 3, 1), date(2026, 3, 31))
    for first, window in ((date(2026, 1, 1), Window(None, None)), (date(2026, 3, 1), call)):
        walk.refused("TOO_EARLY", "report", today=first - timedelta(days=1), window=window, **report)
        assert isinstance(walk.tried("report", today=first, window=window, **report), Step)
    assert isinstance(walk.tried("report", today=date(2026, 4, 1), window=call, **report), Step), "late, and taken"
    returned = replace(
        walk.case, window=call, taken=(*walk.case.taken, Taken("return", AUTHORITY.name, "x", date(2026, 5, 1)))
    )
    assert due_on(Programme.PERFORMANCE, returned) == date(2026, 5, 31)
    until_july = replace(returned, window=Window(None, date(2026, 6, 30)))
    assert due_on(Programme.PERFORMANCE, until_july) == date(2026, 6, 30), "corrections shorten nothing"
    for closes, report_by, rate_by in (
        (date(2025, 6, 30), date(2026, 12, 31), date(2026, 12, 31)),
        (None, date(2026, 12, 31), date(2026, 12, 31)),
        (date(2026, 12, 30), date(2026, 12, 30), date(2026, 12, 31)),
        (date(2027, 1, 31), date(2027, 1, 31), date(2027, 1, 31)),
    ):
        case = replace(walk.case, window=Window(None, closes))
        assert due_on(Programme.PERFORMANCE, case) == report_by
        assert due_on(Programme.PERFORMANCE, replace(case, state=State.SUBMITTED)) == rate_by
    for day, rate_by in ((date(2026, 12, 1), date(2026, 12, 31)), (date(2026, 12, 2), date(2027, 1, 1))):
        late = replace(walk.case, state=State.SUBMITTED, taken=(Taken("report", applicant.name, "x", day),))
        assert due_on(Programme.PERFORMANCE, late) == rate_by
    walk.took("report", applicant, brought=frozenset({"SELF_REPORT"}))
    walk.refused("INPUT_REQUIRED", "rate", AUTHORITY, Party.AUTHORITY)
    walk.took("rate", AUTHORITY, Party.AUTHORITY, score=91, reason="优秀")
    if applicant is not APPLICANT:
        walk.refused("TO_BE_FORWARDED", "close", AUTHORITY, Party.AUTHORITY)
        walk.case = replace(
            walk.case, names={PROVINCE.name: "市教委", AUTHORITY.name: "市农业农村局", EXPERTS.name: "教育公司"}
        )
        elsewhere = [PROVINCE._replace(region_code=code) for code in ("", "110000", "120101")]
        for wrong in (EXPERTS, AUTHORITY, PROVINCE._replace(verified=False), *elsewhere):
            walk.refused("NOT_THE_DEPARTMENT", "forward", AUTHORITY, Party.AUTHORITY, named=wrong)
        walk.refused("REGION_REQUIRED", "forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE, region="")
        own = walk.tried("forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE._replace(region_code="120104"))
        assert isinstance(own, Step)
        assert walk.took("forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE) is State.COMPLETED
    else:
        walk.refused("NOT_A_UNIVERSITY", "forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE)
        assert walk.took("close", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


def test_an_assessment_is_withdrawn_until_it_is_rated() -> None:
    """By whoever begins it while it is a draft, and by the authority alone once it has set what is asked."""
    walk = begun(Programme.PERFORMANCE)
    parts = ((APPLICANT, Party.APPLICANT), (AUTHORITY, Party.AUTHORITY))
    for unit, part in parts:
        walk.refused("INPUT_REQUIRED", "withdraw", unit, part)
        assert isinstance(walk.tried("withdraw", unit, part, reason="选错年度"), Step)
    for state in (State.ASSIGNED, State.SUBMITTED):
        walk.case = replace(walk.case, state=state)
        walk.refused("NOT_THE_PARTY", "withdraw", reason="选错年度")
        found = walk.tried("withdraw", AUTHORITY, Party.AUTHORITY, reason="选错年度")
        assert isinstance(found, Step)
        assert found.to is State.WITHDRAWN
    walk.case = replace(walk.case, state=State.SCORED)
    walk.refused("ILLEGAL_STATE", "withdraw", AUTHORITY, Party.AUTHORITY, reason="选错年度")


@pytest.mark.parametrize("programme", [Programme.PERFORMANCE, Programme.MAJOR_ADJUSTMENT])
def test_a_draft_is_withdrawn_by_who_began_it(programme: Programme) -> None:
    parts = ((SCHOOL, Party.APPLICANT), (AUTHORITY, Party.AUTHORITY))
    for who, other in (parts, parts[::-1]):
        walk = begun(programme, SCHOOL, authority=AUTHORITY.name, begun_by=who[0].name)
        assert who[0].name in walk.refused("NOT_WHO_BEGAN", "withdraw", *other, reason="撤回").zh
        assert "withdraw" not in walk.refused("ILLEGAL_STATE", "magic", *other).en.partition("you can take")[2]
        assert "withdraw" in walk.refused("ILLEGAL_STATE", "magic", *who).en.partition("you can take")[2]
        walk.refused("NOT_WHO_BEGAN", "withdraw", *other)  # before a reason is asked for
        assert walk.took("withdraw", *who, reason="撤回") is State.WITHDRAWN
    college = Unit("organizations/college", OrgType.SECONDARY_COLLEGE, parent=SCHOOL.name)
    walk = begun(programme, SCHOOL, authority=AUTHORITY.name, begun_by=college.name)
    assert walk.took("withdraw", SCHOOL, reason="撤回") is State.WITHDRAWN, "a college begins it for its university"


def test_an_assessment_that_the_unit_began_is_the_authoritys_once_it_is_set() -> None:
    walk = begun(Programme.PERFORMANCE, SCHOOL, authority=AUTHORITY.name, begun_by=SCHOOL.name)
    walk.took("set_indicators", AUTHORITY, Party.AUTHORITY, brought=frozenset({"INDICATORS"}))
    assert walk.took("withdraw", AUTHORITY, Party.AUTHORITY, reason="选错年度") is State.WITHDRAWN


@pytest.mark.parametrize("state", [State.SUBMITTED, State.RETURNED])
def test_handing_a_warnings_draft_in_makes_it_nobody_elses(state: State) -> None:
    parts = ((SCHOOL, Party.APPLICANT), (AUTHORITY, Party.AUTHORITY))
    for who, other in (parts, parts[::-1]):
        walk = begun(Programme.MAJOR_ADJUSTMENT, SCHOOL, authority=AUTHORITY.name, begun_by=who[0].name, state=state)
        walk.refused("NOT_WHO_BEGAN", "withdraw", *other, reason="撤回")
        assert walk.took("withdraw", *who, reason="撤回") is State.WITHDRAWN


def test_a_draft_is_a_warning_or_a_proposal_by_who_began_it() -> None:
    """Neither side turns the other's into its own: by a step, by facts or by documents."""
    procedure = PROCEDURES[Programme.MAJOR_ADJUSTMENT]
    college = Unit("organizations/college", OrgType.SECONDARY_COLLEGE, parent=SCHOOL.name)
    facts = {"change": "NEW", "major_code": "460301"}
    school, authority = (SCHOOL, Party.APPLICANT), (AUTHORITY, Party.AUTHORITY)

    def beginning(who: Unit) -> Walk:
        walk = begun(Programme.MAJOR_ADJUSTMENT, SCHOOL, authority=AUTHORITY.name, begun_by=who.name, facts=facts)
        walk.attach("PROPOSAL", "PROGRAMME")
        return walk

    def filled_in(walk: Walk, party: Party) -> bool:
        return fill(procedure, replace(walk.case, parties=frozenset({party}))) is None

    walk = beginning(AUTHORITY)
    assert AUTHORITY.name in walk.refused("NOT_WHO_BEGAN", "submit", *school).zh
    assert (filled_in(walk, Party.APPLICANT), filled_in(walk, Party.AUTHORITY)) == (False, True)
    assert walk.took("warn", *authority, reason="就业率低") is State.WARNED
    for who in (SCHOOL, college):
        walk = beginning(who)
        assert who.name in walk.refused("NOT_WHO_BEGAN", "warn", *authority, reason="就业率低").zh
        assert (filled_in(walk, Party.APPLICANT), filled_in(walk, Party.AUTHORITY)) == (True, False)
        assert walk.took("submit", *school) is State.SUBMITTED
    nobodys = replace(beginning(SCHOOL).case, parties=frozenset())
    assert fill(procedure, nobodys) is None, "the platform's operator, who may, mends either"


@pytest.mark.parametrize("programme", [Programme.EVALUATION, Programme.PERFORMANCE])
def test_who_is_assessed_puts_no_paper_of_its_own_into_what_the_authority_began(programme: Programme) -> None:
    """It would stand beside the evaluator's, or the authority's, of the same kind."""
    case = begun(programme, SCHOOL, authority=AUTHORITY.name, begun_by=AUTHORITY.name).case
    by = {
        party: fill(PROCEDURES[programme], replace(case, parties=frozenset({party})))
        for party in (Party.AUTHORITY, Party.APPLICANT)
    }
    assert {party for party, refusal in by.items() if refusal} == {Party.APPLICANT}


@pytest.mark.parametrize("began", [AUTHORITY, SCHOOL])
def test_the_assessed_says_of_itself_what_rules_ask_once_the_indicators_are_set(began: Unit) -> None:
    """R27.3 looks at what it pays out; whoever began the assessment."""
    procedure = PROCEDURES[Programme.PERFORMANCE]
    case = begun(Programme.PERFORMANCE, SCHOOL, authority=AUTHORITY.name, begun_by=began.name, state=State.ASSIGNED).case
    by = {party: fill(procedure, replace(case, parties=frozenset({party}))) for party in (Party.AUTHORITY, Party.APPLICANT)}
    assert {party for party, refusal in by.items() if refusal} == {Party.AUTHORITY}
    assert procedure.facts_in == {State.ASSIGNED}
    assert fill(procedure, replace(case, parties=frozenset())), "nor does the platform's operator"


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
    told = walk.refused("INPUT_REQUIRED", "warn", AUTHORITY, Party.AUTHORITY, reason="就业率低")
    assert "专业（major_code）" in told.zh
    assert "change" not in told.en, "what a warning changes, the answer says"
    walk.case = replace(walk.case, facts={"major_code": "460301"})
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
    assert "candidate set" in walk.refused("INPUT_REQUIRED", "apply").zh
    walk.case = replace(walk.case, facts={"candidate": "personalRecords/somebody"})
    walk.took("apply")
    walk.refused("DOCUMENT_REQUIRED", "recommend")
    walk.took("recommend", brought=frozenset({"RECOMMENDATION"}))
    walk.took("assess", UNIVERSITY, Party.AUTHORITY, score=85)
    assert walk.took("admit", UNIVERSITY, Party.AUTHORITY) is State.COMPLETED


@pytest.mark.parametrize(
    ("state", "step", "by"),
    [
        (State.SUBMITTED, "recommend", Party.APPLICANT),
        (State.RECOMMENDED, "assess", Party.AUTHORITY),
        (State.SCORED, "admit", Party.AUTHORITY),
    ],
)
def test_nobody_is_recommended_assessed_or_admitted_once_the_candidate_is_erased(state: State, step: str, by: Party) -> None:
    """What ends it stays possible: it can't be filled in again."""
    said: dict[str, Any] = {"brought": frozenset({"RECOMMENDATION"}), "score": 90}
    walk = begun(Programme.EMPLOYEE_INTAKE, state=state, facts={"candidate": "personalRecords/somebody"})
    assert isinstance(walk.tried(step, APPLICANT, by, **said), Step)
    walk.case = replace(walk.case, facts={})
    told = walk.refused("NO_CANDIDATE", step, APPLICANT, by, **said)
    assert "reject" in told.zh
    if state is not State.SCORED:
        assert isinstance(walk.tried("withdraw", APPLICANT, Party.APPLICANT, reason="本人已删除"), Step)
    assert walk.took("reject", UNIVERSITY, Party.AUTHORITY, reason="候选人已删除") is State.REJECTED


@pytest.mark.parametrize(
    ("programme", "state", "fields"),
    [
        (Programme.PERFORMANCE, State.DRAFT, ["display_name"]),
        (Programme.PERFORMANCE, State.ASSIGNED, ["performance"]),
        (Programme.CERTIFICATION, State.DRAFT, ["display_name", "certification"]),
        (Programme.COMMUNITY, State.RETURNED, ["display_name"]),
    ],
)
def test_what_can_be_changed_is_what_a_refusal_says(programme: Programme, state: State, fields: list[str]) -> None:
    assert changeable(PROCEDURES[programme], state) == fields
