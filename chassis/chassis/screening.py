"""No command keeps personal data in a text, whatever its service looked at (PIPL art. 6).

Services screen what they know, together with all else that is wrong with it. This is what none of them can forget: every text
of every command is looked through, but for fields of which the contract says why not (`alliance.common.v1.field`).
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import field_pb2
from chassis.errors import Violation
from chassis.personal import screen

APART = ("request_id", "etag", "page_token")
"""Fields of the calls themselves, which the platform makes or only compares."""
_RANDOM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # ids of resources: their digits are nobody's number


def problems(command: Message) -> list[Violation]:
    """Violations for what the texts of a command hold, by the paths of their fields; of an update, of what its mask names."""
    mask = command.update_mask.paths if "update_mask" in command.DESCRIPTOR.fields_by_name else ()  # type: ignore[attr-defined]
    return [
        one
        for path, text in _texts(command, "")
        if _is_changed(path.partition(".")[2], mask)
        for one in screen(path, _RANDOM.sub(" ", text))
    ]


def _is_changed(path: str, mask: Collection[str]) -> bool:
    """Whether an update changes what lies at a path of its resource; what lies beside the resource has none."""
    return not path or not mask or any(f"{path}.".startswith(f"{one}.") or one.startswith(f"{path}.") for one in mask)


def _texts(message: Message, prefix: str) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.message_type is not None:
            yield from _inner(field.message_type, value if field.is_repeated else (value,), path)
        elif field.type == field.TYPE_STRING and is_screened(field):
            for one in value if field.is_repeated else (value,):
                yield path, one


def _inner(kind: Descriptor, values: Any, path: str) -> Iterator[tuple[str, str]]:
    if kind.GetOptions().map_entry:
        for pair in values.items():
            yield from ((path, text) for text in pair if isinstance(text, str))
    elif kind.full_name.startswith("alliance."):
        for one in values:
            yield from _texts(one, f"{path}.")


@cache
def is_screened(field: FieldDescriptor) -> bool:
    """Whether a text of a field is looked through."""
    known: field_pb2.Field = field.GetOptions().Extensions[field_pb2.field]
    return not (known.unscreened or known.output_only or field.name in APART)
