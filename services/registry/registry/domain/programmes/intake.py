"""EMPLOYEE_INTAKE 招收一线员工攻读研究生 (S0 三(二); R28): application, recommendation, assessment.

The candidate is the id of a record: who it is lies apart (`applications/candidates.py`).
"""

from registry.domain.names import OrgType, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import lapse, window_closes, withdraw

_CLAUSE = "S0 三(二)"
_EMPLOYER, _UNIVERSITY = (Party.APPLICANT,), (Party.AUTHORITY,)


def _has_a_candidate(case: Case) -> Refusal | None:
    """Recommended, assessed and admitted is somebody: who was erased since, or kept until a day that is past, is nobody."""
    if case.facts.get("candidate"):
        return None
    if case.state is State.DRAFT:
        return Refusal(
            "INPUT_REQUIRED",
            "请登记候选人（employee_intake.candidate，R28）：alliance application candidate set …",
            "say who the candidate is (employee_intake.candidate, R28): alliance application candidate set …",
        )
    return Refusal(
        "NO_CANDIDATE",
        "候选人的个人信息已删除或已过保存期限（R28），不能再推荐、考核或录取；请撤回（withdraw，限考核前）或不予录取（reject），"
        "本人仍愿申请的，另行申报",
        "who the candidate is was erased, or is past its date (R28), and nobody is recommended, assessed or admitted; "
        "withdraw it (until the assessment) or reject it, and begin another application for whoever still wants to apply",
    )


_DOCUMENTS = {
    "APPLICATION_FORM": ("申请表", "application"),
    "RECOMMENDATION": ("企业推荐意见", "the enterprise's recommendation"),
}
PROCEDURE = Procedure(
    Programme.EMPLOYEE_INTAKE,
    ("一线员工“申请+推荐+考核”招收", "intake of front-line employees"),
    _CLAUSE,
    _DOCUMENTS,
    (
        Step(
            "apply",
            ("申请", "application"),
            _CLAUSE,
            (State.DRAFT,),
            State.SUBMITTED,
            _EMPLOYER,
            documents=("APPLICATION_FORM",),
            in_window=True,
            settles_rules=True,  # nothing brings it back to be filled in
            guards=(_has_a_candidate,),
        ),
        Step(
            "recommend",
            ("推荐", "recommendation"),
            _CLAUSE,
            (State.SUBMITTED,),
            State.RECOMMENDED,
            _EMPLOYER,
            brings=("RECOMMENDATION",),
            guards=(_has_a_candidate,),
        ),
        Step(
            "assess",
            ("考核", "assessment"),
            _CLAUSE,
            (State.RECOMMENDED,),
            State.SCORED,
            _UNIVERSITY,
            asks=("score",),
            guards=(_has_a_candidate,),
            ours=("百分制", "out of 100"),
        ),
        Step(
            "admit",
            ("录取", "admission"),
            _CLAUSE,
            (State.SCORED,),
            State.COMPLETED,
            _UNIVERSITY,
            settles_rules=True,
            guards=(_has_a_candidate,),
        ),
        Step(
            "reject",
            ("不予录取", "rejection"),
            _CLAUSE,
            (State.SUBMITTED, State.RECOMMENDED, State.SCORED),
            State.REJECTED,
            _UNIVERSITY,
            asks=("reason",),
        ),
        withdraw(_CLAUSE, State.DRAFT, State.SUBMITTED, State.RECOMMENDED),
        lapse(_CLAUSE, State.DRAFT),
    ),
    (Deadline((State.DRAFT,), window_closes, ("申请截止", "end of the window"), _CLAUSE, "lapse"),),
    Applicants(("推荐员工的企业", "the enterprise that recommends its employee"), frozenset({OrgType.ENTERPRISE})),
    personal=frozenset(_DOCUMENTS),
)
