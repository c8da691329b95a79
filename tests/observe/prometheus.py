"""A Prometheus of Debian's package: what it scrapes, and what it answers."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from alliance_local import observing
from alliance_local.observing import PROMETHEUS, program
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


class Prometheus:
    """A running one."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query finds now; it may have a dashboard's variables. Raises `HTTPError` for one that is wrong."""
        found: list[dict[str, Any]] = self._get(f"/api/v1/query?{urlencode({'query': _filled(query)})}")["data"]["result"]
        return found

    def ever(self, query: str, since: float, service: str) -> Iterator[str]:
        """All numbers that a query, of this service where it asks one, found since a moment (seconds of the epoch)."""
        asked = {"query": _filled(query, service), "start": since, "end": time.time(), "step": "5s"}
        for series in self._get(f"/api/v1/query_range?{urlencode(asked)}")["data"]["result"]:
            yield from (number for _, number in series["values"])

    def values(self, variable: str) -> set[str]:
        """The values that a dashboard's variable, `label_values(SERIES, LABEL)`, has."""
        series, label = variable.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        return {one["metric"][label] for one in self.ask(series)}

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
        with urlopen(self._address + path, timeout=_PATIENCE) as answer:  # noqa: S310 - an address of this machine
            return json.load(answer)


def _filled(query: str, service: str = "") -> str:
    for name, value in {**_VARIABLES, **({"$service": service} if service else {})}.items():
        query = query.replace(name, value)
    return query


@contextmanager
def running(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """One that keeps its data in a folder, evaluates the chart's rules and scrapes targets: service → host:port."""
    port = assign(State(folder), [PROMETHEUS])[PROMETHEUS]
    command = [str(program(PROMETHEUS)), *observing.prometheus(folder, port, targets, NAMESPACE, seconds=1)]
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
