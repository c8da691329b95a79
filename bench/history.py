"""The relay beside much that is none of its business, against the same relay in a new database: events a second.

    history    5 million events published before, in the partition in which the new ones are
    backlog    a million events in the queue, of which the first are published
    held       a million rows deleted from the queue and not to be removed: transactions are open that might see them, a
               REPEATABLE READ snapshot and a writer, in this database and in another one

The other side leaves out nothing but these; it has a database of its own every turn, so that no turn leaves it dead rows.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import asyncpg

from bench import ground, relay
from bench.ground import Ground, Store
from bench.measure import Metric, Result, Taken, Watch, interleaved, say
from chassis.kafka import KafkaAccess
from chassis.relay import BATCH

_EVENTS = 20_000  # a turn
_HISTORY, _BACKLOG, _DEAD = 5_000_000, 1_000_000, 1_000_000
_SMALL = b"x" * 200  # payload of events that are history
_FILL = """
WITH made AS (
  SELECT n, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - ($2 - n) / 10), 12, '0') || '7000a'
             || lpad(to_hex(n), 15, '0'))::uuid AS id
  FROM generate_series(1, $2::bigint) AS n
), entered AS (
  INSERT INTO event (id, topic, key, version, type, payload, actor, on_behalf_of, reason, cause_event_id, request_id,
                     traceparent, recorded_at, effective_at)
  SELECT id, $1, 'listings/' || id, 1, 'alliance.listings.bench.revised.v1', $3, 'bench', '', '', '', '',
         '00-' || lpad(to_hex(n), 32, '0') || '-' || lpad(to_hex(n), 16, '0') || CASE n % 10 WHEN 0 THEN '-01' ELSE '-00' END,
         now(), now()
  FROM made
)
INSERT INTO outbox (event_id, key) SELECT id, 'listings/' || id FROM made WHERE $4 ORDER BY n
"""
_PARTS = 250_000  # rows in one statement
_DEAD_ROWS = """
INSERT INTO outbox (event_id, key) SELECT gen_random_uuid(), 'listings/' || gen_random_uuid() FROM generate_series(1, $1)
"""
_WRITE = "INSERT INTO lease (name, holder, epoch, expires_at) VALUES ('bench', '', 1, now())"


def _metric(name: str) -> Metric:
    return Metric(f"relay, {name}", "events/s", lambda taken: taken.rate, goal=0.9, at_least=True, floor="empty tables")


async def _fill(store: Store, topic: str, count: int, payload: bytes, *, queued: bool) -> None:
    """Enter events, as they would have come in before now; published or not."""
    for first in range(0, count, _PARTS):
        await store.connection.execute(_FILL, topic, min(_PARTS, count - first), payload, queued)
        say(f"{first + min(_PARTS, count - first):,} of {count:,} events entered")


async def _tidy(store: Store) -> None:
    """What autovacuum would do some time later, in the middle of a turn."""
    owner = await asyncpg.connect(store.owner)
    await owner.execute("VACUUM (ANALYZE) event")
    await owner.execute("VACUUM (ANALYZE) outbox")
    await owner.close()


async def _empty(given: Ground, topic: str, count: int) -> Taken:
    """A turn in a new database."""
    async with ground.store(given.platform, "empty") as store:
        return await relay.ours(store, given.kafka, topic, count)


async def _behind(store: Store, kafka: KafkaAccess, topic: str, count: int, backlog: int) -> Taken:
    """A turn on a queue that is full: its first events."""
    queued = await store.connection.fetchval("SELECT count(*) FROM outbox")
    await _fill(store, topic, backlog - queued, ground.event().SerializeToString(), queued=True)
    async with relay.leading(store, kafka) as led:
        await led.expect(2 * BATCH).wait()
        done = led.expect(count)
        watch = Watch()
        await done.wait()
        return watch.taken(count)


@asynccontextmanager
async def _held(given: Ground, store: Store) -> AsyncIterator[None]:
    """Transactions that stay open, here and in another database: a snapshot and a writer each."""
    async with AsyncExitStack() as stack, ground.store(given.platform, "other") as other:
        for url in (store.url, other.url):
            for isolation, statement in (("repeatable_read", "SELECT count(*) FROM lease"), ("read_committed", _WRITE)):
                connection = await asyncpg.connect(url)
                stack.push_async_callback(connection.close)
                await connection.transaction(isolation=isolation).start()  # type: ignore[arg-type]
                await connection.execute(statement)
        yield


async def run(given: Ground) -> list[Result]:
    """Measure."""
    topic, results = await ground.topic(given.platform, "history"), list[Result]()
    count = max(1, given.some(_EVENTS) // BATCH) * BATCH  # whole batches: a backlog gives no others
    empty = partial(_empty, given, topic, count)
    async with ground.store(given.platform, "history") as store:
        await _fill(store, topic, given.some(_HISTORY), _SMALL, queued=False)
        await _tidy(store)
        ours = partial(relay.ours, store, given.kafka, topic, count)
        results.append(await interleaved(_metric(f"{given.some(_HISTORY):,} events behind it"), empty, ours, given.rounds))
    async with ground.store(given.platform, "backlog") as store:
        backlog = given.some(_BACKLOG)
        await _fill(store, topic, backlog, ground.event().SerializeToString(), queued=True)
        await _tidy(store)
        behind = partial(_behind, store, given.kafka, topic, count, backlog)
        results.append(await interleaved(_metric(f"{backlog:,} events queued"), empty, behind, given.rounds))
    async with ground.store(given.platform, "held") as store, _held(given, store):
        dead = given.some(_DEAD)
        await store.connection.execute(_DEAD_ROWS, dead)
        await store.connection.execute("DELETE FROM outbox")
        ours = partial(relay.ours, store, given.kafka, topic, count)
        results.append(await interleaved(_metric(f"{dead:,} dead rows held"), empty, ours, given.rounds))
    return results
