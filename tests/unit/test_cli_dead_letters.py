"""What `alliance dlq` says of records that nobody can read, and of ids that there are not."""

from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.commands import dlq
from alliance_cli.errors import NOT_FOUND
from alliance_cli.session import context


def _run(monkeypatch: pytest.MonkeyPatch, answer: Any, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command, where the service gives this answer."""
    monkeypatch.setattr(dlq, "call", lambda *_: answer)
    monkeypatch.setattr(stubs, "admin", lambda _: Mock())
    monkeypatch.setattr(context, "language", "en")
    done = CliRunner().invoke(dlq.app, list(arguments))
    return done.exit_code, done.output


def _shown(monkeypatch: pytest.MonkeyPatch, detail: rpc.DeadLetterDetail) -> str:
    code, output = _run(monkeypatch, detail, "show", "notify", "id")
    assert code == 0
    return output


def test_bytes_that_are_no_message_are_shown_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    detail = rpc.DeadLetterDetail(raw_key=b"listings/1", value=b"\xff{}\x1b[2J")
    output = _shown(monkeypatch, detail)
    assert "10 bytes  b'listings/1'" in output
    assert "7 bytes  b'\\xff{}\\x1b[2J'" in output


@pytest.mark.parametrize(("length", "shown", "more"), [(0, 0, False), (200, 200, False), (201, 200, True)])
def test_no_more_than_200_bytes_are_shown(monkeypatch: pytest.MonkeyPatch, length: int, shown: int, more: bool) -> None:
    output = _shown(monkeypatch, rpc.DeadLetterDetail(value=b"~" * length))
    assert f"{length} bytes" in output
    assert (output.count("~"), "…" in output) == (shown, more)


def test_what_can_be_read_is_not_shown_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "bytes" not in _shown(monkeypatch, rpc.DeadLetterDetail(value=b"x", json="{}"))


@pytest.mark.parametrize("command", ["drop", "replay"])
def test_ids_that_there_are_not_are_not_found(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    answers: dict[str, Any] = {"drop": rpc.DropDeadLettersResponse, "replay": rpc.ReplayDeadLettersResponse}
    named = (command, "notify", "an-id", "--reason", "a test")
    assert _run(monkeypatch, answers[command](), *named)[0] == NOT_FOUND
    assert _run(monkeypatch, answers[command](ids=["an-id"]), *named)[0] == 0
    assert _run(monkeypatch, answers[command](), command, "notify", "--all", "--reason", "a test")[0] == 0
