"""Addresses of people beside the vault: whom a grant names, and a subscription whose address was erased."""

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.common.v1 import access_pb2
from alliance.notify.v1 import notify_pb2 as pb
from alliance.notify.v1 import notify_service_pb2 as rpc
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from tests import world
from tests.applying import refusal

_PUBLISHED = "alliance.listings.listing.published.v1"


def test_a_grant_names_no_phone_number_and_no_address(platform: Platform) -> None:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    for principal in ("13712340987", "someone@example.com"):
        scope = {"organization": member.name}
        told = refusal(world.grant, platform, principal, access_pb2.ROLE_ORGANIZATION_EDITOR, **scope)
        assert "INVALID_FIELDS" in told
        assert principal not in told
    assert world.grant(platform, world.unique("sub"), access_pb2.ROLE_ORGANIZATION_EDITOR, organization=member.name).name


def test_a_subscription_whose_address_was_erased_is_not_active(platform: Platform) -> None:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    gone, kept = f"{world.unique('gone')}@example.com", f"{world.unique('kept')}@example.com"
    made = {one: world.subscribe(member, _PUBLISHED, channel=pb.CHANNEL_EMAIL, email=one).name for one in (gone, kept)}
    inbox = world.subscribe(member, _PUBLISHED, channel=pb.CHANNEL_INBOX).name
    request = personal.ErasePersonalDataRequest(subject=gone, reason="本人要求")
    assert world.operator(platform).personal_data("notify").ErasePersonalData(request).erased == 1
    listed = member.caller.notify.ListSubscriptions(rpc.ListSubscriptionsRequest(organization=member.name)).subscriptions
    states = {one.name: one.state for one in listed}
    cancelled, active = pb.SUBSCRIPTION_STATE_CANCELLED, pb.SUBSCRIPTION_STATE_ACTIVE
    assert states == {made[gone]: cancelled, made[kept]: active, inbox: active}
    read = rpc.GetSubscriptionRequest(name=made[gone])
    assert member.caller.notify.GetSubscription(read).state == cancelled
    cancel = rpc.CancelSubscriptionRequest(name=made[gone], reason="已删除")
    assert member.caller.notify.CancelSubscription(cancel).state == cancelled
    for name in (made[kept], inbox):  # thousands of listings are published by tests that come later
        member.caller.notify.CancelSubscription(rpc.CancelSubscriptionRequest(name=name, reason="测试结束"))
