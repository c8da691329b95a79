"""Reading a topic from its start to the end that it has, beside all groups."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis import topics
from chassis.kafka import KafkaAccess, TolerantConsumer
from chassis.record import RawRecord, Record, UndecodableError, decode
from chassis.topicid import topic_id

log = logging.getLogger(__name__)
_BATCH = 500  # records given at once, at most
_POLL_MS = 200
_FETCH_MS = 50  # what is asked of the broker besides waits behind a fetch that finds nothing


Place = tuple[int, int]
"""Partition and offset of a record."""


@dataclass(frozen=True)
class Newest:
    """A key's highest version, whether it took the key off the topic, and where its last copy is: a replay puts more there."""

    version: int
    gone: bool
    place: Place


class Unreadable(NamedTuple):
    """A record that can't be decoded: its key and its event's id, as far as they can be read."""

    key: str
    id: str


class MovedError(KafkaError):  # type: ignore[misc]
    """While it was read, the topic was made anew, or lost its end: who waits for the end that it had waits for ever."""

    retriable = True


class Reader:
    """Reads one topic, as often as it is asked to."""

    def __init__(self, consumer: AIOKafkaConsumer, name: str, identifier: UUID, ends: Mapping[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._name = name
        self._id = identifier
        self._ends = ends
        self.unreadable: list[Unreadable] = []
        """What the last reading had to leave out."""

    @property
    def size(self) -> int:
        """How far the topic goes."""
        return sum(self._ends.values())

    async def records(self) -> AsyncIterator[list[Record]]:
        """What can be read of it, in the partitions' order; nothing, now and then, where it is waited for.

        Raises `MovedError`.
        """
        self.unreadable = []
        for partition, first in (await self._consumer.beginning_offsets(list(self._ends))).items():
            self._consumer.seek(partition, first)
        while [one for one, end in self._ends.items() if await self._consumer.position(one) < end]:
            polled = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH)
            for partition, found in polled.items():
                within = [one for one in found if one.offset < self._ends[partition]]
                yield [record for one in within if (record := self._decoded(one)) is not None]
            if not polled:
                await self._look()
                yield []
        await self._look()

    async def _look(self) -> None:
        """Raises `MovedError`, or another KafkaError where nobody answers."""
        ends = await self._consumer.end_offsets(list(self._ends))
        if await topic_id(self._consumer, self._name) != self._id or any(ends[one] < end for one, end in self._ends.items()):
            raise MovedError(self._name)

    async def newest(self, polled: Callable[[int], Awaitable[None]]) -> dict[str, Newest]:
        """Each key's newest record; `polled` is told how many have come, also where none have."""
        found: dict[str, Newest] = {}
        async for records in self.records():
            await polled(len(records))
            for one in records:
                if one.key not in found or one.version >= found[one.key].version:
                    found[one.key] = Newest(one.version, one.message is None, (one.partition, one.offset))
        return found

    def _decoded(self, one: Any) -> Record | None:
        raw = RawRecord(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, list(one.headers))
        try:
            return decode(raw)
        except UndecodableError as error:
            place = {"topic": raw.topic, "partition": raw.partition, "offset": raw.offset}
            log.warning("a record can't be read", extra={**place, "why": str(error)})
            self.unreadable.append(Unreadable(_text(raw.key), _text(dict(raw.headers).get("ce_id"))))
            return None


@asynccontextmanager
async def topic(access: KafkaAccess, name: str) -> AsyncIterator[Reader]:
    """A reader of a topic. Raises KafkaError where the broker can't be reached or does not know the topic."""
    options = {"isolation_level": "read_committed", "enable_auto_commit": False, "fetch_max_wait_ms": _FETCH_MS}
    consumer = TolerantConsumer(**access.options(), **options)
    await consumer.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(topics.load().named(name).partitions)]
        consumer.assign(partitions)
        yield Reader(consumer, name, await topic_id(consumer, name), await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


def _text(content: bytes | None) -> str:
    return content.decode("utf-8", "replace").replace("\x00", "") if content else ""
