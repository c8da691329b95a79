"""Importing a file: chunks out, receipts in, both at once; memory stays flat.

A chunk is committed before its receipts come back, so an import that was cut off is simply run again: rows that are in
already are answered `unchanged`. Everything that can be seen to be wrong on this side is refused before anything is sent.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice, zip_longest
from pathlib import Path
from threading import BoundedSemaphore
from typing import NamedTuple

import grpc
import typer

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import naming, receipts, rows, stubs
from alliance_cli.errors import REFUSED, fail
from alliance_cli.formulas import bare
from alliance_cli.receipts import Settled, outcome_of
from alliance_cli.rehearsal import Rehearsal
from alliance_cli.rows import Line, Misfit
from alliance_cli.session import metadata, t
from intake import Mapping, Row, UnmappedError, WrongError, contract, template
from intake.contract import KEY
from intake.template import KEY_HEADING, RECEIPT

CHUNK = 500  # rows committed together
WINDOW = 4  # chunks on their way before the first receipt must be back


@dataclass(frozen=True)
class Source:
    """A file that is being read, and how its columns become listings.

    Attributes:
        sheet: name of the sheet that is wanted.
        head: the lines of headings; a template has its fields' paths above them.
        lines: those below with the numbers of their rows, to be read once.
        is_guarded: whether apostrophes stand before what might be a formula, as in a CSV file that was exported.
        whole: whether the file has to be known to be whole, since what is not in it is withdrawn.
    """

    file: Path
    sheet: str
    mapping: Mapping
    head: list[Line]
    lines: Iterator[tuple[int, Line]]
    is_guarded: bool
    whole: bool


def source_of(file: Path, kind: int, mapping: Mapping | None, name: str, *, whole: bool = False) -> Source:
    """The file as a source: by a mapping, or without one as a template. Ends with exit code 5 where it can't be imported.

    `name` stands in place of the mapping's source where it is given.
    """
    sheet = contract.kind_label(kind)
    lines = rows.numbered(file, sheet, whole=whole)
    head = [line for _, line in islice(lines, 1)]
    if not head:
        fail(
            REFUSED,
            t(
                f"{file.name} 是空的；请填好再导入，第一行须是列名",
                f"{file.name} is empty; fill it in, its first line holds the headings",
            ),
        )
    headings = rows.headings(head[0])
    chosen = mapping or _template(file, kind, headings)
    passed, found = [], False
    for number, line in lines:
        passed.append((number, line))
        if found := not chosen.passes_over(rows.row(headings, line)):
            break
    if not found:
        fail(REFUSED, t(f"{file.name} 没有数据行", f"there are no rows in {file.name}"))
    if twice := sorted({column for column in chosen.columns if headings.count(column) > 1}):
        listed = ", ".join(twice)
        fail(
            REFUSED,
            t(
                f"{file.name} 中有重复的列：{listed}；请只留一列",
                f"{file.name} has columns twice: {listed}; leave one of each",
            ),
        )
    if missing := [column for column in chosen.columns if column not in headings]:
        lacking, listed = ", ".join(missing), ", ".join(headings)
        fail(
            REFUSED,
            t(
                f"{file.name} 缺少映射所用的列：{lacking}\n现有的列：{listed}\n请补上这些列，或在映射中去掉",
                f"{file.name} lacks columns that the mapping names: {lacking}\n"
                f"it has: {listed}\nadd them to the file, or take them out of the mapping",
            ),
        )
    if chosen.key == KEY and rows.row(headings, passed[0][1])[KEY] == KEY_HEADING:
        head.append(passed.pop(0)[1])
        _refuse_added(file, headings, rows.headings(head[1]))
    chosen = replace(chosen, source=name or chosen.source)
    is_guarded = mapping is None and not rows.is_workbook(file)
    return Source(file, sheet, chosen, head, chain(passed, lines), is_guarded, whole)


def _refuse_added(file: Path, paths: list[str], shown: list[str]) -> None:
    """A column that somebody added to a template has a heading and no path: its cells would be lost without a word."""
    added = [name for path, name in zip_longest(paths, shown, fillvalue="") if name and not path and name not in RECEIPT]
    if added:
        listed = "、".join(added)
        zh = f"模板中没有这些列：{listed}；请删去，或用映射导入"
        en = f"no columns of the template: {listed}; delete them, or map them"
        fail(REFUSED, f"{file.name}: {t(zh, en)}")


def _template(file: Path, kind: int, headings: list[str]) -> Mapping:
    if not template.is_template(headings):
        fail(
            REFUSED,
            t(
                f"{file.name} 的第一行不是本平台的列名；请补上，或用 --map 指明映射，或用 alliance listing template 取模板",
                f"the first line of {file.name} holds no headings of the platform's; add them, name a mapping with --map, "
                "or get a template by alliance listing template",
            ),
        )
    try:
        return template.mapping(kind, headings)
    except WrongError as error:
        fail(REFUSED, f"{file.name}: {t(error.zh, error.en)}")


def require_writable(target: Path, source: Source) -> None:
    """Raises typer.BadParameter where the receipts can't be written there."""
    try:
        if target.exists() and any(target.samefile(one) for one in (source.file, source.mapping.file) if one):
            raise typer.BadParameter(
                t("回执会盖掉导入的文件或映射；请另取名", "the receipts would overwrite the file or the mapping")
            )
        is_new = not target.exists()
        target.open("a").close()
        if is_new:  # an import that is killed leaves no receipts that say nothing
            target.unlink()
    except OSError as error:
        why = f"{target}: {error.strerror}"
        raise typer.BadParameter(
            t(f"回执写不进 {why}；请用 --receipts 另指", f"can't write the receipts, {why}; choose others with --receipts")
        ) from error


