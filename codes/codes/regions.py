"""Administrative divisions 行政区划, GB/T 2260 (2023): six digits, province · city · county in pairs.

An *area* is a code that takes in what lies in it: `110000` (北京市) takes in `110105` (朝阳区).
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache, partial

from codes._table import Table, names

_FILE = "gbt2260.csv"
_CODES = 4096  # no fewer than there are
_LONGEST = 40  # characters of a name in full, and more
_SUFFIXES = ("特别行政区", "自治区", "自治州", "自治县", "自治旗", "地区", "新区", "省", "市", "区", "县", "盟")
_PEOPLES = (  # 民族, GB/T 3304, as far as areas are called after them
    "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 "
    "达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 普米 塔吉克 怒 鄂温克 保安 裕固 独龙 各"
)
_OF_PEOPLES = re.compile(
    f"(.{{2,}}?)(?:(?:{_PEOPLES.replace(' ', '|')})族|蒙古|维吾尔|哈萨克|柯尔克孜|锡伯|塔吉克)+自治[区州县旗]"
)
_ZONES = re.compile("(高新)(?:技术)?(?:产业)?(?:开发区|园区)$|(经)济(?:技术)?(开)发(区)$")


def exists(code: str) -> bool:
    """Whether the code is in the table."""
    return code in names(_FILE)


def name(code: str) -> str:
    """Name of a code; raises KeyError for an unknown one."""
    return names(_FILE)[code]


def full_name(code: str) -> str:
    """Name of a code after those of the areas that it lies in: 江苏省南京市玄武区; raises KeyError for an unknown one."""
    return _joined(path(code))


def _joined(areas: Sequence[str]) -> str:
    return "".join(name(area) for area in areas if name(area) not in ("市辖区", "县"))


def prefix(area: str) -> str:
    """The digits that every code inside the area begins with: `110000` → `11`, `110105` → `110105`."""
    if area.endswith("0000"):
        return area[:2]
    return area[:4] if area.endswith("00") else area


def within(code: str, area: str) -> bool:
    """Whether the code lies in the area or is the area itself."""
    return code.startswith(prefix(area))


def compatible(left: str, right: str) -> bool:
    """Whether one of the two areas lies in the other."""
    return within(left, right) or within(right, left)


@lru_cache(_CODES)
def path(code: str) -> tuple[str, ...]:
    """The code and the areas that it lies in, widest first: `110105` → `110000`, `110100`, `110105`."""
    return tuple(area for area in dict.fromkeys((code[:2] + "0000", code[:4] + "00", code)) if exists(area))


_ANYWHERE = frozenset(
    [
        *("全国", "全国各地", "全国范围", "全国均可", "中国", "各地均可", "不限", "地区不限", "不限地区", "地点不限"),
        *("远程", "全国远程", "远程办公", "居家办公", "remote", "anywhere", "nationwide"),
    ]
)


def is_anywhere(text: str) -> bool:
    """Whether somebody wrote for a place that it is any: 全国, 不限, 远程."""
    return text.strip().casefold() in _ANYWHERE


def find(text: str, area: str = "") -> list[str]:
    """Codes of a name, widest first; empty for none. It is with or without its suffix (北京, 北京市; 广西, 广西壮族自治区),
    alone or after areas that it lies in (江苏省南京市鼓楼区, 南京鼓楼区). Alone, what a province is called is the province:
    河北 is not 天津市河北区. With an `area` they are those that lie in it.
    """
    found = _found(text.strip()) if len(text) <= _LONGEST else ()
    if area:
        return [code for code in found if within(code, area)]
    return [code for code in found if not found[0].endswith("0000") or within(code, found[0])]


@lru_cache(_CODES)
def _found(text: str) -> tuple[str, ...]:
    if known := _by_name().get(text):
        return known
    for end in range(len(text) - 2, 1, -1):
        areas = _by_name().get(text[:end], ())
        if areas and (found := tuple(code for code in _found(text[end:]) if any(within(code, area) for area in areas))):
            return found
    return ()


@cache
def _by_name() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, official in names(_FILE).items():
        for form in {official, _short(official), _zone(official), full_name(code), _joined(path(code)[1:])} - {""}:
            found.setdefault(form, []).append(code)
    return {form: tuple(sorted(codes, key=_width)) for form, codes in found.items()}


def cities() -> frozenset[str]:
    """Short names of all cities and prefectures: `温州`, `延边`."""
    return frozenset(short for code, name in names(_FILE).items() if _is_city(code) and "辖" not in (short := _short(name)))


def counties() -> frozenset[str]:
    """Short names of all counties, districts and county-level cities: `海淀`, `义乌`."""
    return frozenset(_short(name) for code, name in names(_FILE).items() if not code.endswith("00"))


def _is_city(code: str) -> bool:
    return code.endswith("00") and not code.endswith("0000")


def _zone(official: str) -> str:
    """石家庄高新技术产业开发区 is called 石家庄高新区, 徐州经济技术开发区 徐州经开区."""
    return _ZONES.sub(lambda found: "".join(filter(None, found.groups())) + ("区" if found[1] else ""), official)


def _short(official: str) -> str:
    if found := _OF_PEOPLES.fullmatch(official):
        return found[1]
    for suffix in _SUFFIXES:
        if official.endswith(suffix) and len(official) - len(suffix) >= 2:
            return official.removesuffix(suffix)
    return official


def _width(code: str) -> tuple[int, str]:
    return len(prefix(code)), code


_TABLE = Table(
    partial(names, _FILE),
    "行政区划代码（GB/T 2260）",
    "GB/T 2260 division code",
    find,
    covers=lambda wider, code: within(code, wider),
    label=full_name,
    called=_by_name,
    width=lambda code: len(prefix(code)),
)
read, problem, entries, shown = _TABLE.read, _TABLE.problem, _TABLE.entries, _TABLE.shown
