"""Topics and rights on the broker, as `proto/topics.yaml` declares them; what is there already stays as it is.

A service writes and reads the topics that it owns, and reads those that name it as a consumer. All else is refused.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from chassis import topics
from chassis.kafka import KafkaAccess

_ALLOW = 3
_TIMEOUT_MS = 30_000


class Kind(IntEnum):
    """What a right is on, by Kafka's numbers."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5


class Pattern(IntEnum):
    """Whether a right is on one name or on all that begin with it, by Kafka's numbers."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """What is allowed, by Kafka's numbers."""

    READ = 3
    WRITE = 4
    IDEMPOTENT_WRITE = 12


class Right(NamedTuple):
    """What a user may do."""

    kind: Kind
    name: str
    pattern: Pattern
    user: str
    operation: Operation


def services() -> list[str]:
    """Who owns a topic or reads one."""
    return sorted({name for topic in topics.load().all for name in (topic.owner, *topic.consumers)})


def rights() -> Iterator[Right]:
    """What every service may do."""
    for topic in topics.load().all:
        yield Right(Kind.TOPIC, topic.name, Pattern.LITERAL, topic.owner, Operation.WRITE)
        # A fence sees what was said before a restore.
        for reader in (topic.owner, *topic.consumers):
            yield Right(Kind.TOPIC, topic.name, Pattern.LITERAL, reader, Operation.READ)
    for service in services():
        yield Right(Kind.GROUP, f"{service}.", Pattern.PREFIXED, service, Operation.READ)
        yield Right(Kind.TRANSACTIONAL_ID, f"relay-{service}", Pattern.LITERAL, service, Operation.WRITE)
        yield Right(Kind.CLUSTER, "kafka-cluster", Pattern.LITERAL, service, Operation.IDEMPOTENT_WRITE)


async def provide(access: KafkaAccess, profile: str, replicas: int, granted: Iterable[Right] = ()) -> list[str]:
    """Create the topics that are missing, with the configuration of a profile of `topics.yaml` and so many replicas each, of
    which more than half have to have a record before it counts; then grant rights. Returns the created topics' names. Raises
    KafkaError where the broker can't be asked or refuses.
    """
    admin = AIOKafkaAdminClient(**access.options())
    await admin.start()
    try:
        made = await _create(admin, profile, replicas)
        for right in granted:
            request = CreateAclsRequest(
                right.kind, right.name, right.pattern, f"User:{right.user}", "*", right.operation, _ALLOW
            )
            _check((await admin._send_to_controller(request)).creation_responses)
        return made
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, profile: str, replicas: int) -> list[str]:
    known = set(await admin.list_topics())
    config = topics.load().config(profile) | {"min.insync.replicas": str(replicas // 2 + 1)}
    missing = [one for one in topics.load().all if one.name not in known]
    if not missing:
        return []
    wanted = [NewTopic(one.name, one.partitions, replicas, topic_configs=config) for one in missing]
    answer = await admin.create_topics(wanted, timeout_ms=_TIMEOUT_MS)
    # Another may create them at the same time.
    _check((code, name) for name, code, *_ in answer.topic_errors if code != TopicAlreadyExistsError.errno)
    return [name for name, code, *_ in answer.topic_errors if not code]


def _check(outcomes: Iterable[tuple[int, str]]) -> None:
    """Raise the error of the first request that was refused; aiokafka leaves that to its caller."""
    for code, subject in outcomes:
        if code:
            raise for_code(code)(subject)
