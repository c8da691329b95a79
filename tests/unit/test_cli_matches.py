"""What `alliance match why` says beside the score."""

from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.commands import match
from alliance_cli.session import context

_ZH, _EN = "像这样的匹配，10 个中有 7 个被接受", "7 of 10 matches like this were accepted"


def _said(monkeypatch: pytest.MonkeyPatch, answer: rpc.MatchExplanation, language: str) -> str:
    monkeypatch.setattr(match, "call", lambda *_: answer)
    monkeypatch.setattr(stubs, "matching", Mock())
    monkeypatch.setattr(context, "language", language)
    done = CliRunner().invoke(match.app, ["why", "a-match"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(("language", "line"), [("zh", _ZH), ("en", _EN)])
def test_what_became_of_matches_like_it_is_told_where_some_were_decided(
    monkeypatch: pytest.MonkeyPatch, language: str, line: str
) -> None:
    answer = rpc.MatchExplanation()
    answer.alike.text.zh, answer.alike.text.en = _ZH, _EN
    assert line in _said(monkeypatch, answer, language).splitlines()
    assert line not in _said(monkeypatch, rpc.MatchExplanation(), language)


@pytest.mark.parametrize(
    ("language", "columns"), [("zh", ["供给若", "得分为"]), ("en", ["if the supply had", "it would score"])]
)
def test_what_would_fit_better_is_told_with_the_very_score(
    monkeypatch: pytest.MonkeyPatch, language: str, columns: list[str]
) -> None:
    answer = rpc.MatchExplanation(alternatives=[rpc.MatchAlternative(feature="skills", score=858)])
    said = _said(monkeypatch, answer, language)
    assert "858" in said
    assert all(column in said for column in columns)
    assert "至少" not in said
    assert "at least" not in said
