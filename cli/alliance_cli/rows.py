"""Reading rows out of files that nobody shaped for us: .csv, .csv.gz, .xlsx; text in UTF-8 or GB 18030."""

import csv
import gzip
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO
from zipfile import BadZipFile

import typer

from alliance_cli.session import t

Row = dict[str, str]


def read(file: Path) -> Iterator[Row]:
    """Rows as heading → text, one at a time; empty cells are "". Raises typer.BadParameter for what can't be read."""
    try:
        yield from _rows(file)
    except (csv.Error, UnicodeDecodeError, EOFError, OSError, BadZipFile) as error:
        raise typer.BadParameter(t(f"读不了 {file.name}：{error}", f"can't read {file.name}: {error}")) from error


def _rows(file: Path) -> Iterator[Row]:
    if file.suffix == ".xlsx":
        yield from _sheet(file)
    else:
        with _text(file) as opened:
            for row in csv.DictReader(opened):
                yield {name: value or "" for name, value in row.items() if name is not None}


def count(file: Path) -> int:
    """How many rows there are; reads the file once."""
    return sum(1 for _ in read(file))


@contextmanager
def _text(file: Path) -> Iterator[TextIO]:
    if not file.name.endswith((".csv", ".csv.gz")):
        raise typer.BadParameter(t("只认 .csv、.csv.gz、.xlsx", "only .csv, .csv.gz and .xlsx are read"))
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding=_encoding(file), newline="") as opened:
        yield opened


def _encoding(file: Path) -> str:
    """UTF-8 where the whole file is, else what Chinese spreadsheets write."""
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8-sig", newline="") as opened:
            while opened.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _sheet(file: Path) -> Iterator[Row]:
    import openpyxl  # slow to load, and most calls read no sheet

    with closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
        lines = book.worksheets[0].iter_rows(values_only=True)
        headings = [str(cell or "") for cell in next(lines, ())]
        for line in lines:
            yield {name: _cell(value) for name, value in zip(headings, line, strict=False) if name}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
