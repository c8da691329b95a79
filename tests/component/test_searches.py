"""Saved searches on several replicas: told once of what comes to meet them, whoever works on what, comes or dies."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import search_pb2 as pb
from alliance_local.control import Platform
from chassis.database import Cause
from matching.searches import store
from tests.component.replicas import CAUSE, World, quick_world
from tests.waiting import until

_SEEKER = "organizations/seeker"
_TITLES = {"散热": "集成电路封装散热", "电池": "新能源汽车电池", "机床": "数控加工机床", "护理": "护理机器人"}


@pytest.fixture
async def world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One with short leases."""
    async with quick_world(platform, monkeypatch) as found:
        yield found


async def saved(world: World, query: str, organization: str = _SEEKER, **filters: Any) -> str:
    """A search that is saved."""
    given = pb.SavedSearch(organization=organization, display_name=query or "全部", query=query, **filters)
    async with world.database.transaction(CAUSE) as tx:
        row = store.row_of(tx, given, given.region_code)
        await store.enter(tx, row)
        return row.name


async def forgotten(world: World, name: str) -> None:
    async with world.database.transaction(CAUSE) as tx:
        row = await store.get(tx, name, lock=True)
        await store.remove(tx, row)


async def told(world: World) -> Counter[tuple[str, str, int]]:
    """What was told: search, listing, version of the listing."""
    rows = await world.rows("SELECT payload FROM event WHERE type = 'alliance.matching.search.met.v1' ORDER BY id")
    searches = [pb.SavedSearchEvent.FromString(row["payload"]).search for row in rows]
    return Counter((one.name, one.latest.listing, one.latest.version) for one in searches)


async def test_a_listing_is_told_once_until_it_meets_the_search_no_more(world: World) -> None:
    world.starts("a")
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"])
    await until(world.is_done)
    search = await saved(world, "电池")
    for title in ("电池", "电池", "机床", "电池", "电池"):
        world.publish("listings/1", "TECH_DEMAND", _TITLES[title])
        await until(world.is_done)
    assert await told(world) == {(search, "listings/1", 2): 1, (search, "listings/1", 5): 1}
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"], "WITHDRAWN")
    world.publish("listings/2", "TECH_DEMAND", _TITLES["电池"], issuer=_SEEKER)  # its own
    await until(world.is_done)
    assert not await world.rows("SELECT * FROM met")
    await forgotten(world, search)
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"])
    await until(world.is_done)
    assert sum((await told(world)).values()) == 2
    versions = await world.rows("SELECT version, type FROM event WHERE key = $1 ORDER BY version", search)
    assert [(row["version"], row["type"].split(".")[3]) for row in versions] == [
        (1, "saved"),
        (2, "met"),
        (3, "met"),
        (4, "forgotten"),
    ]


async def test_nobody_is_told_of_what_it_may_not_see(world: World) -> None:
    world.starts("a")
    search = await saved(world, "电池")
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"], visibility=listing_pb2.VISIBILITY_MEMBERS)
    world.publish("listings/2", "TECH_DEMAND", _TITLES["电池"])
    await until(world.is_done)
    assert await told(world) == {(search, "listings/2", 1): 1}
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"], visibility=listing_pb2.VISIBILITY_PUBLIC)
    await until(world.is_done)
    assert await told(world) == {(search, "listings/2", 1): 1, (search, "listings/1", 2): 1}


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_history_is_told_as_it_was(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.starts("a")
    asked = {await saved(world, word, f"organizations/{n}"): word for n in range(10) for word in _TITLES}
    runs: Counter[tuple[str, str]] = Counter()  # how often a listing came to meet a word
    now: dict[str, str] = {}
    for turn in range(200):
        number, word = chance.randrange(30), chance.choice(list(_TITLES))
        name, kind = f"listings/{number}", ["TECH_DEMAND", "RESEARCH_OUTCOME"][number % 2]
        state = chance.choice(["PUBLISHED"] * 4 + ["WITHDRAWN"])
        world.publish(name, kind, _TITLES[word], state)
        after = word if state == "PUBLISHED" else ""
        runs[after, name] += after != now.get(name, "") and after != ""
        now[name] = after
        await world.turn(turn, chance)
    await until(world.is_done, 120)
    met = {(row["search"], row["listing"]) for row in await world.rows("SELECT search, listing FROM met")}
    assert met == {(search, name) for search, word in asked.items() for name, last in now.items() if last == word}
    found = await told(world)
    assert set(found.values()) == {1}, "never twice of one version"
    times = Counter((search, listing) for search, listing, _ in found)
    assert met <= times.keys()
    assert all(number <= runs[asked[search], listing] for (search, listing), number in times.items())


async def test_what_was_saved_after_a_change_is_not_told_of_it(world: World) -> None:
    """Nor when the change is scored late; what changes later is told."""
    world.starts("a").stands_still = True
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"])
    search = await saved(world, "电池")
    world.replicas["a"].stands_still = False
    await until(world.is_done)
    assert not await told(world)
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"])
    await until(world.is_done)
    assert await told(world) == {(search, "listings/1", 2): 1}


async def test_anchors_of_another_version_of_the_algorithm_are_made_anew(world: World) -> None:
    search = await saved(world, "电池")
    async with world.database.transaction(Cause("tester")) as tx:
        statement = "UPDATE saved_search SET anchors = '{word 旧}', algorithm_version = 'words-1' WHERE name = $1"
        assert await tx.sql.run(statement, search) == 1
    world.starts("a")
    world.publish("listings/1", "TECH_DEMAND", _TITLES["电池"])
    await until(world.is_done)
    assert await told(world) == {(search, "listings/1", 1): 1}
