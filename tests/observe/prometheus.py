"""A Prometheus of Debian's package: what it scrapes, and what it answers."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from alliance_local.ports import assign
from alliance_local.state import State

NAMESPACE = "platform"
_PATIENCE = 30.0
_VARIABLES = {
    "$namespace": NAMESPACE,
    "$service": "listings",
    "$__rate_interval": "10s",
    "$__range": "1h",
}


def program() -> str | None:
    """Where it is; None on a machine that has none."""
    return shutil.which("prometheus")


class Prometheus:
    """A running one."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query finds now; it may have a dashboard's variables. Raises `HTTPError` for one that is wrong."""
        for name, value in _VARIABLES.items():
            query = query.replace(name, value)
        found: list[dict[str, Any]] = self._get(f"/api/v1/query?{urlencode({'query': query})}")["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with their health."""
        return [one for group in self._get("/api/v1/rules")["data"]["groups"] for one in group["rules"]]

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._get("/api/v1/status/runtimeinfo"))
        except URLError:
            return False

    def _get(self, path: str) -> Any:
        with urlopen(self._address + path, timeout=10) as answer:  # noqa: S310 - an address of this machine
            return json.load(answer)


@contextmanager
def running(folder: Path, rules: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """One that keeps its data in a folder, evaluates rules every second and scrapes targets: service → host:port."""
    (folder / "rules.yaml").write_text(rules.read_text("utf-8").replace("NAMESPACE", NAMESPACE), "utf-8")
    scraped = [
        {"targets": [target], "labels": {"service": service, "namespace": NAMESPACE}} for service, target in targets.items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "alliance", "static_configs": scraped}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), "utf-8")
    port = assign(State(folder), ["prometheus"])["prometheus"]
    options = {
        "config.file": folder / "prometheus.yaml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    command = [str(program()), *(f"--{name}={value}" for name, value in options.items())]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            found = Prometheus(f"http://127.0.0.1:{port}")
            wait(found.is_ready)
            yield found
        finally:
            process.terminate()


def wait(look: Callable[[], object]) -> None:
    """Until something is so. Raises TimeoutError where it does not become so."""
    until = time.monotonic() + _PATIENCE
    while not look():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.2)
