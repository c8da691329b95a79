"""Code tables: names, hierarchies, and what a refusal of a code says."""

import re
from contextlib import suppress
from typing import Any

import pytest

from codes import NoCodeError, education, fields, industries, majors, occupations, regions


@pytest.mark.parametrize(
    ("code", "area", "inside"),
    [
        ("110105", "110000", True),
        ("110105", "110105", True),
        ("110000", "110105", False),
        ("320102", "320100", True),
        ("320102", "320000", True),
        ("320102", "320200", False),
        ("120000", "110000", False),
    ],
)
def test_an_area_takes_in_what_lies_in_it(code: str, area: str, inside: bool) -> None:
    assert regions.within(code, area) is inside
    assert regions.compatible(code, area) is (inside or regions.within(area, code))


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("110105", ("110000", "110100", "110105")),
        ("320102", ("320000", "320100", "320102")),
        ("320000", ("320000",)),
    ],
)
def test_the_path_of_a_region(code: str, path: tuple[str, ...]) -> None:
    assert regions.path(code) == path


@pytest.mark.parametrize(
    ("text", "first"),
    [
        *[("北京", "110000"), ("北京市", "110000"), (" 南京 ", "320100"), ("内蒙古", "150000"), ("火星", "")],
        *[("南京市鼓楼区", "320106"), ("徐州市鼓楼区", "320302"), ("江苏省南京市鼓楼区", "320106"), ("浙江省鼓楼区", "")],
        *[("南京鼓楼", "320106"), ("江苏南京鼓楼区", "320106"), ("北京海淀", "110108"), ("上海浦东新区", "310115")],
        *[("广西", "450000"), ("宁夏", "640000"), ("新疆", "650000"), ("河北", "130000"), ("海南", "460000")],
        *[("河北区", "120105"), ("吉林", "220000"), ("湘西", "433100"), ("临夏", "622900"), ("延边", "222400")],
        *[("东乡", "361003"), ("三江", "450226"), ("石家庄高新区", "130171"), ("徐州经开区", "320371"), ("海南州", "")],
        *[("济南市中区", "370103"), ("济南市市中区", "370103"), ("天津河北", "120105"), ("青海海南", "632500")],
        *[("北京市朝阳区", "110105"), ("长春市朝阳区", "220104"), ("市辖区", "110100")],
    ],
)
def test_regions_by_name_widest_first(text: str, first: str) -> None:
    assert (regions.find(text) or [""])[0] == first


@pytest.mark.parametrize(("code", "path"), [("3973", ["C", "39", "397", "3973"]), ("C", ["C"])])
def test_the_path_of_an_industry(code: str, path: list[str]) -> None:
    assert industries.path(code) == path


def test_every_industry_belongs_to_a_section() -> None:
    codes = [code for number in range(10_000) if industries.exists(code := f"{number:04}")]
    assert len(codes) > 1000
    assert {industries.path(code)[0] for code in codes} <= set("ABCDEFGHIJKLMNOPQRST")


@pytest.mark.parametrize(
    ("text", "level"),
    [("博士", 7), ("研究生", 6), ("硕士", 6), ("本科", 5), ("大专", 4), ("中专", 3), ("高中", 3), ("初中", 2), ("小学", 1)],
)
def test_levels_of_education(text: str, level: int) -> None:
    assert education.level(education.find(text)) == level


def test_codes_as_people_write_them() -> None:
    written = ("本科及以上", "大专以上", "硕士研究生", "博士研究生")
    assert [education.read(one) for one in written] == ["20", "30", "14", "11"]
    assert [fields.read(one) for one in ("ai", "AI", "人工智能", "big_data")] == ["AI", "AI", "AI", "BIG_DATA"]


def test_what_is_no_level_is_none() -> None:
    assert education.find("幼儿园大班") == ""


@pytest.mark.parametrize(
    ("table", "code", "near"),
    [
        (regions, "北京", "110000"),
        (regions, "119999", "110"),
        (regions, "北京市海定区", "110108"),  # its full name is near, not only its own
        (regions, "海定区", "110108"),
        (regions, "海定区", "定海区"),
        (regions, "新彊", "650000"),
        (regions, "苏洲", "320500"),
        (regions, "通洲区", "110112"),
        (regions, "深川市", "440300"),
        (regions, "滨海", "120116"),  # as 浦东 is 浦东新区: not only 滨海县
        (regions, "", ""),
        (industries, "集成电路制造", "3973"),
        (industries, "3999", "399"),
        (education, "本科", "20"),
        (education, "2", "20"),
        (education, "x" * 5000, ""),
    ],
)
def test_a_refused_code_comes_with_near_ones(table: object, code: str, near: str) -> None:
    wrong = table.problem(code)  # type: ignore[attr-defined]
    assert wrong is not None
    zh, en = wrong
    assert near in zh.split("如")[-1]
    assert near in en.split("like")[-1]


@pytest.mark.parametrize(("table", "code"), [(regions, "110000"), (industries, "3973"), (education, "20")])
def test_a_code_of_the_table_is_right(table: object, code: str) -> None:
    assert table.problem(code) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", [regions, industries, education])
