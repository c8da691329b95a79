"""PILOT 试点单位 and SUPPORT 支撑单位 (S4 四; R30): checked, reviewed by experts, selected; two years; managed dynamically."""

from collections.abc import Callable
from datetime import date

from registry.domain.conditions import Text
from registry.domain.names import Programme
from registry.domain.procedure import Applicants, Case, Deadline, Effect, Guard, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import (
    ANOTHER,
    CORRECTION_DAYS,
    conflict,
    correction_ends,
    experts,
    has_interest,
    lapse,
    no_conflict,
    window_closes,
    withdraw,
)

CYCLE_YEARS = 2
_EXPERT: Text = ("该专家", "this expert")
_APPLY, _REVIEW, _RUN = "S4 四(一)", "S4 四(二)", "S4 四(三)"


def cycle_ends(case: Case) -> date | None:
    """The last day of the two years that begin with the selection."""
    selected = case.steps("select")
    if not selected:
        return None
    day = selected[-1].day
    try:
        return day.replace(year=day.year + CYCLE_YEARS)
    except ValueError:  # 29 February
        return date(day.year + CYCLE_YEARS, 2, 28)


def _new_expert(case: Case) -> Refusal | None:
    if case.principal not in experts(case):
        return None
    return Refusal("ALREADY_DONE", "该专家已在评审名单中；请另选", "this expert is to score it already; choose another one")


def _is_partial(case: Case, person: str) -> bool:
    """Whether a person acts today for somebody who has an interest, or took a step but of scoring."""
    had_a_hand = person in {one.actor for one in case.taken if one.step != "score"}
    acts_for = case.acts_for.get(person, frozenset())
    return had_a_hand or person in case.runs_body or any(has_interest(case, one) for one in acts_for)


_LEFT_TO_ANOTHER: Text = (
    "不能评分；请主管单位取消指派并另派专家（unassign_expert）",
    "so it does not score; ask the authority to take it off and send another (unassign_expert)",
)


def _impartial(who: Callable[[Case], str], fix: Text) -> Guard:
    """A person has no interest in what is judged."""

    def guard(case: Case) -> Refusal | None:
        return conflict(_EXPERT, fix) if _is_partial(case, who(case)) else None

    return guard


def _of_the_named(case: Case) -> Refusal | None:
    """Anybody could be sent as somebody's expert: the organization's own grant says who acts for it."""
    if case.named in case.acts_for.get(case.principal, frozenset()):
        return None
    return Refusal(
        "NOT_OF_THE_ORGANIZATION",
        "该人员账号未获该单位授权；请核对账号，或请该单位先行授权（grant）",
        "this principal has no grant of that organization; mend the id, or have the organization grant it first",
    )


def _sent_by(case: Case, person: str) -> str:
    """The organization for which a person was last assigned; "" where they never were."""
    assigned = reversed(case.steps("assign_expert"))
    return next((one.subject for one in assigned if one.principal == person), "")


def _still_of_the_named(case: Case) -> Refusal | None:
    """Who scores acts for whom they were named for, now: a grant may have ended since."""
    sender = _sent_by(case, case.actor)
    if sender in {one.name for one in case.acts_for.get(case.actor, frozenset())}:
        return None
    name = case.called(sender)
    return Refusal(
        "NOT_OF_THE_ORGANIZATION",
        f"您由{name}选派，现已无其授权，不能评分（R30）；请该单位重新授权（grant），或请主管单位另行指派（assign_expert）",
        f"you were sent by {name} and have no grant of it any more (R30); it grants you again, or the authority takes "
        "assign_expert for another",
    )


def _is_an_expert(case: Case) -> Refusal | None:
    if case.principal in experts(case):
        return None
    listed = sorted(experts(case))
    return Refusal(
        "NOT_AN_EXPERT",
        f"该人员不在评审名单中；请从中选择：{'、'.join(listed) or '（名单为空）'}",
        f"this person is not to score it; choose one of: {', '.join(listed) or '(none is left)'}",
    )


def _scores_once(case: Case) -> Refusal | None:
    if not experts(case).get(case.actor):
        return None
    return Refusal("ALREADY_DONE", "您已评分，无须再办", "you have scored it already; there is nothing to do")


def _all_scored(case: Case) -> Refusal | None:
    scored = experts(case)
    if not scored:
        return Refusal(
            "NO_EXPERT", "评审名单为空；请先指派专家（assign_expert）", "no expert is left; take assign_expert first"
        )
    missing = [one for one, has in scored.items() if not has]
    if not missing:
        return None
    return Refusal(
        "SCORES_MISSING",
        f"尚有 {len(missing)} 位专家未评分；请待其评分（score），或取消指派（unassign_expert）",
        f"{len(missing)} experts have not scored yet; each takes the step score, or is taken off by unassign_expert",
    )


def _scores_count(case: Case) -> Refusal | None:
    """A score counts as long as who gave it has no interest: an expert may have come to one since."""
    partial = [one for one in experts(case) if _is_partial(case, one)]
    if not partial:
        return None
    listed_zh = "、".join(f"{one}（{case.called(_sent_by(case, one))}）" for one in partial)
    listed_en = ", ".join(f"{one} ({case.called(_sent_by(case, one))})" for one in partial)
    return Refusal(
        "CONFLICT_OF_INTEREST",
        f"专家 {listed_zh} 现与申报单位、其组织成员或主管单位有利益关系，须回避，其评分不计（R30）；"
        "请取消其指派（unassign_expert），并另行指派专家（assign_expert）",
        f"{listed_en}: now with an interest in the applicant, a member of its body or the authority, so the score does not "
        "count (R30); take unassign_expert, and assign_expert for another",
    )


