"""EVALUATION 第三方建设效能评价 (S3 十六; R33): commissioned from a third party, published, used in assessment and support.

Of use the document says that results are a basis (重要依据), and no more: what was published is laid before the departments
that decide on an application of the same organization (`CheckApplication`), and decides nothing by itself. It names
assessment, funding, pilots and commendation, and makes departments responsible: to them results are published
(`ListEvaluations`), and the organization reads its own. Of publication to everybody it says nothing.
"""

from registry.domain.names import GOVERNING, HIGHER_EDUCATION, OrgType, Programme
from registry.domain.procedure import Applicants, Case, Party, Procedure, Refusal, State, Step, Unit
from registry.domain.programmes.common import ANOTHER, by_who_began, conflict, has_interest

_CLAUSE = "S3 十六"
_AUTHORITY = (Party.AUTHORITY,)


def _has_interest(case: Case, one: Unit) -> bool:
    """The evaluated one's, or the authority's own; a university that a department runs is not told what to find."""
    is_the_authoritys = one.parent == case.authority and one.org_type not in HIGHER_EDUCATION
    return has_interest(case, one) or is_the_authoritys


def _is_no_third_party(case: Case, one: Unit) -> bool:
    """Also who stands in a body with the evaluated one where one of the two leads: both are assessed by what that achieves."""
    return _has_interest(case, one) or one.name in case.bound


def _a_third_party(case: Case) -> Refusal | None:
    named = case.named
    if named is None:
        return None
    if named.org_type in GOVERNING:
        return Refusal(
            "NO_THIRD_PARTY",
            "政府部门、专班和园区管委会不是第三方（R33）；请另选",
            "a government department, a task force or a park's committee is no third party (R33); choose another one",
        )
    if not named.verified:
        return Refusal(
            "EVALUATOR_NOT_VERIFIED",
            "受托机构须已核验（R33）；请先核验（org verify），或另选",
            "the evaluator has to be verified (R33); have it verified first (org verify), or choose another one",
        )
    if _has_interest(case, named):
        return conflict(("该机构", "this evaluator"), ANOTHER)
    if named.name not in case.bound:
        return None
    return Refusal(
        "CONFLICT_OF_INTEREST",
        "该机构（或其上级、下属单位）与被评价单位同在一个组织，且其中一方在该组织牵头、任正副理事长或秘书处，不是第三方（R33）；"
        "请另选",
        "this evaluator, or who it belongs to or owns, stands in a body with the evaluated one where one of the two leads "
        "it, chairs it or is its secretariat, and is no third party (R33); choose another one",
    )


def _still_a_third_party(case: Case) -> Refusal | None:
    """A result counts as long as who gives it has no interest: the evaluator may have come to one since the commission."""
    commissioned = case.steps("commission")
    evaluator = case.units.get(commissioned[-1].subject) if commissioned else None
    if evaluator is None or not _is_no_third_party(case, evaluator):
        return None
    name, fix = case.called(evaluator.name), ("取消（cancel）", "cancel it (cancel)")
    if case.state is State.SCORED:
        fix = ("先退回（return）、再取消（cancel）", "return it (return), then cancel it (cancel)")
    return Refusal(
        "CONFLICT_OF_INTEREST",
        f"受托机构 {name} 现与被评价单位或主管单位有利益关系，已非第三方（R33）；请主管单位{fix[0]}，并另行委托",
        f"{name} now has an interest in who is evaluated or in the authority, and is no third party any more (R33); "
        f"the authority is to {fix[1]} and commission another",
    )


PROCEDURE = Procedure(
    Programme.EVALUATION,
    ("产教融合建设效能第三方评价", "third-party evaluation of effectiveness"),
    _CLAUSE,
    {"REPORT": ("评价报告", "evaluation report")},
    (
        Step(
            "commission",
            ("委托第三方", "commission"),
            _CLAUSE,
            (State.DRAFT,),
            State.ASSIGNED,
            _AUTHORITY,
            asks=("organization",),
            in_window=True,
            guards=(_a_third_party,),
            ours=(
                "受托机构须已核验；政府部门、专班、园区管委会、主管单位所属单位（高校除外），以及与被评价单位（各含上级、下属单位）"
                "同在一个组织、且其中一方在该组织牵头、任正副理事长或秘书处的，不作第三方",
                "a verified one; no third party is a department, a task force, a park's committee, what belongs to the "
                "authority (but for universities), and who stands in a body with the evaluated one, each with its parent and "
                "what belongs to it, where one of the two leads it, chairs it or is its secretariat",
            ),
        ),
        Step(
            "report",
            ("提交评价报告", "report"),
            _CLAUSE,
            (State.ASSIGNED,),
            State.SCORED,
            (Party.EVALUATOR,),
            brings=("REPORT",),
            asks=("score",),
            guards=(_still_a_third_party,),
            ours=("百分制", "out of 100"),
        ),
        Step("return", ("退回补充", "return"), _CLAUSE, (State.SCORED,), State.ASSIGNED, _AUTHORITY, asks=("reason",)),
        Step(
            "publish",
            ("公布结果", "publication"),
            _CLAUSE,
            (State.SCORED,),
            State.PUBLISHED,
            _AUTHORITY,
            guards=(_still_a_third_party,),
            ours=("向政府部门公布，不向社会公布", "to government departments, not to everybody"),
        ),
        Step(
            "cancel",
            ("取消", "cancellation"),
            _CLAUSE,
            (State.DRAFT, State.ASSIGNED),
            State.WITHDRAWN,
            _AUTHORITY,
            asks=("reason",),
        ),
    ),
    applicants=Applicants(
        (
            "产教融合示范区、行业或企业（政府部门、园区管委会、行业组织、企业）",
            "a demonstration area, an industry or an enterprise of industry–education integration (a government department, a "
            "park's committee, an industry association, an enterprise)",
        ),
        # who stands for an area or an industry is our default, as in CERTIFICATION
        frozenset({OrgType.GOV_DEPARTMENT, OrgType.PARK_COMMITTEE, OrgType.INDUSTRY_ASSOCIATION, OrgType.ENTERPRISE}),
    ),
    filling=(by_who_began,),
)
