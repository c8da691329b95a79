"""Shares of the demands: divided among replicas, taken from who is gone, and scored against by who has read enough."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from alliance_local.control import Platform
from matching.domain.shares import SHARES
from tests.component.replicas import TITLE, Replica, World, quick_world, word
from tests.waiting import until


@pytest.fixture
async def world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One with short leases."""
    async with quick_world(platform, monkeypatch) as found:
        yield found


async def test_shares_are_divided_and_come_back(world: World) -> None:
    first = world.starts("a")
    await until(lambda: len(first.shares.mine) == SHARES)
    second = world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    assert not first.shares.mine.keys() & second.shares.mine.keys()
    await world.dies("a")
    await until(lambda: len(second.shares.mine) == SHARES)
    world.starts("c")
    await until(lambda: len(second.shares.mine) == SHARES // 2)
    await world.replicas.pop("b").stop()  # in order: nobody waits for its leases
    await until(lambda: len(world.replicas["c"].shares.mine) == SHARES, 1.0)


async def test_who_is_gone_holds_nothing_where_the_clock_was_put_back(world: World) -> None:
    """Its leases end in an hour, by the clock as it is now."""
    first = world.starts("a")
    await until(first.owns_all)
    await world.dies("a")
    async with world.database.alone() as sql:
        await sql.run("UPDATE share SET expires_at = clock_timestamp() + interval '1 hour'")
        await sql.run("UPDATE replica SET expires_at = clock_timestamp() + interval '1 hour'")
    await until(world.starts("b").owns_all)


async def test_who_takes_a_share_first_reads_what_was_scored_against_it(world: World) -> None:
    """Else what is seen already would meet nothing that the new owner scores before it has read it."""
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(second.shares.mine) == SHARES // 2)
    second.stands_still = True
    for number in range(30):
        world.supply(number, "")
    await until(lambda: first.index.get("listings/s29") is not None)
    await until(lambda: not first.following.log or all(share.seen for share in first.shares.mine.values()))
    await world.dies("a")
    await until(lambda: len(second.shares.mine) == SHARES)
    for number in range(30):
        await second.following.take([])
        world.demand(number, "")
    await _take_demands(second)
    assert await world.matches() == {}
    second.stands_still = False
    await until(world.is_done)
    assert len(await world.matches()) == 30


async def test_what_came_while_nobody_had_a_share_is_scored_before_what_came_after(world: World) -> None:
    """Also where a change comes in the moment in which the share is taken: it would count as the last that was scored."""
    replica = world.starts("a")
    world.supply(1)
    await until(world.is_done)
    turn, is_turning, may_take, may_go_on = replica.shares.turn, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(topic: str) -> bool:
        is_turning.set()
        await may_take.wait()
        taken = await turn(topic)
        await may_go_on.wait()
        return taken

    replica.shares.turn = slowly  # type: ignore[method-assign]
    await is_turning.wait()
    replica.shares.forget()
    early, late = world.names_in(3, "x", 2)
    world.publish(early, "TECH_DEMAND", f"{TITLE} {word(1)}")
    await until(lambda: replica.scoring._next == replica.following.log.first + 1)
    may_take.set()
    await until(lambda: replica.shares.mine)
    world.publish(late, "TECH_DEMAND", f"{TITLE} {word(1)}")
    await until(lambda: all(3 in share.seen for share in replica.shares.mine.values()))
    may_go_on.set()
    await until(world.is_done)
    assert (await world.matches()).keys() == {(early, "listings/s1"), (late, "listings/s1")}


async def _take_demands(replica: Replica) -> None:
    """Read partitions in which nothing of the supplies lies beneath, as one that is behind on others."""
    for number, records in enumerate(replica.topic.partitions):
        if records and all(record.key.startswith("listings/d") for record in records):
            await replica.following.take(records)
            replica.following.places[number] = len(records)
