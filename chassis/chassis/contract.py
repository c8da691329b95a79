"""What the contract says of an RPC: its classes, its access rule, and whether it changes anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from alliance.common.v1 import access_pb2


@dataclass(frozen=True)
class Method:
    """One RPC."""

    name: str
    full_name: str
    request: type[Message]
    response: type[Message]
    client_streaming: bool
    server_streaming: bool
    permission: str
    resource_field: str

    @property
    def is_command(self) -> bool:
        """Whether it changes anything: every mutation carries a `request_id` (AIP-155)."""
        return "request_id" in self.request.DESCRIPTOR.fields_by_name


@cache
def methods(service: ServiceDescriptor) -> tuple[Method, ...]:
    """The RPCs of a service. Raises ValueError for one without an access rule: deny by default."""
    return tuple(_method(method) for method in service.methods)


def _method(method: MethodDescriptor) -> Method:
    rule = method.GetOptions().Extensions[access_pb2.access]
    if not rule.permission:
        raise ValueError(f"{method.full_name} has no access rule")
    return Method(
        name=method.name,
        full_name=f"/{method.containing_service.full_name}/{method.name}",
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        permission=rule.permission,
        resource_field=rule.resource_field,
    )


def resources(request: Message, path: str) -> list[str]:
    """The resource names at a path like `listing.issuer`; `a|b` takes those that are set, repeated fields all.

    Empty where the path is empty or nothing is set: the permission is needed on the platform then.
    """
    return [name for one in path.split("|") if one for name in _at(request, one.split(".")) if name]


def _at(message: Message, path: list[str]) -> Iterator[str]:
    field = message.DESCRIPTOR.fields_by_name[path[0]]
    value = getattr(message, path[0])
    for one in value if field.is_repeated else [value]:
        if len(path) == 1:
            yield one
        else:
            yield from _at(one, path[1:])
