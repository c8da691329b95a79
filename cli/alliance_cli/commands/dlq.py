"""`alliance dlq`: records that a handler could not take."""

from typing import Annotated

import typer

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, instant, short, show
from alliance_cli.session import SERVICES, call, t

app = typer.Typer(no_args_is_help=True, help="死信 · dead letters")
_state = short(rpc.DeadLetterState, "DEAD_LETTER_STATE_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda d: d.id),
    ("处理组", "group", lambda d: d.group),
    ("主题", "topic", lambda d: f"{d.topic}[{d.partition}]@{d.offset}"),
    ("键", "key", lambda d: f"{d.key} v{d.version}"),
    ("状态", "state", lambda d: _state(d.state)),
    ("次数", "attempts", lambda d: d.attempts),
    ("原因", "reason", lambda d: d.reason),
    ("最近", "last", lambda d: instant(d.last_failed_at)),
]


@app.command("list")
def list_(
    service: Annotated[str, typer.Argument(help="服务；不填为全部 · service, all where empty")] = "",
    group: str = "",
) -> None:
    """列出死信 · list open dead letters."""
    found = []
    with explained():
        for name in [service] if service else SERVICES:
            request = rpc.ListDeadLettersRequest(page_size=naming.PAGE, group=group)
            found += naming.every(stubs.admin(name).ListDeadLetters, request, "dead_letters")
    show(found, COLUMNS)


@app.command()
def replay(service: str, ids: list[str], reason: Annotated[str, typer.Option()]) -> None:
    """重放死信 · give dead letters to their handlers again."""
    with explained():
        request = rpc.ReplayDeadLettersRequest(ids=ids, reason=reason)
        answer = call(stubs.admin(service).ReplayDeadLetters, request)
    typer.echo(t(f"已重新排队 {answer.queued} 条", f"{answer.queued} queued again"))
