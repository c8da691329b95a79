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
from chassis.tls import Files

_GRACE = 10.0  # seconds that calls under way may take to end
_CATCH_UP = 0.2  # seconds in which the loop accepts what has come
_MAX_MESSAGE = 8 * 1024 * 1024  # bytes; an import's chunk of 1000 rows
_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE),
    ("grpc.max_send_message_length", 4 * _MAX_MESSAGE),
    ("grpc.so_reuseport", 1),  # for the acceptors
    ("grpc.max_connection_age_ms", 5 * 60 * 1000),  # callers connect anew, to pods that came meanwhile, too; calls may end
]
_ACCEPTORS = 4
"""gRPC servers that share the port. Each takes one call in some five turns of the loop: with one alone, calls wait to be
accepted, unseen by any limit, while those under way keep the loop's turns long. The kernel deals the connections out."""


SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Probes:
    """What health says of a process, by names that the kubelet asks for: `startup` and `liveness` once it runs at all (the
    loop that turns everything is the one that answers), `readiness` while it takes calls. Neither database nor broker counts
    for the first two: to start anew would not bring them back.
    """

    def __init__(self) -> None:
        self.health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None

    async def start(self, listen: str | None) -> None:
        """Say that it runs and takes no calls yet; on a plain port of its own, too, where there is one."""
        for name in ("startup", "liveness"):
            await self.health.set(name, SERVING)
        await self.ready(False)
        if listen:
            self._server = grpc.aio.server()
            health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
            self._server.add_insecure_port(listen)
            await self._server.start()

    async def ready(self, yes: bool, *names: str) -> None:
        """Whether calls are taken: by the server, and by each of its services."""
        for name in ("", "readiness", *names):
            await self.health.set(name, SERVING if yes else NOT_SERVING)

    async def stop(self) -> None:
        """Close the port."""
        if self._server:
            await self._server.stop(None)


class Server:
    """One server on one port; by mTLS where there are `files`."""

    def __init__(
        self,
        pipeline: Pipeline,
        offers: Sequence[Offer],
        *,
        with_reflection: bool,
        files: Files | None = None,
        probes: Probes | None = None,
    ) -> None:
        self._servers = [grpc.aio.server(options=_OPTIONS) for _ in range(_ACCEPTORS)]
        self._probes = probes or Probes()
        self._names = [offer.descriptor.full_name for offer in offers]
        self._files = files
        handlers = [_Methods(pipeline, offer) for offer in offers]
        for server in self._servers:
            health_pb2_grpc.add_HealthServicer_to_server(self._probes.health, server)
            server.add_generic_rpc_handlers(handlers)
            if with_reflection:
                reflection.enable_server_reflection((*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)

    async def start(self, listen: str) -> int:
        """Listen on `host:port` (port 0: any free one) and return the port; health still says NOT_SERVING."""
        first, *others = self._servers
        port = self._add_port(first, listen)
        for server in others:
            self._add_port(server, f"{listen.rpartition(':')[0]}:{port}")
        await self.serving(False)
        for server in self._servers:
            await server.start()
        return int(port)

    def _add_port(self, server: grpc.aio.Server, listen: str) -> int:
        return server.add_secure_port(listen, self._files.server()) if self._files else server.add_insecure_port(listen)

    async def serving(self, yes: bool) -> None:
        """What health says of the server and each of its services."""
        await self._probes.ready(yes, *self._names)

    async def stop(self) -> None:
        """Take no new calls and let those under way end. Those that came and were not accepted yet would end as CANCELLED,
        by gRPC: so the loop catches up before. What comes in the last moment does; callers send that again, as they do what
        is UNAVAILABLE.
        """
        await self.serving(False)
        await asyncio.sleep(_CATCH_UP)
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
