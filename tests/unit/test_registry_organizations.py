"""Registry: what may be written of organizations, bodies and grants."""

from datetime import date
from typing import Any

import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2, body_pb2, grant_pb2, organization_pb2
from registry.domain import industry
from registry.domain.facts import FACTS
from registry.domain.names import WITHOUT_CODE
from registry.mapping.bodies import FACTS_OF, body_problems, entered, tidy
from registry.mapping.checks import coded
from registry.mapping.grants import grant_problems
from registry.mapping.organizations import organization_problems, parent_problems
from tests.unit.test_registry_credit_code import EXAMPLE

ENTERPRISE, TASK_FORCE = organization_pb2.ORG_TYPE_ENTERPRISE, organization_pb2.ORG_TYPE_TASK_FORCE
ALLIANCE, COMMUNITY = body_pb2.BODY_KIND_ALLIANCE, body_pb2.BODY_KIND_COMMUNITY
PLATFORM, OF_ORGANIZATION, OF_BODY = "platform", "organization", "body"
SCOPES: dict[str, dict[str, str]] = {
    PLATFORM: {},
    OF_ORGANIZATION: {"organization": "organizations/a"},
    OF_BODY: {"body": "bodies/a"},
}


def organization(**fields: Any) -> list[tuple[str, str]]:
    """What is wrong with an enterprise that has these fields."""
    given = organization_pb2.Organization(**{"display_name": "虚构示例企业", "org_type": ENTERPRISE, **fields})
    return [(problem.field, problem.rule) for problem in organization_problems(given)]


def body(**fields: Any) -> list[tuple[str, str]]:
    """What is wrong with an alliance that has these fields."""
    given = body_pb2.Body(**{"display_name": "虚构示例联盟", "kind": ALLIANCE, **fields})
    return [(problem.field, problem.rule) for problem in body_problems(given)]


def grant(**fields: Any) -> list[tuple[str, str]]:
    given = grant_pb2.Grant(**{"principal": "someone", **fields})
    return [(problem.field, problem.rule) for problem in grant_problems(given)]


@pytest.mark.parametrize(
    ("principal", "right"),
    [
        ("13712340987", False),
        ("p-+86 137 1234 0987", False),
        ("someone@example.com", False),
        ("11010519491231002X", False),
        ("wangxiaoming", True),
        ("auth0|5f7c8ec7c33c6c004bbafe82", True),
        ("9ccf9898-f7cb-4224-aae5-c17785473840", True),  # its digits look like a mobile number; it is random
        ("108203948576102938475", True),
    ],
)
def test_a_principal_is_the_identity_providers_and_says_nothing_of_a_person(principal: str, right: bool) -> None:
    given = grant_pb2.Grant(principal=principal, role=access_pb2.ROLE_PLATFORM_OPERATOR)
    found = grant_problems(given)
    assert [(one.field, one.rule) for one in found] == ([] if right else [("grant.principal", "personal-data")])
    assert all("sub" in one.zh and "sub" in one.en and principal not in one.zh for one in found)


@pytest.mark.parametrize("check", [organization, body])
@pytest.mark.parametrize(("length", "right"), [(0, False), (1, False), (2, True), (200, True), (201, False)])
def test_a_name_has_two_to_two_hundred_characters(check: Any, length: int, right: bool) -> None:
    assert check(display_name="虚" * length) == ([] if right else [("display_name", "length")])


@pytest.mark.parametrize("check", [organization, body])
@pytest.mark.parametrize(("length", "right"), [(0, True), (128, True), (129, False)])
def test_an_external_key_has_at_most_128_characters(check: Any, length: int, right: bool) -> None:
    assert check(external_key="k" * length) == ([] if right else [("external_key", "length")])


@pytest.mark.parametrize(
    ("key", "right"), [("91110108MA01ABCD2E", True), ("QY-2026-0001", True), ("110105194912310021", False)]
)
def test_an_external_key_is_no_persons_number(key: str, right: bool) -> None:
    for check in (organization, body):
        assert check(external_key=key) == ([] if right else [("external_key", "personal-data")])


def test_blanks_are_no_name() -> None:
    assert organization(display_name="  虚  ") == [("display_name", "length")]


@pytest.mark.parametrize("check", [organization, body])
def test_a_name_is_one_line(check: Any) -> None:
    assert check(display_name="虚构\n示例") == [("display_name", "one-line")]


@pytest.mark.parametrize("org_type", [0, 16])
def test_a_type_is_one_of_the_contract(org_type: int) -> None:
    assert organization(org_type=org_type) == [("org_type", "required")]


