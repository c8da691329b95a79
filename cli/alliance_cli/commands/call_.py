"""`alliance call`: calls 征集、遴选 that applications answer."""

from typing import Annotated

import typer

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, called, ident, short, show, show_one, value_of
from alliance_cli.session import call

app = typer.Typer(no_args_is_help=True, help="征集与遴选 · calls")
_programme = short(pb.Programme, "PROGRAMME_")
_called = called(pb.Programme, "PROGRAMME_")


def _columns(*calls: pb.ApplicationCall) -> list[Column]:
    names = naming.shown(*(one.authority for one in calls))
    return [
        ("编号", "id", lambda c: ident(c.name)),
        ("程序", "programme", lambda c: _called(c.programme)),
        ("年度", "year", lambda c: c.year),
        ("主管单位", "authority", lambda c: names.get(c.authority, "")),
        ("起", "opens", lambda c: c.opens_on),
        ("止", "closes", lambda c: c.closes_on),
    ]


@app.command("list")
def list_(
    programme: Annotated[str, typer.Option(help="程序 · programme")] = "",
    year: Annotated[int, typer.Option(help="年度 · year")] = 0,
) -> None:
    """列出 · list calls."""
    with explained():
        request = rpc.ListCallsRequest(
            page_size=naming.PAGE,
            programmes=[value_of(pb.Programme, "PROGRAMME_", programme)] if programme else [],
            year=year,
        )
        found = naming.every(stubs.applications().ListCalls, request, "calls")
        show(found, _columns(*found))


@app.command("open")
def open_(
    programme: str,
    year: int,
    authority: Annotated[str, typer.Option(help="主管单位 · the authority that decides")],
    opens: Annotated[
        str,
        typer.Option(
            "--from", "--opens", "--opens-on", help="首日，缺省按文件 · first day, YYYY-MM-DD; the document's if not given"
        ),
    ] = "",
    closes: Annotated[
        str,
        typer.Option(
            "--to", "--closes", "--closes-on", help="末日，缺省按文件 · last day, YYYY-MM-DD; the document's where left out"
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
) -> None:
    """启动 · open a call."""
    with explained():
        given = pb.ApplicationCall(
            programme=value_of(pb.Programme, "PROGRAMME_", programme),
            year=year,
            authority=naming.organization(authority),
            opens_on=opens,
            closes_on=closes,
        )
        made = call(stubs.applications().OpenCall, rpc.OpenCallRequest(call=given, reason=reason))
        show_one(made, _columns(made))
