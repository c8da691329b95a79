"""Search: structure first (what the caller may see, kind, region, body …), text after, ranked by BM25; all in one query.

The text index holds the same words as matching does (character bigrams and Latin words), so that a query finds what a
match would. A query of nothing but what every post says (`工程师`) is looked for in the titles, as it is written.

Pages of one search are of one snapshot of the index, so that what changes meanwhile shifts nothing; the snapshots of the last
searches are kept. Whoever comes later, or to another replica, goes on at the same place of the index as it is.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import tantivy
from tantivy import Occur, Query

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from codes import regions
from matching.domain import text
from matching.index import Entry, Index

_HEAP = 15_000_000  # bytes of the writer's buffer; the least that tantivy takes
_KEPT = 32  # snapshots
_VALUES = 100  # of a facet, the most frequent ones
_STRUCTURE = ("name", "kind", "area", "province", "body", "issuer", "source", "sight")
FACETS: Mapping[str, str] = {"kind": "kind", "region": "province", "issuer": "issuer", "source": "source"}
"""Facet → field of the index."""


@dataclass(frozen=True)
class Filter:
    """What a search asks for beside its words; empty fields take in everything."""

    kinds: frozenset[str] = frozenset()
    area: str = ""
    body: str = ""
    issuer: str = ""
    source: str = ""


@dataclass(frozen=True)
class Found:
    """A page of what a search found.

    Attributes:
        hits: listings with their relevance, best first; the newest first without a query. None for one that is gone by now.
        total: how many there are in all.
        facets: facet → (value, how many of all have it), the most frequent first.
        snapshot: what the next page is asked of.
    """

    hits: Sequence[tuple[Entry | None, float]]
    total: int
    facets: Mapping[str, Sequence[tuple[str, int]]]
    snapshot: str


class Search:
    """The text index beside the listings; changes are taken in when the next search needs them."""

    def __init__(self, listings: Index) -> None:
        builder = tantivy.SchemaBuilder()
        for field in _STRUCTURE:
            is_fast = field in ("name", *FACETS.values())
            builder.add_text_field(field, stored=field == "name", fast=is_fast, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field("title", tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(_HEAP, 1)
        self._listings = listings
        self._changed = False
        self._snapshots: OrderedDict[str, tantivy.Searcher] = OrderedDict()
        self._current, self._searcher = str(uuid4()), self._index.searcher()

    def put(self, entry: Entry) -> None:
        """Add a listing, or replace what was known of it."""
        facts = entry.facts
        self.remove(facts.name)
        areas = [regions.path(code) for code in facts.regions]
        self._writer.add_document(
            tantivy.Document(
                name=facts.name,
                kind=facts.kind,
                area=sorted({area for path in areas for area in path}),
                province=sorted({path[0] for path in areas if path}),
                body=list(facts.bodies),
                issuer=facts.issuer,
                source=[entry.source] if entry.source else [],
                sight=_sight(entry),
                words=" ".join(facts.words),
                title=" ".join(text.plain(entry.title)),
            )
        )

    def remove(self, name: str) -> None:
        """Forget a listing."""
        self._writer.delete_documents_by_term("name", name)
        self._changed = True

    def find(
        self,
        query: str,
        wanted: Filter,
        viewer: Viewer,
        *,
        start: int = 0,
        size: int = 20,
        facets: Sequence[str] = (),
        snapshot: str = "",
    ) -> Found:
        """A page of the listings that pass and that the viewer may see; the values of facets are of all of them."""
        name, searcher = self._snapshot(snapshot)
        scored = self._scored(query)
        asked = Query.boolean_query([(Occur.Must, one) for one in (scored, *self._conditions(wanted, viewer)) if one])
        order = "name" if scored is None else None
        place = min(start, searcher.num_docs)  # tantivy makes room for all that is passed over
        result = searcher.search(asked, limit=size, offset=place, order_by_field=order)
        hits = [
            (self._listings.get(str(searcher.doc(address)["name"][0])), float(key) if scored else 0.0)
            for key, address in result.hits
        ]
        total: int = result.count  # type: ignore[attr-defined]  # the package's stub leaves it out
        return Found(hits, total, _counted(searcher, asked, facets), name)

    def _snapshot(self, wanted: str) -> tuple[str, tantivy.Searcher]:
        """The snapshot of that name where it is kept, else the index as it is now."""
        if wanted in self._snapshots:
            return wanted, self._snapshots[wanted]
        if self._changed:
            self._writer.commit()
            self._index.reload()
            self._current, self._searcher, self._changed = str(uuid4()), self._index.searcher(), False
        self._snapshots[self._current] = self._searcher
        self._snapshots.move_to_end(self._current)
        if len(self._snapshots) > _KEPT:
            self._snapshots.popitem(last=False)
        return self._current, self._searcher

    def _scored(self, query: str) -> Query | None:
        """What ranks; None where nothing is asked for."""
        if words := text.words(query):
            return self._any_of("words", words)
        if query.strip():
            terms = [(Occur.Must, self._term("title", word)) for word in set(text.plain(query))]
            return Query.boolean_query(terms) if terms else Query.empty_query()
        return None

    def _conditions(self, wanted: Filter, viewer: Viewer) -> list[Query]:
        """What a hit has to fulfil, without a say in its rank."""
        single = {"area": wanted.area, "body": wanted.body, "issuer": wanted.issuer, "source": wanted.source}
        found = [self._term(field, value) for field, value in single.items() if value]
        if wanted.kinds:
            found.append(self._any_of("kind", wanted.kinds))
        if not viewer.platform:
            found.append(self._visible(viewer))
        found.append(Query.all_query())  # a query of no part finds nothing
        return [Query.const_score_query(one, 0.0) for one in found]

    def _visible(self, viewer: Viewer) -> Query:
        """`access.visibility.may_see` of published listings, as a query."""
        sights = ["public", *viewer.member_bodies, *(["government"] if viewer.government else [])]
        ways = [("sight", one) for one in sights] + [("body", one) for one in viewer.bodies_run]
        if viewer.organization:
            ways.append(("issuer", viewer.organization))
        return Query.boolean_query([(Occur.Should, self._term(*way)) for way in ways])

    def _any_of(self, field: str, values: Sequence[str] | frozenset[str]) -> Query:
        return Query.boolean_query([(Occur.Should, self._term(field, value)) for value in sorted(set(values))])

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._schema, field, value)


def _sight(entry: Entry) -> list[str]:
    """For whom a listing is: `public`, the bodies whose members see it, `government`."""
    visibility = entry.facts.visibility
    if visibility == pb.VISIBILITY_PUBLIC:
        return ["public"]
    if visibility == pb.VISIBILITY_MEMBERS:
        return list(entry.facts.bodies)
    return ["government"] if visibility == pb.VISIBILITY_GOVERNMENT else []


def _counted(searcher: tantivy.Searcher, asked: Query, facets: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    if not facets:
        return {}
    wanted = {one: {"terms": {"field": FACETS[one], "size": _VALUES}} for one in facets}
    found = searcher.aggregate(asked, wanted)
    return {one: [(bucket["key"], bucket["doc_count"]) for bucket in found[one]["buckets"]] for one in facets}
