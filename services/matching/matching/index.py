"""Every published listing, in one index for search and for matching: tantivy for structure and words, usearch for meanings.

Taking changes in costs tantivy many times a look-up, so it does that for many of them together, or when a search wants them;
until then they are found here. A listing that is gone leaves its version behind, so that an older state which comes late
(a topic that is published anew) is known for what it is.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from heapq import nlargest
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TypeVar

import tantivy
from tantivy import Occur, Query

from codes import education, regions
from matching import documents
from matching.columns import Columns
from matching.documents import ANYWHERE, PUBLISHED, UNSTATED, document_of, sight
from matching.domain.blend import Closeness, blend
from matching.domain.facts import Facts
from matching.domain.pairs import is_demand, meetings, partners
from matching.domain.score import Candidate
from matching.embedding import Packed, cosines
from matching.entry import Entry, Gone, Kept
from matching.files import Files, Searcher
from matching.newer import Newer
from matching.terms import Lexicon, Terms
from matching.vectors import Vectors, nearest, packed

CANDIDATES = 200  # by words
NEAREST = 400  # vectors of partner kinds that are looked at for them, before conditions
_TERMS = 24  # weightiest terms of a passage that candidates are looked for by; the others are common ones
_HOLDING = 100_000  # listings, at most, that hold those terms, one after the other: what they are looked for costs no more
_FRESH = 64  # changes that are taken in together
_KEPT = 5_000  # entries that are kept in memory as they were read
_HEAP = 15_000_000  # bytes of the writer's buffer; the least that tantivy takes
_BESIDE = ThreadPoolExecutor(1, "nearest")

_Done = TypeVar("_Done")


class _Slotted(NamedTuple):
    """A published listing, and the number under which it is measured."""

    entry: Entry
    slot: int


class _Close(NamedTuple):
    """A listing that may be a candidate: how close it is, the cosine of the meanings, and what reads it (None: it is another
    by now)."""

    closeness: Closeness
    near: float
    read: Callable[[], Kept | None]


class Reach(NamedTuple):
    """Whom a listing can be brought together with on a day, by who sees whom.

    Attributes:
        today: listings whose first day is still to come are nobody's yet.
        sights: what its issuer sees: `public`, bodies, `government`, as documents have them.
        issuers: those that see it; None where everybody does.
    """

    today: date
    sights: frozenset[str]
    issuers: frozenset[str] | None

    def has(self, facts: Facts) -> bool:
        """Whether a listing is within."""
        is_seen = not self.sights.isdisjoint(sight(facts))
        return is_seen and facts.valid_from <= self.today and (self.issuers is None or facts.issuer in self.issuers)


class Index:
    """The listings as far as the topic was read. Whatever looks into it or changes it raises `Unavailable` where its files are
    lost, which `lost` says."""

    def __init__(self, size: int) -> None:
        """Empty and in memory. `size`: numbers of a vector."""
        self.lexicon = Lexicon()
        self.vectors: dict[str, Vectors] = {}
        """By kind: a listing's own are nearest to it, and would leave no room for those that it can meet."""
        self.columns = Columns(size)
        self.next_slot = 0
        self.newer = Newer(self.known)
        """What is known of its listings that is newer than what it holds."""
        self._files = Files()
        self.lost = self._files.lost
        self._size = size
        self._schema = documents.schema()
        self._begin(tantivy.Index(self._schema))

    def open(self, folder: Path) -> None:
        """Lie in a folder from now on, with the documents that are there; see `matching.snapshot` for what belongs to them."""
        folder.mkdir(parents=True, exist_ok=True)
        self.lexicon, self.vectors, self.columns, self.next_slot = Lexicon(), {}, Columns(self._size), 0
        self._begin(tantivy.Index(self._schema, str(folder)))

    def _begin(self, index: tantivy.Index) -> None:
        self._index = index
        self._writer = index.writer(_HEAP, 1)
        self._fresh: dict[str, _Slotted | Gone] = {}
        self._read: OrderedDict[int, Kept] = OrderedDict()
        self.searcher = Searcher(index.searcher(), self._files)

    def __len__(self) -> int:
        return self.lexicon.listings

    # Changes

    def put(self, entry: Entry) -> None:
        """Add a listing, or replace what was known of it. Where its texts are the same it keeps its slot."""
        name, document = entry.facts.name, document_of(entry)
        before = self._slotted(name)
        if before and _is_measured_as(before.entry, entry):
            slot = before.slot
        else:
            slot, self.next_slot = self.next_slot, self.next_slot + 1
        document.add_unsigned("slot", slot)
        self._write(name, document)
        if before is None or before.slot != slot:
            self._forget(before)
            self._measure(entry, slot)
        self._read.pop(slot, None)
        self._fresh[name] = _Slotted(entry, slot)
        self.newer.took(name, entry.facts.version, is_published=True)
        self._take_in()

    def remove(self, name: str, gone: Gone) -> None:
        """A listing is published no more."""
        document = tantivy.Document(name=name, state=gone.state)
        document.add_unsigned("version", gone.version)
        before = self._slotted(name)
        self._write(name, document)
        self._forget(before)
        self._fresh[name] = gone
        self.newer.took(name, gone.version, is_published=False)
        self._take_in()

    def commit(self) -> None:
        """Take the changes in, so that the searcher has them."""
        with self._files.touched("written"):
            if self._fresh:
                self._writer.commit()
                self._index.reload()
                self.searcher = Searcher(self._index.searcher(), self._files)
                self._fresh = {}

    def _measure(self, entry: Entry, slot: int) -> None:
        self.lexicon.add(entry.held)
        with self._files.touched("written"):
            self.columns.add(entry.held, entry.meaning)
        if any(entry.meaning):
            self.vectors_of(entry.facts.kind).add(slot, packed(entry.meaning))

    def vectors_of(self, kind: str) -> Vectors:
        """Those of the listings of a kind."""
        return self.vectors.setdefault(kind, Vectors(self._size))

    def _forget(self, before: "_Slotted | None") -> None:
        """What was measured of a listing counts no more."""
        if before is None:
            return
        self.lexicon.remove(before.entry.held)
        if any(before.entry.meaning):
            self.vectors_of(before.entry.facts.kind).remove(before.slot)

    def _write(self, name: str, document: tantivy.Document) -> None:
        """Put a document in place of what was known of a listing."""
        with self._files.touched("written"):
            self._writer.delete_documents_by_term("name", name)
            self._writer.add_document(document)

    def _take_in(self) -> None:
        if len(self._fresh) >= _FRESH:
            self.commit()

    # Look-ups

    def known(self, name: str) -> Entry | Gone | None:
        """What is known of a listing; None where it was never heard of."""
        if (fresh := self._fresh.get(name)) is not None:
            return fresh.entry if isinstance(fresh, _Slotted) else fresh
        hits = self.searcher.search(self.term("name", name), limit=1).hits
        if not hits:
            return None
        found = self.searcher.known(hits[0][1])
        return found.entry() if isinstance(found, Kept) else found

    def _slotted(self, name: str) -> "_Slotted | None":
        """The published listing of that name, with its slot."""
        if (fresh := self._fresh.get(name)) is not None:
            return fresh if isinstance(fresh, _Slotted) else None
        hits = self.searcher.search(self.term("name", name), limit=1).hits
        found = self.searcher.known(hits[0][1]) if hits else None
        return _Slotted(found.entry(), self.searcher.slots([hits[0][1]])[0]) if isinstance(found, Kept) else None

    def get(self, name: str) -> Entry | None:
        """The published listing of that name."""
        found = self.known(name)
        return found if isinstance(found, Entry) else None

    def is_ended(self, name: str, version: int) -> bool:
        """Whether a listing is published no more, by any state that is newer than a version of it."""
        known = self.known(name)
        return self.newer.is_ended(name, version) or (isinstance(known, Gone) and known.version > version)

    def of_issuer(self, organization: str) -> list[str]:
        """Names of the listings of an organization, in order."""
        return self._names(self.term("issuer", organization), lambda facts: facts.issuer == organization)

    def beginning(self, after: date, until: date) -> list[str]:
        """Names of the listings whose first day lies in (after, until], in order."""
        days = Query.range_query(
            self._schema, "first_day", tantivy.FieldType.Unsigned, after.toordinal(), until.toordinal(), include_lower=False
        )
        return self._names(days, lambda facts: after < facts.valid_from <= until)

    def names(self) -> list[str]:
        """The names of all listings, in order."""
        return self._names(Query.all_query(), lambda _: True)

    def entries(self) -> Iterable[Entry]:
        """Every listing; for tests and for a look at all of them."""
        return (entry for name in self.names() if (entry := self.get(name)))

    def _names(self, asked: Query, is_meant: "_Condition") -> list[str]:
        live = Query.boolean_query([(Occur.Must, asked), (Occur.Must, self.term("state", PUBLISHED))])
        hits = self.searcher.search(live, limit=max(1, self.searcher.num_docs)).hits
        settled = {self.searcher.name(address) for _, address in hits} - self._fresh.keys()
        fresh = {name for name, one in self._fresh.items() if isinstance(one, _Slotted) and is_meant(one.entry.facts)}
        return sorted(settled | fresh)

    # Candidates

    def candidates(self, entry: Entry, reach: Reach | None = None) -> Iterator[Candidate]:
        """Listings of partner kinds within reach that meet its conditions but for the last day, closest first, each read when
        its turn comes: by words, at most `CANDIDATES`, by meaning, at most `NEAREST`, and those that are fresh.
        """
        if not partners(entry.facts.kind):
            return
        weights = self.lexicon.weights(entry.passage)
        close = [*self._settled(entry, weights, reach), *self._unsettled(entry, weights, reach)]
        able = sorted((one for one in close if one.closeness.total), key=lambda one: -one.closeness.total)
        for _, equal in groupby(able, key=lambda one: one.closeness.total):
            yield from sorted(_read(entry, equal), key=lambda one: one.facts.name)

    def _settled(self, entry: Entry, weights: dict[str, float], reach: Reach | None) -> Iterator[_Close]:
        """Of what is taken in, those that are found."""
        searcher = self.searcher
        places = self._found(entry, weights, self._conditions(entry.facts, reach))
        nears = self.nears(entry.meaning, [*places])
        for slot, closeness in self.close(weights, nears).items():
            yield _Close(closeness, nears[slot], partial(self._kept, slot, places[slot], searcher))

    def _unsettled(self, entry: Entry, weights: dict[str, float], reach: Reach | None) -> Iterator[_Close]:
        """Of what is fresh, all that may meet it."""
        known = (one.entry for one in self._fresh.values() if isinstance(one, _Slotted))
        able = (one for one in known if one.facts.kind in partners(entry.facts.kind))
        fresh = [one for one in able if reach is None or reach.has(one.facts)]
        if not fresh:
            return
        lexically = self.lexicon.closeness(weights, Terms.of([one.held for one in fresh]))
        meanings = packed(b"".join(one.meaning or bytes(self._size) for one in fresh)).reshape(len(fresh), -1)
        nears = self._nears(entry.meaning, meanings)
        for one, words, cosine in zip(fresh, lexically, nears, strict=True):
            yield _Close(blend(words, cosine), cosine, partial(Kept.of, one))

    def nears(self, meaning: bytes, slots: Sequence[int]) -> dict[int, float]:
        """Slot → the cosine of its listing's meaning and that one, without reading any of them; 0 where either is empty."""
        return dict(zip(slots, self._nears(meaning, self.columns.meanings(slots)), strict=True))

    def _nears(self, meaning: bytes, others: Packed) -> list[float]:
        found: list[float] = cosines(packed(meaning), others).tolist() if meaning else [0.0] * len(others)
        return found

    def close(self, weights: dict[str, float], nears: Mapping[int, float]) -> dict[int, Closeness]:
        """Slot → how close its listing is to a text of those weights, by the cosines of their meanings."""
        lexically = self.lexicon.closeness(weights, self.columns.terms([*nears]))
        return {slot: blend(words, cosine) for (slot, cosine), words in zip(nears.items(), lexically, strict=True)}

    def at(self, address: tantivy.DocAddress, searcher: Searcher) -> Entry | None:
        """The listing that a searcher found, as it is now; None where it is gone by now."""
        kept = searcher.kept(address)
        is_now = searcher is self.searcher and kept.name not in self._fresh
        return kept.entry() if is_now else self.get(kept.name)

    def _found(self, entry: Entry, weights: dict[str, float], conditions: Query) -> dict[int, tantivy.DocAddress]:
        """Slot → place of the candidates of what is taken in."""
        if not self.searcher.num_docs:
            return {}
        words = Query.boolean_query([(Occur.Should, self._weighed(*one)) for one in self._asked(weights)])
        by_words = partial(self._meeting_both, words, conditions, CANDIDATES)
        near, addresses = self.beside(entry.meaning, partners(entry.facts.kind), by_words)
        if near:
            addresses += self._meeting_both(near, conditions, NEAREST)  # all: in no order
        return dict(zip(self.searcher.slots(addresses), addresses, strict=True))

    def _meeting_both(self, asked: Query, conditions: Query, most: int) -> list[tantivy.DocAddress]:
        both = Query.boolean_query([(Occur.Must, asked), (Occur.Must, conditions)])
        return [address for _, address in self.searcher.search(both, limit=most).hits]

    def beside(self, meaning: bytes, kinds: Collection[str], work: Callable[[], _Done]) -> tuple[Query | None, _Done]:
        """`nearest`, and what `work` returns, done meanwhile: usearch and tantivy run outside of Python, so two cores take
        half of the time. Nothing of the index changes before both have ended.
        """
        looking = _BESIDE.submit(self.nearest, meaning, kinds)
        try:
            done = work()
        finally:
            near = looking.result()
        return near, done

    def nearest(self, meaning: bytes, kinds: Collection[str] = ()) -> Query | None:
        """The listings that mean what is nearest to a meaning, about `NEAREST` of them, of some kinds, or of all. None where
        nothing is near it.
        """
        some = [vectors for kind, vectors in self.vectors.items() if not kinds or kind in kinds]
        slots = nearest(some, packed(meaning), NEAREST) if any(meaning) else []
        return self.at_slots(slots) if slots else None

    def named(self, names: Sequence[str]) -> Query:
        """The listings of some names, of which there may be very many."""
        return Query.term_set_query(self._schema, "name", names)

    def at_slots(self, slots: Iterable[int]) -> Query:
        """The listings of some slots; one by one, in half the time of a set of terms."""
        return Query.boolean_query([(Occur.Should, Query.term_query(self._schema, "slot", slot)) for slot in slots])

    def _asked(self, weights: dict[str, float]) -> list[tuple[str, float]]:
        """The weightiest terms, as far as few enough listings hold them; the weightiest of all in any case."""
        asked: list[tuple[str, float]] = []
        left = _HOLDING
        for term, weight in nlargest(_TERMS, weights.items(), key=lambda item: (item[1], item[0])):
            holding = self.lexicon.holding(term)
            if holding <= left or not asked:
                asked.append((term, weight))
                left -= holding
        return asked

    def _kept(self, slot: int, address: tantivy.DocAddress, searcher: Searcher) -> Kept | None:
        """The listing that a searcher found; None where it has changed since."""
        kept = self._read.get(slot) or searcher.kept(address)
        if kept.name in self._fresh:  # nor is it kept in memory: its slot may stay, and another document come there
            return None
        self._read[slot] = kept
        if len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return kept

    def _conditions(self, facts: Facts, reach: Reach | None) -> Query:
        """What a candidate has to fulfil whatever its texts say, without a say in its rank: who does not takes no place."""
        ways = [(Occur.Should, self._meeting(facts, kind, names)) for kind, names in meetings(facts.kind)]
        parts = [(Occur.Must, Query.boolean_query(ways)), (Occur.MustNot, self.term("issuer", facts.issuer))]
        if reach is not None:
            parts += [(Occur.Must, one) for one in self._within(reach)]
        return Query.const_score_query(Query.boolean_query(parts), 0.0)

    def _within(self, reach: Reach) -> Iterator[Query]:
        yield self.any_of("sight", reach.sights)
        yield Query.range_query(self._schema, "first_day", tantivy.FieldType.Unsigned, 0, reach.today.toordinal())
        if reach.issuers is not None:
            yield Query.term_set_query(self._schema, "issuer", sorted(reach.issuers))

    def _meeting(self, facts: Facts, kind: str, conditions: Sequence[str]) -> Query:
        parts = [(Occur.Must, self.term("kind", kind))]
        if "region" in conditions and facts.regions:
            parts.append((Occur.Must, self.around(facts.regions)))
        if "education" in conditions and facts.education:
            parts.append((Occur.Must, self.any_of("level", [*_levels(facts), UNSTATED])))
        return Query.boolean_query(parts)

    def term(self, field: str, value: str) -> Query:
        """One value of a field."""
        return Query.term_query(self._schema, field, value)

    def any_of(self, field: str, values: Iterable[str]) -> Query:
        """Any of some values."""
        return Query.boolean_query([(Occur.Should, self.term(field, value)) for value in sorted(set(values))])

    def around(self, places: Sequence[str]) -> Query:
        """What lies in one of some places (codes), or is for all that lies around one, or for anywhere."""
        whole = {area for code in places for area in regions.path(code)}
        ways = [self.any_of("area", places), self.any_of("place", [*whole, ANYWHERE])]
        return Query.boolean_query([(Occur.Should, way) for way in ways])

    def _weighed(self, term: str, weight: float) -> Query:
        return Query.boost_query(Query.term_query(self._schema, "terms", term, "freq"), weight)


