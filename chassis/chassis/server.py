"""The gRPC server of a service: its offers, the operator's services, health, and reflection in development."""

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
    ("grpc.so_reuseport", 0),
]


class Server:
    """One server on one port."""

    def __init__(self, pipeline: Pipeline, offers: Sequence[Offer], *, with_reflection: bool) -> None:
        self._server = grpc.aio.server(options=_OPTIONS)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for offer in offers:
            self._server.add_generic_rpc_handlers((_Methods(pipeline, offer),))
        self._names = [offer.descriptor.full_name for offer in offers]
        if with_reflection:
            names = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    async def start(self, listen: str) -> int:
        """Listen on `host:port` (port 0: any free one) and return the port; health still says NOT_SERVING."""
        port = self._server.add_insecure_port(listen)
        await self.serving(False)
        await self._server.start()
        return int(port)

    async def serving(self, yes: bool) -> None:
        """What health says of the server and each of its services."""
        said = health_pb2.HealthCheckResponse.SERVING if yes else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, said)

    async def stop(self) -> None:
        """Take no new calls and let those under way end."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(_GRACE)


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
