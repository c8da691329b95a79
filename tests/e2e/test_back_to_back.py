"""Organization, membership and listing one right after the other, while listings hears nothing of the register."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import grpc
import pytest

from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from tests import world


@asynccontextmanager
async def _paused_projections(platform: Platform) -> AsyncIterator[asyncpg.Connection]:
    """Nothing that listings consumes can have an effect: every consumer waits for the lock on `applied`."""
    connection = await asyncpg.connect(Postgres(platform.state).url("listings", "postgres"))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE applied IN SHARE MODE")
            yield connection
    finally:
        await connection.close()


async def test_a_new_member_publishes_at_once(platform: Platform) -> None:
    body = await asyncio.to_thread(world.alliance, platform)
    async with _paused_projections(platform) as connection:
        member = await asyncio.to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
        await asyncio.to_thread(world.join, platform, body.name, member)
        job = world.job(member.name, "封装工程师", (body.name,))
        published = await asyncio.to_thread(world.publish, member, job)
        assert published.state == listing_pb2.LISTING_STATE_PUBLISHED
        assert not await connection.fetchval("SELECT count(*) FROM access_organization WHERE name = $1", member.name)


async def test_who_is_no_member_is_refused_all_the_same(platform: Platform) -> None:
    body = await asyncio.to_thread(world.alliance, platform)
    async with _paused_projections(platform):
        stranger = await asyncio.to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
        with pytest.raises(grpc.RpcError) as refused:
            await asyncio.to_thread(world.publish, stranger, world.job(stranger.name, "封装工程师", (body.name,)))
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "NOT_A_MEMBER" in str(refused.value.details())


async def test_an_alliance_that_was_just_formed_opens_its_first_round_at_once(platform: Platform) -> None:
    async with _paused_projections(platform):
        body, _ = await asyncio.to_thread(world.formed_alliance, platform)
        request = listings_service_pb2.OpenFirstRoundRequest(
            body=body.name, council_opens_on=body.formed_on, council_closes_on=body.formed_on
        )
        opened = await asyncio.to_thread(world.operator(platform).listings.OpenFirstRound, request)
        assert opened.body == body.name
