"""Listings by structure and text, in one index and one query: what a search finds, and what a listing may meet.

A search is structure first (what the caller may see, kind, region, body …), words after (character bigrams and Latin words),
ranked by BM25. A query of nothing but what every post says (`工程师`) is looked for in the titles, as it is written.
A listing may meet what fulfils the conditions of its pairs of kinds and shares its weightiest terms.

Pages of one search are of one snapshot of the index, so that what changes meanwhile shifts nothing; the snapshots of the last
searches are kept. Whoever comes later, or to another replica, goes on at the same place of the index as it is.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from uuid import uuid4

import tantivy
from tantivy import Occur, Query

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from codes import education, regions
from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.pairs import PairRule, rules_of
from matching.entry import Entry

CANDIDATES = 200
_TERMS = 64  # weightiest terms of a listing that candidates are looked for by; the others are common ones
_FRESH = 100  # changes that wait for a search or for each other: taking them in costs many times a look-up
_ANY = "-"  # stands in a field for what a listing leaves open
_HEAP = 15_000_000  # bytes of the writer's buffer; the least that tantivy takes
_KEPT = 32  # snapshots
_VALUES = 100  # of a facet, the most frequent ones
_STRUCTURE = ("name", "kind", "place", "area", "province", "level", "body", "issuer", "source", "sight")
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
    """The text index beside the listings. Changes are taken in when the next search needs them, or a hundred together."""

    def __init__(self, get: Callable[[str], Entry | None]) -> None:
        builder = tantivy.SchemaBuilder()
        for field in _STRUCTURE:
            is_fast = field in ("name", *FACETS.values())
            builder.add_text_field(field, stored=field == "name", fast=is_fast, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field("title", tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(_HEAP, 1)
        self._get = get
        self._changes = 0
        self._fresh: set[str] = set()
        self._snapshots: OrderedDict[str, tantivy.Searcher] = OrderedDict()
        self._current, self._searcher = str(uuid4()), self._index.searcher()

    def put(self, facts: Facts, source: str, title: str, said: str) -> None:
        """Add a listing, or replace what was known of it; `said` is all of its text."""
        self.remove(facts.name)
        paths = [regions.path(code) for code in facts.regions]
        self._writer.add_document(
            tantivy.Document(
                name=facts.name,
                kind=facts.kind,
                place=list(facts.regions) or [_ANY],
                area=sorted({area for path in paths for area in path}),
                province=sorted({path[0] for path in paths if path}),
                level=str(education.level(facts.education)) if facts.education else _ANY,
                body=list(facts.bodies),
                issuer=facts.issuer,
                source=[source] if source else [],
                sight=_sight(facts),
                terms="".join(f"{number} " * count for number, count in facts.terms.counted()),
                words=" ".join(text.words(said)),
                title=" ".join(text.plain(title)),
            )
        )
        self._fresh.add(facts.name)

    def remove(self, name: str) -> None:
        """Forget a listing."""
        self._writer.delete_documents_by_term("name", name)
        self._fresh.discard(name)
        self._changes += 1

    def candidates(self, facts: Facts, weights: Mapping[int, float]) -> set[str]:
        """Names of listings that one with such terms may meet, the weightiest in common first; and the freshest of all, so
        that taking in changes can wait.
        """
        if self._changes > _FRESH:
            self._take_in()
        pairs = [(Occur.Should, self._able(rule, facts)) for rule in rules_of(facts.kind)]
        if not pairs:
            return set()
        weightiest = nlargest(_TERMS, weights.items(), key=lambda item: (item[1], item[0]))
        terms = [
            (Occur.Should, Query.boost_query(self._term("terms", str(one), "freq"), weight)) for one, weight in weightiest
        ]
        asked = Query.boolean_query([(Occur.Must, Query.const_score_query(Query.boolean_query(pairs), 0.0)), *terms])
        hits = self._searcher.search(asked, limit=CANDIDATES).hits
        return self._fresh.union(str(self._searcher.doc(address)["name"][0]) for _, address in hits)

    def _able(self, rule: PairRule, facts: Facts) -> Query:
        """What a partner has to fulfil, as far as it can be looked up: kind, region, education (`score.CONDITIONS`)."""
        is_demand = facts.kind == rule.demand
        must = [self._term("kind", rule.supply if is_demand else rule.demand)]
        if "region" in rule.conditions and facts.regions:
            within = [self._term("area", code) for code in facts.regions]
            around = [self._term("place", code) for one in facts.regions for code in regions.path(one)]
            must.append(_any([*within, *around, self._term("place", _ANY)]))
        if "education" in rule.conditions and facts.education:
            least = education.level(facts.education)
            levels = [str(one) for one in education.LEVELS if (one >= least if is_demand else one <= least)]
            must.append(self._any_of("level", [*levels, _ANY]))
        return Query.boolean_query([(Occur.Must, one) for one in must])

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
            (self._get(str(searcher.doc(address)["name"][0])), float(key) if scored else 0.0) for key, address in result.hits
        ]
        total: int = result.count  # type: ignore[attr-defined]  # the package's stub leaves it out
        return Found(hits, total, _counted(searcher, asked, facets), name)

    def _snapshot(self, wanted: str) -> tuple[str, tantivy.Searcher]:
        """The snapshot of that name where it is kept, else the index as it is now."""
        if wanted in self._snapshots:
            return wanted, self._snapshots[wanted]
        if self._changes:
            self._take_in()
        self._snapshots[self._current] = self._searcher
        self._snapshots.move_to_end(self._current)
        if len(self._snapshots) > _KEPT:
            self._snapshots.popitem(last=False)
        return self._current, self._searcher

    def _take_in(self) -> None:
        self._writer.commit()
        self._index.reload()
        self._current, self._searcher, self._changes = str(uuid4()), self._index.searcher(), 0
        self._fresh.clear()

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
        return _any([self._term(*way) for way in ways])

    def _any_of(self, field: str, values: Sequence[str] | frozenset[str]) -> Query:
        return _any([self._term(field, value) for value in sorted(set(values))])

    def _term(self, field: str, value: str, option: str = "position") -> Query:
        return Query.term_query(self._schema, field, value, option)


def _any(queries: Sequence[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, one) for one in queries])


def _sight(facts: Facts) -> list[str]:
    """For whom a listing is: `public`, the bodies whose members see it, `government`."""
    visibility = facts.visibility
    if visibility == pb.VISIBILITY_PUBLIC:
        return ["public"]
    if visibility == pb.VISIBILITY_MEMBERS:
        return list(facts.bodies)
    return ["government"] if visibility == pb.VISIBILITY_GOVERNMENT else []


def _counted(searcher: tantivy.Searcher, asked: Query, facets: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    if not facets:
        return {}
    wanted = {one: {"terms": {"field": FACETS[one], "size": _VALUES}} for one in facets}
    found = searcher.aggregate(asked, wanted)
    return {one: [(bucket["key"], bucket["doc_count"]) for bucket in found[one]["buckets"]] for one in facets}
