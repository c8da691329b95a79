"""`alliance search`: as many hits as are asked for, over the pages that the service gives."""

from typing import Any
from unittest.mock import Mock

import grpc
import pytest

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.commands import search
from alliance_cli.session import context

_PAGES = {"": ([1, 2], "a"), "a": ([3, 4], "b"), "b": ([5], "")}  # token → hits and the token of what follows


def page(token: str) -> rpc.SearchListingsResponse:
    """Of five hits in all."""
    numbers, then = _PAGES[token]
    hits = [rpc.SearchHit(listing=listing_pb2.Listing(name=f"listings/{number}")) for number in numbers]
    return rpc.SearchListingsResponse(hits=hits, next_page_token=then, total_size=5)


FIRST = page("")


@pytest.mark.parametrize(("most", "shown", "pages"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 4, 2), (5, 5, 3), (6, 5, 3)])
def test_hits_are_read_page_by_page_until_there_are_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], most: int, shown: int, pages: int
) -> None:
    asked: list[str] = []

    def call(_: Any, request: rpc.SearchListingsRequest) -> rpc.SearchListingsResponse:
        asked.append(request.page_token)
        return page(request.page_token)

    monkeypatch.setattr(stubs, "matching", Mock)
    monkeypatch.setattr(search, "call", call)
    monkeypatch.setattr(context, "output", "json")
    search.search(query="数据", most=most)
    assert capsys.readouterr().out.count("listings/") == shown
    assert asked == ["", "a", "b"][:pages]


class Refused(grpc.RpcError):
    """As the service refuses a token."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        """See gRPC."""
        return self._code


def begins_anew(monkeypatch: pytest.MonkeyPatch, times: int, code: grpc.StatusCode) -> list[str]:
    """The tokens that a service is asked for; so many times, it refuses the last page."""
    asked: list[str] = []

    def call(_: Any, request: rpc.SearchListingsRequest) -> rpc.SearchListingsResponse:
        asked.append(request.page_token)
        if request.page_token == "b" and asked.count("b") <= times:
            raise Refused(code)
        return page(request.page_token)

    monkeypatch.setattr(stubs, "matching", Mock)
    monkeypatch.setattr(search, "call", call)
    return asked


def test_pages_that_are_kept_no_more_are_asked_for_from_the_first_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = begins_anew(monkeypatch, 1, grpc.StatusCode.INVALID_ARGUMENT)
    hits = search._first(5, FIRST, rpc.SearchListingsRequest())
    assert [hit.listing.name for hit in hits] == [f"listings/{number}" for number in range(1, 6)]
    assert ["", *asked] == ["", "a", "b", "", "a", "b"]


@pytest.mark.parametrize(("code", "times"), [(grpc.StatusCode.INVALID_ARGUMENT, 4), (grpc.StatusCode.UNAVAILABLE, 1)])
def test_what_is_refused_again_and_again_is_an_error(
    monkeypatch: pytest.MonkeyPatch, code: grpc.StatusCode, times: int
) -> None:
    asked = begins_anew(monkeypatch, 9, code)
    with pytest.raises(grpc.RpcError):
        search._first(5, FIRST, rpc.SearchListingsRequest())
    assert asked.count("b") == times
