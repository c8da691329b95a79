"""Procedures 工作程序 as state machines: who may take which step, when, with what, and what a deadline does.

A programme's steps are data (`registry.domain.programmes`); this is the machine that they all share. A step is refused with
its reason in both languages, before anything is changed.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import IntEnum
from typing import NamedTuple

from registry.domain.conditions import Text
from registry.domain.facts import Value
from registry.domain.names import MemberRole, OrgType, Programme
from registry.domain.rules import Finding


class State(IntEnum):
    """States of an application; each programme uses some of them."""

    DRAFT = 1
    SEALING = 2
    SUBMITTED = 3
    RETURNED = 4
    QUALIFIED = 5
    IN_REVIEW = 6
    REPORTED = 7
    RUNNING = 8
    WARNED = 9
    CULTIVATED = 10
    CERTIFIED = 11
    ANSWERING = 12
    TEAMED = 13
    IN_WORK = 14
    DELIVERED = 15
    COMPILED = 16
    HELD = 17
    ASSIGNED = 18
    SCORED = 19
    PUBLISHED = 20
    RECOMMENDED = 21
    RESPONDED = 22
    COMPLETED = 23
    REJECTED = 24
    WITHDRAWN = 25
    LAPSED = 26
    REMOVED = 27


STATES: Mapping[State, Text] = {
    State.DRAFT: ("起草", "draft"),
    State.SEALING: ("盖章", "being sealed"),
    State.SUBMITTED: ("已提交", "submitted"),
    State.RETURNED: ("退回补正", "returned for correction"),
    State.QUALIFIED: ("初审合格", "qualified"),
    State.IN_REVIEW: ("评审中", "in review"),
    State.REPORTED: ("已报送", "reported"),
    State.RUNNING: ("建设中", "running"),
    State.WARNED: ("预警", "warned"),
    State.CULTIVATED: ("培育中", "being cultivated"),
    State.CERTIFIED: ("已认证", "certified"),
    State.ANSWERING: ("征集解题", "open for answers"),
    State.TEAMED: ("已组队", "team formed"),
    State.IN_WORK: ("联合攻关", "joint work"),
    State.DELIVERED: ("待验收", "delivered"),
    State.COMPILED: ("已整理", "compiled"),
    State.HELD: ("已召开", "held"),
    State.ASSIGNED: ("已布置", "assigned"),
    State.SCORED: ("已评定", "scored"),
    State.PUBLISHED: ("已公布", "published"),
    State.RECOMMENDED: ("已推荐", "recommended"),
    State.RESPONDED: ("已整改", "answered"),
    State.COMPLETED: ("已完成", "completed"),
    State.REJECTED: ("未通过", "rejected"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    State.LAPSED: ("逾期失效", "lapsed"),
    State.REMOVED: ("已退出", "removed"),
}


class Party(IntEnum):
    """In which part somebody takes a step."""

    APPLICANT = 1
    LEAD = 2
    PROVINCE = 3
    AUTHORITY = 4
    EXPERT = 5
    PARTNER = 6
    SECRETARIAT = 7
    TASK_FORCE = 8
    EVALUATOR = 9
    TEAM = 10
    PLATFORM = 11


PARTIES: Mapping[Party, Text] = {
    Party.APPLICANT: ("申报单位", "the applicant"),
    Party.LEAD: ("牵头单位", "a lead"),
    Party.PROVINCE: ("推荐省份的教育行政部门", "the education department of the recommending province"),
    Party.AUTHORITY: ("主管单位", "the authority"),
    Party.EXPERT: ("评审专家", "an expert"),
    Party.PARTNER: ("成员单位", "a member"),
    Party.SECRETARIAT: ("秘书处", "the secretariat"),
    Party.TASK_FORCE: ("专班", "the task force"),
    Party.EVALUATOR: ("第三方评价机构", "the evaluator"),
    Party.TEAM: ("解题团队", "the team"),
    Party.PLATFORM: ("平台", "the platform"),
}


class Effect(IntEnum):
    """What a step does to the body that the application is for."""

    NONE = 0
    FORM = 1
    DISSOLVE = 2


class Window(NamedTuple):
    """Business dates from and until which something may be handed in, both inclusive; None: open on that side."""

    opens_on: date | None
    closes_on: date | None

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return (self.opens_on is None or self.opens_on <= day) and (self.closes_on is None or day <= self.closes_on)


ALWAYS = Window(None, None)


class Unit(NamedTuple):
    """An organization, as far as a procedure looks at it."""

    name: str
    org_type: int
    province: str = ""
    parent: str = ""
    verified: bool = False


class Taken(NamedTuple):
    """A step that was taken: by whom for which organization, and whom it named."""

    step: str
    organization: str
    actor: str
    day: date
    subject: str = ""
    principal: str = ""
    score: int | None = None


@dataclass(frozen=True)
class Case:
    """What is known when a step is to be taken.

    Attributes:
        actor: principal who takes it; `unit` is the organization that they act for.
        leads: the body's leads by role; `members` are the names of all its members.
        documents: kinds of the documents that are there; `brought`: of those that come with the step.
        authority: name of the organization that decides.
        named: the organization that the step names, `principal` the person; `score` (0–100) and `day` what it says.
        acts_for: the organizations that the principal and the actor act for by their grants, by person; `runs_body`: those of
            the two who have a grant of the body itself.
        hindering: findings that hinder a submission.
        is_admitted: whether the applicant is, today, one of those that the programme is for.
        names: what organizations are called.
    """

    state: State
    today: date
    applicant: Unit
    unit: Unit
    actor: str
    parties: frozenset[Party]
    window: Window = ALWAYS
    authority: str = ""
    leads: Mapping[MemberRole, Unit] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    brought: frozenset[str] = frozenset()
    taken: tuple[Taken, ...] = ()
    facts: Mapping[str, Value] = field(default_factory=dict)
    named: Unit | None = None
    principal: str = ""
    acts_for: Mapping[str, frozenset[Unit]] = field(default_factory=dict)
    runs_body: frozenset[str] = frozenset()
    score: int | None = None
    day: date | None = None
    reason: str = ""
    hindering: tuple[Finding, ...] = ()
    is_admitted: bool = True
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, organization: str) -> str:
        """What people call an organization."""
        return self.names.get(organization, organization)

    def steps(self, *names: str) -> list[Taken]:
        """Steps of some names that were taken, in their order."""
        return [one for one in self.taken if one.step in names]

    @property
    def was_returned(self) -> bool:
        """Whether it was handed in once, in its window, and came back for corrections."""
        return bool(self.steps("return"))

    def since(self, *names: str) -> list[Taken]:
        """Steps that were taken since the last of some names."""
        places = [place for place, one in enumerate(self.taken) if one.step in names]
        return list(self.taken[places[-1] + 1 :]) if places else list(self.taken)


class Refusal(NamedTuple):
    """Why a step can't be taken."""

    reason: str
    zh: str
    en: str


