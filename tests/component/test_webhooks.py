"""Deliveries of the running notify service to a receiver that fails; and where a webhook may go at all."""

import asyncio
import json
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import grpc
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.notify.v1 import notify_pb2
from alliance.notify.v1 import notify_service_pb2 as rpc
from alliance.registry.v1 import organization_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance_local.control import Platform
from notify.channels import Hook, SendError, Webhooks
from notify.settings import NotifySettings
from tests import world
from tests.listening import listening
from tests.world import Member, until

_PUBLISHED = "alliance.listings.listing.published.v1"
_SECRET = "whsec_" + "A" * 32


HANGS = 0  # instead of an answer


class Receiver:
    """Takes webhooks and answers as it is told, with 204 in the end."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.came: list[dict[str, Any]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        """Note a webhook."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.came.append({"path": request.path, "headers": headers, "body": await request.text()})
        code = self.answers.pop(0) if self.answers else 204
        if code == HANGS:
            await asyncio.sleep(60)
        return web.Response(status=code, headers={"location": f"{self.url}/elsewhere"} if code == 302 else {})


@asynccontextmanager
async def _receiver(*answers: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(answers))
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    async with listening(app) as receiver.url:
        yield receiver


@pytest.fixture
async def watcher(platform: Platform) -> AsyncIterator[Member]:
    """A university whose subscriptions end with the test."""
    member = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    yield member
    await to_thread(_cancel_all, member)


def _cancel_all(member: Member) -> None:
    notify = member.caller.notify
    for one in notify.ListSubscriptions(rpc.ListSubscriptionsRequest(organization=member.name)).subscriptions:
        notify.CancelSubscription(rpc.CancelSubscriptionRequest(name=one.name, reason="测试结束"))


def _published(platform: Platform, body: str = "", member: Member | None = None) -> str:
    member = member or world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    visibility = listing_pb2.VISIBILITY_MEMBERS if body else listing_pb2.VISIBILITY_PUBLIC
    return world.publish(member, world.job(member.name, "封装工程师", (body,) if body else (), visibility=visibility)).name


def _delivery(watcher: Member, subscription: str, subject: str, state: int) -> notify_pb2.Delivery:
    request = rpc.ListDeliveriesRequest(subscription=subscription)

    def found() -> notify_pb2.Delivery | None:
        deliveries = watcher.caller.notify.ListDeliveries(request).deliveries
        return next((one for one in deliveries if one.subject == subject and one.state == state), None)

    return until(found)


def _subscribed(watcher: Member, url: str) -> notify_pb2.Subscription:
    return world.subscribe(watcher, _PUBLISHED, channel=notify_pb2.CHANNEL_WEBHOOK, webhook_url=url)


async def test_a_failed_attempt_is_made_again_with_the_same_id(platform: Platform, watcher: Member) -> None:
    async with _receiver(500, 302) as receiver:
        subscription = await to_thread(_subscribed, watcher, receiver.url + "/hook")
        subject = await to_thread(_published, platform)
        delivery = await to_thread(_delivery, watcher, subscription.name, subject, notify_pb2.DELIVERY_STATE_DELIVERED)
    came = [one for one in receiver.came if json.loads(one["body"])["data"]["subject"] == subject]
    assert [one["path"] for one in came] == ["/hook"] * 3, "redirects are not followed"
    assert len({one["headers"]["webhook-id"] for one in came}) == 1
    assert [one.outcome for one in delivery.attempts] == ["HTTP 500", "HTTP 302", "delivered"]
    for one in came:
        Webhook(subscription.webhook_secret).verify(one["body"], one["headers"])


async def test_a_delivery_fails_in_the_end_and_can_be_sent_again(platform: Platform, watcher: Member) -> None:
    async with _receiver(*[503] * 4) as receiver:
        subscription = await to_thread(_subscribed, watcher, receiver.url)
        subject = await to_thread(_published, platform)
        failed = await to_thread(_delivery, watcher, subscription.name, subject, notify_pb2.DELIVERY_STATE_FAILED)
        resend = rpc.ResendDeliveryRequest(name=failed.name, reason="接收方已恢复")
        await to_thread(watcher.caller.notify.ResendDelivery, resend)
        again = await to_thread(_delivery, watcher, subscription.name, subject, notify_pb2.DELIVERY_STATE_DELIVERED)
    assert len(failed.attempts) == 4
    assert [one.outcome for one in again.attempts] == ["HTTP 503"] * 4 + ["delivered"]
    assert again.name == failed.name


async def test_who_acts_for_the_organization_no_more_is_told_nothing_more(platform: Platform, watcher: Member) -> None:
    async with _receiver() as receiver:
        subscription = await to_thread(_subscribed, watcher, receiver.url)
        first = await to_thread(_published, platform)
        await to_thread(_delivery, watcher, subscription.name, first, notify_pb2.DELIVERY_STATE_DELIVERED)
        await to_thread(_revoke, platform, watcher)
        await to_thread(world.settle, platform)
        second = await to_thread(_published, platform)
        other = Member(watcher.name, world.operator(platform))
        await to_thread(_delivery, other, subscription.name, second, notify_pb2.DELIVERY_STATE_DROPPED)
        assert not any(second in one["body"] for one in receiver.came)
        await to_thread(
            world.grant, platform, watcher.caller.sub, access_pb2.ROLE_ORGANIZATION_ADMIN, organization=watcher.name
        )
        await to_thread(world.settle, platform)
        third = await to_thread(_published, platform)
        await to_thread(_delivery, other, subscription.name, third, notify_pb2.DELIVERY_STATE_DELIVERED)


