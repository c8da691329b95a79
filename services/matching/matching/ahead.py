"""The topic of listings once more, read by each replica as fast as it comes: what narrows who may see one counts at once.

What the index holds follows behind (`matching.following`), since texts have to become vectors first; until it does, what was
learned here decides whom search shows it to (`matching.newer`). Scoring goes by the index alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis.handling import Ends
from chassis.record import Record
from chassis.relay import BATCH
from matching.index import Index
from matching.mapping import gone_in, published_in
from matching.newer import Audience

_AT_ONCE = 32  # records between two turns of others


class Ahead:
    """The follower; see `chassis.handling.Follower`."""

    def __init__(self, index: Index) -> None:
        self.places: dict[int, int] = {}
        """Partition → offset up to which everything was read."""
        self._index = index
        self._topic: UUID | None = None

    async def beginning(self, topic: UUID, ends: Ends) -> Mapping[int, int]:
        """See `Follower`: where it stopped; at a start, at the end, which the index reaches before any call is taken. What a
        transaction that is still open holds lies before that end.
        """
        reached = await ends()
        if self._topic is None:
            self.places = {number: max(0, end - BATCH) for number, end in reached.items()}
        elif topic != self._topic:
            self.places = {}
        else:
            self.places = {number: place for number, place in self.places.items() if place <= reached.get(number, 0)}
        self._topic = topic
        return self.places

    def was_still(self, at: float) -> None:
        """See `Follower`; nothing is counted by offsets."""

    async def take(self, records: Sequence[Record]) -> None:
        """See `Follower`."""
        for number, record in enumerate(records, 1):
            self.learn(record)
            self.places[record.partition] = max(record.offset + 1, self.places.get(record.partition, 0))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def learn(self, record: Record) -> None:
        """What a record says of who may see its listing."""
        listing = published_in(record)
        if listing or gone_in(record):
            self._index.newer.learn(record.key, record.version, Audience.of(listing) if listing else None)

    def caught_up(self) -> None:
        """See `Follower`."""

    def stopped(self) -> None:
        """See `Follower`; what was learned stays true."""
