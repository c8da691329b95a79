"""What is read of a file on its way to the service."""

import csv
import gzip
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
import xlsxwriter
from openpyxl import Workbook, load_workbook

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import importing, receipts, rows, stubs
from alliance_cli.commands import tables
from alliance_cli.session import context
from intake import Mapping
from intake.template import EXAMPLE, RECEIPT
from listings.domain.names import Kind

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WRONG_STYLE = f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="x"/></cellXfs></styleSheet>'.encode()
_MAPPING = Mapping.parse({"source": "s", "key": "编号", "fields": {"title": "标题", "quantity": "人数"}})


def read(file: Path) -> importing._Chunks:
    return importing._Chunks(importing.source_of(file, Kind.CASE, _MAPPING, ""), rpc.ImportHeader())


def changed(whole: Path, file: Path, change: Callable[[bytes], bytes]) -> None:
    """The workbook with its sheet changed."""
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, change(content) if name.endswith("sheet1.xml") else content)


def test_rows_that_can_not_be_read_have_their_place_among_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,标题,人数\n1,甲,1\n2,乙,两\n3,丙,3\n", encoding="utf-8")
    chunks = read(tmp_path / "a.csv")
    _, sent = chunks.requests()
    assert [row.row for row in sent.chunk.rows] == [2, 4]
    assert list(sent.chunk.unread_keys) == ["2"]
    answer = rpc.ImportListingsResponse(receipts=[rpc.ImportReceipt(row=number) for number in (2, 4)])
    settled = list(chunks.settled(answer))
    assert [one.receipt.row for one in settled if one.receipt] == [2, 3, 4]
    assert [list(one.columns) for one in settled] == [[], [("人数",)], []]
    assert [one.line[1] for one in settled] == ["甲", "乙", "丙"]


def test_everything_that_is_wrong_with_a_row_is_in_its_one_receipt_and_at_its_cells(tmp_path: Path) -> None:
    mapping = Mapping.parse(
        {
            "source": "s",
            "key": "编号",
            "fields": {"title": "标题", "quantity": "人数", "visibility": "可见", "case.practice": "做法"},
        }
    )
    (tmp_path / "a.csv").write_text("编号,标题,人数,可见,做法\n1,,两,谁都行,乙\n", encoding="utf-8")
    source = importing.source_of(tmp_path / "a.csv", Kind.CASE, mapping, "")
    chunks = importing._Chunks(source, rpc.ImportHeader())
    _, sent = chunks.requests()
    (unread,) = sent.chunk.unread_rows
    assert not sent.chunk.rows
    assert list(unread.fields) == ["quantity", "visibility"]
    assert (unread.row.row, unread.row.listing.external_key, unread.row.listing.case.practice) == (2, "1", "乙")
    theirs = rpc.ImportReceipt(row=2, outcome=rpc.IMPORT_OUTCOME_REFUSED)
    theirs.problems.add(field="title", rule="required")
    (settled,) = chunks.settled(rpc.ImportListingsResponse(receipts=[theirs]))
    assert settled.receipt
    assert [one.field for one in settled.receipt.problems] == ["quantity", "visibility", "title"]
    assert list(settled.columns) == [("人数",), ("可见",)]
    written = receipts.opened(tmp_path / "r.xlsx", source.head, mapping)
    written.add(settled)
    written.close()
    sheet = load_workbook(tmp_path / "r.xlsx").worksheets[0]
    assert [cell.coordinate for cell in sheet[2] if cell.comment] == ["B2", "C2", "D2"]


def test_headings_that_come_again_are_no_row_of_which_anything_could_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,标题,人数\n编号,标题,人数\n1,甲,1\n", encoding="utf-8")
    chunks = read(tmp_path / "a.csv")
    _, sent = chunks.requests()
    assert (len(sent.chunk.rows), len(sent.chunk.unread_rows), list(sent.chunk.unread_keys)) == (1, 0, [""])
    again, _ = chunks.settled(rpc.ImportListingsResponse())
    assert again.receipt
    assert ["表头" in one.message.zh for one in again.receipt.problems] == [True]


_PLACES = {"a": 5, "b": 8, "c": 9}
"""Keys of the rows below → where a spreadsheet shows them: below headings, the example, empty rows, a text of two lines."""


