"""Matching: what became of matches like one, told only where nobody can be told from it."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from alliance.listings.v1 import listing_pb2
from matching import metrics
from matching.domain import life
from matching.domain.alike import LEAST, Count, Decided, Like, Tally, highest, is_accepted, like, lowest, moved, told
from matching.domain.life import Change, DeclineReason, IllegalStepError, Match, State, Verb
from matching.mapping import alike_of, kinds_of, message_of
from tests.unit.test_matching_life import DEMANDER, NOW, PROPOSED, SUPPLIER

POST = replace(PROPOSED, demand_kind="JOB_POSITION", supply_kind="TALENT_SUPPLY", score=567)
LIKE = Like("JOB_POSITION", "TALENT_SUPPLY", 500)


def accepted(match: Match) -> list[Change]:
    """The two steps that both sides take."""
    once = life.accept(match, DEMANDER, "", NOW)
    return [once, life.accept(once.match, SUPPLIER, "", NOW)]


def test_a_decision_counts_for_both_sides_once() -> None:
    once, both = accepted(POST)
    assert not moved([once]), "one side has said nothing yet"
    assert moved([once, both]) == {Tally(LIKE, one): Count(1, 0) for one in (DEMANDER, SUPPLIER)}
    declined = life.decline(both.match, DeclineReason.PAY, "", NOW)
    assert moved([declined]) == {Tally(LIKE, one): Count(-1, 1) for one in (DEMANDER, SUPPLIER)}
    started = life.step(both.match, Verb.STARTED, "", NOW)
    assert not moved([started, life.fulfil(started.match, 1, "", NOW)])


@pytest.mark.parametrize("is_both", [False, True])
def test_what_the_platform_ends_is_decided_as_before(is_both: bool) -> None:
    match = accepted(POST)[int(is_both)].match
    assert not moved([life.expire(match, "信息已撤回", NOW)])


def random_step(chance: random.Random, match: Match) -> Change | None:
    """Whatever may happen to a match next; None where that is not possible now."""
    steps: list[Callable[[], Change | None]] = [
        lambda: life.accept(match, chance.choice([DEMANDER, SUPPLIER]), "", NOW),
        lambda: life.decline(match, DeclineReason.PAY, "", NOW),
        lambda: life.step(match, chance.choice([Verb.STARTED, Verb.FAILED]), "", NOW),
        lambda: life.expire(match, "", NOW) if match.state in life.OPEN else None,
        lambda: life.overturn(match, 1, 1, "", NOW),
        lambda: (
            # proposed anew, by another score
            Change(
                Verb.PROPOSED,
                replace(
                    match,
                    state=State.PROPOSED,
                    demand_accepted=False,
                    supply_accepted=False,
                    score=chance.randrange(400, 1001),
                ),
                match,
            )
            if match.state is State.EXPIRED
            else None
        ),
    ]
    try:
        return chance.choice(steps)()
    except (IllegalStepError, life.AlreadyAcceptedError):
        return None


@pytest.mark.parametrize("seed", range(20))
def test_the_counts_are_those_of_the_matches_as_they_are(seed: int) -> None:
    chance = random.Random(seed)
    matches = {
        f"matches/{number}": replace(POST, name=f"matches/{number}", score=chance.randrange(400, 1001)) for number in range(20)
    }
    counted: Counter[tuple[Tally, int]] = Counter()
    for _ in range(500):
        changes = [change for name in chance.sample(sorted(matches), 3) if (change := random_step(chance, matches[name]))]
        matches |= {change.match.name: change.match for change in changes}
        for tally, count in moved(changes).items():
            counted.update({(tally, which): by for which, by in enumerate(count)})
    found: Counter[tuple[Tally, int]] = Counter()
    for match in matches.values():
        if (said := is_accepted(match)) is not None:
            found.update((Tally(like(match), one), int(not said)) for one in (DEMANDER, SUPPLIER))
    assert +counted == found
    assert not -counted


@pytest.mark.parametrize(
    ("counts", "decided"),
    [
        ([], None),
        ([(15, 5)] + [(1, 0)] * 15 + [(0, 1)] * 5, None),  # all of one: without its own nothing is left
        ([(6, 4), (9, 1), (6, 4), (9, 1)], Decided(20, 15)),
        ([(6, 4), (9, 0), (6, 4), (9, 0)], None),  # without one's ten, nine are left
        ([(0, LEAST), (0, LEAST), (0, LEAST), (0, LEAST)], Decided(2 * LEAST, 0)),
    ],
)
def test_nothing_is_told_where_somebody_could_be_told_from_it(counts: list[tuple[int, int]], decided: Decided | None) -> None:
    summed = Count(sum(one for one, _ in counts), sum(other for _, other in counts))
    assert told(summed, max((sum(one) for one in counts), default=0)) == decided


@pytest.mark.parametrize(
    ("score", "low", "high"), [(0, 0, 99), (99, 0, 99), (100, 100, 199), (899, 800, 899), (900, 900, 1000), (1000, 900, 1000)]
)
def test_the_last_band_ends_with_the_full_score(score: int, low: int, high: int) -> None:
    assert (lowest(score), highest(lowest(score))) == (low, high)


def test_a_match_counts_as_accepted_once_both_sides_have() -> None:
    def counted(verb: str) -> float:
        return REGISTRY.get_sample_value("alliance_matching_steps_total", {"verb": verb, "band": "500-599"}) or 0

    before = {verb: counted(verb) for verb in ("accepted", "accepted_by_one")}
    once, both = accepted(POST)
    metrics.count([once])
    assert {verb: counted(verb) - before[verb] for verb in before} == {"accepted": 0, "accepted_by_one": 1}
    metrics.count([both])
    assert {verb: counted(verb) - before[verb] for verb in before} == {"accepted": 1, "accepted_by_one": 1}


def test_it_is_said_in_two_languages_and_names_kinds_and_scores_alone() -> None:
    message = alike_of(LIKE, Decided(32, 21))
    assert message.text.zh == (
        "同类匹配（岗位招聘信息 ↔ 人才供给，得分 500–599）中，双方已表态 32 项，其中双方均接受 21 项；不影响得分"
    )
    assert message.text.en == (
        "of 32 matches of these kinds with a score of 500–599 that were decided, 21 were accepted by both sides;"
        " no score depends on it"
    )
    assert (message.demand_kind, message.highest) == (listing_pb2.LISTING_KIND_JOB_POSITION, 599)


def test_a_match_says_its_kinds_where_it_knows_them() -> None:
    assert kinds_of(message_of(POST)) == ["JOB_POSITION", "TALENT_SUPPLY"]
    assert kinds_of(message_of(PROPOSED)) == []
