"""Writing workbooks row by row, none of which stays in memory."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from alliance_cli.formulas import is_risky
from intake.cells import EXACT, Rounded, Unsettled

LAST = 1_048_576
"""Lines that a sheet can hold."""
_LONGEST = 32_767  # characters that a cell can hold
_DAY, _INSTANT, _TIME, _LENGTH = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm", "[hh]:mm"


class Book:
    """A workbook under way; `close` writes the file."""

    def __init__(self, file: Path) -> None:
        self.book = xlsxwriter.Workbook(str(file), {"constant_memory": True})
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def style(self, **properties: object) -> Format:
        """A format with these properties of XlsxWriter's."""
        key = tuple(properties.items())
        if key not in self._formats:
            self._formats[key] = self.book.add_format(properties)
        return self._formats[key]

    def put(self, sheet: Worksheet, row: int, column: int, value: object, **look: object) -> None:
        """Write a cell: a text stays a text, whatever it begins with."""
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value, self.style(**look))
        elif isinstance(value, Unsettled) and not isinstance(value, Rounded):  # refused again, until somebody mends it
            sheet.write_formula(row, column, "=NA()", self.style(**look), "#N/A")
        elif isinstance(value, Rounded):  # a number as it was: as a text it would be taken for what was meant
            sheet.write_number(row, column, float(value), self.style(**look))
        elif isinstance(value, int | float) and abs(value) < EXACT:
            sheet.write_number(row, column, value, self.style(**look))
        elif isinstance(value, date | time | timedelta):
            sheet.write_datetime(row, column, value, self.style(num_format=_form(value), **look))
        elif value not in (None, ""):
            text = str(value)[:_LONGEST]
            sheet.write_string(row, column, text, self.style(num_format="@", quote_prefix=is_risky(text), **look))
        elif look:
            sheet.write_blank(row, column, None, self.style(**look))

    def close(self) -> None:
        """Write the file. Raises OSError, as everything that writes does."""
        try:
            self.book.close()
        except FileCreateError as error:
            raise error.args[0] from error


def _form(value: date | time | timedelta) -> str:
    if isinstance(value, datetime):
        return _INSTANT if value.time() != time.min else _DAY
    if isinstance(value, timedelta):
        return _LENGTH
    return _DAY if isinstance(value, date) else _TIME


class Table:
    """Rows below headings, on as many sheets as they need."""

    def __init__(self, book: Book, name: str, begin: Callable[[Worksheet], int]) -> None:
        """`begin` writes the headings onto a new sheet and says how many lines they take."""
        self._book, self._name, self._begin = book, name, begin
        self._sheets = 0
        self._next_sheet()

    def append(self, values: Sequence[object], looks: dict[int, dict[str, Any]] | None = None) -> int:
        """Write a row; returns its number, from 0. `looks` has the look of some of its cells."""
        if self._row == LAST:
            self._next_sheet()
        row, looks = self._row, looks or {}
        for column, value in enumerate(values):
            self._book.put(self.sheet, row, column, value, **looks.get(column, {}))
        self._row += 1
        return row

    def _next_sheet(self) -> None:
        self._sheets += 1
        name = self._name if self._sheets == 1 else f"{self._name} {self._sheets}"
        self.sheet: Worksheet = self._book.book.add_worksheet(name)
        self._row = self._begin(self.sheet)
