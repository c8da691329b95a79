"""How many are left of what is asked for or offered, and how many proposals a change brings, whoever works on what."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_local.control import Platform
from chassis.database import Cause
from chassis.errors import Invalid, Precondition
from chassis.rpc import Call
from matching.domain.life import match_name
from matching.rpc import Matching
from tests.component.replicas import CAUSE, Replica, World, quick_world
from tests.waiting import until

_POST, _GRADUATES = "集成电路封装工程师", "集成电路封装专业毕业生"
_FULFILLED, _FAILED = rpc.MATCH_OUTCOME_FULFILLED, rpc.MATCH_OUTCOME_FAILED


@pytest.fixture
async def world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One with short leases."""
    async with quick_world(platform, monkeypatch) as found:
        yield found


async def took(world: World, replica: Replica, step: str, message: Any) -> Any:
    """What an RPC of a match answers."""
    matching = Matching(replica.authority, replica.index, None, replica.following.require_all)  # type: ignore[arg-type]
    async with world.database.transaction(Cause("tester", reason="a test")) as tx:
        call = Call("/m", None, "zh", world.database, CAUSE, lambda: None, tx)
        return await getattr(matching, step)(call, message)


async def fulfilled(
    world: World,
    replica: Replica,
    demand: str,
    supply: str,
    quantity: int = 0,
    outcome: rpc.MatchOutcome.ValueType = _FULFILLED,
) -> Any:
    """The match of a pair, from its proposal to its outcome."""
    match, kinds = match_name(demand, supply), {"d": "JOB_POSITION", "s": "TALENT_SUPPLY", "t": "TECH_DEMAND", "e": "EXPERT"}
    sides = [f"organizations/{kinds[one.removeprefix('listings/')[0]]}" for one in (demand, supply)]
    for side in sides:
        await took(world, replica, "AcceptMatch", rpc.AcceptMatchRequest(name=match, organization=side))
    await took(world, replica, "StartMatch", rpc.StartMatchRequest(name=match, organization=sides[0]))
    done = rpc.CompleteMatchRequest(
        name=match,
        organization=sides[0],
        reason="已入职",
        outcome=outcome,
        quantity=quantity,
    )
    return await took(world, replica, "CompleteMatch", done)


async def states(world: World) -> dict[str, str]:
    """State of each match by `demand supply`, their ids alone."""
    found = await world.matches()
    return {f"{d.removeprefix('listings/')} {s.removeprefix('listings/')}": state for (d, s), state in found.items()}


async def test_what_is_filled_meets_nobody_more_until_more_is_asked_for(world: World) -> None:
    replica = world.starts("a")
    world.starts("b")
    world.publish("listings/d1", "JOB_POSITION", _POST, quantity=3)
    for number in (1, 2, 3):
        world.publish(f"listings/s{number}", "TALENT_SUPPLY", _GRADUATES, quantity=40)
    await until(world.is_done)
    assert set((await states(world)).values()) == {"PROPOSED"}
    answer = await fulfilled(world, replica, "listings/d1", "listings/s1", 2)
    assert answer.filled == 2
    await until(world.is_done)
    assert await states(world) == {"d1 s1": "FULFILLED", "d1 s2": "PROPOSED", "d1 s3": "PROPOSED"}, "one is left"
    await fulfilled(world, replica, "listings/d1", "listings/s2")
    await until(world.is_done)
    assert await states(world) == {"d1 s1": "FULFILLED", "d1 s2": "FULFILLED", "d1 s3": "EXPIRED"}
    (row,) = await world.rows("SELECT reason FROM match WHERE state = 'EXPIRED'")
    assert row["reason"].startswith("数量已全部对接完成")
    world.publish("listings/s4", "TALENT_SUPPLY", _GRADUATES, quantity=1)
    world.publish("listings/s3", "TALENT_SUPPLY", _GRADUATES, quantity=41)
    await until(world.is_done)
    assert "d1 s4" not in await states(world)
    assert (await states(world))["d1 s3"] == "EXPIRED"
    world.publish("listings/d1", "JOB_POSITION", _POST, quantity=4)
    await until(world.is_done)
    assert (await states(world))["d1 s3"] == (await states(world))["d1 s4"] == "PROPOSED"


async def test_graduates_are_used_up_and_experts_are_not(world: World) -> None:
    replica = world.starts("a")
    for number in (1, 2):
        world.publish(f"listings/d{number}", "JOB_POSITION", _POST, quantity=9)
        world.publish(f"listings/t{number}", "TECH_DEMAND", "集成电路封装散热")
    world.publish("listings/s", "TALENT_SUPPLY", _GRADUATES, quantity=2)
    world.publish("listings/e", "EXPERT", "集成电路封装散热专家")
    await until(world.is_done)
    await fulfilled(world, replica, "listings/d1", "listings/s", 2)
    await fulfilled(world, replica, "listings/t1", "listings/e")
    await until(world.is_done)
    assert await states(world) == {"d1 s": "FULFILLED", "d2 s": "EXPIRED", "t1 e": "FULFILLED", "t2 e": "PROPOSED"}


