"""How some texts are written."""

import re
from urllib.parse import urlsplit

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)
_ISBN = re.compile(r"97[89]\d{10}", re.ASCII)


def is_name(collection: str, text: str) -> bool:
    """Whether it is a resource name of a collection, `organizations/1`."""
    return _NAME.fullmatch(text.removeprefix(f"{collection}/")) is not None and text.startswith(f"{collection}/")


def is_time(text: str) -> bool:
    """Whether it is a time of day, `08:00` to `24:00`."""
    return _TIME.fullmatch(text) is not None


def is_isbn(text: str) -> bool:
    """Whether it is an ISBN-13 whose check digit is right (ISO 2108), hyphens and blanks aside."""
    digits = re.sub(r"[\s-]", "", text)
    return _ISBN.fullmatch(digits) is not None and sum(int(one) * (1, 3)[at % 2] for at, one in enumerate(digits)) % 10 == 0


def is_https(text: str) -> bool:
    """Whether it is an https address without a password in it."""
    try:
        parts = urlsplit(text)
        return (
            parts.scheme == "https" and bool(parts.hostname) and not parts.username and text.isprintable() and " " not in text
        )
    except ValueError:
        return False
