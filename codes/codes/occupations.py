"""Occupations 职业, the national classification (职业分类大典) of 2022: `2-02-10-03`, and groups that it begins with."""

from functools import partial

from codes._table import Table, by_name, names

_FILE = "occupations.csv"


def exists(code: str) -> bool:
    """Whether the code is an occupation's or a group's."""
    return code in names(_FILE)


def name(code: str) -> str:
    """Name of a code; raises KeyError for an unknown one."""
    return names(_FILE)[code]


def groups(code: str) -> list[str]:
    """Names of the minor group 小类 that an occupation lies in, and its own; none of wider groups."""
    parts = code.split("-")
    return list(dict.fromkeys(names(_FILE)["-".join(parts[:length])] for length in range(3, len(parts) + 1)))


def find(text: str) -> list[str]:
    """Codes of an exact name, widest first; empty where unknown."""
    return sorted(by_name(_FILE).get(text.strip(), ()), key=len)


_TABLE = Table(partial(names, _FILE), "职业代码（职业分类大典 2022）", "code of the 2022 classification of occupations", find)
read, problem, entries, shown = _TABLE.read, _TABLE.problem, _TABLE.entries, _TABLE.shown
