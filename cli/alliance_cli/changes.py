"""Changing a resource: what was typed and nothing else, and only while it still is what was looked at."""

from typing import Any

from google.protobuf.message import Message

from alliance_cli.errors import USAGE, fail
from alliance_cli.session import t

ETAG = "show 所示版本，已被他人改动则拒绝 · as `show` prints it; refused where somebody changed it since"


def enter(message: Message, **typed: Any) -> list[str]:
    """Set the fields that were typed (not None, also where empty); returns their paths, for a field mask."""
    given = {field: value for field, value in typed.items() if value is not None}
    for field, value in given.items():
        if isinstance(value, list):
            getattr(message, field)[:] = [one for one in value if one]
        else:
            setattr(message, field, value)
    return list(given)


def require(paths: list[str]) -> None:
    """End with exit code 2 where nothing is to be changed."""
    if not paths:
        fail(USAGE, t("请用选项写明要改什么（见 --help）", "say with options what to change (see --help)"))


def etag(typed: str) -> str:
    """An etag as the service gave it: a shell takes its quotes away."""
    bare = typed.strip('"')
    return f'"{bare}"' if bare else ""
