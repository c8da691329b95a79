"""Several replicas of matching: no pair is passed by or found twice, whoever works on what, comes or dies."""

import asyncio
import json
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from alliance.listings.v1 import events_pb2, listing_pb2
from alliance_local.control import Platform
from chassis import deadletter
from chassis.clock import business_date
from chassis.database import Tx
from chassis.handling import Handling
from chassis.record import RawRecord, decode
from matching import again, scoring
from matching.domain.pairs import STAMP
from matching.domain.score import judge
from matching.domain.shares import SHARES, share_of
from matching.embedder import EmbedderGoneError
from matching.events import Events
from matching.index import near
from matching.settings import MatchingSettings
from tests.component.replicas import CAUSE, TITLE, World, listing, quick_world, word
from tests.waiting import until


@pytest.fixture
async def world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One with short leases."""
    async with quick_world(platform, monkeypatch) as found:
        yield found


async def test_pairs_of_the_same_instant_while_owners_come_and_die(world: World) -> None:
    chance, expected = random.Random(1), set[tuple[str, str]]()
    world.starts("a")
    world.starts("b")
    names = iter(f"r{number}" for number in range(100))
    for number in range(1000):
        expected.add(world.demand(number, ""))
        world.supply(number, "")
        if number % 100 == 50:
            await until(lambda: sum(len(one.shares.mine) for one in world.replicas.values()) > 0)
            await world.dies(chance.choice(sorted(world.replicas)))
            world.starts(next(names))
        if number % 10 == 0:
            for replica in world.replicas.values():
                replica.pace = chance.choice([1, 5, 50])
            await until(lambda: True)
    await until(world.is_done, 120)
    found = await world.matches()
    assert found.keys() == expected
    assert set(found.values()) == {"PROPOSED"}
    said = await world.rows("SELECT key, version, type FROM event")
    assert Counter((row["key"], row["version"]) for row in said).most_common(1)[0][1] == 1
    assert Counter(row["type"].split(".")[-2] for row in said) == {"proposed": 1000}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_history_ends_as_a_look_at_all_of_it_does(world: World, seed: int) -> None:
    chance, now = random.Random(seed), dict[str, tuple[str, int, str]]()
    titles = ["集成电路封装散热", "新能源汽车电池", "数控加工机床", "护理机器人"]
    world.starts("a")
    for turn in range(300):
        number, kind = chance.randrange(40), chance.choice(["TECH_DEMAND", "RESEARCH_OUTCOME"])
        name = f"listings/{kind[0]}{number}"
        title, state = chance.choice(titles), chance.choice(["PUBLISHED"] * 4 + ["WITHDRAWN", "FULFILLED"])
        issuer = f"organizations/{chance.randrange(5)}"
        world.publish(name, kind, title, state, issuer=issuer)
        now[name] = (kind, titles.index(title), issuer) if state == "PUBLISHED" else ("", 0, "")
        await world.turn(turn, chance)
    await until(world.is_done, 120)
    demands = [(name, one) for name, one in now.items() if one[0] == "TECH_DEMAND"]
    supplies = [(name, one) for name, one in now.items() if one[0] == "RESEARCH_OUTCOME"]
    expected = {(d, s) for d, (_, t, i) in demands for s, (_, u, j) in supplies if t == u and i != j}
    found = await world.matches()
    assert {pair for pair, state in found.items() if state == "PROPOSED"} == expected
    await _require_scores(world)
    for replica in world.replicas.values():
        assert {one.facts.name for one in replica.index.entries()} == {name for name, one in now.items() if one[0]}


async def _require_scores(world: World) -> None:
    """Each proposal has the score and the parts that its two listings have as they are in the end."""
    index = next(iter(world.replicas.values())).index
    rows = await world.rows("SELECT demand, supply, score, parts, gaps FROM match WHERE state = 'PROPOSED'")
    for row in rows:
        demand, supply = index.get(row["demand"]), index.get(row["supply"])
        assert demand
        assert supply
        verdict = judge(demand.facts, supply.facts, business_date(world.clock.now()), near(demand, supply))
        parts = [{"feature": part.feature, "contribution": part.contribution} for part in verdict.parts]
        assert (row["score"], row["gaps"]) == (verdict.score, list(verdict.gaps))
        assert [{name: one[name] for name in ("feature", "contribution")} for one in json.loads(row["parts"])] == parts


@pytest.mark.parametrize("is_known", [False, True])
async def test_what_was_a_dead_letter_is_scored_by_every_replica_once_it_is_taken(world: World, is_known: bool) -> None:
    """Whichever process had it replayed, and wherever its shares are; each replica has passed its offset long ago."""
    first = world.starts("a")
    world.starts("b")
    late = listing("listings/s1", "RESEARCH_OUTCOME", "集成电路封装散热")
    for number in range(2, 30):
        world.demand(number)
    if is_known:  # an older version of it was taken
        world.publish(late.name, "RESEARCH_OUTCOME", "园林苗木")
    await until(world.is_done)
    assert await world.matches() == {}
    (listening,) = (one for one in Events(first.following, first.ahead).listens() if one.follower is first.following)
    handling = Handling("matching", listening, world.database, (0.0,))
    async with world.database.transaction(CAUSE) as tx:
        record = decode(raw := _raw(late, 2))
        await deadletter.park(tx, handling, raw, record, "a fault of a release")
    worker = deadletter.Worker(world.database, {handling.group: handling})
    assert await worker.step() == 1
    await until(world.is_done)
    assert (await world.matches()).keys() == {(f"listings/d{number}", late.name) for number in range(2, 30)}
    await until(lambda: all(late.name in one.index.of_issuer(late.issuer) for one in world.replicas.values()))
    third = world.starts("c")
    await until(lambda: third.index.get(late.name) is not None)


def _raw(told: listing_pb2.Listing, version: int) -> RawRecord:
    headers = [
        ("ce_sequence", str(version).encode()),
        ("ce_type", b"alliance.listings.listing.published.v1"),
        ("content-type", b"application/protobuf"),
    ]
    content = events_pb2.ListingEvent(listing=told).SerializeToString()
    return RawRecord("alliance.internal.listings.listing.v1", 0, 0, 0, told.name.encode(), content, headers)


async def test_one_that_can_not_be_scored_holds_up_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = world.starts("a")
    plan, broken = replica.proposing.plan, {"listings/d3"}

    async def planned(tx: Any, name: str, of: frozenset[int]) -> None:
        if name in broken:
            raise ValueError("broken on purpose")
        await plan(tx, name, of)

    monkeypatch.setattr(replica.proposing, "plan", planned)
    pairs = {world.demand(number, "") for number in range(10)}
    for number in range(10):
        if number != 3:
            world.supply(number, "")
    others = {pair for pair in pairs if pair[0] not in broken}
    await until(lambda: world.has(others))
    (row,) = await world.rows("SELECT listing, tries, reason, cause FROM again")
    (record,) = (one for records in world.topic.partitions for one in records if one.key == "listings/d3")
    assert (row["listing"], row["cause"]) == ("listings/d3", record.id)
    assert "ValueError" in row["reason"]
    assert "broken on purpose" not in row["reason"]
    broken.clear()
    world.supply(3, "")
    await until(lambda: world.has(pairs))
    await until(lambda: world.is_gone("again"))


async def test_an_organization_that_sees_more_is_scored_again_by_every_share(world: World) -> None:
    world.starts("a")
    for number in range(20):
        world.demand(number, "")
        world.supply(number, "")
    await until(world.is_done)
    async with world.database.transaction(CAUSE) as tx:
        await tx.sql.run("DELETE FROM match")
        await again.of_issuer(tx, "organizations/RESEARCH_OUTCOME")
    world.starts("b")
    await until(lambda: world.is_gone("again"))
    await until(world.is_done)
    assert len(await world.matches()) == 20


async def test_what_is_published_does_not_wait_for_all_of_an_organization(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = world.starts("a")
    for number in range(30):
        world.demand(number, "")
    await until(world.is_done)
    monkeypatch.setattr(scoring, "_TOGETHER", 1)
    planned, plan = list[str](), replica.proposing.plan

    async def counted(tx: Tx, name: str, shares: frozenset[int]) -> None:
        planned.append(name)
        if len(planned) == 3:
            world.supply(99)
            await until(lambda: replica.following.version("listings/s99"))
        await plan(tx, name, shares)

    monkeypatch.setattr(replica.proposing, "plan", counted)
    async with world.database.transaction(CAUSE) as tx:
        await again.of_issuer(tx, "organizations/TECH_DEMAND")
    await until(lambda: world.is_gone("again"))
    assert planned[3] == "listings/s99"
    assert len(planned) == 31


async def test_other_rules_score_everything_anew_and_go_on_where_they_were(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.starts("a")
    for number in range(20):
        world.demand(number, "")
        world.supply(number, "")
    await until(world.is_done)
    assert {row["stamp"] for row in await world.rows("SELECT stamp FROM share")} == {STAMP}
    await world.dies("a")
    await world.rows("DELETE FROM match RETURNING name")
    monkeypatch.setattr(scoring, "_TOGETHER", 4)
    monkeypatch.setattr(scoring, "STAMP", "other")
    second = world.starts("b")
    planned, plan = list[str](), second.proposing.plan

    async def slow(tx: Tx, name: str, shares: frozenset[int]) -> None:
        planned.append(name)
        if len(planned) == 11:
            await asyncio.sleep(60)
        if name == "listings/d3":
            raise ValueError(name)
        await plan(tx, name, shares)

    monkeypatch.setattr(second.proposing, "plan", slow)
    await until(lambda: len(planned) >= 11)
    await world.dies("b")
    third = world.starts("c")
    again_planned, plan_of_third = list[str](), third.proposing.plan

    async def counted(tx: Tx, name: str, shares: frozenset[int]) -> None:
        again_planned.append(name)
        await plan_of_third(tx, name, shares)

    monkeypatch.setattr(third.proposing, "plan", counted)
    await until(third.owns_all)
    await until(world.is_done)
    assert len(await world.matches()) == 20
    assert {row["stamp"] for row in await world.rows("SELECT stamp FROM share")} == {"other"}
    assert again_planned.count("listings/d0") == 0, "what was scored by them is not scored once more"


async def test_what_begins_later_meets_its_partners_on_its_day(world: World) -> None:
    replica = world.starts("a")
    today = world.clock.now().date()
    for number in range(5):
        world.demand(number, "", valid_from=(today + timedelta(days=5)).isoformat())
        world.supply(number, "")
    await until(world.is_done)
    assert await world.matches() == {}
    world.clock.offset = timedelta(days=6)
    replica.following.woken.set()
    await until(world.is_done)
    assert len(await world.matches()) == 5


async def test_a_membership_that_ends_or_begins_takes_and_brings_matches_on_its_day(world: World) -> None:
    today = business_date(world.clock.now())
    demanding, supplying = "organizations/TECH_DEMAND", "organizations/RESEARCH_OUTCOME"
    for organization in (demanding, supplying):
        await world.joins(organization, "bodies/1", today - timedelta(days=9), today)
        await world.joins(organization, "bodies/2", today + timedelta(days=2), None)
    world.starts("a")
    hidden: dict[str, Any] = {"visibility": listing_pb2.VISIBILITY_MEMBERS}
    ending, beginning = (world.demand(number, "", bodies=[f"bodies/{number}"], **hidden) for number in (1, 2))
    for number in (1, 2):
        world.supply(number, "")
    await until(world.is_done)
    assert await world.matches() == {ending: "PROPOSED"}
    for day, expected in ((1, {ending: "EXPIRED"}), (2, {ending: "EXPIRED", beginning: "PROPOSED"})):
        world.clock.offset = timedelta(days=day)
        await until(world.is_done)
        assert await world.matches() == expected


async def test_what_nobody_may_be_told_of_or_has_declined_takes_nobodys_place(world: World) -> None:
    replica = world.starts("a")
    settings = MatchingSettings.model_construct(match_best=3, match_candidates=5)
    replica.proposing._settings = settings
    tomorrow = (world.clock.now() + timedelta(days=2)).date().isoformat()
    for number in range(20):
        unseen: dict[str, Any] = {"visibility": listing_pb2.VISIBILITY_MEMBERS, "bodies": ["bodies/1"]}
        hidden = unseen if number % 2 else {"valid_from": tomorrow}
        world.publish(f"listings/h{number}", "RESEARCH_OUTCOME", f"{TITLE} {word(1)}", **hidden)
    fitting = [f"listings/s{number}" for number in range(6)]
    for name in fitting:
        world.publish(name, "RESEARCH_OUTCOME", f"{TITLE} {word(1)} 其他")
    await until(world.is_done)
    demand, _ = world.demand(1)
    await until(world.is_done)
    first = await world.matches()
    assert len(first) == 3
    assert {supply for _, supply in first} < set(fitting)
    await world.rows("UPDATE match SET state = 'DECLINED' RETURNING name")
    world.demand(1)
    await until(world.is_done)
    found = await world.matches()
    assert found.keys() == {(demand, name) for name in fitting}
    assert Counter(found.values()) == {"DECLINED": 3, "PROPOSED": 3}


async def test_who_is_behind_neither_ends_nor_makes_a_match_of_what_is_gone(world: World) -> None:
    """An organization is to be scored again by a replica that does not know yet that the listing was withdrawn."""
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    world.demand(1, "")
    world.supply(1, "")
    await until(world.is_done)
    owner, other = (first, second) if share_of("listings/d1") in first.shares.mine else (second, first)
    other.stands_still = True
    await asyncio.sleep(0.1)
    world.supply(1, "", state="WITHDRAWN")
    await until(lambda: world.is_match(("listings/d1", "listings/s1"), "EXPIRED"))
    await world.dies(owner.name)
    async with world.database.transaction(CAUSE) as tx:
        await again.of_issuer(tx, "organizations/TECH_DEMAND")
    await until(lambda: other.owns_all())
    await asyncio.sleep(2)
    assert await world.is_match(("listings/d1", "listings/s1"), "EXPIRED")
    other.stands_still = False
    await until(world.is_done)
    assert await world.is_match(("listings/d1", "listings/s1"), "EXPIRED")


async def test_who_is_not_given_what_comes_gives_its_shares_back(world: World) -> None:
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    first._tasks[0].cancel()  # what it is given comes from there
    first.following.stopped()
    await until(lambda: second.owns_all())
    first.following.caught_up()
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)


async def test_a_client_that_connects_anew_goes_on_where_it_stopped(world: World) -> None:
    replica = world.starts("a")
    for number in range(20):
        world.demand(number, "")
        world.supply(number, "")
    await until(world.is_done)
    ends = {number: len(records) for number, records in enumerate(world.topic.partitions) if records}
    assert await replica.following.beginning(world.topic.id, replica.ends) == ends
    assert len(replica.following.log) == 0


async def test_what_was_embedded_is_kept_for_all(world: World) -> None:
    first, second = world.starts("a"), world.starts("b")
    await until(lambda: len(first.shares.mine) == len(second.shares.mine) == SHARES // 2)
    for number in range(50):
        world.supply(number, "")
    await until(world.is_done)
    asked = len(world.by.asked)
    assert len(set(world.by.asked)) == 50
    assert asked < 100, "two that come to a text at the same time may both embed it, but they divide them"
    world.starts("c")
    await until(world.is_done)
    assert len(world.by.asked) == asked


async def test_a_text_that_can_not_be_embedded_means_nothing_and_spoils_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica, embed = world.starts("a"), world.by.embed

    async def embedded(texts: Any) -> Any:
        if any("poison" in text for text in texts):
            raise EmbedderGoneError
        return await embed(texts)

    monkeypatch.setattr(world.by, "embed", embedded)
    world.supply(1, "abc poison")
    world.supply(2, "abc")
    await until(world.is_done)
    entries = {one.facts.name: one.meaning for one in replica.index.entries()}
    assert not any(entries["listings/s1"])
    assert any(entries["listings/s2"])
    assert len(await world.rows("SELECT 1 FROM vector")) == 1


async def test_an_index_on_the_disk_goes_on_where_it_stopped(world: World, tmp_path: Path) -> None:
    """One that stops in order, one that dies, and one whose shares were left behind where its index was not."""
    replica = world.starts("a", tmp_path)
    expected = set()
    for turn in range(3):
        for number in range(20 * turn, 20 * turn + 20):
            expected.add(world.demand(number, ""))
            world.supply(number, "")
        await until(world.is_done)
        assert (await world.matches()).keys() == expected
        said = len(await world.rows("SELECT 1 FROM event"))
        if turn == 1:
            await world.dies("a")
        else:
            await world.replicas.pop("a").stop()
        asked = len(world.by.asked)
        replica = world.starts("a", tmp_path)
        await until(world.is_done)
        assert len(replica.index) == 40 * (turn + 1)
        assert len(world.by.asked) == asked
        assert len(await world.rows("SELECT 1 FROM event")) == said
    await world.replicas.pop("a").stop()
    connection = await asyncpg.connect(world.url)
    await connection.execute("DELETE FROM match")
    await connection.execute("UPDATE share SET seen = '{}' WHERE number < 6")
    await connection.close()
    world.starts("a", tmp_path)
    await until(world.is_done)
    assert (await world.matches()).keys() == {pair for pair in expected if share_of(pair[0]) < 6}


async def test_who_lost_the_folder_of_its_index_begins_anew_and_misses_nothing(world: World, tmp_path: Path) -> None:
    folder, expected = tmp_path / "index", set[tuple[str, str]]()
    replica = world.starts("a", folder)
    for removed in (False, True):
        if removed:
            await until(world.is_done)
            while folder.exists():  # a merge may write into it while it goes
                shutil.rmtree(folder, ignore_errors=True)
        for number in range(50 * removed, 50 * removed + 50):
            expected.add(world.demand(number, ""))
            world.supply(number, "")
    await until(replica.index.lost.is_set)
    assert not await world.is_done(), "what it could not take waits"
    await world.replicas.pop("a").stop()
    replica = world.starts("a", folder)
    await until(world.is_done)
    assert len(replica.index) == 200
    assert (await world.matches()).keys() == expected
    said = await world.rows("SELECT key, version FROM event")
    assert Counter((row["key"], row["version"]) for row in said).most_common(1)[0][1] == 1
