"""`alliance feed`: feeds 数据接口 of outside systems."""

from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.listings.v1 import feed_pb2 as pb
from alliance.listings.v1 import feed_service_pb2 as rpc
from alliance.listings.v1 import listing_pb2
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, instant, short, show, show_one, value_of
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="数据接口 · feeds of outside systems")
_direction = short(pb.FeedDirection, "FEED_DIRECTION_")
_state = short(pb.FeedState, "FEED_STATE_")
_system = short(pb.OutsideSystem, "OUTSIDE_SYSTEM_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda f: ident(f.name)),
    ("名称", "name", lambda f: f.display_name),
    ("方向", "direction", lambda f: _direction(f.direction)),
    ("系统", "system", lambda f: _system(f.system)),
    ("状态", "state", lambda f: t("无响应", "silent") if f.silent_since_time.seconds else _state(f.state)),
    ("最近响应", "last heard", lambda f: instant(f.last_heard_time)),
    ("拒收", "refused", lambda f: f.refusals),
    ("失败", "failures", lambda f: f.failures),
    ("原因", "last error", lambda f: f.last_error.en if context.language == "en" else f.last_error.zh),
]
DETAILS: list[Column] = [
    *COLUMNS,
    ("单位", "organization", lambda f: f.issuer),
    ("地址", "address", lambda f: f.url),
    ("来源", "source", lambda f: f.source),
    ("映射", "mapping", lambda f: f.mapping),
    ("游标", "cursor", lambda f: f.cursor),
    ("最近新记录", "last record", lambda f: instant(f.last_record_time)),
    ("无响应起", "silent since", lambda f: instant(f.silent_since_time)),
    ("下次", "next", lambda f: instant(f.next_run_time)),
]
SECRET: Column = ("签名密钥（只显示一次）", "signing secret (shown once)", lambda f: f.secret)
REFUSALS: list[Column] = [
    ("记录", "record", lambda r: r.external_key or t(f"第 {r.line} 行", f"line {r.line}")),
    ("版本", "version", lambda r: r.version or ""),
    ("字段", "field", lambda r: ", ".join(one.field for one in r.problems)),
    (
        "原因",
        "reason",
        lambda r: "；".join(one.message.en if context.language == "en" else one.message.zh for one in r.problems),
    ),
    ("时间", "time", lambda r: instant(r.create_time)),
]
Acting = Annotated[str, typer.Option("--as", help="所属单位 · organization that the feed is of")]
Reason = Annotated[str, typer.Option(help="原因 · why")]
Mapped = Annotated[str, typer.Option(help="映射文件名，不含 .yaml · mapping file, without .yaml")]
Every = Annotated[int, typer.Option(help="间隔秒数 · seconds between exchanges")]
Expect = Annotated[int, typer.Option(help="多少小时没有即为无响应 · hours after which it is silent")]


def _name(text: str) -> str:
    return naming.resource("feeds", text)


@app.command()
def create(
    name: str,
    system: Annotated[str, typer.Option(help="如 sme_service_network · system at the other end")],
    inward: Annotated[str, typer.Option("--in", help="流入：对方地址 · IN: address to fetch from")] = "",
    outward: Annotated[str, typer.Option("--out", help="流出：对方地址 · OUT: address to send to")] = "",
    acting: Acting = "",
    kind: Annotated[str, typer.Option(help="信息类型 · kind of listings")] = "",
    mapping: Mapped = "",
    source: Annotated[str, typer.Option(help="来源，缺省按映射 · source; the mapping's where left out")] = "",
    drafts: Annotated[bool, typer.Option("--drafts", help="流入的只存为草稿 · leave what comes in as drafts")] = False,
    body: Annotated[str, typer.Option(help="流出：只发此组织的 · OUT: listings of this body only")] = "",
    every: Every = 0,
    expect: Expect = 0,
    records: Annotated[
        bool, typer.Option("--records", help="须有新记录，仅有响应不算 · records have to come, not only answers")
    ] = False,
) -> None:
    """新建，密钥只显示一次 · make a feed; its secret is shown once."""
    if bool(inward) is bool(outward):
        raise typer.BadParameter(t("请填写 --in 或 --out，二者取一", "give either --in or --out"))
    with explained():
        given = pb.Feed(
            display_name=name,
            direction=pb.FEED_DIRECTION_IN if inward else pb.FEED_DIRECTION_OUT,
            system=value_of(pb.OutsideSystem, "OUTSIDE_SYSTEM_", system),
            issuer=naming.organization(acting),
            url=inward or outward,
            source=source,
            kind=value_of(listing_pb2.ListingKind, "LISTING_KIND_", kind or "unspecified"),
            mapping=mapping,
            publish=bool(inward) and not drafts,
            body=naming.body(body) if body else "",
            interval=every,
            expected_every=expect,
            silence=pb.FEED_SILENCE_RECORD if records else pb.FEED_SILENCE_ANSWER,
        )
        made = call(stubs.feeds().CreateFeed, rpc.CreateFeedRequest(feed=given))
    show_one(made, [*DETAILS, SECRET])


