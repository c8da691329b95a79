"""A listing as the index keeps it, and its bytes on the disk."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from matching.domain.facts import Facts
from matching.domain.passage import Passage
from matching.domain.seniority import Seniority
from matching.domain.skills import Level, Skill
from matching.terms import Held

_LENGTHS = 6  # parts of an entry's bytes

NOTHING, UNMEASURED = Passage(""), Held(b"", b"")


@dataclass(frozen=True, slots=True)
class Entry:
    """A published listing: what matching judges by, and the serialized contract message.

    `held` are the terms and `meaning` the vector of its passage, both empty until they are known; a byte a number.
    """

    facts: Facts
    listing: bytes
    source: str = ""
    title: str = ""
    passage: Passage = NOTHING
    held: Held = UNMEASURED
    meaning: bytes = b""

    def measured(self, meaning: bytes) -> "Entry":
        """With its terms and its vector."""
        return replace(self, held=Held.of(self.passage), meaning=meaning)


class Kept:
    """A listing as it lies in the index: its name and its vector are at hand, the rest is read when it is asked for, once."""

    __slots__ = ("_entry", "_read", "meaning", "name")

    def __init__(self, name: str, meaning: bytes, read: Callable[[], Entry]) -> None:
        self.name, self.meaning = name, meaning
        self._read = read
        self._entry: Entry | None = None

    @classmethod
    def of(cls, entry: Entry) -> "Kept":
        """One that was read already."""
        return cls(entry.facts.name, entry.meaning, lambda: entry)

    def entry(self) -> Entry:
        """All of it."""
        if self._entry is None:
            self._entry = self._read()
        return self._entry


class Gone(NamedTuple):
    """A listing that is published no more: its version, and the word for what became of it (`WITHDRAWN`, …)."""

    version: int
    state: str


def version_of(known: Entry | Gone | None) -> int:
    """The version of a listing that is known; 0 where it was never heard of."""
    if known is None:
        return 0
    return known.facts.version if isinstance(known, Entry) else known.version


def to_bytes(entry: Entry) -> bytes:
    """The entry as the index keeps it."""
    facts = entry.facts
    told = [
        facts.version,
        facts.issuer,
        facts.bodies,
        facts.kind,
        facts.visibility,
        facts.regions,
        facts.industries,
        facts.occupations,
        facts.quantity,
        facts.valid_from.isoformat(),
        facts.valid_to.isoformat(),
        facts.majors,
        facts.skills,
        facts.technology,
        facts.education,
        " ".join(facts.words),
        list(facts.words.values()),
        entry.source,
        entry.title,
        entry.passage.title,
        entry.passage.prose,
        facts.told,
        facts.seniority,
    ]
    content = json.dumps(told, ensure_ascii=False).encode()
    parts = (facts.name.encode(), entry.held.terms, entry.held.counts, entry.meaning, entry.listing, content)
    lengths = b"".join(len(part).to_bytes(4, "little") for part in parts)
    return b"".join((lengths, *parts))


def from_bytes(content: bytes, watched: Callable[[], AbstractContextManager[None]] = nullcontext) -> Kept:
    """The listing of such bytes; what is read later is read in the context of `watched`."""
    parts, start = [], 4 * _LENGTHS
    for number in range(_LENGTHS):
        length = int.from_bytes(content[4 * number : 4 * number + 4], "little")
        parts.append(content[start : start + length])
        start += length
    name, terms, counts, meaning, listing, told = parts
    named, held = name.decode(), Held(terms, counts)

    def read() -> Entry:
        with watched():
            return _entry(named, held, meaning, listing, told)

    return Kept(named, meaning, read)


def _entry(name: str, held: Held, meaning: bytes, listing: bytes, told: bytes) -> Entry:
    (
        version, issuer, bodies, kind, visibility, regions, industries, occupations, quantity, valid_from, valid_to,
        majors, skills, technology, education, words, weights, source, title, subject, prose, spoken, seniority,
    ) = json.loads(told)  # fmt: skip
    facts = Facts(
        name=name,
        version=version,
        issuer=issuer,
        bodies=tuple(bodies),
        kind=kind,
        visibility=visibility,
        regions=tuple(regions),
        industries=tuple(industries),
        occupations=tuple(occupations),
        quantity=quantity,
        valid_from=date.fromisoformat(valid_from),
        valid_to=date.fromisoformat(valid_to),
        majors=tuple(majors),
        skills=tuple(skills),
        technology=technology,
        education=education,
        seniority=Seniority(seniority),
        told=tuple(Skill(written, Level(level)) for written, level in spoken),
        words=dict(zip(words.split(" ") if words else (), weights, strict=True)),
    )
    return Entry(facts, listing, source, title, Passage(subject, prose), held, meaning)
