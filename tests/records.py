"""What a topic holds, read past the platform's own code."""

import time
from collections.abc import Collection, Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.kafka import KafkaAccess

_PATIENCE = 60.0  # seconds without a record


async def everything(access: KafkaAccess, topic: str, partitions: Iterable[int]) -> list["ConsumerRecord[bytes, bytes]"]:
    """Committed records of partitions of a topic, each in its order, up to the end that it had at first."""
    return await of_all(access, [TopicPartition(topic, number) for number in partitions])


class Reading:
    """Committed records of one partition, read on from where it stopped: what is compacted meanwhile was seen, and a
    partition that many tests fill is read once. Where its last record is not there any more, all is read again.
    """

    def __init__(self, access: KafkaAccess, place: TopicPartition) -> None:
        self._access, self._place = access, place
        self._known: list[ConsumerRecord[bytes, bytes]] = []

    async def all(self) -> list["ConsumerRecord[bytes, bytes]"]:
        """All of them, in order, up to the end that it has now."""
        known = self._known
        found = await of_all(self._access, [self._place], known[-1].offset if known else 0)
        if known and not (found and _identity(found[0]) == _identity(known[-1])):
            known, found = [], await of_all(self._access, [self._place])
        self._known = [*known[:-1], *found]
        return self._known


def _identity(record: "ConsumerRecord[bytes, bytes]") -> tuple[object, ...]:
    return record.offset, record.timestamp, record.key, record.value


async def of_all(
    access: KafkaAccess, places: Collection[TopicPartition], begin: int = 0
) -> list["ConsumerRecord[bytes, bytes]"]:
    """The same of partitions of any topics, by one client: to connect takes longer than to read. From an offset on, where
    it is there.
    """
    consumer = AIOKafkaConsumer(**access.options(), isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place, end in ends.items():
            if 0 < begin < end:
                consumer.seek(place, begin)
        found: list[ConsumerRecord[bytes, bytes]] = []
        came = time.monotonic()
        while left := {one: (at, end) for one, end in ends.items() if (at := await consumer.position(one)) < end}:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
                came = time.monotonic()
            assert time.monotonic() - came < _PATIENCE, f"no more records come; places and ends: {left}"
        return found
    finally:
        await consumer.stop()
