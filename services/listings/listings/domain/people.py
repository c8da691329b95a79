"""Persons behind listings: how they are reached, and how long they are kept."""

import re
from datetime import date, timedelta

KEEP_DAYS = 180
"""Days after a listing's last day that its persons are kept; our default: PIPL art. 19 asks for the shortest needed."""
MOST_DAYS = 3 * 365
"""Days from today that they are kept at most; our default."""
_PHONE = re.compile(r"\+?\d[\d\s()-]{5,20}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")


def is_phone(text: str) -> bool:
    """Whether it can be a telephone number."""
    return _PHONE.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Whether it can be an e-mail address."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def retention(wanted: date | None, valid_to: date, today: date) -> date:
    """The last day on which a person is kept: the wanted one, else so many days after the listing's last day."""
    if wanted is not None:
        return wanted
    latest = today + timedelta(days=MOST_DAYS)
    return min(max(min(valid_to, latest), today) + timedelta(days=KEEP_DAYS), latest)


def is_too_long(retain_until: date, today: date) -> bool:
    """Whether a day is over by now, or too far away."""
    return not today <= retain_until <= today + timedelta(days=MOST_DAYS)
