"""What is asked of a feed when it is made or changed: a body that there is, and an address that may be asked."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.listings.v1 import feed_pb2
from alliance.listings.v1 import feed_service_pb2 as service_pb2
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance_local.control import Platform
from chassis.errors import Invalid
from chassis.ids import resource
from chassis.targets import PRIVATE
from listings.feeds import rpc
from listings.feeds.mappings import Mappings
from tests import world
from tests.component.conftest import CAUSE
from tests.component.feeds.conftest import Bench
from tests.component.register.asking import refusal
from tests.outside_system import Outside
from tests.waiting import until


def _out(issuer: str, **more: Any) -> feed_pb2.Feed:
    return feed_pb2.Feed(
        **{
            "display_name": "态势感知",
            "direction": feed_pb2.FEED_DIRECTION_OUT,
            "system": feed_pb2.OUTSIDE_SYSTEM_MIIT_SITUATION,
            "issuer": issuer,
            "url": "https://feeds.example.org/",
            "interval": 3600,
            **more,
        }
    )


async def test_a_feed_is_for_a_body_that_there_is(platform: Platform) -> None:
    """One that was entered a moment ago is found, also where listings has not heard of it yet; none that is dissolved."""
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    feeds = member.caller.feeds
    for body in ("bodies/nope", resource("bodies")):
        refused = refusal(feeds.CreateFeed, service_pb2.CreateFeedRequest(feed=_out(member.name, body=body)))
        assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert all(part in world.said(refused) for part in ('"field": "body"', body, "成员库中没有组织", "try again"))
    body = world.alliance(platform).name
    made = feeds.CreateFeed(service_pb2.CreateFeedRequest(feed=_out(member.name, body=body)))
    assert made.body == body

    def update(body: str) -> Any:
        changed = feed_pb2.Feed(name=made.name, body=body)
        return feeds.UpdateFeed(service_pb2.UpdateFeedRequest(feed=changed, update_mask=FieldMask(paths=["body"])))

    assert '"field": "body"' in world.said(refusal(update, resource("bodies")))
    assert update("").body == ""
    dissolve = registry_service_pb2.DissolveBodyRequest(name=body, reason="不再筹建")
    world.operator(platform).registry.DissolveBody(dissolve)

    def is_refused() -> bool:
        with suppress(grpc.RpcError):
            update(body)
            update("")
            return False
        return True

    await until(is_refused)
    created = service_pb2.CreateFeedRequest(feed=_out(member.name, body=body))
    for refused in (refusal(update, body), refusal(feeds.CreateFeed, created)):
        assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert all(part in world.said(refused) for part in ('"field": "body"', body, "已解散"))
    feeds.PauseFeed(service_pb2.PauseFeedRequest(name=made.name, reason="测试结束"))


async def test_a_private_address_is_refused_at_once(bench: Bench, outside: Outside) -> None:
    """Before anything else is asked, when a feed is made and when it is changed."""
    made = await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT)
    feeds = rpc.Feeds(cast(Any, None), Mappings(bench.folder), allow_private=False)
    url = "https://10.1.2.3/jobs"
    changed = service_pb2.UpdateFeedRequest(feed=feed_pb2.Feed(name=made, url=url), update_mask=FieldMask(paths=["url"]))
    created = service_pb2.CreateFeedRequest(feed=_out(resource("organizations"), url=url))
    for method, request in ((feeds.CreateFeed, created), (feeds.UpdateFeed, changed)):
        async with bench.database.transaction(CAUSE) as tx:
            with pytest.raises(Invalid) as refused:
                await cast(Any, method)(cast(Any, SimpleNamespace(tx=tx)), request)
        assert [(one.field, one.zh, one.en) for one in refused.value.violations] == [("url", *PRIVATE)]
