"""Every published listing, in memory: looked up by name, by issuer, and by the words that it shares with another.

`Index` holds what is committed. `Draft` lays a transaction's own changes over it, so that later records of a batch see
earlier ones and a rollback leaves nothing behind.
"""

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.pairs import partners

_READ = 10_000  # postings read for one change at most, rarest words first (the rarest in any case): bounds its cost
_name = attrgetter("name")
_LABEL = 4  # weight of a shared major, skill or field in the ranking of candidates


@dataclass(frozen=True, slots=True)
class Entry:
    """A published listing: what matching judges by, and the serialized contract message."""

    facts: Facts
    listing: bytes
    source: str = ""
    title: str = ""


class Listings(Protocol):
    """What matching asks of the listings, committed or not."""

    def get(self, name: str) -> Entry | None:
        """The published listing of that name."""

    def candidates(self, facts: Facts) -> Iterator[Facts]:
        """Listings of partner kinds that share a word with this one, most weight in common first."""

    def where(self, condition: Callable[[Facts], bool]) -> list[Facts]:
        """All listings that fulfil a condition, by name; for rare events, since it looks at every listing."""


class Index:
    """The listings that are published, as far as transactions have committed."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._slots: dict[str, int] = {}
        self._at: dict[int, Facts] = {}
        self._postings: dict[str, dict[str, list[int]]] = defaultdict(dict)  # kind → word → slots, ascending
        self._issuers: dict[str, int] = defaultdict(int)
        self._next = 0

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
        if not partners(facts.kind):
            return
        slot = self._next
        self._next += 1
        self._slots[facts.name], self._at[slot] = slot, facts
        postings = self._postings[facts.kind]
        for word in _keys(facts):
            postings.setdefault(word, []).append(slot)

    def remove(self, name: str) -> None:
        """Forget a listing; nothing happens where it is not known."""
        entry = self._entries.pop(name, None)
        if entry is None:
            return
        self._issuers[entry.facts.issuer] -= 1
        slot = self._slots.pop(name, None)
        if slot is None:
            return
        del self._at[slot]
        postings = self._postings[entry.facts.kind]
        for word in _keys(entry.facts):
            slots = postings[word]
            del slots[bisect_left(slots, slot)]
            if not slots:
                del postings[word]

    def entries(self) -> Iterable[Entry]:
        """Every listing."""
        return self._entries.values()

    def has_issuer(self, organization: str) -> bool:
        """Whether the organization has a published listing."""
        return self._issuers.get(organization, 0) > 0

    def candidates(self, facts: Facts) -> Iterator[Facts]:
        """See `Listings`."""
        return (found for _, _, found in self.ranked(facts))

    def ranked(self, facts: Facts) -> Iterator[tuple[int, str, Facts]]:
        """Candidates as (−weight in common, name, facts), in that order; only those that are taken are sorted."""
        places: dict[int, list[int]] = {}  # weight in common → slots
        for slot, weight in self._in_common(facts).items():
            places.setdefault(weight, []).append(slot)
        for weight in sorted(places, reverse=True):
            for one in sorted((self._at[slot] for slot in places[weight]), key=_name):
                yield -weight, one.name, one

    def _in_common(self, facts: Facts) -> dict[int, int]:
        """Slot → weight in common."""
        found: dict[int, int] = defaultdict(int)
        for weight, slots in self._readings(facts):
            for slot in slots:
                found[slot] += weight
        return found

    def where(self, condition: Callable[[Facts], bool]) -> list[Facts]:
        """See `Listings`."""
        found = (entry.facts for entry in self._entries.values() if condition(entry.facts))
        return sorted(found, key=lambda facts: facts.name)

    def _readings(self, facts: Facts) -> Iterator[tuple[int, list[int]]]:
        """Postings to read for a listing, rarest word first, as many as `_READ` allows."""
        keys = _keys(facts)
        found = [
            (len(slots), word, slots)
            for kind in partners(facts.kind)
            for word in keys
            if (slots := self._postings[kind].get(word))
        ]
        read = 0
        for length, word, slots in sorted(found, key=lambda reading: reading[:2]):
            if read and read + length > _READ:
                return
            read += length
            yield keys[word], slots


class Draft:
    """The index as one transaction sees it: what is committed, and its own changes."""

    def __init__(self, base: Index) -> None:
        self._base = base
        self._own = Index()
        self._changed: dict[str, Entry | None] = {}

    def get(self, name: str) -> Entry | None:
        """See `Listings`."""
        return self._changed[name] if name in self._changed else self._base.get(name)

    def put(self, entry: Entry) -> None:
        """Add or replace a listing in this transaction."""
        self._changed[entry.facts.name] = entry
        self._own.put(entry)

    def remove(self, name: str) -> None:
        """Forget a listing in this transaction."""
        self._changed[name] = None
        self._own.remove(name)

    def candidates(self, facts: Facts) -> Iterator[Facts]:
        """See `Listings`."""
        base = (row for row in self._base.ranked(facts) if row[1] not in self._changed)
        return (found for _, _, found in heapq.merge(base, self._own.ranked(facts)))

    def where(self, condition: Callable[[Facts], bool]) -> list[Facts]:
        """See `Listings`."""
        base = (facts for facts in self._base.where(condition) if facts.name not in self._changed)
        return sorted([*base, *self._own.where(condition)], key=lambda facts: facts.name)

    def commit(self) -> None:
        """The transaction has committed: its changes become the index's."""
        for name, entry in self._changed.items():
            if entry is None:
                self._base.remove(name)
            else:
                self._base.put(entry)


def _keys(facts: Facts) -> dict[str, int]:
    """What a listing is found by, with its weight: its words, and what may meet without sharing a word.

    Majors meet from two characters on (`08`, `计算`), skills and fields of technology also as they are written.
    """
    labels = [f"专业:{text.normal(major)[:2]}" for major in facts.majors]
    labels += [f"技能:{text.normal(skill)}" for skill in facts.skills]
    labels += [f"领域:{text.normal(facts.technology)}"] if facts.technology else []
    return {**facts.words, **dict.fromkeys(labels, _LABEL)}
