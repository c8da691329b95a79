"""How records become effects: one batch is one transaction, and each record has its effect exactly once.

`applied` keeps, per group and key, the highest version that had its effect; what is at or below it is skipped. Only an
error of the record itself counts as its failure: then the batch is done again with a savepoint a record, and the bad one
goes to `dead_letter` in the same transaction while the good ones go on. Where a part is away, the batch waits. One that runs
out of time again and again is taken for the record's own failure: while PostgreSQL hangs, nothing can be parked either.
"""

import logging
import sysconfig
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from types import FrameType
from typing import Literal, Protocol
from uuid import UUID

import asyncpg
import grpc
from opentelemetry.trace import SpanKind
from sqlalchemy import ARRAY, Select, Table, Text, any_, delete, literal, select
from sqlalchemy.exc import DBAPIError

from chassis import applied, deadletter, metrics, telemetry, topics
from chassis.crash import crash_point
from chassis.database import Cause, Database, Tx, unavailable
from chassis.errors import Unavailable
from chassis.record import RawRecord, Record, UndecodableError, decode, verb_of

log = logging.getLogger(__name__)
Handler = Callable[[Tx, Record], Awaitable[object]]
_PATIENCE = 3  # batches that may run out of time, one after the other, before a record may be to blame
_NAMED = ("sqlstate", "constraint_name", "table_name", "column_name")  # what PostgreSQL says that is never a row's content
_LIBRARIES = tuple(sysconfig.get_path(name) + "/" for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_AWAY_CODES = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}


@dataclass(frozen=True)
class Projection:
    """What a listener keeps of its topic and nothing else decides, so that it can be written anew (`chassis.rebuild`).

    A row is named after the record behind it: by the key where only the newest record of a key counts (`state`), by the
    event's id where each does (`effect`).
    """

    tables: Sequence[Table]
    """Where the rows are; the first holds one a record."""
    name: str
    """The column that names the record."""
    only: Mapping[str, str] = field(default_factory=dict)
    """Column → value of the listener's rows, where others keep theirs in the same tables."""

    def names(self) -> Select[tuple[str]]:
        """The names of all rows."""
        table = self.tables[0]
        return select(table.c[self.name]).where(*(table.c[column] == value for column, value in self.only.items()))


Ends = Callable[[], Awaitable[Mapping[int, int]]]
"""Asks where each partition of a topic ends: partition → offset of the record that comes next."""


class Follower(Protocol):
    """What follows a topic in every process, as an index does that is kept in memory or on the process's own disk."""

    @property
    def places(self) -> Mapping[int, int]:
        """Partition → offset up to which it has taken everything."""

    async def beginning(self, topic: UUID, ends: Ends) -> Mapping[int, int]:
        """Partition → offset at which it goes on; of partitions that are left out, at their start. Asked whenever a client
        has connected, with the topic's id, and how to learn where each partition ends now: of another id, or of a partition
        that ends before what was read of it, offsets mean nothing any more. While it is read, this is looked at every few
        seconds; where it is so, the client is given up, and this is asked again.
        """

    def was_still(self, at: float) -> None:
        """At a time (`time.monotonic`) the topic was what it had been at the beginning."""

    async def take(self, records: Sequence[Record]) -> None:
        """The next records, in the order of each partition; the same ones may come again. Where it raises, and no part is
        away, they come one by one, and those that fail are parked.
        """

    def caught_up(self) -> None:
        """It has all that was on the topic when its client connected."""

    def stopped(self) -> None:
        """Its client was given up: until it has caught up again, it does not know what is on the topic."""


@dataclass(frozen=True)
class Listen:
    """What a service listens to: a topic, a name (its group is `<service>.<name>`) and the handler of each record.

    Modes:
        effect: a key's records have their effects in order; while one is open as a dead letter, later ones wait.
        state: only the newest state matters; a later record supersedes an open dead letter.

    `follower` makes it a tail: no Kafka group; every process reads all partitions, in no transaction, from where its follower
    stands. The handler then gets what an operator replays of the dead letters.

    `projection` says what can be rebuilt of it; None where its effects are not its own to undo: messages that went out,
    aggregates that live on.
    """

    topic: str
    name: str
    handler: Handler
    mode: Literal["effect", "state"] = "effect"
    follower: "Follower | None" = None
    projection: Projection | None = None