def named(collection: str, text: str) -> str:
    """Resource name of what a row calls a body or organization; raises `WrongError` where it means none, or several."""
    found = _looked_up(collection, text)
    if isinstance(found, str):
        return found
    raise WrongError(*found)


@lru_cache(10_000)
def _looked_up(collection: str, text: str) -> str | tuple[str, str]:
    """The name, or what is wrong: a name that there is not may stand in every row."""
    finders = {"organizations": naming.find_organization, "bodies": naming.find_body}
    if collection not in finders:
        return f"须写成 {collection}/{{编号}}", f"it is written as {collection}/{{id}}"
    try:
        return finders[collection](text)
    except naming.UnfoundError as error:
        return error.zh, error.en


@dataclass
class Result:
    """What an import came to."""

    outcomes: Counter[str] = field(
        default_factory=lambda: Counter({"accepted": 0, "revised": 0, "unchanged": 0, "refused": 0})
    )
    flagged: int = 0
    """Rows among them that were taken in and break a rule that only their issuer can mend."""
    seconds: float = 0.0
    unwritten: OSError | None = None
    """Why there are no receipts of an import that came to its end."""

    @property
    def rows(self) -> int:
        """Rows that have a receipt."""
        return self.outcomes.total()


def run(source: Source, header: rpc.ImportHeader, target: Path, progress: Callable[[int, int | None], None]) -> Result:
    """Import a file and write its receipts as it goes; raises grpc.RpcError where the stream breaks, and OSError where they
    can't be written on the way: then the import breaks off, too.

    `progress` is told how many rows have a receipt, and how many there are: of a workbook as many as it has lines, until it is
    read to its end.
    """
    result, started = Result(), time.monotonic()
    is_through = False
    try:
        with receipts.kept(target, source.head, source.mapping) as written:
            _settle(source, header, written, result, progress)
            is_through = True
    except OSError as error:
        if not is_through:
            raise
        result.unwritten = error
    result.seconds = time.monotonic() - started
    return result


def _settle(
    source: Source,
    header: rpc.ImportHeader,
    written: receipts.Receipts,
    result: Result,
    progress: Callable[[int, int | None], None],
) -> None:
    """Send a file and write down what becomes of each row, to its end."""
    rehearsal, chunks = Rehearsal(), _Chunks(source, header)
    done, total = 0, _total(source)
    requests = chunks.requests()
    if header.dry_run:
        requests = rehearsal.watch(requests)
    try:
        for answer in stubs.listings().ImportListings(requests, metadata=metadata()):
            if header.dry_run:
                rehearsal.settle(answer.receipts)
            for settled in chunks.settled(answer):
                written.add(settled)
                if settled.receipt:
                    result.outcomes[outcome_of(settled.receipt.outcome)] += 1
                    result.flagged += bool(settled.receipt.warnings)
                    done += bool(settled.receipt.row)
            progress(done, total)
    except grpc.RpcError as error:
        raise chunks.error or error from None
    progress(done, done)


def _total(source: Source) -> int | None:
    """How many rows are data; at most so many in a workbook, which is not read for it. None where it does not say."""
    if rows.is_workbook(source.file):
        height = rows.count(source.file, source.sheet)
        return height and height - len(source.head) + 1
    key = source.mapping.key
    place = rows.headings(source.head[0]).index(key)
    below = islice(rows.lines(source.file, whole=source.whole), 1, None)
    return sum(not source.mapping.passes_over(rows.row([key], line[place : place + 1])) for line in below)


