"""Search: structure first (what the caller may see, kind, region, body …), text after: by words, and by what they mean.

The text index holds the same words as matching does (character bigrams and Latin words), so that a query finds what a
match would. A query of nothing but what every post says (`工程师`) and single characters is looked for in the titles: what is
written together stands there together, and of what is written apart (`工程师 库`) one is enough.

Found is what holds a word of the query, and what means nearly the same without one. The first ones, by BM25 and by meaning,
are ranked by the closeness that matches are ranked by; what BM25 puts behind them follows in its order. Where the query names
a province or city, what can't be there stands behind what can, however close its text is: places are compared by code.

Pages of one search are of one snapshot of the index, so that what changes meanwhile shifts nothing. Searches within half a
second share one, and those that were asked for last are kept: a page can be followed for a minute, however many changes come.
Whoever comes later, or to another process, is told to begin again: the same place of another index is another listing, and
nobody would see what was left out or came twice. Neither is an order made anew, by counts of words that have changed since.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import Any, NamedTuple
from uuid import uuid4

import tantivy
from tantivy import Occur, Query

from access.visibility import Viewer
from matching.documents import sights_of
from matching.domain import text
from matching.domain.blend import WHOLE
from matching.domain.passage import Passage
from matching.entry import Entry
from matching.files import Searcher
from matching.index import NEAREST, Index

REFRESH = 0.5
"""Seconds for which searches look at one snapshot."""
_KEPT = 128  # snapshots, some 0.3 MB each; a minute of them
_TOPS = 512  # searches whose first ones are kept for the pages that follow; some 0.1 MB each at most
_FIRST = 200  # found by words that are ranked by closeness, beside all that are near in meaning
_NEAR = 450  # cosine, in thousandths, that means nearly the same: other trades come up to 400, synonyms start at 500
_VALUES = 100  # of a facet, the most frequent ones
_MEANT = "+"  # behind a snapshot's name: the query was looked for by its meaning as well
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
        hits: listings with their relevance, best first; the newest first without a query. None for one that is gone by now, or
            that the viewer may not see any more.
        places: how many there are to page through, what is left out among them.
        total: how many there are in all.
        facets: facet → (value, how many of all have it), the most frequent first.
        snapshot: what the next page is asked of.
    """

    hits: Sequence[tuple[Entry | None, float]]
    places: int
    total: int
    facets: Mapping[str, Sequence[tuple[str, int]]]
    snapshot: str


class ForgottenError(Exception):
    """What a page would follow is not there: of another process, or of too long ago."""


class _Hit(NamedTuple):
    """Where a searcher found a listing, and its relevance."""

    address: tantivy.DocAddress
    slot: int
    relevance: float


@dataclass(frozen=True)
class _Top:
    """What was found.

    Attributes:
        first: hits with relevance, best first; what else holds a word of the query comes behind them.
        total: how many there are in all.
        all, worded: what finds them, and those that hold a word.
        least: what BM25 gave the last that it found among the first.
    """

    first: Sequence[_Hit]
    total: int
    all: Query
    worded: Query
    least: float


