"""The changes that have come and are not scored yet against every share's demands, in the order of their arrival."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from chassis.record import Record


class Log:
    """Changes, each a record without its message, known by a number that rises by one."""

    def __init__(self) -> None:
        self._changes: deque[Record] = deque()
        self._first = 0

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def first(self) -> int:
        """Number of the first change that is kept."""
        return self._first

    def add(self, record: Record) -> None:
        """A change more."""
        self._changes.append(record._replace(message=None))

    def of(self, is_of: Callable[[int], bool]) -> list[Record]:
        """The changes of some partitions."""
        return [change for change in self._changes if is_of(change.partition)]

    def drop_of(self, is_of: Callable[[int], bool]) -> None:
        """Drop the changes of some partitions; those that stay get new numbers, behind all that were given."""
        self._first += len(self._changes)
        self._changes = deque(change for change in self._changes if not is_of(change.partition))

    def since(self, number: int) -> Iterator[tuple[int, Record]]:
        """Changes from a number on; none may be added or dropped meanwhile."""
        start = max(number, self._first)
        return ((self._first + place, self._changes[place]) for place in range(start - self._first, len(self._changes)))

    def drop(self, is_done: Callable[[Record], bool]) -> None:
        """Drop changes from the front, as far as they are done with."""
        while self._changes and is_done(self._changes[0]):
            self._changes.popleft()
            self._first += 1


def is_seen(change: Record, seen: Mapping[int, int]) -> bool:
    """Whether a share that has seen so much has scored it."""
    return change.offset < seen.get(change.partition, 0)


def least(seen: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """What all have seen that have seen so much each."""
    each = list(seen)
    partitions = set().union(*each) if each else set()
    return {partition: min(one.get(partition, 0) for one in each) for partition in partitions}