Guard = Callable[[Case], Refusal | None]


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        at: states in which it can be taken; `to` is the state after it, None where it stays.
        by: who may take it; `turns`: who alone may in a state, where that is not all of them.
        documents: kinds of documents that have to be there; `brings`: that have to come with it.
        asks: what the call has to say: `reason`, `organization`, `principal`, `score`, `day`.
        sets: the fact of the application that the day becomes which the call says.
        after: the state after it where that depends on the case, in place of `to`.
        in_window: only within the programme's window; what was returned has its days for corrections instead.
        checks_rules: refused where a required rule is violated.
        releases: whom it names has no part in the application any more, and no longer reads it.
        ours: what of it the document leaves open and we have chosen.
    """

    name: str
    title: Text
    clause: str
    at: tuple[State, ...]
    to: State | None
    by: tuple[Party, ...]
    documents: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    sets: str = ""
    in_window: bool = False
    checks_rules: bool = False
    guards: tuple[Guard, ...] = ()
    effect: Effect = Effect.NONE
    releases: bool = False
    ours: Text = ("", "")
    after: Callable[[Case], State] | None = None
    turns: Mapping[State, Party] = field(default_factory=dict)

    def takers(self, state: State) -> tuple[Party, ...]:
        """Who may take it in a state."""
        return (self.turns[state],) if state in self.turns else self.by

    def leads_to(self, case: Case) -> State:
        """The state after it."""
        return self.after(case) if self.after else self.to or case.state


@dataclass(frozen=True)
class Deadline:
    """The last day of some states: after it the platform takes a step, or where `step` is "" only says that it has passed."""

    at: tuple[State, ...]
    last: Callable[[Case], date | None]
    title: Text
    clause: str
    step: str = ""


@dataclass(frozen=True)
class Applicants:
    """Whom a programme's applications can be for.

    Attributes:
        title: what people call them.
        types: their types; any where empty.
        of_body: only members of the body that the application is for.
        roles: such members need one of these roles; any where empty.
        is_the_body: only the organization that the body itself is: a pilot's institution, a support unit's unit.
    """

    title: Text
    types: frozenset[OrgType] = frozenset()
    of_body: bool = False
    roles: frozenset[MemberRole] = frozenset()
    is_the_body: bool = False

    def admit(self, org_type: int, roles: Collection[int] | None, is_the_body: bool) -> bool:
        """Whether an organization of a type can be the applicant; `roles` are its own in the body, None for no member."""
        return (
            (not self.types or org_type in self.types)
            and (not self.of_body or roles is not None)
            and (not self.roles or not self.roles.isdisjoint(roles or ()))
            and (not self.is_the_body or is_the_body)
        )


ANYBODY = Applicants(("不限", "anybody"))


@dataclass(frozen=True)
class Procedure:
    """A programme's steps and deadlines; `documents` are the kinds of documents it knows, with what people call them;
    those of `pdf_only` are taken as PDF alone.
    """

    programme: Programme
    title: Text
    clause: str
    documents: Mapping[str, Text]
    steps: tuple[Step, ...]
    deadlines: tuple[Deadline, ...] = ()
    applicants: Applicants = ANYBODY
    pdf_only: frozenset[str] = frozenset()

    @property
    def has_window(self) -> bool:
        """Whether something of it is handed in within the window of its call."""
        return any(one.in_window for one in self.steps)

    @property
    def is_decided(self) -> bool:
        """Whether the authority of its call takes a step."""
        return any(Party.AUTHORITY in one.by for one in self.steps)

    def step(self, name: str) -> Step | None:
        """A step by name."""
        return next((one for one in self.steps if one.name == name), None)

    def possible(self, state: State, parties: frozenset[Party]) -> list[Step]:
        """Steps that a state and the parties allow, whatever else they need."""
        return [one for one in self.steps if state in one.at and parties.intersection(one.takers(state))]

    def due(self, case: Case) -> tuple[date, Deadline] | None:
        """The last day of the present state and what it is, if it has one."""
        days = ((one.last(case), one) for one in self.deadlines if case.state in one.at)
        return min(((day, one) for day, one in days if day), key=lambda due: due[0], default=None)

    def overdue(self, case: Case) -> Step | None:
        """The step that the platform takes because a last day has passed."""
        for one in self.deadlines:
            last = one.last(case) if case.state in one.at and one.step else None
            if last and case.today > last:
                return self.step(one.step)
        return None


REMIND_DAYS = 7
"""Days before a last day on which it is said to be near; our default, the documents name none."""


def remind_day(due_on: date, today: date) -> date | None:
    """When to say that a last day is near that was set today: tomorrow at the earliest, never after it."""
    return max(due_on - timedelta(days=REMIND_DAYS), today + timedelta(days=1)) if due_on > today else None


def hurdle(procedure: Procedure, case: Case, step: Step) -> Refusal | None:
    """What stands in the way of a step before anything is said or brought with it; told beside the step's title and clause."""
    there = replace(case, brought=case.brought | set(step.brings))
    return (
        _not_now(procedure, case, step)
        or _not_the_party(step, case)
        or _not_admitted(procedure, step, case)
        or _out_of_window(step, case)
        or _without_documents(procedure, step, there)
        or _hindered(step, case)
        or _guarded(step, case, said=False)
    )


