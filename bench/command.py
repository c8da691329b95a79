"""One command by gRPC (`CreateListing`: validate, authorise, write, event, queue): CPU of the server's process a call.

Both servers are processes of their own, called eight at a time by the same client with the same request and token. Ours is
listings with nothing beside its calls: the relay has a benchmark of its own. The floor is an empty handler and an asyncpg
transaction that writes the same four rows (request log, listing, event, queue), of about the same size, in three statements.
It leaves out: decoding the request, the token, the grants, the issuer, every check of the listing, encoding it and its event,
spans, metrics.
"""

import asyncio
from functools import partial
from typing import Any
from uuid import uuid4

import grpc

from access import tables
from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from bench import ground
from bench.ground import CAUSE, Ground, Store
from bench.measure import Metric, Result, Taken, Watch, interleaved
from bench.process import Serving, serving
from bench.serving import METHOD
from chassis.ids import resource

METRIC = Metric("one command, CPU", "µs/call", lambda taken: taken.cpu_each, goal=2)
_CALLS = 1500  # a turn
_AT_ONCE = 8


async def _called(server: Serving, token: str, issuer: str, count: int) -> Taken:
    """A turn: so many calls, some at once."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        call: Any = channel.unary_unary(METHOD, rpc.CreateListingRequest.SerializeToString)

        async def some(number: int) -> None:
            for _ in range(number):
                listing = ground.event().listing
                listing.issuer = issuer
                request = rpc.CreateListingRequest(listing=listing, request_id=str(uuid4()))
                await call(request, metadata=(("authorization", f"Bearer {token}"),))

        await some(20)
        watch = Watch(server.pid)
        await asyncio.gather(*(some(count // _AT_ONCE) for _ in range(_AT_ONCE)))
        return watch.taken(count // _AT_ONCE * _AT_ONCE)


async def _admit(store: Store, sub: str, organization: str) -> None:
    """What the store knows of the register: an organization, and who acts for it."""
    async with store.database.transaction(CAUSE) as tx:
        known = {"name": organization, "display_name": "虚构示例单位", "org_type": 1, "verified": False}
        await tx.conn.execute(tables.organization.insert().values(**known, parent="", region_code=""))
        role = {"name": resource("grants"), "principal": sub, "role": access_pb2.ROLE_ORGANIZATION_ADMIN}
        await tx.conn.execute(tables.grant.insert().values(**role, organization=organization, body="", active=True))


async def run(given: Ground) -> list[Result]:
    """Measure."""
    platform, issuer = given.platform, resource("organizations")
    token = platform.token("bench", issuer)
    async with ground.store(platform, "command") as store, ground.store(platform, "bare") as other:
        await _admit(store, "bench", issuer)
        async with (
            serving(platform, other, "bench.serving", "bare") as bare,
            serving(platform, store, "bench.serving", "commands") as own,
        ):
            called = partial(_called, token=token, issuer=issuer, count=given.some(_CALLS))
            return [await interleaved(METRIC, partial(called, bare), partial(called, own), given.rounds)]
