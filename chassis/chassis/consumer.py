"""Consumers 消费: FastStream batch subscribers, one a listener, that hand their records to `Handling`.

FastStream's defaults would lose records (ack first, latest offset), so all is set here: manual acknowledgement, offsets
committed after the database transaction, `read_committed`, static membership. A batch that meets an absent part is tried
again in place, without limit; its offsets are committed only after its effects (`chassis.lanes`).
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.security import BaseSecurity, SASLScram512

from chassis import metrics, refusals
from chassis.backoff import Backoff
from chassis.database import Database
from chassis.handling import Handling
from chassis.kafka import KafkaAccess
from chassis.lanes import Batch, Client, Group, Lane, Tail
from chassis.lease import Lease, LeaseLostError

log = logging.getLogger(__name__)
_WATCH = 5.0  # seconds between looks at whether the clients get on
_ANSWER = 10.0  # seconds that the broker may take to say where a topic ends
_START = 60.0  # seconds that all clients may take to connect and to join their groups
_WORD = 30.0  # seconds that a silent broker has for a first word, which may refuse, before calls are taken without it
_SILENT = 45.0  # seconds that a client with records to read may give none
_STOP = 10.0  # seconds that a batch may take to end when the service stops


class Consumers:
    """All listeners of one process."""

    def __init__(
        self,
        service: str,
        slot: str,
        access: KafkaAccess,
        database: Database,
        handlings: Sequence[Handling],
    ) -> None:
        self._access = access
        self._slot = slot
        # Two members with one static id would hold each other up without an error; the lease refuses the second.
        self._lease = Lease(database, f"member:{service}.{slot}")
        self._lanes = [Tail(one, one.listen.follower) if one.listen.follower else Group(one) for one in handlings]
        self._asking: AIOKafkaConsumer | None = None
        self._backoff = Backoff("consumer", metrics.CLIENT_REBUILDS.labels("consumer"))
        self.ready = asyncio.Event()
        """Set once every tail has reached the end that its topic had at the start. Where there is none, calls are taken also
        while the broker is away; not by a process that the broker has refused and never let in, lest a release whose login is
        wrong replaces the one before. Cleared only where it refuses one that was taken on trust before."""
        self.distrusted = asyncio.Event()
        """Set for good once `ready` is cleared, which comes at most once: never after a broker has let the process in."""
        self._is_refused = self._was_let_in = False
        if not self._lanes:
            self.ready.set()

    async def run(self) -> None:
        """Consume until cancelled; clients that fail are given up and built anew."""
        asyncio.get_running_loop().call_later(_WORD, self._admit)
        while self._lanes:
            await self._lease.wait(logging.WARNING)  # a relay stands by, but who has this slot should be alone
            try:
                await self._consume()
            except LeaseLostError:
                log.error("consumer: the member's lease is lost; another process has this slot")
            except (KafkaError, ConnectionError, TimeoutError, OSError) as error:
                self._is_refused = self._is_refused or refusals.is_refusal(error)
                self._admit()
                self._distrust()
                await self._backoff.after(error)

    async def stop(self) -> None:
        """Give the member's lease back."""
        await self._lease.give()

    async def lag(self) -> int:
        """Records on the topics that are not handled yet; raises KafkaError where the broker can't be asked."""
        return sum((await self._lags()).values()) if self._lanes else 0

    async def _lags(self, lanes: "Sequence[Lane] | None" = None) -> "dict[Lane, int]":
        """The same by listener; the ends are asked for all at once, by a client that waits for no records."""
        if self._asking is None:
            raise KafkaError("not connected")
        partitions = {lane: lane.partitions() for lane in (self._lanes if lanes is None else lanes)}
        ends = await self._asking.end_offsets([one for some in partitions.values() for one in some])
        return {lane: await lane.lag({one: ends[one] for one in some}) for lane, some in partitions.items()}

    async def _consume(self) -> None:
        broker = KafkaBroker(
            self._access.bootstrap.split(","),  # of a text FastStream makes one single address
            security=_security(self._access),
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            parser=_parse,
            decoder=_records,
            graceful_timeout=_STOP,
            logger=None,
        )
        for lane in self._lanes:
            lane.subscribe(broker, self._slot)
        asking = AIOKafkaConsumer(**self._access.options())
        held = asyncio.create_task(self._lease.hold())
        watched = asyncio.create_task(self._watch(broker, asking))
        try:
            done, _ = await asyncio.wait({held, watched}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:  # for good; a client that is given up stays a member, whose place the next one takes
            for lane in self._lanes:
                lane.leave()
            raise
        finally:
            held.cancel()
            watched.cancel()
            self._asking = None
            for tail in self._tails():
                tail.stopped()
            metrics.CONSUMER_LAG.clear()  # nobody looks any more
            await asking.stop()
            await broker.stop()

    async def _watch(self, broker: KafkaBroker, asking: AIOKafkaConsumer) -> None:
        """Start all clients, see the tails to their ends, and look again and again whether all get on."""
        async with asyncio.timeout(_START):
            await asking.start()
            self._asking, self._is_refused, self._was_let_in = asking, False, True
            self._admit()
            await broker.connect()
            for lane in self._lanes:
                await lane.begin(asking)
            config = broker.config.broker_config
            config.builder = partial(Client, **cast(Any, config.builder).keywords)
            await broker.start()
        refusals.forget()
        reaching = asyncio.create_task(self._caught_up())
        try:
            while not (await asyncio.wait({reaching}, timeout=_WATCH))[0]:
                await self._look()
            reaching.result()
            while True:
                await self._look()
                self._backoff.worked()
                await asyncio.sleep(_WATCH)
        finally:
            reaching.cancel()

    async def _caught_up(self) -> None:
        await asyncio.gather(*(tail.caught_up() for tail in self._tails()))
        self.ready.set()

    def _admit(self) -> None:
        """Be ready, as far as no tail has to be waited for and no broker has refused."""
        if not self._is_refused and not self._tails():
            self.ready.set()

    def _distrust(self) -> None:
        """Be ready no more where the first word of a broker that was silent is a refusal: what waits for this process, as the
        next step of a rollout, has to wait for that to be mended.
        """
        if self._is_refused and not self._was_let_in and self.ready.is_set():
            self.ready.clear()
            self.distrusted.set()

    def _tails(self) -> "list[Tail]":
        return [lane for lane in self._lanes if isinstance(lane, Tail)]

    async def _look(self) -> None:
        """Bring the lag's gauge up to date. Raises KafkaError where a client gives nothing although there is something: after
        an outage some stay silent for good, and only a new one helps; and where a topic is no more what it was.
        """
        if self._asking is not None:
            for lane in self._lanes:
                async with asyncio.timeout(_ANSWER):
                    await lane.look(self._asking)
        try:
            async with asyncio.timeout(_ANSWER):
                lags = await self._lags([lane for lane in self._lanes if lane.is_settled])
        except IllegalStateError:  # the group gave a partition to another meanwhile
            return
        for lane in self._lanes:
            if lane in lags:
                metrics.CONSUMER_LAG.labels(lane.handling.group).set(lags[lane])
            if lane.silent_for(is_settled=lane in lags) > _SILENT:
                raise KafkaError(f"{lane.handling.group} is silent")


def _security(access: KafkaAccess) -> BaseSecurity | None:
    options = access.options()
    context = options.get("ssl_context")
    if access.security.startswith("SASL"):
        return SASLScram512(access.username or "", access.password or "", ssl_context=context, use_ssl=context is not None)
    return BaseSecurity(ssl_context=context, use_ssl=True) if context else None


async def _parse(batch: Batch) -> KafkaMessage:
    """A tolerant parser: FastStream's own crashes on a null header."""
    return KafkaMessage(raw_message=batch, body=b"", consumer=FAKE_CONSUMER)


async def _records(message: KafkaMessage) -> Any:
    return message.raw_message
