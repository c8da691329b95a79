"""Registry: R10–R14 on both sides of every boundary."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.registry.v1 import body_pb2
from registry.changes import open_findings
from registry.domain.names import BodyKind, MemberRole, OrgType, Verdict
from registry.domain.rules import RULES, Facts, Finding, Member, check

TODAY = date(2026, 3, 2)
SATISFIED, VIOLATED, UNKNOWN = Verdict.SATISFIED, Verdict.VIOLATED, Verdict.CANNOT_BE_TOLD
CHAIR, VICE, SECRETARIAT = MemberRole.CHAIR, MemberRole.VICE_CHAIR, MemberRole.SECRETARIAT
LEADS = {
    MemberRole.LEAD_ENTERPRISE: OrgType.ENTERPRISE,
    MemberRole.LEAD_UNIVERSITY: OrgType.UNIVERSITY,
    MemberRole.LEAD_VOCATIONAL: OrgType.HIGHER_VOCATIONAL,
}
PARK_COMMITTEE, PARTICIPANT = 1, 7


def members(*held: tuple[int, MemberRole, int]) -> tuple[Member, ...]:
    """So many members of a role and a type, each a unit of its own."""

    def every() -> Iterator[Member]:
        for count, role, org_type in held:
            for number in range(count):
                yield Member(f"organizations/{role}-{org_type}-{number}", org_type, frozenset({role, PARTICIPANT}))

    return tuple(every())


def council(chairs: int, vices: int) -> tuple[Member, ...]:
    return members((chairs, CHAIR, PARK_COMMITTEE), (vices, VICE, OrgType.ENTERPRISE), (1, SECRETARIAT, OrgType.ENTERPRISE))


WHOLE = Facts(
    today=TODAY,
    members=council(1, 4),
    key_industry="虚构示例产业",
    staff=1,
    space=True,
    funding=True,
    charter_adopted_on=TODAY,
    three_year_goals=True,
    plan_year=2026,
    councils=2,
)


def said(rule: str, facts: Facts, kind: BodyKind = BodyKind.ALLIANCE) -> Finding:
    (found,) = [finding for finding in check(kind, facts) if finding.rule == rule]
    return found


def verdict(rule: str, **changed: Any) -> Verdict:
    return said(rule, replace(WHOLE, **changed)).verdict


def test_every_rule_is_satisfied_where_everything_is_there() -> None:
    assert [(found.rule, found.verdict) for found in check(BodyKind.ALLIANCE, WHOLE)] == [
        (rule, SATISFIED) for rule in ("R10", "R11", "R12", "R13")
    ]


@pytest.mark.parametrize("kind", BodyKind)
def test_kinds_have_the_rules_of_their_document(kind: BodyKind) -> None:
    documents = {BodyKind.ALLIANCE: "S0", BodyKind.COMMUNITY: "S2"}
    found = check(kind, WHOLE)
    assert bool(found) == (kind in documents) == (kind in RULES)
    assert all(finding.clause.startswith(documents[kind]) for finding in found)


def test_r10_one_alliance_stands_for_a_key_industry() -> None:
    assert verdict("R10") is SATISFIED
    second = said("R10", replace(WHOLE, same_industry=("虚构示例联盟",)))
    assert second.verdict is VIOLATED
    assert "虚构示例联盟" in second.zh
    nameless = said("R10", replace(WHOLE, key_industry=""))
    assert (nameless.verdict, nameless.missing) == (UNKNOWN, ("key_industry",))


@pytest.mark.parametrize("chairs", range(3))
@pytest.mark.parametrize("vices", range(8))
def test_r11_a_council_has_one_chair_and_four_or_five_vice_chairs(chairs: int, vices: int) -> None:
    found = said("R11", replace(WHOLE, members=council(chairs, vices)))
    assert found.verdict is (SATISFIED if (chairs, vices) in {(1, 4), (1, 5)} else VIOLATED)
    assert found.seen == {"chairs": str(chairs), "vice_chairs": str(vices)}


def test_r11_an_empty_council_is_known_to_be_empty() -> None:
    assert verdict("R11", members=()) is VIOLATED


@pytest.mark.parametrize(
    ("changed", "expected", "missing"),
    [
        ({"staff": 1}, SATISFIED, ()),
        ({"staff": 0}, VIOLATED, ()),
        ({"staff": None}, UNKNOWN, ("secretariat_full_time_staff",)),
        ({"space": False}, VIOLATED, ()),
        ({"space": None}, UNKNOWN, ("secretariat_space",)),
        ({"funding": False}, VIOLATED, ()),
        ({"funding": None}, UNKNOWN, ("secretariat_funding",)),
        ({"staff": 0, "funding": None}, VIOLATED, ("secretariat_funding",)),
        (
            {"staff": None, "space": None, "funding": None},
            UNKNOWN,
            ("secretariat_full_time_staff", "secretariat_space", "secretariat_funding"),
        ),
    ],
)
def test_r12_a_secretariat_has_staff_space_and_funding(
    changed: dict[str, Any], expected: Verdict, missing: tuple[str, ...]
) -> None:
    found = said("R12", replace(WHOLE, **changed))
    assert (found.verdict, found.missing) == (expected, missing)


def test_r12_somebody_is_the_secretariat() -> None:
    without = tuple(member for member in WHOLE.members if SECRETARIAT not in member.roles)
    assert verdict("R12", members=without) is VIOLATED
    assert said("R12", replace(WHOLE, members=without)).seen == {"secretariats": "0"}


@pytest.mark.parametrize(
    ("changed", "expected", "missing"),
    [
        ({"charter_adopted_on": date(2020, 1, 1)}, SATISFIED, ()),
        ({"charter_adopted_on": None}, UNKNOWN, ("charter_adopted_on",)),
        ({"charter_adopted_on": TODAY}, SATISFIED, ()),
        ({"charter_adopted_on": TODAY + timedelta(days=1)}, VIOLATED, ()),
        ({"three_year_goals": False}, VIOLATED, ()),
        ({"three_year_goals": None}, UNKNOWN, ("three_year_goals",)),
        ({"plan_year": 2026}, SATISFIED, ()),
        ({"plan_year": 2025}, VIOLATED, ()),
        ({"plan_year": None}, UNKNOWN, ("annual_plan_year",)),
        ({"councils": 1}, VIOLATED, ()),
        ({"councils": 2}, SATISFIED, ()),
        ({"councils": 3}, SATISFIED, ()),
        ({"councils": 0}, VIOLATED, ()),
        ({"councils": None}, UNKNOWN, ("full_councils_in_year",)),
        ({"plan_year": 2025, "councils": None}, VIOLATED, ("full_councils_in_year",)),
    ],
)
def test_r13_charter_goals_plan_and_two_full_councils(
    changed: dict[str, Any], expected: Verdict, missing: tuple[str, ...]
) -> None:
    found = said("R13", replace(WHOLE, **changed))
    assert (found.verdict, found.missing) == (expected, missing)


def test_r13_the_plan_of_a_year_holds_until_its_last_day() -> None:
    assert verdict("R13", today=date(2026, 12, 31)) is SATISFIED
    assert verdict("R13", today=date(2027, 1, 1)) is VIOLATED
    assert verdict("R13", today=date(2027, 1, 1), plan_year=2027) is SATISFIED


@pytest.mark.parametrize("role", LEADS)
@pytest.mark.parametrize("count", range(4))
def test_r14_there_is_one_of_each_lead(role: MemberRole, count: int) -> None:
    held = members(*((count if one is role else 1, one, kind) for one, kind in LEADS.items()))
    found = said("R14", Facts(TODAY, held), BodyKind.COMMUNITY)
    assert found.verdict is (SATISFIED if count == 1 else VIOLATED)
    assert found.seen == {one.name.lower(): str(count if one is role else 1) for one in LEADS}


@pytest.mark.parametrize("role", LEADS)
@pytest.mark.parametrize("org_type", range(1, 16))
def test_r14_a_lead_is_of_its_type(role: MemberRole, org_type: int) -> None:
    vocational = {OrgType.HIGHER_VOCATIONAL, OrgType.VOCATIONAL_UNDERGRADUATE, OrgType.SECONDARY_VOCATIONAL}
    right = vocational if role is MemberRole.LEAD_VOCATIONAL else {LEADS[role]}
    held = members(*((1, one, org_type if one is role else kind) for one, kind in LEADS.items()))
    assert said("R14", Facts(TODAY, held), BodyKind.COMMUNITY).verdict is (SATISFIED if org_type in right else VIOLATED)


def test_r14_a_second_lead_of_a_wrong_type_is_one_too_many() -> None:
    held = members(*((1, role, kind) for role, kind in LEADS.items()), (1, MemberRole.LEAD_UNIVERSITY, OrgType.ENTERPRISE))
    found = said("R14", Facts(TODAY, held), BodyKind.COMMUNITY)
    assert found.verdict is VIOLATED
    assert "牵头高校现有 2 家（类型相符 1 家）" in found.zh


_maybe = st.none() | st.booleans()


@given(staff=st.none() | st.integers(0, 3), space=_maybe, funding=_maybe)
def test_a_rule_is_violated_on_what_is_known_only(staff: int | None, space: bool | None, funding: bool | None) -> None:
    held = [None if staff is None else staff > 0, space, funding]
    expected = VIOLATED if False in held else UNKNOWN if None in held else SATISFIED
    found = said("R12", replace(WHOLE, staff=staff, space=space, funding=funding))
    assert found.verdict is expected
    assert len(found.missing) == held.count(None)


@pytest.mark.parametrize("facts", [WHOLE, Facts(TODAY), replace(WHOLE, members=(), same_industry=("虚构示例联盟",))])
def test_every_finding_speaks_both_languages(facts: Facts) -> None:
    for kind in RULES:
        for found in check(kind, facts):
            assert not found.zh.isascii()
            assert found.en[:10].isascii()
            assert found.en
            assert all(isinstance(text, str) for text in found.seen.values())


def test_what_is_violated_or_cannot_be_told_stays_open_with_its_verdict() -> None:
    message = body_pb2.Body()
    unclear = check(BodyKind.ALLIANCE, replace(WHOLE, staff=None))
    open_findings(message, unclear)
    assert [(one.rule, one.verdict) for one in message.open_findings] == [("R12", body_pb2.VERDICT_CANNOT_BE_TOLD)]
    open_findings(message, check(BodyKind.ALLIANCE, replace(WHOLE, staff=0, members=council(1, 3), councils=None)))
    assert [(one.rule, one.verdict) for one in message.open_findings] == [
        ("R11", body_pb2.VERDICT_VIOLATED),
        ("R12", body_pb2.VERDICT_VIOLATED),
        ("R13", body_pb2.VERDICT_CANNOT_BE_TOLD),
    ]
    open_findings(message, check(BodyKind.ALLIANCE, WHOLE))
    assert not message.open_findings
