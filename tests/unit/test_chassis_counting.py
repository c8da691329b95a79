"""Counts that are taken now and then: what they are called, what is left of them, and how seldom they are taken."""

from prometheus_client import Gauge

from chassis.counting import LEAST, grouped, pause, show
from listings.domain.names import Kind, State


def test_groups_have_the_names_of_the_contract() -> None:
    rows = [(1, 2, 7), (30, 5, 1)]
    assert grouped(rows, (Kind, State)) == {("talent_demand", "published"): 7, ("vehicle", "fulfilled"): 1}


def test_what_a_newer_release_knows_is_counted_as_unknown() -> None:
    rows = [(30, 1, 1), (31, 1, 2), (99, 1, 3)]
    assert grouped(rows, (Kind, State)) == {("vehicle", "draft"): 1, ("unknown", "draft"): 5}
    assert grouped([(1, 4), (2, 5)], ({1: "pending"}.__getitem__,)) == {("pending",): 4, ("unknown",): 5}


def test_texts_are_names_already() -> None:
    assert grouped([("R55", "OPEN", 3)], (str, str)) == {("r55", "open"): 3}


def test_a_group_that_has_nothing_left_is_none_and_not_forgotten() -> None:
    gauge = Gauge("counted", "of this test", ["state"], registry=None)
    known = show(gauge, {("draft",): 2, ("published",): 1}, frozenset())
    known = show(gauge, {("published",): 3}, known)
    assert {one.labels["state"]: one.value for one in next(iter(gauge.collect())).samples} == {"draft": 0, "published": 3}
    assert known == {("draft",), ("published",)}


def test_a_count_takes_a_thousandth_of_the_time_at_most() -> None:
    assert pause(0.0) == pause(LEAST / 1000) == LEAST
    assert pause(0.2) == 200.0


def test_the_first_count_holds_the_next_one_up_no_longer() -> None:
    """It takes what a cold database takes."""
    assert pause(5.0, 0) == LEAST
