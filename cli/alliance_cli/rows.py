"""Reading rows out of files that nobody shaped for us: .csv, .csv.gz, .xlsx.

The first line holds the headings. Text is UTF-8, UTF-16 or GB 18030; its cells are separated by comma, semicolon or tab.
"""

import csv
import gzip
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, time
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path
from zipfile import BadZipFile

import typer

from alliance_cli.session import t
from intake import Row

_SEPARATORS = ",;\t"
_UTF16 = ("\xff\xfe", "\xfe\xff")  # byte order marks, as Latin-1 reads them


def read(file: Path) -> Iterator[Row]:
    """Rows as heading → text, one at a time; empty cells are "". Raises typer.BadParameter for what can't be read."""
    try:
        lines = _sheet(file) if file.name.lower().endswith(".xlsx") else _table(file)
        headings = [cell.strip() for cell in next(lines, [])]
        for line in lines:
            cells = zip_longest(headings, line[: len(headings)], fillvalue="")
            yield {name: cell for name, cell in cells if name}
    except (csv.Error, UnicodeError, EOFError, OSError, BadZipFile, KeyError) as error:
        raise typer.BadParameter(t(f"读不了 {file.name}：{error}", f"can't read {file.name}: {error}")) from error


def count(file: Path) -> int:
    """How many rows there are; reads the file once."""
    return sum(1 for _ in read(file))


def _table(file: Path) -> Iterator[list[str]]:
    with _text(file) as opened:
        separator = _separator(opened.readline())
        opened.seek(0)
        yield from filter(None, csv.reader(opened, delimiter=separator))


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


def _sheet(file: Path) -> Iterator[list[str]]:
    import openpyxl  # slow to load, and most calls read no sheet

    with closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
        for line in book.worksheets[0].iter_rows(values_only=True):
            yield [_cell(value) for value in line]


def _cell(value: object) -> str:
    """A cell's value as text: days as ISO dates, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    return str(value)
