"""Rounds 发布期次 of an alliance: the first during its first council (R54), then one every quarter (R55; S0 附件1 二(二)); and
the lists of a year: an alliance's challenges (R57), a community's two lists of supply and demand (R43, R58; S2 二(二)).

We read "every quarter" as every quarter from the one on in which the alliance was formed, and "every year" likewise; what a
body spent suspended is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from codes import quarters
from listings.domain.names import AUTHORITIES, BodyKind, Kind, OrgType, RoundKind, State

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


def is_passed_over(span: Span, suspended_on: str, resumed_on: str) -> bool:
    """Whether a body has no round of a span: it was suspended before the first day and resumed after the last (ADR 0008).

    The dates are the business dates (ISO 8601) of its last suspension; "" for none.
    """
    return "" < suspended_on < span.opens_on.isoformat() and span.closes_on.isoformat() < resumed_on


@dataclass(frozen=True)
class YearList:
    """A list that is compiled once a year.

    Attributes:
        clause: where it comes from.
        name: Chinese name.
        body: kind of body that has it.
        kinds: kinds of listings that it holds.
        states: states of listings that it holds. What expired is one of them in every list: what is valid on the last day may
            have been let expire before the list of that day is compiled.
        until: month and day of its last day.
        is_of_year: whether it holds what says that it belongs to the year, rather than what is valid that day.
    """

    clause: str
    name: str
    body: BodyKind
    kinds: tuple[Kind, ...]
    states: tuple[State, ...]
    until: tuple[int, int]
    is_of_year: bool = False

    def of(self, year: int) -> Span:
        """The list of a year."""
        return Span(str(year), date(year, 1, 1), date(year, *self.until))

    def since(self, formed_on: date, today: date) -> list[Span]:
        """Those of every year from the first on whose last day a body formed on a day has before it."""
        first = formed_on.year if formed_on <= self.of(formed_on.year).closes_on else formed_on.year + 1
        return [self.of(year) for year in range(first, today.year + 1)]


LISTS: Mapping[RoundKind, YearList] = {
    RoundKind.CHALLENGE_LIST: YearList(
        "R57；S0 附件1 二(三)",
        "产业出题清单",
        BodyKind.ALLIANCE,
        (Kind.INDUSTRY_CHALLENGE,),
        (State.PUBLISHED, State.FULFILLED, State.EXPIRED),
        (12, 31),
        is_of_year=True,
    ),
    RoundKind.TALENT_LIST: YearList(
        "R43、R58；S2 二(二)",
        "行业人才供需清单",
        BodyKind.COMMUNITY,
        (
            Kind.TALENT_DEMAND,
            Kind.JOB_POSITION,
            Kind.INTERNSHIP,
            Kind.TALENT_SUPPLY,
            Kind.GRADUATE_EMPLOYMENT_INFO,
        ),
        (State.PUBLISHED, State.EXPIRED),
        (3, 31),
    ),
    RoundKind.TECH_LIST: YearList(
        "R43、R58；S2 二(二)",
        "技术供需清单",
        BodyKind.COMMUNITY,
        (Kind.TECH_DEMAND, Kind.PROJECT_DEMAND, Kind.INDUSTRY_CHALLENGE, Kind.RESEARCH_OUTCOME, Kind.TECH_SERVICE),
        (State.PUBLISHED, State.EXPIRED),
        (3, 31),
    ),
}
"""The lists of a year; which kinds a list of supply and demand holds is ours, the document names the lists alone."""


def is_expected(kind: RoundKind, org_type: int) -> bool:
    """Whether a member of this type has to have something in a round of this kind: R55 binds all (we leave out authorities),
    R57 every enterprise; the lists of a community bind nobody.
    """
    if kind in LISTS:
        return kind is RoundKind.CHALLENGE_LIST and org_type == OrgType.ENTERPRISE
    return org_type not in AUTHORITIES


def council(opens_on: date, closes_on: date) -> Span:
    """The first round: the days of the first council; its period is the first of them."""
    return Span(opens_on.isoformat(), opens_on, closes_on)


class CouncilProblem(NamedTuple):
    """What is wrong with the days of a first council: which of a `Span`, in Chinese and English."""

    field: str
    zh: str
    en: str


def council_problem(span: Span, formed_on: date, today: date) -> CouncilProblem | None:
    """What is wrong with the days of a first council; None where they are right."""
    latest = today + timedelta(days=COUNCIL_AHEAD_DAYS)
    if formed_on <= span.opens_on and span.closes_on <= latest:
        return None
    return CouncilProblem(
        "opens_on" if span.opens_on < formed_on else "closes_on",
        f"首次理事会须自联盟成立之日 {formed_on} 起、最迟于 {latest} 结束；请核对日期",
        f"the first council is from {formed_on} on, when the alliance was formed, and ends by {latest}; check the days",
    )
