"""Lanes 消费通道: what one listener's client reads, from where, and how far it has got.

A group goes on where it stopped; its offsets are committed with the id of their topic, since on one that was made anew under
the same name they mean nothing, and it is read from its start. A tail is read by every process, which keeps its place itself.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.structs import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka import TopicPartition as DeclaredPartition

from chassis import topics
from chassis.handling import Follower, Handling, away
from chassis.kafka import TolerantConsumer
from chassis.record import RawRecord
from chassis.topicid import topic_id

log = logging.getLogger(__name__)
_FETCH_MS = 1000  # how long the broker may keep an empty fetch; other questions to that client wait behind it
_POLL_MS = 1000  # how long a poll waits for records; it comes back as soon as there are any
_MAX_POLL_MS = 300_000  # how long a batch may take before the group gives its partitions to others
BATCH = 500  # records in one transaction, at most
_PACE = 0.2  # seconds between the beginnings of two batches of a group: under load, batches grow and don't multiply
_RETRY = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries while a part is away
_LOOK = 0.02  # seconds between looks at how far a tail has got

Batch = tuple[ConsumerRecord[Any, Any], ...]


class Client(TolerantConsumer):
    """A client that knows what it gave, and whose polls never come back empty: after an empty one FastStream would sleep
    for as long again. It begins at its `places`."""

    in_hand = 0
    """Records that were given and are not handled yet; those of a poll are handled before the next."""
    started = False

    def __init__(self, *topics: str, places: Mapping[TopicPartition, int] | None = None, **options: Any) -> None:
        super().__init__(*topics, **options)
        self._places = places or {}
        self._checked: Any = None  # the assignment whose offsets are known to be of the topic as it is

    async def start(self) -> None:
        """Connect; before, the client can't be asked anything."""
        await super().start()
        for partition in self.assignment() & self._places.keys():
            self.seek(partition, self._places[partition])
        self.started = True

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        """Wait until there are records."""
        self.in_hand = 0
        found: dict[TopicPartition, Any] = {}
        while not found:
            found = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
            for stale in await self._begun_anew():
                found.pop(stale, None)
        self.in_hand = sum(len(records) for records in found.values())
        return found

    async def _begun_anew(self) -> Sequence[TopicPartition]:
        """Partitions whose group stopped on another topic of the same name: they are read from their start. Looked for once an
        assignment, of which records may have come before.
        """
        assignment = self._subscription.subscription.assignment
        if self._group_id is None or assignment is None or assignment is self._checked:
            return ()
        committed, ids = await self._committed(assignment.tps)
        stale = [one for one, at in committed.items() if at.metadata not in ("", ids[one.topic]) and one in self.assignment()]
        for one in stale:
            log.warning("consumer: the topic was made anew", extra={"topic": one.topic, "partition": one.partition})
            self.seek(one, 0)
        self._checked = assignment
        return stale

    async def _committed(self, partitions: Iterable[TopicPartition]) -> tuple[dict[TopicPartition, Any], dict[str, str]]:
        """Where the group stopped, with the ids of the topics as they are. Asked until it is known: what a poll has given is
        given to nobody again.
        """
        while True:
            try:
                committed = await self._coordinator.fetch_committed_offsets(partitions)
                return committed, {topic: str(await topic_id(self, topic)) for topic in {one.topic for one in committed}}
            except KafkaError as error:
                log.warning("consumer: not told where the group stopped", extra={"error": type(error).__name__})
                await asyncio.sleep(_RETRY[0])


