"""Workbooks are read row by row, whoever wrote them, and written so that no text becomes a formula."""

import errno
import os
import tempfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
import typer
import xlsxwriter
from openpyxl import Workbook, load_workbook

from alliance_cli import formulas, rows, workbook
from alliance_cli.workbook import Book, Table
from intake.cells import Rounded, Unsettled

_TRICKY = ["=1+1", "+1", "-1", "@A1", "\t=1", "＝1", "'=1", "''=1", "a\r\nb", "_x000D_", "a_x0041_", " 甲 ", "007", "🙂"]


def shared(file: Path, lines: list[list[object]]) -> Path:
    """A workbook as Excel writes it: cells share their texts."""
    book = xlsxwriter.Workbook(
        str(file), {"strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "y-m-d"}
    )
    sheet = book.add_worksheet()
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            if value is not None:
                sheet.write(row, column, value)
    book.close()
    return file


def inline(file: Path, lines: list[list[object]]) -> Path:
    """One as we write it."""
    book = Book(file)
    table = Table(book, "甲", lambda _: 0)
    for line in lines:
        table.append(line)
    book.close()
    return file


@pytest.mark.parametrize("write", [shared, inline])
def test_what_was_written_is_read(tmp_path: Path, write: object) -> None:
    lines: list[list[object]] = [
        ["编号", "标题", None, "日"],
        [7, "封装工程师", None, datetime(2026, 1, 31)],
        [2.5, None, "尾"],
        [True, "封装工程师", "", datetime(2026, 1, 31, 8, 30)],
    ]
    read = list(rows.lines(write(tmp_path / "a.xlsx", lines)))  # type: ignore[operator]
    assert [[rows.text(cell) for cell in line] for line in read] == [
        ["编号", "标题", "", "日"],
        ["7", "封装工程师", "", "2026-01-31"],
        ["2.5", "", "尾"],
        ["TRUE", "封装工程师", "", "2026-01-31 08:30:00"],
    ]


@pytest.mark.parametrize("write", [shared, inline])
def test_texts_come_back_as_they_are(tmp_path: Path, write: object) -> None:
    file = write(tmp_path / "a.xlsx", [[text, "x"] for text in _TRICKY])  # type: ignore[operator]
    assert [line[0] for line in rows.lines(file)] == _TRICKY


def test_no_text_is_a_formula_and_none_becomes_one_when_it_is_edited(tmp_path: Path) -> None:
    sheet = load_workbook(inline(tmp_path / "a.xlsx", [[text] for text in _TRICKY])).worksheets[0]
    cells = [line[0] for line in sheet.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"} or {cell.data_type for cell in cells} == {"s", "inlineStr"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert [cell.quotePrefix for cell in cells] == [formulas.is_risky(text) for text in _TRICKY]


@pytest.mark.parametrize("text", [*_TRICKY, "", "甲", "'甲'", "a=1", "1-2", "\r", "\n"])
def test_an_apostrophe_before_what_may_be_a_formula_is_taken_off_again(text: str) -> None:
    guarded = formulas.guarded(text)
    assert guarded[:1] not in tuple("=+-@＝＋－＠\t\r\n")
    assert formulas.bare(guarded) == text
    assert (guarded != text) == formulas.is_risky(text)


def test_numbers_that_a_spreadsheet_would_round_are_texts(tmp_path: Path) -> None:
    file = inline(tmp_path / "a.xlsx", [[10**15 - 1, 10**15, 9007199254740993, 0.25, float("inf")]])
    assert [rows.text(cell) for cell in next(rows.lines(file))] == [
        "999999999999999",
        "1000000000000000",
        "9007199254740993",
        "0.25",
        "inf",
    ]


def test_a_number_that_lost_digits_stays_one_in_what_is_written_back(tmp_path: Path) -> None:
    given = [[Rounded("1.234567890123457e+16"), -1e15, 1e14]]
    (read,) = rows.lines(inline(tmp_path / "a.xlsx", given))
    assert isinstance(read[0], Rounded)
    assert float(read[0]) == 1.234567890123457e16
    assert [rows.text(cell) for cell in read[1:]] == ["-1000000000000000.0", "100000000000000"]
    (again,) = rows.lines(inline(tmp_path / "b.xlsx", [read]))
    assert isinstance(again[0], Rounded)


def test_days_and_times_are_read_as_the_platform_writes_them(tmp_path: Path) -> None:
    given = [
        date(2026, 1, 31),
        datetime(2026, 1, 31, 8, 5),
        time(8),
        time(8, 0, 30),
        timedelta(hours=24),
        timedelta(minutes=90),
    ]
    read = [rows.text(cell) for cell in next(rows.lines(inline(tmp_path / "a.xlsx", [list(given)])))]
    assert read == ["2026-01-31", "2026-01-31 08:05:00", "08:00", "08:00:30", "24:00", "01:30"]


def test_runs_of_a_text_are_one_text_and_how_it_is_pronounced_is_none_of_it(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_rich_string(0, 0, book.add_format({"bold": True}), "集成", "电路")
    sheet.write(0, 1, "二")
    book.close()
    assert next(rows.lines(tmp_path / "a.xlsx")) == ["集成电路", "二"]


def test_lines_without_a_cell_that_says_anything_are_no_lines(tmp_path: Path) -> None:
    file = shared(tmp_path / "a.xlsx", [["编号"], [None], [""], ["1"]])
    assert list(rows.lines(file)) == [["编号"], ["1"]]
    (tmp_path / "a.csv").write_text("编号,标题\n,\n\n1,甲\n", encoding="utf-8")
    assert list(rows.lines(tmp_path / "a.csv")) == [["编号", "标题"], ["1", "甲"]]


def test_the_sheet_that_is_asked_for_is_read_else_the_first(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["一"])  # type: ignore[union-attr]
    book.create_sheet("岗位招聘信息").append(["二"])
    book.save(tmp_path / "a.xlsx")
    assert next(rows.lines(tmp_path / "a.xlsx", "岗位招聘信息")) == ["二"]
    assert next(rows.lines(tmp_path / "a.xlsx", "没有")) == ["一"]


def test_how_many_lines_there_are(tmp_path: Path) -> None:
    assert rows.count(shared(tmp_path / "a.xlsx", [["编号"], ["1"], ["2"]])) == 2
    (tmp_path / "a.csv").write_text("编号\n1\n2\n", encoding="utf-8")
    assert rows.count(tmp_path / "a.csv") == 2
    (tmp_path / "b.csv").write_text("", encoding="utf-8")
    assert rows.count(tmp_path / "b.csv") == 0


@pytest.mark.parametrize("which", ["begin", "end"])
def test_where_its_texts_have_no_room_the_folder_of_temporary_files_is_told_and_nothing_is_wrong_with_the_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    def none_left() -> BinaryIO:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "k7hq2zr_"))

    file = shared(tmp_path / "a.xlsx", [["编号"], ["1"]])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    full: BinaryIO = Path("/dev/full").open("wb")  # noqa: SIM115 - it can't be closed
    monkeypatch.setattr(tempfile, "TemporaryFile", none_left if which == "begin" else lambda: full)
    with pytest.raises(OSError, match="No space left") as refused:
        list(rows.lines(file))
    assert refused.value.filename == str(tmp_path)
    with suppress(OSError):
        full.close()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x00\xff"])
def test_a_file_that_is_no_workbook_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(typer.BadParameter, match=r"a\.xlsx"):
        list(rows.lines(tmp_path / "a.xlsx"))


def test_a_table_goes_on_where_a_sheet_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LAST", 3)
    book = Book(tmp_path / "a.xlsx")

    def begin(sheet: object) -> int:
        book.put(sheet, 0, 0, "编号")
        return 1

    table = Table(book, "甲", begin)
    for number in range(5):
        table.append([number])
    book.close()
    read = {sheet.title: [cell.value for cell in sheet["A"]] for sheet in load_workbook(tmp_path / "a.xlsx").worksheets}
    assert read == {"甲": ["编号", 0, 1], "甲 2": ["编号", 2, 3], "甲 3": ["编号", 4]}


@pytest.mark.parametrize("held", ["=1+1", '=HYPERLINK("http://a")', "#REF!"])
def test_what_was_refused_for_its_formula_is_refused_again_and_never_a_formula_of_theirs(tmp_path: Path, held: str) -> None:
    """A receipts' workbook that comes in unmended: as a text it would be published."""
    file = inline(tmp_path / "a.xlsx", [["编号", Unsettled(held), "标题"]])
    ((key, cell, title),) = rows.lines(file)
    assert (key, title, type(cell)) == ("编号", "标题", Unsettled)
    assert load_workbook(file).worksheets[0]["B1"].value == "=NA()"
