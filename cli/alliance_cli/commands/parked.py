"""`alliance parked`: events that can't be sent."""

from typing import Annotated, Any

import typer

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import NOT_FOUND, explained, fail
from alliance_cli.output import Column, instant, show, show_one, told
from alliance_cli.session import SERVICES, call, context, t

app = typer.Typer(no_args_is_help=True, help="搁置的事件 · parked events")
_ACTIONS = {"retry": ("重试", "retried"), "give-up": ("放弃", "given up")}
Service = Annotated[str, typer.Argument(help="服务 · service")]
Seqs = Annotated[list[int], typer.Argument(metavar="SEQ...", help="序号；见 parked list · places in the queue")]
Reason = Annotated[str, typer.Option(help="为何如此处理 · why, for the record")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只列出会处理哪些 · only say which ones")]


def _decided(event: rpc.ParkedEvent) -> str:
    """What was decided about an event, a line each."""
    return "\n".join(f"{instant(one.act_time)} {t(*_ACTIONS[one.action])} {one.actor}: {one.reason}" for one in event.actions)


COLUMNS: list[Column] = [
    ("服务", "service", lambda e: e.service),
    ("序号", "seq", lambda e: e.seq),
    ("键", "key", lambda e: e.key),
    ("主题", "topic", lambda e: e.topic),
    ("版本", "version", lambda e: e.version or ""),
    ("类型", "type", lambda e: e.type),
    ("字节", "bytes", lambda e: e.size),
    ("搁置原因", "parked because", lambda e: e.parked_because),
    ("其后等待", "wait behind it", lambda e: e.waiting),
    ("历次处理", "decided", _decided),
]


@app.command("list")
def list_(
    service: Annotated[str, typer.Argument(help="服务；不填为全部 · service, all where empty")] = "",
    given_up: Annotated[bool, typer.Option("--given-up", help="只列已放弃的 · those that were given up")] = False,
) -> None:
    """列出发不出去、挡住其后事件的事件 · list events that can't be sent, and hold those behind them."""
    found = []
    with explained():
        for name in [service] if service else SERVICES:
            request = rpc.ListParkedEventsRequest(page_size=naming.PAGE, given_up=given_up)
            found += naming.every(stubs.admin(name).ListParkedEvents, request, "events")
    show(found, COLUMNS)


@app.command()
def retry(service: Service, seqs: Seqs, reason: Reason, dry_run: DryRun = False) -> None:
    """再交给转发 · hand events to the relay again, once the cause is gone."""
    request = rpc.RetryParkedEventsRequest(seqs=seqs, reason=reason, dry_run=dry_run)
    with explained():
        answer = call(stubs.admin(service).RetryParkedEvents, request)
    _told(answer, t("将再交给转发", "would be handed to the relay") if dry_run else t("已再交给转发", "handed to the relay"))


@app.command("give-up")
def give_up(service: Service, seqs: Seqs, reason: Reason, dry_run: DryRun = False) -> None:
    """放弃事件：不再发布，其后的继续；不可撤销 · give events up for good; what waits behind them goes on."""
    request = rpc.GiveUpParkedEventsRequest(seqs=seqs, reason=reason, dry_run=dry_run)
    with explained():
        answer = call(stubs.admin(service).GiveUpParkedEvents, request)
    _told(answer, t("将放弃", "would be given up") if dry_run else t("已放弃", "given up"))


def _told(answer: Any, what: str) -> None:
    """Say what became of which events; exits where none of those that were named is parked."""
    if context.output == "json":
        show_one(answer, [])
    else:
        told(answer.seqs, what)
    if not answer.seqs:
        fail(NOT_FOUND, t("这些序号都没有被搁置；见 parked list", "none of these is parked; see parked list"))
