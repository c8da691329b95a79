"""What became of matches like one, counted as they are decided and told with why one was made."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from access.authority import Authority
from access.register import ProjectedRegister
from alliance.matching.v1 import match_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance_local.control import Platform
from chassis.database import Cause
from chassis.rpc import Call
from matching import store
from matching.domain import life
from matching.domain.facts import Facts
from matching.domain.life import Match, State
from matching.domain.score import Verdict
from matching.index import Index
from matching.rpc import Matching
from tests.component.replicas import CAUSE, SIZE, World
from tests.component.replicas import world as made

_COUNTED = """
SELECT demand_kind, supply_kind, lowest, organization, accepted, declined FROM decided
WHERE accepted <> 0 OR declined <> 0 ORDER BY 1, 2, 3, 4
"""
_ORACLE = """
SELECT demand_kind, supply_kind, score / 100 * 100, organization,
  count(*) FILTER (WHERE state <> 'DECLINED'), count(*) FILTER (WHERE state = 'DECLINED')
FROM match, unnest(ARRAY[demand_issuer, supply_issuer]) AS organization
WHERE state = 'DECLINED' OR (demand_accepted AND supply_accepted) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    async with made(platform) as found:
        yield found


def facts(name: str, kind: str, issuer: str) -> Facts:
    return Facts(f"listings/{name}", 1, f"organizations/{issuer}", (), kind, 1)


async def proposed(world: World, number: int, score: int = 567, before: Match | None = None) -> Match:
    """A match; two of them have the same two issuers."""
    demand = facts(f"d{number}", "JOB_POSITION", f"employer{number // 2}")
    supply = facts(f"s{number}", "TALENT_SUPPLY", f"college{number // 2}")
    async with world.database.transaction(CAUSE) as tx:
        change = life.propose(before, demand, supply, Verdict("", score), tx.now)
        await store.write(tx, [change])
    return change.match


async def expired(world: World, name: str) -> Match:
    """The match, ended by the platform."""
    async with world.database.transaction(CAUSE) as tx:
        match = await store.get(tx, name, lock=True)
        assert match
        change = life.expire(match, "信息已撤回", tx.now)
        await store.write(tx, [change])
    return change.match


async def took(world: World, step: str, message: Any) -> Any:
    """What an RPC of a match answers."""
    authority = Authority(ProjectedRegister(), lambda _, __: _nobody(), None)
    matching = Matching(authority, Index(SIZE), None, lambda: None)  # type: ignore[arg-type]
    async with world.database.transaction(Cause("tester", reason="a test")) as tx:
        call = Call("/m", None, "zh", world.database, CAUSE, lambda: None, tx)
        return await getattr(matching, step)(call, message)


async def _nobody() -> frozenset[str]:
    return frozenset()


async def accept(world: World, match: Match) -> None:
    """Both sides do."""
    for side in (match.demand_issuer, match.supply_issuer):
        await took(world, "AcceptMatch", rpc.AcceptMatchRequest(name=match.name, organization=side))


async def decline(world: World, match: Match) -> None:
    """The supply's side does."""
    why = match_pb2.DECLINE_REASON_PAY
    request = rpc.DeclineMatchRequest(name=match.name, organization=match.supply_issuer, decline_reason=why)
    await took(world, "DeclineMatch", request)


async def explained(world: World, match: Match) -> rpc.MatchExplanation:
    answer: rpc.MatchExplanation = await took(world, "ExplainMatch", rpc.ExplainMatchRequest(name=match.name))
    return answer


async def counted(world: World) -> list[tuple[Any, ...]]:
    """The counts, which are those of the matches as they are."""
    found, by_matches = [[tuple(row) for row in await world.rows(one)] for one in (_COUNTED, _ORACLE)]
    assert found == by_matches
    return found


async def test_a_match_is_told_what_became_of_others_like_it_once_nobody_can_be_told_from_it(world: World) -> None:
    matches = [await proposed(world, number) for number in range(14)]
    await asyncio.gather(*(accept(world, one) for one in matches[:8]))  # two at a time are of the same organizations
    await asyncio.gather(*(decline(world, one) for one in matches[8:11]))
    before = await explained(world, matches[12])
    assert not before.HasField("alike"), "without one organization's two, nine are left"
    await decline(world, matches[11])
    after = await explained(world, matches[12])
    assert (after.alike.decided, after.alike.accepted, after.alike.lowest, after.alike.highest) == (12, 8, 500, 599)
    assert "employer" not in str(after.alike)
    assert before.match == after.match, "it changes no score"
    other = await proposed(world, 20, score=600)
    assert not (await explained(world, other)).HasField("alike"), "another band"
    await counted(world)


async def test_the_counts_are_those_of_the_matches_whatever_happens_to_them(world: World) -> None:
    matches = [await proposed(world, number) for number in range(6)]
    for match in matches[:4]:
        await accept(world, match)
    await decline(world, matches[0])
    await decline(world, matches[4])
    assert len(await counted(world)) == 6
    gone = await expired(world, matches[1].name)
    assert (await counted(world))[0][4:] == (1, 1), "what both accepted stays decided"
    again = await proposed(world, 1, 650, gone)
    assert (again.state, (await counted(world))[0][4:]) == (State.PROPOSED, (0, 1)), "proposed anew it is open"
    await decline(world, again)
    assert [row[2:] for row in await counted(world) if row[3] == "organizations/college0"] == [
        (500, "organizations/college0", 0, 1),
        (600, "organizations/college0", 0, 1),
    ]
