"""What every request has to be, whatever it asks for: values that the contract knows and PostgreSQL, Excel and mail can hold.

Checked before anything else looks at it, so that no rule meets a text or list without bounds.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import Violation

MAX_TEXT = 20_000  # characters
MAX_ITEMS = 1000
# Seconds since 1970 between which an instant is one on every clock, and so is what lies years before and after it:
# 9999-12-31T23:59 in UTC is none in Shanghai any more.
_EARLIEST = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(3000, 1, 1, tzinfo=UTC).timestamp())
_SHOWN = 20  # violations, at most
# No place in XML 1.0 (Excel), and NUL none in PostgreSQL either; tab, line feed and carriage return may stand. An override of
# the direction shows a text as what it is not, and some numbers are no characters at all.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]")
_UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Zs")  # Unicode's categories of controls, formats and separators
# Joiner, and selectors of variants: Mongolian ones, and those of which Chinese characters have many (IVS).
_VARIANTS = "\u034f\u180b\u180c\u180d\u180f" + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and patterns that are blank


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen of a text."""
    return all(_is_unseen(one) for one in text)


def trimmed(text: str) -> str:
    """A text without what can't be seen at its ends: it would look like another, and be another."""
    seen = [place for place, one in enumerate(text) if not _is_unseen(one)]
    return text[seen[0] : seen[-1] + 1] if seen else ""


def has_unseen(text: str) -> bool:
    """Whether something stands in a text that nobody sees, but for blanks."""
    return any(_is_unseen(one) and not one.isspace() for one in text)


def _is_unseen(one: str) -> bool:
    return unicodedata.category(one) in _UNSEEN or one in _FILLERS or one in _VARIANTS


def problems(request: Message) -> list[Violation]:
    """What is wrong with a message's texts, lists, enum values and instants, by the paths of its fields."""
    return list(islice(_of(request, ""), _SHOWN))


def _of(message: Message, prefix: str) -> Iterator[Violation]:
    for field, value in message.ListFields():
        path = prefix + field.name
        if not field.is_repeated:
            yield from _value(field, value, path)
        elif len(value) > MAX_ITEMS:
            yield Violation(path, "items", f"最多 {MAX_ITEMS} 项；请分批", f"at most {MAX_ITEMS} items; send them in parts")
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key, one in value.items():
                yield from _value(field.message_type.fields_by_name["key"], key, path)
                yield from _value(field.message_type.fields_by_name["value"], one, f"{path}[{key[:40]}]")
        else:
            for place, one in enumerate(value):
                yield from _value(field, one, f"{path}[{place}]")


def _value(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    if field.type == field.TYPE_STRING:
        yield from _text(value, path)
    elif field.enum_type is not None:
        yield from _enum(field, value, path)
    elif isinstance(value, Timestamp):
        yield from _instant(value, path)
    elif isinstance(value, Message):
        yield from _of(value, f"{path}.")


def _text(value: str, path: str) -> Iterator[Violation]:
    if len(value) > MAX_TEXT:
        yield Violation(path, "length", f"最多 {MAX_TEXT} 个字；请缩短", f"at most {MAX_TEXT} characters; shorten it")
    elif found := _CONTROL.search(value):
        code = f"U+{ord(found.group()):04X}"
        yield Violation(
            path,
            "control-character",
            f"文字中含有控制字符 {code}；请删去",
            f"the text holds the control character {code}; take it out",
        )


def _enum(field: FieldDescriptor, value: int, path: str) -> Iterator[Violation]:
    if field.enum_type is not None and value not in field.enum_type.values_by_number:
        known = ", ".join(field.enum_type.values_by_name)
        yield Violation(
            path,
            "enum",
            f"没有取值 {value}；可用：{known}",
            f"{value} is no value of {field.enum_type.name}; there are {known}",
        )


def _instant(value: Timestamp, path: str) -> Iterator[Violation]:
    if not _EARLIEST <= value.seconds < _LATEST or not 0 <= value.nanos < 10**9:
        yield Violation(
            path,
            "instant",
            "时间须在公元 1900 至 2999 年之间；请改正",
            "an instant has to be in the years 1900 to 2999; mend it",
        )
