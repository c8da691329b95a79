"""A field's value as a cell of a table has it: read out of one, and shown in one so that it is read again as the same.

Several items in one cell are separated by 、, or by line breaks where the cell has any. Codes stand with their names
(`110105 北京市朝阳区`), resource names may stand with theirs (`bodies/1 集成电路产教联盟`).
"""

import math
import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from intake.amounts import half_width
from intake.contract import COLLECTIONS, TABLES, known, label
from intake.errors import WrongError

Cell = str | int | float | None
Names = Callable[[str, str], str]
"""Collection and what was typed → resource name; raises `WrongError` where there is none, or more than one."""
SEPARATOR = "、"


class Unsettled(str):
    """What stands in a cell that has no value: a formula whose result the file does not hold, or an error such as #REF!."""

    __slots__ = ()


class Rounded(Unsettled):
    """A number of more digits than a spreadsheet keeps: the last ones are gone, so that two keys may be one."""

    __slots__ = ()


EXACT = 10**15
"""Whole numbers from here on lose digits in a spreadsheet."""
YES, NO = "是", "否"
_BOOLEANS = {YES: True, NO: False, "true": True, "false": False, "1": True, "0": False}
_INTEGER = re.compile(r"-?\d+|-?\d{1,3}(,\d{3})+", re.ASCII)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_SERIAL = re.compile(r"\d{1,8}(\.\d+)?", re.ASCII)
_FIRST_DAY, _SERIALS = date(1899, 12, 30), range(36526, 73051)  # what Excel counts from; days of the years 2000 to 2099
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)
_GLUE = "\0"  # in place of a separator that belongs to a name


def as_given(_: str, text: str) -> str:
    """Names that nobody looks up: resource names have to be given."""
    return text


def unknown(given: object, names: Iterable[str]) -> WrongError:
    """Refusal of a name that there is not, with the nearest ones."""
    nearest = ", ".join(get_close_matches(str(given), names, cutoff=0))
    return WrongError(f"没有“{given}”；相近的有 {nearest}", f"there is no {given!r}; the nearest are {nearest}")


# Reading


def fitting(leaf: FieldDescriptor, value: Any, names: Names = as_given) -> Any:
    """The value as its field takes it; raises `WrongError` that says what the field takes."""
    if not leaf.is_repeated:
        return _single(leaf, value, names)
    return [_single(leaf, one, names) for one in (value if isinstance(value, list) else [value])]


def items(leaf: FieldDescriptor, text: str) -> list[str]:
    """The items of a cell that may hold several."""
    if "\n" in text:
        return [part.strip() for part in text.splitlines() if part.strip()]
    for name in _with_separator(known(leaf).codes):
        text = text.replace(name, name.replace(SEPARATOR, _GLUE))
    return [part.replace(_GLUE, SEPARATOR).strip() for part in text.split(SEPARATOR) if part.strip()]


@cache
def _with_separator(codes: int) -> list[str]:
    """Names of a code table that hold a separator (农、林、牧、渔业), longest first."""
    found = {name for _, name in TABLES[codes][1].entries() if SEPARATOR in name} if codes else set()
    return sorted(found, key=len, reverse=True)


def _single(leaf: FieldDescriptor, value: Any, names: Names) -> Any:
    if leaf.enum_type:
        return _choice(leaf.enum_type, value)
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _text(leaf, value, names)
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _yes_or_no(value)
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return _decimal(value)
    return _integer(leaf, value)


def _choice(enum: EnumDescriptor, value: Any) -> str:
    """Name of the value that its Chinese or English name stands for."""
    known_ones = [one for one in enum.values if one.number]
    for one in known_ones:
        if value in (label(one), one.name):
            return str(one.name)
    zh = "、".join(f"{label(one)}（{one.name}）" for one in known_ones)
    en = ", ".join(f"{label(one)} ({one.name})" for one in known_ones)
    raise WrongError(f"没有“{value}”；可填 {zh}", f"there is no {value!r}; choose one of {en}")


