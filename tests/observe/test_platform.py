"""Dashboards and alerts on the five services themselves. Skips by name where there is no Prometheus (Debian: `prometheus`)."""

from collections.abc import Iterator

import pytest

from alliance_local.control import Platform
from alliance_local.observing import PROMETHEUS, program
from alliance_local.state import SERVICES
from tests.observe import prometheus
from tests.observe.prometheus import Prometheus
from tests.observe.test_queries import certain
from tests.observe.test_rules import GROUPS

pytestmark = pytest.mark.skipif(program(PROMETHEUS) is None, reason="no prometheus; Debian has it in the package of that name")
_NS = 'namespace="$namespace"'


@pytest.fixture(scope="module")
def asked(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that scrapes all five."""
    targets = {service: f"127.0.0.1:{platform.port(f'{service}_metrics')}" for service in SERVICES}
    with prometheus.running(tmp_path_factory.mktemp("prometheus"), targets) as found:
        prometheus.wait(lambda: len(found.ask(f"up{{{_NS}}} == 1")) == len(SERVICES))
        yield found


def test_dashboards_have_live_data(asked: Prometheus) -> None:
    prometheus.wait(lambda: all(map(asked.ask, certain())))


def test_every_group_and_share_that_alerts_count_is_there(asked: Prometheus) -> None:
    """Else the alerts on those that are missing would never be quiet."""
    prometheus.wait(lambda: asked.ask(f"count(count by (group) (alliance_consumer_lag_records{{{_NS}}})) == {GROUPS}"))
    prometheus.wait(lambda: asked.ask(f"sum(alliance_matching_shares{{{_NS}}}) == 12"))


def test_nothing_that_is_there_is_called_silent(asked: Prometheus) -> None:
    prometheus.wait(lambda: not asked.ask(f'ALERTS{{alertname=~"AllianceNotThere|AllianceServiceSilent", {_NS}}}'))
