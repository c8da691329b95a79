"""Reviews that are past their day: counted, and told of once, by the business clock."""

from datetime import date

from chassis.clock import business_date
from chassis.database import Tx
from matching import metrics
from matching.domain.reviews import State
from matching.reviews import store

_BATCH = 200


class Overdue:
    """What one process knows of them: of a day on which all were told of, nothing is to be looked for any more."""

    def __init__(self) -> None:
        self._told_on: date | None = None

    async def sweep(self, tx: Tx) -> int:
        """One batch of those of which nobody was told; returns how many there were."""
        today = business_date(tx.now)
        metrics.REVIEWS_OVERDUE.set(await store.count_overdue(tx, today))
        names = await self._untold(tx, today)
        for name in names:
            await _tell(tx, name)
        if not names:
            self._told_on = today
        return len(names)

    async def due(self, tx: Tx) -> int:
        """How many there are of which nobody was told yet, a batch at most."""
        return len(await self._untold(tx, business_date(tx.now)))

    async def _untold(self, tx: Tx, today: date) -> list[str]:
        return [] if today == self._told_on else await store.untold(tx, today, _BATCH)


async def _tell(tx: Tx, name: str) -> None:
    """Tell of one, unless it was settled meanwhile, or another replica was first: that is known once its row is locked."""
    row = await store.get(tx, name, lock=True)
    if row and row.state == State.REQUESTED and not await store.is_told(tx, name):
        row.version += 1
        await store.write(tx, row, "overdue")
