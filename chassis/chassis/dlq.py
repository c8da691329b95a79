"""What operators do with dead letters 死信: look, judge, replay, drop. Every decision is kept with actor and reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from chassis import applied, deadletter
from chassis.database import Tx
from chassis.errors import Precondition
from chassis.ids import new_id

_FIRST = UUID(int=0)
MAX_ROWS = 1000  # rows that one call decides on
_LIST = """
SELECT id, consumer_group, topic, partition, "offset", key, version, decoded, state, reason, attempts,
       first_failed_at, last_failed_at
FROM dead_letter
WHERE (cardinality($1::uuid[]) = 0 OR id = ANY($1::uuid[])) AND state = ANY($2::text[]) AND ($3 = '' OR consumer_group = $3)
AND ($4 = '' OR topic = $4) AND ($5 = '' OR key = $5) AND ($6 = '' OR position($6 in reason) > 0) AND id > $7
ORDER BY id LIMIT $8
"""
_GET = "SELECT * FROM dead_letter WHERE id = $1"
_APPLIED = "SELECT version FROM applied WHERE consumer_group = $1 AND topic = $2 AND key = $3"
_ACTIONS = "SELECT action, actor, reason, acted_at FROM dead_letter_action WHERE dead_letter = $1 ORDER BY id"
_ACT = """
INSERT INTO dead_letter_action (id, dead_letter, action, actor, reason, acted_at)
SELECT i, d, $3, $4, $5, $6 FROM unnest($1::uuid[], $2::uuid[]) AS x (i, d)
"""
_REPLAY = """
UPDATE dead_letter SET state = 'retrying', attempts = 0, next_attempt_at = $2
WHERE id = ANY($1::uuid[]) AND state IN ('retrying', 'dead') RETURNING id
"""
_DROP = """
UPDATE dead_letter SET state = 'dropped', next_attempt_at = NULL
WHERE id = ANY($1::uuid[]) AND state IN ('retrying', 'waiting', 'dead') RETURNING id
"""
_EARLIER = """
SELECT e.id, e.key, e.version FROM dead_letter d
JOIN dead_letter e ON e.consumer_group = d.consumer_group AND e.topic = d.topic AND e.key = d.key AND e.version < d.version
WHERE d.id = ANY($1::uuid[]) AND d.decoded
  AND e.decoded AND e.state IN ('retrying', 'waiting', 'dead') AND e.id <> ALL($1::uuid[])
ORDER BY e.key, e.version LIMIT 1
"""
_HOLDER = """
SELECT id FROM dead_letter WHERE consumer_group = $1 AND topic = $2 AND key = $3 AND state IN ('retrying', 'dead')
ORDER BY version, id LIMIT 1
"""


@dataclass(frozen=True)
class Filter:
    """Which rows are meant; what is empty takes in everything."""

    ids: Sequence[UUID] = ()
    states: Sequence[str] = deadletter.OPEN
    group: str = ""
    topic: str = ""
    key: str = ""
    reason: str = ""
    after: UUID = _FIRST


@dataclass(frozen=True)
class Detail:
    """A row with what is needed to judge it: the version that had its effect last, and what was decided so far."""

    row: Any
    applied: int
    actions: Sequence[Any]


async def listed(tx: Tx, wanted: Filter, most: int) -> Sequence[Any]:
    """Rows that fit, oldest first."""
    texts = (wanted.group, wanted.topic, wanted.key, wanted.reason)
    values = (list(wanted.ids), list(wanted.states), *texts, wanted.after, most)
    return await tx.sql.rows(_LIST, *values)


async def detail(tx: Tx, identifier: UUID) -> Detail | None:
    """One row with everything that is known of it."""
    row = await tx.sql.row(_GET, identifier)
    if row is None:
        return None
    done = await tx.sql.value(_APPLIED, row.consumer_group, row.topic, row.key)
    return Detail(row, done or 0, await tx.sql.rows(_ACTIONS, identifier))


async def replay(tx: Tx, ids: Sequence[UUID]) -> list[UUID]:
    """Hand rows to the worker again, at once; returns those that are open and not waiting for another."""
    return await _acted(tx, "replay", await tx.sql.column(_REPLAY, list(ids), tx.recorded_at))


async def drop(tx: Tx, ids: Sequence[UUID]) -> list[UUID]:
    """Give rows up: what waits behind them goes on; returns those that were open. The versions of those that can be decoded
    count as applied; what a foreign record claimed to be may still come.

    Raises `Precondition` where an earlier record of the same key stays open: its replay would come too late then.
    """
    if not ids:
        return []
    rows = sorted(
        await listed(tx, Filter(ids=ids), len(ids)), key=lambda row: (row.consumer_group, row.topic, row.key, row.version)
    )
    keyed = [row for row in rows if row.key]
    # The `applied` rows are locked before the dead letters, as consumers and the worker do.
    for (group, topic), some in groupby(keyed, key=lambda row: (row.consumer_group, row.topic)):
        await applied.lock(tx, group, topic, [row.key for row in some])
    await refuse_earlier(tx, ids)
    dropped = set(await tx.sql.column(_DROP, list(ids)))
    for (group, topic), some in groupby(keyed, key=lambda row: (row.consumer_group, row.topic)):
        gone = [row for row in some if row.id in dropped]  # the highest version of a key comes last
        await applied.advance(tx, group, topic, {row.key: row.version for row in gone if row.decoded})
        for key in {row.key: None for row in gone}:
            await deadletter.release(tx, group, topic, key)
    return await _acted(tx, "drop", [row.id for row in rows if row.id in dropped])


async def refuse_earlier(tx: Tx, ids: Sequence[UUID]) -> None:
    """Raises `Precondition` where an earlier version of a row's key is open and not among the rows."""
    earlier = await tx.sql.row(_EARLIER, list(ids))
    if earlier is not None:
        raise Precondition(
            "EARLIER_OPEN",
            f"{earlier.key} 的较早版本 {earlier.version}（死信 {earlier.id}）尚未处理；请先处理它，或一并放弃",
            f"version {earlier.version} of {earlier.key} (dead letter {earlier.id}) is open; decide on it first, or drop both",
            {"dead_letter": str(earlier.id)},
        )


async def refuse_waiting(tx: Tx, ids: Sequence[UUID]) -> None:
    """Raises `Precondition` where one of the rows waits for another: that one is to be decided on."""
    for row in await listed(tx, Filter(ids=ids, states=["waiting"]), 1) if ids else ():
        first = await tx.sql.row(_HOLDER, row.consumer_group, row.topic, row.key)
        held = str(first.id) if first else ""
        raise Precondition(
            "WAITS",
            f"死信 {row.id} 在等待同一资源的另一条死信 {held}；请先处理那一条",
            f"dead letter {row.id} waits for another of its key, {held}: decide on that one",
            {"dead_letter": held},
        )


async def _acted(tx: Tx, action: Literal["replay", "drop"], ids: list[UUID]) -> list[UUID]:
    values = ([new_id() for _ in ids], ids, action, tx.cause.actor, tx.cause.reason, tx.recorded_at)
    if ids:
        await tx.sql.run(_ACT, *values)
    return ids
