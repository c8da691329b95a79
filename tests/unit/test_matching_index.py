"""Matching: what the index and the plan make of any sequence of changes equals what a plain full scan makes of it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.life import OPEN, Change, Match, State, Verb, accept, match_name, step
from matching.domain.pairs import RULES
from matching.domain.plan import Day, close, plan
from matching.domain.score import best, judge, sides
from matching.index import Draft, Entry, Index

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
TODAY = date(2026, 3, 2)
DAY = Day(NOW, TODAY, 400)

_TITLES = [
    "Java 开发工程师",
    "Java 后端",
    "数控加工 机床",
    "集成电路封装 散热",
    "集成电路 设计",
    "护理",
    "新能源汽车 电池",
]
_KINDS = ["JOB_POSITION", "TALENT_DEMAND", "TALENT_SUPPLY", "TECH_DEMAND", "PROJECT_DEMAND", "RESEARCH_OUTCOME", "CASE"]


def facts_of(number: int, version: int, kind: str, title: str, region: str, issuer: int, labels: str) -> Facts:
    majors = (labels,) if kind in ("JOB_POSITION", "TALENT_DEMAND", "TALENT_SUPPLY") and labels else ()
    skills = ("沟通能力",) if majors else ()
    return Facts(
        name=f"listings/{number}",
        version=version,
        issuer=f"organizations/{issuer}",
        bodies=("bodies/1",) if version % 2 else (),
        kind=kind,
        visibility=1,
        regions=(region,) if region else (),
        majors=majors,
        skills=skills,
        words=text.weigh(title, [labels], []),
    )


@dataclass
class Matching:
    """The service's own steps on tables in memory: index, draft, best partners, plan."""

    best: int
    index: Index = field(default_factory=Index)
    matches: dict[str, Match] = field(default_factory=dict)

    def batch(self, events: list[tuple[str, Facts | None]], *, commit: bool) -> list[Change]:
        """One transaction; without `commit` it is rolled back."""
        draft, matches, changes = Draft(self.index), dict(self.matches), []
        for name, facts in events:
            for change in self._handle(draft, matches, name, facts):
                matches[change.match.name] = change.match
                changes.append(change)
        if commit:
            self.matches = matches
            draft.commit()
        return changes

    def _handle(self, draft: Draft, matches: dict[str, Match], name: str, facts: Facts | None) -> list[Change]:
        own = {match.partner(name): match for match in matches.values() if name in (match.demand, match.supply)}
        if facts is None:
            draft.remove(name)
            return close(own.values(), "WITHDRAWN", NOW)
        draft.put(Entry(facts, b""))
        chosen = best(facts, draft.candidates(facts), TODAY, DAY.threshold, 200)[: self.best]
        known = {other.name for other in chosen}
        open_names = [partner for partner, match in own.items() if match.state in OPEN and partner not in known]
        others = [entry.facts for partner in open_names if (entry := draft.get(partner))]
        return plan(facts, chosen, others, frozenset(), own, DAY)

    def proposed(self) -> dict[str, int]:
        return {name: match.score for name, match in self.matches.items() if match.state is State.PROPOSED}


def oracle(listings: dict[str, Facts]) -> dict[str, int]:
    """Every pair that fits, found by looking at all of them."""
    found = {}
    for demand, supply in product(listings.values(), listings.values()):
        if any((rule.demand, rule.supply) == (demand.kind, supply.kind) for rule in RULES):
            verdict = judge(demand, supply, TODAY)
            if not verdict.broken and verdict.score >= DAY.threshold:
                found[match_name(demand.name, supply.name)] = verdict.score
    return found


_Event = tuple[int, str, str, str, bool]
_EVENT = st.tuples(
    st.integers(0, 9),  # listing
    st.sampled_from(_TITLES),
    st.sampled_from(["", "110000", "110105", "310000"]),
    st.sampled_from(["", "0809", "080901", "计算机类"]),
    st.booleans(),  # withdrawn
)
_BATCHES = st.lists(st.tuples(st.lists(_EVENT, min_size=1, max_size=5), st.booleans()), max_size=12)


@settings(max_examples=150, deadline=None)
@given(_BATCHES)
def test_the_proposals_equal_a_from_scratch_oracle(batches: list[tuple[list[_Event], bool]]) -> None:
    matching, version = Matching(best=100), 0
    listings: dict[str, Facts] = {}
    for raw, commit in batches:
        events: list[tuple[str, Facts | None]] = []
        for number, title, region, labels, withdrawn in raw:
            version += 1
            kind = _KINDS[number % len(_KINDS)]
            facts = facts_of(number, version, kind, title, region, number % 4, labels)
            events.append((facts.name, None if withdrawn else facts))
        before = dict(matching.matches)
        matching.batch(events, commit=commit)
        if not commit:
            assert matching.matches == before
            continue
        for name, newest in events:
            listings.pop(name, None)
            if newest:
                listings[name] = newest
        assert matching.proposed() == oracle(listings)
        assert len(matching.index) == len(listings)
        current: list[tuple[str, Facts | None]] = [
            (name, newest) for name, newest in events if newest and listings.get(name) is newest
        ]
        assert matching.batch(current, commit=True) == [], "a repeat changes nothing"
    for name in list(listings):
        matching.batch([(name, None)], commit=True)
    assert matching.proposed() == {}
    assert not any(any(words.values()) for words in matching.index._postings.values()), "nothing stays behind"


