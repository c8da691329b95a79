"""Industries 国民经济行业分类, GB/T 4754 (2017): section letter, then 2, 3, 4 digits."""

from functools import cache

from codes import _table
from codes._table import names, rows

_FILE = "gbt4754.csv"


def exists(code: str) -> bool:
    """Whether the code is in the table."""
    return code in names(_FILE)


def problem(code: str) -> tuple[str, str] | None:
    """What is wrong with a code, in Chinese and English, with the nearest ones; None where it is in the table."""
    without_section = [code[1:]] if code[:1].isalpha() and exists(code[1:]) else []  # C39 is often written for 39
    nearest = tuple((find(code) or without_section)[:3])
    return _table.problem(_FILE, "行业代码（GB/T 4754）", "GB/T 4754 industry code", code, nearest)


def name(code: str) -> str:
    """Name of a code; raises KeyError for an unknown one."""
    return names(_FILE)[code]


def path(code: str) -> list[str]:
    """The code and what it belongs to, widest first: `3973` → `C`, `39`, `397`, `3973`."""
    found: list[str] = []
    while code:
        found.insert(0, code)
        code = _parents()[code]
    return found


def find(text: str) -> list[str]:
    """Codes of an exact name, widest first; empty where unknown."""
    wanted = text.strip()
    return sorted((code for code, official in names(_FILE).items() if official == wanted), key=len)


@cache
def _parents() -> dict[str, str]:
    return {row["code"]: row["parent_code"] for row in rows(_FILE)}
