"""Proposing, one transaction at a time: no pair falls between two that go on at once."""

import asyncio
from typing import Any

import pytest

from alliance.listings.v1 import listing_pb2
from matching.domain.facts import Facts
from matching.index import Draft
from matching.mapping import entry_of
from matching.proposing import Proposing
from matching.settings import MatchingSettings
from tests.component.conftest import CAUSE, Probe


async def test_who_joins_while_its_first_listing_is_judged_is_judged_again(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listing's transaction does not see the membership, and the membership's does not see the listing yet."""
    authority: Any = None
    proposing, planned = Proposing(authority, MatchingSettings.model_construct()), list[str]()
    listing = listing_pb2.Listing(
        name="listings/a", issuer="organizations/a", kind=listing_pb2.LISTING_KIND_JOB_POSITION, title="封装工程师"
    )

    async def plan(tx: Any, draft: Draft, facts: Facts) -> None:
        planned.append(facts.name)

    monkeypatch.setattr(proposing, "_plan", plan)

    async def joins() -> None:
        async with probe.database.transaction(CAUSE) as tx:
            await proposing.reconsider(tx, "organizations/a")

    async with probe.database.transaction(CAUSE) as tx:
        await proposing.put(tx, entry_of(listing, 1))
        joining = asyncio.create_task(joins())
        await asyncio.sleep(0.2)
        assert not joining.done()
    await joining
    assert planned == ["listings/a", "listings/a"]
