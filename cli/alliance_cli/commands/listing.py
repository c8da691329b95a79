"""`alliance listing`: enter, publish, revise, withdraw, fulfil; what comes and goes as tables stands in `tables`."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import exporting, naming, stubs
from alliance_cli.commands import round_, tables
from alliance_cli.errors import explained
from alliance_cli.output import Column, called, instant, show, show_one
from alliance_cli.session import call, context, t

app = typer.Typer(no_args_is_help=True, help="供需信息 · listings")
_kind = called(listing_pb2.ListingKind, "LISTING_KIND_")
_state = called(listing_pb2.ListingState, "LISTING_STATE_")
_visibility = called(listing_pb2.Visibility, "VISIBILITY_")
_CAPITAL = re.compile("[A-Z]")
COLUMNS: list[Column] = [
    ("编号", "name", lambda x: x.name),
    ("类别", "kind", lambda x: _kind(x.kind)),
    ("标题", "title", lambda x: x.title),
    ("状态", "state", lambda x: _state(x.state)),
    ("可见", "visibility", lambda x: _visibility(x.visibility)),
    ("地区", "regions", lambda x: ", ".join(x.region_codes)),
    ("有效至", "valid to", lambda x: x.valid_to),
    ("发布", "published", lambda x: instant(x.publish_time)),
]
Acting = Annotated[str, typer.Option("--as", help="代表的单位 · organization acted for")]


def _name(text: str) -> str:
    return naming.resource("listings", text)


@app.command("list")
def list_(
    kind: tables.Kinds = None,
    issuer: str = "",
    body: str = "",
    region: str = "",
    state: tables.States = None,
    most: Annotated[int, typer.Option("--most", "-n")] = 100,
) -> None:
    """列出供需信息 · list listings that the caller may see."""
    with explained():
        request = tables.wanted(kind, issuer, body, region, state)
        request.page_size = min(most, naming.PAGE)
        show(naming.every(stubs.listings().ListListings, request, "listings", most), COLUMNS)


@app.command("show")
def show_(listing: str) -> None:
    """查看一条 · show one listing."""
    with explained():
        found = call(stubs.listings().GetListing, rpc.GetListingRequest(name=_name(listing)))
        if context.output == "json":
            show_one(found, [])
            return
        details: list[Column] = [(zh, en, _always(cell)) for zh, en, cell in exporting.details(found)]
    show_one(found, [*COLUMNS, ("说明", "description", lambda x: x.description), *details])


def _always(cell: object) -> Callable[[Any], object]:
    return lambda _: cell


@app.command()
def entries(
    listing: Annotated[str, typer.Argument(help="清单的编号 · id of a list")],
    kind: tables.Kinds = None,
    change: round_.Changes = None,
) -> None:
    """已发布清单的内容及与上期的变化 · what a published list holds, with what changed since the one before (R43)."""
    with explained():
        request = tables.wanted_entries(_name(listing), kind, round_.changes(change))
        show(naming.every(stubs.listings().ListSupplyDemandEntries, request, "entries"), round_.ENTRIES)


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="JSON：合同中的 Listing · JSON of the contract's Listing")],
    acting: Acting = "",
    publish: Annotated[bool, typer.Option("--publish", help="随即发布 · publish at once")] = False,
) -> None:
    """新建一条 · enter a listing from a JSON file."""
    listing = _written(file)
    with explained():
        listing.issuer = naming.organization(acting)
        listing.bodies[:] = [naming.body(one) for one in listing.bodies]
        made = call(stubs.listings().CreateListing, rpc.CreateListingRequest(listing=listing))
        if publish:
            made = call(stubs.listings().PublishListing, rpc.PublishListingRequest(name=made.name))
        show_one(made, COLUMNS)


@app.command()
def revise(
    listing: str,
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON：只写要改的字段；类别详情（如 jobPosition）写全，整体替换 · JSON with the fields to change alone; "
            "details of a kind (jobPosition) whole: they take the place of what is there"
        ),
    ],
    reason: Annotated[str, typer.Option(help="原因 · why")] = "",
) -> None:
    """修订 · change fields of a listing; refused where somebody else changed it meanwhile."""
    after = _written(file)
    fields = json.loads(file.read_text(encoding="utf-8"))  # also those that are emptied
    mask = FieldMask(paths=[_CAPITAL.sub(lambda found: f"_{found[0].lower()}", field) for field in fields])
    with explained():
        before = call(stubs.listings().GetListing, rpc.GetListingRequest(name=_name(listing)))
        after.name, after.etag = before.name, before.etag
        request = rpc.UpdateListingRequest(listing=after, update_mask=mask, reason=reason)
        show_one(call(stubs.listings().UpdateListing, request), COLUMNS)


def _written(file: Path) -> listing_pb2.Listing:
    """The listing in a JSON file."""
    try:
        return json_format.Parse(file.read_text(encoding="utf-8"), listing_pb2.Listing())
    except (json_format.ParseError, OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(t(f"JSON 与合同不符：{error}", f"the JSON does not fit the contract: {error}")) from error


@app.command()
def publish(listing: str) -> None:
    """发布 · publish a draft."""
    with explained():
        show_one(call(stubs.listings().PublishListing, rpc.PublishListingRequest(name=_name(listing))), COLUMNS)


@app.command()
def withdraw(listing: str, reason: Annotated[str, typer.Option()]) -> None:
    """撤回 · withdraw."""
    with explained():
        request = rpc.WithdrawListingRequest(name=_name(listing), reason=reason)
        show_one(call(stubs.listings().WithdrawListing, request), COLUMNS)


@app.command()
def fulfil(listing: str, reason: Annotated[str, typer.Option()]) -> None:
    """达成 · mark as fulfilled."""
    with explained():
        request = rpc.FulfilListingRequest(name=_name(listing), reason=reason)
        show_one(call(stubs.listings().FulfilListing, request), COLUMNS)


for _called, _command in (("template", tables.template), ("import", tables.import_), ("export", tables.export)):
    app.command(_called)(_command)
