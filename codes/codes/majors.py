"""Majors 专业 of the Ministry of Education: undergraduate (2024), vocational bachelor and higher vocational (2021).

A code is as the catalogue prints it: six digits, with T (特设) or K (国家控制布点) behind where it is marked so. That of
secondary vocational schools is not among the tables: its codes (six digits, beginning with 6 or 7) are taken as they are.
"""

from codes import _table
from codes._table import names, rows

_FILE = "majors.csv"
_SECONDARY = ("6", "7")


def exists(code: str) -> bool:
    """Whether the code is in a catalogue, or can be one of a secondary vocational school's."""
    return code in names(_FILE) or _is_secondary(code)


def problem(code: str) -> tuple[str, str] | None:
    """What is wrong with a code, in Chinese and English, with the nearest ones; None where it is one."""
    if exists(code):
        return None
    return _table.problem(_FILE, "专业代码（教育部专业目录）", "code of the MOE major catalogues", code, tuple(find(code)[:3]))


def name(code: str) -> str:
    """Name of a code; "" for one of a secondary vocational school's. Raises KeyError for one that does not exist."""
    return "" if _is_secondary(code) else names(_FILE)[code]


def find(text: str) -> list[str]:
    """Codes of an exact name, or of a code without its mark, in the order of the catalogues; empty where unknown."""
    wanted = text.strip()
    return [row["code"] for row in rows(_FILE) if wanted in (row["name"], row["code"].rstrip("TK"))]


def _is_secondary(code: str) -> bool:
    return len(code) == 6 and code.isdecimal() and code.startswith(_SECONDARY)
