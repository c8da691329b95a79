"""What a command says where a service refuses."""

from typing import Any

import grpc
import pytest

from alliance_cli import errors
from alliance_cli.session import Session, context


class _Refused(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "refused"

    def trailing_metadata(self) -> tuple[Any, ...]:
        return ()


@pytest.mark.parametrize(
    ("code", "session", "told"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, Session(token="t", subject="ed1"), True),
        (grpc.StatusCode.PERMISSION_DENIED, Session(token="t", subject="ed1", organization="organizations/1"), False),
        (grpc.StatusCode.PERMISSION_DENIED, Session(), False),
        (grpc.StatusCode.NOT_FOUND, Session(token="t", subject="ed1"), False),
    ],
)
def test_who_acts_for_nobody_and_may_not_is_told_how_to_act_for_somebody(
    code: grpc.StatusCode, session: Session, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(context, "session", session)
    errors.explain(_Refused(code))
    assert ("alliance login ed1 --as" in capsys.readouterr().err) is told