def workbook_with_gaps(file: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    lines = {1: _TEMPLATE[0], 2: _TEMPLATE[1], 3: (EXAMPLE, "例", "公开", "做"), 5: ("a", "甲", "公开", "第一行\n第二行")}
    lines |= {8: ("b", "乙", "公开", "做"), 9: ("c", "丙", "谁都行", "做")}
    for row, cells in lines.items():
        for column, cell in enumerate(cells, start=1):
            sheet.cell(row, column, cell)
    book.save(file)


def text_with_gaps(file: Path) -> None:
    head = "".join(f"{','.join(line)}\n" for line in _TEMPLATE)
    below = f'{EXAMPLE},例,公开,做\n\na,甲,公开,"第一行\n第二行"\n,,,\n\nb,乙,公开,做\nc,丙,谁都行,做\n'
    file.write_text(head + below, encoding="utf-8")


_TEMPLATE = ("external_key", "title", "visibility", "case.practice"), ("外部编号", "标题", "可见范围", "做法")


@pytest.mark.parametrize(("name", "write"), [("a.csv", text_with_gaps), ("a.xlsx", workbook_with_gaps)])
def test_a_rows_number_is_the_one_that_a_spreadsheet_shows_and_progress_ends_at_the_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Callable[[Path], None]
) -> None:
    def imported(requests: Iterator[rpc.ImportListingsRequest], **_: Any) -> Iterator[rpc.ImportListingsResponse]:
        for request in requests:
            if request.HasField("chunk"):
                taken = [rpc.ImportReceipt(row=one.row, external_key=one.listing.external_key) for one in request.chunk.rows]
                for one in taken:
                    one.outcome = rpc.IMPORT_OUTCOME_ACCEPTED
                yield rpc.ImportListingsResponse(receipts=taken)
        vanished = rpc.ImportReceipt(external_key="old", outcome=rpc.IMPORT_OUTCOME_WITHDRAWN)
        yield rpc.ImportListingsResponse(receipts=[vanished])

    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ImportListings=imported))
    write(tmp_path / name)
    progress: list[tuple[int, int | None]] = []
    source = importing.source_of(tmp_path / name, Kind.CASE, None, "")
    importing.run(source, rpc.ImportHeader(), tmp_path / "r.csv", lambda *told: progress.append(told))
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as opened:
        read = list(csv.DictReader(opened))
    assert {one["external_key"]: int(one["row"]) for one in read} == {**_PLACES, "old": 0}
    assert progress[-1] == (3, 3)
    (total,) = {total for _, total in progress[:-1]}
    assert total == (3 if name == "a.csv" else 7), "a workbook says how many lines it has, headings aside"


def test_a_chunk_of_which_no_row_could_be_read_is_sent_all_the_same(tmp_path: Path) -> None:
    lines = "".join(f"{number},甲,两\n" for number in range(importing.CHUNK + 1))
    (tmp_path / "a.csv").write_text(f"编号,标题,人数\n{lines}", encoding="utf-8")
    chunks = read(tmp_path / "a.csv")
    _, *sent = chunks.requests()
    assert [len(one.chunk.unread_keys) for one in sent] == [importing.CHUNK, 1]
    assert [len(list(chunks.settled(rpc.ImportListingsResponse()))) for _ in sent] == [importing.CHUNK, 1]


