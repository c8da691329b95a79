"""`alliance search`: what the caller may see, structure first, text after."""

from typing import Annotated

import typer

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, short, show, value_of
from alliance_cli.session import call, context, t

_kind = short(listing_pb2.ListingKind, "LISTING_KIND_")
COLUMNS: list[Column] = [
    ("相关度", "relevance", lambda h: f"{h.relevance:.2f}"),
    ("类别", "kind", lambda h: _kind(h.listing.kind)),
    ("标题", "title", lambda h: h.listing.title),
    ("地区", "regions", lambda h: ", ".join(h.listing.region_codes)),
    ("编号", "name", lambda h: h.listing.name),
]


def search(
    query: Annotated[str, typer.Argument(help="要找的词 · words to look for")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="如 job_position")] = None,
    region: Annotated[str, typer.Option(help="GB/T 2260 代码 · code")] = "",
    body: str = "",
    source: str = "",
    most: Annotated[int, typer.Option("--most", "-n", help="最多条数 · at most")] = 20,
) -> None:
    """检索供需信息 · search listings."""
    with explained():
        request = rpc.SearchListingsRequest(
            query=query,
            page_size=most,
            kinds=[value_of(listing_pb2.ListingKind, "LISTING_KIND_", one) for one in kind or []],
            region_code=region,
            body=naming.body(body) if body else "",
            source=source,
        )
        answer = call(stubs.matching().SearchListings, request)
    show(answer.hits, COLUMNS)
    if context.output == "table":
        typer.echo(t(f"符合条件共 {answer.total_size} 条", f"{answer.total_size} in all"))
