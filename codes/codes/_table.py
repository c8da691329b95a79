"""Reading a code table out of the package, and what people write in place of a code."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from heapq import nsmallest
from importlib import resources

_SHOWN = 40  # characters of a wrong code that are repeated
_NEAR = 3  # codes that a refusal suggests
_COMMON = 500  # names that hold a letter (市, 区): what shares no rarer one with a text is not near it
_PUNCTUATION = " \t·:：,，、/-()（）"
_CODE_FIRST = re.compile(r"([A-Z]?[0-9][0-9-]*(?:TK|T|K)?|[A-Z][A-Z_]*)(?![0-9A-Z])(.*)", re.ASCII | re.DOTALL)
_CODE_LAST = re.compile(r"(.*?)(?<![0-9A-Z])([A-Z]?[0-9][0-9-]*(?:TK|T|K)?|[A-Z][A-Z_]+)[)）]?", re.ASCII | re.DOTALL)


class NoCodeError(ValueError):
    """A text that names no code of a table, or not one alone; says why and what is near, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@cache
def rows(filename: str) -> tuple[dict[str, str], ...]:
    """Rows of ``data/<filename>`` as header → value."""
    text = resources.files("codes").joinpath("data", filename).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def names(filename: str) -> dict[str, str]:
    """Code → name of one table."""
    return {row["code"]: row["name"] for row in rows(filename)}


@cache
def by_name(filename: str) -> dict[str, tuple[str, ...]]:
    """Name → its codes, in the table's order; many thousand names are looked up with every import."""
    found: dict[str, list[str]] = {}
    for code, name in names(filename).items():
        found.setdefault(name, []).append(code)
    return {name: tuple(codes) for name, codes in found.items()}


