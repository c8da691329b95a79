"""Feeds on the running platform: from the command line to the public list, killed on the way; and who is told of silence."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from alliance.listings.v1 import feed_pb2, listing_pb2
from alliance.listings.v1 import feed_service_pb2 as rpc
from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.notify.v1 import notify_service_pb2 as notify
from alliance.registry.v1 import organization_pb2
from alliance_local.caller import Caller
from alliance_local.clock import Clocks
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from tests import world
from tests.e2e.program import NOT_ALLOWED, REFUSED, Alliance
from tests.outside_system import Outside, serving
from tests.waiting import until
from tests.world import Member

_MAPPING = """
source: regional-jobs
key: id
fields:
  title: title
  visibility: {value: VISIBILITY_PUBLIC}
  job_position.skills: {column: skills, split: "，"}
"""
_HARMLESS = ("repeats", "reorders", "late", "small pages", "drops", "forges")


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with serving(Outside(1)) as made:
        yield made


async def _created(alliance: Alliance, platform: Platform, outside: Outside, *options: str) -> str:
    """The id of a feed that exchanges every second; the outside system is given its secret."""
    (platform.state.folder("mappings") / "regional.yaml").write_text(_MAPPING, encoding="utf-8")
    made = await to_thread(
        alliance.json, "feed", "create", world.unique("接口"), "--system", "regional", "--every", "1", *options
    )
    outside.secret = made["secret"]
    return str(made["name"].split("/")[1])


async def _until(look: Callable[[], bool]) -> None:
    async def found() -> bool:
        try:
            return await to_thread(look)
        except grpc.RpcError:  # not up yet
            return False

    await until(found)


def _titles(platform: Platform, **wanted: Any) -> dict[str, str]:
    """External key, or name where there is none, → title of what everybody sees."""
    request = listings.ListListingsRequest(page_size=1000, **wanted)
    found = Caller(platform).listings.ListListings(request).listings
    return {one.external_key or one.name: one.title for one in found}


async def test_what_an_outside_system_gives_is_published_also_where_the_service_is_killed(
    platform: Platform, alliance: Alliance, employer: Member, outside: Outside
) -> None:
    truth = {f"岗-{number}": f"封装工程师 {number}" for number in range(30)}
    for key, title in truth.items():
        outside.put(key, title=title, skills="封装，测试")
    outside.put("岗-x", title="")
    outside.mischief, outside.limited_to = 0.2, _HARMLESS
    feed = await _created(alliance, platform, outside, "--in", outside.url, "--kind", "job_position", "--mapping", "regional")
    await until(lambda: outside.asked >= 3)
    platform.kill("listings")
    await _until(lambda: _titles(platform, issuer=employer.name) == truth)
    outside.delete("岗-7")
    outside.put("岗-8", title="测试工程师")
    truth |= {"岗-8": "测试工程师"}
    del truth["岗-7"]
    await _until(lambda: _titles(platform, issuer=employer.name) == truth)

    (refused,) = await to_thread(alliance.json, "feed", "refusals", feed)
    assert (refused["external_key"], refused["problems"][0]["field"]) == ("岗-x", "title")
    shown = await to_thread(alliance.json, "feed", "show", feed)
    assert (shown["refusals"], "secret" in shown, shown["source"]) == (1, False, "regional-jobs")
    assert feed in await to_thread(alliance, "feed", "list", "--as", employer.name)
    again = ("feed", "create", "又一个", "--system", "regional", "--in", outside.url, "--kind", "job_position")
    assert "regional-jobs" in await to_thread(lambda: alliance(*again, "--mapping", "regional", code=REFUSED))
    await to_thread(alliance, "feed", "pause", feed, "--reason", "测试结束")
    await to_thread(lambda: alliance("feed", "run", feed, code=REFUSED))


async def test_what_is_public_reaches_the_outside_system_and_nothing_else(
    platform: Platform, alliance: Alliance, outside: Outside
) -> None:
    issuer = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    body = (await to_thread(world.alliance, platform)).name
    await to_thread(world.join, platform, body, issuer)
    first, second, hidden = [
        await to_thread(world.publish, issuer, world.job(issuer.name, f"工程师 {number}", (body,), visibility=visibility))
        for number, visibility in enumerate(
            (listing_pb2.VISIBILITY_PUBLIC, listing_pb2.VISIBILITY_PUBLIC, listing_pb2.VISIBILITY_MEMBERS)
        )
    ]
    outside.mischief, outside.limited_to = 0.3, ("fails", "drops after", "loses data")
    feed = await _created(alliance, platform, outside, "--out", outside.url, "--body", body)
    await until(lambda: set(outside.held) == {first.name, second.name})
    request = listings.WithdrawListingRequest(name=first.name, reason="已招满")
    await to_thread(issuer.caller.listings.WithdrawListing, request)
    platform.kill("listings")
    await until(lambda: "data" not in outside.held.get(first.name, {"data": 1}) and second.name in outside.held)
    assert hidden.name not in {one["key"] for one in outside.came}
    (title,) = (await to_thread(_titles, platform, body=body)).values()
    assert outside.held[second.name]["data"]["title"] == title
    assert outside.held[second.name]["data"]["job_position"]["skills"] == ["封装", "热仿真"]
    await to_thread(alliance, "feed", "pause", feed, "--reason", "测试结束")


async def test_the_organization_of_a_feed_is_told_that_it_is_silent_and_that_it_is_heard_again(
    platform: Platform, alliance: Alliance, employer: Member, outside: Outside
) -> None:
    await to_thread(world.subscribe, employer, "alliance.listings.feed.*.v1", channel=1)
    feed = await _created(alliance, platform, outside, "--out", "http://127.0.0.1:1/", "--expect", "1")

    def told() -> list[str]:
        request = notify.ListInboxMessagesRequest(organization=employer.name)
        return [one.title[:8] for one in employer.caller.notify.ListInboxMessages(request).messages]

    def failing() -> bool:
        return bool(employer.caller.feeds.GetFeed(rpc.GetFeedRequest(name=f"feeds/{feed}")).failures)

    await _until(failing)
    assert [one for one in await to_thread(told) if one.startswith("数据接口")] == []
    with Clocks(platform, SERVICES) as clocks:
        await to_thread(clocks.move, await to_thread(clocks.now) + timedelta(minutes=61))
    await _until(lambda: "数据接口无响应：" in told())
    await to_thread(alliance, "feed", "change", feed, "--url", outside.url)
    await _until(lambda: "数据接口已恢复：" in told())
    assert (await to_thread(told)).count("数据接口无响应：") == 1
    await to_thread(alliance, "feed", "pause", feed, "--reason", "测试结束")


async def test_a_feed_is_its_organizations_and_its_secret_is_shown_to_whoever_made_it(
    platform: Platform, alliance: Alliance, employer: Member
) -> None:
    given = feed_pb2.Feed(
        display_name="态势感知",
        direction=feed_pb2.FEED_DIRECTION_OUT,
        system=feed_pb2.OUTSIDE_SYSTEM_MIIT_SITUATION,
        issuer=employer.name,
        url="http://127.0.0.1:1/",
        interval=3600,
    )
    request = rpc.CreateFeedRequest(feed=given, request_id=str(uuid4()))
    made = await to_thread(employer.caller.feeds.CreateFeed, request)
    again = await to_thread(employer.caller.feeds.CreateFeed, request)
    assert made.secret.startswith("whsec_")
    assert (again.name, again.secret) == (made.name, made.secret)

    rotate = rpc.RotateFeedSecretRequest(name=made.name, reason="定期更换", request_id=str(uuid4()))
    rotated = await to_thread(employer.caller.feeds.RotateFeedSecret, rotate)
    assert rotated.secret.startswith("whsec_")
    assert rotated.secret != made.secret
    assert (await to_thread(employer.caller.feeds.RotateFeedSecret, rotate)).secret == rotated.secret
    shown = await to_thread(lambda: alliance("feed", "rotate", made.name, "--at-once", "--reason", "泄露"))
    assert "whsec_" in shown
    assert rotated.secret not in shown

    stranger = await to_thread(world.organization, platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    calls: list[tuple[Any, Any]] = [
        (stranger.caller.feeds.GetFeed, rpc.GetFeedRequest(name=made.name)),
        (stranger.caller.feeds.ListFeeds, rpc.ListFeedsRequest(issuer=employer.name)),
        (stranger.caller.feeds.ListFeeds, rpc.ListFeedsRequest()),
        (stranger.caller.feeds.CreateFeed, rpc.CreateFeedRequest(feed=given)),
        (stranger.caller.feeds.PauseFeed, rpc.PauseFeedRequest(name=made.name, reason="试")),
        (stranger.caller.feeds.RunFeed, rpc.RunFeedRequest(name=made.name, from_start=True)),
        (stranger.caller.feeds.RotateFeedSecret, rpc.RotateFeedSecretRequest(name=made.name, reason="试")),
        (stranger.caller.feeds.ListFeedRefusals, rpc.ListFeedRefusalsRequest(feed=made.name)),
        (Caller(platform).feeds.GetFeed, rpc.GetFeedRequest(name=made.name)),
    ]
    for method, asked in calls:
        with pytest.raises(grpc.RpcError) as refused:
            await to_thread(method, asked)
        assert refused.value.code() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)
    seen = await to_thread(world.operator(platform).feeds.ListFeeds, rpc.ListFeedsRequest(issuer=employer.name))
    assert [(one.name, one.secret) for one in seen.feeds] == [(made.name, "")]
    await to_thread(lambda: alliance("feed", "list", code=NOT_ALLOWED))
    await to_thread(alliance, "feed", "pause", made.name, "--reason", "测试结束")