def _cycle_is_over(case: Case) -> Refusal | None:
    ends = cycle_ends(case)
    if ends is None or case.today > ends:
        return None
    return Refusal(
        "TOO_EARLY",
        f"建设周期 {CYCLE_YEARS} 年，至 {ends} 止；请期满后办理",
        f"the cycle of {CYCLE_YEARS} years lasts until {ends}; come after it",
    )


def _steps(form: tuple[str, ...]) -> tuple[Step, ...]:
    authority = (Party.AUTHORITY,)
    return (
        Step(
            "submit",
            ("申报", "application"),
            _APPLY,
            (State.DRAFT,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=form,
            in_window=True,
            checks_rules=True,
        ),
        Step(
            "return",
            ("退回补正", "return"),
            _REVIEW,
            (State.SUBMITTED,),
            State.RETURNED,
            authority,
            asks=("reason",),
            ours=(f"补正期 {CORRECTION_DAYS} 天", f"{CORRECTION_DAYS} days for corrections"),
        ),
        Step(
            "resubmit",
            ("补正后提交", "submission after correction"),
            _APPLY,
            (State.RETURNED,),
            State.SUBMITTED,
            (Party.APPLICANT,),
            documents=form,
            checks_rules=True,
        ),
        Step(
            "qualify",
            ("资格初审合格", "qualification"),
            _REVIEW,
            (State.SUBMITTED,),
            State.QUALIFIED,
            authority,
            settles_rules=True,
        ),
        Step(
            "disqualify",
            ("资格初审不合格", "disqualification"),
            _REVIEW,
            (State.SUBMITTED,),
            State.REJECTED,
            authority,
            asks=("reason",),
        ),
        Step(
            "assign_expert",
            ("指派评审专家", "assigning an expert"),
            _REVIEW,
            (State.QUALIFIED, State.IN_REVIEW),
            State.IN_REVIEW,
            authority,
            asks=("organization", "principal"),
            guards=(_new_expert, no_conflict(_EXPERT), _impartial(lambda case: case.principal, ANOTHER), _of_the_named),
            ours=("利益回避规则由平台规定", "the rule on conflicts of interest is ours"),
        ),
        Step(
            "unassign_expert",
            ("取消专家指派", "taking an expert off"),
            _REVIEW,
            (State.IN_REVIEW,),
            State.IN_REVIEW,
            authority,
            asks=("principal", "reason"),
            guards=(_is_an_expert,),
            releases=lambda case: frozenset({case.principal}),
            ours=("已评的分不再计入", "a score that was given counts no more"),
        ),
        Step(
            "score",
            ("专家评分", "scoring"),
            _REVIEW,
            (State.IN_REVIEW,),
            State.IN_REVIEW,
            (Party.EXPERT,),
            asks=("score", "reason"),
            guards=(_scores_once, _still_of_the_named, _impartial(lambda case: case.actor, _LEFT_TO_ANOTHER)),
            ours=("百分制", "out of 100"),
        ),
        Step(
            "select",
            ("择优确定", "selection"),
            _REVIEW,
            (State.IN_REVIEW,),
            State.RUNNING,
            authority,
            settles_rules=True,
            guards=(_all_scored, _scores_count),
            effect=Effect.FORM,
        ),
        Step(
            "not_select", ("未入选", "not selected"), _REVIEW, (State.IN_REVIEW,), State.REJECTED, authority, asks=("reason",)
        ),
        Step("warn", ("预警", "warning"), _RUN, (State.RUNNING,), State.WARNED, authority, asks=("reason",)),
        Step("restore", ("解除预警", "end of the warning"), _RUN, (State.WARNED,), State.RUNNING, authority, asks=("reason",)),
        Step(
            "remove",
            ("退出", "removal"),
            _RUN,
            (State.RUNNING, State.WARNED),
            State.REMOVED,
            authority,
            asks=("reason",),
            effect=Effect.DISSOLVE,
        ),
        Step(
            "complete",
            ("期满完成", "completion"),
            _RUN,
            (State.RUNNING,),
            State.COMPLETED,
            authority,
            guards=(_cycle_is_over,),
        ),
        withdraw(_APPLY, State.DRAFT, State.SUBMITTED, State.RETURNED, State.QUALIFIED),
        lapse(_APPLY, State.DRAFT, State.RETURNED),
    )


_DEADLINES = (
    Deadline((State.DRAFT,), window_closes, ("申报截止", "end of the call"), _APPLY, "lapse"),
    Deadline((State.RETURNED,), correction_ends, ("补正截止", "end of the correction"), _APPLY, "lapse"),
    Deadline((State.RUNNING, State.WARNED), cycle_ends, ("建设期满", "end of the cycle"), _RUN),
)
_FORM = {"SEALED_FORM": ("加盖公章的申报表（PDF）", "sealed application form (PDF)")}

PILOT = Procedure(
    Programme.PILOT,
    ("产教融合专业合作建设试点单位遴选", "selection of pilot units"),
    "S4 四",
    {**_FORM, "PLATFORM_RECEIPT": ("态势感知平台填报回执", "receipt of the situation platform (R5)")},
    _steps(("SEALED_FORM", "PLATFORM_RECEIPT")),
    _DEADLINES,
    Applicants(("该试点单位所登记的院校", "the institution that the pilot unit names"), is_the_body=True),
    frozenset(_FORM),
)
SUPPORT = Procedure(
    Programme.SUPPORT,
    ("产教融合专业合作建设支撑单位遴选", "selection of support units"),
    "S4 四",
    _FORM,
    _steps(("SEALED_FORM",)),
    _DEADLINES,
    Applicants(("该支撑单位所登记的单位", "the unit that the support unit names"), is_the_body=True),
    frozenset(_FORM),
)
