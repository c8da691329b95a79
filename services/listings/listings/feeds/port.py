"""The port: what an exchange with an outside system is, however it is carried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.errors import Violation

LIMIT = 500  # records in one exchange, at most


class ExchangeError(Exception):
    """An exchange came to nothing; says why, in Chinese and English, free of what the other end said."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class Record:
    """A record in one version; `data` is None for one that is gone. `line` is where it stood, from 1; 0 on the way out."""

    key: str
    version: int
    data: Mapping[str, Any] | None
    line: int = 0


@dataclass(frozen=True)
class Flaw:
    """A record that can't be read, and why; `digest` (`keys.stand_in`) tells it from others where it has no key."""

    line: int
    key: str
    version: int
    digest: str
    problem: Violation


@dataclass(frozen=True)
class Page:
    """What came in one exchange."""

    records: Sequence[Record]
    flaws: Sequence[Flaw]
    cursor: str
    more: bool


@dataclass(frozen=True)
class Batch:
    """What goes out in one exchange."""

    records: Sequence[Record]
    since: str
    cursor: str
    more: bool


class Inbound(Protocol):
    """The other end of a feed IN."""

    async def page(self, since: str, limit: int) -> Page:
        """Records that changed after a cursor ("" = the first). Raises `ExchangeError`."""


class Outbound(Protocol):
    """The other end of a feed OUT."""

    async def deliver(self, batch: Batch) -> str:
        """Have a batch taken; returns the cursor up to which everything is. Raises `ExchangeError`."""


class Peer(Inbound, Outbound, Protocol):
    """The other end of a feed."""
