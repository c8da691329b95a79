"""Listings by spreadsheet: a template filled in, imported, mended where it was refused, exported and imported again."""

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_local.control import Platform
from tests import world
from tests.e2e.program import IMPORT, PARTLY, REFUSED, Alliance, rows, written
from tests.world import Member

_KIND = ("--kind", "job_position")


def filled(file: Path, *lines: dict[str, Any]) -> None:
    """Rows in a template, column by Chinese heading, as a person would enter them below the example."""
    book = load_workbook(file)
    sheet: Any = book.worksheets[0]
    headings = [cell.value for cell in sheet[2]]
    for row, line in enumerate(lines, start=sheet.max_row + 1):
        for heading, value in line.items():
            cell = sheet.cell(row, headings.index(heading) + 1)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # also =1+1
    book.save(file)


def outcomes(alliance: Alliance, file: Path, *options: str, code: int = 0) -> dict[str, int]:
    """How many rows came to what."""
    said = json.loads(alliance("--output", "json", "listing", "import", str(file), *_KIND, *options, code=code))
    return {outcome: count for outcome, count in said.items() if outcome not in ("receipts", "seconds") and count}


def test_a_template_goes_in_is_mended_comes_out_and_goes_in_again(
    platform: Platform, alliance: Alliance, employer: Member, tmp_path: Path
) -> None:
    body, _ = world.formed_alliance(platform)
    world.join(platform, body.name, employer)
    file, receipts = tmp_path / "岗位.xlsx", tmp_path / "回执.xlsx"
    alliance("listing", "template", "job_position", "--output", str(file))
    usual = {
        "可见范围": "公开",
        "所属组织": body.display_name,
        "数量": 2,
        "截止日期": datetime(2099, 4, 20),
        "最低学历": "本科",
    }
    filled(
        file,
        {**usual, "外部编号": "007", "标题": "=1+1 封装工程师", "地区": "北京市海淀区、上海市", "行业": "农、林、牧、渔业"},
        {**usual, "外部编号": "008", "标题": "测试工程师", "地区": "火星", "技能": "听、说\n读、写"},
    )
    assert outcomes(alliance, file, "--receipts", str(receipts), code=PARTLY) == {"accepted": 1, "refused": 1}

    book = load_workbook(receipts)
    sheet: Any = book.worksheets[0]
    (noted,) = (cell for line in sheet.iter_rows(min_row=3) for cell in line if cell.comment)
    assert (sheet.cell(2, noted.column).value, noted.value) == ("地区", "火星")
    assert "行政区划" in noted.comment.text
    assert "GB/T 2260 division code" in noted.comment.text
    noted.value = "天津市"
    book.save(receipts)
    assert outcomes(alliance, receipts) == {"accepted": 1, "unchanged": 1}

    stored = {one["external_key"]: one for one in alliance.json("listing", "list", "--issuer", employer.name)}
    assert (stored["007"]["title"], stored["007"]["region_codes"]) == ("=1+1 封装工程师", ["110108", "310000"])
    assert (stored["007"]["valid_to"], stored["007"]["industry_codes"], stored["007"]["quantity"]) == ("2099-04-20", ["A"], 2)
    assert stored["008"]["job_position"]["skills"] == ["听、说", "读、写"]
    assert all(one["bodies"] == [body.name] for one in stored.values())

    for form in ("xlsx", "csv"):
        out = tmp_path / f"导出.{form}"
        alliance("listing", "export", *_KIND, "--issuer", employer.name, "--format", form, "--output", str(out))
        assert outcomes(alliance, out) == {"unchanged": 2}
    exported: Any = load_workbook(tmp_path / "导出.xlsx").worksheets[0]
    assert {cell.data_type for line in exported.iter_rows(min_row=3) for cell in line} == {"s", "n"}
    with (tmp_path / "导出.csv").open(encoding="utf-8-sig", newline="") as opened:
        assert sorted(line["标题"] for line in csv.DictReader(opened)) == ["'=1+1 封装工程师", "测试工程师"]
    lines = alliance("listing", "export", "--issuer", employer.name, "--format", "jsonl").splitlines()
    assert {json.loads(line)["name"] for line in lines} == {one["name"] for one in stored.values()}

    assert "--map" in alliance("listing", "import", str(written(tmp_path / "a.csv", rows({}))), *_KIND, code=REFUSED)


def test_what_vanished_from_a_file_is_withdrawn_with_a_reason(alliance: Alliance, employer: Member, tmp_path: Path) -> None:
    file = written(tmp_path / "posts.xlsx", rows({}, {}, {}, {}))
    alliance.receipts(file)
    written(file, rows({}, {"city": "火星"}))
    gone = ("--withdraw-vanished", "--reason", "不再招聘")
    said = [alliance.receipts(file, *gone, *more, code=PARTLY) for more in (("--dry-run",), ())]
    assert said[0] == said[1]
    assert [one["outcome"] for one in said[0]] == ["unchanged", "refused", "withdrawn", "withdrawn"]
    kept = {one["external_key"] for one in alliance.json("listing", "list", "--issuer", employer.name)}
    assert kept == {"p-0", "p-1"}, "a row that is refused has not vanished"


def test_an_import_of_a_workbook_that_was_killed_is_done_again_without_doubles(
    process: Alliance, employer: Member, tmp_path: Path
) -> None:
    file = written(tmp_path / "posts.xlsx", rows(*[{}] * 2500))
    command = ["listing", "import", str(file), *IMPORT]
    with process.begun(*command) as importing:
        request = rpc.ListListingsRequest(issuer=employer.name, page_size=1)
        world.until(lambda: employer.caller.listings.ListListings(request).listings)
        importing.kill()
        assert importing.wait() < 0, "it was still at it"
    found = Counter(one["outcome"] for one in process.receipts(file))
    assert set(found) == {"accepted", "unchanged"}
    assert found.total() == 2500
    listed, request.page_size = Counter[str](), 1000
    while True:
        answer = employer.caller.listings.ListListings(request)
        listed.update(one.external_key for one in answer.listings)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    assert listed == Counter(f"p-{number}" for number in range(2500))
