"""Jobs 作业 that operators ask for: replay of a topic, rebuild of a group, fence after a restore.

Kept for good with actor and reason. Each order is a job of its own, worked off one after the other: what an open one has done
may have been lost since with the topic.
"""

from typing import Any, Literal
from uuid import UUID

from chassis.database import Tx
from chassis.ids import new_id

Kind = Literal["replay", "rebuild", "fence"]
_START = """
INSERT INTO job (id, kind, subject, actor, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_NEXT = "SELECT * FROM job WHERE kind = $1 AND finished_at IS NULL ORDER BY id LIMIT 1"
_GET = "SELECT * FROM job WHERE id = $1"
_PROGRESS = "UPDATE job SET position = $2, records = records + $3, failed = failed + $4 WHERE id = $1"
_AGAIN = "UPDATE job SET position = '', records = 0, failed = 0, removed = 0 WHERE id = $1"
_FINISH = "UPDATE job SET finished_at = $2, removed = $3, failure = $4 WHERE id = $1"


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


async def progress(tx: Tx, identifier: UUID, position: str, records: int, failed: int = 0) -> None:
    """Write down what a step did."""
    await tx.sql.run(_PROGRESS, identifier, position, records, failed)


async def begin(tx: Tx, identifier: UUID) -> None:
    """A job that cannot go on where a crash left it begins anew."""
    await tx.sql.run(_AGAIN, identifier)


async def finish(tx: Tx, identifier: UUID, removed: int = 0, failure: str = "") -> None:
    """End a job."""
    await tx.sql.run(_FINISH, identifier, tx.recorded_at, removed, failure)
