"""The text of a listing as its closeness to others is measured: a title, and what stands beneath it."""

import re
from dataclasses import dataclass

from matching.domain.text import neutral

LIMIT = 1000  # characters of a passage that count; a change must cost little however long the text is
MEANT = 250  # characters that a meaning is made of: it is no clearer out of five times as many, which cost five times as much


_TITLE = re.compile(r"[^。\n]*?(?=。|\n|\. |\.?\s*$)")  # up to the first sentence's end, which is not part of it


@dataclass(frozen=True, slots=True)
class Passage:
    """A title and prose; either may be empty. Made by `of`, nothing in it tells of places or of what persons are."""

    title: str
    prose: str = ""

    @classmethod
    def of(cls, title: str, prose: str) -> "Passage":
        """As they are written."""
        return cls(neutral(title).strip(), neutral(prose).strip())

    @classmethod
    def read(cls, text: str) -> "Passage":
        """A text that is not divided: its first sentence is the title (`现代教育技术。1.具有…` → `现代教育技术`)."""
        text = text.strip()
        found = _TITLE.match(text)
        title = found[0] if found else text
        return cls.of(title, text[len(title) :].lstrip("。.\n "))

    @property
    def whole(self) -> str:
        """Title and prose as one text, as much as a meaning is made of."""
        return "\n".join(part for part in (self.title, self.prose) if part)[:MEANT]
