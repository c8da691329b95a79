"""What of the chart follows from contracts and code is up to date, and is right."""

import importlib.util
import subprocess
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
import yaml

from alliance_local.state import SERVICES
from chassis import topics
from tests.deploy.helm import CHART, ROOT
from tests.deploy.rendered import PLATFORM


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """deploy/k8s/chart.py, which is no package's."""
    spec = importlib.util.spec_from_file_location("chart", ROOT / "deploy/k8s/chart.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_out_of_date() -> None:
    command = [sys.executable, str(ROOT / "deploy/k8s/chart.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_out_of_date_is_named(
    generate: ModuleType, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    file = generate.CHART / "files/platform.yaml"
    monkeypatch.setattr(generate, "platform", dict)
    monkeypatch.setattr(sys, "argv", ["chart.py", "--check"])
    before = file.read_text("utf-8")
    assert generate.main() == 1
    assert "files/platform.yaml: make chart" in capsys.readouterr().err
    assert file.read_text("utf-8") == before


@pytest.mark.parametrize("service", SERVICES)
def test_every_topic_that_names_a_service_is_read_by_it(service: str) -> None:
    """By a group whose lag is looked at, or by matching's tail, which has none."""
    named = {topic.name for topic in topics.load().all if service in topic.consumers}
    read = {one["topic"] for one in PLATFORM["services"][service]["groups"]}
    tail = {"alliance.internal.listings.listing.v1"} if service == "matching" else set()
    assert read | tail == named


def test_the_chart_is_of_the_services_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert {import_module(f"{one}.app").SERVICE.version for one in SERVICES} == {chart["appVersion"]} == {chart["version"]}


def test_who_asks_whom() -> None:
    asked = {name: facts["peers"] for name, facts in PLATFORM["services"].items()}
    everybody = {name: ["registry"] for name in SERVICES}
    assert asked == everybody | {"registry": [], "matching": ["listings", "registry"]}


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_the_charts_or_the_values(service: str, generate: ModuleType) -> None:
    own = import_module(f"{service}.app").SERVICE.settings.model_fields
    given = set(generate.settings_of(service)["properties"])
    secret = {name for name, one in generate._own_settings(service) if one.get("format") == "password"}
    assert given | secret | (generate._BY_THE_CHART & set(own)) == set(own)
    assert not given & generate._BY_THE_CHART
    assert secret == ({"smtp_password"} if service == "notify" else set())


def test_the_chart_decides_on_no_setting_that_there_is_not(generate: ModuleType) -> None:
    known = {name for one in SERVICES for name in import_module(f"{one}.app").SERVICE.settings.model_fields}
    assert known >= generate._BY_THE_CHART
