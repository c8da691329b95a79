"""Statements in the driver's own words: fixed texts with `$1, $2, …`.

Where a statement is always the same, having SQLAlchemy run it takes as much CPU as PostgreSQL takes to answer. What is
put together from parts, or belongs to a service's tables, stays SQLAlchemy's (`Tx.conn`, `Tx.session`).
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg


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

    def transaction(self, *, read_only: bool = False) -> AbstractAsyncContextManager[object]:
        """A transaction, or a savepoint in the one that is open: ends with COMMIT, or with ROLLBACK on any exception."""
        return self._driver.transaction(readonly=read_only)

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

    async def run_each(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run it for each row of values, all in one go."""
        await self._driver.executemany(statement, rows)
