"""One closeness out of two: by words and by meaning.

The weights are of the two cosines as they are, neither ranks nor shares of the best candidate: what two texts have in
common depends on these two alone, and a closeness means the same in every list. Words weigh twice as much, since their
cosines spread over half the range: unrelated texts share next to no words and still resemble each other somewhat in meaning.
"""

from dataclasses import dataclass

WHOLE = 1_000_000  # parts are integers out of this, so that they sum exactly
WORDS, MEANING = 2, 1


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
