"""The template of every kind: what is filled in by its own example comes in, and is right by the service's own rules."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from alliance.listings.v1 import listing_pb2 as pb
from alliance_cli import rows, templates
from alliance_cli.main import app
from intake import Mapping, UnmappedError, contract, notes, template
from intake.cells import shown
from intake.errors import WrongError
from intake.template import EXAMPLE, KEY_HEADING, RECEIPT
from listings.checks import settled
from listings.domain.names import DETAILS, Kind
from listings.mapping import written

TODAY = date(2026, 3, 2)
each_kind = pytest.mark.parametrize("kind", Kind)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("templates")


@cache
def lines(kind: Kind, folder: Path) -> list[rows.Line]:
    """The lines of a kind's template: paths, headings, the example."""
    file = folder / f"{kind.name}.xlsx"
    templates.write(kind, file, TODAY)
    return list(rows.lines(file, contract.kind_label(kind)))


def listing(kind: Kind, headings: rows.Line, line: rows.Line) -> pb.Listing:
    """The listing of a line, as an import brings it."""
    names = rows.headings(headings)
    mapping = template.mapping(kind, names)
    found = mapping.listing(rows.row(names, line), lambda collection, _: f"{collection}/1")
    found.kind, found.issuer, found.source = int(kind), "organizations/1", mapping.source  # type: ignore[assignment]
    return found


@each_kind
def test_what_the_example_says_is_right(kind: Kind, folder: Path) -> None:
    paths, headings, example = lines(kind, folder)
    filled = ["k-1", *example[1:]]
    given = listing(kind, paths, filled)
    assert given.WhichOneof("details") == DETAILS[kind]
    assert given == listing(kind, headings, filled), "without the hidden line the Chinese names do"
    assert settled(written(given)) == []


@each_kind
def test_an_example_fills_in_every_column_but_what_refers_to_what_is_not_there(kind: Kind, folder: Path) -> None:
    paths, _, example = lines(kind, folder)
    empty = [path for path, cell in zip(paths, example, strict=False) if cell is None]
    references = [column.path for column in contract.columns(kind) if column.known.format in contract.COLLECTIONS]
    assert empty == [path for path in references if path != "supply_demand_list.round"]
    assert len(example) == len(contract.columns(kind))


@pytest.mark.parametrize("today", [date(2026, 12, 31), date(2031, 1, 1)])
def test_days_and_years_of_an_example_are_told_by_the_clock(today: date) -> None:
    days = {notes.example(one, today) for one in contract.columns(Kind.TRAINING) if one.path.endswith(("valid_to", "_on"))}
    assert days == {f"{today.year + 1}-12-31"}
    kinds = (Kind.INDUSTRY_CHALLENGE, Kind.TALENT_SUPPLY, Kind.TEXTBOOK)
    years = {notes.example(one, today) for kind in kinds for one in contract.columns(kind) if one.path.endswith("_year")}
    assert years == {today.year}


@each_kind
def test_the_example_and_the_second_headings_are_passed_over(kind: Kind, folder: Path) -> None:
    paths, headings, example = lines(kind, folder)
    names = rows.headings(paths)
    mapping = template.mapping(kind, names)
    assert (example[0], headings[0]) == (EXAMPLE, KEY_HEADING)
    assert all(mapping.passes_over(rows.row(names, line)) for line in (headings, example))
    assert not mapping.passes_over(rows.row(names, ["k-1", *example[1:]]))


@each_kind
def test_what_is_shown_is_read_again_as_the_same(kind: Kind, folder: Path) -> None:
    paths, _, example = lines(kind, folder)
    given = listing(kind, paths, ["k-1", *example[1:]])
    assert settled(given) == []  # codes in place of names
    again = [shown(given, column.path, lambda _: "虚构、名称") for column in contract.columns(kind)]
    read = listing(kind, paths, list(again))
    assert settled(read) == []
    assert read == given


def test_the_id_of_an_export_comes_along() -> None:
    headings = ["external_key", "title", "visibility", "case.practice", "name", "state"]
    mapping = template.mapping(Kind.CASE, headings)
    assert mapping.listing(rows.row(headings, [None, "标题", "公开", "做法", "listings/9", "已发布"])).name == "listings/9"


@each_kind
def test_headings_are_told_apart(kind: Kind) -> None:
    headings = [column.zh for column in (*contract.columns(kind), *template.extras())] + list(RECEIPT)
    assert len(set(headings)) == len(headings)
    assert all(headings)


