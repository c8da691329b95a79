"""Reading a workbook of any size row by row: its texts stay on disk, its rows are let go once they are read.

openpyxl's own read-only mode keeps every text and an element a row in memory, a gigabyte for a million rows.
"""

import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

_ITEM, _TEXT, _RUN = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("si", "t", "r"))
_REMEMBERED = 4096  # texts; most come again soon, or never


class Sheet:
    """One sheet of an open workbook."""

    def __init__(self, reader: "_Reader", sheet: Any) -> None:
        self._reader, self._sheet = reader, sheet

    @property
    def height(self) -> int | None:
        """How many lines it says that it has; None where it does not say."""
        height: int | None = self._sheet.max_row
        return height

    def lines(self) -> Iterator[list[object]]:
        """The values of each line that is there, as openpyxl gives them; None for an empty cell."""
        book: Any = self._reader.wb
        with self._sheet._get_source() as source:
            parser = WorkSheetParser(
                source,
                self._reader.shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            data: Any = None
            for event, element in iterparse(source, ("start", "end")):
                if event == "start" and element.tag == DATA_TAG:
                    data = element
                elif event == "end" and element.tag == ROW_TAG:
                    _, cells = parser.parse_row(element)
                    yield _placed(cells)
                    data.clear()
                    parser.row_dimensions.clear()


@contextmanager
def opened(file: Path, name: str) -> Iterator[Sheet]:
    """The sheet of this name, or the first one where there is none. Raises what openpyxl does where it is no workbook."""
    reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
    reader.read()
    try:
        by_name = {sheet.title: sheet for sheet in reader.wb.worksheets}
        yield Sheet(reader, by_name.get(name, reader.wb.worksheets[0]))
    finally:
        reader.archive.close()


def _placed(cells: list[dict[str, Any]]) -> list[object]:
    """Values in their columns; cells that the file leaves out are empty."""
    line: list[object] = [None] * max((cell["column"] for cell in cells), default=0)
    for cell in cells:
        value = cell["value"]
        line[cell["column"] - 1] = unescape(value) if isinstance(value, str) and "_x" in value else value
    return line


class _Texts:
    """The texts that a workbook's cells share, in a temporary file; 8 bytes of memory each."""

    def __init__(self, source: IO[bytes]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - gone with this object
        self._ends = array("Q", [0])
        for text in _texts(source):
            self._ends.append(self._ends[-1] + self._file.write(text.encode()))
        self._file.flush()
        self._get = lru_cache(_REMEMBERED)(self._read)

    def __getitem__(self, place: int) -> str:
        return self._get(place)

    def _read(self, place: int) -> str:
        begin, end = self._ends[place], self._ends[place + 1]
        return os.pread(self._file.fileno(), end - begin, begin).decode()


def _texts(source: IO[bytes]) -> Iterator[str]:
    whole: Any = None
    for event, element in iterparse(source, ("start", "end")):
        if whole is None:
            whole = element
        elif event == "end" and element.tag == _ITEM:
            parts = (*element.findall(_TEXT), *element.findall(f"{_RUN}/{_TEXT}"))  # not how it is to be pronounced
            yield "".join(part.text or "" for part in parts)
            whole.clear()


class _Reader(ExcelReader):
    """openpyxl's reader of workbooks, with the texts left on disk."""

    package: Any
    shared_strings: Any

    def read_strings(self) -> None:
        """Called by `read`."""
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = _Texts(source)
