"""PERFORMANCE 年度绩效考核 (S0 四(三); R36): of secretariats, lead enterprises and lead universities.

Those of universities go to 市教委.
"""

from datetime import date

from registry.domain.names import MemberRole, OrgType, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Party, Procedure, Refusal, State, Step

_CLAUSE = "S0 四(三)"
_ASSESSED = frozenset(
    {MemberRole.SECRETARIAT, MemberRole.LEAD_ENTERPRISE, MemberRole.LEAD_UNIVERSITY, MemberRole.LEAD_VOCATIONAL}
)
"""附件2 lists vocational colleges among an alliance's 联盟牵头高校, too."""
_AUTHORITY = (Party.AUTHORITY,)


def _is_a_university(case: Case) -> Refusal | None:
    if case.applicant.org_type == OrgType.UNIVERSITY:
        return None
    return Refusal(
        "NOT_A_UNIVERSITY", "仅高校的结果送市教委；请直接办结（close）", "only a university's result goes to 市教委; close it"
    )


def _is_no_university(case: Case) -> Refusal | None:
    if case.applicant.org_type != OrgType.UNIVERSITY:
        return None
    return Refusal(
        "TO_BE_FORWARDED",
        "高校的结果须送市教委；请办理送市教委（forward）",
        "a university's result goes to 市教委; take the step forward",
    )


def _government(case: Case) -> Refusal | None:
    if case.named is not None and case.named.org_type == OrgType.GOV_DEPARTMENT and case.named.verified:
        return None
    return Refusal(
        "NOT_A_DEPARTMENT",
        "接收单位须为已核验的政府部门；请改填",
        "who receives it has to be a verified government department; name one",
    )


def _end_of_year(case: Case) -> date | None:
    year = case.facts.get("year")
    return date(year, 12, 31) if isinstance(year, int) else None


PROCEDURE = Procedure(
    Programme.PERFORMANCE,
    ("年度绩效考核", "annual performance"),
    _CLAUSE,
    {"INDICATORS": ("年度绩效指标", "indicators of the year"), "SELF_REPORT": ("自评报告", "self-report")},
    (
        Step(
            "set_indicators",
            ("制定绩效指标", "setting the indicators"),
            _CLAUSE,
            (State.DRAFT,),
            State.ASSIGNED,
            _AUTHORITY,
            brings=("INDICATORS",),
        ),
        Step(
            "report",
            ("自评", "self-report"),
            _CLAUSE,
            (State.ASSIGNED,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            brings=("SELF_REPORT",),
        ),
        Step("return", ("退回补正", "return"), _CLAUSE, (State.SUBMITTED,), State.ASSIGNED, _AUTHORITY, asks=("reason",)),
        Step(
            "rate",
            ("评定", "rating"),
            _CLAUSE,
            (State.SUBMITTED,),
            State.SCORED,
            _AUTHORITY,
            asks=("score", "reason"),
            ours=("百分制", "out of 100"),
        ),
        Step(
            "forward",
            ("送市教委", "forwarding to 市教委"),
            _CLAUSE,
            (State.SCORED,),
            State.COMPLETED,
            _AUTHORITY,
            asks=("organization",),
            guards=(_is_a_university, _government),
        ),
        Step("close", ("办结", "closing"), _CLAUSE, (State.SCORED,), State.COMPLETED, _AUTHORITY, guards=(_is_no_university,)),
    ),
    (
        Deadline(
            (State.DRAFT, State.ASSIGNED, State.SUBMITTED),
            _end_of_year,
            ("考核年度结束", "end of the year"),
            _CLAUSE,
        ),
    ),
    Applicants(
        ("该联盟的秘书处、牵头企业或牵头高校", "the secretariat, a lead enterprise or a lead university of the alliance"),
        of_body=True,
        roles=_ASSESSED,
    ),
)
