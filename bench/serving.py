"""Servers that benchmarks measure from outside, each a process of its own: `python -m bench.serving KIND`.

    commands   the service listings without what it does beside its calls: no relay, no consumers, no sweeps
    bare       the floor of one command: an empty gRPC handler, and an asyncpg transaction that writes the same rows
    empty      the floor of a start: a grpc.aio server with nothing but health, and the imports of listings

Settings are those of the service; the port is written where a service writes it.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis import main as _imports  # noqa: F401 - what a service loads
from chassis import telemetry
from chassis.auth import Tokens
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Database
from chassis.limit import Limit
from chassis.rpc import Pipeline
from chassis.server import Server
from chassis.service import Context
from listings.app import ListingsParts
from listings.settings import ListingsSettings

METHOD = "/alliance.listings.v1.ListingsService/CreateListing"
_REQUEST = """
INSERT INTO request_log (principal, method, request_id, request_hash, created_at, response) VALUES ($1, $2, $3, $4, $5, $6)
"""
_LISTING = """
INSERT INTO listing (name, version, issuer, kind, state, visibility, bodies, areas, source, external_key, content_hash,
                     valid_from, valid_to, list_year, create_time, update_time, content)
VALUES ($1, 1, $2, 3, 1, 1, '{}', '{}', '', '', $3, $4, $4, 0, $5, $5, $6)
"""
_EVENT = """
WITH e AS (
  INSERT INTO event (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id, request_id,
                     traceparent, recorded_at, effective_at)
  VALUES ($1, 'alliance.internal.listings.listing.v1', $2, 1, 'alliance.listings.listing.created.v1', $3, $4, $5, '', '', $6,
          '00-00000000000000000000000000000001-0000000000000001-00', $7, $7)
)
INSERT INTO outbox (event_id, key) VALUES ($1, $2)
"""


async def _commands(settings: ListingsSettings) -> int:
    """The service's own calls."""
    telemetry.setup("listings", None, None, settings.trace_ratio)
    system = SystemClock()
    clock = BusinessClock(system)
    database = Database(settings.database_url.get_secret_value(), system=system, business=clock, pool=settings.database_pool)
    parts = ListingsParts(Context(settings, database, clock, system, database))
    tokens = Tokens(settings.jwks_file, settings.token_issuer, settings.token_audience)
    pipeline = Pipeline(database, tokens, parts.authoriser(), Limit(settings.grpc_max_concurrent), lambda: None)
    server = Server(pipeline, parts.offers(), with_reflection=False)
    port = await server.start(settings.grpc_listen)
    await server.serving(True)
    _kept.append(server)
    return port


class _Bare:
    """Writes the rows of one `CreateListing` and answers with the request's own bytes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def create(self, request: bytes, _: Any) -> bytes:
        """Request log, listing, event and its place in the queue."""
        name, now, identifier = f"listings/{uuid4()}", datetime.now(UTC), uuid4()
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_REQUEST, "bench", METHOD, identifier, _HASH, now, request)
            await connection.execute(_LISTING, name, _ORGANIZATION, _HASH.hex(), now.date(), now, request)
            await connection.execute(_EVENT, uuid4(), name, request, "bench", _ORGANIZATION, str(identifier), now)
        return request


async def _bare(settings: ListingsSettings) -> int:
    pool = await asyncpg.create_pool(settings.database_url.get_secret_value(), min_size=10, max_size=10)
    handler: Any = grpc.unary_unary_rpc_method_handler(_Bare(pool).create)
    service, name = METHOD[1:].split("/")
    return await _served(settings, grpc.method_handlers_generic_handler(service, {name: handler}))


async def _empty(settings: ListingsSettings) -> int:
    return await _served(settings)


async def _served(settings: ListingsSettings, *handlers: grpc.GenericRpcHandler) -> int:
    """A server with health and these handlers."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port(settings.grpc_listen)
    await server.start()
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    _kept.append(server)
    return port


_HASH = bytes(32)
_ORGANIZATION = f"organizations/{UUID(int=1)}"
_KINDS = {"commands": _commands, "bare": _bare, "empty": _empty}
_kept: list[Any] = []  # a server ends with the last reference to it


async def _main() -> None:
    settings = ListingsSettings(service="listings")  # the rest comes from the environment
    port = await _KINDS[sys.argv[1]](settings)
    if settings.ports_file:
        settings.ports_file.write_text(json.dumps({"grpc": port}), encoding="utf-8")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main())
