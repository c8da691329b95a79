"""What would change a verdict 反事实说明: single changes of the supply, each with the score that the pair would then have.

Every score is that of the very function that judges pairs, on facts in which one thing is different; the texts stay as they
are written, so it is the least that the change would bring.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from codes import education, industries, occupations, regions
from matching.domain import gap
from matching.domain.facts import Facts
from matching.domain.score import score_of


@dataclass(frozen=True)
class Alternative:
    """What would be different (zh, en), and the score of the pair then, in thousandths."""

    feature: str
    zh: str
    en: str
    score: int


def alternatives(demand: Facts, supply: Facts, near: int | None = None) -> list[Alternative]:
    """Single changes of the supply that would raise the score of a pair that breaks no condition, the highest score first."""
    now = score_of(demand, supply, near)
    found = (
        Alternative(feature, zh, en, score_of(demand, changed, near)) for feature, zh, en, changed in _changes(demand, supply)
    )
    return sorted((one for one in found if one.score > now), key=lambda one: (-one.score, one.feature, one.zh))


def fits_until(demand: Facts, supply: Facts) -> date:
    """The last day on which both are valid."""
    return min(demand.valid_to, supply.valid_to)


def _changes(demand: Facts, supply: Facts) -> Iterator[tuple[str, str, str, Facts]]:
    """Feature, what would be different in zh and en, and the supply then."""
    for skill in (one.written for one in gap.asked(demand, supply) if not one.is_offered):
        yield "skills", f"具备技能“{skill}”", f"the skill {skill}", replace(supply, skills=(*supply.skills, skill))
    for major in demand.majors:
        yield "majors", f"专业含“{major}”", f"the major {major}", replace(supply, majors=(*supply.majors, major))
    if demand.technology:
        zh, en = f"技术领域为“{demand.technology}”", f"the field of technology {demand.technology}"
        yield "technology", zh, en, replace(supply, technology=demand.technology)
    for code in demand.regions:
        name = regions.name(code)
        yield "region", f"地区含{name}", f"the region {name}", replace(supply, regions=(*supply.regions, code))
    for code in demand.industries:
        name = industries.name(code)
        yield "industry", f"行业含“{name}”", f"the industry {name}", replace(supply, industries=(*supply.industries, code))
    for code in demand.occupations:
        name = occupations.name(code)
        yield (
            "occupation",
            f"职业含“{name}”",
            f"the occupation {name}",
            replace(supply, occupations=(*supply.occupations, code)),
        )
    if demand.education and not supply.education:
        name = education.name(demand.education)
        yield "education", f"注明学历{name}", f"the education {name}, stated", replace(supply, education=demand.education)
