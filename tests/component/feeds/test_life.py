"""Feeds as they are paused, removed, given a new secret, silent and heard again."""

import asyncio
import base64
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from alliance.listings.v1 import feed_pb2
from alliance.listings.v1 import feed_service_pb2 as service_pb2
from chassis.crypto import secret
from chassis.errors import Invalid, Precondition
from chassis.ids import resource
from listings.domain.feeds import MAX_ACTIVE, OVERLAP_HOURS
from listings.feeds import rpc, store
from tests.component.conftest import CAUSE
from tests.component.feeds.conftest import Bench, published, told
from tests.outside_system import Outside
from tests.waiting import until


@pytest.mark.parametrize("at_once", [False, True])
async def test_while_a_secret_is_replaced_either_is_good_for_a_day(bench: Bench, outside: Outside, at_once: bool) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    old, new = outside.secret, f"whsec_{base64.b64encode(secret()).decode()}"
    async with bench.database.transaction(CAUSE) as tx:
        await store.rotate(tx, feed, new, None if at_once else tx.recorded_at + timedelta(hours=OVERLAP_HOURS))
    heard = []
    for hours, used in ((1, old), (22, new), (0.9, old), (0.2, old), (1, new)):
        outside.secret = used
        await bench.pass_by(hours=hours)
        heard.append((await bench.row(feed)).failures == 0)
    assert heard == ([False, True, False, False, True] if at_once else [True, True, True, False, True])


async def test_what_an_exchange_brings_after_its_feed_was_paused_counts_for_nothing(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.slow = asyncio.Event()
    exchange = asyncio.create_task(bench.exchanging.once())
    await until(lambda: outside.asked)
    async with bench.database.transaction(CAUSE) as tx:
        row = await store.get(tx, feed, lock=True)
        assert row
        row.claim, row.state = None, feed_pb2.FEED_STATE_PAUSED
        await store.save(tx, row)
    outside.slow.set()
    await exchange
    row = await bench.row(feed)
    assert (row.cursor, row.last_heard_at, await published(bench.probe, feed)) == ("", None, {})
    await bench.pass_by(days=1)
    assert outside.asked == 1, "and nothing more is asked for"


async def test_a_removed_feed_asks_for_nothing_keeps_its_history_and_leaves_its_source_to_another(
    bench: Bench, outside: Outside
) -> None:
    issuer = resource("organizations")
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN, issuer=issuer)
    outside.put("a", title="封装工程师")
    await bench.exchanging.once()
    assert (await bench.row(feed)).cursor
    feeds = rpc.Feeds(cast(Any, None), cast(Any, None), allow_private=True)

    async def call(method: str, request: Any) -> Any:
        async with bench.database.transaction(CAUSE) as tx:
            return await getattr(feeds, method)(cast(Any, SimpleNamespace(tx=tx)), request)

    with pytest.raises(Invalid):
        await call("RemoveFeed", service_pb2.RemoveFeedRequest(name=feed))
    remove = service_pb2.RemoveFeedRequest(name=feed, reason="系统停用")
    assert (await call("RemoveFeed", remove)).state == feed_pb2.FEED_STATE_REMOVED
    asked = outside.asked
    await bench.pass_by(days=1)
    assert outside.asked == asked
    assert list((await published(bench.probe, feed)).values()) == ["封装工程师"], "what came in stays"
    assert not await bench.probe.rows("SELECT 1 FROM feed_secret WHERE feed = $1", feed)
    row = await bench.row(feed)
    assert (row.cursor, row.lap_mark) == ("", ""), "nor is kept where the other end was"
    assert (await told(bench, feed))[-1] == "removed"
    assert (await call("GetFeed", service_pb2.GetFeedRequest(name=feed))).last_heard_time.seconds
    for shown, names in ((False, []), (True, [feed])):
        listed = await call("ListFeeds", service_pb2.ListFeedsRequest(issuer=issuer, show_removed=shown))
        assert [one.name for one in listed.feeds] == names
    for method, request in (
        ("RemoveFeed", remove),
        ("PauseFeed", service_pb2.PauseFeedRequest(name=feed, reason="暂停")),
        ("ResumeFeed", service_pb2.ResumeFeedRequest(name=feed)),
        ("RotateFeedSecret", service_pb2.RotateFeedSecretRequest(name=feed, reason="更换")),
    ):
        with pytest.raises(Precondition, match="FEED_REMOVED"):
            await call(method, request)
    again = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN, issuer=issuer)
    await bench.exchanging.once()
    assert (await bench.row(again)).failures == 0


async def test_one_works_on_a_feed_at_a_time(bench: Bench, outside: Outside) -> None:
    await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    claimed = await asyncio.gather(*(bench.exchanging.once() for _ in range(4)))
    assert (sum(claimed), outside.asked) == (1, 1)


