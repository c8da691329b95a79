"""What operators do with parked events 搁置事件: look, hand to the relay again, give up. Every decision is kept with actor and
reason.

A row that is given up stays in the outbox as the record of that, under a key that is nobody's: it holds nobody any more, and a
replay leaves its event out.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chassis.database import Tx
from chassis.ids import new_id

MAX_ROWS = 1000  # rows that one call decides on
_GIVEN_UP = "given up: "
"""Before the key, and before why it was parked: the relay goes on by itself with what waits for a topic."""
_LIST = """
SELECT o.seq, o.key, o.parked, e.topic, e.version, e.type, coalesce(octet_length(e.payload), 0) AS size,
       (SELECT count(*) FROM outbox w WHERE w.key = o.key AND w.seq > o.seq AND w.parked IS NULL) AS waiting
FROM outbox o LEFT JOIN event e ON e.id = o.event_id
WHERE o.parked IS NOT NULL AND starts_with(o.key, $1) = $2 AND o.seq > $3 ORDER BY o.seq LIMIT $4
"""
_ACTIONS = "SELECT seq, action, actor, reason, acted_at FROM parked_action WHERE seq = ANY($1::bigint[]) ORDER BY id"
_ACT = """
INSERT INTO parked_action (id, seq, event_id, action, actor, reason, acted_at)
SELECT i, o.seq, o.event_id, $3, $4, $5, $6 FROM unnest($1::uuid[], $2::bigint[]) AS x (i, s) JOIN outbox o ON o.seq = x.s
"""
_OPEN = """
SELECT seq FROM outbox WHERE seq = ANY($1::bigint[]) AND parked IS NOT NULL AND NOT starts_with(key, $2)
ORDER BY seq FOR UPDATE
"""
_RETRY = "UPDATE outbox SET parked = NULL WHERE seq = ANY($1::bigint[])"
_GIVE_UP = "UPDATE outbox SET key = $2 || key, parked = $2 || parked WHERE seq = ANY($1::bigint[])"


@dataclass(frozen=True)
class Parked:
    """A parked row with its event, where there is one, and what was decided so far; key and why are as when it was parked."""

    row: Any
    key: str
    why: str
    actions: Sequence[Any]


async def listed(tx: Tx, after: int, most: int, *, given_up: bool) -> list[Parked]:
    """Parked rows after a place in the queue, in its order: those that hold others, or those that were given up."""
    rows = await tx.sql.rows(_LIST, _GIVEN_UP, given_up, after, most)
    done: dict[int, list[Any]] = defaultdict(list)
    for action in await tx.sql.rows(_ACTIONS, [row.seq for row in rows]):
        done[action.seq].append(action)
    return [Parked(row, _before(row.key), _before(row.parked), done[row.seq]) for row in rows]


async def still_parked(tx: Tx, seqs: Sequence[int]) -> list[int]:
    """Those of the rows that are parked and not given up, locked: the relay may go on with some by itself."""
    return await tx.sql.column(_OPEN, list(seqs), _GIVEN_UP)


async def retry(tx: Tx, seqs: Sequence[int]) -> list[int]:
    """Hand rows to the relay again, at once; returns those that were still parked."""
    found = await still_parked(tx, seqs)
    await _act(tx, "retry", found)
    await tx.sql.run(_RETRY, found)
    return found


async def give_up(tx: Tx, seqs: Sequence[int]) -> list[int]:
    """Give rows up: what waits behind them goes on; returns those that were still parked."""
    found = await still_parked(tx, seqs)
    await _act(tx, "give-up", found)
    await tx.sql.run(_GIVE_UP, found, _GIVEN_UP)
    return found


async def _act(tx: Tx, action: Literal["retry", "give-up"], seqs: list[int]) -> None:
    ids = [new_id() for _ in seqs]
    await tx.sql.run(_ACT, ids, seqs, action, tx.cause.actor, tx.cause.reason, tx.recorded_at)


def _before(text: str) -> str:
    """A key or a why, as it was before its row was given up."""
    return text.removeprefix(_GIVEN_UP)