def test_a_text_of_any_length_is_told_apart_at_once(table: Any) -> None:
    assert table.problem("1" * 1_000_000)


def test_a_code_with_its_section_before_it_is_told_without() -> None:
    zh, _ = industries.problem("C39") or ("", "")
    assert "39" in zh
    assert industries.name("39") in zh


@pytest.mark.parametrize("table", [regions, industries, education, occupations, fields, majors])
def test_every_code_is_read_as_it_is_shown(table: Any) -> None:
    for code, name in table.entries():
        assert table.shown(code) == f"{code} {name}"
        assert table.read(table.shown(code)) == code
        assert len(code) == 1 or table.read(f"{name}（{code}）") == code
    assert table.shown("某某") == "某某"


@pytest.mark.parametrize("table", [regions, industries, education, occupations, fields, majors])
def test_a_name_is_a_name_alone_and_read_as_one_of_its_codes(table: Any) -> None:
    names = dict(table.entries())
    for name in names.values():
        assert not re.search(r"\s|。|GBM", name), name
        with suppress(NoCodeError):  # more than one has it
            assert names.get(table.read(name), name) == name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("37", "铁路、船舶、航空航天和其他运输设备制造业"),
        ("3531", "食品、酒、饮料及茶生产专用设备制造"),
        ("3552", "皮革、毛皮及其制品加工专用设备制造"),
    ],
)
def test_a_long_name_of_an_industry_is_whole(code: str, name: str) -> None:
    assert industries.read(name) == code


def test_a_name_with_brackets_of_either_width_is_read() -> None:
    assert occupations.read("管理（工业）工程技术人员") == occupations.read("管理(工业)工程技术人员") == "2-02-30"


@pytest.mark.parametrize(
    ("code", "is_there", "near"),
    [
        ("710201", True, ""),
        ("660301", True, ""),
        ("610101", True, ""),
        ("790499", True, ""),
        ("790501", False, "7904 文秘类"),
        ("699999", False, "6903 粮食类"),
        ("600101", False, "6101 农业类"),
    ],
)
def test_a_major_of_a_secondary_school_is_taken_where_there_is_its_class(code: str, is_there: bool, near: str) -> None:
    assert majors.exists(code) is is_there
    if is_there:
        assert majors.read(f"{code} 某专业") == majors.read_major(code) == code
    else:
        for read in (majors.read, majors.read_major):
            with pytest.raises(NoCodeError) as refused:
                read(f"{code} 某专业")
            assert (refused.value.zh, str(refused.value)) == majors.problem(code)
            assert code in refused.value.zh
            assert near in refused.value.zh.split("相近")[1]


def test_the_name_of_a_secondary_schools_major_is_refused_with_how_to_write_it() -> None:
    with pytest.raises(NoCodeError) as refused:
        majors.read("幼儿保育")
    assert "中职专业须填其 6 位代码" in refused.value.zh
    assert "the six digits" in str(refused.value)


@pytest.mark.parametrize("written", ["低空技术与工程", "083203TK", "083203TK 低空技术与工程"])
def test_the_major_of_low_altitude_technology_is_known(written: str) -> None:
    assert majors.read_major(written) == "083203TK"


def test_a_major_leads_to_the_education_of_its_catalogue() -> None:
    found = {code: majors.education(code) for code in ("080902", "460104", "610101", "0809", "计算机", "")}
    assert found == {"080902": "20", "460104": "30", "610101": "40", "0809": "", "计算机": "", "": ""}
    assert {majors.education(code) for code in majors.find("电子商务")} == {"20", "30"}


def test_each_occupation_lies_in_a_minor_group() -> None:
    assert occupations.groups("2-02-10-03") == ["信息和通信工程技术人员", "计算机软件工程技术人员"]
    assert occupations.groups("2-02-10") == ["信息和通信工程技术人员"]
    assert occupations.groups("2-02") == occupations.groups("2") == []
    assert all(occupations.groups(code) for code, _ in occupations.entries() if code.count("-") > 1)


def test_a_name_that_is_in_two_cities_of_the_province_is_not_read_as_one() -> None:
    with pytest.raises(NoCodeError, match=r"320106.*320302"):
        regions.read("江苏省鼓楼区")


@pytest.mark.parametrize(
    ("text", "area", "codes"), [("河北", "120000", ["120105"]), ("河北", "", ["130000"]), ("河北", "310000", [])]
)
def test_a_name_within_an_area(text: str, area: str, codes: list[str]) -> None:
    assert regions.find(text, area) == codes


@pytest.mark.parametrize("text", ["北京" * 5000, "北京" * 21, "北京上海" * 10, "省市区县" * 10, "北" * 39])
def test_a_name_that_is_none_is_told_at_once_however_long(text: str) -> None:
    assert regions.find(text) == []
    with pytest.raises(NoCodeError):
        regions.read(text)


@pytest.mark.parametrize("blank", ["", " ", "\u3000\u3000"])
def test_nothing_is_no_code_and_said_so(blank: str) -> None:
    with pytest.raises(NoCodeError) as refused:
        regions.read(blank)
    assert "未填" in refused.value.zh
