"""Rounds on a database of their own: what is published while one opens or closes counts in it, once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from alliance.listings.v1 import listing_pb2 as pb
from alliance.registry.v1 import body_pb2
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import AlreadyExists, Precondition
from chassis.ids import resource
from listings import changes, references
from listings.domain.names import RoundKind
from listings.domain.rounds import council
from listings.mapping import content_hash
from listings.rounds import changes as rounds
from listings.rounds import store
from listings.standing import Standing
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import ENTERPRISE, Body

LAST = date(2026, 3, 31)
BEFORE_MIDNIGHT = datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
AFTER_MIDNIGHT = datetime(2026, 3, 31, 16, 0, 0, tzinfo=UTC)
_MOMENT = 0.3  # seconds in which whoever does not have to wait is done


async def _publish(tx: Tx, *bodies: str) -> None:
    content = pb.Listing(issuer="organizations/a", kind=pb.LISTING_KIND_CASE, title="案例", bodies=bodies)
    content.visibility = pb.VISIBILITY_PUBLIC
    (draft,) = await changes.save(tx, [changes.created(content, content_hash(content))])
    await changes.save(tx, [changes.taken(draft, "publish", "published")])


async def _counted(probe: Probe, body: str) -> list[tuple[str, int, int]]:
    """Period, state and listings of each of a body's rounds."""
    query = """SELECT r.period, r.state, count(l.listing) FROM round r LEFT JOIN round_listing l ON l.round = r.name
               WHERE r.body = $1 GROUP BY r.name ORDER BY r.name"""
    return [tuple(row) for row in await probe.rows(query, body)]


async def _one_while_the_other_is_open(
    probe: Probe, first: Callable[[Tx], Awaitable[object]], second: Callable[[Tx], Awaitable[object]], later: datetime
) -> None:
    """The second transaction begins when the first has done its work and is not committed yet; it has to wait for it."""
    worked, commit = asyncio.Event(), asyncio.Event()

    async def begin() -> None:
        async with probe.database.transaction(CAUSE._replace(effective_at=BEFORE_MIDNIGHT)) as tx:
            await first(tx)
            worked.set()
            await commit.wait()

    async def follow() -> None:
        async with probe.database.transaction(CAUSE._replace(effective_at=later)) as tx:
            await second(tx)

    beginning = asyncio.create_task(begin())
    await worked.wait()
    following = asyncio.create_task(follow())
    done, _ = await asyncio.wait({following}, timeout=_MOMENT)
    commit.set()
    await asyncio.gather(beginning, following)
    assert not done


async def test_what_is_being_published_while_a_round_opens_counts_in_it(probe: Probe) -> None:
    body, span = resource("bodies"), council(LAST, LAST)
    await _one_while_the_other_is_open(
        probe, lambda tx: _publish(tx, body), lambda tx: rounds.open_first(tx, body, span), BEFORE_MIDNIGHT
    )
    assert await _counted(probe, body) == [(span.period, 1, 1)]


async def test_what_is_published_while_a_round_is_being_opened_counts_in_it(probe: Probe) -> None:
    body, span = resource("bodies"), council(LAST, LAST)
    await _one_while_the_other_is_open(
        probe, lambda tx: rounds.open_first(tx, body, span), lambda tx: _publish(tx, body), BEFORE_MIDNIGHT
    )
    assert await _counted(probe, body) == [(span.period, 1, 1)]


async def test_a_body_has_one_first_round_whatever_its_days(probe: Probe) -> None:
    body, other = resource("bodies"), resource("bodies")
    async with probe.database.transaction(CAUSE) as tx:
        first = await rounds.open_first(tx, body, council(LAST, LAST))
        for days in (council(LAST, LAST), council(LAST + timedelta(days=1), LAST + timedelta(days=2))):
            with pytest.raises(AlreadyExists, match=first.name):
                await rounds.open_first(tx, body, days)
        assert (await rounds.open_first(tx, other, council(LAST, LAST))).body == other


async def test_a_first_round_moves_with_its_council_as_long_as_it_is_open(probe: Probe) -> None:
    body = resource("bodies")
    at = datetime(2026, 3, 30, 4, tzinfo=UTC)
    async with probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
        first = await rounds.open_first(tx, body, council(at.date(), at.date()))
        await _publish(tx, body)
    async with probe.database.transaction(CAUSE._replace(effective_at=BEFORE_MIDNIGHT)) as tx:
        await _publish(tx, body)
    assert await _counted(probe, body) == [("2026-03-30", 1, 1)]

    async def moved(now: datetime, to: date) -> None:
        async with probe.database.transaction(CAUSE._replace(effective_at=now)) as tx:
            row = await store.get_locked(tx, first.name)
            assert row
            rounds.require_movable(row, business_date(now))
            await rounds.move_first(tx, row, council(to, to))

    await moved(at, at.date())
    await moved(at, LAST)
    assert await _counted(probe, body) == [("2026-03-31", 1, 1)], "what was published on the day it moved to"
    await moved(BEFORE_MIDNIGHT, at.date())
    assert await _counted(probe, body) == [("2026-03-30", 1, 1)], "a council that is over may have been entered wrong"
    with pytest.raises(Precondition, match="2026-03-30"):
        await moved(BEFORE_MIDNIGHT, LAST)
    events = "SELECT version, type FROM event WHERE key = $1 ORDER BY version"
    told = [(row["version"], row["type"].split(".")[-2]) for row in await probe.rows(events, first.name)]
    assert [verb for _, verb in told] == ["opened", "moved", "moved"]


