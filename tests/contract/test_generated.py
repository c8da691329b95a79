"""Topics: declared once, and the same in the messages, the AsyncAPI document and the chassis."""

from importlib import import_module, resources
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from alliance.common.v1 import event_pb2
from chassis import topics
from chassis.topics import Topic
from tests.contract.descriptors import GENERATED, PROTO, bare, files, module_of

DECLARED: dict[str, Any] = yaml.safe_load((PROTO / "topics.yaml").read_text(encoding="utf-8"))
ASYNCAPI: dict[str, Any] = yaml.safe_load((GENERATED / "asyncapi.yaml").read_text(encoding="utf-8"))
SERVICES = {"registry", "listings", "matching", "reporting", "notify"}
META = {
    "internal": event_pb2.EventMeta.DESCRIPTOR.full_name,
    "public": event_pb2.PublicEventMeta.DESCRIPTOR.full_name,
}

each_topic = pytest.mark.parametrize("topic", topics.load().all, ids=lambda topic: topic.name)


def channel(topic: Topic) -> dict[str, Any]:
    """The topic's channel in the AsyncAPI document."""
    found: dict[str, Any] = ASYNCAPI["channels"][topic.name]
    return found


@each_topic
def test_the_message_of_a_topic_is_generated(topic: Topic) -> None:
    described = {f"{file.package}.{message.name}" for file in files() for message in file.message_type}
    assert topic.message in described
    assert topic.message_class().DESCRIPTOR.full_name == topic.message


@each_topic
def test_an_event_has_its_meta_and_the_state_of_its_aggregate(topic: Topic) -> None:
    meta, state = (topic.message_class().DESCRIPTOR.fields_by_name[name] for name in ("meta", topic.aggregate))
    assert meta.message_type
    assert state.message_type
    assert (meta.number, meta.message_type.full_name) == (1, META[topic.classification])
    assert (state.number, state.is_repeated) == (2, False)
    assert "name" in state.message_type.fields_by_name


def test_public_meta_names_nobody_and_numbers_its_fields_like_the_internal_one() -> None:
    internal, public = (meta.DESCRIPTOR.fields_by_name for meta in (event_pb2.EventMeta, event_pb2.PublicEventMeta))
    assert set(public) == {"version", "recorded_at", "effective_at"}
    assert {name: field.number for name, field in public.items()}.items() <= {
        name: field.number for name, field in internal.items()
    }.items()


@each_topic
def test_a_topic_is_named_after_its_classification_owner_and_aggregate(topic: Topic) -> None:
    owner = [topic.owner] if topic.classification == "internal" else []
    assert topic.name == ".".join(["alliance", topic.classification, *owner, topic.aggregate, "v1"])
    assert topic.key.endswith(f"/{{{topic.aggregate}}}")
    assert topic.owner in SERVICES
    assert set(topic.consumers) <= SERVICES - {topic.owner}
    assert topic.partitions >= 1
    assert topic.types
    assert len(set(topic.types)) == len(topic.types)


def test_asyncapi_knows_the_topics_and_no_others() -> None:
    names = [topic["name"] for topic in DECLARED["topics"]]
    assert len(set(names)) == len(names)
    assert list(ASYNCAPI["channels"]) == names
    assert list(ASYNCAPI["operations"]) == [f"receive-{name}" for name in names]


@each_topic
def test_asyncapi_names_key_owner_and_classification(topic: Topic) -> None:
    found = channel(topic)
    assert found["address"] == topic.name
    assert found["description"] == f"Key: {topic.key}. Owner: {topic.owner}."
    assert found["tags"] == [{"name": topic.classification}]


@each_topic
def test_asyncapi_names_message_and_verbs(topic: Topic) -> None:
    (message,) = channel(topic)["messages"].values()
    assert message["name"] == topic.message
    assert message["payload"]["schema"] == f"descriptors.binpb#{topic.message}"
    restored = ["restored"] if topic.classification == "internal" else []
    assert message["x-types"] == [topic.type_of(verb) for verb in (*topic.types, *restored)]


@each_topic
def test_asyncapi_says_how_the_topic_is_kept(topic: Topic) -> None:
    production = topics.load().config("production")
    kafka = channel(topic)["bindings"]["kafka"]
    assert (kafka["topic"], kafka["partitions"]) == (topic.name, topic.partitions)
    assert kafka["topicConfiguration"]["cleanup.policy"] == [production["cleanup.policy"]] == ["compact"]
    assert str(kafka["topicConfiguration"]["delete.retention.ms"]) == production["delete.retention.ms"]


def test_no_change_is_compacted_away_within_thirty_days() -> None:
    production = topics.load().config("production")
    thirty_days = 30 * 24 * 60 * 60 * 1000
    assert int(production["min.compaction.lag.ms"]) >= thirty_days
    assert int(production["delete.retention.ms"]) >= thirty_days
    assert int(production["max.compaction.lag.ms"]) > int(production["min.compaction.lag.ms"])


def test_the_chassis_reads_the_topics_as_they_are_declared() -> None:
    copy = resources.files("alliance").joinpath("topics.yaml").read_bytes()
    assert copy == (PROTO / "topics.yaml").read_bytes()
    read = topics.load()
    assert [vars(topic) for topic in read.all] == [
        {"consecutive": True, **one, "types": tuple(one["types"]), "consumers": tuple(one["consumers"])}
        for one in DECLARED["topics"]
    ]
    assert {name: read.config(name) for name in read.profiles} == {
        name: {key: str(value) for key, value in profile.items()} for name, profile in DECLARED["profiles"].items()
    }


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_the_descriptors_are_those_of_the_generated_code(file: FileDescriptorProto) -> None:
    module = import_module(module_of(file))
    generated = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    assert bare(generated).SerializeToString(deterministic=True) == bare(file).SerializeToString(deterministic=True)
