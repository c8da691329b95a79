"""What is read of a file on its way to the service."""

import zipfile
from pathlib import Path

import pytest
import typer
from openpyxl import Workbook

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import importing
from intake import Mapping
from intake.template import RECEIPT
from listings.domain.names import Kind

_MAPPING = Mapping.parse({"source": "s", "key": "编号", "fields": {"title": "标题", "quantity": "人数"}})


def read(file: Path) -> importing._Chunks:
    return importing._Chunks(importing.source_of(file, Kind.CASE, _MAPPING, ""), rpc.ImportHeader())


def test_rows_that_can_not_be_read_have_their_place_among_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,标题,人数\n1,甲,1\n2,乙,两\n3,丙,3\n", encoding="utf-8")
    chunks = read(tmp_path / "a.csv")
    _, sent = chunks.requests()
    assert [row.row for row in sent.chunk.rows] == [1, 3]
    assert list(sent.chunk.unread_keys) == ["2"]
    answer = rpc.ImportListingsResponse(receipts=[rpc.ImportReceipt(row=number) for number in (1, 3)])
    settled = list(chunks.settled(answer))
    assert [one.receipt.row for one in settled if one.receipt] == [1, 2, 3]
    assert [one.column for one in settled] == ["", "人数", ""]
    assert [one.line[1] for one in settled] == ["甲", "乙", "丙"]


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
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as cut:
        for name in whole.namelist():
            content = whole.read(name)
            cut.writestr(name, content[: len(content) * 3 // 4] if name.endswith("sheet1.xml") else content)
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
    assert [row.row for row in sent.chunk.rows] == [1, 3]
    _, refused, _ = chunks.settled(rpc.ImportListingsResponse())
    assert refused.receipt
    (problem,) = refused.receipt.problems
    assert (problem.field, "超过" in problem.message.zh, len(problem.message.zh) < 100) == ("title", True, True)


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
