"""The contract as its committed descriptor set has it."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

PROTO = Path(__file__).resolve().parents[2] / "proto"
GENERATED = PROTO / "gen" / "alliance"
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def files() -> list[FileDescriptorProto]:
    """The platform's own files."""
    described = FileDescriptorSet.FromString((GENERATED / "descriptors.binpb").read_bytes())
    return [file for file in described.file if file.package.startswith("alliance.")]


def messages(file: FileDescriptorProto) -> Iterator[DescriptorProto]:
    """Messages of a file with those inside them, but without the entries of maps."""
    waiting = list(file.message_type)
    while waiting:
        message = waiting.pop()
        if not message.options.map_entry:
            yield message
            waiting += message.nested_type


def enums() -> list[EnumDescriptorProto]:
    """All enums."""
    return [one for file in files() for held in (file.enum_type, *(one.enum_type for one in messages(file))) for one in held]


def fields() -> list[tuple[DescriptorProto, FieldDescriptorProto]]:
    """All fields with their messages."""
    return [(message, field) for file in files() for message in messages(file) for field in message.field]


def methods() -> list[tuple[str, MethodDescriptorProto]]:
    """All RPCs with their packages."""
    return [(file.package, method) for file in files() for service in file.service for method in service.method]


def services() -> Iterator[ServiceDescriptor]:
    """All services, as the generated code has them."""
    for file in files():
        yield from import_module(module_of(file)).DESCRIPTOR.services_by_name.values()


def module_of(file: FileDescriptorProto) -> str:
    """The Python module of a file."""
    return file.name.removesuffix(".proto").replace("/", ".") + "_pb2"


def bare(file: FileDescriptorProto) -> FileDescriptorProto:
    """A file without the JSON names, which only the descriptor set spells out."""
    waiting = list(file.message_type)
    for extension in file.extension:
        extension.ClearField("json_name")
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        for field in message.field:
            field.ClearField("json_name")
    return file
