"""The vectors of all listings, and the nearest of them to one: usearch's graphs, in segments.

A segment that is full is sealed: written once, from then on only looked at where it lies on the disk. New vectors go into the
open segment, the only one that takes memory.
"""

from collections.abc import Iterable
from heapq import nsmallest
from pathlib import Path

import numpy as np
from usearch.index import Index

from matching.embedding import Packed

_FULL = 50_000  # vectors of a segment
_MARGIN = 2  # times its share of the nearest ones is what each segment is asked for
_LEAST = 64  # that a segment is asked for; its graph is walked no further for fewer
_EXACT = 50_000  # vectors up to which all are compared; beyond, the graphs find most of the nearest ones


class Vectors:
    """Slot → vector. A slot that was removed may be found for a while: who asks knows which ones there are."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._sealed: dict[str, Index] = {}
        self._open = self._new()

    def __len__(self) -> int:
        return len(self._open) + sum(len(one) for one in self._sealed.values())

    def add(self, slot: int, vector: Packed) -> None:
        """Add a vector under a slot that was never used before."""
        self._open.add(slot, vector, threads=1)

    def near(self, vector: Packed, most: int) -> list[int]:
        """Slots of the nearest vectors, nearest first."""
        is_exact = len(self) <= _EXACT
        segments = [one for one in (*self._sealed.values(), self._open) if len(one)]
        share = most if is_exact else min(most, max(_LEAST, _MARGIN * most // len(segments)))
        found: list[tuple[float, int]] = []
        for one in segments:
            matches = one.search(vector, share, exact=is_exact, threads=1)
            found += zip(matches.distances.tolist(), matches.keys.tolist(), strict=True)
        return [slot for _, slot in nsmallest(most, found)]

    def save(self, folder: Path, stamp: str) -> list[str]:
        """Write what is not written yet; returns the names of all files, the open segment's last."""
        name = f"{stamp}.vectors"
        self._open.save(str(folder / name))
        names = [*self._sealed, name]
        if len(self._open) >= _FULL:
            self._sealed[name] = self._viewed(folder / name)
            self._open = self._new()
            name = f"{stamp}-open.vectors"
            self._open.save(str(folder / name))
            names.append(name)
        return names

    def load(self, folder: Path, names: Iterable[str]) -> None:
        """Take over files as `save` named them."""
        *sealed, last = names
        self._sealed = {name: self._viewed(folder / name) for name in sealed}
        self._open = self._new()
        self._open.load(str(folder / last))

    def _new(self) -> Index:
        return Index(ndim=self._size, metric="cos", dtype="i8")

    def _viewed(self, file: Path) -> Index:
        found = self._new()
        found.view(str(file))
        return found


def packed(vector: bytes) -> Packed:
    """A vector out of its bytes."""
    return np.frombuffer(vector, np.int8)
