"""The index on the disk 索引快照: so that a start goes on where the last one stopped, instead of reading the whole topic.

`words/` is the folder that tantivy works in. A snapshot is what belongs together at one moment: tantivy's files, which never
change once they are written, by a second link to each in `kept/`, beside a copy of its `meta.json`; parts of vectors and of
columns; the counts of terms; and `manifest.json`, written last and by a rename, with the topic's id, the offset of every
partition up to which it holds everything, and a checksum of each file and of itself. A start puts `words/` back as it was in
the snapshot, and reads on from there. What is not whole, or of another topic, model or format, is removed and built anew.
"""

import asyncio
import fcntl
import json
import logging
import os
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from chassis.errors import Unavailable
from matching import metrics
from matching.domain.pairs import INDEX_VERSION
from matching.files import is_panic
from matching.following import Following
from matching.index import Index

log = logging.getLogger(__name__)
_MANIFEST, _WORDS, _KEPT, _LOCK = "manifest.json", "words", "kept", "lock"
_META, _MANAGED = "meta.json", ".managed.json"  # of tantivy: what belongs to the index, and which files it may remove
_PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")  # files of each of its segments
_ALL_GONE = 100_000  # slots of listings that are gone, beyond as many as there are listings, with which it is built anew
_EVERY = 60.0  # seconds between two, where anything changed
_TRIES = 5  # to link files that a merge may be replacing
_PART = 1 << 20  # bytes that are read at once


class UnusableError(Exception):
    """What lies on the disk can't be used; `str()` says why."""


@dataclass(frozen=True)
class Manifest:
    """What belongs together.

    Attributes:
        format, model, topic: of another one it is not used.
        places: partition → offset of the next record, as text and number.
        next_slot: slot of the next listing.
        listings: how many there are.
        meta: tantivy's own list of what belongs together, as it was then.
        words: tantivy's files that it names.
        vectors: kind → files of segments, the open one last; see `Vectors.save`.
        columns: files of parts, the open one last.
        terms: file with the counts of terms.
        sums: size and CRC-32 of each of these files.
    """

    format: int
    model: str
    topic: str
    places: dict[str, int]
    next_slot: int
    listings: int
    meta: str
    words: list[str]
    vectors: dict[str, list[str]]
    columns: list[str]
    terms: str
    sums: dict[str, tuple[int, int]]


