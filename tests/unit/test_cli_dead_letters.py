"""What `alliance dlq` says of records that nobody can read, and of ids that there are not."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import dlq
from alliance_cli.errors import NOT_FOUND
from alliance_cli.session import context


def _run(monkeypatch: pytest.MonkeyPatch, answer: Any, *arguments: str, retrying: Sequence[str] = ()) -> tuple[int, str]:
    """Exit code and output of a command, where the service gives this answer, and tries those ids by itself."""
    monkeypatch.setattr(dlq, "call", lambda *_: answer)
    monkeypatch.setattr(naming, "every", lambda *_: [rpc.DeadLetter(id=one) for one in retrying])
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


@pytest.mark.parametrize(
    ("queued", "retrying", "left"),
    [([], ["a", "b"], "2 more that fit"), (["a"], ["a", "b"], "1 more that fit"), (["a"], ["a"], ""), ([], [], "")],
)
def test_a_replay_by_options_says_how_many_are_tried_without_it(
    monkeypatch: pytest.MonkeyPatch, queued: list[str], retrying: list[str], left: str
) -> None:
    """What was just queued is tried as well, and is no one more."""
    answer = rpc.ReplayDeadLettersResponse(ids=queued)
    code, output = _run(
        monkeypatch, answer, "replay", "notify", "--why", "ValueError", "--reason", "a test", retrying=retrying
    )
    assert code == 0
    assert left in output
    assert bool(left) == ("more that fit" in output)
