"""What `alliance person` says of what all services hold on somebody, and what it does where one of them fails."""

import json
from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

from alliance.admin.v1 import personal_data_service_pb2 as rpc
from alliance_cli import stubs
from alliance_cli.commands import person
from alliance_cli.errors import PARTLY
from alliance_cli.session import SERVICES, context

_AWAY, _REFUSED = 6, 5


class Failure(grpc.RpcError):
    """How a call ends that comes to nothing."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__()
        self._code = code

    def code(self) -> grpc.StatusCode:
        """As gRPC gives it."""
        return self._code

    def details(self) -> str:
        """As gRPC gives them."""
        return f"why it is {self._code.name}"

    def trailing_metadata(self) -> tuple[()]:
        """None came."""
        return ()


class Service:
    """One service's answer or failure, and what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.asked: list[Any] = []
        self._answer = answer

    def ExportPersonalData(self, request: Any, **_: Any) -> Any:
        """See the contract."""
        return self._said(request, rpc.ExportPersonalDataResponse())

    def ErasePersonalData(self, request: Any, **_: Any) -> Any:
        """See the contract."""
        return self._said(request, rpc.ErasePersonalDataResponse())

    def _said(self, request: Any, nothing: Any) -> Any:
        self.asked.append(request)
        if isinstance(self._answer, Failure):
            raise self._answer
        return nothing if self._answer is None else self._answer


def _run(monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, Any], *arguments: str) -> tuple[Result, dict[str, Service]]:
    known = {name: Service(answers.get(name)) for name in SERVICES}
    monkeypatch.setattr(stubs, "personal_data", known.__getitem__)
    monkeypatch.setattr(context, "language", "en")
    monkeypatch.setattr(context, "output", "json")
    return CliRunner().invoke(person.app, list(arguments)), known


_ERASE = ("erase-data", "13800138000", "--reason", "at their request")
_EXPORT = ("export-data", "13800138000", "--purpose", "at their request")
_GONE, _WRONG = Failure(grpc.StatusCode.UNAVAILABLE), Failure(grpc.StatusCode.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ({}, 0),
        ({"registry": _GONE}, PARTLY),
        ({"matching": _GONE, "notify": _WRONG}, PARTLY),
        (dict.fromkeys(SERVICES, _GONE), _AWAY),
        (dict.fromkeys(SERVICES, _WRONG), _REFUSED),
    ],
)
@pytest.mark.parametrize("command", [_ERASE, _EXPORT])
def test_a_service_that_fails_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch, failing: Mapping[str, Failure], code: int, command: tuple[str, ...]
) -> None:
    done, known = _run(monkeypatch, failing, *command)
    assert done.exit_code == code, done.output
    assert [len(one.asked) for one in known.values()] == [1] * len(SERVICES)
    for name, failure in failing.items():
        assert f"{name}\n" in done.stderr
        assert failure.details() in done.stderr
    if command is _ERASE:
        assert [one["service"] for one in json.loads(done.stdout)] == [one for one in SERVICES if one not in failing]
    if code == PARTLY:
        assert f"run it again: {', '.join(failing)}" in done.stderr.replace("\n", " ")


def test_papers_that_are_left_are_named_with_the_command_that_erases_each(monkeypatch: pytest.MonkeyPatch) -> None:
    left = rpc.PersonalPaper(name="documents/7", kind="RECOMMENDATION", attached_to=["applications/1", "applications/2"])
    answer = rpc.ErasePersonalDataResponse(erased=1, papers_left=[left])
    done, _ = _run(monkeypatch, {"registry": answer}, *_ERASE)
    assert done.exit_code == 0
    assert "alliance document erase 7 --reason" in done.stderr
    assert "RECOMMENDATION, attached to 1, 2" in done.stderr


def test_an_export_holds_records_and_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    record, paper = rpc.PersonalRecord(name="personalRecords/1"), rpc.PersonalPaper(name="documents/7", file_name="a.pdf")
    answer = rpc.ExportPersonalDataResponse(records=[record], papers=[paper])
    done, _ = _run(monkeypatch, {"registry": answer}, *_EXPORT)
    assert [one["name"] for one in json.loads(done.stdout)] == ["personalRecords/1", "documents/7"]


@pytest.mark.parametrize("command", [_ERASE, _EXPORT])
def test_a_name_that_others_bear_is_said(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    found = {"erase-data": rpc.ErasePersonalDataResponse, "export-data": rpc.ExportPersonalDataResponse}[command[0]]
    done, _ = _run(monkeypatch, {"registry": found(namesakes=1), "listings": found(namesakes=2)}, *command)
    assert "3 more records bear this name" in done.stderr
    assert "bear this name" not in _run(monkeypatch, {}, *command)[0].stderr
