"""The quarter that is played: the next one, and the instants of its boundaries."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chassis.clock import business_date, start_of_day
from codes import quarters
from codes.quarters import Quarter

_MORNING = timedelta(hours=9)


@dataclass(frozen=True)
class Played:
    """The quarter and the days on which things happen."""

    quarter: Quarter

    @classmethod
    def next(cls) -> "Played":
        """The quarter after today's: the business clock moves forward only."""
        return cls(quarters.of(business_date(datetime.now(UTC))).next())

    @property
    def period(self) -> str:
        """As reports write it."""
        return str(self.quarter)

    @property
    def first_morning(self) -> datetime:
        """When it begins to be played."""
        return start_of_day(self.quarter.first) + _MORNING

    @property
    def report_opens(self) -> date:
        """The report's first day (R56)."""
        return self.quarter.next().first

    @property
    def report_due(self) -> date:
        """The report's last day in time."""
        return self.report_opens + timedelta(days=14)


def before(day: date) -> datetime:
    """The last minute before a day; the clock goes on while things settle."""
    return start_of_day(day) - timedelta(minutes=1)
