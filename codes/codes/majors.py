"""Majors 专业 of the Ministry of Education: undergraduate (2024; of 2025 低空技术与工程, for S4's field 低空经济), vocational
bachelor and higher vocational (2021).

A code is as the catalogue prints it: six digits, with T (特设) or K (国家控制布点) behind where it is marked so; its first two
are the category's (门类, 大类), its first four the class's (专业类). The catalogues of secondary vocational schools and of
postgraduate disciplines are not among the tables: a code of the former (six digits, beginning with 6 or 7) is taken where its
class is there, a name beside it is not looked at, and a name alone is refused. The catalogue of 2021 has the same 97 classes
for all its levels, numbered 41–59 for higher vocational schools and 61–79 for secondary ones.
"""

import re
from functools import cache

from codes._table import NoCodeError, Table, by_name, names, plain, rows

_FILE = "majors.csv"
_GROUPS = "major_groups.csv"
_TO_HIGHER = 2000  # between the number of a class for secondary schools and for higher vocational ones
_LEADS_TO = {"undergraduate": "20", "vocational_bachelor": "20", "higher_vocational": "30"}  # GB/T 4658
_CLASS = 4  # characters of a class's code; a category's has fewer
_NEAR = 3  # classes that a refusal suggests
_SECONDARY = re.compile(r"[67]\d{5}(?!\d)", re.ASCII)


def exists(code: str) -> bool:
    """Whether the code is a major's, in a catalogue or possibly of a secondary vocational school's."""
    return code in names(_FILE) or _is_secondary(code)


def problem(code: str) -> tuple[str, str] | None:
    """What is wrong with a code, in Chinese and English, with near ones; None where it is a major's."""
    if exists(code):
        return None
    return _no_class(code) if _SECONDARY.fullmatch(code) else _MAJORS.problem(code)


def name(code: str) -> str:
    """Name of a code; "" for one of a secondary vocational school's. Raises KeyError for one that does not exist."""
    return "" if _is_secondary(code) else names(_FILE)[code]


def education(code: str) -> str:
    """GB/T 4658 code of the education that a major's programme leads to; "" where the code is no major's."""
    return "40" if _is_secondary(code) else _LEADS_TO.get(_levels().get(code, ""), "")


def label(text: str) -> str:
    """The name of a major's, class's or category's code; the text itself where it is none."""
    return _all().get(text, text)


@cache
def holds(wider: str, text: str) -> bool:
    """Whether the catalogue has what is meant by a text, by name or code, within a class or category (计算机类: 软件工程)."""
    return any(one != two and two.startswith(one) for one in codes_of(wider) for two in codes_of(text) if len(one) <= _CLASS)


@cache
def codes_of(text: str) -> tuple[str, ...]:
    """Codes of majors, or else of classes and categories, that a name or code means; empty where the catalogue has none."""
    return tuple(_find_any(text)) or ((text,) if text in _all() else ())


def find(text: str) -> list[str]:
    """Codes of an exact name, or of a code without its mark, in the order of the catalogues; empty where unknown."""
    return list(_written().get(text.strip(), ()))


def read(text: str) -> str:
    """What is meant by a code, a name, or both, of a major, a class or a category: the code; the name where several catalogues
    have it, for then all of them are meant (电子商务). Raises `NoCodeError`.
    """
    written = plain(text)
    if secondary := _secondary(written):
        return secondary
    return written if len(_find_any(written)) > 1 else _TABLE.read(written)


def read_major(text: str) -> str:
    """The code of one major by its code, name, or both. Raises `NoCodeError`, also where several catalogues have the name."""
    written = plain(text)
    return _secondary(written) or _MAJORS.read(written)


def _is_secondary(code: str) -> bool:
    return _SECONDARY.fullmatch(code) is not None and code[:4] in _secondary_classes()


def _secondary(text: str) -> str:
    """The code of a secondary vocational school's major that a text begins with; "" for none. Raises `NoCodeError`."""
    if not (found := _SECONDARY.match(text)):
        return ""
    if found[0][:4] not in _secondary_classes():
        raise NoCodeError(*_no_class(found[0]))
    return found[0]


@cache
def _secondary_classes() -> dict[str, str]:
    """Code of a class of secondary schools' majors → its name."""
    classes = {code: name for code, name in names(_GROUPS).items() if len(code) == 4 and "41" <= code < "60"}
    return {str(int(code) + _TO_HIGHER): name for code, name in classes.items()}


def _no_class(code: str) -> tuple[str, str]:
    """Refusal of a secondary school's major whose class there is not, with near ones, those of its category first."""
    classes = _secondary_classes()
    near = sorted(classes, key=lambda one: (one[:2] != code[:2], abs(int(one) - int(code[:4]))))[:_NEAR]
    listed = "、".join(f"{one} {classes[one]}" for one in sorted(near))
    return (
        f"中职专业目录中没有专业类 {code[:4]}（{code}）；请核对代码，相近的专业类有 {listed}",
        f"the catalogue of secondary vocational schools has no class {code[:4]} ({code}); look it up again, near are {listed}",
    )


@cache
def _levels() -> dict[str, str]:
    return {row["code"]: row["level"] for row in rows(_FILE)}


@cache
def _all() -> dict[str, str]:
    return names(_FILE) | names(_GROUPS)


@cache
def _written() -> dict[str, tuple[str, ...]]:
    """Name, or code without its mark, → the codes that are meant."""
    unmarked = {row["code"].rstrip("TK"): (row["code"],) for row in rows(_FILE)}
    return by_name(_FILE) | unmarked


def _find_any(text: str) -> list[str]:
    """Of a name that a major and a category share (经济学) the major is meant, as whoever studied it would say."""
    return find(text) or list(by_name(_GROUPS).get(text.strip(), ()))


_NAMES = (
    "专业代码（教育部专业目录，中职专业须填其 6 位代码）",
    "code of the MOE major catalogues (of a secondary vocational school's major, the six digits)",
)
_MAJORS = Table(lambda: names(_FILE), *_NAMES, find)
_TABLE = Table(_all, *_NAMES, _find_any)
entries, shown = _TABLE.entries, _TABLE.shown
