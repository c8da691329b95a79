"""Matching: weights fitted to decisions, offline; the same decisions give the same bytes."""

import random
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from alliance.common.v1 import text_pb2
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import match_pb2
from matching.domain.fitting import NOT_OF_THE_PAIR, Decision, digest_of, ranked_right, thousandths
from matching.domain.life import DeclineReason
from matching.fit import LEAST, content_of, decision_of, fitted, logistic, main, written

FEATURES = ("text", "skills", "region")


def decided(number: int, chance: random.Random, features: tuple[str, ...] = FEATURES) -> Decision:
    """A decision that follows skills, and nothing else."""
    values = {name: chance.randrange(1001) for name in features}
    is_accepted = values["skills"] + chance.randrange(-100, 101) > 500
    return Decision(f"matches/{number}", values, sum(values.values()) // len(values), is_accepted)


def decisions(count: int, seed: int = 1) -> list[Decision]:
    chance = random.Random(seed)
    return [decided(number, chance) for number in range(count)]


def test_what_the_sides_follow_gets_the_weight() -> None:
    group = fitted(decisions(1000), 1)["groups"]["region+skills+text"]
    assert sum(group["weights"].values()) == 1000
    assert group["weights"]["skills"] > 800
    assert group["held_out_auc"]["fitted"] > 0.9 > group["held_out_auc"]["shown"]
    assert group["learned"] + group["held_out"] == 1000


def test_the_same_decisions_give_the_same_bytes_in_any_order() -> None:
    found, mixed = decisions(600), decisions(600)
    random.Random(2).shuffle(mixed)
    assert written(fitted(found, 1)) == written(fitted(mixed, 1))
    assert digest_of(found) == digest_of(mixed)


def test_the_version_is_of_all_that_the_file_holds() -> None:
    found, first, end = decisions(600), date(2026, 1, 1), date(2026, 7, 1)
    made = [
        content_of(found, 1, first, end),
        content_of(found, 2, first, end),
        content_of(found[1:], 1, first, end),
        content_of(found, 1, date(2026, 1, 2), end),
        content_of(found, 1, first, date(2026, 7, 2)),
    ]
    assert len({one["version"] for one in made}) == len(made)
    assert made[0] == content_of(found[::-1], 1, first, end)


@pytest.mark.parametrize(("first", "end"), [("2027-05-01", "2027-01-01"), ("2027-05-01", "2027-05-01")])
def test_days_of_which_there_are_none_are_refused(first: str, end: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--from", first, "--to", end, "--output", "weights.json"])
    assert "--from has to be before --to" in capsys.readouterr().err


def of_each(accepted: int, declined: int) -> list[Decision]:
    """So many decisions of each kind that are learned from."""
    names = (f"matches/{number}" for number in range(10_000))
    outcomes = [True] * accepted + [False] * declined
    learned = (one for name in names if not (one := Decision(name, {"text": 500}, 500, is_accepted=True)).is_held_out(1))
    return [
        Decision(one.match, {"text": 900 if taken else 100}, 500, taken) for one, taken in zip(learned, outcomes, strict=False)
    ]


@pytest.mark.parametrize(
    ("accepted", "declined", "is_fitted"), [(LEAST, LEAST, True), (LEAST - 1, 500, False), (500, LEAST - 1, False)]
)
def test_a_few_decisions_fit_nothing(accepted: int, declined: int, is_fitted: bool) -> None:
    group = fitted(of_each(accepted, declined), 1)["groups"]["text"]
    assert (group["learned"], group["accepted"]) == (accepted + declined, accepted)
    assert group["weights"] == ({"text": 1000} if is_fitted else {})


@pytest.mark.parametrize("reason", DeclineReason)
def test_what_was_declined_for_no_fault_of_the_pair_teaches_nothing(reason: DeclineReason) -> None:
    told = [replace(one, reason=DeclineReason.UNSPECIFIED if one.is_accepted else reason) for one in decisions(600)]
    found, accepted = fitted(told, 1), sum(one.is_accepted for one in told)
    assert (found["decisions"], found["declined"]) == (600, {reason.name: 600 - accepted})
    (group,) = found["groups"].values()
    if reason in NOT_OF_THE_PAIR:
        assert (found["left_out"], group["weights"]) == (600 - accepted, {})
        assert group["learned"] + group["held_out"] == accepted
    else:
        assert found["left_out"] == 0
        assert group["weights"]["skills"] > 800


def test_groups_are_fitted_apart() -> None:
    chance = random.Random(3)
    other = [decided(number, chance, ("skills", "text")) for number in range(1000, 1600)]
    alone, both = fitted(decisions(600), 1), fitted([*decisions(600), *other], 1)
    assert set(both["groups"]) == {"region+skills+text", "skills+text"}
    assert both["groups"]["region+skills+text"] == alone["groups"]["region+skills+text"]


def test_kinds_of_other_weights_are_fitted_apart_though_their_scores_have_the_same_features() -> None:
    found = decisions(1200)
    told = [replace(one, kinds="TECH_DEMAND-EXPERT" if number % 2 else "") for number, one in enumerate(found)]
    groups = fitted(told, 1)["groups"]
    assert set(groups) == {"region+skills+text", "TECH_DEMAND-EXPERT region+skills+text"}
    assert sum(one["learned"] + one["held_out"] for one in groups.values()) == 1200


def test_a_logistic_regression_is_where_its_slope_is_none() -> None:
    chance = np.random.default_rng(1)
    rows = chance.random((200, 3))
    outcomes = (rows[:, 0] > chance.random(200)).astype(np.float64)
    intercept, *slopes = logistic(rows, outcomes)
    likely = 1 / (1 + np.exp(-(intercept + rows @ slopes)))
    assert abs((outcomes - likely).sum()) < 1e-6
    assert np.abs(rows.T @ (outcomes - likely) - np.array(slopes)).max() < 1e-6


@pytest.mark.parametrize(
    ("coefficients", "weights"),
    [
        ({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 334, "b": 333, "c": 333}),
        ({"a": 3.0, "b": -2.0}, {"a": 1000, "b": 0}),
        ({"a": -1.0, "b": 0.0}, {}),
    ],
)
def test_weights_are_whole_thousandths_and_none_is_negative(coefficients: dict[str, float], weights: dict[str, int]) -> None:
    assert thousandths(coefficients) == weights


@pytest.mark.parametrize(
    ("scores", "accepted", "found"),
    [
        ([1, 2, 3, 4], [False, False, True, True], 1.0),
        ([1, 2, 3, 4], [True, True, False, False], 0.0),
        ([1, 1], [True, False], 0.5),
        ([1, 2], [True, True], None),
    ],
)
def test_how_often_an_accepted_match_is_ranked_above_a_declined_one(
    scores: list[float], accepted: list[bool], found: float | None
) -> None:
    assert ranked_right(scores, accepted) == found


@pytest.mark.parametrize(("state", "is_accepted"), [("ACCEPTED", True), ("DECLINED", False), ("PROPOSED", None)])
def test_a_decision_knows_parts_and_outcome_and_nothing_else(state: str, is_accepted: bool | None) -> None:
    match = match_pb2.Match(
        name="matches/1",
        demand_issuer="organizations/a",
        state=match_pb2.MatchState.Value(f"MATCH_STATE_{state}"),
        score=400,
        parts=[match_pb2.ScorePart(feature="text", value=800, weight=500, reason=text_pb2.LocalizedText(zh="共同用词：封装"))],
        reason="不合适",
        demand_kind=listing_pb2.LISTING_KIND_TRAINING,
        supply_kind=listing_pb2.LISTING_KIND_COURSE,
    )
    found = decision_of(match)
    decision = Decision("matches/1", {"text": 800}, 400, bool(is_accepted), kinds="TRAINING-COURSE")
    assert found == (None if is_accepted is None else decision)


@pytest.mark.parametrize(("number", "reason"), [(0, ""), (6, "FILLED"), (8, "OTHER"), (99, "")])
def test_a_decline_knows_its_reason_where_the_event_says_one(number: int, reason: str) -> None:
    match = match_pb2.Match(
        name="matches/1", state=match_pb2.MATCH_STATE_DECLINED, parts=[match_pb2.ScorePart(feature="text")]
    )
    written = match_pb2.Match.FromString(match.SerializeToString() + bytes([0xA0, 0x01, number]))  # field 20, as a varint
    assert getattr(decision_of(written), "reason", None) == DeclineReason(reason)