class Lane(ABC):
    """One listener's subscriber."""

    def __init__(self, handling: Handling) -> None:
        self.handling = handling
        self._topic: UUID | None = None
        self._subscriber: Any = None
        self._positions: dict[TopicPartition, int] = {}
        self._silent: dict[TopicPartition, float] = {}
        self._looked = self._settled = time.monotonic()

    @property
    def consumer(self) -> Client:
        """The client under the subscriber; raises KafkaError until it is connected."""
        consumer: Client | None = self._subscriber and self._subscriber.consumer
        if consumer is None or not consumer.started:
            raise KafkaError("not connected")
        return consumer

    def subscribe(self, broker: KafkaBroker, slot: str) -> None:
        """Declare the subscriber on a broker that is to be started."""
        self._positions, self._silent = {}, {}  # a new client has all its time
        self._looked = self._settled = time.monotonic()
        self._subscriber = self._declared(broker, slot)
        self._subscriber(self._take)

    @abstractmethod
    def _declared(self, broker: KafkaBroker, slot: str) -> Any:
        """The subscriber, as the broker is told of it."""

    @abstractmethod
    async def _take(self, batch: Batch) -> None:
        """Handle what a poll gave; the next poll comes afterwards."""

    async def begin(self, asking: AIOKafkaConsumer) -> None:
        """Learn which topic it is, before the client is started."""
        self._topic = await self._found(asking)

    async def look(self, asking: AIOKafkaConsumer) -> None:
        """Raises KafkaError where the topic was made anew: the client would pass by what comes at offsets that it knows."""
        if await self._found(asking) not in (None, self._topic):
            self.leave()  # who stays a member is given what it had while the topic was away: nothing
            raise KafkaError(f"{self.handling.listen.topic} was made anew")

    async def _found(self, asking: AIOKafkaConsumer) -> UUID | None:
        """The topic's id; None where there is none, for which others don't wait."""
        try:
            return await topic_id(asking, self.handling.listen.topic)
        except UnknownTopicOrPartitionError:
            return None

    def leave(self) -> None:  # noqa: B027 - most have nothing to do
        """Called before a client is stopped that is not to be a member any more."""

    @property
    def is_settled(self) -> bool:
        """Whether the client was told what to read; where a group has members enough, that is nothing."""
        return bool(self.consumer.assignment()) or not self.consumer._subscription.reassignment_in_progress

    def silent_for(self, *, is_settled: bool) -> float:
        """Seconds for which a partition has given nothing although there is something, and although the client had no other
        records in hand; or for which the client was told nothing to read.
        """
        now = time.monotonic()
        if is_settled:
            self._settled = now
        return max([now - self._settled, *self._silent.values()])

    def partitions(self) -> list[TopicPartition]:
        """What the client reads."""
        if not self.is_settled:
            raise KafkaError("no partitions assigned yet")
        return list(self.consumer.assignment())

    async def lag(self, ends: dict[TopicPartition, int]) -> int:
        """Records between the handled ones and the partitions' ends."""
        positions = {one: await self.consumer.position(one) for one in ends}
        now = time.monotonic()
        waited = 0.0 if self.consumer.in_hand else now - self._looked
        self._silent = {
            one: self._silent.get(one, 0.0) + waited
            for one, position in positions.items()
            if position < ends[one] and position == self._positions.get(one)
        }
        self._positions, self._looked = positions, now
        return sum(max(0, end - self._positions[one]) for one, end in ends.items()) + self.consumer.in_hand

    async def _until_done(self, work: Callable[[], Any]) -> None:
        """Do something until no part is away."""
        tries = 0
        while True:
            try:
                await work()
                return
            except Exception as error:
                if not away(error):
                    log.exception("consumer: batch failed", extra={"group": self.handling.group})
                delay = _RETRY[min(tries, len(_RETRY) - 1)]
                log.warning("consumer: waiting for a part", extra={"group": self.handling.group, "seconds": delay})
                tries += 1
                await asyncio.sleep(delay)


