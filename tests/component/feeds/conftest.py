"""Feeds on a database of their own, exchange by exchange, and what came of them."""

import base64
from collections.abc import AsyncIterator, Sequence
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
from chassis.database import Database
from chassis.ids import resource
from listings.feeds import store
from listings.feeds.exchanging import Exchanging
from listings.feeds.giving import START, Giving
from listings.feeds.http import HttpPeer
from listings.feeds.mappings import Mappings
from listings.feeds.store import FeedRow
from listings.feeds.taking import Taking
from listings.standing import Standing
from listings.store import TOPIC
from tests.component.conftest import CAUSE, Probe
from tests.outside_system import Outside, serving

_TIMEOUT = 0.3  # seconds that an exchange may take
PATIENCE = 60.0
_MANY = 500  # exchanges, one after the other
MAPPING = """
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
        self._client = outgoing.client(allow_private=True, at_once=50, timeout=PATIENCE)
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
            row.cursor, row.lap_pages, row.lap_mark = before, 0, ""
            await (store.send_again if before else store.take_again)(tx, feed)
            await store.save(tx, row)

    async def until_done(self) -> None:
        """Exchange until there is no more, with all the time in the world; what was given up counts as lost by then."""
        self.timeout = PATIENCE
        self.clock.at += timedelta(hours=1)
        for _ in range(_MANY):
            if not await self.exchanging.once():
                return
        raise AssertionError("there is always more")


@pytest.fixture
async def bench(probe: Probe, tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "outside.yaml").write_text(MAPPING, encoding="utf-8")
    made = Bench(probe, tmp_path)
    yield made
    await made.database.close()


async def published(probe: Probe, feed: str) -> dict[str, str]:
    """External key → title of what a feed's listings say in public."""
    rows = await probe.rows(
        "SELECT l.external_key, l.content FROM listing l JOIN feed f ON (f.issuer, f.source) = (l.issuer, l.source) "
        "WHERE f.name = $1 AND l.state = 2",
        feed,
    )
    return {row["external_key"]: pb.Listing.FromString(row["content"]).title for row in rows}


async def history(probe: Probe, feed: str) -> dict[str, list[tuple[str, str]]]:
    """External key → (verb, content hash or "") of each event of a feed's listings, in order."""
    rows = await probe.rows(
        "SELECT l.external_key, e.type, e.payload FROM event e JOIN listing l ON l.name = e.key JOIN feed f "
        "ON (f.issuer, f.source) = (l.issuer, l.source) WHERE f.name = $1 AND e.topic = $2 ORDER BY e.key, e.version",
        feed,
        TOPIC,
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        said = events_pb2.ListingEvent.FromString(row["payload"])
        found.setdefault(row["external_key"], []).append((row["type"].split(".")[-2], said.imported.content_hash))
    return found


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with serving(Outside(0)) as made:
        yield made


async def refusals(bench: Bench, feed: str) -> dict[str, list[tuple[str, str]]]:
    """Record → (field, rule) of why it is refused now."""
    async with bench.database.transaction(CAUSE, read_only=True) as tx:
        rows = await store.refusals(tx, feed, None, 1000)
    return {row.record: [(one["field"], one["rule"]) for one in row.problems] for row in rows}


async def told(bench: Bench, feed: str) -> list[str]:
    """Verbs of a feed's events, in order."""
    rows = await bench.probe.rows("SELECT type FROM event WHERE key = $1 ORDER BY version", feed)
    return [row["type"].split(".")[-2] for row in rows]
