"""The changes that have come and are not scored yet against every share's demands, in the order of their arrival."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from chassis.record import Record


class Change(NamedTuple):
    """A listing that changed: the record without its message, and its offset in the topic as it is now; below 0 where it was
    on another topic of the same name.
    """

    record: Record
    at: int

    @property
    def partition(self) -> int:
        """Of the topic."""
        return self.record.partition

    def is_seen(self, seen: Mapping[int, int]) -> bool:
        """Whether a share that has seen so much has scored it."""
        return self.partition in seen and self.at < seen[self.partition]


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

    def begin_anew(self, is_of: Callable[[int], bool]) -> None:
        """Offsets of some partitions begin anew, as those of another topic of the same name; what is kept came before all."""
        before = Counter(change.partition for change in self._changes if is_of(change.partition))
        renumbered: deque[Change] = deque()
        for change in self._changes:
            if is_of(change.partition):
                renumbered.append(change._replace(at=-before[change.partition]))
                before[change.partition] -= 1
            else:
                renumbered.append(change)
        self._changes = renumbered

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
