"""What an event may be: refused in the command where the broker would not take it."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from alliance.notify.v1 import events_pb2, notify_pb2
from chassis.database import MAX_PAYLOAD, Cause, Tx
from chassis.errors import Invalid
from chassis.record import MAX_KEY

TOPIC = "alliance.internal.notify.subscription.v1"
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def emit(key: str, text: str = "") -> None:
    tx = Tx(cast(Any, None), cast(Any, None), Cause("tester"), NOW, NOW)
    tx.emit(TOPIC, key, 1, "created", events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription(name=text)))


@pytest.mark.parametrize(("key", "is_taken"), [("", False), ("k", True), ("k" * MAX_KEY, True), ("k" * (MAX_KEY + 1), False)])
def test_a_key_has_as_many_bytes_as_the_broker_takes(key: str, *, is_taken: bool) -> None:
    if is_taken:
        emit(key)
        return
    with pytest.raises(Invalid) as refused:
        emit(key)
    assert [one.rule for one in refused.value.violations] == ["key-size"]


def test_so_has_the_content() -> None:
    tx = Tx(cast(Any, None), cast(Any, None), Cause("tester"), NOW, NOW)
    event = events_pb2.SubscriptionEvent(subscription=notify_pb2.Subscription())
    tx._fill(event, 1, NOW)
    spare = MAX_PAYLOAD - event.ByteSize() - 11  # tags and lengths of the name and of what holds it
    emit("k", "x" * (spare - 8))
    with pytest.raises(Invalid) as refused:
        emit("k", "x" * (spare + 8))
    assert [one.rule for one in refused.value.violations] == ["record-size"]
