"""Replicas of matching in this process, on a database of their own; they follow a topic in memory, each at its own pace."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import pytest
import tantivy

from access.authority import Authority
from access.register import ProjectedRegister
from alliance.listings.v1 import events_pb2, listing_pb2
from alliance_local.control import Platform
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Database
from chassis.handling import away
from chassis.kafka import partition_of
from chassis.record import Record
from matching import app, scoring, shares
from matching.ahead import Ahead
from matching.domain.shares import SHARES
from matching.embedding import Vectors
from matching.following import Following
from matching.index import Index
from matching.meanings import Meanings
from matching.proposing import Proposing
from matching.scoring import Scoring
from matching.searches.telling import Telling
from matching.settings import MatchingSettings
from matching.shares import Shares
from matching.snapshot import Snapshots
from tests import databases
from tests.waiting import until

PARTITIONS = 12
TITLE = "集成电路封装散热"
SIZE = 8
_LETTERS = np.frombuffer(b"abcdefgh", np.uint8)


class Letters:
    """Embeds a text as how often each of eight letters stands in it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.goes = asyncio.Event()
        """Cleared, it stands still."""
        self.goes.set()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `matching.meanings.Embedding`."""
        await self.goes.wait()
        self.asked += texts
        rows: Vectors = np.array([[text.count(chr(one)) for one in _LETTERS] for text in texts], np.float32).reshape(-1, SIZE)
        return rows


class Topic:
    """What was published, by partition."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.partitions: list[list[Record]] = [[] for _ in range(PARTITIONS)]

    def publish(self, listing: listing_pb2.Listing, version: int) -> None:
        """One more state of a listing."""
        number = partition_of(listing.name, PARTITIONS)
        event = events_pb2.ListingEvent(listing=listing)
        kind = "alliance.listings.listing.published.v1"
        at = SystemClock().now()
        record = Record(
            "listings", number, len(self.partitions[number]), listing.name, version, kind, str(uuid4()), at, event, ""
        )
        self.partitions[number].append(record)

    def anew(self) -> "Topic":
        """Another topic of the same name, with the same records in the same order."""
        made = Topic()
        made.partitions = [list(records) for records in self.partitions]
        return made


