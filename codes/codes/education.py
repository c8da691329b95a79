"""Education levels 学历, GB/T 4658 (2006): two digits, tens = level, ones = how it was finished."""

from functools import partial

from codes._table import Table, names

_FILE = "gbt4658.csv"
# Rank of each level, higher = more education. Doctor and master share the tens digit 1.
_DOCTOR, _MASTER = 7, 6
HIGHEST = _DOCTOR
_RANK_OF_TENS = {"1": _MASTER, "2": 5, "3": 4, "4": 3, "6": 3, "7": 2, "8": 1}
_DOCTORS = {"11", "12", "13"}
# What people write, beside the official names.
_COMMON = {
    "博士": "11",
    "博士研究生": "11",
    "硕士": "14",
    "硕士研究生": "14",
    "研究生": "10",
    "本科": "20",
    "大学本科": "20",
    "学士": "20",
    "大专": "30",
    "专科": "30",
    "高职": "30",
    "中专": "40",
    "中职": "40",
    "中技": "40",
    "高中": "60",
    "初中": "70",
    "小学": "80",
}


def exists(code: str) -> bool:
    """Whether the code is in the table."""
    return code in names(_FILE)


def name(code: str) -> str:
    """Name of a code; raises KeyError for an unknown one."""
    return names(_FILE)[code]


def level(code: str) -> int:
    """Rank: 7 doctor, 6 other postgraduate, 5 bachelor, 4 junior college, 3 secondary, 2 and 1 below, 0 other."""
    if code in _DOCTORS:
        return _DOCTOR
    return _RANK_OF_TENS.get(code[0], 0)


def find(text: str) -> str:
    """Code of an official or common name (本科, also 本科及以上 → 20); empty where unknown."""
    wanted = text.strip().removesuffix("以上").removesuffix("及")
    if wanted in _COMMON:
        return _COMMON[wanted]
    return next((code for code, official in names(_FILE).items() if official == wanted), "")


_TABLE = Table(
    partial(names, _FILE), "学历代码（GB/T 4658）", "GB/T 4658 education code", lambda text: [*filter(None, [find(text)])]
)
read, problem, entries, shown = _TABLE.read, _TABLE.problem, _TABLE.entries, _TABLE.shown
