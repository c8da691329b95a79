"""Registry: every programme's procedure, walked to its ends, and what refuses a step."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest

from registry.domain.facts import Facts
from registry.domain.limits import limits
from registry.domain.names import MemberRole, OrgType, Programme, Stage
from registry.domain.policy import RULES
from registry.domain.procedure import PARTIES, STATES, Case, Effect, Party, Refusal, State, Step, Taken, Unit, Window, take
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.challenge import taken_on
from registry.domain.programmes.common import CORRECTION_DAYS, is_college_of, related
from registry.domain.programmes.majors import ANSWER_DAYS
from registry.domain.rules import finding

DAY = date(2026, 3, 2)
WINDOW = Window(date(2026, 1, 1), date(2026, 10, 31))
APPLICANT = Unit("organizations/applicant", OrgType.ENTERPRISE, "11", verified=True)
UNIVERSITY = Unit("organizations/university", OrgType.UNIVERSITY, "12", verified=True)
SCHOOL = Unit("organizations/school", OrgType.HIGHER_VOCATIONAL, "31", verified=True)
PROVINCE = Unit("organizations/province", OrgType.GOV_DEPARTMENT, "12", verified=True)
AUTHORITY = Unit("organizations/authority", OrgType.GOV_DEPARTMENT, "11", verified=True)
EXPERTS = Unit("organizations/experts", OrgType.PROFESSIONAL_SERVICE_ORG, "31")
LEADS = {
    MemberRole.LEAD_ENTERPRISE: APPLICANT,
    MemberRole.LEAD_UNIVERSITY: UNIVERSITY,
    MemberRole.LEAD_VOCATIONAL: SCHOOL,
}
HINDERS = next(
    finding(rule, Stage.FORMING, Facts(DAY, {"chairs": 0, "vice_chairs": 0}), limits({})) for rule in RULES if rule.id == "R11"
)
each_programme = pytest.mark.parametrize("programme", PROCEDURES)


@dataclass
class Walk:
    """One application on its way."""

    programme: Programme
    case: Case
    effects: list[Effect] = field(default_factory=list)

    def tried(self, name: str, unit: Unit, party: Party, **more: Any) -> Step | Refusal:
        """What the machine says of a step."""
        case = replace(self.case, unit=unit, actor=f"{unit.name}#someone", parties=frozenset({party}))
        return take(PROCEDURES[self.programme], replace(case, **more), name)

    def took(self, name: str, unit: Unit = APPLICANT, party: Party = Party.APPLICANT, **more: Any) -> State:
        """The state after a step; what it brings stays attached."""
        found = self.tried(name, unit, party, **more)
        assert isinstance(found, Step), found
        actor = more.get("actor", f"{unit.name}#someone")
        named = more.get("named")
        taken = Taken(
            name, unit.name, actor, self.case.today, named.name if named else "", more.get("principal", ""), more.get("score")
        )
        self.effects.append(found.effect)
        self.case = replace(
            self.case,
            state=found.to or self.case.state,
            taken=(*self.case.taken, taken),
            documents=self.case.documents | more.get("brought", frozenset()),
        )
        return self.case.state

    def refused(self, why: str, name: str, unit: Unit = APPLICANT, party: Party = Party.APPLICANT, **more: Any) -> Refusal:
        """Why a step is refused; nothing is changed."""
        found = self.tried(name, unit, party, **more)
        assert isinstance(found, Refusal), found
        assert found.reason == why, found
        assert not found.zh.isascii()
        assert found.en
        return found

    def attach(self, *kinds: str) -> None:
        self.case = replace(self.case, documents=self.case.documents | set(kinds))

    def on(self, day: date) -> None:
        self.case = replace(self.case, today=day)


def begun(programme: Programme, applicant: Unit = APPLICANT, **more: Any) -> Walk:
    known = {
        "state": State.DRAFT,
        "today": DAY,
        "applicant": applicant,
        "unit": applicant,
        "actor": "someone",
        "parties": frozenset({Party.APPLICANT}),
        "window": WINDOW,
        **more,
    }
    return Walk(programme, Case(**known))


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
    assert {SCHOOL.name, PROVINCE.name} <= set(
        walk.refused("SEALS_MISSING", "submit").zh.replace("（", "、").replace("：", "、").split("、")
    )
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
    assert procedure.due_on(walk.case) == last
    for day, lapses in ((last, False), (last + timedelta(days=1), True)):
        walk.on(day)
        assert (procedure.overdue(walk.case) is not None) is lapses


PILOT_FORMS = {Programme.PILOT: ("SEALED_FORM", "PLATFORM_RECEIPT"), Programme.SUPPORT: ("SEALED_FORM",)}


def reviewed(programme: Programme) -> Walk:
    """A pilot's or a support unit's application before its selection."""
    walk = begun(programme, UNIVERSITY)
    walk.attach(*PILOT_FORMS[programme])
    walk.took("submit", UNIVERSITY)
    walk.took("qualify", AUTHORITY, Party.AUTHORITY)
    for expert in ("first", "second"):
        walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, named=EXPERTS, principal=expert)
        walk.took("score", EXPERTS, Party.EXPERT, actor=expert, score=80, reason="可行")
    return walk


@pytest.mark.parametrize("programme", PILOT_FORMS)
def test_a_pilot_is_checked_reviewed_selected_and_runs_for_two_years(programme: Programme) -> None:
    walk = reviewed(programme)
    assert walk.took("select", AUTHORITY, Party.AUTHORITY) is State.RUNNING
    assert walk.effects[-1] is Effect.FORM
    assert PROCEDURES[programme].due_on(walk.case) == date(2028, 3, 2)
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


@pytest.mark.parametrize(("acts_for", "has_interest"), [("applicant", True), ("member", True), ("experts", False)])
def test_an_expert_who_acts_for_an_interested_party_is_refused_whoever_is_named(acts_for: str, has_interest: bool) -> None:
    walk = begun(Programme.PILOT, APPLICANT, state=State.QUALIFIED, members=frozenset({"organizations/member"}))
    assign = {"named": EXPERTS, "principal": "expert", "principal_acts_for": frozenset({f"organizations/{acts_for}"})}
    if has_interest:
        walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, **assign)
    else:
        walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, **assign)


def test_who_acted_for_the_applicant_does_not_score_it() -> None:
    walk = begun(Programme.PILOT, UNIVERSITY)
    walk.attach(*PILOT_FORMS[Programme.PILOT])
    walk.took("submit", UNIVERSITY, actor="dean")
    walk.took("qualify", AUTHORITY, Party.AUTHORITY)
    walk.refused("CONFLICT_OF_INTEREST", "assign_expert", AUTHORITY, Party.AUTHORITY, named=EXPERTS, principal="dean")


def test_every_expert_scores_once_before_the_selection() -> None:
    walk = reviewed(Programme.PILOT)
    walk.refused("ALREADY_DONE", "score", EXPERTS, Party.EXPERT, actor="first", score=10, reason="再评")
    walk.refused("ALREADY_DONE", "assign_expert", AUTHORITY, Party.AUTHORITY, named=EXPERTS, principal="first")
    walk.took("assign_expert", AUTHORITY, Party.AUTHORITY, named=EXPERTS, principal="third")
    walk.refused("SCORES_MISSING", "select", AUTHORITY, Party.AUTHORITY)


def test_a_cycle_from_a_leap_day_ends_on_the_last_of_february() -> None:
    walk = reviewed(Programme.PILOT)
    walk.on(date(2028, 2, 29))
    walk.took("select", AUTHORITY, Party.AUTHORITY)
    assert PROCEDURES[Programme.PILOT].due_on(walk.case) == date(2030, 2, 28)


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
    walk = begun(Programme.CERTIFICATION)
    walk.attach("APPLICATION_FORM")
    walk.took("submit")
    walk.refused("DOCUMENT_REQUIRED", "cultivate", AUTHORITY, Party.AUTHORITY)
    walk.took("cultivate", AUTHORITY, Party.AUTHORITY, brought=frozenset({"CULTIVATION_PLAN"}))
    walk.refused("ILLEGAL_STATE", "submit")
    walk.attach("CULTIVATION_REPORT")
    assert walk.took("certify", AUTHORITY, Party.AUTHORITY) is State.CERTIFIED
    assert walk.took("exit", AUTHORITY, Party.AUTHORITY, reason="不再符合") is State.REMOVED


def test_an_evaluation_is_a_third_partys() -> None:
    walk = begun(Programme.EVALUATION)
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
    assert not taken_on(walk.case)
    walk.took("team", named=UNIVERSITY)
    walk.refused("ALREADY_DONE", "team", named=UNIVERSITY)
    walk.took("team", named=SCHOOL)
    assert taken_on(walk.case)
    walk.took("start", day=date(2026, 9, 1))
    walk.took("deliver", UNIVERSITY, Party.TEAM, brought=frozenset({"RESULT"}))
    walk.took("rework", reason="未达指标")
    walk.took("deliver", SCHOOL, Party.TEAM, brought=frozenset({"RESULT"}))
    assert walk.took("accept") is State.COMPLETED


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


@pytest.mark.parametrize("applicant", [UNIVERSITY, APPLICANT])
def test_the_performance_of_universities_goes_on_to_the_commission(applicant: Unit) -> None:
    walk = begun(Programme.PERFORMANCE, applicant, facts={"year": 2026})
    walk.took("set_indicators", AUTHORITY, Party.AUTHORITY, brought=frozenset({"INDICATORS"}))
    assert PROCEDURES[Programme.PERFORMANCE].due_on(walk.case) == date(2026, 12, 31)
    walk.took("report", applicant, brought=frozenset({"SELF_REPORT"}))
    walk.refused("INPUT_REQUIRED", "rate", AUTHORITY, Party.AUTHORITY)
    walk.took("rate", AUTHORITY, Party.AUTHORITY, score=91, reason="优秀")
    if applicant is UNIVERSITY:
        walk.refused("TO_BE_FORWARDED", "close", AUTHORITY, Party.AUTHORITY)
        walk.refused("NOT_A_DEPARTMENT", "forward", AUTHORITY, Party.AUTHORITY, named=EXPERTS)
        assert walk.took("forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE) is State.COMPLETED
    else:
        walk.refused("NOT_A_UNIVERSITY", "forward", AUTHORITY, Party.AUTHORITY, named=PROVINCE)
        assert walk.took("close", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


def test_a_school_proposes_a_major() -> None:
    walk = begun(Programme.MAJOR_ADJUSTMENT, SCHOOL)
    walk.attach("PROPOSAL", "PROGRAMME")
    walk.refused("RULES_VIOLATED", "submit", SCHOOL, hindering=(HINDERS,))
    walk.took("submit", SCHOOL)
    assert walk.took("approve", AUTHORITY, Party.AUTHORITY) is State.COMPLETED


def test_a_warning_of_a_major_is_answered_until_it_is_resolved() -> None:
    walk = begun(Programme.MAJOR_ADJUSTMENT, SCHOOL)
    walk.took("warn", AUTHORITY, Party.AUTHORITY, reason="就业率低")
    assert PROCEDURES[Programme.MAJOR_ADJUSTMENT].due_on(walk.case) == DAY + timedelta(days=ANSWER_DAYS)
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


@each_programme
def test_every_state_of_a_programme_can_be_reached_and_every_document_is_asked_for(programme: Programme) -> None:
    procedure = PROCEDURES[programme]
    states = {state for step in procedure.steps for state in (*step.at, step.to) if state}
    reached = {State.DRAFT}
    for _ in states:
        reached |= {step.to for step in procedure.steps if step.to and reached.intersection(step.at)}
    assert reached == states
    asked = {kind for step in procedure.steps for kind in (*step.documents, *step.brings)}
    assert asked == set(procedure.documents)
    assert len({step.name for step in procedure.steps}) == len(procedure.steps)
    assert all(deadline.step == "" or procedure.step(deadline.step) for deadline in procedure.deadlines)


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
                elif party not in step.by:
                    assert isinstance(found, Refusal)
                    assert found.reason == "NOT_THE_PARTY"
                else:
                    assert not isinstance(found, Refusal) or found.reason not in ("ILLEGAL_STATE", "NOT_THE_PARTY")


@each_programme
def test_what_violates_a_required_rule_is_not_submitted(programme: Programme) -> None:
    for step in PROCEDURES[programme].steps:
        if step.checks_rules:
            walk = begun(programme, state=step.at[0])
            walk.attach(*step.documents)
            found = walk.tried(
                step.name, APPLICANT, step.by[0], hindering=(HINDERS,), brought=frozenset(step.brings), **_said(step)
            )
            assert isinstance(found, Refusal)
            assert found.reason == "RULES_VIOLATED"
            assert "R11" in found.zh


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


def test_states_and_parties_have_names_in_both_languages() -> None:
    assert set(STATES) == set(State)
    assert set(PARTIES) == set(Party)
    for zh, en in (*STATES.values(), *PARTIES.values()):
        assert not zh.isascii()
        assert en.isascii()
