"""Reviews that are past their day are told of once, whichever replica looks first, and counted until they are settled."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from access.authority import Authority
from access.register import ProjectedRegister
from alliance.matching.v1 import match_pb2, review_service_pb2
from alliance.matching.v1 import review_pb2 as pb
from alliance_local.control import Platform
from chassis.database import Cause
from matching import metrics
from matching.domain.reviews import State
from matching.index import Index
from matching.reviews import store
from matching.reviews.overdue import Overdue
from matching.reviews.rpc import Reviews
from tests.component.replicas import CAUSE, SIZE, World
from tests.component.replicas import world as made

_SIDE = "organizations/RESEARCH_OUTCOME"


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    async with made(platform) as found:
        yield found


async def _nobody(*_: Any) -> frozenset[str]:
    return frozenset()


def _reviews() -> Reviews:
    return Reviews(Authority(ProjectedRegister(), _nobody, None), Index(SIZE), "letters", 15, lambda: None)


async def _answered(world: World, method: str, request: Any) -> pb.Review:
    async with world.database.transaction(Cause(method, reason="a test")) as tx:
        answer: pb.Review = await getattr(_reviews(), method)(cast(Any, SimpleNamespace(tx=tx, principal=None)), request)
    return answer


async def _requested(world: World, number: int) -> str:
    """A review of a match of its own."""
    name = f"matches/{number}"
    shown = match_pb2.Match(name=name, demand_issuer="organizations/TECH_DEMAND", supply_issuer=_SIDE)
    async with world.database.transaction(CAUSE) as tx:
        row = store.ReviewRow(
            name=f"reviews/{number}",
            version=1,
            match=name,
            shown=shown.SerializeToString(),
            sides=[shown.demand_issuer, shown.supply_issuer],
            bodies=[],
            organization=_SIDE,
            requested_by="tester",
            reason="不符",
            state=State.REQUESTED,
            due_on=world.clock.now().date() + timedelta(days=15),
            finding="",
            reviewed_by="",
            create_time=tx.now,
            settle_time=None,
        )
        await store.write(tx, row, "requested")
    return row.name


async def _swept(world: World, by: Overdue) -> tuple[int, int]:
    """What a look finds due, and does."""
    async with world.database.transaction(CAUSE) as tx:
        return await by.due(tx), await by.sweep(tx)


async def _told(world: World) -> list[tuple[str, int]]:
    rows = await world.rows("SELECT key, version FROM event WHERE type = $1 ORDER BY key, version", store.OVERDUE)
    return [(row["key"], row["version"]) for row in rows]


async def test_the_day_after_it_is_told_once_and_counted_until_it_is_settled(world: World) -> None:
    first, second = Overdue(), Overdue()
    names = [await _requested(world, number) for number in range(3)]
    settle = review_service_pb2.SettleReviewRequest(name=names[0], outcome=pb.REVIEW_STATE_UPHELD, reason="相符")
    await _answered(world, "SettleReview", settle)
    world.clock.offset = timedelta(days=14)
    assert await _swept(world, first) == (0, 0)
    world.clock.offset = timedelta(days=17)  # the last day, in Asia/Shanghai, is over whatever the hour
    assert await _swept(world, first) == (2, 2)
    assert await _told(world) == [(name, 2) for name in names[1:]]
    assert metrics.REVIEWS_OVERDUE._value.get() == 2
    for again in (first, second):
        assert await _swept(world, again) == (0, 0)
    settle.name = names[1]
    assert (await _answered(world, "SettleReview", settle)).state == pb.REVIEW_STATE_UPHELD
    world.clock.offset = timedelta(days=18)
    assert await _swept(world, first) == (0, 0)
    assert metrics.REVIEWS_OVERDUE._value.get() == 1
    assert await _told(world) == [(name, 2) for name in names[1:]], "once"


async def test_of_two_replicas_that_look_at_once_one_tells(world: World) -> None:
    await _requested(world, 1)
    world.clock.offset = timedelta(days=17)
    async with world.database.transaction(CAUSE) as one:
        assert await Overdue().sweep(one) == 1
        other = asyncio.create_task(_swept(world, Overdue()))
        done, _ = await asyncio.wait({other}, timeout=0.3)
        assert not done, "it waits for the review's row"
    assert await other == (1, 1), "nobody had been told when it looked"
    assert await _swept(world, Overdue()) == (0, 0)
    assert await _told(world) == [("reviews/1", 2)]