class Replica:
    """One process: its index, its shares, and what it has read."""

    def __init__(self, name: str, database: Database, topic: Topic, by: Letters, folder: Path | None = None) -> None:
        self.name = name
        self.topic = topic
        self.index = Index(SIZE)
        self.shares = Shares(name, database)
        self.snapshots = Snapshots(folder, "letters", self.index) if folder else None
        load = self.snapshots.load if self.snapshots else (lambda _: {})
        self.following = Following(
            self.index, Meanings(by, "letters", SIZE, database, self.shares.falls_here), self.shares, load, database
        )
        self.ahead = Ahead(self.index)
        authority = self.authority = Authority(ProjectedRegister(), _nobody, None)
        self.proposing = Proposing(
            authority, self.index, MatchingSettings.model_construct(match_best=1000, match_candidates=1000)
        )
        self.scoring = Scoring(self.following, self.shares, self.proposing, Telling(authority, self.index), database)
        self.pace = 10
        """Records that it reads at once."""
        self.stands_still = False
        self.looks = True
        """Whether it notices at once what became of its topic."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to follow and to score."""
        self._tasks = [asyncio.create_task(one) for one in (self._follow(), self._read_ahead(), self.scoring.run())]
        if self.snapshots:
            self._tasks.append(asyncio.create_task(self.snapshots.keep(self.following)))

    async def die(self) -> None:
        """End without giving anything back."""
        self.shares.leave = _nothing  # type: ignore[method-assign]
        await self.stop()

    async def stop(self) -> None:
        """End in order."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.index._begin(tantivy.Index(self.index._schema))  # a process that ends gives its folder up

    async def owns_all(self) -> bool:
        """Whether all shares are its own."""
        return len(self.shares.mine) == SHARES

    async def ends(self) -> dict[int, int]:
        """Where the partitions of its topic end."""
        return {number: len(records) for number, records in enumerate(self.topic.partitions)}

    async def _begin(self) -> tuple[Topic, dict[int, int]]:
        """What it reads now, and from where."""
        known = self.topic
        return known, dict(await _until_done(lambda: self.following.beginning(known.id, self.ends)))

    async def _follow(self) -> None:
        known, places = await self._begin()
        ends = [len(records) for records in known.partitions]
        chance = random.Random(self.name)
        while True:
            if self.topic is not known:
                known, places = await self._begin()
                ends = [len(records) for records in known.partitions]
            waiting = [n for n, records in enumerate(known.partitions) if places.get(n, 0) < len(records)]
            if self.stands_still or not waiting:
                if all(places.get(n, 0) >= end for n, end in enumerate(ends)):
                    self.following.caught_up()
                    if self.looks and not self.stands_still:
                        self.following.was_still(time.monotonic())
                await asyncio.sleep(0.01)
                continue
            number = chance.choice(waiting)
            start = places.get(number, 0)
            some = known.partitions[number][start : start + self.pace]
            await _until_done(partial(self.following.take, some))
            places[number] = start + len(some)
            await asyncio.sleep(0)

    async def _read_ahead(self) -> None:
        known = None
        while True:
            if self.topic is not known:
                known = self.topic
                places = dict(await self.ahead.beginning(known.id, self.ends))
            for number, records in enumerate(known.partitions):
                if some := records[places.get(number, 0) :]:
                    await self.ahead.take(some)
                    places[number] = len(records)
            await asyncio.sleep(0.01)


async def _until_done(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do something until no part is away, as `chassis.lanes` does."""
    while True:
        try:
            return await work()
        except Exception as error:
            if not away(error):
                raise
            await asyncio.sleep(0.1)


async def _nobody(*_: Any) -> frozenset[str]:
    return frozenset()


async def _nothing() -> None:
    return None


def word(number: int) -> str:
    """A word of its own, so that only the two of a pair share it."""
    return "".join(chr(ord("k") + int(digit)) for digit in f"{number:04}") * 3


def listing(name: str, kind: str, title: str, state: str = "PUBLISHED", **fields: Any) -> listing_pb2.Listing:
    """A public one of an organization that has those of its kind, unless `fields` say otherwise."""
    return listing_pb2.Listing(
        name=name,
        issuer=fields.pop("issuer", f"organizations/{kind}"),
        kind=listing_pb2.ListingKind.Value(f"LISTING_KIND_{kind}"),
        state=listing_pb2.ListingState.Value(f"LISTING_STATE_{state}"),
        visibility=fields.pop("visibility", listing_pb2.VISIBILITY_PUBLIC),
        title=title,
        **fields,
    )


