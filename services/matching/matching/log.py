"""The changes that have come and are not scored yet against every share's demands, in the order of their arrival."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from chassis.record import Record

_BEFORE = -1


class Change(NamedTuple):
    """A listing that changed: the record without its message, and its offset in the topic as it is now, or `_BEFORE` all of it
    where it was on another topic of the same name.
    """

    record: Record
    at: int

    @property
    def partition(self) -> int:
        """Of the topic."""
        return self.record.partition

    def is_seen(self, seen: Mapping[int, int]) -> bool:
        """Whether a share that has seen so much has scored it."""
        return self.at < seen.get(self.partition, _BEFORE)


class Log:
    """Changes, each known by a number that rises by one."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self._first = 0

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def first(self) -> int:
        """Number of the first change that is kept."""
        return self._first

    def add(self, record: Record) -> None:
        """A change more."""
        self._changes.append(Change(record._replace(message=None), record.offset))

    def begin_anew(self) -> None:
        """The topic is another one of the same name: offsets begin anew, and what is kept came before all of it."""
        self._changes = deque(change._replace(at=_BEFORE) for change in self._changes)

    def since(self, number: int) -> Iterator[tuple[int, Change]]:
        """Changes from a number on; none may be added or dropped meanwhile."""
        start = max(number, self._first)
        return ((self._first + place, self._changes[place]) for place in range(start - self._first, len(self._changes)))

    def drop(self, is_done: Callable[[Change], bool]) -> None:
        """Drop changes from the front, as far as they are done with."""
        while self._changes and is_done(self._changes[0]):
            self._changes.popleft()
            self._first += 1


def least(seen: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """What all have seen that have seen so much each."""
    each = list(seen)
    partitions = set().union(*each) if each else set()
    return {partition: min(one.get(partition, 0) for one in each) for partition in partitions}