class Handling:
    """Gives one listener's records to its handler."""

    def __init__(self, service: str, listen: Listen, database: Database, retry_delays: Sequence[float]) -> None:
        self.group = f"{service}.{listen.name}"
        self.listen = listen
        self.database = database
        self.retry_delays = retry_delays
        self.actor = f"service:{service}"
        self._topic = topics.load().named(listen.topic)
        self._delay = metrics.EVENT_DELAY.labels(self.group)
        self._gaps = metrics.VERSION_GAPS.labels(self.group)  # at 0 from the start, so that the first one is a rise
        self._late = 0
        self._open: set[str] | None = None  # of a tail: keys that have had open dead letters

    async def batch(self, raws: Sequence[RawRecord]) -> None:
        """Handle records, in order; returns when they are committed. A record whose handler fails, or whose events the tables
        refuse, is parked; raises what `away` recognises.
        """
        began = time.monotonic()
        decoded = [_decoded(raw) for raw in raws]
        try:
            await self._once(raws, decoded, isolate=self._late >= _PATIENCE)
        except Exception as error:
            if away(error):
                self._late = self._late + 1 if out_of_time(error.__cause__) else 0
                raise
            await self._once(raws, decoded, isolate=True)
        self._late = 0
        metrics.HANDLER_SECONDS.labels(self.group).observe(time.monotonic() - began)
        metrics.CONSUMER_BATCH.labels(self.group).observe(len(raws))

    async def _once(self, raws: Sequence[RawRecord], decoded: Sequence[Record | UndecodableError], *, isolate: bool) -> None:
        handled: list[Record] = []
        async with self.database.transaction(Cause(self.actor)) as tx:
            keys = {record.key for record in decoded if record.key}
            done = await self.lock(tx, keys)
            before = dict(done)
            waiting = set() if self.is_state else await deadletter.open_keys(tx, self.group, self.listen.topic, keys)
            for raw, record in zip(raws, decoded, strict=True):
                await self._one(tx, raw, record, done, waiting, handled, isolate=isolate)
                crash_point("consumer.between_records")
            await self.advance(tx, {key: version for key, version in done.items() if before[key] != version})
            crash_point("consumer.before_commit")
        crash_point("consumer.after_commit")
        self._had_effect(handled, tx.recorded_at)

    async def _one(
        self,
        tx: Tx,
        raw: RawRecord,
        record: Record | UndecodableError,
        done: dict[str, int],
        waiting: set[str],
        handled: list[Record],
        *,
        isolate: bool,
    ) -> None:
        """One record of a batch: skipped, parked behind another, handled, or parked as failed."""
        if isinstance(record, UndecodableError):
            await self._unreadable(tx, raw, record, done, waiting)
        elif record.version <= done[record.key]:
            self._counted(tx, "skipped")
        elif record.key in waiting:
            await deadletter.park(tx, self, raw, record, "an earlier record of the key is open", waits=True)
            self._counted(tx, "waiting")
        elif await self._taken(tx, raw, record, isolate=isolate):
            self._look_for_gap(tx, record, done[record.key])
            done[record.key] = record.version
            handled.append(record)
        elif not self.is_state:
            waiting.add(record.key)

    async def _unreadable(
        self, tx: Tx, raw: RawRecord, error: UndecodableError, done: dict[str, int], waiting: set[str]
    ) -> None:
        """Park what can't be read; where at least its key can, the key waits until it is decided on."""
        if error.key and error.version <= done[error.key]:
            self._counted(tx, "skipped")
            return
        is_open = await deadletter.park(tx, self, raw, error, f"undecodable: {error}")
        self._counted(tx, "failed")
        if error.key and is_open and not self.is_state:
            waiting.add(error.key)

    async def _taken(self, tx: Tx, raw: RawRecord, record: Record, *, isolate: bool) -> bool:
        """Handle a record; says whether it succeeded. A failure is the whole batch's, or, isolated, its own: it is parked."""
        if not isolate:
            await self._give(tx, record)
            return True
        try:
            async with tx.savepoint(whole=True):
                await self._give(tx, record)
        except Exception as error:
            if away(error) and not (self._late >= _PATIENCE and out_of_time(error)):
                raise
            log.warning("record failed", extra=self._failure(record, error))
            await deadletter.park(tx, self, raw, record, reason(error))
            self._counted(tx, "failed")
            return False
        return True

    def _look_for_gap(self, tx: Tx, record: Record, done: int) -> None:
        """Count versions that never came: compacted away before they were read, given up by a fence, or lost."""
        if record.version > done + 1 and self._topic.consecutive:
            tx.on_commit(self._gaps.inc)

    async def rewrite(self, records: Sequence[Record]) -> int:
        """Write the projection's rows of records anew; returns how many the handler did not take. Raises as `batch` does.

        Nothing is written of a key whose newer record came meanwhile, nor of a record that an operator has dropped, or that
        waits for a decision: it has no effect, or not yet.
        """
        try:
            return await self._rewrite(records, isolate=False)
        except Exception as error:
            if away(error):
                raise
            return await self._rewrite(records, isolate=True)

    async def _rewrite(self, records: Sequence[Record], *, isolate: bool) -> int:
        failed = set()
        async with self.database.transaction(Cause(self.actor)) as tx:
            done = await self.lock(tx, {one.key for one in records})
            held = await deadletter.without_effect(tx, self.group, self.listen.topic, done)
            counting = [
                one
                for one in records
                if (one.key, one.version) not in held and (not self.is_state or one.version >= done[one.key])
            ]
            if not isolate:
                await self._anew(tx, counting)
            else:
                failed = {one.id for one in counting if not await self._anew_alone(tx, one)}
            if self.is_state:
                await self.advance(tx, {one.key: one.version for one in counting if one.id not in failed})
        return len(failed)

    async def _anew(self, tx: Tx, records: Sequence[Record]) -> None:
        if not self.is_state:  # the handler of a state puts it in place of the older one
            await self.forget(tx, [one.id for one in records])
        for one in records:
            await self._give(tx, one)

    async def _anew_alone(self, tx: Tx, record: Record) -> bool:
        try:
            async with tx.savepoint(whole=True):
                await self._anew(tx, [record])
        except Exception as error:
            if away(error):
                raise
            log.warning("rebuild: record failed", extra=self._failure(record, error))
            return False
        return True

    def _failure(self, record: Record, error: BaseException) -> dict[str, str]:
        """What a log says of a record that failed, with the trace that it came by: its span is over."""
        told = {"group": self.group, "event_id": str(record.id), "error": reason(error)}
        return told | {"trace_id": telemetry.trace_id(record.traceparent) or telemetry.trace_id()}

    async def forget(self, tx: Tx, names: Sequence[str]) -> None:
        """Remove rows of the projection."""
        if projection := self.listen.projection:
            for table in reversed(projection.tables):
                await tx.conn.execute(delete(table).where(table.c[projection.name] == any_(literal(list(names), ARRAY(Text)))))

    async def handle(self, tx: Tx, record: Record) -> None:
        """Give one record to the handler, as its cause and in its trace; counted once it is committed."""
        await self._give(tx, record)
        tx.on_commit(partial(self._had_effect, [record], tx.recorded_at))

    async def _give(self, tx: Tx, record: Record) -> None:
        await as_effect(tx, self.actor, self.group, record, self.listen.handler(tx, record))

    async def lock(self, tx: Tx, keys: Iterable[str]) -> dict[str, int]:
        """Lock the keys' `applied` rows and read their versions; 0 for a new key."""
        return await applied.lock(tx, self.group, self.listen.topic, keys)

    async def advance(self, tx: Tx, versions: dict[str, int]) -> None:
        """Write down the versions that had their effect."""
        await applied.advance(tx, self.group, self.listen.topic, versions)

    @property
    def is_state(self) -> bool:
        """Whether only the newest record of a key matters."""
        return self.listen.mode == "state"

    async def follow(self, follower: Follower, raws: Sequence[RawRecord], *, is_old: bool) -> None:
        """Give records to a follower; what can't be read, or taken, is parked. Raises what `away` recognises.

        `is_old`: they lay on the topic when this process began, so that their delay says nothing.
        """
        decoded = [(raw, _decoded(raw)) for raw in raws]
        good = [(raw, one) for raw, one in decoded if isinstance(one, Record)]
        failed = [(raw, one, f"undecodable: {one}") for raw, one in decoded if isinstance(one, UndecodableError)]
        refused = await self._refused(follower, good)
        if failed or refused:
            unwanted = [(raw, one, refused[_place_of(raw)]) for raw, one in good if _place_of(raw) in refused]
            await self._set_aside([*failed, *unwanted])
        taken = [one for raw, one in good if _place_of(raw) not in refused]
        await self._overtake(taken)
        if is_old:
            metrics.RECORDS.labels(self.group, "recalled").inc(len(taken))
        else:
            self._had_effect(taken, self.database.system_time())

    async def _refused(self, follower: Follower, good: Sequence[tuple[RawRecord, Record]]) -> dict[tuple[int, int], str]:
        """Partition and offset of those that the follower could not take, and why."""
        try:
            await follower.take([record for _, record in good])
        except Exception as error:
            if away(error):
                raise
        else:
            return {}
        refused = {}
        for raw, record in good:
            try:
                await follower.take([record])
            except Exception as error:
                if away(error):
                    raise
                log.warning("record failed", extra=self._failure(record, error))
                refused[_place_of(raw)] = reason(error)
        return refused

    async def _set_aside(self, failed: Sequence[tuple[RawRecord, Record | UndecodableError, str]]) -> None:
        async with self.database.transaction(Cause(self.actor)) as tx:
            for raw, record, why in failed:
                await deadletter.park(tx, self, raw, record, why)
                self._counted(tx, "failed")
        if self._open is not None:
            self._open |= {record.key for _, record, _ in failed if record.key}

    async def _overtake(self, taken: Sequence[Record]) -> None:
        """Write down which versions were taken of keys that have open dead letters, so that older ones are superseded."""
        if self._open is None:
            async with self.database.alone() as sql:
                self._open = await deadletter.all_open_keys(sql, self.group)
        if versions := {one.key: one.version for one in taken if one.key in self._open}:
            async with self.database.transaction(Cause(self.actor)) as tx:
                await self.lock(tx, versions)
                await self.advance(tx, versions)

    def _had_effect(self, records: Sequence[Record], at: datetime) -> None:
        """Count records whose effects are committed."""
        for kind, number in Counter(one.type for one in records).items():
            outcome = "applied" if self._topic.takes(verb_of(kind)) else "unknown_type"
            metrics.RECORDS.labels(self.group, outcome).inc(number)
        now = at.timestamp()
        for one in records:
            self._delay.observe(max(0.0, now - one.time.timestamp()))

    def _counted(self, tx: Tx, outcome: str) -> None:
        """Counted once it is committed: a batch may be done again."""
        tx.on_commit(metrics.RECORDS.labels(self.group, outcome).inc)


