"""Leases 租约: one holder at a time, kept in the database by its own clock.

A lease that is not renewed runs out by itself; each new holder gets a higher epoch. One that ends much later than any can was
given before the database's clock was put back: it is free, lest nobody has it for as long if its holder is gone.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from chassis.database import Database, Tx, why
from chassis.errors import Unavailable
from chassis.ids import new_id
from chassis.told import Told

log = logging.getLogger(__name__)
SECONDS = 3.0
_TAKE = """
INSERT INTO lease (name, holder, epoch, expires_at) VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at,
    epoch = lease.epoch + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END
WHERE lease.holder = excluded.holder
  OR lease.expires_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => 2 * $3)
RETURNING epoch
"""
_KEEP = """
UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $4) WHERE name = $1 AND holder = $2 AND epoch = $3
"""
_GIVE = "UPDATE lease SET expires_at = clock_timestamp() WHERE name = $1 AND holder = $2"
_HELD = "SELECT 1 FROM lease WHERE name = $1 AND holder = $2 AND epoch = $3 FOR SHARE"
_T = TypeVar("_T")


class LeaseLostError(Exception):
    """Another has the lease now."""


class Lease:
    """One named lease, asked for by one holder."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        self.epoch = 0
        self._told = Told()

    async def take(self) -> bool:
        """Take the lease if it is free; says whether it is held now."""
        async with self._database.alone() as sql:
            epoch = await sql.value(_TAKE, self.name, self.holder, SECONDS)
        self.epoch = epoch or 0
        return epoch is not None

    async def keep(self) -> bool:
        """Renew it, also one that has run out if nobody has taken it; False once another has it."""
        async with self._database.alone() as sql:
            return await sql.run(_KEEP, self.name, self.holder, self.epoch, SECONDS) == 1

    async def give(self) -> None:
        """Give it back, so that the next holder need not wait."""
        async with self._database.alone() as sql:
            await sql.run(_GIVE, self.name, self.holder)

    async def wait(self, level: int = logging.INFO) -> None:
        """Wait until the lease is held; says once, on this level, that another has it."""
        waited = False
        while True:
            try:
                is_held = await self.take()
                self._told.over()
                if is_held:
                    return
                if not waited:
                    log.log(level, "lease is held by another", extra={"lease": self.name})
                    waited = True
            except Unavailable as error:
                self._away(error)
            await asyncio.sleep(0.25)

    async def hold(self) -> None:
        """Renew it until cancelled. Raises `LeaseLostError` once another has it."""
        while True:
            await asyncio.sleep(SECONDS / 3)
            try:
                is_held = await self.keep()
                self._told.over()
                if not is_held:
                    raise LeaseLostError(self.name)
            except Unavailable as error:
                self._away(error)

    def _away(self, error: Unavailable) -> None:
        """Tell why, once for each cause: it is tried again many times a minute."""
        if self._told.is_due(why(error)):
            log.warning("lease: database away", extra={"lease": self.name, "why": why(error)})

    async def during(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Hold it while something is done, however long that takes. Where it is lost, that is cancelled, and `LeaseLostError`
        raised. A process that was stopped meanwhile learns it late: what nobody else may do beside it asks `guard` as well.
        """
        doing, holding = asyncio.ensure_future(work), asyncio.create_task(self.hold())
        try:
            await asyncio.wait({doing, holding}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                holding.result()
            return doing.result()
        finally:
            for task in (doing, holding):
                task.cancel()
            await asyncio.wait({doing, holding})

    async def guard(self, tx: Tx) -> None:
        """Nobody else gets it before this transaction ends. Raises `LeaseLostError`."""
        if await tx.sql.value(_HELD, self.name, self.holder, self.epoch) is None:
            raise LeaseLostError(self.name)
