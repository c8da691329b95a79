"""Matching where Kafka loses what was read of its topic: all of it, or the ends of some partitions."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest

from alliance_local.control import Platform
from matching import again
from matching.domain.shares import SHARES, share_of
from matching.shares import LostError, Shares
from tests.component.replicas import CAUSE, TITLE, Replica, Topic, World, quick_world, word
from tests.waiting import until


@pytest.fixture
async def world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One with short leases."""
    async with quick_world(platform, monkeypatch) as found:
        yield found


async def test_a_topic_that_was_made_anew_brings_nothing_new(world: World) -> None:
    """Kafka was lost and its topics are published again: what had been scored is not scored again, what had not is."""
    replica = world.starts("a")
    for number in range(20):
        world.demand(number, "")
        world.supply(number, "")
    await until(world.is_done)
    said = len(await world.rows("SELECT 1 FROM event"))
    world.topic = replica.topic = world.topic.anew()
    await until(lambda: replica.following.topic == str(world.topic.id))
    world.demand(20, "")
    world.supply(20, "")
    await until(world.is_done)
    await until(lambda: world.has({("listings/d20", "listings/s20")}))
    assert len(await world.rows("SELECT 1 FROM event")) == said + 1
    rows = await world.rows("SELECT DISTINCT topic FROM share")
    assert [row["topic"] for row in rows] == [str(world.topic.id)]


async def test_nothing_is_dropped_by_what_shares_have_seen_of_another_topic(world: World) -> None:
    replica = world.starts("a")
    world.demand(1, "")
    await until(world.is_done)
    (record,) = (one for records in world.topic.partitions for one in records)
    await replica.following.beginning(uuid4(), replica.ends)
    replica.following.log.add(record)  # offset 0, which the shares have seen on the topic that is gone
    replica.scoring._drop()
    assert [change.id for change in replica.following.log._changes] == [record.id]


async def test_what_came_before_a_new_topic_was_noticed_is_scored(world: World) -> None:
    """The client reads on in a topic that was deleted and made anew: what it takes lies at offsets that shares have seen."""
    replica = world.starts("a")
    for number in range(20):
        world.demand(number, "")
        world.supply(number, "")
    await until(world.is_done)
    replica.stands_still = True
    await asyncio.sleep(0.1)
    made = Topic()
    world.topic = made
    world.demand(20, "")
    world.supply(20, "")
    for records in made.partitions:
        await replica.following.take(records)
    await until(lambda: not replica.following.log)  # taken for seen
    replica.topic, replica.stands_still = made, False
    await until(lambda: world.has({("listings/d20", "listings/s20")}))
    replica.following.was_still(time.monotonic())
    assert not replica.following._unsure


