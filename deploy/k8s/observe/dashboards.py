"""Dashboards 仪表板 of Grafana, as data: overview by objective, one for a service, the way of events, business.

Titles are Chinese and English. Every query asks one platform (`$namespace`); intervals follow the view (`$__rate_interval`).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from observe.objectives import OBJECTIVES, Objective
from observe.rules import BURNS, ratio

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_SELECTOR = 'namespace="$namespace"'
_OF_SERVICE = f'{_SELECTOR}, service="$service"'
_WIDTH, _HEIGHT = 24, 8
_RATE = "$__rate_interval"
_FIGURES = {
    "demands": "需求 · Demands",
    "supplies": "供给 · Supplies",
    "proposed": "匹配建议 · Matches proposed",
    "fulfilled": "达成 · Matches fulfilled",
}
"""Figures of `alliance_body_figures` with a panel each."""


class Panel(NamedTuple):
    """A panel: what it is called, its queries with their legends, its unit, how wide it is (of 24) and how it is drawn."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    width: int = 8
    kind: str = "timeseries"


def dashboards() -> dict[str, dict[str, Any]]:
    """File name without its ending → dashboard."""
    return {
        "overview": _dashboard("overview", "总览 · Overview", _overview()),
        "service": _dashboard("service", "服务 · Service", _service(), of_service=True),
        "events": _dashboard("events", "事件流 · Event flow", _events()),
        "business": _dashboard("business", "业务 · Business", _business()),
    }


def queries(dashboard: dict[str, Any]) -> list[str]:
    """All queries of a dashboard."""
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def _overview() -> Iterator[Panel]:
    for objective in OBJECTIVES:
        yield Panel(objective.title, [(_fulfilled(objective, "$__range"), objective.name)], "percentunit", 6, "stat")
    for objective in OBJECTIVES:
        spent = f"({ratio(objective, '$__range')}) / {1 - objective.target:.6g}"
        yield Panel(f"{objective.name} · 预算已用 · budget spent", [(_here(spent), objective.name)], "percentunit", 6, "stat")
    for burn in BURNS[:2]:
        recorded = f"slo:alliance_bad:ratio_rate{burn.long}{{{_SELECTOR}}}"
        yield Panel(f"不良比例 {burn.long} · bad within {burn.long}", [(recorded, "{{slo}}")], "percentunit", 12)
    yield Panel(
        "告警 · Alerts",
        [('sum by (alertname, severity) (ALERTS{alertstate="firing", namespace="$namespace"})', "{{alertname}}")],
    )
    yield Panel("副本 · Pods", [(_sum("alliance_build_info{NS}", "service, version"), "{{service}} {{version}}")])
    yield Panel(
        "启动后时间 · Time since start", [("min by (service) (time() - process_start_time_seconds{NS})", "{{service}}")], "s"
    )
    yield Panel("调用 · Calls", [(_rate("alliance_rpc_calls_total{NS}", "service"), "{{service}}")], "reqps")
    yield Panel("匹配新鲜度 p99 · Freshness, p99", [(_quantile("alliance_matching_freshness_seconds", "NS"), "p99")], "s")
    yield Panel("到期未完成 · Due and not done", [("max by (service) (alliance_due_work{NS})", "{{service}}")])


