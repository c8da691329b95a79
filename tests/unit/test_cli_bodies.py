"""What `alliance body show` says of a body."""

from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from alliance.registry.v1 import body_pb2
from alliance_cli import stubs
from alliance_cli.commands import body
from alliance_cli.session import context


def test_a_body_shows_when_it_was_formed_suspended_and_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = body_pb2.Body(name="bodies/1", formed_on="2026-01-05", suspended_on="2026-03-31", resumed_on="2026-07-01")
    monkeypatch.setattr(stubs, "registry", Mock)
    monkeypatch.setattr(body, "call", lambda *_: known)
    monkeypatch.setattr(context, "language", "en")
    done = CliRunner().invoke(body.app, ["show", "01890000-0000-7000-8000-000000000000"])
    assert done.exit_code == 0, done.output
    said = {cells[1].strip(): cells[2].strip() for line in done.output.splitlines() if len(cells := line.split("│")) == 4}
    assert (said["formed"], said["suspended"], said["resumed"]) == ("2026-01-05", "2026-03-31", "2026-07-01")
