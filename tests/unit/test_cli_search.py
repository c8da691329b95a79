"""`alliance search`: as many hits as are asked for, over the pages that the service gives."""

from typing import Any
from unittest.mock import Mock

import pytest

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.commands import search
from alliance_cli.session import context

_PAGES = {"": ([1, 2], "a"), "a": ([3, 4], "b"), "b": ([5], "")}  # token → hits and the token of what follows


@pytest.mark.parametrize(("most", "shown", "pages"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 4, 2), (5, 5, 3), (6, 5, 3)])
def test_hits_are_read_page_by_page_until_there_are_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], most: int, shown: int, pages: int
) -> None:
    asked: list[str] = []

    def call(_: Any, request: rpc.SearchListingsRequest) -> rpc.SearchListingsResponse:
        asked.append(request.page_token)
        numbers, token = _PAGES[request.page_token]
        hits = [rpc.SearchHit(listing=listing_pb2.Listing(name=f"listings/{number}")) for number in numbers]
        return rpc.SearchListingsResponse(hits=hits, next_page_token=token, total_size=5)

    monkeypatch.setattr(stubs, "matching", Mock)
    monkeypatch.setattr(search, "call", call)
    monkeypatch.setattr(context, "output", "json")
    search.search(query="数据", most=most)
    assert capsys.readouterr().out.count("listings/") == shown
    assert asked == ["", "a", "b"][:pages]
