"""Which listings are closest to a passage: found by words and by meaning, then measured.

Two indexes bring at most `CANDIDATES` each: tantivy by the passage's weightiest terms, usearch by its vector. All of them
are then measured exactly (`domain/lexical.py`, `domain/blend.py`), so that it does not matter which index found one.
"""

from collections.abc import Iterable
from heapq import nlargest, nsmallest
from typing import NamedTuple

import numpy as np
import tantivy
from usearch.index import Index

from matching.domain import lexical
from matching.domain.blend import Closeness, blend
from matching.domain.passage import Passage
from matching.embedding import Meanings, Packed, cosines
from matching.lexicon import Held, Lexicon

CANDIDATES = 200  # of each index
_TERMS = 64  # weightiest terms of a passage that candidates are looked for by; the others are common ones
_EXACT = 50_000  # listings up to which every vector is compared; beyond, usearch's graph finds most of the nearest ones
_FRESH = 100  # changes that the inverted index takes in together
_HEAP = 15_000_000  # bytes of tantivy's buffer; the least that it takes


class Ranked(NamedTuple):
    """A listing, and how close it is."""

    name: str
    closeness: Closeness


class Ranker:
    """Listings of one side, and the closest of them to a passage."""

    def __init__(self, meanings: Meanings, lexicon: Lexicon) -> None:
        self._meanings = meanings
        self._lexicon = lexicon
        self._slots: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._held: dict[int, Held] = {}
        self._vectors = Index(ndim=meanings.size, metric="cos", dtype="i8")
        self._words = _Words()
        self._next = 0

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, listings: Iterable[tuple[str, Passage]]) -> None:
        """Add listings, or replace what was known of them; many at once are embedded together."""
        rows = list(listings)
        for (name, passage), vector in zip(rows, self._meanings.of([passage for _, passage in rows]), strict=True):
            self.remove(name)
            slot, counted = self._next, lexical.counts(passage)
            self._next += 1
            self._slots[name], self._names[slot] = slot, name
            self._held[slot] = self._lexicon.add(counted)
            self._words.add(slot, counted)
            self._vectors.add(slot, vector)

    def remove(self, name: str) -> None:
        """Forget a listing; nothing happens where it is not known."""
        slot = self._slots.pop(name, None)
        if slot is None:
            return
        del self._names[slot]
        self._lexicon.remove(self._held.pop(slot))
        self._words.remove(slot)
        self._vectors.remove(slot)

    def rank(self, passage: Passage, most: int) -> list[Ranked]:
        """The listings closest to a passage, closest first; of the same closeness, by name."""
        weights, meaning = self._lexicon.weights(passage), self._meanings.of([passage])[0]
        slots = sorted((self._words.find(weights) | self._near(meaning)) & self._held.keys())
        lexically = self._lexicon.closeness(weights, [self._held[slot] for slot in slots])
        measured = zip(slots, lexically, self._semantically(meaning, slots), strict=True)
        ranked = [Ranked(self._names[slot], blend(words, means)) for slot, words, means in measured]
        return nsmallest(most, ranked, key=lambda one: (-one.closeness.total, one.name))

    def _near(self, meaning: Packed) -> set[int]:
        """Slots of the listings with the nearest vectors."""
        if not self._slots or not meaning.any():
            return set()
        found = self._vectors.search(meaning, CANDIDATES, exact=len(self) <= _EXACT)
        return {int(slot) for slot in found.keys}

    def _semantically(self, meaning: Packed, slots: list[int]) -> list[float]:
        rows = np.asarray(self._vectors.get(slots)).reshape(len(slots), self._meanings.size)
        near: list[float] = cosines(meaning, rows).tolist()
        return near


class _Words:
    """The inverted index. Taking changes in costs it many times a look-up, so it does that for `_FRESH` of them together;
    until then those that were added are found in any case, and those that were removed may be."""

    def __init__(self) -> None:
        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("slot", indexed=True, fast=True)
        schema.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        self._schema = schema.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(_HEAP, 1)
        self._added: set[int] = set()
        self._changes = 0

    def add(self, slot: int, counted: dict[str, int]) -> None:
        document = tantivy.Document(terms=" ".join(term for term, count in counted.items() for _ in range(count)))
        document.add_unsigned("slot", slot)
        self._writer.add_document(document)
        self._added.add(slot)
        self._changes += 1

    def remove(self, slot: int) -> None:
        # By query: tantivy takes a number given to `delete_documents_by_term` for a signed one, and deletes nothing.
        self._writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "slot", slot))
        self._added.discard(slot)
        self._changes += 1

    def find(self, weights: dict[str, float]) -> set[int]:
        """Slots of the listings that the weightiest terms find, and of the freshest ones."""
        if self._changes > _FRESH:
            self._writer.commit()
            self._index.reload()
            self._added.clear()
            self._changes = 0
        asked = nlargest(_TERMS, weights.items(), key=lambda item: (item[1], item[0]))
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._term(term, weight)) for term, weight in asked])
        searcher = self._index.searcher()
        hits = searcher.search(query, limit=CANDIDATES).hits
        found = searcher.fast_field_values("slot", [address for _, address in hits])
        return self._added.union(int(slot or 0) for slot in found)

    def _term(self, term: str, weight: float) -> tantivy.Query:
        return tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, "terms", term, "freq"), weight)
