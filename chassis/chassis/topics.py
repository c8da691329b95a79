"""Topics 主题 as `proto/topics.yaml` declares them; the contract package carries the file."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from typing import Any

import yaml
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message

RESTORED = "restored"
"""Verb, on every internal topic, of an aggregate's state after its service's database was restored to an earlier point."""


@dataclass(frozen=True)
class Topic:
    """One topic. `key` is the pattern of its records' resource names, `message` the full name of their message."""

    name: str
    owner: str
    key: str
    message: str
    types: tuple[str, ...]
    partitions: int
    classification: str
    consumers: tuple[str, ...]
    consecutive: bool = True
    """Whether each version of a key follows the one before; those of public topics only rise."""

    @property
    def aggregate(self) -> str:
        """`listing` of `alliance.internal.listings.listing.v1`."""
        return self.name.split(".")[-2]

    def takes(self, verb: str) -> bool:
        """Whether events of a verb may be on the topic."""
        return verb in self.types or (verb == RESTORED and self.classification == "internal")

    def type_of(self, verb: str) -> str:
        """The `ce_type` of a verb, e.g. `alliance.listings.listing.published.v1`."""
        return f"alliance.{self.owner}.{self.aggregate}.{verb}.v1"

    def message_class(self) -> type[Message]:
        """The class of the topic's message."""
        return message_class(self.message)


@dataclass(frozen=True)
class Topics:
    """All topics and the profiles of their configuration."""

    all: tuple[Topic, ...]
    profiles: dict[str, dict[str, Any]]

    def named(self, name: str) -> Topic:
        """One topic; raises KeyError for an unknown one."""
        return _by_name()[name]

    def declares(self, name: str) -> bool:
        """Whether there is such a topic: a release that was taken back may have written events of one that this one lacks."""
        return name in _by_name()

    def owned_by(self, service: str) -> list[Topic]:
        """The topics that a service writes."""
        return [topic for topic in self.all if topic.owner == service]

    def config(self, profile: str) -> dict[str, str]:
        """Kafka's topic configuration in a profile (`production`, `test`)."""
        return {name: str(value) for name, value in self.profiles[profile].items()}


@cache
def load() -> Topics:
    """Read the declared topics."""
    text = resources.files("alliance").joinpath("topics.yaml").read_text(encoding="utf-8")
    declared = yaml.safe_load(text)
    topics = tuple(
        Topic(**{**one, "types": tuple(one["types"]), "consumers": tuple(one["consumers"])}) for one in declared["topics"]
    )
    return Topics(topics, declared["profiles"])


@cache
def _by_name() -> dict[str, Topic]:
    return {topic.name: topic for topic in load().all}


@cache
def message_class(full_name: str) -> type[Message]:
    """The generated class of a message; its module is imported when first asked for."""
    import_module(_module_of(full_name))
    found = descriptor_pool.Default().FindMessageTypeByName(full_name)
    return message_factory.GetMessageClass(found)


@cache
def _modules() -> dict[str, str]:
    """Full message name → Python module, out of the committed descriptor set."""
    content = resources.files("alliance").joinpath("descriptors.binpb").read_bytes()
    return {
        f"{file.package}.{message.name}": file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        for file in FileDescriptorSet.FromString(content).file
        for message in file.message_type
    }


def _module_of(full_name: str) -> str:
    return _modules()[full_name]
