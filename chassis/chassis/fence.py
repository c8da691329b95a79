"""The restore fence 恢复栅栏: run once before a service serves again on a database that was restored to an earlier point.

What the service said after that point is still on its topics and with whoever heard it, under versions that it would now
give to other events. So every aggregate's version rises by the same lift, a multiple of `FENCE` beyond all that the topics
know, and its state is published as `restored`: whoever counts events gives up those between. One lift for all, since what
counts together (a body and its memberships) has to stay in step. An aggregate that the topics know and the database does not
is taken off them. The service's own groups begin at offset 0, since what they had heard after that point is lost as well.

A fence that was broken off goes on where it stopped when it is run again.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from sqlalchemy import ARRAY, Table, Text, any_, literal, update

from chassis import etag, jobs, reading, topics
from chassis.database import Cause, Database, Tx
from chassis.handling import Listen
from chassis.kafka import KafkaAccess
from chassis.lease import SECONDS as LEASE_SECONDS
from chassis.lease import Lease, LeaseLostError
from chassis.reading import Newest
from chassis.topics import RESTORED, Topic

log = logging.getLogger(__name__)
FENCE = 1_000_000
"""By how much versions rise at least: Kafka may have forgotten what others heard."""
_BATCH = 500  # aggregates in one transaction
_PATIENCE = 60.0  # seconds that a broker may take to answer; a topic may take as long as it needs
_KEYS = "SELECT DISTINCT key FROM event WHERE topic = $1 AND key > $2 ORDER BY key LIMIT $3"
_NEWEST = """
SELECT DISTINCT ON (key, topic) key, topic, version, type, payload FROM event
WHERE topic = ANY($1::text[]) AND key = ANY($2::text[]) ORDER BY key, topic, version DESC
"""


class ServingError(Exception):
    """The service is up: it has to be stopped first."""


class Outcome(NamedTuple):
    """How many aggregates were raised, and how many keys were taken off topics."""

    raised: int
    removed: int


class Fence:
    """The fence of one service."""

    def __init__(
        self,
        service: str,
        database: Database,
        access: KafkaAccess,
        listens: Sequence[Listen],
        aggregates: Sequence[Table],
        asked: Cause,
    ) -> None:
        """`asked`: who sets it up, and why, as its job keeps it. Its events are the service's own."""
        self._service = service
        self._database = database
        self._access = access
        self._groups = {f"{service}.{one.name}": one.topic for one in listens if not one.follower}
        self._aggregates = aggregates
        self._asked = asked
        self._cause = Cause(f"service:{service}", reason=asked.reason)
        self._topics = topics.load().owned_by(service)

    async def set_up(self) -> Outcome:
        """Set the fence up. Raises `ServingError`; KafkaError or TimeoutError where the broker does not answer."""
        lease = await self._alone()
        try:
            return await lease.during(self._set_up())
        except LeaseLostError:
            raise self._serving() from None
        finally:
            await lease.give()

    async def _set_up(self) -> Outcome:
        async with self._database.transaction(self._asked) as tx:  # from here on the service does not start
            broken_off = await jobs.next_open(tx, "fence")
            job = broken_off.id if broken_off else await jobs.start(tx, "fence", self._service, self._asked.reason)
        heard = dict[str, Mapping[str, Newest]]()
        for topic in self._topics:
            heard[topic.name] = await self._newest(topic)
            log.info("fence: topic read", extra={"topic": topic.name, "keys": len(heard[topic.name])})
        lift = await self._lift(job, heard)
        while await self._raise_some(job, lift):
            pass
        removed = 0
        for topic in self._topics:
            removed += await self._take_off(topic, heard[topic.name])
        for group, name in self._groups.items():
            await self._from_the_start(group, name)
        async with self._database.transaction(self._cause) as tx:
            await jobs.finish(tx, job, removed)
            return Outcome((await jobs.get(tx, job)).records, removed)

    async def _alone(self) -> Lease:
        """The relay's lease, as long as nobody serves."""
        lease = Lease(self._database, f"relay-{self._service}")
        for _ in range(2):
            if await lease.take():
                return lease
            await asyncio.sleep(LEASE_SECONDS * 1.2)  # of one that was killed
        raise self._serving()

    def _serving(self) -> ServingError:
        return ServingError(f"{self._service} 正在运行；请先停止 · {self._service} is up; stop it first")

    async def _lift(self, job: UUID, heard: Mapping[str, Mapping[str, Newest]]) -> int:
        """By how much all versions rise; once a fence has begun, it is what it was."""
        async with self._database.transaction(self._cause) as tx:
            if position := str((await jobs.get(tx, job)).position):
                return int(position.partition(" ")[0])
            beyond = 0
            for newest in heard.values():
                keys = iter(newest)
                while some := list(islice(keys, _BATCH)):
                    highest = _highest(await self._known(tx, some))
                    beyond = max(beyond, *(newest[key].version - highest.get(key, newest[key].version) for key in some))
            lift = FENCE * (1 + beyond // FENCE)
            await jobs.progress(tx, job, f"{lift} ", 0)
        return lift

    async def _raise_some(self, job: UUID, lift: int) -> bool:
        """Raise the next aggregates of the topic that is worked on; says whether there may be more."""
        async with self._database.transaction(self._cause) as tx:
            _, _, place = str((await jobs.get(tx, job)).position).partition(" ")
            at, _, after = place.partition(" ")
            names = [topic.name for topic in self._topics if topic.classification == "internal" and topic.name >= at]
            for name in sorted(names):
                keys = await _keys(tx, name, after if name == at else "")
                if keys:
                    await self._raise(tx, keys, lift)
                    await jobs.progress(tx, job, f"{lift} {name} {keys[-1]}", len(keys))
                    return True
        return False

    async def _raise(self, tx: Tx, keys: list[str], lift: int) -> None:
        """Raise aggregates, and publish their state on every topic that has it."""
        rows = await self._known(tx, keys)
        highest = _highest(rows)
        for row in rows:
            _publish(tx, row, highest[row.key], lift)
        for table in self._aggregates:
            these = table.c.name == any_(literal(keys, ARRAY(Text)))
            await tx.conn.execute(update(table).where(these).values(version=table.c.version + lift))

    async def _take_off(self, topic: Topic, newest_of: Mapping[str, Newest]) -> int:
        """Take off a topic what the database does not have there; returns how many keys that were."""
        on_it, removed = iter(newest_of.items()), 0
        while some := dict(islice(on_it, _BATCH)):
            async with self._database.transaction(self._cause) as tx:
                rows = await self._known(tx, list(some))
                known, highest = {row.key for row in rows if row.topic == topic.name}, _highest(rows)
                for key in [key for key, newest in some.items() if key not in known and not newest.gone]:
                    verb = RESTORED if topic.takes(RESTORED) else "removed"
                    tx.emit(topic.name, key, highest.get(key, some[key].version + FENCE), verb, None)
                    removed += 1
        return removed

    async def _known(self, tx: Tx, keys: list[str]) -> Sequence[Any]:
        """The newest event of each key on each topic."""
        return await tx.sql.rows(_NEWEST, [topic.name for topic in self._topics], keys)

    async def _newest(self, topic: Topic) -> Mapping[str, Newest]:
        async with asyncio.timeout(_PATIENCE) as limit:

            async def polled(count: int) -> None:
                if count:
                    limit.reschedule(asyncio.get_running_loop().time() + _PATIENCE)

            while True:
                try:
                    async with reading.topic(self._access, topic.name) as reader:
                        return await reader.newest(polled)
                except KafkaError as error:
                    if not error.retriable:
                        raise
                    log.warning("fence: broker away", extra={"error": type(error).__name__})
                    await asyncio.sleep(1)

    async def _from_the_start(self, group: str, topic: str) -> None:
        """Put a group to offset 0; a member that was killed has to be gone first."""
        partitions = [TopicPartition(topic, number) for number in range(topics.load().named(topic).partitions)]
        async with asyncio.timeout(_PATIENCE):
            while True:
                consumer = AIOKafkaConsumer(**self._access.options(), group_id=group, enable_auto_commit=False)
                try:
                    await consumer.start()
                    consumer.assign(partitions)
                    await consumer.commit({one: OffsetAndMetadata(0, "") for one in partitions})
                    return
                except KafkaError as error:
                    log.warning("fence: group has members yet", extra={"group": group, "error": type(error).__name__})
                    await asyncio.sleep(1)
                finally:
                    await consumer.stop()


async def _keys(tx: Tx, topic: str, after: str) -> list[str]:
    return await tx.sql.column(_KEYS, topic, after, _BATCH)


def _highest(rows: Sequence[Any]) -> dict[str, int]:
    """Each key's highest version: that of its aggregate, whichever topics tell of it."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.key] = max(row.version, found.get(row.key, 0))
    return found


def _publish(tx: Tx, row: Any, restored_to: int, lift: int) -> None:
    """An aggregate's state as its last event on a topic had it, without what that event said of the change."""
    topic, version = topics.load().named(row.topic), restored_to + lift
    message: Any = None if row.payload is None else topic.message_class().FromString(row.payload)
    if message is not None:
        if topic.takes(RESTORED):
            message.meta.restored_to = restored_to
        etag.renew(message, version)
        for change in message.DESCRIPTOR.oneofs:
            message.ClearField(change.name)
    verb = RESTORED if topic.takes(RESTORED) else row.type.split(".")[-2]
    tx.emit(row.topic, row.key, version, verb, message)
