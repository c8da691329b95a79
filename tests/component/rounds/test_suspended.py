"""Rounds and lists of a body that was suspended, on a database of their own."""

import pytest

from alliance.listings.v1 import listing_pb2 as pb
from alliance.registry.v1 import body_pb2
from listings.domain.names import RoundKind
from listings.rounds import changes as rounds
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import REMOVED, REVISED, UNIVERSITY, Body, noon


@pytest.mark.parametrize(
    ("suspended_on", "resumed_on", "opened", "noticed"),
    [
        ("2026-03-31", "2026-10-01", ["2026Q1", "2026Q4"], 1),
        ("2026-03-31", "2026-09-30", ["2026Q1", "2026Q3", "2026Q4"], 2),
        ("2026-04-01", "2026-10-01", ["2026Q1", "2026Q2", "2026Q4"], 2),
        ("", "", ["2026Q1", "2026Q2", "2026Q3", "2026Q4"], 3),  # nobody was there to open them
    ],
)
async def test_quarters_spent_suspended_are_not_made_up_for_and_nobody_was_silent_in_them(
    probe: Probe, suspended_on: str, resumed_on: str, opened: list[str], noticed: int
) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    silent = await alliance.member(UNIVERSITY)
    await alliance.sweep(noon(2026, 1, 6))
    await alliance.suspended(suspended_on, resumed_on)
    await alliance.sweep(noon(2026, 10, 2))
    assert [period for period, _ in await alliance.rounds(RoundKind.QUARTERLY)] == opened
    closed = [await alliance.silent(RoundKind.QUARTERLY, period) for period in opened[:-1]]
    assert closed == [[(silent, "")]] * noticed


@pytest.mark.parametrize(("resumed_on", "years"), [("2026-03-31", ["2026"]), ("2026-04-01", [])])
async def test_a_list_of_a_first_quarter_spent_suspended_is_passed_over(
    probe: Probe, resumed_on: str, years: list[str]
) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed("2025-06-01")
    await community.suspended("2025-12-31", resumed_on)
    await community.sweep(noon(2026, 6, 1))
    assert [period for period, _ in await community.rounds(RoundKind.TALENT_LIST)] == years
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 6, 1)), read_only=True) as tx:
        assert await rounds.due(tx) == 0
    await community.sweep(noon(2027, 1, 1))
    assert [period for period, _ in await community.rounds(RoundKind.TALENT_LIST)] == [*years, "2027"]


async def test_a_body_walks_through_quarters_of_which_it_spends_one_suspended(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member, silent = await alliance.member(UNIVERSITY), await alliance.member(UNIVERSITY)
    await alliance.sweep(noon(2026, 1, 6))
    case = await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE)
    withdrawn = await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE)

    await alliance.suspended("2026-03-31")
    await alliance.sweep(noon(2026, 3, 31))
    assert await alliance.rounds(RoundKind.QUARTERLY) == [("2026Q1", 1)]
    await alliance.sweep(noon(2026, 4, 1))
    assert await alliance.rounds(RoundKind.QUARTERLY) == [("2026Q1", 2)], "what is open closes, and nothing is opened"
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q1") == [(silent, "")]
    await alliance.take(noon(2026, 5, 1), withdrawn, "withdraw", "withdrawn")
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.rounds(RoundKind.QUARTERLY) == [("2026Q1", 2)]

    await alliance.suspended("2026-03-31", "2026-07-02")
    await alliance.sweep(noon(2026, 7, 2))
    assert await alliance.rounds(RoundKind.QUARTERLY) == [("2026Q1", 2), ("2026Q3", 1)]
    await alliance.revise(noon(2026, 7, 3), case)
    await alliance.sweep(noon(2026, 10, 1))
    assert await alliance.rounds(RoundKind.QUARTERLY) == [("2026Q1", 2), ("2026Q3", 2), ("2026Q4", 1)]
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q3") == {case: REVISED, withdrawn: REMOVED}
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q3") == [(silent, "")]
    noticed = await probe.rows("SELECT key FROM event WHERE topic = $1", rounds.SILENCE_TOPIC)
    assert len(noticed) == 2, "of the quarter between, nobody is told"

    await alliance.suspended("2026-10-05", "2026-10-06")
    await alliance.sweep(noon(2027, 1, 1))
    told = [period for period, _ in await alliance.rounds(RoundKind.QUARTERLY)]
    assert told == ["2026Q1", "2026Q3", "2026Q4", "2027Q1"], "nor is it made up for after another suspension"
