"""Every published listing, in memory: looked up by name, by issuer, and by what it may meet.

`Index` holds what is committed. `Draft` lays a transaction's own changes over it, so that later records of a batch see
earlier ones and a rollback leaves nothing behind.

Which listings may meet one is asked of two engines: tantivy, by structure and terms (`search`), and usearch, by meaning
(`nearness`). All that they find is measured exactly afterwards, so it does not matter which of them found it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from matching.domain import text
from matching.domain.blend import Closeness
from matching.domain.facts import Facts
from matching.domain.lexical import bucket
from matching.domain.pairs import partners
from matching.domain.passage import Passage
from matching.entry import Entry
from matching.nearness import Nearness
from matching.search import Search
from matching.statistics import Statistics

_NAMED = 6  # most words that both texts hold that are named


def _name(entry: Entry) -> str:
    return entry.facts.name


class Listings(Protocol):
    """What matching asks of the listings, committed or not."""

    def get(self, name: str) -> Entry | None:
        """The published listing of that name."""

    def candidates(self, facts: Facts) -> list[Facts]:
        """Listings of partner kinds that may be close to this one, by name."""

    def where(self, condition: Callable[[Facts], bool]) -> list[Entry]:
        """All listings that fulfil a condition, by name; for rare events, since it looks at every listing."""

    def closeness(self, facts: Facts, others: Sequence[Facts]) -> list[Closeness]:
        """Of a listing and each of the others."""

    def shared(self, demand: Entry, supply: Facts) -> tuple[str, ...]:
        """What both say, in the words of the demand, the weightiest first."""


class Index:
    """The listings that are published, as far as transactions have committed."""

    def __init__(self, passage_of: Callable[[Entry], Passage]) -> None:
        self.statistics = Statistics.none()
        self.search = Search(self.get)
        self._passage_of = passage_of
        self._near = Nearness()
        self._entries: dict[str, Entry] = {}
        self._issuers: dict[str, int] = defaultdict(int)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: str) -> Entry | None:
        """See `Listings`."""
        return self._entries.get(name)

    def put(self, entry: Entry) -> None:
        """Add a listing, or replace what was known of it."""
        facts = entry.facts
        self.remove(facts.name)
        self._entries[facts.name] = entry
        self._issuers[facts.issuer] += 1
        self.search.put(facts, entry.source, entry.title, self._passage_of(entry).whole)
        if partners(facts.kind):
            self._near.put(facts)

    def give_meaning(self, name: str, meaning: bytes) -> None:
        """Say what a listing means that was put in without."""
        entry = self._entries[name]
        facts = replace(entry.facts, meaning=meaning)
        self._entries[name] = replace(entry, facts=facts)
        if partners(facts.kind):
            self._near.put(facts)

    def remove(self, name: str) -> None:
        """Forget a listing; nothing happens where it is not known."""
        entry = self._entries.pop(name, None)
        if entry is None:
            return
        self._issuers[entry.facts.issuer] -= 1
        self.search.remove(name)
        self._near.remove(entry.facts)

    def entries(self) -> Iterable[Entry]:
        """Every listing."""
        return self._entries.values()

    def has_issuer(self, organization: str) -> bool:
        """Whether the organization has a published listing."""
        return self._issuers.get(organization, 0) > 0

    def candidates(self, facts: Facts) -> list[Facts]:
        """See `Listings`."""
        kinds = partners(facts.kind)
        names = self.search.candidates(facts, self.statistics.weights(facts.terms)) | self._near.find(kinds, facts.meaning)
        found = (entry.facts for name in sorted(names) if (entry := self._entries.get(name)))
        return [one for one in found if one.kind in kinds]

    def where(self, condition: Callable[[Facts], bool]) -> list[Entry]:
        """See `Listings`."""
        return sorted((entry for entry in self._entries.values() if condition(entry.facts)), key=_name)

    def closeness(self, facts: Facts, others: Sequence[Facts]) -> list[Closeness]:
        """See `Listings`."""
        return self.statistics.closeness(facts, others)

    def shared(self, demand: Entry, supply: Facts) -> tuple[str, ...]:
        """See `Listings`."""
        weights = self.statistics.weights(demand.facts.terms)
        held = supply.terms.known()
        said = text.words(self._passage_of(demand).whole)
        return text.shared_phrases(
            said, lambda word: weights.get(number, 0.0) if (number := bucket(word)) in held else 0.0, _NAMED
        )


class Draft:
    """The index as one transaction sees it: what is committed, and its own changes."""

    def __init__(self, base: Index) -> None:
        self._base = base
        self._changed: dict[str, Entry | None] = {}

    def get(self, name: str) -> Entry | None:
        """See `Listings`."""
        return self._changed[name] if name in self._changed else self._base.get(name)

    def put(self, entry: Entry) -> None:
        """Add or replace a listing in this transaction."""
        self._changed[entry.facts.name] = entry

    def remove(self, name: str) -> None:
        """Forget a listing in this transaction."""
        self._changed[name] = None

    def candidates(self, facts: Facts) -> list[Facts]:
        """See `Listings`."""
        kinds = partners(facts.kind)
        base = [one for one in self._base.candidates(facts) if one.name not in self._changed] if kinds else []
        own = [entry.facts for entry in self._changed.values() if entry and entry.facts.kind in kinds]
        return sorted([*base, *own], key=lambda one: one.name)

    def where(self, condition: Callable[[Facts], bool]) -> list[Entry]:
        """See `Listings`."""
        base = [entry for entry in self._base.where(condition) if entry.facts.name not in self._changed]
        own = [entry for entry in self._changed.values() if entry and condition(entry.facts)]
        return sorted([*base, *own], key=_name)

    def closeness(self, facts: Facts, others: Sequence[Facts]) -> list[Closeness]:
        """See `Listings`."""
        return self._base.closeness(facts, others)

    def shared(self, demand: Entry, supply: Facts) -> tuple[str, ...]:
        """See `Listings`."""
        return self._base.shared(demand, supply)

    def commit(self) -> None:
        """The transaction has committed: its changes become the index's."""
        for name, entry in self._changed.items():
            if entry is None:
                self._base.remove(name)
            else:
                self._base.put(entry)
