"""The life of a match 匹配流程: what may happen to it, in which state, and what follows from a new verdict.

A fulfilled, failed or declined match is final: the two have spoken, a later revision does not ask them again. An
expired one was ended by the platform and is proposed anew when the pair fits again. Once both sides have accepted,
only a broken condition, a closed listing or a person's review ends a match; a lower score does not. What a review has
overturned is proposed anew only once one of its listings changes. What is in progress is theirs alone:
a cooperation goes on when the listing that led to it is fulfilled, revised or runs out.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from matching.domain.facts import Facts
from matching.domain.pairs import STAMP
from matching.domain.score import Part, Verdict

_NAMESPACE = uuid.UUID("6f0c6c52-53b3-5d5c-9c8e-3f3f0e1f2a71")


class State(StrEnum):
    """States of a match, named as in the contract."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    IN_PROGRESS = "IN_PROGRESS"
    FULFILLED = "FULFILLED"
    FAILED = "FAILED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"
    OVERTURNED = "OVERTURNED"


class Verb(StrEnum):
    """What happened to a match; the types of its events."""

    PROPOSED = "proposed"
    RESCORED = "rescored"
    ACCEPTED = "accepted"
    STARTED = "started"
    FULFILLED = "fulfilled"
    FAILED = "failed"
    DECLINED = "declined"
    EXPIRED = "expired"
    OVERTURNED = "overturned"


class DeclineReason(StrEnum):
    """Why a side declines, named as in the contract; `UNSPECIFIED`: not said."""

    UNSPECIFIED = ""
    REGION = "REGION"
    PAY = "PAY"
    SKILLS = "SKILLS"
    EDUCATION = "EDUCATION"
    EXPERIENCE = "EXPERIENCE"
    FILLED = "FILLED"
    TIMING = "TIMING"
    OTHER = "OTHER"


IN_WORDS = frozenset({DeclineReason.UNSPECIFIED, DeclineReason.OTHER})
"""What says too little without words beside it."""

OPEN = frozenset({State.PROPOSED, State.ACCEPTED})
"""What the platform may end."""
DISPUTABLE = OPEN | {State.EXPIRED}
"""What a review can still overturn: in every other state the two sides work on it, have spoken, or a review has."""

# (state, what a side does) → state. Accepting leads to ACCEPTED only once both sides have.
STEPS: Mapping[tuple[State, Verb], State] = {
    (State.PROPOSED, Verb.ACCEPTED): State.ACCEPTED,
    (State.PROPOSED, Verb.DECLINED): State.DECLINED,
    (State.ACCEPTED, Verb.DECLINED): State.DECLINED,
    (State.ACCEPTED, Verb.STARTED): State.IN_PROGRESS,
    (State.IN_PROGRESS, Verb.FULFILLED): State.FULFILLED,
    (State.IN_PROGRESS, Verb.FAILED): State.FAILED,
}

BROKEN: Mapping[str, str] = {
    "issuers": "双方为同一发布单位 (both are issued by one organization)",
    "validity": "不在双方有效期内 (not valid on both sides today)",
    "region": "地区不再相符 (the regions no longer meet)",
    "education": "学历不再满足要求 (the education no longer reaches what is asked for)",
    "quantity": "数量已全部对接完成 (all that is asked for or offered is filled)",
    "visibility": "一方不再能查看对方的信息 (one side may no longer see the other's listing)",
    "score": "得分低于推荐线 (the score is below the threshold)",
}
CLOSED: Mapping[str, str] = {
    "WITHDRAWN": "信息已撤回 (the listing was withdrawn)",
    "EXPIRED": "信息已到期 (the listing ran out)",
    "FULFILLED": "信息已达成 (the listing was fulfilled)",
    "UNKNOWN": "信息的类型或状态为本系统所不识 (the listing is of a kind, or in a state, that is not known here)",
}


class IllegalStepError(Exception):
    """A step that the match's state does not allow; `possible` are the verbs that it does."""

    def __init__(self, state: State, verb: Verb) -> None:
        super().__init__(f"{verb} in state {state}")
        self.state = state
        self.verb = verb
        self.possible = tuple(sorted(step for start, step in STEPS if start is state))


class AlreadyAcceptedError(Exception):
    """This side has accepted before."""


@dataclass(frozen=True)
class Match:
    """A match; fields as in the contract. Times are business time, UTC."""

    name: str
    version: int
    demand: str
    supply: str
    demand_version: int
    supply_version: int
    demand_issuer: str
    supply_issuer: str
    bodies: tuple[str, ...]
    state: State
    score: int
    parts: tuple[Part, ...]
    gaps: tuple[str, ...]
    algorithm_version: str
    demand_accepted: bool
    supply_accepted: bool
    reason: str
    create_time: datetime
    update_time: datetime
    decline_reason: DeclineReason = DeclineReason.UNSPECIFIED
    filled: int = 0
    """How many of the listings' quantities it filled."""
    demand_kind: str = ""
    """Name of the demand's kind without its prefix; empty, as the supply's, of what was scored before matches said it."""
    supply_kind: str = ""

    def partner(self, listing: str) -> str:
        """The other listing of the pair."""
        return self.supply if listing == self.demand else self.demand


@dataclass(frozen=True)
class Change:
    """A match after something happened to it, and as it was `before`; None where there was none."""

    verb: Verb
    match: Match
    before: Match | None = None


