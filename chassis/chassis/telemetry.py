"""Traces 链路 and their way through the event store and Kafka, as W3C `traceparent`.

Only `setup` puts the OpenTelemetry SDK to work: before it, and where nobody calls it, the API's no-op tracer costs nothing.
The exporter to a collector is loaded where there is one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TextIO

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("alliance")
_FLUSH = 3.0  # seconds that a collector has for the last spans: a pod that ends has 45 for everything
_SAMPLED = frozenset("13579bdf")  # last digits of traceparents whose trace is recorded


def setup(
    service: str, otlp_endpoint: str | None, trace_file: Path | None, ratio: float, version: str = "0", slot: str = "0"
) -> None:
    """Send spans to a collector (by TLS where its address is https) and, for tests and the local platform, to a file of JSON
    lines; of the traces that begin here a share, `ratio`, and of others what whoever began them decided. `slot` is the
    replica, in a cluster the pod's name.
    """
    sampler = ParentBasedTraceIdRatio(ratio)
    told = {"service.namespace": "alliance", "service.name": service, "service.version": version, "service.instance.id": slot}
    provider = TracerProvider(sampler=sampler, resource=Resource.create(told))
    if otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(
            _Batches(OTLPSpanExporter(endpoint=otlp_endpoint, insecure=not otlp_endpoint.startswith("https://")))
        )
    if trace_file:
        provider.add_span_processor(SimpleSpanProcessor(_FileExporter(trace_file, service)))
    trace.set_tracer_provider(provider)


def rpc_attributes(method: str) -> dict[str, str | int]:
    """Of a call of `/package.Service/Method`, by OpenTelemetry's semantic conventions."""
    service, name = method.strip("/").rsplit("/", 1)
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name}


def messaging_attributes(operation: str, topic: str, message: str, group: str = "") -> dict[str, str | int]:
    """Of a record that is sent (`send`) or handled (`process`, by a group), likewise."""
    found: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.message.id": message,
    }
    return found | ({"messaging.consumer.group.name": group} if group else {})


@contextmanager
def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str = "",
    links: Sequence[str] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """A span; `parent` and `links` are traceparents, "" takes the current span as parent."""
    context = _context(parent) if parent else None
    linked = [trace.Link(_span_context(one)) for one in links if one]
    with _tracer.start_as_current_span(name, context, kind, attributes=attributes, links=linked) as opened:
        yield opened


def traceparent() -> str:
    """The current span as traceparent; "" where there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent", "")


def trace_id(parent: str = "") -> str:
    """The id in hex of the trace of `parent`, a traceparent, or else of the current one; "" where there is none."""
    context = _span_context(parent) if parent else trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def exemplar() -> dict[str, str] | None:
    """What links a sample to the current trace; None where the trace is not recorded."""
    context = trace.get_current_span().get_span_context()
    return {"trace_id": trace.format_trace_id(context.trace_id)} if context.trace_flags.sampled else None


def is_sampled(parent: str) -> bool:
    """Whether a traceparent's trace is recorded; its last two hex digits are flags, the lowest of which says so."""
    return parent[-1:] in _SAMPLED


def _context(parent: str) -> Context:
    return _propagator.extract({"traceparent": parent})


def _span_context(parent: str) -> trace.SpanContext:
    return trace.get_current_span(_context(parent)).get_span_context()


class _Batches(BatchSpanProcessor):
    """Ends in time where the collector is away: the SDK's own would try each of the batches that wait for ten seconds."""

    def shutdown(self) -> None:
        """Send what waits, as long as there is time."""
        late = Timer(_FLUSH, self.span_exporter.shutdown)  # what is under way ends then, and the rest is not begun
        late.daemon = True
        late.start()
        super().shutdown()  # type: ignore[no-untyped-call]
        late.cancel()


class _FileExporter(SpanExporter):
    """Appends each span as one JSON line."""

    def __init__(self, file: Path, service: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._opened: TextIO = file.open("a", encoding="utf-8", buffering=1)
        self._service = service

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write them."""
        for one in spans:
            context = one.get_span_context()
            if context is not None:
                self._opened.write(json.dumps(_line(one, context, self._service), ensure_ascii=False) + "\n")
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._opened.close()


def _line(one: ReadableSpan, context: trace.SpanContext, service: str) -> dict[str, object]:
    return {
        "service": service,
        "name": one.name,
        "trace": trace.format_trace_id(context.trace_id),
        "span": trace.format_span_id(context.span_id),
        "parent": trace.format_span_id(one.parent.span_id) if one.parent else "",
        "links": [trace.format_trace_id(link.context.trace_id) for link in one.links],
        "kind": one.kind.name,
        "start_ns": one.start_time,
        "end_ns": one.end_time,
        "status": one.status.status_code.name,
        "attributes": dict(one.attributes or {}),
    }
