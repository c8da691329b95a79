"""Kafka clients as every service builds them, and records as CloudEvents (Kafka binding, binary mode)."""

import ssl
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from chassis.settings import ServiceSettings

MAX_REQUEST = 4 * 1024 * 1024  # bytes
MAX_BATCH = 1024 * 1024  # bytes; brokers take no larger batch by default, and no record is larger


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

    def options(self) -> dict[str, Any]:
        """Arguments of every aiokafka client."""
        found: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security}
        if self.security.startswith("SASL"):
            found |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.security.endswith("SSL"):
            found["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
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


def partition_of(key: str, partitions: int) -> int:
    """Kafka's own partition of a key, so that any client finds the same."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions
