"""CHALLENGE 产业出题、校企共答 (S0 附件1 二(三), S2 三(四); R34): published, answered, a team, joint work, acceptance.

Taken on 承接: a team was formed. Completed 完成: its result was accepted.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from registry.domain.conditions import Text
from registry.domain.names import OrgType, Programme
from registry.domain.procedure import Applicants, Case, Deadline, Party, Procedure, Refusal, State, Step
from registry.domain.programmes.common import day_of, once_for_each, withdraw

_CLAUSE = "S0 附件1 二(三)"
_POSER = (Party.APPLICANT,)
_due_on = day_of("due_on")


def _says_what_is_asked(case: Case) -> Refusal | None:
    """Nobody answers a title alone, so it names a listing or brings a paper. Only that is asked, and the form of the name:
    which listings there are, and whose, the listings service knows, and registry has no projection of them. A challenge with
    a name that is no listing's, or another's, is published and counted (R57) as well.
    """
    if case.facts.get("listing") or "PROBLEM" in case.documents | case.brought:
        return None
    return Refusal(
        "PROBLEM_REQUIRED",
        "请填写出题供需信息的名称 challenge.listing（alliance application update … --fact listing=listings/…），"
        "或附题目材料（PROBLEM）",
        "name the listing that sets it, challenge.listing (alliance application update … --fact listing=listings/…), or "
        "attach what is asked (PROBLEM)",
    )


def _has_answered(case: Case) -> Refusal | None:
    if case.named is not None and case.named.name in {one.organization for one in case.steps("answer")}:
        return None
    return Refusal(
        "NO_ANSWER",
        "团队成员须为已解题的单位；请从解题单位中选择",
        "a member of the team has to have answered; choose one of those that have",
    )


def _is_a_member(case: Case) -> Refusal | None:
    """Who answered may have left since: the work is the members'."""
    if case.named is None or case.named.name in case.members:
        return None
    name = case.called(case.named.name)
    return Refusal(
        "NOT_A_MEMBER",
        f"{name}今日已不是该组织成员（R34）；请从仍为成员的解题单位中选择，或请其重新加入",
        f"{name} is not a member of the body today (R34); choose one of the members that have answered, or let it join again",
    )


def _not_in_the_team(case: Case) -> Refusal | None:
    if case.named is None or case.named.name not in {one.subject for one in case.steps("team")}:
        return None
    return Refusal("ALREADY_DONE", "该单位已在团队中，无须再办", "this organization is in the team already")


def _due_on_is_to_come(case: Case) -> Refusal | None:
    fix = (
        "请先改填 challenge.due_on（alliance application update … --fact due_on=…），或留空",
        "change challenge.due_on first (alliance application update … --fact due_on=…), or leave it empty",
    )
    return _past(_due_on(case), case, fix)


def _day_is_to_come(case: Case) -> Refusal | None:
    return _past(case.day, case, ("请改填今日或以后的日期", "name a day from today on"))


def _past(day: date | None, case: Case, fix: Text) -> Refusal | None:
    """Work is agreed to be done today or later."""
    if day is None or day >= case.today:
        return None
    fix_zh, fix_en = fix
    return Refusal(
        "DAY_IS_PAST",
        f"约定完成日期 {day} 已过（今日 {case.today}）；{fix_zh}",
        f"the agreed end of the work {day} is past (today is {case.today}); {fix_en}",
    )


def _is_not_the_poser(case: Case) -> Refusal | None:
    if case.unit.name != case.applicant.name:
        return None
    return Refusal(
        "CONFLICT_OF_INTEREST",
        "出题企业不能自行解题；请由其他成员单位解题",
        "who sets the challenge does not answer it; another member does",
    )


TAKEN_ON = frozenset({State.TEAMED, State.IN_WORK, State.DELIVERED, State.COMPLETED, State.REJECTED})
"""States of a challenge for which a team was formed: there is no other way into them, nor out of them to others."""


class Counts(NamedTuple):
    """How many challenges there are: published, of these taken on 承接, of these completed 完成."""

    published: int
    taken_on: int
    completed: int


def counts(by_state: Mapping[State, int]) -> Counts:
    """The counts out of how many there are in each state; drafts and what was withdrawn are left out."""
    taken_on = sum(by_state.get(state, 0) for state in TAKEN_ON)
    return Counts(by_state.get(State.ANSWERING, 0) + taken_on, taken_on, by_state.get(State.COMPLETED, 0))


PROCEDURE = Procedure(
    Programme.CHALLENGE,
    ("产业出题、校企共答", "industry challenge"),
    _CLAUSE,
    {"PROBLEM": ("题目材料", "what is asked"), "ANSWER": ("解题方案", "answer"), "RESULT": ("攻关成果", "result")},
    (
        Step(
            "publish",
            ("发布题目", "publication"),
            _CLAUSE,
            (State.DRAFT,),
            State.ANSWERING,
            _POSER,
            in_window=True,
            guards=(_says_what_is_asked, _due_on_is_to_come),
            ours=("题目以供需信息或材料说明由平台规定", "that a listing or a document says what is asked is ours"),
        ),
        Step(
            "answer",
            ("解题", "answer"),
            _CLAUSE,
            (State.ANSWERING,),
            None,
            (Party.PARTNER,),
            brings=("ANSWER",),
            guards=(_is_not_the_poser, once_for_each("answer", ("解题", "answered"))),
        ),
        Step(
            "team",
            ("组队", "team"),
            _CLAUSE,
            (State.ANSWERING, State.TEAMED),
            State.TEAMED,
            _POSER,
            asks=("organization",),
            guards=(_has_answered, _not_in_the_team, _is_a_member),
        ),
        Step(
            "start",
            ("开始攻关", "start of the work"),
            _CLAUSE,
            (State.TEAMED,),
            State.IN_WORK,
            _POSER,
            asks=("day",),
            sets="due_on",
            guards=(_day_is_to_come,),
        ),
        Step(
            "deliver", ("提交成果", "delivery"), _CLAUSE, (State.IN_WORK,), State.DELIVERED, (Party.TEAM,), brings=("RESULT",)
        ),
        Step("accept", ("验收通过", "acceptance"), _CLAUSE, (State.DELIVERED,), State.COMPLETED, _POSER),
        Step("rework", ("退回完善", "rework"), _CLAUSE, (State.DELIVERED,), State.IN_WORK, _POSER, asks=("reason",)),
        Step(
            "fail",
            ("终止", "failure"),
            _CLAUSE,
            (State.TEAMED, State.IN_WORK, State.DELIVERED),
            State.REJECTED,
            _POSER,
            asks=("reason",),
        ),
        withdraw(_CLAUSE, State.DRAFT, State.ANSWERING),
    ),
    (
        Deadline(
            (State.IN_WORK,),
            _due_on,
            ("约定完成日期", "agreed end of the work"),
            _CLAUSE,
        ),
    ),
    Applicants(("该组织的成员企业", "an enterprise of the body"), frozenset({OrgType.ENTERPRISE}), of_body=True),
)
