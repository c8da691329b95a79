"""Registry: each rule of R10–R28 on both sides of every boundary."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import fields
from registry.domain.calls import BODIES, FORMING
from registry.domain.facts import FACTS, Facts, Member, Value, of_members
from registry.domain.limits import limits
from registry.domain.names import MemberRole, OrgType, Severity, Verdict
from registry.domain.policy import RULES, Rule
from registry.domain.programmes import PROCEDURES
from registry.domain.rules import Finding, finding

TODAY = date(2026, 3, 2)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
THREE_YEARS = date(2023, 3, 2)
SATISFIED, VIOLATED, UNKNOWN, ELSEWHERE = (
    Verdict.SATISFIED,
    Verdict.VIOLATED,
    Verdict.CANNOT_BE_TOLD,
    Verdict.NOT_APPLICABLE,
)
PARTICIPANT = 7
BY_ID = {rule.id: rule for rule in RULES}
LEADS = {
    MemberRole.LEAD_ENTERPRISE: OrgType.ENTERPRISE,
    MemberRole.LEAD_UNIVERSITY: OrgType.UNIVERSITY,
    MemberRole.LEAD_VOCATIONAL: OrgType.HIGHER_VOCATIONAL,
}
WHOLE: dict[str, dict[str, Value]] = {
    "R10": {"key_industry": "虚构示例产业", "same_industry": ()},
    "R10.2": {"task_forces_of_another_type": (), "lead_departments_of_another_type": ()},
    "R10.3": {"unverified_task_force_or_leads": ()},
    "R11": {"chairs": 1, "vice_chairs": 4, "chairs_that_are_vice_chairs": ()},
    "R12": {
        "secretariats": 1,
        "secretariats_that_are_task_forces": (),
        "secretariat_full_time_staff": 1,
        "secretariat_space": True,
        "secretariat_funding": True,
    },
    "R13.1": {"charter_adopted_on": TODAY},
    "R13.2": {"three_year_goals": True},
    "R13.3": {"annual_plan_year": 2026},
    "R13.4": {"annual_plan_year": 2026, "full_councils_in_year": 2},
    "R14": {
        "lead_enterprises": 1,
        "lead_enterprises_of_the_type": 1,
        "lead_universities": 1,
        "lead_universities_of_the_type": 1,
        "lead_vocational_schools": 1,
        "lead_vocational_schools_of_the_type": 1,
    },
    "R15": {
        "matching_discipline": True,
        "research_direction_and_team": True,
        "masters_authority": True,
        "doctoral_authority": True,
    },
    "R16": {"matching_speciality": True, "independent_training_body": True},
    "R17": {"lead_is_central_soe": True, "lead_is_top_500": True, "lead_is_certified": True},
    "R18.1": {"provinces": 2},
    "R18.2": {
        "governing_body": True,
        "founded_on": TODAY,
        "charter_adopted_on": TODAY,
        "benefit_sharing": True,
        "working_staff": 1,
    },
    "R19.1": {"higher_education_leads": 1, "lead_independently_qualified": True},
    "R19.2": {"enterprises": 1, "unverified_enterprises": ()},
    "R19.3": {"parks": 1, "park_leading_industry": "虚构示例产业"},
    "R19.4": {"region_code": "110000", "industry_code": "39"},
    "R20.1": {"venue": True, "equipment": True, "funds": True, "staff": True},
    "R20.2": {"goal_years": 3},
    "R21.1": {"is_institution": True, "is_secondary_college": True},
    "R21.2": {"majors": 1, "same_major": ()},
    "R22.1": {"enrolling_since": THREE_YEARS},
    "R22.2": {"fits_regional_plan": True, "strong_major": True},
    "R23": {"field": "AI"},
    "R24.1": {"cooperation_experience": True},
    "R24.2": {"results_in_bodies": True},
    "R24.3": {"regional_policy": True, "unit_support": True},
    "R25.1": {"is_enterprise_or_service_org": True, "registered_legal_person": True},
    "R25.2": {"operating_since": THREE_YEARS},
    "R25.3": {"teams": True, "venues_and_equipment": True, "technical_support": True},
    "R25.4": {"cooperation_experience": True, "representative_cases": True},
    "R26": {"is_vocational_school": True, "change": "NEW", "deep_cooperation_enterprises": 1},
    "R27.1": {"kind": "ENTERPRISE", "front_line_training_percent": 60},
    "R27.2": {"change": "NEW", "practice_hours_percent": 50},
    "R27.3": {"is_vocational_school": True, "performance_pay_percent": 70},
    "R28": {"front_line_since": THREE_YEARS},
}
BOUNDARIES: list[tuple[str, dict[str, Any], Verdict]] = [
    ("R10", {"same_industry": ("虚构示例联盟",)}, VIOLATED),
    ("R10.2", {"task_forces_of_another_type": ("虚构示例企业",)}, VIOLATED),
    ("R10.2", {"lead_departments_of_another_type": ("虚构示例企业",)}, VIOLATED),
    ("R10.3", {"unverified_task_force_or_leads": ("虚构示例专班",)}, VIOLATED),
    *(
        ("R11", {"chairs": chairs, "vice_chairs": vices}, SATISFIED if (chairs, vices) in {(1, 4), (1, 5)} else VIOLATED)
        for chairs in range(3)
        for vices in range(8)
    ),
    ("R12", {"secretariats": 0}, VIOLATED),
    ("R12", {"secretariats": 2}, SATISFIED),
    ("R11", {"chairs_that_are_vice_chairs": ("虚构示例单位",)}, VIOLATED),
    ("R12", {"secretariats_that_are_task_forces": ("虚构示例专班",)}, VIOLATED),
    ("R12", {"secretariat_full_time_staff": 0}, VIOLATED),
    ("R12", {"secretariat_full_time_staff": 0, "secretariat_space": None}, VIOLATED),
    ("R13.1", {"charter_adopted_on": date(2020, 1, 1)}, SATISFIED),
    ("R13.1", {"charter_adopted_on": TOMORROW}, VIOLATED),
    ("R13.3", {"annual_plan_year": 2025}, VIOLATED),
    ("R13.3", {"annual_plan_year": 2027}, SATISFIED),
    ("R13.3", {"annual_plan_year": 2028}, VIOLATED),
    ("R13.4", {"full_councils_in_year": 1}, VIOLATED),
    ("R13.4", {"full_councils_in_year": 3}, SATISFIED),
    ("R13.4", {"annual_plan_year": 2025}, VIOLATED),  # last year's councils are no councils of this year
    *(("R14", {lead: count}, VIOLATED) for lead in WHOLE["R14"] for count in (0, 2)),
    ("R17", {"lead_is_central_soe": False, "lead_is_top_500": False}, SATISFIED),
    ("R17", {"lead_is_central_soe": False, "lead_is_top_500": False, "lead_is_certified": None}, UNKNOWN),
    ("R17", {"lead_is_central_soe": False, "lead_is_top_500": False, "lead_is_certified": False}, VIOLATED),
    ("R18.1", {"provinces": 1}, VIOLATED),
    ("R18.1", {"provinces": 31}, SATISFIED),
    ("R18.1", {"provinces": 1, "members_without_region": ("虚构示例单位",)}, UNKNOWN),
    ("R18.1", {"provinces": 2, "members_without_region": ("虚构示例单位",)}, SATISFIED),
    ("R18.2", {"founded_on": TOMORROW}, VIOLATED),
    ("R18.2", {"charter_adopted_on": TOMORROW}, VIOLATED),
    ("R18.2", {"working_staff": 0}, VIOLATED),
    ("R19.1", {"higher_education_leads": 0}, VIOLATED),
    ("R19.2", {"enterprises": 0}, VIOLATED),
    ("R19.2", {"unverified_enterprises": ("organizations/x",)}, VIOLATED),
    ("R19.3", {"parks": 0}, ELSEWHERE),
    ("R20.2", {"goal_years": 2}, VIOLATED),
    ("R20.2", {"goal_years": 5}, SATISFIED),
    ("R20.2", {"goal_years": 6}, VIOLATED),
    ("R21.2", {"majors": 2}, SATISFIED),
    ("R21.2", {"majors": 3}, VIOLATED),
    ("R21.2", {"same_major": ("虚构示例试点",)}, VIOLATED),
    ("R22.1", {"enrolling_since": THREE_YEARS + timedelta(days=1)}, VIOLATED),
    ("R23", {"field": "别的"}, VIOLATED),
    *(("R23", {"field": field}, SATISFIED) for field in fields.NAMES),
    ("R24.3", {"regional_policy": False}, VIOLATED),
    ("R24.3", {"unit_support": False}, VIOLATED),
    ("R25.2", {"operating_since": THREE_YEARS + timedelta(days=1)}, VIOLATED),
    ("R26", {"deep_cooperation_enterprises": 0}, VIOLATED),
    ("R26", {"is_vocational_school": False, "deep_cooperation_enterprises": 0}, ELSEWHERE),
    *(("R26", {"change": change, "deep_cooperation_enterprises": 0}, ELSEWHERE) for change in ("ADJUST", "WITHDRAW")),
    ("R27.2", {"change": "WITHDRAW", "practice_hours_percent": 0}, ELSEWHERE),
    ("R27.2", {"change": "ADJUST", "practice_hours_percent": 49}, VIOLATED),
    ("R27.1", {"front_line_training_percent": 59}, VIOLATED),
    ("R27.1", {"kind": "REGION", "front_line_training_percent": 40}, ELSEWHERE),
    ("R27.1", {"kind": "INDUSTRY", "front_line_training_percent": 40}, ELSEWHERE),
    ("R27.2", {"practice_hours_percent": 49}, VIOLATED),
    ("R27.3", {"performance_pay_percent": 69}, VIOLATED),
    ("R27.3", {"is_vocational_school": False}, ELSEWHERE),
    ("R28", {"front_line_since": THREE_YEARS + timedelta(days=1)}, VIOLATED),
]


def said(rule: str, changed: dict[str, Any] | None = None, today: date = TODAY) -> Finding:
    """What a rule says where all is there but what is changed; None makes a fact unknown."""
    known = {name: value for name, value in {**WHOLE[rule], **(changed or {})}.items() if value is not None}
    return finding(BY_ID[rule], min(BY_ID[rule].stages), Facts(today, known), limits({}))


@pytest.mark.parametrize("rule", BY_ID)
def test_what_is_whole_satisfies(rule: str) -> None:
    assert said(rule).verdict is SATISFIED


@pytest.mark.parametrize(("rule", "changed", "expected"), BOUNDARIES)
def test_both_sides(rule: str, changed: dict[str, Any], expected: Verdict) -> None:
    assert said(rule, changed).verdict is expected


@pytest.mark.parametrize(("rule", "fact"), [(rule, fact) for rule, facts in WHOLE.items() for fact in facts])
def test_every_fact_counts(rule: str, fact: str) -> None:
    """One that is missing is named; one that is known not to be there violates."""
    unknown = said(rule, {fact: None})
    assert unknown.missing == FACTS[fact].entered_as
    assert unknown.verdict is (SATISFIED if BY_ID[rule].any_is_enough else UNKNOWN)
    if WHOLE[rule][fact] is True and not BY_ID[rule].any_is_enough and not BY_ID[rule].when:
        assert said(rule, {fact: False}).verdict is VIOLATED


@pytest.mark.parametrize("rule", WHOLE)
@given(data=st.data())
def test_a_fact_as_the_clause_asks_for_it_never_hurts(rule: str, data: st.DataObject) -> None:
    """Whatever else is known or not, of all that stands above: what is asked for is said there, and not asked of the rule."""
    rank, always = {VIOLATED: 0, UNKNOWN: 1, SATISFIED: 2}, {one.fact for one in BY_ID[rule].when}
    fact = data.draw(st.sampled_from(sorted(WHOLE[rule])))
    others = {one: data.draw(st.sampled_from(_known_of(rule, one))) for one in WHOLE[rule] if one not in always}
    assert rank[said(rule, {**others, fact: WHOLE[rule][fact]}).verdict] >= rank[said(rule, others).verdict]


def _known_of(rule: str, fact: str) -> list[Any]:
    """What a fact is somewhere above: None where it is not known."""
    return [None, WHOLE[rule][fact], *(changed[fact] for of, changed, _ in BOUNDARIES if of == rule and fact in changed)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_evidence_is_a_document_of_the_rules_programme(rule: Rule) -> None:
    programmes = [*rule.programmes, *(one for one in FORMING if BODIES[one][0] & set(rule.kinds))]
    for programme in programmes:
        assert set(rule.documents) <= set(PROCEDURES[programme].documents)
    assert programmes or not rule.documents
    known = {*of_members(()), "is_vocational_school"}
    entered = {name for name in rule.evidence if FACTS[name].entered_as == (name,)} - known
    assert bool(rule.documents) == bool(entered and programmes), "what is entered is proved, what the register knows is not"


def test_every_rule_is_tested_on_its_own_facts() -> None:
    assert {rule.id: set(rule.evidence) for rule in RULES} == {rule: set(facts) for rule, facts in WHOLE.items()}


@pytest.mark.parametrize(
    ("rule", "changed", "zh"),
    [
        ("R10", {"same_industry": ("虚构示例联盟",)}, "同一重点产业的其他联盟：虚构示例联盟"),
        (
            "R10.2",
            {"lead_departments_of_another_type": ("虚构示例企业",)},
            "不是政府部门而填作牵头部门的单位：虚构示例企业",
        ),
        ("R11", {"vice_chairs": 3}, "副理事长 3 家（应为 4–5 家）"),
        ("R12", {"secretariat_space": False, "secretariat_funding": False}, "缺少秘书处场地；缺少秘书处经费"),
        ("R13.3", {"annual_plan_year": 2025}, "年度工作计划为 2025 年（应有 2026 年的）"),
        ("R15", {"doctoral_authority": None}, "尚未登记：博士学位授予权（doctoral_authority）"),
        (
            "R22.1",
            {"enrolling_since": date(2023, 3, 3)},
            "连续招生起始日期 2023-03-03，满 2 年（应满 3 年）",
        ),
        (
            "R27.1",
            {"front_line_training_percent": 59},
            "教育培训经费用于一线职工的比例 59 %（应为不少于 60 %）",
        ),
    ],
)
def test_a_finding_says_what_is_there_and_what_should_be(rule: str, changed: dict[str, Any], zh: str) -> None:
    assert said(rule, changed).zh == zh


@pytest.mark.parametrize("pair", ["vice_chairs", "goal_years"])
def test_a_threshold_that_no_number_reaches_is_refused(pair: str) -> None:
    least, most = f"{pair}_least", f"{pair}_most"
    assert limits({least: limits({})[most]})[least] == limits({})[most]
    with pytest.raises(ValueError, match=f"{least} > {most}"):
        limits({least: limits({})[most] + 1})
    with pytest.raises(ValueError, match=f"{least} > {most}"):
        limits({most: limits({})[least] - 1})


def test_the_plan_of_a_year_holds_until_its_last_day() -> None:
    assert said("R13.3", today=date(2026, 12, 31)).verdict is SATISFIED
    assert said("R13.3", today=date(2027, 1, 1)).verdict is VIOLATED
    assert said("R13.3", {"annual_plan_year": 2027}, today=date(2027, 1, 1)).verdict is SATISFIED


def test_what_is_encouraged_or_meant_in_principle_hinders_nothing() -> None:
    weak = {rule.id: rule.severity for rule in RULES if rule.severity is not Severity.REQUIRED}
    assert weak == {
        "R10.3": Severity.IN_PRINCIPLE,
        "R17": Severity.ENCOURAGED,
        "R20.2": Severity.IN_PRINCIPLE,
        "R24.2": Severity.ENCOURAGED,
        "R24.3": Severity.ENCOURAGED,
        "R27.2": Severity.IN_PRINCIPLE,
        "R27.3": Severity.ENCOURAGED,
    }


def members(*held: tuple[int, MemberRole, int]) -> tuple[Member, ...]:
    """So many members of a role and a type, each a unit of its own."""

    def every() -> Iterator[Member]:
        for count, role, org_type in held:
            for number in range(count):
                yield Member(f"organizations/{role}-{org_type}-{number}", org_type, frozenset({role, PARTICIPANT}))

    return tuple(every())


def test_nobody_is_known_to_be_nobody() -> None:
    nobody = of_members(())
    assert {name for name, value in nobody.items() if value not in (0, ())} == set()
    assert finding(BY_ID["R11"], min(BY_ID["R11"].stages), Facts(TODAY, nobody), limits({})).verdict is VIOLATED


@pytest.mark.parametrize("role", LEADS)
@pytest.mark.parametrize("org_type", range(1, 16))
def test_a_lead_is_of_its_type(role: MemberRole, org_type: int) -> None:
    vocational = {OrgType.HIGHER_VOCATIONAL, OrgType.VOCATIONAL_UNDERGRADUATE, OrgType.SECONDARY_VOCATIONAL}
    right = vocational if role is MemberRole.LEAD_VOCATIONAL else {LEADS[role]}
    held = members(*((1, one, org_type if one is role else kind) for one, kind in LEADS.items()))
    found = finding(BY_ID["R14"], min(BY_ID["R14"].stages), Facts(TODAY, of_members(held)), limits({}))
    assert found.verdict is (SATISFIED if org_type in right else VIOLATED)


def test_a_second_lead_of_a_wrong_type_is_one_too_many() -> None:
    held = members(*((1, role, kind) for role, kind in LEADS.items()), (1, MemberRole.LEAD_UNIVERSITY, OrgType.ENTERPRISE))
    found = of_members(held)
    assert (found["lead_universities"], found["lead_universities_of_the_type"]) == (2, 1)


@pytest.mark.parametrize(
    ("org_type", "leads"),
    [
        (OrgType.UNIVERSITY, 1),
        (OrgType.HIGHER_VOCATIONAL, 1),
        (OrgType.VOCATIONAL_UNDERGRADUATE, 1),
        (OrgType.SECONDARY_VOCATIONAL, 0),
        (OrgType.ENTERPRISE, 0),
    ],
)
@pytest.mark.parametrize("role", [MemberRole.LEAD_UNIVERSITY, MemberRole.LEAD_VOCATIONAL])
def test_a_consortium_is_led_by_an_undergraduate_or_higher_vocational_institution(
    org_type: OrgType, leads: int, role: MemberRole
) -> None:
    assert of_members(members((1, role, org_type)))["higher_education_leads"] == leads


def test_a_chair_and_a_vice_chair_are_two_and_a_task_force_is_no_secretariat() -> None:
    def council(*roles: int, org_type: int = OrgType.ENTERPRISE) -> dict[str, Value]:
        return of_members([Member("单位", org_type, frozenset(roles))])

    both = council(MemberRole.CHAIR, MemberRole.VICE_CHAIR, MemberRole.SECRETARIAT)
    assert both["chairs_that_are_vice_chairs"] == ("单位",)
    assert council(MemberRole.VICE_CHAIR, MemberRole.SECRETARIAT)["chairs_that_are_vice_chairs"] == ()
    assert both["secretariats_that_are_task_forces"] == ()
    task_force = council(MemberRole.SECRETARIAT, org_type=OrgType.TASK_FORCE)
    assert task_force["secretariats_that_are_task_forces"] == ("单位",)
    assert council(MemberRole.VICE_CHAIR, org_type=OrgType.TASK_FORCE)["secretariats_that_are_task_forces"] == ()


def test_members_are_counted_by_what_they_are() -> None:
    found = of_members(
        [
            Member("organizations/a", OrgType.ENTERPRISE, frozenset({PARTICIPANT}), "11", verified=True),
            Member("organizations/b", OrgType.ENTERPRISE, frozenset({PARTICIPANT}), "12"),
            Member("organizations/c", OrgType.PARK, frozenset({PARTICIPANT}), "11"),
            Member("organizations/d", OrgType.PARK_COMMITTEE, frozenset({PARTICIPANT})),
        ]
    )
    assert (found["enterprises"], found["unverified_enterprises"]) == (2, ("organizations/b",))
    assert (found["parks"], found["provinces"]) == (2, 2)
    assert found["members_without_region"] == ("organizations/d",)
