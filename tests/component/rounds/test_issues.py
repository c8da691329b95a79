"""Issues on a database of their own: what a first or quarterly round holds once it is closed, and what it tells."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import round_pb2
from alliance.registry.v1 import body_pb2
from chassis.database import Tx
from chassis.errors import Precondition
from listings import changes
from listings.changes import Change
from listings.domain.names import RoundKind, State
from listings.domain.rounds import council
from listings.rounds import changes as rounds
from listings.rounds import store
from listings.rounds.store import RoundRow
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import (
    ADDED,
    ENTERPRISE,
    KEPT,
    REMOVED,
    REVISED,
    TASK_FORCE,
    UNIVERSITY,
    Body,
    noon,
)


async def test_a_quarter_is_told_against_the_one_before_and_its_silent_members_are_noticed(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    speaking, silent, task_force = [await alliance.member(one) for one in (ENTERPRISE, UNIVERSITY, TASK_FORCE)]
    await alliance.sweep(noon(2026, 1, 6))
    kept = await alliance.publish(noon(2026, 1, 7), speaking, pb.LISTING_KIND_CASE)
    once = await alliance.publish(noon(2026, 1, 7), speaking, pb.LISTING_KIND_CASE)
    await alliance.sweep(noon(2026, 4, 1))
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q1") == {kept: ADDED, once: ADDED}
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q1") == [(silent, "")]
    with pytest.raises(Precondition, match="closes by itself"):
        await alliance.compile(noon(2026, 4, 2), RoundKind.QUARTERLY, "2026Q2")

    await alliance.revise(noon(2026, 4, 2), kept)
    new = await alliance.publish(noon(2026, 4, 2), silent, pb.LISTING_KIND_CASE)
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q2") == {kept: REVISED, new: ADDED}
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q2") == []
    await alliance.sweep(noon(2026, 10, 1))
    assert [organization for organization, _ in await alliance.silent(RoundKind.QUARTERLY, "2026Q3")] == sorted(
        [speaking, silent]
    )
    assert task_force not in {one for one, _ in await alliance.silent(RoundKind.QUARTERLY, "2026Q3")}

    async def emitted(tx: Tx) -> list[str]:
        return list(await tx.sql.column("SELECT topic FROM event WHERE topic = $1", rounds.SILENCE_TOPIC))

    async with probe.database.transaction(CAUSE, read_only=True) as tx:
        assert len(await emitted(tx)) == 3
        row = await store.get(tx, await alliance.round(RoundKind.QUARTERLY, "2026Q2"))
        assert isinstance(row, RoundRow)
        (counted,) = (await store.counts(tx, [row.name]))[row.name]
        assert (counted.listings, counted.added, counted.revised, counted.removed) == (2, 1, 1, 0)


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_told_is_compared_and_not_how_it_came_to_be_so(probe: Probe, late: bool) -> None:
    """Days that the platform filled in are told, too: who gave none may say the same as before, or another thing."""
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member, begin = await alliance.member(ENTERPRISE), noon(2026, 1, 7)
    await alliance.sweep(noon(2026, 1, 6))
    undated, renewed, there_and_back, other = [
        await alliance.publish(begin, member, pb.LISTING_KIND_CASE, until="") for _ in range(4)
    ]
    await alliance.undated(begin, renewed, "某项")
    await alliance.sweep(noon(2026, 4, 1))
    for name in (undated, there_and_back, other):
        await alliance.revise(noon(2026, 4, 2), name)
    await alliance.revise(noon(2026, 4, 3), undated, title="某项")
    await alliance.revise(noon(2026, 4, 3), there_and_back, title="某项")
    await alliance.undated(noon(2026, 4, 2), renewed, "另一项")
    await alliance.undated(noon(2026, 4, 3), renewed, "某项")
    if not late:
        await alliance.sweep(noon(2026, 7, 1))
    for name in (undated, renewed):  # before the sweep it is another again
        await alliance.revise(noon(2026, 7, 1), name, title="第三项")
    await alliance.sweep(noon(2026, 7, 2))
    told = {undated: KEPT, renewed: REVISED, there_and_back: KEPT, other: REVISED}
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q2") == told


async def test_who_sees_what_a_closed_round_holds_is_frozen_too(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 6))
    members_only: dict[str, Any] = {"visibility": pb.VISIBILITY_MEMBERS}
    left, stayed = [await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE, **members_only) for _ in range(2)]
    await alliance.sweep(noon(2026, 4, 1))
    await alliance.revise(noon(2026, 4, 2), left, leave=True)
    secretariat = Viewer(bodies_run=frozenset({alliance.name}))
    assert await alliance.seen(secretariat, RoundKind.QUARTERLY, "2026Q1") == {left, stayed}
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.seen(secretariat, RoundKind.QUARTERLY, "2026Q2") >= {left}, "it left, and is told so"
    assert await alliance.seen(Viewer(bodies_run=frozenset({"bodies/another"})), RoundKind.QUARTERLY, "2026Q1") == set()


async def test_what_was_taken_back_before_a_round_closes_does_not_stand_in_it_as_published(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    issuer, withdrawing, leaving = [await alliance.member(ENTERPRISE) for _ in range(3)]
    await alliance.sweep(noon(2026, 1, 6))

    async def published(by: str, **how: Any) -> str:
        return await alliance.publish(noon(2026, 1, 7), by, pb.LISTING_KIND_CASE, **how)

    stays, left_later, withdrawn_later, fulfilled = [await published(issuer) for _ in range(4)]
    ran_out = await published(issuer, until="2026-02-01")
    withdrawn, left = await published(withdrawing), await published(leaving)
    last, after = noon(2026, 3, 31), noon(2026, 4, 1)
    await alliance.take(last, fulfilled, "fulfil", "fulfilled")
    await alliance.take(last, withdrawn, "withdraw", "withdrawn")
    await alliance.revise(last, left, leave=True)
    await alliance.sweep(after)
    await alliance.take(after, withdrawn_later, "withdraw", "withdrawn")
    await alliance.revise(after, left_later, leave=True)

    frozen = {
        **dict.fromkeys((stays, left_later, withdrawn_later), State.PUBLISHED),
        fulfilled: State.FULFILLED,
        ran_out: State.EXPIRED,
        withdrawn: State.WITHDRAWN,
    }
    assert await alliance.states(RoundKind.QUARTERLY, "2026Q1") == frozen
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q1") == [(leaving, "")], "who withdrew had published"

    shown = frozen.keys() - {withdrawn}
    member = Viewer(organization=issuer, member_bodies=frozenset({alliance.name}))
    secretariat = Viewer(bodies_run=frozenset({alliance.name}))
    for viewer in (Viewer(), member):
        assert await alliance.seen(viewer, RoundKind.QUARTERLY, "2026Q1") == shown
    for viewer in (Viewer(organization=withdrawing), secretariat, Viewer(platform=True)):
        assert await alliance.seen(viewer, RoundKind.QUARTERLY, "2026Q1") == frozen.keys()
    await alliance.sweep(noon(2026, 7, 1))
    told = await alliance.seen(Viewer(), RoundKind.QUARTERLY, "2026Q2")
    assert told == {withdrawn_later, left_later}, "what is told to be gone is shown to whoever saw it"


async def test_who_has_nothing_so_far_is_told_by_what_still_names_the_body(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 6))
    case = await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE)

    async def silent_so_far() -> list[str]:
        async with probe.database.transaction(CAUSE, read_only=True) as tx:
            row = await store.get(tx, await alliance.round(RoundKind.QUARTERLY, "2026Q1"))
            assert row
            return [one.organization for one in await rounds.silences(tx, row, noon(2026, 1, 8).date())]

    assert await silent_so_far() == []
    await alliance.revise(noon(2026, 1, 8), case, leave=True)
    assert await silent_so_far() == [member]


async def test_what_stands_unchanged_is_not_told_to_be_gone(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)

    async def issue(at: datetime, period: str) -> dict[str, int]:
        await alliance.sweep(at)
        return await alliance.holds(RoundKind.QUARTERLY, period)

    async def published(**how: Any) -> str:
        return await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE, **how)

    await alliance.sweep(noon(2026, 1, 6))
    stands, revised, withdrawn, fulfilled, leaves = [await published() for _ in range(5)]
    last_day, day_after = [await published(until=day) for day in ("2026-06-30", "2026-07-01")]
    ran_out = await published(until="2026-03-31")
    first = (stands, revised, withdrawn, fulfilled, leaves, last_day, day_after, ran_out)
    assert await issue(noon(2026, 4, 1), "2026Q1") == dict.fromkeys(first, ADDED)

    # A quarter in which nobody says anything of them, but time does: what was on offer to the last day ended after it.
    assert await issue(noon(2026, 7, 1), "2026Q2") == {ran_out: REMOVED}

    await alliance.revise(noon(2026, 7, 1), revised)
    await alliance.take(noon(2026, 7, 1), withdrawn, "withdraw", "withdrawn")
    await alliance.take(noon(2026, 7, 1), fulfilled, "fulfil", "fulfilled")
    await alliance.revise(noon(2026, 7, 1), leaves, leave=True)
    gone = dict.fromkeys((withdrawn, fulfilled, leaves, last_day, day_after), REMOVED)
    third = await issue(noon(2026, 10, 1), "2026Q3")
    assert third == {revised: REVISED, **gone}, "told against the issue that told of it last"

    await alliance.join(noon(2026, 10, 2), leaves)
    assert await issue(noon(2027, 1, 1), "2026Q4") == {leaves: ADDED}, "who was told to be gone comes anew"


async def test_what_is_revised_and_then_taken_back_is_told_to_be_gone_at_once(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 6))
    told, never_seen = [await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE) for _ in range(2)]
    await alliance.take(noon(2026, 1, 8), never_seen, "withdraw", "withdrawn")
    await alliance.sweep(noon(2026, 4, 1))
    await alliance.revise(noon(2026, 4, 2), told)
    await alliance.take(noon(2026, 4, 3), told, "withdraw", "withdrawn")
    await alliance.sweep(noon(2026, 7, 1))
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q2") == {told: REMOVED}
    assert await alliance.seen(Viewer(), RoundKind.QUARTERLY, "2026Q2") == {told}, "as it was told last"
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q2") == [], "who revised something was not silent"
    await alliance.sweep(noon(2026, 10, 1))
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q3") == {}


async def test_issues_follow_each_other_also_where_the_first_council_lies_across_quarters(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-01-05")
    member, silent = [await alliance.member(ENTERPRISE) for _ in range(2)]
    await alliance.sweep(noon(2028, 1, 6))
    before = await alliance.publish(noon(2028, 3, 29), member, pb.LISTING_KIND_CASE)
    during = await alliance.publish(noon(2028, 3, 30), member, pb.LISTING_KIND_CASE)
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2028, 3, 30))) as tx:
        await rounds.open_first(tx, alliance.name, council(date(2028, 3, 30), date(2028, 4, 2)))
    await alliance.sweep(noon(2028, 4, 3))
    assert (await alliance.holds(RoundKind.QUARTERLY, "2028Q1"))[during] == ADDED
    assert await alliance.holds(RoundKind.FIRST, "2028-03-30") == {during: KEPT}
    await alliance.revise(noon(2028, 4, 3), before)
    await alliance.publish(noon(2028, 4, 2), silent, pb.LISTING_KIND_CASE)
    await alliance.sweep(noon(2028, 10, 1))
    first_quarter = await alliance.round(RoundKind.QUARTERLY, "2028Q1")
    assert (await alliance.holds(RoundKind.QUARTERLY, "2028Q2"))[before] == REVISED
    async with probe.database.transaction(CAUSE, read_only=True) as tx:
        second = await store.get(tx, await alliance.round(RoundKind.QUARTERLY, "2028Q2"))
        first = await store.get(tx, await alliance.round(RoundKind.FIRST, "2028-03-30"))
    assert first
    assert second
    assert (first.previous, second.previous) == (first_quarter, first.name)


@pytest.mark.parametrize("at", [noon(2028, 2, 23), noon(2028, 7, 1)])
async def test_the_issue_of_the_quarter_tells_what_is_new_since_the_first_one(probe: Probe, at: datetime) -> None:
    """S0 附件1 二(二): 首期…，以后每季度更新发布; also where nobody was there to close either in time."""
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-01-05")
    member, case, council_day = await alliance.member(ENTERPRISE), pb.LISTING_KIND_CASE, noon(2028, 2, 20)
    await alliance.sweep(noon(2028, 1, 6))
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2028, 2, 1))) as tx:
        await rounds.open_first(tx, alliance.name, council(council_day.date(), council_day.date()))
    stays, revised, withdrawn = [await alliance.publish(council_day, member, case) for _ in range(3)]
    await alliance.sweep(min(at, noon(2028, 3, 1)))
    late = await alliance.publish(noon(2028, 3, 1), member, case)
    await alliance.revise(noon(2028, 3, 1), revised)
    await alliance.take(noon(2028, 3, 1), withdrawn, "withdraw", "withdrawn")
    await alliance.sweep(at)
    await alliance.sweep(max(at, noon(2028, 4, 1)))
    assert await alliance.holds(RoundKind.FIRST, "2028-02-20") == dict.fromkeys((stays, revised, withdrawn), ADDED)
    told = {stays: KEPT, revised: REVISED, withdrawn: REMOVED, late: ADDED}
    assert await alliance.holds(RoundKind.QUARTERLY, "2028Q1") == told


async def test_what_ended_within_the_first_issue_is_not_told_again_by_that_of_the_quarter(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-01-05")
    member, case, council_day = await alliance.member(ENTERPRISE), pb.LISTING_KIND_CASE, noon(2028, 2, 20)
    await alliance.sweep(noon(2028, 1, 6))
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2028, 2, 1))) as tx:
        await rounds.open_first(tx, alliance.name, council(council_day.date(), noon(2028, 2, 21).date()))
    stands, withdrawn, fulfilled, late = [await alliance.publish(council_day, member, case) for _ in range(4)]
    ran_out = await alliance.publish(council_day, member, case, until="2028-02-20")
    await alliance.take(council_day, withdrawn, "withdraw", "withdrawn")
    await alliance.take(council_day, fulfilled, "fulfil", "fulfilled")
    await alliance.sweep(noon(2028, 2, 21))
    await alliance.sweep(noon(2028, 2, 22))
    await alliance.take(noon(2028, 2, 22), late, "withdraw", "withdrawn")
    await alliance.sweep(noon(2028, 4, 1))
    first = {withdrawn: State.WITHDRAWN, fulfilled: State.FULFILLED, ran_out: State.EXPIRED}
    first |= dict.fromkeys((stands, late), State.PUBLISHED)
    assert await alliance.states(RoundKind.FIRST, "2028-02-20") == first
    assert await alliance.holds(RoundKind.QUARTERLY, "2028Q1") == {stands: KEPT, late: REMOVED}, "told once, as ended"
    assert await alliance.silent(RoundKind.QUARTERLY, "2028Q1") == []


async def test_a_first_issue_that_closes_with_its_quarter_comes_before_it(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-01-05")
    member, last = await alliance.member(ENTERPRISE), noon(2028, 3, 31)
    await alliance.sweep(noon(2028, 1, 6))
    async with probe.database.transaction(CAUSE._replace(effective_at=last)) as tx:
        await rounds.open_first(tx, alliance.name, council(last.date(), last.date()))
    shown = await alliance.publish(last, member, pb.LISTING_KIND_CASE)
    await alliance.sweep(noon(2028, 4, 1))
    assert await alliance.holds(RoundKind.FIRST, "2028-03-31") == {shown: ADDED}
    assert await alliance.holds(RoundKind.QUARTERLY, "2028Q1") == {shown: KEPT}


async def test_no_issue_closes_while_one_before_it_is_open(probe: Probe) -> None:
    """Somebody holds the first one, as a council is moved; the issue of the quarter would be told without it."""
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-01-05")
    last, after = noon(2028, 3, 31), noon(2028, 4, 1)
    await alliance.sweep(noon(2028, 1, 6))
    async with probe.database.transaction(CAUSE._replace(effective_at=last)) as tx:
        first = await rounds.open_first(tx, alliance.name, council(last.date(), last.date()))
    async with probe.database.transaction(CAUSE) as holding:
        assert await store.get_locked(holding, first.name)
        await alliance.sweep(after)
        assert ("2028Q1", round_pb2.ROUND_STATE_OPEN) in await alliance.rounds(RoundKind.QUARTERLY)
    await alliance.sweep(after)
    assert ("2028Q1", round_pb2.ROUND_STATE_CLOSED) in await alliance.rounds(RoundKind.QUARTERLY)


async def test_a_round_opened_after_its_days_holds_what_was_revised_since(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-02-20")
    other = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-02-20")
    member, case = await alliance.member(ENTERPRISE), pb.LISTING_KIND_CASE
    early, at, late = noon(2028, 2, 19), noon(2028, 2, 20), noon(2028, 2, 21)

    stays, revised, withdrawn = [await alliance.publish(at, member, case) for _ in range(3)]
    again, too_early, too_late = [await alliance.publish(day, member, case) for day in (early, early, late)]
    joins, leaves = await other.publish(at, member, case), await alliance.publish(at, member, case)
    await alliance.revise(at, again)
    async with probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
        content = pb.Listing(issuer=member, kind=case, title="草稿", bodies=[alliance.name], valid_to="2029-12-31")
        (draft,) = await changes.save(tx, [changes.created(content, "")])
        await changes.save(tx, [Change(draft, content, State.DRAFT, "revised", "", ["title"])])
    await alliance.take(noon(2028, 2, 23), draft.name, "publish", "published")
    for name in (revised, again, too_early, too_late):
        await alliance.revise(noon(2028, 2, 23), name)
    await alliance.take(noon(2028, 2, 23), withdrawn, "withdraw", "withdrawn")
    await alliance.revise(noon(2028, 2, 23), leaves, leave=True)
    await alliance.join(noon(2028, 2, 23), joins)

    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2028, 2, 23))) as tx:
        await rounds.open_first(tx, alliance.name, council(at.date(), at.date()))
    await alliance.sweep(noon(2028, 2, 23))
    assert await alliance.holds(RoundKind.FIRST, "2028-02-20") == dict.fromkeys((stays, revised, withdrawn, again), ADDED)


LATE = [noon(2026, 4, 1), noon(2026, 5, 20), noon(2026, 8, 1)]
"""When the sweep comes after the first quarter of 2026: at once, late, and only after another that nobody opened."""


@pytest.mark.parametrize("at", LATE)
async def test_what_was_on_offer_to_the_end_of_a_quarter_is_gone_in_the_issue_after(probe: Probe, at: datetime) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member = await alliance.member(ENTERPRISE)
    await alliance.sweep(noon(2026, 1, 6))
    days = ("2026-03-30", "2026-03-31", "2026-04-01", "2026-06-29", "2026-06-30", "2026-07-01")
    until = {day: await alliance.publish(noon(2026, 1, 7), member, pb.LISTING_KIND_CASE, until=day) for day in days}
    await alliance.sweep(at)
    for later in (noon(2026, 7, 1), noon(2026, 10, 1)):
        await alliance.sweep(max(at, later))

    def on(*days: str) -> set[str]:
        return {until[day] for day in days}

    first = dict.fromkeys(until.values(), State.PUBLISHED) | {until["2026-03-30"]: State.EXPIRED}
    assert await alliance.states(RoundKind.QUARTERLY, "2026Q1") == first
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q1") == dict.fromkeys(first, ADDED)
    second = on("2026-03-31", "2026-04-01", "2026-06-29")
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q2") == dict.fromkeys(second, REMOVED)
    third = on("2026-06-30", "2026-07-01")
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q3") == dict.fromkeys(third, REMOVED)


async def test_an_issue_that_closes_late_tells_nothing_of_what_was_done_after_its_quarter(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    issuer, leaving, gone = [await alliance.member(ENTERPRISE) for _ in range(3)]
    await alliance.sweep(noon(2026, 1, 6))

    async def published(by: str) -> str:
        return await alliance.publish(noon(2026, 1, 7), by, pb.LISTING_KIND_CASE)

    withdrawn, fulfilled, revised = [await published(issuer) for _ in range(3)]
    left, left_before = await published(leaving), await published(gone)
    last, after = noon(2026, 3, 31), noon(2026, 4, 1)
    taken_back = await published(issuer)
    await alliance.take(last, taken_back, "withdraw", "withdrawn")
    await alliance.revise(last, left_before, leave=True)
    await alliance.take(after, withdrawn, "withdraw", "withdrawn")
    await alliance.take(after, fulfilled, "fulfil", "fulfilled")
    await alliance.revise(after, revised)
    await alliance.revise(after, left, leave=True)
    await alliance.join(after, left_before)

    await alliance.sweep(noon(2026, 4, 2))
    stood = dict.fromkeys((withdrawn, fulfilled, revised, left), State.PUBLISHED)
    assert await alliance.states(RoundKind.QUARTERLY, "2026Q1") == {**stood, taken_back: State.WITHDRAWN}
    assert await alliance.silent(RoundKind.QUARTERLY, "2026Q1") == [(gone, "")]
    kept = {row.listing: row for row in await alliance.entries(RoundKind.QUARTERLY, "2026Q1")}
    assert pb.Listing.FromString(kept[revised].content).title == "某项", "as it was then"
    await alliance.sweep(noon(2026, 7, 1))
    second = {revised: REVISED, left_before: ADDED, **dict.fromkeys((withdrawn, fulfilled, left), REMOVED)}
    assert await alliance.holds(RoundKind.QUARTERLY, "2026Q2") == second


async def test_who_was_told_of_what_is_narrowed_is_told_that_it_is_gone_and_that_it_comes_anew(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    issuer, case = await alliance.member(ENTERPRISE), pb.LISTING_KIND_CASE
    anybody, member = Viewer(), Viewer(organization="organizations/b", member_bodies=frozenset({alliance.name}))
    everybody = (anybody, member, Viewer(organization=issuer), Viewer(platform=True))
    await alliance.sweep(noon(2026, 1, 6))
    back, narrow, ended = [await alliance.publish(noon(2026, 1, 7), issuer, case) for _ in range(3)]
    inside = await alliance.publish(noon(2026, 1, 7), issuer, case, visibility=pb.VISIBILITY_MEMBERS)

    async def told(viewer: Viewer, period: str, changes: Sequence[int] = ()) -> dict[str, int]:
        found = await alliance.told(viewer, RoundKind.QUARTERLY, period, changes)
        return {one.listing.name: one.change for one in found}

    await alliance.sweep(noon(2026, 4, 1))
    for name in (back, narrow, ended):
        await alliance.revise(noon(2026, 4, 2), name, title="内部的某项")
        await alliance.show(noon(2026, 4, 2), name, pb.VISIBILITY_MEMBERS)
    await alliance.revise(noon(2026, 4, 2), inside)
    await alliance.sweep(noon(2026, 7, 1))
    assert await told(anybody, "2026Q1") == dict.fromkeys((back, narrow, ended), ADDED), "what is frozen stays as it was"
    assert await told(anybody, "2026Q2") == dict.fromkeys((back, narrow, ended), REMOVED)
    assert await told(anybody, "2026Q2", [REMOVED]) == dict.fromkeys((back, narrow, ended), REMOVED)
    assert await told(anybody, "2026Q2", [REVISED]) == {}
    for viewer in everybody[1:]:
        assert await told(viewer, "2026Q2") == dict.fromkeys((back, narrow, ended, inside), REVISED)
    for gone in await alliance.told(anybody, RoundKind.QUARTERLY, "2026Q2"):
        assert gone.listing == pb.Listing(name=gone.listing.name, kind=case, title="某项"), "what it was told, and no more"
        assert gone.version == 0

    await alliance.revise(noon(2026, 7, 2), back, title="某项")
    await alliance.show(noon(2026, 7, 2), back, pb.VISIBILITY_PUBLIC)
    await alliance.revise(noon(2026, 7, 2), narrow)
    await alliance.take(noon(2026, 7, 2), ended, "withdraw", "withdrawn")
    await alliance.sweep(noon(2026, 10, 1))
    assert await told(anybody, "2026Q3") == {back: ADDED}, "told once to be gone, and anew what comes back"
    assert await told(anybody, "2026Q3", [ADDED]) == {back: ADDED}
    for viewer in everybody[1:]:
        assert await told(viewer, "2026Q3") == {back: REVISED, narrow: REVISED, ended: REMOVED}
    await alliance.revise(noon(2026, 10, 2), back)
    await alliance.sweep(noon(2027, 1, 1))
    for viewer in everybody:
        assert await told(viewer, "2026Q4") == {back: REVISED}


async def test_what_a_late_first_issue_tells_says_nothing_of_issues_that_had_closed_before_it(probe: Probe) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2028-01-05")
    issuer, council_day = await alliance.member(ENTERPRISE), noon(2028, 2, 20)
    await alliance.sweep(noon(2028, 1, 6))
    case = await alliance.publish(council_day, issuer, pb.LISTING_KIND_CASE)
    await alliance.show(noon(2028, 2, 21), case, pb.VISIBILITY_MEMBERS)
    await alliance.sweep(noon(2028, 4, 1))
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2028, 4, 2))) as tx:
        await rounds.open_first(tx, alliance.name, council(council_day.date(), council_day.date()))
    await alliance.sweep(noon(2028, 4, 2))
    assert [one.change for one in await alliance.told(Viewer(), RoundKind.FIRST, "2028-02-20")] == [ADDED]
    assert await alliance.told(Viewer(), RoundKind.QUARTERLY, "2028Q1") == [], "it was told before"
