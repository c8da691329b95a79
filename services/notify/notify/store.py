"""Tables of notify, and the statements on them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    select,
    text,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array, insert
from sqlmodel import Field, SQLModel

from chassis.database import Database, Tx

_INSTANT: Any = DateTime(timezone=True)


class _Base(SQLModel):
    metadata = MetaData()


class SubscriptionRow(_Base, table=True):
    """A subscription; addresses are in the vault, secrets in `webhook_secret`."""

    __tablename__ = "subscription"
    __table_args__ = (
        Index("subscription_types", "event_types", postgresql_using="gin", postgresql_where=text("active")),
        Index("subscription_organization", "organization", "name"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    organization: str = Field(sa_type=Text)
    subscriber: str = Field(sa_type=Text)
    event_types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    filter_body: str = Field(sa_type=Text)
    filter_kinds: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    filter_organization: str = Field(sa_type=Text)
    channel: int
    language: int
    recipient: str = Field(sa_type=Text)
    webhook_url: str = Field(sa_type=Text)
    active: bool = Field(sa_type=Boolean)
    recorded_at: datetime = Field(sa_type=_INSTANT)
    """System time of its making; only events recorded after it are for it."""
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class SecretRow(_Base, table=True):
    """A webhook's signing secret, apart from everything that is listed or published."""

    __tablename__ = "webhook_secret"

    subscription: str = Field(sa_type=Text, primary_key=True)
    secret: str = Field(sa_type=Text)


