"""Compound files ([MS-CFB]): old Office documents, and objects (OLE) that are embedded in new ones."""

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from registry.inspecting.finding import CHUNK, Found, Inner, Unpacking
from registry.inspecting.signs import is_programs_name

_HEADER = struct.Struct("<30xHH6x9I109I")
_ENTRY = struct.Struct("<64sHB49xIQ")
_SMALL = 512  # bytes of a sector, or 4096
_SHIFTS = ((9, 6), (12, 6))  # of sectors and mini sectors
_STREAM, _ROOT = 2, 5  # types of entries
_LAST = 0xFFFFFFFA  # a sector's number is lower
_MACROS = ("vba", "_vba_project", "_vba_project_cur", "macros")
_PACKAGE, _ENCRYPTED = "\x01ole10native", "encryptedpackage"
_HEAD = 16 * 1024  # bytes within which a package says what it holds
_IS_PACKAGE = 2  # stands behind the length


class _Entry(NamedTuple):
    """A stream or storage of a compound file."""

    name: str
    kind: int
    start: int
    size: int


def look(file: IO[bytes], unpacking: Unpacking, inner: Inner) -> None:
    """See `finding.Look`."""
    try:
        compound = _Compound(file)
        for entry in compound.entries:
            _look_at(compound, entry, unpacking, inner)
    except (struct.error, ValueError, IndexError, EOFError) as error:
        raise Found.unreadable("") from error


def _look_at(compound: "_Compound", entry: _Entry, unpacking: Unpacking, inner: Inner) -> None:
    name = entry.name.lower()
    if name in _MACROS:
        fix = "请另存为不含宏的文件后重新上传", "save it without macros and upload that"
        raise Found("macros", "含有宏", "it holds macros", *fix, entry.name)
    if name == _ENCRYPTED:
        raise Found.unreadable(entry.name)
    if entry.kind != _STREAM:
        return
    with TemporaryFile() as copy:
        for chunk in compound.content(entry):
            unpacking.count(len(chunk))
            copy.write(chunk)
        inner(copy, entry.name)
        if name == _PACKAGE:
            _look_at_package(copy, inner)


def _look_at_package(file: IO[bytes], inner: Inner) -> None:
    """What a package ("Insert object from file") holds: a file of any kind, with its names."""
    file.seek(0)
    names, start = _packed(file.read(_HEAD))
    for name in names:
        if is_programs_name(name):
            raise Found.program(name)
    file.seek(start)
    with TemporaryFile() as content:
        while chunk := file.read(CHUNK):
            content.write(chunk)
        inner(content, names[0] if names else "")


def _packed(head: bytes) -> tuple[Sequence[str], int]:
    """The names of a package's file, and where its content begins; of what is no package, its length stands before it.

    Length, 2, label, path, 4 bytes, length and text of the path where it was, length, content. Raises `ValueError`.
    """
    if len(head) < 6 or int.from_bytes(head[4:6], "little") != _IS_PACKAGE:
        return (), 4
    label_ends = head.index(b"\0", 6)
    path_ends = head.index(b"\0", label_ends + 1)
    length_at = path_ends + 5
    content_at = length_at + 4 + int.from_bytes(head[length_at : length_at + 4], "little") + 4
    if content_at > len(head):
        raise ValueError(content_at)
    names = head[6:label_ends], head[label_ends + 1 : path_ends], head[length_at + 4 : content_at - 4]
    return [one.decode("gb18030", "replace") for one in names], content_at


class _Compound:
    """A compound file. Raises `ValueError`, `IndexError`, `EOFError` or `struct.error` where it is none."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)
        shift, mini_shift, _, tables, directory, _, self._cutoff, mini_table, _, more, _, *places = _HEADER.unpack(
            file.read(_HEADER.size)
        )
        if (shift, mini_shift) not in _SHIFTS:
            raise ValueError(shift)
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._table = self._words(islice(self._tables(places, more), tables))
        self.entries = list(self._entries(directory))
        self._mini_table = self._words(self._chain(mini_table))
        self._mini_stream = next((list(self._chain(one.start)) for one in self.entries if one.kind == _ROOT), [])

    def content(self, entry: _Entry) -> Iterator[bytes]:
        """The content of a stream, sector by sector."""
        left = entry.size
        for sector in self._mini_sectors(entry.start) if entry.size < self._cutoff else self._sectors(entry.start):
            if left <= 0:
                return
            yield sector[:left]
            left -= len(sector)
        if left > 0:
            raise EOFError

    def _sectors(self, start: int) -> Iterator[bytes]:
        return map(self._sector, self._chain(start))

    def _mini_sectors(self, start: int) -> Iterator[bytes]:
        for number in _chained(self._mini_table, start):
            sector, place = divmod(number * self._mini_size, self._size)
            yield self._sector(self._mini_stream[sector])[place : place + self._mini_size]

    def _sector(self, number: int) -> bytes:
        """A sector; the file's last one may be cut."""
        self._file.seek((number + 1) * self._size)
        content = self._file.read(self._size)
        if not content:
            raise EOFError
        return content.ljust(self._size, b"\0")

    def _chain(self, start: int) -> Iterator[int]:
        return _chained(self._table, start)

    def _words(self, sectors: Iterable[int]) -> "array[int]":
        """What sectors hold, as numbers of 32 bits."""
        words = array("I")
        for number in sectors:
            words.extend(struct.unpack(f"<{self._size // 4}I", self._sector(number)))
        return words

    def _tables(self, places: Sequence[int], more: int) -> Iterator[int]:
        """Sectors of the table of sectors: 109 are in the header, others in a chain of their own. Each is there once."""
        seen = set()
        while True:
            for place in places:
                if place < _LAST:
                    if place in seen:
                        raise ValueError(place)
                    seen.add(place)
                    yield place
            if more >= _LAST:
                return
            *places, more = struct.unpack(f"<{self._size // 4}I", self._sector(more))
            if not any(place < _LAST for place in places):
                return

    def _entries(self, directory: int) -> Iterator[_Entry]:
        for sector in self._sectors(directory):
            for raw, length, kind, start, size in _ENTRY.iter_unpack(sector):
                name = raw[: max(0, min(length, len(raw)) - 2)].decode("utf-16-le", "replace")
                if kind:  # of sectors of 512 bytes, half of the size's bits may hold anything
                    yield _Entry(name, kind, start, size & 0xFFFFFFFF if self._size == _SMALL else size)


def _chained(table: Sequence[int], start: int) -> Iterator[int]:
    """Numbers of sectors from a first one. Raises `ValueError` where they go round in a circle."""
    for _ in range(len(table) + 1):
        if start >= _LAST:
            return
        yield start
        start = table[start]
    raise ValueError(start)
