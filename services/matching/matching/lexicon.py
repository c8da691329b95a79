"""The terms of all listings: as numbers, and how many listings hold each; what two passages share, measured many at a time."""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.domain import lexical
from matching.domain.passage import Passage


class Held(NamedTuple):
    """The terms of a listing as numbers of 4 bytes, and how often each stands in it, as one byte."""

    terms: bytes
    counts: bytes


class Lexicon:
    """One for listings of every kind, so that a pair is as close seen from either side."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._holding = array("I")  # number of a term → listings that hold it
        self._listings = 0

    def add(self, counted: dict[str, int]) -> Held:
        """A listing more, with such `lexical.counts`."""
        numbers = [self._numbers.setdefault(term, len(self._numbers)) for term in counted]
        self._holding.extend([0] * (len(self._numbers) - len(self._holding)))
        self._count(numbers, 1)
        return Held(array("I", numbers).tobytes(), bytes(min(count, 255) for count in counted.values()))

    def remove(self, held: Held) -> None:
        """A listing less."""
        self._count(np.frombuffer(held.terms, np.uint32).tolist(), -1)

    def weights(self, passage: Passage) -> dict[str, float]:
        """See `lexical.weights`."""
        return lexical.weights(lexical.counts(passage), self._held_by, self._listings)

    def closeness(self, weights: dict[str, float], listings: Sequence[Held]) -> list[float]:
        """`lexical.closeness` of a passage's weights and each listing, all at once."""
        if not listings:
            return []
        owners = np.repeat(np.arange(len(listings)), [len(held.counts) for held in listings])
        terms = np.frombuffer(b"".join(held.terms for held in listings), np.uint32)
        counts = np.frombuffer(b"".join(held.counts for held in listings), np.uint8)
        holding = np.frombuffer(self._holding, np.uint32)[terms]
        mass = np.log1p(counts, dtype=np.float64) * np.log1p((self._listings - holding + 0.5) / (holding + 0.5))
        shared = np.bincount(owners, mass * self._asked(weights)[terms], len(listings))
        lengths = np.sqrt(np.bincount(owners, mass * mass, len(listings)))
        found: list[float] = np.divide(shared, lengths, out=np.zeros_like(shared), where=lengths > 0).tolist()
        return found

    def _count(self, numbers: list[int], change: int) -> None:
        for number in numbers:
            self._holding[number] += change
        self._listings += change

    def _held_by(self, term: str) -> int:
        number = self._numbers.get(term)
        return 0 if number is None else self._holding[number]

    def _asked(self, weights: dict[str, float]) -> NDArray[np.float64]:
        """Number of a term → its weight."""
        asked = np.zeros(len(self._holding))
        asked[[self._numbers[term] for term in weights]] = list(weights.values())
        return asked
