"""The type of an upload follows from its name alone, the same on every machine; what was uploaded for nothing is erased."""

import itertools
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import grpc
import pytest
import typer
from typer.testing import CliRunner

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import application
from alliance_cli.commands.document import attached, media_type
from alliance_cli.errors import REFUSED
from registry.applications.contents import TYPES


class _Failed(grpc.RpcError):
    """A call that failed with a code."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "不行"

    def trailing_metadata(self) -> tuple[()]:
        return ()


class _Documents:
    """Documents that were uploaded and erased; a failure is that of every erasure."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.erased: list[str] = []
        self.failure: _Failed | None = None
        self._numbers = itertools.count(1)

    def UploadDocument(self, requests: Iterator[Any], **_: Any) -> list[rpc.UploadDocumentResponse]:
        list(requests)
        self.kept.append(f"documents/{next(self._numbers)}")
        return [rpc.UploadDocumentResponse(document=pb.Document(name=self.kept[-1]))]

    def EraseDocument(self, request: rpc.EraseDocumentRequest, **_: Any) -> None:
        assert request.reason
        if self.failure:
            raise self.failure
        self.erased.append(request.name)


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> _Documents:
    made = _Documents()
    monkeypatch.setattr(stubs, "documents", lambda: made)
    monkeypatch.setattr(naming, "organization", lambda _: "organizations/1")
    return made


@pytest.mark.parametrize(
    ("code", "is_erased"),
    [
        (None, False),
        (grpc.StatusCode.FAILED_PRECONDITION, True),
        (grpc.StatusCode.INVALID_ARGUMENT, True),
        (grpc.StatusCode.PERMISSION_DENIED, True),
        (grpc.StatusCode.ABORTED, True),
        (grpc.StatusCode.UNAVAILABLE, False),
        (grpc.StatusCode.DEADLINE_EXCEEDED, False),
    ],
)
def test_what_was_uploaded_for_a_step_that_is_refused_is_erased(
    documents: _Documents, tmp_path: Path, code: grpc.StatusCode | None, is_erased: bool
) -> None:
    (file := tmp_path / "a.pdf").write_bytes(b"%PDF")
    given = [f"form={file}", "PLAN=documents/before", f"proposal={file}"]

    def step() -> None:
        with attached(given) as found:
            assert [(one.kind, one.document) for one in found] == [
                ("FORM", "documents/1"),
                ("PLAN", "documents/before"),
                ("PROPOSAL", "documents/2"),
            ]
            if code:
                raise _Failed(code)

    if code:
        with pytest.raises(_Failed):
            step()
    else:
        step()
    assert documents.erased == (["documents/1", "documents/2"] if is_erased else []), (
        "a step that broke off may have been taken"
    )


@pytest.mark.parametrize("second", ["form", "form=missing.pdf"])
def test_what_was_uploaded_before_what_can_not_be_is_erased(documents: _Documents, tmp_path: Path, second: str) -> None:
    (file := tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(typer.BadParameter), attached([f"form={file}", second]):
        raise AssertionError
    assert documents.erased == documents.kept == ["documents/1"]


@pytest.mark.parametrize("command", [["take", "1", "submit"], ["attach", "1"]], ids=["take", "attach"])
def test_the_commands_erase_what_they_uploaded(
    documents: _Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (file := tmp_path / "a.pdf").write_bytes(b"%PDF")
    refused = Mock(side_effect=_Failed(grpc.StatusCode.FAILED_PRECONDITION))
    monkeypatch.setattr(stubs, "applications", lambda: Mock(TakeStep=refused, AttachDocuments=refused))
    done = CliRunner().invoke(application.app, [*command, "--document", f"form={file}"])
    assert (done.exit_code, documents.erased) == (REFUSED, ["documents/1"])
    assert "不行" in done.output


def test_an_erasure_that_fails_is_told_beside_the_refusal(
    documents: _Documents, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "a.pdf").write_bytes(b"%PDF")
    documents.failure = _Failed(grpc.StatusCode.UNAVAILABLE)
    refusal = _Failed(grpc.StatusCode.FAILED_PRECONDITION)
    with pytest.raises(_Failed) as raised, attached([f"form={file}"]):
        raise refusal
    assert raised.value is refusal
    said = capsys.readouterr().err
    assert "未能删除（UNAVAILABLE）" in said
    assert "alliance document erase 1 --reason" in said


def test_whatever_registry_takes_has_a_type() -> None:
    told = {ending: kind for kind, one in TYPES.items() for ending in one.endings}
    assert {ending: media_type(f"材料{ending.upper()}") for ending in told} == told


def test_a_machine_that_knows_other_types_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_, **__: ("text/plain", None))
    assert media_type("a.b.docx").endswith("wordprocessingml.document")


@pytest.mark.parametrize("name", ["a.docm", "a.doc", "a.pdf.exe", "pdf", "a.pdf.gz", ""])
def test_another_ending_is_refused_with_those_that_are_taken(name: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"\.pdf .*\.docx"):
        media_type(name)