def _service() -> Iterator[Panel]:
    yield Panel("调用 · Calls", [(_rate("alliance_rpc_calls_total{SV}", "method"), "{{method}}")], "reqps")
    yield Panel(
        "未成功 · Not OK",
        [(_rate('alliance_rpc_calls_total{SV, code!="OK"}', "method, code"), "{{method}} {{code}}")],
        "reqps",
    )
    yield Panel(
        "时长 p50 p99 · Duration, p50 and p99",
        [
            (_quantile("alliance_rpc_seconds", "SV", "", 0.5), "p50"),
            (_quantile("alliance_rpc_seconds", "SV", "method"), "{{method}}"),
        ],
        "s",
    )
    yield Panel(
        "进行中与上限 · Under way, and the limit",
        [
            ("sum(alliance_rpc_running{SV})", "under way"),
            ("sum(alliance_rpc_limit{SV})", "limit"),
        ],
    )
    yield Panel("拒绝 · Refused", [(_rate("alliance_rpc_shed_total{SV}", "instance"), "{{instance}}")], "reqps")
    yield Panel(
        "事件循环延迟 · Lag of the event loop",
        [("max by (instance) (alliance_event_loop_lag_seconds{SV})", "{{instance}}")],
        "s",
    )
    yield Panel(
        "数据库连接 · Connections to the database",
        [
            ("sum by (pool) (alliance_database_connections{SV})", "{{pool}}"),
            ("sum by (pool) (alliance_database_connections_limit{SV})", "{{pool}} limit"),
        ],
    )
    yield Panel(
        "等待连接 p99 · Wait for a connection, p99",
        [(_quantile("alliance_database_wait_seconds", "SV", "pool"), "{{pool}}")],
        "s",
    )
    yield Panel("CPU", [(_rate("process_cpu_seconds_total{SV}", "instance"), "{{instance}}")])
    yield Panel("内存 · Memory", [("max by (instance) (process_resident_memory_bytes{SV})", "{{instance}}")], "bytes")
    yield Panel("文件句柄 · Open files", [("max by (instance) (process_open_fds{SV})", "{{instance}}")])
    yield Panel("任务失败 · Tasks that failed", [(_increase("alliance_task_failures_total{SV}", "task"), "{{task}}")])
    yield Panel("客户端重建 · Clients built anew", [(_increase("alliance_client_rebuilds_total{SV}", "client"), "{{client}}")])
    yield Panel(
        "处理速率 · Records handled",
        [(_rate("alliance_consumer_records_total{SV}", "group, outcome"), "{{group}} {{outcome}}")],
        "ops",
    )
    yield Panel(
        "处理时长 p99 · A batch's time, p99", [(_quantile("alliance_handler_seconds", "SV", "group"), "{{group}}")], "s"
    )


def _events() -> Iterator[Panel]:
    yield Panel("发布 · Published", [(_rate("alliance_relay_published_total{NS}", "service"), "{{service}}")], "ops")
    yield Panel(
        "入库到 Kafka p99 · Recorded to published, p99",
        [(_quantile("alliance_relay_lag_seconds", "NS", "service"), "{{service}}")],
        "s",
    )
    yield Panel(
        "入库到生效 p99 · Recorded to effect, p99",
        [(_quantile("alliance_event_delay_seconds", "NS", "group"), "{{group}}")],
        "s",
    )
    yield Panel("待发布 · Not yet published", [("max by (service) (alliance_outbox_rows{NS})", "{{service}}")])
    yield Panel("最早的等待 · Oldest of them", [("max by (service) (alliance_outbox_oldest_seconds{NS})", "{{service}}")], "s")
    yield Panel("转发租约 · Relay's lease", [(_sum("alliance_relay_leader{NS}", "service"), "{{service}}")])
    yield Panel("滞后 · Lag", [(_sum("alliance_consumer_lag_records{NS}", "group"), "{{group}}")])
    yield Panel("处理 · Handled", [(_rate("alliance_consumer_records_total{NS}", "group"), "{{group}}")], "ops")
    yield Panel(
        "未直接生效 · Without a direct effect",
        [
            (_rate('alliance_consumer_records_total{NS, outcome!="applied"}', "group, outcome"), "{{group}} {{outcome}}"),
        ],
        "ops",
    )
    yield Panel("一批的记录 · Records in a batch", [(_mean("alliance_consumer_batch_records", "group"), "{{group}}")])
    yield Panel(
        "一次发布的事件 · Events published at once", [(_mean("alliance_relay_batch_events", "service"), "{{service}}")]
    )
    yield Panel("死信 · Dead letters", [("max by (service, state) (alliance_dead_letters{NS})", "{{service}} {{state}}")])
    yield Panel(
        "死信重试 · Attempts at them",
        [(_increase("alliance_dead_letter_retries_total{NS}", "service, outcome"), "{{service}} {{outcome}}")],
    )
    yield Panel("搁置 · Parked", [("max by (service) (alliance_outbox_parked_rows{NS})", "{{service}}")])
    yield Panel("版本缺口 · Missing versions", [(_increase("alliance_consumer_version_gaps_total{NS}", "group"), "{{group}}")])
    yield Panel(
        "无月分区的事件 · Without a month's partition",
        [("max by (service) (alliance_event_default_partition_rows{NS})", "{{service}}")],
    )
    yield Panel(
        "匹配待评分 · Matching's backlog",
        [
            ("max by (instance) (alliance_matching_backlog{NS})", "{{instance}}"),
            ("max(alliance_matching_put_off{NS})", "put off"),
        ],
    )
    yield Panel("匹配分片 · Matching's shares", [("sum by (instance) (alliance_matching_shares{NS})", "{{instance}}")])
    yield Panel(
        "匹配新鲜度 · Freshness",
        [
            (_quantile("alliance_matching_freshness_seconds", "NS", "", 0.5), "p50"),
            (_quantile("alliance_matching_freshness_seconds", "NS"), "p99"),
        ],
        "s",
    )
    yield Panel(
        "索引快照的年龄 · Age of the index on the disk",
        [
            ("time() - (alliance_matching_snapshot_timestamp_seconds{NS} > 0)", "{{instance}}"),
        ],
        "s",
    )