async def as_effect(tx: Tx, actor: str, group: str, record: Record, work: Awaitable[object]) -> None:
    """Do what a record causes: with it as the cause of all that is written, and in its trace."""
    outer, tx.cause = tx.cause, Cause(actor, event_id=record.id, traceparent=record.traceparent)
    try:
        if record.traceparent and not telemetry.is_sampled(record.traceparent):  # a span would cost more than most handlers
            await work
            return
        attributes = telemetry.messaging_attributes("process", record.topic, record.id, group)
        name = f"{group} handles {record.verb}"
        with telemetry.span(name, kind=SpanKind.CONSUMER, parent=record.traceparent, attributes=attributes):
            tx.cause = Cause(actor, event_id=record.id, traceparent=telemetry.traceparent())
            await work
    finally:
        tx.cause = outer


def away(error: BaseException) -> bool:
    """Whether an error says that a part can't be reached, or that two transactions collided: worth trying again."""
    if isinstance(error, grpc.aio.AioRpcError):
        return error.code() in _AWAY_CODES
    return isinstance(error, Unavailable) or unavailable(error)


def out_of_time(error: BaseException | None) -> bool:
    """Whether a statement took all the time that it has: PostgreSQL hangs, somebody holds a lock, or it asks too much."""
    return isinstance(error, TimeoutError)


