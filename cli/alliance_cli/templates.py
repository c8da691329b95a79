"""The template of a kind of listings: a workbook to fill in, which `alliance listing import` takes as it is."""

from collections.abc import Sequence
from datetime import date
from itertools import zip_longest
from pathlib import Path

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from alliance.common.v1 import field_pb2
from alliance_cli.files import whole
from alliance_cli.workbook import Book, Table
from intake import contract, notes
from intake.contract import KEY, TABLES, Column
from intake.template import EXAMPLE

HEAD = 2
"""Lines of headings: the fields' paths, hidden, and their Chinese names."""
CODES, NOTES = "代码表", "填写说明"
_FILLED = 20_000  # rows that have drop-downs
_LITERAL = 255  # characters of a drop-down that holds its choices itself
_PROVINCE = "0000"
_LISTED = (field_pb2.CODE_TABLE_EDUCATION, field_pb2.CODE_TABLE_FIELDS, field_pb2.CODE_TABLE_REGIONS)  # as drop-downs
_OPTIONAL, _REQUIRED, _QUIET = {"bg_color": "#DDE8F5"}, {"bg_color": "#FFD9B3"}, {"italic": True, "font_color": "#808080"}


def write(kind: int, file: Path, today: date) -> None:
    """Write the template of a kind, with examples that are right today; whole, or not at all."""
    with whole(file) as part, Book(part) as book:
        with book.rows():
            _write(kind, book, today)
        book.close()


def _write(kind: int, book: Book, today: date) -> None:
    columns = contract.columns(kind)
    table = Table(book, contract.kind_label(kind), lambda sheet: head(book, sheet, columns))
    table.append(
        [EXAMPLE if column.path == KEY else notes.example(column, today) for column in columns],
        dict.fromkeys(range(len(columns)), _QUIET),
    )
    lists = _codes(book, columns)
    for place, column in enumerate(columns):
        if rule := _rule(column, lists):
            table.sheet.data_validation(HEAD + 1, place, HEAD + _FILLED, place, rule)
    _notes(book, columns, today)


def head(book: Book, sheet: Worksheet, columns: Sequence[Column], extras: Sequence[Column] = ()) -> int:
    """Write the headings that an import recognises, and those that it passes over; says how many lines they take."""
    for place, column in enumerate((*columns, *extras)):
        sheet.set_column(place, place, _width(column), book.style(num_format=_form(column)))
        book.put(sheet, 0, place, column.path)
    sheet.set_row(0, None, None, {"hidden": True})
    for place, column in enumerate(columns):
        note = notes.note(column)
        book.put(sheet, 1, place, column.zh, bold=True, **(_REQUIRED if column.is_required else _OPTIONAL))
        sheet.write_comment(1, place, f"{note.zh}\n{note.en}", {"x_scale": 2})
    for place, column in enumerate(extras, len(columns)):
        book.put(sheet, 1, place, column.zh, **_QUIET)
    sheet.freeze_panes(HEAD, 1)
    return HEAD


def _form(column: Column) -> str:
    """Texts stay as they are typed: 007, 978…, 1-2; days are seen as the platform writes them."""
    if column.known.format == field_pb2.TEXT_FORMAT_DATE:
        return "yyyy-mm-dd"
    return "General" if notes.is_number(column) else "@"


def _width(column: Column) -> int:
    return 40 if column.path in ("title", "description") else max(14, 2 * len(column.zh) + 2)


# Drop-downs


def _rule(column: Column, lists: dict[int, str]) -> dict[str, object] | None:
    """What a column's cells take; None for anything. What may be several, or a code, is offered and not forced."""
    known, chosen = column.known, notes.choices(column)
    if chosen and len(",".join(chosen)) <= _LITERAL:
        return {"validate": "list", "source": chosen, **_message(column)}
    if known.codes in lists:
        return {"validate": "list", "source": lists[known.codes], "show_error": False}
    if notes.is_number(column) and known.HasField("min"):
        most = {"criteria": "between", "minimum": known.min, "maximum": known.max}
        least = {"criteria": ">=", "value": known.min}
        return {
            "validate": "decimal" if column.leaf.cpp_type == column.leaf.CPPTYPE_DOUBLE else "integer",
            **(most if known.HasField("max") else least),
            **_message(column),
        }
    return None


def _message(column: Column) -> dict[str, str]:
    note = notes.note(column)
    return {"error_title": column.zh[:32], "error_message": f"{note.zh}\n{note.en}"[:255]}


# The other sheets


def _codes(book: Book, columns: Sequence[Column]) -> dict[int, str]:
    """The sheet of the code tables that the columns take; says where drop-downs find theirs."""
    tables = list(dict.fromkeys(column.known.codes for column in columns if column.known.codes))
    lists: dict[int, str] = {}
    entries: list[list[tuple[str, str]]] = []
    for table in tables:
        first, others = _parted(table)
        if table in _LISTED:
            lists[table] = _range(2 * len(entries) + 1, len(first))
        entries.append([*first, *others])
    sheet = book.book.add_worksheet(CODES)
    for place, table in enumerate(tables):
        book.put(sheet, 0, 2 * place, TABLES[table][0], bold=True)
        sheet.set_column(2 * place, 2 * place, 12)
        sheet.set_column(2 * place + 1, 2 * place + 1, 28)
    for place in range(len(tables)):
        book.put(sheet, 1, 2 * place, "代码", bold=True)
        book.put(sheet, 1, 2 * place + 1, "名称", bold=True)
    for row, line in enumerate(zip_longest(*entries), start=HEAD):
        for place, entry in enumerate(line):
            for column, cell in enumerate(entry or (), start=2 * place):
                book.put(sheet, row, column, cell)
    sheet.freeze_panes(HEAD, 0)
    return lists


def _parted(table: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The entries that a drop-down offers, and the others: of regions, the provinces are offered."""
    entries = TABLES[table][1].entries()
    if table != field_pb2.CODE_TABLE_REGIONS:
        return entries, []
    provinces = [entry for entry in entries if entry[0].endswith(_PROVINCE)]
    return provinces, [entry for entry in entries if not entry[0].endswith(_PROVINCE)]


def _range(column: int, size: int) -> str:
    letter = xl_col_to_name(column)
    return f"='{CODES}'!${letter}${HEAD + 1}:${letter}${HEAD + size}"


def _notes(book: Book, columns: Sequence[Column], today: date) -> None:
    sheet = book.book.add_worksheet(NOTES)
    lines = [("列", "怎么填", "how to fill it in", "示例", "字段")]
    for column in columns:
        note = notes.note(column)
        lines.append((column.zh, note.zh, note.en, str(notes.example(column, today)), column.path))
    lines.append(("", f"外部编号为“{EXAMPLE}”的行不导入", f"the row whose key is {EXAMPLE} is not imported", "", ""))
    for column_number, width in enumerate((22, 60, 60, 30, 40)):
        sheet.set_column(column_number, column_number, width)
    for row, line in enumerate(lines):
        for place, cell in enumerate(line):
            book.put(sheet, row, place, cell, **({} if row else {"bold": True}))
    sheet.freeze_panes(1, 0)