def _revoke(platform: Platform, member: Member) -> None:
    operator = world.operator(platform).registry
    for grant in operator.ListGrants(registry.ListGrantsRequest(organization=member.name)).grants:
        operator.RevokeGrant(registry.RevokeGrantRequest(name=grant.name, reason="离职"))


@pytest.mark.parametrize("what", ["the membership ends", "the listing is for others", "the listing ends"])
async def test_who_may_no_longer_know_is_no_longer_told(platform: Platform, watcher: Member, what: str) -> None:
    """The right to see is judged again at each attempt, by what is so between two of them."""
    body = (await to_thread(world.alliance, platform)).name
    issuer = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    await to_thread(world.join, platform, body, issuer)
    membership = await to_thread(world.join, platform, body, watcher, since="2026-01-01")
    await to_thread(world.settle, platform)
    async with _receiver(*[503] * 3) as receiver:
        subscription = await to_thread(_subscribed, watcher, receiver.url)
        subject = await to_thread(_published, platform, body, issuer)
        await _until_it_came(receiver, subject)
        if what == "the membership ends":
            end = registry.EndMembershipRequest(name=membership.name, valid_to="2026-01-02", reason="退出")
            await to_thread(world.operator(platform).registry.EndMembership, end)
        elif what == "the listing ends":
            withdraw = listings_service_pb2.WithdrawListingRequest(name=subject, reason="不再招聘")
            await to_thread(issuer.caller.listings.WithdrawListing, withdraw)
        else:
            hidden = listing_pb2.Listing(name=subject, visibility=listing_pb2.VISIBILITY_GOVERNMENT)
            update = listings_service_pb2.UpdateListingRequest(listing=hidden, reason="仅供政府")
            update.update_mask.paths.append("visibility")
            await to_thread(issuer.caller.listings.UpdateListing, update)
        dropped = await to_thread(_delivery, watcher, subscription.name, subject, notify_pb2.DELIVERY_STATE_DROPPED)
    assert [one.outcome for one in dropped.attempts] == ["HTTP 503"] * len(dropped.attempts)


async def test_an_attempt_that_a_crash_cut_off_is_made_again(platform: Platform, watcher: Member) -> None:
    async with _receiver() as receiver:
        subscription = await to_thread(_subscribed, watcher, receiver.url)
        await to_thread(world.settle, platform)
        receiver.answers = [HANGS]
        subject = await to_thread(_published, platform)
        await _until_it_came(receiver, subject)
        platform.kill("notify")
        again = await to_thread(_delivery_after_restart, watcher, subscription.name, subject)
    assert [one.outcome for one in again.attempts] == ["sending", "delivered"]
    assert len({one["headers"]["webhook-id"] for one in receiver.came}) == 1


async def test_receivers_that_answer_slowly_keep_nobody_elses_waiting(platform: Platform, watcher: Member) -> None:
    other = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    issuer = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    hooks, listings = 4, 6
    async with _receiver(*[HANGS] * 200) as slow, _receiver() as quick:
        for number in range(hooks):
            await to_thread(_subscribed, watcher, f"{slow.url}/{number}")
        await to_thread(_subscribed, other, quick.url)
        subjects = [await to_thread(_published, platform, "", issuer) for _ in range(listings)]
        await _until_it_came(quick, subjects[-1])
        assert len(slow.came) < hooks * listings, "the others' would all have had their turn before"
        await to_thread(_cancel_all, watcher)
    await to_thread(_cancel_all, other)


def _delivery_after_restart(watcher: Member, subscription: str, subject: str) -> notify_pb2.Delivery:
    def found() -> notify_pb2.Delivery | None:
        try:
            return _delivery(watcher, subscription, subject, notify_pb2.DELIVERY_STATE_DELIVERED)
        except grpc.RpcError:  # not up yet
            return None

    return until(found, 40)


async def _until_it_came(receiver: Receiver, subject: str) -> None:
    await to_thread(until, lambda: [one for one in receiver.came if json.loads(one["body"])["data"]["subject"] == subject])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0"])
async def test_private_targets_are_refused_before_anything_is_sent(host: str) -> None:
    webhooks = Webhooks(NotifySettings.model_construct(allow_private_targets=False, delivery_timeout=2.0), 1)
    async with _receiver() as receiver:
        hook = Hook("1", receiver.url.replace("127.0.0.1", host), _SECRET, {}, "")
        with pytest.raises(SendError, match="private target refused"):
            await webhooks.send(hook, datetime.now(UTC))
    await webhooks.close()
    assert receiver.came == []


@pytest.mark.parametrize(("network", "reached"), [("127.0.0.0/8", True), ("10.0.0.0/8", False)])
async def test_a_private_network_that_the_operator_names_is_reached(network: str, reached: bool) -> None:
    webhooks = Webhooks(NotifySettings.model_construct(private_networks=(ip_network(network),), delivery_timeout=2.0), 1)
    async with _receiver() as receiver:
        with nullcontext() if reached else pytest.raises(SendError, match="private target refused"):
            await webhooks.send(Hook("1", receiver.url, _SECRET, {}, ""), datetime.now(UTC))
    await webhooks.close()
    assert len(receiver.came) == reached


@pytest.mark.parametrize("url", ["http://" + "a" * 64 + ".example/", "http://[::1/", "http://\u0000/", "https:///"])
async def test_a_target_that_makes_no_sense_fails_as_an_attempt(url: str) -> None:
    webhooks = Webhooks(NotifySettings.model_construct(allow_private_targets=False, delivery_timeout=2.0), 1)
    with pytest.raises(SendError):
        await webhooks.send(Hook("1", url, _SECRET, {}, ""), datetime.now(UTC))
    await webhooks.close()
