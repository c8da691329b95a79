"""Etags 版本标记 (AIP-154): an opaque word for a resource's version."""

from google.protobuf.message import Message

from chassis.errors import Conflict


def etag(version: int) -> str:
    """The etag of a version."""
    return f'"{version}"'


def renew(event: Message, version: int) -> None:
    """Set the etag of the resource in an event to another version; nothing happens where it has none."""
    for _, value in event.ListFields():
        if isinstance(value, Message) and hasattr(value, "etag"):
            value.etag = etag(version)


def check(given: str, version: int, name: str) -> None:
    """Raises `Conflict` where the caller expects another version than the resource has; "" expects none."""
    if given and given != etag(version):
        raise Conflict(name)
