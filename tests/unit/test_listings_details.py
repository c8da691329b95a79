"""The details of every kind, by what the contract says of their fields: both sides of every limit, codes and their names."""

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from listings.checks import settled
from listings.domain import formats
from listings.domain.names import DETAILS, Kind
from listings.mapping import content_hash, written
from listings.rounds.mapping import entry_message
from listings.rounds.store import Entry

_NAMES = {  # table → a name, its code
    field_pb2.CODE_TABLE_OCCUPATIONS: ("计算机软件工程技术人员", "2-02-10-03"),
    field_pb2.CODE_TABLE_EDUCATION: ("本科", "20"),
    field_pb2.CODE_TABLE_MAJORS: ("软件工程", "080902"),
}
_TEXTS = {
    field_pb2.TEXT_FORMAT_UNSPECIFIED: ("甲", None),
    field_pb2.TEXT_FORMAT_DATE: ("2026-02-28", "2026-02-29"),
    field_pb2.TEXT_FORMAT_TIME: ("08:00", "8:00"),
    field_pb2.TEXT_FORMAT_HTTPS: ("https://example.org/a", "http://example.org/a"),
    field_pb2.TEXT_FORMAT_ISBN: ("978-7-04-044979-2", "978-7-04-044979-3"),
    field_pb2.TEXT_FORMAT_ORGANIZATION: ("organizations/a", "某大学"),
    field_pb2.TEXT_FORMAT_LISTING: ("listings/a", "bodies/a"),
    field_pb2.TEXT_FORMAT_ROUND: ("rounds/a", "rounds/"),
}


def known(field: FieldDescriptor) -> field_pb2.Field:
    found: field_pb2.Field = field.GetOptions().Extensions[field_pb2.field]
    return found


def detail_fields(kind: Kind) -> list[FieldDescriptor]:
    whole = pb.Listing.DESCRIPTOR.fields_by_name[DETAILS[kind]].message_type
    assert whole
    return [field for field in whole.fields if not known(field).output_only]


