"""Search: structure first (what the caller may see, kind, region, body …), text after, ranked by BM25.

The text index holds the same words as matching does (character bigrams and Latin words), so that a query finds what a
match would. A query of nothing but what every post says (`工程师`) is looked for in the titles, as it is written.
"""

from collections.abc import Callable
from dataclasses import dataclass

import tantivy

from codes import regions
from matching.domain import text
from matching.index import Entry, Index

_HEAP = 15_000_000  # bytes of the writer's buffer; the least that tantivy takes


@dataclass(frozen=True)
class Filter:
    """What a search asks for beside its words; empty fields take in everything."""

    kinds: frozenset[str] = frozenset()
    area: str = ""
    body: str = ""
    issuer: str = ""
    source: str = ""

    def takes(self, entry: Entry) -> bool:
        """Whether a listing passes."""
        facts = entry.facts
        return (
            (not self.kinds or facts.kind in self.kinds)
            and (not self.body or self.body in facts.bodies)
            and (not self.issuer or facts.issuer == self.issuer)
            and (not self.source or entry.source == self.source)
            and (not self.area or any(regions.within(code, self.area) for code in facts.regions))
        )


class Search:
    """The text index beside the listings; changes are taken in when the next search needs them."""

    def __init__(self, listings: Index) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("name", stored=True, tokenizer_name="raw")
        builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field("title", tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(_HEAP, 1)
        self._listings = listings
        self._changed = False

    def put(self, entry: Entry) -> None:
        """Add a listing, or replace what was known of it."""
        self.remove(entry.facts.name)
        words, title = " ".join(entry.facts.words), " ".join(text.plain(entry.title))
        self._writer.add_document(tantivy.Document(name=entry.facts.name, words=words, title=title))

    def remove(self, name: str) -> None:
        """Forget a listing."""
        self._writer.delete_documents_by_term("name", name)
        self._changed = True

    def find(self, query: str, wanted: Filter, visible: Callable[[Entry], bool]) -> list[tuple[Entry, float]]:
        """All listings that pass and are visible with their relevance, best first; the newest first without a query."""
        if words := text.words(query):
            ranked = self._ranked("words", words, tantivy.Occur.Should)
        elif query.strip():
            ranked = self._ranked("title", text.plain(query), tantivy.Occur.Must)
        else:
            ranked = self._newest()
        return [(entry, score) for entry, score in ranked if wanted.takes(entry) and visible(entry)]

    def _newest(self) -> list[tuple[Entry, float]]:
        newest = sorted(self._listings.entries(), key=lambda entry: entry.facts.name, reverse=True)
        return [(entry, 0.0) for entry in newest]

    def _ranked(self, field: str, words: list[str], occur: tantivy.Occur) -> list[tuple[Entry, float]]:
        if self._changed:
            self._writer.commit()
            self._index.reload()
            self._changed = False
        terms = [(occur, tantivy.Query.term_query(self._schema, field, word)) for word in set(words)]
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.boolean_query(terms), limit=max(1, len(self._listings))).hits
        named = ((str(searcher.doc(address)["name"][0]), score) for score, address in hits)
        found = [(entry, score) for name, score in named if (entry := self._listings.get(name))]
        return sorted(found, key=lambda hit: (-hit[1], hit[0].facts.name))