def match_name(demand: str, supply: str) -> str:
    """Name of the match of a pair: the same pair has the same name for ever."""
    return f"matches/{uuid.uuid5(_NAMESPACE, f'{demand} {supply}')}"


def propose(before: Match | None, demand: Facts, supply: Facts, verdict: Verdict, now: datetime) -> Change:
    """A pair is proposed, or proposed anew after it had expired."""
    proposed = Match(
        name=match_name(demand.name, supply.name),
        version=before.version + 1 if before else 1,
        demand=demand.name,
        supply=supply.name,
        demand_version=demand.version,
        supply_version=supply.version,
        demand_issuer=demand.issuer,
        supply_issuer=supply.issuer,
        bodies=_common_bodies(demand, supply),
        state=State.PROPOSED,
        score=verdict.score,
        parts=verdict.parts,
        gaps=verdict.gaps,
        algorithm_version=STAMP,
        demand_accepted=False,
        supply_accepted=False,
        reason="",
        create_time=now,
        update_time=now,
        demand_kind=demand.kind,
        supply_kind=supply.kind,
    )
    return Change(Verb.PROPOSED, proposed, before)


def is_proposable(match: Match | None, demand: Facts, supply: Facts) -> bool:
    """Whether a pair that fits may be proposed, by what became of it before."""
    if match is not None and match.state is State.OVERTURNED:
        return demand.version > match.demand_version or supply.version > match.supply_version
    return match is None or match.state is State.EXPIRED


def reconsider(match: Match, demand: Facts, supply: Facts, verdict: Verdict, threshold: int, now: datetime) -> Change | None:
    """What a new verdict means for an open match; None where nothing changes that anybody would see."""
    if verdict.broken:
        return expire(match, BROKEN[verdict.broken], now)
    if match.state is not State.PROPOSED:
        return None
    if verdict.score < threshold:
        return expire(match, BROKEN["score"], now)
    return _rescore(match, demand, supply, verdict, now)


def _rescore(match: Match, demand: Facts, supply: Facts, verdict: Verdict, now: datetime) -> Change | None:
    fresh = {
        "score": verdict.score,
        "parts": verdict.parts,
        "gaps": verdict.gaps,
        "algorithm_version": STAMP,
        "bodies": _common_bodies(demand, supply),
        "demand_kind": demand.kind,
        "supply_kind": supply.kind,
    }
    if all(getattr(match, name) == value for name, value in fresh.items()):
        return None
    versions = {"demand_version": demand.version, "supply_version": supply.version}
    return _next(Verb.RESCORED, match, now, **fresh, **versions)


def expire(match: Match, reason: str, now: datetime) -> Change:
    """The platform ends an open match."""
    return _next(Verb.EXPIRED, match, now, state=State.EXPIRED, reason=reason)


def overturn(match: Match, demand_version: int, supply_version: int, reason: str, now: datetime) -> Change | None:
    """A review ends a match, for as long as its listings are of these versions; None where it is no longer the platform's."""
    if match.state not in DISPUTABLE:
        return None
    versions = {"demand_version": demand_version, "supply_version": supply_version}
    return _next(Verb.OVERTURNED, match, now, state=State.OVERTURNED, reason=reason, **versions)


def accept(match: Match, organization: str, reason: str, now: datetime) -> Change:
    """One side accepts; raises `IllegalStepError`, or `AlreadyAcceptedError` where it had accepted before."""
    both = _after(match, Verb.ACCEPTED)
    mine, theirs = (
        ("demand_accepted", "supply_accepted")
        if organization == match.demand_issuer
        else ("supply_accepted", "demand_accepted")
    )
    if getattr(match, mine):
        raise AlreadyAcceptedError
    state = both if getattr(match, theirs) else match.state
    return _next(Verb.ACCEPTED, match, now, state=state, reason=reason, **{mine: True})


def step(match: Match, verb: Verb, reason: str, now: datetime) -> Change:
    """A side declines, starts, or says that it failed; raises `IllegalStepError`."""
    return _next(verb, match, now, state=_after(match, verb), reason=reason)


def fulfil(match: Match, filled: int, reason: str, now: datetime) -> Change:
    """A side says that it is fulfilled, and how many it filled; raises `IllegalStepError`."""
    fulfilled = step(match, Verb.FULFILLED, reason, now)
    return replace(fulfilled, match=replace(fulfilled.match, filled=filled))


def decline(match: Match, why: DeclineReason, reason: str, now: datetime) -> Change:
    """A side declines for a reason of the list, and in words; raises `IllegalStepError`."""
    declined = step(match, Verb.DECLINED, reason, now)
    return replace(declined, match=replace(declined.match, decline_reason=why))


def _after(match: Match, verb: Verb) -> State:
    if (match.state, verb) not in STEPS:
        raise IllegalStepError(match.state, verb)
    return STEPS[match.state, verb]


def _next(verb: Verb, match: Match, now: datetime, **changes: object) -> Change:
    after = replace(match, version=match.version + 1, update_time=now, **changes)  # type: ignore[arg-type]
    return Change(verb, after, match)


def _common_bodies(demand: Facts, supply: Facts) -> tuple[str, ...]:
    return tuple(sorted(set(demand.bodies) & set(supply.bodies)))