class Group(Lane):
    """A subscriber in a Kafka group: goes on where its group stopped."""

    def _declared(self, broker: KafkaBroker, slot: str) -> Any:
        listen = self.handling.listen
        return broker.subscriber(
            listen.topic,
            batch=True,
            group_id=self.handling.group,
            group_instance_id=f"{self.handling.group}.{slot}",
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=_FETCH_MS,
            max_poll_interval_ms=_MAX_POLL_MS,
            ack_policy=AckPolicy.MANUAL,
            batch_timeout_ms=_POLL_MS,
            max_records=BATCH,
        )

    def leave(self) -> None:
        """Make the client leave its group when it stops, which a static member would not."""
        consumer = self._subscriber and self._subscriber.consumer
        if consumer is not None and consumer._coordinator is not None:  # None until it has connected
            consumer._coordinator._group_instance_id = None

    async def _take(self, batch: Batch) -> None:
        began = time.monotonic()
        await self._until_done(partial(self.handling.batch, _raws(batch)))
        ends = {TopicPartition(one.topic, one.partition): (one.offset + 1, str(self._topic or "")) for one in batch}
        try:
            await self.consumer.commit(ends)
        except KafkaError as error:  # given again after the rebalance, and skipped then
            log.warning("consumer: commit failed", extra={"error": type(error).__name__})
        self.consumer.in_hand = 0
        if len(batch) < BATCH:
            await asyncio.sleep(began + _PACE - time.monotonic())


class Tail(Lane):
    """A subscriber without a group: gives all partitions of its topic to a follower, which keeps its place itself."""

    def __init__(self, handling: Handling, follower: Follower) -> None:
        super().__init__(handling)
        self._follower = follower
        self._is_catching_up = True

    def _declared(self, broker: KafkaBroker, slot: str) -> Any:
        topic = topics.load().named(self.handling.listen.topic)
        self._is_catching_up = True
        return broker.subscriber(
            partitions=[DeclaredPartition(topic.name, number) for number in range(topic.partitions)],
            batch=True,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=_FETCH_MS,
            ack_policy=AckPolicy.MANUAL,
            batch_timeout_ms=_POLL_MS,
            max_records=BATCH,
        )

    async def begin(self, asking: AIOKafkaConsumer) -> None:
        """Have the client begin where its follower goes on; partitions that are left out are read from their start. Another
        follower of the same topic goes on elsewhere.
        """
        topic = self.handling.listen.topic
        self._topic = await topic_id(asking, topic)
        places = await self._follower.beginning(self._topic, partial(self._ends, asking))
        found = {TopicPartition(topic, number): offset for number, offset in places.items()}
        self._subscriber._connection_args["places"] = found  # what FastStream gives the builder of clients; see `test_tail`

    async def look(self, asking: AIOKafkaConsumer) -> None:
        """Raises KafkaError where the topic was made anew, or ends before what was read of it."""
        at, places = time.monotonic(), dict(self._follower.places)
        found, ends = await topic_id(asking, self.handling.listen.topic), await self._ends(asking)
        if found != self._topic or any(place > ends.get(number, 0) for number, place in places.items()):
            raise KafkaError(f"{self.handling.listen.topic} was made anew, or has lost records")
        self._follower.was_still(at)

    async def _ends(self, asking: AIOKafkaConsumer) -> Mapping[int, int]:
        topic = topics.load().named(self.handling.listen.topic)
        ends = await asking.end_offsets([TopicPartition(topic.name, number) for number in range(topic.partitions)])
        return {partition.partition: end for partition, end in ends.items()}

    def stopped(self) -> None:
        """The client was given up."""
        self._follower.stopped()

    async def caught_up(self) -> None:
        """Wait until the follower has all that was on the topic at the start."""
        await self._read_to(await self.consumer.end_offsets(list(self.consumer.assignment())))
        self._is_catching_up = False
        self._follower.caught_up()
        log.info("tail: caught up", extra={"group": self.handling.group})

    async def _read_to(self, ends: dict[TopicPartition, int]) -> None:
        while not await self._reached(ends) or self.consumer.in_hand:  # noqa: ASYNC110 - the client tells nobody when it moves
            await asyncio.sleep(_LOOK)

    async def _reached(self, ends: dict[TopicPartition, int]) -> bool:
        for partition, end in ends.items():
            if await self.consumer.position(partition) < end:
                return False
        return True

    async def _take(self, batch: Batch) -> None:
        await self._until_done(partial(self.handling.follow, self._follower, _raws(batch), is_old=self._is_catching_up))


def _raws(batch: Batch) -> Sequence[RawRecord]:
    """The client's records have the very fields, and to copy each would cost as much as to handle it."""
    return cast(Sequence[RawRecord], batch)