def _business() -> Iterator[Panel]:
    published = 'max by (kind) (alliance_listings{NS, state="published"})'
    yield Panel("公开的供需 · Published listings", [(published, "{{kind}}")], width=12)
    yield Panel(
        "供需按状态 · Listings by state",
        [("sum by (state) (max by (kind, state) (alliance_listings{NS}))", "{{state}}")],
        width=12,
    )
    for figure, title in _FIGURES.items():
        yield Panel(f"各联盟：{title}, by alliance", [(_of_alliance(figure), "{{name}}")], width=6)
    fit = f"{_of_alliance('accepted')} / {_of_alliance('proposed')}"
    title = "各联盟：契合度，建议中双方接受的 · Fit: accepted, of what was proposed, by alliance"
    yield Panel(title, [(fit, "{{name}}")], "percentunit", 24)
    yield Panel("匹配进展 · Steps of matches", [(_increase("alliance_matching_steps_total{NS}", "verb"), "{{verb}}")])
    accepted = 'sum(increase(alliance_matching_steps_total{NS, verb="accepted"}[$__range]))'
    proposed = 'sum(increase(alliance_matching_steps_total{NS, verb="proposed"}[$__range]))'
    fulfilled = 'sum(increase(alliance_matching_steps_total{NS, verb="fulfilled"}[$__range]))'
    yield Panel(
        "接受率与达成率 · Accepted and fulfilled, of what was proposed",
        [
            (f"{accepted} / {proposed}", "accepted"),
            (f"{fulfilled} / {proposed}", "fulfilled"),
        ],
        "percentunit",
        8,
        "stat",
    )
    by_band = 'sum by (band) (increase(alliance_matching_steps_total{{NS, verb="{verb}"}}[$__range]))'
    rate = f"{by_band.format(verb='accepted')} / {by_band.format(verb='proposed')}"
    yield Panel("各得分段的接受率 · Accepted, of what was proposed, by band of score", [(rate, "{{band}}")], "percentunit")
    yield Panel("得分中位 · Median score", [(_quantile("alliance_matching_score_ratio", "NS", "", 0.5), "p50")], "percentunit")
    yield Panel("每次变更的建议 · Proposals of a change", [(_mean("alliance_matching_proposals", ""), "mean")])
    yield Panel("组织体 · Bodies", [("max by (kind, state) (alliance_bodies{NS})", "{{kind}} {{state}}")])
    yield Panel("时限按状态 · Deadlines by state", [("max by (rule, state) (alliance_deadlines{NS})", "{{rule}} {{state}}")])
    yield Panel("逾期未办的复核 · Reviews overdue", [("max(alliance_matching_reviews_overdue{NS})", "overdue")])
    yield Panel(
        "时限生效延迟 p99 · Delay of deadlines, p99", [(_quantile("alliance_deadline_delay_seconds", "NS"), "p99")], "s"
    )
    yield Panel(
        "投递 · Deliveries",
        [(_rate("alliance_deliveries_attempts_total{NS}", "channel, outcome"), "{{channel}} {{outcome}}")],
        "ops",
    )
    yield Panel("未送达 · Not arrived", [("max by (state) (alliance_deliveries_open{NS})", "{{state}}")])
    yield Panel(
        "首次投递与送达 p99 · First attempt and arrival, p99",
        [
            (_quantile("alliance_deliveries_first_attempt_seconds", "NS"), "first attempt"),
            (_quantile("alliance_deliveries_seconds", "NS", "channel"), "{{channel}}"),
        ],
        "s",
    )
    yield Panel(
        "外部接口的记录 · Records of feeds",
        [(_rate("alliance_feed_records_total{NS}", "direction, outcome"), "{{direction}} {{outcome}}")],
        "ops",
    )
    yield Panel(
        "外部接口的交换 · Exchanges of feeds",
        [(_rate("alliance_feed_exchanges_total{NS}", "direction, outcome"), "{{direction}} {{outcome}}")],
        "ops",
    )
    yield Panel("无响应的接口 · Silent feeds", [("max(alliance_feeds_silent{NS})", "silent")])
    yield Panel("接口最长静默 · Longest silence of a feed", [("max(alliance_feeds_quiet_seconds{NS})", "quiet")], "s")


