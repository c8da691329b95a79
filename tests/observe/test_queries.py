"""What dashboards and rules ask is exported, with the labels that they ask by, of one platform; nothing has to run."""

import re
from typing import Any

import pytest
import yaml

from observe import dashboards, exported, rules
from observe.objectives import OBJECTIVES
from tests.deploy.helm import CHART, ROOT

RULES: dict[str, Any] = yaml.safe_load((CHART / "files/rules.yaml").read_text("utf-8"))
ALERTS = [one for group in RULES["groups"] for one in group["rules"] if "alert" in one]
BOARDS = dashboards.dashboards()
_OF_RULES = [one["expr"] for group in RULES["groups"] for one in group["rules"]]
_OF_BOARDS = [query for board in BOARDS.values() for query in dashboards.queries(board)]
_OF_THE_TARGET = {"service", "namespace", "instance"}
_LABELS = {
    **{sample: {*one.labels, "le"} for one in exported.metrics() for sample in one.samples},
    **{name: {"slo"} for name in rules.recorded(RULES)},
    **{name: set[str]() for name in exported.OF_THE_PROCESS | {"up"}},
    "ALERTS": {"alertname", "alertstate", "severity"},
}


def _faults(query: str) -> list[str]:
    """What is wrong with a query."""
    asked = exported.asked(query)
    found = [f"{name} is not exported" for name, _ in asked if name not in _LABELS]
    known = _OF_THE_TARGET.union(*(_LABELS.get(name, set()) for name, _ in asked))
    for name, selector in asked:
        labels = set(re.findall(r"(\w+)\s*[=!]", re.sub(r'"[^"]*"', '""', selector)))
        found += [f"{name} has no {one}" for one in labels - _LABELS.get(name, set()) - _OF_THE_TARGET]
        if not re.search(r'namespace="(NAMESPACE|\$namespace)"', selector):
            found.append(f"{name} of every platform")
    for by in re.findall(r"\bby \(([^)]*)\)", query):
        found += [f"nothing has {one}" for one in re.split(r",\s*", by) if one and one not in known]
    return found if asked else ["asks for nothing"]


@pytest.mark.parametrize("query", sorted({*_OF_RULES, *_OF_BOARDS}))
def test_what_is_asked_is_there(query: str) -> None:
    assert not _faults(query)


@pytest.mark.parametrize(
    "query",
    [
        'alliance_rpc_call_total{namespace="NAMESPACE"}',
        "alliance_rpc_calls_total{}",
        'alliance_rpc_calls_total{namespace="NAMESPACE", verb="a"}',
        'sum by (verb) (alliance_rpc_calls_total{namespace="NAMESPACE"})',
        "sum(alliance_rpc_calls_total)",
    ],
)
def test_a_query_that_gets_no_answer_is_seen(query: str) -> None:
    assert _faults(query)


def certain() -> list[str]:
    """Queries of dashboards that have data whatever went on: metrics without labels, and no condition on their values."""
    bare = {sample for one in exported.metrics() if not one.labels for sample in one.samples} | exported.OF_THE_PROCESS
    return [query for query in _OF_BOARDS if " > " not in query and {name for name, _ in exported.asked(query)} <= bare]


def test_many_queries_are_certain_to_have_data() -> None:
    assert len(certain()) > 25


def test_every_metric_is_looked_at() -> None:
    """By a dashboard or a rule: one that nobody looks at need not be exported."""
    asked = {name for query in (*_OF_RULES, *_OF_BOARDS) for name, _ in exported.asked(query)}
    unseen = [one.name for one in exported.metrics() if not asked & set(one.samples)]
    assert unseen == []


def test_a_bucket_that_an_objective_counts_by_is_there() -> None:
    """`le` is a text: of another one there would be no data, and no alert."""
    for objective in OBJECTIVES:
        for name, selector in exported.asked(objective.good):
            (bound,) = re.findall(r'le="([^"]+)"', selector) or [""]
            assert not name.endswith("_bucket") or bound in _bounds(name.removesuffix("_bucket"))


def _bounds(histogram: str) -> list[str]:
    (found,) = (one for one in exported.metrics() if one.name == histogram)
    return list(found.bounds)


def test_every_alert_has_a_runbook_and_is_in_the_table_of_runbooks() -> None:
    table = (ROOT / "docs/runbooks/README.md").read_text("utf-8")
    for alert in ALERTS:
        page = alert["annotations"]["runbook_url"].removeprefix(f"{rules.RUNBOOKS}/")
        assert (ROOT / "docs/runbooks" / page).exists(), page
        assert f"({page})" in table
        assert re.search(r"[\u4e00-\u9fff].* · .*[A-Za-z]", alert["annotations"]["summary"])


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_lie_on_each_other(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        place = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not place & taken
        taken |= place
