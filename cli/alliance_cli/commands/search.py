"""`alliance search`: what the caller may see, structure first, text after."""

from typing import Annotated

import typer

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, Marked, short, show, value_of
from alliance_cli.session import call, context, t
from codes import regions

_kind = short(listing_pb2.ListingKind, "LISTING_KIND_")
COLUMNS: list[Column] = [
    ("相关度", "relevance", lambda h: f"{h.relevance:.2f}"),
    ("类别", "kind", lambda h: _kind(h.listing.kind)),
    ("标题", "title", lambda h: _marked(h, "title") or h.listing.title),
    ("描述", "description", lambda h: _marked(h, "description") or ""),
    ("地区", "regions", lambda h: ", ".join(h.listing.region_codes)),
    ("编号", "name", lambda h: h.listing.name),
]


FACET_COLUMNS: list[Column] = [
    ("分面", "facet", lambda f: f.facet),
    ("值", "value", lambda f: _value(f)),
    ("条数", "hits", lambda f: f.count),
]


def _marked(hit: rpc.SearchHit, field: str) -> Marked | None:
    """A field with the words of the query marked; None where none stands in it."""
    found = (one for one in hit.highlights if one.field == field)
    return next((Marked(one.text, [(span.start, span.end) for span in one.spans]) for one in found), None)


def _value(found: rpc.FacetCount) -> str:
    """A value as people call it."""
    if found.facet == "region":
        return f"{regions.name(found.value)} {found.value}"
    return found.value.removeprefix("LISTING_KIND_").lower() if found.facet == "kind" else found.value


def search(
    query: Annotated[str, typer.Argument(help="要找的词 · words to look for")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="如 job_position")] = None,
    region: Annotated[str, typer.Option(help="GB/T 2260 代码 · code")] = "",
    body: str = "",
    source: str = "",
    facet: Annotated[list[str] | None, typer.Option(help="按此计数 · count by: kind, region, issuer, source")] = None,
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
            facets=facet or [],
        )
        answer = call(stubs.matching().SearchListings, request)
    show(answer.hits, COLUMNS)
    if context.output == "table":
        if answer.facets:
            show(answer.facets, FACET_COLUMNS, title=t("计数", "counts"))
        typer.echo(t(f"符合条件共 {answer.total_size} 条", f"{answer.total_size} in all"))
