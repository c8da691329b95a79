"""Names of key industries 重点产业: written differently, they are one industry all the same (R10)."""

import re
import unicodedata
from itertools import product

_UNSEEN = ("Cf", "Mn")  # categories of signs that nobody sees: of format, and variants of the sign before
_FILLERS = "\u115f\u1160"
_BLANKS = re.compile(r"\s+")
_PREFIX = "重点产业"
_SUFFIXES = ("产业", "行业", "领域", "产业链")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕")
_BESIDE_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def plain(name: str) -> str:
    """A name in its one form: NFKC, without what is not seen, blanks only between words of Latin letters."""
    normal = unicodedata.normalize("NFKC", name)
    seen = "".join(one for one in normal if unicodedata.category(one) not in _UNSEEN and one not in _FILLERS)
    return _BESIDE_CHINESE.sub("", _BLANKS.sub(" ", seen).strip())


def stem(name: str) -> str:
    """What a name says of an industry, in lower case, without the words that name it as one.

    重点产业：集成电路（芯片）产业链 → 集成电路. Brackets with what is in them, blanks and punctuation are left out. A name of
    nothing but such words stays. A region before it is left: 北京集成电路 may be another industry, and no list tells.
    """
    whole = plain(name).lower()
    found = _letters(_without_brackets(whole)) or _letters(whole)
    found = found.removeprefix(_PREFIX)
    while suffix := next((one for one in _SUFFIXES if found.endswith(one) and found != one), ""):
        found = found.removesuffix(suffix)
    return found or whole


def writings(name: str) -> list[str]:
    """How an industry may stand in a row: by its stem, or as rows were written before they had it, in lower case."""
    suffixes = ("".join(one) for number in range(3) for one in product(("产业", "行业", "领域"), repeat=number))
    return [plain(name).lower(), *(stem(name) + suffix for suffix in suffixes)]


def _without_brackets(text: str) -> str:
    while (shorter := _BRACKETED.sub("", text)) != text:
        text = shorter
    return text


def _letters(text: str) -> str:
    """A text without blanks and punctuation."""
    return "".join(one for one in text if unicodedata.category(one)[0] not in "ZP")
