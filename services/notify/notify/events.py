"""What notify hears: every event that can be subscribed to, and the register's facts.

One event, one transaction: inbox messages and deliveries are set up with it, once per subscription.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from access.listeners import listeners
from alliance.notify.v1 import notify_pb2 as pb
from chassis import topics
from chassis.database import Tx
from chassis.handling import Listen
from chassis.ids import resource
from chassis.record import Record
from notify import store
from notify.abouts import TOPICS, told
from notify.abouts import about as about_of
from notify.audience import Rights
from notify.domain.events import About, patterns
from notify.domain.texts import title_and_text
from notify.mapping import NOW, about_json, filter_of, now_json
from notify.shown import is_told
from notify.store import DeliveryRow, InboxRow, SubscriptionRow


class Events:
    """The handlers."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def listens(self) -> list[Listen]:
        """The projection's listeners, and one for every topic that can be subscribed to."""
        own = [Listen(name, topics.load().named(name).aggregate, self.on_event) for name in TOPICS]
        return [*listeners(), *own]

    async def on_event(self, tx: Tx, record: Record) -> None:
        """Tell everybody who asked and may know."""
        if record.message is None or record.restored_to is not None:  # what was told before can't be untold
            return
        if not is_told(record):
            return
        about = about_of(record)
        if now := now_json(about):
            await store.keep_now(tx, about.subject, {NOW: now})
        wanting = [
            row
            for row in await _interested(tx, record.type)
            if row.recorded_at < record.time
            and filter_of(row).takes(about)
            and await self._rights.may_know(tx, row.organization, about)
        ]
        for whole in (True, False):
            if rows := [row for row in wanting if (row.organization in about.owners) is whole]:
                await self._tell(tx, record, rows, *told(record, about, whole=whole))

    async def _tell(
        self, tx: Tx, record: Record, rows: Sequence[SubscriptionRow], about: About, content: dict[str, Any]
    ) -> None:
        """Set up what those get who are shown the same of a record."""
        inside = [row for row in rows if row.channel == pb.CHANNEL_INBOX]
        names = await self._rights.names(tx, about) if inside else {}
        await store.add_inbox(tx, [_inbox(tx, row, about, names) for row in inside])
        outside = [row for row in rows if row.channel != pb.CHANNEL_INBOX]
        await store.add_deliveries(tx, [_delivery(tx, row, about, content, record.time) for row in outside])


async def _interested(tx: Tx, event_type: str) -> Sequence[SubscriptionRow]:
    """Subscriptions to a type of event, read once a batch."""
    key = ("interested", event_type)
    if key not in tx.memo:
        tx.memo[key] = await store.interested(tx, patterns(event_type))
    found: Sequence[SubscriptionRow] = tx.memo[key]
    return found


def _inbox(tx: Tx, row: SubscriptionRow, about: About, names: Mapping[str, str]) -> InboxRow:
    title, text = title_and_text(about, names, row.organization, english=row.language == pb.LANGUAGE_EN)
    return InboxRow(
        name=resource("inboxMessages"),
        organization=row.organization,
        subscription=row.name,
        event_id=about.event_id,
        event_type=about.type,
        subject=about.subject,
        title=title,
        text=text,
        read=False,
        create_time=tx.now,
    )


def _delivery(tx: Tx, row: SubscriptionRow, about: About, content: dict[str, Any], time: datetime) -> DeliveryRow:
    return DeliveryRow(
        name=resource("deliveries"),
        version=0,
        subscription=row.name,
        event_id=about.event_id,
        event_type=about.type,
        subject=about.subject,
        about=about_json(about),
        data=content,
        occurred_at=time,
        traceparent=tx.cause.traceparent,
        state=pb.DELIVERY_STATE_PENDING,
        attempts=[],
        tries=0,
        next_attempt_at=tx.recorded_at,
        create_time=tx.now,
        update_time=tx.now,
    )