@dataclass
class World:
    """A topic, a database, and the replicas on them."""

    database: Database
    clock: BusinessClock
    url: str
    topic: Topic = field(default_factory=Topic)
    by: Letters = field(default_factory=Letters)
    replicas: dict[str, Replica] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def starts(self, name: str, folder: Path | None = None) -> Replica:
        """A replica comes; with a folder, its index is kept there."""
        made = self.replicas[name] = Replica(name, self.database, self.topic, self.by, folder)
        made.start()
        return made

    async def dies(self, name: str) -> None:
        """A replica is gone."""
        await self.replicas.pop(name).die()

    def publish(self, name: str, kind: str, title: str, state: str = "PUBLISHED", **fields: Any) -> None:
        """One more state of a listing."""
        self.versions[name] = self.versions.get(name, 0) + 1
        self.topic.publish(listing(name, kind, title, state, **fields), self.versions[name])

    def demand(self, number: int, title: str = TITLE, **fields: Any) -> tuple[str, str]:
        """A demand and the name of the supply that is to meet it."""
        self.publish(f"listings/d{number}", "TECH_DEMAND", f"{title} {word(number)}", **fields)
        return f"listings/d{number}", f"listings/s{number}"

    def supply(self, number: int, title: str = TITLE, **fields: Any) -> None:
        """The supply of that number."""
        self.publish(f"listings/s{number}", "RESEARCH_OUTCOME", f"{title} {word(number)}", **fields)

    def names_in(self, partition: int, letter: str, count: int) -> list[str]:
        """Names of listings of one partition."""
        names = (f"listings/{letter}{number}" for number in itertools.count())
        return list(itertools.islice((name for name in names if partition_of(name, PARTITIONS) == partition), count))

    async def turn(self, number: int, chance: random.Random) -> None:
        """What may happen beside what is published: a record comes again, or an old one late; replicas come and die."""
        if chance.random() < 0.1:
            records = chance.choice([one for one in self.topic.partitions if one])
            records.append(chance.choice(records)._replace(offset=len(records)))
        if number % 20 == 10:
            if len(self.replicas) > 1 and chance.random() < 0.6:
                await self.dies(chance.choice(sorted(self.replicas)))
            else:
                self.starts(f"r{number}").pace = chance.choice([1, 3, 30])
            await until(lambda: any(one.shares.mine for one in self.replicas.values()))

    async def is_done(self) -> bool:
        """Whether every replica has read all, and all of it is scored."""
        for replica in self.replicas.values():
            places = replica.following.places
            if any(places.get(n, 0) < len(records) for n, records in enumerate(self.topic.partitions) if records):
                return False
            async with self.database.transaction(CAUSE, read_only=True) as tx:
                if await replica.scoring.due(tx):
                    return False
        return await self.is_gone("again")  # also what was tried in vain

    async def matches(self) -> dict[tuple[str, str], str]:
        """State of each match by its pair."""
        rows = await self.rows("SELECT demand, supply, state FROM match")
        return {(row["demand"], row["supply"]): row["state"] for row in rows}

    async def has(self, pairs: set[tuple[str, str]]) -> bool:
        """Whether there is a match of each pair, of whatever state."""
        return (await self.matches()).keys() >= pairs

    async def is_match(self, pair: tuple[str, str], state: str) -> bool:
        """Whether the match of a pair is in a state."""
        return (await self.matches())[pair] == state

    async def joins(self, organization: str, body: str, since: date, until: date | None) -> None:
        """An organization is a member of a body, as the register was heard to say."""
        await self.rows(
            "INSERT INTO access_membership (name, body, organization, roles, valid_from, valid_to) "
            "VALUES (gen_random_uuid()::text, $1, $2, '{}', $3, $4) RETURNING name",
            body,
            organization,
            since,
            until,
        )

    async def is_gone(self, table: str) -> bool:
        """Whether a table is empty."""
        return not await self.rows(f"SELECT 1 FROM {table}")  # noqa: S608 - a name of the test's own

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of the database."""
        return await databases.rows(self.url, query, *values)


CAUSE = Cause("tester", reason="a test")


@asynccontextmanager
async def world(platform: Platform) -> AsyncIterator[World]:
    """An empty database of matching's."""
    name = f"replicas_{UUID(int=random.getrandbits(64)).hex[-12:]}"
    system = SystemClock()
    clock = BusinessClock(system)
    async with databases.made(platform, name, "matching", app.SERVICE.migrations) as (url, _):
        database = Database(url, system=system, business=clock, pool=8)
        made = World(database, clock, url)
        try:
            yield made
        finally:
            for replica in list(made.replicas.values()):
                await replica.stop()
            await database.close()


@asynccontextmanager
async def quick_world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One whose leases last a second, and that looks for work often."""
    monkeypatch.setattr(shares, "SECONDS", 1.0)
    monkeypatch.setattr(scoring, "_TURN", 0.1)
    monkeypatch.setattr(scoring, "_POLL", 0.05)
    monkeypatch.setattr(scoring, "_AWAY", 0.05)
    async with world(platform) as made:
        yield made
