"""`alliance body`: bodies 产教组织, their members, and the check against the clauses that founded them."""

from datetime import UTC
from typing import Annotated, TypeVar

import typer
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from alliance.common.v1.text_pb2 import LocalizedText
from alliance.listings.v1 import listings_service_pb2 as listings_rpc
from alliance.registry.v1 import application_service_pb2, body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_cli import changes, facts, naming, stubs
from alliance_cli.errors import NOT_FOUND, explained, fail
from alliance_cli.output import (
    Column,
    as_json,
    business_day,
    ident,
    instant,
    print_json,
    short,
    show,
    show_one,
    typed_day,
    typed_end,
    value_of,
)
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="产教组织 · bodies")
_Check = TypeVar("_Check", rpc.CheckBodyRequest, application_service_pb2.CheckApplicationRequest)
_kind = short(body_pb2.BodyKind, "BODY_KIND_")
_state = short(body_pb2.BodyState, "BODY_STATE_")
_role = short(body_pb2.MemberRole, "MEMBER_ROLE_")
_verdict = short(body_pb2.Verdict, "VERDICT_")
_severity = short(body_pb2.Severity, "SEVERITY_")
_VERDICT_ZH = {1: "符合", 2: "不符合", 3: "不适用", 4: "无法判断"}
_SEVERITY_ZH = {0: "", 1: "必须", 2: "原则上", 3: "鼓励"}
COLUMNS: list[Column] = [
    ("编号", "id", lambda b: ident(b.name)),
    ("名称", "name", lambda b: b.display_name),
    ("类别", "kind", lambda b: _kind(b.kind)),
    ("状态", "state", lambda b: _state(b.state)),
    ("成立", "formed", lambda b: b.formed_on),
    ("待补", "open findings", lambda b: len(b.open_findings)),
]
DETAILS: list[Column] = [
    *COLUMNS,
    ("地区", "region", lambda b: b.region_code),
    ("外部编号", "external key", lambda b: b.external_key),
    ("暂停", "suspended", lambda b: b.suspended_on),
    ("恢复", "resumed", lambda b: b.resumed_on),
    ("事实", "facts", facts.known),
    ("版本", "etag", lambda b: b.etag),
    ("更新", "updated", lambda b: instant(b.update_time)),
]
MEMBER_COLUMNS: list[Column] = [
    ("编号", "id", lambda m: ident(m.name)),
    ("单位", "organization", lambda m: ident(m.organization)),
    ("职务", "roles", lambda m: ", ".join(_role(role) for role in m.roles)),
    ("自", "from", lambda m: m.valid_from),
    ("至", "to", lambda m: m.valid_to),
]
MEMBER_DETAILS: list[Column] = [*MEMBER_COLUMNS, ("版本", "etag", lambda m: m.etag)]
FINDING_COLUMNS: list[Column] = [
    ("规则", "rule", lambda f: f.rule),
    ("条款", "clause", lambda f: f.clause),
    (
        "结论",
        "verdict",
        lambda f: _verdict(f.verdict) if context.language == "en" else _VERDICT_ZH[f.verdict],
    ),
    ("性质", "weight", lambda f: _severity(f.severity) if context.language == "en" else _SEVERITY_ZH[f.severity]),
    ("说明", "message", lambda f: _in_language(f.message)),
    ("改进", "fix", lambda f: _in_language(f.fix)),
    ("待填", "to enter", lambda f: ", ".join(f.missing)),
]
HISTORY_COLUMNS: list[Column] = [
    ("自", "since", lambda f: instant(f.since_time)),
    *FINDING_COLUMNS[:2],
    ("版本", "version", lambda f: f.rule_version),
    *FINDING_COLUMNS[2:],
]
_FACT_NAMES = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in facts.NAMES.items())
Facts = Annotated[
    list[str] | None,
    typer.Option(
        "--fact",
        metavar="NAME=VALUE",
        help=f"事实，值为空即未知，可重复 · a fact, unknown again where the value is empty; repeatable. {_FACT_NAMES}",
    ),
]


def _in_language(text: LocalizedText) -> str:
    return text.en if context.language == "en" else text.zh


@app.command("list")
def list_() -> None:
    """列出组织 · list bodies."""
    with explained():
        request = rpc.ListBodiesRequest(page_size=naming.PAGE)
        show(naming.every(stubs.registry().ListBodies, request, "bodies"), COLUMNS)


@app.command("show")
def show_(body: str) -> None:
    """查看组织 · show one body."""
    with explained():
        show_one(call(stubs.registry().GetBody, rpc.GetBodyRequest(name=naming.body(body))), DETAILS)


