"""A real Prometheus reads what a process exports, takes the rules, and answers every query of dashboards and rules.

Skips by name where there is none (Debian: `prometheus`). No service runs here: of metrics with labels there are no series yet.
"""

from collections.abc import Iterator

import pytest
from prometheus_client import start_http_server

from alliance_local.observing import PROMETHEUS, program
from observe import dashboards, exported
from tests.observe import prometheus
from tests.observe.prometheus import Prometheus
from tests.observe.test_queries import BOARDS, certain


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that scrapes this process, in which all services' metrics are declared."""
    if program(PROMETHEUS) is None:
        pytest.skip("no prometheus; Debian has it in the package of that name")
    exported.metrics()
    server, thread = start_http_server(0, "127.0.0.1")
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus.running(folder, {"listings": f"127.0.0.1:{server.server_port}"}) as found:
        prometheus.wait(lambda: found.ask('up{namespace="$namespace"} == 1'))
        prometheus.wait(lambda: all(one["health"] == "ok" for one in found.rules()))
        yield found
    server.shutdown()
    thread.join()


def test_every_rule_is_evaluated(asked: Prometheus) -> None:
    assert {one["health"] for one in asked.rules()} == {"ok"}
    assert all("lastError" not in one for one in asked.rules())


def test_every_metric_is_read(asked: Prometheus) -> None:
    """Those that need no label have a value from the start; process and all."""
    bare = {sample for one in exported.metrics() if not one.labels for sample in one.samples} | exported.OF_THE_PROCESS
    missing = [name for name in sorted(bare) if not asked.ask(f'{name}{{namespace="$namespace", service="$service"}}')]
    assert missing == []


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_of_a_dashboard_is_answered(asked: Prometheus, name: str) -> None:
    for query in dashboards.queries(BOARDS[name]):
        asked.ask(query)


def test_what_is_certain_to_have_data_has_some(asked: Prometheus) -> None:
    prometheus.wait(lambda: all(map(asked.ask, certain())))  # a rate needs two scrapes


def test_what_is_silent_is_about_to_be_told(asked: Prometheus) -> None:
    """Four of five services give nothing here."""
    prometheus.wait(lambda: len(asked.ask('ALERTS{alertname="AllianceServiceSilent", namespace="$namespace"}')) >= 4)
