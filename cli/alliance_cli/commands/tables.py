"""`alliance listing template | import | export`: listings as spreadsheets and other tables."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import grpc
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from alliance.listings.v1 import listing_pb2, round_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import exporting, importing, naming, rows, stubs
from alliance_cli.errors import PARTLY, UNEXPECTED, explained, fail
from alliance_cli.output import console, errors, print_json, value_of
from alliance_cli.session import context, t
from intake import Mapping, WrongError

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_HELD = (round_pb2.ROUND_CHANGE_ADDED, round_pb2.ROUND_CHANGE_REVISED, round_pb2.ROUND_CHANGE_KEPT)
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="如 job_position")]
States = Annotated[list[str] | None, typer.Option("--state", help="如 draft, published")]


def wanted(kinds: list[str] | None, issuer: str, body: str, region: str, states: list[str] | None) -> rpc.ListListingsRequest:
    """The request for the listings that the options of `list` and `export` name."""
    return rpc.ListListingsRequest(
        kinds=[_kind(one) for one in kinds or []],
        states=[value_of(listing_pb2.ListingState, "LISTING_STATE_", one) for one in states or []],
        issuer=naming.organization(issuer) if issuer else "",
        body=naming.body(body) if body else "",
        region_code=region,
    )


def wanted_entries(listing: str, kinds: list[str] | None, changes: Sequence[Any]) -> rpc.ListSupplyDemandEntriesRequest:
    """The request for what a published list holds."""
    return rpc.ListSupplyDemandEntriesRequest(
        listing=listing, kinds=[_kind(one) for one in kinds or []], changes=changes, page_size=naming.PAGE
    )


def template(
    kind: Annotated[str, typer.Argument(help="如 job_position")],
    output: Annotated[Path | None, typer.Option(help="默认“类型.xlsx” · KIND.xlsx where not given")] = None,
) -> None:
    """取填报模板 · write the workbook in which listings of a kind are filled in, to be imported."""
    from alliance_cli import templates  # slow to load

    file = output or Path(f"{kind}.xlsx")
    _require_workbook(file)
    if file.exists():  # it may be the one that was filled in
        raise typer.BadParameter(
            t(f"{file} 已存在；请用 --output 换一个文件名", f"{file} is there already; name another file with --output")
        )
    number = _kind(kind)
    templates.write(number, file, datetime.now(_SHANGHAI).date())
    console.print(t(f"模板：{file}", f"template: {file}"), highlight=False)


def import_(
    file: Annotated[Path, typer.Argument(help=".csv, .csv.gz, .xlsx")],
    kind: Annotated[str, typer.Option()],
    mapping: Annotated[
        str, typer.Option("--map", help="映射文件或自带映射名；模板不需要 · mapping file or built-in one; none for a template")
    ] = "",
    acting: Annotated[str, typer.Option("--as", help="代表的单位 · organization acted for")] = "",
    source: Annotated[str, typer.Option(help="来源系统，替代映射所写 · source, in place of the mapping's")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查 · check only")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="留作草稿，不发布 · leave as drafts")] = False,
    receipts: Annotated[Path | None, typer.Option(help="回执文件 · receipts, .csv or .xlsx")] = None,
    withdraw_vanished: Annotated[
        bool, typer.Option("--withdraw-vanished", help="撤回文件中已没有的 · withdraw what is not in the file any more")
    ] = False,
    reason: Annotated[str, typer.Option(help="撤回原因 · why it is withdrawn")] = "",
) -> None:
    """导入文件：逐行给出回执 · import a file, with a receipt for every row."""
    number = _kind(kind)
    found = _mapping(mapping) if mapping else None
    chosen = importing.source_of(file, number, found, source, whole=withdraw_vanished)
    target = receipts or file.with_name(f"{file.name}.receipts.csv")
    importing.require_writable(target, chosen)
    if withdraw_vanished and not reason:
        reason = _asked_reason()
    with explained():
        header = rpc.ImportHeader(
            issuer=naming.organization(acting),
            source=chosen.mapping.source,
            kind=number,
            dry_run=dry_run,
            publish=not draft,
            withdraw_vanished=withdraw_vanished,
            reason=reason,
        )
        with _progress(console) as bar:
            task = bar.add_task(t("导入", "importing"), total=None)
            before = _state(target)
            try:
                result = importing.run(chosen, header, target, partial(_told, bar, task))
            except (grpc.RpcError, OSError, KeyboardInterrupt):
                is_of_before = _is_as(target, before)
                errors.print(_broken_off(target, is_of_before), highlight=False)
                raise
    _summarise(result, target)
    if result.unwritten:
        fail(UNEXPECTED, _unwritten(target, result.unwritten))
    if result.outcomes["refused"]:
        raise typer.Exit(PARTLY)


def export(
    kind: Kinds = None,
    issuer: str = "",
    body: str = "",
    region: str = "",
    state: States = None,
    source: Annotated[str, typer.Option(help="只要此来源的 · of this source alone, as an import takes one at a time")] = "",
    form: Annotated[
        str, typer.Option("--format", help="xlsx | csv | jsonl；默认依文件扩展名 · by the file's ending where not given")
    ] = "",
    output: Annotated[Path | None, typer.Option(help="默认标准输出 · standard output where not given; .xlsx needs it")] = None,
    list_: Annotated[
        str, typer.Option("--list", help="清单的编号：导出其内容 · id of a list: what it holds, as it was frozen (R43)")
    ] = "",
) -> None:
    """导出可见的供需信息，可再导入 · write the listings that the caller may see, to be imported again."""
    form = _form(form, output)
    if form == "xlsx":
        _require_workbook(output)
    if form == "csv" and len(kind or []) != 1:
        raise typer.BadParameter(
            t("CSV 只能存一类；请用 --kind 指明，或用 xlsx", "CSV holds one kind; name it with --kind, or take xlsx")
        )
    if list_ and (issuer or body or region or state or source):
        raise typer.BadParameter(t("--list 只可与 --kind 同用", "--list goes with --kind alone"))
    with explained():
        if list_:
            of_list = wanted_entries(naming.resource("listings", list_), kind, _HELD)
            entries = naming.pages(stubs.listings().ListSupplyDemandEntries, of_list, "entries")
            pages: Iterable[Sequence[listing_pb2.Listing]] = ([entry.listing for entry in page] for page in entries)
        else:
            request = wanted(kind, issuer, body, region, state)
            request.page_size = naming.PAGE
            listed = naming.pages(stubs.listings().ListListings, request, "listings")
            pages = ([one for one in page if source in ("", one.source)] for page in listed)
        _write(pages, next((_kind(one) for one in kind or []), 0), form, output)


def _write(pages: Iterable[Sequence[listing_pb2.Listing]], kind: int, form: str, output: Path | None) -> None:
    count = 0
    with exporting.opened(form, output, kind) as writer, _progress(errors) as bar:
        task = bar.add_task(t("导出", "exporting"), total=None)
        for page in pages:
            writer.add(page)
            count += len(page)
            bar.update(task, completed=count)
    if output:
        console.print(t(f"{count} 条：{output}", f"{count} listings: {output}"), highlight=False)


def _kind(text: str) -> Any:
    return value_of(listing_pb2.ListingKind, "LISTING_KIND_", text)


def _mapping(text: str) -> Mapping:
    try:
        return Mapping.load(text)
    except WrongError as error:
        raise typer.BadParameter(t(error.zh, error.en)) from error


def _told(bar: Progress, task: TaskID, done: int, total: int | None) -> None:
    bar.update(task, completed=done, total=total)


def _state(file: Path) -> tuple[int, ...] | None:
    """What changes where another file takes its place; None for one that is not there."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _is_as(file: Path, before: tuple[int, ...] | None) -> bool:
    """Whether it is what it was; so it is where nobody can look any more, as nothing could take its place there."""
    try:
        return _state(file) == before
    except OSError:
        return True


