"""Writing workbooks row by row, none of which stays in memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Self

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from alliance_cli.files import full_told_of, scratch
from alliance_cli.formulas import is_risky
from intake.cells import EXACT, Rounded, Unsettled

LAST = 1_048_576
"""Lines that a sheet can hold."""
_LONGEST = 32_767  # characters that a cell can hold
_DAY, _INSTANT, _TIME, _LENGTH = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm", "[hh]:mm"


class Book:
    """A workbook under way; `close` writes the file. Its rows lie in scratch files, of which the end of `with` leaves none."""

    def __init__(self, file: Path) -> None:
        """Raises OSError, as everything that writes does: it names the file, or the folder of scratch files, that is full."""
        self._folder = scratch()
        with full_told_of(self._folder, self._folder):
            self._scratch = TemporaryDirectory(prefix="alliance-", ignore_cleanup_errors=True)
        try:
            self._target = _Target(file)
        except OSError:
            self._scratch.cleanup()
            raise
        options = {"constant_memory": True, "tmpdir": self._scratch.name}
        self.book = xlsxwriter.Workbook(self._target, options)
        self.failed: OSError | None = None
        """Why a row could not be written."""
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._target.let_go()
        self._scratch.cleanup()

    @contextmanager
    def rows(self) -> Iterator[None]:
        """Rows are written meanwhile, and nothing else is: where one can't be, the workbook is none."""
        try:
            with full_told_of(self._folder, self._scratch.name):
                yield
        except OSError as error:
            self.failed = error
            raise

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
        """Write the file; where a row could not be written, nothing is, and the error is that one again."""
        if self.failed:
            raise self.failed
        with full_told_of(self._folder, self._scratch.name):  # the file names itself
            try:
                self.book.close()
            except FileCreateError as error:
                raise error.args[0] from error
        self._target.close()


class _Target:
    """The file that a workbook is written to, as an archive takes it: where it holds no more, it says so itself.

    Once it is let go, all that is written goes nowhere: an archive that was not finished writes its end when it is forgotten.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stream: BinaryIO | None = file.open("wb")
        self._place = 0  # once it is let go

    def write(self, content: bytes) -> int:
        """See `io.BufferedIOBase`, as of the others."""
        if self._stream is None:
            self._place += len(content)
            return len(content)
        with full_told_of(self._file):
            return self._stream.write(content)

    def flush(self) -> None:
        """Write what waits."""
        if self._stream is not None:
            with full_told_of(self._file):
                self._stream.flush()

    def seek(self, place: int) -> int:
        """Go to a place; what waits is written first."""
        if self._stream is None:
            self._place = place
            return place
        with full_told_of(self._file):
            return self._stream.seek(place)

    def tell(self) -> int:
        """The place."""
        return self._place if self._stream is None else self._stream.tell()

    def seekable(self) -> bool:
        """Whether there are places."""
        return self._stream is None or self._stream.seekable()

    def close(self) -> None:
        """Write what waits, and let it go: some file systems say only now that they hold no more."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with full_told_of(self._file):
                stream.close()

    def let_go(self) -> None:
        """Write nothing more, after an error."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):  # what is wrong with it was told
                stream.close()


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
        with self._book.rows():
            for column, value in enumerate(values):
                self._book.put(self.sheet, row, column, value, **looks.get(column, {}))
        self._row += 1
        return row

    def _next_sheet(self) -> None:
        self._sheets += 1
        name = self._name if self._sheets == 1 else f"{self._name} {self._sheets}"
        with self._book.rows():
            self.sheet: Worksheet = self._book.book.add_worksheet(name)
            self._row = self._begin(self.sheet)
