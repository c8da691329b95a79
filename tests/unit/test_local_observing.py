"""What looks on at a local platform: found or missed by name, and told what to look at."""

import asyncio
from pathlib import Path

import pytest
import yaml

from alliance_local import observing
from alliance_local.observing import COLLECTOR, PROMETHEUS
from alliance_local.state import SERVICES, State

_PORTS = {"prometheus": 20_001, "collector": 20_002, **{f"{one}_metrics": 30_000 + at for at, one in enumerate(SERVICES)}}
_SERVICES = dict.fromkeys(SERVICES, 1)


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _install(folder: Path, name: str) -> Path:
    file = folder / name
    file.touch(mode=0o755)
    return file


def test_what_is_missing_is_named(installed: Path, tmp_path: Path) -> None:
    assert observing.found() == ()
    (prometheus, collector) = observing.missing()
    assert "no prometheus: Debian's package prometheus has it" in prometheus
    assert "no otelcol or otelcol-contrib: OpenTelemetry's package otelcol has it" in collector
    assert observing.places(State(tmp_path)) == [(f"链路 {tmp_path / 'traces'}", "traces")]
    _install(installed, "prometheus")
    assert observing.found() == (PROMETHEUS,)
    assert observing.missing() == [collector]


@pytest.mark.parametrize("name", ["otelcol", "otelcol-contrib"])
def test_any_distribution_of_the_collector_does(installed: Path, name: str) -> None:
    file = _install(installed, name)
    assert observing.found() == (COLLECTOR,)
    assert observing.program(COLLECTOR) == str(file)


def test_prometheus_reads_the_services_and_the_charts_rules(installed: Path, tmp_path: Path) -> None:
    _install(installed, "prometheus")
    command = observing.command(PROMETHEUS, State(tmp_path), _PORTS | _SERVICES)
    assert "--web.listen-address=127.0.0.1:20001" in command.arguments
    config = yaml.safe_load((tmp_path / "prometheus/prometheus.yaml").read_text("utf-8"))
    scraped = config["scrape_configs"][0]["static_configs"]
    assert {one["labels"]["service"]: one["targets"] for one in scraped} == {
        one: [f"127.0.0.1:{30_000 + at}"] for at, one in enumerate(SERVICES)
    }
    written = (tmp_path / "prometheus/rules.yaml").read_text("utf-8")
    given = observing.RULES.read_text("utf-8")
    assert written != given
    assert written.replace('"local"', '"NAMESPACE"').count('"NAMESPACE"') == given.count('"NAMESPACE"')
    assert "NAMESPACE" not in written
    assert "RUNBOOKS" not in written


def test_only_services_that_are_up_are_looked_at(installed: Path, tmp_path: Path) -> None:
    _install(installed, "prometheus")
    observing.command(PROMETHEUS, State(tmp_path), _PORTS | {"listings": 1})
    config = yaml.safe_load((tmp_path / "prometheus/prometheus.yaml").read_text("utf-8"))
    assert [one["labels"]["service"] for one in config["scrape_configs"][0]["static_configs"]] == ["listings"]


def test_the_collector_takes_traces_where_services_send_them(installed: Path, tmp_path: Path) -> None:
    _install(installed, "otelcol")
    command = observing.command(COLLECTOR, State(tmp_path), _PORTS)
    assert command.arguments[1] == f"--config={tmp_path / 'collector/collector.yaml'}"
    config = yaml.safe_load((tmp_path / "collector/collector.yaml").read_text("utf-8"))
    assert config["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == "127.0.0.1:20002"
    assert config["service"]["pipelines"]["traces"] == {"receivers": ["otlp"], "exporters": list(config["exporters"])}


def test_it_tells_where_to_look(installed: Path, tmp_path: Path) -> None:
    for name in ("prometheus", "otelcol"):
        _install(installed, name)
    state = State(tmp_path)
    state.write("ports.json", _PORTS)
    told = "\n".join(zh for zh, _ in observing.places(state))
    assert "http://127.0.0.1:20001/alerts" in told
    assert str(observing.DASHBOARDS) in told
    assert list(observing.DASHBOARDS.glob("*.json"))
    assert str(state.log(COLLECTOR)) in told
    assert observing.missing() == []


async def test_one_that_ends_at_once_is_no_observer() -> None:
    """Else the demo would say to look where nothing is."""
    child = await asyncio.create_subprocess_exec("/bin/sh", "-c", "exit 3")
    await child.wait()
    with pytest.raises(RuntimeError, match="collector ended with 3"):
        await observing.wait_listening(COLLECTOR, 1, child)


async def test_one_that_takes_connections_is() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    child = await asyncio.create_subprocess_exec("/bin/sleep", "60")
    await asyncio.wait_for(observing.wait_listening(COLLECTOR, server.sockets[0].getsockname()[1], child), 5)
    child.kill()
    await child.wait()
    server.close()
