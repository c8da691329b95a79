"""The terms of all listings: as numbers, and how many listings hold each; what two passages share, measured many at a time.

A term is known by a hash of 22 bits, so that nothing grows with the vocabulary: of a million listings' terms some meet in one
number by chance, which makes a rare one of them count as a little less rare.
"""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from matching.domain import lexical
from matching.domain.passage import Passage

_NUMBERS = 1 << 22
_COUNTED = np.log1p(np.arange(256), dtype=np.float64)  # what a term counts that stands so often


class Held(NamedTuple):
    """The terms of a listing as numbers of 4 bytes, and how often each stands in it, as one byte."""

    terms: bytes
    counts: bytes

    @classmethod
    def of(cls, passage: Passage) -> "Held":
        """The terms of a passage."""
        counted = lexical.counts(passage)
        return cls(array("I", map(_number, counted)).tobytes(), bytes(min(count, 255) for count in counted.values()))


class Terms(NamedTuple):
    """The terms of some listings, one listing behind the other: whose each is (0 … `listings` − 1), its number, its count."""

    owners: NDArray[np.int64]
    terms: NDArray[np.uint32]
    counts: NDArray[np.uint8]
    listings: int

    @classmethod
    def of(cls, listings: Sequence[Held]) -> "Terms":
        """Put together."""
        owners = np.repeat(np.arange(len(listings)), np.array([len(held.counts) for held in listings], np.int64))
        terms = np.frombuffer(b"".join(held.terms for held in listings), np.uint32)
        return cls(owners, terms, np.frombuffer(b"".join(held.counts for held in listings), np.uint8), len(listings))


class Lexicon:
    """One for listings of every kind, so that a pair is as close seen from either side."""

    def __init__(self) -> None:
        self._known = np.zeros((_NUMBERS, 2), np.int32)  # number of a term → both, which are read at one go
        self._holding = self._known[:, 0]  # listings that hold it
        self._asked = self._known[:, 1].view(np.float32)  # all zeros but while something is measured
        self.listings = 0

    def add(self, held: Held) -> None:
        """A listing more."""
        np.add.at(self._holding, np.frombuffer(held.terms, np.uint32), 1)
        self.listings += 1

    def remove(self, held: Held) -> None:
        """A listing less."""
        np.subtract.at(self._holding, np.frombuffer(held.terms, np.uint32), 1)
        self.listings -= 1

    def weights(self, passage: Passage) -> dict[str, float]:
        """See `lexical.weights`."""
        return lexical.weights(lexical.counts(passage), self.holding, self.listings)

    def holding(self, term: str) -> int:
        """How many listings hold a term."""
        return max(0, int(self._holding[_number(term)]))

    def closeness(self, weights: dict[str, float], given: Terms) -> list[float]:
        """`lexical.closeness` of a passage's weights and each listing, all at once."""
        owners, terms, counts, listings = given
        numbers = [_number(term) for term in weights]
        self._asked[numbers] = list(weights.values())
        known = self._known.view(np.int64)[terms, 0].view(np.int32).reshape(-1, 2)
        self._asked[numbers] = 0
        holding, asked = np.maximum(known[:, 0], 0), known[:, 1].view(np.float32)
        mass = _COUNTED[counts] * np.log1p((self.listings - holding + 0.5) / (holding + 0.5))
        shared = np.bincount(owners, mass * asked, listings).astype(np.float64)  # of no terms: integers
        lengths = np.sqrt(np.bincount(owners, mass * mass, listings))
        found: list[float] = np.divide(shared, lengths, out=np.zeros_like(shared), where=lengths > 0).tolist()
        return found

    def save(self, file: Path) -> None:
        """Write the counts down."""
        with file.open("wb") as opened:
            np.save(opened, self._holding.copy())

    def load(self, file: Path, listings: int) -> None:
        """Take over counts of so many listings."""
        with file.open("rb") as opened:
            self._holding[:] = np.load(opened)
        self.listings = listings


def _number(term: str) -> int:
    return crc32(term.encode()) % _NUMBERS
