"""Deliveries: each attempt is written down before it is made, so that a crash never hides that it may have been.

Few are under way for one organization at a time: receivers that answer slowly keep nobody else's waiting.
"""

import asyncio
import logging
from collections import Counter as Counts
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from opentelemetry.trace import SpanKind

from alliance.notify.v1 import events_pb2
from alliance.notify.v1 import notify_pb2 as pb
from chassis import telemetry
from chassis.clock import Clock
from chassis.crash import crash_point
from chassis.database import Cause, Database, Tx
from chassis.errors import Unavailable
from chassis.handling import away
from chassis.ids import id_of
from chassis.vault import Vault
from notify import metrics, store
from notify.audience import Rights
from notify.channels import Hook, Mail, SendError, Webhooks, send_mail
from notify.domain.texts import title_and_text
from notify.mapping import abouts_of_json, delivery_message
from notify.settings import NotifySettings
from notify.store import DeliveryRow, SubscriptionRow

log = logging.getLogger(__name__)
TOPIC = "alliance.internal.notify.delivery.v1"
AT_ONCE = 400  # deliveries under way
_EACH = 4  # of these for one organization
_BATCH = 16  # taken at one look
_POLL = 0.1  # seconds between looks for due ones
_SPARE = 5.0  # seconds beyond the receiver's time after which an attempt counts as lost
_CAUSE = Cause("service:notify")
_ENDS: dict[int, str] = {pb.DELIVERY_STATE_DELIVERED: "delivered", pb.DELIVERY_STATE_FAILED: "failed"}


@dataclass(frozen=True)
class _Ready:
    """A delivery whose attempt is written down."""

    delivery: DeliveryRow
    organization: str
    message: Mail | Hook


