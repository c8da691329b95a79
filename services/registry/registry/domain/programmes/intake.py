"""EMPLOYEE_INTAKE 招收一线员工攻读研究生 (S0 三(二); R28): application, recommendation, assessment.

The candidate is the id of a record: who it is lies apart (`applications/candidates.py`).
"""

from registry.domain.names import OrgType, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import lapse, window_closes, withdraw

_CLAUSE = "S0 三(二)"
_EMPLOYER, _UNIVERSITY = (Party.APPLICANT,), (Party.AUTHORITY,)


def _has_a_candidate(case: Case) -> Refusal | None:
    """Recommended and assessed is somebody."""
    if case.facts.get("candidate"):
        return None
    return Refusal(
        "INPUT_REQUIRED",
        "请登记候选人（employee_intake.candidate，R28）：alliance application candidate set …",
        "say who the candidate is (employee_intake.candidate, R28): alliance application candidate set …",
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
        ),
        Step(
            "assess",
            ("考核", "assessment"),
            _CLAUSE,
            (State.RECOMMENDED,),
            State.SCORED,
            _UNIVERSITY,
            asks=("score",),
            ours=("百分制", "out of 100"),
        ),
        Step("admit", ("录取", "admission"), _CLAUSE, (State.SCORED,), State.COMPLETED, _UNIVERSITY, settles_rules=True),
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