@app.command("list")
def list_(
    acting: Acting = "", removed: Annotated[bool, typer.Option("--removed", help="含已删除的 · removed ones, too")] = False
) -> None:
    """列出；不写单位为全部 · list feeds; all of them without an organization."""
    with explained():
        issuer = naming.organization(acting) if acting else ""
        request = rpc.ListFeedsRequest(issuer=issuer, page_size=naming.PAGE, show_removed=removed)
        show(naming.every(stubs.feeds().ListFeeds, request, "feeds"), COLUMNS)


@app.command("show")
def show_(feed: str) -> None:
    """查看 · show one feed."""
    with explained():
        show_one(call(stubs.feeds().GetFeed, rpc.GetFeedRequest(name=_name(feed))), DETAILS)


@app.command()
def change(
    feed: str,
    url: Annotated[str, typer.Option(help="地址 · address")] = "",
    mapping: Mapped = "",
    every: Every = 0,
    expect: Expect = 0,
    reason: Reason = "",
) -> None:
    """修改 · change a feed."""
    given = {"url": url, "mapping": mapping, "interval": every, "expected_every": expect}
    changed = {field: value for field, value in given.items() if value}
    with explained():
        message = pb.Feed(name=_name(feed), **changed)  # type: ignore[arg-type]
        request = rpc.UpdateFeedRequest(feed=message, update_mask=FieldMask(paths=list(changed)), reason=reason)
        show_one(call(stubs.feeds().UpdateFeed, request), DETAILS)


@app.command()
def pause(feed: str, reason: Reason) -> None:
    """暂停 · pause a feed."""
    with explained():
        show_one(call(stubs.feeds().PauseFeed, rpc.PauseFeedRequest(name=_name(feed), reason=reason)), DETAILS)


@app.command()
def resume(feed: str, reason: Reason = "") -> None:
    """恢复 · let a paused feed go on."""
    with explained():
        show_one(call(stubs.feeds().ResumeFeed, rpc.ResumeFeedRequest(name=_name(feed), reason=reason)), DETAILS)


@app.command()
def remove(feed: str, reason: Reason) -> None:
    """删除，已流入的信息和记录保留 · remove a feed for good; what came in stays, and so does what is known of it."""
    with explained():
        show_one(call(stubs.feeds().RemoveFeed, rpc.RemoveFeedRequest(name=_name(feed), reason=reason)), DETAILS)


@app.command()
def run(
    feed: str,
    from_start: Annotated[bool, typer.Option("--from-start", help="从头全部再来 · everything again, from the start")] = False,
    reason: Reason = "",
) -> None:
    """立即交换一次 · have the next exchange made now."""
    with explained():
        request = rpc.RunFeedRequest(name=_name(feed), from_start=from_start, reason=reason)
        show_one(call(stubs.feeds().RunFeed, request), DETAILS)


@app.command()
def rotate(
    feed: str,
    reason: Reason,
    at_once: Annotated[bool, typer.Option("--at-once", help="旧密钥立即失效 · the old one holds no longer")] = False,
) -> None:
    """更换密钥，只显示一次 · give a feed a new secret; it is shown once."""
    with explained():
        request = rpc.RotateFeedSecretRequest(name=_name(feed), at_once=at_once, reason=reason)
        changed = call(stubs.feeds().RotateFeedSecret, request)
    show_one(changed, [*DETAILS, SECRET])


@app.command()
def refusals(feed: str) -> None:
    """当前被拒收的记录 · records that are refused now."""
    with explained():
        request = rpc.ListFeedRefusalsRequest(feed=_name(feed), page_size=naming.PAGE)
        show(naming.every(stubs.feeds().ListFeedRefusals, request, "refusals"), REFUSALS)