def _broken_off(target: Path, is_of_before: bool) -> str:
    """Where no row has a receipt, or a workbook could not be written whole, none is there, or that of an import before."""
    if is_of_before:
        return t(
            f"导入中断；本次没有回执（{target} 如有，是以前的）。排除原因后重新导入即可，不会重复",
            f"the import broke off; there are no receipts of this run ({target}, where it is there, is of one before). "
            "Mend the cause and import again, nothing is entered twice",
        )
    return t(
        f"导入中断；已有回执的行已处理，见 {target}。排除原因后重新导入即可，不会重复",
        f"the import broke off; the rows that have a receipt are done, see {target}. Mend the cause and import again, "
        "nothing is entered twice",
    )


def _summarise(result: importing.Result, target: Path) -> None:
    """Say what an import came to."""
    if context.output == "json":
        print_json(
            {
                "receipts": None if result.unwritten else str(target),
                "seconds": round(result.seconds, 3),
                "flagged": result.flagged,
                **result.outcomes,
            }
        )
    else:
        counted = " · ".join(f"{outcome} {number}" for outcome, number in result.outcomes.items())
        rate = result.rows / result.seconds if result.seconds else 0
        console.print(f"{counted} · {result.seconds:.1f} s · {rate:,.0f} {t('行/秒', 'rows/s')}", highlight=False)
        if result.flagged:
            text = t(
                f"{result.flagged} 行对个人特征提出要求，见回执",
                f"{result.flagged} rows ask for what they may not, see the receipts",
            )
            console.print(text, highlight=False)
        if not result.unwritten:
            console.print(t(f"逐行回执：{target}", f"receipts: {target}"), highlight=False)


