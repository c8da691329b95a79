"""Statements in the driver's own words: fixed texts with `$1, $2, …`.

Where a statement is always the same, having SQLAlchemy run it takes as much CPU as PostgreSQL takes to answer. What is
put together from parts stays SQLAlchemy's (`Tx.conn`, `Tx.session`).
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from asyncpg.transaction import Transaction

_T = TypeVar("_T")
_ROLLBACK = 2.0  # seconds in which a ROLLBACK has to be answered
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


class Row(asyncpg.Record):
    """A row whose columns are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Statements:
    """What one connection is asked, in the transaction that it is in."""

    def __init__(self, driver: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._driver = driver

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[None]:
        """A transaction, or a savepoint in the one that is open: ends with COMMIT, or with ROLLBACK on any exception.

        Where the end is not known, because there was no answer or nobody waited for it, the connection is given up, with which
        PostgreSQL rolls back by itself: the next user would find it in the middle of something.
        """
        begun = self._driver.transaction(readonly=read_only)
        with self.given_up_on(BaseException):
            await begun.start()
        try:
            yield
        except BaseException:
            await self._roll_back(begun)
            raise
        with self.given_up_on(BaseException):
            await begun.commit()

    async def _roll_back(self, begun: Transaction) -> None:
        with suppress(*_LOST), self.given_up_on(BaseException):
            async with asyncio.timeout(_ROLLBACK):
                await begun.rollback()

    @contextmanager
    def given_up_on(self, *errors: type[BaseException]) -> Iterator[None]:
        """Give the connection up on one of these errors, which goes on."""
        try:
            yield
        except errors:
            self._driver.terminate()
            raise

    async def rows(self, statement: str, *values: object) -> list[Row]:
        """All rows."""
        return await self._driver.fetch(statement, *values, record_class=Row)

    async def row(self, statement: str, *values: object) -> Row | None:
        """The first row."""
        return await self._driver.fetchrow(statement, *values, record_class=Row)

    async def column(self, statement: str, *values: object) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in await self._driver.fetch(statement, *values)]

    async def pairs(self, statement: str, *values: object) -> dict[Any, Any]:
        """The first column → the second, of all rows."""
        return {row[0]: row[1] for row in await self._driver.fetch(statement, *values)}

    async def value(self, statement: str, *values: object) -> Any:
        """The first column of the first row; None where there is none."""
        return await self._driver.fetchval(statement, *values)

    async def run(self, statement: str, *values: object) -> int:
        """Run it; returns how many rows were written."""
        status = await self._driver.execute(statement, *values)
        number = status.rpartition(" ")[2]
        return int(number) if number.isdecimal() else 0

    async def run_each(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run it for each row of values, all in one go."""
        if rows:
            await uninterrupted(self._driver.executemany(statement, rows))


async def uninterrupted(sending: Coroutine[Any, Any, _T]) -> _T:
    """Await to its end what sends many rows, also where the waiting task is cancelled meanwhile; that is raised afterwards.

    asyncpg 0.32 answers a cancellation while it sends by waiting for the reply to what it has not sent: the connection, and
    all locks with it, would be held until the statement's timeout.
    """
    task, cancelled = asyncio.ensure_future(sending), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
    return task.result()
