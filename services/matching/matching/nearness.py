"""Which listings are nearest by meaning: a graph of vectors for each kind (usearch), so that only partners are looked at."""

from collections.abc import Iterable

import numpy as np
from usearch.index import Index

from matching.domain.facts import Facts

NEAREST = 200  # of each kind
_EXACT = 50_000  # listings of a kind up to which every vector is compared; beyond, the graph finds most of the nearest ones


class Nearness:
    """The vectors of listings, each under a number of its own."""

    def __init__(self) -> None:
        self._graphs: dict[str, Index] = {}
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._next = 0

    def put(self, facts: Facts) -> None:
        """Add a listing that is not known; one without meaning is near to nothing."""
        if not facts.meaning:
            return
        graph = self._graphs.setdefault(facts.kind, Index(ndim=len(facts.meaning), metric="cos", dtype="i8"))
        number = self._next
        self._next += 1
        self._numbers[facts.name], self._names[number] = number, facts.name
        graph.add(number, np.frombuffer(facts.meaning, np.int8))

    def remove(self, facts: Facts) -> None:
        """Forget a listing; nothing happens where it is not known."""
        number = self._numbers.pop(facts.name, None)
        if number is not None:
            del self._names[number]
            self._graphs[facts.kind].remove(number)

    def find(self, kinds: Iterable[str], meaning: bytes) -> set[str]:
        """Names of the listings of such kinds that are nearest to a vector."""
        if not meaning:
            return set()
        asked = np.frombuffer(meaning, np.int8)
        graphs = [graph for kind in kinds if (graph := self._graphs.get(kind)) is not None and len(graph)]
        found = (graph.search(asked, NEAREST, exact=len(graph) <= _EXACT).keys for graph in graphs)
        return {self._names[int(number)] for numbers in found for number in numbers}