def _unwritten(target: Path, error: OSError) -> str:
    """Every row was worked through, and the receipts could not be written in the end."""
    why = f"{error.filename or target}: {error.strerror or error}"
    return t(
        f"各行均已处理，结果如上；只是回执没有写成（{why}；{target} 如有，是以前的）。腾出空间或用 --receipts 换位置后"
        "重新导入即可得到回执，不会重复",
        f"every row was worked through, as told above; only the receipts were not written ({why}; {target}, where it is "
        "there, is of one before). Make room, or name another place with --receipts, and import again to have them: nothing "
        "is entered twice",
    )


def _asked_reason() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(t("撤回须写明 --reason", "--withdraw-vanished needs a --reason"))
    return str(typer.prompt(t("为什么撤回", "why are they withdrawn")))


def _form(given: str, file: Path | None) -> str:
    """The format of an export: the one that is named, or the file's ending says it. Raises typer.BadParameter where the two
    disagree, or nothing says it.
    """
    formats = " | ".join(exporting.FORMATS)
    if given and given not in exporting.FORMATS:
        raise typer.BadParameter(
            t(f"没有格式 {given}；--format 可填 {formats}", f"there is no format {given}; --format is one of {formats}")
        )
    ending = file.suffix.lower().removeprefix(".") if file else ""
    if given and ending and given != ending:
        raise typer.BadParameter(
            t(
                f"--format {given} 与文件 {file} 的扩展名 .{ending} 不一致；请改其一，或不写 --format",
                f"--format {given} and the ending .{ending} of {file} disagree; change one of them, or leave --format out",
            )
        )
    if (given or ending) not in exporting.FORMATS:
        raise typer.BadParameter(
            t(
                f"看不出格式；请用 --format 指明 {formats}，或用 --output 指明以其为扩展名的文件",
                f"which format is not told; name it with --format ({formats}), or a file with such an ending with --output",
            )
        )
    return given or ending


def _require_workbook(file: Path | None) -> None:
    if file is None or not rows.is_workbook(file):
        raise typer.BadParameter(t("请用 --output 指明 .xlsx 文件", "name an .xlsx file with --output"))


def _progress(where: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=where,
        disable=context.output == "json",
    )
