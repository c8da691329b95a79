"""MEETING 专班会议 (S0 附件1 二(五); R35).

Before it, progress and suggestions are compiled; after it, policy is relayed to the members.
"""

from registry.domain.names import MemberRole, Programme
from registry.domain.procedure import FILLED_IN, Applicants, Case, Deadline, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import day_of

_CLAUSE = "S0 附件1 二(五)"
_MEETING_DAY = day_of("meeting_on")
_SECRETARIAT, _TASK_FORCE = (Party.SECRETARIAT,), (Party.TASK_FORCE,)


def _says_when(case: Case) -> Refusal | None:
    if _MEETING_DAY(case) is not None:
        return None
    return Refusal("INPUT_REQUIRED", "请填写会期（meeting_on）", "enter the day of the meeting (meeting_on)")


def _before_the_meeting(case: Case) -> Refusal | None:
    day = _MEETING_DAY(case)
    if day is None or case.today <= day:
        return None
    mend = ("改填会期（meeting_on），或", "mend its day (meeting_on), or ") if case.state in FILLED_IN else ("", "")
    return Refusal(
        "TOO_LATE",
        f"会期 {day} 已过，材料须在会前整理、提交；请{mend[0]}取消（cancel）后另行登记",
        f"the meeting was on {day}, and papers are compiled and handed in before; {mend[1]}cancel it and enter the next one",
    )


def _on_the_day_or_later(case: Case) -> Refusal | None:
    day = _MEETING_DAY(case)
    if day is None or case.today >= day:
        return None
    return Refusal("TOO_EARLY", f"会议定于 {day} 召开；请届时办理", f"the meeting is on {day}; come then")


def _is_the_alliances(case: Case) -> Refusal | None:
    """The alliance's own experts are asked. Who lists experts or anything else in its name is a member, so that members are
    all there are; and whoever is named reads what they suggest among themselves.
    """
    if case.named is None or case.named.name in case.members:
        return None
    name = case.called(case.named.name)
    return Refusal(
        "NOT_A_MEMBER",
        f"{name}今日不是该联盟成员，咨询依托联盟专家资源（成员单位的专家）；请从成员单位中选择（见 body members），"
        "或请其先加入（body join）",
        f"{name} is not a member of the alliance today, and its own experts are asked, those of its members; choose one of "
        "them (see body members), or take it in first (body join)",
    )


def _not_named_yet(case: Case) -> Refusal | None:
    if case.named is None or case.named.name not in {one.subject for one in case.steps("name_expert")}:
        return None
    name = case.called(case.named.name)
    return Refusal(
        "ALREADY_DONE", f"{name}已被推荐，无须再办；请另选其他成员单位", f"{name} is named already; choose another member"
    )


PROCEDURE = Procedure(
    Programme.MEETING,
    ("专班会议会前整理与会后传达", "task-force meeting"),
    _CLAUSE,
    {
        "PROGRESS": ("建设进展", "progress"),
        "SUGGESTIONS": ("成员单位建议", "members' suggestions"),
        "POLICY": ("政策、规划及动态", "policy, plans and news"),
    },
    (
        Step(
            "compile",
            ("会前整理", "compilation"),
            _CLAUSE,
            (State.DRAFT,),
            State.COMPILED,
            _SECRETARIAT,
            documents=("PROGRESS", "SUGGESTIONS"),
            guards=(_says_when, _before_the_meeting),
        ),
        Step(
            "submit",
            ("提交专班", "submission to the task force"),
            _CLAUSE,
            (State.COMPILED,),
            State.SUBMITTED,
            _SECRETARIAT,
            in_window=True,
            guards=(_before_the_meeting,),
        ),
        Step(
            "request_experts",
            ("提请专家咨询", "request of experts"),
            _CLAUSE,
            (State.SUBMITTED,),
            None,
            _TASK_FORCE,
            asks=("reason",),
        ),
        Step(
            "name_expert",
            ("推荐专家", "naming an expert"),
            _CLAUSE,
            (State.SUBMITTED, State.HELD),
            None,
            _SECRETARIAT,
            asks=("organization",),
            guards=(_is_the_alliances, _not_named_yet),
            ours=("专家出自成员单位由平台规定", "that experts are those of members is ours"),
        ),
        Step(
            "hold", ("召开", "meeting"), _CLAUSE, (State.SUBMITTED,), State.HELD, _TASK_FORCE, guards=(_on_the_day_or_later,)
        ),
        Step(
            "relay",
            ("会后传达", "relay to the members"),
            _CLAUSE,
            (State.HELD,),
            State.COMPLETED,
            _SECRETARIAT,
            brings=("POLICY",),
        ),
        Step(
            "cancel",
            ("取消", "cancellation"),
            _CLAUSE,
            (State.DRAFT, State.COMPILED, State.SUBMITTED),
            State.WITHDRAWN,
            (Party.SECRETARIAT, Party.TASK_FORCE),
            asks=("reason",),
        ),
    ),
    (
        Deadline(
            (State.DRAFT, State.COMPILED),
            _MEETING_DAY,
            ("会期", "day of the meeting"),
            _CLAUSE,
        ),
    ),
    Applicants(("该联盟的秘书处", "the secretariat of the alliance"), of_body=True, roles=frozenset({MemberRole.SECRETARIAT})),
)
