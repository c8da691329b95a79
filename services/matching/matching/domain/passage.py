"""The text of a listing as its closeness to others is measured: a title, and what stands beneath it."""

import re
from dataclasses import dataclass

LIMIT = 1000  # characters of a passage that count; a change must cost little however long the text is

_TITLE = re.compile(r"[^。\n]*?(?=。|\n|\. |\.?\s*$)")  # up to the first sentence's end, which is not part of it


@dataclass(frozen=True, slots=True)
class Passage:
    """A title and prose; either may be empty."""

    title: str
    prose: str = ""

    @classmethod
    def read(cls, text: str) -> "Passage":
        """A text that is not divided: its first sentence is the title (`现代教育技术。1.具有…` → `现代教育技术`)."""
        text = text.strip()
        found = _TITLE.match(text)
        title = found[0] if found else text
        return cls(title, text[len(title) :].lstrip("。.\n "))

    @property
    def whole(self) -> str:
        """Title and prose as one text, cut at `LIMIT`."""
        return "\n".join(part for part in (self.title, self.prose) if part)[:LIMIT]
