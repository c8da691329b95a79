"""The rules as data: which kinds meet, what both must fulfil, and what makes a pair better.

A new pair of kinds is a new row here. Weights are thousandths and sum to 1000. What says nothing of the work itself (region,
education, industry) weighs less than the threshold: every pair that reaches it shares words or is near in meaning, which is
how the index finds candidates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from matching.domain.seniority import Seniority

ALGORITHM_VERSION = "words-meaning-skills-12"
INDEX_VERSION = 12  # of what the index keeps of a listing; one of another version is built anew
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
        unsaid: features of the texts that take what a pair does not state, in the proportion of their weights.
    """

    demand: str
    supply: str
    conditions: tuple[str, ...]
    weights: Mapping[str, int]
    inexperience: Mapping[Seniority, int] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ("text", "meaning")


_ALWAYS = ("issuers", "validity")
_POST = (*_ALWAYS, "region", "education")
# A senior post can still be within a graduate's reach, where all else agrees; a director's or a partner's hardly is.
_INEXPERIENCE = MappingProxyType({Seniority.EXPERIENCED: 150, Seniority.LEADING: 400})


def _post(demand: str, **weights: int) -> PairRule:
    """People move less than technology does: of a post the region is a condition. Where majors are not stated, words have to
    meet in their place: all technical trades sound alike (graduates of smart grids and testers of software are at 0.55).
    """
    return PairRule(demand, "TALENT_SUPPLY", _POST, MappingProxyType(weights), _INEXPERIENCE, unsaid=("text",))


def _rule(demand: str, supply: str, **weights: int) -> PairRule:
    return PairRule(demand, supply, _ALWAYS, MappingProxyType(weights))


# A feature has a weight where the listings of both kinds have a field for it (`mapping.entry_of`), and no other has.
RULES: tuple[PairRule, ...] = (
    # The need of a whole company, in groups of posts: its text lists them, so codes say more than words do.
    _post(
        "TALENT_DEMAND", text=100, meaning=50, majors=300, skills=150, occupation=150, region=100, education=100, industry=50
    ),
    # One post, described at length: what somebody has to be able to do there.
    _post(
        "JOB_POSITION", text=100, meaning=100, majors=250, skills=200, occupation=100, region=100, education=100, industry=50
    ),
    # A part of a programme: the major leads there, skills are yet to be learned, and term goes on nearby.
    _post("INTERNSHIP", text=100, meaning=100, majors=300, skills=100, occupation=100, region=150, education=100, industry=50),
    # A problem and what may solve it: both name their field, and say the rest in words.
    _rule("TECH_DEMAND", "RESEARCH_OUTCOME", text=300, meaning=150, technology=250, industry=200, region=100),
    # Put to everybody who can solve it, whatever trade or place they come from.
    _rule("INDUSTRY_CHALLENGE", "RESEARCH_OUTCOME", text=350, meaning=150, technology=300, industry=150, region=50),
    # A project names no field of technology: its text says it, and the trade that it is for.
    _rule("PROJECT_DEMAND", "RESEARCH_OUTCOME", text=450, meaning=200, industry=250, region=100),
    # Of experts the field is what is always stated, with few words beside it; they come to where the problem is, if need be.
    _rule("TECH_DEMAND", "EXPERT", text=250, meaning=150, technology=400, industry=150, region=50),
    # A challenge is worked on where the expert is.
    _rule("INDUSTRY_CHALLENGE", "EXPERT", text=300, meaning=150, technology=400, industry=150),
    # Months of work together, without a field to go by: place counts more, and so does what is meant by few words.
    _rule("PROJECT_DEMAND", "EXPERT", text=400, meaning=250, industry=200, region=150),
    # Tests and pilot runs are made where the equipment stands.
    _rule("TECH_DEMAND", "TECH_SERVICE", text=300, meaning=100, technology=250, industry=150, region=200),
    # A training names the skills that it trains, and no majors; a course is held for a class at a place.
    _rule("TRAINING", "COURSE", text=350, meaning=200, skills=200, industry=150, region=100),
    # Some minutes about one skill, looked at from anywhere.
    _rule("TRAINING", "MICRO_COURSE", text=350, meaning=200, skills=350, industry=100),
    # A whole programme for a trade, of many skills.
    _rule("TRAINING", "MICRO_MAJOR", text=350, meaning=200, skills=150, industry=200, region=100),
    # A base is a place, made for some majors, and what it has is words; students have to get there.
    _rule("PRACTICE_PROJECT", "PRACTICE_BASE", text=250, meaning=100, majors=300, industry=150, region=200),
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
