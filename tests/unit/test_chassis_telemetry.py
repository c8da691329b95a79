"""Traces: which are recorded, and what spans are called by OpenTelemetry's conventions."""

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("ratio", "parent", "recorded"),
    [(1.0, "none", 1), (0.0, "none", 0), (0.0, "recorded", 1), (1.0, "passed by", 0)],
)
def test_who_begins_a_trace_decides_whether_it_is_recorded(tmp_path: Path, ratio: float, parent: str, recorded: int) -> None:
    """In a process of its own: the SDK is set up once."""
    file = tmp_path / "traces.jsonl"
    subprocess.run([sys.executable, "-c", _PROGRAM, str(file), str(ratio), _PARENTS[parent]], check=True, timeout=60)
    assert len(file.read_text(encoding="utf-8").splitlines()) == recorded


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
