"""Exemplars 样本链接: a sample names the trace that it comes from, where that trace is recorded."""

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from chassis import telemetry

_TRACE = 0x0AF7651916CD43DD8448EB211C80319C
_TEXT = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(("flags", "linked"), [(TraceFlags.SAMPLED, {"trace_id": _TEXT}), (TraceFlags.DEFAULT, None)])
def test_only_a_recorded_trace_is_linked(flags: int, linked: dict[str, str] | None) -> None:
    context = SpanContext(_TRACE, 1, is_remote=False, trace_flags=TraceFlags(flags))
    with trace.use_span(NonRecordingSpan(context)):
        assert telemetry.exemplar() == linked


def test_outside_of_a_trace_there_is_none() -> None:
    assert telemetry.exemplar() is None


@pytest.mark.parametrize("linked", [True, False])
def test_a_histogram_shows_it_to_who_asks_for_openmetrics(linked: bool) -> None:
    registry = CollectorRegistry()
    flags = TraceFlags.SAMPLED if linked else TraceFlags.DEFAULT
    with trace.use_span(NonRecordingSpan(SpanContext(_TRACE, 1, is_remote=False, trace_flags=TraceFlags(flags)))):
        Histogram("a_seconds", "of this test", registry=registry).observe(0.1, telemetry.exemplar())
    shown: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    assert (_TEXT in shown.decode()) == linked
