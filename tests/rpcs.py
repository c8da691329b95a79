"""Every RPC of the platform, out of the contracts; for tests that try them all."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from google.protobuf.message import Message

from alliance_local.caller import Caller
from chassis import contract

_CONTRACTS = {
    **{name: f"{name}.v1.{name}" for name in ("registry", "listings", "matching", "reporting", "notify", "admin")},
    "applications": "registry.v1.application",
    "documents": "registry.v1.document",
    "people": "listings.v1.person",
    "bookings": "listings.v1.booking",
    "personal_data": "admin.v1.personal_data",
    "feeds": "listings.v1.feed",
    "reviews": "matching.v1.review",
    "searches": "matching.v1.search",
    "statistics": "matching.v1.statistics",
}
"""What a caller calls a service → where its contract is."""


def methods() -> Iterator[tuple[str, contract.Method]]:
    """Every RPC with the service that offers it; those that all offer under names of their own."""
    for service, contract_of in _CONTRACTS.items():
        for descriptor in import_module(f"alliance.{contract_of}_service_pb2").DESCRIPTOR.services_by_name.values():
            for method in contract.methods(descriptor):
                yield service, method


def call(caller: Caller, service: str, method: contract.Method, *requests: Message) -> Any:
    """Call one; `requests` are several only where the RPC takes a stream."""
    every = {"admin": caller.admin, "personal_data": caller.personal_data}
    stub = every[service]("listings") if service in every else getattr(caller, service)
    call: Callable[[Any], Any] = getattr(stub, method.name)
    return list(call(iter(requests))) if method.client_streaming else call(requests[0])