class _Chunks:
    """Reads a file and sends it in chunks; keeps what was read until its receipts are back, `WINDOW` chunks at most.

    gRPC takes the requests in a thread of its own, where an error would be lost: it is kept for whoever hears the call fail.
    """

    def __init__(self, source: Source, header: rpc.ImportHeader) -> None:
        self._source, self._header = source, header
        self._window = BoundedSemaphore(WINDOW)
        self._under_way: deque[list[_Read]] = deque()
        self._headings = rows.headings(source.head[0])
        self.error: Exception | None = None

    def requests(self) -> Iterator[rpc.ImportListingsRequest]:
        """The header, then the rows in chunks, also those of which no row could be read; then the end."""
        try:
            yield rpc.ImportListingsRequest(header=self._header)
            while some := list(islice(self._source.lines, CHUNK)):
                self._window.acquire()
                yield rpc.ImportListingsRequest(chunk=self._chunk(some))
            if self._header.withdraw_vanished:
                yield rpc.ImportListingsRequest(end=rpc.ImportEnd())
        except Exception as error:
            self.error = error
            raise

    def settled(self, answer: rpc.ImportListingsResponse) -> Iterator[Settled]:
        """The lines of the chunk that an answer is for, or the vanished listings that it tells."""
        if not self._under_way:
            yield from (Settled([], receipt) for receipt in answer.receipts)
            return
        given = {receipt.row: receipt for receipt in answer.receipts}
        yield from (read.settled(given) for read in self._under_way.popleft())
        self._window.release()

    def _chunk(self, lines: Sequence[tuple[int, Line]]) -> rpc.ImportChunk:
        chunk, read, mapping = rpc.ImportChunk(), list[_Read](), self._source.mapping
        for number, line in lines:
            row = rows.row(self._headings, line)
            if self._source.is_guarded:
                row = {heading: bare(cell) for heading, cell in row.items()}
            if mapping.passes_over(row):
                read.append(_Read(line))
                continue
            read.append(self._read(chunk, number, line, row))
        self._under_way.append(read)
        return chunk

    def _read(self, chunk: rpc.ImportChunk, number: int, line: Line, row: Row) -> "_Read":
        """Put a row into a chunk, as far as it can be read."""
        key = self._source.mapping.key
        try:
            if isinstance(line, Misfit):
                raise UnmappedError(KEY, key, row.get(key, ""), WrongError(line.zh, line.en))
            listing, unread = self._source.mapping.read(row, named)
        except UnmappedError as error:
            chunk.unread_keys.append("")  # it may be any
            return _Read(line, number, _refusal(number, "", [error]), [error.columns])
        sent = rpc.ImportRow(row=number, listing=listing)
        if not unread:
            chunk.rows.append(sent)
            return _Read(line, number)
        chunk.unread_keys.append(listing.external_key)
        chunk.unread_rows.add(row=sent, fields=[one.field for one in unread])
        refusal = _refusal(number, row.get(key, ""), unread)
        return _Read(line, number, refusal, [one.columns for one in unread])


class _Read(NamedTuple):
    """A line that was read.

    Attributes:
        number: of its row as a spreadsheet shows it, where it is data; 0 for others.
        refusal: our receipt, where not all of it could be read.
        columns: those that could not be, of each problem.
    """

    line: Line
    number: int = 0
    refusal: rpc.ImportReceipt | None = None
    columns: Sequence[Sequence[str]] = ()

    def settled(self, given: dict[int, rpc.ImportReceipt]) -> Settled:
        """The line with its receipt: the service's, or ours with what else the service finds wrong."""
        receipt = given.get(self.number)
        if self.refusal is None:
            return Settled(self.line, receipt)
        if receipt is not None:
            self.refusal.problems.extend(receipt.problems)
        return Settled(self.line, self.refusal, self.columns)


def _refusal(number: int, key: str, problems: Sequence[UnmappedError]) -> rpc.ImportReceipt:
    # Not kept as the exceptions that they are: their tracebacks would hold the whole chunk until garbage is collected.
    receipt = rpc.ImportReceipt(row=number, external_key=key, outcome=rpc.IMPORT_OUTCOME_REFUSED)
    for problem in problems:
        found = receipt.problems.add(field=problem.field, rule="mapping")
        found.message.zh, found.message.en = problem.zh, problem.en
    return receipt