@pytest.mark.parametrize("restarts", [True, False])
async def test_a_topic_that_lost_its_ends_stops_nobody(world: World, restarts: bool) -> None:
    """A broker's disk lied: offsets that shares have seen are given to others."""
    replica = world.starts("a")
    for number in range(20):
        world.demand(number, "")
        world.supply(number, "")
    await until(world.is_done)
    if restarts:
        await world.dies("a")
    cut = Topic()
    cut.id, cut.partitions = world.topic.id, [records[: len(records) // 2] for records in world.topic.partitions]
    world.topic = replica.topic = cut  # another object with the same id: a client that has connected anew
    world.demand(30, "")
    world.supply(30, "")
    if restarts:
        world.starts("a")
    await until(lambda: world.has({("listings/d30", "listings/s30")}))
    for row in await world.rows("SELECT seen FROM share"):
        seen = {int(number): offset for number, offset in json.loads(row["seen"]).items()}
        assert all(offset <= len(cut.partitions[number]) for number, offset in seen.items())


async def _given_up(replica: Replica, topic: Topic) -> None:
    """Its client is given up, and another one begins with a topic, as `chassis.consumer` does."""
    replica._tasks[0].cancel()
    replica.following.stopped()
    await until(lambda: not replica.shares.mine)
    replica.topic = topic
    replica._tasks[0] = asyncio.create_task(replica._follow())
    await until(lambda: replica.following.is_live and replica.shares.topic == str(topic.id))
    await until(replica.owns_all)


def _cut(topic: Topic, partition: int, length: int) -> Topic:
    """The same topic, of which one partition has lost its end."""
    made = Topic()
    made.id, made.partitions = topic.id, [list(records) for records in topic.partitions]
    made.partitions[partition] = made.partitions[partition][:length]
    return made


def _replay(world: World, old: Topic) -> None:
    """What was on another topic comes again on this one."""
    for records in old.partitions:
        for record in records:
            known = world.topic.partitions[record.partition]
            known.append(record._replace(offset=len(known)))


@pytest.mark.parametrize("is_given_up", [True, False])
@pytest.mark.parametrize("is_anew", [True, False])
async def test_what_is_being_scored_then_marks_nothing_as_seen(world: World, is_anew: bool, is_given_up: bool) -> None:
    """A transaction waits for a lock while the topic is made anew, or cut, and the same replica takes its shares again."""
    replica = world.starts("a")
    world.demand(1)
    await until(world.is_done)
    before = world.names_in(3, "o", 6)
    for name in before[:5]:
        world.publish(name, "RESEARCH_OUTCOME", "园林苗木")
    await until(world.is_done)
    plan, is_inside, may_go_on = replica.proposing.plan, asyncio.Event(), asyncio.Event()

    async def slowly(tx: Any, name: str, of: frozenset[int]) -> None:
        if name == before[5] and not may_go_on.is_set():
            is_inside.set()
            await may_go_on.wait()
        await plan(tx, name, of)

    replica.proposing.plan = slowly  # type: ignore[method-assign,assignment]
    world.publish(before[5], "RESEARCH_OUTCOME", "园林苗木")
    await is_inside.wait()
    world.topic = Topic() if is_anew else _cut(world.topic, 3, 2)
    if is_given_up:
        await _given_up(replica, world.topic)
    else:
        replica.topic = world.topic
        await until(lambda: replica.following.is_live and replica.following.topic == str(world.topic.id))
    may_go_on.set()
    after = world.names_in(3, "n", 3)
    for name in after:
        world.publish(name, "RESEARCH_OUTCOME", f"{TITLE} {word(1)}")
    await until(lambda: world.has({("listings/d1", name) for name in after}))


async def test_a_backlog_of_a_partition_that_lost_its_end_is_scored(world: World) -> None:
    """No share has seen what is lost, the index has it."""
    replica = world.starts("a")
    world.demand(1)
    names = world.names_in(3, "o", 5)
    for name in names[:2]:
        world.publish(name, "RESEARCH_OUTCOME", "园林苗木")
    await until(world.is_done)
    step, may_go_on = replica.scoring._step, asyncio.Event()

    async def later() -> bool:
        await may_go_on.wait()
        return await step()

    replica.scoring._step = later  # type: ignore[method-assign]
    await asyncio.sleep(0.3)
    for name in names[2:]:
        world.publish(name, "RESEARCH_OUTCOME", f"{TITLE} {word(1)}")
    await until(lambda: len(replica.following.log) == 3)
    world.topic = replica.topic = _cut(world.topic, 3, 3)
    await until(lambda: world.rows("SELECT 1 FROM again"))
    may_go_on.set()
    await until(world.is_done)
    assert (await world.matches()).keys() == {("listings/d1", name) for name in names[2:]}


async def test_what_only_another_replica_had_read_of_a_lost_topic_is_scored(world: World) -> None:
    """The owner of its share never heard of it, scores on the new topic, and dies; then all is published again."""
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    world.supply(1)
    await until(world.is_done)
    first.stands_still = True
    of_first = [name for name in world.names_in(3, "x", 100) if share_of(name) in first.shares.mine]
    world.publish(of_first[0], "TECH_DEMAND", f"{TITLE} {word(1)}")
    await until(lambda: second.index.get(of_first[0]) is not None)
    old, world.topic = world.topic, Topic()
    first.topic = second.topic = world.topic
    first.stands_still = False
    await until(lambda: first.following.topic == second.following.topic == str(world.topic.id))
    (other,) = world.names_in(3, "y", 1)
    world.publish(other, "RESEARCH_OUTCOME", "园林苗木")
    await until(lambda: first.shares.mine and all(3 in share.seen for share in first.shares.mine.values()))
    (row,) = await world.rows("SELECT shares FROM again WHERE listing = $1 AND version = 1", of_first[0])
    assert set(row["shares"]) >= first.shares.mine.keys(), "who does not know it can't do it"
    await world.dies("a")
    _replay(world, old)
    await until(lambda: world.has({(of_first[0], "listings/s1")}))
    await until(lambda: world.is_gone("again"))


async def test_who_never_heard_of_what_is_left_does_it_when_it_is_published_again(world: World) -> None:
    replica = world.starts("a")
    world.supply(1)
    await until(world.is_done)
    name, _ = world.demand(1)
    (lost,) = (records.pop() for records in world.topic.partitions if records and records[-1].key == name)
    async with world.database.alone() as sql:
        await again.left(sql, {name: lost.version})
    await until(lambda: replica.scoring._strange)
    assert replica.index.get(name) is None
    assert await world.rows("SELECT 1 FROM again WHERE tries = 0"), "whoever knows it may do it at any time"
    known = world.topic.partitions[lost.partition]
    known.append(lost._replace(offset=len(known)))
    await until(lambda: world.is_gone("again"))
    assert (await world.matches()).keys() == {(name, "listings/s1")}


async def test_nobody_keeps_what_another_has_nothing_to_score_of(world: World) -> None:
    """One replica knows what comes again on a new topic, the other does not, and waits for all shares to have seen it."""
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    first.stands_still = True
    pair = world.demand(1)
    world.supply(1)
    await until(lambda: all(second.index.get(name) is not None for name in pair))
    old, world.topic = world.topic, Topic()
    first.topic = second.topic = world.topic
    first.stands_still = False
    await until(lambda: first.following.topic == second.following.topic == str(world.topic.id))
    _replay(world, old)
    await until(world.is_done)
    assert not first.following.log
    assert not second.following.log
    assert (await world.matches()).keys() == {pair}


async def test_who_has_not_noticed_that_a_partition_lost_its_end_marks_nothing_there(world: World) -> None:
    """It takes the shares of the one that has, which is reading that partition from its start."""
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    world.demand(1)
    for name in world.names_in(3, "o", 9):
        world.publish(name, "RESEARCH_OUTCOME", "园林苗木")
    await until(world.is_done)
    second.looks = False
    world.topic = _cut(world.topic, 3, 2)
    first._tasks[0].cancel()
    first.following.stopped()
    await until(second.owns_all)
    first.topic = world.topic
    first._tasks[0] = asyncio.create_task(first._follow())
    await until(lambda: len(second.shares.mine) >= SHARES // 2 and all(share.is_cut for share in second.shares.mine.values()))
    names = world.names_in(3, "n", 3)
    for name in names:
        world.publish(name, "RESEARCH_OUTCOME", f"{TITLE} {word(1)}")
    await until(lambda: all(first.index.get(name) is not None for name in names))
    await asyncio.sleep(2)
    second.topic, second.looks = world.topic, True
    await until(lambda: world.has({("listings/d1", name) for name in names}))
    await until(world.is_done)


async def test_what_was_lost_is_remembered_where_a_part_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is gone just then; when it is back, the partition is longer than it had been."""
    replica = world.starts("a")
    world.demand(1)
    for name in world.names_in(3, "o", 6):
        world.publish(name, "RESEARCH_OUTCOME", "园林苗木")
    await until(world.is_done)
    names, left = world.names_in(3, "n", 9), again.left

    async def away_once(*_: Any) -> None:
        monkeypatch.setattr(again, "left", left)
        for name in names:
            world.publish(name, "RESEARCH_OUTCOME", f"{TITLE} {word(1)}")
        raise TimeoutError

    monkeypatch.setattr(again, "left", away_once)
    world.topic = replica.topic = _cut(world.topic, 3, 2)
    await until(lambda: replica.following.topic and again.left is left)
    await until(lambda: world.has({("listings/d1", name) for name in names}))
    await until(world.is_done)


async def test_who_cuts_and_who_keeps_shares_never_wait_for_each_other(world: World) -> None:
    """Rows lie in the order in which they were last written, which is not that of their numbers."""
    first, second = Shares("a", world.database), Shares("b", world.database)
    topic = str(world.topic.id)
    await first.turn(topic)

    async def many(work: Callable[[], Awaitable[object]]) -> None:
        for _ in range(200):
            await work()

    async def written() -> None:
        mine = list(first.mine.values())[::-1]
        async with world.database.transaction(CAUSE) as tx:
            with suppress(LostError):
                await first.advance(tx, {share: {0: 1} for share in mine})

    await asyncio.gather(
        many(lambda: first.turn(topic)), many(lambda: second.turn(topic)), many(written), many(lambda: second.cut(topic, [1]))
    )
