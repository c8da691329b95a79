"""What the founding policies ask of a body, one function a rule, and which rules hold for which kind.

A rule says *cannot be told* where a fact is missing, and *violated* only on what is known. The register's own list of
members is a known fact: a seat that nobody holds is an empty seat.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from registry.domain.names import BodyKind, MemberRole, OrgType, Verdict

VICE_CHAIRS = (4, 5)
COUNCILS_A_YEAR = 2
_VOCATIONAL = frozenset({OrgType.HIGHER_VOCATIONAL, OrgType.VOCATIONAL_UNDERGRADUATE, OrgType.SECONDARY_VOCATIONAL})


@dataclass(frozen=True)
class Member:
    """A membership that is valid on the day of the check."""

    organization: str
    org_type: int
    roles: frozenset[int]


@dataclass(frozen=True)
class Facts:
    """What is known of a body on the day of the check; None and "" mean: not known.

    Attributes:
        same_industry: other formed alliances of the same key industry.
        plan_year: year of the newest annual plan.
        councils: full council meetings in that year.
    """

    today: date
    members: tuple[Member, ...] = ()
    key_industry: str = ""
    same_industry: tuple[str, ...] = ()
    staff: int | None = None
    space: bool | None = None
    funding: bool | None = None
    charter_adopted_on: date | None = None
    three_year_goals: bool | None = None
    plan_year: int | None = None
    councils: int | None = None

    def holders(self, role: MemberRole) -> list[Member]:
        """Members that hold a role."""
        return [member for member in self.members if role in member.roles]


@dataclass(frozen=True)
class Finding:
    """What one rule says of one body; `seen` are the facts that it looked at, `missing` those that it did not find."""

    rule: str
    clause: str
    verdict: Verdict
    zh: str
    en: str
    seen: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


Judgement = tuple[Verdict, str, str, dict[str, str], tuple[str, ...]]


@dataclass(frozen=True)
class Rule:
    """A rule with the clause that it comes from."""

    id: str
    clause: str
    judge: Callable[[Facts], Judgement]

    def finding(self, facts: Facts) -> Finding:
        """What the rule says."""
        return Finding(self.id, self.clause, *self.judge(facts))


def _one_per_industry(facts: Facts) -> Judgement:
    seen = {"key_industry": facts.key_industry, "others": "、".join(facts.same_industry)}
    if not facts.key_industry:
        return _unknown("重点产业", "key industry", seen, ("key_industry",))
    if facts.same_industry:
        named = "、".join(facts.same_industry)
        return (
            Verdict.VIOLATED,
            f"重点产业“{facts.key_industry}”已有产教联盟：{named}；一个重点产业只建一个联盟",
            f"the key industry has an alliance already: {named}; there is one for each",
            seen,
            (),
        )
    return Verdict.SATISFIED, "该重点产业尚无其他联盟", "no other alliance for this key industry", seen, ()


def _council(facts: Facts) -> Judgement:
    chairs, vices = len(facts.holders(MemberRole.CHAIR)), len(facts.holders(MemberRole.VICE_CHAIR))
    seen = {"chairs": str(chairs), "vice_chairs": str(vices)}
    least, most = VICE_CHAIRS
    if chairs == 1 and least <= vices <= most:
        return Verdict.SATISFIED, f"理事长 1 家、副理事长 {vices} 家", f"1 chair, {vices} vice chairs", seen, ()
    return (
        Verdict.VIOLATED,
        f"理事会应有理事长 1 家、副理事长 {least}–{most} 家；现有理事长 {chairs} 家、副理事长 {vices} 家，请调整成员角色",
        f"a council has 1 chair and {least} to {most} vice chairs; this one has {chairs} and {vices}: mend the members' roles",
        seen,
        (),
    )


def _secretariat(facts: Facts) -> Judgement:
    holders = facts.holders(MemberRole.SECRETARIAT)
    seen = {"secretariats": str(len(holders))}
    if not holders:
        return (
            Verdict.VIOLATED,
            "没有单位承担秘书处；请为一家成员设置秘书处角色",
            "no member is the secretariat; give one this role",
            seen,
            (),
        )
    return _all_of(
        {
            "secretariat_full_time_staff": (
                _known(facts.staff, facts.staff and facts.staff > 0),
                "专职人员",
                "full-time staff",
            ),
            "secretariat_space": (facts.space, "场地", "space"),
            "secretariat_funding": (facts.funding, "经费", "funding"),
        },
        seen,
    )


def _documents(facts: Facts) -> Judgement:
    year, charter = facts.today.year, facts.charter_adopted_on
    return _all_of(
        {
            "charter_adopted_on": (_known(charter, charter is not None and charter <= facts.today), "章程", "charter"),
            "three_year_goals": (facts.three_year_goals, "近三年规划目标和任务清单", "three-year goals and task list"),
            "annual_plan_year": (
                _known(facts.plan_year, facts.plan_year and facts.plan_year >= year),
                f"{year} 年度工作计划",
                f"annual plan of {year}",
            ),
            "full_councils_in_year": (
                _known(facts.councils, facts.councils and facts.councils >= COUNCILS_A_YEAR),
                f"每年 {COUNCILS_A_YEAR} 次全体理事会",
                f"{COUNCILS_A_YEAR} full councils a year",
            ),
        },
        {},
    )


def _three_leads(facts: Facts) -> Judgement:
    leads = {
        "lead_enterprise": (MemberRole.LEAD_ENTERPRISE, frozenset({OrgType.ENTERPRISE}), "牵头企业", "lead enterprise"),
        "lead_university": (MemberRole.LEAD_UNIVERSITY, frozenset({OrgType.UNIVERSITY}), "牵头高校", "lead university"),
        "lead_vocational": (MemberRole.LEAD_VOCATIONAL, _VOCATIONAL, "牵头职业学校", "lead vocational school"),
    }
    seen, wrong_zh, wrong_en = {}, [], []
    for name, (role, types, zh, en) in leads.items():
        holders = facts.holders(role)
        right = [holder for holder in holders if holder.org_type in types]
        seen[name] = str(len(right))
        if len(right) != 1 or len(holders) != 1:
            wrong_zh.append(f"{zh}现有 {len(holders)} 家（类型相符 {len(right)} 家）")
            wrong_en.append(f"{en}: {len(holders)} ({len(right)} of the right type)")
    if wrong_zh:
        return (
            Verdict.VIOLATED,
            f"应有牵头企业、牵头高校、牵头职业学校各 1 家；{'；'.join(wrong_zh)}",
            f"there is 1 of each lead; here {'; '.join(wrong_en)}",
            seen,
            (),
        )
    return Verdict.SATISFIED, "牵头企业、高校、职业学校各 1 家", "1 lead of each", seen, ()


RULES: Mapping[BodyKind, tuple[Rule, ...]] = {
    BodyKind.ALLIANCE: (
        Rule("R10", "S0 一, 附件2", _one_per_industry),
        Rule("R11", "S0 附件1 一", _council),
        Rule("R12", "S0 二, 附件1 二(一)", _secretariat),
        Rule("R13", "S0 附件1 二(一)", _documents),
    ),
    BodyKind.COMMUNITY: (Rule("R14", "S2 一", _three_leads),),
}
"""The rules of each kind; a kind that is not here can be a draft and no more."""


def check(kind: BodyKind, facts: Facts) -> list[Finding]:
    """What every rule of the kind says, in the order of their ids."""
    return [rule.finding(facts) for rule in RULES.get(kind, ())]


def _known(fact: object, holds: object) -> bool | None:
    return None if fact is None else bool(holds)


def _all_of(parts: Mapping[str, tuple[bool | None, str, str]], seen: dict[str, str]) -> Judgement:
    """All parts have to hold: violated where one does not, not to be told where one is not known."""
    seen = {**seen, **{name: "" if holds is None else str(holds).lower() for name, (holds, _, _) in parts.items()}}
    absent = [(zh, en) for holds, zh, en in parts.values() if holds is False]
    missing = tuple(name for name, (holds, _, _) in parts.items() if holds is None)
    if absent:
        return (
            Verdict.VIOLATED,
            f"缺少：{'、'.join(zh for zh, _ in absent)}；请补齐后再检查",
            f"not there: {', '.join(en for _, en in absent)}; provide it and check again",
            seen,
            missing,
        )
    if missing:
        unknown = [(zh, en) for holds, zh, en in parts.values() if holds is None]
        return _unknown("、".join(zh for zh, _ in unknown), ", ".join(en for _, en in unknown), seen, missing)
    return Verdict.SATISFIED, "齐备", "all there", seen, ()


def _unknown(zh: str, en: str, seen: dict[str, str], missing: tuple[str, ...]) -> Judgement:
    return (
        Verdict.CANNOT_BE_TOLD,
        f"尚未登记：{zh}；请补充后再检查",
        f"not entered yet: {en}; enter it and check again",
        seen,
        missing,
    )
