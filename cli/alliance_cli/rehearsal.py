"""What a real run would make of rows whose keys came before, told by a dry run."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence

from alliance.listings.v1 import listings_service_pb2 as rpc


class Rehearsal:
    """What a dry run took in so far. The service forgets every chunk of it; a real run meets its own rows again."""

    def __init__(self) -> None:
        self._sent: dict[int, tuple[str, int]] = {}  # row → key and hash, until its receipt is back
        self._taken = _Taken()

    def watch(self, requests: Iterator[rpc.ImportListingsRequest]) -> Iterator[rpc.ImportListingsRequest]:
        """The same requests; remembers their rows on the way."""
        for request in requests:
            for row in request.chunk.rows:
                content = row.listing.SerializeToString(deterministic=True)
                self._sent[row.row] = row.listing.external_key or row.listing.name, hash(content)
            yield request

    def settle(self, receipts: Sequence[rpc.ImportReceipt]) -> None:
        """Mend the outcomes of a chunk's rows whose keys an earlier chunk took in; within a chunk the service sees to it."""
        rows: dict[str, list[tuple[rpc.ImportReceipt, int]]] = defaultdict(list)
        for receipt in receipts:
            if receipt.row not in self._sent:  # of what vanished, or could not be read
                continue
            key, content = self._sent.pop(receipt.row)
            if receipt.outcome != rpc.IMPORT_OUTCOME_REFUSED:
                rows[key].append((receipt, content))
        for key, some in rows.items():
            if (stored := self._taken.get(key)) is not None:
                _fold(some, stored)
            self._taken.put(key, some[-1][1])


class _Taken:
    """Key → hash of what a real run would hold after the chunks that are back; on disk, so that memory stays flat."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("")  # a file of its own, which nobody else sees and which goes with it
        self._store.execute("CREATE TABLE taken (key TEXT PRIMARY KEY, content INTEGER) WITHOUT ROWID")

    def get(self, key: str) -> int | None:
        """The hash of a key."""
        found = self._store.execute("SELECT content FROM taken WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def put(self, key: str, content: int) -> None:
        """Keep a hash."""
        self._store.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (key, content))


def _fold(rows: Sequence[tuple[rpc.ImportReceipt, int]], stored: int) -> None:
    """Outcomes of one key's rows in a chunk, as the service would give them if it held `stored`."""
    changes = rows[-1][1] != stored
    for receipt, content in rows:
        receipt.outcome = rpc.IMPORT_OUTCOME_REVISED if changes and content != stored else rpc.IMPORT_OUTCOME_UNCHANGED
        stored = content
