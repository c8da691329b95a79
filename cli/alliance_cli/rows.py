"""Reading rows out of files that nobody shaped for us: .csv, .csv.gz, .xlsx.

The first line holds the headings. Text is UTF-8, UTF-16 or GB 18030; its cells are separated by comma, semicolon or tab.
"""

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import typer

from alliance_cli.session import t
from intake import Row

Line = list[object]
"""The values of a line's cells: texts, and in a spreadsheet numbers, days and times too; None for an empty one."""
_SEPARATORS = ",;\t"
_LONGEST = 1 << 24  # characters of a cell that are read: one that is too long is its row's fault, not the file's
_UTF16 = ("\xff\xfe", "\xfe\xff")  # byte order marks, as Latin-1 reads them


def lines(file: Path, sheet: str = "") -> Iterator[Line]:
    """Every line that is not empty, the headings first. Of a workbook those of the named sheet, or of its first.

    Raises typer.BadParameter for what can't be read.
    """
    with _explained(file):
        for line in _sheet(file, sheet) if is_workbook(file) else _table(file):
            if any(cell not in (None, "") for cell in line):
                yield line


def count(file: Path, sheet: str = "") -> int | None:
    """How many lines there are below the headings: a text is read to its end, a workbook says it, or None."""
    if not is_workbook(file):
        return max(sum(1 for _ in lines(file)) - 1, 0)
    from alliance_cli import sheets  # slow to load, and most calls read no sheet

    with _explained(file):
        height = sheets.height(file, sheet)
    return height - 1 if height and height > 1 else None


def headings(line: Line) -> list[str]:
    """The headings that a line holds."""
    return [text(cell).strip() for cell in line]


def row(names: list[str], line: Line) -> Row:
    """A line as heading → text; empty cells are ""."""
    cells = zip_longest(names, line[: len(names)])
    return {name: text(cell) for name, cell in cells if name}


def text(value: object) -> str:
    """A cell's value as text: days as ISO dates, times as 08:00, whole numbers without a point."""
    if isinstance(value, str):
        return value  # as it is: it may be an `Unsettled` one
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    if isinstance(value, time):
        return value.isoformat("auto" if value.second or value.microsecond else "minutes")
    if isinstance(value, timedelta):  # 24:00 is a day
        return f"{value // timedelta(hours=1):02}:{value % timedelta(hours=1) // timedelta(minutes=1):02}"
    return str(value)


def is_workbook(file: Path) -> bool:
    """Whether it is a spreadsheet, by its name."""
    return file.name.lower().endswith(".xlsx")


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except (csv.Error, UnicodeError, EOFError, OSError, BadZipFile, ParseError, LookupError, ValueError) as error:
        raise typer.BadParameter(t(f"读不了 {file.name}：{error}", f"can't read {file.name}: {error}")) from error


def _sheet(file: Path, name: str) -> Iterator[Line]:
    from alliance_cli import sheets

    return sheets.lines(file, name)


def _table(file: Path) -> Iterator[Line]:
    csv.field_size_limit(_LONGEST)
    with _text(file) as opened:
        separator = _separator(opened.readline())
        opened.seek(0)
        yield from csv.reader(opened, delimiter=separator)


def _separator(first: str) -> str:
    """What splits the headings into most."""
    return max(_SEPARATORS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))


def _text(file: Path) -> TextIOWrapper:
    if not file.name.lower().endswith((".csv", ".csv.gz")):
        raise typer.BadParameter(t("只认 .csv、.csv.gz、.xlsx", "only .csv, .csv.gz and .xlsx are read"))
    return _opened(file, _encoding(file))


def _encoding(file: Path) -> str:
    """UTF-16 where its mark says so, UTF-8 where the whole file is, else what Chinese spreadsheets write."""
    with _opened(file, "latin-1") as opened:
        if opened.read(2) in _UTF16:
            return "utf-16"
    try:
        with _opened(file, "utf-8-sig") as opened:
            while opened.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _opened(file: Path, encoding: str) -> TextIOWrapper:
    opener = gzip.open if file.suffix.lower() == ".gz" else open
    return opener(file, "rt", encoding=encoding, newline="")
