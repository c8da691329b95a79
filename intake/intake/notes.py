"""How a column is filled in, told to people out of what the contract says of its field; and an example."""

from datetime import date
from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor

from alliance.common.v1 import field_pb2
from intake.cells import NO, SEPARATOR, YES
from intake.contract import TABLES, Column, label

_FORMATS = {
    field_pb2.TEXT_FORMAT_DATE: ("日期", "a date", ""),  # its example is told by the clock
    field_pb2.TEXT_FORMAT_TIME: ("时刻，一日之末为 24:00", "a time of day; its end is 24:00", "08:00"),
    field_pb2.TEXT_FORMAT_HTTPS: ("https:// 开头的网址", "an https:// address", "https://example.org"),
    field_pb2.TEXT_FORMAT_ISBN: ("13 位 ISBN", "an ISBN-13", "978-7-04-044979-2"),
    # What is referred to has to be there: an example that is not would be refused.
    field_pb2.TEXT_FORMAT_BODY: ("组织的名称或编号", "a body's name or id", ""),
    field_pb2.TEXT_FORMAT_ORGANIZATION: ("单位的名称或编号", "an organization's name or id", ""),
    field_pb2.TEXT_FORMAT_LISTING: ("供需信息的编号", "a listing's id", ""),
    field_pb2.TEXT_FORMAT_ROUND: (
        "已截止期次的编号，示例须换成本组织的（alliance round list 可查）",
        "a closed round's id; put one of your body's in place of the example (alliance round list)",
        "rounds/1",
    ),
}
_CODED = {
    field_pb2.CODE_TABLE_REGIONS: "北京市海淀区",
    field_pb2.CODE_TABLE_INDUSTRIES: "3973 集成电路制造",
    field_pb2.CODE_TABLE_OCCUPATIONS: "2-02-10-03 计算机软件工程技术人员",
    field_pb2.CODE_TABLE_EDUCATION: "本科",
    field_pb2.CODE_TABLE_MAJORS: "软件工程",
    field_pb2.CODE_TABLE_FIELDS: "人工智能",
}
_ANY = {field_pb2.CODE_TABLE_REGIONS: ("；全国、远程留空", "; empty for anywhere, remote among it")}
_NUMBERS = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_DOUBLE)


class Note(NamedTuple):
    """What a column takes, in Chinese and English."""

    zh: str
    en: str


def note(column: Column) -> Note:
    """How a column is filled in."""
    zh, en, _ = _taken(column)
    parts_zh, parts_en = ["必填"] * column.is_required + [zh], ["required"] * column.is_required + [en]
    if column.leaf.is_repeated:
        parts_zh.append(f"可填多项，以“{SEPARATOR}”或换行分隔")
        parts_en.append(f"several are separated by {SEPARATOR} or line breaks")
    return Note("；".join(parts_zh), "; ".join(parts_en))


def example(column: Column, today: date) -> str | int:
    """An example as a person would write it, days and years as they may be given today; "" where whatever is written has to be
    there.
    """
    if column.leaf.name.endswith("_year"):
        return today.year
    if column.known.format == field_pb2.TEXT_FORMAT_DATE:
        return date(today.year + 1, 12, 31).isoformat()  # a template is filled in weeks after it was made
    return _number(column, column.known.example) or _taken(column)[2]


def is_number(column: Column) -> bool:
    """Whether its cells hold numbers."""
    return column.leaf.cpp_type in _NUMBERS


def choices(column: Column) -> list[str]:
    """What can be chosen, in Chinese; empty where anything may be written."""
    if column.leaf.enum_type:
        return [label(one) for one in column.leaf.enum_type.values if one.number]
    return [YES, NO] if column.leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL else []


def _number(column: Column, text: str) -> str | int:
    return int(text) if text and is_number(column) else text


def _taken(column: Column) -> tuple[str, str, str | int]:
    known = column.known
    if chosen := choices(column):
        return f"选一：{'、'.join(chosen)}", f"choose one of {', '.join(chosen)}", chosen[0]
    if is_number(column):
        return _range(column)
    if known.codes:
        table, (any_zh, any_en) = TABLES[known.codes][0], _ANY.get(known.codes, ("", ""))
        zh, en = f"代码、名称或二者，见代码表（{table}）{any_zh}", f"a code, a name or both, see 代码表 ({table}){any_en}"
        return zh, en, _CODED[known.codes]
    if known.format:
        return _FORMATS[known.format]
    return "文字", "text", f"（示例）{column.zh}"


def _range(column: Column) -> tuple[str, str, int]:
    known, whole = column.known, column.leaf.cpp_type != FieldDescriptor.CPPTYPE_DOUBLE
    zh, en = ("整数", "a whole number") if whole else ("数字", "a number")
    if known.HasField("max"):
        zh, en = f"{zh}，{known.min:g}–{known.max:g}", f"{en}, {known.min:g} to {known.max:g}"
    elif known.HasField("min"):
        zh, en = f"{zh}，不小于 {known.min:g}", f"{en}, at least {known.min:g}"
    return zh, en, max(int(known.min), 1)
