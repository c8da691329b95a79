"""CERTIFICATION 产教融合型区域、行业、企业 (S3 十四, 十五; R32): apply, cultivate, certify; entry and exit.

Those that are certified are the public catalogue.
"""

from collections.abc import Mapping
from typing import NamedTuple

from codes import regions
from registry.domain.conditions import Text
from registry.domain.names import CertificationState, CertifiedKind, OrgType, Programme
from registry.domain.procedure import Case, Deadline, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import correction_ends, lapse, withdraw

_ENTRY, _CATALOGUE = "S3 十四", "S3 十五"
_AUTHORITY = (Party.AUTHORITY,)
STANDING_ENTRY = "standing_entry"
"""Fact of an application: the application of another entry of the same thing that stands in the catalogue."""
_SUBJECT = {CertifiedKind.REGION: "region_code", CertifiedKind.INDUSTRY: "industry_code"}
"""The fact that says what is certified; an enterprise is certified itself."""
_APPLICANTS: Mapping[CertifiedKind, tuple[frozenset[OrgType], Text]] = {
    CertifiedKind.REGION: (
        frozenset({OrgType.GOV_DEPARTMENT, OrgType.PARK_COMMITTEE}),
        ("政府部门或园区管委会", "a government department or a park's committee"),
    ),
    CertifiedKind.INDUSTRY: (
        frozenset({OrgType.INDUSTRY_ASSOCIATION, OrgType.GOV_DEPARTMENT}),
        ("行业组织或行业主管部门", "an industry association, or the government department in charge"),
    ),
    CertifiedKind.ENTERPRISE: (frozenset({OrgType.ENTERPRISE}), ("企业", "an enterprise")),
}
"""Who applies for what; the document names the levels and not who files for a region or an industry: those are our default."""


class Subject(NamedTuple):
    """What stands in the catalogue once: the code of a region or an industry, or an enterprise as `organization`."""

    kind: int
    code: str
    organization: str


def subject_of(kind: int, region_code: str, industry_code: str, applicant: str) -> Subject:
    """What an application is to have certified, whoever files it for a region or an industry."""
    if kind == CertifiedKind.REGION:
        return Subject(kind, region_code, "")
    if kind == CertifiedKind.INDUSTRY:
        return Subject(kind, industry_code, "")
    return Subject(kind, "", applicant)


def catalogued(case: Case) -> CertificationState | None:
    """How it stands in the catalogue; None for what was never cultivated."""
    standing = {State.CULTIVATED: CertificationState.CULTIVATING, State.CERTIFIED: CertificationState.CERTIFIED}
    return standing.get(case.state) or (CertificationState.EXITED if case.steps("cultivate") else None)


def kind_of(case: Case) -> CertifiedKind | None:
    """What is to be certified, where that was entered."""
    known = case.facts.get("kind")
    return CertifiedKind[known] if isinstance(known, str) else None


def _says_what(case: Case) -> Refusal | None:
    kind = kind_of(case)
    if kind is None:
        return Refusal(
            "INPUT_REQUIRED",
            "请填写认证对象（kind）：区域 REGION、行业 INDUSTRY 或企业 ENTERPRISE",
            "enter what is to be certified (kind): REGION, INDUSTRY or ENTERPRISE",
        )
    wanted = _SUBJECT.get(kind, "")
    if wanted and not case.facts.get(wanted):
        return Refusal("INPUT_REQUIRED", f"请填写认证的区域或行业（{wanted}）", f"enter the region or industry ({wanted})")
    others = [name for name in _SUBJECT.values() if name != wanted and case.facts.get(name)]
    if others:
        return Refusal(
            "CONTRADICTION",
            f"认证对象（kind）为 {kind.name} 时不填 {'、'.join(others)}；请清空或更正 kind",
            f"a certification of kind {kind.name} has no {', '.join(others)}; clear it, or mend the kind",
        )
    return None


def _who_applies(case: Case) -> Refusal | None:
    kind = kind_of(case)
    if kind is None:
        return None
    types, (zh, en) = _APPLICANTS[kind]
    if case.applicant.org_type not in types:
        return Refusal(
            "WRONG_APPLICANT",
            f"认证对象（kind）为 {kind.name} 时由{zh}申请；请更正认证对象，或由其申请",
            f"a certification of kind {kind.name} is applied for by {en}; mend the kind, or have them apply",
        )
    if not case.applicant.verified:
        return Refusal(
            "NOT_VERIFIED",
            "申请单位尚未核验；请先完成核验（alliance org verify）",
            "the applicant is not verified; have it verified first (alliance org verify)",
        )
    return None


