"""PERFORMANCE 年度绩效考核 (S0 四(三); R36): of secretariats, lead enterprises and lead universities.

The lead department of the alliance rates them; those of universities go to 市教委 of its region.
"""

from datetime import date, timedelta

from codes import regions
from registry.domain.names import HIGHER_EDUCATION, MemberRole, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Party, Procedure, Refusal, State, Step, Unit
from registry.domain.programmes.common import CORRECTION_DAYS, by_who_began, correction_ends, is_education_department

_CLAUSE = "S0 四(三)"
_ASSESSED = frozenset(
    {MemberRole.SECRETARIAT, MemberRole.LEAD_ENTERPRISE, MemberRole.LEAD_UNIVERSITY, MemberRole.LEAD_VOCATIONAL}
)
"""附件2 lists vocational colleges among an alliance's 联盟牵头高校, too."""
_AUTHORITY = (Party.AUTHORITY,)
_NOT_RATED = (State.DRAFT, State.ASSIGNED, State.SUBMITTED)


def _is_a_university(case: Case) -> Refusal | None:
    if case.applicant.org_type in HIGHER_EDUCATION:
        return None
    return Refusal(
        "NOT_A_UNIVERSITY", "仅高校的结果送市教委；请直接办结（close）", "only a university's result goes to 市教委; close it"
    )


def _is_no_university(case: Case) -> Refusal | None:
    if case.applicant.org_type not in HIGHER_EDUCATION:
        return None
    return Refusal(
        "TO_BE_FORWARDED",
        "高校的结果须送市教委；请办理送市教委（forward）",
        "a university's result goes to 市教委; take the step forward",
    )


def _education_department(case: Case) -> Refusal | None:
    """The one that receives it is an education department of the alliance's own region, or of one around it."""
    if not case.region:
        return Refusal(
            "REGION_REQUIRED",
            "该联盟未登记地区，不能确定其市教委；请先登记（body update … --region …）",
            "the alliance has no region, so its 市教委 can't be told; enter it first (body update … --region …)",
        )
    one = case.named
    if one is not None and is_education_department(one, case.called(one.name)) and _is_of(one, case.region):
        return None
    return Refusal(
        "NOT_THE_DEPARTMENT",
        f"接收单位须为联盟所在地区（{case.region}）已核验的教育行政部门（市教委）；请改填",
        f"it goes to a verified education department (市教委) of the alliance's region ({case.region}); name that one",
    )


def _is_of(one: Unit, region: str) -> bool:
    return bool(one.region_code) and regions.within(region, one.region_code)


def _by_whose_turn_it_is(case: Case) -> Refusal | None:
    """A draft by who began it; its facts, which tell of the assessed one, once the indicators are set, by that one."""
    if case.state is State.DRAFT:
        return by_who_began(case)
    if Party.APPLICANT in case.parties:
        return None
    who = case.called(case.applicant.name)
    return Refusal("NOT_THE_ASSESSED", f"自评由{who}填报，请由该单位办理", f"{who} reports on itself; leave it to them")


def _by_who_began_the_draft(case: Case) -> Refusal | None:
    return by_who_began(case) if case.state is State.DRAFT else None


def _year(case: Case) -> tuple[date, date] | None:
    """First and last day of the year that is assessed."""
    year = case.facts.get("year")
    return (date(year, 1, 1), date(year, 12, 31)) if isinstance(year, int) else None


def _not_too_early(case: Case) -> Refusal | None:
    """Its indicators may be set before; what came of a year nobody can tell before it, nor is asked before the call opens."""
    year, opens = _year(case), case.window.opens_on
    first = max((day for day in (opens, year and year[0]) if day), default=case.today)
    if first <= case.today:
        return None
    return Refusal(
        "TOO_EARLY",
        f"今日 {case.today}，该年度自评自 {first} 开始；请届时办理",
        f"today is {case.today}, and the year is reported on from {first}; come then",
    )


def _reported_by(case: Case) -> date | None:
    """The last day of its call, or of the year where it has none, or one before the year; of its corrections, if later."""
    year, closes = _year(case), case.window.closes_on
    if year and (closes is None or closes < year[0]):
        closes = year[1]
    return max((day for day in (correction_ends(case), closes) if day), default=None)


def _rated_by(case: Case) -> date | None:
    """The last day of the year, or of a call that goes on beyond it; or so many days after a report that came late."""
    year, closes, reported = _year(case), case.window.closes_on, case.steps("report")
    late = reported[-1].day + timedelta(days=CORRECTION_DAYS) if reported else None
    return max((day for day in (closes, year and year[1], late) if day), default=None)


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
            guards=(_not_too_early,),
            ours=("逾期仍可自评", "also after the last day"),
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
            ours=(
                f"百分制；评定不早于自评后 {CORRECTION_DAYS} 天逾期",
                f"out of 100; not late before {CORRECTION_DAYS} days after the report",
            ),
        ),
        Step(
            "forward",
            ("送市教委", "forwarding to 市教委"),
            _CLAUSE,
            (State.SCORED,),
            State.COMPLETED,
            _AUTHORITY,
            asks=("organization",),
            guards=(_is_a_university, _education_department),
        ),
        Step(
            "withdraw",
            ("撤销", "withdrawal"),
            _CLAUSE,
            _NOT_RATED,
            State.WITHDRAWN,
            (Party.APPLICANT, Party.AUTHORITY),
            asks=("reason",),
            turns=dict.fromkeys((State.ASSIGNED, State.SUBMITTED), Party.AUTHORITY),
            guards=(_by_who_began_the_draft,),
            ours=("评定前可撤销，同年可另行发起", "until it is rated; another one of the year may begin then"),
        ),
        Step("close", ("办结", "closing"), _CLAUSE, (State.SCORED,), State.COMPLETED, _AUTHORITY, guards=(_is_no_university,)),
    ),
    (
        Deadline((State.DRAFT, State.ASSIGNED), _reported_by, ("自评截止", "last day of the self-report"), _CLAUSE),
        Deadline((State.SUBMITTED,), _rated_by, ("评定截止", "last day of the rating"), _CLAUSE),
    ),
    Applicants(
        ("该联盟的秘书处、牵头企业或牵头高校", "the secretariat, a lead enterprise or a lead university of the alliance"),
        of_body=True,
        roles=_ASSESSED,
    ),
    facts_in=frozenset({State.ASSIGNED}),
    filling=(_by_whose_turn_it_is,),
)
