"""The gRPC server of a service: its offers, the operator's services, health, and reflection in development."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.contract import methods
from chassis.rpc import Pipeline
from chassis.service import Offer

_GRACE = 10.0  # seconds that calls under way may take to end
_MAX_MESSAGE = 8 * 1024 * 1024  # bytes; an import's chunk of 1000 rows
_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE),
    ("grpc.max_send_message_length", 4 * _MAX_MESSAGE),
    ("grpc.so_reuseport", 1),  # for the acceptors
]
_ACCEPTORS = 4
"""gRPC servers that share the port. Each takes one call in some five turns of the loop: with one alone, calls wait to be
accepted, unseen by any limit, while those under way keep the loop's turns long. The kernel deals the connections out."""


class Server:
    """One server on one port."""

    def __init__(self, pipeline: Pipeline, offers: Sequence[Offer], *, with_reflection: bool) -> None:
        self._servers = [grpc.aio.server(options=_OPTIONS) for _ in range(_ACCEPTORS)]
        self._health = health.aio.HealthServicer()
        self._names = [offer.descriptor.full_name for offer in offers]
        handlers = [_Methods(pipeline, offer) for offer in offers]
        for server in self._servers:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
            server.add_generic_rpc_handlers(handlers)
            if with_reflection:
                reflection.enable_server_reflection((*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)

    async def start(self, listen: str) -> int:
        """Listen on `host:port` (port 0: any free one) and return the port; health still says NOT_SERVING."""
        first, *others = self._servers
        port = first.add_insecure_port(listen)
        for server in others:
            server.add_insecure_port(f"{listen.rpartition(':')[0]}:{port}")
        await self.serving(False)
        for server in self._servers:
            await server.start()
        return int(port)

    async def serving(self, yes: bool) -> None:
        """What health says of the server and each of its services."""
        said = health_pb2.HealthCheckResponse.SERVING if yes else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, said)

    async def stop(self) -> None:
        """Take no new calls and let those under way end."""
        await self._health.enter_graceful_shutdown()
        await asyncio.gather(*(server.stop(_GRACE) for server in self._servers))


class _Methods(grpc.GenericRpcHandler):
    """A service's methods, or a refusal in place of each while the pipeline has no room: so the request is not even read."""

    def __init__(self, pipeline: Pipeline, offer: Offer) -> None:
        self._pipeline = pipeline
        self._handlers = {
            f"/{offer.descriptor.full_name}/{method.name}": (
                pipeline.handler(method, offer.implementation, offer.reread),
                pipeline.refusal(method),
            )
            for method in methods(offer.descriptor)
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """See `grpc.GenericRpcHandler`."""
        found = self._handlers.get(handler_call_details.method)
        return found and found[self._pipeline.is_full()]
