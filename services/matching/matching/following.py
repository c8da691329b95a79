"""From the topic of listings into the index: every replica follows the whole of it, in no transaction.

What a record says of a listing counts where it is newer than what is known; what changed is kept in the log until every share
has scored it. Where the topic is made anew, or loses its end, what the log held becomes rows of the database: offsets tell
nothing of it any more, and another replica may not have read it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.handling import Ends
from chassis.record import Record
from matching import again
from matching.entry import Entry, Gone, version_of
from matching.index import Index
from matching.log import Log
from matching.mapping import entry_of, gone_in, published_in
from matching.meanings import Meanings
from matching.shares import Shares

_AT_ONCE = 32  # records whose texts are embedded together, and then in the index
_SOON = 2.0  # seconds after which a call may be tried again that came before all was read


class Following:
    """The follower of the topic; see `chassis.handling.Follower`."""

    def __init__(
        self,
        index: Index,
        meanings: Meanings,
        shares: Shares,
        load: Callable[[str], dict[int, int]],
        database: Database,
    ) -> None:
        """`load` fills the index with what was kept of a topic, and says where it goes on."""
        self.index = index
        self.log = Log()
        self.places: dict[int, int] = {}
        """Partition → offset up to which the index holds everything."""
        self.topic = ""
        self.is_live = False
        """Whether it is given what comes: what it holds is all that there is, but for what is on its way."""
        self.still_at = 0.0
        """When the topic was last known to be what it had been at the beginning (`time.monotonic`)."""
        self.is_caught_up = asyncio.Event()
        self.woken = asyncio.Event()
        """Set with every change."""
        self._meanings = meanings
        self._shares = shares
        self._load = load
        self._database = database
        self._seen: dict[int, int] = {}
        self._is_anew = False
        self._lost: dict[str, frozenset[int]] = {}  # of a topic: known before a part was away, and may not show a second time
        self._next: dict[int, int] = {}  # where it reads on: behind the index, where a share is
        self._unsure: deque[tuple[float, Record]] = deque()  # taken since the topic was last known to be what it was, and when

    async def beginning(self, topic: UUID, ends: Ends) -> Mapping[int, int]:
        """See `Follower`: where it stopped; at a start, where the share that is furthest behind did."""
        self.is_live = False  # until it has caught up, nothing is scored
        name, is_start = str(topic), not self.topic
        is_anew = not is_start and self.topic != name
        if is_start:
            self.places = self._load(name)
        lost = self._lost.get(name, frozenset()) | await self._shares.lost(name, {} if is_anew else self.places, ends)
        if lost:
            self._lost = {name: lost}
            await self._shares.cut(name, lost)
        seen = await self._shares.seen_by_all(name) if is_start else self._seen
        await self._leave(lambda number: is_anew or number in lost)
        if is_anew:
            self.places, self._seen, self._next, self._is_anew = {}, {}, {}, True
        else:
            self._seen = seen
            if is_start:
                self._next = {number: max(0, min(place, seen.get(number, 0))) for number, place in self.places.items()}
            for places in (self.places, self._seen, self._next):
                for number in lost:  # where its end was is not known: what others have written there is read anew
                    places.pop(number, None)
        self.topic, self._lost = name, {}
        return self._next

    def was_still(self, at: float) -> None:
        """See `Follower`."""
        self.still_at = at
        while self._unsure and self._unsure[0][0] < at:
            self._unsure.popleft()

    async def _leave(self, is_of: Callable[[int], bool]) -> None:
        """Of some partitions offsets mean nothing any more: what is not scored yet, and what came before that was known and
        may have been taken for seen, is left for the shares as rows.
        """
        unsure = [record for _, record in self._unsure if is_of(record.partition)]
        versions: dict[str, int] = {}
        for record in [*self.log.of(is_of), *unsure]:
            versions[record.key] = max(record.version, versions.get(record.key, 0))
        async with self._database.alone() as sql:
            await again.left(sql, versions)
        self.log.drop_of(is_of)
        self._unsure = deque(one for one in self._unsure if not is_of(one[1].partition))

    async def take(self, records: Sequence[Record]) -> None:
        """See `Follower`. While some go into the index, the texts of the next are embedded."""
        chunks = [records[start : start + _AT_ONCE] for start in range(0, len(records), _AT_ONCE)]
        ahead: asyncio.Task[list[_State]] | None = None
        try:
            for number, chunk in enumerate(chunks):
                states = await (ahead or self._measured(chunk))
                following = chunks[number + 1 : number + 2]
                ahead = asyncio.create_task(self._measured(following[0])) if following else None
                for record, state in zip(chunk, states, strict=True):
                    self._put(record, state)
                self.woken.set()
                await asyncio.sleep(0)
        finally:
            if ahead:
                ahead.cancel()

    def caught_up(self) -> None:
        """See `Follower`."""
        self.is_live = True
        self.is_caught_up.set()
        self.woken.set()

    def require_all(self) -> None:
        """Raises `Unavailable` until the index has all that was on the topic when this process began: a part of it would be
        taken for the whole.
        """
        if not self.is_caught_up.is_set():
            raise Unavailable(
                "索引正在读取已有的供需信息，读完前不回答；请稍后重试",
                "the index is still being read from what was published before; try again shortly",
                _SOON,
            )

    def stopped(self) -> None:
        """See `Follower`."""
        self.is_live = False

    async def _measured(self, records: Sequence[Record]) -> "list[_State]":
        """What they make of their listings, with the vectors of those that are published."""
        states = [_state_of(record) for record in records]
        vectors = iter(await self._meanings.of([one.passage for one in states if isinstance(one, Entry)]))
        return [one.measured(next(vectors)) if isinstance(one, Entry) else one for one in states]

    def _put(self, record: Record, state: "_State") -> None:
        if state is not None:
            version = self._held(record, state)
            if self._is_news(record, version):
                self.log.add(record)
            if record.version >= version:
                self._unsure.append((time.monotonic(), record._replace(message=None)))
        for places in (self.places, self._next):
            places[record.partition] = max(record.offset + 1, places.get(record.partition, 0))

    def version(self, listing: str) -> int:
        """What version of a listing the index has; 0 where it has never heard of it, or is asked of none."""
        return version_of(self.index.known(listing))

    def _held(self, record: Record, state: Entry | Gone) -> int:
        """Have the index hold it where it is newer; returns the version that was known."""
        version = self.version(record.key)
        if record.version > version:
            if isinstance(state, Entry):
                self.index.put(state)
            else:
                self.index.remove(record.key, state)
        return version

    async def recall(self, records: Sequence[Record]) -> None:
        """Have the index hold what could not be taken when it came. Offsets say nothing of it: they may be another topic's."""
        for record, state in zip(records, await self._measured(records), strict=True):
            if state is not None:
                self._held(record, state)

    def _is_news(self, record: Record, version: int) -> bool:
        """Whether some share has not scored it. On a topic that was made anew, what is known already was on the old one, and
        is scored, or left to be.
        """
        is_newer = record.version > version or (record.version == version and not self._is_anew)
        return is_newer and record.offset >= self._seen.get(record.partition, 0)


_State = Entry | Gone | None
"""What a record makes of a listing; None for a draft, which was never published."""


def _state_of(record: Record) -> _State:
    listing = published_in(record)
    return entry_of(listing, record.version) if listing else gone_in(record)