@pytest.mark.parametrize("kind", [Kind.JOB_POSITION, Kind.COURSE, Kind.EQUIPMENT_SHARING, Kind.TRAINING])
def test_choices_can_be_chosen_and_paths_are_out_of_sight(kind: Kind, folder: Path) -> None:
    lines(kind, folder)
    book = load_workbook(folder / f"{kind.name}.xlsx")
    assert book.sheetnames == [contract.kind_label(kind), templates.CODES, templates.NOTES]
    sheet: Any = book.worksheets[0]
    assert sheet.row_dimensions[1].hidden
    assert all(cell.comment for cell in sheet[2])
    ruled = {str(rule.sqref).split(":")[0].rstrip("0123456789"): rule for rule in sheet.data_validations.dataValidation}
    for cell, column in zip(sheet[1], contract.columns(kind), strict=True):
        if column.leaf.enum_type:
            assert ruled[cell.column_letter].type == "list"
            assert ruled[cell.column_letter].showErrorMessage
        elif column.path in ("region_codes", "field_codes") or column.path.endswith("education_code"):
            assert templates.CODES in str(ruled[cell.column_letter].formula1)


def test_a_drop_down_offers_the_provinces(folder: Path) -> None:
    lines(Kind.JOB_POSITION, folder)
    book = load_workbook(folder / "JOB_POSITION.xlsx")
    (rule,) = (one for one in book.worksheets[0].data_validations.dataValidation if str(one.sqref).startswith("F"))
    first, last = (int(part.rpartition("$")[2]) for part in str(rule.formula1).split(":"))
    offered = [cell.value for cell in book[templates.CODES]["B"][first - 1 : last]]
    assert offered[0] == "北京市"
    assert len(offered) == 34


@pytest.mark.parametrize(
    ("headings", "named"),
    [
        ([*("外部编号", "标题", "可见范围"), "标提"], "标题"),
        ([*("external_key", "title", "visibility"), "internship.weeks"], "internship.weeks"),
        (["外部编号", "说明"], "标题、可见范围"),
        (["external_key"], "标题、可见范围"),
    ],
)
def test_columns_that_are_none_of_the_kinds_or_lacking_are_named(headings: list[str], named: str) -> None:
    with pytest.raises(WrongError, match=named):
        template.mapping(Kind.JOB_POSITION, headings)


def test_a_table_of_ones_own_with_a_column_without_a_path_is_taken() -> None:
    assert template.mapping(Kind.CASE, ["external_key", "title", "visibility", "case.practice", ""]).columns == [
        "external_key",
        "title",
        "visibility",
        "case.practice",
    ]


def cell(kind: Kind, path: str, text: object) -> pb.Listing:
    """The listing of a row in which one column is filled in beside what has to be."""
    line = {column.path: notes.example(column, TODAY) for column in contract.columns(kind) if column.is_required} | {
        path: text
    }
    names = list(line)
    return template.mapping(kind, names).listing(rows.row(names, list(line.values())))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("C、C++", ["C", "C++"]),
        (" C 、、C++、", ["C", "C++"]),
        ("听、说\n读、写", ["听、说", "读、写"]),
        ("听、说\n", ["听、说"]),
    ],
)
def test_items_of_one_cell(text: str, items: list[str]) -> None:
    assert list(cell(Kind.JOB_POSITION, "job_position.skills", text).job_position.skills) == items


def test_a_name_that_holds_the_separator_is_one_item() -> None:
    given = cell(Kind.JOB_POSITION, "industry_codes", "农、林、牧、渔业、集成电路制造、C 制造业")
    assert list(given.industry_codes) == ["农、林、牧、渔业", "集成电路制造", "C 制造业"]
    assert list(cell(Kind.JOB_POSITION, "industry_codes", "A 农、林、牧、渔业").industry_codes) == ["A 农、林、牧、渔业"]


@pytest.mark.parametrize(("text", "is_core"), [("是", True), ("否", False), (True, True), (False, False), ("1", True)])
def test_yes_and_no(text: object, is_core: bool) -> None:
    assert cell(Kind.COURSE, "course.is_core", text).course.is_core is is_core


@pytest.mark.parametrize("text", ["2026-1-31", "2026/01/31", "2026年1月31日", "2026.1.31"])
def test_days_as_people_write_them(text: str) -> None:
    assert cell(Kind.TRAINING, "training.begins_on", text).training.begins_on == "2026-01-31"


@pytest.mark.parametrize(("text", "time"), [("8:00", "08:00"), ("08:00:00", "08:00"), ("24:00", "24:00")])
def test_times_as_people_write_them(text: str, time: str) -> None:
    assert cell(Kind.EQUIPMENT_SHARING, "equipment_sharing.open_from", text).equipment_sharing.open_from == time


