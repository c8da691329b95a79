"""The terms of a passage, by which two of them are compared word for word (`statistics`).

Terms are words with all their parts of four letters (`agricultur` meets `agriculture` and `agricultural`, in any language
that sets spaces), and characters with their pairs where none are set (Han, kana, hangul). Parts of four letters do in
European languages what a stemmer of each would (McNamee and Mayfield 2004). A term is known by its bucket, a number that its
letters give (feature hashing, Weinberger et al. 2009): every process gives it the same one, and no vocabulary is kept.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from matching.domain.passage import LIMIT, Passage
from matching.domain.text import normal

BUCKETS = 1 << 22  # of 300,000 terms, 7 in 100 share theirs with another
MOST = 384  # different terms of a passage that count, the most frequent: bounds what a listing takes in memory
TITLE = 4  # times that a title counts
_PART = 4

_CHARACTERS = "々〇ぁ-ゖァ-ヺー㐀-䶿一-鿿가-힣豈-﫿"
_RUN = re.compile(rf"([{_CHARACTERS}]+)|([^\W_{_CHARACTERS}]+[+#]*)")


def terms(text: str) -> list[str]:
    """Terms in the order of the text: `数据BI` → `数`, `据`, `数据`, `bi`; `farmer` → `farmer`, `_far`, …, `mer_`."""
    found: list[str] = []
    for characters, word in _RUN.findall(normal(text[:LIMIT])):
        if characters:
            found += [*characters, *_parts(characters, 2)]
        else:
            found += [word, *_parts(f"_{word}_", _PART)]
    return found


def _parts(run: str, length: int) -> list[str]:
    return [run[at : at + length] for at in range(len(run) - length + 1)]


def counts(passage: Passage) -> dict[str, int]:
    """Term → how often it stands in the passage, in the title `TITLE` times; the `MOST` most frequent, earlier ones first."""
    found = Counter({term: TITLE * count for term, count in Counter(terms(passage.title)).items()})
    found.update(terms(passage.prose))
    return dict(found.most_common(MOST))


class Terms(NamedTuple):
    """The terms of a passage: buckets as numbers of 4 bytes, ascending, and how often each counts, as one byte."""

    buckets: bytes = b""
    counts: bytes = b""

    def known(self) -> frozenset[int]:
        """The buckets."""
        return frozenset(array("I", self.buckets))

    def counted(self) -> Iterator[tuple[int, int]]:
        """Each bucket, and how often it counts."""
        return zip(array("I", self.buckets), self.counts, strict=True)


def pack(passage: Passage) -> Terms:
    """The terms of a passage as they are kept."""
    found: Counter[int] = Counter()
    for term, count in counts(passage).items():
        found[bucket(term)] += count
    buckets = sorted(found)
    return Terms(array("I", buckets).tobytes(), bytes(min(found[one], 255) for one in buckets))


def bucket(term: str) -> int:
    """The number that a term is known by."""
    return crc32(term.encode()) % BUCKETS


def hold(held: frozenset[int], text: str) -> bool:
    """Whether such buckets are those of a passage that says all of a short text; False for a text of no terms."""
    wanted = terms(text)
    return bool(wanted) and all(bucket(term) in held for term in wanted)