def test_a_file_that_breaks_off_says_so_and_never_its_end(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in ("编号", *range(2 * importing.CHUNK)):
        sheet.append([str(number), "标题" if number == "编号" else "甲", "人数" if number == "编号" else 1])
    book.save(tmp_path / "whole.xlsx")
    changed(tmp_path / "whole.xlsx", tmp_path / "a.xlsx", lambda xml: xml[: len(xml) * 3 // 4])
    chunks = read(tmp_path / "a.xlsx")
    sent = []
    with pytest.raises(typer.BadParameter, match=r"a\.xlsx"):
        sent += [one.WhichOneof("message") for one in chunks.requests()]
    assert isinstance(chunks.error, typer.BadParameter)
    assert "end" not in sent


def test_a_column_that_stands_twice_is_refused_where_it_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("编号,标题,人数,标题\n1,甲,1,乙\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        read(tmp_path / "a.csv")
    assert "标题" in capsys.readouterr().err
    (tmp_path / "b.csv").write_text("编号,标题,人数,备注,备注\n1,甲,1,a,b\n", encoding="utf-8")
    assert len(list(read(tmp_path / "b.csv").requests())) == 2


def test_a_cell_that_is_too_long_is_its_row_and_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"编号,标题,人数\n1,甲,1\n2,{'乙' * 200_000},2\n3,丙,3\n", encoding="utf-8")
    chunks = read(tmp_path / "a.csv")
    _, sent = chunks.requests()
    assert [row.row for row in sent.chunk.rows] == [2, 4]
    _, refused, _ = chunks.settled(rpc.ImportListingsResponse())
    assert refused.receipt
    (problem,) = refused.receipt.problems
    assert (problem.field, "超过" in problem.message.zh, len(problem.message.zh) < 100) == ("title", True, True)


@pytest.mark.parametrize(
    "broken",
    [
        "2,乙,2,多",  # a comma that nobody quoted
        "2,乙",  # what a line break in a cell that nobody quoted leaves
        '2,乙,"2\n8,丁,3"',  # a quote that a later one closed
        '"2,乙,2\n8",丁,3',
        '2,乙,"2\n8,丁 27",封装,3',  # in an earlier column
    ],
)
def test_a_line_that_is_no_row_is_refused_alone_and_may_have_any_key(tmp_path: Path, broken: str) -> None:
    (tmp_path / "a.csv").write_text(f"编号,标题,人数\n1,甲,1\n{broken}\n3,丙,3\n", encoding="utf-8")
    chunks = read(tmp_path / "a.csv")
    _, sent = chunks.requests()
    assert [row.listing.external_key for row in sent.chunk.rows] == ["1", "3"]
    assert list(sent.chunk.unread_keys) == [""]
    _, refused, _ = chunks.settled(rpc.ImportListingsResponse())
    assert refused.receipt
    (problem,) = refused.receipt.problems
    assert "请改正" in problem.message.zh
    assert "mend it" in problem.message.en


@pytest.mark.parametrize("usual", ["2,乙,2,,", '2,"乙\n8, 丁",2', '2,"27"" 乙",2', "2,,"])
def test_a_row_may_have_empty_cells_line_breaks_and_quotes(tmp_path: Path, usual: str) -> None:
    (tmp_path / "a.csv").write_text(f"编号,标题,人数\n1,甲,1\n{usual}\n3,丙,3\n", encoding="utf-8")
    _, sent = read(tmp_path / "a.csv").requests()
    assert [row.listing.external_key for row in sent.chunk.rows] == ["1", "2", "3"]


def test_a_formula_without_a_result_is_its_row_and_names_its_cell(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for line in (["编号", "标题", "人数"], ["1", "甲", "=1+1"], ["2", "=A1&B1", 1], ["=A2", "丙", 1], ["4", "丁", 1]):
        sheet.append(line)
    sheet["D2"] = "=1+1"  # in no column that is taken
    book.save(tmp_path / "a.xlsx")
    chunks = read(tmp_path / "a.xlsx")
    _, sent = chunks.requests()
    assert [row.row for row in sent.chunk.rows] == [5]
    refused = list(chunks.settled(rpc.ImportListingsResponse()))[:3]
    problems = [one.receipt.problems[0] for one in refused if one.receipt]
    assert [(one.field, one.rule) for one in problems] == [(path, "mapping") for path in ("quantity", "title", "external_key")]
    assert all("重算" in one.message.zh and "recalculate" in one.message.en for one in problems)
    assert "=1+1" in problems[0].message.zh
    assert [list(one.columns) for one in refused] == [[("人数",)], [("标题",)], [("编号",)]]
    assert list(sent.chunk.unread_keys) == ["1", "2", ""], "a key that can't be read may be any"


def test_a_result_is_taken_whatever_it_came_from_and_an_error_is_none(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "whole.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["编号", "标题", "人数"])
    for row, (title, number) in enumerate([("甲", 2), ("空", 3), ("#REF!", 4)], start=1):
        sheet.write(row, 0, str(row))
        sheet.write_formula(row, 1, "=B9", value=title)
        sheet.write_formula(row, 2, "=1+1", value=number)
    book.close()
    changed(
        tmp_path / "whole.xlsx", tmp_path / "a.xlsx", lambda xml: xml.replace("<v>空</v>".encode(), b"<v></v>")
    )  # as Excel says ""
    chunks = read(tmp_path / "a.xlsx")
    _, sent = chunks.requests()
    assert [(row.row, row.listing.title, row.listing.quantity) for row in sent.chunk.rows] == [(2, "甲", 2), (3, "", 3)]
    *_, error = chunks.settled(rpc.ImportListingsResponse())
    assert error.receipt
    assert error.receipt.problems[0].field == "title"


def test_a_number_of_which_a_spreadsheet_has_lost_digits_is_no_key(tmp_path: Path) -> None:
    """Two that were typed as others come as one."""
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["编号", "标题", "人数"])
    for row, key in enumerate([999_999_999_999_999, 12345678901234567, "12345678901234567"], start=1):
        sheet.write_row(row, 0, [key, "甲", 2])
    book.close()
    chunks = read(tmp_path / "a.xlsx")
    _, sent = chunks.requests()
    assert [row.listing.external_key for row in sent.chunk.rows] == ["999999999999999", "12345678901234567"]
    assert list(sent.chunk.unread_keys) == [""]
    (_, refused, _) = chunks.settled(rpc.ImportListingsResponse())
    assert refused.receipt
    assert [(one.field, one.rule) for one in refused.receipt.problems] == [("external_key", "mapping")]
    assert "more than 15 digits" in refused.receipt.problems[0].message.en


def test_a_column_that_was_added_to_a_template_is_refused_and_those_of_receipts_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def table(name: str, *added: str) -> Path:
        paths, shown = "external_key,title,visibility,case.practice", "外部编号,标题,可见范围,做法"
        head = f"{paths}{',' * len(added)}\n{','.join((shown, *added))}\n"
        (tmp_path / name).write_text(f"{head}1,甲,公开,乙{',' * len(added)}\n", encoding="utf-8")
        return tmp_path / name

    importing.source_of(table("a.csv", *RECEIPT), Kind.CASE, None, "")
    with pytest.raises(SystemExit):
        importing.source_of(table("b.csv", "自编列"), Kind.CASE, None, "")
    assert "自编列" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("text.xlsx", b"hello", "不加密的 .xlsx"),
        ("encrypted.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "不加密的 .xlsx"),
        ("empty.xlsx", b"", "不加密的 .xlsx"),
        ("latin.csv", b"a,b\n1,\xff\xff", "UTF-8 的 CSV"),
        ("cut16.csv", "编号,标题\n1,甲\n".encode("utf-16-le")[:-1], "UTF-16.*UTF-8 的 CSV"),
        ("surrogate.csv", "a,b\n1,".encode("utf-16-be") + b"\xd8\x00\x00\x0a", "UTF-16.*UTF-8 的 CSV"),
        ("cut.csv.gz", gzip.compress("编号,标题\n".encode() * 100)[:30], "gzip"),
        ("plain.csv.gz", b"a,b\n", "gzip；请"),
        ("damaged.csv.gz", gzip.compress(b"a,b\n")[:10] + b"\xff" * 20, "gzip"),
        ("a.xls", b"\xd0\xcf\x11\xe0", r"另存为 \.xlsx"),
        ("open.csv", b'a,b\n1,"x\n2,y\n3,z\n', "第 2 行起"),
        ("between.csv", b'a,b\n1,x\n2,"y\n3,"z"\n', "第 3 行起"),
        ("cut.csv", b"a,b,c\n1,x,y\n2,x", "第 3 行.*截断"),
    ],
)
def test_a_file_that_can_not_be_read_says_why_in_the_readers_language_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(typer.BadParameter, match=f"读不了 {name}：.*{why}"):
        list(rows.lines(tmp_path / name))
    monkeypatch.setattr(context, "language", "en")
    with pytest.raises(typer.BadParameter, match=f"can't read {name}: .*; [a-z]") as refused:
        list(rows.lines(tmp_path / name))
    assert str(refused.value).isascii()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("table", [[["a", "b"], ["1", "x"]], [["编号", "标题"], ["一", "丁上一"], ["2", "封装工程师，一线"]]])
def test_a_text_is_read_in_each_encoding(tmp_path: Path, encoding: str, zipped: bool, table: list[list[str]]) -> None:
    content = "".join(f"{','.join(line)}\n" for line in table).encode(encoding)
    file = tmp_path / ("a.csv.gz" if zipped else "a.csv")
    file.write_bytes(gzip.compress(content) if zipped else content)
    assert list(rows.lines(file)) == table


def test_a_zero_byte_alone_makes_no_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(("编号,标题\n" + "1,甲乙丙丁\n" * 40).encode() + b"2,\0\n")
    assert list(rows.lines(tmp_path / "a.csv"))[-1] == ["2", "\0"]


@pytest.mark.parametrize(
    ("content", "last"),
    [
        ('a,b\n1,"x\n2,y"\n', ["1", "x\n2,y"]),
        ('a,b\n1,x\n2,5" 盘', ["2", '5" 盘']),
        ("a,b\n1,x\n2\n", ["2"]),
        ("a,b\r1,x\r2\r", ["2"]),
    ],
)
def test_what_a_text_can_hold_is_read_to_its_end(tmp_path: Path, content: str, last: list[str]) -> None:
    """Line breaks within quotes, quotes within a cell, no line break at the end of a whole row, a short row with one."""
    (tmp_path / "a.csv").write_bytes(content.encode())
    assert list(rows.lines(tmp_path / "a.csv"))[-1] == last


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b,c\n1,x,y\n2,x,y", 3),
        ("a,b,c\n1,x\n2,x,y\n", 2),
        ('a,b,c\n1,"27 寸,y\n2,27",y\n3,x,y\n', 2),
        ('a,b,c\n1,x,"5\n2,x,5"\n', 2),
        ('"a",b,c\n"1,x,y\n2",x,y\n', 2),
    ],
)
def test_what_vanished_is_told_only_of_a_text_that_is_whole(tmp_path: Path, content: str, line: int) -> None:
    """Cut off within its last cell, with a row that broke in two, or with rows that a quote without its other took in."""
    (tmp_path / "a.csv").write_bytes(content.encode())
    assert list(rows.lines(tmp_path / "a.csv"))
    with pytest.raises(typer.BadParameter, match=f"第 {line} 行"):
        list(rows.lines(tmp_path / "a.csv", whole=True))


def test_cells_of_several_lines_are_whole(tmp_path: Path) -> None:
    content = 'a,b,c\n1,"甲\n乙，丙",x\n2,x,"职责：\n1. 研发, 测试\n"\n3,x,"要求\nJava, Go, Rust"\n'
    (tmp_path / "a.csv").write_bytes(content.encode())
    assert len(list(rows.lines(tmp_path / "a.csv", whole=True))) == 4


def test_an_archive_without_a_workbook_and_a_file_that_is_not_there_say_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(typer.BadParameter, match=r"不是 \.xlsx 工作簿"):
        list(rows.lines(tmp_path / "a.xlsx"))
    with pytest.raises(typer.BadParameter, match="没有此文件"):
        list(rows.lines(tmp_path / "b.csv"))


@pytest.mark.parametrize(("part", "content"), [("xl/workbook.xml", b"<x/>"), ("xl/styles.xml", _WRONG_STYLE)])
def test_a_workbook_with_a_part_that_is_none_is_refused_as_damaged(tmp_path: Path, part: str, content: bytes) -> None:
    Workbook().save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, content if name == part else whole.read(name))
    with pytest.raises(typer.BadParameter, match=r"读不了 a\.xlsx：.*损坏"):
        list(rows.lines(tmp_path / "a.xlsx"))


@pytest.mark.parametrize(
    ("content", "why"), [("", "是空的；请"), ("\n,,\n", "是空的；请"), ("k-1,甲,公开\n", "第一行不是.*列名；请")]
)
def test_a_file_without_headings_says_so_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str, why: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit):
        importing.source_of(file, Kind.CASE, None, "")
    assert re.search(why, capsys.readouterr().err)
    monkeypatch.setattr(context, "language", "en")
    with pytest.raises(SystemExit):
        importing.source_of(file, Kind.CASE, None, "")
    said = capsys.readouterr().err
    assert "headings" in said
    assert said.isascii()


def test_receipts_that_nobody_can_look_at_any_more_hide_no_error(tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    (file := folder / "r.xlsx").write_bytes(b"before")
    before = tables._state(file)
    assert tables._is_as(file, before)
    file.write_bytes(b"another")
    os.utime(file, ns=(1, 1))
    assert not tables._is_as(file, before)
    file.unlink()
    folder.rmdir()
    folder.write_bytes(b"no folder")  # stat raises NotADirectoryError
    assert tables._is_as(file, before)
