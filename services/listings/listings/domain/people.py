"""Persons behind listings: how long they are kept."""

from datetime import date, timedelta

KEEP_DAYS = 180
"""Days after a listing's last day that its persons are kept; our default: PIPL art. 19 asks for the shortest needed."""


def retention(wanted: date | None, valid_to: date, today: date, most_days: int) -> date:
    """The last day on which a person is kept: the wanted one, else so many days after the listing's last day, `most_days` from
    today at most.
    """
    if wanted is not None:
        return wanted
    latest = today + timedelta(days=most_days)
    return min(max(min(valid_to, latest), today) + timedelta(days=KEEP_DAYS), latest)