def _for_its_own_region(case: Case) -> Refusal | None:
    """Who governs a region applies for it, or for one that lies in it."""
    region = case.facts.get("region_code")
    if kind_of(case) is not CertifiedKind.REGION or not isinstance(region, str):
        return None
    own, called = case.applicant.region_code, f"{regions.full_name(region)}（{region}）"
    if own and regions.within(region, own):
        return None
    if not own:
        return Refusal(
            "REGION_UNKNOWN",
            "申请单位未登记所在地区，无法确认其可申请该区域；请先登记（alliance org update … --region）",
            "where the applicant is has not been entered, so it can't be told whether the region is its own; enter it first "
            "(alliance org update … --region)",
        )
    return Refusal(
        "ANOTHER_REGION",
        f"申请单位所在的{regions.full_name(own)}（{own}）不含认证区域{called}；请更正 region_code，或由该区域的部门申请",
        f"the applicant's region {own} does not take in {called}; mend region_code, or have a department of that region apply",
    )


def _stands_once(case: Case) -> Refusal | None:
    other = case.facts.get(STANDING_ENTRY)
    if not other:
        return None
    return Refusal(
        "ALREADY_CATALOGUED",
        f"名录中已有同一对象（{other}）；请待其退出，或撤回本申请",
        f"the catalogue has the same entry already ({other}); wait for its end, or withdraw this one",
    )


_ADMITTED = (_says_what, _who_applies, _for_its_own_region, _stands_once)

PROCEDURE = Procedure(
    Programme.CERTIFICATION,
    ("产教融合型区域、行业、企业认证", "certification as 产教融合型 region, industry or enterprise"),
    _ENTRY,
    {
        "APPLICATION_FORM": ("申请材料", "application"),
        "CULTIVATION_PLAN": ("培育方案", "cultivation plan"),
        "CULTIVATION_REPORT": ("培育总结", "report on the cultivation"),
    },
    (
        Step(
            "submit",
            ("申请", "application"),
            _ENTRY,
            (State.DRAFT,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM",),
            in_window=True,
            checks_rules=True,
            guards=_ADMITTED,
            ours=(
                "区域、行业由谁申请、区域须属申请单位所在地区由平台规定",
                "who applies for a region or an industry is ours, and that a region is its own",
            ),
        ),
        Step("return", ("退回补正", "return"), _ENTRY, (State.SUBMITTED,), State.RETURNED, _AUTHORITY, asks=("reason",)),
        Step(
            "resubmit",
            ("补正后提交", "submission after correction"),
            _ENTRY,
            (State.RETURNED,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM",),
            checks_rules=True,
            guards=_ADMITTED,
        ),
        Step(
            "cultivate",
            ("纳入培育", "cultivation"),
            _ENTRY,
            (State.SUBMITTED,),
            State.CULTIVATED,
            _AUTHORITY,
            documents=("CULTIVATION_PLAN",),
            settles_rules=True,
            guards=_ADMITTED,
        ),
        Step(
            "certify",
            ("认证", "certification"),
            _CATALOGUE,
            (State.CULTIVATED,),
            State.CERTIFIED,
            _AUTHORITY,
            documents=("CULTIVATION_REPORT",),
            settles_rules=True,
            guards=_ADMITTED,
        ),
        Step(
            "reject",
            ("不予认证", "rejection"),
            _ENTRY,
            (State.SUBMITTED, State.CULTIVATED),
            State.REJECTED,
            _AUTHORITY,
            asks=("reason",),
        ),
        Step(
            "exit",
            ("退出", "exit"),
            _ENTRY,
            (State.CULTIVATED, State.CERTIFIED),
            State.REMOVED,
            (Party.APPLICANT, Party.AUTHORITY),
            asks=("reason",),
        ),
        withdraw(_ENTRY, State.DRAFT, State.SUBMITTED, State.RETURNED),
        lapse(_ENTRY, State.RETURNED),
    ),
    (Deadline((State.RETURNED,), correction_ends, ("补正截止", "end of the correction"), _ENTRY, "lapse"),),
)
