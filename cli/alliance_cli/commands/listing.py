"""`alliance listing`: enter, publish, revise, withdraw, fulfil, import."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import importing, naming, stubs
from alliance_cli.errors import PARTLY, explained
from alliance_cli.output import Column, console, instant, print_json, short, show, show_one, value_of
from alliance_cli.session import call, context, t
from intake import Mapping, WrongError

app = typer.Typer(no_args_is_help=True, help="供需信息 · listings")
_kind = short(listing_pb2.ListingKind, "LISTING_KIND_")
_state = short(listing_pb2.ListingState, "LISTING_STATE_")
_visibility = short(listing_pb2.Visibility, "VISIBILITY_")
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
    kind: Annotated[list[str] | None, typer.Option()] = None,
    issuer: str = "",
    body: str = "",
    region: str = "",
    state: Annotated[list[str] | None, typer.Option(help="如 draft, published")] = None,
    most: Annotated[int, typer.Option("--most", "-n")] = 100,
) -> None:
    """列出供需信息 · list listings that the caller may see."""
    with explained():
        request = rpc.ListListingsRequest(
            page_size=min(most, naming.PAGE),
            kinds=[value_of(listing_pb2.ListingKind, "LISTING_KIND_", one) for one in kind or []],
            states=[value_of(listing_pb2.ListingState, "LISTING_STATE_", one) for one in state or []],
            issuer=naming.organization(issuer) if issuer else "",
            body=naming.body(body) if body else "",
            region_code=region,
        )
        show(naming.every(stubs.listings().ListListings, request, "listings", most), COLUMNS)


@app.command("show")
def show_(listing: str) -> None:
    """查看一条 · show one listing."""
    with explained():
        found = call(stubs.listings().GetListing, rpc.GetListingRequest(name=_name(listing)))
    if context.output == "json":
        show_one(found, [])
        return
    show_one(found, [*COLUMNS, ("说明", "description", lambda x: x.description)])


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
    file: Annotated[Path, typer.Argument(help="JSON：只写要改的字段 · JSON with the fields to change, and no others")],
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


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help=".csv, .csv.gz, .xlsx")],
    kind: Annotated[str, typer.Option()],
    mapping: Annotated[str, typer.Option("--map", help="映射文件或自带映射名 · mapping file, or name of a built-in one")],
    acting: Acting = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查 · check only")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="留作草稿，不发布 · leave as drafts")] = False,
    receipts: Annotated[Path | None, typer.Option(help="回执文件 · receipts, .csv")] = None,
) -> None:
    """导入文件：逐行给出回执 · import a file, with a receipt for every row."""
    chosen = _mapping(mapping)
    target = receipts or file.with_name(f"{file.name}.receipts.csv")
    number = importing.sound(file, chosen, target)
    with explained():
        header = rpc.ImportHeader(
            issuer=naming.organization(acting),
            source=chosen.source,
            kind=value_of(listing_pb2.ListingKind, "LISTING_KIND_", kind),
            dry_run=dry_run,
            publish=not draft,
        )
        with _progress() as bar:
            task = bar.add_task(t("导入", "importing"), total=number)
            result = importing.run(file, chosen, header, target, lambda done: bar.update(task, completed=done))
    if context.output == "json":
        print_json({"receipts": str(target), "seconds": round(result.seconds, 3), **result.outcomes})
    else:
        counted = " · ".join(f"{outcome} {number}" for outcome, number in result.outcomes.items())
        rate = result.rows / result.seconds if result.seconds else 0
        console.print(f"{counted} · {result.seconds:.1f} s · {rate:,.0f} {t('行/秒', 'rows/s')}", highlight=False)
        console.print(t(f"逐行回执：{target}", f"receipts: {target}"), highlight=False)
    if result.outcomes["refused"]:
        raise typer.Exit(PARTLY)


def _mapping(text: str) -> Mapping:
    try:
        return Mapping.load(text)
    except WrongError as error:
        raise typer.BadParameter(t(error.zh, error.en)) from error


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console if context.output == "table" else None,
        disable=context.output == "json",
    )
