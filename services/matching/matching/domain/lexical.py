"""How close two passages are by what they say word for word: the cosine of their weighed terms.

Terms are words with all their parts of four letters (`agricultur` meets `agriculture` and `agricultural`, in any language
that sets spaces), and characters with their pairs where none are set (Han, kana, hangul). A term weighs more the oftener
it stands in the passage, and the fewer listings hold it (BM25's idf, Robertson and Zaragoza 2009, eq. 3.3). Parts of four
letters do in European languages what a stemmer of each would (McNamee and Mayfield 2004).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache

from matching.domain.passage import LIMIT, Passage
from matching.domain.text import HAN, TITLE, normal

MOST = 384  # different terms of a passage that count, the most frequent: bounds what a listing takes in memory
_PART = 4

_CHARACTERS = f"々〇ぁ-ゖァ-ヺー{HAN}가-힣豈-﫿"
_RUN = re.compile(rf"([{_CHARACTERS}]+)|([^\W_{_CHARACTERS}]+)")


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


@lru_cache(1024)
def counts(passage: Passage) -> dict[str, int]:
    """Term → how often it stands in the passage, in the title `TITLE` times; the `MOST` most frequent, earlier ones first."""
    found = Counter({term: TITLE * count for term, count in Counter(terms(passage.title)).items()})
    found.update(terms(passage.prose))
    return dict(found.most_common(MOST))


def idf(holding: float, listings: float) -> float:
    """What a term says that so many out of so many listings hold; never negative."""
    return math.log1p((listings - holding + 0.5) / (holding + 0.5))


def weights(counted: Mapping[str, int], holding: Callable[[str], int], listings: int) -> dict[str, float]:
    """Term → weight, of length 1 together; `holding` says how many of the `listings` hold a term.

    A term that no listing holds, as those of a search may be, is left out: it cannot be shared.
    """
    found = {term: math.log1p(count) * idf(held, listings) for term, count in counted.items() if (held := holding(term))}
    length = math.sqrt(sum(weight * weight for weight in found.values()))
    return {term: weight / length for term, weight in found.items()} if length else {}


def closeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """0 where nothing is shared, 1 for the same terms in the same measure; the cosine of two `weights`."""
    light, heavy = (one, other) if len(one) <= len(other) else (other, one)
    return math.fsum(weight * heavy[term] for term, weight in light.items() if term in heavy)
