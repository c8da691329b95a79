"""`alliance round`: rounds 发布期次 of a body."""

from typing import Annotated, Any

import typer

from alliance.listings.v1 import listing_pb2, round_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, called, ident, short, show, show_one, value_of
from alliance_cli.session import call, t

app = typer.Typer(no_args_is_help=True, help="发布期次 · rounds")
_kind = called(listing_pb2.ListingKind, "LISTING_KIND_")
_round = short(round_pb2.RoundKind, "ROUND_KIND_")
_change = called(round_pb2.RoundChange, "ROUND_CHANGE_")
_state = short(round_pb2.RoundState, "ROUND_STATE_")
_listing_state = called(listing_pb2.ListingState, "LISTING_STATE_")
Changes = Annotated[list[str] | None, typer.Option("--change", help="added | revised | kept | removed")]
COLUMNS: list[Column] = [
    ("编号", "id", lambda r: ident(r.name)),
    ("期次", "period", lambda r: r.period),
    ("类别", "kind", lambda r: _round(r.kind)),
    ("起", "opens", lambda r: r.opens_on),
    ("止", "closes", lambda r: r.closes_on),
    ("状态", "state", lambda r: _state(r.state)),
    ("条数", "listings", lambda r: sum(count.listings for count in r.counts)),
    ("分类", "by kind", lambda r: ", ".join(f"{_kind(c.kind)} {c.listings}" for c in r.counts)),
    ("未发布", "silent", lambda r: r.silent_members),
]
ENTRIES: list[Column] = [
    ("变化", "change", lambda e: _change(e.change)),
    ("编号", "id", lambda e: ident(e.listing.name)),
    ("类别", "kind", lambda e: _kind(e.listing.kind)),
    ("状态", "state", lambda e: _listing_state(e.listing.state) if e.version else ""),
    ("标题", "title", lambda e: e.listing.title),
    ("发布单位", "issuer", lambda e: ident(e.listing.issuer)),
    ("数量", "quantity", lambda e: e.listing.quantity or ""),
    ("版本", "version", lambda e: e.version or ""),
]


def changes(chosen: list[str] | None) -> list[Any]:
    """The changes since what was told last that an option names."""
    return [value_of(round_pb2.RoundChange, "ROUND_CHANGE_", one) for one in chosen or ()]


@app.command("list")
def list_(body: str) -> None:
    """列出期次 · list a body's rounds."""
    with explained():
        request = rpc.ListRoundsRequest(body=naming.body(body), page_size=naming.PAGE)
        show(naming.every(stubs.listings().ListRounds, request, "rounds"), COLUMNS)


@app.command("open-first")
def open_first(
    body: str,
    opens: Annotated[str, typer.Option("--opens", "--from", help="理事会首日 · first day of the council, YYYY-MM-DD")],
    closes: Annotated[str, typer.Option("--closes", "--to", help="理事会末日 · last day of the council, YYYY-MM-DD")],
) -> None:
    """首期发布 · open the first round, during the first council (S0 附件1 二(二))."""
    with explained():
        request = rpc.OpenFirstRoundRequest(body=naming.body(body), council_opens_on=opens, council_closes_on=closes)
        show_one(call(stubs.listings().OpenFirstRound, request), COLUMNS)


@app.command("move-first")
def move_first(
    round_: Annotated[str, typer.Argument(metavar="ROUND")],
    opens: Annotated[str, typer.Option("--opens", "--from", help="改后理事会首日 · first day of the council, YYYY-MM-DD")],
    closes: Annotated[str, typer.Option("--closes", "--to", help="改后理事会末日 · last day of the council, YYYY-MM-DD")],
    reason: Annotated[str, typer.Option(help="原因 · why")],
) -> None:
    """首期改期 · put the first round on other days, while it is open (R54)."""
    with explained():
        name = naming.resource("rounds", round_)
        request = rpc.MoveFirstRoundRequest(name=name, council_opens_on=opens, council_closes_on=closes, reason=reason)
        show_one(call(stubs.listings().MoveFirstRound, request), COLUMNS)


@app.command("compile")
def compile_(round_: Annotated[str, typer.Argument(metavar="ROUND")], reason: Annotated[str, typer.Option()]) -> None:
    """编制并冻结年度清单 · compile a list of a year now, and freeze it (R43, R57, R58)."""
    with explained():
        request = rpc.CompileRoundRequest(name=naming.resource("rounds", round_), reason=reason)
        show_one(call(stubs.listings().CompileRound, request), COLUMNS)


@app.command()
def entries(
    round_: Annotated[str, typer.Argument(metavar="ROUND")],
    change: Changes = None,
) -> None:
    """一期的内容及与上期的变化 · what a closed round holds, with what changed since the one before."""
    with explained():
        request = rpc.ListRoundEntriesRequest(
            round=naming.resource("rounds", round_), changes=changes(change), page_size=naming.PAGE
        )
        show(naming.every(stubs.listings().ListRoundEntries, request, "entries"), ENTRIES)


@app.command()
def silent(round_: Annotated[str, typer.Argument(metavar="ROUND")]) -> None:
    """未发布的成员 · members that have nothing in a round."""
    allowed = t(
        "未发布成员只供该组织的秘书处、审计、工作专班和牵头部门及平台查看；成员可用 round entries 看一期的内容",
        "who has nothing in a round is for the body's secretariat, its auditors, task force and lead departments, and the "
        "platform; members read what it holds by round entries",
    )
    with explained(allowed):
        request = rpc.ListSilentMembersRequest(round=naming.resource("rounds", round_), page_size=naming.PAGE)
        found = naming.every(stubs.listings().ListSilentMembers, request, "silences")
        known = naming.display_names(one.organization for one in found)
        columns: list[Column] = [
            ("单位", "organization", lambda s: known.get(s.organization, s.organization)),
            ("上次发布", "last round", lambda s: ident(s.last_round)),
        ]
        show(found, columns)
