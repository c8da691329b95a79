"""Rounds 发布期次 of an alliance: the first during its first council (R54), then one every quarter (R55; S0 附件1 二(二)).

We read "every quarter" as every quarter from the one on in which the alliance was formed.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from codes import quarters

COUNCIL_AHEAD_DAYS = 366
"""Days within which the first council has to end; ours: of two full councils a year (S0 附件1 二(一)) one is within a year."""


@dataclass(frozen=True)
class Span:
    """A period and its business dates, both inclusive."""

    period: str
    opens_on: date
    closes_on: date


def quarter(day: date) -> Span:
    """The quarter of a day, e.g. 2026-02-03 → `2026Q1`, 2026-01-01 to 2026-03-31."""
    found = quarters.of(day)
    return Span(str(found), found.first, found.last)


def since(formed_on: date, current: Span) -> list[Span]:
    """Every quarter from the one of the formation to the current one: also those that nobody was there to open."""
    found = [quarter(formed_on)]
    while found[-1].opens_on < current.opens_on:
        found.append(quarter(found[-1].closes_on + timedelta(days=1)))
    return found


def council(opens_on: date, closes_on: date) -> Span:
    """The first round: the days of the first council; its period is the first of them."""
    return Span(opens_on.isoformat(), opens_on, closes_on)


def council_problem(span: Span, formed_on: date, today: date) -> tuple[str, str] | None:
    """What is wrong with the days of a first council, in Chinese and English; None where they are right."""
    latest = today + timedelta(days=COUNCIL_AHEAD_DAYS)
    if formed_on <= span.opens_on and span.closes_on <= latest:
        return None
    return (
        f"首次理事会须自联盟成立之日 {formed_on} 起、最迟于 {latest} 结束；请核对日期",
        f"the first council is from {formed_on} on, when the alliance was formed, and ends by {latest}; check the days",
    )