def take(procedure: Procedure, case: Case, name: str) -> Step | Refusal:
    """The step, if it may be taken; else why not."""
    step = procedure.step(name)
    if step is None:
        now_zh, now_en = _now(procedure, case)
        return Refusal("ILLEGAL_STATE", f"没有步骤 {name[:40]}；{now_zh}", f"there is no step {name[:40]}; {now_en}")
    found = (
        _not_now(procedure, case, step)
        or _not_the_party(step, case)
        or _not_admitted(procedure, step, case)
        or _unsaid(step, case)
        or _out_of_window(step, case)
        or _without_documents(procedure, step, case)
        or _hindered(step, case)
        or _guarded(step, case, said=True)
    )
    return _told(step, found) if found else step


_NAMED = frozenset({"organization", "principal", "day"})


def _guarded(step: Step, case: Case, *, said: bool) -> Refusal | None:
    """What a guard says; before anything is said, only of steps whose guards don't look at what the call names."""
    if not said and not _NAMED.isdisjoint(step.asks):
        return None
    return next((refusal for guard in step.guards if (refusal := guard(case))), None)


def _told(step: Step, refusal: Refusal) -> Refusal:
    """A refusal that says of which step it is, and by which clause."""
    zh, en = step.title
    return refusal._replace(zh=f"“{zh}”（{step.clause}）：{refusal.zh}", en=f"“{en}” ({step.clause}): {refusal.en}")


def _not_now(procedure: Procedure, case: Case, step: Step) -> Refusal | None:
    return None if case.state in step.at else Refusal("ILLEGAL_STATE", *_now(procedure, case))


