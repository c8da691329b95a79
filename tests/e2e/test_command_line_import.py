"""Imports by the command line: whatever the file's form, every row has its receipt."""

import csv
import gzip
import os
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from alliance.matching.v1 import matching_service_pb2 as matching
from alliance_local.control import Platform
from tests import world
from tests.e2e.program import (
    HEADINGS,
    IMPORT,
    PARTLY,
    REFUSED,
    USAGE,
    Alliance,
    rows,
    written,
)
from tests.world import Member

SAMPLE = os.environ.get("ALLIANCE_SAMPLE_DATA")


@pytest.mark.parametrize("name", ["posts.csv", "posts.csv.gz", "posts.xlsx"])
def test_a_file_goes_in_once_whatever_its_form(alliance: Alliance, employer: Member, tmp_path: Path, name: str) -> None:
    file = written(tmp_path / name, rows({}, {"title": "测试工程师"}, {"city": "上海"}))
    checked = alliance.receipts(file, "--dry-run")
    assert [(one["outcome"], one["listing"]) for one in checked] == [("accepted", "")] * 3
    assert alliance.json("listing", "list", "--issuer", employer.name) == []
    first = alliance.receipts(file)
    assert [one["outcome"] for one in first] == ["accepted"] * 3
    again = alliance.receipts(written(file, rows({}, {"title": "测试工程师"}, {"city": "广州"})))
    assert [one["outcome"] for one in again] == ["unchanged", "unchanged", "revised"]
    assert [one["listing"] for one in again] == [one["listing"] for one in first]


def test_a_bad_row_is_named_and_stops_no_good_one(alliance: Alliance, tmp_path: Path) -> None:
    wrong = [
        {"city": "火星"},
        {"title": ""},
        {"headcount": "-1"},
        {"headcount": "99999999999"},
        {"description": "加微信13812345678"},
    ]
    receipts = alliance.receipts(written(tmp_path / "posts.csv", rows({}, *wrong, {})), code=PARTLY)
    by_row = {int(one["row"]): one for one in receipts}
    assert [by_row[number]["outcome"] for number in range(2, 9)] == ["accepted", *["refused"] * 5, "accepted"]
    assert [by_row[number]["field"] for number in range(3, 8)] == [
        "region_codes",
        "title",
        "quantity",
        "quantity",
        "description",
    ]
    texts = ("rule", "message_zh", "message_en")
    assert all(by_row[number][text] for number in range(3, 8) for text in texts)
    assert not any("13812345678" in by_row[7][text] for text in texts)


def test_a_file_of_a_chinese_spreadsheet_is_read_too(alliance: Alliance, tmp_path: Path) -> None:
    file = written(tmp_path / "posts.csv", rows({"title": "封装工艺工程师"}))
    file.write_bytes(file.read_text(encoding="utf-8-sig").encode("gb18030"))
    (receipt,) = alliance.receipts(file)
    assert alliance.json("listing", "show", receipt["listing"])["title"] == "封装工艺工程师"


@pytest.mark.parametrize("name", ["posts.csv.xlsx", "posts.csv.gz", "posts.doc"])
def test_a_file_that_is_none_is_named(program: Alliance, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00\xff nothing of the kind")
    assert ".csv" in program("listing", "import", str(tmp_path / name), *IMPORT, code=USAGE)


def test_a_wrong_mapping_is_refused_before_anything_is_sent(program: Alliance, tmp_path: Path) -> None:
    file, mapping = written(tmp_path / "posts.csv", rows({})), tmp_path / "map.yaml"
    for wrong, named, right in [
        ("{titel: title}", "titel", "title"),
        ("{title: title, visibility: {value: VISIBILITY_PUBLIK}}", "visibility", "VISIBILITY_PUBLIC"),
        ("{title: title, quantity: {value: two}}", "quantity", "整数"),
    ]:
        mapping.write_text(f"{{source: s, key: job_id, fields: {wrong}}}", encoding="utf-8")
        refused = program("listing", "import", str(file), "--kind", "job_position", "--map", str(mapping), code=USAGE)
        assert named in refused
        assert right in refused
    assert not Path(f"{file}.receipts.csv").exists()


def test_a_cell_that_cannot_be_converted_refuses_its_row_alone(alliance: Alliance, tmp_path: Path) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        """
        source: cells
        key: job_id
        fields:
          title: title
          visibility: {column: source, values: {虚构: VISIBILITY_PUBLIC}}
          quantity: headcount
          job_position.salary.min: {column: salary_min_month, number: true}
          job_position.salary.max: {column: salary_min_month, number: true}
        """,
        encoding="utf-8",
    )
    changes = {"headcount": "两人"}, {"source": "内部"}, {"salary_min_month": "250元/天"}, {"salary_min_month": "1-1.5万·13薪"}
    heading = {name: name for name in HEADINGS}
    file = written(tmp_path / "posts.csv", [*rows({}, *changes), heading])
    receipts = alliance.receipts(file, code=PARTLY, how=("--kind", "job_position", "--map", str(mapping)))
    by_row = {int(one["row"]): one for one in reversed(receipts)}
    assert [by_row[number]["outcome"] for number in range(2, 8)] == ["accepted", *["refused"] * 3, "accepted", "refused"]
    fields = ["quantity", "visibility", "job_position.salary.min", "external_key"]
    assert [by_row[number]["field"] for number in (3, 4, 5, 7)] == fields
    assert all(by_row[number]["message_zh"] and by_row[number]["message_en"] for number in (3, 4, 5, 7))
    assert [one["field"] for one in receipts if int(one["row"]) == 5] == [
        f"job_position.salary.{end}" for end in ("min", "max")
    ]
    salary = alliance.json("listing", "show", by_row[6]["listing"])["job_position"]["salary"]
    assert salary == {"min": 10_000, "max": 15_000}


