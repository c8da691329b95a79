"""What a demand asks of skills and what of it a supply offers 技能差距: by labels, set by hand, and by texts.

What a supply does not mention is unknown, and counts as much as the threshold: so silence alone neither makes a pair fit nor
keeps it from fitting (ADR 0030). What it says it lacks counts nothing.
"""

from functools import lru_cache
from typing import NamedTuple

from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.pairs import LEAST_THRESHOLD
from matching.domain.skills import Level, Skill, canonical

UNMENTIONED = LEAST_THRESHOLD
"""What a skill that a supply does not mention counts, in thousandths of one that it offers."""
_POINTS = {Level.REQUIRED: 2, Level.PREFERRED: 1}


class Asked(NamedTuple):
    """A skill that is asked for, and whether the supply offers it, or says that it lacks it."""

    written: str
    level: Level
    is_offered: bool
    is_lacking: bool


class Share(NamedTuple):
    """In thousandths: how much of its weight the part of skills takes, and how far the pair meets it."""

    said: int
    value: int


class _Wanted(NamedTuple):
    key: str
    written: str
    words: frozenset[str]
    level: Level
    points: int
    is_label: bool


def asked(demand: Facts, supply: Facts) -> list[Asked]:
    """Each skill once, labels first, then in the order of the text; without those that the demand says it does not need."""
    _, lacking = _keys(supply.skills, supply.told)
    met = set(_met(demand, supply))
    wanted = _wanted(demand.skills, demand.told)
    return [Asked(one.written, one.level, one in met, one.key in lacking) for one in wanted]


def share(demand: Facts, supply: Facts) -> Share | None:
    """How much of what is asked for is offered, as far as it is known; None where nothing is asked for.

    Labels and texts have one half each. Labels alone have the whole, texts alone their half of it, since texts are read by
    rules that now and then take for a skill what is none.
    """
    wanted = _wanted(demand.skills, demand.told)
    if not wanted:
        return None
    met = {one.key for one in _met(demand, supply)}
    _, lacking = _keys(supply.skills, supply.told)
    worths = [1000 if one.key in met else 0 if one.key in lacking else UNMENTIONED for one in wanted]
    parts = [
        sum(one.points * worth for one, worth in zip(wanted, worths, strict=True) if one.is_label is is_label) // points
        for is_label in (True, False)
        if (points := sum(one.points for one in wanted if one.is_label is is_label))
    ]
    return Share(1000 if demand.skills else 500, sum(parts) // len(parts))


def _met(demand: Facts, supply: Facts) -> list[_Wanted]:
    """Those that the supply names, or all of whose words its texts hold without saying that it lacks them."""
    offered, lacking = _keys(supply.skills, supply.told)
    words = supply.words.keys()
    return [
        one
        for one in _wanted(demand.skills, demand.told)
        if one.key in offered or (one.words and one.key not in lacking and words >= one.words)
    ]


@lru_cache(1024)
def _wanted(labels: tuple[str, ...], told: tuple[Skill, ...]) -> tuple[_Wanted, ...]:
    found: dict[str, _Wanted] = {}
    for skill, is_label in (*((Skill(label), True) for label in labels), *((skill, False) for skill in told)):
        if skill.key not in found and skill.level is not Level.NEGATED:
            words = frozenset(text.label(skill.written)[1])
            found[skill.key] = _Wanted(skill.key, skill.written, words, skill.level, _POINTS[skill.level], is_label)
    return tuple(found.values())


@lru_cache(8192)
def _keys(labels: tuple[str, ...], told: tuple[Skill, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Keys of what a supply offers, and of what it says it lacks."""
    offered = frozenset(map(canonical, labels)) | {skill.key for skill in told if skill.level is not Level.NEGATED}
    return offered, frozenset(skill.key for skill in told) - offered
