"""The rules as data: which kinds meet, what both must fulfil, and what makes a pair better.

A new pair of kinds is a new row here. Weights are thousandths and sum to 1000. What says nothing of the work itself (region,
education, industry) weighs less than the threshold: every pair that reaches it shares words or is near in meaning, which is
how the index finds candidates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from matching.domain.seniority import Seniority

ALGORITHM_VERSION = "words-meaning-skills-8"
INDEX_VERSION = 8  # of what the index keeps of a listing; one of another version is built anew
STAMP = f"{ALGORITHM_VERSION}/index-{INDEX_VERSION}"  # what a match is scored by
LEAST_THRESHOLD = 400  # thousandths; below it a pair could fit that has nothing in common but where it is


@dataclass(frozen=True)
class PairRule:
    """How one kind of demand meets one kind of supply.

    Attributes:
        demand, supply: names of listing kinds.
        conditions: names of `score.CONDITIONS` that both sides must fulfil.
        weights: feature of `score.FEATURES` → thousandths of the score.
        inexperience: what the demand asks for → thousandths that all features give up where the supply has no experience.
    """

    demand: str
    supply: str
    conditions: tuple[str, ...]
    weights: Mapping[str, int]
    inexperience: Mapping[Seniority, int] = field(default_factory=dict)


_ALWAYS = ("issuers", "validity")
_POST = (*_ALWAYS, "region", "education")
_TALENT = MappingProxyType(
    {
        "text": 100,
        "meaning": 100,
        "majors": 250,
        "skills": 200,
        "occupation": 100,
        "region": 100,
        "education": 100,
        "industry": 50,
    }
)
# A senior post can still be within a graduate's reach, where all else agrees; a director's or a partner's hardly is.
_INEXPERIENCE = MappingProxyType({Seniority.EXPERIENCED: 150, Seniority.LEADING: 400})
_TECHNOLOGY = MappingProxyType({"text": 300, "meaning": 150, "technology": 250, "industry": 200, "region": 100})
_PROJECT = MappingProxyType({"text": 450, "meaning": 200, "industry": 250, "region": 100})

_SERVICE = MappingProxyType({"text": 500, "meaning": 200, "industry": 200, "region": 100})
_TRAINING = MappingProxyType({"text": 400, "meaning": 200, "skills": 100, "industry": 200, "region": 100})

# Technology travels, people move less: the region is a condition of posts and only a preference of technology.
RULES: tuple[PairRule, ...] = (
    PairRule("TALENT_DEMAND", "TALENT_SUPPLY", _POST, _TALENT, _INEXPERIENCE),
    PairRule("JOB_POSITION", "TALENT_SUPPLY", _POST, _TALENT, _INEXPERIENCE),
    PairRule("INTERNSHIP", "TALENT_SUPPLY", _POST, _TALENT, _INEXPERIENCE),
    PairRule("TECH_DEMAND", "RESEARCH_OUTCOME", _ALWAYS, _TECHNOLOGY),
    PairRule("INDUSTRY_CHALLENGE", "RESEARCH_OUTCOME", _ALWAYS, _TECHNOLOGY),
    PairRule("PROJECT_DEMAND", "RESEARCH_OUTCOME", _ALWAYS, _PROJECT),
    PairRule("TECH_DEMAND", "EXPERT", _ALWAYS, _SERVICE),
    PairRule("INDUSTRY_CHALLENGE", "EXPERT", _ALWAYS, _SERVICE),
    PairRule("PROJECT_DEMAND", "EXPERT", _ALWAYS, _SERVICE),
    PairRule("TECH_DEMAND", "TECH_SERVICE", _ALWAYS, _SERVICE),
    PairRule("TRAINING", "COURSE", _ALWAYS, _TRAINING),
    PairRule("TRAINING", "MICRO_COURSE", _ALWAYS, _TRAINING),
    PairRule("TRAINING", "MICRO_MAJOR", _ALWAYS, _TRAINING),
    PairRule("PRACTICE_PROJECT", "PRACTICE_BASE", _ALWAYS, _SERVICE),
)

_SKILLED = frozenset(kind for rule in RULES if "skills" in rule.weights for kind in (rule.demand, rule.supply))
_GRADED = frozenset(kind for rule in RULES if rule.inexperience for kind in (rule.demand, rule.supply))
_DEMANDS = frozenset(rule.demand for rule in RULES)
# A fulfilled match takes some of what is asked for, and of graduates; an outcome can be licensed, an expert asked, a course
# held and a base used by any number.
_COUNTED = _DEMANDS | {"TALENT_SUPPLY"}
_BY_KINDS = {(rule.demand, rule.supply): rule for rule in RULES}


def partners(kind: str) -> tuple[str, ...]:
    """Kinds that a listing of this kind can meet; empty for kinds that take no part."""
    return tuple(rule.supply if rule.demand == kind else rule.demand for rule in RULES if kind in (rule.demand, rule.supply))


def meetings(kind: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each kind that a listing of this kind can meet, with the conditions of that pair."""
    asked = [(rule.supply, rule.conditions) for rule in RULES if rule.demand == kind]
    return asked + [(rule.demand, rule.conditions) for rule in RULES if rule.supply == kind]


def rule_of(demand: str, supply: str) -> PairRule:
    """The rule of two kinds; raises KeyError where they do not meet."""
    return _BY_KINDS[demand, supply]


def is_demand(kind: str) -> bool:
    """Whether listings of this kind are the asking side of their pairs."""
    return kind in _DEMANDS


def is_counted(kind: str) -> bool:
    """Whether fulfilled matches use up the quantity of listings of this kind."""
    return kind in _COUNTED


def is_skilled(kind: str) -> bool:
    """Whether the skills that listings of this kind speak of count in any of their pairs."""
    return kind in _SKILLED


def is_graded(kind: str) -> bool:
    """Whether experience counts in any pair of listings of this kind."""
    return kind in _GRADED
