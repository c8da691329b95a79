"""Platforms that are broken on purpose: each leaves out one thing that keeps a promise, so that the checker is seen to fail.

A variant is put into a node's process before it starts; see `FAULT_BROKEN` there.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from chassis import applied, handling, lanes, lease, limit, relay
from chassis.crash import crash_point
from chassis.database import Tx
from chassis.kafka import KafkaAccess, partition_of, transactional_producer
from chassis.record import RawRecord, UndecodableError
from chassis.settings import ServiceSettings
from tests.faults import node


def _replace(owner: Any, name: str, by: Callable[..., Any]) -> None:
    setattr(owner, name, by)


def _marks_before_ack() -> None:
    async def publish(self: relay.Relay, producer: AIOKafkaProducer, queued: Sequence[Any]) -> None:
        await self._done([one.seq for one in queued])
        crash_point("relay.before_produce")
        await relay.send(producer, [one.event for one in queued])

    _replace(relay.Relay, "_publish", publish)


def _pages_by_the_last() -> None:
    _overtakes()
    relay.FULL_SCAN = float("inf")


def _overtakes() -> None:
    async def never(*_: object) -> bool:
        return False

    _replace(relay.Relay, "_is_overtaking", never)


def _is_not_fenced() -> None:
    """Each process has a transactional id of its own, is slow to send what it read, and never hears that it lost its lease."""
    publish = relay.Relay._publish

    def producer(access: KafkaAccess, transactional_id: str) -> AIOKafkaProducer:
        return transactional_producer(access, f"{transactional_id}-{os.getpid()}")

    async def later(self: relay.Relay, producer: AIOKafkaProducer, queued: Sequence[Any]) -> None:
        await asyncio.sleep(1.0)
        await publish(self, producer, queued)

    async def renewed(self: lease.Lease) -> None:
        while True:
            await asyncio.sleep(lease.SECONDS / 3)
            await self.keep()

    relay.REST = 0.0
    _replace(lease.Lease, "hold", renewed)
    _replace(relay, "transactional_producer", producer)
    _replace(relay.Relay, "_publish", later)


def _scatters() -> None:
    def anywhere(key: str, partitions: int) -> int:
        return time.monotonic_ns() // 1000 % partitions

    _replace(relay, "partition_of", anywhere)


def _publishes_beside_the_transaction() -> None:
    """A dual write: the broker has it before the database."""
    flush = Tx._flush

    async def both(self: Tx) -> bool:
        producer = AIOKafkaProducer(**KafkaAccess.of(ServiceSettings(service="")).options())
        async with producer:
            for one in self._queued:
                number = partition_of(one.key, node.PARTITIONS)
                headers = [("ce_id", str(one.id).encode()), ("ce_sequence", str(one.version).encode())]
                await producer.send_and_wait(one.topic, one.payload, key=one.key.encode(), partition=number, headers=headers)
        return await flush(self)

    _replace(Tx, "_flush", both)


def _says_so_before_the_commit() -> None:
    node.EARLY = True


def _commits_offsets_first() -> None:
    async def take(self: Any, batch: lanes.Batch) -> None:
        await self.consumer.commit({TopicPartition(one.topic, one.partition): one.offset + 1 for one in batch})
        await self.handling.batch(lanes._raws(batch))
        self.consumer.in_hand = 0

    _replace(lanes.Group, "_take", take)


def _hoards() -> None:
    async def take(self: Any, batch: lanes.Batch) -> None:
        taken.append(asyncio.ensure_future(self.handling.batch(lanes._raws(batch))))
        self.consumer.in_hand = 0

    taken: list[asyncio.Future[None]] = []
    _replace(lanes.Group, "_take", take)


def _forgets_what_it_applied() -> None:
    lock = applied.lock

    async def none(tx: Tx, group: str, topic: str, keys: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(await lock(tx, group, topic, keys), 0)

    _replace(applied, "lock", none)


def _drops_what_it_cannot_read() -> None:
    async def skipped(_: object, tx: Tx, raw: RawRecord, error: UndecodableError, done: dict[str, int], *__: object) -> None:
        if error.key:
            done[error.key] = error.version

    _replace(handling.Handling, "_unreadable", skipped)


def _believes_what_it_cannot_read() -> None:
    unreadable = handling.Handling._unreadable

    async def believed(
        self: handling.Handling, tx: Tx, raw: RawRecord, error: UndecodableError, done: dict[str, int], waiting: set[str]
    ) -> None:
        await unreadable(self, tx, raw, error, done, waiting)
        done[error.key] = max(done[error.key], error.version)
        waiting.discard(error.key)

    _replace(handling.Handling, "_unreadable", believed)


def _says_what_failed() -> None:
    """Events of a record's savepoint outlive it."""

    @asynccontextmanager
    async def savepoint(self: Tx, *, whole: bool = False) -> AsyncIterator[None]:
        try:
            async with undone(self, whole=whole):
                try:
                    yield
                finally:
                    said = list(self._queued)
        except Exception:
            self._queued[:] = said
            raise

    undone = Tx.savepoint
    _replace(Tx, "savepoint", savepoint)


def _never_sheds() -> None:
    _replace(limit.Limit, "is_reached", lambda self: False)


def _starts_slowly() -> None:
    time.sleep(6)


@dataclass(frozen=True)
class Variant:
    """What is broken, at which side, and under which fault which invariants are seen to break, for which reason."""

    title: str
    side: str
    fault: str
    breaks: dict[str, str]
    """Invariant → part of what is said of it."""
    breaking: Callable[[], None]


VARIANTS = {
    "ack": Variant(
        "the relay takes rows off the queue before the broker has them", "write", "2", {"L": " lost: "}, _marks_before_ack
    ),
    "last": Variant("the relay pages by the last sequence", "write", "17", {"R": "late version"}, _pages_by_the_last),
    "overtake": Variant("the relay lets a version overtake an earlier one", "write", "17", {"L": " lost: "}, _overtakes),
    "fence": Variant(
        "the relay is not fenced, nor told that another leads", "write", "6", {"S": "not its highest version"}, _is_not_fenced
    ),
    "scatter": Variant("a key's records are in any partition", "write", "0", {"L": " lost: "}, _scatters),
    "dual": Variant(
        "events are published beside the transaction",
        "write",
        "0",
        {"P": "never committed"},
        _publishes_beside_the_transaction,
    ),
    "early": Variant("an answer is given before the commit", "write", "0", {"L": " acknowledged"}, _says_so_before_the_commit),
    "offset": Variant("offsets are committed before the effects", "read", "4b", {"L": " lost: "}, _commits_offsets_first),
    "hoard": Variant("the reader takes more before it has handled what it has", "read", "9b", {"R": "grew by"}, _hoards),
    "applied": Variant(
        "nothing is known of what was applied",
        "read",
        "24",
        {"L": "more than once", "O": "went back"},
        _forgets_what_it_applied,
    ),
    "poison": Variant(
        "what cannot be read is dropped", "read", "26b", {"Q": "so many dead letters"}, _drops_what_it_cannot_read
    ),
    "said": Variant("a record that failed has caused events", "read", "22", {"C": "without effect"}, _says_what_failed),
    "claims": Variant(
        "garbage counts as the version that it claims to be", "read", "22b", {"L": " lost: "}, _believes_what_it_cannot_read
    ),
    "shed": Variant("no call is shed", "write", "33", {"R": "p99 of all answers"}, _never_sheds),
    "slow": Variant("a process takes long to start", "write", "31", {"R": "process"}, _starts_slowly),
}