@pytest.mark.parametrize("org_type", range(1, 16))
def test_what_is_no_legal_person_has_a_parent_and_no_code(org_type: int) -> None:
    given: dict[str, Any] = {"org_type": org_type}
    bare = org_type in WITHOUT_CODE
    assert organization(**given) == ([("parent", "parent-required")] if bare else [])
    assert organization(**given, parent="organizations/a") == []
    coded = organization(**given, parent="organizations/a", credit_code=EXAMPLE)
    assert coded == ([("credit_code", "no-code")] if bare else [])


FITTING = {
    TASK_FORCE: {"GOV_DEPARTMENT", "PARK_COMMITTEE"},
    organization_pb2.ORG_TYPE_SECONDARY_COLLEGE: {"UNIVERSITY", "HIGHER_VOCATIONAL", "VOCATIONAL_UNDERGRADUATE"},
}


@pytest.mark.parametrize("org_type", organization_pb2.OrgType.values()[1:])
@pytest.mark.parametrize("parent_type", organization_pb2.OrgType.values()[1:])
def test_a_parent_is_of_a_type_that_fits(org_type: Any, parent_type: Any) -> None:
    given = organization_pb2.Organization(org_type=org_type)
    named = organization_pb2.OrgType.Name(parent_type).removeprefix("ORG_TYPE_")
    right = org_type not in FITTING or named in FITTING[org_type]
    found = [(problem.field, problem.rule) for problem in parent_problems(given, parent_type)]
    assert found == ([] if right else [("parent", "parent-type")])


INDUSTRY = "集成电路"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("", ""),
        ("集成电路 ", INDUSTRY),
        (" 集成\u3000电路", INDUSTRY),
        ("集 成\t电\n路", INDUSTRY),
        ("集成\u200b电路\ufeff", INDUSTRY),
        ("集成电路\ufe0f\u3164", INDUSTRY),
        ("人工智能 ＡＩ", "人工智能AI"),
        ("Artificial \u00a0Intelligence ", "Artificial Intelligence"),
        ("高端机器人", "高端机器人"),
    ],
)
def test_a_key_industry_has_one_form(written: str, plain: str) -> None:
    given = body_pb2.Body(kind=ALLIANCE, alliance={"key_industry": written})  # type: ignore[arg-type]
    tidy(given)
    assert given.alliance.key_industry == plain
    tidy(given)
    assert given.alliance.key_industry == plain


@pytest.mark.parametrize(
    ("written", "stem"),
    [
        ("集成电路", "集成电路"),
        ("集成电路产业", "集成电路"),
        ("集成电路行业", "集成电路"),
        ("集成电路领域", "集成电路"),
        ("集成电路产业领域", "集成电路"),
        ("集成电路装备", "集成电路装备"),
        ("产业互联网", "产业互联网"),
        ("AI产业", "ai"),
        ("产业", "产业"),
        ("集成电路产业行业领域", "集成电路"),
        ("集成电路产业链产业链产业", "集成电路"),
        ("重点产业：集成电路", "集成电路"),
        ("重点产业:集成电路产业", "集成电路"),
        ("集成电路（芯片）", "集成电路"),
        ("集成电路(芯片（设计）)产业", "集成电路"),
        ("“集成·电路”", "集成电路"),
        ("（集成电路）", "集成电路"),
        ("Artificial  Intelligence", "artificialintelligence"),
        ("北京集成电路", "北京集成电路"),
        ("集成电路链", "集成电路链"),
    ],
)
def test_what_names_an_industry_as_one_makes_no_other_industry(written: str, stem: str) -> None:
    assert industry.stem(written) == stem
    assert industry.plain(written).lower() in industry.writings(written)
    assert all(industry.stem(one) == stem for one in industry.writings(written))


@pytest.mark.parametrize("written", ["", "、", "产业", "重点产业"])
def test_a_name_of_nothing_but_such_words_stays(written: str) -> None:
    assert industry.stem(written) == written


def test_what_is_no_alliance_gets_no_facts_of_one() -> None:
    given = body_pb2.Body(kind=COMMUNITY, community={"industry_code": "6513"})  # type: ignore[arg-type]
    tidy(given)
    assert given.WhichOneof("facts") == "community"


def test_only_task_forces_and_secondary_colleges_have_no_code() -> None:
    assert {int(one) for one in WITHOUT_CODE} == {TASK_FORCE, organization_pb2.ORG_TYPE_SECONDARY_COLLEGE}


@pytest.mark.parametrize(("code", "right"), [("", True), (EXAMPLE, True), (EXAMPLE[:-1] + "4", False), ("1", False)])
def test_a_code_that_is_given_is_right(code: str, right: bool) -> None:
    assert organization(credit_code=code) == ([] if right else [("credit_code", "GB 32100")])


_BODY, _COMMUNITY = body_pb2.Body, body_pb2.CommunityFacts
_APPLICATION, _CHANGE = application_pb2.Application, application_pb2.MajorAdjustmentFacts
_MAJORS = "教育部专业目录"


