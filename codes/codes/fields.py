"""Key fields 重点产业领域 of industry and information technology that S4 三(一) names.

The codes are ours; the list is open (等).
"""

from collections.abc import Mapping

from codes._table import Table

NAMES: Mapping[str, tuple[str, str]] = {
    "LOW_ALTITUDE": ("低空经济", "low-altitude economy"),
    "AI": ("人工智能", "artificial intelligence"),
    "INDUSTRIAL_INTERNET": ("工业互联网", "industrial internet"),
    "CYBERSECURITY": ("网络安全", "cybersecurity"),
    "BIG_DATA": ("大数据", "big data"),
    "SMART_MANUFACTURING": ("智能制造", "smart manufacturing"),
    "NEV": ("新能源汽车", "new-energy vehicles"),
}
"""Code → Chinese and English name, in the document's order."""
_CHINESE = {code: zh for code, (zh, _) in NAMES.items()}


def name(code: str) -> str:
    """Chinese name of a code; raises KeyError for an unknown one."""
    return _CHINESE[code]


def find(text: str) -> list[str]:
    """The code of a name in either language, or of a code in small letters; empty where unknown."""
    wanted = text.strip().lower()
    return [code for code, both in NAMES.items() if wanted in (*both, code.lower())]


_TABLE = Table(lambda: _CHINESE, "重点产业领域（S4 三(一)）", "key field of S4 三(一)", find)
read, problem, entries, shown = _TABLE.read, _TABLE.problem, _TABLE.entries, _TABLE.shown
