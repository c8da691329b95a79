"""CERTIFICATION 产教融合型区域、行业、企业 (S3 十四, 十五; R32): apply, cultivate, certify; entry and exit.

Those that are certified are the public catalogue.
"""

from registry.domain.names import CertificationState, CertifiedKind, OrgType, Programme
from registry.domain.procedure import Case, Deadline, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import correction_ends, lapse, withdraw

_ENTRY, _CATALOGUE = "S3 十四", "S3 十五"
_AUTHORITY = (Party.AUTHORITY,)
STANDING_ENTRY = "standing_entry"
"""Fact of an application: the application of another entry of the same thing that stands in the catalogue."""
_SUBJECT = {CertifiedKind.REGION: "region_code", CertifiedKind.INDUSTRY: "industry_code"}


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
    missing = _SUBJECT.get(kind)
    if missing and not case.facts.get(missing):
        return Refusal("INPUT_REQUIRED", f"请填写认证的区域或行业（{missing}）", f"enter the region or industry ({missing})")
    if kind is CertifiedKind.ENTERPRISE and case.applicant.org_type != OrgType.ENTERPRISE:
        return Refusal(
            "NO_ENTERPRISE",
            "申请单位不是企业；请更正认证对象（kind）",
            "the applicant is no enterprise; mend what is to be certified (kind)",
        )
    return None


def _stands_once(case: Case) -> Refusal | None:
    other = case.facts.get(STANDING_ENTRY)
    if not other:
        return None
    return Refusal(
        "ALREADY_CATALOGUED",
        f"名录中已有同一对象（{other}）；请待其退出，或撤回本申请",
        f"the catalogue has the same entry already ({other}); wait for its end, or withdraw this one",
    )


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
            guards=(_says_what, _stands_once),
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
        ),
        Step(
            "cultivate",
            ("纳入培育", "cultivation"),
            _ENTRY,
            (State.SUBMITTED,),
            State.CULTIVATED,
            _AUTHORITY,
            documents=("CULTIVATION_PLAN",),
            guards=(_says_what, _stands_once),
        ),
        Step(
            "certify",
            ("认证", "certification"),
            _CATALOGUE,
            (State.CULTIVATED,),
            State.CERTIFIED,
            _AUTHORITY,
            documents=("CULTIVATION_REPORT",),
            checks_rules=True,
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