async def test_no_more_is_filled_than_there_is(world: World) -> None:
    replica = world.starts("a")
    for number in (1, 2):
        world.publish(f"listings/d{number}", "JOB_POSITION", _POST, quantity=9)
    world.publish("listings/s", "TALENT_SUPPLY", _GRADUATES, quantity=2)
    await until(world.is_done)
    with pytest.raises(Invalid, match="2 are left of listings/s, 3 can't be filled"):
        await fulfilled(world, replica, "listings/d1", "listings/s", 3)
    await fulfilled(world, replica, "listings/d2", "listings/s", 1)
    await until(world.is_done)
    completed = partial(took, world, replica, "CompleteMatch")
    request = rpc.CompleteMatchRequest(
        name=match_name("listings/d1", "listings/s"), organization="organizations/JOB_POSITION", reason="x", outcome=_FULFILLED
    )
    request.quantity = 2
    with pytest.raises(Invalid, match="1 are left of listings/s, 2 can't be filled"):
        await completed(request)
    request.quantity = 1
    assert (await completed(request)).filled == 1


async def test_of_two_who_complete_at_once_what_is_left_goes_to_one(world: World) -> None:
    replica = world.starts("a")
    for number in (1, 2):
        world.publish(f"listings/d{number}", "JOB_POSITION", _POST, quantity=9)
    world.publish("listings/s", "TALENT_SUPPLY", _GRADUATES, quantity=3)
    await until(world.is_done)
    done = []
    for number in (1, 2):
        match = match_name(f"listings/d{number}", "listings/s")
        for side in ("organizations/JOB_POSITION", "organizations/TALENT_SUPPLY"):
            await took(world, replica, "AcceptMatch", rpc.AcceptMatchRequest(name=match, organization=side))
        start = rpc.StartMatchRequest(name=match, organization="organizations/JOB_POSITION")
        await took(world, replica, "StartMatch", start)
        done.append(
            rpc.CompleteMatchRequest(
                name=match, organization="organizations/JOB_POSITION", reason="已入职", outcome=_FULFILLED, quantity=2
            )
        )
    answers = await asyncio.gather(*(took(world, replica, "CompleteMatch", one) for one in done), return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Invalid)]
    assert len(refused) == 1
    assert "1 are left of listings/s, 2 can't be filled" in str(refused[0])
    assert [one.filled for one in answers if not isinstance(one, BaseException)] == [2]


async def test_what_failed_fills_nothing(world: World) -> None:
    replica = world.starts("a")
    world.publish("listings/d1", "JOB_POSITION", _POST)
    for number in (1, 2):
        world.publish(f"listings/s{number}", "TALENT_SUPPLY", _GRADUATES)
    await until(world.is_done)
    assert (await fulfilled(world, replica, "listings/d1", "listings/s1", outcome=_FAILED)).filled == 0
    await until(world.is_done)
    assert await states(world) == {"d1 s1": "FAILED", "d1 s2": "PROPOSED"}


@pytest.mark.parametrize(("outcome", "quantity"), [(_FULFILLED, -1), (_FAILED, 1)])
async def test_a_quantity_that_can_not_be_is_refused(world: World, outcome: rpc.MatchOutcome.ValueType, quantity: int) -> None:
    replica = world.starts("a")
    request = rpc.CompleteMatchRequest(name="matches/1", outcome=outcome, quantity=quantity, reason="x")
    with pytest.raises(Invalid) as refused:
        await took(world, replica, "CompleteMatch", request)
    assert [one.field for one in refused.value.violations] == ["quantity"]


async def test_what_is_fulfilled_is_so_once(world: World) -> None:
    replica = world.starts("a")
    world.publish("listings/d1", "JOB_POSITION", _POST)
    world.publish("listings/s1", "TALENT_SUPPLY", _GRADUATES)
    await until(world.is_done)
    await fulfilled(world, replica, "listings/d1", "listings/s1")
    again = rpc.CompleteMatchRequest(
        name=match_name("listings/d1", "listings/s1"),
        organization="organizations/TALENT_SUPPLY",
        reason="x",
        outcome=_FULFILLED,
    )
    with pytest.raises(Precondition):
        await took(world, replica, "CompleteMatch", again)


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_supply_has_as_many_proposals_whoever_works_on_them(world: World, replicas: int) -> None:
    """The best of all demands, not of each replica's."""
    for number in range(replicas):
        replica = world.starts(f"r{number}")
        replica.proposing._settings = replica.proposing._settings.model_copy(update={"match_best": 10})
    await until(lambda: sum(len(one.shares.mine) for one in world.replicas.values()) == 12)
    for number in range(60):
        world.publish(f"listings/d{number:02}", "TECH_DEMAND", f"集成电路封装散热 {'技术' * (number % 7)}")
    await until(world.is_done)
    world.publish("listings/s", "RESEARCH_OUTCOME", "集成电路封装散热")
    await until(world.is_done)
    assert len(await states(world)) == 10
    best = {f"d{number:02}" for number in range(60) if number % 7 == 0}
    assert best < {pair.split()[0] for pair in await states(world)}
