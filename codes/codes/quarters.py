"""Calendar quarters 季度, written `2026Q1`."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_FORM = re.compile(r"([1-9][0-9]{3})Q([1-4])")


@dataclass(frozen=True, order=True)
class Quarter:
    """One quarter; its days are inclusive on both sides."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next().first - timedelta(days=1)

    def next(self) -> "Quarter":
        """The quarter after it."""
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)


def of(day: date) -> Quarter:
    """The quarter of a day."""
    return Quarter(day.year, (day.month - 1) // 3 + 1)


def parse(text: str) -> Quarter | None:
    """The quarter that a text names; None where it names none."""
    found = _FORM.fullmatch(text)
    return Quarter(int(found[1]), int(found[2])) if found else None
