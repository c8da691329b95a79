"""The RPCs of subscriptions, the inbox and deliveries."""

import base64
from collections.abc import Sequence
from datetime import timedelta

from alliance.notify.v1 import events_pb2
from alliance.notify.v1 import notify_pb2 as pb
from alliance.notify.v1 import notify_service_pb2 as rpc
from chassis import paging
from chassis.clock import business_date
from chassis.crypto import secret
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition, Violation
from chassis.ids import resource
from chassis.rpc import Call
from chassis.vault import Vault
from notify import store
from notify.mapping import delivery_message, inbox_message, subscription_message, subscription_problems
from notify.settings import NotifySettings
from notify.store import SubscriptionRow

TOPIC = "alliance.internal.notify.subscription.v1"
_KEEP = timedelta(days=730)  # how long an address is kept unless the subscription ends before; our default


class Notify:
    """`alliance.notify.v1.NotifyService`."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._vault = Vault()

    async def CreateSubscription(self, call: Call, request: rpc.CreateSubscriptionRequest) -> pb.Subscription:
        """See the contract."""
        given = request.subscription
        wrong = subscription_problems(
            given,
            mail=bool(self._settings.smtp_host),
            allow_private=self._settings.allow_private_targets,
            networks=self._settings.private_networks,
        )
        if wrong:
            raise Invalid(wrong)
        row = await self._row(call, given)
        await _save(call.tx, row, "created")
        if row.channel == pb.CHANNEL_WEBHOOK:
            await store.save_secret(call.tx, row.name, f"whsec_{base64.b64encode(secret()).decode()}")
        return await self.reread(call, row.name)

    async def reread(self, call: Call, name: str) -> pb.Subscription:
        """The answer to CreateSubscription with its secret, also when it is asked for again."""
        message = subscription_message(await _found(call.tx, name))
        message.webhook_secret = await store.secret_of(call.tx, name)
        return message

    async def GetSubscription(self, call: Call, request: rpc.GetSubscriptionRequest) -> pb.Subscription:
        """See the contract."""
        return (await self._shown(call.tx, [await _found(call.tx, request.name)]))[0]

    async def ListSubscriptions(self, call: Call, request: rpc.ListSubscriptionsRequest) -> rpc.ListSubscriptionsResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request)
        rows = await store.subscriptions_of(call.tx, request.organization, before[0] if before else None, size + 1)
        answer = rpc.ListSubscriptionsResponse(subscriptions=await self._shown(call.tx, rows[:size]))
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def CancelSubscription(self, call: Call, request: rpc.CancelSubscriptionRequest) -> pb.Subscription:
        """See the contract. The address is forgotten."""
        row = await store.get_subscription(call.tx, request.name, lock=True)
        if row is None:
            raise NotFound(request.name)
        if row.active:
            row.active, row.version, row.update_time = False, row.version + 1, call.tx.now
            await store.drop_pending(call.tx, row.name, pb.DELIVERY_STATE_DROPPED)
            if row.recipient:
                await self._vault.forget(call.tx, row.recipient)
            await _save(call.tx, row, "cancelled")
        return subscription_message(row)

    async def ListInboxMessages(self, call: Call, request: rpc.ListInboxMessagesRequest) -> rpc.ListInboxMessagesResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request)
        rows = await store.inbox_of(
            call.tx,
            request.organization,
            before[0] if before else None,
            size + 1,
            unread_only=request.unread_only,
        )
        answer = rpc.ListInboxMessagesResponse(messages=[inbox_message(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def MarkInboxMessagesRead(
        self, call: Call, request: rpc.MarkInboxMessagesReadRequest
    ) -> rpc.MarkInboxMessagesReadResponse:
        """See the contract."""
        if len(request.names) > paging.MAX_PAGE:
            raise Invalid(
                [Violation("names", "AIP-231", "一次最多 1000 条；请分批", "at most 1000 at once; mark them in parts")]
            )
        marked = await store.mark_read(call.tx, request.organization, request.names)
        return rpc.MarkInboxMessagesReadResponse(marked=marked)

    async def ListDeliveries(self, call: Call, request: rpc.ListDeliveriesRequest) -> rpc.ListDeliveriesResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request)
        place = before[0] if before else None
        rows = await store.deliveries_of(call.tx, request.subscription, request.states, place, size + 1)
        answer = rpc.ListDeliveriesResponse(deliveries=[delivery_message(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def ResendDelivery(self, call: Call, request: rpc.ResendDeliveryRequest) -> pb.Delivery:
        """See the contract."""
        row = await store.get_delivery(call.tx, request.name, lock=True)
        if row is None:
            raise NotFound(request.name)
        if row.state != pb.DELIVERY_STATE_FAILED:
            raise Precondition("NOT_FAILED", "只有投递失败的才能重发", "only a failed delivery can be sent again")
        row.state, row.tries, row.next_attempt_at = pb.DELIVERY_STATE_PENDING, 0, call.tx.recorded_at
        row.update_time = call.tx.now
        await store.save_delivery(call.tx, row)
        return delivery_message(row)

    async def _shown(self, tx: Tx, rows: Sequence[SubscriptionRow]) -> list[pb.Subscription]:
        """Subscriptions as they are read: one whose address was erased sends nothing any more, and is none that is active."""
        recipients = {row.recipient for row in rows} - {""}
        gone = recipients - await self._vault.kept(tx, recipients)
        messages = [subscription_message(row) for row in rows]
        for message in messages:
            if message.recipient in gone:
                message.state = pb.SUBSCRIPTION_STATE_CANCELLED
        return messages

    async def _row(self, call: Call, given: pb.Subscription) -> SubscriptionRow:
        tx = call.tx
        recipient = ""
        if given.channel == pb.CHANNEL_EMAIL:
            recipient = await self._vault.keep(
                tx,
                subjects=[given.email],
                kind="email_recipient",
                fields={"email": given.email},
                purpose="通知投递 notification delivery",
                legal_basis="订阅人同意 consent of the subscriber",
                source="CreateSubscription",
                retain_until=business_date(tx.now) + _KEEP,
            )
        return SubscriptionRow(
            name=resource("subscriptions"),
            version=1,
            organization=given.organization,
            subscriber=call.cause.actor,
            event_types=sorted(set(given.event_types)),
            filter_body=given.filter.body,
            filter_kinds=list(given.filter.listing_kinds),
            filter_organization=given.filter.organization,
            channel=given.channel,
            language=given.language or pb.LANGUAGE_ZH,
            recipient=recipient,
            webhook_url=given.webhook_url if given.channel == pb.CHANNEL_WEBHOOK else "",
            active=True,
            recorded_at=tx.recorded_at,
            create_time=tx.now,
            update_time=tx.now,
        )


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a subscription or a delivery: its organization's."""
    if name.startswith("deliveries/"):
        delivery = await store.get_delivery(tx, name)
        name = delivery.subscription if delivery else ""
    row = await store.get_subscription(tx, name)
    return frozenset({row.organization}) if row else frozenset()


async def _found(tx: Tx, name: str) -> SubscriptionRow:
    row = await store.get_subscription(tx, name)
    if row is None:
        raise NotFound(name)
    return row


async def _save(tx: Tx, row: SubscriptionRow, verb: str) -> None:
    await store.save_subscription(tx, SubscriptionRow(**row.model_dump()))
    event = events_pb2.SubscriptionEvent(subscription=subscription_message(row))
    event.subscription.ClearField("webhook_url")  # an address; it stays here
    tx.emit(TOPIC, row.name, row.version, verb, event)
