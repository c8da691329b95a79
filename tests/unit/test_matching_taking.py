"""Matching: what a record makes of its listing, also where a foreign writer, or a later release, wrote it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alliance.listings.v1 import events_pb2
from alliance.listings.v1 import listing_pb2 as pb
from chassis.record import MAX_KEY, Record
from matching.domain.life import CLOSED
from matching.entry import Entry, Gone
from matching.following import _state_of
from matching.mapping import UnstorableError

NAME = "listings/1"


def state_of(**fields: Any) -> Entry | Gone | None:
    """What the third version of a listing makes of it."""
    given: dict[str, Any] = {
        "name": NAME,
        "issuer": "organizations/1",
        "kind": pb.LISTING_KIND_JOB_POSITION,
        "state": pb.LISTING_STATE_PUBLISHED,
        "title": "封装工程师",
    }
    message = events_pb2.ListingEvent(listing=pb.Listing(**{**given, **fields}))
    kind = "alliance.listings.listing.revised.v1"
    return _state_of(Record("", 0, 0, NAME, 3, kind, "1", datetime(2026, 3, 2, tzinfo=UTC), message, ""))


def test_a_published_one_is_taken() -> None:
    for kind in pb.ListingKind.values():
        assert isinstance(state_of(kind=kind), Entry)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"kind": 999}, "UNKNOWN"),
        ({"kind": 999, "state": pb.LISTING_STATE_WITHDRAWN}, "WITHDRAWN"),
        ({"state": 77}, "UNKNOWN"),
        ({"state": pb.LISTING_STATE_UNSPECIFIED}, "UNKNOWN"),
        ({"state": pb.LISTING_STATE_EXPIRED}, "EXPIRED"),
        ({"state": pb.LISTING_STATE_FULFILLED}, "FULFILLED"),
    ],
)
def test_what_is_not_published_as_far_as_is_known_takes_the_place_of_what_was(fields: dict[str, Any], word: str) -> None:
    assert state_of(**fields) == Gone(3, word)
    assert word in CLOSED, "its open matches say why they end"


def test_a_draft_is_nothing() -> None:
    assert state_of(state=pb.LISTING_STATE_DRAFT) is None


def _job(**fields: Any) -> dict[str, Any]:
    return {"job_position": pb.JobPosition(**fields)}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"issuer": "organizations/a\0b"}, "issuer holds a NUL"),
        ({"bodies": ["bodies/1", "bodies/\0"]}, "bodies holds a NUL"),
        ({"name": "listings/\0"}, "name holds a NUL"),
        ({"source": "\0"}, "source holds a NUL"),
        ({"title": "封装\0工程师"}, "title holds a NUL"),
        ({"description": "封装\0"}, "description holds a NUL"),
        (_job(skills=["封装\0"]), "skills holds a NUL"),
        ({"issuer": "o" * (MAX_KEY + 1)}, "issuer is no resource name"),
        ({"bodies": ["业" * (MAX_KEY // 3 + 1)]}, "bodies is no resource name"),
    ],
)
def test_what_no_table_takes_is_refused_before_it_is_a_candidate(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(UnstorableError, match=why):
        state_of(**fields)


def test_a_name_may_be_as_long_as_a_key() -> None:
    assert isinstance(state_of(issuer="o" * MAX_KEY), Entry)
