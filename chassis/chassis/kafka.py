"""Kafka clients as every service builds them, and records as CloudEvents (Kafka binding, binary mode)."""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from struct import unpack_from
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.record import RawRecord
from chassis.settings import ServiceSettings

MAX_REQUEST = 4 * 1024 * 1024  # bytes
MAX_BATCH = 1024 * 1024  # bytes; brokers take no larger batch by default, and no record is larger
_AGAIN_MS = 1000  # in which a partition is read again
_CLOSE = 5.0  # seconds
_WORD, _MIX = 0xFFFFFFFF, 0x5BD1E995  # of MurmurHash2


@dataclass(frozen=True)
class KafkaAccess:
    """Where the broker is and who asks."""

    bootstrap: str
    security: str = "PLAINTEXT"
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None

    @classmethod
    def of(cls, settings: ServiceSettings) -> "KafkaAccess":
        """The access that a service's settings give."""
        password = settings.kafka_password
        return cls(
            bootstrap=settings.kafka_bootstrap,
            security=settings.kafka_security,
            username=settings.kafka_username,
            password=password.get_secret_value() if password else None,
            ca_file=str(settings.kafka_ca_file) if settings.kafka_ca_file else None,
        )

    def as_user_of(self, folder: Path) -> "KafkaAccess":
        """The same, as the user of a folder with the files `username` and `password`. Raises OSError where one is missing."""
        username, password = ((folder / name).read_text(encoding="utf-8").strip() for name in ("username", "password"))
        return replace(self, username=username, password=password)

    def options(self) -> dict[str, Any]:
        """Arguments of every aiokafka client. Raises `CaFileError`."""
        found: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security}
        if self.security.startswith("SASL"):
            found |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.security.endswith("SSL"):
            found["ssl_context"] = _context(self.ca_file)
        return found


class CaFileError(KafkaError):  # type: ignore[misc]
    """The broker's certificate can't be checked: the file of its CA is missing or broken."""

    def __str__(self) -> str:
        return str(self.args[0])


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:  # an OSError, too
        why = f"不是 PEM 证书 · holds no certificate in PEM: {error.reason or error}"
    except OSError as error:
        why = f"读不到 · can't be read: {error.strerror}"
    raise CaFileError(f"ALLIANCE_KAFKA_CA_FILE {ca_file} {why}")


class TolerantConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer that passes by what it can't read. A header whose name is no text, which other clients can write, makes
    aiokafka's own raise the same error for ever.
    """

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        """Records by partition; of one that can't be read, its place and nothing else."""
        try:
            return await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except UnicodeDecodeError:
            return await self._one_each(partitions or tuple(self.assignment()))

    async def _one_each(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = {}
        for place in partitions:
            try:
                found |= await super().getmany(place, timeout_ms=_AGAIN_MS, max_records=1)
            except UnicodeDecodeError:
                offset = await self.position(place)
                found[place] = [RawRecord(place.topic, place.partition, offset, 0, None, None, ())]
                self.seek(place, offset + 1)
        return found


def transactional_producer(access: KafkaAccess, transactional_id: str) -> AIOKafkaProducer:
    """A producer whose every batch is a transaction; a newer one with the same id fences it."""
    return AIOKafkaProducer(
        **access.options(),
        transactional_id=transactional_id,
        transaction_timeout_ms=30_000,
        acks="all",
        linger_ms=0,
        max_batch_size=MAX_BATCH,
        max_request_size=MAX_REQUEST,
        request_timeout_ms=15_000,
        retry_backoff_ms=50,
    )


async def dispose(producer: AIOKafkaProducer) -> None:
    """Close a transactional producer at once: what it has not committed, the next one of its id aborts. Its own `stop` first
    waits for all that it was given to arrive, which with a broker that does not answer never ends.
    """
    producer._closed = True
    tasks = _tasks_of(producer._sender)
    for task in tasks:
        task.cancel()
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_CLOSE):
            if tasks:
                await asyncio.wait(tasks)
            await producer.client.close()


def _tasks_of(owner: object) -> list["asyncio.Task[Any]"]:
    """What an object has begun and keeps to itself: a producer's sender may wait for what nobody asks for any more."""
    frames = ((task, getattr(task.get_coro(), "cr_frame", None)) for task in asyncio.all_tasks())
    return [task for task, frame in frames if frame is not None and frame.f_locals.get("self") is owner]


def partition_of(key: str, partitions: int) -> int:
    """Kafka's own partition of a key, so that any client finds the same."""
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka's clients have it, word by word: aiokafka's goes byte by byte and takes twice the time, which was a
    sixth of the relay's.
    """
    words = len(data) // 4
    found = 0x9747B28C ^ len(data)
    for word in unpack_from(f"<{words}I", data):
        mixed = word * _MIX & _WORD
        found = found * _MIX & _WORD ^ (mixed ^ mixed >> 24) * _MIX & _WORD
    if tail := data[4 * words :]:
        found = (found ^ int.from_bytes(tail, "little")) * _MIX & _WORD
    found = (found ^ found >> 13) * _MIX & _WORD
    return found ^ found >> 15
