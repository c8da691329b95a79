"""`alliance notify`: subscriptions 订阅, the inbox 站内信, deliveries 投递."""

from typing import Annotated

import typer

from alliance.notify.v1 import notify_pb2
from alliance.notify.v1 import notify_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, instant, short, show, show_one, value_of
from alliance_cli.session import call, context

app = typer.Typer(no_args_is_help=True, help="通知 · notifications")
_channel = short(notify_pb2.Channel, "CHANNEL_")
_state = short(notify_pb2.SubscriptionState, "SUBSCRIPTION_STATE_")
_delivery = short(notify_pb2.DeliveryState, "DELIVERY_STATE_")
Acting = Annotated[str, typer.Option("--as", help="代表的单位 · organization acted for")]
COLUMNS: list[Column] = [
    ("编号", "id", lambda s: ident(s.name)),
    ("事件", "events", lambda s: ", ".join(s.event_types)),
    ("渠道", "channel", lambda s: _channel(s.channel)),
    ("状态", "state", lambda s: _state(s.state)),
    ("建立", "created", lambda s: instant(s.create_time)),
]
INBOX_COLUMNS: list[Column] = [
    ("时间", "time", lambda m: instant(m.create_time)),
    ("标题", "title", lambda m: m.title),
    ("内容", "text", lambda m: m.text),
    ("已读", "read", lambda m: "✓" if m.read else ""),
]
DELIVERY_COLUMNS: list[Column] = [
    ("编号", "id", lambda d: ident(d.name)),
    ("事件", "event", lambda d: d.event_type),
    ("状态", "state", lambda d: _delivery(d.state)),
    ("尝试", "attempts", lambda d: ", ".join(attempt.outcome for attempt in d.attempts)),
    ("下次", "next", lambda d: instant(d.next_attempt_time)),
]


def _name(text: str) -> str:
    return naming.resource("subscriptions", text)


@app.command()
def subscribe(
    event: Annotated[list[str], typer.Option(help="如 alliance.matching.match.proposed.v1")],
    acting: Acting = "",
    email: str = "",
    webhook: str = "",
    body: str = "",
    language: str = "",
) -> None:
    """订阅：站内信、邮件或 webhook · subscribe by inbox, e-mail or webhook."""
    channel = notify_pb2.CHANNEL_INBOX
    if email:
        channel = notify_pb2.CHANNEL_EMAIL
    elif webhook:
        channel = notify_pb2.CHANNEL_WEBHOOK
    with explained():
        subscription = notify_pb2.Subscription(
            organization=naming.organization(acting),
            event_types=event,
            channel=channel,
            email=email,
            webhook_url=webhook,
            language=value_of(notify_pb2.Language, "LANGUAGE_", language or context.language),
        )
        if body:
            subscription.filter.body = naming.body(body)
        request = rpc.CreateSubscriptionRequest(subscription=subscription)
        made = call(stubs.notify().CreateSubscription, request)
    secret: Column = ("签名密钥（只显示一次）", "signing secret (shown once)", lambda s: s.webhook_secret)
    show_one(made, [*COLUMNS, secret] if webhook else COLUMNS)


@app.command("list")
def list_(acting: Acting = "") -> None:
    """列出订阅 · list subscriptions."""
    with explained():
        request = rpc.ListSubscriptionsRequest(organization=naming.organization(acting), page_size=naming.PAGE)
        show(naming.every(stubs.notify().ListSubscriptions, request, "subscriptions"), COLUMNS)


@app.command()
def cancel(subscription: str, reason: str = "") -> None:
    """取消订阅 · cancel a subscription."""
    with explained():
        request = rpc.CancelSubscriptionRequest(name=_name(subscription), reason=reason)
        show_one(call(stubs.notify().CancelSubscription, request), COLUMNS)


@app.command()
def inbox(acting: Acting = "", unread: bool = False) -> None:
    """站内信 · the inbox."""
    with explained():
        request = rpc.ListInboxMessagesRequest(
            organization=naming.organization(acting), unread_only=unread, page_size=naming.PAGE
        )
        show(naming.every(stubs.notify().ListInboxMessages, request, "messages"), INBOX_COLUMNS)


@app.command()
def deliveries(subscription: str) -> None:
    """投递记录 · deliveries of a subscription."""
    with explained():
        request = rpc.ListDeliveriesRequest(subscription=_name(subscription), page_size=naming.PAGE)
        show(naming.every(stubs.notify().ListDeliveries, request, "deliveries"), DELIVERY_COLUMNS)


@app.command()
def resend(delivery: str, reason: str = "") -> None:
    """重新投递 · send a failed delivery again."""
    with explained():
        request = rpc.ResendDeliveryRequest(name=naming.resource("deliveries", delivery), reason=reason)
        show_one(call(stubs.notify().ResendDelivery, request), DELIVERY_COLUMNS)
