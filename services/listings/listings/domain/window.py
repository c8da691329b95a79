"""Validity 有效期 of a listing: business dates, both inclusive."""

from datetime import date, timedelta

DEFAULT_DAYS = 180
"""Days that a listing is valid where it does not say; our default, no document sets one."""


def window(valid_from: date | None, valid_to: date | None, today: date) -> tuple[date, date]:
    """The dates with defaults filled in; what began in the past is valid from today on for the default days."""
    first = valid_from or today
    begins = min(max(first, today), date.max - timedelta(days=DEFAULT_DAYS))
    return first, valid_to or begins + timedelta(days=DEFAULT_DAYS)


def is_over(valid_to: date, today: date) -> bool:
    """Whether the last day is past."""
    return today > valid_to
