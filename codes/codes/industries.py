"""Industries 国民经济行业分类, GB/T 4754 (2017): section letter, then 2, 3, 4 digits."""

from functools import cache, partial

from codes._table import Table, by_name, names, rows

_FILE = "gbt4754.csv"


def exists(code: str) -> bool:
    """Whether the code is in the table."""
    return code in names(_FILE)


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
    """Codes of an exact name, widest first, or of a code with its section before it (C39); empty where unknown."""
    wanted = text.strip()
    if wanted[:1].isalpha() and exists(wanted[1:]):
        return [wanted[1:]]
    return sorted(by_name(_FILE).get(wanted, ()), key=len)


@cache
def _parents() -> dict[str, str]:
    return {row["code"]: row["parent_code"] for row in rows(_FILE)}


_TABLE = Table(
    partial(names, _FILE),
    "行业代码（GB/T 4754）",
    "GB/T 4754 industry code",
    find,
    covers=lambda wider, code: wider in path(code),
)
read, problem, entries, shown = _TABLE.read, _TABLE.problem, _TABLE.entries, _TABLE.shown
