"""Waiting for what comes about by itself, and work that goes on meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

PATIENCE = 60.0  # seconds
_LOOK = 0.05


async def until(look: Callable[[], object], within: float = PATIENCE) -> None:
    """Look until there is something; raises TimeoutError where there is not in time."""
    async with asyncio.timeout(within):
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(_LOOK)


@asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Work that goes on until the end of the block."""
    tasks = [asyncio.ensure_future(one()) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