@app.command()
def create(
    name: str,
    kind: Annotated[str, typer.Option(help="如 alliance, community")],
    region: Annotated[str, typer.Option(help="行政区划代码或名称 · GB/T 2260 code or name")] = "",
    key: Annotated[str, typer.Option(help="外部编号 · external key")] = "",
    fact: Facts = None,
) -> None:
    """筹建 · open a body as a draft."""
    draft = body_pb2.Body(
        display_name=name,
        kind=value_of(body_pb2.BodyKind, "BODY_KIND_", kind),
        region_code=region,
        external_key=key,
    )
    with explained():
        facts.enter(draft, fact or ())
        show_one(call(stubs.registry().CreateBody, rpc.CreateBodyRequest(body=draft)), DETAILS)


@app.command()
def update(
    body: str,
    name: Annotated[str | None, typer.Option(help="名称 · name")] = None,
    region: Annotated[str | None, typer.Option(help="行政区划代码或名称 · GB/T 2260 code or name")] = None,
    key: Annotated[str | None, typer.Option(help="外部编号 · external key")] = None,
    fact: Facts = None,
    etag: Annotated[str, typer.Option(help=changes.ETAG)] = "",
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
) -> None:
    """修改 · change what a body is called and what is known of it; other facts stay."""
    with explained():
        changed = call(stubs.registry().GetBody, rpc.GetBodyRequest(name=naming.body(body)))
        paths = changes.enter(changed, display_name=name, region_code=region, external_key=key)
        paths += facts.enter(changed, fact or ())
        changes.require(paths)
        changed.etag = changes.etag(etag) or changed.etag  # the facts that stay are those just read
        request = rpc.UpdateBodyRequest(body=changed, update_mask=FieldMask(paths=paths), reason=reason)
        show_one(call(stubs.registry().UpdateBody, request), DETAILS)


At = Annotated[
    str,
    typer.Option(
        help="业务时间（如 2026-03-31T09:00）；只写日期即该日终了，当日即当前；缺省为当前 · "
        "as of a time, or of the end of a day, which today is now; now where left out"
    ),
]


def at_that_time(request: _Check, at: str, now: Timestamp) -> _Check:
    """The request of a check, of the time that was typed; `now` is the platform's."""
    today = business_day(now.ToDatetime(UTC))
    if typed_day(at) == today:
        request.check_time.CopyFrom(now)
    else:
        request.check_time.FromDatetime(typed_end(at))
    return request


@app.command()
def check(body: str, at: At = "") -> None:
    """逐条对照政策 · check against every rule, now or as it was said at a time."""
    with explained():
        request = rpc.CheckBodyRequest(name=naming.body(body))
        found = call(stubs.registry().CheckBody, request)
        if at:
            found = call(stubs.registry().CheckBody, at_that_time(request, at, found.check_time))
        show(found.findings, HISTORY_COLUMNS if at else FINDING_COLUMNS, title=found.body)


@app.command()
def findings(body: str, rule: Annotated[str, typer.Option(help="只看一条规则，如 R11 · only this rule")] = "") -> None:
    """历次结论 · what the rules said over time, the newest first."""
    with explained():
        request = rpc.ListFindingsRequest(parent=naming.body(body), rule=rule, page_size=naming.PAGE)
        show(naming.every(stubs.registry().ListFindings, request, "findings"), HISTORY_COLUMNS)


@app.command()
def form(body: str, reason: str = "") -> None:
    """成立 · form a draft."""
    with explained():
        request = rpc.FormBodyRequest(name=naming.body(body), reason=reason)
        show_one(call(stubs.registry().FormBody, request), COLUMNS)


@app.command()
def members(body: str, on: Annotated[str, typer.Option(help="日期 · date, YYYY-MM-DD")] = "") -> None:
    """列出成员 · list memberships."""
    with explained():
        request = rpc.ListMembershipsRequest(parent=naming.body(body), valid_on=on, page_size=naming.PAGE)
        found = naming.every(stubs.registry().ListMemberships, request, "memberships")
        names = naming.shown(*(one.organization for one in found))
        named: Column = ("名称", "name", lambda m: names.get(m.organization, ""))
        show(found, [*MEMBER_COLUMNS[1:2], named, *MEMBER_COLUMNS[2:]])


