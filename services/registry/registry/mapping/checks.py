"""What every subject is checked by, and the parts of a message that a caller may write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from chassis.errors import Violation
from chassis.personal import screen
from chassis.wellformed import has_unseen, trimmed
from codes import NoCodeError, industries, majors, regions

_TABLES: Mapping[int, tuple[str, Callable[[str], str]]] = {
    field_pb2.CODE_TABLE_REGIONS: ("GB/T 2260", regions.read),
    field_pb2.CODE_TABLE_INDUSTRIES: ("GB/T 4754", industries.read),
    field_pb2.CODE_TABLE_MAJORS: ("教育部专业目录", majors.read_major),
}
_Message = TypeVar("_Message", bound=Message)


def coded(given: Message, prefix: str = "") -> list[Violation]:
    """Put codes in place of what was written for them (code, name or both); everything that names none."""
    return list(_coded(given, prefix))


def _coded(given: Message, prefix: str) -> Iterator[Violation]:
    for field, value in given.ListFields():
        path, table = f"{prefix}{field.name}", _TABLES.get(field.GetOptions().Extensions[field_pb2.field].codes)
        if table and field.is_repeated:
            read = [_read(table, path, one) for one in value]
            value[:] = list(dict.fromkeys(code for code, _ in read))
            yield from (problem for _, problem in read if problem)
        elif table:
            code, problem = _read(table, path, value)
            setattr(given, field.name, code)
            yield from [problem] if problem else []
        elif field.message_type and not field.is_repeated:
            yield from _coded(value, f"{path}.")


def _read(table: tuple[str, Callable[[str], str]], path: str, text: str) -> tuple[str, Violation | None]:
    rule, read = table
    try:
        return read(text), None
    except NoCodeError as error:
        return text, Violation(path, rule, error.zh, error.en)


def named(given: Any) -> Iterator[Violation]:
    """What is wrong with a subject's name, which is taken without blanks around it."""
    given.display_name = trimmed(given.display_name)
    if not 2 <= len(given.display_name) <= 200:
        yield Violation("display_name", "length", "名称须为 2–200 个字", "the name has to have 2 to 200 characters")
    if len(given.display_name.splitlines()) > 1:
        yield Violation("display_name", "one-line", "名称不得换行", "the name has to be one line")
    if has_unseen(given.display_name) or "\t" in given.display_name:
        told = ("名称含有看不见的字符；请重新输入，不要复制", "the name holds characters that can't be seen; type it anew")
        yield Violation("display_name", "unseen", *told)
    yield from screen("display_name", given.display_name)


def external_key(given: Any) -> Iterator[Violation]:
    if len(given.external_key) > 128:
        yield Violation(
            "external_key",
            "length",
            "外部编号最多 128 个字符；请缩短",
            "an external key has at most 128 characters; shorten it",
        )
    yield from screen("external_key", given.external_key)  # it rides on topics: no identity number for want of another key


def bad_date(field: str) -> Violation:
    return Violation(field, "ISO 8601", "须为日历上的日期，如 2026-01-31", "it has to be a day of the calendar, as 2026-01-31")


def only(given: _Message, fields: Sequence[str]) -> _Message:
    """A message with nothing but the fields that the caller may write."""
    bare, there = type(given)(), {descriptor.name for descriptor, _ in given.ListFields()}
    FieldMask(paths=[field for field in fields if field in there]).MergeMessage(given, bare)
    return bare
