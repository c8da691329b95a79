"""Importing a file: chunks out, receipts in, both at once; memory stays flat.

A chunk is committed before its receipts come back, so an import that was cut off is simply run again: rows that are in
already are answered `unchanged`.
"""

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance_cli import rows, stubs
from alliance_cli.mapping import Mapping, UnmappedError
from alliance_cli.output import short
from alliance_cli.session import context, metadata, t

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


def run(file: Path, mapping: Mapping, header: rpc.ImportHeader, receipts: Path, progress: Callable[[int], None]) -> Result:
    """Import a file and write `receipts` as it goes; raises grpc.RpcError where the stream breaks."""
    result = Result()
    window = BoundedSemaphore(WINDOW)
    unmapped: list[tuple[int, str, UnmappedError]] = []
    started = time.monotonic()
    with receipts.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(_HEADINGS)
        requests = _requests(file, mapping, header, window, unmapped)
        for answer in stubs.listings().ImportListings(requests, metadata=metadata()):
            window.release()
            for receipt in answer.receipts:
                result.outcomes[_outcome(receipt.outcome)] += 1
                writer.writerows(_lines(receipt))
            progress(result.rows)
        for number, key, problem in unmapped:
            result.outcomes["refused"] += 1
            writer.writerow((number, key, "refused", "", problem.field, "mapping", _unmapped_text(problem)))
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


def _unmapped_text(problem: UnmappedError) -> str:
    return t(
        f"列“{problem.column}”的“{problem.text}”对不上代码表；请改正，或在映射的 values 中写明",
        f"{problem.text!r} in column {problem.column!r} is in no code table; mend it, or add it to `values`",
    )