def fill(details: Any, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        getattr(details, field.name)[:] = [value]
    else:
        setattr(details, field.name, value)


def least(field: FieldDescriptor) -> Any:
    """A value that the field takes."""
    if field.enum_type is not None:
        return 1
    if field.type == field.TYPE_STRING:
        codes = known(field).codes
        return _NAMES[codes][0] if codes else _TEXTS[known(field).format][0]
    return max(int(known(field).min), 0)


def listing(kind: Kind) -> pb.Listing:
    """A listing of a kind in which what is required is filled in."""
    given = pb.Listing(kind=int(kind), title="某项供需", visibility=pb.VISIBILITY_PUBLIC, quantity=1)  # type: ignore[arg-type]
    details = getattr(given, DETAILS[kind])
    details.SetInParent()
    for field in detail_fields(kind):
        if known(field).required:
            fill(details, field, least(field))
    return given


def wrong(kind: Kind, field: FieldDescriptor, value: Any) -> list[str]:
    given = listing(kind)
    fill(getattr(given, DETAILS[kind]), field, value)
    return [one.field for one in settled(given)]


def every(chosen: Any) -> list[Any]:
    return [
        pytest.param(kind, field, id=f"{kind.name.lower()}.{field.name}")
        for kind in Kind
        for field in detail_fields(kind)
        if chosen(field)
    ]


def test_every_kind_has_a_name_and_every_detail_one_in_chinese() -> None:
    assert {kind.name: int(kind) for kind in Kind} == {
        name.removeprefix("LISTING_KIND_"): number for name, number in pb.ListingKind.items() if number
    }
    for message in (*details_pb2.DESCRIPTOR.message_types_by_name.values(), *pb.DESCRIPTOR.message_types_by_name.values()):
        in_details = {one.name for one in message.oneofs_by_name["details"].fields} if message.oneofs else set()
        assert [field.full_name for field in message.fields if not known(field).zh and field.name not in in_details] == []


@pytest.mark.parametrize("kind", Kind)
def test_what_is_required_is_enough(kind: Kind) -> None:
    assert settled(listing(kind)) == []


@pytest.mark.parametrize(("kind", "field"), every(lambda field: known(field).required))
def test_what_is_required_is_asked_for(kind: Kind, field: FieldDescriptor) -> None:
    given = listing(kind)
    getattr(given, DETAILS[kind]).ClearField(field.name)
    found = settled(given)
    assert [one.field for one in found] == [f"{DETAILS[kind]}.{field.name}"]
    assert known(field).zh in found[0].zh


@pytest.mark.parametrize(("kind", "field"), every(lambda field: known(field).HasField("min")))
def test_both_sides_of_every_range(kind: Kind, field: FieldDescriptor) -> None:
    path, rule = f"{DETAILS[kind]}.{field.name}", known(field)
    assert wrong(kind, field, int(rule.min)) == []
    assert path in wrong(kind, field, int(rule.min) - 1)
    if rule.HasField("max"):
        assert wrong(kind, field, int(rule.max)) == []
        assert wrong(kind, field, int(rule.max) + 1) == [path]


@pytest.mark.parametrize(("kind", "field"), every(lambda field: known(field).codes))
def test_codes_are_kept_in_place_of_names(kind: Kind, field: FieldDescriptor) -> None:
    name, code = _NAMES[known(field).codes]
    hashes = set()
    for text in (name, code, f"{code} {name}", f"{name}（{code}）"):
        given = listing(kind)
        fill(getattr(given, DETAILS[kind]), field, text)
        assert settled(given) == []
        kept = getattr(getattr(given, DETAILS[kind]), field.name)
        assert (list(kept) if field.is_repeated else [kept]) == [code]
        hashes.add(content_hash(written(given)))
    assert len(hashes) == 1
    assert wrong(kind, field, "火星语") == [f"{DETAILS[kind]}.{field.name}"]
    assert wrong(kind, field, f"{code} 火星语") == [f"{DETAILS[kind]}.{field.name}"]


@pytest.mark.parametrize(("kind", "field"), every(lambda field: known(field).format))
def test_texts_are_written_as_they_have_to_be(kind: Kind, field: FieldDescriptor) -> None:
    right, not_right = _TEXTS[known(field).format]
    if not field.name.startswith("open_"):  # of two that are given together
        assert wrong(kind, field, right) == []
    assert f"{DETAILS[kind]}.{field.name}" in wrong(kind, field, not_right)


@pytest.mark.parametrize(("kind", "field"), every(lambda field: field.enum_type is not None))
def test_choices_are_those_of_the_contract(kind: Kind, field: FieldDescriptor) -> None:
    assert field.enum_type
    assert all(wrong(kind, field, number) == [] for number in field.enum_type.values_by_number if number)
    assert wrong(kind, field, 99) == [f"{DETAILS[kind]}.{field.name}"]


@pytest.mark.parametrize(
    ("opens", "closes", "right"),
    [("", "", True), ("08:00", "20:00", True), ("00:00", "24:00", True), ("08:00", "08:00", False), ("08:00", "", False)],
)
def test_equipment_opens_before_it_closes(opens: str, closes: str, right: bool) -> None:
    given = listing(Kind.EQUIPMENT_SHARING)
    given.equipment_sharing.open_from, given.equipment_sharing.open_until = opens, closes
    assert [one.field for one in settled(given)] == (
        [] if right else ["equipment_sharing.open_from", "equipment_sharing.open_until"]
    )


def test_nobody_writes_the_records_of_persons() -> None:
    given = listing(Kind.EXPERT)
    given.contact, given.expert.person = "personalRecords/a", "personalRecords/b"
    assert (written(given).contact, written(given).expert.person) == ("", "")


def test_what_a_closed_round_held_says_nothing_of_persons() -> None:
    given = listing(Kind.EXPERT)
    given.contact, given.expert.person = "personalRecords/a", "personalRecords/b"
    row = Entry("listings/1", given.SerializeToString(), given.state, version=1, change=1, is_shown=True)
    held = entry_message(row).listing
    assert (held.contact, held.expert.person, held.HasField("expert")) == ("", "", True)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("9787040449792", True),
        ("978-7-04-044979-2", True),
        ("9787040449793", False),
        ("978704044979", False),
        ("1234567890123", False),
    ],
)
def test_the_check_digit_of_an_isbn(text: str, right: bool) -> None:
    assert formats.is_isbn(text) is right


@pytest.mark.parametrize("credits", [float("nan"), float("inf"), -0.5, 100.5])
def test_credits_are_numbers_within_their_range(credits: float) -> None:
    given = listing(Kind.COURSE)
    given.course.credits = credits
    assert [one.field for one in settled(given)] == ["course.credits"]
