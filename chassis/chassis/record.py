"""Records of Kafka as handlers see them, decoded tolerantly: unknown headers, types and fields are no errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import DecodeError, Message

from chassis import topics


class UndecodableError(Exception):
    """A record that is not one of ours; `str()` says why, free of its content."""


@dataclass(frozen=True)
class RawRecord:
    """A record as it lies on the topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Record:
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
        parts = self.type.split(".")
        return parts[-2] if len(parts) > 1 else ""


def decode(raw: RawRecord) -> Record:
    """The record; raises `UndecodableError`."""
    headers = {name: value.decode("utf-8", "replace") for name, value in raw.headers if value is not None}
    if not raw.key:
        raise UndecodableError("no key")
    try:
        key = raw.key.decode()
        version = int(headers["ce_sequence"])
        message = None if raw.value is None else _message(raw.topic, raw.value)
    except UnicodeDecodeError:
        raise UndecodableError("key is not UTF-8") from None
    except KeyError as error:
        raise UndecodableError(f"no header {error}") from None
    except ValueError:
        raise UndecodableError("header ce_sequence is not a number") from None
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=key,
        version=version,
        type=headers.get("ce_type", ""),
        id=headers.get("ce_id", ""),
        time=_time(headers.get("ce_time", ""), raw.timestamp),
        message=message,
        traceparent=headers.get("traceparent", ""),
    )


def _message(topic: str, value: bytes) -> Message:
    try:
        return topics.load().named(topic).message_class().FromString(value)
    except DecodeError:
        raise UndecodableError("value is not the topic's message") from None


def _time(text: str, timestamp: int) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    return found if found and found.tzinfo else datetime.fromtimestamp(timestamp / 1000, UTC)
