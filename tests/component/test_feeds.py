"""Feeds on a database of their own, exchange by exchange, with outside systems that misbehave by their seeds."""

import asyncio
import base64
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from access.register import Owner
from alliance.listings.v1 import events_pb2, feed_pb2
from alliance.listings.v1 import feed_service_pb2 as service_pb2
from alliance.listings.v1 import listing_pb2 as pb
from chassis import outgoing
from chassis.clock import BusinessClock, SystemClock
from chassis.crypto import secret
from chassis.database import Database, Tx
from chassis.errors import Invalid, Precondition
from chassis.ids import resource
from listings import changes
from listings import store as listing_store
from listings.domain.feeds import MAX_ACTIVE, OVERLAP_HOURS
from listings.domain.names import State
from listings.feeds import giving, rpc, store
from listings.feeds.exchanging import Exchanging
from listings.feeds.giving import START, Giving
from listings.feeds.http import HttpPeer
from listings.feeds.mappings import Mappings
from listings.feeds.port import ExchangeError
from listings.feeds.store import FeedRow
from listings.feeds.taking import Taking
from listings.mapping import content_hash, message_of, written
from listings.standing import Standing
from tests.component.conftest import CAUSE, Probe
from tests.outside_system import GIVING, TAKING, Outside, serving
from tests.waiting import until

SEEDS = range(20)
_TIMEOUT = 0.3  # seconds that an exchange may take
_PATIENCE = 60.0
_MANY = 500  # exchanges, one after the other
_MAPPING = """
source: outside
key: id
fields:
  title: title
  visibility: {value: VISIBILITY_PUBLIC}
  quantity: {column: headcount, number: true}
  job_position.skills: {column: skills, split: "，"}
"""


class Hands:
    """A system clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        """What it shows."""
        return self.at


class Bench:
    """The exchanging of one database, step by step."""

    def __init__(self, probe: Probe, folder: Path) -> None:
        self.probe = probe
        self.folder = folder
        self.clock = Hands()
        self.business = BusinessClock(self.clock)
        self.database = Database(probe.url, system=self.clock, business=self.business)
        self.timeout = _TIMEOUT
        self._client = outgoing.client(allow_private=True, at_once=50, timeout=_PATIENCE)
        taking = Taking(self.database, Standing(Owner(grpc.aio.insecure_channel("127.0.0.1:1"))), Mappings(folder))
        self.exchanging = Exchanging(self.database, taking, Giving(self.database), self._peer, _TIMEOUT)

    def _peer(self, url: str, signed_by: Sequence[str]) -> HttpPeer:
        return HttpPeer(self._client, SystemClock(), url, signed_by, self.timeout)

    async def feed(self, outside: Outside, direction: int, **more: Any) -> str:
        """A feed of an outside system."""
        outside.secret = f"whsec_{base64.b64encode(secret()).decode()}"
        is_in = direction == feed_pb2.FEED_DIRECTION_IN
        given = {
            "version": 1,
            "display_name": "测试接口",
            "direction": direction,
            "system": feed_pb2.OUTSIDE_SYSTEM_OTHER,
            "issuer": resource("organizations"),
            "url": outside.url,
            "source": "outside" if is_in else "",
            "kind": pb.LISTING_KIND_JOB_POSITION if is_in else 0,
            "mapping": "outside" if is_in else "",
            "publish": is_in,
            "body": "",
            "interval": 60,
            "expected_every": 6,
            "silence": feed_pb2.FEED_SILENCE_ANSWER,
            "state": feed_pb2.FEED_STATE_ACTIVE,
            "cursor": "" if is_in else START,
            **dict.fromkeys(("last_heard_at", "last_record_at", "claim")),
            "silent": False,
            "failures": 0,
            "error_zh": "",
            "error_en": "",
        }
        async with self.database.transaction(CAUSE) as tx:
            times = {"quiet_from": tx.now, "next_run_at": tx.recorded_at, "create_time": tx.now, "update_time": tx.now}
            row = FeedRow(**{"name": resource("feeds"), **given, **times, **more})
            await store.add(tx, row, outside.secret)
        return row.name

    async def pass_by(self, **time: float) -> None:
        """Let time pass, and have what is due then made, once."""
        self.clock.at += timedelta(**time)
        await self.exchanging.once()

    async def row(self, feed: str) -> FeedRow:
        """A feed as it is now."""
        async with self.database.transaction(CAUSE, read_only=True) as tx:
            found = await store.get(tx, feed)
        assert found
        return found

    async def start_over(self, feed: str, before: str) -> None:
        """What RunFeed does, from the start."""
        async with self.database.transaction(CAUSE) as tx:
            row = await store.get(tx, feed, lock=True)
            assert row
            row.cursor = before
            await (store.send_again if before else store.take_again)(tx, feed)
            await store.save(tx, row)

    async def until_done(self) -> None:
        """Exchange until there is no more, with all the time in the world; what was given up counts as lost by then."""
        self.timeout = _PATIENCE
        self.clock.at += timedelta(hours=1)
        for _ in range(_MANY):
            if not await self.exchanging.once():
                return
        raise AssertionError("there is always more")


@pytest.fixture
async def bench(probe: Probe, tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "outside.yaml").write_text(_MAPPING, encoding="utf-8")
    made = Bench(probe, tmp_path)
    yield made
    await made.database.close()


async def _published(probe: Probe, feed: str) -> dict[str, str]:
    """External key → title of what a feed's listings say in public."""
    rows = await probe.rows(
        "SELECT l.external_key, l.content FROM listing l JOIN feed f ON (f.issuer, f.source) = (l.issuer, l.source) "
        "WHERE f.name = $1 AND l.state = 2",
        feed,
    )
    return {row["external_key"]: pb.Listing.FromString(row["content"]).title for row in rows}


