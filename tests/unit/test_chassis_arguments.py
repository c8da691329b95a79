"""How a service is run: what it takes, and whom a fence is put down to."""

import os
import pwd

import pytest

from chassis.main import _arguments


def test_a_fence_is_put_down_to_the_systems_user_or_to_whom_is_named() -> None:
    found = _arguments("listings", ["restore-fence", "a backup"])
    assert (found.command, found.reason, found.actor) == ("restore-fence", "a backup", f"operator:{_user()}")
    assert _arguments("listings", ["restore-fence", "a backup", "--actor", "on-call"]).actor == "on-call"


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    assert _arguments("listings", ["restore-fence", "a backup"]).actor == f"operator:{os.getuid()}"


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_the_others_take_nothing_more(command: str) -> None:
    assert _arguments("listings", [command]).command == command
    with pytest.raises(SystemExit) as refused:
        _arguments("listings", [command, "more"])
    assert refused.value.code == 2


def test_topics_are_those_of_production_with_one_replica_and_no_rights_unless_told_otherwise() -> None:
    found = _arguments("listings", ["topics"])
    assert (found.profile, found.replicas, found.acls, found.login) == ("production", 1, False, None)
    found = _arguments("listings", ["topics", "--profile", "test", "--replicas", "3", "--acls"])
    assert (found.profile, found.replicas, found.acls) == ("test", 3, True)


def test_a_service_replays_its_own_topics() -> None:
    found = _arguments("listings", ["replay", "alliance.internal.listings.listing.v1", "lost", "--actor", "on-call"])
    assert (found.topic, found.reason, found.actor) == ("alliance.internal.listings.listing.v1", "lost", "on-call")


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["restore-fence"],
        ["restore-fence", "a", "b"],
        ["replay", "alliance.internal.listings.listing.v1"],
        ["replay", "alliance.internal.registry.body.v1", "not its own"],
        ["topics", "--profile", "none"],
        ["other"],
    ],
)
def test_anything_else_is_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        _arguments("listings", given)
    assert refused.value.code == 2


@pytest.mark.parametrize(
    ("given", "wrong"),
    [(["restore-fence"], "REASON"), (["rebuild", "x"], "rebuild"), (["nonsense"], "nonsense"), ([], "command")],
)
def test_where_nobody_looks_on_what_is_wrong_is_a_line_of_the_log(
    given: list[str], wrong: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        _arguments("listings", given)
    (said,) = caplog.records
    assert wrong in said.getMessage()
    assert said.__dict__["usage"].startswith("usage: python -m listings")
    assert capsys.readouterr().err == ""


def test_a_terminal_is_told_as_usual(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with pytest.raises(SystemExit):
        _arguments("listings", ["nonsense"])
    assert capsys.readouterr().err.startswith("usage: ")
