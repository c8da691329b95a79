"""Telling the demo's steps with their times, and stopping where something expected did not happen."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table


class UnexpectedError(Exception):
    """Something that the demo expects did not happen."""


class Stage:
    """Where the demo speaks: Chinese first, English beside it."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._number = 0

    @contextmanager
    def step(self, zh: str, en: str) -> Iterator[None]:
        """One step: what it is about, what came of it (`say`), how long it took."""
        self._number += 1
        began = time.monotonic()
        self._console.print(f"\n[bold]{self._number}. {zh}[/bold] · {en}")
        yield
        now = time.monotonic()
        self._console.print(f"   [dim]{now - began:.1f} s · {now - self._began:.1f} s[/dim]")

    def say(self, zh: str, en: str = "") -> None:
        """What came of it."""
        self._console.print(f"   {zh}" + (f" · {en}" if en else ""), markup=False)

    def table(self, headings: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
        """What people would rather look at."""
        found = Table(*headings, box=None, pad_edge=False)
        for row in rows:
            found.add_row(*map(str, row))
        self._console.print(found)

    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began


def expect(condition: object, what: str) -> None:
    """Raises `UnexpectedError` unless it holds."""
    if not condition:
        raise UnexpectedError(what)
