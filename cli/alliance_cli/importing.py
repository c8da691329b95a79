"""Importing a file: chunks out, receipts in, both at once; memory stays flat.

A chunk is committed before its receipts come back, so an import that was cut off is simply run again: rows that are in
already are answered `unchanged`. Everything that can be seen to be wrong on this side is refused before anything is sent.
"""

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import typer

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import rows, stubs
from alliance_cli.errors import REFUSED, fail
from alliance_cli.output import short
from alliance_cli.session import context, metadata, t
from intake import Mapping, UnmappedError

CHUNK = 500  # rows committed together
WINDOW = 4  # chunks on their way before the first receipt must be back
_outcome = short(rpc.ImportOutcome, "IMPORT_OUTCOME_")
_HEADINGS = ("row", "external_key", "outcome", "listing", "field", "rule", "message")


@dataclass
class Result:
    """What an import came to."""

    outcomes: Counter[str] = field(
        default_factory=lambda: Counter({"accepted": 0, "revised": 0, "unchanged": 0, "refused": 0})
    )
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Rows that have a receipt."""
        return self.outcomes.total()


class Rehearsal:
    """What a dry run took in so far. The service forgets every chunk of it; a real run meets its own rows again."""

    def __init__(self) -> None:
        self._sent: dict[int, tuple[str, int]] = {}  # row → key and hash, until its receipt is back
        self._taken: dict[str, int] = {}  # key → hash of what a real run would hold after the chunks that are back

    def watch(self, requests: Iterator[rpc.ImportListingsRequest]) -> Iterator[rpc.ImportListingsRequest]:
        """The same requests; remembers their rows on the way."""
        for request in requests:
            for row in request.chunk.rows:
                content = row.listing.SerializeToString(deterministic=True)
                self._sent[row.row] = row.listing.external_key, hash(content)
            yield request

    def settle(self, receipts: Sequence[rpc.ImportReceipt]) -> None:
        """Mend the outcomes of a chunk's rows whose keys an earlier chunk took in; within a chunk the service sees to it."""
        rows: dict[str, list[tuple[rpc.ImportReceipt, int]]] = defaultdict(list)
        for receipt in receipts:
            key, content = self._sent.pop(receipt.row)
            if receipt.outcome != rpc.IMPORT_OUTCOME_REFUSED:
                rows[key].append((receipt, content))
        for key, some in rows.items():
            if (stored := self._taken.get(key)) is not None:
                _fold(some, stored)
            self._taken[key] = some[-1][1]


def _fold(rows: Sequence[tuple[rpc.ImportReceipt, int]], stored: int) -> None:
    """Outcomes of one key's rows in a chunk, as the service would give them if it held `stored`."""
    changes = rows[-1][1] != stored
    for receipt, content in rows:
        receipt.outcome = rpc.IMPORT_OUTCOME_REVISED if changes and content != stored else rpc.IMPORT_OUTCOME_UNCHANGED
        stored = content


def sound(file: Path, mapping: Mapping, receipts: Path) -> int:
    """How many rows there are to send. Ends with exit code 5 for a file that can't be imported, 2 for unwritable receipts."""
    number = rows.count(file)
    if not number:
        fail(REFUSED, t(f"{file.name} 没有数据行", f"there are no rows in {file.name}"))
    there = list(next(rows.read(file)))
    if missing := [column for column in mapping.columns if column not in there]:
        lacking, listed = ", ".join(missing), ", ".join(there)
        fail(
            REFUSED,
            t(
                f"{file.name} 缺少映射所用的列：{lacking}\n现有的列：{listed}\n请补上这些列，或在映射中去掉",
                f"{file.name} lacks columns that the mapping names: {lacking}\n"
                f"it has: {listed}\nadd them to the file, or take them out of the mapping",
            ),
        )
    try:
        if receipts.exists() and any(receipts.samefile(one) for one in (file, mapping.file) if one):
            raise typer.BadParameter(
                t("回执会盖掉导入的文件或映射；请另取名", "the receipts would overwrite the file or the mapping")
            )
        receipts.open("a").close()
    except OSError as error:
        why = f"{receipts}: {error.strerror}"
        raise typer.BadParameter(
            t(f"回执写不进 {why}；请用 --receipts 另指", f"can't write the receipts, {why}; choose others with --receipts")
        ) from error
    return number


def run(file: Path, mapping: Mapping, header: rpc.ImportHeader, receipts: Path, progress: Callable[[int], None]) -> Result:
    """Import a file and write `receipts` as it goes; raises grpc.RpcError where the stream breaks."""
    result = Result()
    window = BoundedSemaphore(WINDOW)
    unmapped: list[tuple[int, str, UnmappedError]] = []
    rehearsal = Rehearsal()
    started = time.monotonic()
    with receipts.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(_HEADINGS)
        requests = _requests(file, mapping, header, window, unmapped)
        if header.dry_run:
            requests = rehearsal.watch(requests)
        for answer in stubs.listings().ImportListings(requests, metadata=metadata()):
            window.release()
            if header.dry_run:
                rehearsal.settle(answer.receipts)
            for receipt in answer.receipts:
                result.outcomes[_outcome(receipt.outcome)] += 1
                writer.writerows(_lines(receipt))
            progress(result.rows)
        for number, key, problem in unmapped:
            result.outcomes["refused"] += 1
            writer.writerow((number, key, "refused", "", problem.field, "mapping", t(problem.zh, problem.en)))
        progress(result.rows)
    result.seconds = time.monotonic() - started
    return result


def _requests(
    file: Path,
    mapping: Mapping,
    header: rpc.ImportHeader,
    window: BoundedSemaphore,
    unmapped: list[tuple[int, str, UnmappedError]],
) -> Iterator[rpc.ImportListingsRequest]:
    """The header, then the rows in chunks; waits while `WINDOW` chunks are without receipts."""
    yield rpc.ImportListingsRequest(header=header)
    chunk = rpc.ImportChunk()
    for number, row in enumerate(rows.read(file), start=1):
        try:
            chunk.rows.append(rpc.ImportRow(row=number, listing=mapping.listing(row)))
        except UnmappedError as problem:
            unmapped.append((number, row.get(mapping.key, ""), problem))
        if len(chunk.rows) == CHUNK:
            window.acquire()
            yield rpc.ImportListingsRequest(chunk=chunk)
            chunk = rpc.ImportChunk()
    if chunk.rows:
        window.acquire()
        yield rpc.ImportListingsRequest(chunk=chunk)


def _lines(receipt: Any) -> Iterator[tuple[object, ...]]:
    """A line a problem, one where there is none."""
    head = (receipt.row, receipt.external_key, _outcome(receipt.outcome), receipt.listing)
    if not receipt.problems:
        yield (*head, "", "", "")
    for problem in receipt.problems:
        text = problem.message.en if context.language == "en" else problem.message.zh
        yield (*head, problem.field, problem.rule, text)
