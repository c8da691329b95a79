"""Metrics 指标 of the plumbing (prometheus-client). Labels are bounded: groups, topics and outcomes that code names."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OUTBOX_ROWS = Gauge("alliance_outbox_rows", "Events not yet published.")
OUTBOX_AGE = Gauge("alliance_outbox_oldest_seconds", "Age of the oldest event not yet published.")
OUTBOX_PARKED = Gauge("alliance_outbox_parked_rows", "Events that the broker refused, with those held behind them.")
EVENTS_WITHOUT_PARTITION = Gauge("alliance_event_default_partition_rows", "Events that no month's partition took.")
RELAY_PUBLISHED = Counter("alliance_relay_published_total", "Events published and acknowledged.")
RELAY_BATCH = Histogram("alliance_relay_batch_events", "Events in one transaction.", buckets=(1, 3, 10, 30, 100, 300, 1000))
RELAY_LAG = Histogram("alliance_relay_lag_seconds", "From recording an event to the broker's acknowledgement.", buckets=_FAST)
RELAY_LEADER = Gauge("alliance_relay_leader", "1 while this process holds the relay's lease.")

RECORDS = Counter(
    "alliance_consumer_records_total",
    "Records by outcome: applied, unknown_type (applied, of a type that this version does not know), skipped (a version seen "
    "before), failed, waiting, recalled.",
    ["group", "outcome"],
)
VERSION_GAPS = Counter(
    "alliance_consumer_version_gaps_total",
    "Records whose version does not follow the one before: compacted away, given up by a restore fence, or lost.",
    ["group"],
)
CONSUMER_LAG = Gauge("alliance_consumer_lag_records", "Records on the topic that the group has not yet handled.", ["group"])
CONSUMER_BATCH = Histogram(
    "alliance_consumer_batch_records", "Records in one transaction.", ["group"], buckets=(1, 3, 10, 30, 100, 300, 1000)
)
HANDLER_SECONDS = Histogram("alliance_handler_seconds", "Time of one batch in its handler.", ["group"], buckets=_FAST)
EVENT_DELAY = Histogram(
    "alliance_event_delay_seconds", "From recording an event to its effect here.", ["group"], buckets=_FAST
)
CLIENT_REBUILDS = Counter("alliance_client_rebuilds_total", "Kafka clients that were given up and built anew.", ["client"])
DEAD_LETTERS = Gauge("alliance_dead_letters", "Open dead letters by state.", ["state"])
RETRIES = Counter("alliance_dead_letter_retries_total", "Attempts at dead letters by outcome.", ["outcome"])

RPC_SECONDS = Histogram("alliance_rpc_seconds", "Time of one call.", ["method"], buckets=_FAST)
RPC_CALLS = Counter("alliance_rpc_calls_total", "Calls by gRPC code.", ["method", "code"])
RPC_SHED = Counter("alliance_rpc_shed_total", "Calls refused because too many were under way.")
RPC_LIMIT = Gauge("alliance_rpc_limit", "Calls that are worked on at once at most: lowered while the event loop is late.")
LOOP_LAG = Gauge("alliance_event_loop_lag_seconds", "How late the event loop woke up at worst within the last second.")
BUILD = Gauge("alliance_build_info", "1, with service and version.", ["service", "version"])
