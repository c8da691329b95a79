"""How many listings hold each term, as they were counted once, and how close listings are by them and by their meaning.

Counts are frozen: with those of the day, the closeness of two listings would change with every third one. They are taken anew
when there are `GROWTH` times as many listings, or as few, and all open matches are judged by them then; a match says which
ones it was judged by. idf hardly moves in between: what it compares are shares of the listings.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from matching.domain.blend import Closeness, blend
from matching.domain.facts import Facts
from matching.domain.lexical import BUCKETS, Terms

LEAST = 100  # listings that are worth counting; with fewer, each term says as much as another
GROWTH = 4
_TOGETHER = 10_000  # listings counted at once: bounds the memory


@dataclass(frozen=True, eq=False)
class Statistics:
    """Counts of one day; `number` 0 are those of no listing.

    Attributes:
        number: ascending, in the order in which they were taken.
        listings: published listings that were counted.
        holding: bucket → listings that hold it, `BUCKETS` numbers of 4 bytes.
    """

    number: int
    listings: int
    holding: NDArray[np.uint32]

    @classmethod
    def none(cls) -> "Statistics":
        """Before anything was counted: each term says as much as another."""
        return cls(0, 0, np.zeros(BUCKETS, np.uint32))

    @classmethod
    def taken(cls, number: int, listings: Iterable[Facts]) -> "Statistics":
        """Of such listings."""
        counted, holding = 0, np.zeros(BUCKETS, np.uint32)
        rest = iter(listings)
        while some := list(islice(rest, _TOGETHER)):
            counted += len(some)
            holding += np.bincount(_buckets([one.terms for one in some]), minlength=BUCKETS).astype(np.uint32)
        return cls(number, counted, holding)

    @classmethod
    def unpacked(cls, number: int, listings: int, packed: bytes) -> "Statistics":
        """Of what `packed` gave."""
        return cls(number, listings, np.frombuffer(zlib.decompress(packed), np.uint32))

    def packed(self) -> bytes:
        """`holding` in little room: a fiftieth of a megabyte for each thousand terms."""
        return zlib.compress(self.holding.tobytes())

    def outgrown(self, listings: int) -> bool:
        """Whether so many listings want counts of their own."""
        return listings >= max(LEAST, GROWTH * self.listings) or GROWTH * listings <= self.listings > 0

    def idf(self, buckets: NDArray[np.uint32]) -> NDArray[np.float64]:
        """What a term says: the less, the more listings hold it (BM25's, Robertson and Zaragoza 2009, eq. 3.3)."""
        holding = self.holding[buckets]
        found: NDArray[np.float64] = np.log1p((self.listings - np.minimum(holding, self.listings) + 0.5) / (holding + 0.5))
        return found

    def weights(self, terms: Terms) -> dict[int, float]:
        """Bucket → weight, of length 1 together; a term weighs more the oftener it stands in the passage."""
        buckets = _buckets([terms])
        return dict(zip(buckets.tolist(), _unit(self._mass(buckets, [terms])).tolist(), strict=True))

    def closeness(self, one: Facts, others: Sequence[Facts]) -> list[Closeness]:
        """Of a listing and each of the others; the same from either side."""
        if not others:
            return []
        return [
            replace(blend(words, meaning), statistics=self.number)
            for words, meaning in zip(self._words(one, others), _meanings(one, others), strict=True)
        ]

    def _words(self, one: Facts, others: Sequence[Facts]) -> list[float]:
        """The cosine of the weighed terms."""
        held = [other.terms for other in others]
        owners = np.repeat(np.arange(len(held)), [len(terms.counts) for terms in held])
        terms = _buckets(held)
        mass = self._mass(terms, held)
        own = _buckets([one.terms])
        places = np.searchsorted(own, terms).clip(max=max(len(own) - 1, 0))
        asked = _unit(self._mass(own, [one.terms]))[places] * (own[places] == terms) if len(own) else np.zeros(len(terms))
        shared = np.bincount(owners, mass * asked, len(held))
        lengths = np.sqrt(np.bincount(owners, mass * mass, len(held)))
        found: list[float] = np.divide(shared, lengths, out=np.zeros(len(held)), where=lengths > 0).tolist()
        return found

    def _mass(self, buckets: NDArray[np.uint32], held: Sequence[Terms]) -> NDArray[np.float64]:
        counts = np.frombuffer(b"".join(terms.counts for terms in held), np.uint8)
        mass: NDArray[np.float64] = np.log1p(counts, dtype=np.float64) * self.idf(buckets)
        return mass


def _buckets(held: Sequence[Terms]) -> NDArray[np.uint32]:
    return np.frombuffer(b"".join(terms.buckets for terms in held), np.uint32)


def _unit(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.sqrt(np.sum(mass * mass))
    return mass / length if length else mass


def _meanings(one: Facts, others: Sequence[Facts]) -> list[float]:
    """The cosine of the vectors, in whole numbers up to the root: the same on every machine; 0 where either is empty."""
    if not one.meaning:
        return [0.0] * len(others)
    empty = bytes(len(one.meaning))
    rows = (
        np.frombuffer(b"".join(other.meaning or empty for other in others), np.int8).reshape(len(others), -1).astype(np.int32)
    )
    own = np.frombuffer(one.meaning, np.int8).astype(np.int32)
    lengths = np.sqrt(np.sum(own * own) * np.sum(rows * rows, axis=1).astype(np.float64))
    found: list[float] = np.divide(rows @ own, lengths, out=np.zeros(len(others)), where=lengths > 0).tolist()
    return found