def _now(procedure: Procedure, case: Case) -> Text:
    """The state, and what can be done in it: by the caller, else by others."""
    zh, en = STATES[case.state]
    at_zh, at_en = f"当前状态为“{zh}”", f"it is {en}"
    mine = procedure.possible(case.state, case.parties)
    if mine:
        listed = "、".join(f"{one.title[0]}（{one.name}）" for one in mine)
        return f"{at_zh}，请改办：{listed}", f"{at_en}; you can take: {', '.join(one.name for one in mine)}"
    others = [one for one in procedure.possible(case.state, frozenset(Party)) if one.by != (Party.PLATFORM,)]
    if others:
        listed = "、".join(f"{one.title[0]}（{one.name}，{_parties(one, case.state)[0]}）" for one in others)
        by = ", ".join(f"{one.name} by {_parties(one, case.state)[1]}" for one in others)
        return f"{at_zh}，请待他方办理：{listed}", f"{at_en}; it waits for: {by}"
    return f"{at_zh}，此后没有步骤", f"{at_en}, and no step comes after it"


def _parties(step: Step, state: State) -> Text:
    takers = step.takers(state)
    return "、".join(PARTIES[one][0] for one in takers), " or ".join(PARTIES[one][1] for one in takers)


def _not_the_party(step: Step, case: Case) -> Refusal | None:
    if case.parties.intersection(step.takers(case.state)):
        return None
    zh, en = _parties(step, case.state)
    return Refusal("NOT_THE_PARTY", f"请由{zh}办理", f"it is for {en}")


_IN_ITS_HANDS = frozenset({State.DRAFT, State.SEALING, State.RETURNED})
_GIVEN_UP = frozenset({State.WITHDRAWN, State.REMOVED})


def _not_admitted(procedure: Procedure, step: Step, case: Case) -> Refusal | None:
    """Who has lost what it applied by (left the body, leads it no more) hands nothing in; it may still take it back.

    What others took up since goes on: an enterprise that left accepts the work on its challenge, a unit reports on its year.
    """
    as_applicant = Party.APPLICANT in case.parties and Party.APPLICANT in step.takers(case.state)
    if case.is_admitted or not as_applicant or case.state not in _IN_ITS_HANDS or step.to in _GIVEN_UP:
        return None
    zh, en = procedure.applicants.title
    return Refusal(
        "NOT_ADMITTED",
        f"申报单位今日不是{zh}；请先更正其类型或在组织中的角色，或撤回申报",
        f"the applicant is not {en} today; mend its type or its role in the body first, or withdraw",
    )


_ASKED: Mapping[str, Text] = {
    "reason": ("原因", "reason"),
    "organization": ("单位", "organization"),
    "principal": ("人员账号", "principal"),
    "score": ("评分 0–100", "score, 0–100"),
    "day": ("日期", "day"),
}


def _unsaid(step: Step, case: Case) -> Refusal | None:
    said = {
        "reason": bool(case.reason.strip()),
        "organization": case.named is not None,
        "principal": bool(case.principal),
        "score": case.score is not None,
        "day": case.day is not None,
    }
    missing = [one for one in step.asks if not said[one]]
    if not missing:
        return None
    zh = "、".join(f"{_ASKED[one][0]}（{one}）" for one in missing)
    return Refusal("INPUT_REQUIRED", f"请填写：{zh}", f"it needs: {', '.join(_ASKED[one][1] for one in missing)}")


def _out_of_window(step: Step, case: Case) -> Refusal | None:
    if not step.in_window or case.was_returned or case.window.holds(case.today):
        return None
    opens, closes = case.window
    return Refusal(
        "WINDOW_CLOSED",
        f"受理时间为 {opens or '…'} 至 {closes or '…'}，今日 {case.today} 不在其中；请在受理时间内办理",
        f"it is open from {opens or '…'} to {closes or '…'}, and today is {case.today}; come within these days",
    )


def _without_documents(procedure: Procedure, step: Step, case: Case) -> Refusal | None:
    missing = [one for one in step.documents if one not in case.documents | case.brought]
    missing += [one for one in step.brings if one not in case.brought]
    if not missing:
        return None
    zh = "、".join(f"{procedure.documents[one][0]}（{one}）" for one in missing)
    en = ", ".join(f"{procedure.documents[one][1]} ({one})" for one in missing)
    return Refusal("DOCUMENT_REQUIRED", f"请附：{zh}", f"attach: {en}")


def _hindered(step: Step, case: Case) -> Refusal | None:
    if not step.checks_rules or not case.hindering:
        return None
    return Refusal(
        "RULES_VIOLATED",
        "；".join(f"{one.rule}（{one.clause}）{one.zh}：{one.fix[0]}" for one in case.hindering),
        "; ".join(f"{one.rule} ({one.clause}) {one.en}: {one.fix[1]}" for one in case.hindering),
    )
