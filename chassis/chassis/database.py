"""Transactions in which state changes and events commit together.

`async with database.transaction(cause) as tx:` gives fixed statements (`tx.sql`), SQLAlchemy's connection and session on
the same transaction, and `tx.emit`, which queues an event. All queued events are written in one statement at the end of
the transaction, after every aggregate's row lock is held: the queue's `seq` therefore rises in the order in which the
transactions of one aggregate commit.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

import asyncpg
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Executable, event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import QueuePool

from alliance.common.v1 import event_pb2
from chassis import metrics, telemetry, topics
from chassis.clock import Clock
from chassis.errors import Invalid, Unavailable, Violation
from chassis.ids import new_id
from chassis.record import MAX_KEY
from chassis.statements import Statements, uninterrupted

log = logging.getLogger(__name__)
MAX_PAYLOAD = 1024 * 1024 - 4096  # bytes; the broker's limit less the headers
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,  # the password was changed: connections that are there go on
    asyncpg.OperatorInterventionError,  # shutting down, recovering, or told to end a statement or session
    asyncpg.InsufficientResourcesError,  # no space on its disk, no memory, no connection left
    asyncpg.PostgresSystemError,  # its files can't be read or written
    asyncpg.ReadOnlySQLTransactionError,  # it has become a standby
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,  # a migration changed what a statement gives; the next try asks anew
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # PostgreSQL has said that it ends, and the driver has not seen the end yet
    TimeoutError,  # no answer: the statement waits for a lock, or on a connection whose other end is gone
)
_CONNECT_TIMEOUT = 5.0
_STATEMENT_TIMEOUT = 20.0  # seconds for a statement, and as long again to cancel it; beyond that its connection is given up
_IDLE_TIMEOUT = 30.0  # seconds that a transaction may do nothing: PostgreSQL frees the locks of a client that is gone unheard
_POOL_TIMEOUT = 5.0

_EVENTS = """
WITH e AS (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::text[], $8::text[],
                       $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[]) WITH ORDINALITY
    AS e (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id, request_id, traceparent,
          effective_at, place)
), stored AS (
  INSERT INTO event (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id, request_id,
                     traceparent, recorded_at, effective_at)
  SELECT id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id, request_id, traceparent, $14,
         effective_at
  FROM e
){more}
INSERT INTO outbox (event_id, key, bytes) SELECT id, key, coalesce(octet_length(payload), 0) FROM e ORDER BY place
"""
_RESPONSE = "UPDATE request_log SET response = {4} WHERE principal = {1} AND method = {2} AND request_id = {3}"
_INSERT_EVENTS = _EVENTS.format(more="")
_KEEP_RESPONSE = _RESPONSE.format(*(f"${place}" for place in range(5)))
_INSERT_BOTH = _EVENTS.format(more=f", kept AS ({_RESPONSE.format(*(f'${14 + place}' for place in range(5)))})")


class Cause(NamedTuple):
    """Who or what a transaction is for; every event that it emits says so.

    `actor` is the opaque id of a principal, `event_id` the event that led here, `effective_at` the business instant
    (now where None), `traceparent` the trace to go on with (the current span's where empty).
    """

    actor: str
    on_behalf_of: str = ""
    reason: str = ""
    event_id: str = ""
    request_id: str = ""
    effective_at: datetime | None = None
    traceparent: str = ""


@dataclass(frozen=True)
class _Queued:
    id: UUID
    topic: str
    key: str
    version: int
    type: str
    payload: bytes | None
    cause: Cause
    traceparent: str
    effective_at: datetime

    def values(self) -> tuple[Any, ...]:
        """The columns of `_INSERT_EVENTS`, in order."""
        cause = self.cause
        why = (cause.actor, cause.on_behalf_of, cause.reason, cause.event_id, cause.request_id, self.traceparent)
        return (self.id, self.topic, self.key, self.version, self.type, self.payload, *why, self.effective_at)


Write = Callable[["Tx", list[Any]], Awaitable[None]]
"""Writes rows of one kind."""


@dataclass
class Tx:
    """One transaction. `now` is the business instant of its events, `recorded_at` the system's.

    `cause` may be changed on the way: an event takes the one that stands when it is emitted.
    """

    conn: AsyncConnection
    sql: Statements
    cause: Cause
    now: datetime
    recorded_at: datetime
    _queued: list[_Queued] = field(default_factory=list)
    _has_written: bool = False
    _response: tuple[str, str, UUID, bytes] | None = None
    _callbacks: list[Callable[[], None]] = field(default_factory=list)
    _endings: list[Callable[[], None]] = field(default_factory=list)
    _later: dict[Write, list[Any]] = field(default_factory=dict)
    _session: AsyncSession | None = None
    _timestamps: dict[datetime, Timestamp] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict)
    """What was read for the whole transaction, by whoever read it: the records of a batch ask once."""

    @property
    def session(self) -> AsyncSession:
        """A session for reads of SQLModel tables, in this transaction."""
        if self._session is None:
            self._session = AsyncSession(bind=self.conn, autoflush=False, expire_on_commit=False)
        return self._session

    async def run_each(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement of SQLAlchemy's for each of the rows, all in one go."""
        if rows:
            await uninterrupted(self.conn.execute(statement, rows))

    def emit(
        self,
        topic: str,
        key: str,
        version: int,
        verb: str,
        message: Message | None,
        *,
        effective_at: datetime | None = None,
    ) -> UUID:
        """Queue an event: `message` is the whole state after it, None takes the key off a public topic.

        Fills `message.meta`. Returns the event's id. Raises `Invalid` for a key or size that the broker would refuse,
        KeyError for an unknown topic, ValueError for a verb that the topic does not declare.
        """
        declared = topics.load().named(topic)
        if not declared.takes(verb):
            raise ValueError(f"{topic} declares no type {verb!r}")
        effective = effective_at or self.now
        if message is not None:
            self._fill(message, version, effective)
        payload = None if message is None else message.SerializeToString(deterministic=True)
        _check_size(key, payload)
        trace = self.cause.traceparent or telemetry.traceparent()
        queued = _Queued(new_id(), topic, key, version, declared.type_of(verb), payload, self.cause, trace, effective)
        self._queued.append(queued)
        return queued.id

    def later(self, write: Write, rows: Iterable[Any]) -> None:
        """Have rows written together with others of this transaction: by `settle`, or before it ends."""
        self._later.setdefault(write, []).extend(rows)

    async def settle(self) -> None:
        """Write what was put off."""
        while self._later:
            write, rows = next(iter(self._later.items()))
            del self._later[write]
            if rows:
                await write(self, rows)

    def respond(self, principal: str, method: str, request_id: UUID, response: bytes) -> None:
        """Keep a command's response beside its request; written together with the events, at the end."""
        self._response = (principal, method, request_id, response)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Run after the transaction has committed; never after a rollback."""
        self._callbacks.append(callback)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Run at the end in any case, after what `on_commit` names."""
        self._endings.append(callback)

    @asynccontextmanager
    async def savepoint(self, *, whole: bool = False) -> AsyncIterator[None]:
        """Work that can be undone alone: on an exception its writes, events and callbacks are gone.

        `whole`: its events are written within it, so that one that the tables refuse is this work's failure alone. Otherwise
        they are written with those of the transaction, which costs less.
        """
        await self.settle()
        events, callbacks = len(self._queued), len(self._callbacks)
        try:
            async with self.sql.transaction():
                yield
                await self.settle()
                if whole:
                    await self._write(self._queued[events:])
        except BaseException:
            self._later.clear()
            self.memo.clear()
            del self._queued[events:], self._callbacks[callbacks:]
            raise
        if whole:
            self._has_written = self._has_written or len(self._queued) > events
            del self._queued[events:]

    def _fill(self, message: Message, version: int, effective_at: datetime) -> None:
        meta: Any = message.meta  # type: ignore[attr-defined]
        meta.version = version
        meta.recorded_at.CopyFrom(self._timestamp(self.recorded_at))
        meta.effective_at.CopyFrom(self._timestamp(effective_at))
        if isinstance(meta, event_pb2.EventMeta):
            meta.actor = self.cause.actor
            meta.on_behalf_of = self.cause.on_behalf_of
            meta.reason = self.cause.reason
            meta.cause_event_id = self.cause.event_id
            meta.request_id = self.cause.request_id

    def _timestamp(self, instant: datetime) -> Timestamp:
        """An instant as protobuf has it; the events of a transaction share theirs."""
        found = self._timestamps.get(instant)
        if found is None:
            found = self._timestamps[instant] = Timestamp()
            found.FromDatetime(instant)
        return found

    async def _flush(self) -> bool:
        """Write the queued events with their places in the queue, and the response; says whether there were events."""
        await self._write(self._queued, self._response or ())
        return self._has_written or bool(self._queued)

    async def _write(self, events: Sequence[_Queued], response: Sequence[Any] = ()) -> None:
        if events:
            columns = map(list, zip(*(one.values() for one in events), strict=True))
            await self.sql.run(_INSERT_BOTH if response else _INSERT_EVENTS, *columns, self.recorded_at, *response)
        elif response:
            await self.sql.run(_KEEP_RESPONSE, *response)


class Database:
    """A service's database."""

    def __init__(
        self, url: str, *, system: Clock, business: Clock, pool: int = 10, ca_file: Path | None = None, use: str = "calls"
    ) -> None:
        """`ca_file` has what PostgreSQL's certificate is checked against; without one, the connection is plain. `use` is what
        metrics call the pool.
        """
        self._system = system
        self._business = business
        self.woken: Callable[[], None] = lambda: None
        """Called after a commit that queued events; the relay puts its own wake-up here."""
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT,
            pool_pre_ping=False,
            isolation_level="AUTOCOMMIT",  # transactions are begun and ended here, by the driver
            hide_parameters=True,  # errors are logged, and parameters are what people wrote
            connect_args={
                "timeout": _CONNECT_TIMEOUT,
                "command_timeout": _STATEMENT_TIMEOUT,
                "server_settings": {
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": f"{_IDLE_TIMEOUT:.0f}s",
                },
            },
        )
        secure(self.engine, ca_file)
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._waited = metrics.DATABASE_WAIT.labels(use)
        metrics.DATABASE_LIMIT.labels(use).set(pool)
        metrics.DATABASE_CONNECTIONS.labels(use).set_function(self._in_use)

    @asynccontextmanager
    async def transaction(self, cause: Cause, *, read_only: bool = False) -> AsyncIterator[Tx]:
        """One transaction: commits at the end, rolls back on any exception.

        Raises `Unavailable` where PostgreSQL can't be reached or has no connection left.
        """
        endings: list[Callable[[], None]] = []
        try:
            with _translated():
                async with self._connected() as (conn, sql), sql.transaction(read_only=read_only):
                    now = cause.effective_at or self._business.now()
                    tx = Tx(conn, sql, cause, now, self._system.now(), _endings=endings)
                    yield tx
                    await tx.settle()
                    queued = await tx._flush()
            if queued:
                self.woken()
            for callback in tx._callbacks:
                _called(callback)
        finally:
            for ending in endings:
                _called(ending)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Statements]:
        """For statements that stand alone: each is a transaction of its own, at a third of the cost of one that is begun
        and committed. For looks that are taken many times a second. Raises `Unavailable` as `transaction` does.
        """
        with _translated():
            async with self._connected() as (_, sql):
                # Its next user would wait for the end of what nobody waits for, or meet what the driver is in the middle of.
                with sql.given_up_on(asyncio.CancelledError, TimeoutError, asyncpg.InternalClientError):
                    yield sql

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[AsyncConnection, Statements]]:
        began = time.monotonic()
        try:
            connection = await self.engine.connect()
        except OSError as error:  # no socket, refused, timed out
            raise _away() from error
        finally:
            self._waited.observe(time.monotonic() - began)
        driver: Any = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
        try:
            yield connection, Statements(driver)
        finally:
            await connection.close()

    def _in_use(self) -> float:
        pool = cast(QueuePool, self.engine.pool)
        return pool.checkedout()

    def system_time(self) -> datetime:
        """The system's time: what a transaction that begins now records."""
        return self._system.now()

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _called(callback: Callable[[], None]) -> None:
    """What fails after a commit undoes nothing, and must not look as if it did."""
    try:
        callback()
    except Exception:
        log.exception("transaction: what comes after it failed")


