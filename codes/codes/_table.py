"""Reading a code table out of the package."""

import csv
from functools import cache, lru_cache
from importlib import resources

_SHOWN = 40  # characters of a wrong code that are repeated


@cache
def rows(filename: str) -> tuple[dict[str, str], ...]:
    """Rows of ``data/<filename>`` as header → value."""
    text = resources.files("codes").joinpath("data", filename).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def names(filename: str) -> dict[str, str]:
    """Code → name of one table."""
    return {row["code"]: row["name"] for row in rows(filename)}


@lru_cache(1024)
def problem(filename: str, zh: str, en: str, code: str, found: tuple[str, ...] = ()) -> tuple[str, str] | None:
    """Why a code is none of a table's and which are near, in Chinese and English; None where it is one.

    `zh` and `en` say what the table's codes are called; `found` has those that go by the text as a name.
    """
    known = names(filename)
    if code in known:
        return None
    near = [f"{one} {known[one]}" for one in found or _nearest(code, list(known))]
    given = code[:_SHOWN]
    return f"{zh}中没有 {given}；请填代码，如 {'、'.join(near)}", f"{given} is no {en}; enter a code like {', '.join(near)}"


def _nearest(code: str, known: list[str]) -> list[str]:
    """Up to three codes, those that begin like the wanted one where there are any."""
    for length in range(min(len(code), max(map(len, known))), -1, -1):
        if same := [one for one in known if one.startswith(code[:length])]:
            return same[:3]
    return []
