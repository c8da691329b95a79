"""The two clocks 时钟, and business dates.

The *system clock* is for tokens, leases, retries, ids, Kafka and audit. The *business clock* is for deadlines, windows
and validity: system time plus an offset that only a development platform can move. Instants are aware and in UTC;
business dates are dates in Asia/Shanghai and never instants.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return datetime.now(UTC)


class BusinessClock:
    """System time plus an offset; the offset is a row of the service's database (see `chassis.admin`)."""

    def __init__(self, system: Clock, offset: timedelta = timedelta()) -> None:
        self._system = system
        self.offset = offset

    def now(self) -> datetime:
        """The business instant, aware, in UTC."""
        return self._system.now() + self.offset


def business_date(instant: datetime) -> date:
    """The business date of an instant."""
    return instant.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """The instant at which a business date begins, in UTC."""
    return datetime.combine(day, time.min, SHANGHAI).astimezone(UTC)


def parsed_date(text: str) -> date | None:
    """The date of `2026-01-31`; None for "" and for every other form, also those that ISO 8601 knows beside it."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
