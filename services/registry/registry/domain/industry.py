"""Names of key industries 重点产业: written differently, they are one industry all the same (R10)."""

import re
import unicodedata

_BLANKS = re.compile(r"\s+")
_BESIDE_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def plain(name: str) -> str:
    """A name in its one form: NFKC, without what is not seen, blanks only between words of Latin letters."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    return _BESIDE_CHINESE.sub("", _BLANKS.sub(" ", seen).strip())
