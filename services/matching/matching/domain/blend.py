"""One closeness out of two: by words and by meaning.

The weights are of the two cosines as they are, neither ranks nor shares of the best candidate: what two texts have in
common is the same from either side and in every list. Words weigh three times as much, since their cosines spread over a
third of the range: the ten closest of a corpus are at 0.1 to 0.2 by words, and at 0.4 to 0.6 by meaning.
"""

from dataclasses import dataclass

WHOLE = 1_000_000  # parts are integers out of this, so that they sum exactly
WORDS, MEANING = 3, 1


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close two passages are; `total` is exactly the sum of the parts `words` and `meaning`."""

    words: int
    meaning: int

    @property
    def total(self) -> int:
        """0 … `WHOLE`."""
        return self.words + self.meaning


def blend(lexical: float, semantic: float) -> Closeness:
    """Of two cosines; what is below 0 counts as 0: texts cannot have less than nothing in common."""
    return Closeness(_part(lexical, WORDS), _part(semantic, MEANING))


def _part(cosine: float, weight: int) -> int:
    return round(WHOLE * min(max(cosine, 0.0), 1.0)) * weight // (WORDS + MEANING)