async def test_an_organization_has_no_more_active_feeds_than_others_leave_room_for(bench: Bench, outside: Outside) -> None:
    issuer = resource("organizations")
    for _ in range(MAX_ACTIVE):
        async with bench.database.transaction(CAUSE) as tx:
            await rpc._refuse_too_many(tx, issuer)
        await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT, issuer=issuer)
    async with bench.database.transaction(CAUSE) as tx:
        with pytest.raises(Precondition, match="TOO_MANY_FEEDS"):
            await rpc._refuse_too_many(tx, issuer)
        await rpc._refuse_too_many(tx, resource("organizations"))


@pytest.mark.parametrize("direction", [feed_pb2.FEED_DIRECTION_IN, feed_pb2.FEED_DIRECTION_OUT])
async def test_a_feed_that_stops_is_told_of_once_and_again_when_it_is_heard(
    bench: Bench, outside: Outside, direction: int
) -> None:
    bench.clock.at = bench.clock.at.replace(hour=1, minute=0)  # 9:00 in Shanghai: the day does not end meanwhile
    feed = await bench.feed(outside, direction)
    await bench.until_done()
    heard = (await bench.row(feed)).last_heard_at
    outside.mischief, outside.limited_to = 1.0, ("fails",)
    for minutes in (60, 299):
        await bench.pass_by(minutes=minutes)
    assert await told(bench, feed) == []
    await bench.pass_by(minutes=1)
    await bench.pass_by(minutes=20)
    row = await bench.row(feed)
    assert (await told(bench, feed), row.silent, row.quiet_from, row.failures) == (["silent"], True, heard, 4)
    assert "503" in row.error_zh or "HTTP" in row.error_zh
    outside.mischief = 0.0
    await bench.pass_by(minutes=20)
    row = await bench.row(feed)
    assert (await told(bench, feed), row.silent, row.failures, row.error_zh) == (["silent", "heard"], False, 0, "")


_NEVER = 10**6
_RECORDS = {"expected_every": 720, "silence": feed_pb2.FEED_SILENCE_RECORD}


@pytest.mark.parametrize(
    ("last", "minutes", "more"),
    [
        ("20:00", 220, {}),
        ("20:00", 220, {"expected_every": 24}),
        ("20:00", _NEVER, {"expected_every": 25}),
        ("20:00", 220, _RECORDS),
        ("22:41", 60, {}),
        ("23:30", 60, {}),
        ("00:00", 360, {}),
    ],
)
async def test_a_feed_that_stops_in_the_evening_is_told_of_the_same_day(
    bench: Bench, outside: Outside, last: str, minutes: int, more: dict[str, Any]
) -> None:
    """Its last good answer comes at a time of Shanghai; so many minutes later it is told of, at 23:40 or an hour after it."""
    hour, minute = map(int, last.split(":"))
    bench.clock.at = bench.clock.at.replace(hour=(hour - 8) % 24, minute=minute, second=0, microsecond=0)
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN, **more)
    outside.put("a", title="封装工程师")
    while await bench.exchanging.once():
        pass
    outside.mischief, outside.limited_to = 1.0, ("fails",)
    await bench.pass_by(minutes=(230 if minutes == _NEVER else minutes) - 1)
    assert await told(bench, feed) == []
    await bench.pass_by(minutes=1)
    assert await told(bench, feed) == ([] if minutes == _NEVER else ["silent"])
    assert (await bench.row(feed)).failures == 2


async def test_one_that_answers_is_not_told_of_at_the_days_end(bench: Bench, outside: Outside) -> None:
    """Nothing new since noon is no silence; nor is a failure or two around midnight."""
    bench.clock.at = bench.clock.at.replace(hour=4, minute=0)
    feed = await bench.feed(
        outside, feed_pb2.FEED_DIRECTION_IN, silence=feed_pb2.FEED_SILENCE_RECORD, expected_every=24, interval=300
    )
    outside.put("a", title="封装工程师")
    for _ in range(12 * 4):
        await bench.pass_by(minutes=15)
    outside.mischief, outside.limited_to = 1.0, ("fails",)
    await bench.pass_by(minutes=15)
    await bench.pass_by(minutes=15)
    assert (await bench.row(feed)).failures == 2
    assert await told(bench, feed) == []


async def test_a_platform_that_was_away_makes_no_feed_silent(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    await bench.until_done()
    bench.clock.at += timedelta(days=3)
    bench.business.offset = timedelta(days=90)
    await bench.until_done()
    assert await told(bench, feed) == []


async def test_where_records_are_expected_answers_alone_are_silence(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN, silence=feed_pb2.FEED_SILENCE_RECORD, expected_every=24)
    outside.put("a", title="封装工程师")
    await bench.until_done()
    record = (await bench.row(feed)).last_record_at
    outside.changes.append(outside.changes[0])  # what was there before is nothing new
    await bench.pass_by(hours=23)
    assert await told(bench, feed) == []
    await bench.pass_by(hours=1)
    row = await bench.row(feed)
    assert (await told(bench, feed), row.failures, row.last_record_at, row.quiet_from) == (["silent"], 0, record, record)
    outside.put("b", title="测试工程师")
    await bench.pass_by(minutes=20)
    assert await told(bench, feed) == ["silent", "heard"]
