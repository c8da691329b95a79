"""Sweeps 巡检: work that falls due by the business clock, done in small transactions."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.database import Cause
from chassis.service import Context, Task

Work = Callable[..., Awaitable[int]]
"""Takes a `Tx` and does one batch; returns how many rows it changed, 0 when nothing is due."""


def sweep(context: Context, actor: str, work: Work, *, every: float | None = None) -> Task:
    """A task that does `work` batch by batch until nothing is due, and looks again every tick."""
    pause = every if every is not None else context.settings.tick_seconds

    async def run() -> None:
        while True:
            async with context.database.transaction(Cause(actor)) as tx:
                done = await work(tx)
            if not done:
                await asyncio.sleep(pause)

    return run
