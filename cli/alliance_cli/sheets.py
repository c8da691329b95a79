"""Reading a workbook of any size row by row: its texts stay on disk, its rows are let go once they are read.

openpyxl's own read-only mode keeps every text and an element a row in memory, a gigabyte for a million rows.
"""

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import DATA_TAG, DIMENSION_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from alliance_cli.files import full_told_of, scratch
from intake.cells import EXACT, Rounded, Unsettled

_ITEM, _TEXT, _RUN = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("si", "t", "r"))
_REMEMBERED = 4096  # texts; most come again soon, or never


def lines(file: Path, name: str) -> Iterator[tuple[int, list[object]]]:
    """Number and values of each line of the sheet of this name, of the first one where there is none, as openpyxl gives them.

    None for an empty cell. Raises what openpyxl and zipfile do for a file that is no workbook.
    """
    reader = _Reader(file)
    with closing(reader.archive), reader.sheet(name) as source:
        reader.read_strings()
        apply_stylesheet(reader.archive, reader.wb)
        book: Any = reader.wb
        parser = WorkSheetParser(
            source,
            reader.shared_strings,
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
                number, cells = parser.parse_row(element)
                yield number, _placed(zip(element, cells, strict=True))
                data.clear()
                parser.row_dimensions.clear()


def height(file: Path, name: str) -> int | None:
    """How many lines the sheet says that it has; None where it does not say."""
    reader = _Reader(file)
    with closing(reader.archive), reader.sheet(name) as source:
        for _, element in iterparse(source, ("start",)):
            if element.tag == DIMENSION_TAG:
                return range_boundaries(element.get("ref"))[3]
            if element.tag == DATA_TAG:
                break
    return None


def _placed(cells: Iterable[tuple[Any, dict[str, Any]]]) -> list[object]:
    """Values of cells, each given with its element, in their columns; cells that the file leaves out are empty."""
    line: list[object] = []
    for element, cell in cells:
        line.extend([None] * (cell["column"] - len(line)))
        line[cell["column"] - 1] = _value(element, cell["value"], cell["data_type"])
    return line


def _value(element: Any, value: object, kind: str) -> object:
    if value is None:  # a formula that comes to an empty text is of the type str
        formula = element.find(FORMULA_TAG) if kind != "str" else None
        return None if formula is None else Unsettled(f"={formula.text or ''}")
    if kind == "e":
        return Unsettled(value)
    if isinstance(value, int | float) and abs(value) >= EXACT:
        return Rounded(f"{value:.0f}")
    return unescape(value) if isinstance(value, str) and "_x" in value else value


class _Texts:
    """The texts that a workbook's cells share, in a temporary file; 8 bytes of memory each."""

    def __init__(self, source: IO[bytes]) -> None:
        self._ends = array("Q", [0])
        folder = scratch()
        with full_told_of(folder, folder):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - gone with this object
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
    """openpyxl's reader of workbooks, with the texts left on disk and the sheets left in the archive."""

    package: Any
    shared_strings: Any

    def __init__(self, file: Path) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.read_manifest()
        self.read_workbook()

    def read_strings(self) -> None:
        """Read the texts that cells share."""
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = _Texts(source)

    def sheet(self, name: str) -> IO[bytes]:
        """The content of the sheet of this name, or of the first one."""
        parts = {sheet.name: rel.target for sheet, rel in self.parser.find_sheets() if "chartsheet" not in rel.Type}
        return self.archive.open(parts.get(name) or next(iter(parts.values())))
