"""Listings as tables: the columns of the template, so that they can be imported again, and what else is good to know of them.

A workbook has a sheet a kind; CSV holds one kind; JSON Lines holds the contract's JSON, one listing a line.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance_cli import naming
from alliance_cli.files import whole, written
from alliance_cli.formulas import guarded
from alliance_cli.output import as_json, instant
from intake import contract, template
from intake.cells import Cell, shown
from intake.contract import Column

if TYPE_CHECKING:
    from alliance_cli.workbook import Book

FORMATS = ("xlsx", "csv", "jsonl")


class Export(Protocol):
    """A file of listings under way."""

    def add(self, listings: Sequence[pb.Listing]) -> None:
        """Write a page of listings."""


@contextmanager
def opened(form: str, file: Path | None, kind: int) -> Iterator[Export]:
    """A file of this form, whole or not at all, or standard output without one; `kind` is what a CSV file holds.

    Raises OSError.
    """
    if form == "xlsx" and file:
        from alliance_cli.workbook import Book  # slow to load

        with whole(file) as part, Book(part) as book:
            export = _Workbook(book)
            yield export
            export.close()
    elif file is None:
        yield _lines(form, sys.stdout, kind)
    else:
        encoding = "utf-8-sig" if form == "csv" else "utf-8"
        with whole(file) as part, TextIOWrapper(written(part), encoding=encoding, newline="") as stream:
            yield _lines(form, stream, kind)


def _lines(form: str, stream: IO[str], kind: int) -> Export:
    return _Csv(stream, kind) if form == "csv" else _JsonLines(stream)


class _Workbook:
    """A sheet a kind, in the order in which they come."""

    def __init__(self, book: "Book") -> None:
        from alliance_cli.workbook import Table  # slow to load

        self._book, self._names = book, _Names()
        self._table, self._tables = Table, dict[int, Table]()

    def add(self, listings: Sequence[pb.Listing]) -> None:
        """See `Export`."""
        self._names.learn(listings)
        for listing in listings:
            self._of(listing.kind).append(_cells(listing, self._names))

    def close(self) -> None:
        """Write the file."""
        if not self._tables:  # a workbook has to have a sheet
            with self._book.rows():
                self._book.book.add_worksheet()
        self._book.close()

    def _of(self, kind: int) -> Any:
        from alliance_cli.templates import head

        if kind not in self._tables:
            columns, extras = contract.columns(kind), template.extras()
            begin = partial(head, self._book, columns=columns, extras=extras)
            self._tables[kind] = self._table(self._book, contract.kind_label(kind), begin)
        return self._tables[kind]


class _Csv:
    """Listings of one kind."""

    def __init__(self, stream: IO[str], kind: int) -> None:
        self._stream, self._names = stream, _Names()
        self._writer = csv.writer(stream)
        self._writer.writerow([column.zh for column in _columns(kind)])

    def add(self, listings: Sequence[pb.Listing]) -> None:
        """See `Export`."""
        self._names.learn(listings)
        for listing in listings:
            cells = _cells(listing, self._names)
            self._writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in cells])


class _JsonLines:
    """Listings as the contract has them."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def add(self, listings: Sequence[pb.Listing]) -> None:
        """See `Export`."""
        self._stream.writelines(f"{json.dumps(as_json(listing), ensure_ascii=False)}\n" for listing in listings)


def _columns(kind: int) -> list[Column]:
    return [*contract.columns(kind), *template.extras()]


def _cells(listing: pb.Listing, names: "_Names") -> list[Cell]:
    return [
        instant(listing.publish_time) if column.path == "publish_time" else shown(listing, column.path, names)
        for column in _columns(listing.kind)
    ]


def details(listing: pb.Listing) -> list[tuple[str, str, Cell]]:
    """The details of its kind that say something, as an export writes them: the contract's name, the field's, the value."""
    names, field = _Names(), contract.details(listing.kind)
    names.learn([listing])
    said = {f"{field}.{leaf.name}" for leaf, _ in getattr(listing, field).ListFields()}
    return [
        (one.zh, one.path.removeprefix(f"{field}."), shown(listing, one.path, names))
        for one in contract.columns(listing.kind)
        if ".".join(one.path.split(".")[:2]) in said
    ]


class _Names:
    """Display names of bodies and organizations, asked for a page at a time."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, listings: Iterable[pb.Listing]) -> None:
        """Look up the organizations that listings name and that are not known yet."""
        wanted = {name for listing in listings for name in _organizations(listing)}
        self._known |= naming.display_names(wanted.difference(self._known))

    def __call__(self, name: str) -> str:
        return naming.body_names().get(name, "") if name.startswith("bodies/") else self._known.get(name, "")


def _organizations(listing: pb.Listing) -> Iterable[str]:
    for column in _columns(listing.kind):
        if column.known.format == field_pb2.TEXT_FORMAT_ORGANIZATION:
            holder: Any = listing
            *steps, last = column.path.split(".")
            for step in steps:
                holder = getattr(holder, step)
            value = getattr(holder, last)
            yield from value if column.leaf.is_repeated else [value]
