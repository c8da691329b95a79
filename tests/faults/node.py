"""A service of the chassis and nothing else: writes versions of a few aggregates, by itself and when it is called, or writes
down every record that it reads, and says so in an event that the record caused.

`python -m tests.faults.node serve`, a real service in its own process. What it writes it says in a journal, a file that no
fault touches: `ack KEY VERSION` once a transaction has committed, and never before. Options by environment:

    FAULT_NODE    the service's name        FAULT_TOPIC    the topic, of three partitions; what is caused goes to its answers
    FAULT_ROLES   write, read, or both      FAULT_JOURNAL  the journal
    FAULT_SEED    what it writes            FAULT_RATE     transactions a second
    FAULT_SLOW    seconds a record takes    FAULT_BROKEN   a variant of `tests.faults.broken`
    FAULT_TAKES_POISON   that it handles what it refused before
    FAULT_CALL    seconds a call takes      FAULT_POLL_INTERVAL   seconds that the group allows between two polls
"""

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path

from alliance.notify.v1 import events_pb2, notify_pb2, notify_service_pb2
from chassis import lanes, topics
from chassis.database import Cause, Tx
from chassis.errors import Unavailable
from chassis.handling import Listen
from chassis.main import run
from chassis.record import Record
from chassis.rpc import Call
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.settings import ServiceSettings

TABLES = """
CREATE TABLE ledger (key text PRIMARY KEY, version bigint NOT NULL);
CREATE TABLE effect (place bigint GENERATED ALWAYS AS IDENTITY, event_id text, key text NOT NULL, version bigint NOT NULL,
                     at timestamptz NOT NULL DEFAULT clock_timestamp());
"""
"""What the node keeps. `effect` has no key on purpose: a second effect must show."""
POISON = "poison"
TAKES_POISON = bool(os.environ.get("FAULT_TAKES_POISON"))
PARTITIONS = 3
KEYS = 24  # aggregates that one seed writes
WRITERS = 4  # transactions under way at once
MOST_CALLS = 20  # calls that a node works on at once
EARLY = False  # whether the journal is written before the commit; see `tests.faults.broken`
NEXT = """
INSERT INTO ledger (key, version) VALUES ($1, 1)
ON CONFLICT (key) DO UPDATE SET version = ledger.version + 1 RETURNING version
"""
_EFFECT = "INSERT INTO effect (event_id, key, version) VALUES ($1, $2, $3)"
_SLOW_COMMITS, _SLOW_COMMIT = 0.1, 0.2  # share of the transactions that end later, and by how many seconds at most
_ROLLED_BACK = 0.05  # share of the transactions that end without a trace


def answers(topic: str) -> str:
    """The topic of the events that a topic's records cause."""
    return topic.removesuffix(".v1") + "_answers.v1"


def declare(name: str) -> None:
    """Make a topic, and that of its answers, known to the chassis."""
    message = "alliance.notify.v1.SubscriptionEvent"
    for one in (name, answers(name)):
        topics._by_name()[one] = topics.Topic(one, "notify", "keys/{key}", message, ("changed",), PARTITIONS, "internal", ())


async def write(tx: Tx, topic: str, key: str) -> int:
    """Write the next version of a key, with its event; says which."""
    version: int = await tx.sql.value(NEXT, key)
    tx.emit(topic, key, version, "changed", events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=key)))
    return version


class _OnPurposeError(Exception):
    """Ends a transaction without a trace."""


class _AnybodyMay:
    async def authorise(self, call: Call, permission: str, resources: list[str]) -> None:
        """See `chassis.rpc.Authoriser`."""


class _Calls:
    """Takes one command: the next version of the key that the subscription names as its organization."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._seconds = float(os.environ.get("FAULT_CALL", "0"))

    async def CreateSubscription(
        self, call: Call, request: notify_service_pb2.CreateSubscriptionRequest
    ) -> notify_pb2.Subscription:
        """Answers with the key as the name and the version as the etag."""
        version = await write(call.tx, self._topic, request.subscription.organization)
        await asyncio.sleep(self._seconds)
        return notify_pb2.Subscription(name=request.subscription.organization, etag=str(version))

    def __getattr__(self, name: str) -> object:
        """Nobody calls the others."""
        return None


class Node(Parts):
    """The service's parts."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._roles = os.environ["FAULT_ROLES"].split(",")
        self._topic = os.environ["FAULT_TOPIC"]
        self._slow = float(os.environ.get("FAULT_SLOW", "0"))

    def authoriser(self) -> _AnybodyMay:
        """Who may call is no subject here."""
        return _AnybodyMay()

    def offers(self) -> Sequence[Offer]:
        """The command, where it writes."""
        service = notify_service_pb2.DESCRIPTOR.services_by_name["NotifyService"]
        return [Offer(service, _Calls(self._topic))] if "write" in self._roles else []

    def listens(self) -> Sequence[Listen]:
        """The topic, where it reads."""
        return [Listen(self._topic, "ledger", self._effect)] if "read" in self._roles else []

    def tasks(self) -> Sequence[Task]:
        """The writers, where it writes."""
        if "write" not in self._roles:
            return []
        self._random = random.Random(int(os.environ["FAULT_SEED"]))
        self._names = [f"keys/{self.context.settings.service}-{number}" for number in range(KEYS)]
        self._pause = WRITERS / float(os.environ["FAULT_RATE"])
        self._journal = os.open(os.environ["FAULT_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return [self._write] * WRITERS

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(0, 2 * self._pause))
            name, lost = self._random.choice(self._names), self._random.random() < _ROLLED_BACK
            try:
                version = await self._changed(name, lost=lost)
            except (Unavailable, _OnPurposeError):
                continue
            if not EARLY:
                self._acknowledge(name, version)

    def _acknowledge(self, name: str, version: int) -> None:
        os.write(self._journal, f"ack {name} {version}\n".encode())

    async def _changed(self, name: str, *, lost: bool) -> int:
        async with self.context.database.transaction(Cause("tester")) as tx:
            version = await write(tx, self._topic, name)
            if lost or self._random.random() < _SLOW_COMMITS:  # others pass by while it has its places in the queue
                await tx._flush()
                tx._queued.clear()
                await asyncio.sleep(self._random.uniform(0, _SLOW_COMMIT))
            if EARLY:
                self._acknowledge(name, version)
            if lost:
                raise _OnPurposeError
        return version

    async def _effect(self, tx: Tx, record: Record) -> None:
        if self._slow:
            await asyncio.sleep(self._slow)
        await write(tx, answers(self._topic), record.key)  # first: what fails afterwards has caused nothing
        message = record.message
        if (
            isinstance(message, events_pb2.SubscriptionEvent)
            and message.subscription.subscriber == POISON
            and not TAKES_POISON
        ):
            raise ValueError("poison")
        await tx.sql.run(_EFFECT, record.id, record.key, record.version)


def main() -> None:
    """Entry point."""
    from tests.faults import broken

    declare(os.environ["FAULT_TOPIC"])
    if allowed := os.environ.get("FAULT_POLL_INTERVAL"):
        lanes._MAX_POLL_MS = int(float(allowed) * 1000)
    if variant := os.environ.get("FAULT_BROKEN"):
        broken.VARIANTS[variant].breaking()
    run(Service(os.environ["FAULT_NODE"], ServiceSettings, Path(), Node))


if __name__ == "__main__":
    from tests.faults import node  # the module that others know, not this one

    node.main()
