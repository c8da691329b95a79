"""`alliance deadline`: deadlines 时限 of a body."""

from typing import Annotated

import typer

from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1 import reporting_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, short, show, value_of
from alliance_cli.session import context

app = typer.Typer(no_args_is_help=True, help="时限 · deadlines")
_state = short(report_pb2.DeadlineState, "DEADLINE_STATE_")
COLUMNS: list[Column] = [
    ("规则", "rule", lambda d: d.rule),
    ("条款", "clause", lambda d: d.clause),
    ("期间", "period", lambda d: d.period),
    ("事项", "item", lambda d: d.title.en if context.language == "en" else d.title.zh),
    ("开始", "opens", lambda d: d.opens_on),
    ("截止", "due", lambda d: d.due_on),
    ("状态", "state", lambda d: _state(d.state) + (" (late)" if d.closed_late else "")),
]


@app.command("list")
def list_(body: str, state: Annotated[list[str] | None, typer.Option(help="如 open, late")] = None) -> None:
    """列出时限 · list a body's deadlines."""
    with explained():
        request = rpc.ListDeadlinesRequest(
            body=naming.body(body),
            page_size=naming.PAGE,
            states=[value_of(report_pb2.DeadlineState, "DEADLINE_STATE_", one) for one in state or []],
        )
        show(naming.every(stubs.reporting().ListDeadlines, request, "deadlines"), COLUMNS)
