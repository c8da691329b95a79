"""`alliance match`: matches 匹配, why they were made, and what comes of them."""

from collections.abc import Iterable
from datetime import UTC
from typing import Annotated, cast

import grpc
import typer

from alliance.listings.v1.listing_pb2 import Listing
from alliance.listings.v1.listings_service_pb2 import GetListingVersionRequest
from alliance.matching.v1 import match_pb2, statistics_service_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import review
from alliance_cli.errors import DENIED, explained, fail
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
    value_of,
    zh_of,
)
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="匹配 · matches")
_SCORED = ("proposed", "rescored")  # steps that give a score
_state = short(match_pb2.MatchState, "MATCH_STATE_")
_demand = short(rpc.SkillDemand, "SKILL_DEMAND_")
_reason = short(match_pb2.DeclineReason, "DECLINE_REASON_")


def _named(number: int) -> str:
    """Chinese name of a reason of decline."""
    return zh_of(match_pb2.DeclineReason, number)


def _declined(number: int) -> str:
    """A reason of decline; nothing where none was said."""
    return t(_named(number), _reason(number)) if number else ""


_REASONS = "、".join(f"{_reason(number)} {_named(number)}" for number in match_pb2.DeclineReason.values() if number)
COLUMNS: list[Column] = [
    ("编号", "id", lambda m: ident(m.name)),
    ("得分", "score", lambda m: m.score),
    ("状态", "state", lambda m: _state(m.state)),
    ("需求", "demand", lambda m: m.demand),
    ("供给", "supply", lambda m: m.supply),
    ("需方已接受", "demand accepted", lambda m: "✓" if m.demand_accepted else ""),
    ("供方已接受", "supply accepted", lambda m: "✓" if m.supply_accepted else ""),
    ("对接数量", "filled", lambda m: m.filled or ""),
    ("更新", "updated", lambda m: instant(m.update_time)),
]
PART_COLUMNS: list[Column] = [
    ("因素", "feature", lambda p: p.feature),
    ("权重", "weight", lambda p: p.weight),
    ("符合度", "value", lambda p: p.value),
    ("贡献", "contribution", lambda p: p.contribution),
    ("理由", "reason", lambda p: p.reason.en if context.language == "en" else p.reason.zh),
]
ALTERNATIVE_COLUMNS: list[Column] = [
    ("供给若", "if the supply had", lambda a: a.text.en if context.language == "en" else a.text.zh),
    ("得分为", "it would score", lambda a: a.score),
]
SKILL_COLUMNS: list[Column] = [
    ("技能", "skill", lambda s: s.skill),
    ("要求", "asked for", lambda s: _demand(s.demand)),
    (
        "供给",
        "offered",
        lambda s: t("具备", "yes") if s.is_offered else t("写明不具备", "says it lacks it") if s.is_lacking else "",
    ),
]
STEP_COLUMNS: list[Column] = [
    ("时间", "time", lambda s: instant(s.effective_at)),
    ("步骤", "step", lambda s: s.verb),
    ("状态", "state", lambda s: _state(s.state)),
    ("单位", "organization", lambda s: s.on_behalf_of),
    ("原因", "reason", lambda s: "：".join(filter(None, [_declined(s.decline_reason), s.reason]))),
]
DECLINE_COLUMNS: list[Column] = [
    ("婉拒原因", "declined for", lambda d: _declined(d.reason) or t("未说明", "not said")),
    ("数量", "count", lambda d: d.count),
]
BAND_COLUMNS: list[Column] = [
    ("得分段", "scores", lambda b: f"{b.lowest}–{b.highest}"),
    ("待定", "open", lambda b: b.open),
    ("双方接受", "accepted", lambda b: b.accepted),
    ("婉拒", "declined", lambda b: b.declined),
    ("失效", "ended", lambda b: b.ended),
    ("接受率", "acceptance", lambda b: f"{b.accepted / (b.accepted + b.declined):.0%}" if b.accepted + b.declined else ""),
]
Match = Annotated[str, typer.Argument(help="matches/… 或编号 · or id")]
Acting = Annotated[str, typer.Option("--as", help="代表的单位 · organization acted for")]


def _name(text: str) -> str:
    return naming.resource("matches", text)


def _columns(found: Iterable[match_pb2.Match]) -> list[Column]:
    """Columns that show the listings by their titles."""
    titles = naming.titles(name for one in found for name in (one.demand, one.supply))
    named: dict[str, Column] = {
        "demand": ("需求", "demand", lambda m: titles.get(m.demand, m.demand)),
        "supply": ("供给", "supply", lambda m: titles.get(m.supply, m.supply)),
    }
    return [named.get(column[1], column) for column in COLUMNS]


@app.command("list")
def list_(
    listing: str = "",
    acting: Acting = "",
    body: str = "",
    state: Annotated[list[str] | None, typer.Option(help="如 proposed, accepted")] = None,
) -> None:
    """列出匹配 · list matches of a listing, an organization or a body."""
    with explained():
        request = rpc.ListMatchesRequest(
            page_size=naming.PAGE,
            states=[value_of(match_pb2.MatchState, "MATCH_STATE_", one) for one in state or []],
        )
        if listing:
            request.listing = naming.resource("listings", listing)
        elif body:
            request.body = naming.body(body)
        else:
            request.organization = naming.organization(acting)
        found = naming.every(stubs.matching().ListMatches, request, "matches")
        show(found, COLUMNS if context.output == "json" else _columns(found))