class Delivering:
    """Sends what is due."""

    def __init__(self, database: Database, rights: Rights, settings: NotifySettings, system_clock: Clock) -> None:
        self._database = database
        self._rights = rights
        self._settings = settings
        self._clock = system_clock
        self._vault = Vault()
        self._webhooks = Webhooks(settings, AT_ONCE)
        self._under_way: Counts[str] = Counts()
        """Deliveries by organization."""

    async def run(self) -> None:
        """Send until cancelled."""
        self._under_way.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    ready = await self._begin() if await store.is_any_due(self._database) else []
                except Unavailable:
                    ready = []
                for one in ready:
                    self._under_way[one.organization] += 1
                    group.create_task(self._out(one))
                if not ready:
                    await asyncio.sleep(_POLL)

    async def _out(self, ready: _Ready) -> None:
        """One delivery; where the database is away at its end, the attempt counts as lost and is made again."""
        try:
            await self._deliver(ready)
        except Unavailable:
            log.warning("delivery: outcome not written down", extra={"delivery": ready.delivery.name})
        finally:
            self._under_way[ready.organization] -= 1

    async def _begin(self) -> list[_Ready]:
        """Take what is due and write an attempt down for each; those of busy organizations wait for their turn."""
        taken = self._under_way.copy()
        room = min(_BATCH, AT_ONCE - taken.total())
        if room <= 0:
            return []
        ready: list[_Ready] = []
        async with self._database.transaction(_CAUSE) as tx:
            busy = [organization for organization, number in taken.items() if number >= _EACH]
            for row, organization in await store.due_deliveries(tx, room, busy):
                if taken[organization] < _EACH and (one := await self._prepared(tx, row, organization)) is not None:
                    taken[organization] += 1
                    ready.append(one)
        return ready

    async def _prepared(self, tx: Tx, row: DeliveryRow, organization: str) -> _Ready | None:
        """The message to send; None where it is not to be sent any more, or where it can't be made."""
        try:
            async with tx.savepoint():
                subscription = await store.get_subscription(tx, row.subscription)
                message = await self._message(tx, row, subscription) if subscription else None
        except Exception as error:
            if away(error):
                raise
            # This one waits; the others go on.
            log.exception("delivery: no message", extra={"delivery": row.name})
            self._attempt(row, tx)
            await self._settle(tx, row, type(error).__name__)
            return None
        if message is None:
            row.state, row.next_attempt_at = pb.DELIVERY_STATE_DROPPED, None
            await self._save(tx, row)
            return None
        self._attempt(row, tx)
        await self._save(tx, row)
        return _Ready(DeliveryRow(**row.model_dump()), organization, message)

    def _attempt(self, row: DeliveryRow, tx: Tx) -> None:
        """Write an attempt down; it counts as lost when nothing is heard of it in time."""
        number = len(row.attempts) + 1
        start = tx.recorded_at.isoformat()
        row.attempts = [*row.attempts, {"attempt": number, "start": start, "outcome": "sending"}]
        row.tries += 1
        if number == 1:
            tx.on_commit(partial(metrics.FIRST.observe, max(0.0, (tx.recorded_at - row.occurred_at).total_seconds())))
        row.next_attempt_at = tx.recorded_at + timedelta(seconds=self._settings.delivery_timeout + _SPARE)

    async def _message(self, tx: Tx, row: DeliveryRow, subscription: SubscriptionRow) -> Mail | Hook | None:
        """What to send, if the receiver is still there and may still know of it."""
        about, *now = abouts_of_json(row.about)
        if not subscription.active or await self._rights.acts_no_more(tx, subscription.subscriber, subscription.organization):
            return None
        for one in (about, *now):
            if not await self._rights.may_know(tx, subscription.organization, one):
                return None
        if subscription.channel == pb.CHANNEL_WEBHOOK:
            body = {"type": row.event_type, "timestamp": row.occurred_at.isoformat(), "data": row.data}
            secret = await store.secret_of(tx, subscription.name)
            return Hook(id_of(row.name), subscription.webhook_url, secret, body, row.traceparent)
        record = await self._vault.read(tx, subscription.recipient, "notification delivery")
        if record is None:
            return None
        names = await self._rights.names(tx, about)
        title, text = title_and_text(about, names, subscription.organization, english=subscription.language == pb.LANGUAGE_EN)
        return Mail(id_of(row.name), record.fields["email"], title, text, row.occurred_at)

    async def _deliver(self, ready: _Ready) -> None:
        row = ready.delivery
        channel = "webhook" if isinstance(ready.message, Hook) else "email"
        crash_point("notify.before_send")
        with telemetry.span(f"deliver by {channel}", kind=SpanKind.CLIENT, parent=row.traceparent):
            try:
                await self._send(ready.message)
                outcome = "delivered"
            except SendError as error:
                outcome = str(error)
            except Exception as error:
                log.exception("delivery: not sent", extra={"delivery": row.name})
                outcome = type(error).__name__
        crash_point("notify.after_send")
        metrics.ATTEMPTS.labels(channel, "delivered" if outcome == "delivered" else "failed").inc()
        async with self._database.transaction(_CAUSE) as tx:
            current = await store.get_delivery(tx, row.name, lock=True)
            if current and current.tries == row.tries and current.state == pb.DELIVERY_STATE_PENDING:
                await self._settle(tx, current, outcome)  # else a later attempt has taken over
        if outcome == "delivered":
            metrics.SECONDS.labels(channel).observe(max(0.0, (self._clock.now() - row.occurred_at).total_seconds()))

    async def _send(self, message: Mail | Hook) -> None:
        if isinstance(message, Hook):
            traced = Hook(message.id, message.url, message.secret, message.body, telemetry.traceparent())
            await self._webhooks.send(traced, self._clock.now())
        else:
            await send_mail(self._settings, message)

    async def _settle(self, tx: Tx, row: DeliveryRow, outcome: str) -> None:
        """Write down what came of an attempt."""
        last: dict[str, Any] = {**row.attempts[-1], "end": tx.recorded_at.isoformat(), "outcome": outcome}
        row.attempts = [*row.attempts[:-1], last]
        left = self._settings.delivery_delays[row.tries - 1 :]
        if outcome == "delivered":
            row.state, row.next_attempt_at = pb.DELIVERY_STATE_DELIVERED, None
        elif left:
            row.next_attempt_at = tx.recorded_at + timedelta(seconds=left[0])
        else:
            row.state, row.next_attempt_at = pb.DELIVERY_STATE_FAILED, None
        await self._save(tx, row)

    async def _save(self, tx: Tx, row: DeliveryRow) -> None:
        """Write a delivery; its end is an event."""
        row.update_time = tx.now
        verb = _ENDS.get(row.state)
        if verb:
            row.version += 1
        await store.save_delivery(tx, DeliveryRow(**row.model_dump()))
        if verb:
            tx.emit(TOPIC, row.name, row.version, verb, events_pb2.DeliveryEvent(delivery=delivery_message(row)))
