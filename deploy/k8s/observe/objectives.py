"""Objectives 服务目标 (SLOs): what users can count on, and what of it is good."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """An objective: of all events, the share that has to be good.

    Attributes:
        name: as label `slo`, and in the alert's name.
        title: in Chinese and English.
        target: share, 0–1.
        good: selector of the counter of good events; NS stands for the platform's namespace.
        total: selector of the counter of all events.
        runbook: its page in docs/runbooks.
    """

    name: str
    title: str
    target: float
    good: str
    total: str
    runbook: str


_OUR_FAULT = "INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|DATA_LOSS|UNIMPLEMENTED"

OBJECTIVES = (
    Objective(
        "freshness",
        "99% 的供需变更在 1 秒内得到匹配建议 · Proposals are readable within 1 s of 99% of changes of listings.",
        0.99,
        'alliance_matching_freshness_seconds_bucket{NS, le="1.0"}',
        "alliance_matching_freshness_seconds_count{NS}",
        "matching-behind",
    ),
    Objective(
        "availability",
        "99.9% 的调用得到应有的回答 · 99.9% of calls get an answer that is not our fault.",
        0.999,
        f'alliance_rpc_calls_total{{NS, code!~"{_OUR_FAULT}"}}',
        "alliance_rpc_calls_total{NS}",
        "rpc-errors",
    ),
    Objective(
        "delivery",
        "99% 的通知在事件后 30 秒内首次发出 · 99% of deliveries are first tried within 30 s of their event.",
        0.99,
        'alliance_deliveries_first_attempt_seconds_bucket{NS, le="30.0"}',
        "alliance_deliveries_first_attempt_seconds_count{NS}",
        "deliveries-late",
    ),
    Objective(
        "deadlines",
        "99% 的时限在边界后 60 秒内生效 · 99% of deadlines fire within 60 s of their boundary.",
        0.99,
        'alliance_deadline_delay_seconds_bucket{NS, le="60.0"}',
        "alliance_deadline_delay_seconds_count{NS}",
        "deadlines-late",
    ),
)