@pytest.mark.parametrize(
    ("kind", "path", "text", "why"),
    [
        (Kind.COURSE, "course.credits", "两分", "数字"),
        (Kind.COURSE, "course.credits", "nan", "数字"),
        (Kind.COURSE, "course.hours", "2.5", "整数"),
        (Kind.COURSE, "course.is_core", "也许", "是"),
        (Kind.COURSE, "course.delivery", "面授", "线下（DELIVERY_MODE_ON_SITE）"),
    ],
)
def test_a_cell_that_is_none_of_what_its_field_takes_is_told_what_is(kind: Kind, path: str, text: str, why: str) -> None:
    with pytest.raises(UnmappedError) as refused:
        cell(kind, path, text)
    assert why in refused.value.zh


def test_numbers_with_their_thousands_parted() -> None:
    assert cell(Kind.TECH_DEMAND, "tech_demand.budget", "1,200,000").tech_demand.budget == 1_200_000
    assert cell(Kind.COURSE, "course.credits", 2.5).course.credits == 2.5


@pytest.mark.parametrize(("text", "quantity"), [("３", 3), ("１，２００", 1_200), ("3", 3)])
def test_numbers_in_full_width_are_the_same_numbers(text: str, quantity: int) -> None:
    assert cell(Kind.TECH_DEMAND, "quantity", text).quantity == quantity
    assert cell(Kind.COURSE, "course.credits", "２．５").course.credits == 2.5
    assert cell(Kind.TRAINING, "training.begins_on", "２０２６－１－３１").training.begins_on == "2026-01-31"


@pytest.mark.parametrize("text", ["3²", "½", "③", "三"])
def test_what_only_looks_like_a_number_is_refused_and_never_another_one(text: str) -> None:
    with pytest.raises(UnmappedError, match="整数"):
        cell(Kind.TECH_DEMAND, "quantity", text)


def test_names_are_looked_up_and_names_behind_an_id_are_not() -> None:
    asked: list[tuple[str, str]] = []

    def names(collection: str, text: str) -> str:
        asked.append((collection, text))
        return f"{collection}/9"

    headings = ["external_key", "title", "visibility", "vehicle.type", "bodies", "vehicle.partners"]
    mapping = template.mapping(Kind.VEHICLE, headings)
    line: rows.Line = ["k", "标题", "公开", "孵化器", "集成电路产教联盟、bodies/1 某联盟", "organizations/2 某学院\n某大学"]
    given = mapping.listing(rows.row(headings, line), names)
    assert list(given.bodies) == ["bodies/9", "bodies/1"]
    assert list(given.vehicle.partners) == ["organizations/2", "organizations/9"]
    assert asked == [("bodies", "集成电路产教联盟"), ("organizations", "某大学")]


def test_a_pay_of_nothing_is_said_and_an_unsaid_one_is_not() -> None:
    given = pb.Listing()
    given.job_position.SetInParent()
    assert shown(given, "job_position.salary.min", str) is None
    given.job_position.salary.SetInParent()
    assert shown(given, "job_position.salary.min", str) == 0
    assert shown(given, "job_position.experience_years", str) is None


def test_a_mapping_names_the_columns_of_what_is_refused() -> None:
    mapping = Mapping.parse(
        {
            "source": "s",
            "key": "编号",
            "fields": {
                "title": "名称",
                "bodies": "联盟",
                "region_codes": {"column": ["区", "市"], "lookup": "region"},
                "job_position.salary.min": {"column": "底薪", "number": True},
                "job_position.salary.max": {"column": "顶薪", "number": True},
            },
        }
    )
    wanted = {
        "external_key": ["编号"],
        "title": ["名称"],
        "bodies[3]": ["联盟"],
        "region_codes": ["区", "市"],
        "job_position.salary": ["底薪", "顶薪"],
        "visibility": [],
    }
    assert {path: mapping.columns_of(path) for path in wanted} == wanted


def _template(*options: str) -> Result:
    return CliRunner().invoke(app, ["listing", "template", "job_position", *options], env={"COLUMNS": "500"})


def test_a_template_overwrites_nothing(tmp_path: Path) -> None:
    """Under its own name somebody may have filled it in."""
    file = tmp_path / "job_position.xlsx"
    assert _template("--output", str(file)).exit_code == 0
    before = file.read_bytes()
    again = _template("--output", str(file))
    assert (again.exit_code, "已存在" in again.output) == (2, True), again.output
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "why"),
    [("none/x.xlsx", "没有该文件或文件夹"), ("a" * 300 + ".xlsx", "文件名过长"), ("file/x.xlsx", "其上级不是文件夹")],
)
def test_what_can_not_be_written_is_told_and_leaves_nothing(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = _template("--output", str(tmp_path / name))
    assert (said.exit_code, why in said.output) == (2, True), said.output
    assert ".part" not in said.output
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
