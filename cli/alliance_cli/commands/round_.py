"""`alliance round`: rounds 发布期次 of a body."""

from typing import Annotated

import typer

from alliance.listings.v1 import listing_pb2, round_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, short, show, show_one
from alliance_cli.session import call

app = typer.Typer(no_args_is_help=True, help="发布期次 · rounds")
_kind = short(listing_pb2.ListingKind, "LISTING_KIND_")
_round = short(round_pb2.RoundKind, "ROUND_KIND_")
_state = short(round_pb2.RoundState, "ROUND_STATE_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda r: ident(r.name)),
    ("期次", "period", lambda r: r.period),
    ("类别", "kind", lambda r: _round(r.kind)),
    ("起", "opens", lambda r: r.opens_on),
    ("止", "closes", lambda r: r.closes_on),
    ("状态", "state", lambda r: _state(r.state)),
    ("条数", "listings", lambda r: sum(count.listings for count in r.counts)),
    ("分类", "by kind", lambda r: ", ".join(f"{_kind(c.kind)} {c.listings}" for c in r.counts)),
]


@app.command("list")
def list_(body: str) -> None:
    """列出期次 · list a body's rounds."""
    with explained():
        request = rpc.ListRoundsRequest(body=naming.body(body), page_size=naming.PAGE)
        show(naming.every(stubs.listings().ListRounds, request, "rounds"), COLUMNS)


@app.command("open-first")
def open_first(
    body: str,
    opens: Annotated[str, typer.Option(help="理事会首日 · first day of the council, YYYY-MM-DD")],
    closes: Annotated[str, typer.Option(help="理事会末日 · last day of the council, YYYY-MM-DD")],
) -> None:
    """首期发布 · open the first round, during the first council (S0 附件1 二(二))."""
    with explained():
        request = rpc.OpenFirstRoundRequest(body=naming.body(body), council_opens_on=opens, council_closes_on=closes)
        show_one(call(stubs.listings().OpenFirstRound, request), COLUMNS)
