"""What would change a verdict 反事实说明: single changes of the supply, each with the score that the pair would then have.

Every score is that of the very function that judges pairs, on the supply as it would be: with the words and the meaning of its
longer text, by which it can also fall. Who makes the change gets the score that was told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from codes import education, industries, occupations, regions
from matching.domain import gap, text
from matching.domain.facts import Facts
from matching.domain.score import Partner, broken_condition, score_of

_FIELDS = {"region": "regions", "industry": "industries", "occupation": "occupations"}  # of facts, where called otherwise


class Change(NamedTuple):
    """One change of the supply: the feature that it concerns, what would stand there beside what does, and that in words."""

    feature: str
    value: str
    zh: str
    en: str


class Alternative(NamedTuple):
    """What would be different (zh, en), and the score of the pair then, in thousandths."""

    feature: str
    zh: str
    en: str
    score: int


def changes(demand: Facts, supply: Facts) -> Iterator[Change]:
    """What the demand asks for and the supply does not say."""
    for skill in (one.written for one in gap.asked(demand, supply) if not one.is_offered):
        yield Change("skills", skill, f"具备技能“{skill}”", f"the skill {skill}")
    for major in _unsaid(demand.majors, supply.majors):
        yield Change("majors", major, f"专业含“{major}”", f"the major {major}")
    for field in _unsaid([demand.technology], ["", supply.technology]):
        yield Change("technology", field, f"技术领域为“{field}”", f"the field of technology {field}")
    for code in _unsaid(demand.regions, supply.regions):
        yield Change("region", code, f"地区含{regions.name(code)}", f"the region {regions.name(code)}")
    for code in _unsaid(demand.industries, supply.industries):
        yield Change("industry", code, f"行业含“{industries.name(code)}”", f"the industry {industries.name(code)}")
    for code in _unsaid(demand.occupations, supply.occupations):
        yield Change("occupation", code, f"职业含“{occupations.name(code)}”", f"the occupation {occupations.name(code)}")
    if demand.education and not supply.education:
        name = education.name(demand.education)
        yield Change("education", demand.education, f"注明学历{name}", f"the education {name}, stated")


def _unsaid(asked: Iterable[str], said: Iterable[str]) -> list[str]:
    """What of a demand the supply does not say already: to say it twice would only lengthen the text."""
    there = {text.label(one)[0] for one in said}
    return [one for one in asked if text.label(one)[0] not in there]


def promising(demand: Facts, supply: Facts, most: int) -> list[Change]:
    """The changes by what they bring as labels and codes alone, most first, at most so many: to weigh a long text anew takes a
    thousand times as long.
    """
    return sorted(changes(demand, supply), key=lambda one: -score_of(demand, _labelled(supply, one), 1000))[:most]


def _labelled(supply: Facts, change: Change) -> Facts:
    """A supply after a change, with the words of before."""
    field = _FIELDS.get(change.feature, change.feature)
    before = getattr(supply, field)
    after: Any = change.value if isinstance(before, str) else (*before, change.value)
    return replace(supply, **{field: after})


def most_of(demand: Facts, changed: Facts) -> int:
    """What a changed supply can score at most, however near it came to be in meaning."""
    return max(score_of(demand, changed, near) for near in (None, 1000))


def alternatives(demand: Facts, supply: Partner, tried: Iterable[tuple[Change, Partner]], today: date) -> list[Alternative]:
    """Of changes tried, each with the supply as it would be, those that raise the score and break no condition, the highest
    score first.
    """
    now = score_of(demand, *supply)
    found = (
        Alternative(change.feature, change.zh, change.en, score_of(demand, *changed))
        for change, changed in tried
        if not broken_condition(demand, changed.facts, today)
    )
    return sorted((one for one in found if one.score > now), key=lambda one: (-one.score, one.feature, one.zh))


def fits_until(demand: Facts, supply: Facts) -> date:
    """The last day on which both are valid."""
    return min(demand.valid_to, supply.valid_to)
