"""When each alert fires, and what is just not enough: series as promtool takes them (`START+STEPxTIMES`), a value a step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alliance_local.state import SERVICES
from observe.exported import metrics

NS = 'namespace="NAMESPACE"'
Series = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """An alert, or the one of its rules with these labels, and both sides of its boundary.

    Attributes:
        fires: series with which it fires at `at`; `quiet`: series with which it does not.
        early: an earlier time at which it does not fire yet with `fires`; None where it has no time to wait.
        step: seconds between two values, and between two evaluations.
    """

    alert: str
    fires: Series
    quiet: Series
    at: str
    early: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    step: str = "1m"


def _gauge(alert: str, series: str, more: float, enough: float, at: str, early: str) -> Case:
    return Case(alert, {series: f"{more}x200"}, {series: f"{enough}x200"}, at, early)


def _rising(alert: str, series: str, more: str, enough: str, at: str) -> Case:
    return Case(alert, {series: more}, {series: enough}, at)


_BURNS = ((14.4, "62m", "1m", 70), (6, "6h5m", "5m", 80), (3, "25h", "30m", 60), (1, "74h", "1h", 80))
"""Factor of a rule, when it fires at the latest, seconds between two values, and how many those are."""


def _burning(name: str, good: str, total: str, share: float) -> list[Case]:
    """Of a budget of `share`: each rule fires a little above its factor, not a little below; nor of four bad events."""
    cases = []
    for factor, at, step, number in _BURNS:
        each = 100_000
        bad = {more: round(each * share * factor * more) for more in (1.05, 0.95)}
        fires, quiet = ({total: f"0+{each}x{number}", good: f"0+{each - bad[more]}x{number}"} for more in (1.05, 0.95))
        cases.append(Case(f"Alliance{name}Burning", fires, quiet, at, labels={"burn": f"{factor:g}"}, step=step))
    some, few = ({total: f"0x10 {bad}x100", good: "0x200"} for bad in (7, 4))
    cases.append(Case(f"Alliance{name}Burning", some, few, "13m", labels={"burn": "14.4"}))
    return cases


def _of(metric: str, le: str) -> tuple[str, str]:
    return f'{metric}_bucket{{{NS}, le="{le}"}}', f"{metric}_count{{{NS}}}"


_ALL = {f'alliance_build_info{{{NS}, service="{one}"}}': "1x60" for one in ("registry", "listings", "matching", "reporting")}
_NOTIFY = {f'alliance_build_info{{{NS}, service="notify"}}': "1x60"}
_CALLS = "alliance_rpc_calls_total"
_CERTIFICATE = f'alliance_tls_certificate_expiration_timestamp_seconds{{{NS}, service="a"}}'
_ATTEMPTS = "alliance_deliveries_attempts_total"
_LIMIT = {f'alliance_database_connections_limit{{{NS}, service="listings", pool="calls"}}': "10x60"}
_USED = f'alliance_database_connections{{{NS}, service="listings", pool="calls"}}'
_SENT, _LOST = (f'{_ATTEMPTS}{{{NS}, channel="email", outcome="{one}"}}' for one in ("delivered", "failed"))


def _groups(number: int) -> Series:
    return {f'alliance_consumer_lag_records{{{NS}, group="g{one}"}}': "0x60" for one in range(number)}


def _tail(*behind: int) -> Series:
    """A tail, which each pod reads whole."""
    lag = f'alliance_consumer_lag_records{{{NS}, group="matching.listing", pod='
    return {f'{lag}"{pod}"}}': f"{records}x200" for pod, records in enumerate(behind)}


def cases(groups: int) -> list[Case]:
    """All cases; `groups` is how many groups of consumers there are."""
    return [
        Case("AllianceNotThere", {}, _NOTIFY, "6m", "4m"),
        Case("AllianceServiceSilent", _ALL, _ALL | _NOTIFY, "6m", "4m", {"service": "notify"}),
        Case("AllianceGroupsSilent", _groups(groups - 1), _groups(groups), "11m", "9m"),
        Case("AllianceGroupsSilent", {}, _groups(groups), "11m", "9m"),  # all of them at once
        _gauge("AllianceTargetDown", f'up{{{NS}, service="notify"}}', 0, 1, "11m", "9m"),
        _gauge("AllianceOutboxOld", f'alliance_outbox_oldest_seconds{{{NS}, service="registry"}}', 61, 60, "6m", "4m"),
        _gauge("AllianceRelayLeaderless", f'alliance_relay_leader{{{NS}, service="registry"}}', 0, 1, "3m", "1m"),
        _gauge("AllianceEventsParked", f'alliance_outbox_parked_rows{{{NS}, service="registry"}}', 1, 0, "11m", "9m"),
        _gauge("AllianceDeadLetters", f'alliance_dead_letters{{{NS}, service="notify", state="dead"}}', 1, 0, "11m", "9m"),
        _gauge("AllianceConsumerLag", f'alliance_consumer_lag_records{{{NS}, group="a"}}', 10_001, 10_000, "16m", "14m"),
        Case("AllianceConsumerLag", _tail(10_001, 0), _tail(10_000, 10_000), "16m", "14m"),
        _gauge("AllianceEventsWithoutPartition", f"alliance_event_default_partition_rows{{{NS}}}", 1, 0, "61m", "59m"),
        _gauge("AllianceWorkOverdue", f'alliance_due_work{{{NS}, service="listings"}}', 1, 0, "16m", "14m"),
        Case(
            "AllianceWorkOverdue",
            {f'alliance_due_work{{{NS}, service="reporting"}}': "3x60"},
            {f'alliance_due_work{{{NS}, service="reporting"}}': "3x10 0 3x10 0 3x10 0 3x10 0"},  # done each time
            "40m",
        ),
        _gauge("AllianceMatchingSharesFree", f"alliance_matching_shares{{{NS}}}", 11, 12, "3m", "1m"),
        _gauge("AllianceMatchingBacklog", f"alliance_matching_backlog{{{NS}}}", 1001, 1000, "16m", "14m"),
        _gauge("AllianceMatchingPutOff", f"alliance_matching_put_off{{{NS}}}", 1, 0, "31m", "29m"),
        _gauge("AllianceFeedsSilent", f"alliance_feeds_silent{{{NS}}}", 1, 0, "31m", "29m"),
        _gauge("AllianceCertificateEnding", _CERTIFICATE, 7 * 86400, 7 * 86400 + 960, "16m", "14m"),  # time begins at 0
        _gauge("AllianceCertificateEndsToday", _CERTIFICATE, 86400, 86400 + 180, "3m", "0m"),
        Case("AlliancePoolExhausted", _LIMIT | {_USED: "10x60"}, _LIMIT | {_USED: "9x60"}, "6m", "4m"),
        _rising("AllianceVersionGaps", f'alliance_consumer_version_gaps_total{{{NS}, group="a"}}', "0x5 1x60", "7x60", "10m"),
        _rising("AllianceTasksFailing", f'alliance_task_failures_total{{{NS}, task="a"}}', "0x15 5x60", "0x15 2x60", "20m"),
        _rising(
            "AllianceClientsRebuilt", f'alliance_client_rebuilds_total{{{NS}, client="a"}}', "0+1x60", "0 20 40x60", "20m"
        ),
        _rising("AllianceCallsShed", f'alliance_rpc_shed_total{{{NS}, service="a"}}', "0+61x60", "0+59x60", "20m"),
        Case(
            "AllianceDeliveriesFailing",
            {_SENT: "0+10x60", _LOST: "0+11x60"},
            {_SENT: "0+11x60", _LOST: "0+10x60"},
            "50m",
        ),
        Case("AllianceDeliveriesFailing", {_LOST: "0+1x60"}, {_LOST: "0x31 1 2 3x60"}, "45m"),  # too few to mean anything
        *_burning("Freshness", *_of("alliance_matching_freshness_seconds", "1.0"), 0.01),
        *_burning("Delivery", *_of("alliance_deliveries_first_attempt_seconds", "30.0"), 0.01),
        *_burning("Deadlines", *_of("alliance_deadline_delay_seconds", "60.0"), 0.01),
        *_availability(),
    ]


def _availability() -> list[Case]:
    """Here bad calls are a series of their own."""
    good, bad = (f'{_CALLS}{{{NS}, method="A", code="{code}"}}' for code in ("NOT_FOUND", "DEADLINE_EXCEEDED"))
    cases = []
    for factor, at, step, number in _BURNS:
        shares = [round(100_000 * 0.001 * factor * more) for more in (1.05, 0.95)]
        fires, quiet = ({good: f"0+{100_000 - share}x{number}", bad: f"0+{share}x{number}"} for share in shares)
        cases.append(Case("AllianceAvailabilityBurning", fires, quiet, at, labels={"burn": f"{factor:g}"}, step=step))
    return cases


_WELL = {
    "alliance_build_info": 1,
    "alliance_database_connections_limit": 10,
    "alliance_matching_shares": 12,
    "alliance_relay_leader": 1,
    "alliance_rpc_limit": 100,
}
"""What is not 0 on a platform to which nothing happens."""


def calm(groups: int, unwell: Mapping[str, float]) -> Series:
    """A platform to which nothing happens: from the fourth minute on its services are there; what they count stays 0.

    `unwell` says which metrics are otherwise.
    """
    found: dict[str, float] = {
        f'alliance_consumer_lag_records{{{NS}, service="listings", group="g{one}"}}': 0 for one in range(groups)
    }
    for metric in metrics():
        for service in () if "group" in metric.labels and metric.kind == "gauge" else metric.services or SERVICES:
            labels = "".join(f', {one}="a"' for one in metric.labels if one != "service")
            bounds = [f', le="{one}"' for one in metric.bounds]
            for sample in metric.samples:
                for bound in bounds if sample.endswith("_bucket") else [""]:
                    found[f'{sample}{{{NS}, service="{service}"{labels}{bound}}}'] = ({**_WELL, **unwell}).get(metric.name, 0)
    found |= {f'up{{{NS}, service="{one}"}}': 1 for one in SERVICES}
    return {series: f"_x3 {value}x400" for series, value in found.items()}
