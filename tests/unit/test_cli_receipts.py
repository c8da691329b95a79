"""Receipts: a list, or the imported table with the very cells marked that were refused."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import receipts, rows, stubs, workbook
from alliance_cli.commands import tables
from alliance_cli.main import app
from alliance_cli.output import errors
from alliance_cli.receipts import Settled
from alliance_cli.session import context
from intake import Mapping, template
from intake.template import EXAMPLE, RECEIPT
from listings.domain.names import Kind

_MAPPING = Mapping.parse(
    {
        "source": "s",
        "key": "编号",
        "fields": {
            "title": "名称",
            "region_codes": {"column": ["区", "市"], "lookup": "region"},
            "job_position.salary.min": {"column": "底薪", "number": True},
            "job_position.salary.max": {"column": "顶薪", "number": True},
        },
    }
)
_HEAD: list[rows.Line] = [["编号", "名称", "区", "市", "底薪", "顶薪", "备注"]]
_LINE: rows.Line = ["1", "工程师", "朝阳区", "北京", 8000, 12000, "=1+1"]


def receipt(outcome: Any, *fields: str, key: str = "1", row: int = 1) -> rpc.ImportReceipt:
    found = rpc.ImportReceipt(row=row, external_key=key, outcome=outcome, listing="" if fields else "listings/1")
    for field in fields:
        problem = found.problems.add(field=field, rule="rule")
        problem.message.zh, problem.message.en = f"{field} 不对；请改", f"{field} is wrong; mend it"
    return found


def marked(folder: Path, *settled: Settled, head: list[rows.Line] = _HEAD, mapping: Mapping = _MAPPING) -> Any:
    """The sheet that receipts make."""
    written = receipts.opened(folder / "r.xlsx", head, mapping)
    for one in settled:
        written.add(one)
    written.close()
    return load_workbook(folder / "r.xlsx").worksheets[0]


def noted(sheet: Any, row: int) -> dict[str, str]:
    return {cell.column_letter: cell.comment.text for cell in sheet[row] if cell.comment}


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        ("title", "B"),
        ("region_codes", "CD"),
        ("region_codes[1]", "CD"),
        ("job_position.salary", "EF"),
        ("job_position.salary.max", "F"),
        ("external_key", "A"),
        ("visibility", "H"),
    ],
)
def test_the_cells_of_the_field_that_was_refused_say_why(tmp_path: Path, field: str, cells: str) -> None:
    sheet = marked(tmp_path, Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_REFUSED, field)))
    notes = noted(sheet, 2)
    assert "".join(notes) == cells
    assert all(f"{field} 不对；请改" in note and f"{field} is wrong; mend it" in note for note in notes.values())
    colours = {cell.column_letter: cell.fill.fgColor.rgb for cell in sheet[2]}
    assert len({colours[letter] for letter in cells}) == 1
    assert colours[cells[0]] not in {colour for letter, colour in colours.items() if letter not in cells}


def test_the_very_column_is_marked_where_a_cell_could_not_be_read(tmp_path: Path) -> None:
    sheet = marked(tmp_path, Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_REFUSED, "region_codes"), [["市"]]))
    assert list(noted(sheet, 2)) == ["D"]


def test_each_column_is_marked_where_none_of_several_could_be_read(tmp_path: Path) -> None:
    _, (unread,) = _MAPPING.read({"编号": "1", "名称": "工程师", "区": "火星区", "市": "金星市"})
    assert (unread.column, unread.cell) == ("市", "金星市")
    sheet = marked(tmp_path, Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_REFUSED, "region_codes"), [unread.columns]))
    assert list(noted(sheet, 2)) == ["C", "D"]


def test_two_problems_of_a_cell_are_both_told(tmp_path: Path) -> None:
    sheet = marked(
        tmp_path, Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_REFUSED, "job_position.salary", "job_position.salary.min"))
    )
    notes = noted(sheet, 2)
    assert list(notes) == ["E", "F"]
    assert "salary.min" in notes["E"]
    assert "salary 不对" in notes["E"]


def test_a_rule_across_cells_is_told_at_each_of_them_and_in_the_list_of_problems_once(tmp_path: Path) -> None:
    refused = receipt(rpc.IMPORT_OUTCOME_REFUSED, "job_position.salary.min", "job_position.salary.max")
    for problem in refused.problems:
        problem.message.zh, problem.message.en = "最低不得高于最高", "min is above max"
    sheet = marked(tmp_path, Settled(_LINE, refused))
    assert noted(sheet, 2) == dict.fromkeys("EF", "最低不得高于最高\nmin is above max")
    assert sheet["J2"].value == "最低不得高于最高 min is above max"


def test_rows_are_there_again_as_they_were_with_what_became_of_them(tmp_path: Path) -> None:
    sheet = marked(
        tmp_path,
        Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_ACCEPTED)),
        Settled(["2", "短"], receipt(rpc.IMPORT_OUTCOME_REFUSED, "title", key="2", row=2)),
        Settled([], receipt(rpc.IMPORT_OUTCOME_WITHDRAWN, key="旧", row=0)),
    )
    read = list(sheet.iter_rows(values_only=True))
    assert read[0] == (*_HEAD[0], *RECEIPT)
    assert read[1] == (*_LINE, "新增", "listings/1", None)
    assert read[2] == ("2", "短", *[None] * 5, "拒收", None, "title 不对；请改 title is wrong; mend it")
    assert read[3] == ("旧", *[None] * 6, "撤回", "listings/1", None)
    assert sheet["G2"].data_type != "f"
    assert noted(sheet, 2) == {}


def test_receipts_of_a_template_are_a_template_and_those_of_receipts_too(tmp_path: Path) -> None:
    paths: rows.Line = ["external_key", "title", "visibility", None, "case.practice"]
    head: list[rows.Line] = [paths, ["外部编号", "标题", "可见范围", "我的备注", "做法"]]
    example: rows.Line = [EXAMPLE, "某案例", "公开", None, "做"]
    line: rows.Line = ["1", "案例", "公开", "x", "做"]
    for _ in range(2):
        mapping = template.mapping(Kind.CASE, rows.headings(head[0]))
        settled = Settled(example, None), Settled(line, receipt(rpc.IMPORT_OUTCOME_REFUSED, "case.practice"))
        sheet = marked(tmp_path, *settled, head=head, mapping=mapping)
        read = [list(one) for one in sheet.iter_rows(values_only=True)]
        assert sheet.row_dimensions[1].hidden
        assert read[0] == [*paths, None, None, None]
        assert read[1] == [*head[1][:5], *RECEIPT]
        assert read[2] == [*example[:5], None, None, None]
        assert list(noted(sheet, 4)) == ["E"]
        head, example, line = read[:2], read[2], read[3]


def test_a_row_that_was_taken_in_and_flagged_is_marked_in_another_colour(tmp_path: Path) -> None:
    taken = receipt(rpc.IMPORT_OUTCOME_ACCEPTED)
    warning = taken.warnings.add(field="title", rule="就业促进法")
    warning.message.zh, warning.message.en = "请删去性别要求", "take out the gender"
    sheet = marked(tmp_path, Settled(_LINE, taken))
    assert noted(sheet, 2) == {"B": "请删去性别要求\ntake out the gender"}
    assert sheet["B2"].fill.fgColor.rgb == "FFFFE699"
    assert sheet["A2"].fill.fill_type is None
    assert "新增" in [cell.value for cell in sheet[2]]
    written = receipts.opened(tmp_path / "r.csv", _HEAD, _MAPPING)
    written.add(Settled(_LINE, taken))
    written.close()
    (line,) = csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8-sig"))
    assert (line["outcome"], line["field"], line["rule"]) == ("accepted", "title", "就业促进法")


def test_comments_end_where_there_are_too_many_and_the_texts_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "_NOTED", 1)
    refused = [Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_REFUSED, "title", row=number)) for number in (1, 2)]
    sheet = marked(tmp_path, *refused)
    assert noted(sheet, 3) == {}
    assert "title 不对" in sheet["J3"].value
    assert sheet["B3"].fill.fgColor.rgb == sheet["B2"].fill.fgColor.rgb


def test_a_list_has_a_line_a_problem_and_no_formula(tmp_path: Path) -> None:
    written = receipts.opened(tmp_path / "r.csv", _HEAD, _MAPPING)
    written.add(Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_ACCEPTED, key="=cmd()")))
    written.add(Settled(["示例"], None))
    written.add(Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_REFUSED, "title", "visibility", row=2)))
    written.close()
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as opened:
        read = list(csv.DictReader(opened))
    assert [(one["row"], one["external_key"], one["outcome"], one["field"]) for one in read] == [
        ("1", "'=cmd()", "accepted", ""),
        ("2", "1", "refused", "title"),
        ("2", "1", "refused", "visibility"),
    ]
    assert [(one["message_zh"], one["message_en"]) for one in read[:2]] == [
        ("", ""),
        ("title 不对；请改", "title is wrong; mend it"),
    ]


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.unit.test_cli_receipts import _HEAD, _LINE, _MAPPING, receipt
from alliance_cli import receipts
from alliance_cli.receipts import Settled
from alliance_cli.session import context
from alliance.listings.v1 import listings_service_pb2 as rpc

written = receipts.opened(Path(sys.argv[1]), _HEAD, _MAPPING)
for row in range(3):
    written.add(Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_ACCEPTED, row=row)))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("before", [None, b"what was there before"])
def test_an_import_that_is_killed_leaves_a_list_of_what_was_taken_in_and_no_half_workbook(
    tmp_path: Path, before: bytes | None
) -> None:
    for name in ("r.csv", "r.xlsx"):
        if before:
            (tmp_path / name).write_bytes(before)
        killed = subprocess.run([sys.executable, "-c", _KILLED, tmp_path / name], check=False)
        assert killed.returncode == -signal.SIGKILL
    assert len((tmp_path / "r.csv").read_text("utf-8-sig").splitlines()) == 1 + 3
    workbook = tmp_path / "r.xlsx"
    assert (workbook.read_bytes() if workbook.exists() else None) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_list_that_can_not_be_begun_is_told_at_once() -> None:
    with pytest.raises(OSError, match="No space left"):
        receipts.opened(Path("/dev/full"), _HEAD, _MAPPING)


def test_a_list_is_there_from_the_first_receipt_on(tmp_path: Path) -> None:
    written = receipts.opened(tmp_path / "r.csv", _HEAD, _MAPPING)
    assert not (tmp_path / "r.csv").exists(), "no row has a receipt"
    written.add(Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_ACCEPTED)))
    assert [one.name for one in tmp_path.iterdir()] == ["r.csv"]
    written.close()
    assert len((tmp_path / "r.csv").read_text("utf-8-sig").splitlines()) == 1 + 1


def test_a_workbook_takes_the_place_of_what_was_there_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "r.xlsx").write_bytes(b"what was there before")
    assert marked(tmp_path, Settled(_LINE, receipt(rpc.IMPORT_OUTCOME_ACCEPTED)))["B2"].value == "工程师"
    assert [one.name for one in tmp_path.iterdir()] == ["r.xlsx"]


@pytest.mark.parametrize("before", [None, b"of last week"])
@pytest.mark.parametrize(
    ("name", "full", "fresh"),
    [
        ("r.csv", "", True),
        *(("r.xlsx", full, False) for full in ("", "put", "close")),  # it does not become whole
        *((name, "refused", False) for name in ("r.csv", "r.xlsx")),  # before any row has a receipt
    ],
)
def test_an_import_that_breaks_off_names_no_receipts_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None, name: str, full: str, fresh: bool
) -> None:
    def broken(*_: Any, **__: Any) -> Iterator[rpc.ImportListingsResponse]:
        if full != "refused":
            yield rpc.ImportListingsResponse(receipts=[receipt(rpc.IMPORT_OUTCOME_WITHDRAWN, row=0)])
        raise grpc.RpcError

    def none_left(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ImportListings=broken))
    monkeypatch.setattr(tables, "explained", nullcontext)
    monkeypatch.setattr(errors, "width", 600)
    if full in ("put", "close"):
        monkeypatch.setattr(workbook.Book, full, none_left)
    (tmp_path / "m.yaml").write_text("{source: s, key: 编号, fields: {title: 标题}}", encoding="utf-8")
    (tmp_path / "a.csv").write_text("编号,标题\n1,工程师\n", encoding="utf-8")
    target = tmp_path / name
    if before:
        target.write_bytes(before)
    options = ["--kind", "case", "--map", str(tmp_path / "m.yaml"), "--as", "organizations/1", "--receipts", str(target)]
    said = CliRunner().invoke(app, ["listing", "import", str(tmp_path / "a.csv"), *options]).output
    assert ("本次没有回执" in said, f"已有回执的行已处理，见 {target}" in said) == (not fresh, fresh), said
    assert "不会重复" in said
    if fresh:
        assert target.read_bytes() != before
    else:
        assert (target.read_bytes() if target.exists() else None) == before
    assert {one.name for one in tmp_path.iterdir()} == {"a.csv", "m.yaml"} | ({name} if before or fresh else set())


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("before", [None, b"of last week"])
def test_an_import_that_comes_to_its_end_without_receipts_says_what_it_came_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None, output: str
) -> None:
    def taken(requests: Iterator[rpc.ImportListingsRequest], **_: Any) -> Iterator[rpc.ImportListingsResponse]:
        for request in requests:
            outcomes = (rpc.IMPORT_OUTCOME_ACCEPTED, rpc.IMPORT_OUTCOME_REFUSED)
            told = [receipt(one, row=row.row) for row, one in zip(request.chunk.rows, outcomes, strict=False)]
            if told:
                yield rpc.ImportListingsResponse(receipts=told)

    def none_left(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(stubs, "listings", lambda: SimpleNamespace(ImportListings=taken))
    monkeypatch.setattr(errors, "width", 600)
    monkeypatch.setattr(workbook.Book, "close", none_left)
    (tmp_path / "m.yaml").write_text("{source: s, key: 编号, fields: {title: 标题}}", encoding="utf-8")
    (tmp_path / "a.csv").write_text("编号,标题\n1,工程师\n2,技师\n", encoding="utf-8")
    target = tmp_path / "r.xlsx"
    if before:
        target.write_bytes(before)
    monkeypatch.setattr(context, "output", output)  # and as it was, afterwards
    options = ["--kind", "case", "--map", str(tmp_path / "m.yaml"), "--as", "organizations/1", "--receipts", str(target)]
    done = CliRunner().invoke(app, ["--output", output, "listing", "import", str(tmp_path / "a.csv"), *options])
    assert done.exit_code == 1
    assert "只是回执没有写成" in done.stderr
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert "中断" not in done.stderr
    if output == "json":
        told = json.loads(done.stdout)
        assert (told["receipts"], told["accepted"], told["refused"]) == (None, 1, 1)
    else:
        assert "accepted 1 · revised 0 · unchanged 0 · refused 1" in done.stdout
        assert "逐行回执" not in done.stdout
    assert (target.read_bytes() if target.exists() else None) == before
