"""`alliance dlq`: records that a handler could not take."""

from typing import Annotated, Any

import typer

from alliance.admin.v1 import admin_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import NOT_FOUND, explained, fail
from alliance_cli.output import Column, console, instant, plain, short, show, show_one, told, value_of
from alliance_cli.session import SERVICES, call, context, t

app = typer.Typer(no_args_is_help=True, help="死信 · dead letters")
_state = short(rpc.DeadLetterState, "DEAD_LETTER_STATE_")
_SHOWN = 200  # bytes of a key or content that are shown
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


Service = Annotated[str, typer.Argument(help="服务 · service")]
Group = Annotated[str, typer.Option(help="处理组 · consumer group")]
Topic = Annotated[str, typer.Option(help="主题 · topic")]
Key = Annotated[str, typer.Option(help="键 · key, a resource name")]
Why = Annotated[str, typer.Option("--why", help="失败原因包含 · what the reason of failure holds")]
Ids = Annotated[list[str] | None, typer.Argument(help="编号；不填则按条件 · ids; by the options where none is given")]
Reason = Annotated[str, typer.Option(help="为何如此处理 · why, for the record")]
Everything = Annotated[bool, typer.Option("--all", help="该服务全部未决死信 · all open ones of the service")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只列出会处理哪些 · only say which ones")]
ACTION_COLUMNS: list[Column] = [
    ("时间", "time", lambda a: instant(a.act_time)),
    ("处理", "action", lambda a: a.action),
    ("账号", "principal", lambda a: a.actor),
    ("原因", "reason", lambda a: a.reason),
]


def _as_it_came(content: bytes) -> str:
    """Length and beginning of bytes; what is no printable ASCII is escaped."""
    more = "…" if len(content) > _SHOWN else ""
    return f"{len(content)} {t('字节', 'bytes')}  {content[:_SHOWN]!r}{more}"


BYTE_COLUMNS: list[Column] = [
    ("原始键", "key as it came", lambda d: _as_it_came(d.raw_key)),
    ("原始内容", "content as it came", lambda d: _as_it_came(d.value)),
]


@app.command("list")
def list_(
    service: Annotated[str, typer.Argument(help="服务；不填为全部 · service, all where empty")] = "",
    group: Group = "",
    topic: Topic = "",
    key: Key = "",
    why: Why = "",
    state: Annotated[str, typer.Option(help="如 dead；不填为未决 · e.g. dead; the open ones where empty")] = "",
) -> None:
    """列出死信 · list open dead letters."""
    found = []
    with explained():
        for name in [service] if service else SERVICES:
            request = rpc.ListDeadLettersRequest(page_size=naming.PAGE, group=group, topic=topic, key=key, reason=why)
            if state:
                request.state = value_of(rpc.DeadLetterState, "DEAD_LETTER_STATE_", state)
            found += naming.every(stubs.admin(name).ListDeadLetters, request, "dead_letters")
    show(found, COLUMNS)


@app.command("show")
def show_(service: Service, identifier: Annotated[str, typer.Argument(metavar="ID", help="编号 · id")]) -> None:
    """查看一条：内容、报头、历次处理 · one with its content, headers and what was decided."""
    with explained():
        found = call(stubs.admin(service).GetDeadLetter, rpc.GetDeadLetterRequest(id=identifier))
    applied: Column = ("已生效版本", "applied version", lambda _: found.applied_version)
    if context.output == "json":
        show_one(found, [])
        return
    show_one(found.dead_letter, [*COLUMNS, applied])
    headers: list[Column] = [
        ("报头", "header", lambda h: h.name),
        ("值", "value", lambda h: h.value.decode("utf-8", "replace")),
    ]
    show(found.headers, headers)
    if found.json:
        console.print(plain(found.json))
    else:
        show_one(found, BYTE_COLUMNS, t("没有可解析的内容", "there is no content that can be read"))
    if found.actions:
        show(found.actions, ACTION_COLUMNS)


@app.command()
def replay(
    service: Service,
    reason: Reason,
    ids: Ids = None,
    group: Group = "",
    topic: Topic = "",
    key: Key = "",
    why: Why = "",
    everything: Everything = False,
    dry_run: DryRun = False,
) -> None:
    """重放死信 · give dead letters to their handlers again; by options, those that nobody tries any more."""
    wanted = _wanted(ids, rpc.DeadLetterFilter(group=group, topic=topic, key=key, reason=why), everything=everything)
    request = rpc.ReplayDeadLettersRequest(reason=reason, dry_run=dry_run, **wanted)
    with explained():
        answer = call(stubs.admin(service).ReplayDeadLetters, request)
        trying = [] if ids else _retrying(service, wanted["filter"])
    _told(answer, t("将重放", "would be queued again") if dry_run else t("已重新排队", "queued again"), ids)
    if (left := len({one.id for one in trying} - set(answer.ids))) and context.output != "json":
        zh = f"另有 {left} 条符合条件的仍在自动重试；不必等待的，请按编号重放（dlq list --state retrying）"
        en = f"{left} more that fit are being tried by themselves; not to wait, replay by id (dlq list --state retrying)"
        console.print(t(zh, en), highlight=False)


@app.command()
def drop(
    service: Service,
    reason: Reason,
    ids: Ids = None,
    group: Group = "",
    topic: Topic = "",
    key: Key = "",
    why: Why = "",
    everything: Everything = False,
    dry_run: DryRun = False,
) -> None:
    """放弃死信：不再生效，其后的继续 · give dead letters up; what waits behind them goes on."""
    wanted = _wanted(ids, rpc.DeadLetterFilter(group=group, topic=topic, key=key, reason=why), everything=everything)
    request = rpc.DropDeadLettersRequest(reason=reason, dry_run=dry_run, **wanted)
    with explained():
        answer = call(stubs.admin(service).DropDeadLetters, request)
    _told(answer, t("将放弃", "would be dropped") if dry_run else t("已放弃", "dropped"), ids)


def _retrying(service: str, wanted: rpc.DeadLetterFilter) -> list[rpc.DeadLetter]:
    """Those that a filter fits and that are tried without an operator."""
    request = rpc.ListDeadLettersRequest(page_size=naming.PAGE, state=rpc.DEAD_LETTER_STATE_RETRYING)
    request.group, request.topic, request.key, request.reason = wanted.group, wanted.topic, wanted.key, wanted.reason
    return naming.every(stubs.admin(service).ListDeadLetters, request, "dead_letters")


def _wanted(ids: list[str] | None, wanted: rpc.DeadLetterFilter, *, everything: bool) -> dict[str, Any]:
    """What a request says of the rows that it means."""
    filtered = bool(wanted.ByteSize())
    if [bool(ids), filtered, everything].count(True) != 1:
        zh = "请给出编号、条件（--group、--topic、--key、--why）或 --all 之一"
        raise typer.BadParameter(t(zh, "give ids, options (--group, --topic, --key, --why), or --all"))
    return {"ids": ids} if ids else {"filter": wanted}


def _told(answer: Any, what: str, ids: list[str] | None) -> None:
    """Say what became of which rows; exits where none of those that were named was there to be judged."""
    if context.output == "json":
        show_one(answer, [])
    else:
        _listed(answer, what)
    if ids and not answer.ids:
        fail(
            NOT_FOUND,
            t("没有这样的未决死信；见 dlq list、dlq show", "there is no such open dead letter; see dlq list, dlq show"),
        )


def _listed(answer: Any, what: str) -> None:
    told(answer.ids, what)
    if answer.more:
        console.print(t("还有更多符合条件的，请再次执行", "more fit: run it again"))
