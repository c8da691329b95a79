"""Between messages and rows; what callers write is checked here."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from alliance.notify.v1 import notify_pb2 as pb
from chassis import targets
from chassis.errors import Violation
from chassis.etag import etag
from chassis.personal import screen
from notify.abouts import subscribable
from notify.domain.events import ENDS, About, Audience, Filter
from notify.store import DeliveryRow, InboxRow, SubscriptionRow

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def subscription_problems(
    given: pb.Subscription, *, mail: bool, allow_private: bool, networks: Sequence[targets.Network] = ()
) -> list[Violation]:
    """Everything that is wrong with a subscription as it was written."""
    found = []
    unknown = [one for one in given.event_types if one not in subscribable()]
    if unknown or not given.event_types:
        named = "、".join(unknown) or "（空）"
        found.append(
            Violation(
                "event_types",
                "known",
                f"请填写可订阅的事件类型，如 alliance.matching.match.*.v1；不可用：{named}",
                f"name event types like alliance.matching.match.*.v1; unknown: {', '.join(unknown) or 'none given'}",
            )
        )
    if given.channel == pb.CHANNEL_UNSPECIFIED or given.channel not in pb.Channel.values():
        found.append(Violation("channel", "required", "请选择渠道", "name the channel: INBOX, EMAIL or WEBHOOK"))
    if given.channel == pb.CHANNEL_EMAIL and not mail:
        found.append(
            Violation(
                "channel",
                "no-mail",
                "本平台未配置邮件；请改用站内信或 webhook",
                "this platform sends no mails; take INBOX or WEBHOOK",
            )
        )
    if given.channel == pb.CHANNEL_EMAIL and not _MAIL.fullmatch(given.email):
        found.append(Violation("email", "address", "请填写有效的邮箱地址", "give a valid e-mail address"))
    if given.channel == pb.CHANNEL_WEBHOOK and (
        wrong := targets.problem(given.webhook_url, allow_private=allow_private, networks=networks)
    ):
        found.append(Violation("webhook_url", "target", *wrong))
    return found + _told_in(given.webhook_url)


def _told_in(url: str) -> list[Violation]:
    """Personal data in any part of a webhook's address, which stays with the subscription: user, host, path or query."""
    zh = "请改用不含个人信息的地址（如随机编号），该地址随订阅保存"
    en = "take one that tells of nobody (such as a random id): it stays with the subscription"
    return [
        one._replace(zh=f"{one.zh.partition('；')[0]}；{zh}", en=f"{one.en.partition('; ')[0]}; {en}")
        for one in screen("webhook_url", url)
    ]


def subscription_message(row: SubscriptionRow) -> pb.Subscription:
    """The subscription of a row, without address and secret."""
    message = pb.Subscription(
        name=row.name,
        organization=row.organization,
        subscriber=row.subscriber,
        event_types=row.event_types,
        filter=pb.SubscriptionFilter(
            body=row.filter_body,
            listing_kinds=cast(Any, row.filter_kinds),
            organization=row.filter_organization,
        ),
        channel=cast(Any, row.channel),
        language=cast(Any, row.language),
        recipient=row.recipient,
        webhook_url=row.webhook_url,
        state=pb.SUBSCRIPTION_STATE_ACTIVE if row.active else pb.SUBSCRIPTION_STATE_CANCELLED,
        etag=etag(row.version),
    )
    message.create_time.FromDatetime(row.create_time)
    message.update_time.FromDatetime(row.update_time)
    return message


def filter_of(row: SubscriptionRow) -> Filter:
    """What a subscription narrows itself to."""
    return Filter(row.filter_body, frozenset(row.filter_kinds), row.filter_organization)


def inbox_message(row: InboxRow) -> pb.InboxMessage:
    """The message of a row of the inbox."""
    message = pb.InboxMessage(
        name=row.name,
        subscription=row.subscription,
        event_id=row.event_id,
        event_type=row.event_type,
        subject=row.subject,
        title=row.title,
        text=row.text,
        read=row.read,
    )
    message.create_time.FromDatetime(row.create_time)
    return message


def delivery_message(row: DeliveryRow) -> pb.Delivery:
    """The delivery of a row."""
    message = pb.Delivery(
        name=row.name,
        subscription=row.subscription,
        event_id=row.event_id,
        event_type=row.event_type,
        subject=row.subject,
        state=cast(Any, row.state),
    )
    for one in row.attempts:
        attempt = message.attempts.add(attempt=one["attempt"], outcome=one["outcome"])
        attempt.start_time.FromDatetime(datetime.fromisoformat(one["start"]))
        if one.get("end"):
            attempt.end_time.FromDatetime(datetime.fromisoformat(one["end"]))
    if row.next_attempt_at is not None:
        message.next_attempt_time.FromDatetime(row.next_attempt_at)
    message.create_time.FromDatetime(row.create_time)
    message.update_time.FromDatetime(row.update_time)
    return message


NOW = "now"
"""Where a delivery keeps for whom what it is about is by now, beside the event."""


_SETS = ("organizations", "bodies", "owners")


def about_json(about: About) -> dict[str, Any]:
    """What a delivery keeps of an event."""
    kept = {name: getattr(about, name) for name in About.__dataclass_fields__}
    return {**kept, **{name: sorted(kept[name]) for name in _SETS}}


def abouts_of_json(kept: dict[str, Any]) -> list[About]:
    """The other way round: the event; and where it is for others by now, the event as if that had been so then. That a listing
    has ended is told on whatever comes after.
    """
    then = {name: value for name, value in kept.items() if name != NOW}
    now = {name: value for name, value in kept.get(NOW, {}).items() if name != "shown" or then["type"] not in ENDS}
    return [_about_of_json({**then, **changed}) for changed in ({}, *([now] if now else []))]


def now_json(about: About) -> dict[str, Any]:
    """For whom a listing or an application is, as the deliveries of its earlier events keep it; nothing of other records."""
    if about.audience is Audience.VIEWERS:
        is_open = about.shown and about.type not in ENDS
        return {"visibility": about.visibility, "bodies": sorted(about.bodies), "shown": is_open}
    return {"organizations": sorted(about.organizations)} if about.audience in (Audience.PARTIES, Audience.SHARED) else {}


def _about_of_json(kept: dict[str, Any]) -> About:
    sets = {name: frozenset(kept.get(name, ())) for name in _SETS}
    return About(**{**kept, **sets, "audience": Audience(kept["audience"])})
