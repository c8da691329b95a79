"""Prometheus' rules: recorded objectives, alerts on how fast their budgets burn, alerts on states.

A budget is what an objective leaves to be bad. An alert asks two windows: the long one says that it matters, the
short one that it goes on (Google SRE workbook, chapter 5). A few bad events wake nobody, however few all of them are.
"""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from alliance_local.state import SERVICES
from observe.objectives import OBJECTIVES, Objective

NAMESPACE = "NAMESPACE"
"""Stands in rules for the platform's namespace; the chart puts it in."""
RUNBOOKS = "RUNBOOKS"
"""Stands for what the runbooks' addresses begin with."""
LEAST = 5
"""Bad events in the long window, below which nothing is said."""
TAILS = ("matching.listing", "matching.ahead")
"""Groups that every process reads whole."""
_SELECTOR = f'namespace="{NAMESPACE}"'
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


class Burn(NamedTuple):
    """How many times as fast as it may a budget burns, in which windows, and how bad that is."""

    factor: float
    long: str
    short: str
    severity: str


BURNS = (
    Burn(14.4, "1h", "5m", "critical"),  # 2% of 30 days' budget
    Burn(6, "6h", "30m", "critical"),  # 5%
    Burn(3, "1d", "2h", "warning"),  # 10%
    Burn(1, "3d", "6h", "warning"),  # 10%
)


def rules(groups: int) -> dict[str, Any]:
    """A file of rules; `groups` is how many groups of consumers there are, tails included."""
    return {
        "groups": [
            {"name": "alliance-objectives", "rules": [one for objective in OBJECTIVES for one in _recorded(objective)]},
            {"name": "alliance-budgets", "rules": [_burning(objective, burn) for objective in OBJECTIVES for burn in BURNS]},
            {"name": "alliance-states", "rules": [*_silent(), *_states(groups)]},
        ]
    }


def ratio(objective: Objective, window: str) -> str:
    """The share of bad events in a window; nothing where there were no events."""
    good, total = (_rate(one, window) for one in (objective.good, objective.total))
    return f"1 - ({good} or vector(0)) / ({total} > 0)"


def selected(text: str, selector: str = _SELECTOR) -> str:
    """A query of this platform."""
    return text.replace("{NS", f"{{{selector}")


def _rate(series: str, window: str) -> str:
    return f"sum(rate({selected(series)}[{window}]))"


def _recorded(objective: Objective) -> list[dict[str, Any]]:
    labels = {"slo": objective.name, "namespace": NAMESPACE}
    found = [
        {"record": f"slo:alliance_bad:ratio_rate{window}", "expr": ratio(objective, window), "labels": dict(labels)}
        for window in _WINDOWS
    ]
    for burn in BURNS:
        good, total = (f"sum(increase({selected(one)}[{burn.long}]))" for one in (objective.good, objective.total))
        expression = f"{total} - ({good} or vector(0))"
        found.append({"record": f"slo:alliance_bad:increase{burn.long}", "expr": expression, "labels": dict(labels)})
    return found


def _burning(objective: Objective, burn: Burn) -> dict[str, Any]:
    which = f'{{slo="{objective.name}", {_SELECTOR}}}'
    most = f"{burn.factor * (1 - objective.target):.6g}"
    expression = (
        f"slo:alliance_bad:ratio_rate{burn.long}{which} > {most}"
        f" and slo:alliance_bad:ratio_rate{burn.short}{which} > {most}"
        f" and slo:alliance_bad:increase{burn.long}{which} >= {LEAST}"
    )
    name = f"Alliance{objective.name.capitalize()}Burning"
    return _alert(name, expression, "1m", burn.severity, objective.title, objective.runbook, burn=f"{burn.factor:g}")


def _silent() -> list[dict[str, Any]]:
    """No data of a service, where there should be."""
    return [
        _alert(
            "AllianceServiceSilent",
            selected(f'absent(alliance_build_info{{NS, service="{service}"}})'),
            "5m",
            "critical",
            f"{service} 没有指标 · {service} gives no metrics.",
            "metrics-missing",
            service=service,
        )
        for service in SERVICES
    ]


def _states(groups: int) -> list[dict[str, Any]]:
    written = yaml.safe_load((Path(__file__).parent / "alerts.yaml").read_text(encoding="utf-8"))
    given = {"SERVICES": "|".join(SERVICES), "GROUPS": str(groups), "TAILS": "|".join(TAILS)}
    found = []
    for one in written:
        expression = selected(one["expr"])
        for name, value in given.items():
            expression = expression.replace(name, value)
        found.append(_alert(one["alert"], expression, one["for"], one["severity"], one["summary"], one["runbook"]))
    return found


def _alert(name: str, expression: str, held: str, severity: str, summary: str, runbook: str, **labels: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": held,
        "labels": {"severity": severity, "namespace": NAMESPACE, **labels},
        "annotations": {"summary": summary, "runbook_url": f"{RUNBOOKS}/{runbook}.md"},
    }


def recorded(file: dict[str, Any]) -> frozenset[str]:
    """Names of the series that a file of rules records."""
    return frozenset(one["record"] for group in file["groups"] for one in group["rules"] if "record" in one)
