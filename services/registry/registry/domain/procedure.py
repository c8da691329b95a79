"""Procedures 工作程序 as state machines: who may take which step, when, with what, and what a deadline does.

A programme's steps are data (`registry.domain.programmes`); this is what they are made of. Whether one may be taken is judged
in `transitions`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
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


FILLED_IN = frozenset({State.DRAFT, State.RETURNED})
"""States in which an application is filled in; its facts, too, unless its procedure says otherwise."""


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
    """An organization, as far as a procedure looks at it; `region_code` is GB/T 2260's, "" where it has none."""

    name: str
    org_type: int
    region_code: str = ""
    parent: str = ""
    verified: bool = False

    @property
    def province(self) -> str:
        """The first two digits of its region; "" where it has none."""
        return self.region_code[:2]

    @property
    def is_of_a_province(self) -> bool:
        """Whether its region is a whole province, and no city or county of one."""
        return self.region_code.endswith("0000")


class Taken(NamedTuple):
    """A step that was taken: by whom for which organization, and whom it named; `sealed` is what a seal was put on."""

    step: str
    organization: str
    actor: str
    day: date
    subject: str = ""
    principal: str = ""
    score: int | None = None
    sealed: str = ""


@dataclass(frozen=True)
class Case:
    """What is known when a step is to be taken.

    Attributes:
        actor: principal who takes it; `unit` is the organization that they act for.
        leads: the body's leads by role; `members` are the names of all its members.
        bound: names of those of the organizations that it names that stand in a body with the applicant where one of the two
            has a part in leading it.
        documents: kinds of the documents that are there; `brought`: of those that come with the step; `new`: of those that
            come with it and were not there before.
        content: what a seal is put on, as a digest; "" where nothing is sealed.
        authority: name of the organization that decides; `begun_by`: of who began it, "" where that is not known.
        college: name of the secondary college that may act for the applicant; "" for none (R21).
        call: name of the call that it answers; `window` is what that call names.
        region: of the body, GB/T 2260; "" where it has none; `is_suspended`: whether the body is.
        named: the organization that the step names, `principal` the person; `score` (0–100) and `day` what it says.
        acts_for: the organizations that the principal, the actor and the experts act for by their grants, by person;
            `runs_body`: those of them who have a grant of the body itself.
        hindering: findings that hinder a submission; `untold` are those that a decision waits for.
        is_admitted: whether the applicant is, today, one of those that the programme is for.
        units: the organizations that the application and its steps name, and the members, as they are now, by name.
        names: what organizations are called.
    """

    state: State
    today: date
    applicant: Unit
    unit: Unit
    actor: str
    parties: frozenset[Party]
    window: Window = ALWAYS
    call: str = ""
    authority: str = ""
    begun_by: str = ""
    college: str = ""
    region: str = ""
    is_suspended: bool = False
    leads: Mapping[MemberRole, Unit] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    brought: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    content: str = ""
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
    untold: tuple[Finding, ...] = ()
    is_admitted: bool = True
    units: Mapping[str, Unit] = field(default_factory=dict)
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
        asks: what the call has to say: `reason`, `organization`, `principal`, `score`, `day`; `takes`: what it may say beside.
        sets: the fact of the application that the day becomes which the call says.
        after: the state after it where that depends on the case, in place of `to`.
        in_window: only within the window of the call, as handing in is, but for what the authority asks everybody for
            (PERFORMANCE); what was returned has its days for corrections instead.
        checks_rules: refused where a required rule is violated; with `settles_rules` also where one cannot be told.
        releases: the organizations and principals that have no part in the application any more, and no longer read it.
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
    takes: tuple[str, ...] = ()
    sets: str = ""
    in_window: bool = False
    checks_rules: bool = False
    settles_rules: bool = False
    guards: tuple[Guard, ...] = ()
    effect: Effect = Effect.NONE
    releases: Callable[[Case], frozenset[str]] = lambda case: frozenset()
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
    """A programme's steps and deadlines; `documents` are the kinds of documents it knows, with what people call them: those of
    `pdf_only` are taken as PDF alone, those of `personal` are about the candidate and erased with their record. The guards of
    `filling` say who does not fill it in: facts in the states of `facts_in`, the title and documents in those of `FILLED_IN`.
    """

    programme: Programme
    title: Text
    clause: str
    documents: Mapping[str, Text]
    steps: tuple[Step, ...]
    deadlines: tuple[Deadline, ...] = ()
    applicants: Applicants = ANYBODY
    pdf_only: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    facts_in: frozenset[State] = FILLED_IN
    filling: tuple[Guard, ...] = ()

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

    def ways_back(self, state: State) -> list[Step]:
        """Steps that bring an application into its applicant's hands again."""
        return [one for one in self.steps if state in one.at and one.to in _BACK]

    def ways_out(self, state: State) -> list[Step]:
        """Steps by which people end an application; none where it has ended, or where no step comes any more."""
        return [one for one in self.steps if state in one.at and one.to in _ENDED and Party.PLATFORM not in one.by]

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


_ENDED = (State.COMPLETED, State.REJECTED, State.WITHDRAWN, State.REMOVED)
_BACK = (State.DRAFT, State.RETURNED, State.WITHDRAWN)
REMIND_DAYS = 7
"""Days before a last day on which it is said to be near; our default, the documents name none."""


def remind_day(due_on: date, today: date) -> date | None:
    """When to say that a last day is near that was set today: tomorrow at the earliest, never after it."""
    return max(due_on - timedelta(days=REMIND_DAYS), today + timedelta(days=1)) if due_on > today else None
