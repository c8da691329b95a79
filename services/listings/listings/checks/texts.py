"""The free texts of a message: what people wrote, as against codes, dates, names and the keys of other systems."""

from collections.abc import Iterator
from functools import cache

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from listings.checks.contract import known_of

_IDENTITY = frozenset({"issuer", "bodies", "source", "external_key"})
KEYS = ("source", "external_key")
"""What the listing is called where it comes from, which is published, too, and never changes."""


def texts(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every free text of a message with the path of its field."""
    for field, value in message.ListFields():
        if field.name in _IDENTITY or _is_formatted(field):
            continue
        path = f"{prefix}{field.name}"
        if field.message_type is not None:
            if field.message_type.full_name.startswith("alliance.") and not field.is_repeated:
                yield from texts(value, f"{path}.")
        elif field.type == field.TYPE_STRING:
            for one in value if field.is_repeated else [value]:
                yield path, one


def published(message: Message) -> Iterator[tuple[str, str]]:
    """Every text of a listing that can say who is behind it: what people wrote, and what it is called where it comes from."""
    yield from texts(message)
    for field in KEYS:
        yield field, getattr(message, field)


@cache
def _is_formatted(field: FieldDescriptor) -> bool:
    format_ = known_of(field).format
    return format_ not in (field_pb2.TEXT_FORMAT_UNSPECIFIED, field_pb2.TEXT_FORMAT_HTTPS)
