"""What dashboards show of deliveries 投递指标, in both languages."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

ATTEMPTS = Counter(
    "alliance_deliveries_attempts_total",
    "投递次数，按渠道和结果 · Attempts to deliver by channel and outcome.",
    ["channel", "outcome"],
)
FIRST = Histogram(
    "alliance_deliveries_first_attempt_seconds",
    "从事件入库到首次尝试投递（秒） · From recording an event to the first attempt to deliver it.",
    buckets=_SECONDS,
)
SECONDS = Histogram(
    "alliance_deliveries_seconds",
    "从事件入库到投递成功（秒） · From recording an event to its delivery.",
    ["channel"],
    buckets=_SECONDS,
)
OPEN = Gauge(
    "alliance_deliveries_open",
    "未送达的投递数，按状态：pending 待发，failed 已放弃 · "
    "Deliveries that have not arrived, by state: pending (to be sent), failed (given up).",
    ["state"],
)