def plain(text: str) -> str:
    """A text as it is looked up: half-width, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip()


class Table:
    """A code table, as far as reading what people write goes: a code, a name, or both.

    `zh` and `en` say what its codes are called; `find` gives the codes of an exact name, widest first; `covers` says whether
    what one code stands for takes in another's; `label` is a code's name where it is shown; `called` has every name that is
    taken, with its codes, and is what a wrong one is compared with; `width` is less for the wider of two codes.
    """

    def __init__(
        self,
        known: Callable[[], Mapping[str, str]],
        zh: str,
        en: str,
        find: Callable[[str], list[str]],
        covers: Callable[[str, str], bool] = lambda wider, code: code.startswith(wider),
        label: Callable[[str], str] | None = None,
        called: Callable[[], Mapping[str, Sequence[str]]] | None = None,
        width: Callable[[str], int] = lambda code: 0,
    ) -> None:
        self._known, self._zh, self._en, self._find, self._covers = known, zh, en, find, covers
        self._label = label or (lambda code: known()[code])
        self._called = called or (lambda: _by_bare_name(known))
        self._width = width
        self._unknown = lru_cache(1024)(self._look_around)
        self._holding = cache(self._by_gram)

    def read(self, text: str) -> str:
        """The code that is meant by `110105`, `朝阳区`, `110105 朝阳区` or `朝阳区（110105）`. Raises `NoCodeError`."""
        if text in self._known():
            return text
        written = plain(text)
        if written in self._known():
            return written
        code, name = self._parted(written)
        if code:
            if name in ("", _bare(self._known()[code])) or code in self._find(name):
                return code
            raise self._contradiction(code, name)
        found = self._find(written) or _by_bare_name(self._known).get(_bare(written), [])
        if not written:
            raise NoCodeError(f"{self._zh}未填；请填代码或名称", f"there is no {self._en}; enter a code or a name")
        if not found:
            raise NoCodeError(*self._unknown(written[:_SHOWN], "请填代码或名称，", "enter a code or a name "))
        if any(not self._covers(found[0], one) for one in found):
            raise self._ambiguity(written, found)
        return found[0]

    def problem(self, code: str) -> tuple[str, str] | None:
        """What is wrong with a code, in Chinese and English, with near ones; None where it is one of the table's."""
        return None if code in self._known() else self._unknown(code[:_SHOWN], "请填代码，", "enter a code ")

    def entries(self) -> list[tuple[str, str]]:
        """Every code with its name as it is shown, in the table's order."""
        return [(code, self._label(code)) for code in self._known()]

    def shown(self, text: str) -> str:
        """A code with its name, as `read` takes it: `110105 北京市朝阳区`; the text itself where it is no code."""
        return self._shown([text]) if text in self._known() else text

    def _parted(self, written: str) -> tuple[str, str]:
        """Code and name where both are there; the code is "" where the text begins and ends with none of the table's."""
        for pattern, code, name in ((_CODE_FIRST, 1, 2), (_CODE_LAST, 2, 1)):
            if (found := pattern.fullmatch(written)) and (known := self._code(found[code])):
                return known, found[name].strip(_PUNCTUATION)
        return "", ""

    def _code(self, text: str) -> str:
        """The code itself, or the one of a way to write it (C39); "" for none."""
        return text if text in self._known() else next(iter(self._find(text)), "")

    def _contradiction(self, code: str, name: str) -> NoCodeError:
        said, meant = self._shown([code]), self._shown(self._find(name)[:_NEAR] or self._nearest(name))
        given = name[:_SHOWN]
        return NoCodeError(
            f"{self._zh}：代码与名称不符，{said} 不是“{given}”（相近的有 {meant}）；请改其一",
            f"{self._en}: code and name differ, {said} is not {given!r} (near: {meant}); mend one of them",
        )

    def _ambiguity(self, text: str, found: list[str]) -> NoCodeError:
        said = self._shown(found[: 2 * _NEAR])
        return NoCodeError(
            f"{self._zh}：“{text}”不止一个：{said}；请填其中的代码",
            f"{self._en}: there is more than one {text!r}: {said}; enter the code of one",
        )

    def _look_around(self, text: str, do_zh: str, do_en: str) -> tuple[str, str]:
        near = self._shown(self._find(text)[:_NEAR] or self._nearest(text))
        return f"{self._zh}中没有 {text}；{do_zh}如 {near}", f"{text} is no {self._en}; {do_en}like {near}"

    def _shown(self, codes: list[str]) -> str:
        return "、".join(f"{code} {self._label(code)}" for code in codes)

    def _nearest(self, text: str) -> list[str]:
        """Codes with a name that is most like a text: of the letters and pairs that the two have, most are shared (Dice 1945).
        Of those that are equally like it, the one with more of its letters (定海区 for 海定区), then the widest (新疆, and not
        新余), then the one that is shortest in full. Of a number, those that begin like it.
        """
        grams, holding = _grams(text[:_SHOWN]), self._holding()
        told = [names for gram in grams if len(names := holding.get(gram, ())) <= _COMMON]
        if text[:1].isascii() or not any(told):
            return next((same for end in range(min(len(text), _SHOWN), -1, -1) if (same := self._beginning(text[:end]))), [])
        common = [gram for gram in grams if len(holding.get(gram, ())) > _COMMON]
        alike = dict[str, tuple[float, int]]()
        for name, count in Counter(name for names in told for name in names).items():
            shared = count + sum(map(f"^{name}".__contains__, common))
            likeness = 2 * shared / (len(grams) + len(_grams(name))), len(grams.intersection(name))
            alike.update((code, likeness) for code in self._called()[name] if alike.get(code, (0, 0)) < likeness)
        return nsmallest(
            _NEAR, alike, key=lambda code: (*(-one for one in alike[code]), self._width(code), len(self._label(code)), code)
        )

    def _beginning(self, text: str) -> list[str]:
        return [code for code in self._known() if code.startswith(text)][:_NEAR]

    def _by_gram(self) -> dict[str, list[str]]:
        """Letter or pair of letters → the names that hold it."""
        found: dict[str, list[str]] = {}
        for name in self._called():
            for gram in _grams(name):
                found.setdefault(gram, []).append(name)
        return found


@cache
def _by_bare_name(known: Callable[[], Mapping[str, str]]) -> dict[str, list[str]]:
    """Name as it is looked up → its codes: many have full-width brackets."""
    found: dict[str, list[str]] = {}
    for code, name in known().items():
        found.setdefault(_bare(name), []).append(code)
    return found


def _bare(name: str) -> str:
    return plain(name).strip(_PUNCTUATION)


def _grams(text: str) -> set[str]:
    """Letters, pairs of letters, and the first one as such: most names of places end alike, and begin differently."""
    return {*text, f"^{text[:1]}", *(text[at : at + 2] for at in range(len(text) - 1))} - set(_PUNCTUATION)
