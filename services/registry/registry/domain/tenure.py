"""Roles in a body over time 任职期间: which ones a member had on days that are past, whatever it has today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Tenure:
    """A membership: its first and last day (None: it goes on), its roles now, and those that it had before, oldest first,
    each with the last day on which it had them.
    """

    first: date
    last: date | None
    roles: Collection[int]
    former: Sequence[tuple[date, Collection[int]]] = ()

    def within(self, first: date, last: date) -> set[int] | None:
        """The roles that it had on any of some days; None where it was no membership on any of them."""
        begin, end = max(self.first, first), min(self.last or last, last)
        if begin > end:
            return None
        held, since = set[int](), date.min
        for until, roles in (*self.former, (date.max, self.roles)):
            if since <= end and until >= begin:
                held.update(roles)
            since = min(until, date.max - timedelta(1)) + timedelta(1)
        return held
