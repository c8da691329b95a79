"""Records of Kafka as handlers see them, decoded tolerantly: unknown headers, types and fields are no errors."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from google.protobuf.message import DecodeError, Message

from chassis import topics

CONTENT_TYPE = "application/protobuf"
MAX_KEY = 512  # bytes
_DIGITS = 19  # of the least number that no bigint holds


class UndecodableError(Exception):
    """A record that is not one of ours; `str()` says why, free of its content. Key and version where they can be read."""

    def __init__(self, why: str, key: str = "", version: int = 0) -> None:
        super().__init__(why)
        self.key = key
        self.version = version


class RawRecord(NamedTuple):
    """A record as it lies on the topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Record(NamedTuple):
    """A decoded record. `message` is None for a tombstone; `time` is when the event was recorded (system clock)."""

    topic: str
    partition: int
    offset: int
    key: str
    version: int
    type: str
    id: str
    time: datetime
    message: Message | None
    traceparent: str

    @property
    def verb(self) -> str:
        """The past verb of the event, e.g. `published`."""
        return verb_of(self.type)

    @property
    def restored_to(self) -> int | None:
        """Where this is an aggregate's state after a restore: the version that it went back to; what came after it never was.
        0 where the aggregate is gone altogether; None for any other record.
        """
        if self.verb != topics.RESTORED:
            return None
        return 0 if self.message is None else self.message.meta.restored_to  # type: ignore[attr-defined]


def verb_of(kind: str) -> str:
    """The past verb of a `ce_type`; "" for one that is none of ours."""
    parts = kind.split(".")
    return parts[-2] if len(parts) > 1 else ""


def decode(raw: RawRecord) -> Record:
    """The record; raises `UndecodableError`."""
    header = dict(raw.headers).get
    key, version = _key(raw), _version(header("ce_sequence") or b"")
    for name in ("ce_type", "ce_id", "traceparent"):  # stand in tables and in their indexes
        if (value := header(name)) and (len(value) > MAX_KEY or b"\x00" in value):
            raise UndecodableError(f"header {name} is too long or holds a NUL", key, version)
    if (kind := _text(header("content-type")) or CONTENT_TYPE) != CONTENT_TYPE:
        raise UndecodableError(f"content-type is {kind[:40]!r}", key, version)
    try:
        message = None if raw.value is None else topics.load().named(raw.topic).message_class().FromString(raw.value)
    except DecodeError:
        raise UndecodableError("value is not the topic's message", key, version) from None
    return Record(
        raw.topic,
        raw.partition,
        raw.offset,
        key,
        version,
        _text(header("ce_type")),
        _text(header("ce_id")),
        _time(_text(header("ce_time")), raw.timestamp),
        message,
        _text(header("traceparent")),
    )


def _text(value: bytes | None) -> str:
    return value.decode("utf-8", "replace") if value else ""


def _key(raw: RawRecord) -> str:
    if not raw.key:
        raise UndecodableError("no key")
    try:
        key = raw.key.decode()
    except UnicodeDecodeError:
        raise UndecodableError("key is not UTF-8") from None
    if len(raw.key) > MAX_KEY or "\x00" in key:
        raise UndecodableError("key is no resource name")
    return key


def _version(text: bytes) -> int:
    version = int(text) if text.isdigit() and len(text) < _DIGITS else 0
    if not version:
        raise UndecodableError("header ce_sequence is missing or no version")
    return version


def _time(text: str, timestamp: int) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    return found if found and found.tzinfo else datetime.fromtimestamp(timestamp / 1000, UTC)