class InboxRow(_Base, table=True):
    """A message in the inbox: one per subscription and event."""

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("subscription", "event_id", name="inbox_once"),
        Index("inbox_organization", "organization", "name"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    organization: str = Field(sa_type=Text)
    subscription: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    event_type: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    read: bool = Field(sa_type=Boolean)
    create_time: datetime = Field(sa_type=_INSTANT)


class DeliveryRow(_Base, table=True):
    """A delivery by e-mail or webhook: one per subscription and event, with its attempts."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("subscription", "event_id", name="delivery_once"),
        Index("delivery_due", "next_attempt_at", postgresql_where=text("state = 1")),
        Index("delivery_subscription", "subscription", "name"),
        Index("delivery_open", "subject", postgresql_where=text("state IN (1, 3)")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    subscription: str = Field(sa_type=Text)
    event_id: str = Field(sa_type=Text)
    event_type: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    about: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """What the receiver's right to it is judged by, at every attempt."""
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """The resource as the webhook carries it."""
    occurred_at: datetime = Field(sa_type=_INSTANT)
    traceparent: str = Field(sa_type=Text)
    state: int
    attempts: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    tries: int
    """Attempts since it was set up or resent."""
    next_attempt_at: datetime | None = Field(sa_type=_INSTANT)
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


subscription: Table = SubscriptionRow.__table__  # type: ignore[attr-defined]
secret: Table = SecretRow.__table__  # type: ignore[attr-defined]
inbox: Table = InboxRow.__table__  # type: ignore[attr-defined]
delivery: Table = DeliveryRow.__table__  # type: ignore[attr-defined]
OPEN_STATES = {1: "pending", 3: "failed"}
OPEN = "SELECT state, count(*) FROM delivery WHERE state IN (1, 3) GROUP BY state"
"""By the index `delivery_open`."""
metadata = _Base.metadata
_OPEN = text("state IN (1, 3)")  # pending, or failed and perhaps sent again; as the index has it
_IS_ANY_DUE = "SELECT EXISTS (SELECT FROM delivery WHERE state = 1 AND next_attempt_at <= $1)"


async def get_subscription(tx: Tx, name: str, *, lock: bool = False) -> SubscriptionRow | None:
    """One subscription."""
    statement = select(SubscriptionRow).where(subscription.c.name == name)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def save_subscription(tx: Tx, row: SubscriptionRow) -> None:
    """Enter a subscription or put it in place of what is there."""
    statement = insert(subscription).values(row.model_dump())
    changed = {name: statement.excluded[name] for name in SubscriptionRow.model_fields if name != "name"}
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


async def save_secret(tx: Tx, name: str, value: str) -> None:
    """Keep a subscription's signing secret."""
    await tx.conn.execute(insert(secret).values(subscription=name, secret=value))


async def secret_of(tx: Tx, name: str) -> str:
    """A subscription's signing secret; "" where it has none."""
    found = await tx.conn.execute(select(secret.c.secret).where(secret.c.subscription == name))
    return found.scalar_one_or_none() or ""


async def interested(tx: Tx, patterns: Collection[str]) -> Sequence[SubscriptionRow]:
    """Subscriptions in force to an event's type."""
    named = sql_cast(array(sorted(patterns)), ARRAY(Text))
    overlap: ColumnElement[bool] = subscription.c.event_types.op("&&")(named)
    statement = select(SubscriptionRow).where(subscription.c.active, overlap)
    return (await tx.session.execute(statement)).scalars().all()


async def subscriptions_of(tx: Tx, organization: str, before: str | None, limit: int) -> Sequence[SubscriptionRow]:
    """An organization's subscriptions, newest first."""
    statement = select(SubscriptionRow).where(subscription.c.organization == organization)
    if before is not None:
        statement = statement.where(subscription.c.name < before)
    return (await tx.session.execute(statement.order_by(subscription.c.name.desc()).limit(limit))).scalars().all()


async def add_inbox(tx: Tx, rows: Sequence[InboxRow]) -> None:
    """Enter messages; one that is there already stays as it is."""
    if rows:
        values = [row.model_dump() for row in rows]
        await tx.conn.execute(insert(inbox).values(values).on_conflict_do_nothing(constraint="inbox_once"))


async def inbox_of(tx: Tx, organization: str, before: str | None, limit: int, *, unread_only: bool) -> Sequence[InboxRow]:
    """An organization's messages, newest first."""
    statement = select(InboxRow).where(inbox.c.organization == organization)
    if unread_only:
        statement = statement.where(~inbox.c.read)
    if before is not None:
        statement = statement.where(inbox.c.name < before)
    return (await tx.session.execute(statement.order_by(inbox.c.name.desc()).limit(limit))).scalars().all()


async def mark_read(tx: Tx, organization: str, names: Collection[str]) -> int:
    """Mark an organization's messages as read; returns how many were not."""
    mine = and_(inbox.c.organization == organization, inbox.c.name.in_(names), ~inbox.c.read)
    return (await tx.conn.execute(update(inbox).where(mine).values(read=True))).rowcount


async def add_deliveries(tx: Tx, rows: Sequence[DeliveryRow]) -> None:
    """Set deliveries up; one that is there already stays as it is."""
    if rows:
        values = [row.model_dump() for row in rows]
        await tx.conn.execute(insert(delivery).values(values).on_conflict_do_nothing(constraint="delivery_once"))


async def keep_now(tx: Tx, subject: str, now: dict[str, Any]) -> None:
    """Let deliveries that may still be made know for whom their listing is by now."""
    mine = (delivery.c.subject == subject, _OPEN)
    await tx.conn.execute(update(delivery).where(*mine).values(about=delivery.c.about.concat(now)))


async def due_deliveries(tx: Tx, limit: int, but: Sequence[str]) -> list[tuple[DeliveryRow, str]]:
    """Deliveries that are due, locked, with the organization that they are for, which is none of some; those that another
    transaction holds are left to it.
    """
    statement = (
        select(DeliveryRow, subscription.c.organization)
        .join(subscription, subscription.c.name == delivery.c.subscription)
        .where(delivery.c.state == text("1"), delivery.c.next_attempt_at <= tx.recorded_at)
        .where(subscription.c.organization.not_in(but))
        .order_by(delivery.c.next_attempt_at)
        .limit(limit)
        .with_for_update(of=delivery, skip_locked=True)
    )
    return [(row[0], row[1]) for row in await tx.session.execute(statement)]


async def is_any_due(database: Database) -> bool:
    """Whether any delivery is due; a look that is cheap enough to be taken all the time."""
    async with database.alone() as sql:
        return bool(await sql.value(_IS_ANY_DUE, database.system_time()))


async def count_due(tx: Tx) -> int:
    """How many deliveries are due."""
    due = and_(delivery.c.state == text("1"), delivery.c.next_attempt_at <= tx.recorded_at)
    return int((await tx.conn.execute(select(func.count()).select_from(delivery).where(due))).scalar_one())


async def get_delivery(tx: Tx, name: str, *, lock: bool = False) -> DeliveryRow | None:
    """One delivery."""
    statement = select(DeliveryRow).where(delivery.c.name == name)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def save_delivery(tx: Tx, row: DeliveryRow) -> None:
    """Write what became of a delivery."""
    changed = ("version", "state", "attempts", "tries", "next_attempt_at", "update_time")
    values = {name: getattr(row, name) for name in changed}
    await tx.conn.execute(update(delivery).where(delivery.c.name == row.name).values(values))


async def drop_pending(tx: Tx, name: str, state: int) -> None:
    """A subscription was cancelled: what is pending for it is not sent."""
    pending = and_(delivery.c.subscription == name, delivery.c.state == text("1"))
    values = {"state": state, "next_attempt_at": None, "version": delivery.c.version + 1, "update_time": tx.now}
    await tx.conn.execute(update(delivery).where(pending).values(values))


async def deliveries_of(tx: Tx, name: str, states: Sequence[int], before: str | None, limit: int) -> Sequence[DeliveryRow]:
    """A subscription's deliveries, newest first."""
    statement = select(DeliveryRow).where(delivery.c.subscription == name)
    if states:
        statement = statement.where(delivery.c.state.in_(states))
    if before is not None:
        statement = statement.where(delivery.c.name < before)
    return (await tx.session.execute(statement.order_by(delivery.c.name.desc()).limit(limit))).scalars().all()
