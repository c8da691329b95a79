"""Bookings 预约 of shared equipment (R46; S1 三(五)): when it can be booked, and which unit is free."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum

STEP_MINUTES = 15
"""Bookings begin and end on a quarter of an hour; ours."""
DEFAULT_HOURS = 24
"""Longest booking where the equipment does not say; ours."""
AHEAD_DAYS = 180
"""How far ahead it can be booked; ours."""
Text = tuple[str, str]


class State(IntEnum):
    """State of a booking."""

    BOOKED = 1
    CANCELLED = 2


@dataclass(frozen=True)
class Span:
    """From an instant on, up to another that is not part of it; both on the clock of Asia/Shanghai."""

    begins: datetime
    ends: datetime

    def meets(self, other: "Span") -> bool:
        """Whether they have a moment in common."""
        return self.begins < other.ends and other.begins < self.ends


@dataclass(frozen=True)
class Taken:
    """A unit and when it is taken."""

    unit: int
    span: Span


@dataclass(frozen=True)
class Terms:
    """On which terms equipment can be booked.

    Attributes:
        units: how many there are.
        opens, closes: hours of a day, `08:00`; empty: round the clock. `24:00` is the end of the day.
        max_hours: longest booking; 0: the default.
        first, last: business dates on which it is offered.
    """

    units: int
    opens: str
    closes: str
    max_hours: int
    first: date
    last: date


def problems(span: Span, terms: Terms, now: datetime) -> Iterator[tuple[str, Text]]:
    """Field and text of everything that is wrong with a time, before asking whether it is free."""
    for field, at in (("begin_time", span.begins), ("end_time", span.ends)):
        if at.minute % STEP_MINUTES or at.second or at.microsecond:
            yield field, _off_step(field)
    if span.begins < now:
        yield "begin_time", ("开始时间（begin_time）已过；请改为以后的时刻", "begin_time is in the past; choose a later one")
    if span.begins > now + timedelta(days=AHEAD_DAYS):
        yield (
            "begin_time",
            (
                f"开始时间（begin_time）最多提前 {AHEAD_DAYS} 天；请改为更早的时刻，或以后再预约",
                f"begin_time is {AHEAD_DAYS} days ahead at most; choose an earlier one, or book later",
            ),
        )
    longest = terms.max_hours or DEFAULT_HOURS
    if not timedelta() < span.ends - span.begins <= timedelta(hours=longest):
        yield (
            "end_time",
            (
                f"结束时间（end_time）须晚于开始，时长不超过 {longest} 小时；请改正，更长的使用请分次预约",
                f"end_time is after begin_time, by {longest} hours at most; change it, and book longer use in parts",
            ),
        )
    elif not (terms.first <= span.begins.date() and (span.ends - timedelta(microseconds=1)).date() <= terms.last):
        yield (
            "end_time",
            (
                f"该设备共享期为 {terms.first} 至 {terms.last}，起止时间（begin_time、end_time）须在其内；请改期",
                f"the equipment is offered from {terms.first} to {terms.last}; choose begin_time and end_time within",
            ),
        )
    elif terms.opens and not _is_open(span, terms):
        hours = f"{terms.opens}–{terms.closes}"
        yield (
            "begin_time",
            (
                f"该设备开放时间为每日 {hours}，起止时间（begin_time、end_time）须在同一日的开放时间内；请改时段",
                f"the equipment is open from {hours} every day; choose begin_time and end_time within one day's hours",
            ),
        )


def _off_step(field: str) -> Text:
    name = {"begin_time": "开始时间", "end_time": "结束时间"}[field]
    return (
        f"{name}（{field}）须为 {STEP_MINUTES} 分钟的整数倍；请改为整刻，如 09:00、09:15",
        f"{field} has to be a multiple of {STEP_MINUTES} minutes; choose a quarter of an hour, such as 09:00 or 09:15",
    )


def _is_open(span: Span, terms: Terms) -> bool:
    day = datetime.combine(span.begins.date(), time(), span.begins.tzinfo)
    return day + _since_midnight(terms.opens) <= span.begins and span.ends <= day + _since_midnight(terms.closes)


def _since_midnight(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def misfit(booked: Taken, terms: Terms, *, is_bookable: bool) -> Text | None:
    """Why a booking that stands does not fit the terms as they are now; None where it does (however far ahead it is)."""
    if not is_bookable:
        return "设备不再接受预约；请与发布单位联系", "the equipment takes no bookings any more; turn to its issuer"
    if booked.unit > terms.units:
        return f"设备减为 {terms.units} 台；请另行预约", f"there are {terms.units} of it now; book anew"
    return next((text for _, text in problems(booked.span, terms, booked.span.begins)), None)


def free_unit(span: Span, units: int, taken: Iterable[Taken]) -> int | None:
    """The first unit that is free for the whole time; None where there is none."""
    busy = {one.unit for one in taken if one.span.meets(span)}
    return next((unit for unit in range(1, units + 1) if unit not in busy), None)


def next_free(span: Span, terms: Terms, taken: Sequence[Taken], now: datetime) -> Span | None:
    """The next time of the same length at which a unit is free; None where the equipment is not offered that long."""
    length = span.ends - span.begins
    days = range((terms.last - span.begins.date()).days + 1)
    openings = [
        datetime.combine(span.begins.date() + timedelta(days=day), time(), span.begins.tzinfo)
        + _since_midnight(terms.opens or "00:00")
        for day in days[:AHEAD_DAYS]
    ]
    for begins in sorted({one.span.ends for one in taken if one.span.ends > span.begins} | set(openings)):
        found = Span(begins, begins + length)
        if begins > span.begins and not [*problems(found, terms, now)] and free_unit(found, terms.units, taken):
            return found
    return None