@app.command()
def join(
    body: str,
    organization: str,
    role: Annotated[list[str], typer.Option(help="如 chair, vice_chair, participant")],
    since: Annotated[str, typer.Option("--from", help="起始日 · first day, YYYY-MM-DD")],
    reason: str = "",
) -> None:
    """加入 · take an organization into a body."""
    with explained():
        membership = body_pb2.Membership(
            organization=naming.organization(organization),
            roles=[value_of(body_pb2.MemberRole, "MEMBER_ROLE_", one) for one in role],
            valid_from=since,
        )
        request = rpc.CreateMembershipRequest(parent=naming.body(body), membership=membership, reason=reason)
        show_one(call(stubs.registry().CreateMembership, request), MEMBER_DETAILS)


@app.command()
def leave(
    body: str,
    organization: str,
    reason: Annotated[str, typer.Option(help="原因 · why")],
    last: Annotated[str, typer.Option(help="末日，缺省为今日 · last day, YYYY-MM-DD; today where left out")] = "",
) -> None:
    """退出 · end an organization's membership."""
    with explained():
        request = rpc.EndMembershipRequest(name=_membership(body, organization), valid_to=last, reason=reason)
        show_one(call(stubs.registry().EndMembership, request), MEMBER_COLUMNS)


@app.command("change-member")
def change_member(
    body: str,
    organization: str,
    role: Annotated[list[str] | None, typer.Option(help="全部职务，如 chair；可重复 · all of its roles; repeatable")] = None,
    since: Annotated[str | None, typer.Option("--from", help="起始日 · first day, YYYY-MM-DD")] = None,
    until: Annotated[str | None, typer.Option("--to", help="末日，空为不定期 · last day, none where it is empty")] = None,
    etag: Annotated[str, typer.Option(help=changes.ETAG)] = "",
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
) -> None:
    """修改成员职务和起止日 · change a member's roles or days."""
    with explained():
        roles = [value_of(body_pb2.MemberRole, "MEMBER_ROLE_", one) for one in role] if role else None
        changed = body_pb2.Membership(name=_membership(body, organization), etag=changes.etag(etag))
        paths = changes.enter(changed, roles=roles, valid_from=since, valid_to=until)
        changes.require(paths)
        request = rpc.UpdateMembershipRequest(membership=changed, update_mask=FieldMask(paths=paths), reason=reason)
        show_one(call(stubs.registry().UpdateMembership, request), MEMBER_DETAILS)


def _membership(body: str, organization: str) -> str:
    """The membership that has no end yet, else the last one."""
    request = rpc.ListMembershipsRequest(
        parent=naming.body(body), organization=naming.organization(organization), page_size=naming.PAGE
    )
    found = naming.every(stubs.registry().ListMemberships, request, "memberships")
    if not found:
        fail(NOT_FOUND, t(f"{organization} 不是成员", f"{organization} is no member"))
    return str(max(found, key=lambda one: (not one.valid_to, one.valid_from)).name)


@app.command()
def suspend(body: str, reason: Annotated[str, typer.Option()]) -> None:
    """暂停 · suspend."""
    with explained():
        request = rpc.SuspendBodyRequest(name=naming.body(body), reason=reason)
        show_one(call(stubs.registry().SuspendBody, request), COLUMNS)


@app.command()
def resume(body: str, reason: Annotated[str, typer.Option()]) -> None:
    """恢复 · end a suspension."""
    with explained():
        request = rpc.ResumeBodyRequest(name=naming.body(body), reason=reason)
        show_one(call(stubs.registry().ResumeBody, request), COLUMNS)


@app.command()
def dissolve(body: str, reason: Annotated[str, typer.Option()]) -> None:
    """解散 · dissolve."""
    with explained():
        request = rpc.DissolveBodyRequest(name=naming.body(body), reason=reason)
        show_one(call(stubs.registry().DissolveBody, request), COLUMNS)


@app.command()
def bases(body: str) -> None:
    """联盟内共享实践基地与目标 · an alliance's shared practice bases against what it is to have (R44)."""
    with explained():
        request = listings_rpc.GetPracticeBaseTargetsRequest(body=naming.body(body))
        found = call(stubs.listings().GetPracticeBaseTargets, request)
        if context.output == "json":
            print_json(as_json(found))
            return
        goal = f"{found.target_min}–{found.target_max}" if found.target_min else t("无（只对联盟）", "none: an alliance's")
        columns: list[Column] = [
            ("已启用", "in use", lambda side: len(side.in_use)),
            ("在建或不足两校共享", "coming, or shared by too few", lambda side: len(side.coming)),
            ("目标", "target", lambda _: goal),
            ("达到", "reached", lambda side: (t("是", "yes") if side.reached else t("否", "no")) if found.target_min else "–"),
        ]
        show_one(found.schools, columns, title=t("高校", "universities and colleges"))
        show_one(found.enterprises, columns, title=t("企业", "enterprises"))
