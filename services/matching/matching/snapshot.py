"""The index on the disk 索引快照: so that a start goes on where the last one stopped, instead of reading the whole topic.

`words/` is tantivy's own folder, whose files end with a checksum. Beside it are segments of vectors, the counts of terms, and
`manifest.json`, written last and by a rename: what belongs together, with the topic's id and the offset of every partition up
to which it holds everything. What is not whole, or of another topic, model or format, is removed and built anew.
"""

import asyncio
import json
import logging
import os
import shutil
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from chassis.errors import Unavailable
from matching import metrics
from matching.domain.pairs import INDEX_VERSION
from matching.following import Following
from matching.index import Index

log = logging.getLogger(__name__)
_MANIFEST, _WORDS = "manifest.json", "words"
_EVERY = 60.0  # seconds between two, where anything changed
_FOOTER = 8  # bytes behind the footer of a file of tantivy's: its length, and a number that is always the same
_MAGIC = 1337
_PART = 1 << 20  # bytes that are read at once


class UnusableError(Exception):
    """What lies on the disk can't be used; `str()` says why."""


@dataclass(frozen=True)
class Manifest:
    """What belongs together.

    Attributes:
        format, model, topic: of another one it is not used.
        places: partition → offset of the next record, as text and number.
        next_slot: slot of the next listing; what has a higher one was committed after this was written.
        vectors: files of segments, the open one last.
        terms: file with the counts of terms.
        sums: size and CRC-32 of each of these files.
    """

    format: int
    model: str
    topic: str
    places: dict[str, int]
    next_slot: int
    vectors: list[str]
    terms: str
    sums: dict[str, tuple[int, int]]


class Snapshots:
    """Those of one replica, in a folder of its own."""

    def __init__(self, folder: Path, model: str, index: Index) -> None:
        self._folder = folder
        self._model = model
        self._index = index
        self._sums: dict[str, tuple[int, int]] = {}

    def load(self, topic: str) -> dict[int, int]:
        """Have the index lie in the folder, with what is there of this topic; partition → offset of the next record."""
        try:
            manifest = self._checked(topic)
            if manifest is not None:
                self._index.open(self._folder / _WORDS)
                self._take(manifest)
                log.info("index: opened", extra={"listings": len(self._index)})
                return {int(partition): offset for partition, offset in manifest.places.items()}
        except (UnusableError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            if "lock" in str(error).lower():  # another process has the folder: nothing in it is ours to remove
                raise Unavailable("索引文件夹正被另一进程使用", "another process has the index's folder") from error
            log.warning("index: built anew", extra={"why": f"{type(error).__name__}: {error}"})
        shutil.rmtree(self._folder, ignore_errors=True)
        self._index.open(self._folder / _WORDS)
        return {}

    def save(self, topic: str, places: Mapping[int, int]) -> None:
        """Write down what the index holds."""
        self._index.commit()
        stamp = f"{self._index.next_slot}-{os.urandom(4).hex()}"
        vectors = self._index.vectors.save(self._folder, stamp)
        terms = f"{stamp}.terms"
        self._index.lexicon.save(self._folder / terms)
        named = {*vectors, terms}
        self._sums = {name: self._sums.get(name) or _sum(self._folder / name) for name in named}
        manifest = Manifest(
            INDEX_VERSION,
            self._model,
            topic,
            {str(partition): offset for partition, offset in places.items()},
            self._index.next_slot,
            vectors,
            terms,
            self._sums,
        )
        _write(self._folder / _MANIFEST, json.dumps(asdict(manifest)).encode())
        for file in self._folder.iterdir():
            if file.is_file() and file.name not in {*named, _MANIFEST}:
                file.unlink()

    async def keep(self, following: Following) -> None:
        """Write one again and again, and at the end, where anything changed."""
        saved: dict[int, int] = {}
        await following.is_caught_up.wait()
        try:
            while True:
                if following.places != saved:
                    self.save(following.topic, following.places)
                    saved = dict(following.places)
                    metrics.SNAPSHOT.set_to_current_time()
                await asyncio.sleep(_EVERY)
        finally:
            if following.places != saved:
                self.save(following.topic, following.places)

    def _checked(self, topic: str) -> Manifest | None:
        """The manifest, if all that it names is whole; None where there is none. Raises `UnusableError`."""
        file = self._folder / _MANIFEST
        if not file.exists():
            return None
        manifest = Manifest(**json.loads(file.read_bytes()))
        for what, found, wanted in (
            ("format", manifest.format, INDEX_VERSION),
            ("model", manifest.model, self._model),
            ("topic", manifest.topic, topic),
        ):
            if found != wanted:
                raise UnusableError(f"{what} is {found}, not {wanted}")
        for name in (*manifest.vectors, manifest.terms):
            self._sums[name] = _sum(self._folder / name)
            if list(self._sums[name]) != list(manifest.sums[name]):
                raise UnusableError(f"{name} is not as it was written")
        _check_words((self._folder / _WORDS).iterdir())
        return manifest

    def _take(self, manifest: Manifest) -> None:
        index = self._index
        index.vectors.load(self._folder, manifest.vectors)
        index.lexicon.load(self._folder / manifest.terms, 0)
        index.next_slot = manifest.next_slot
        index.recover()


def _check_words(files: Iterable[Path]) -> None:
    """Raises `UnusableError` where a file of tantivy's is not as it was written: each ends with the checksum of the rest."""
    for file in files:
        if file.suffix in (".json", ".lock"):
            continue
        with file.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - _FOOTER))
            tail = opened.read(_FOOTER)
            length, magic = int.from_bytes(tail[:4], "little"), int.from_bytes(tail[4:], "little")
            body = size - _FOOTER - length
            if magic != _MAGIC or body < 0:
                raise UnusableError(f"{file.name} has no end")
            opened.seek(body)
            wanted = json.loads(opened.read(length))["crc"]
            opened.seek(0)
            found = 0
            while body:
                part = opened.read(min(_PART, body))
                found, body = zlib.crc32(part, found), body - len(part)
        if found != wanted:
            raise UnusableError(f"{file.name} is not as it was written")


def _sum(file: Path) -> tuple[int, int]:
    """Size and CRC-32."""
    found = 0
    with file.open("rb") as opened:
        while part := opened.read(_PART):
            found = zlib.crc32(part, found)
        return opened.tell(), found


def _write(file: Path, content: bytes) -> None:
    """A file that is there whole or not at all."""
    scratch = file.with_suffix(".tmp")
    with scratch.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    scratch.replace(file)
