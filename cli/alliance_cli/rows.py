"""Reading rows out of files that nobody shaped for us: .csv, .csv.gz, .xlsx.

The first line holds the headings. Text is UTF-8, UTF-16 or GB 18030; its cells are separated by comma, semicolon or tab.
"""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path

import typer

from alliance_cli.files import FULL
from alliance_cli.session import t
from intake import Row

Line = list[object]
"""The values of a line's cells: texts, and in a spreadsheet numbers, days and times too; None for an empty one. A `Misfit` is
to be refused."""
_SEPARATORS = ",;\t"
_LONGEST = 1 << 24  # characters of a cell that are read: one that is too long is its row's fault, not the file's


class Misfit(list[object]):
    """A line of a text that is no row below the headings: a quote, a separator or a line break is where none should be."""

    def __init__(self, cells: Sequence[str], zh: str, en: str) -> None:
        """`zh`, `en`: what is wrong with it, and what to do."""
        super().__init__(cells)
        self.zh, self.en = zh, en


class _CutOffError(Exception):
    """A text ends in the middle of a row."""


class _MaybeNotWholeError(Exception):
    """A text may lack rows that it had."""


_UNREADABLE: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], str, str]] = (
    (
        UnicodeError,
        "编码不是 UTF-8、UTF-16 或 GB 18030，或已损坏（如截断的 UTF-16）；请另存为 UTF-8 的 CSV",
        "it is neither UTF-8, UTF-16 nor GB 18030, or damaged, as a UTF-16 that was cut; save it as CSV in UTF-8",
    ),
    (
        (gzip.BadGzipFile, EOFError, zlib.error),
        "压缩文件不完整，或不是 gzip；请重新取得",
        "it is no whole gzip file; get it anew",
    ),
    (FileNotFoundError, "没有此文件；请核对路径", "there is no such file; check its path"),
    (OSError, "打不开；请核对权限", "it can't be opened; check its permissions"),
    (
        csv.Error,
        "引号或分隔不合 CSV，多为引号没有成对，见文件第 {} 行起；请改正，或另存后再导入",
        "its quotes or separators are no CSV from line {} on, most often a quote without its other; mend it, or save it anew",
    ),
    (
        _CutOffError,
        "最后一行（第 {} 行）单元格不全，行末也没有换行，像是被截断；请重新取得，确已完整的请在末尾加一个换行",
        "its last line, {}, lacks cells and a line break, as one cut off; get it anew, or end it with a line break",
    ),
    (
        _MaybeNotWholeError,
        "要撤回文件中已没有的，先须确知它是完整的：第 {} 行的单元格与列名数目不同，或末尾没有换行，或一个单元格里像是还有"
        "别的行（引号没有成对）；请核对，确已完整的请补全单元格、在末尾加一个换行，或另存为 .xlsx",
        "to withdraw what is not in it, it has to be whole: line {} has not as many cells as the headings, or ends without"
        " a line break, or a cell seems to hold other rows, as behind a quote without its other; check it, fill the row up and"
        " end it with a line break, or save it as .xlsx",
    ),
    # What openpyxl and zipfile raise, of which there is no end.
    (
        Exception,
        "不是 .xlsx 工作簿，或已加密、损坏；请用表格软件打开，另存为不加密的 .xlsx",
        "it is no .xlsx workbook, or encrypted or damaged; save it as .xlsx without a password",
    ),
)
"""What keeps a file from being read → how it is said, and what to do; the first that fits."""
_SAMPLE = 1 << 16  # bytes by which an encoding is told
_PARTING = (*_SEPARATORS, "\n", "\r")
_FEWEST_ZEROS = 1000  # bytes of which at least one is zero in UTF-16; in a text of another encoding none should be
_ASCII = 4  # one byte of so many is zero in a UTF-16 that is UTF-8 as well, being ASCII for the most part
_UTF16 = ("\xff\xfe", "\xfe\xff")  # byte order marks, as Latin-1 reads them


def numbered(file: Path, sheet: str = "", *, whole: bool = False) -> Iterator[tuple[int, Line]]:
    """Every line that is not empty with the number of its row as a spreadsheet shows it, empty ones counted; headings first.

    Of a workbook those of the named sheet, or of its first. Raises typer.BadParameter for what can't be read; with `whole`
    also for a text that may have been cut off, or in which a cell may have taken in other rows.
    """
    with _explained(file):
        for number, line in _sheet(file, sheet) if is_workbook(file) else enumerate(_table(file, whole), start=1):
            if any(cell not in (None, "") for cell in line):
                yield number, line


def lines(file: Path, sheet: str = "", *, whole: bool = False) -> Iterator[Line]:
    """The lines of `numbered` alone."""
    return (line for _, line in numbered(file, sheet, whole=whole))


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
    """A cell's value as text: days as ISO dates, times as 08:00, whole numbers without a point, TRUE as it is shown."""
    if isinstance(value, str):
        return value  # as it is: it may be an `Unsettled` one
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
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
    except typer.BadParameter:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:  # of a folder that it names: nothing is wrong with the file
            raise
        zh, en = next((zh, en) for kinds, zh, en in _UNREADABLE if isinstance(error, kinds))
        zh, en = (said.format(*error.args) for said in (zh, en))
        raise typer.BadParameter(t(f"读不了 {file.name}：{zh}", f"can't read {file.name}: {en}")) from error


