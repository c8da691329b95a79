"""Paging 分页 (AIP-158): opaque tokens that hold the last row's position and are bound to the request's filter."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.message import Message

from chassis.crypto import digest
from chassis.errors import Invalid, Violation

MAX_PAGE = 1000
MAX_ANSWER = 3 * 1024 * 1024  # bytes
_AROUND = 16  # bytes that a message in a list costs beside its own
_PAGING = ("page_size", "page_token")


def page_size(asked: int, default: int = 100, most: int = MAX_PAGE) -> int:
    """Rows to return: `default` where 0, `most` where more are asked for. Raises `Invalid` for a negative size."""
    if asked < 0:
        raise Invalid(
            [
                Violation(
                    "page_size",
                    "AIP-158",
                    "页大小不能为负数",
                    "page size can't be negative; leave it 0 for the default",
                )
            ]
        )
    return min(asked or default, most)


def encode(request: Message, position: Sequence[str]) -> str:
    """The token of the page after `position`, the sort key of the last row given."""
    content = json.dumps([_filter_of(request), *position], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode()


def decode(request: Message, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """The position that the request's token holds, each part read as its kind (one text where none is named); None for the
    first page.

    Raises `Invalid` for a token that is not ours or belongs to another list or filter.
    """
    token: str = request.page_token  # type: ignore[attr-defined]
    if not token:
        return None
    try:
        bound, *position = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        if bound == _filter_of(request):
            wanted: Sequence[Callable[[str], Any]] = kinds or (str,)
            return [kind(str(part)) for kind, part in zip(wanted, position, strict=True)]
    except (binascii.Error, ValueError, TypeError, RecursionError):  # json goes as deep as a token says
        pass
    raise Invalid(
        [
            Violation(
                "page_token",
                "AIP-158",
                "翻页标记无效，或查询条件已改变；请从第一页重新查询",
                "the page token is invalid or of another query; start again from the first page",
            )
        ]
    )


def number(text: str) -> int:
    """A count or a score in a position. Raises ValueError for what no column holds."""
    found = int(text)
    if not 0 <= found < 2**31:
        raise ValueError(text)
    return found


def fitting(messages: Iterable[Message]) -> int:
    """How many of a page's messages one answer holds: what is beyond is the next page's. Clients take 4 MiB by default."""
    number, size = 0, 0
    for message in messages:
        size += message.ByteSize() + _AROUND
        if number and size > MAX_ANSWER:
            break
        number += 1
    return number


def _filter_of(request: Message) -> str:
    """A short hash of the list that is asked for and of all fields but those of paging."""
    bare = type(request)()
    bare.CopyFrom(request)
    for field in _PAGING:
        bare.ClearField(field)
    return digest(bare.DESCRIPTOR.full_name.encode() + bare.SerializeToString(deterministic=True))[:9].hex()
