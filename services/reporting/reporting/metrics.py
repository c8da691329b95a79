"""What dashboards show of reporting 报送指标, in both languages."""

from prometheus_client import Gauge, Histogram

DEADLINES = Gauge("alliance_deadlines", "时限数，按条款和状态 · Deadlines by rule and state.", ("rule", "state"))
ALLIANCES = Gauge(
    "alliance_body_figures",
    "已成立联盟的供需和匹配累计数，按联盟和项目；最早成立的 200 个 · "
    "Demands, supplies and matches of formed alliances so far, by figure; of the 200 that were formed first.",
    ("body", "name", "figure"),
)
FIRING = Histogram(
    "alliance_deadline_delay_seconds",
    "从时限的边界（或其建立，若更晚）到状态随之变更（秒，业务时间） · "
    "From a deadline's boundary, or from when it was set up where that is later, to the change of its state (business time).",
    buckets=(1, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400),
)
