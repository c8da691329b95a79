"""Traces: which are recorded, and what spans are called by OpenTelemetry's conventions."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from chassis import telemetry

_PARENTS = {"none": "", "recorded": f"00-{'1' * 32}-{'2' * 16}-01", "passed by": f"00-{'3' * 32}-{'4' * 16}-00"}
_PROGRAM = """
import sys
from pathlib import Path
from chassis import telemetry
telemetry.setup("tester", None, Path(sys.argv[1]), float(sys.argv[2]))
with telemetry.span("one", parent=sys.argv[3]):
    pass
"""
_SENDING = """
import sys
from chassis import telemetry
telemetry.setup("tester", sys.argv[1], None, 1.0, "1.2.3", "pod-a")
for _ in range(2000):
    with telemetry.span("one"):
        pass
"""
_LATEST = 25  # seconds; the SDK's own way takes 30 and more


class _Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self) -> None:
        self.came: list[trace_service_pb2.ExportTraceServiceRequest] = []

    def Export(self, request: trace_service_pb2.ExportTraceServiceRequest, _: grpc.ServicerContext) -> object:
        self.came.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def _collecting() -> Iterator[tuple[_Collector, int]]:
    server, collector = grpc.server(ThreadPoolExecutor(2)), _Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector, port
    finally:
        server.stop(None)


def _send(port: int) -> None:
    subprocess.run([sys.executable, "-c", _SENDING, f"http://127.0.0.1:{port}"], check=True, timeout=_LATEST)


def test_a_collector_gets_all_with_who_sent_them() -> None:
    with _collecting() as (collector, port):
        _send(port)
    resources = [one for request in collector.came for one in request.resource_spans]
    assert sum(len(scope.spans) for one in resources for scope in one.scope_spans) == 2000
    told = {one.key: one.value.string_value for one in resources[0].resource.attributes}
    named = {"service.namespace": "alliance", "service.name": "tester", "service.version": "1.2.3"}
    assert told.items() >= {**named, "service.instance.id": "pod-a"}.items()


@pytest.mark.parametrize("listens", [True, False])
def test_who_sends_to_a_collector_that_is_silent_or_away_ends_nevertheless(listens: bool) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if listens:
            mute.listen()  # and never accepts
        _send(mute.getsockname()[1])


@pytest.mark.parametrize(
    ("ratio", "parent", "recorded"),
    [(1.0, "none", 1), (0.0, "none", 0), (0.0, "recorded", 1), (1.0, "passed by", 0)],
)
def test_who_begins_a_trace_decides_whether_it_is_recorded(tmp_path: Path, ratio: float, parent: str, recorded: int) -> None:
    """In a process of its own: the SDK is set up once."""
    file = tmp_path / "traces.jsonl"
    subprocess.run([sys.executable, "-c", _PROGRAM, str(file), str(ratio), _PARENTS[parent]], check=True, timeout=60)
    assert len(file.read_text(encoding="utf-8").splitlines()) == recorded


def test_a_log_finds_the_trace_of_a_record_whose_span_is_over() -> None:
    assert telemetry.trace_id(_PARENTS["recorded"]) == "1" * 32
    assert telemetry.trace_id(_PARENTS["passed by"]) == "3" * 32
    assert telemetry.trace_id("no traceparent") == telemetry.trace_id() == ""


def test_spans_have_the_names_that_tools_look_for() -> None:
    assert telemetry.rpc_attributes("/alliance.listings.v1.ListingsService/GetListing") == {
        "rpc.system": "grpc",
        "rpc.service": "alliance.listings.v1.ListingsService",
        "rpc.method": "GetListing",
    }
    sent = telemetry.messaging_attributes("send", "a.topic", "an-id")
    assert sent["messaging.system"] == "kafka"
    assert "messaging.consumer.group.name" not in sent
    assert (
        telemetry.messaging_attributes("process", "a.topic", "an-id", "a.group")["messaging.consumer.group.name"] == "a.group"
    )
