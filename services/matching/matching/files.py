"""Tantivy's files 索引文件: whatever fails on them, as they are read or written, is the loss of the folder.

No record and no query is to blame for it. A query is put together before anything is read: what is wrong with the words of
a caller fails there, and loses nothing.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import tantivy

from chassis.errors import Unavailable
from matching.entry import Gone, Kept, from_bytes

log = logging.getLogger(__name__)
_LOST = (
    "索引文件夹不能读写，服务即将重新启动；请稍后再试",
    "the folder of the index can't be read or written, the service begins anew; try again later",
)
_FAULTS = (ValueError, OSError, LookupError, TypeError)  # tantivy has ValueError for all that ails its files


class Files:
    """Those of one index."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        """Set where they fail, as when the folder was removed or damaged, or the disk is full: nothing is taken in or found
        from then on, and only a process that begins anew helps."""

    @contextmanager
    def touched(self, how: Literal["read", "written"]) -> Iterator[None]:
        """Whatever fails on the files within is noticed here. Raises `Unavailable` where they are lost."""
        if self.lost.is_set():
            raise Unavailable(*_LOST)
        try:
            yield
        except BaseException as error:
            if not (isinstance(error, _FAULTS) or is_panic(error)):
                raise
            log.error("index: can't be %s", how, extra={"why": f"{type(error).__name__}: {error}"})
            self.lost.set()
            raise Unavailable(*_LOST) from error


class Searcher:
    """The documents as they were at one moment; tantivy's searcher, every read of which is watched."""

    def __init__(self, of: tantivy.Searcher, files: Files) -> None:
        self._of = of
        self._files = files

    @property
    def num_docs(self) -> int:
        """How many there are."""
        return self._of.num_docs

    def search(self, query: tantivy.Query, **how: Any) -> Any:
        """See `tantivy.Searcher`, as of the following."""
        with self._files.touched("read"):
            return self._of.search(query, **how)

    def aggregate(self, query: tantivy.Query, wanted: dict[str, Any]) -> dict[str, Any]:
        """Counts by value."""
        with self._files.touched("read"):
            return self._of.aggregate(query, wanted)

    def name(self, address: tantivy.DocAddress) -> str:
        """The name of one."""
        with self._files.touched("read"):
            return str(self._of.doc(address)["name"][0])

    def known(self, address: tantivy.DocAddress) -> Kept | Gone:
        """The listing of one, or that it is gone."""
        with self._files.touched("read"):
            document = self._of.doc(address)
            if document.get_first("entry") is None:
                return Gone(int(document["version"][0]), str(document["state"][0]))
            return self._kept(document)

    def kept(self, address: tantivy.DocAddress) -> Kept:
        """The listing of one that is published."""
        with self._files.touched("read"):
            return self._kept(self._of.doc(address))

    def _kept(self, document: tantivy.Document) -> Kept:
        """What is read later is watched as well."""
        return from_bytes(bytes(document["entry"][0]), partial(self._files.touched, "read"))

    def slots(self, addresses: Sequence[tantivy.DocAddress]) -> list[int]:
        """The slots of some."""
        with self._files.touched("read"):
            return [int(slot or 0) for slot in self._of.fast_field_values("slot", list(addresses))]


def is_panic(error: BaseException) -> bool:
    """Whether tantivy gave up altogether, as it does of some bytes that it can't make sense of; that is no `Exception`."""
    return type(error).__name__ == "PanicException"