async def _history(probe: Probe, feed: str) -> dict[str, list[tuple[str, str]]]:
    """External key → (verb, content hash or "") of each event of a feed's listings, in order."""
    rows = await probe.rows(
        "SELECT l.external_key, e.type, e.payload FROM event e JOIN listing l ON l.name = e.key JOIN feed f "
        "ON (f.issuer, f.source) = (l.issuer, l.source) WHERE f.name = $1 AND e.topic = $2 ORDER BY e.key, e.version",
        feed,
        changes.TOPIC,
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        said = events_pb2.ListingEvent.FromString(row["payload"])
        found.setdefault(row["external_key"], []).append((row["type"].split(".")[-2], said.imported.content_hash))
    return found


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
            assert await _published(bench.probe, feed) == _truth(outside), outside.done
            for key, events in (await _history(bench.probe, feed)).items():
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
        for outside, name in zip(outsides, feeds, strict=True):
            row = await bench.row(name)
            assert {key: one["version"] for key, one in outside.held.items() if "data" in one} == await _public(bench, row)
            sent = [one["data"] for one in outside.came if "data" in one]
            assert {(one["visibility"], one["state"]) for one in sent} <= {("VISIBILITY_PUBLIC", "LISTING_STATE_PUBLISHED")}
            assert all(row.body in ("", *one["bodies"]) for one in sent)
            done.update(outside.done)
    assert set(done) == set(TAKING)


# One thing at a time


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with serving(Outside(0)) as made:
        yield made


async def _refused(bench: Bench, feed: str) -> dict[str, list[tuple[str, str]]]:
    """Record → (field, rule) of why it is refused now."""
    async with bench.database.transaction(CAUSE, read_only=True) as tx:
        rows = await store.refusals(tx, feed, None, 1000)
    return {row.record: [(one["field"], one["rule"]) for one in row.problems] for row in rows}


async def _told(bench: Bench, feed: str) -> list[str]:
    """Verbs of a feed's events, in order."""
    rows = await bench.probe.rows("SELECT type FROM event WHERE key = $1 ORDER BY version", feed)
    return [row["type"].split(".")[-2] for row in rows]


async def test_a_refusal_is_kept_until_the_record_is_mended(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.put("b", title="a", headcount="三")
    outside.put("c", title="工程师", skills="电话 13800138000")
    outside.put("d", title="工程师", headcount="请致电 一三 或 13800138000-13900139000 人,")
    outside.changes.append(["no", "record"])  # type: ignore[arg-type]
    await bench.until_done()
    refused = await _refused(bench, feed)
    assert {key: refused[key] for key in ("b", "c")} == {
        "b": [("quantity", "mapping")],
        "c": [("job_position.skills", "personal-data")],
    }
    assert len(refused) == 4
    (row,) = await bench.probe.rows("SELECT problems::text AS said FROM feed_refusal WHERE record = 'd'")
    assert "1380" not in row["said"]
    assert await _published(bench.probe, feed) == {"a": "封装工程师"}
    outside.put("b", title="测试工程师", headcount=3)
    outside.delete("c")
    outside.delete("d")
    await bench.until_done()
    assert set(await _refused(bench, feed)) == set(refused) - {"b", "c", "d"}
    assert await _published(bench.probe, feed) == {"a": "封装工程师", "b": "测试工程师"}


async def test_an_older_version_that_comes_late_mends_no_newer_one(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.put("a", title="")
    outside.changes.reverse()
    outside.page = 1
    await bench.until_done()
    assert set(await _refused(bench, feed)) == {"a"}
    assert await _published(bench.probe, feed) == {"a": "封装工程师"}


async def test_of_many_refusals_the_newest_are_kept(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    for number in range(store.MAX_REFUSALS + 7):
        outside.put(f"{number:03}", title="")
    await bench.until_done()
    assert sorted(await _refused(bench, feed)) == [f"{number:03}" for number in range(7, store.MAX_REFUSALS + 7)]


async def test_a_key_that_was_deleted_does_not_come_back(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    outside.delete("a")
    outside.delete("never there")
    outside.put("a", title="测试工程师")
    outside.put("never there", title="测试工程师")
    await bench.until_done()
    assert await _refused(bench, feed) == {"a": [("key", "deleted")], "never there": [("key", "deleted")]}
    assert [verb for verb, _ in (await _history(bench.probe, feed))["a"]] == ["created", "published", "withdrawn"]
    (row,) = await bench.probe.rows("SELECT reason FROM event WHERE type LIKE '%.listing.withdrawn.v1'")
    assert feed in row["reason"]


async def test_what_comes_again_in_the_same_version_is_not_looked_at(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师")
    await bench.until_done()
    outside.changes.append({**outside.changes[0], "data": {"title": "另一内容"}})
    await bench.until_done()
    assert await _published(bench.probe, feed) == {"a": "封装工程师"}


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


_SAID = [
    (feed_pb2.FEED_DIRECTION_IN, "drops", "broke off"),
    (feed_pb2.FEED_DIRECTION_IN, "drips", "not done within"),
    *((feed_pb2.FEED_DIRECTION_IN, misdeed, "signature") for misdeed in ("forges", "unsigned", "outdated", "replays")),
    (feed_pb2.FEED_DIRECTION_IN, "cut off", "cut off"),
    (feed_pb2.FEED_DIRECTION_IN, "fails", "HTTP 503"),
    (feed_pb2.FEED_DIRECTION_IN, "redirects", "HTTP 302"),
    (feed_pb2.FEED_DIRECTION_IN, "compresses", "compressed"),
    (feed_pb2.FEED_DIRECTION_IN, "stuck", "does not move"),
    *((feed_pb2.FEED_DIRECTION_OUT, misdeed, "signature") for misdeed in ("forges", "unsigned", "outdated")),
    (feed_pb2.FEED_DIRECTION_OUT, "drops after", "broke off"),
    (feed_pb2.FEED_DIRECTION_OUT, "wrong cursor", "another cursor"),
]


async def test_what_is_wrong_is_said_and_nothing_is_taken(bench: Bench) -> None:
    async with AsyncExitStack() as stack:
        outsides = [await stack.enter_async_context(serving(Outside(0))) for _ in _SAID]
        feeds = [await bench.feed(one, direction) for one, (direction, _, _) in zip(outsides, _SAID, strict=True)]
        for outside in outsides:
            outside.put("a", title="封装工程师")
        await bench.until_done()
        before = [(await bench.row(feed)).cursor for feed in feeds]
        for outside, (_, misdeed, _) in zip(outsides, _SAID, strict=True):
            outside.put("b", title="测试工程师")
            outside.mischief, outside.limited_to = 1.0, (misdeed,)
        bench.timeout = 1.0
        await bench.pass_by(minutes=20)
        await bench.exchanging.once()  # eight at a time
        for feed, cursor, (_, misdeed, said) in zip(feeds, before, _SAID, strict=True):
            row = await bench.row(feed)
            assert said in row.error_en, misdeed
            assert (row.failures, row.cursor, row.claim) == (1, cursor, None), misdeed
            assert set(await _published(bench.probe, feed)) <= {"a"}, misdeed


async def test_from_the_start_a_changed_mapping_counts_for_what_came_before(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    outside.put("a", title="封装工程师", headcount=2)
    outside.put("b", title="测试工程师")
    outside.delete("b")
    await bench.until_done()
    changed = _MAPPING.replace("title: title", "title: title\n  description: {value: 由外部系统提供}")
    (bench.folder / "outside.yaml").write_text(changed, encoding="utf-8")
    await bench.start_over(feed, before="")
    await bench.until_done()
    assert [verb for verb, _ in (await _history(bench.probe, feed))["a"]] == ["created", "published", "revised"]
    await bench.start_over(feed, before="")
    await bench.until_done()
    assert len((await _history(bench.probe, feed))["a"]) == 3, "the same again is unchanged"
    outside.changes.append({**outside.changes[0], "data": {"title": "另一内容"}})
    await bench.until_done()
    assert len((await _history(bench.probe, feed))["a"]) == 3, "and taken again once only"
    assert await _refused(bench, feed) == {}


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
    assert (row.cursor, row.last_heard_at, await _published(bench.probe, feed)) == ("", None, {})
    await bench.pass_by(days=1)
    assert outside.asked == 1, "and nothing more is asked for"


async def test_a_removed_feed_asks_for_nothing_keeps_its_history_and_leaves_its_source_to_another(
    bench: Bench, outside: Outside
) -> None:
    issuer = resource("organizations")
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN, issuer=issuer)
    outside.put("a", title="封装工程师")
    await bench.exchanging.once()
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
    assert list((await _published(bench.probe, feed)).values()) == ["封装工程师"], "what came in stays"
    assert not await bench.probe.rows("SELECT 1 FROM feed_secret WHERE feed = $1", feed)
    assert (await _told(bench, feed))[-1] == "removed"
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
    feed = await bench.feed(outside, direction)
    await bench.until_done()
    heard = (await bench.row(feed)).last_heard_at
    outside.mischief, outside.limited_to = 1.0, ("fails",)
    for minutes in (60, 299):
        await bench.pass_by(minutes=minutes)
    assert await _told(bench, feed) == []
    await bench.pass_by(minutes=1)
    await bench.pass_by(minutes=20)
    row = await bench.row(feed)
    assert (await _told(bench, feed), row.silent, row.quiet_from, row.failures) == (["silent"], True, heard, 4)
    assert "503" in row.error_zh or "HTTP" in row.error_zh
    outside.mischief = 0.0
    await bench.pass_by(minutes=20)
    row = await bench.row(feed)
    assert (await _told(bench, feed), row.silent, row.failures, row.error_zh) == (["silent", "heard"], False, 0, "")


async def test_a_platform_that_was_away_makes_no_feed_silent(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN)
    await bench.until_done()
    bench.clock.at += timedelta(days=3)
    bench.business.offset = timedelta(days=90)
    await bench.until_done()
    assert await _told(bench, feed) == []


async def test_where_records_are_expected_answers_alone_are_silence(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_IN, silence=feed_pb2.FEED_SILENCE_RECORD, expected_every=24)
    outside.put("a", title="封装工程师")
    await bench.until_done()
    record = (await bench.row(feed)).last_record_at
    outside.changes.append(outside.changes[0])  # what was there before is nothing new
    await bench.pass_by(hours=23)
    assert await _told(bench, feed) == []
    await bench.pass_by(hours=1)
    row = await bench.row(feed)
    assert (await _told(bench, feed), row.failures, row.last_record_at, row.quiet_from) == (["silent"], 0, record, record)
    outside.put("b", title="测试工程师")
    await bench.pass_by(minutes=20)
    assert await _told(bench, feed) == ["silent", "heard"]


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


async def test_from_the_start_the_other_end_drops_what_does_not_come_again(bench: Bench, outside: Outside) -> None:
    feed = await bench.feed(outside, feed_pb2.FEED_DIRECTION_OUT)
    outside.held["listings/of a time that was put back"] = {"key": "x", "version": 1, "data": {}}
    outside.cursor = 7
    await bench.start_over(feed, before=START)
    await bench.until_done()
    assert (outside.held, outside.cursor) == ({}, 1)


async def test_a_private_address_is_refused_on_the_connection(outside: Outside) -> None:
    guarded = outgoing.client(allow_private=False, at_once=1, timeout=5)
    peer = HttpPeer(guarded, SystemClock(), outside.url, [f"whsec_{base64.b64encode(secret()).decode()}"], 5)
    with pytest.raises(ExchangeError, match="private network"):
        await peer.page("", 1)
    assert outside.asked == 0
