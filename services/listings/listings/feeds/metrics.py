"""Metrics 指标 of feeds, in both languages."""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge

EXCHANGES = Counter(
    "alliance_feed_exchanges_total",
    "与外部系统的交换次数（页或批），按方向和结果 · Exchanges with outside systems (pages, batches) by direction and outcome.",
    ["direction", "outcome"],
)
RECORDS = Counter(
    "alliance_feed_records_total",
    "记录数，按方向和结果：accepted 新增，revised 修订，published 发布，unchanged 未变，withdrawn 撤回，stale 旧版本，"
    "refused 拒收；sent 发出，removed 已不公开 · "
    "Records by direction and outcome: accepted, revised, published, unchanged, withdrawn, stale (an older version), refused; "
    "sent, removed (public no more).",
    ["direction", "outcome"],
)
SILENT = Gauge("alliance_feeds_silent", "无响应的接口数 · Feeds that are silent.")
QUIET = Gauge(
    "alliance_feeds_quiet_seconds",
    "运行中接口距上次收到所期望内容的最长时间（秒，业务时间） · "
    "Longest time since an active feed brought what is expected of it (business time).",
)


def came(direction: str, outcomes: Mapping[str, int]) -> None:
    """Count records."""
    for outcome, number in outcomes.items():
        RECORDS.labels(direction, outcome).inc(number)
