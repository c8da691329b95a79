"""Weights are fitted to the decisions of the days asked for, out of the event store."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest

from alliance.matching.v1 import events_pb2, match_pb2
from alliance_local.control import Platform
from chassis.clock import SHANGHAI
from matching import fit
from matching.store import TOPIC
from tests.component.replicas import CAUSE, World
from tests.component.replicas import world as made

_FIRST, _END = date(2026, 3, 1), date(2026, 3, 31)


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    async with made(platform) as found:
        yield found


async def decided(world: World, match: str, version: int, verb: str, state: Any, at: datetime) -> None:
    """A step of a match."""
    parts = [match_pb2.ScorePart(feature="text", value=100 * version, weight=1000)]
    event = events_pb2.MatchEvent(match=match_pb2.Match(name=match, state=state, score=100 * version, parts=parts))
    async with world.database.transaction(CAUSE) as tx:
        tx.emit(TOPIC, match, version, verb, event, effective_at=at)


async def test_the_last_decision_of_the_days_counts(world: World) -> None:
    accepted, declined = match_pb2.MATCH_STATE_ACCEPTED, match_pb2.MATCH_STATE_DECLINED
    midnight, last = datetime(2026, 3, 1, tzinfo=SHANGHAI), datetime(2026, 3, 30, 23, 59, 59, tzinfo=SHANGHAI)
    too_early, too_late = datetime(2026, 2, 28, 23, 59, 59, tzinfo=SHANGHAI), datetime(2026, 3, 31, tzinfo=SHANGHAI)
    await decided(world, "matches/early", 2, "accepted", accepted, too_early)
    await decided(world, "matches/first", 2, "accepted", accepted, midnight)
    await decided(world, "matches/last", 2, "declined", declined, last)
    await decided(world, "matches/late", 2, "declined", declined, too_late)
    await decided(world, "matches/one", 2, "accepted", match_pb2.MATCH_STATE_PROPOSED, midnight)  # one side only
    await decided(world, "matches/expired", 2, "expired", match_pb2.MATCH_STATE_EXPIRED, midnight)
    await decided(world, "matches/both", 3, "accepted", accepted, midnight)
    await decided(world, "matches/both", 4, "declined", declined, last)
    found = {one.match: (one.is_accepted, one.score) for one in await fit.decisions(world.database, _FIRST, _END)}
    assert found == {"matches/first": (True, 200), "matches/last": (False, 200), "matches/both": (False, 400)}
    again = await fit.decisions(world.database, _FIRST, _END)
    assert fit.written(fit.fitted(again, 1)) == fit.written(fit.fitted(again[::-1], 1))
