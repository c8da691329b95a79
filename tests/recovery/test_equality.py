"""The comparison that ends each recovery: one row that is not as its owner has it, or one record, is seen and named."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from alliance_local.control import Platform
from chassis import topics
from tests import world
from tests.recovery import equality
from tests.recovery.drill import Drill, Scene

_TOPIC = "alliance.internal.listings.listing.v1"


@dataclass
class Wrong:
    """A row to change or to delete, and which comparisons see it. `which` is the condition that finds it."""

    service: str
    table: str
    which: str
    seen_by: tuple[str, ...]
    change: str = ""
    key: str = "name"

    async def picked(self, platform: Platform) -> str:
        """The key of such a row."""
        query = f"SELECT {self.key} FROM {self.table} WHERE {self.which} LIMIT 1"  # noqa: S608
        (row,) = await equality.rows(platform, self.service, query)
        return str(row[0])

    @asynccontextmanager
    async def there(self, platform: Platform, key: str) -> AsyncIterator[None]:
        """Until the end of the block, all rows of a key are wrong."""
        table, mine = self.table, f"WHERE {self.key} = $1"
        change = f"UPDATE {table} SET {self.change}" if self.change else f"DELETE FROM {table}"  # noqa: S608
        saved = f"SELECT to_jsonb(t)::text FROM {table} t {mine}"  # noqa: S608
        rows = f"unnest($1::text[]) AS saved, jsonb_populate_record(NULL::{table}, saved::jsonb) AS r"
        back = f"INSERT INTO {table} SELECT r.* FROM {rows}"  # noqa: S608
        kept = [row[0] for row in await equality.rows(platform, self.service, saved, key)]
        await equality.rows(platform, self.service, f"{change} {mine}", key)
        try:
            yield
        finally:
            await equality.rows(platform, self.service, f"DELETE FROM {table} {mine}", key)  # noqa: S608
            await equality.rows(platform, self.service, back, kept)


@pytest.fixture(scope="module")
async def scene(drilled: Drill) -> Scene:
    """Both sides' listings with their matches, one of them revised, and nothing wrong."""
    made = drilled.published(2)
    drilled.revised(made, 1)
    world.settle(drilled.platform)
    assert await equality.differences(drilled.platform) == []
    return made


_WRONG = {
    "a score": Wrong("matching", "match", "state = 'PROPOSED'", ("matching's scores",), "score = score - 1"),
    "no match": Wrong("matching", "match", "state = 'PROPOSED'", ("matching's matches",)),
    "an old index": Wrong("listings", "listing", "state = 2", ("matching's index",), "version = version + 1"),
    "a match too many": Wrong(
        "listings",
        "listing",
        "state = 2 AND kind = 7",
        ("matching's index", "matching's open matches", "matching's scores"),
        "state = 3",
    ),
    "no membership": Wrong("notify", "access_membership", "true", ("notify.access_membership",)),
    "another body": Wrong("matching", "access_body", "true", ("matching.access_body",), "key_industry = '另一产业'"),
    "no fact": Wrong("reporting", "fact", "aggregate = 'match'", ("reporting.fact match",), key="event_id"),
    "another fact": Wrong(
        "reporting", "fact", "aggregate = 'listing'", ("reporting.fact listing",), "counts = NOT counts", "event_id"
    ),
    "no naming": Wrong("reporting", "fact_body", "side <> ''", ("reporting.fact_body listing",), key="event_id"),
}


@pytest.mark.parametrize("wrong", _WRONG.values(), ids=_WRONG.keys())
async def test_a_row_that_is_not_as_its_owner_has_it_is_named(drilled: Drill, scene: Scene, wrong: Wrong) -> None:
    key = await wrong.picked(drilled.platform)
    async with wrong.there(drilled.platform, key):
        found = await equality.differences(drilled.platform)
    assert {one.split(":")[0] for one in found} == set(wrong.seen_by)
    assert any(key in one for one in found)


async def test_an_old_version_behind_the_last_one_is_named(drilled: Drill, scene: Scene) -> None:
    name, topic = scene.talents[-1], topics.load().named(_TOPIC)
    records = [one for one in await equality.records(drilled.platform, topic) if one.key == name.encode()]
    async with AIOKafkaProducer(**drilled.platform.kafka("admin").options(), acks="all") as producer:
        await _produced(producer, records[-2])
        found = await equality.differences(drilled.platform)
        await _produced(producer, records[-1])
    assert [one.split(",")[0] for one in found] == [f"{_TOPIC}: 1 missing", f"{_TOPIC}: 1 too many"]
    assert all(name in one for one in found)


async def _produced(producer: AIOKafkaProducer, record: "ConsumerRecord[bytes, bytes]") -> None:
    place = {"key": record.key, "partition": record.partition, "headers": list(record.headers)}
    await producer.send_and_wait(record.topic, record.value, **place)


async def test_nothing_is_left_of_it(drilled: Drill, scene: Scene) -> None:
    world.settle(drilled.platform)
    assert await equality.differences(drilled.platform) == []