class Search:
    """Finds listings in the index; its changes are taken in when the next search needs them."""

    def __init__(self, index: Index, refresh: float = 0.0, clock: Callable[[], float] = monotonic) -> None:
        """`refresh`: seconds for which changes wait after some were taken in; `clock` counts them."""
        self._index = index
        self._refresh, self._clock, self._next = refresh, clock, -inf
        self._snapshots: OrderedDict[str, Searcher] = OrderedDict()
        self._tops: OrderedDict[_Asked, _Top] = OrderedDict()
        self._current, self._searcher = str(uuid4()), index.searcher

    def find(
        self,
        query: str,
        wanted: Filter,
        viewer: Viewer,
        *,
        meaning: bytes = b"",
        start: int = 0,
        size: int = 20,
        facets: Sequence[str] = (),
        snapshot: str = "",
    ) -> Found:
        """A page of the listings that pass and that the viewer may see; the values of facets are of all of them.

        `meaning` is the query's vector; without one, only words are looked for. `snapshot` is that of the page before, which
        decides on that as well. Raises `ForgottenError` where what it names is not there.
        """
        name, searcher = self._kept(snapshot.removesuffix(_MEANT)) if snapshot else self._newest()
        passing, scored = _all(self._conditions(wanted, viewer)), self._scored(query)
        if scored is None:
            place = min(start, searcher.num_docs)  # tantivy makes room for all that is passed over
            result = searcher.search(passing, limit=size, offset=place, order_by_field="name")
            newest = [(self._index.get(searcher.name(address)), 0.0) for _, address in result.hits]
            return self._found(viewer, searcher, newest, passing, result.count, facets, name)
        told = snapshot or (name + _MEANT if any(meaning) else name)
        make = None if snapshot else partial(self._top, searcher, query, meaning, scored, passing, wanted)
        top = self._known((told, query, wanted, viewer), make)
        hits = list(top.first[start : start + size])
        if len(hits) < size:
            hits += self._behind(searcher, top, start + len(hits), size - len(hits))
        best = [(self._index.at(address, searcher), relevance) for address, _, relevance in hits]
        return self._found(viewer, searcher, best, top.all, top.total, facets, told)

    def _found(
        self,
        viewer: Viewer,
        searcher: Searcher,
        hits: Iterable[tuple[Entry | None, float]],
        asked: Query,
        places: int,
        facets: Sequence[str],
        snapshot: str,
    ) -> Found:
        """What is told of what was found. A listing may have changed since the snapshot, or since the index took it in: what
        it is now decides who sees it. Places stay, so that no page shifts.
        """
        newer = self._index.newer
        shown = [(entry if entry and newer.shows(viewer, entry) else None, relevance) for entry, relevance in hits]
        total = places
        if hidden := newer.hidden(viewer):
            left_out = self._index.named(hidden)
            total -= searcher.search(_all([asked, left_out]), limit=1).count
            asked = Query.boolean_query([(Occur.Must, asked), (Occur.MustNot, left_out)])
        return Found(shown, places, total, _counted(searcher, asked, facets), snapshot)

    def _known(self, asked: "_Asked", make: Callable[[], _Top] | None) -> _Top:
        """What was found first for those who ask the same, kept for the pages that follow. Raises `ForgottenError` where it is
        not kept, and not to be made.
        """
        if asked not in self._tops:
            if make is None:
                raise ForgottenError
            self._tops[asked] = make()
            if len(self._tops) > _TOPS:
                self._tops.popitem(last=False)
        self._tops.move_to_end(asked)
        return self._tops[asked]

    def _there(self, query: str, wanted: Filter) -> Query | None:
        """What can be where the query says; None where it names no place, or where all that passes is of one."""
        named = [] if wanted.area else text.places(query)
        return Query.const_score_query(self._index.around(named), 0.0) if named else None

    def _top(self, searcher: Searcher, query: str, meaning: bytes, scored: Query, passing: Query, wanted: Filter) -> _Top:
        there = self._there(query, wanted)
        worded = _all([scored, passing])
        by_words = partial(_by_words, searcher, worded, there)
        nearest, (found, addresses) = self._index.beside(meaning, wanted.kinds, by_words)
        least = float(found.hits[-1][0]) if found.hits else 1.0
        if nearest is None:
            return _Top(self._ranked(searcher, query, b"", addresses, there), found.count, worded, worded, least)
        near = _all([Query.const_score_query(nearest, 0.0), passing])
        near = Query.boolean_query([(Occur.Must, near), (Occur.Should, scored)])
        hits = searcher.search(near, limit=NEAREST).hits  # all; without a word, their score is 0
        wordless = set(searcher.slots([address for score, address in hits if not score]))
        first = self._ranked(searcher, query, meaning, addresses + [address for _, address in hits], there, wordless)
        added = [one.slot for one in first if one.slot in wordless]
        meant = _all([self._index.at_slots(added), passing])
        either = Query.boolean_query([(Occur.Should, worded), (Occur.Should, meant)]) if added else worded
        return _Top(first, found.count + len(added), either, worded, least)

    def _behind(self, searcher: Searcher, top: _Top, start: int, size: int) -> list[_Hit]:
        """What follows the first ones: less relevant than the last of them as far as BM25 says so."""
        if start >= top.total:
            return []
        first = self._index.at_slots(one.slot for one in top.first)
        rest = Query.boolean_query([(Occur.Must, top.worded), (Occur.MustNot, first)])
        hits = searcher.search(rest, limit=size, offset=start - len(top.first)).hits
        scale = top.first[-1].relevance / top.least
        slots = searcher.slots([address for _, address in hits])
        return [_Hit(address, slot, float(score) * scale) for (score, address), slot in zip(hits, slots, strict=True)]

    def _ranked(
        self,
        searcher: Searcher,
        query: str,
        meaning: bytes,
        addresses: Sequence[tantivy.DocAddress],
        there: Query | None,
        wordless: Set[int] = frozenset(),
    ) -> list[_Hit]:
        """Each listing once, what can be there first, then what is closest to the query, without those that hold no word of it
        nor mean nearly the same; what is equally close in the order in which it was found.
        """
        places: dict[int, tantivy.DocAddress] = {}
        for slot, address in zip(searcher.slots(addresses), addresses, strict=True):
            places.setdefault(slot, address)
        nears = self._index.nears(meaning, [*places])
        able = {slot: near for slot, near in nears.items() if slot not in wordless or round(1000 * near) >= _NEAR}
        close = self._index.close(self._index.lexicon.weights(Passage.of(query, "")), able)
        relevances = {slot: closeness.total / WHOLE for slot, closeness in close.items()}
        if there and able:
            hits = searcher.search(_all([self._index.at_slots(able), there]), limit=len(able)).hits
            fitting = set(searcher.slots([address for _, address in hits]))
            relevances = {slot: ((slot in fitting) + relevance) / 2 for slot, relevance in relevances.items()}
        ranked = sorted(relevances.items(), key=lambda one: -one[1])
        return [_Hit(places[slot], slot, relevance) for slot, relevance in ranked]

    def _kept(self, name: str) -> tuple[str, Searcher]:
        """The snapshot of that name. Raises `ForgottenError` where it is not kept."""
        if name not in self._snapshots:
            raise ForgottenError
        self._snapshots.move_to_end(name)
        return name, self._snapshots[name]

    def _newest(self) -> tuple[str, Searcher]:
        """The index as it is now."""
        if self._clock() >= self._next:
            self._index.commit()
            if self._searcher is not self._index.searcher:
                self._current, self._searcher = str(uuid4()), self._index.searcher
            self._next = self._clock() + self._refresh
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
            titles = [_all(self._index.term("title", word) for word in set(run)) for run in text.runs(query)]
            return Query.boolean_query([(Occur.Should, title) for title in titles]) if titles else Query.empty_query()
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
        ways = [("sight", one) for one in sights_of(viewer)] + [("body", one) for one in viewer.bodies_run]
        if viewer.organization:
            ways.append(("issuer", viewer.organization))
        return Query.boolean_query([(Occur.Should, self._index.term(*way)) for way in ways])


_Asked = tuple[str, str, Filter, Viewer]
"""Snapshot, query, filter and viewer."""


def _all(parts: Iterable[Query]) -> Query:
    return Query.boolean_query([(Occur.Must, part) for part in parts])


def _by_words(searcher: Searcher, worded: Query, there: Query | None) -> tuple[Any, list[tantivy.DocAddress]]:
    """The first ones by BM25, and where they are; beside them those of the first ones of a place."""
    found = searcher.search(worded, limit=_FIRST)
    hits = [*found.hits, *(searcher.search(_all([worded, there]), limit=_FIRST).hits if there else ())]
    return found, [address for _, address in hits]


def _counted(searcher: Searcher, asked: Query, facets: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    if not facets:
        return {}
    wanted = {one: {"terms": {"field": FACETS[one], "size": _VALUES}} for one in facets}
    found = searcher.aggregate(asked, wanted)
    return {one: [(bucket["key"], bucket["doc_count"]) for bucket in found[one]["buckets"]] for one in facets}
