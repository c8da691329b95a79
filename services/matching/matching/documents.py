"""A listing as tantivy's documents have it 索引文档: which fields there are, and what stands in them."""

from collections.abc import Iterator

import tantivy

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from codes import education, regions
from matching.domain import lexical, text
from matching.domain.facts import Facts
from matching.domain.skills import Level
from matching.entry import Entry, to_bytes

_RAW = ("name", "state", "kind", "area", "place", "level", "province", "body", "issuer", "source", "sight")
_FAST = ("name", "kind", "province", "issuer", "source")  # orders and facets
ANYWHERE = "anywhere"
PUBLISHED = "PUBLISHED"
UNSTATED = "unstated"


def schema() -> tantivy.Schema:
    """The fields."""
    builder = tantivy.SchemaBuilder()
    for field in _RAW:
        builder.add_text_field(
            field, stored=field in ("name", "state"), fast=field in _FAST, tokenizer_name="raw", index_option="basic"
        )
    for field in ("words", "title", "terms"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field("slot", indexed=True, fast=True)
    builder.add_unsigned_field("first_day", indexed=True)
    builder.add_unsigned_field("version", stored=True)
    builder.add_bytes_field("entry", stored=True)
    return builder.build()


def document_of(entry: Entry) -> tantivy.Document:
    """All but the slot."""
    facts = entry.facts
    areas = [regions.path(code) for code in facts.regions]
    counted = lexical.counts(entry.passage)
    document = tantivy.Document(
        name=facts.name,
        state=PUBLISHED,
        kind=facts.kind,
        area=sorted({area for path in areas for area in path}),
        place=list(facts.regions) or [ANYWHERE],
        level=str(education.level(facts.education)) if facts.education else UNSTATED,
        province=sorted({path[0] for path in areas if path}),
        body=list(facts.bodies),
        issuer=facts.issuer,
        source=[entry.source] if entry.source else [],
        sight=sight(facts),
        words=" ".join(_words(facts)),
        title=" ".join(text.plain(entry.title)),
        terms=" ".join(term for term, count in counted.items() for _ in range(count)),
    )
    document.add_unsigned("first_day", facts.valid_from.toordinal())
    document.add_bytes("entry", to_bytes(entry))
    return document


def _words(facts: Facts) -> Iterator[str]:
    """What a search finds it by: also skills that it says it lacks, or does not need, which do not count for its matches."""
    yield from facts.words
    denied = {word for one in facts.told if one.level is Level.NEGATED for word in text.words(one.written)}
    yield from sorted(denied - facts.words.keys())


def sight(facts: Facts) -> list[str]:
    """For whom a listing is: `public`, the bodies whose members see it, `government`."""
    if facts.visibility == pb.VISIBILITY_PUBLIC:
        return ["public"]
    if facts.visibility == pb.VISIBILITY_MEMBERS:
        return list(facts.bodies)
    return ["government"] if facts.visibility == pb.VISIBILITY_GOVERNMENT else []


def sights_of(viewer: Viewer) -> list[str]:
    """Which of those a viewer is among, who neither issued a listing nor runs its bodies."""
    return ["public", *viewer.member_bodies, *(["government"] if viewer.government else [])]
