"""Ids 标识: UUIDv7 (RFC 9562), rising within a process, so that rows of one time lie together."""

import os
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

_MASK_12 = 0xFFF
_MASK_62 = (1 << 62) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Generator:
    """48 bits of milliseconds, 12 bits of counter within the millisecond, 62 random bits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = 0
        self._counter = 0

    def next(self) -> uuid.UUID:
        """The next id; greater than every id before it in this process, also when the system clock steps back."""
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._millisecond:
                self._millisecond, self._counter = now, 0
            elif self._counter < _MASK_12:
                self._counter += 1
            else:
                self._millisecond, self._counter = self._millisecond + 1, 0
            high = (self._millisecond << 16) | (7 << 12) | self._counter
        random = int.from_bytes(os.urandom(8), "big") & _MASK_62
        return uuid.UUID(int=(high << 64) | (2 << 62) | random)


_generator = _Generator()


def new_id() -> uuid.UUID:
    """A new UUIDv7."""
    return _generator.next()


def first_id(instant: datetime) -> uuid.UUID:
    """The lowest UUIDv7 of an instant's millisecond; a bound for ranges of ids."""
    milliseconds = (instant - _EPOCH) // timedelta(milliseconds=1)
    return uuid.UUID(int=milliseconds << 80)


def resource(collection: str) -> str:
    """A new resource name (AIP-122), e.g. `listings/0190…`."""
    return f"{collection}/{new_id()}"


def id_of(name: str) -> str:
    """The last segment of a resource name."""
    return name.rsplit("/", 1)[-1]
