"""What closeness is measured by, of all listings, slot by slot 列式存储: their terms and their vectors, read many at a time.

A listing's document is some kilobytes in a compressed block; to read hundreds of them for twenty that are shown costs more
than all else of a search. In a folder, a part that is full is sealed: written once, from then on only looked at where it lies.
The rows of listings that are gone stay: nobody asks for them.
"""

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.embedding import Packed
from matching.terms import Held, Terms

_FULL = 10_000  # slots of a part; at most as many are in memory where there is a folder, some 20 MB


class _Part(NamedTuple):
    """Slots from `first` on. Shapes: starts (slots + 1,), terms and counts (all terms,), meanings (slots, size)."""

    first: int
    starts: NDArray[np.int64]
    terms: NDArray[np.uint32]
    counts: NDArray[np.uint8]
    meanings: Packed

    def of(self, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint8]]:
        """How many terms each place has, and which, one place behind the other."""
        begin = self.starts[places]
        lengths = self.starts[places + 1] - begin
        ends = np.cumsum(lengths)
        chosen = np.arange(int(ends[-1])) + np.repeat(begin - ends + lengths, lengths)
        return lengths, self.terms[chosen], self.counts[chosen]


class Columns:
    """Slot → terms and vector."""

    def __init__(self, size: int) -> None:
        """`size`: numbers of a vector."""
        self._size = size
        self._folder: Path | None = None
        self._sealed: dict[str, _Part] = {}
        self._begin(0)

    def _begin(self, first: int) -> None:
        self._first = first
        self._starts = array("q", [0])
        self._terms, self._counts, self._meanings = bytearray(), bytearray(), bytearray()

    @property
    def end(self) -> int:
        """The slot that comes next."""
        return self._first + len(self._starts) - 1

    def add(self, held: Held, meaning: bytes) -> None:
        """What the next slot has; a listing without a vector has zeros."""
        self._terms += held.terms
        self._counts += held.counts
        self._meanings += meaning or bytes(self._size)
        self._starts.append(len(self._counts))
        if self._folder and len(self._starts) > _FULL:
            name = self._written(self._folder, f"{self.end}-{os.urandom(4).hex()}")
            self._sealed[name] = _viewed(self._folder / name, self._size)
            self._begin(self.end)

    def terms(self, slots: Sequence[int]) -> Terms:
        """The terms of those slots, each of which was added."""
        order, parts = self._by_part(slots)
        if not parts:
            return Terms.of([])
        lengths, terms, counts = (
            np.concatenate(some) for some in zip(*(part.of(places) for part, places in parts), strict=True)
        )
        return Terms(np.repeat(order, lengths), terms, counts, len(slots))

    def meanings(self, slots: Sequence[int]) -> Packed:
        """The vectors of those slots, a row each, in the order in which they were asked for."""
        found = np.empty((len(slots), self._size), np.int8)
        order, parts = self._by_part(slots)
        if parts:
            found[order] = np.concatenate([part.meanings[places] for part, places in parts])
        return found

    def _by_part(self, slots: Sequence[int]) -> tuple[NDArray[np.int64], list[tuple[_Part, NDArray[np.int64]]]]:
        """The order in which the parts have the slots, and each part that has any, with their places in it."""
        parts = [*self._sealed.values(), self._open()]
        asked = np.array(slots, np.int64)
        holders = np.searchsorted([part.first for part in parts], asked, side="right") - 1
        order = np.argsort(holders, kind="stable")
        counts = np.bincount(holders, minlength=len(parts))
        divided = np.split(asked[order], np.cumsum(counts)[:-1])
        return order, [(part, some - part.first) for part, some in zip(parts, divided, strict=True) if len(some)]

    def open(self, folder: Path, names: Sequence[str]) -> None:
        """Lie in a folder from now on, with what is in files as `save` named them; without any, with nothing."""
        parts = [_viewed(folder / name, self._size) for name in names]
        self._folder = folder
        self._sealed = dict(zip(names[:-1], parts[:-1], strict=True))
        self._begin(parts[-1].first if parts else 0)
        for part in parts[-1:]:
            self._starts = array("q", part.starts.tobytes())
            self._terms, self._counts = bytearray(part.terms.tobytes()), bytearray(part.counts.tobytes())
            self._meanings = bytearray(part.meanings.tobytes())

    def save(self, stamp: str) -> list[str]:
        """Write what is not written yet; returns the names of all files, the open part's last."""
        return [*self._sealed, self._written(self._folder, stamp)] if self._folder else []

    def files(self) -> list[str]:
        """Names of the files that are looked at."""
        return list(self._sealed)

    def _written(self, folder: Path, stamp: str) -> str:
        """The name of the file that holds the open part as it is now."""
        name, part = f"{stamp}.columns", self._open()
        with (folder / name).open("wb") as opened:
            opened.write(np.array([part.first, len(part.starts)], np.int64).tobytes())
            for column in part[1:]:
                opened.write(column.tobytes())
        return name

    def _open(self) -> _Part:
        """The open part as it is now; to be let go before more is added."""
        return _Part(
            self._first,
            np.frombuffer(self._starts, np.int64),
            np.frombuffer(self._terms, np.uint32),
            np.frombuffer(self._counts, np.uint8),
            np.frombuffer(self._meanings, np.int8).reshape(-1, self._size),
        )


def _viewed(file: Path, size: int) -> _Part:
    """A part as it lies on the disk."""
    content = np.asarray(np.memmap(file, np.uint8, "r"))
    first, count = (int(one) for one in content[:16].view(np.int64))
    place = 16 + 8 * count
    starts = content[16:place].view(np.int64)
    held = int(starts[-1])
    terms = content[place : place + 4 * held].view(np.uint32)
    place += 4 * held
    return _Part(first, starts, terms, content[place : place + held], content[place + held :].view(np.int8).reshape(-1, size))
