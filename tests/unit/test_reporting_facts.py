"""Reporting: what becomes of an event."""

from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from google.protobuf.message import Message

from alliance.common.v1 import event_pb2
from alliance.listings.v1 import events_pb2 as listings_events
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import events_pb2 as matching_events
from alliance.matching.v1 import match_pb2
from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import events_pb2 as registry_events
from chassis.record import Record
from reporting.mapping import fact_row, naming_rows

RECORDED = datetime(2026, 5, 1, tzinfo=UTC)
EVENING = datetime(2026, 3, 31, 16, tzinfo=UTC)  # midnight in Shanghai: April has begun
DRAFT, PUBLISHED = listing_pb2.LISTING_STATE_DRAFT, listing_pb2.LISTING_STATE_PUBLISHED
JOB, TALENT = listing_pb2.LISTING_KIND_JOB_POSITION, listing_pb2.LISTING_KIND_TALENT_SUPPLY
BASE = listing_pb2.LISTING_KIND_PRACTICE_BASE


def record(service: str, aggregate: str, verb: str, key: str, message: Any) -> Record:
    message.meta.CopyFrom(event_pb2.EventMeta(version=3))
    message.meta.effective_at.FromDatetime(EVENING)
    topic, kind = f"alliance.internal.{service}.{aggregate}.v1", f"alliance.{service}.{aggregate}.{verb}.v1"
    return Record(topic, 0, 0, key, 3, kind, "e1", RECORDED, cast(Message, message), "")


def listing(verb: str, state: int, kind: int, *bodies: str) -> Record:
    given = listing_pb2.Listing(kind=cast(Any, kind), state=cast(Any, state), bodies=bodies)
    return record("listings", "listing", verb, "listings/a", listings_events.ListingEvent(listing=given))


def test_a_fact_keeps_the_events_id_and_its_business_time() -> None:
    row = fact_row(listing("published", PUBLISHED, JOB))
    assert (row.event_id, row.event_type) == ("e1", "alliance.listings.listing.published.v1")
    assert (row.subject, row.version, row.kind) == ("listings/a", 3, JOB)
    assert (row.effective_at, row.business_date) == (EVENING, date(2026, 4, 1))


def test_it_counts_for_every_body_that_it_names_once() -> None:
    rows = naming_rows(listing("published", PUBLISHED, JOB, "bodies/b", "bodies/a", "bodies/b"))
    assert [(row.body, row.side, row.business_date) for row in rows] == [
        ("bodies/a", "demand", date(2026, 4, 1)),
        ("bodies/b", "demand", date(2026, 4, 1)),
    ]


@pytest.mark.parametrize(
    ("verb", "state", "kind", "side"),
    [
        ("published", PUBLISHED, JOB, "demand"),
        ("published", PUBLISHED, TALENT, "supply"),
        ("revised", PUBLISHED, TALENT, "supply"),
        ("revised", DRAFT, TALENT, ""),
        ("created", DRAFT, JOB, ""),
        ("withdrawn", listing_pb2.LISTING_STATE_WITHDRAWN, JOB, ""),
        ("published", PUBLISHED, BASE, ""),
    ],
)
def test_only_what_is_published_counts_in_a_round(verb: str, state: int, kind: int, side: str) -> None:
    assert [row.side for row in naming_rows(listing(verb, state, kind, "bodies/a"))] == [side]


@pytest.mark.parametrize(
    ("verb", "state", "counts"),
    [("published", PUBLISHED, True), ("revised", PUBLISHED, True), ("revised", DRAFT, False), ("created", DRAFT, False)],
)
def test_a_report_counts_what_a_round_counts(verb: str, state: int, counts: bool) -> None:
    assert fact_row(listing(verb, state, JOB)).counts is counts


def test_a_match_is_accepted_by_its_state() -> None:
    for state, accepted in ((match_pb2.MATCH_STATE_PROPOSED, False), (match_pb2.MATCH_STATE_ACCEPTED, True)):
        given = match_pb2.Match(state=state, bodies=["bodies/a"])
        heard = record("matching", "match", "accepted", "matches/a", matching_events.MatchEvent(match=given))
        assert fact_row(heard).accepted is accepted
        assert [row.body for row in naming_rows(heard)] == ["bodies/a"]


def test_a_membership_belongs_to_its_body_and_keeps_its_days() -> None:
    given = body_pb2.Membership(valid_from="2026-01-01", valid_to="2026-06-30")
    name = "bodies/a/memberships/m"
    heard = record("registry", "membership", "ended", name, registry_events.MembershipEvent(membership=given))
    row = fact_row(heard)
    assert (row.valid_from, row.valid_to) == (date(2026, 1, 1), date(2026, 6, 30))
    assert [one.body for one in naming_rows(heard)] == ["bodies/a"]


def test_a_body_names_itself() -> None:
    heard = record("registry", "body", "formed", "bodies/a", registry_events.BodyEvent())
    assert fact_row(heard).verb == "formed"
    assert [row.body for row in naming_rows(heard)] == ["bodies/a"]
