"""Bookings: both sides of every limit, and no unit twice at one time whatever is asked for."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listings.domain.bookings import AHEAD_DAYS, DEFAULT_HOURS, Span, Taken, Terms, free_unit, misfit, next_free, problems

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
TERMS = Terms(units=2, opens="08:00", closes="20:00", max_hours=8, first=date(2026, 3, 1), last=date(2026, 6, 30))


def span(begins: str, ends: str) -> Span:
    return Span(*(datetime.fromisoformat(one).replace(tzinfo=SHANGHAI) for one in (begins, ends)))


def wrong(asked: Span, terms: Terms = TERMS, now: datetime = NOW) -> list[str]:
    return [field for field, _ in problems(asked, terms, now)]


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [
        ("2026-03-02T09:00", "2026-03-02T09:15", []),
        ("2026-03-02T08:45", "2026-03-02T09:15", ["begin_time"]),
        ("2026-03-03T08:00", "2026-03-03T16:00", []),
        ("2026-03-03T08:00", "2026-03-03T16:15", ["end_time"]),
        ("2026-03-03T12:00", "2026-03-03T20:00", []),
        ("2026-03-03T12:15", "2026-03-03T20:15", ["begin_time"]),
        ("2026-03-03T07:45", "2026-03-03T09:00", ["begin_time"]),
        ("2026-03-03T10:00", "2026-03-03T10:00", ["end_time"]),
        ("2026-03-03T10:00", "2026-03-03T09:00", ["end_time"]),
        ("2026-03-03T10:05", "2026-03-03T11:00", ["begin_time"]),
        ("2026-03-03T10:00", "2026-03-03T11:00:01", ["end_time"]),
        ("2026-03-03T10:05", "2026-03-03T11:05", ["begin_time", "end_time"]),
        ("2026-06-30T12:00", "2026-06-30T20:00", []),
        ("2026-07-01T08:00", "2026-07-01T09:00", ["end_time"]),
    ],
)
def test_when_it_can_be_booked(begins: str, ends: str, found: list[str]) -> None:
    assert wrong(span(begins, ends)) == found


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("2026-03-03T10:05", "2026-03-03T11:05"),
        ("2026-03-02T08:45", "2026-03-02T09:15"),
        ("2026-09-03T10:00", "2026-09-03T11:00"),
        ("2026-03-03T08:00", "2026-03-03T16:15"),
        ("2026-07-01T08:00", "2026-07-01T09:00"),
        ("2026-03-03T07:45", "2026-03-03T09:00"),
    ],
)
def test_each_refusal_names_its_field_and_what_to_do_in_both_languages(begins: str, ends: str) -> None:
    found = [*problems(span(begins, ends), TERMS, NOW)]
    assert found
    for field, (zh, en) in found:
        assert field in zh
        assert field in en
        assert "；请" in zh
        assert "; " in en
        assert en.isascii() or "–" in en


def test_round_the_clock_up_to_the_last_moment_of_the_last_day() -> None:
    terms = Terms(1, "", "", 0, date(2026, 3, 1), date(2026, 3, 4))
    night = span("2026-03-03T18:00", "2026-03-04T18:00")
    assert wrong(night, terms) == []
    assert wrong(Span(night.begins, night.ends + timedelta(minutes=15)), terms) == ["end_time"], f"over {DEFAULT_HOURS} hours"
    assert wrong(span("2026-03-04T01:00", "2026-03-05T00:00"), terms) == []
    assert wrong(span("2026-03-04T01:00", "2026-03-05T00:15"), terms) == ["end_time"]
    until_midnight = Terms(1, "08:00", "24:00", 24, date(2026, 3, 1), date(2026, 3, 4))
    assert wrong(span("2026-03-03T20:00", "2026-03-04T00:00"), until_midnight) == []
    assert wrong(span("2026-03-03T20:00", "2026-03-04T00:15"), until_midnight) == ["begin_time"]


@pytest.mark.parametrize(
    ("changed", "is_bookable", "word"),
    [
        ({}, True, ""),
        ({}, False, "不再接受"),
        ({"units": 1}, True, "减为 1 台"),
        ({"last": date(2026, 3, 10)}, True, ""),
        ({"last": date(2026, 3, 9)}, True, "共享期"),
        ({"opens": "10:00"}, True, ""),
        ({"opens": "10:15"}, True, "开放时间"),
        ({"max_hours": 2}, True, ""),
        ({"max_hours": 1}, True, "时长"),
    ],
)
def test_a_booking_stands_as_long_as_it_fits_the_terms(changed: dict[str, Any], is_bookable: bool, word: str) -> None:
    booked = Taken(2, span("2026-03-10T10:00", "2026-03-10T12:00"))
    why = misfit(booked, replace(TERMS, **changed), is_bookable=is_bookable)
    assert (word in why[0]) if why and word else why is None


@pytest.mark.parametrize(("days", "found"), [(AHEAD_DAYS, []), (AHEAD_DAYS + 1, ["begin_time"])])
def test_so_far_ahead(days: int, found: list[str]) -> None:
    begins = NOW + timedelta(days=days)
    terms = Terms(1, "", "", 0, date(2026, 3, 1), date(2027, 3, 1))
    assert wrong(Span(begins, begins + timedelta(hours=1)), terms) == found


def test_the_end_of_one_is_the_beginning_of_the_next() -> None:
    morning, noon = span("2026-03-03T08:00", "2026-03-03T10:00"), span("2026-03-03T10:00", "2026-03-03T12:00")
    assert free_unit(noon, 1, [Taken(1, morning)]) == 1
    assert free_unit(morning, 1, [Taken(1, morning)]) is None
    assert free_unit(morning, 2, [Taken(1, morning)]) == 2
    assert next_free(morning, TERMS, [Taken(1, morning), Taken(2, morning)], NOW) == noon


_QUARTERS = st.integers(0, 14 * 96)
_ASKED = st.lists(st.tuples(_QUARTERS, st.integers(1, 32)), max_size=60)


@given(_ASKED, st.integers(1, 3))
def test_no_unit_is_taken_twice_at_one_time(asked: list[tuple[int, int]], units: int) -> None:
    terms = Terms(units, "08:00", "20:00", 8, date(2026, 3, 1), date(2026, 3, 31))
    midnight = datetime(2026, 3, 2, tzinfo=SHANGHAI)
    taken: list[Taken] = []
    for start, length in asked:
        begins = midnight + timedelta(minutes=15 * start)
        wanted = Span(begins, begins + timedelta(minutes=15 * length))
        if [*problems(wanted, terms, NOW)]:
            continue
        unit = free_unit(wanted, units, taken)
        if unit is None:
            other = next_free(wanted, terms, taken, NOW)
            assert other is None or (free_unit(other, units, taken) and not [*problems(other, terms, NOW)])
            continue
        assert not any(one.unit == unit and one.span.meets(wanted) for one in taken)
        taken.append(Taken(unit, wanted))
    for at in {one.span.begins for one in taken}:
        assert sum(one.span.begins <= at < one.span.ends for one in taken) <= units
