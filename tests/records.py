"""What a topic holds, read past the platform's own code."""

import time
from collections.abc import Collection, Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.kafka import KafkaAccess

_PATIENCE = 60.0  # seconds without a record


async def everything(access: KafkaAccess, topic: str, partitions: Iterable[int]) -> list["ConsumerRecord[bytes, bytes]"]:
    """Committed records of partitions of a topic, each in its order, up to the end that it had at first."""
    return await of_all(access, [TopicPartition(topic, number) for number in partitions])


async def of_all(access: KafkaAccess, places: Collection[TopicPartition]) -> list["ConsumerRecord[bytes, bytes]"]:
    """The same of partitions of any topics, by one client: to connect takes longer than to read."""
    consumer = AIOKafkaConsumer(**access.options(), isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
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
