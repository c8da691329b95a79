"""What the contract knows of the fields of a message (alliance.common.v1.field, ADR 0023)."""

from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from alliance.common.v1 import field_pb2


def known_of(field: FieldDescriptor) -> field_pb2.Field:
    """The options of a field; nothing in them where the contract knows nothing of it."""
    known: field_pb2.Field = field.GetOptions().Extensions[field_pb2.field]
    return known


@cache
def written_by_issuers(message: Descriptor) -> dict[str, field_pb2.Field]:
    """What is known of the fields of a message; kind and identity, and those of the platform, are looked at apart."""
    apart = ("kind", "visibility", "issuer", "source", "external_key", "etag")
    return {
        field.name: known
        for field in message.fields
        if not (known := known_of(field)).output_only and field.name not in apart and known.zh
    }


@cache
def required(message: Descriptor) -> list[tuple[FieldDescriptor, field_pb2.Field]]:
    """Those that can't be left out; a number that has to be more than 0 is one of them."""
    wanted = {name: known for name, known in written_by_issuers(message).items() if known.required or known.min > 0}
    return [(message.fields_by_name[name], known) for name, known in wanted.items()]
