"""Names of key industries 重点产业: written differently, they are one industry all the same (R10)."""

import re
import unicodedata
from itertools import product

_UNSEEN = ("Cf", "Mn")  # categories of signs that nobody sees: of format, and variants of the sign before
_FILLERS = "\u115f\u1160"
_BLANKS = re.compile(r"\s+")
_SUFFIXES = ("产业", "行业", "领域")
_MOST_SUFFIXES = 2
_BESIDE_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def plain(name: str) -> str:
    """A name in its one form: NFKC, without what is not seen, blanks only between words of Latin letters."""
    normal = unicodedata.normalize("NFKC", name)
    seen = "".join(one for one in normal if unicodedata.category(one) not in _UNSEEN and one not in _FILLERS)
    return _BESIDE_CHINESE.sub("", _BLANKS.sub(" ", seen).strip())


def stem(name: str) -> str:
    """What a plain name says of an industry, in lower case, without the words that name it as one: 集成电路产业 → 集成电路."""
    found = name.lower()
    for _ in range(_MOST_SUFFIXES):
        suffix = next((one for one in _SUFFIXES if found.endswith(one) and found != one), "")
        found = found.removesuffix(suffix)
    return found


def writings(name: str) -> list[str]:
    """How else the industry of a plain name may be written: its stem with every suffix, in lower case."""
    suffixes = ("".join(one) for number in range(_MOST_SUFFIXES + 1) for one in product(_SUFFIXES, repeat=number))
    return [stem(name) + suffix for suffix in suffixes]
