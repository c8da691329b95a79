"""`alliance search`: what the caller may see, structure first, text after; and searches that are saved."""

from typing import Annotated, Any

import grpc
import typer
from typer.core import TyperGroup

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance.matching.v1 import search_pb2, search_service_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, Marked, called, ident, instant, show, show_one, value_of
from alliance_cli.session import call, context, t
from codes import regions

_TRIES = 3  # times that pages are asked for anew
_MET = "alliance.matching.search.met.v1"


class _Searching(TyperGroup):
    """`alliance search 工程师` is `alliance search for 工程师`: what names no command is what is looked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See click."""
        is_named = bool(args) and args[0] in (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else ["for", *args])


app = typer.Typer(cls=_Searching, help="检索 · search; alliance search QUERY = alliance search for QUERY")
_kind = called(listing_pb2.ListingKind, "LISTING_KIND_")
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


SAVED_COLUMNS: list[Column] = [
    ("编号", "id", lambda s: ident(s.name)),
    ("名称", "name", lambda s: s.display_name),
    ("检索词", "query", lambda s: s.query),
    ("类别", "kinds", lambda s: ", ".join(_kind(one) for one in s.kinds)),
    ("地区", "region", lambda s: s.region_code),
    ("组织", "body", lambda s: s.body),
    ("发布单位", "issuer", lambda s: s.issuer),
    ("最近符合", "met last by", lambda s: s.latest.title),
    ("保存", "saved", lambda s: instant(s.create_time)),
]


def _kinds(kinds: list[str] | None) -> list[Any]:
    return [value_of(listing_pb2.ListingKind, "LISTING_KIND_", one) for one in kinds or []]


def _marked(hit: rpc.SearchHit, field: str) -> Marked | None:
    """A field with the words of the query marked; None where none stands in it."""
    found = (one for one in hit.highlights if one.field == field)
    return next((Marked(one.text, [(span.start, span.end) for span in one.spans]) for one in found), None)


def _value(found: rpc.FacetCount) -> str:
    """A value as people call it."""
    if found.facet == "region":
        return f"{regions.name(found.value)} {found.value}"
    if found.facet == "kind" and found.value in listing_pb2.ListingKind.keys():  # noqa: SIM118 - no mapping
        return _kind(listing_pb2.ListingKind.Value(found.value))
    return found.value


Kinds = Annotated[list[str] | None, typer.Option("--kind", help="如 job_position")]
Region = Annotated[str, typer.Option(help="GB/T 2260 代码 · code")]
Issuer = Annotated[str, typer.Option(help="发布单位 · organization that issued it")]
Acting = Annotated[str, typer.Option("--as", help="代表的单位 · organization acted for")]


@app.command("for")
def search(
    query: Annotated[str, typer.Argument(help="要找的词 · words to look for")] = "",
    kind: Kinds = None,
    region: Region = "",
    body: str = "",
    issuer: Issuer = "",
    source: str = "",
    facet: Annotated[list[str] | None, typer.Option(help="按此计数 · count by: kind, region, issuer, source")] = None,
    most: Annotated[int, typer.Option("--most", "-n", help="最多条数 · at most")] = 20,
) -> None:
    """检索供需信息 · search listings."""
    with explained():
        request = rpc.SearchListingsRequest(
            query=query,
            page_size=most,
            kinds=_kinds(kind),
            region_code=region,
            body=naming.body(body) if body else "",
            issuer=naming.organization(issuer) if issuer else "",
            source=source,
            facets=facet or [],
        )
        answer = call(stubs.matching().SearchListings, request)
        hits = _first(most, answer, request)
    show(hits, COLUMNS)
    if context.output == "table":
        if answer.facets:
            show(answer.facets, FACET_COLUMNS, title=t("计数", "counts"))
        typer.echo(t(f"符合条件共 {answer.total_size} 条", f"{answer.total_size} in all"))


def _first(most: int, answer: rpc.SearchListingsResponse, request: rpc.SearchListingsRequest) -> list[rpc.SearchHit]:
    """Hits of an answer and of the pages behind it, until there are enough. What its pages are of may be kept no more, as when
    the service has begun anew: then from the first page again.
    """
    for _ in range(_TRIES):
        try:
            return _followed(most, answer, request)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
                raise
        request.page_token = ""
        answer = call(stubs.matching().SearchListings, request)
    return _followed(most, answer, request)


def _followed(most: int, answer: rpc.SearchListingsResponse, request: rpc.SearchListingsRequest) -> list[rpc.SearchHit]:
    hits = list(answer.hits)
    while len(hits) < most and answer.next_page_token:
        request.page_token = answer.next_page_token
        answer = call(stubs.matching().SearchListings, request)
        hits += answer.hits
    return hits[:most]


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="名称 · what to call it")],
    query: Annotated[str, typer.Argument(help="要找的词 · words to look for")] = "",
    kind: Kinds = None,
    region: Region = "",
    body: str = "",
    issuer: Issuer = "",
    source: str = "",
    acting: Acting = "",
) -> None:
    """保存检索，有新的符合项时通知 · save a search; what comes to meet it is told, to the inbox at least."""
    with explained():
        organization = naming.organization(acting)
        given = search_pb2.SavedSearch(
            organization=organization,
            display_name=name,
            query=query,
            kinds=_kinds(kind),
            region_code=region,
            body=naming.body(body) if body else "",
            issuer=naming.organization(issuer) if issuer else "",
            source=source,
        )
        made = call(stubs.searches().SaveSearch, search_service_pb2.SaveSearchRequest(search=given))
        _hear(organization)
        show_one(made, SAVED_COLUMNS)


def _hear(organization: str) -> None:
    """Subscribe to what meets saved searches, unless the organization does already."""
    request = notify_service_pb2.ListSubscriptionsRequest(organization=organization, page_size=naming.PAGE)
    known = naming.every(stubs.notify().ListSubscriptions, request, "subscriptions")
    wanted = {_MET, "alliance.matching.search.*.v1"}
    if not any(one.state == notify_pb2.SUBSCRIPTION_STATE_ACTIVE and wanted & set(one.event_types) for one in known):
        subscription = notify_pb2.Subscription(
            organization=organization,
            event_types=[_MET],
            channel=notify_pb2.CHANNEL_INBOX,
            language=value_of(notify_pb2.Language, "LANGUAGE_", context.language),
        )
        call(stubs.notify().CreateSubscription, notify_service_pb2.CreateSubscriptionRequest(subscription=subscription))


@app.command()
def saved(acting: Acting = "") -> None:
    """列出已保存的检索 · list saved searches."""
    with explained():
        request = search_service_pb2.ListSavedSearchesRequest(organization=naming.organization(acting), page_size=naming.PAGE)
        show(naming.every(stubs.searches().ListSavedSearches, request, "saved_searches"), SAVED_COLUMNS)


@app.command()
def forget(search: Annotated[str, typer.Argument(help="searches/… 或编号 · or id")]) -> None:
    """删除已保存的检索 · forget a saved search."""
    with explained():
        request = search_service_pb2.DeleteSavedSearchRequest(name=naming.resource("searches", search))
        show_one(call(stubs.searches().DeleteSavedSearch, request), SAVED_COLUMNS)
