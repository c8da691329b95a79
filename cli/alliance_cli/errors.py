"""Errors of calls, for people and for scripts.

Exit codes: 0 done · 1 unexpected · 2 wrong usage · 3 not found · 4 not allowed · 5 refused by a rule or wrong input ·
6 not available, try again · 7 done in part (some rows refused, some services failed) · 141 who read the output has gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from rich.table import Table
from rich.text import Text

from alliance_cli.output import errors, plain
from alliance_cli.session import context, t

UNEXPECTED, USAGE, NOT_FOUND, DENIED, REFUSED, PARTLY = 1, 2, 3, 4, 5, 7
_EXIT = {
    grpc.StatusCode.NOT_FOUND: NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: DENIED,
    grpc.StatusCode.UNAUTHENTICATED: DENIED,
    grpc.StatusCode.INVALID_ARGUMENT: REFUSED,
    grpc.StatusCode.FAILED_PRECONDITION: REFUSED,
    grpc.StatusCode.ALREADY_EXISTS: REFUSED,
    grpc.StatusCode.ABORTED: REFUSED,
    grpc.StatusCode.UNAVAILABLE: 6,
    grpc.StatusCode.CANCELLED: 6,  # by a server that stops
    grpc.StatusCode.DEADLINE_EXCEEDED: 6,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 6,
}


@contextmanager
def explained(allowed: str = "") -> Iterator[None]:
    """Turn a failed call into a message on stderr and the exit code; to who is not allowed it is said who is."""
    try:
        yield
    except grpc.RpcError as error:
        code = explain(error)
        if allowed and code == DENIED:
            errors.print(allowed, highlight=False, markup=False)
        raise SystemExit(code) from None


def explain(error: grpc.RpcError, of: str = "") -> int:
    """Say on stderr why a call failed, `of` whom where more than one is asked; returns the exit code."""
    if of:
        errors.print(of, style="bold", highlight=False, markup=False)
    _print(error)
    return _EXIT.get(error.code(), 1)


def is_refusal(error: grpc.RpcError) -> bool:
    """Whether a call certainly had no effect, since it was refused; of one that broke off nobody knows."""
    return _EXIT.get(error.code()) in (NOT_FOUND, DENIED, REFUSED)


def fail(code: int, text: str) -> NoReturn:
    """End with a message on stderr and an exit code."""
    errors.print(text, highlight=False, markup=False)
    raise SystemExit(code)


def _print(error: grpc.RpcError) -> None:
    status = rpc_status.from_call(cast(Any, error))
    details = list(status.details) if status else []
    message = error.details() or error.code().name
    table = Table(show_lines=False)
    for heading in (t("字段", "field"), t("规则", "rule"), t("问题与改法", "problem and fix")):
        table.add_column(heading, overflow="fold")
    for detail in details:
        localized = error_details_pb2.LocalizedMessage()
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(localized):
            message = localized.message
        elif detail.Unpack(bad):
            for violation in bad.field_violations:
                text = violation.localized_message.message or violation.description
                table.add_row(*map(plain, (violation.field, violation.reason, text)))
    errors.print(Text(error.code().name, "bold red"), plain(message), highlight=False)
    if table.rows:
        errors.print(table)
    if error.code() is grpc.StatusCode.PERMISSION_DENIED and context.session.token and not context.session.organization:
        zh, en = "本次登录未代表任何单位", "this login acts for no organization"
        command = f"alliance login {context.session.subject} --as …"
        errors.print(t(f"{zh}；代表单位办理请用 {command}", f"{en}; to act for one: {command}"), highlight=False, markup=False)
