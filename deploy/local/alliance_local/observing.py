"""Prometheus and an OpenTelemetry collector beside the local platform, out of what the machine has installed.

Rules and alerts are the chart's own file. What the collector is sent, it writes into its log.
"""

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import yaml

from alliance_local import processes
from alliance_local.processes import Command
from alliance_local.state import SERVICES, State

PROMETHEUS, COLLECTOR = "prometheus", "collector"
NAMESPACE = "local"
"""What the rules take for the platform's namespace."""
CHECKOUT = Path(__file__).resolve().parents[3]
_FILES = CHECKOUT / "deploy/k8s/alliance/files"
RULES, DASHBOARDS = _FILES / "rules.yaml", _FILES / "dashboards"
_PROGRAMS = {PROMETHEUS: ("prometheus",), COLLECTOR: ("otelcol", "otelcol-contrib")}
_COME_FROM = {
    PROMETHEUS: ("Debian 的 prometheus 包", "Debian's package prometheus"),
    COLLECTOR: ("OpenTelemetry 的 otelcol 包", "OpenTelemetry's package otelcol"),
}
_EVERY = 5  # seconds between two looks


def program(observer: str) -> str | None:
    """Where an observer's program is; None on a machine that has none."""
    return next((found for name in _PROGRAMS[observer] if (found := shutil.which(name))), None)


def found() -> tuple[str, ...]:
    """The observers that can be started here."""
    return tuple(name for name in _PROGRAMS if program(name))


def missing() -> list[tuple[str, str]]:
    """What can't be started, and where it comes from: Chinese, English."""
    return [
        (f"没有 {' 或 '.join(names)}，{zh}里有", f"no {' or '.join(names)}: {en} has it")
        for observer, names in _PROGRAMS.items()
        if not program(observer)
        for zh, en in (_COME_FROM[observer],)
    ]


def places(state: State) -> list[tuple[str, str]]:
    """Where to look at a platform that is up: Chinese, English."""
    ports, told = state.read("ports.json"), list[tuple[str, str]]()
    if program(PROMETHEUS):
        address = f"http://127.0.0.1:{ports[PROMETHEUS]}"
        told += [
            (f"指标 {address}/graph，告警 {address}/alerts", "metrics and alerts"),
            (f"仪表板 {DASHBOARDS}/*.json，导入以之为数据源的 Grafana", "dashboards, for a Grafana that reads it"),
        ]
    traces = state.log(COLLECTOR) if program(COLLECTOR) else state.root / "traces"
    return [*told, (f"链路 {traces}", "traces")]


def command(observer: str, state: State, ports: Mapping[str, int]) -> Command:
    """How an observer is started; writes its configuration into the state folder. `ports` has its own and the services'."""
    folder = state.folder(observer)
    if observer == PROMETHEUS:
        targets = {service: f"127.0.0.1:{ports[f'{service}_metrics']}" for service in SERVICES if service in ports}
        arguments = prometheus(folder, ports[PROMETHEUS], targets, NAMESPACE, _EVERY)
    else:
        arguments = _collector(folder, ports[COLLECTOR])
    return Command([str(program(observer)), *arguments], processes.environment(), state.log(observer))


async def wait_listening(observer: str, port: int, child: asyncio.subprocess.Process) -> None:
    """Wait until an observer takes connections. Raises RuntimeError where it ends before."""
    while child.returncode is None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"{observer} ended with {child.returncode}")


def prometheus(folder: Path, port: int, targets: Mapping[str, str], namespace: str, seconds: int) -> list[str]:
    """Arguments of a Prometheus that keeps all in a folder, evaluates the chart's rules and scrapes targets: service →
    host:port, both every so many seconds.
    """
    rules = RULES.read_text("utf-8").replace("NAMESPACE", namespace).replace("RUNBOOKS/", f"{CHECKOUT / 'docs/runbooks'}/")
    (folder / "rules.yaml").write_text(rules, "utf-8")
    scraped = [{"targets": [one], "labels": {"service": service, "namespace": namespace}} for service, one in targets.items()]
    config = {
        "global": {"scrape_interval": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "alliance", "static_configs": scraped}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return [
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
    ]


def _collector(folder: Path, port: int) -> list[str]:
    """Arguments of a collector that takes traces by OTLP/gRPC and writes them to its log, span by span."""
    config = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"debug": {"verbosity": "detailed"}},
        "service": {
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}},
            "telemetry": {"metrics": {"level": "none"}},  # its own would take a port that another checkout has
        },
    }
    (folder / "collector.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return [f"--config={folder / 'collector.yaml'}"]