def _sheet(file: Path, name: str) -> Iterator[tuple[int, Line]]:
    from alliance_cli import sheets

    return sheets.lines(file, name)


def _table(file: Path, whole: bool) -> Iterator[Line]:
    """Strictly: where a quote that nobody closed took in all that follows, the rows behind it would seem to have vanished."""
    csv.field_size_limit(_LONGEST)
    with _text(file) as opened:
        separator = _separator(opened.readline())
        opened.seek(0)
        last, width = [""], 0
        reader = csv.reader(_noted(opened, last), delimiter=separator, strict=True)
        while True:
            began = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error:
                raise csv.Error(began) from None
            if cells is None:
                return
            width = width or len(cells)
            is_ended = last[0].endswith(("\n", "\r"))
            if len(cells) < width and not is_ended:
                raise _CutOffError(began)
            line = _line(cells, width, separator)
            if whole and (not is_ended or isinstance(line, Misfit)):
                raise _MaybeNotWholeError(began)
            yield line


def _line(cells: list[str], width: int, separator: str) -> Line:
    """The cells as a line; a `Misfit` where they are not as many as the headings, or one seems to hold other rows."""
    if cells and (len(cells) < width or any(cells[width:])):
        return Misfit(
            cells,
            f"该行有 {len(cells)} 个单元格，列名有 {width} 个，引号、分隔或换行可能放错了；请改正，空单元格也要有分隔",
            f"it has {len(cells)} cells below {width} headings, as where a quote, a separator or a line break is misplaced; "
            "mend it, and keep the separators of empty cells",
        )
    if _holds_rows(cells, width, separator):
        return Misfit(
            cells,
            "一个单元格里像是还有别的行，多为引号没有成对；请改正，确属一格的请另存为 .xlsx",
            "a cell seems to hold other rows, as behind a quote without its other; mend it, or where it is one cell, save the "
            "file as .xlsx",
        )
    return list(cells)


def _holds_rows(cells: Sequence[str], width: int, separator: str) -> bool:
    """Whether a cell seems to hold the end of its row and the beginning of another, up to where a later quote closed it. Where
    blanks follow the separators, they are those of sentences.
    """
    for place, cell in enumerate(cells):
        pieces = cell.splitlines()
        if len(pieces) > 1:
            first, last = (next(csv.reader([piece], delimiter=separator), []) for piece in (pieces[0], pieces[-1]))
            is_prose = any(one.startswith(" ") for one in (*first[1:], *last[1:]))
            if (len(first), len(last)) == (width - place, place + 1) and not is_prose:
                return True
    return False


def _noted(texts: Iterable[str], last: list[str]) -> Iterator[str]:
    """The texts, of which the last one given is kept."""
    for one in texts:
        last[0] = one
        yield one


def _separator(first: str) -> str:
    """What splits the headings into most."""
    return max(_SEPARATORS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))


def _text(file: Path) -> TextIOWrapper:
    if not file.name.lower().endswith((".csv", ".csv.gz")):
        raise typer.BadParameter(
            t(
                f"读不了 {file.name}：只认 .csv、.csv.gz、.xlsx；请另存为 .xlsx",
                f"can't read {file.name}: only .csv, .csv.gz and .xlsx are read; save it as .xlsx",
            )
        )
    return _opened(file, _encoding(file))


def _encoding(file: Path) -> str:
    """UTF-16 where its mark or its zeros say so, UTF-8 where the whole file is, else what Chinese spreadsheets write."""
    with _opened(file, "latin-1") as opened:
        begin = opened.read(_SAMPLE)
    if begin.startswith(_UTF16):
        return "utf-16"
    order, is_utf8 = _unmarked(begin), _is_utf8(file)
    if order and (not is_utf8 or begin.count("\0") * _ASCII >= len(begin)):
        return order
    return "utf-8-sig" if is_utf8 else "gb18030"


def _unmarked(begin: str) -> str:
    """The order of bytes of a UTF-16 without a mark, by how a file begins as Latin-1 reads it; "" for none.

    What parts cells and lines has its zero on one side; read the other way round it is of scripts that no table is in.
    """
    if begin.count("\0") * _FEWEST_ZEROS < len(begin):
        return ""
    units = Counter(begin[place : place + 2] for place in range(0, len(begin), 2))
    little, big = sum(units[f"{sign}\0"] for sign in _PARTING), sum(units[f"\0{sign}"] for sign in _PARTING)
    if bool(little) is bool(big):
        return ""
    return "utf-16-le" if little else "utf-16-be"


def _is_utf8(file: Path) -> bool:
    try:
        with _opened(file, "utf-8-sig") as opened:
            while opened.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _opened(file: Path, encoding: str) -> TextIOWrapper:
    opener = gzip.open if file.suffix.lower() == ".gz" else open
    return opener(file, "rt", encoding=encoding, newline="")
