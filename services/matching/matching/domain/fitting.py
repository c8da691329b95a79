"""What a fit of weights 权重拟合 learns from: the parts of scores, and what both sides decided; nothing of persons.

Pairs of the same kinds are one group, as far as their scores have the same features: a release may have given them others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from matching.domain.life import DeclineReason, State

DECIDED: Mapping[State, bool] = {State.ACCEPTED: True, State.DECLINED: False}
"""The state that a decision led to → whether both sides took the match; on one that expired they did not decide."""
NOT_OF_THE_PAIR = frozenset({DeclineReason.PAY, DeclineReason.FILLED, DeclineReason.TIMING})
"""Reasons of decline that no part of a score knows of: what was declined for them says nothing of its weights."""
_HELD_OUT = 5  # one match of so many


@dataclass(frozen=True)
class Decision:
    """One match that the sides decided on: feature → value (0–1000) of every part, 0 where one side did not state it.

    `kinds` are those of its listings (`TRAINING-COURSE`), empty where the match was scored before it said them. `reason` is
    why it was declined, where that was said by the list.
    """

    match: str
    values: Mapping[str, int]
    score: int
    is_accepted: bool
    reason: DeclineReason = DeclineReason.UNSPECIFIED
    kinds: str = ""

    @property
    def group(self) -> str:
        """Its kinds, and the features of its score."""
        return " ".join(filter(None, [self.kinds, "+".join(sorted(self.values))]))

    def line(self) -> str:
        """All that a fit knows of it, in one form of writing."""
        values = " ".join(f"{name}={value}" for name, value in sorted(self.values.items()))
        return f"{self.match} {int(self.is_accepted)}{self.reason} {self.score} {self.kinds} {values}"

    def is_held_out(self, seed: int) -> bool:
        """Whether the fit is measured by it and learns nothing from it; follows from its name and the seed alone."""
        return sha256(f"{seed} {self.match}".encode()).digest()[0] % _HELD_OUT == 0


def digest_of(decisions: Sequence[Decision]) -> str:
    """The hash of what a fit was made of, whatever order it came in."""
    return sha256("\n".join(sorted(one.line() for one in decisions)).encode()).hexdigest()


def thousandths(coefficients: Mapping[str, float]) -> dict[str, int]:
    """Weights in the proportions of the coefficients that sum to 1000; none is negative. Empty where none is positive.

    What speaks against a match when it is fulfilled would turn its reason into a lie: such a feature gets no weight.
    """
    positive = {name: max(0.0, value) for name, value in sorted(coefficients.items())}
    total = sum(positive.values())
    if not total:
        return {}
    exact = {name: 1000 * value / total for name, value in positive.items()}
    found = {name: int(value) for name, value in exact.items()}
    left = 1000 - sum(found.values())
    for name in sorted(exact, key=lambda name: (found[name] - exact[name], name))[:left]:
        found[name] += 1
    return found


def ranked_right(scores: Sequence[float], accepted: Sequence[bool]) -> float | None:
    """Area under the ROC curve: how often an accepted match has a higher score than a declined one, ties being half; None
    where one of them is missing.
    """
    taken = [score for score, is_accepted in zip(scores, accepted, strict=True) if is_accepted]
    declined = [score for score, is_accepted in zip(scores, accepted, strict=True) if not is_accepted]
    if not taken or not declined:
        return None
    wins = sum((one > other) + 0.5 * (one == other) for one in taken for other in declined)
    return wins / (len(taken) * len(declined))
