"""The report as an Excel workbook; the same report gives the same bytes."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from chassis.clock import SHANGHAI
from reporting.domain.figures import Figure

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say
_HEAD = Font(bold=True)
_FILL = PatternFill("solid", fgColor="DDE8F5")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


@dataclass(frozen=True)
class Cover:
    """What the cover says."""

    body: str
    period: str
    revision: int
    recipients: Sequence[str]
    copies: Sequence[str]
    cutoff: datetime
    amendment_reason: str


def build(cover: Cover, figures: Sequence[Figure]) -> bytes:
    """The workbook: 封面, 指标, and 来源说明 with every event behind every figure."""
    book = Workbook()
    book.properties.creator = "Alliance platform"
    book.properties.created = book.properties.modified = cover.cutoff.replace(tzinfo=None)
    first = book.active
    if isinstance(first, Worksheet):
        _cover(first, cover)
    _figures(book.create_sheet("指标"), figures)
    _sources(book.create_sheet("来源说明"), figures)
    footer = f"第 {cover.revision} 版 · 统计截止 {_beijing(cover.cutoff)} · 数据摘要 SHA-256 {content_sha256(figures)}"
    for sheet in book.worksheets:
        if (item := sheet.HeaderFooter.oddFooter) is not None:
            item.left.text, item.left.size = footer, 8
    raw = io.BytesIO()
    book.save(raw)
    return _settled(raw.getvalue())


def content_sha256(figures: Sequence[Figure]) -> str:
    """Hex SHA-256 of what the sheets say: figure ids, values and the ids of their events (a file can't hold its own)."""
    content = [[one.definition.id, one.value, [source.fact.event_id for source in one.sources]] for one in figures]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _cover(sheet: Worksheet, cover: Cover) -> None:
    sheet.title = "封面"
    rows = [
        ("季度信息报送", ""),
        ("组织", cover.body),
        ("期次", cover.period),
        ("版次", f"第 {cover.revision} 版"),
        ("报送", "、".join(cover.recipients) or "（未登记）"),
        ("抄送", "、".join(cover.copies)),
        ("统计截止", f"{_beijing(cover.cutoff)}（不含）"),
        ("更正原因", cover.amendment_reason or "—"),
        ("说明", "本表样式为平台自定，非官方模板；每个数字的来源事件见“来源说明”页。"),
    ]
    for row in rows:
        _append(sheet, row)
    sheet["A1"].font = Font(bold=True, size=16)
    sheet.column_dimensions["A"].width = 12
    sheet.column_dimensions["B"].width = 70


def _figures(sheet: Worksheet, figures: Sequence[Figure]) -> None:
    _head(sheet, ("编号", "指标", "数值", "单位", "口径"), (34, 28, 10, 8, 60))
    for figure in figures:
        one = figure.definition
        _append(sheet, (one.id, one.zh, figure.value, one.unit, one.how_zh))


def _sources(sheet: Worksheet, figures: Sequence[Figure]) -> None:
    _head(sheet, ("指标编号", "事件编号", "事件类型", "对象", "版本", "计数", "生效时间"), (34, 40, 44, 56, 8, 8, 28))
    for figure in figures:
        for source in figure.sources:
            fact = source.fact
            told = (fact.event_id, fact.event_type, fact.subject, fact.version, source.amount, _beijing(fact.effective_at))
            _append(sheet, (figure.definition.id, *told))


def _head(sheet: Worksheet, titles: Sequence[str], widths: Sequence[int]) -> None:
    _append(sheet, titles)
    for number, width in enumerate(widths, 1):
        cell = sheet.cell(1, number)
        cell.font, cell.fill = _HEAD, _FILL
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"


def _append(sheet: Worksheet, values: Sequence[str | int]) -> None:
    sheet.append([_cell(sheet, value) for value in values])


def _cell(sheet: Worksheet, value: str | int) -> Cell:
    """What people wrote stays text, also where it begins like a formula or holds what XML can't."""
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value)
    if cell.data_type == "f":
        cell.data_type = "s"
    return cell


def _beijing(instant: datetime) -> str:
    return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} 北京时间"


def _settled(raw: bytes) -> bytes:
    """The same zip without the time at which it was written."""
    settled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as after:
        created = re.search(rb"<dcterms:created[^>]*>([^<]*)<", before.read("docProps/core.xml"))
        stamp = created[1] if created else b""
        for name in before.namelist():
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            after.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return settled.getvalue()