@app.command()
def stats(
    acting: Acting = "",
    body: str = "",
    platform: Annotated[bool, typer.Option("--platform")] = False,
    by_reason: Annotated[bool, typer.Option("--by-reason", help="按婉拒原因 · declined ones by their reasons")] = False,
) -> None:
    """各得分段的接受率 · how many of each band of score were accepted, of an organization, a body or the platform."""
    with explained():
        request = statistics_service_pb2.GetAcceptanceRequest()
        if body:
            request.body = naming.body(body)
        elif not platform:
            request.organization = naming.organization(acting)
        found = call(stubs.statistics().GetAcceptance, request)
        if by_reason:
            show(found.declines, DECLINE_COLUMNS)
        else:
            show(found.bands, BAND_COLUMNS)


@app.command()
def why(match: Match) -> None:
    """为什么匹配 · why it was made, and every step since."""
    with explained():
        found = call(stubs.matching().ExplainMatch, rpc.ExplainMatchRequest(name=_name(match)))
        if context.output == "json":
            show_one(found, [])
            return
        title = t(f"得分 {found.match.score} = 各项贡献之和", f"score {found.match.score} = sum of contributions")
        show(found.match.parts, PART_COLUMNS, title=f"{title} · {found.match.algorithm_version}")
        if found.match.gaps:
            typer.echo(t("缺口：", "gaps: ") + "、".join(found.match.gaps))
        if found.skills:
            show(found.skills, SKILL_COLUMNS, title=t("所需技能", "skills asked for"))
        if found.alternatives:
            show(found.alternatives, ALTERNATIVE_COLUMNS, title=t("怎样更合适", "what would fit better"))
        if found.fits_until:
            typer.echo(t(f"双方有效至 {found.fits_until}", f"both are valid until {found.fits_until}"))
        if found.HasField("alike"):
            typer.echo(t(found.alike.text.zh, found.alike.text.en))
        show(found.steps, STEP_COLUMNS, title=t("过程", "steps"))


def _as_it_was(listing: str, version: int) -> Listing:
    """A listing at the version that was scored. It is there, as the caller sees its match: what is not found is not for the
    caller to read, and it ends with that.
    """
    try:
        return cast(Listing, call(stubs.listings().GetListingVersion, GetListingVersionRequest(name=listing, version=version)))
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        zh = f"{listing} 第 {version} 版限其发布单位、所列组织的秘书处和审计、平台读取；请向双方所列组织的秘书处或平台索取"
        en = (
            f"version {version} of {listing} is for its issuer, for secretariats and auditors of the bodies that it names, and"
            " for the platform; ask a secretariat of both, or the platform, for the evidence"
        )
        fail(DENIED, f"PERMISSION_DENIED {t(zh, en)}")


@app.command()
def evidence(match: Match) -> None:
    """匹配证据（JSON），限秘书处、审计和平台 · for secretariats, auditors and the platform: by what it was scored, for
    `python -m matching.recompute`, the match and both listings as they were.
    """
    with explained():
        found = call(stubs.matching().ExplainMatch, rpc.ExplainMatchRequest(name=_name(match)))
        shown, scored = found.match, [step for step in found.steps if step.verb in _SCORED]
        sides = {"demand": (shown.demand, shown.demand_version), "supply": (shown.supply, shown.supply_version)}
        listings = {side: _as_it_was(name, version) for side, (name, version) in sides.items()}
        on = business_day(scored[-1].effective_at.ToDatetime(UTC))
        told = {"match": as_json(shown), **{side: as_json(one) for side, one in listings.items()}, "scored_on": on.isoformat()}
        print_json(told)


@app.command()
def accept(match: Match, acting: Acting = "", reason: str = "") -> None:
    """接受 · accept for one side."""
    with explained():
        request = rpc.AcceptMatchRequest(name=_name(match), organization=naming.organization(acting), reason=reason)
        show_one(call(stubs.matching().AcceptMatch, request), COLUMNS)


@app.command()
def decline(
    match: Match,
    reason: Annotated[str, typer.Option(help=_REASONS)],
    note: Annotated[str, typer.Option(help="补充说明，other 时必填 · in words; required with other")] = "",
    acting: Acting = "",
) -> None:
    """婉拒 · decline for one side, for a reason of the list."""
    with explained():
        why = value_of(match_pb2.DeclineReason, "DECLINE_REASON_", reason)
        request = rpc.DeclineMatchRequest(
            name=_name(match), organization=naming.organization(acting), decline_reason=why, reason=note
        )
        show_one(call(stubs.matching().DeclineMatch, request), COLUMNS)


@app.command()
def start(match: Match, acting: Acting = "", reason: str = "") -> None:
    """开始对接 · start the work."""
    with explained():
        request = rpc.StartMatchRequest(name=_name(match), organization=naming.organization(acting), reason=reason)
        show_one(call(stubs.matching().StartMatch, request), COLUMNS)


@app.command()
def complete(
    match: Match,
    reason: Annotated[str, typer.Option()],
    acting: Acting = "",
    failed: Annotated[bool, typer.Option("--failed", help="未达成 · it failed")] = False,
    quantity: Annotated[
        int, typer.Option(help="对接完成的数量（岗位、人、项目），不填为 1 · how many it filled; 1 where 0")
    ] = 0,
) -> None:
    """结束 · end the work: fulfilled, or failed."""
    outcome = rpc.MATCH_OUTCOME_FAILED if failed else rpc.MATCH_OUTCOME_FULFILLED
    with explained():
        request = rpc.CompleteMatchRequest(
            name=_name(match), organization=naming.organization(acting), reason=reason, outcome=outcome, quantity=quantity
        )
        show_one(call(stubs.matching().CompleteMatch, request), COLUMNS)


app.add_typer(review.app, name="review")
