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
from matching.domain import text
from matching.entry import Entry
from matching.index import Index

_KEPT = 32  # snapshots
_VALUES = 100  # of a facet, the most frequent ones
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
    """Finds listings in the index; its changes are taken in when the next search needs them."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._snapshots: OrderedDict[str, tantivy.Searcher] = OrderedDict()
        self._current, self._searcher = str(uuid4()), index.searcher

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
            (self._index.get(str(searcher.doc(address)["name"][0])), float(key) if scored else 0.0)
            for key, address in result.hits
        ]
        total: int = result.count  # type: ignore[attr-defined]  # the package's stub leaves it out
        return Found(hits, total, _counted(searcher, asked, facets), name)

    def _snapshot(self, wanted: str) -> tuple[str, tantivy.Searcher]:
        """The snapshot of that name where it is kept, else the index as it is now."""
        if wanted in self._snapshots:
            return wanted, self._snapshots[wanted]
        self._index.commit()
        if self._searcher is not self._index.searcher:
            self._current, self._searcher = str(uuid4()), self._index.searcher
        self._snapshots[self._current] = self._searcher
        self._snapshots.move_to_end(self._current)
        if len(self._snapshots) > _KEPT:
            self._snapshots.popitem(last=False)
        return self._current, self._searcher

    def _scored(self, query: str) -> Query | None:
        """What ranks; None where nothing is asked for."""
        if words := text.words(query):
            return self._index.any_of("words", words)
        if query.strip():
            terms = [(Occur.Must, self._index.term("title", word)) for word in set(text.plain(query))]
            return Query.boolean_query(terms) if terms else Query.empty_query()
        return None

    def _conditions(self, wanted: Filter, viewer: Viewer) -> list[Query]:
        """What a hit has to fulfil, without a say in its rank."""
        single = {"area": wanted.area, "body": wanted.body, "issuer": wanted.issuer, "source": wanted.source}
        found = [self._index.term(field, value) for field, value in single.items() if value]
        if wanted.kinds:
            found.append(self._index.any_of("kind", wanted.kinds))
        if not viewer.platform:
            found.append(self._visible(viewer))
        found.append(self._index.term("state", "PUBLISHED"))
        return [Query.const_score_query(one, 0.0) for one in found]

    def _visible(self, viewer: Viewer) -> Query:
        """`access.visibility.may_see` of published listings, as a query."""
        sights = ["public", *viewer.member_bodies, *(["government"] if viewer.government else [])]
        ways = [("sight", one) for one in sights] + [("body", one) for one in viewer.bodies_run]
        if viewer.organization:
            ways.append(("issuer", viewer.organization))
        return Query.boolean_query([(Occur.Should, self._index.term(*way)) for way in ways])


def _counted(searcher: tantivy.Searcher, asked: Query, facets: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    if not facets:
        return {}
    wanted = {one: {"terms": {"field": FACETS[one], "size": _VALUES}} for one in facets}
    found = searcher.aggregate(asked, wanted)
    return {one: [(bucket["key"], bucket["doc_count"]) for bucket in found[one]["buckets"]] for one in facets}