def _text(leaf: FieldDescriptor, value: Any, names: Names) -> str:
    if isinstance(value, date):  # as YAML reads 2026-12-31
        return value.isoformat()
    if not isinstance(value, str):
        raise WrongError("须是文字；请加引号", "it has to be text; put it in quotes")
    written = known(leaf).format
    if collection := COLLECTIONS.get(written):
        return value.split()[0] if value.startswith(f"{collection}/") else names(collection, value)
    if written == field_pb2.TEXT_FORMAT_DATE:
        return _day(value)
    if written == field_pb2.TEXT_FORMAT_TIME and (time := _TIME.fullmatch(half_width(value))):
        return f"{time[1]:0>2}:{time[2]}"
    return value


def _day(value: str) -> str:
    """A day as it is kept; what is neither a day nor a number is for the service to refuse. Raises `WrongError`.

    A number is the day that a spreadsheet shows in a cell that was not formatted as a date: days since the end of 1899.
    """
    text = half_width(value)
    if day := _DAY.fullmatch(text):
        return f"{day[1]}-{day[2]:0>2}-{day[3]:0>2}"
    if not _SERIAL.fullmatch(text):
        return value
    if text.isdecimal() and int(text) in _SERIALS:
        return (_FIRST_DAY + timedelta(days=int(text))).isoformat()
    raise WrongError(
        f"“{text}”是数字，不是日期；请写成 2026-01-31，或将单元格格式设为日期",
        f"{text} is a number and no date; write it like 2026-01-31, or format the cell as a date",
    )


def _yes_or_no(value: Any) -> bool:
    found = _BOOLEANS.get(half_width(str(value)).lower())
    if found is None:
        raise WrongError(f"须是“{YES}”或“{NO}”", f"it has to be {YES} (yes) or {NO} (no)")
    return found


def _decimal(value: Any) -> float:
    try:
        number = float(half_width(str(value)).replace(",", ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise WrongError("须是数字", "it has to be a number")
    return number


def _integer(leaf: FieldDescriptor, value: Any) -> int:
    most = 2 ** (31 if leaf.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 63) - 1
    text = half_width(str(value))
    if isinstance(value, bool) or not _INTEGER.fullmatch(text):
        raise _no_integer(most)
    number = int(text.replace(",", ""))
    if abs(number) > most:
        raise _no_integer(most)
    if number == 0 < known(leaf).min:  # on the wire 0 is as good as left out, and would get the default
        least = known(leaf).min
        raise WrongError(f"须不小于 {least:g}；不写则留空", f"it has to be at least {least:g}; leave it empty to say nothing")
    return number


def _no_integer(most: int) -> WrongError:
    return WrongError(f"须是不超过 {most} 的整数", f"it has to be a whole number up to {most}")


# Showing


def shown(message: Message, path: str, names: Callable[[str], str]) -> Cell:
    """What a table shows of a message's field; None for nothing. `names` gives a resource's display name, "" where unknown."""
    *steps, last = path.split(".")
    for step in steps:
        if not message.HasField(step):
            return None
        message = getattr(message, step)
    leaf, value = message.DESCRIPTOR.fields_by_name[last], getattr(message, last)
    if leaf.is_repeated:
        return _joined([str(_shown(leaf, one, names)) for one in value])
    # What says something by being there (a salary of 0) shows its zeros; anywhere else they say nothing.
    return _shown(leaf, value, names) if value or len(steps) > 1 else None


def _joined(parts: list[str]) -> str | None:
    if any(SEPARATOR in part for part in parts):
        return "".join(f"{part}\n" for part in parts)  # one with a separator in it needs a line break too
    return SEPARATOR.join(parts) or None


def _shown(leaf: Any, value: Any, names: Callable[[str], str]) -> Cell:
    if leaf.enum_type:
        chosen = leaf.enum_type.values_by_number.get(value)  # None for one of a later contract
        return label(chosen) if chosen else None
    if leaf.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return YES if value else NO
    if leaf.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        return value  # type: ignore[no-any-return]
    if codes := known(leaf).codes:
        return TABLES[codes][1].shown(value)
    if known(leaf).format in COLLECTIONS:
        return f"{value} {names(value)}".rstrip()
    return value  # type: ignore[no-any-return]