def _refuse_closed(connection: Any, *_: object) -> None:
    """A connection whose other end has hung up meanwhile is not given out: the pool makes a new one."""
    if connection.driver_connection.is_closed():
        raise exc.DisconnectionError


def async_url(url: str) -> str:
    """The URL for SQLAlchemy's asyncpg dialect."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def secure(engine: AsyncEngine, ca_file: Path | None) -> None:
    """Have the other end of each connection show a certificate of that CA, for its own name. The file is read for each: a CA
    is renewed while services run.
    """

    def connecting(dialect: Any, record: Any, arguments: Any, named: dict[str, Any]) -> None:
        named["ssl"] = ssl.create_default_context(cafile=ca_file)

    if ca_file:
        event.listen(engine.sync_engine, "do_connect", connecting)


def why(error: BaseException) -> str:
    """What is behind an `Unavailable`, for the log: the driver's word, without statement and values."""
    cause = error.__cause__ or error
    cause = getattr(cause, "orig", None) or cause
    return str(cause) or type(cause).__name__


def unavailable(error: BaseException) -> bool:
    """Whether an error is PostgreSQL's trouble, or a collision of two transactions, rather than that a statement is wrong: the
    same may go well a little later.
    """
    if isinstance(error, exc.DBAPIError):
        # SQLAlchemy wraps the driver's error once in its own, which keeps it as the cause.
        return error.connection_invalidated or isinstance(getattr(error.orig, "__cause__", None), _AWAY)
    return isinstance(error, (exc.TimeoutError, *_AWAY))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn errors of an absent PostgreSQL into `Unavailable`."""
    try:
        yield
    except Exception as error:
        if unavailable(error):
            raise _away() from error
        raise


def _away() -> Unavailable:
    return Unavailable("数据库暂时不可用或繁忙，请稍后重试", "the database is away or busy; try again shortly")


def _check_size(key: str, payload: bytes | None) -> None:
    if not key or len(key.encode()) > MAX_KEY:
        raise Invalid([Violation("name", "key-size", "资源名为空或超过 512 字节", "resource name is empty or over 512 bytes")])
    if payload is not None and len(payload) > MAX_PAYLOAD:
        raise Invalid(
            [
                Violation(
                    "",
                    "record-size",
                    f"内容 {len(payload)} 字节，超过 {MAX_PAYLOAD} 字节的上限；请缩短文字",
                    f"{len(payload)} bytes of content, over the limit of {MAX_PAYLOAD}; shorten the texts",
                )
            ]
        )
