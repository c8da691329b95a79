"""Metrics 指标 of the plumbing (prometheus-client), in both languages. Labels are bounded: groups, topics and
outcomes that code names.
"""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OUTBOX_ROWS = Gauge("alliance_outbox_rows", "尚未发布的事件数 · Events not yet published.")
OUTBOX_AGE = Gauge(
    "alliance_outbox_oldest_seconds", "最早一条未发布事件的等待时间（秒） · Age of the oldest event not yet published."
)
OUTBOX_PARKED = Gauge(
    "alliance_outbox_parked_rows",
    "被 Kafka 拒收而搁置的事件数，含其后等待的 · Events that the broker refused, with those held behind them.",
)
EVENTS_WITHOUT_PARTITION = Gauge(
    "alliance_event_default_partition_rows", "没有月分区可放的事件数 · Events that no month's partition took."
)
RELAY_PUBLISHED = Counter("alliance_relay_published_total", "已发布并得到确认的事件数 · Events published and acknowledged.")
RELAY_BATCH = Histogram(
    "alliance_relay_batch_events", "一个事务里的事件数 · Events in one transaction.", buckets=(1, 3, 10, 30, 100, 300, 1000)
)
RELAY_LAG = Histogram(
    "alliance_relay_lag_seconds",
    "从事件入库到 Kafka 确认（秒） · From recording an event to the broker's acknowledgement.",
    buckets=_FAST,
)
RELAY_LEADER = Gauge("alliance_relay_leader", "本进程持有转发租约时为 1 · 1 while this process holds the relay's lease.")

RECORDS = Counter(
    "alliance_consumer_records_total",
    "记录数，按结果：applied 已生效，unknown_type 已生效但类型为本版本所不知，skipped 版本早已见过，"
    "failed 失败，waiting 等待，recalled 重新读入 · "
    "Records by outcome: applied, unknown_type (applied, of a type that this version does not know), skipped (a version seen "
    "before), failed, waiting, recalled.",
    ["group", "outcome"],
)
VERSION_GAPS = Counter(
    "alliance_consumer_version_gaps_total",
    "版本与前一条不衔接的记录数：已被压缩、恢复栅栏放弃或丢失 · "
    "Records whose version does not follow the one before: compacted away, given up by a restore fence, or lost.",
    ["group"],
)
CONSUMER_LAG = Gauge(
    "alliance_consumer_lag_records",
    "主题上该处理组尚未处理的记录数 · Records on the topic that the group has not yet handled.",
    ["group"],
)
CONSUMER_BATCH = Histogram(
    "alliance_consumer_batch_records",
    "一个事务里的记录数 · Records in one transaction.",
    ["group"],
    buckets=(1, 3, 10, 30, 100, 300, 1000),
)
HANDLER_SECONDS = Histogram(
    "alliance_handler_seconds", "一批记录的处理时间（秒） · Time of one batch in its handler.", ["group"], buckets=_FAST
)
EVENT_DELAY = Histogram(
    "alliance_event_delay_seconds",
    "从事件入库到在此生效（秒） · From recording an event to its effect here.",
    ["group"],
    buckets=_FAST,
)
CLIENT_REBUILDS = Counter(
    "alliance_client_rebuilds_total",
    "放弃并重建的 Kafka 客户端数 · Kafka clients that were given up and built anew.",
    ["client"],
)
TASK_FAILURES = Counter(
    "alliance_task_failures_total",
    "后台任务因意外错误而重新开始的次数 · Times that a background task failed unexpectedly and began anew.",
    ["task"],
)
DEAD_LETTERS = Gauge("alliance_dead_letters", "未决死信数，按状态 · Open dead letters by state.", ["state"])
RETRIES = Counter(
    "alliance_dead_letter_retries_total", "死信的处理次数，按结果 · Attempts at dead letters by outcome.", ["outcome"]
)

RPC_SECONDS = Histogram("alliance_rpc_seconds", "一次调用的时间（秒） · Time of one call.", ["method"], buckets=_FAST)
RPC_CALLS = Counter("alliance_rpc_calls_total", "调用次数，按 gRPC 状态码 · Calls by gRPC code.", ["method", "code"])
RPC_SHED = Counter(
    "alliance_rpc_shed_total", "因同时进行的过多而拒绝的调用数 · Calls refused because too many were under way."
)
RPC_LIMIT = Gauge(
    "alliance_rpc_limit",
    "同时进行的调用数上限，事件循环延迟时降低 · Calls under way at most; lowered while the event loop is late.",
)
RPC_RUNNING = Gauge("alliance_rpc_running", "正在处理的调用数 · Calls under way.")
LOOP_LAG = Gauge(
    "alliance_event_loop_lag_seconds",
    "一秒内事件循环醒来的最大延迟（秒） · How late the event loop woke up at worst within the last second.",
)
DATABASE_CONNECTIONS = Gauge(
    "alliance_database_connections",
    "使用中的数据库连接数，按连接池：calls 调用与处理，plumbing 租约等 · "
    "Connections to the database in use, by pool: calls (and handlers), plumbing (leases and the like).",
    ["pool"],
)
DATABASE_LIMIT = Gauge("alliance_database_connections_limit", "连接池的上限 · Connections that a pool has at most.", ["pool"])
DATABASE_WAIT = Histogram(
    "alliance_database_wait_seconds",
    "等到一个数据库连接的时间（秒） · Time until there was a connection to the database.",
    ["pool"],
    buckets=_FAST,
)
CERTIFICATE_END = Gauge(
    "alliance_tls_certificate_expiration_timestamp_seconds",
    "本服务 mTLS 证书（或签发它的 CA，以早者为准）的到期时间（Unix 秒），文件更换后重读；0 表示不用 mTLS · "
    "When the service's own certificate for mTLS ends, or its CA if earlier, read again when files change; 0 without mTLS.",
)
DUE_WORK = Gauge(
    "alliance_due_work",
    "按业务时间已到期、尚未完成的工作数 · How much is due by the business clock and not yet done.",
)
BUILD = Gauge("alliance_build_info", "恒为 1，标明服务和版本 · 1, with service and version.", ["service", "version"])