@pytest.mark.parametrize(
    ("holder", "path", "typed", "code", "rule"),
    [
        *(
            (organization_pb2.Organization(region_code=typed), "region_code", typed, "110105", "GB/T 2260")
            for typed in ("110105", "110105 朝阳区", "朝阳区（110105）", "北京市朝阳区")
        ),
        *(
            (_BODY(community=_COMMUNITY(industry_code=typed)), "community.industry_code", typed, "39", "GB/T 4754")
            for typed in ("39", "C39", "计算机、通信和其他电子设备制造业", "39 计算机、通信和其他电子设备制造业")
        ),
        *(
            (_APPLICATION(major_adjustment=_CHANGE(major_code=typed)), "major_adjustment.major_code", typed, code, _MAJORS)
            for typed, code in (
                ("计算机科学与技术", "080901"),
                ("080901", "080901"),
                ("620501", "620501"),
                ("530701 电子商务", "530701"),
            )
        ),
        (organization_pb2.Organization(region_code="朝阳区"), "region_code", "朝阳区", "", "GB/T 2260"),
        (organization_pb2.Organization(region_code="110105 海淀区"), "region_code", "", "", "GB/T 2260"),
        (_BODY(region_code="火星"), "region_code", "", "", "GB/T 2260"),
        (_BODY(community=_COMMUNITY(industry_code="虚构业")), "community.industry_code", "", "", "GB/T 4754"),
        (_APPLICATION(major_adjustment=_CHANGE(major_code="电子商务")), "major_adjustment.major_code", "", "", _MAJORS),
        (_APPLICATION(major_adjustment=_CHANGE(major_code="计算机类")), "major_adjustment.major_code", "", "", _MAJORS),
    ],
)
def test_a_code_a_name_or_both_is_taken_and_the_code_kept(holder: Any, path: str, typed: str, code: str, rule: str) -> None:
    problems = coded(holder)
    if not code:
        (problem,) = problems
        assert (problem.field, problem.rule) == (path, rule)
        assert not problem.zh.isascii()
        assert problem.en
        return
    assert problems == []
    for name in path.split("."):
        holder = getattr(holder, name)
    assert holder == code


def test_an_industry_that_is_named_twice_is_kept_once() -> None:
    given = organization_pb2.Organization(industry_codes=["39", "计算机、通信和其他电子设备制造业", "6513"])
    assert coded(given) == []
    assert list(given.industry_codes) == ["39", "6513"]


@pytest.mark.parametrize(("count", "right"), [(0, True), (10, True), (11, False)])
def test_there_are_at_most_ten_industries(count: int, right: bool) -> None:
    assert organization(industry_codes=["6513"] * count) == ([] if right else [("industry_codes", "range")])


def test_codes_of_regions_and_industries_are_looked_up() -> None:
    assert organization(region_code="110000", industry_codes=["6513"]) == []
    wrong = [("region_code", "GB/T 2260"), ("industry_codes", "GB/T 4754")]
    assert organization(region_code="999999", industry_codes=["6513", "9999"]) == wrong


@pytest.mark.parametrize(
    ("kind", "facts"),
    [(kind, facts) for kind in body_pb2.BodyKind.values() if kind for facts in ("", *FACTS_OF.values())],
)
def test_facts_belong_to_the_kind_of_body(kind: int, facts: str) -> None:
    own = body_pb2.BodyKind.Name(kind).removeprefix("BODY_KIND_").lower()  # type: ignore[arg-type]
    given: dict[str, Any] = {facts: {}} if facts else {}
    assert body(kind=kind, **given) == ([] if facts in ("", own) else [(facts, "facts-kind")])


@pytest.mark.parametrize(("staff", "right"), [(-1, False), (0, True), (1, True)])
def test_persons_are_not_negative(staff: int, right: bool) -> None:
    wrong = [("alliance.secretariat_full_time_staff", "range")]
    assert body(alliance={"secretariat_full_time_staff": staff}) == ([] if right else wrong)


def test_facts_that_were_never_set_are_not_known() -> None:
    assert entered(body_pb2.Body(kind=ALLIANCE)) == entered(body_pb2.Body(kind=ALLIANCE, alliance={})) == {}  # type: ignore[arg-type]
    nothing = body_pb2.AllianceFacts(secretariat_full_time_staff=0, secretariat_space=False, charter_adopted_on="2026-03-02")
    assert entered(body_pb2.Body(kind=ALLIANCE, alliance=nothing)) == {
        "secretariat_full_time_staff": 0,
        "secretariat_space": False,
        "charter_adopted_on": date(2026, 3, 2),
    }


