"""Registry: how a rule comes to its verdict, whatever it asks."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.registry.v1 import application_pb2, body_pb2
from registry.domain.conditions import Condition, Happened, Is, Named, Nothing, Number, ThisYear, Years, full_years
from registry.domain.facts import FACTS, Facts, Value, of_members, turns
from registry.domain.limits import DEFAULTS, limits
from registry.domain.names import BodyKind, Programme, Severity, Stage, Verdict
from registry.domain.policy import RULES, Rule, of_kind, of_programme
from registry.domain.rules import after_the_end, check, finding, thresholds
from registry.judging import open_findings

TODAY = date(2026, 3, 2)
LIMITS = limits({})
SATISFIED, VIOLATED, UNKNOWN = Verdict.SATISFIED, Verdict.VIOLATED, Verdict.CANNOT_BE_TOLD
RANK = {VIOLATED: 0, UNKNOWN: 1, SATISFIED: 2}
STAFF, SPACE, FUNDING = "secretariat_full_time_staff", "secretariat_space", "secretariat_funding"
TASK_FORCES = "secretariats_that_are_task_forces"
R12, R11 = (next(rule for rule in RULES if rule.id == name) for name in ("R12", "R11"))
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def values(condition: Condition) -> st.SearchStrategy[Value]:
    """What a fact can be, on both sides of what is asked."""
    match condition:
        case Is():
            return st.booleans()
        case Number():
            return st.integers(0, 101)
        case Happened() | Years():
            return st.dates(TODAY - timedelta(days=2000), TODAY + timedelta(days=400))
        case ThisYear():
            return st.integers(2024, 2028)
        case Named():
            return st.sampled_from([*condition.among, "别的"])
        case Nothing():
            return st.sampled_from([(), ("虚构示例",)])
    raise AssertionError(condition)


def helping(condition: Condition) -> st.SearchStrategy[Value]:
    """What of that is what the clause asks for, the bound itself among the first; said here, and not asked of `holds`."""
    match condition:
        case Is():
            return st.just(True)
        case Number():
            least, most = condition._bounds(LIMITS)
            lowest, highest = least or 0, 101 if most is None else most
            return st.sampled_from([lowest, highest]) | st.integers(lowest, highest)
        case Happened():
            return st.just(TODAY) | st.dates(TODAY - timedelta(days=2000), TODAY)
        case Years():
            full = TODAY.replace(year=TODAY.year - LIMITS[condition.least])
            return st.just(full) | st.dates(full - timedelta(days=2000), full)
        case ThisYear():
            return st.sampled_from([TODAY.year, TODAY.year + 1])
        case Named():
            return st.sampled_from(condition.among or ("别的",))
        case Nothing():
            return st.just(())
    raise AssertionError(condition)


@st.composite
def known(draw: st.DrawFn, rule: Rule) -> dict[str, Value]:
    """Some of the facts that a rule looks at."""
    return {one.fact: draw(values(one)) for one in (*rule.conditions, *rule.when) if draw(st.booleans())}


def said(rule: Rule, facts: dict[str, Value]) -> Verdict:
    return finding(rule, min(rule.stages), Facts(TODAY, facts), LIMITS).verdict


@each_rule
@given(data=st.data())
def test_a_fact_that_helps_never_hurts(rule: Rule, data: st.DataObject) -> None:
    """Whatever else is known: one fact more that is as the clause asks for leaves the verdict or betters it."""
    before = data.draw(known(rule))
    before |= {one.fact: data.draw(helping(one)) for one in rule.when}
    helps = data.draw(st.sampled_from(rule.conditions))
    assert RANK[said(rule, {**before, helps.fact: data.draw(helping(helps))})] >= RANK[said(rule, before)]


@each_rule
@given(data=st.data())
def test_a_rule_is_violated_on_what_is_known_only(rule: Rule, data: st.DataObject) -> None:
    """Unknown facts are named, and make a verdict neither good nor bad where they could turn it."""
    facts = data.draw(known(rule))
    facts |= {one.fact: data.draw(helping(one)) for one in rule.when}
    found = finding(rule, min(rule.stages), Facts(TODAY, facts), LIMITS)
    held = [one.holds(Facts(TODAY, facts), LIMITS) for one in rule.conditions]
    unknown = [FACTS[one.fact] for one, holds in zip(rule.conditions, held, strict=True) if holds is None]
    assert set(found.missing) == {name for one in unknown for name in one.entered_as}
    if rule.any_is_enough:
        expected = SATISFIED if True in held else UNKNOWN if None in held else VIOLATED
    else:
        expected = VIOLATED if False in held else UNKNOWN if None in held else SATISFIED
    assert found.verdict is expected
    assert found.seen.keys() == facts.keys()
    assert bool(found.fix[0]) is (found.verdict in (VIOLATED, UNKNOWN))


@each_rule
@given(data=st.data())
def test_every_finding_speaks_both_languages(rule: Rule, data: st.DataObject) -> None:
    for stage in Stage:
        found = finding(rule, stage, Facts(TODAY, data.draw(known(rule))), LIMITS)
        assert found.zh
        assert not found.zh.isascii()
        assert re.search("[a-z]{2}", found.en)
        assert all(isinstance(text, str) for text in found.seen.values())


@each_rule
def test_a_rule_is_looked_at_in_its_stages_only(rule: Rule) -> None:
    for stage in set(Stage) - rule.stages:
        assert finding(rule, stage, Facts(TODAY), LIMITS).verdict is Verdict.NOT_APPLICABLE


@each_rule
def test_a_rule_names_facts_and_thresholds_that_there_are(rule: Rule) -> None:
    assert set(rule.evidence) <= set(FACTS)
    assert set(thresholds(rule)) <= set(DEFAULTS)
    assert rule.clause.startswith(("S0", "S1", "S2", "S3", "S4"))
    assert all(rule.title)
    assert all(rule.fix)


def test_every_requirement_has_its_rules_and_every_threshold_its_rule() -> None:
    assert sorted({int(rule.id[1:].partition(".")[0]) for rule in RULES}) == list(range(10, 29))
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert {name for rule in RULES for name in thresholds(rule)} == set(DEFAULTS)
    assert {name for rule in RULES for name in rule.evidence} == set(FACTS)


def test_kinds_have_the_rules_of_their_document() -> None:
    documents = {
        BodyKind.ALLIANCE: "S0",
        BodyKind.CONSORTIUM: "S1",
        BodyKind.COMMUNITY: "S2",
        BodyKind.PILOT_UNIT: "S4",
        BodyKind.SUPPORT_UNIT: "S4",
    }
    for kind in BodyKind:
        found = check(of_kind(kind), Stage.FORMING, Facts(TODAY), LIMITS)
        assert {one.clause[:2] for one in found} == ({documents[kind]} if kind in documents else set())
    assert {programme.name: [rule.id for rule in rules] for programme in Programme if (rules := of_programme(programme))} == {
        "CERTIFICATION": ["R27.1"],
        "PERFORMANCE": ["R27.3"],
        "MAJOR_ADJUSTMENT": ["R26", "R27.2"],
        "EMPLOYEE_INTAKE": ["R28"],
    }


@pytest.mark.parametrize(
    ("since", "today", "years"),
    [
        (date(2023, 3, 2), date(2026, 3, 2), 3),
        (date(2023, 3, 3), date(2026, 3, 2), 2),
        (date(2024, 2, 29), date(2027, 2, 28), 2),
        (date(2024, 2, 29), date(2027, 3, 1), 3),
        (date(2024, 2, 29), date(2028, 2, 29), 4),
        (date(2026, 3, 2), date(2026, 3, 2), 0),
    ],
)
def test_years_are_full_on_their_day(since: date, today: date, years: int) -> None:
    assert full_years(since, today) == years


def test_a_threshold_can_be_set_and_the_verdict_says_so() -> None:
    three = Facts(TODAY, {"chairs": 1, "vice_chairs": 3, "chairs_that_are_vice_chairs": ()})
    by_the_clause = finding(R11, Stage.STANDING, three, LIMITS)
    ours = finding(R11, Stage.STANDING, three, limits({"vice_chairs_least": 3, "secretariat_staff": 9}))
    assert (by_the_clause.verdict, by_the_clause.version) == (VIOLATED, "2")
    assert (ours.verdict, ours.version) == (SATISFIED, "2 vice_chairs_least=3")


@pytest.mark.parametrize("wrong", [{"vice_chair_least": 3}, {"secretariat_staff": -1}])
def test_a_threshold_that_there_is_not_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        limits(wrong)


@pytest.mark.parametrize(
    ("severity", "verdict", "hinders", "is_open"),
    [
        (Severity.REQUIRED, VIOLATED, True, True),
        (Severity.REQUIRED, UNKNOWN, False, True),
        (Severity.REQUIRED, SATISFIED, False, False),
        (Severity.IN_PRINCIPLE, VIOLATED, False, True),
        (Severity.IN_PRINCIPLE, UNKNOWN, False, True),
        (Severity.ENCOURAGED, VIOLATED, False, False),
        (Severity.ENCOURAGED, UNKNOWN, False, False),
    ],
)
def test_only_what_is_required_hinders_and_what_is_encouraged_stays_not_open(
    severity: Severity, verdict: Verdict, hinders: bool, is_open: bool
) -> None:
    facts: dict[Verdict, dict[str, Any]] = {
        VIOLATED: {"secretariats": 0},
        UNKNOWN: {"secretariats": 1},
        SATISFIED: {"secretariats": 1, TASK_FORCES: (), STAFF: 1, SPACE: True, FUNDING: True},
    }
    found = finding(replace(R12, severity=severity), Stage.FORMING, Facts(TODAY, facts[verdict]), LIMITS)
    assert (found.verdict, found.hinders, found.is_open) == (verdict, hinders, is_open)


@pytest.mark.parametrize(
    ("rule", "severity", "facts", "suspends"),
    [
        ("R22.1", Severity.REQUIRED, {}, True),
        ("R22.1", Severity.REQUIRED, {"enrolling_since": TODAY}, False),
        ("R22.1", Severity.REQUIRED, {"enrolling_since": date(2020, 9, 1)}, False),
        ("R22.1", Severity.IN_PRINCIPLE, {}, False),
        ("R22.1", Severity.ENCOURAGED, {}, False),
        ("R18.2", Severity.REQUIRED, {}, False),
    ],
)
def test_a_decision_waits_for_what_is_required_at_admission_and_cannot_be_told(
    rule: str, severity: Severity, facts: dict[str, Value], suspends: bool
) -> None:
    asked = replace(next(one for one in RULES if one.id == rule), severity=severity)
    assert finding(asked, Stage.FORMING, Facts(TODAY, facts), LIMITS).suspends is suspends


@each_rule
def test_what_cannot_be_told_says_which_facts_to_enter_and_how(rule: Rule) -> None:
    always_known: dict[str, Value] = {**of_members([]), "is_vocational_school": True, "parks": 1}
    found = finding(rule, min(rule.stages), Facts(TODAY, always_known), LIMITS)
    holder = application_pb2.Application() if Stage.SUBMITTING in rule.stages else body_pb2.Body()
    kinds = [getattr(holder, kind.name).DESCRIPTOR.fields_by_name for kind in holder.DESCRIPTOR.oneofs_by_name["facts"].fields]
    for text in found.fix if found.verdict is UNKNOWN else ():
        assert f"alliance {'application' if Stage.SUBMITTING in rule.stages else 'body'} update" in text
        assert all(f"--fact {name}=…" in text or name == "region_code" for name in found.missing)
        assert all(any(name in kind for kind in kinds) for name in re.findall(r"--fact (\w+)", text))
    assert found.verdict is not UNKNOWN or found.missing


def test_what_is_entered_for_the_region_is_no_fact() -> None:
    found = finding(next(one for one in RULES if one.id == "R19.4"), Stage.FORMING, Facts(TODAY), LIMITS)
    assert "--region … --fact industry_code=…" in found.fix[0]


@pytest.mark.parametrize(
    ("fact", "value", "zh", "en"),
    [
        ("is_institution", False, "申报单位不是已核验的院校", "the applicant is no verified educational institution"),
        ("is_institution", True, "申报单位为已核验的院校", "the applicant is a verified educational institution"),
        ("fits_regional_plan", False, "专业不符合地区产业规划布局", "the major does not fit the regional industrial plan"),
        ("venue", False, "缺少场地", "no venue"),
        ("venue", True, "有场地", "venue"),
    ],
)
def test_what_is_found_of_a_sentence_is_a_sentence_and_of_a_thing_whether_it_is_there(
    fact: str, value: bool, zh: str, en: str
) -> None:
    assert Is(fact).found(Facts(TODAY, {fact: value}), LIMITS) == (zh, en)


def test_what_is_violated_or_cannot_be_told_stays_open_with_its_verdict() -> None:
    message = body_pb2.Body()
    cases: tuple[tuple[dict[str, Value], list[tuple[str, Any]]], ...] = (
        ({"chairs": 1, "vice_chairs": 4, "chairs_that_are_vice_chairs": ()}, []),
        ({"chairs": 1, "vice_chairs": 3}, [("R11", body_pb2.VERDICT_VIOLATED)]),
        ({"chairs": 1}, [("R11", body_pb2.VERDICT_CANNOT_BE_TOLD)]),
    )
    for facts, expected in cases:
        open_findings(message, [finding(R11, Stage.STANDING, Facts(TODAY, facts), LIMITS)])
        assert [(one.rule, one.verdict) for one in message.open_findings] == expected


@pytest.mark.parametrize(
    ("named", "after", "until", "expected"),
    [
        ([date(2026, 3, 2)], date(2026, 3, 1), date(2026, 3, 2), [date(2026, 3, 2)]),
        ([date(2026, 3, 2)], date(2026, 3, 2), date(2026, 3, 9), []),
        ([date(2026, 3, 3)], date(2026, 3, 1), date(2026, 3, 2), []),
        ([date(2023, 3, 2)], date(2026, 3, 1), date(2026, 3, 2), [date(2026, 3, 2)]),
        ([date(2024, 2, 29)], date(2026, 2, 27), date(2026, 3, 1), [date(2026, 3, 1)]),
        ([date(2024, 2, 29)], date(2028, 2, 27), date(2028, 3, 1), [date(2028, 2, 29)]),
        ([], date(2026, 12, 31), date(2027, 1, 1), [date(2027, 1, 1)]),
        ([], date(2026, 1, 1), date(2026, 12, 31), []),
        ([date(2020, 5, 5)], date(2024, 12, 1), date(2026, 1, 1), [date(2025, 1, 1), date(2025, 5, 5), date(2026, 1, 1)]),
    ],
)
def test_a_verdict_turns_on_named_days_their_years_and_new_year(
    named: list[date], after: date, until: date, expected: list[date]
) -> None:
    assert turns(named, after, until) == expected


@each_rule
@given(data=st.data())
def test_no_verdict_turns_on_another_day(rule: Rule, data: st.DataObject) -> None:
    facts = data.draw(known(rule))
    day = data.draw(st.dates(TODAY - timedelta(days=800), TODAY + timedelta(days=800)))
    yesterday = day - timedelta(days=1)
    named = [value for value in facts.values() if isinstance(value, date)]
    if not turns(named, yesterday, day):
        was, is_now = (finding(rule, min(rule.stages), Facts(one, facts), LIMITS).verdict for one in (yesterday, day))
        assert was is is_now


def test_after_the_end_every_rule_says_when_and_why() -> None:
    (found,) = after_the_end([R11], date(2026, 3, 2), "合并", limits({"vice_chairs_least": 3}))
    assert (found.rule, found.version, found.verdict) == ("R11", "2 vice_chairs_least=3", Verdict.NOT_APPLICABLE)
    assert found.zh == "组织已于 2026-03-02 解散，此后不再适用；原因：合并"
    assert found.en == "the body was dissolved on 2026-03-02, and it applies no more; reason: 合并"
    assert (found.fix, found.is_open, found.hinders) == (("", ""), False, False)
    assert "原因" not in after_the_end([R11], date(2026, 3, 2), "", LIMITS)[0].zh