class Snapshots:
    """Those of one replica, in a folder of its own."""

    def __init__(self, folder: Path, model: str, index: Index) -> None:
        self._folder = folder
        self._model = model
        self._index = index
        self._sums: dict[str, tuple[int, int]] = {}
        self._lock: IO[bytes] | None = None

    def load(self, topic: str) -> dict[int, int]:
        """Have the index lie in the folder, with what is there of this topic; partition → offset of the next record."""
        self._hold()
        if not self._held():
            return self._begun()
        try:
            return self._opened(self._checked(topic))
        except BaseException as error:
            if not (isinstance(error, Exception) or is_panic(error)):
                raise
            log.warning("index: built anew", extra={"why": f"{type(error).__name__}: {error}"})
        return self._begun()

    def _held(self) -> list[Path]:
        """What lies in the folder."""
        return [old for old in self._folder.iterdir() if old.name != _LOCK]

    def _begun(self) -> dict[int, int]:
        """Have the index lie in the folder, empty."""
        for old in self._held():
            _remove(old)
        self._index.open(self._folder / _WORDS)
        self._index.columns.open(self._folder, [])
        return {}

    def _opened(self, manifest: Manifest) -> dict[int, int]:
        """Have the index lie in the folder as it was in the snapshot."""
        self._put_back(manifest)
        self._index.open(self._folder / _WORDS)
        for kind, names in manifest.vectors.items():
            self._index.vectors_of(kind).load(self._folder, names)
        self._index.columns.open(self._folder, manifest.columns)
        self._index.lexicon.load(self._folder / manifest.terms, manifest.listings)
        self._index.next_slot = manifest.next_slot
        log.info("index: opened", extra={"listings": len(self._index)})
        return {int(partition): offset for partition, offset in manifest.places.items()}

    def save(self, topic: str, places: Mapping[int, int]) -> None:
        """Write down what the index holds."""
        manifest = self._written(topic, places)
        self._seal(manifest, self._summed(manifest))

    def _written(self, topic: str, places: Mapping[int, int]) -> Manifest:
        """Write what the index holds, without checksums; nothing else may touch the index meanwhile."""
        self._index.commit()
        stamp = f"{self._index.next_slot}-{os.urandom(4).hex()}"
        meta = f"{_KEPT}/{stamp}.meta"
        words = self._linked(meta)
        vectors = {kind: one.save(self._folder, f"{stamp}-{kind}") for kind, one in self._index.vectors.items()}
        columns = self._index.columns.save(stamp)
        terms = f"{stamp}.terms"
        self._index.lexicon.save(self._folder / terms)
        return Manifest(
            INDEX_VERSION,
            self._model,
            topic,
            {str(partition): offset for partition, offset in places.items()},
            self._index.next_slot,
            len(self._index),
            meta,
            words,
            vectors,
            columns,
            terms,
            {},
        )

    def _summed(self, manifest: Manifest) -> dict[str, tuple[int, int]]:
        """The checksums of its files, which never change. Of a large index, after tantivy has merged, that takes seconds."""
        return {name: self._sums.get(name) or _sum(self._folder / name) for name in _files_of(manifest)}

    def _seal(self, manifest: Manifest, sums: dict[str, tuple[int, int]]) -> None:
        """Have it be the snapshot, and remove what is neither of it nor of what the index has put there since."""
        self._sums = sums
        _write(self._folder / _MANIFEST, _sealed(json.dumps(asdict(replace(manifest, sums=sums))).encode()))
        needed = {*_files_of(manifest), *self._index.columns.files(), _MANIFEST, _LOCK}
        for file in (*self._folder.iterdir(), *(self._folder / _KEPT).iterdir()):
            if file.is_file() and str(file.relative_to(self._folder)) not in needed:
                file.unlink()

    async def keep(self, following: Following) -> None:
        """Write one again and again, and at the end, where anything changed; then give the folder up."""
        saved: dict[int, int] = {}
        await following.is_caught_up.wait()
        try:
            while True:
                if following.places != saved and (kept := await self._kept(following)):
                    saved = kept
                    metrics.SNAPSHOT.set_to_current_time()
                await asyncio.sleep(_EVERY)
        finally:
            if self._index.lost.is_set():
                self._forget()
            elif following.places != saved:
                await self._kept(following)
            self.close()

    def _forget(self) -> None:
        """Have the next start build anew: what was kept of damaged files may bear the checksums of the damage."""
        with suppress(OSError):  # of a folder that can't be written at all
            (self._folder / _MANIFEST).unlink(missing_ok=True)

    async def _kept(self, following: Following) -> dict[int, int]:
        """Write one, the checksums beside the loop; returns its places, none where it could not be written: the last stays."""
        places = dict(following.places)
        try:
            manifest = self._written(following.topic, places)
            self._seal(manifest, await asyncio.to_thread(self._summed, manifest))
        except (OSError, RuntimeError, UnusableError, Unavailable) as error:  # usearch has RuntimeError for its files
            log.error("index: not kept", extra={"why": f"{type(error).__name__}: {error}"})
            return {}
        return places

    def close(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _hold(self) -> None:
        """Raises `Unavailable` where another process has the folder: nothing in it is ours to remove."""
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = (self._folder / _LOCK).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise Unavailable(
                f"索引文件夹 {self._folder} 正被另一进程使用", f"another process has the index's folder {self._folder}"
            ) from error
        self._lock = lock

    def _linked(self, meta: str) -> list[str]:
        """Link what tantivy's last commit consists of, and copy its list of that; a merge may replace files meanwhile. What
        that list names and nobody replaced was removed under the index, and is lost to it.
        """
        kept, working = self._folder / _KEPT, self._folder / _WORDS
        for _ in range(_TRIES):
            content, names = self._listed(working)
            kept.mkdir(exist_ok=True)
            missing = [name for name in names if not _link(working / name, kept / name)]
            if self._listed(working)[0] != content:
                continue
            if missing:
                self._index.lost.set()
                raise UnusableError(f"{missing[0]} was removed")
            _write(self._folder / meta, content)
            return sorted(f"{_KEPT}/{name}" for name in names)
        raise UnusableError("tantivy's files change faster than they are linked")

    def _listed(self, working: Path) -> tuple[bytes, list[str]]:
        """Tantivy's list, which it replaces by a rename, and the names of the files in it."""
        try:
            content = (working / _META).read_bytes()
            return content, _named(content)
        except (OSError, ValueError, LookupError, TypeError) as error:
            self._index.lost.set()
            raise UnusableError(f"tantivy's list of its files: {error}") from error

    def _put_back(self, manifest: Manifest) -> None:
        """Have tantivy's folder as it was in the snapshot."""
        working = self._folder / _WORDS
        _remove(working)
        working.mkdir()
        for name in manifest.words:
            os.link(self._folder / name, working / Path(name).name)
        (working / _META).write_bytes((self._folder / manifest.meta).read_bytes())
        managed = [_META, *(Path(name).name for name in manifest.words)]
        (working / _MANAGED).write_text(json.dumps(managed), encoding="utf-8")

    def _checked(self, topic: str) -> Manifest:
        """The manifest, if all that it names is whole. Raises `UnusableError`."""
        file = self._folder / _MANIFEST
        if not file.exists():
            raise UnusableError("no manifest")
        manifest = Manifest(**json.loads(_unsealed(file.read_bytes())))
        for what, found, wanted in (
            ("format", manifest.format, INDEX_VERSION),
            ("model", manifest.model, self._model),
            ("topic", manifest.topic, topic),
        ):
            if found != wanted:
                raise UnusableError(f"{what} is {found}, not {wanted}")
        if manifest.next_slot > 2 * manifest.listings + _ALL_GONE:
            raise UnusableError("most of what it measures is gone")
        for name, wanted_sum in manifest.sums.items():
            self._sums[name] = _sum(self._folder / name)
            if list(self._sums[name]) != list(wanted_sum):
                raise UnusableError(f"{name} is not as it was written")
        return manifest


def _files_of(manifest: Manifest) -> set[str]:
    """All that belongs together but for the manifest itself."""
    vectors = [name for names in manifest.vectors.values() for name in names]
    return {manifest.meta, *manifest.words, *vectors, *manifest.columns, manifest.terms}


def _named(meta: bytes) -> list[str]:
    """The files that tantivy's list means; it tells segments and, of each, the last deletions."""
    names = []
    for segment in json.loads(meta)["segments"]:
        name = segment["segment_id"].replace("-", "")
        names += [f"{name}.{part}" for part in _PARTS]
        if segment["deletes"]:
            names.append(f"{name}.{segment['deletes']['opstamp']}.del")
    return names


def _link(file: Path, second: Path) -> bool:
    """Link a file unless it is linked already; says whether it was there."""
    if file.exists() and not second.exists():
        with suppress(FileNotFoundError):
            os.link(file, second)
    return file.exists()


def _sealed(content: bytes) -> bytes:
    """With a checksum behind it."""
    return content + b"\n%08x" % zlib.crc32(content)


def _unsealed(content: bytes) -> bytes:
    """Raises `UnusableError` where it is not as it was sealed."""
    told, _, found = content.rpartition(b"\n")
    if found != b"%08x" % zlib.crc32(told):
        raise UnusableError("the manifest is not as it was written")
    return told


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


def _remove(old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    else:
        old.unlink(missing_ok=True)
