"""A mapping that can't be right is refused as a whole, a cell that can't be converted refuses its row."""

from pathlib import Path
from typing import Any

import pytest

from intake import Mapping, UnmappedError, WrongError


def mapping(**fields: Any) -> Mapping:
    """A mapping of these fields; a double underscore stands for the point in a path."""
    named = {name.replace("__", "."): given for name, given in fields.items()}
    return Mapping.parse({"source": "test", "key": "id", "fields": named})


@pytest.mark.parametrize(
    ("fields", "named", "nearest"),
    [
        ({"titel": "t"}, "fields.titel", "title"),
        ({"job_position__skill": "t"}, "fields.job_position.skill", "job_position.skills"),
        ({"job_position": "t"}, "fields.job_position", "job_position."),
        ({"issuer": "t"}, "fields.issuer", "title"),
        ({"visibility": {"value": "VISIBILITY_PUBLIK"}}, "fields.visibility", "VISIBILITY_PUBLIC"),
        ({"visibility": {"value": "VISIBILITY_UNSPECIFIED"}}, "fields.visibility", "VISIBILITY_PUBLIC"),
        ({"visibility": {"column": "v", "values": {"公开": "PUBLIC"}}}, "values.公开", "VISIBILITY_PUBLIC"),
        ({"quantity": {"value": "three"}}, "fields.quantity", "整数"),
        ({"quantity": {"value": 2**31}}, "fields.quantity", "2147483647"),
        ({"quantity": {"value": 0}}, "fields.quantity", "不小于 1"),
        ({"title": {"value": 3}}, "fields.title", "引号"),
        ({"title": {"colum": "t"}}, "fields.title", "column"),
        ({"title": {"column": "t", "spilt": ","}}, "fields.title", "split"),
        ({"title": {"column": "t", "value": "v"}}, "fields.title", "column"),
        ({"title": None}, "fields.title", "column"),
        ({"title": {"column": 3}}, "fields.title", "column: 3"),
        ({"title": {"column": "t", "values": ["a"]}}, "fields.title", "values"),
        ({"region_codes": {"column": "c", "split": 3}}, "fields.region_codes", "split: 3"),
        ({"title": {"column": "t", "number": True}}, "fields.title", "number"),
        ({"title": {"column": "t", "split": ","}}, "fields.title", "split"),
        ({"region_codes": {"column": "c", "lookup": "regoin"}}, "lookup", "region"),
        ({"region_codes": {"column": "c", "lookup": "region", "values": {"帝都": "北平"}}}, "values.帝都", "代码表"),
        ({"job_position__skills": "t", "internship__weeks": "w"}, "fields", "internship"),
    ],
)
def test_a_wrong_mapping_is_named_with_what_would_be_right(fields: dict[str, Any], named: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        mapping(**fields)
    assert nearest in str(refused.value)


@pytest.mark.parametrize(
    "read", [None, [], "text", {}, {"source": "s", "key": "k"}, {"source": "s", "key": "k", "fields": ["t"]}]
)
def test_a_file_that_is_no_mapping_is_refused(read: Any) -> None:
    with pytest.raises(ValueError, match="fields"):
        Mapping.parse(read)


@pytest.mark.parametrize(
    ("fields", "row", "field", "why"),
    [
        ({"visibility": "v"}, {"v": "public"}, "visibility", "VISIBILITY_PUBLIC"),
        ({"quantity": "n"}, {"n": "三"}, "quantity", "整数"),
        ({"quantity": "n"}, {"n": "0"}, "quantity", "不小于 1"),
        ({"quantity": {"column": "n", "number": True}}, {"n": "招0人"}, "quantity", "不小于 1"),
        ({"quantity": {"column": "n", "number": True}}, {"n": "1.5"}, "quantity", "整数"),
        ({"quantity": {"column": "n", "number": True}}, {"n": "30亿"}, "quantity", "2147483647"),
        *[
            ({"valid_to": "d"}, {"d": number}, "valid_to", "单元格格式设为日期")
            for number in ("36525", "73051", "46387.5", "2026", "20261231", "0")
        ],
        ({"region_codes": {"column": "c", "lookup": "region"}}, {"c": "火星"}, "region_codes", "代码表"),
        ({"region_codes": {"column": "c", "lookup": "region"}}, {"c": "江苏省鼓楼区"}, "region_codes", "320302"),
        ({"region_codes": {"column": "c", "lookup": "region"}}, {"c": "朝阳区"}, "region_codes", "220104 吉林省长春市朝阳区"),
        ({"region_codes": {"column": ["d", "c"], "lookup": "region"}}, {"d": "鼓楼区", "c": ""}, "region_codes", "350102"),
        (
            {"job_position__salary__max": {"column": "pay", "number": True}},
            {"pay": "250元/天"},
            "job_position.salary.max",
            "月薪",
        ),
    ],
)
def test_a_cell_that_cannot_be_converted_is_named(fields: dict[str, Any], row: dict[str, str], field: str, why: str) -> None:
    with pytest.raises(UnmappedError) as refused:
        mapping(**fields).listing({"id": "1", **row})
    assert (refused.value.field, refused.value.column, refused.value.cell) == (field, *next(iter(row.items())))
    assert why in refused.value.zh


def test_pay_is_read_at_both_ends_of_one_column() -> None:
    pay = {"column": "pay", "number": True}
    listing = mapping(job_position__salary__min=pay, job_position__salary__max=pay).listing({"id": "1", "pay": "0.8-1.2万"})
    assert (listing.job_position.salary.min, listing.job_position.salary.max) == (8_000, 12_000)
    assert not mapping(job_position__salary__min=pay).listing({"id": "1", "pay": "面议"}).job_position.HasField("salary")


def test_a_place_that_is_anywhere_is_left_empty() -> None:
    """A district named beside `不限` is that district."""
    rule = {"column": ["d", "c"], "lookup": "region"}
    for row, codes in (
        ({"d": "", "c": "远程"}, []),
        ({"d": "不限", "c": "全国"}, []),
        ({"d": "海淀区", "c": "不限"}, ["110108"]),
    ):
        assert list(mapping(region_codes=rule).listing({"id": "1", **row}).region_codes) == codes


def test_what_every_row_has_is_taken_as_yaml_reads_it() -> None:
    given = Mapping.parse(
        {
            "source": "s",
            "key": "id",
            "fields": {"region_codes": {"value": "110000"}, "tech_demand.budget": {"value": 5 * 10**9}},
        }
    )
    listing = given.listing({"id": "1"})
    assert (list(listing.region_codes), listing.tech_demand.budget) == (["110000"], 5 * 10**9)


def test_headings_that_stand_there_again_are_no_row() -> None:
    given = mapping(title="标题")
    with pytest.raises(UnmappedError, match="表头"):
        given.listing({"id": "id", "标题": "标题", "其他": "x"})
    assert given.listing({"id": "id", "标题": "工程师"}).title == "工程师"


def test_every_column_that_is_named_is_told_once() -> None:
    assert mapping(title="t", description="t", region_codes={"column": ["d", "c"], "lookup": "region"}).columns == [
        "id",
        "t",
        "d",
        "c",
    ]


@pytest.mark.parametrize(
    ("content", "zh", "en"),
    [
        (b"source: s\nkey: a: b", "第 2 行不是 YAML；请", "in line 2; "),
        (b"source: \x01", "控制字符；请", "control characters; "),
        ("source: 来源".encode("gb18030"), "UTF-8；请", "UTF-8; "),
        (b"source: s", "须有 source、key、fields", "source, key and fields"),
    ],
)
def test_a_mapping_that_can_not_be_read_says_where_and_what_to_do(tmp_path: Path, content: bytes, zh: str, en: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(WrongError) as refused:
        Mapping.load(str(tmp_path / "a.yaml"))
    assert zh in refused.value.zh
    assert en in refused.value.en
    assert refused.value.en.isascii()


@pytest.mark.parametrize("cell", ["", "  ", "若干"])
def test_a_quantity_that_is_not_named_is_left_to_its_default(cell: str) -> None:
    assert mapping(quantity={"column": "n", "number": True}).listing({"id": "1", "n": cell}).quantity == 0


@pytest.mark.parametrize(("written", "key"), [("a", "a"), (" a\u3000", "a"), ("\u3000", ""), ("a b", "a b")])
def test_blanks_around_a_key_are_none_of_it(written: str, key: str) -> None:
    listing, _ = mapping(title="t").read({"id": written, "t": "工程师"})
    assert listing.external_key == key


@pytest.mark.parametrize(
    ("district", "city", "code"),
    [
        ("朝阳区", "长春市", "220104"),
        ("朝阳区", "北京", "110105"),
        ("", "北京", "110000"),
        ("", "吉林", "220000"),
        ("玄武区", "", "320102"),
        ("", "朝阳", "211300"),
        ("双塔区", "朝阳", "211302"),
        ("南京市鼓楼区", "", "320106"),
        ("徐州市鼓楼区", "江苏", "320302"),
    ],
)
def test_a_place_is_the_one_within_what_is_named_beside_it(district: str, city: str, code: str) -> None:
    looked_up = mapping(title="t", region_codes={"column": ["d", "c"], "lookup": "region"})
    assert looked_up.listing({"t": "工程师", "d": district, "c": city, "id": "1"}).region_codes == [code]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("46387", "2026-12-31"),
        ("36526", "2000-01-01"),
        ("73050", "2099-12-31"),
        ("４６３８７", "2026-12-31"),
        ("2026/1/5", "2026-01-05"),
        ("明年", "明年"),  # for the service to refuse
    ],
)
def test_a_day_that_a_spreadsheet_kept_as_a_number_is_one_where_a_day_is_meant(cell: str, day: str) -> None:
    read = mapping(title="t", valid_to="t").listing({"id": "1", "t": cell})
    assert (read.title, read.valid_to) == (cell, day)
