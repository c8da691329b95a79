"""Reading a topic from its start to the end that it has, beside all groups."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import topics
from chassis.kafka import KafkaAccess, TolerantConsumer
from chassis.record import RawRecord, Record, UndecodableError, decode

_BATCH = 500  # records given at once, at most
_POLL_MS = 200


@dataclass(frozen=True)
class Newest:
    """A key's highest version, and whether it took the key off the topic."""

    version: int
    gone: bool


class Reader:
    """Reads one topic, as often as it is asked to."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._ends = ends

    @property
    def size(self) -> int:
        """How far the topic goes."""
        return sum(self._ends.values())

    async def records(self) -> AsyncIterator[list[Record]]:
        """What can be read of it, in the partitions' order."""
        for partition, first in (await self._consumer.beginning_offsets(list(self._ends))).items():
            self._consumer.seek(partition, first)
        while [one for one, end in self._ends.items() if await self._consumer.position(one) < end]:
            for partition, found in (await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH)).items():
                within = [one for one in found if one.offset < self._ends[partition]]
                yield [record for one in within if (record := _decoded(one)) is not None]

    async def newest(self) -> dict[str, Newest]:
        """Each key's newest record."""
        found: dict[str, Newest] = {}
        async for records in self.records():
            for one in records:
                if one.key not in found or one.version >= found[one.key].version:
                    found[one.key] = Newest(one.version, one.message is None)
        return found


@asynccontextmanager
async def topic(access: KafkaAccess, name: str) -> AsyncIterator[Reader]:
    """A reader of a topic. Raises KafkaError where the broker can't be reached or does not know the topic."""
    consumer = TolerantConsumer(**access.options(), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(topics.load().named(name).partitions)]
        consumer.assign(partitions)
        yield Reader(consumer, await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


def _decoded(one: Any) -> Record | None:
    raw = RawRecord(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
    try:
        return decode(raw)
    except UndecodableError:
        return None
