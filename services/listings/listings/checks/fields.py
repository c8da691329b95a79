"""Field after field of the listing or of its details, by what the contract knows of each."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from chassis.errors import Violation
from listings.checks.contract import required, written_by_issuers
from listings.checks.values import as_kept, choice_problems, missing, number_problems, on_one_line

MAX_WORDS = 100
"""Skills, majors, positions and the like, in one field."""
MAX_WORD = 100
"""Characters of one of them."""
MAX_TEXT = 5_000
"""Characters of a text in the details."""


def field_problems(message: Message, prefix: str, *, is_postgraduate: bool) -> Iterator[Violation]:
    """Checks a listing (prefix "") or its details ("case."), in place: texts become what is kept of them."""
    checked, given = written_by_issuers(message.DESCRIPTOR), message.ListFields()
    for field, value in given:
        if (known := checked.get(field.name)) is not None:
            yield from _field(message, field, value, known, f"{prefix}{field.name}", is_postgraduate)
    filled = {field.name for field, _ in given}
    for field, known in required(message.DESCRIPTOR):
        if field.name not in filled:
            yield from _left_out(field, known, f"{prefix}{field.name}")


def _left_out(field: FieldDescriptor, known: field_pb2.Field, path: str) -> Iterator[Violation]:
    if field.enum_type is not None:
        yield from choice_problems(0, field.enum_type, known, path)
    elif known.min > 0:
        yield from number_problems(0, known, path)
    else:
        yield missing(known, path)


def _field(
    message: Message, field: FieldDescriptor, value: Any, known: field_pb2.Field, path: str, is_postgraduate: bool
) -> Iterator[Violation]:
    """Checks a field that is filled in."""
    if field.is_repeated:
        yield from _listed(value, known, path, is_postgraduate)
    elif field.enum_type is not None:
        yield from choice_problems(value, field.enum_type, known, path)
    elif field.type == field.TYPE_STRING:
        given, found = as_kept(value, known, path, is_postgraduate)
        yield from found
        if given != value:
            setattr(message, field.name, given)
        if "." in path and len(given) > MAX_TEXT:
            yield Violation(path, "length", f"最多 {MAX_TEXT} 个字；请缩短", f"at most {MAX_TEXT} characters; shorten it")
    elif field.message_type is None and field.type != field.TYPE_BOOL:
        yield from number_problems(value, known, path)


def _listed(values: Any, known: field_pb2.Field, path: str, is_postgraduate: bool) -> Iterator[Violation]:
    """Checks a repeated text, in place: items of one line, without empty ones; codes for names, each code once."""
    kept = []
    for value in filter(None, map(on_one_line, values)):
        text, found = as_kept(value, known, path, is_postgraduate)
        yield from found
        kept.append(text)
    if known.codes or known.format:
        kept = list(dict.fromkeys(kept))
    if kept != list(values):
        values[:] = kept
    if known.required and not kept:
        yield missing(known, path)
    if "." not in path:
        return
    if len(values) > MAX_WORDS:
        yield Violation(path, "range", f"最多 {MAX_WORDS} 项；请删减", f"at most {MAX_WORDS} items; leave some out")
    if any(len(word) > MAX_WORD for word in values):
        yield Violation(
            path, "length", f"每项最多 {MAX_WORD} 个字；请缩短", f"at most {MAX_WORD} characters an item; shorten it"
        )
