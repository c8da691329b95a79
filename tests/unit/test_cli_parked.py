"""What `alliance parked` says of events that can't be sent, and of places in the queue that hold none."""

from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import parked
from alliance_cli.errors import NOT_FOUND
from alliance_cli.session import SERVICES, context


def _run(monkeypatch: pytest.MonkeyPatch, answer: Any, *arguments: str) -> tuple[int, str, list[Any]]:
    """Exit code, output and requests of a command, where every service gives this answer."""
    asked: list[Any] = []

    def call(_: Any, request: Any) -> Any:
        asked.append(request)
        return answer

    for module in (parked, naming):
        monkeypatch.setattr(module, "call", call)
    monkeypatch.setattr(stubs, "admin", lambda _: Mock())
    monkeypatch.setattr(context, "language", "en")
    done = CliRunner().invoke(parked.app, list(arguments))
    return done.exit_code, done.output, asked


def test_a_list_says_where_what_why_and_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    event = rpc.ParkedEvent(service="notify", seq=41, key="subscriptions/1", parked_because="no topic x", waiting=3)
    event.actions.add(action="retry", actor="operator", reason="the topic was made")
    code, output, asked = _run(monkeypatch, rpc.ListParkedEventsResponse(events=[event]), "list", "notify")
    assert (code, len(asked)) == (0, 1)
    for text in ("notify", "41", "subscriptions/1", "no topic x", "3", "retried operator: the topic was made"):
        assert text in output


def test_without_a_service_all_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    _, output, asked = _run(monkeypatch, rpc.ListParkedEventsResponse(), "list", "--given-up")
    assert len(asked) == len(SERVICES)
    assert all(one.given_up for one in asked)
    assert "0 rows" in output


@pytest.mark.parametrize(
    ("command", "answer"),
    [("retry", rpc.RetryParkedEventsResponse), ("give-up", rpc.GiveUpParkedEventsResponse)],
)
def test_places_that_are_not_parked_are_not_found(monkeypatch: pytest.MonkeyPatch, command: str, answer: Any) -> None:
    named = (command, "notify", "41", "42", "--reason", "a test")
    assert _run(monkeypatch, answer(), *named)[0] == NOT_FOUND
    code, output, (asked,) = _run(monkeypatch, answer(seqs=[41]), *named, "--dry-run")
    assert (code, list(asked.seqs), asked.reason, asked.dry_run) == (0, [41, 42], "a test", True)
    assert "1 would be" in output
