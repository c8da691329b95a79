"""One call from its metadata to its answer: who calls, may they, once only, in one transaction.

A request with a `request_id` is a command: it runs in one read-write transaction with the row that makes it idempotent
(AIP-155). Others are queries in a read-only transaction. Streaming calls open their own transactions.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_status import rpc_status
from opentelemetry.trace import SpanKind

from chassis import metrics, screening, status, telemetry, wellformed
from chassis.auth import AUTHENTICATED, PUBLIC, Principal, Tokens
from chassis.contract import Method, resources
from chassis.crypto import digest
from chassis.database import Cause, Database, Tx
from chassis.errors import Exhausted, Fault, Invalid, Unauthenticated, Violation, refuse
from chassis.limit import Limit, Pace
from chassis.personal import screen

log = logging.getLogger(__name__)

_ON_THE_WAY = 0.05  # seconds that a call may have taken to come
_CLAIM = """
INSERT INTO request_log (principal, method, request_id, request_hash, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
_FIRST = "SELECT request_hash, response FROM request_log WHERE principal = $1 AND method = $2 AND request_id = $3"


@dataclass
class Call:
    """One call under way. `transaction` is None in a streaming call, which opens its own with `cause`."""

    method: str
    principal: Principal | None
    language: str
    database: Database
    cause: Cause
    accepting: Callable[[], None]
    """Raises `Unavailable` where nothing can be taken at present; a command has asked, a stream asks before each part."""
    transaction: Tx | None = None

    @property
    def tx(self) -> Tx:
        """The call's transaction."""
        if self.transaction is None:
            raise RuntimeError("a streaming call opens its own transactions")
        return self.transaction


class Authoriser(Protocol):
    """Decides whether a call may go on."""

    async def authorise(self, call: Call, permission: str, resources: list[str]) -> None:
        """Raises `Denied` unless the caller holds the permission on every resource (on the platform for none)."""


Reread = Callable[[Call, str], Awaitable[Message]]
"""Answers a repeated command anew from the resource's name, where the response itself must not be stored."""


class Pipeline:
    """Runs the calls of one server."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        authoriser: Authoriser,
        limit: Limit,
        accepting: Callable[[], None],
    ) -> None:
        """`accepting` raises where commands can't be taken at present."""
        self._database = database
        self._tokens = tokens
        self._authoriser = authoriser
        self._limit = limit
        self._accepting = accepting
        self._pace = Pace()

    def handler(
        self, method: Method, implementation: object, reread: Mapping[str, Reread]
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """The gRPC handler of one RPC."""
        serve: Any = getattr(implementation, method.name)
        codec = {
            "request_deserializer": partial(_decoded, method.request),
            "response_serializer": method.response.SerializeToString,
        }
        if method.client_streaming and method.server_streaming:
            # Not a generator: one that its client leaves is closed by others, in a context that knows nothing of our span.
            async def stream(requests: AsyncIterator[Message | None], context: Any) -> None:
                async with self._call(method, context) as call:
                    sound = _sound(requests)
                    first = await anext(sound, None) or method.request()
                    _refuse_ill_formed(first)
                    _refuse_headless(first, method.resource_field)
                    await self._authorise(call, method, first)
                    async with aclosing(serve(call, _chain(first, sound))) as responses:
                        async for response in responses:
                            await context.write(response)

            return grpc.stream_stream_rpc_method_handler(stream, **codec)  # type: ignore[arg-type]

        async def unary(given: Message | None, context: Any) -> Message:
            async with self._call(method, context) as call:
                request = _read(given)
                _refuse_ill_formed(request)
                if method.is_command:
                    return await self._command(call, method, request, serve, reread.get(method.name))
                return await self._query(call, method, request, serve)
            raise AssertionError("the call was aborted")

        return grpc.unary_unary_rpc_method_handler(unary, **codec)  # type: ignore[arg-type]

    def is_full(self) -> bool:
        """Whether a call that comes now is to be refused."""
        return self._limit.is_reached()

    def refusal(self, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
        """The handler in place of an RPC's own while the pipeline is full: nothing is read but the language."""
        refused = metrics.RPC_CALLS.labels(method.name, Exhausted.code.name)

        async def refuse(_: object, context: Any) -> None:
            metrics.RPC_SHED.inc()
            refused.inc()
            await asyncio.sleep(self._pace.delay(time.monotonic(), context.time_remaining()))
            header = next((value for name, value in context.invocation_metadata() if name == "accept-language"), "")
            await context.abort_with_status(_REFUSALS[_language(header)])

        return grpc.stream_stream_rpc_method_handler(refuse)  # a stream, since gRPC reads the request of any other first

    @asynccontextmanager
    async def _call(self, method: Method, context: Any) -> AsyncIterator[Call]:
        """Everything around a call: trace, identity, metrics, and faults as status."""
        metadata = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
        language = _language(metadata.get("accept-language", ""))
        began, code = time.monotonic(), "OK"
        parent = metadata.get("traceparent", "")
        attributes = telemetry.rpc_attributes(method.full_name)
        with telemetry.span(method.full_name, kind=SpanKind.SERVER, parent=parent, attributes=attributes) as span:
            try:
                self._enter()
                try:
                    yield self._identified(method, metadata, language)
                finally:
                    self._limit.leave()
            except Fault as fault:
                code = fault.code.name
                await _abort(context, status.status_of(fault, language))
            except (grpc.aio.AbortError, asyncio.CancelledError):
                code = "DEADLINE_EXCEEDED" if _is_late(context) else "CANCELLED"
                raise
            except Exception:
                code = "INTERNAL"
                log.exception("call failed", extra={"method": method.full_name})
                await _abort(context, status.internal(telemetry.trace_id()))
            finally:
                span.set_attribute("rpc.grpc.status_code", grpc.StatusCode[code].value[0])
                metrics.RPC_SECONDS.labels(method.name).observe(time.monotonic() - began, telemetry.exemplar())
                metrics.RPC_CALLS.labels(method.name, code).inc()

    def _enter(self) -> None:
        if not self._limit.enter():  # others have begun since this one was let in
            metrics.RPC_SHED.inc()
            raise Exhausted

    def _identified(self, method: Method, metadata: Mapping[str, str], language: str) -> Call:
        principal = self._tokens.principal(metadata.get("authorization"))
        if principal is None and method.permission != PUBLIC:
            raise Unauthenticated
        cause = Cause(
            actor=principal.sub if principal else "",
            on_behalf_of=principal.organization if principal else "",
            traceparent=telemetry.traceparent(),
        )
        return Call(method.full_name, principal, language, self._database, cause, self._accepting)

    async def _authorise(self, call: Call, method: Method, request: Message) -> None:
        if method.permission not in (PUBLIC, AUTHENTICATED):
            await self._authoriser.authorise(call, method.permission, resources(request, method.resource_field))

    async def _query(self, call: Call, method: Method, request: Message, serve: Any) -> Message:
        async with self._database.transaction(call.cause, read_only=True) as tx:
            call.transaction = tx
            await self._authorise(call, method, request)
            answer: Message = await serve(call, request)
        return answer

    async def _command(self, call: Call, method: Method, request: Any, serve: Any, reread: Reread | None) -> Message:
        self._accepting()
        reason = getattr(request, "reason", "")
        if problems := screen("reason", reason):
            raise Invalid(problems)
        identifier = _request_id(request.request_id)
        cause = call.cause
        call.cause = Cause(
            cause.actor, cause.on_behalf_of, reason, request_id=request.request_id, traceparent=cause.traceparent
        )
        async with self._database.transaction(call.cause) as tx:
            call.transaction = tx
            await self._authorise(call, method, request)
            if identifier is None:
                answer: Message = await _served(call, request, serve)
                return answer
            return await self._once(call, method, request, identifier, serve, reread)

    async def _once(
        self, call: Call, method: Method, request: Message, identifier: UUID, serve: Any, reread: Reread | None
    ) -> Message:
        """Run a command unless it was run before; a second one at the same time waits on the first one's row."""
        sql, key = call.tx.sql, (call.cause.actor, method.full_name, identifier)
        hashed = digest(request.SerializeToString(deterministic=True))
        if await sql.run(_CLAIM, *key, hashed, call.tx.recorded_at):
            answer: Any = await _served(call, request, serve)
            call.tx.respond(*key, answer.name.encode() if reread else answer.SerializeToString())
            return answer  # type: ignore[no-any-return]
        first: Any = await sql.row(_FIRST, *key)
        if first.request_hash != hashed:
            raise Invalid([_REUSED])
        if reread:
            return await reread(call, first.response.decode())
        return method.response.FromString(first.response)


async def _served(call: Call, request: Message, serve: Any) -> Any:
    """The answer to a command; nothing of it is kept where a text holds personal data that its service did not look for."""
    answer = await serve(call, request)
    refuse(screening.problems(request))
    return answer


_REUSED = Violation(
    "request_id",
    "AIP-155",
    "该请求号已用于内容不同的请求；请换一个新的请求号",
    "this request id was used for another request; take a new one",
)

_UNREADABLE = Violation(
    "",
    "protobuf",
    "请求无法解析：不是该消息的 protobuf 编码，或文字不是 UTF-8",
    "the request can't be read: it is not this message in protobuf, or a text is not UTF-8",
)

_REFUSALS = {language: rpc_status.to_status(status.status_of(Exhausted(), language)) for language in ("zh", "en")}


def _refuse_headless(first: Message, path: str) -> None:
    """Raises `Invalid` for the first message of a stream that is not the one which says whom all is for."""
    head, _, rest = path.partition(".")
    if rest and not first.HasField(head):
        zh, en = f"首条消息须为 {head}；请先发送", f"the first message has to be the {head}; send it before all others"
        raise Invalid([Violation(head, "first", zh, en)])


def _refuse_ill_formed(request: Message) -> None:
    if problems := wellformed.problems(request):
        raise Invalid(problems)


def _is_late(context: Any) -> bool:
    """Whether the caller's deadline has passed, or passes just now at its end, which is ahead of ours by the way that the call
    took: gRPC cancels such a call as it does one that its caller gave up.
    """
    left = context.time_remaining()
    return left is not None and left <= _ON_THE_WAY


def _request_id(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid([Violation("request_id", "AIP-155", "请求号须为 UUID", "the request id has to be a UUID")]) from None


def _language(header: str) -> str:
    """The first of zh and en that an `accept-language` header names; zh by default."""
    for one in header.split(","):
        tag = one.split(";")[0].strip().lower()[:2]
        if tag in ("zh", "en"):
            return tag
    return "zh"


def _decoded(kind: type[Message], content: bytes) -> Message | None:
    """The request; None where the bytes are none: an error raised here would be answered as one of ours."""
    try:
        return kind.FromString(content)
    except DecodeError:
        return None


def _read(given: Message | None) -> Message:
    if given is None:
        raise Invalid([_UNREADABLE])
    return given


async def _sound(requests: AsyncIterator[Message | None]) -> AsyncIterator[Message]:
    async for one in requests:
        yield _read(one)


async def _chain(first: Message, rest: AsyncIterator[Message]) -> AsyncIterator[Message]:
    yield first
    async for one in rest:
        yield one


async def _abort(context: Any, found: Any) -> None:
    await context.abort_with_status(rpc_status.to_status(found))
