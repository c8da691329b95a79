"""What became of every row of an import: a list in CSV, or the imported table again with what was refused marked.

The list is there row by row, also of an import that is killed; a workbook is there when it is whole. Until there is a first
receipt, and where a workbook does not become whole, what was there before stays.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import rows
from alliance_cli.files import renamed, whole, written
from alliance_cli.formulas import guarded
from alliance_cli.output import short
from alliance_cli.rows import Line
from intake import Mapping
from intake.template import RECEIPT

outcome_of = short(rpc.ImportOutcome, "IMPORT_OUTCOME_")
_HEADINGS = ("row", "external_key", "outcome", "listing", "field", "rule", "message_zh", "message_en")
_OUTCOMES = {
    rpc.IMPORT_OUTCOME_ACCEPTED: "新增",
    rpc.IMPORT_OUTCOME_REVISED: "修订",
    rpc.IMPORT_OUTCOME_UNCHANGED: "未变",
    rpc.IMPORT_OUTCOME_REFUSED: "拒收",
    rpc.IMPORT_OUTCOME_PUBLISHED: "发布",
    rpc.IMPORT_OUTCOME_WITHDRAWN: "撤回",
}
_NOTED = 5_000  # cells that get a comment: a workbook holds them in memory, and opens slowly with more
_REFUSED_CELL, _REFUSED_ROW, _FLAGGED_CELL = {"bg_color": "#FF9C9C"}, {"bg_color": "#FFE4E4"}, {"bg_color": "#FFE699"}


@dataclass(frozen=True)
class Settled:
    """A line of the imported file and what became of it.

    Attributes:
        line: its cells; empty for a listing that is in no line any more.
        receipt: None for a line that is no data.
        columns: the very columns that could not be read, of the problem at their place; more problems are the service's.
    """

    line: Line
    receipt: rpc.ImportReceipt | None
    columns: Sequence[Sequence[str]] = ()


class Receipts(Protocol):
    """A file of receipts under way."""

    def add(self, settled: Settled) -> None:
        """Write down what became of a line."""

    def close(self) -> None:
        """Finish the file."""

    def give_up(self) -> None:
        """Leave it at what is settled."""


def opened(file: Path, head: Sequence[Line], mapping: Mapping) -> Receipts:
    """Receipts in the form that the file's name says, of a table with these lines of headings. Raises OSError where they can't
    be begun.
    """
    return Marked(file, head, mapping) if rows.is_workbook(file) else Listed(file)


@contextmanager
def kept(file: Path, head: Sequence[Line], mapping: Mapping) -> Iterator[Receipts]:
    """Receipts that are finished at the end, and given up where that does not come."""
    receipts = opened(file, head, mapping)
    try:
        yield receipts
    except BaseException:
        receipts.give_up()
        raise
    receipts.close()


class Listed:
    """A line a problem or warning, one where there is none; rows by their numbers in the file, as a spreadsheet shows it."""

    def __init__(self, file: Path) -> None:
        with ExitStack() as stack:
            self._raw = written(stack.enter_context(whole(file)))
            self._file = TextIOWrapper(self._raw, encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(_HEADINGS)
            self._file.flush()
            self._place = stack.pop_all()
        self._target, self._is_there = file, False

    def add(self, settled: Settled) -> None:
        """See `Receipts`."""
        if settled.receipt is not None:
            self._put_there()
            self._add(settled.receipt)

    def _put_there(self) -> None:
        """Have it stand where it belongs, while it is written on."""
        if not self._is_there:
            self._place.close()
            self._is_there = True
            renamed(self._raw, self._target)

    def _add(self, receipt: rpc.ImportReceipt) -> None:
        head = (receipt.row, guarded(receipt.external_key), outcome_of(receipt.outcome), receipt.listing)
        told = [*receipt.problems, *receipt.warnings]
        if not told:
            self._writer.writerow((*head, "", "", "", ""))
        for problem in told:
            texts = guarded(problem.message.zh), guarded(problem.message.en)
            self._writer.writerow((*head, problem.field, problem.rule, *texts))
        self._file.flush()  # whoever kills the import has the receipts of what was taken in

    def close(self) -> None:
        """See `Receipts`."""
        self._put_there()
        self._file.close()

    def give_up(self) -> None:
        """See `Receipts`."""
        with suppress(OSError):  # of what is given up for another error
            self._file.close()
        if not self._is_there:
            _discard(self._place)


class Marked:
    """The imported table again: cells that were refused or flagged are coloured and say why, the outcome stands behind."""

    def __init__(self, file: Path, head: Sequence[Line], mapping: Mapping) -> None:
        from alliance_cli.workbook import Book, Table  # slow to load

        shown = rows.headings(head[-1])
        self._width = shown.index(RECEIPT[0]) if RECEIPT[0] in shown else len(shown)  # receipts may come in again
        self._places = {name: place for place, name in enumerate(rows.headings(head[0])[: self._width]) if name}
        self._head, self._key = head, mapping.key
        self._columns_of = mapping.columns_of
        with ExitStack() as stack:
            self._book = stack.enter_context(Book(stack.enter_context(whole(file))))
            self._table = Table(self._book, "回执", self._begin)
            self._written = stack.pop_all()
        self._noted = 0

    def add(self, settled: Settled) -> None:
        """See `Receipts`."""
        line, receipt = self._cut(settled.line), settled.receipt
        if receipt is None:
            self._table.append(line)
            return
        if not settled.line:
            line[self._places[self._key]] = receipt.external_key
        notes = self._notes(receipt, settled.columns)
        looks = dict.fromkeys(notes, _FLAGGED_CELL)
        if receipt.outcome == rpc.IMPORT_OUTCOME_REFUSED:
            looks = dict.fromkeys(range(self._width + len(RECEIPT)), _REFUSED_ROW) | dict.fromkeys(notes, _REFUSED_CELL)
        # A rule across cells is told at each of them, and here once.
        told = "\n".join(dict.fromkeys(f"{one.message.zh} {one.message.en}" for one in (*receipt.problems, *receipt.warnings)))
        row = self._table.append([*line, _OUTCOMES[receipt.outcome], receipt.listing, told], looks)
        for place, note in notes.items():
            if self._noted < _NOTED:
                self._table.sheet.write_comment(row, place, note, {"x_scale": 2, "y_scale": 1.5})
                self._noted += 1

    def close(self) -> None:
        """See `Receipts`."""
        with self._written:
            self._book.close()

    def give_up(self) -> None:
        """See `Receipts`."""
        _discard(self._written)

    def _begin(self, sheet: Any) -> int:
        for row, line in enumerate(self._head):
            added = RECEIPT if row == len(self._head) - 1 else ()
            for place, cell in enumerate([*self._cut(line), *added]):
                self._book.put(sheet, row, place, cell, bold=True)
            if not added:  # the paths of a template
                sheet.set_row(row, None, None, {"hidden": True})
        sheet.freeze_panes(len(self._head), 1)
        return len(self._head)

    def _cut(self, line: Line) -> Line:
        return [*line[: self._width], *[None] * (self._width - len(line))]

    def _notes(self, receipt: rpc.ImportReceipt, unread: Sequence[Sequence[str]]) -> dict[int, str]:
        """Cell of the row → what is wrong with it; what has no cell stands at the outcome."""
        notes: dict[int, list[str]] = {}
        for very, problem in zip_longest(unread, (*receipt.problems, *receipt.warnings)):
            columns = very or self._columns_of(problem.field)
            for place in [self._places[one] for one in columns if one in self._places] or [self._width]:
                notes.setdefault(place, []).append(f"{problem.message.zh}\n{problem.message.en}")
        return {place: "\n".join(texts) for place, texts in notes.items()}


class _GivenUpError(Exception):
    """What is written does not become whole."""


def _discard(written: ExitStack) -> None:
    with suppress(_GivenUpError), written:
        raise _GivenUpError
