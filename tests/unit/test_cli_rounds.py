"""What `alliance round` says: words of the reader's language, the state of an entry, and who may read who was silent."""

from typing import Any
from unittest.mock import Mock

import grpc
import pytest
from typer.testing import CliRunner

from alliance.listings.v1 import listing_pb2, round_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.matching.v1 import matching_service_pb2
from alliance_cli import naming, stubs
from alliance_cli.commands import round_, search
from alliance_cli.errors import DENIED
from alliance_cli.output import called, value_of
from alliance_cli.session import context


class _Denied(grpc.RpcError):
    """A call that the caller may not make."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.PERMISSION_DENIED

    def details(self) -> str:
        return "没有权限"

    def trailing_metadata(self) -> tuple[()]:
        return ()


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "listings", Mock)
    monkeypatch.setenv("COLUMNS", "400")


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("新增", "案例", "已撤回", "退出")), ("en", ("added", "case", "withdrawn", "removed"))]
)
def test_entries_say_change_kind_and_state_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, language: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(context, "language", language)
    held = listing_pb2.Listing(name="listings/1", kind=listing_pb2.LISTING_KIND_CASE, title="某项")
    gone = round_pb2.RoundEntry(listing=held, change=round_pb2.ROUND_CHANGE_REMOVED)
    held.state = listing_pb2.LISTING_STATE_WITHDRAWN
    entries = [round_pb2.RoundEntry(listing=held, version=2, change=round_pb2.ROUND_CHANGE_ADDED), gone]
    monkeypatch.setattr(naming, "call", lambda *_: rpc.ListRoundEntriesResponse(entries=entries))
    said = CliRunner().invoke(round_.app, ["entries", "1"]).output
    assert all(word in said for word in words), said
    other = {"zh": "added", "en": "新增"}[language]
    assert other not in said
    assert "unspecified" not in said, "what is gone and not shown has no state"


def test_what_values_are_called_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("zh", "en"):
        monkeypatch.setattr(context, "language", language)
        name = called(round_pb2.RoundChange, "ROUND_CHANGE_")
        for number in round_pb2.RoundChange.values()[1:]:
            assert value_of(round_pb2.RoundChange, "ROUND_CHANGE_", name(number)) == number
    monkeypatch.setattr(context, "language", "zh")
    assert called(round_pb2.RoundState, "ROUND_STATE_")(round_pb2.ROUND_STATE_OPEN) == "open", "it has no name in the contract"


@pytest.mark.parametrize(
    ("language", "value", "said"),
    [
        ("zh", "LISTING_KIND_CASE", "案例"),
        ("en", "LISTING_KIND_CASE", "case"),
        ("zh", "LISTING_KIND_OF_TOMORROW", "LISTING_KIND_OF_TOMORROW"),
    ],
)
def test_kinds_that_a_search_counts_are_called_so_too(
    monkeypatch: pytest.MonkeyPatch, language: str, value: str, said: str
) -> None:
    monkeypatch.setattr(context, "language", language)
    assert search._value(matching_service_pb2.FacetCount(facet="kind", value=value)) == said


def test_who_may_not_read_who_was_silent_is_told_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise _Denied

    monkeypatch.setattr(naming, "call", denied)
    done = CliRunner().invoke(round_.app, ["silent", "1"])
    assert done.exit_code == DENIED
    assert "秘书处" in done.stderr
    assert "round entries" in done.stderr
    assert "秘书处" not in CliRunner().invoke(round_.app, ["entries", "1"]).stderr
