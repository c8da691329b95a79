"""What follows from one change of a listing: which matches are proposed, scored anew or ended.

A change proposes the listing's best partners, at most `best` of them. A proposal stands as long as the pair fits, also
when better partners come along: nobody loses a partner because others published. So the proposals follow from the
listings alone as long as no listing has more than `best` that fit, and from the order of changes beyond that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from matching.domain import life
from matching.domain.facts import Facts
from matching.domain.life import CLOSED, OPEN, Change, Match
from matching.domain.score import Partner, Verdict, judge, sides


@dataclass(frozen=True)
class Day:
    """When a change is judged, and by which threshold (thousandths)."""

    now: datetime
    today: date
    threshold: int


def plan(
    facts: Facts,
    chosen: Iterable[Partner],
    others: Iterable[Partner],
    barred: Mapping[str, str],
    matches: Mapping[str, Match],
    day: Day,
) -> list[Change]:
    """The changes of matches that a published or revised listing brings.

    `chosen` are its best partners, `others` the partners of its open matches that are not among them, `barred` says of those
    of the others that can't be its partners now what the matter is, a word of `life.BROKEN`; `matches` are its matches by
    partner.
    """
    changes = [_chosen(facts, other, near, matches.get(other.name), day) for other, near in chosen]
    for other, near in others:
        broken = barred.get(other.name)
        verdict = Verdict(broken) if broken else judge(*sides(facts, other), day.today, near)
        match = matches[other.name]
        changes.append(life.reconsider(match, *sides(facts, other), verdict, day.threshold, day.now))
    return [change for change in changes if change]


def is_free(facts: Facts, other: Facts, matches: Mapping[str, Match]) -> bool:
    """Whether a pair is open, or can be proposed: what the two have done with or spoken on takes nobody's place."""
    match = matches.get(other.name)
    return (match is not None and match.state in OPEN) or life.is_proposable(match, *sides(facts, other))


def close(matches: Iterable[Match], state: str, now: datetime) -> list[Change]:
    """The changes that the end of a listing brings: its open matches expire."""
    return [life.expire(match, CLOSED[state], now) for match in matches if match.state in OPEN]


def _chosen(facts: Facts, other: Facts, near: int | None, match: Match | None, day: Day) -> Change | None:
    demand, supply = sides(facts, other)
    if match is not None and match.state in OPEN:
        return life.reconsider(match, demand, supply, judge(demand, supply, day.today, near), day.threshold, day.now)
    if not life.is_proposable(match, demand, supply):
        return None
    return life.propose(match, demand, supply, judge(demand, supply, day.today, near), day.now)
