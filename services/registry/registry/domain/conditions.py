"""What a rule can ask of a fact: each kind of condition says whether it holds, and what is found, in both languages.

A condition that looks at a fact which is not known neither holds nor fails: `holds` is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from registry.domain.facts import FACTS, Fact, Facts

Limits = Mapping[str, int]
"""Thresholds by name (`registry.domain.limits`)."""
Text = tuple[str, str]
"""Chinese, English."""


class Condition(Protocol):
    """What is asked of one fact."""

    @property
    def fact(self) -> str:
        """The fact's name."""

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """Whether it holds; None where the fact is not known."""

    def found(self, facts: Facts, limits: Limits) -> Text:
        """What there is of a known fact, and what should be."""

    def asked(self, limits: Limits) -> Text:
        """What is asked, for the table of rules."""


def _of(name: str) -> Fact:
    return FACTS[name]


@dataclass(frozen=True)
class Is:
    """A fact is true."""

    fact: str

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        value = facts.get(self.fact)
        return None if value is None else bool(value)

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        one, is_so = _of(self.fact), bool(facts.get(self.fact))
        if one.denied:
            return (one.zh, one.en) if is_so else one.denied
        return (f"有{one.zh}", one.en) if is_so else (f"缺少{one.zh}", f"no {one.en}")

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        return _of(self.fact).zh, _of(self.fact).en


@dataclass(frozen=True)
class Number:
    """A number is within bounds, both inclusive; each is a limit's name, a number of the clause's own, or None."""

    fact: str
    least: str | int | None = None
    most: str | int | None = None
    unit: Text = ("家", "")

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        value = facts.get(self.fact)
        if value is None:
            return None
        least, most = self._bounds(limits)
        return (least is None or int(value) >= least) and (most is None or int(value) <= most)  # type: ignore[arg-type]

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        value, one, (unit_zh, unit_en) = facts.get(self.fact), _of(self.fact), self.unit
        zh, en = f"{one.zh} {value} {unit_zh}", f"{value}{unit_en} {one.en}"
        if self.holds(facts, limits):
            return zh, en
        wanted_zh, wanted_en = self._wanted(limits)
        return f"{zh}（应为{wanted_zh}）", f"{en} (should be {wanted_en})"

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        zh, en = self._wanted(limits)
        return f"{_of(self.fact).zh}{zh}", f"{en} {_of(self.fact).en}"

    def _wanted(self, limits: Limits) -> Text:
        least, most = self._bounds(limits)
        unit_zh, unit_en = self.unit
        if least == most:
            return f" {least} {unit_zh}", f"{least}{unit_en}"
        if most is None:
            return f"不少于 {least} {unit_zh}", f"at least {least}{unit_en}"
        if least is None:
            return f"不超过 {most} {unit_zh}", f"at most {most}{unit_en}"
        return f" {least}–{most} {unit_zh}", f"{least} to {most}{unit_en}"

    def _bounds(self, limits: Limits) -> tuple[int | None, int | None]:
        def of(bound: str | int | None) -> int | None:
            return limits[bound] if isinstance(bound, str) else bound

        return of(self.least), of(self.most)


@dataclass(frozen=True)
class SoFar(Number):
    """A number is within bounds; as long as there is anything in the fact `still`, it can't be told that it is too small."""

    still: str = ""

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        answer = super().holds(facts, limits)
        return None if answer is False and facts.get(self.still) else answer


@dataclass(frozen=True)
class Happened:
    """A day is not later than today."""

    fact: str

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        day = facts.get(self.fact)
        return None if not isinstance(day, date) else day <= facts.today

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        one, day = _of(self.fact), facts.get(self.fact)
        late = (
            "" if self.holds(facts, limits) else "，尚未到期",
            "" if self.holds(facts, limits) else ", which is still to come",
        )
        return f"{one.zh} {day}{late[0]}", f"{one.en}: {day}{late[1]}"

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        return f"{_of(self.fact).zh}不晚于当日", f"{_of(self.fact).en} not later than today"


@dataclass(frozen=True)
class Years:
    """So many full years have passed since a day; on the day of the year itself they have."""

    fact: str
    least: str

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        day = facts.get(self.fact)
        return None if not isinstance(day, date) else full_years(day, facts.today) >= limits[self.least]

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        one, day = _of(self.fact), facts.get(self.fact)
        years = full_years(day, facts.today) if isinstance(day, date) else 0
        zh, en = f"{one.zh} {day}，满 {years} 年", f"{one.en}: {day}, {years} full years"
        if self.holds(facts, limits):
            return zh, en
        return f"{zh}（应满 {limits[self.least]} 年）", f"{en} (should be {limits[self.least]})"

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        return (
            f"{_of(self.fact).zh}至今满 {limits[self.least]} 年",
            f"{limits[self.least]} full years from the {_of(self.fact).en}",
        )


@dataclass(frozen=True)
class ThisYear:
    """A year is this one, or the next one, whose plan may take the place of this one's before its end."""

    fact: str

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        year = facts.get(self.fact)
        return None if year is None else int(year) - facts.today.year in (0, 1)  # type: ignore[arg-type]

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        one, year = _of(self.fact), facts.get(self.fact)
        if self.holds(facts, limits):
            return f"有 {year} {one.zh}", f"{one.en} of {year}"
        return f"{one.zh}为 {year} 年（应有 {facts.today.year} 年的）", f"{one.en} of {year} (should be of {facts.today.year})"

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        return f"当年{_of(self.fact).zh}", f"{_of(self.fact).en} of the year"


@dataclass(frozen=True)
class Named:
    """A text is there. `among` names its possible values where they are few."""

    fact: str
    among: tuple[str, ...] = ()

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        text = facts.get(self.fact)
        return None if not text else not self.among or text in self.among

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        one, text = _of(self.fact), facts.get(self.fact)
        if self.holds(facts, limits):
            return f"{one.zh}：{text}", f"{one.en}: {text}"
        listed = "、".join(self.among)
        return f"{one.zh}为 {text}（应为：{listed}）", f"{one.en}: {text} (should be one of {listed})"

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        one, listed = _of(self.fact), "、".join(self.among)
        return (f"{one.zh}属于：{listed}", f"{one.en} among {listed}") if listed else (f"明确{one.zh}", f"{one.en} named")


@dataclass(frozen=True)
class Nothing:
    """A list of names is empty."""

    fact: str

    def holds(self, facts: Facts, limits: Limits) -> bool | None:
        """See `Condition`."""
        value = facts.get(self.fact)
        return None if value is None else not value

    def found(self, facts: Facts, limits: Limits) -> Text:
        """See `Condition`."""
        one, value = _of(self.fact), facts.get(self.fact)
        if not isinstance(value, tuple) or not value:
            return f"没有{one.zh}", f"no {one.en}"
        return f"{one.zh}：{'、'.join(value)}", f"{one.en}: {', '.join(value)}"

    def asked(self, limits: Limits) -> Text:
        """See `Condition`."""
        return f"没有{_of(self.fact).zh}", f"no {_of(self.fact).en}"


def full_years(since: date, today: date) -> int:
    """Full years between two days; from 29 February they are full on 1 March where the year has no such day."""
    return today.year - since.year - ((today.month, today.day) < (since.month, since.day))
