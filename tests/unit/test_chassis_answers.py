"""The chassis: what callers get back, pages, etags, refusals."""

import asyncio
import base64
import json
from datetime import date
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from alliance.listings.v1 import events_pb2, listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis import admin, errors, etag, main, paging
from chassis.errors import Invalid, Violation
from chassis.record import RawRecord
from chassis.status import MAX_DETAILS, internal, status_of


def details(status: status_pb2.Status) -> dict[str, Any]:
    """The details of a status by the names of their types."""
    found: dict[str, Any] = {}
    for packed in status.details:
        name = packed.TypeName().rsplit(".", 1)[-1]
        message: Message = getattr(error_details_pb2, name)()
        assert packed.Unpack(message)
        found[name] = message
    return found


def invalid(count: int, length: int = 20) -> Invalid:
    return Invalid([Violation(f"field_{number}", "rule", "错" * length, "x" * length) for number in range(count)])


def test_a_position_comes_back_out_of_its_token() -> None:
    request = rpc.ListListingsRequest(issuer="organizations/a", page_size=3)
    request.page_token = paging.encode(request, ["2026-11-23", "listings/甲"])
    request.page_size = 7  # another size is the same query
    assert paging.decode(request, date.fromisoformat, str) == [date(2026, 11, 23), "listings/甲"]


def test_no_token_is_the_first_page() -> None:
    assert paging.decode(rpc.ListListingsRequest()) is None


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "令牌",
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b"[" * 14_000).decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
        base64.urlsafe_b64encode(json.dumps(["0", "a"]).encode()).decode(),
        paging.encode(rpc.ListListingsRequest(issuer="organizations/b"), ["a"]),
        paging.encode(rpc.ListRoundsRequest(), ["a"]),
        paging.encode(rpc.ListListingsRequest(issuer="organizations/a"), []),
        paging.encode(rpc.ListListingsRequest(issuer="organizations/a"), ["a", "b"]),
    ],
)
def test_a_token_of_another_query_is_refused(token: str) -> None:
    with pytest.raises(Invalid) as refused:
        paging.decode(rpc.ListListingsRequest(issuer="organizations/a", page_token=token))
    assert refused.value.violations[0].field == "page_token"


@pytest.mark.parametrize("text", ["x", "-1", str(2**31), ""])
def test_a_position_that_is_no_number_is_refused(text: str) -> None:
    request = rpc.ListListingsRequest()
    request.page_token = paging.encode(request, [text])
    with pytest.raises(Invalid):
        paging.decode(request, paging.number)


@pytest.mark.parametrize(("kib", "fits"), [((1, 1), 2), ((1600, 1600), 1), ((5000, 1), 1), ((1000,) * 4, 3), ((), 0)])
def test_an_answer_ends_where_clients_would_not_take_it(kib: tuple[int, ...], fits: int) -> None:
    assert paging.fitting([listing_pb2.Listing(description="x" * 1024 * size) for size in kib]) == fits


@pytest.mark.parametrize(("asked", "size"), [(0, 100), (1, 1), (1000, 1000), (1001, 1000)])
def test_the_size_of_a_page(asked: int, size: int) -> None:
    assert paging.page_size(asked) == size


def test_no_page_has_less_than_nothing() -> None:
    with pytest.raises(Invalid):
        paging.page_size(-1)


@pytest.mark.parametrize(("given", "taken"), [("", True), ('"3"', True), ('"2"', False), ("3", False), ('W/"3"', False)])
def test_an_etag_says_which_version_was_read(given: str, taken: bool) -> None:
    if taken:
        etag.check(given, 3, "listings/a")
        return
    with pytest.raises(errors.Conflict):
        etag.check(given, 3, "listings/a")


@pytest.mark.parametrize(("language", "locale", "text"), [("zh", "zh-CN", "没有找到"), ("en", "en", "was not found")])
def test_a_refusal_is_in_the_callers_language(language: str, locale: str, text: str) -> None:
    status = status_of(errors.NotFound("listings/a"), language)
    found = details(status)
    assert status.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == ("NOT_FOUND", "alliance")
    assert found["ErrorInfo"].metadata["resource"] == "listings/a"
    assert found["LocalizedMessage"].locale == locale
    assert text in found["LocalizedMessage"].message


def test_wrong_fields_are_named_with_rule_and_fix() -> None:
    found = details(status_of(Invalid([Violation("title", "length", "请缩短", "shorten it")]), "zh"))
    (one,) = found["BadRequest"].field_violations
    assert (one.field, one.reason, one.description) == ("title", "length", "shorten it")
    assert one.localized_message.message == "请缩短"


@pytest.mark.parametrize("fault", [errors.Unavailable("稍后", "later", 2.5), errors.Exhausted(2.5)])
def test_what_may_be_tried_again_says_when(fault: errors.Fault) -> None:
    assert details(status_of(fault, "en"))["RetryInfo"].retry_delay.ToMilliseconds() == 2500


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "fault",
    [
        invalid(1),
        invalid(500),
        invalid(3, 5000),
        errors.NotFound("listings/" + "名" * 5000),
        errors.Denied("listings.listings.read", "名" * 5000),
        errors.Precondition("R10", "错" * 5000, "x" * 5000, {"body": "b" * 5000}),
    ],
)
def test_no_refusal_is_larger_than_clients_take(fault: errors.Fault, language: str) -> None:
    status = status_of(fault, language)
    assert status.ByteSize() <= MAX_DETAILS
    if isinstance(fault, Invalid):
        shown = details(status)["BadRequest"].field_violations
        assert shown[0].field == "field_0"
        assert details(status)["ErrorInfo"].metadata["violations"] == str(len(fault.violations))


def test_an_error_of_our_own_tells_nothing_but_its_trace() -> None:
    status = internal("0af7651916cd43dd8448eb211c80319c")
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert "0af7651916cd43dd8448eb211c80319c" in details(status)["LocalizedMessage"].message


@pytest.mark.parametrize(
    ("topic", "seconds", "shown"),
    [
        ("alliance.internal.listings.listing.v1", 1, True),
        ("alliance.internal.listings.listing.v1", 2**62, False),  # no instant that there is
        ("alliance.internal.listings.renamed.v1", 1, False),
    ],
)
def test_a_dead_letter_is_shown_whatever_it_holds(topic: str, seconds: int, *, shown: bool) -> None:
    event = events_pb2.ListingEvent()
    event.meta.recorded_at.seconds = seconds
    raw = RawRecord(topic, 0, 1, 0, b"listings/a", event.SerializeToString(), [("ce_sequence", b"1")])
    assert bool(admin._json(raw)) == shown


async def test_a_task_that_fails_while_it_is_stopped_is_not_begun_again() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            raise RuntimeError("on purpose")

    task = asyncio.create_task(main._kept_up(work))
    await begun.wait()
    task.cancel()
    async with asyncio.timeout(1):
        await task
