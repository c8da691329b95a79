"""Rules of feeds 数据接口: how long to wait after a failure, and when a feed is silent. The numbers are ours."""

import re
from datetime import datetime, timedelta

INTERVAL = 300  # seconds between exchanges, where none are chosen
MAX_INTERVAL = 3600
EXPECTED_EVERY = 6  # hours; one that stops in the morning is known the same day
MAX_EXPECTED_EVERY = 720
OVERLAP_HOURS = 24  # in which the secret before the newest holds, too: both ends change theirs without a gap
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


def is_mapping(name: str) -> bool:
    """Whether a mapping may be called so; no name leads out of its folder."""
    return _MAPPING.fullmatch(name) is not None