def _of_alliance(figure: str) -> str:
    return f'max by (name) (alliance_body_figures{{NS, figure="{figure}"}})'


def _fulfilled(objective: Objective, window: str) -> str:
    return _here(f"1 - ({ratio(objective, window)})")


def _here(query: str) -> str:
    """A query of the rules' for the platform that is looked at."""
    return query.replace('namespace="NAMESPACE"', _SELECTOR)


def _sum(series: str, by: str) -> str:
    return f"sum by ({by}) ({series})"


def _rate(series: str, by: str) -> str:
    return f"sum by ({by}) (rate({series}[{_RATE}]))"


def _increase(series: str, by: str) -> str:
    return f"sum by ({by}) (increase({series}[{_RATE}]))"


def _quantile(histogram: str, selector: str, by: str = "", share: float = 0.99) -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket{{{selector}}}[{_RATE}])))"


def _mean(histogram: str, by: str) -> str:
    total, number = (f"sum by ({by}) (rate({histogram}_{one}{{NS}}[{_RATE}]))" for one in ("sum", "count"))
    return f"{total} / {number}"


def _dashboard(name: str, title: str, panels: Iterator[Panel], *, of_service: bool = False) -> dict[str, Any]:
    return {
        "uid": f"alliance-{name}",
        "title": f"Alliance · {title}",
        "tags": ["alliance"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [
            {
                "type": "dashboards",
                "tags": ["alliance"],
                "asDropdown": False,
                "title": "",
                "keepTime": True,
                "includeVars": True,
            }
        ],
        "templating": {"list": list(_variables(of_service=of_service))},
        "panels": list(_placed(panels)),
    }


def _variables(*, of_service: bool) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    yield _variable("namespace", "label_values(alliance_build_info, namespace)", "平台 · Platform")
    if of_service:
        yield _variable("service", 'label_values(alliance_build_info{namespace="$namespace"}, service)', "服务 · Service")


def _variable(name: str, query: str, label: str) -> dict[str, Any]:
    return {"name": name, "type": "query", "datasource": _SOURCE, "query": query, "label": label, "refresh": 2, "sort": 1}


def _placed(panels: Iterator[Panel]) -> Iterator[dict[str, Any]]:
    """Panels from left to right, and on to the next line where one is full."""
    x = y = 0
    for number, one in enumerate(panels, 1):
        if x + one.width > _WIDTH:
            x, y = 0, y + _HEIGHT
        yield _panel(number, one, x, y)
        x += one.width


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [_target(chr(ord("A") + place), *query) for place, query in enumerate(panel.queries)],
    }


def _target(letter: str, query: str, legend: str) -> dict[str, Any]:
    expression = query.replace("{SV", f"{{{_OF_SERVICE}").replace("{NS", f"{{{_SELECTOR}")
    exemplars = "alliance_rpc_seconds_bucket" in expression
    return {"refId": letter, "datasource": _SOURCE, "expr": expression, "legendFormat": legend, "exemplar": exemplars}
