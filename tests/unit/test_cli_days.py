"""The days of rounds and of calls are given by the same options."""

from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from alliance.listings.v1 import round_pb2
from alliance.registry.v1 import application_pb2
from alliance_cli import naming, stubs
from alliance_cli.main import app


@pytest.mark.parametrize(("opens", "closes"), [("--from", "--to"), ("--opens", "--closes")])
@pytest.mark.parametrize(
    "command",
    [
        ("round", "open-first", "bodies/1"),
        ("round", "move-first", "1", "--reason", "推迟"),
        ("call", "open", "pilot", "2027", "--authority", "organizations/1"),
    ],
)
def test_days_are_given_by_either_pair_of_options(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], opens: str, closes: str
) -> None:
    asked: list[Any] = []

    def answer(answered: Any) -> Any:
        def method(request: Any, **_: Any) -> Any:
            asked.append(request)
            return answered

        return method

    round_, call = answer(round_pb2.Round()), answer(application_pb2.ApplicationCall())
    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(OpenFirstRound=round_, MoveFirstRound=round_))
    monkeypatch.setattr(stubs, "applications", lambda: SimpleNamespace(OpenCall=call))
    monkeypatch.setattr(naming, "body", lambda text: text)
    monkeypatch.setattr(naming, "organization", lambda text: text)
    monkeypatch.setattr(naming, "shown", lambda *_: {})
    result = CliRunner().invoke(app, [*command, opens, "2027-04-20", closes, "2027-04-22"])
    assert result.exit_code == 0, result.output
    (request,) = asked
    given = request.call if command[0] == "call" else request
    days = ("opens_on", "closes_on") if command[0] == "call" else ("council_opens_on", "council_closes_on")
    assert [getattr(given, day) for day in days] == ["2027-04-20", "2027-04-22"]
