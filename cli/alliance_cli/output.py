"""What the commands print: a table for people, JSON for scripts (`--output json`)."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import IO, Any, NamedTuple, NoReturn

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alliance.common.v1 import field_pb2
from alliance_cli.session import context, t

_PIPED_WIDTH = 240  # columns where nobody looks at the other end, so that nothing is folded
_BRIEF = 60  # characters of what was typed that are said again
_SHORT = 24  # columns of a cell that is never folded: dates, states, numbers
HUNG_UP = 141
"""The exit code where who reads has gone (`| head`): what a shell says of a program that SIGPIPE ended."""


def hang_up(stream: IO[str]) -> NoReturn:
    """End without a word, and without trying to write again, since who read the stream has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    raise SystemExit(HUNG_UP)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        self.quiet = True
        hang_up(self.file)


console = _Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH)
errors = _Console(stderr=True, width=None if sys.stderr.isatty() else _PIPED_WIDTH)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHANGHAI = timezone(timedelta(hours=8))
Column = tuple[str, str, Callable[[Any], object]]  # heading zh, heading en, value of a row


class Marked(NamedTuple):
    """A text of which parts, (start, end) in characters, stand out."""

    text: str
    spans: Sequence[tuple[int, int]]

    def __str__(self) -> str:
        return self.text


def show(items: Iterable[Message], columns: Sequence[Column], title: str = "") -> None:
    """Print messages as rows."""
    rows = list(items)
    if context.output == "json":
        print_json([as_json(item) for item in rows])
        return
    table = Table(title=title or None, title_justify="left")
    cells = [[plain(value(item)) for _, _, value in columns] for item in rows]
    for place, (zh, en, _) in enumerate(columns):
        short_ones = all(row[place].cell_len <= _SHORT for row in cells)
        table.add_column(t(zh, en), overflow="fold", no_wrap=short_ones)
    for row in cells:
        table.add_row(*row)
    console.print(table)
    console.print(t(f"共 {len(rows)} 条", f"{len(rows)} rows"), style="dim")


def show_one(item: Message, fields: Sequence[Column], title: str = "") -> None:
    """Print one message as name and value."""
    if context.output == "json":
        print_json(as_json(item))
        return
    table = Table(title=title or None, title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for zh, en, value in fields:
        table.add_row(t(zh, en), plain(value(item)))
    console.print(table)


def told(names: Iterable[object], what: str) -> None:
    """Say what became of which ones: each on a line of its own, then how many."""
    found = list(names)
    for one in found:
        console.print(one, highlight=False)
    console.print(f"{what}：{len(found)}" if context.language == "zh" else f"{len(found)} {what}", highlight=False)


def plain(value: object) -> Text:
    """What people wrote, as it is: no mark-up is read into it, and nothing of it moves the terminal's cursor."""
    text = Text(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value)))
    for start, end in value.spans if isinstance(value, Marked) else ():
        text.stylize("bold", start, end)
    return text


def as_json(item: Message) -> dict[str, Any]:
    """A message as JSON, with the names of its contract."""
    return MessageToDict(item, preserving_proto_field_name=True)


def print_json(value: object) -> None:
    """Print JSON, Chinese as it is."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def short(enum: Any, prefix: str) -> Callable[[int], str]:
    """Name of an enum's value without its prefix, in lower case."""
    return lambda value: str(enum.Name(value)).removeprefix(prefix).lower()


def zh_of(enum: Any, number: int) -> str:
    """Chinese name of an enum's value in the contract; "" where it has none."""
    return str(enum.DESCRIPTOR.values_by_number[number].GetOptions().Extensions[field_pb2.zh])


def called(enum: Any, prefix: str) -> Callable[[int], str]:
    """What people call an enum's value: by the contract's name in Chinese, where it has one, or `short`; each can be typed."""
    name = short(enum, prefix)
    return lambda value: t(zh_of(enum, value), name(value)) or name(value)


def brief(text: str) -> str:
    """What somebody typed, said again: as much of it as tells what was meant."""
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"


def value_of(enum: Any, prefix: str, text: str) -> Any:
    """Number of an enum's value as typed, e.g. `new` or 新设. Raises typer.BadParameter naming those that there are."""
    written = {zh_of(enum, number): number for number in enum.values()}
    if text and text in written:
        return written[text]
    try:
        return enum.Value(f"{prefix}{text.upper()}")
    except ValueError:
        known = ", ".join(short(enum, prefix)(number) for number in enum.values() if number)
        told = brief(text)
        raise typer.BadParameter(t(f"没有 {told}，可用：{known}", f"there is no {told}; known: {known}")) from None


def ident(name: str) -> str:
    """The id in a resource name."""
    return name.rsplit("/", 1)[-1]


def instant(value: Any) -> str:
    """An instant as local date and time of the platform (Asia/Shanghai)."""
    if not value.seconds:
        return ""
    return value.ToDatetime(_SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")  # type: ignore[no-any-return]


def typed_instant(text: str) -> datetime:
    """An instant as typed, in Asia/Shanghai where it names no zone. Raises typer.BadParameter."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        wanted = t("请写成 2026-03-31 或 2026-03-31T09:00", "write 2026-03-31 or 2026-03-31T09:00")
        raise typer.BadParameter(f"{text}: {wanted}") from None
    return found if found.tzinfo else found.replace(tzinfo=_SHANGHAI)


def typed_day(text: str) -> date | None:
    """The day that was typed where it is a day and no time of it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def typed_end(text: str) -> datetime:
    """An instant as typed; of a day alone the last there is of it in Asia/Shanghai. Raises typer.BadParameter."""
    day = typed_day(text)
    return datetime.combine(day, time.max, _SHANGHAI) if day else typed_instant(text)


def business_day(instant: datetime) -> date:
    """The day in Asia/Shanghai."""
    return instant.astimezone(_SHANGHAI).date()
