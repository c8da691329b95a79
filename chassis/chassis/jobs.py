"""Jobs 作业 that operators ask for: replay of a topic, rebuild of a group, fence after a restore.

Kept for good with actor and reason. Each order is a job of its own, worked off one after the other: what an open one has done
may have been lost since with the topic. Operators may cancel one, but for a fence.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from chassis.database import Tx
from chassis.errors import Precondition
from chassis.ids import new_id

Kind = Literal["replay", "rebuild", "fence"]
_START = """
INSERT INTO job (id, kind, subject, actor, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_NEXT = "SELECT * FROM job WHERE kind = $1 AND finished_at IS NULL ORDER BY id LIMIT 1"
_GET = "SELECT * FROM job WHERE id = $1"
_LOCK = f"{_GET} FOR UPDATE"
_LIST = """
SELECT * FROM job WHERE (finished_at IS NULL OR NOT $1) AND id < $2 ORDER BY id DESC LIMIT $3
"""
_PROGRESS = """
UPDATE job SET position = $2, records = records + $3, failed = failed + $4, removed = removed + $5 WHERE id = $1
"""
_AGAIN = "UPDATE job SET position = '', records = 0, failed = 0, removed = 0 WHERE id = $1"
_FINISH = """
UPDATE job SET finished_at = $2, removed = removed + $3, failure = $4 WHERE id = $1 AND finished_at IS NULL
"""
LAST = UUID(int=2**128 - 1)
"""Beyond every id."""


class EndedError(Exception):
    """A job that is worked on has ended meanwhile: an operator has cancelled it."""


async def start(tx: Tx, kind: Kind, subject: str, reason: str) -> UUID:
    """Set up a job, worked off soon after the transaction commits."""
    made = new_id()
    await tx.sql.run(_START, made, kind, subject, tx.cause.actor, reason, tx.recorded_at)
    return made


async def get(tx: Tx, identifier: UUID) -> Any:
    """One job's row; None for an unknown one."""
    return await tx.sql.row(_GET, identifier)


async def next_open(tx: Tx, kind: Kind) -> Any:
    """The oldest unfinished job of a kind; None where there is none."""
    return await tx.sql.row(_NEXT, kind)


async def listed(tx: Tx, before: UUID, most: int, *, only_open: bool) -> Sequence[Any]:
    """Jobs before one, newest first; all of them, or those that have not ended."""
    return await tx.sql.rows(_LIST, only_open, before, most)


async def cancellable(tx: Tx, identifier: UUID) -> Any:
    """A job's row, locked; None for an unknown one. Raises `Precondition` for one that has ended, and for a fence."""
    row = await tx.sql.row(_LOCK, identifier)
    if row is not None and row.finished_at is not None:
        raise Precondition("JOB_ENDED", f"作业 {identifier} 已经结束", f"job {identifier} has ended")
    if row is not None and row.kind == "fence":
        raise Precondition(
            "JOB_FENCE",
            "恢复栅栏不能取消，做了一半比没做更糟；请再次执行 restore-fence 直到完成",
            "a restore fence can't be cancelled, half of one is worse than none: run restore-fence again, to its end",
        )
    return row


async def cancel(tx: Tx, identifier: UUID) -> None:
    """End a job for its canceller's reason; what works on it stops at its next step."""
    await finish(tx, identifier, failure=f"已取消 · cancelled by {tx.cause.actor}: {tx.cause.reason}")


async def check_open(tx: Tx, identifier: UUID) -> None:
    """Raises `EndedError` where a job has ended."""
    if (await get(tx, identifier)).finished_at is not None:
        raise EndedError


async def progress(tx: Tx, identifier: UUID, position: str, records: int, failed: int = 0, removed: int = 0) -> None:
    """Write down what a step did."""
    await tx.sql.run(_PROGRESS, identifier, position, records, failed, removed)


async def begin(tx: Tx, identifier: UUID) -> None:
    """A job that cannot go on where a crash left it begins anew."""
    await tx.sql.run(_AGAIN, identifier)


async def finish(tx: Tx, identifier: UUID, removed: int = 0, failure: str = "") -> None:
    """End a job, having removed so many more rows; one that has ended stays as it is."""
    await tx.sql.run(_FINISH, identifier, tx.recorded_at, removed, failure)
