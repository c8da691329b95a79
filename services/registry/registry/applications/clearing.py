"""Contents of erased documents: they go once the erasure is committed, all in the end, and none of one rolled back. What was
uploaded and attached to nothing is erased as well: no application leads to it, and nobody's erasure finds it.
"""

import asyncio
import logging
from datetime import timedelta

from chassis.database import Cause, Database
from chassis.service import Context, Task
from registry.applications import documents
from registry.applications.objects import Objects

log = logging.getLogger(__name__)
_CAUSE = Cause("service:registry", reason="contents of erased documents")
_AFTER_FAILURE = 60.0  # seconds
_UNUSED = Cause("service:registry", reason="30 日内未随申报使用 · attached to nothing for 30 days")
_UNUSED_DAYS = 30  # ours: PIPL art. 19 asks for the shortest time that the purpose needs
_HOURLY = 3600.0  # seconds
_BATCH = 100


def clearing(context: Context, objects: Objects) -> Task:
    """A task that deletes contents every tick, or every minute while some can't be deleted."""

    async def run() -> None:
        while True:
            left = await clear(context.database, objects)
            await asyncio.sleep(_AFTER_FAILURE if left else context.settings.tick_seconds)

    return run


def tidying(context: Context) -> Task:
    """A task that erases every hour what was uploaded and not used."""

    async def run() -> None:
        while True:
            while await tidy(context.database):
                pass
            await asyncio.sleep(_HOURLY)

    return run


async def tidy(database: Database) -> int:
    """Erase some of the documents that have been attached to nothing for long; returns how many those were."""
    async with database.transaction(_UNUSED) as tx:
        found = await documents.unused(tx, database.system_time() - timedelta(days=_UNUSED_DAYS), _BATCH)
        for row in found:
            await documents.forget(tx, row)
    return len(found)


async def clear(database: Database, objects: Objects) -> int:
    """Delete the contents of erased documents; returns how many are left, since they can't be deleted at present.

    A row is marked after its object is gone: what ends in between is done again, and an object that is not there is no error.
    No row is locked while the store is asked: an erased document stays so.
    """
    async with database.transaction(_CAUSE, read_only=True) as tx:
        names = await documents.uncleared(tx)
    left = 0
    for name in names:
        try:
            await objects.delete(name)
        except OSError as error:
            left += 1
            log.warning(
                "documents: the content of an erased one can't be deleted", extra={"document": name, "why": str(error)}
            )
        else:
            async with database.transaction(_CAUSE) as tx:
                await documents.cleared(tx, name)
    return left
