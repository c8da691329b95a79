"""Tables of the plumbing, the same in every service's database.

`event` is audit trail, history and outbox in one: insert-only for the service's role and partitioned by month, by range
of id. `outbox` is the small queue of ids not yet published. DDL that SQLAlchemy has no words for is in `chassis.schema`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
_INSTANT = DateTime(timezone=True)

event = Table(
    "event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, comment="protobuf; null = tombstone"),
    Column("actor", Text, nullable=False),
    Column("on_behalf_of", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause_event_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("effective_at", _INSTANT, nullable=False),
    Index("event_topic_key_version", "topic", "key", "version"),
    postgresql_partition_by="RANGE (id)",
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("bytes", Integer, nullable=False, server_default="0", comment="of the event's content"),
    Column("parked", Text, comment="why it can't be sent, or 'given up: …'; null = to be published"),
    # Not of `seq` itself: where all rows are dead, the planner would look for a batch's sequences here, key by key.
    Index("outbox_key", "key", text("(seq + 0)")),
    Index("outbox_parked", "key", postgresql_where=text("parked IS NOT NULL")),
)

parked_action = Table(
    "parked_action",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="the row in outbox"),
    Column("event_id", Uuid, nullable=False, comment="its event: the row is gone once it is published"),
    Column("action", Text, nullable=False, comment="retry, give-up"),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("acted_at", _INSTANT, nullable=False),
    Index("parked_action_of", "seq"),
)

applied = Table(
    "applied",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("consumer_group", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", Text, nullable=False, comment="empty where it could not be decoded"),
    Column("version", BigInteger, nullable=False, comment="what its header claims; 0 where that could not be read"),
    Column("decoded", Boolean, nullable=False, comment="only then is it the record of its key and version"),
    Column("raw_key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB, nullable=False, comment="list of [name, base64 value]"),
    Column("recorded_ms", BigInteger, nullable=False, comment="the record's Kafka timestamp"),
    Column("state", Text, nullable=False, comment="retrying, waiting, dead, replayed, superseded, dropped"),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_failed_at", _INSTANT, nullable=False),
    Column("last_failed_at", _INSTANT, nullable=False),
    Column("next_attempt_at", _INSTANT),
    # What can't be decoded is known by its place, and by its time: a rebuilt topic has the same places again. What version it
    # claims to be is nothing to go by: the true record of that version may still come.
    Index(
        "dead_letter_place",
        "consumer_group",
        "topic",
        "partition",
        "offset",
        "recorded_ms",
        unique=True,
        postgresql_where=text("NOT decoded"),
    ),
    Index(
        "dead_letter_version",
        "consumer_group",
        "topic",
        "key",
        "version",
        unique=True,
        postgresql_where=text("decoded"),
    ),
    Index("dead_letter_due", "next_attempt_at", postgresql_where=text("state = 'retrying'")),
    Index(
        "dead_letter_open",
        "consumer_group",
        "key",
        postgresql_where=text("state IN ('retrying', 'waiting', 'dead')"),
    ),
    Index("dead_letter_replayed", "consumer_group", "last_failed_at", postgresql_where=text("state = 'replayed'")),
)

dead_letter_action = Table(
    "dead_letter_action",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dead_letter", Uuid, nullable=False),
    Column("action", Text, nullable=False, comment="replay, drop"),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("acted_at", _INSTANT, nullable=False),
    Index("dead_letter_action_of", "dead_letter"),
)

request_log = Table(
    "request_log",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("request_id", Uuid, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary, comment="the response, or a resource name where it holds personal data"),
    Column("created_at", _INSTANT, nullable=False),
    Index("request_log_created", "created_at"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", _INSTANT, nullable=False),
)

clock_offset = Table(
    "clock_offset",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("moved_by", Interval, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, comment="replay (of a topic), rebuild (of a group), fence (of the service)"),
    Column("subject", Text, nullable=False, comment="the topic, the group or the service"),
    Column("position", Text, nullable=False, server_default="", comment="last key that was done"),
    Column("records", BigInteger, nullable=False, server_default="0", comment="records published or written so far"),
    Column("removed", BigInteger, nullable=False, server_default="0", comment="rows that no record stands behind"),
    Column("failed", BigInteger, nullable=False, server_default="0", comment="records that the handler did not take"),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("finished_at", _INSTANT),
    Column("failure", Text, nullable=False, server_default="", comment="why it ended without its work done"),
    Index("job_open", "kind", "id", postgresql_where=text("finished_at IS NULL")),
)

stale = Table(
    "stale",
    metadata,
    Column("name", Text, primary_key=True, comment="row of what is being rebuilt that no record was seen for yet"),
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_hashes", ARRAY(Text), nullable=False),
    Column("kind", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("retain_until", Date, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Index("personal_data_subjects", "subject_hashes", postgresql_using="gin"),
)

personal_data_access = Table(
    "personal_data_access",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("record", Uuid, nullable=False),
    Column("reader", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("read_at", _INSTANT, nullable=False),
)
