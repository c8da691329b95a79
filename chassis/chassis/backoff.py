"""Tries again and again while a part is away: with pauses that grow, and without the same line each time."""

import asyncio
import logging

from prometheus_client import Counter

from chassis import refusals
from chassis.told import Told

log = logging.getLogger(__name__)
FIRST, MOST = 0.2, 3.0  # seconds between two tries
_MORE = 1.25  # times the pause before: what was away for long is noticed later by a quarter of that at most


class Backoff:
    """How one client that is given up is begun anew."""

    def __init__(self, what: str, counter: Counter) -> None:
        self._what = what
        self._counter = counter
        self._pause = FIRST
        self._tries = 0
        self._told = Told()

    async def after(self, error: BaseException) -> None:
        """Count a failure, tell it where it is not known yet, and pause."""
        self._counter.inc()
        self._tries += 1
        trouble = type(error).__name__, refusals.why(error)
        if self._told.is_due(trouble):
            extra = {"error": trouble[0], "why": trouble[1], "tries": self._tries}
            log.warning(f"{self._what}: starting over", extra=extra)
        pause, self._pause = self._pause, min(_MORE * self._pause, MOST)
        await asyncio.sleep(pause)

    def worked(self) -> None:
        """It gets on."""
        if self._tries > 1:
            log.info(f"{self._what}: gets on again", extra={"tries": self._tries})
        self._pause, self._tries = FIRST, 0
        self._told.over()
