"""Between messages, rows and the domain; what callers write is checked here."""

from typing import Any, cast

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import search_pb2 as pb
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import screen
from matching.domain.saved import Offered, Wanted, asked
from matching.entry import Entry
from matching.mapping import query_problems

_NAME = 100  # characters


def problems(given: pb.SavedSearch) -> list[Violation]:
    """Everything that is wrong with a search as it was written, but for its region."""
    found = [*screen("search.display_name", given.display_name), *screen("search.query", given.query)]
    if not 1 <= len(given.display_name.strip()) <= _NAME:
        text = (f"请填写名称（1–{_NAME} 字）", f"give it a name of 1 to {_NAME} characters")
        found.append(Violation("search.display_name", "length", *text))
    if too_long := query_problems(given.query, "search.query"):
        found += too_long
    elif given.query.strip() and not any(asked(given.query)):
        text = ("检索词中没有可检索的字词，请改写", "the query has no words that can be looked for; write it anew")
        found.append(Violation("search.query", "words", *text))
    if not any((given.query.strip(), *kinds_of(given), given.region_code, given.body, given.issuer, given.source)):
        text = ("请至少填写检索词或一个筛选条件", "give a query, or one of the filters at least")
        found.append(Violation("search.query", "required", *text))
    return found


def kinds_of(given: pb.SavedSearch) -> list[str]:
    """Names of the kinds asked for; unset ones are passed over."""
    return sorted({listing_pb2.ListingKind.Name(kind).removeprefix("LISTING_KIND_") for kind in given.kinds if kind})


def wanted_of(row: Any) -> Wanted:
    """What the search of a row asks for."""
    words, titles = asked(row.query)
    return Wanted(words, titles, frozenset(row.kinds), row.area, row.body, row.issuer, row.source)


def offered_of(entry: Entry) -> Offered:
    """What a published listing offers to searches."""
    return Offered.of(entry.facts, entry.title, entry.source)


def found_of(entry: Entry) -> pb.FoundListing:
    """The listing as those who saved a search that it meets are told of it."""
    facts = entry.facts
    return pb.FoundListing(
        listing=facts.name,
        version=facts.version,
        title=entry.title,
        kind=listing_pb2.ListingKind.Value(f"LISTING_KIND_{facts.kind}"),
        issuer=facts.issuer,
        bodies=facts.bodies,
        visibility=cast(Any, facts.visibility),
    )


def message_of(row: Any, *, version: int = 0, state: Any = pb.SAVED_SEARCH_STATE_SAVED) -> pb.SavedSearch:
    """The saved search of a row, in its version or another."""
    found = pb.SavedSearch(
        name=row.name,
        organization=row.organization,
        display_name=row.display_name,
        query=row.query,
        kinds=[listing_pb2.ListingKind.Value(f"LISTING_KIND_{kind}") for kind in row.kinds],
        region_code=row.area,
        body=row.body,
        issuer=row.issuer,
        source=row.source,
        state=state,
        latest=pb.FoundListing.FromString(row.latest) if row.latest else None,
        etag=etag(version or row.version),
    )
    found.create_time.FromDatetime(row.create_time)
    return found