def test_every_fact_that_can_be_entered_is_one_that_a_rule_looks_at() -> None:
    """But for whom a body names: of these the register knows more."""
    named = {"task_force", "lead_departments", "institution", "college", "unit", "major_code", "call_year"}
    for kind in FACTS_OF.values():
        leaves = getattr(body_pb2.Body(), kind).DESCRIPTOR.fields
        assert {leaf.name for leaf in leaves} - named <= set(FACTS)


@pytest.mark.parametrize(
    ("kind", "fact", "wrong", "right", "rule"),
    [
        ("alliance", "charter_adopted_on", "2026-02-30", "2026-02-28", "ISO 8601"),
        ("alliance", "key_industry", "电话 13800138000", "虚构示例产业", "personal-data"),
        ("alliance", "key_industry", "业" * 101, "业" * 100, "length"),
        ("alliance", "full_councils_in_year", -1, 0, "range"),
        ("community", "founded_on", "昨天", "2026-03-01", "ISO 8601"),
        ("community", "industry_code", "C99", "39", "GB/T 4754"),
        ("community", "working_staff", -1, 0, "range"),
        ("consortium", "industry_code", "9999", "39", "GB/T 4754"),
        ("consortium", "goal_years", -3, 3, "range"),
        ("consortium", "park_leading_industry", "业" * 101, "业" * 100, "length"),
        ("pilot_unit", "major_code", "080901X", "080901", "教育部专业目录"),
        ("pilot_unit", "enrolling_since", "2023", "2023-09-01", "ISO 8601"),
        ("alliance", "annual_plan_year", 27, 2027, "range"),
        ("alliance", "annual_plan_year", 20270, 2000, "range"),
        ("pilot_unit", "call_year", -1, 2026, "range"),
        ("support_unit", "operating_since", "三年前", "2020-01-01", "ISO 8601"),
    ],
)
def test_a_fact_is_of_its_form(kind: str, fact: str, wrong: Any, right: Any, rule: str) -> None:
    number = body_pb2.BodyKind.Value(f"BODY_KIND_{kind.upper()}")
    assert body(kind=number, **{kind: {fact: right}}) == []
    assert body(kind=number, **{kind: {fact: wrong}}) == [(f"{kind}.{fact}", rule)]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (access_pb2.ROLE_PLATFORM_OPERATOR, {PLATFORM}),
        (access_pb2.ROLE_ORGANIZATION_ADMIN, {OF_ORGANIZATION}),
        (access_pb2.ROLE_ORGANIZATION_EDITOR, {OF_ORGANIZATION}),
        (access_pb2.ROLE_SECRETARIAT, {OF_BODY}),
        (access_pb2.ROLE_AUDITOR, {PLATFORM, OF_ORGANIZATION, OF_BODY}),
    ],
)
def test_a_role_is_granted_for_its_scope(role: int, scopes: set[str], scope: str) -> None:
    assert grant(role=role, **SCOPES[scope]) == ([] if scope in scopes else [("grant.role", "scope")])


@pytest.mark.parametrize("role", [access_pb2.ROLE_UNSPECIFIED, access_pb2.ROLE_SERVICE, 99])
@pytest.mark.parametrize("scope", SCOPES)
def test_other_roles_are_never_granted(role: int, scope: str) -> None:
    assert grant(role=role, **SCOPES[scope]) == [("grant.role", "role")]


def test_a_grant_has_one_scope() -> None:
    both = grant(role=access_pb2.ROLE_AUDITOR, **SCOPES[OF_BODY], **SCOPES[OF_ORGANIZATION])
    assert both == [("grant.body", "one-scope")]


@pytest.mark.parametrize(("length", "right"), [(0, False), (1, True), (128, True), (129, False)])
def test_a_principal_has_at_most_128_characters(length: int, right: bool) -> None:
    wrong = [("grant.principal", "required")]
    assert grant(principal="p" * length, role=access_pb2.ROLE_PLATFORM_OPERATOR) == ([] if right else wrong)


@pytest.mark.parametrize("principal", ["", " ", "\t"])
def test_a_principal_is_named(principal: str) -> None:
    assert grant(principal=principal, role=access_pb2.ROLE_PLATFORM_OPERATOR) == [("grant.principal", "required")]


@pytest.mark.parametrize(("count", "right"), [(0, True), (1, True), (2, True), (3, False)])
def test_at_most_two_departments_lead(count: int, right: bool) -> None:
    """S0 附件2: no. 3 and no. 6 have two."""
    facts = body_pb2.AllianceFacts(lead_departments=[f"organizations/{number}" for number in range(count)])
    assert body(alliance=facts) == ([] if right else [("alliance.lead_departments", "S0 附件2")])


def test_a_service_has_its_rights_without_a_grant() -> None:
    assert ("grant.principal", "service") in grant(principal="service:matching", role=access_pb2.ROLE_PLATFORM_OPERATOR)