def _pair(version: int = 1, title: str = "Java 开发工程师") -> tuple[Facts, Facts]:
    demand = facts_of(1, version, "JOB_POSITION", title, "", 1, "计算机类")
    supply = facts_of(2, 1, "TALENT_SUPPLY", "Java 开发工程师", "", 2, "计算机类")
    return demand, supply


def _proposed(matching: Matching) -> Match:
    demand, supply = _pair()
    changes = matching.batch([(demand.name, demand), (supply.name, supply)], commit=True)
    assert [change.verb for change in changes] == [Verb.PROPOSED]
    return changes[0].match


def test_a_change_proposes_only_the_best() -> None:
    matching = Matching(best=3)
    supplies = [facts_of(n, 1, "TALENT_SUPPLY", "Java 开发" + "机床" * (n % 2), "", n, "计算机类") for n in range(2, 9)]
    matching.batch([(one.name, one) for one in supplies], commit=True)
    demand = facts_of(1, 1, "JOB_POSITION", "Java 开发", "", 1, "计算机类")
    changes = matching.batch([(demand.name, demand)], commit=True)
    assert len(changes) == 3
    scores = sorted((judge(*sides(demand, one), TODAY).score for one in supplies), reverse=True)
    assert sorted((change.match.score for change in changes), reverse=True) == scores[:3]


def test_a_revision_scores_anew_and_one_that_no_longer_fits_ends() -> None:
    matching = Matching(best=20)
    first = _proposed(matching)
    revised, _ = _pair(version=2, title="护理、养老、康复")
    (change,) = matching.batch([(revised.name, revised)], commit=True)
    assert (change.verb, change.match.version, change.match.demand_version) == (Verb.RESCORED, 2, 2)
    assert change.match.score < first.score
    other = facts_of(1, 3, "JOB_POSITION", "护理", "", 1, "护理")
    (change,) = matching.batch([(other.name, other)], commit=True)
    assert (change.verb, change.match.state, change.match.version) == (Verb.EXPIRED, State.EXPIRED, 3)
    assert "得分" in change.match.reason
    again, _ = _pair(version=5)
    (change,) = matching.batch([(again.name, again)], commit=True)
    assert (change.verb, change.match.state, change.match.version) == (Verb.PROPOSED, State.PROPOSED, 4)
    assert not change.match.demand_accepted


def test_a_declined_pair_is_not_proposed_again() -> None:
    matching = Matching(best=20)
    declined = step(_proposed(matching), Verb.DECLINED, "人数不符", NOW).match
    matching.matches[declined.name] = declined
    revised, _ = _pair(version=2, title="Java 后端")
    assert matching.batch([(revised.name, revised)], commit=True) == []


def test_a_lower_score_does_not_end_what_both_accepted_but_a_closed_listing_does() -> None:
    matching = Matching(best=20)
    match = _proposed(matching)
    for side in (match.demand_issuer, match.supply_issuer):
        match = accept(match, side, "", NOW).match
    matching.matches[match.name] = match
    other = facts_of(1, 2, "JOB_POSITION", "护理", "", 1, "护理")
    assert matching.batch([(other.name, other)], commit=True) == []
    (change,) = matching.batch([(other.name, None)], commit=True)
    assert change.match.state is State.EXPIRED


def test_what_is_in_progress_only_the_two_end() -> None:
    matching = Matching(best=20)
    match = _proposed(matching)
    for side in (match.demand_issuer, match.supply_issuer):
        match = accept(match, side, "", NOW).match
    matching.matches[match.name] = started = step(match, Verb.STARTED, "", NOW).match
    elsewhere = facts_of(1, 2, "JOB_POSITION", "护理", "310000", 1, "护理")
    for change in (elsewhere, None):
        assert matching.batch([(started.demand, change)], commit=True) == []


def test_the_index_reads_the_rarest_words_first_and_ranks_by_weight_in_common() -> None:
    index = Index()
    for number, title in enumerate(["Java 开发", "Java 开发 集成电路", "护理"]):
        index.put(Entry(facts_of(number, 1, "TALENT_SUPPLY", title, "", number, ""), b""))
    wanted = facts_of(9, 1, "JOB_POSITION", "Java 集成电路 开发", "", 9, "")
    assert [found.name for found in index.candidates(wanted)] == ["listings/1", "listings/0"]
    index.remove("listings/1")
    index.remove("listings/1")
    assert [found.name for found in index.candidates(wanted)] == ["listings/0"]
    assert index.has_issuer("organizations/0")
    assert not index.has_issuer("organizations/1")
