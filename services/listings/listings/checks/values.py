"""One value: a text with its code table or its form, a choice, a number."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from chassis.clock import parsed_date
from chassis.errors import Violation
from chassis.wellformed import is_blank
from codes import NoCodeError, education, fields, industries, majors, occupations, regions
from listings.domain import formats

_POSTGRADUATE = 6  # level of education, see `codes.education`
_TABLES: Mapping[int, tuple[str, Callable[[str], str]]] = {
    field_pb2.CODE_TABLE_REGIONS: ("GB/T 2260", regions.read),
    field_pb2.CODE_TABLE_INDUSTRIES: ("GB/T 4754", industries.read),
    field_pb2.CODE_TABLE_OCCUPATIONS: ("职业分类大典 2022", occupations.read),
    field_pb2.CODE_TABLE_EDUCATION: ("GB/T 4658", education.read),
    field_pb2.CODE_TABLE_MAJORS: ("专业目录", majors.read),
    field_pb2.CODE_TABLE_FIELDS: ("S4 三(一)", fields.read),
}
_FORMATS: Mapping[int, tuple[str, Callable[[str], bool], str, str]] = {
    field_pb2.TEXT_FORMAT_DATE: (
        "ISO 8601",
        lambda text: parsed_date(text) is not None,
        "日期须为真实日期，格式如 2026-01-31；请改正",
        "it has to be a day of the calendar like 2026-01-31; mend it",
    ),
    field_pb2.TEXT_FORMAT_TIME: (
        "ISO 8601",
        formats.is_time,
        "时刻格式须如 08:00，一日之末为 24:00；请改正",
        "the time has to look like 08:00, the end of the day is 24:00; mend it",
    ),
    field_pb2.TEXT_FORMAT_HTTPS: (
        "https",
        formats.is_https,
        "须为 https:// 开头的网址；请改正",
        "it has to be an https:// address; mend it",
    ),
    field_pb2.TEXT_FORMAT_ISBN: (
        "ISBN-13",
        formats.is_isbn,
        "须为 13 位 ISBN，末位校验码须相符；请核对",
        "it has to be an ISBN-13 with its check digit; look it up again",
    ),
    **{
        number: (
            "AIP-122",
            partial(formats.is_name, collection),
            f"须写成 {collection}/{{编号}}；请改正",
            f"it is written as {collection}/{{id}}; mend it",
        )
        for number, collection in (
            (field_pb2.TEXT_FORMAT_ORGANIZATION, "organizations"),
            (field_pb2.TEXT_FORMAT_LISTING, "listings"),
            (field_pb2.TEXT_FORMAT_ROUND, "rounds"),
            (field_pb2.TEXT_FORMAT_BODY, "bodies"),
        )
    },
}


def as_kept(value: str, known: field_pb2.Field, path: str, is_postgraduate: bool) -> tuple[str, list[Violation]]:
    """The text as it is kept, and what is wrong with it: blanks around it say nothing, and no table brings them back."""
    value = on_one_line(value) if known.codes or known.format else value.strip()
    if is_blank(value):
        return "", [missing(known, path)] if known.required else []
    if known.codes:
        return _coded(value, known, path, is_postgraduate)
    if known.format:
        rule, is_right, zh, en = _FORMATS[known.format]
        return value, [] if is_right(value) else [Violation(path, rule, zh, en)]
    return value, []


def on_one_line(text: str) -> str:
    """A text with single blanks in place of line breaks and runs of blanks."""
    return " ".join(text.split())


def _coded(value: str, known: field_pb2.Field, path: str, is_postgraduate: bool) -> tuple[str, list[Violation]]:
    rule, read = _TABLES[known.codes]
    try:
        return read(value), []
    except NoCodeError as error:
        if is_postgraduate and known.codes == field_pb2.CODE_TABLE_MAJORS:
            return value, []  # their disciplines are in a catalogue of their own, which the platform does not have
        return value, [Violation(path, rule, error.zh, str(error))]


def choice_problems(value: int, enum: EnumDescriptor, known: field_pb2.Field, path: str) -> Iterator[Violation]:
    """A number that the enum does not have; 0, which stands for nothing chosen, where something has to be."""
    if value in enum.values_by_number and (value or not known.required):
        return
    names = [(one.GetOptions().Extensions[field_pb2.zh], one.name) for one in enum.values if one.number]
    allowed_zh = "、".join(f"{zh}（{name}）" for zh, name in names)
    yield Violation(
        path,
        "required" if not value else "enum",
        f"请选择{known.zh}：{allowed_zh}",
        f"choose one of {', '.join(name for _, name in names)}",
    )


def number_problems(value: float, known: field_pb2.Field, path: str) -> Iterator[Violation]:
    """A number outside of the contract's limits."""
    low, high = known.min if known.HasField("min") else None, known.max if known.HasField("max") else None
    if (low is None or low <= value) and (high is None or value <= high):  # not a number is neither
        return
    zh = f"须为 {low:g}–{high:g}" if high is not None else f"须不小于 {low:g}"
    en = f"{low:g} to {high:g}" if high is not None else f"at least {low:g}"
    yield Violation(path, "range", f"{known.zh}{zh}；请改正", f"{path} has to be {en}; mend it")


def missing(known: field_pb2.Field, path: str) -> Violation:
    """The violation of a field that was left out and can't be."""
    return Violation(path, "required", f"请填写{known.zh}", f"{path} is required; enter it")


def is_postgraduate(details: Message) -> bool:
    """Whether the details are of people with a master's degree or above; their disciplines are taken as they are written."""
    code = getattr(details, "education_code", "")
    try:
        return bool(code) and education.level(education.read(code)) >= _POSTGRADUATE
    except NoCodeError:
        return False