async def test_no_other_round_moves(probe: Probe) -> None:
    body = resource("bodies")
    await probe.rows(
        "INSERT INTO access_body VALUES ($1, '', $2, $3, '2026-01-01', '', '', '{}')",
        *(body, body_pb2.BODY_KIND_ALLIANCE, body_pb2.BODY_STATE_FORMED),
    )
    async with probe.database.transaction(CAUSE._replace(effective_at=BEFORE_MIDNIGHT)) as tx:
        await rounds.sweep(tx)
    (quarterly,) = await probe.rows("SELECT name FROM round WHERE body = $1 AND kind = 2", body)
    async with probe.database.transaction(CAUSE) as tx:
        row = await store.get_locked(tx, quarterly["name"])
        assert row
        with pytest.raises(Precondition, match="2026Q1"):
            rounds.require_movable(row, LAST)


async def test_what_is_being_published_on_the_last_day_counts_before_the_round_closes(probe: Probe) -> None:
    body, span = resource("bodies"), council(LAST, LAST)
    async with probe.database.transaction(CAUSE._replace(effective_at=BEFORE_MIDNIGHT)) as tx:
        await rounds.open_first(tx, body, span)
    await _one_while_the_other_is_open(probe, lambda tx: _publish(tx, body), rounds.sweep, AFTER_MIDNIGHT)
    assert await _counted(probe, body) == [(span.period, 2, 1)]


async def test_listings_of_other_bodies_and_of_none_wait_for_nobody(probe: Probe) -> None:
    body, other = resource("bodies"), resource("bodies")
    async with probe.database.transaction(CAUSE) as tx, asyncio.timeout(10):
        await store.lock(tx, [body])
        async with probe.database.transaction(CAUSE) as meanwhile:
            await _publish(meanwhile)
            await _publish(meanwhile, other)


async def test_many_at_once_neither_lose_one_nor_block_each_other(probe: Probe) -> None:
    bodies = [resource("bodies") for _ in range(6)]
    cause = CAUSE._replace(effective_at=BEFORE_MIDNIGHT)
    for body in bodies:
        await probe.rows(
            "INSERT INTO access_body VALUES ($1, '', $2, $3, '2026-01-01', '', '', '{}')",
            *(body, body_pb2.BODY_KIND_ALLIANCE, body_pb2.BODY_STATE_FORMED),
        )

    async def publish(place: int) -> None:
        async with probe.database.transaction(cause) as tx:
            await _publish(tx, bodies[place % 6], bodies[(place * 5 + 2) % 6])

    async def open_all() -> None:
        async with probe.database.transaction(cause) as tx:
            await rounds.sweep(tx)

    async with asyncio.timeout(60):
        await asyncio.gather(
            *(publish(place) for place in range(15)), open_all(), *(publish(place) for place in range(15, 30))
        )
    named = [body for place in range(30) for body in {bodies[place % 6], bodies[(place * 5 + 2) % 6]}]
    for body in bodies:
        assert await _counted(probe, body) == [("2026Q1", 1, named.count(body))]


@pytest.mark.parametrize("compiled_first", [True, False])
async def test_a_challenge_that_comes_while_its_list_is_compiled_is_in_it_or_refused(
    probe: Probe, compiled_first: bool
) -> None:
    alliance = await Body(probe, body_pb2.BODY_KIND_ALLIANCE).formed("2026-01-05")
    member, kind = await alliance.member(ENTERPRISE), pb.LISTING_KIND_INDUSTRY_CHALLENGE
    await alliance.sweep(BEFORE_MIDNIGHT)
    name = await alliance.round(RoundKind.CHALLENGE_LIST, "2026")
    content = pb.Listing(issuer=member, kind=kind, title="某题", bodies=[alliance.name], visibility=pb.VISIBILITY_PUBLIC)
    content.industry_challenge.list_year = 2026

    async def compile_(tx: Tx) -> None:
        row = await store.get_locked(tx, name)
        assert row
        await rounds.compile_now(tx, row)

    async def publish(tx: Tx) -> None:
        refused = await references.broken(tx, Standing(cast(Any, None)), content, member, kind)
        assert [one.rule for one in refused] == ["R39"] * compiled_first
        if not refused:
            (draft,) = await changes.save(tx, [changes.created(content, content_hash(content))])
            await changes.save(tx, [changes.taken(draft, "publish", "published")])

    order = (compile_, publish) if compiled_first else (publish, compile_)
    await _one_while_the_other_is_open(probe, *order, BEFORE_MIDNIGHT)
    assert len(await alliance.holds(RoundKind.CHALLENGE_LIST, "2026")) == (0 if compiled_first else 1)
