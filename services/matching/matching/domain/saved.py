"""Saved searches 订阅检索: what one asks of a listing, and by which keys those that a listing may meet are found.

A listing has many keys (its words, its places, …), a search a few anchors, one of which every listing that meets it has. So
the searches that can meet a listing are looked up by its keys, and only they are judged: exact, at the cost of those alone.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from codes import regions
from matching.domain import text
from matching.domain.facts import Facts


@dataclass(frozen=True)
class Wanted:
    """What a search asks for; empty fields take in everything.

    Attributes:
        words: one of them stands in the listing (`text.weigh`).
        titles: of one of them, all stand in its title, as it is written; asked for where the query has no words.
        kinds: names of listing kinds without their prefix.
        area: GB/T 2260 code; takes in what lies in it.
    """

    words: frozenset[str] = frozenset()
    titles: frozenset[frozenset[str]] = frozenset()
    kinds: frozenset[str] = frozenset()
    area: str = ""
    body: str = ""
    issuer: str = ""
    source: str = ""


@dataclass(frozen=True)
class Offered:
    """What a listing has that searches ask for."""

    facts: Facts
    title: frozenset[str]
    source: str
    areas: frozenset[str]

    @classmethod
    def of(cls, facts: Facts, title: str, source: str) -> "Offered":
        """Of a listing with this title, as it is written."""
        areas = frozenset(area for code in facts.regions for area in regions.path(code))
        return cls(facts, frozenset(text.plain(title)), source, areas)


def asked(query: str) -> tuple[frozenset[str], frozenset[frozenset[str]]]:
    """A query as (words, titles) of `Wanted`; both empty where it says nothing that can be looked for."""
    words = frozenset(text.words(query))
    return words, frozenset() if words else frozenset(map(frozenset, text.runs(query)))


def meets(wanted: Wanted, offered: Offered) -> bool:
    """Whether a published listing is among what SearchListings finds, whoever may see it."""
    facts = offered.facts
    return (
        (not wanted.words or not wanted.words.isdisjoint(facts.words))
        and (not wanted.titles or any(title <= offered.title for title in wanted.titles))
        and (not wanted.kinds or facts.kind in wanted.kinds)
        and (not wanted.area or wanted.area in offered.areas)
        and (not wanted.body or wanted.body in facts.bodies)
        and wanted.issuer in ("", facts.issuer)
        and wanted.source in ("", offered.source)
    )


def anchors(wanted: Wanted) -> frozenset[str]:
    """Keys of which every listing that meets the search has one: those of the condition that, as a rule, few fulfil."""
    if wanted.issuer:
        return frozenset({f"issuer {wanted.issuer}"})
    if wanted.titles:
        return frozenset(f"title {max(title, key=lambda word: (len(word), word))}" for title in wanted.titles)
    if wanted.words:
        return frozenset(f"word {word}" for word in wanted.words)
    for name, value in (("body", wanted.body), ("area", wanted.area), ("source", wanted.source)):
        if value:
            return frozenset({f"{name} {value}"})
    return frozenset(f"kind {kind}" for kind in wanted.kinds)


def keys(offered: Offered) -> Set[str]:
    """All keys of a listing."""
    return frozenset(_keys(offered))


def _keys(offered: Offered) -> Iterator[str]:
    facts = offered.facts
    single = (("issuer", facts.issuer), ("kind", facts.kind), ("source", offered.source))
    many = (("word", facts.words), ("title", offered.title), ("body", facts.bodies), ("area", offered.areas))
    yield from (f"{name} {value}" for name, value in single)
    yield from (f"{name} {value}" for name, values in many for value in values)
