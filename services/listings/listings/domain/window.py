"""Validity 有效期 of a listing: business dates, both inclusive."""

from datetime import date, timedelta

from listings.domain.names import YEAR_LISTS, Kind

DEFAULT_DAYS = 180
"""Days that a listing is valid where it does not say; our default, no document sets one."""
_NEXT_LIST = (3, 31)
"""Month and day: the list of a year is made public in its first quarter (S2 二(二))."""


def window(kind: Kind, valid_from: date | None, valid_to: date | None, today: date) -> tuple[date, date]:
    """The dates with defaults filled in; what began in the past is valid from today on for the default days, the list of a
    year (R43) until the next one is due.
    """
    first = valid_from or today
    return first, valid_to or _last(kind, max(first, today))


def _last(kind: Kind, begins: date) -> date:
    if kind in YEAR_LISTS and begins.year < date.max.year:
        return date(begins.year + 1, *_NEXT_LIST)
    return min(begins, date.max - timedelta(days=DEFAULT_DAYS)) + timedelta(days=DEFAULT_DAYS)


def is_over(valid_to: date, today: date) -> bool:
    """Whether the last day is past."""
    return today > valid_to
