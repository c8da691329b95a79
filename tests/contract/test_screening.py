"""No text of any command is left out where personal data is looked for, unless the contract says why: what is written in any
field outlives the erasure of the person.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as listings_rpc
from alliance.registry.v1 import document_service_pb2 as documents_rpc
from chassis import screening
from chassis.contract import Method
from listings.checks import settled
from tests import rpcs

_PHONE = "13907135791"
_COMMANDS = [method for _, method in rpcs.methods() if method.is_command]
_UNSCREENED = {
    *(f"alliance.listings.v1.Person.{field}" for field in ("display_name", "phone", "email", "position")),
    *(f"alliance.registry.v1.Candidate.{field}" for field in ("display_name", "phone", "email", "position")),
    "alliance.notify.v1.Subscription.email",
    "alliance.admin.v1.ErasePersonalDataRequest.subject",
    "alliance.admin.v1.DeadLetterFilter.key",
    "alliance.admin.v1.DeadLetterFilter.reason",
    "alliance.registry.v1.Organization.credit_code",
}
_STREAMS = {
    listings_rpc.ImportListingsRequest: {
        "header.issuer": "an organization that is there",
        "header.source": "screened with every listing, whose source it is",
        "header.reason": "screened by `importing.check_header`",
        "chunk.rows.listing": "screened by `settled`",
        "chunk.unread_rows.row.listing": "screened by `settled`, as far as it was read, and not kept",
        "chunk.unread_rows.fields": "names of fields, which are not kept",
        "chunk.unread_keys": "compared, and kept by nobody",
    },
    documents_rpc.UploadDocumentRequest: {
        "header.owner": "an organization that is there",
        "header.name": "output only, and left out",
        "header.file_name": "screened by `contents.header_problems`",
        "header.media_type": "one of those that are known",
        "header.sha256": "64 hexadecimal digits",
    },
}
"""What comes in streams, which their services screen row by row: path of a text → why it is none that is forgotten."""


def _known(field: FieldDescriptor) -> field_pb2.Field:
    found: field_pb2.Field = field.GetOptions().Extensions[field_pb2.field]
    return found


def _paths(message: Any, above: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """The fields that lead to each text of a message; a message within itself is gone into once."""
    for field in message.fields:
        inner = field.message_type
        if inner is None:
            if field.type == field.TYPE_STRING:
                yield (*above, field)
        elif inner.full_name.startswith("alliance.") and inner not in [one.message_type for one in above]:
            yield from _paths(inner, (*above, field))


def _is_of_a_map(field: FieldDescriptor) -> bool:
    return field.containing_type is not None and field.containing_type.GetOptions().map_entry


def _fill(message: Any, path: tuple[FieldDescriptor, ...], text: str) -> None:
    """Set the one text that a path leads to, and nothing beside."""
    field, *rest = path
    if rest and _is_of_a_map(rest[0]):
        getattr(message, field.name).update({text: "甲"} if rest[0].name == "key" else {"甲": text})
    elif rest:
        inner = getattr(message, field.name)
        _fill(inner.add() if field.is_repeated else inner, tuple(rest), text)
    elif field.is_repeated:
        getattr(message, field.name).append(text)
    else:
        setattr(message, field.name, text)


@pytest.mark.parametrize("method", _COMMANDS, ids=lambda one: one.full_name)
def test_every_text_of_a_command_is_looked_through_but_where_the_contract_says_why_not(method: Method) -> None:
    for path in _paths(method.request.DESCRIPTOR):
        request = method.request()
        _fill(request, path, f"找 {_PHONE}")
        leaf, found = path[-1], screening.problems(request)
        excepted = leaf.full_name in _UNSCREENED or leaf.name in screening.APART or _known(leaf).output_only
        assert bool(found) is not excepted, ".".join(one.name for one in path)
        for one in found:
            assert one.rule == "personal-data"
            assert leaf.name in one.field or _is_of_a_map(leaf)
            assert _PHONE not in f"{one.zh} {one.en}"


def test_what_is_not_looked_through_is_known_with_its_reason() -> None:
    leaves = {path[-1] for method in _COMMANDS for path in _paths(method.request.DESCRIPTOR)}
    said = {field.full_name: _known(field).unscreened for field in leaves if _known(field).unscreened}
    assert set(said) == _UNSCREENED
    assert all(len(reason.split()) > 1 for reason in said.values())


@pytest.mark.parametrize("request_type", _STREAMS, ids=lambda one: one.DESCRIPTOR.name)
def test_every_text_of_a_stream_is_known(request_type: type[Message]) -> None:
    streams = {method.request for _, method in rpcs.methods() if method.client_streaming}
    assert streams == set(_STREAMS)
    texts = {".".join(one.name for one in path) for path in _paths(request_type.DESCRIPTOR)}
    known = _STREAMS[request_type]
    assert {one for one in texts if not any(f"{one}.".startswith(f"{path}.") for path in known)} == set()
    assert {path for path in known if not any(f"{one}.".startswith(f"{path}.") for one in texts)} == set()


def test_every_text_of_a_listing_that_comes_in_a_stream_is_looked_through() -> None:
    """But for what is output only, and thrown away, and resources that have to be there."""
    platforms = ("name", "etag", "issuer", "bodies", "contact", "person")
    for path in _paths(listing_pb2.Listing.DESCRIPTOR):
        listing = listing_pb2.Listing()
        _fill(listing, path, f"找 {_PHONE}")
        leaf = path[-1]
        if _known(leaf).output_only or leaf.name in platforms:
            continue
        where = ".".join(one.name for one in path)
        assert any(one.field == where or one.field.startswith(where) for one in settled(listing)), where


def test_an_update_is_looked_through_where_its_mask_goes() -> None:
    listing = listing_pb2.Listing(title=f"找 {_PHONE}", description=f"找 {_PHONE}")
    listing.job_position.skills.append(_PHONE)
    for mask, fields in (
        (["title"], ["listing.title"]),
        (["description", "quantity"], ["listing.description"]),
        (["job_position"], ["listing.job_position.skills"]),
        (["job_position.skills"], ["listing.job_position.skills"]),
        (["quantity"], []),
    ):
        request = listings_rpc.UpdateListingRequest(listing=listing, reason="修改")
        request.update_mask.paths[:] = mask
        assert [one.field for one in screening.problems(request)] == fields
    request.reason = _PHONE
    assert [one.field for one in screening.problems(request)] == ["reason"]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("organizations/01390713-5791-7139-8071-357911390713", False),
        ("rounds/13907135791", True),
        ("https://example.org/hooks/13907135791", True),
        ("https://example.org/hooks?of=139%30713%35791", True),
        ("https://example.org/%6Fu@example.org", True),
        ("https://example.org/ou%40example.org", True),
        ("https://ou@example.org/hooks", True),
        ("https://example.org:8443/hooks/2026-03-01/100%25", False),
    ],
)
def test_digits_of_ids_are_nobodys_number_and_what_is_encoded_is_read(text: str, is_found: bool) -> None:
    assert bool(screening.problems(listings_rpc.PublishListingRequest(name=text))) is is_found
