"""Feeds on a database of their own, exchange by exchange, with outside systems that misbehave by their seeds."""

import asyncio
import base64
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, cast

import pytest

from alliance.listings.v1 import feed_pb2
from alliance.listings.v1 import listing_pb2 as pb
from chassis import outgoing
from chassis.clock import SystemClock
from chassis.crypto import secret
from chassis.database import Tx
from chassis.ids import resource
from listings import changes
from listings import store as listing_store
from listings.domain.names import State
from listings.feeds import giving
from listings.feeds import store as feeds_store
from listings.feeds.giving import START
from listings.feeds.http import HttpPeer
from listings.feeds.port import ExchangeError
from listings.feeds.store import FeedRow
from listings.mapping import content_hash, message_of, written
from tests.component.conftest import CAUSE
from tests.component.feeds.conftest import Bench, history, published
from tests.outside_system import GIVING, TAKING, Outside, serving

SEEDS = range(20)


def _happen(outside: Outside, gone: set[str]) -> None:
    """Something happens in the outside system: a record that is new, different, wrong, or gone for good."""
    key = f"键{outside.random.randrange(12)}"
    if key in gone:
        return
    chance = outside.random.random()
    if chance < 0.12:
        gone.add(key)
        outside.delete(key)
    elif chance < 0.2:
        outside.put(key, title="", headcount=1)  # refused: a title has two characters at least
    else:
        outside.put(key, title=f"岗位 {len(outside.changes)}", headcount=outside.random.randint(1, 9), skills="封装，测试")


def _truth(outside: Outside) -> dict[str, str]:
    """External key → title of what the platform has to publish: the newest version that is not refused."""
    found: dict[str, str] = {}
    for one in outside.changes:
        if one.get("deleted"):
            found.pop(one["key"], None)
        elif one["data"]["title"]:
            found[one["key"]] = one["data"]["title"]
    return found


async def test_what_comes_in_is_the_outside_systems_truth_whatever_it_does(bench: Bench) -> None:
    """Whatever its seed has it do, and wherever the platform is stopped in the middle of it; nothing is doubled on the way."""
    done: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        outsides = [await stack.enter_async_context(serving(Outside(seed, mischief=0.6))) for seed in SEEDS]
        feeds = [await bench.feed(one, feed_pb2.FEED_DIRECTION_IN) for one in outsides]
        gone: list[set[str]] = [set() for _ in outsides]
        for _ in range(7):
            for outside, dead in zip(outsides, gone, strict=True):
                for _ in range(outside.random.randint(0, 5)):
                    _happen(outside, dead)
            for _ in range(3):  # eight at a time
                with suppress(TimeoutError):
                    async with asyncio.timeout(outsides[0].random.choice((None, None, None, 0.03, 0.06))):
                        await bench.pass_by(minutes=20)
        for outside in outsides:
            outside.mischief = 0
        await bench.until_done()
        for outside, feed in zip(outsides, feeds, strict=True):
            assert await published(bench.probe, feed) == _truth(outside), outside.done
            for key, events in (await history(bench.probe, feed)).items():
                assert [verb for verb, _ in events].count("created") == 1, key
                said = [hashed for verb, hashed in events if verb in ("created", "revised")]
                assert all(one != other for one, other in itertools.pairwise(said)), (key, outside.done)
            done.update(outside.done)
    assert set(done) == set(GIVING)


class Market:
    """Listings that come, change and end."""

    def __init__(self, bench: Bench, bodies: Sequence[str], seed: int) -> None:
        self._database = bench.database
        self._bodies = bodies
        self._random = random.Random(seed)
        self._names: list[str] = []

    async def publish(self, tx: Tx) -> None:
        """A listing is published."""
        content = self._content(pb.Listing(issuer=resource("organizations"), kind=cast(Any, self._random.choice((5, 27)))))
        (row,) = await changes.save(tx, [changes.created(content, content_hash(content))])
        await changes.save(tx, [changes.taken(row, "publish", "published")])
        tx.on_commit(lambda: self._names.append(row.name))

    async def happen(self, tx: Tx) -> None:
        """Something is published, revised, shown to others than before, or withdrawn."""
        chance = self._random.random()
        if chance < 0.5 or not self._names:
            await self.publish(tx)
            return
        row = await listing_store.get(tx, self._random.choice(self._names), lock=True)
        assert row
        if row.state != State.PUBLISHED:
            return
        if chance < 0.85:
            content = self._content(written(message_of(row)))
            await changes.save(
                tx, [changes.Change(row, content, State.PUBLISHED, "revised", content_hash(content), ["title"])]
            )
        else:
            await changes.save(tx, [changes.taken(row, "withdraw", "withdrawn")])

    def _content(self, content: pb.Listing) -> pb.Listing:
        content.title = f"岗位 {self._random.randrange(10**6)}"
        content.visibility = self._random.choice((pb.VISIBILITY_PUBLIC, pb.VISIBILITY_PUBLIC, pb.VISIBILITY_MEMBERS))
        content.ClearField("bodies")
        content.bodies.extend(self._random.sample(self._bodies, k=1))
        return content


async def _public(bench: Bench, feed: FeedRow) -> dict[str, int]:
    """Name → version of what the other end of a feed has to hold."""
    query = """SELECT name, version FROM listing WHERE state = 2 AND visibility = 1
               AND ($1 = '' OR $1 = ANY(bodies)) AND ($2 = 0 OR kind = $2)"""
    return {row["name"]: row["version"] for row in await bench.probe.rows(query, feed.body, feed.kind)}


