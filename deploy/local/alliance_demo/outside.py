"""An outside subscriber: a program that imports nothing of the platform.

It has what the platform publishes, `descriptors.binpb` and `asyncapi.yaml`, and credentials of its own; it reads the public
topics from the start and prints what stands there now, as JSON: topic → key → resource.

    python outside.py FOLDER    with descriptors.binpb, asyncapi.yaml and credentials.json
                                {"bootstrap": …, "username": …, "password": …}
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.json_format import MessageToDict


def public_channels(asyncapi: dict[str, Any]) -> list[dict[str, Any]]:
    """The channels that everybody may read."""
    return [channel for channel in asyncapi["channels"].values() if {"name": "public"} in channel["tags"]]


class State:
    """The newest record of every key; the version is kept after a null value too."""

    def __init__(self, folder: Path, channels: list[dict[str, Any]]) -> None:
        pool = descriptor_pool.DescriptorPool()
        for file in FileDescriptorSet.FromString((folder / "descriptors.binpb").read_bytes()).file:
            pool.Add(file)
        names = {one["address"]: next(iter(one["messages"].values()))["name"] for one in channels}
        self._classes = {
            topic: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for topic, name in names.items()
        }
        self._versions: dict[tuple[str, str], int] = {}
        self.found: dict[str, dict[str, Any]] = {topic: {} for topic in names}

    def take(self, record: Any) -> None:
        """One record; one that is not newer than what is known is dropped."""
        key = record.key.decode()
        version = int(dict(record.headers)["ce_sequence"])
        if version <= self._versions.get((record.topic, key), 0):
            return
        self._versions[record.topic, key] = version
        if record.value is None:
            self.found[record.topic].pop(key, None)
            return
        message = self._classes[record.topic].FromString(record.value)
        resource = next(value for field, value in message.ListFields() if field.name != "meta")
        self.found[record.topic][key] = MessageToDict(resource, preserving_proto_field_name=True)


async def read(folder: Path) -> State:
    """Everything up to the topics' ends."""
    channels = public_channels(yaml.safe_load((folder / "asyncapi.yaml").read_text(encoding="utf-8")))
    access = json.loads((folder / "credentials.json").read_text(encoding="utf-8"))
    state = State(folder, channels)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=access["bootstrap"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=access["username"],
        sasl_plain_password=access["password"],
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        partitions = {one["address"]: one["bindings"]["kafka"]["partitions"] for one in channels}
        consumer.assign([TopicPartition(topic, number) for topic, count in partitions.items() for number in range(count)])
        ends = await consumer.end_offsets(consumer.assignment())
        while [one for one, end in ends.items() if await consumer.position(one) < end]:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    state.take(record)
    finally:
        await consumer.stop()
    return state


if __name__ == "__main__":
    json.dump(asyncio.run(read(Path(sys.argv[1]))).found, sys.stdout, ensure_ascii=False, sort_keys=True)
