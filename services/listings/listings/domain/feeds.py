"""Rules of feeds 数据接口: how long to wait after a failure, when a feed is silent, what a circle is. The numbers are ours."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

INTERVAL = 300  # seconds between exchanges, where none are chosen
MAX_INTERVAL = 3600
EXPECTED_EVERY = 6  # hours
MAX_EXPECTED_EVERY = 720
OVERLAP_HOURS = 24  # in which the secret before the newest holds, too: both ends change theirs without a gap
A_DAY = 24  # hours; who is expected less often may be away for a day
# Before midnight: a feed that fails is tried again within less, so it is told of the same day.
DAY_ENDS = timedelta(minutes=20)
KEYLESS_DAYS = 7  # for which a line that nobody can read a key in counts as refused
MAX_ACTIVE = 20  # feeds of one organization: all share the same few exchanges at a time
_FIRST = 10.0  # seconds before the second attempt, at most
_LONGEST = 900.0  # seconds between two attempts, at most: a silent feed is told of soon after its time
_MAPPING = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


def delay(failures: int, interval: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row: twice as long each time. `chance` (0–1) spreads feeds that failed
    together.
    """
    doubled = min(_FIRST, interval) * 2.0 ** min(failures - 1, 20)
    return timedelta(seconds=min(doubled, _LONGEST) * (1 + chance) / 2)


def is_silent(quiet_from: datetime, expected_every: int, now: datetime) -> bool:
    """Whether nothing came for so many hours."""
    return now - quiet_from >= timedelta(hours=expected_every)


def is_stopped(unanswered_from: datetime, interval: int, now: datetime) -> bool:
    """Whether a feed that fails has stopped, as far as that can be said at a day's end, before its hours have passed: two
    intervals and an hour at least without a good answer are no hiccup. `interval` is in seconds.
    """
    return now - unanswered_from >= max(timedelta(hours=1), 2 * timedelta(seconds=interval))


class Lap(NamedTuple):
    """How far a reading without a pause has come: its pages, and the cursor of one of them that is waited for."""

    pages: int = 0
    mark: str = ""


def further(lap: Lap, cursor: str) -> Lap | None:
    """The reading after a page that has more behind it; None where its cursors go in a circle.

    Brent's way to find one: the cursor that is waited for is that of the last page whose number is a power of two, so that a
    circle of any length is found within three times the pages up to its end, and nothing but one cursor has to be kept.
    """
    if cursor == lap.mark:
        return None
    pages = lap.pages + 1
    return Lap(pages, cursor if pages & (pages - 1) == 0 else lap.mark)


def is_mapping(name: str) -> bool:
    """Whether a mapping may be called so; no name leads out of its folder."""
    return _MAPPING.fullmatch(name) is not None