_Condition = Callable[[Facts], bool]


def _is_measured_as(one: Entry, other: Entry) -> bool:
    """Whether all that closeness is measured by is the same."""
    return (one.facts.kind, one.passage, one.meaning) == (other.facts.kind, other.passage, other.meaning)


def _levels(facts: Facts) -> list[str]:
    """Levels of education at which a partner meets a listing: what a demand asks for and all above, or what a supply has and
    all below.
    """
    own = education.level(facts.education)
    reaching = range(own, education.HIGHEST + 1) if is_demand(facts.kind) else range(own + 1)
    return [str(level) for level in reaching]


def near(one: Entry, other: Entry) -> int | None:
    """The cosine of two meanings, in thousandths; None where either is of no text that means anything."""
    if not (any(one.meaning) and any(other.meaning)):
        return None
    return round(1000 * float(cosines(packed(one.meaning), packed(other.meaning).reshape(1, -1))[0]))


def _read(entry: Entry, some: Iterable[_Close]) -> Iterator[Candidate]:
    """Candidates out of those that are as close, without the listing itself."""
    for one in some:
        if (kept := one.read()) and kept.name != entry.facts.name:
            is_meant = any(entry.meaning) and any(kept.meaning)
            yield Candidate(kept.entry().facts, one.closeness, round(1000 * one.near) if is_meant else None)