def test_receipts_that_cannot_be_written_stop_the_import_before_it_begins(
    alliance: Alliance, employer: Member, tmp_path: Path
) -> None:
    file = written(tmp_path / "posts.csv", rows({}))
    content = file.read_bytes()
    for target in (tmp_path / "nowhere" / "x.csv", tmp_path, file):
        refused = alliance("listing", "import", str(file), *IMPORT, "--receipts", str(target), code=USAGE)
        assert "Traceback" not in refused
    assert alliance.json("listing", "list", "--issuer", employer.name) == []
    assert file.read_bytes() == content


def test_a_column_that_the_file_lacks_is_named_with_those_there(program: Alliance, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("编号,title,city\n1,工程师,北京\n", encoding="utf-8")
    refused = program("listing", "import", str(file), *IMPORT, code=REFUSED)
    assert "job_id" in refused
    assert "编号, title, city" in refused


@pytest.mark.parametrize(("content", "said"), [("", "posts.csv is empty"), ("job_id,title,city\n", "no rows")])
def test_a_file_without_rows_says_so(program: Alliance, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(content, encoding="utf-8")
    assert said in program("--lang", "en", "listing", "import", str(file), *IMPORT, code=REFUSED)


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [("posts.csv", ";", "utf-8"), ("posts.csv", "\t", "utf-16"), ("POSTS.CSV", ",", "utf-16")],
)
def test_other_separators_and_encodings_are_read(
    alliance: Alliance, tmp_path: Path, name: str, separator: str, encoding: str
) -> None:
    file = tmp_path / name
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.DictWriter(opened, HEADINGS, delimiter=separator)
        writer.writeheader()
        writer.writerows(rows({"title": "封装；测试, 工艺"}))
    (receipt,) = alliance.receipts(file)
    assert alliance.json("listing", "show", receipt["listing"])["title"] == "封装；测试, 工艺"


def test_days_and_numbers_of_a_spreadsheet_are_read_as_such(alliance: Alliance, tmp_path: Path) -> None:
    file, mapping = tmp_path / "POSTS.XLSX", tmp_path / "map.yaml"
    fields = "{title: 标题, valid_to: 截止, quantity: 人数, visibility: {value: VISIBILITY_PUBLIC}, job_position.majors: 专业}"
    mapping.write_text(f"{{source: sheet, key: 编号, fields: {fields}}}", encoding="utf-8")
    book = Workbook()
    for line in (("编号", "标题", "截止", "人数", "专业"), (7, "封装工程师", datetime(2099, 4, 20), 2.0, "微电子科学与工程")):
        book.active.append(line)  # type: ignore[union-attr]
    book.save(file)
    (receipt,) = alliance.receipts(file, how=("--kind", "job_position", "--map", str(mapping)))
    assert receipt["external_key"] == "7"
    shown = alliance.json("listing", "show", receipt["listing"])
    assert (shown["valid_to"], shown["quantity"], shown["job_position"]["majors"]) == ("2099-04-20", 2, ["080704"])


def test_a_dry_run_foresees_a_key_that_comes_again_in_a_later_chunk(alliance: Alliance, tmp_path: Path) -> None:
    again = [{"job_id": "p-0", "title": "测试工程师"}, {"job_id": "p-1"}]
    file = written(tmp_path / "posts.csv", rows(*[{}] * 500, *again))
    foreseen = Counter(one["outcome"] for one in alliance.receipts(file, "--dry-run"))
    assert foreseen == Counter(one["outcome"] for one in alliance.receipts(file))
    assert foreseen == {"accepted": 500, "revised": 1, "unchanged": 1}


@pytest.mark.skipif(not SAMPLE, reason="ALLIANCE_SAMPLE_DATA is not set: no real postings here")
def test_real_postings_that_nobody_shaped_for_us(platform: Platform, process: Alliance, employer: Member) -> None:
    """Every row has its receipt, every accepted one is found, and the second time nothing changes. Of every fourth posting: to
    match all five thousand takes minutes.
    """
    file = Path(str(SAMPLE)) / "data/texts/zh_job_postings_sample.csv.gz"
    kept = process.folder / file.name
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as whole, gzip.open(kept, "wt", encoding="utf-8") as some:
        headings, *postings = csv.reader(whole)
        csv.writer(some).writerows([headings, *postings[::4]])
    receipts = process.receipts(kept, code=PARTLY)
    assert Counter({int(one["row"]): one["outcome"] for one in receipts}.values()) == {"accepted": 1242, "refused": 8}
    flagged = [one for one in receipts if one["outcome"] == "accepted" and one["rule"]]
    assert len(flagged) > 25, "many ask for an age"
    world.settle(platform)
    request = matching.SearchListingsRequest(issuer=employer.name, page_size=1)
    assert employer.caller.matching.SearchListings(request).total_size == 1242
    again = Counter({int(one["row"]): one["outcome"] for one in process.receipts(kept, code=PARTLY)}.values())
    assert again == {"unchanged": 1242, "refused": 8}
