"""The chassis: how many calls are worked on at once, and how fast the rest is refused."""

import pytest

from chassis.limit import FLOOR, HOLD, LATE, REFUSALS, Limit, Pace
from tests.metrics import metric

_MOST = 200


def busy(calls: int, most: int = _MOST) -> Limit:
    """A limit with so many calls under way."""
    limit = Limit(most)
    for _ in range(calls):
        assert limit.enter()
    return limit


def test_it_begins_with_the_most_and_has_no_room_for_one_more() -> None:
    limit = busy(_MOST)
    assert (limit.current, limit.is_reached(), limit.enter()) == (_MOST, True, False)
    limit.leave()
    assert (limit.is_reached(), limit.enter(), limit.enter()) == (False, True, False)


def test_a_loop_that_is_just_not_late_leaves_it() -> None:
    limit = busy(_MOST)
    limit.saw(LATE)
    assert limit.current == _MOST
    limit.saw(LATE * 1.001)
    assert limit.current == 140 == metric("alliance_rpc_limit")


def test_it_falls_below_the_calls_that_are_under_way() -> None:
    limit = busy(100)
    limit.saw(1.0)
    assert (limit.current, limit.enter()) == (70, False)


@pytest.mark.parametrize(("most", "floor"), [(_MOST, FLOOR), (FLOOR + 1, FLOOR), (FLOOR, FLOOR), (2, 2)])
def test_it_falls_no_lower_than_the_floor_and_rises_no_higher_than_the_most(most: int, floor: int) -> None:
    limit = busy(0, most)
    limit.saw(1.0)
    assert limit.current == floor
    seen = []
    for _ in range(most - floor + 1):
        limit.saw(0.0)
        seen.append(limit.current)
    assert seen == [*range(floor + 1, most + 1), most]


def test_a_single_refusal_is_not_held_back() -> None:
    pace = Pace()
    assert [pace.delay(now, None) for now in (100.0, 101.0, 101.0 + 1 / REFUSALS)] == [0.0, 0.0, pytest.approx(0.0)]


def test_refusals_at_once_are_spaced_up_to_a_bound() -> None:
    pace = Pace()
    held = [pace.delay(100.0, None) for _ in range(int(HOLD * REFUSALS) + 10)]
    assert held[:3] == pytest.approx([0.0, 1 / REFUSALS, 2 / REFUSALS])
    assert held[-10:] == [HOLD] * 10
    assert pace.delay(100.0 + HOLD + 1, None) == 0.0


@pytest.mark.parametrize(("remaining", "held"), [(10.0, HOLD), (2 * HOLD, HOLD), (1.0, 0.5), (0.0, 0.0), (-1.0, 0.0)])
def test_half_of_what_is_left_to_a_deadline_is_kept_for_the_answer(remaining: float, held: float) -> None:
    pace = Pace()
    for _ in range(int(HOLD * REFUSALS) + 10):
        pace.delay(100.0, None)
    assert pace.delay(100.0, remaining) == pytest.approx(held)
