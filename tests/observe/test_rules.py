"""Rules and alerts as Prometheus' own program sees them. Skips by name where there is no promtool (Debian: `prometheus`)."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from observe.exported import metrics
from tests.deploy.helm import CHART
from tests.deploy.rendered import PLATFORM
from tests.observe.cases import Case, calm, cases
from tests.observe.test_queries import ALERTS, RULES

_FILE = CHART / "files/rules.yaml"
_TAILS = 2  # matching's
GROUPS = sum(len(one["groups"]) for one in PLATFORM["services"].values()) + _TAILS
_CASES = cases(GROUPS)


@pytest.fixture(scope="module")
def promtool() -> str:
    """The program."""
    found = shutil.which("promtool")
    if not found:
        pytest.skip("no promtool; Debian has it in the package prometheus")
    return found


def test_every_alert_has_a_case() -> None:
    """Each burn of a budget counts as one; of availability, the fastest stands for all, which are made alike."""
    tried = Counter((case.alert, case.labels.get("burn")) for case in _CASES)
    for alert in ALERTS:
        burn = alert["labels"].get("burn")
        assert tried[alert["alert"], "14.4" if alert["alert"].startswith("AllianceAvailability") else burn]


def test_promtool_has_nothing_to_say_of_the_rules(promtool: str) -> None:
    done = _run(promtool, "check", "rules", "--lint-fatal", _FILE)
    assert done.returncode == 0, done.stdout + done.stderr


_FIRING = 'count(ALERTS{alertstate="firing"}) or vector(0)'
_QUIET = [f"{minute}m" for minute in (*range(1, 70), 90, 120, 240, 400)]


@pytest.mark.parametrize(("unwell", "fires"), [({}, False), ({"alliance_relay_leader": 0}, True)])
def test_nothing_fires_where_nothing_happens(promtool: str, tmp_path: Path, unwell: dict[str, int], fires: bool) -> None:
    """Nor while it is installed: no traffic is no fault."""
    series = calm(GROUPS, unwell)
    assert {one.name for one in metrics()} <= {re.sub(r"(_total|_bucket|_count|_sum)?\{.*", "", one) for one in series}
    expected = {"expr": _FIRING, "exp_samples": [{"labels": "{}", "value": 0}]}
    test = {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [expected | {"eval_time": at} for at in _QUIET],
    }
    done = _tested(promtool, tmp_path, "1m", [test])
    assert (done.returncode != 0) == fires, done.stdout + done.stderr


@pytest.mark.parametrize("step", sorted({case.step for case in _CASES}))
def test_alerts_fire_when_they_should_and_not_before(promtool: str, tmp_path: Path, step: str) -> None:
    tests: list[dict[str, Any]] = []
    for number, case in enumerate(one for one in _CASES if one.step == step):
        tests += [_test(case, fires=True, number=number), _test(case, fires=False, number=number)]
    done = _tested(promtool, tmp_path, step, tests)
    assert done.returncode == 0, done.stdout + done.stderr


def _tested(promtool: str, folder: Path, step: str, tests: list[dict[str, Any]]) -> "subprocess.CompletedProcess[str]":
    file = folder / "rules_test.yaml"
    content = {
        "rule_files": [str(_FILE)],
        "evaluation_interval": step,
        "group_eval_order": [one["name"] for one in RULES["groups"]],  # else at random, with a step that is not recorded yet
        "tests": tests,
    }
    file.write_text(yaml.safe_dump(content), "utf-8")
    return _run(promtool, "test", "rules", file)


def _run(*command: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)


def _test(case: Case, *, fires: bool, number: int) -> dict[str, Any]:
    given = case.fires if fires else case.quiet
    asked = [(case.at, fires)] + ([(case.early, False)] if fires and case.early else [])
    return {
        "name": f"{case.alert} {dict(case.labels)} {'fires' if fires else 'is quiet'} ({number})",
        "interval": case.step,
        "input_series": [{"series": series, "values": values} for series, values in given.items()],
        "promql_expr_test": [_asked(case, at, expected) for at, expected in asked],
    }


def _asked(case: Case, at: str, fires: bool) -> dict[str, Any]:
    labels = {"alertname": case.alert, "alertstate": "firing", **case.labels}
    selector = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    query = {"expr": f"count(ALERTS{{{selector}}}) > 0", "eval_time": at}
    return query | ({"exp_samples": [{"labels": "{}", "value": 1}]} if fires else {})
