"""The vectors of the listings of a kind, and the nearest of them to one: usearch's graphs, in segments.

A segment that is full is sealed: written once, from then on only looked at where it lies on the disk. New vectors go into the
open segment, the only one that takes memory. One that is gone stays in its graph, is marked, and takes nobody's place.
"""

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from pathlib import Path

import numpy as np
from usearch.index import Index

from matching.embedding import Packed

_FULL = 50_000  # vectors of a segment
_MARGIN = 2  # times its share of the nearest ones is what each segment is asked for
_LEAST = 64  # that a segment is asked for; its graph is walked no further for fewer
_EXACT = 50_000  # vectors up to which all are compared; beyond, the graphs find most of the nearest ones
_FARTHER = 4  # times its share that a graph is asked for where some near ones are gone, before all of a segment are compared


class Vectors:
    """Slot → vector."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._sealed: dict[str, Index] = {}
        self._open = self._new()
        self._gone = bytearray()  # slot → whether it is gone
        self._all_gone = 0

    def add(self, slot: int, vector: Packed) -> None:
        """Add a vector under a slot that was never used before, higher than all others."""
        self._open.add(slot, vector, threads=1)
        self._gone += bytes(slot + 1 - len(self._gone))

    def remove(self, slot: int) -> None:
        """A vector is found no more."""
        self._all_gone += 1 - self._gone[slot]
        self._gone[slot] = 1

    def segments(self) -> "list[_Segment]":
        """Those that hold anything."""
        return [(self, one) for one in (*self._sealed.values(), self._open) if len(one)]

    def living(self, segment: Index, vector: Packed, share: int, *, is_exact: bool) -> Iterator[tuple[float, int]]:
        """Distance and slot of the nearest of a segment that are not gone; more are asked for as long as too many are."""
        whole = min(len(segment), share + self._all_gone)  # among so many are enough that are not gone
        by_graph = [] if is_exact or len(segment) <= _FARTHER * share else [share, _FARTHER * share]
        for asked, all_are_compared in [*((one, False) for one in by_graph), (whole, True)]:
            found = segment.search(vector, asked, exact=all_are_compared, threads=1)
            living = np.frombuffer(self._gone, np.uint8)[found.keys.astype(np.int64)] == 0
            if int(living.sum()) >= share:
                break
        return zip(found.distances[living].tolist(), found.keys[living].tolist(), strict=True)

    def save(self, folder: Path, stamp: str) -> list[str]:
        """Write what is not written yet; returns the names of all files: which are gone, segments, the open one last."""
        gone, name = f"{stamp}.gone", f"{stamp}.vectors"
        (folder / gone).write_bytes(self._gone)
        self._open.save(str(folder / name))
        names = [gone, *self._sealed, name]
        if len(self._open) >= _FULL:
            self._sealed[name] = self._viewed(folder / name)
            self._open = self._new()
            name = f"{stamp}-open.vectors"
            self._open.save(str(folder / name))
            names.append(name)
        return names

    def load(self, folder: Path, names: Iterable[str]) -> None:
        """Take over files as `save` named them."""
        gone, *sealed, last = names
        self._gone = bytearray((folder / gone).read_bytes())
        self._all_gone = self._gone.count(1)
        self._sealed = {name: self._viewed(folder / name) for name in sealed}
        self._open = self._new()
        self._open.load(str(folder / last))

    def _new(self) -> Index:
        return Index(ndim=self._size, metric="cos", dtype="i8")

    def _viewed(self, file: Path) -> Index:
        found = self._new()
        found.view(str(file))
        return found


_Segment = tuple[Vectors, Index]


def nearest(some: Iterable[Vectors], vector: Packed, most: int) -> list[int]:
    """Slots of the nearest vectors of all, nearest first, as far as the graphs find them."""
    segments = [segment for one in some for segment in one.segments()]
    if not segments:
        return []
    is_exact = sum(len(one) for _, one in segments) <= _EXACT
    share = most if is_exact else min(most, max(_LEAST, _MARGIN * most // len(segments)))
    found = (pair for of, one in segments for pair in of.living(one, vector, share, is_exact=is_exact))
    return [slot for _, slot in nsmallest(most, found)]


def packed(vector: bytes) -> Packed:
    """A vector out of its bytes."""
    return np.frombuffer(vector, np.int8)
