"""The texts of all listings, and which of them are closest to a given one: found by words and by meaning, then ranked.

Two indexes bring at most `CANDIDATES` each: tantivy by the passage's weightiest terms, usearch by its vector. All of them
are then measured exactly (`domain/lexical.py`, `domain/blend.py`), so that it does not matter which index found one.

A listing takes its different terms (5 bytes each, at most `MOST` of them) and its vector (a byte a number, here and in
usearch).
"""

from array import array
from collections.abc import Iterable
from heapq import nlargest, nsmallest
from typing import NamedTuple

import numpy as np
import tantivy
from numpy.typing import NDArray
from usearch.index import Index

from matching.domain import lexical
from matching.domain.blend import Closeness, blend
from matching.domain.passage import Passage
from matching.embedding import Meanings, Packed, cosines

CANDIDATES = 200
_TERMS = 64  # weightiest terms of a passage that candidates are looked for by; the others are common ones
_EXACT = 50_000  # listings up to which every vector is compared (3 ms); beyond, usearch's graph finds most of the nearest
_HEAP = 15_000_000  # bytes of tantivy's buffer; the least that it takes


class Ranked(NamedTuple):
    """A listing, and how close it is."""

    name: str
    closeness: Closeness


class _Terms(NamedTuple):
    """The terms of a listing as numbers, and how often each stands in it."""

    ids: NDArray[np.uint32]
    counts: NDArray[np.uint8]


class Ranker:
    """Listings by name, and the closest ones to a passage."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._ids: dict[str, int] = {}  # term → number
        self._holding = array("I")  # number of a term → listings that hold it
        self._slots: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._terms: dict[int, _Terms] = {}
        self._vectors = Index(ndim=meanings.size, metric="cos", dtype="i8")
        self._next = 0
        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("slot", indexed=True, fast=True)
        schema.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        self._schema = schema.build()
        self._words = tantivy.Index(self._schema)
        self._writer = self._words.writer(_HEAP, 1)
        self._changed = False

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, listings: Iterable[tuple[str, Passage]]) -> None:
        """Add listings, or replace what was known of them; many at once are embedded together."""
        rows = list(listings)
        vectors = self._meanings.of([passage for _, passage in rows])
        for (name, passage), vector in zip(rows, vectors, strict=True):
            self.remove(name)
            slot = self._next
            self._next += 1
            self._slots[name], self._names[slot] = slot, name
            counted = lexical.counts(passage)
            self._terms[slot] = self._numbered(counted)
            self._vectors.add(slot, vector)
            said = " ".join(term for term, count in counted.items() for _ in range(count))
            document = tantivy.Document(terms=said)
            document.add_unsigned("slot", slot)
            self._writer.add_document(document)
            self._changed = True

    def remove(self, name: str) -> None:
        """Forget a listing; nothing happens where it is not known."""
        slot = self._slots.pop(name, None)
        if slot is None:
            return
        del self._names[slot]
        for number in self._terms.pop(slot).ids:
            self._holding[number] -= 1
        self._vectors.remove(slot)
        self._writer.delete_documents_by_term("slot", slot)
        self._changed = True

    def holding(self, term: str) -> int:
        """How many listings hold a term."""
        number = self._ids.get(term)
        return 0 if number is None else self._holding[number]

    def rank(self, passage: Passage, most: int) -> list[Ranked]:
        """The listings closest to a passage, closest first; of the same closeness, by name."""
        weights = lexical.weights(lexical.counts(passage), self.holding, len(self))
        meaning = self._meanings.of([passage])[0]
        slots = sorted(self._by_words(weights) | self._by_meaning(meaning))
        measured = zip(slots, self._in_words(weights, slots), self._in_meaning(meaning, slots), strict=True)
        ranked = [Ranked(self._names[slot], blend(words, means)) for slot, words, means in measured]
        return nsmallest(most, ranked, key=lambda one: (-one.closeness.total, one.name))

    def _numbered(self, counted: dict[str, int]) -> _Terms:
        """A listing's terms as numbers, counted among those that hold them."""
        ids = [self._ids.setdefault(term, len(self._ids)) for term in counted]
        self._holding.extend([0] * (len(self._ids) - len(self._holding)))
        for number in ids:
            self._holding[number] += 1
        return _Terms(np.array(ids, np.uint32), np.minimum(list(counted.values()), 255).astype(np.uint8))

    def _by_words(self, weights: dict[str, float]) -> set[int]:
        """Slots of the listings that hold the weightiest terms."""
        if self._changed:
            self._writer.commit()
            self._words.reload()
            self._changed = False
        asked = nlargest(_TERMS, weights.items(), key=lambda item: (item[1], item[0]))
        searcher = self._words.searcher()
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._term(term, weight)) for term, weight in asked])
        hits = searcher.search(query, limit=CANDIDATES).hits
        return set(searcher.fast_field_values("slot", [address for _, address in hits]))

    def _term(self, term: str, weight: float) -> tantivy.Query:
        return tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, "terms", term, "freq"), weight)

    def _by_meaning(self, meaning: Packed) -> set[int]:
        """Slots of the listings with the nearest vectors."""
        if not meaning.any() or not self._slots:
            return set()
        found = self._vectors.search(meaning, CANDIDATES, exact=len(self) <= _EXACT)
        return {int(slot) for slot in found.keys}

    def _in_meaning(self, meaning: Packed, slots: list[int]) -> list[float]:
        vectors = np.array(self._vectors.get(slots), np.int8).reshape(len(slots), self._meanings.size)
        return cosines(meaning, vectors).tolist()

    def _in_words(self, weights: dict[str, float], slots: list[int]) -> list[float]:
        """`lexical.closeness` of a passage and each listing, all at once."""
        if not slots:
            return []
        held = [self._terms[slot] for slot in slots]
        owners = np.repeat(np.arange(len(held)), [len(one.ids) for one in held])
        ids = np.concatenate([one.ids for one in held])
        asked = np.zeros(len(self._holding))
        asked[[self._ids[term] for term in weights]] = list(weights.values())
        holding = np.frombuffer(self._holding, np.uint32)[ids]
        said = np.log1p(np.concatenate([one.counts for one in held]), dtype=np.float64)
        mass = said * np.log1p((len(self) - holding + 0.5) / (holding + 0.5))  # `lexical.weights` before they have a length
        shared = np.bincount(owners, mass * asked[ids], len(held))
        lengths = np.sqrt(np.bincount(owners, mass * mass, len(held)))
        result: list[float] = np.divide(shared, lengths, out=np.zeros(len(held)), where=lengths > 0).tolist()
        return result