def reason(error: BaseException) -> str:
    """What an error says, free of payload data: its type, what PostgreSQL names of it, and the place in our code."""
    # SQLAlchemy wraps the driver's error twice, and all of them under the same few names.
    said = (getattr(error.orig, "__cause__", None) or error.orig) if isinstance(error, DBAPIError) else error
    names = (getattr(said, name, None) for name in _NAMED) if isinstance(said, asyncpg.PostgresError) else ()
    return " ".join([type(said).__name__, *(str(one) for one in names if one), *_place(error)])


def _place(error: BaseException) -> list[str]:
    """Where a service's own code was, the chassis' where no service's was; what a library has beneath it says nothing."""
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [one for one in frames if _is_own(one[0])]
    beyond = [one for one in own if _module(one[0]).partition(".")[0] != "chassis"]
    return [f"at {_module(frame)}:{line}" for frame, line in (beyond or own or frames)[-1:]]


def _is_own(frame: FrameType) -> bool:
    """Whether code is ours: of no library's folder. Where ours is installed there as well, its package has a known name."""
    file = frame.f_code.co_filename
    is_library = not file.startswith("/") or file.startswith(_LIBRARIES)  # compiled and generated code has no whole path
    return not is_library or _module(frame).partition(".")[0] in _own_packages()


@cache
def _own_packages() -> frozenset[str]:
    declared = topics.load().all
    services = (name for topic in declared for name in (topic.owner, *topic.consumers))
    return frozenset({"chassis", "access", *services})


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _place_of(raw: RawRecord) -> tuple[int, int]:
    return raw.partition, raw.offset


def _decoded(raw: RawRecord) -> Record | UndecodableError:
    try:
        return decode(raw)
    except UndecodableError as error:
        return error
