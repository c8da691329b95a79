"""What no request may be, whatever it asks for."""

import pytest
from google.protobuf.message import Message

from alliance.admin.v1 import admin_service_pb2 as admin
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.registry.v1 import registry_service_pb2 as registry
from chassis.wellformed import MAX_ITEMS, MAX_TEXT, has_unseen, is_blank, problems, trimmed


def wrong(request: Message) -> list[tuple[str, str]]:
    """Field and rule of everything that is wrong."""
    return [(one.field, one.rule) for one in problems(request)]


def test_an_empty_request_is_well_formed() -> None:
    assert wrong(registry.GetBodyRequest()) == []


@pytest.mark.parametrize("text", ["", "集成电路", "两行\n制表\t回车\r", "𠀀 \u200f\u202b é", "x" * MAX_TEXT])
def test_texts_that_may_stand(text: str) -> None:
    assert wrong(registry.GetBodyRequest(name=text)) == []


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\x08", "\x0b", "\x1f", "\x7f", "\uffff", "a\u202eb", "\u202d", "\ufdd0"])
def test_control_characters_are_named(text: str) -> None:
    assert wrong(registry.GetBodyRequest(name=text)) == [("name", "control-character")]


def test_the_control_character_is_shown_by_its_code() -> None:
    (found,) = problems(registry.GetBodyRequest(name="a\x00"))
    assert "U+0000" in found.zh
    assert "U+0000" in found.en


def test_a_text_has_a_bound() -> None:
    assert wrong(registry.GetBodyRequest(name="x" * (MAX_TEXT + 1))) == [("name", "length")]


def test_a_list_has_a_bound() -> None:
    names = [f"organizations/{number}" for number in range(MAX_ITEMS)]
    assert wrong(registry.BatchGetOrganizationsRequest(names=names)) == []
    assert wrong(registry.BatchGetOrganizationsRequest(names=[*names, "one more"])) == [("names", "items")]


def test_what_is_wrong_is_named_by_its_path() -> None:
    listing = listing_pb2.Listing(title="a\x00", job_position=listing_pb2.JobPosition(skills=["ok", "b\x01"]))
    request = listings_service_pb2.CreateListingRequest(listing=listing)
    assert wrong(request) == [
        ("listing.title", "control-character"),
        ("listing.job_position.skills[1]", "control-character"),
    ]


@pytest.mark.parametrize("value", [-1, 99, 2**31 - 1])
def test_enum_values_that_the_contract_does_not_know(value: int) -> None:
    request = matching.ListMatchesRequest()
    request.states.append(1)  # type: ignore[arg-type]
    request.states.append(value)  # type: ignore[arg-type]
    (found,) = problems(request)
    assert (found.field, found.rule) == ("states[1]", "enum")
    assert "MATCH_STATE_PROPOSED" in found.en


def test_every_known_enum_value_may_stand() -> None:
    listing = listing_pb2.Listing()
    for value in listing_pb2.ListingKind.values():
        listing.kind = value
        assert wrong(listing) == []


@pytest.mark.parametrize(
    ("seconds", "right"),
    [
        *((-2208988800, True), (-2208988801, False), (32503679999, True), (32503680000, False)),
        *((-62135596800, False), (253402300799, False), (2**62, False)),
    ],
)
def test_instants_are_in_the_years_1900_to_2999(seconds: int, right: bool) -> None:
    request = admin.SetClockRequest()
    request.business_time.seconds = seconds
    assert wrong(request) == ([] if right else [("business_time", "instant")])


def test_no_more_problems_than_anybody_reads() -> None:
    request = registry.BatchGetOrganizationsRequest(names=["\x00"] * MAX_ITEMS)
    assert len(problems(request)) == 20


@pytest.mark.parametrize("text", ["", "  ", "\u3000", "\u200b\u200b", "\u3164", "\u2800\n", "\xad"])
def test_a_text_of_which_nothing_is_seen_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}甲")


_SELECTORS = ["\ufe00", "\ufe0f", "\U000e0100", "\U000e01ef", "\u180b", "\u180d", "\u180f"]


@pytest.mark.parametrize("unseen", [" ", "\u3000", "\u200b", "\t", *_SELECTORS, "\u034f", "\u3164", " \u200b\u3000"])
def test_what_nobody_sees_at_the_ends_of_a_text_is_no_part_of_it(unseen: str) -> None:
    assert trimmed(f"{unseen}甲 乙{unseen}") == "甲 乙"
    assert trimmed(unseen) == ""
    assert has_unseen(f"甲{unseen}乙") == bool(unseen.strip(" \u3000\t"))


@pytest.mark.parametrize("beside", ["\ufdff", "\ufe10", "\U000e01f0", "\u180a", "\u1820"])
def test_what_stands_beside_the_selectors_of_variants_is_no_such(beside: str) -> None:
    assert not has_unseen(f"甲{beside}乙")
