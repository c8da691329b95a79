"""Matching: what the index and the plan make of any sequence of changes equals what a plain full scan makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import product
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.life import OPEN, Change, Match, State, Verb, accept, match_name, step
from matching.domain.pairs import RULES, is_demand
from matching.domain.plan import Day, close, plan
from matching.domain.score import Partner, best, judge, sides
from matching.domain.shares import SHARES, share_of
from matching.entry import Gone
from matching.index import Index
from tests.indexing import entry, index_of

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
    """The service's own steps on tables in memory: index, log of a share, candidates, best partners, plan."""

    best: int
    index: Index = field(default_factory=index_of)
    matches: dict[str, Match] = field(default_factory=dict)
    unseen: dict[int, list[str]] = field(default_factory=lambda: {share: [] for share in range(SHARES)})

    def batch(self, events: Sequence[tuple[str, Facts | None]]) -> list[Change]:
        """Changes that every share scores at once."""
        self.change(events)
        return [change for share in range(SHARES) for change in self.score([share])]

    def change(self, events: Sequence[tuple[str, Facts | None]]) -> None:
        """Changes that come into the index and wait for the shares."""
        for name, facts in events:
            if facts:
                self.index.put(entry(facts))
            else:
                self.index.remove(name, Gone(0, "WITHDRAWN"))
            for names in self.unseen.values():
                names.append(name)

    def score(self, shares: list[int], most: int = 100) -> list[Change]:
        """Some shares of one owner score what they have not seen, `most` changes of it."""
        changes = []
        todo = [name for names in self.unseen.values() for name in names]
        for name in list(dict.fromkeys(todo)):
            late = frozenset(share for share in shares if name in self.unseen[share][:most])
            for change in self._plan(name, late) if late else []:
                self.matches[change.match.name] = change.match
                changes.append(change)
        for share in shares:
            self.unseen[share] = self.unseen[share][most:]
        return changes

    def _plan(self, name: str, shares: frozenset[int]) -> list[Change]:
        own = {
            match.partner(name): match
            for match in self.matches.values()
            if name in (match.demand, match.supply) and share_of(match.demand) in shares
        }
        known = self.index.get(name)
        if known is None:
            return close(own.values(), "WITHDRAWN", NOW)
        facts = known.facts
        if is_demand(facts.kind) and share_of(name) not in shares:
            return []
        found = best(facts, self.index.candidates(known), TODAY, DAY.threshold, 200)[: self.best]
        chosen = [one for one in found if share_of(sides(facts, one.facts)[0].name) in shares]
        left = [partner for partner, match in own.items() if match.state in OPEN]
        left = [partner for partner in left if partner not in {other.facts.name for other in chosen}]
        others = [Partner(one.facts) for partner in left if (one := self.index.get(partner))]
        gone = [own[partner] for partner in left if self.index.get(partner) is None]
        return plan(facts, chosen, others, {}, own, DAY) + close(gone, "WITHDRAWN", NOW)

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
_STEPS = st.lists(
    st.lists(_EVENT, min_size=1, max_size=5) | st.tuples(st.sets(st.integers(0, SHARES - 1), min_size=1), st.integers(1, 4)),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(_STEPS)
def test_the_proposals_equal_a_from_scratch_oracle(steps: list[Any]) -> None:
    """Whoever scores which share when: once all have seen all, the pairs are those of a look at all of them."""
    matching, version = Matching(best=100), 0
    listings: dict[str, Facts] = {}
    for step_ in steps:
        if isinstance(step_, tuple):
            shares, most = step_
            matching.score(sorted(shares), most)
            continue
        for number, title, region, labels, withdrawn in step_:
            version += 1
            kind = _KINDS[number % len(_KINDS)]
            facts = facts_of(number, version, kind, title, region, number % 4, labels)
            listings.pop(facts.name, None)
            if not withdrawn:
                listings[facts.name] = facts
            matching.change([(facts.name, None if withdrawn else facts)])
    matching.score(list(range(SHARES)), 1000)
    assert matching.proposed() == oracle(listings)
    assert len(matching.index) == len(listings)
    assert matching.batch(list(listings.items())) == [], "a repeat changes nothing"
    matching.batch([(name, None) for name in listings])
    assert matching.proposed() == {}
    assert len(matching.index) == 0


def _pair(version: int = 1, title: str = "Java 开发工程师") -> tuple[Facts, Facts]:
    demand = facts_of(1, version, "JOB_POSITION", title, "", 1, "计算机类")
    supply = facts_of(2, 1, "TALENT_SUPPLY", "Java 开发工程师", "", 2, "计算机类")
    return demand, supply


def _proposed(matching: Matching) -> Match:
    demand, supply = _pair()
    changes = matching.batch([(demand.name, demand), (supply.name, supply)])
    assert [change.verb for change in changes] == [Verb.PROPOSED]
    return changes[0].match


def test_a_change_proposes_only_the_best() -> None:
    matching = Matching(best=3)
    supplies = [facts_of(n, 1, "TALENT_SUPPLY", "Java 开发" + "机床" * (n % 2), "", n, "计算机类") for n in range(2, 9)]
    matching.batch([(one.name, one) for one in supplies])
    demand = facts_of(1, 1, "JOB_POSITION", "Java 开发", "", 1, "计算机类")
    changes = matching.batch([(demand.name, demand)])
    assert len(changes) == 3
    scores = sorted((judge(*sides(demand, one), TODAY).score for one in supplies), reverse=True)
    assert sorted((change.match.score for change in changes), reverse=True) == scores[:3]


def test_a_revision_scores_anew_and_one_that_no_longer_fits_ends() -> None:
    matching = Matching(best=20)
    first = _proposed(matching)
    revised, _ = _pair(version=2, title="护理、养老、康复")
    (change,) = matching.batch([(revised.name, revised)])
    assert (change.verb, change.match.version, change.match.demand_version) == (Verb.RESCORED, 2, 2)
    assert change.match.score < first.score
    other = facts_of(1, 3, "JOB_POSITION", "护理", "", 1, "护理")
    (change,) = matching.batch([(other.name, other)])
    assert (change.verb, change.match.state, change.match.version) == (Verb.EXPIRED, State.EXPIRED, 3)
    assert "得分" in change.match.reason
    again, _ = _pair(version=5)
    (change,) = matching.batch([(again.name, again)])
    assert (change.verb, change.match.state, change.match.version) == (Verb.PROPOSED, State.PROPOSED, 4)
    assert not change.match.demand_accepted


def test_a_declined_pair_is_not_proposed_again() -> None:
    matching = Matching(best=20)
    declined = step(_proposed(matching), Verb.DECLINED, "人数不符", NOW).match
    matching.matches[declined.name] = declined
    revised, _ = _pair(version=2, title="Java 后端")
    assert matching.batch([(revised.name, revised)]) == []


def test_a_lower_score_does_not_end_what_both_accepted_but_a_closed_listing_does() -> None:
    matching = Matching(best=20)
    match = _proposed(matching)
    for side in (match.demand_issuer, match.supply_issuer):
        match = accept(match, side, "", NOW).match
    matching.matches[match.name] = match
    other = facts_of(1, 2, "JOB_POSITION", "护理", "", 1, "护理")
    assert matching.batch([(other.name, other)]) == []
    (change,) = matching.batch([(other.name, None)])
    assert change.match.state is State.EXPIRED


def test_what_is_in_progress_only_the_two_end() -> None:
    matching = Matching(best=20)
    match = _proposed(matching)
    for side in (match.demand_issuer, match.supply_issuer):
        match = accept(match, side, "", NOW).match
    matching.matches[match.name] = started = step(match, Verb.STARTED, "", NOW).match
    elsewhere = facts_of(1, 2, "JOB_POSITION", "护理", "310000", 1, "护理")
    for change in (elsewhere, None):
        assert matching.batch([(started.demand, change)]) == []


def test_names_are_found_by_issuer_and_by_first_day() -> None:
    index = index_of()
    for number in range(4):
        facts = facts_of(number, 1, "TALENT_SUPPLY", "Java 开发", "", number % 2, "")
        index.put(entry(replace(facts, valid_from=date(2026, 3, number + 1))))
    for _ in range(2):  # while they are fresh, and after that
        assert index.of_issuer("organizations/0") == ["listings/0", "listings/2"]
        assert index.of_issuer("organizations/7") == []
        assert index.beginning(date(2026, 3, 1), date(2026, 3, 3)) == ["listings/1", "listings/2"]
        index.commit()
    index.remove("listings/2", Gone(2, "WITHDRAWN"))
    assert index.of_issuer("organizations/0") == ["listings/0"]
    assert index.beginning(date(2026, 3, 1), date(2026, 3, 3)) == ["listings/1"]


def _waiting_look(index: Index, monkeypatch: pytest.MonkeyPatch) -> tuple[Event, Event]:
    """Has a look for what is nearest wait for what is done beside it. Events: that has begun; the look has ended."""
    begun, ended = Event(), Event()

    def nearest(*_: object) -> None:
        assert begun.wait(10), "each waits for the other"
        ended.set()

    monkeypatch.setattr(index, "nearest", nearest)
    return begun, ended


def test_meanings_are_looked_for_while_words_are(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of()
    begun, ended = _waiting_look(index, monkeypatch)

    def work() -> bool:
        begun.set()
        return ended.wait(10)

    assert index.beside(b"", (), work) == (None, True)


def test_of_what_fails_beside_a_look_nothing_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of()
    begun, ended = _waiting_look(index, monkeypatch)

    def work() -> None:
        begun.set()
        raise EOFError

    with pytest.raises(EOFError):
        index.beside(b"", (), work)
    assert ended.is_set(), "the index may change from here on"