async def test_what_goes_out_is_what_is_public_whatever_the_other_end_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its data is lost, and where a listing is committed late; and nothing else was ever sent."""
    monkeypatch.setattr(giving, "LIMIT", 4)
    bodies = [resource("bodies") for _ in range(2)]
    market = Market(bench, bodies, 1)
    narrow: list[dict[str, Any]] = [{}, {"body": bodies[0]}, {"kind": 27}, {"body": bodies[1], "kind": 5}]
    done: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        outsides = [await stack.enter_async_context(serving(Outside(seed, mischief=0.6))) for seed in SEEDS]
        feeds = [await bench.feed(one, feed_pb2.FEED_DIRECTION_OUT, **narrow[n % 4]) for n, one in enumerate(outsides)]
        for _ in range(7):
            async with bench.database.transaction(CAUSE) as late:
                await market.publish(late)  # committed only when the others have been sent
                for _ in range(3):
                    async with bench.database.transaction(CAUSE) as tx:
                        await market.happen(tx)
                    await bench.pass_by(minutes=20)
        for outside in outsides:
            outside.mischief = 0
        await bench.until_done()
        await bench.until_done()  # one more for who says only now that its data was lost
        for outside, name in zip(outsides, feeds, strict=True):
            row = await bench.row(name)
            assert {key: one["version"] for key, one in outside.held.items() if "data" in one} == await _public(bench, row)
            sent = [one["data"] for one in outside.came if "data" in one]
            assert {(one["visibility"], one["state"]) for one in sent} <= {("VISIBILITY_PUBLIC", "LISTING_STATE_PUBLISHED")}
            assert all(row.body in ("", *one["bodies"]) for one in sent)
            done.update(outside.done)
    assert set(done) == set(TAKING)


async def test_a_listing_that_ends_while_it_is_on_its_way_is_taken_back(bench: Bench, outside: Outside) -> None:
    """The other end took it, its answer was lost, and it is no longer public when it is to be sent again."""
    await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT)
    async with bench.database.transaction(CAUSE) as tx:
        content = pb.Listing(
            issuer="organizations/a", kind=pb.LISTING_KIND_CASE, title="案例", visibility=pb.VISIBILITY_PUBLIC
        )
        (row,) = await changes.save(tx, [changes.created(content, content_hash(content))])
        (row,) = await changes.save(tx, [changes.taken(row, "publish", "published")])
    outside.mischief, outside.limited_to = 1.0, ("drops after",)
    await bench.pass_by(minutes=20)
    assert "data" in outside.held[row.name]
    async with bench.database.transaction(CAUSE) as tx:
        await changes.save(tx, [changes.taken(row, "withdraw", "withdrawn")])
    outside.mischief = 0.0
    await bench.until_done()
    assert outside.held[row.name]["deleted"]


async def test_what_is_shown_to_all_again_comes_back_under_its_key(bench: Bench, outside: Outside) -> None:
    """Out, a key that was deleted comes again with a higher version; or with the same, where the feed alone was changed."""
    body = resource("bodies")
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT)
    content = pb.Listing(
        issuer=resource("organizations"), kind=pb.LISTING_KIND_JOB_POSITION, title="封装工程师", bodies=[body]
    )
    content.visibility = pb.VISIBILITY_PUBLIC
    async with bench.database.transaction(CAUSE) as tx:
        (row,) = await changes.save(tx, [changes.created(content, content_hash(content))])
        await changes.save(tx, [changes.taken(row, "publish", "published")])
    await bench.until_done()
    for visibility in (pb.VISIBILITY_MEMBERS, pb.VISIBILITY_PUBLIC):
        async with bench.database.transaction(CAUSE) as tx:
            known = await listing_store.get(tx, row.name, lock=True)
            assert known
            content.visibility = visibility
            change = changes.Change(known, content, State.PUBLISHED, "revised", content_hash(content), ["visibility"])
            await changes.save(tx, [change])
        await bench.until_done()
    for narrowed in (resource("bodies"), ""):
        async with bench.database.transaction(CAUSE) as tx:
            given = await feeds_store.get(tx, feed, lock=True)
            assert given
            given.body = narrowed
            await feeds_store.save(tx, given)
        await bench.until_done()
    assert [(one["key"], one["version"], "data" in one) for one in outside.came] == [
        (row.name, version, shown) for version, shown in ((2, True), (3, False), (4, True), (4, False), (4, True))
    ]
    assert "data" in outside.held[row.name]


async def test_from_the_start_the_other_end_drops_what_does_not_come_again(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT)
    outside.held["listings/of a time that was put back"] = {"key": "x", "version": 1, "data": {}}
    outside.cursor = 7
    await bench.start_over(feed, before=START)
    await bench.until_done()
    assert (outside.held, str(outside.cursor)) == ({}, (await bench.row(feed)).cursor)


async def test_who_is_put_back_to_before_a_full_read_gets_all_again(bench: Bench, outside: Outside) -> None:
    """By the numbers of batches alone; those of a full read are none that it kept then, however many those were."""
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT)
    for _ in range(5):
        await bench.pass_by(minutes=20)
    kept = outside.cursor
    async with bench.database.transaction(CAUSE) as tx:
        await Market(bench, [resource("bodies")], 0).publish(tx)
    await bench.until_done()
    await bench.start_over(feed, before=START)
    await bench.until_done()
    held = dict(outside.held)
    outside.cursor, outside.held = kept, {}
    await bench.until_done()
    await bench.until_done()
    assert (outside.held, len(held)) == (held, 1)


async def test_a_private_address_is_refused_on_the_connection(outside: Outside) -> None:
    guarded = outgoing.client(allow_private=False, at_once=1, timeout=5)
    peer = HttpPeer(guarded, SystemClock(), outside.url, [f"whsec_{base64.b64encode(secret()).decode()}"], 5)
    with pytest.raises(ExchangeError, match="private network"):
        await peer.page("", 1)
    assert outside.asked == 0
