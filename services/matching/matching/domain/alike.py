"""What became of matches like one 同类匹配的表态: of those of the same kinds with a score of the same band, how many were
decided, and how many of these both sides accepted.

Counted beside the matches as they change, and kept apart from every score: a pair's score never depends on what others said.
It is told only where nobody can be told from it: without those of any one organization, at least `LEAST` are left, so that
neither what one does nor what is left of the figure without one's own says what another did.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from matching.domain.life import Change, Match, State

BAND, TOP = 100, 900
"""Thousandths of score in a band, and the lowest of the last band, to which the full score belongs."""
LEAST = 10
"""Decided matches that must be left without those of whichever organization has most of them."""


class Like(NamedTuple):
    """Which matches are like each other: kinds of demand and supply, and the lowest score of their band."""

    demand_kind: str
    supply_kind: str
    lowest: int


class Tally(NamedTuple):
    """What an organization's matches like each other came to."""

    like: Like
    organization: str


class Count(NamedTuple):
    """Matches that both sides accepted, and those that one declined."""

    accepted: int = 0
    declined: int = 0


class Decided(NamedTuple):
    """Matches that were decided on, and how many of these both sides accepted."""

    decided: int
    accepted: int


def lowest(score: int) -> int:
    """The lowest score of a score's band."""
    return min(TOP, score // BAND * BAND)


def highest(low: int) -> int:
    """The highest score of a band."""
    return low + BAND - (low != TOP)


def like(match: Match) -> Like:
    """What a match is like."""
    return Like(match.demand_kind, match.supply_kind, lowest(match.score))


def is_accepted(match: Match) -> bool | None:
    """What the sides have said, whatever became of it since: whether both accepted it; None where they have not both said."""
    if match.state is State.DECLINED:
        return False
    return True if match.demand_accepted and match.supply_accepted else None


def moved(changes: Iterable[Change]) -> Mapping[Tally, Count]:
    """By how much changes of matches move the counts of their organizations, in the order of the tallies."""
    accepted, declined = Counter[Tally](), Counter[Tally]()
    for change in changes:
        for match, by in ((change.before, -1), (change.match, 1)):
            said = is_accepted(match) if match else None
            if match and said is not None:
                tallies = [Tally(like(match), one) for one in (match.demand_issuer, match.supply_issuer)]
                (accepted if said else declined).update(dict.fromkeys(tallies, by))
    found = {one: Count(accepted[one], declined[one]) for one in sorted({*accepted, *declined})}
    return {one: count for one, count in found.items() if any(count)}


def told(summed: Count, most: int) -> Decided | None:
    """What may be said of the counts of all organizations, summed, each match being with its two, where one has `most` decided
    ones; None where that is too little.
    """
    accepted, declined = (one // 2 for one in summed)
    return Decided(accepted + declined, accepted) if accepted + declined - most >= LEAST else None
