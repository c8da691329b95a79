"""Names of key industries 重点产业: written differently, they are one industry all the same (R10)."""

import re
import unicodedata

_UNSEEN = ("Cf", "Mn")  # categories of signs that nobody sees: of format, and variants of the sign before
_FILLERS = "\u115f\u1160"
_BLANKS = re.compile(r"\s+")
_BESIDE_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def plain(name: str) -> str:
    """A name in its one form: NFKC, without what is not seen, blanks only between words of Latin letters."""
    normal = unicodedata.normalize("NFKC", name)
    seen = "".join(one for one in normal if unicodedata.category(one) not in _UNSEEN and one not in _FILLERS)
    return _BESIDE_CHINESE.sub("", _BLANKS.sub(" ", seen).strip())
