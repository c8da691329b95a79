"""CONSORTIUM 产教科融合发展联合体 (S1 五; R31): called for, listed, managed dynamically.

With an exit, periodic summaries and outstanding cases.
"""

from registry.domain.names import HIGHER_EDUCATION, MemberRole, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Effect, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import correction_ends, lapse, window_closes, withdraw_of_leads

_CALL, _MANAGED = "S1 前言", "S1 五"
_AUTHORITY = (Party.AUTHORITY,)
_LISTED = (State.RUNNING, State.WARNED)


def _stands(case: Case) -> Refusal | None:
    """What is suspended sets no example."""
    if not case.is_suspended:
        return None
    return Refusal(
        "BODY_SUSPENDED",
        "联合体已暂停，其案例不能遴选为优秀案例（R31）；请先恢复（body resume）",
        "the consortium is suspended, and no case of it is outstanding (R31); resume it first (body resume)",
    )


_APPLY = frozenset({MemberRole.LEAD_UNIVERSITY, MemberRole.LEAD_VOCATIONAL})

PROCEDURE = Procedure(
    Programme.CONSORTIUM,
    ("产教科融合发展联合体征集", "call for 产教科融合发展联合体"),
    _MANAGED,
    {
        "APPLICATION_FORM": ("申报材料", "application"),
        "SUMMARY": ("工作总结", "summary of the work"),
        "CASE": ("优秀案例", "outstanding case"),
    },
    (
        Step(
            "submit",
            ("申报", "application"),
            _CALL,
            (State.DRAFT,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM",),
            in_window=True,
            checks_rules=True,
        ),
        Step("return", ("退回补正", "return"), _CALL, (State.SUBMITTED,), State.RETURNED, _AUTHORITY, asks=("reason",)),
        Step(
            "resubmit",
            ("补正后提交", "submission after correction"),
            _CALL,
            (State.RETURNED,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=("APPLICATION_FORM",),
            checks_rules=True,
        ),
        Step(
            "list",
            ("列入名单", "listing"),
            _MANAGED,
            (State.SUBMITTED,),
            State.RUNNING,
            _AUTHORITY,
            settles_rules=True,
            effect=Effect.FORM,
        ),
        Step("reject", ("未列入", "rejection"), _MANAGED, (State.SUBMITTED,), State.REJECTED, _AUTHORITY, asks=("reason",)),
        Step("summarise", ("报送工作总结", "summary"), _MANAGED, _LISTED, None, (Party.APPLICANT,), brings=("SUMMARY",)),
        Step(
            "commend",
            ("遴选优秀案例", "outstanding case"),
            _MANAGED,
            (State.RUNNING,),
            None,
            _AUTHORITY,
            brings=("CASE",),
            guards=(_stands,),
        ),
        Step("warn", ("预警", "warning"), _MANAGED, (State.RUNNING,), State.WARNED, _AUTHORITY, asks=("reason",)),
        Step(
            "restore",
            ("解除预警", "end of the warning"),
            _MANAGED,
            (State.WARNED,),
            State.RUNNING,
            _AUTHORITY,
            asks=("reason",),
        ),
        Step(
            "exit",
            ("退出", "exit"),
            _MANAGED,
            _LISTED,
            State.REMOVED,
            (Party.APPLICANT, Party.AUTHORITY),
            asks=("reason",),
            effect=Effect.DISSOLVE,
        ),
        withdraw_of_leads(_CALL, _APPLY, State.DRAFT, State.SUBMITTED, State.RETURNED),
        lapse(_CALL, State.DRAFT, State.RETURNED),
    ),
    (
        Deadline((State.DRAFT,), window_closes, ("征集截止", "end of the call"), _CALL, "lapse"),
        Deadline((State.RETURNED,), correction_ends, ("补正截止", "end of the correction"), _CALL, "lapse"),
    ),
    Applicants(
        ("该联合体的牵头高校", "the lead institution of the consortium"),
        HIGHER_EDUCATION,
        of_body=True,
        roles=_APPLY,
    ),
)
