"""Leases 租约: one holder at a time, kept in the database by its own clock.

A lease that is not renewed runs out by itself; each new holder gets a higher epoch.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.ids import new_id

log = logging.getLogger(__name__)
SECONDS = 3.0
_TAKE = text(
    """
    INSERT INTO lease (name, holder, epoch, expires_at)
    VALUES (:name, :holder, 1, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, expires_at = excluded.expires_at,
        epoch = lease.epoch + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END
    WHERE lease.holder = excluded.holder OR lease.expires_at < clock_timestamp()
    RETURNING epoch
    """
)
_KEEP = text(
    """
    UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE name = :name AND holder = :holder AND epoch = :epoch
    """
)
_GIVE = text("UPDATE lease SET expires_at = clock_timestamp() WHERE name = :name AND holder = :holder")


class Lease:
    """One named lease, asked for by one holder."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        self.epoch = 0

    async def take(self) -> bool:
        """Take the lease if it is free; says whether it is held now."""
        async with self._database.alone() as conn:
            values = {"name": self.name, "holder": self.holder, "seconds": SECONDS}
            epoch = (await conn.execute(_TAKE, values)).scalar()
        self.epoch = epoch or 0
        return epoch is not None

    async def keep(self) -> bool:
        """Renew it, also one that has run out if nobody has taken it; False once another has it."""
        async with self._database.alone() as conn:
            values = {"name": self.name, "holder": self.holder, "epoch": self.epoch, "seconds": SECONDS}
            return (await conn.execute(_KEEP, values)).rowcount == 1

    async def give(self) -> None:
        """Give it back, so that the next holder need not wait."""
        async with self._database.alone() as conn:
            await conn.execute(_GIVE, {"name": self.name, "holder": self.holder})

    async def wait(self) -> None:
        """Wait until the lease is held."""
        waited = False
        while True:
            try:
                if await self.take():
                    return
            except Unavailable:
                log.warning("lease: database away", extra={"lease": self.name})
            if not waited:
                log.info("lease is held by another", extra={"lease": self.name})
                waited = True
            await asyncio.sleep(0.25)

    async def hold(self, lost: Callable[[], Awaitable[None]]) -> None:
        """Renew until cancelled; calls `lost` once, and ends, when the lease is gone."""
        while True:
            await asyncio.sleep(SECONDS / 3)
            try:
                if not await self.keep():
                    await lost()
                    return
            except Unavailable:
                log.warning("lease: database away", extra={"lease": self.name})
