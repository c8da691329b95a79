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
from typing import Any

import grpc
import pytest

from access.register import Owner
from alliance.listings.v1 import events_pb2, feed_pb2
from alliance.listings.v1 import listing_pb2 as pb
from chassis import outgoing
from chassis.clock import BusinessClock, SystemClock
from chassis.crypto import secret
from chassis.database import Database, Tx
from chassis.ids import resource
from listings import changes
from listings import store as listing_store
from listings.domain.names import State
from listings.feeds import giving, store
from listings.feeds.exchanging import Exchanging
from listings.feeds.giving import START, Giving
from listings.feeds.http import HttpPeer
from listings.feeds.mappings import Mappings
from listings.feeds.store import FeedRow
from listings.feeds.taking import Taking
from listings.mapping import content_hash, message_of, written
from listings.standing import Standing
from tests.component.conftest import CAUSE, Probe
from tests.outside_system import GIVING, TAKING, Outside, serving

SEEDS = range(24)
_TIMEOUT = 0.3  # seconds that an exchange may take
_PATIENCE = 60.0
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
        self.clock = Hands()
        self.business = BusinessClock(self.clock)
        self.database = Database(probe.url, system=self.clock, business=self.business)
        self.timeout = _TIMEOUT
        self._client = outgoing.client(allow_private=True, at_once=50, timeout=_PATIENCE)
        taking = Taking(self.database, Standing(Owner(grpc.aio.insecure_channel("127.0.0.1:1"))), Mappings(folder))
        self.exchanging = Exchanging(self.database, taking, Giving(self.database), self._peer, _TIMEOUT)

    def _peer(self, url: str, signed_by: str) -> HttpPeer:
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

    async def until_done(self) -> None:
        """Exchange until there is no more, with all the time in the world; what was given up counts as lost by then."""
        self.timeout = _PATIENCE
        self.clock.at += timedelta(hours=1)
        while await self.exchanging.once():
            pass


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
        for _ in range(12):
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
        content = self._content(pb.Listing(issuer=resource("organizations"), kind=self._random.choice((5, 27))))
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
        for _ in range(12):
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
    print(done)
    assert set(done) == set(TAKING)
