"""What dashboards show of matching 匹配指标: freshness, proposals, scores, and what became of matches by score."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from matching.domain.alike import highest, lowest
from matching.domain.life import Change, State, Verb

FRESHNESS = Histogram(
    "alliance_matching_freshness_seconds",
    "从供需信息的变更入库到匹配建议可读（秒） · From recording a listing's change to its proposals being readable.",
    buckets=(0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0),
)
PROPOSALS = Histogram(
    "alliance_matching_proposals",
    "一条供需信息的一次变更带来的匹配建议数 · Proposals that one change of a listing brought.",
    buckets=(0, 1, 2, 3, 5, 10, 20, 50),
)
SCORES = Histogram(
    "alliance_matching_score_ratio",
    "匹配建议的得分（0–1） · Score of a proposal, 0–1.",
    buckets=(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
STEPS = Counter(
    "alliance_matching_steps",
    "匹配的各步数量，按步骤和得分段（千分）；一方接受记为 accepted_by_one，双方都接受记为 accepted · "
    "Steps of matches, by verb and band of score (thousandths); `accepted_by_one`, and `accepted` once both have.",
    ("verb", "band"),
)
BACKLOG = Gauge(
    "alliance_matching_backlog",
    "已收到、尚未对所有分片评分的供需变更数 · Changes of listings that came and are not scored against every share.",
)
PUT_OFF = Gauge(
    "alliance_matching_put_off",
    "评分失败、等待重试的条目数 · Listings or organizations that could not be scored and are tried again.",
)
SNAPSHOT = Gauge(
    "alliance_matching_snapshot_timestamp_seconds",
    "最近一次索引快照的时间（Unix 秒）；0 表示不保存 · When the index was last written to the disk; 0 where it is not kept.",
)
REVIEWS_OVERDUE = Gauge(
    "alliance_matching_reviews_overdue",
    "已过期限、尚无结论的人工复核数 · Reviews of matches that are past their day and not settled.",
)
SHARES = Gauge(
    "alliance_matching_shares",
    "本进程负责的分片数；全部副本之和应为 12 · Shares that this process works on; 12 over all replicas.",
)


def count(changes: Iterable[Change]) -> None:
    """Count what happened to matches, once it is committed."""
    for change in changes:
        low = lowest(change.match.score)
        is_half = change.verb is Verb.ACCEPTED and change.match.state is not State.ACCEPTED
        STEPS.labels("accepted_by_one" if is_half else change.verb.value, f"{low}-{highest(low)}").inc()
        if change.verb is Verb.PROPOSED:
            SCORES.observe(change.match.score / 1000)
