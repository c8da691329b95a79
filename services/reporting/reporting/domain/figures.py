"""The figures of a quarterly report as data: what each counts, and out of which events.

A figure's value is the sum of the amounts of its sources, and each source is one event.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

DEMANDS = {
    1: ("talent_demand", "人力资源需求", "talent demands"),
    2: ("tech_demand", "技术研发需求", "R&D demands"),
    3: ("project_demand", "项目合作需求", "project demands"),
    4: ("industry_challenge", "产业出题", "industry challenges"),
    5: ("job_position", "岗位招聘信息", "job positions"),
    6: ("internship", "实习岗位", "internships"),
}
SUPPLIES = {
    7: ("talent_supply", "人才供给", "talent supplies"),
    8: ("research_outcome", "科研成果", "research outcomes"),
    9: ("graduate_employment_info", "毕业生就业信息", "graduate employment information"),
}
_OUTCOMES = {
    "proposed": ("推荐匹配", "matches proposed"),
    "accepted": ("双方接受", "matches accepted by both sides"),
    "started": ("开始对接", "matches started"),
    "fulfilled": ("达成匹配", "matches fulfilled"),
    "failed": ("未达成匹配", "matches failed"),
    "declined": ("婉拒匹配", "matches declined"),
}


class Side(StrEnum):
    """The two sides of a round (R55)."""

    DEMAND = "demand"
    SUPPLY = "supply"


@dataclass(frozen=True)
class Fact:
    """One event as reports count it.

    Attributes:
        aggregate: `listing`, `match`, `membership`, `body`, `round`.
        verb: past verb of the event.
        kind: number of the listing kind, else 0.
        counts: of a listing: whether it was published or revised, and is published; what rounds count, too.
        accepted: of a match: whether both sides have accepted.
        valid_from, valid_to: of a membership; `valid_to` None while open.
    """

    event_id: str
    event_type: str
    aggregate: str
    verb: str
    subject: str
    version: int
    effective_at: datetime
    business_date: date
    kind: int = 0
    counts: bool = False
    accepted: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Source:
    """One event behind a figure and what it adds to it."""

    fact: Fact
    amount: int = 1


@dataclass(frozen=True)
class Definition:
    """A figure: how it is named and counted. `pick` gets the body's facts up to the cutoff and the period's days."""

    id: str
    zh: str
    en: str
    unit: str
    how_zh: str
    how_en: str
    pick: Callable[[Sequence[Fact], date, date], list[Fact]]


@dataclass(frozen=True)
class Figure:
    """A figure with its sources."""

    definition: Definition
    sources: tuple[Source, ...]

    @property
    def value(self) -> int:
        """The number: the sum of what its sources add."""
        return sum(source.amount for source in self.sources)


def side_of(kind: int) -> Side | None:
    """The side of a listing kind; None for a kind that is neither."""
    if kind in DEMANDS:
        return Side.DEMAND
    return Side.SUPPLY if kind in SUPPLIES else None


def _firsts(facts: Iterable[Fact]) -> list[Fact]:
    """One fact a subject, the first: what is counted is counted once."""
    found: dict[str, Fact] = {}
    for fact in facts:
        found.setdefault(fact.subject, fact)
    return list(found.values())


def _published(kinds: frozenset[int]) -> Callable[[Sequence[Fact], date, date], list[Fact]]:
    def pick(facts: Sequence[Fact], first: date, last: date) -> list[Fact]:
        return _firsts(
            fact
            for fact in facts
            if fact.aggregate == "listing" and fact.counts and fact.kind in kinds and first <= fact.business_date <= last
        )

    return pick


def _matches(verb: str) -> Callable[[Sequence[Fact], date, date], list[Fact]]:
    def pick(facts: Sequence[Fact], first: date, last: date) -> list[Fact]:
        return _firsts(
            fact
            for fact in facts
            if fact.aggregate == "match"
            and fact.verb == verb
            and (verb != "accepted" or fact.accepted)
            and first <= fact.business_date <= last
        )

    return pick


def _members(facts: Sequence[Fact], first: date, last: date) -> list[Fact]:
    """The newest fact of every membership that is valid on the last day."""
    newest: dict[str, Fact] = {}
    for fact in facts:
        if fact.aggregate == "membership" and fact.business_date <= last:
            newest[fact.subject] = fact
    return [
        fact
        for fact in newest.values()
        if fact.valid_from and fact.valid_from <= last and (fact.valid_to is None or fact.valid_to >= last)
    ]


def _new_members(facts: Sequence[Fact], first: date, last: date) -> list[Fact]:
    return [fact for fact in _members(facts, first, last) if fact.valid_from and fact.valid_from >= first]


def _listing_figures(side: str, kinds: Mapping[int, tuple[str, str, str]], zh: str, en: str) -> list[Definition]:
    how = (
        "期内发布或修订、列入本组织的信息，每条计一次（与发布期次同一口径）",
        "published or revised in the period and naming the body, each once (as the rounds count)",
    )
    total = Definition(f"listings.{side}.published", zh, en, "条", *how, _published(frozenset(kinds)))
    return [
        total,
        *(
            Definition(
                f"listings.{name}.published",
                f"其中：{one_zh}",
                f"of these {one_en}",
                "条",
                *how,
                _published(frozenset({kind})),
            )
            for kind, (name, one_zh, one_en) in kinds.items()
        ),
    ]


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "members.total",
        "期末成员单位",
        "members at the end of the period",
        "家次",
        "期末（或编制日）当日有效的成员资格",
        "memberships valid on the last day (or the day of compiling)",
        _members,
    ),
    Definition(
        "members.new",
        "其中：本期新增",
        "of these new in the period",
        "家次",
        "期末有效、且自期内开始生效的成员资格",
        "memberships valid on the last day that began in the period",
        _new_members,
    ),
    *_listing_figures("demand", DEMANDS, "发布需求", "demands published"),
    *_listing_figures("supply", SUPPLIES, "发布供给", "supplies published"),
    *(
        Definition(
            f"matches.{verb}",
            zh,
            en,
            "对",
            "期内首次进入该状态、双方均列入本组织的匹配，每对计一次",
            "matches of listings that both name the body that came to this state in the period, each once",
            _matches(verb),
        )
        for verb, (zh, en) in _OUTCOMES.items()
    ),
)


def figures(facts: Sequence[Fact], first: date, last: date) -> list[Figure]:
    """All figures of a period; `facts` are the body's, in the order of their taking effect."""
    return [
        Figure(definition, tuple(Source(fact) for fact in definition.pick(facts, first, last))) for definition in DEFINITIONS
    ]
