"""Archives (ZIP), e.g. Office documents (ECMA-376 part 2): macros by what a part is said to be, others by what they are."""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EINVAL
from itertools import chain
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from registry.inspecting.finding import CHUNK, MOST, Found, Inner, Unpacking
from registry.inspecting.signs import is_holder, is_packed, is_program, is_programs_name

CONTENTS = "[Content_Types].xml"
_LISTS = (CONTENTS.lower(), ".rels")  # say what other parts are
_MACRO_NAMES = ("vbaproject.bin", "vbadata.xml")
_MACRO_FOLDERS = ("xl/macrosheets/", "xl/dialogsheets/")
_MACRO_TYPES = ("macroenabled", "vbaproject", "vbadata", "macrosheet", "dialogsheet")
"""In types of contents and of relationships ([MS-OFFMACRO2], [MS-OFFMACRO], ECMA-376 part 1)."""
_SAID = ("ContentType", "Type")  # attributes that say what a part is
_END, _LENGTH = b"PK\x05\x06", struct.Struct("<12xI")  # an archive's last record, and the length of its directory there
_ELSEWHERE = b"PK\x06\x07"  # says that it stands in a record of 64 bits
_MOST_DIRECTORY = 1_000_000  # bytes, of some 10,000 parts
_PIECE = ".piece"
_ENCRYPTED = 1
_BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, expat.ExpatError)


@contextmanager
def opened(file: IO[bytes]) -> Iterator[ZipFile]:
    """The archive in a file. Raises `BadZipFile` or `ValueError` for what is none, or has more parts than any document."""
    if not 0 < _directory(file) <= _MOST_DIRECTORY:
        raise BadZipFile
    try:
        with ZipFile(file) as archive:
            yield archive
    except (OSError, OverflowError, struct.error) as error:
        if isinstance(error, OSError) and error.errno != EINVAL:
            raise
        raise BadZipFile from error  # its list names a place that no file has


def _directory(file: IO[bytes]) -> int:
    """Bytes of an archive's list of parts, each of which takes ten times that in memory; 0 where there is none, or one whose
    length stands elsewhere, as no document needs it.
    """
    with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        place = content.rfind(_END)
        if place < 0 or place + _LENGTH.size > len(content) or content[max(0, place - 20) : place].startswith(_ELSEWHERE):
            return 0
        return int(_LENGTH.unpack_from(content, place)[0])


def look(file: IO[bytes], unpacking: Unpacking, inner: Inner) -> None:
    """See `finding.Look`."""
    name = ""
    try:
        with opened(file) as archive:
            unpacking.require(sum(one.file_size for one in archive.infolist()))
            for part in archive.infolist():
                name = part.filename
                _look_at(archive, part, unpacking, inner)
    except _BROKEN as error:
        raise Found.unreadable(name) from error


def _look_at(archive: ZipFile, part: ZipInfo, unpacking: Unpacking, inner: Inner) -> None:
    name = part.filename.lower()
    if name.endswith(_MACRO_NAMES) or name.startswith(_MACRO_FOLDERS):
        raise _macros(part.filename)
    if is_programs_name(name):
        raise Found.program(part.filename)
    is_in_pieces = name.endswith(_PIECE)  # as no known program writes it
    if part.flag_bits & _ENCRYPTED or part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or is_in_pieces:
        raise Found.unreadable(part.filename)
    chunks = _unpacked(archive, part, unpacking)
    begin = next(chunks, b"")
    if is_program(begin):
        raise Found.program(part.filename)
    if name.endswith(_LISTS):
        take = _reader(part.filename)
        for chunk in chain((begin,), chunks):
            take(chunk, False)
        take(b"", True)
    elif is_packed(begin) or is_holder(begin):
        with TemporaryFile() as copy:
            copy.writelines(chain((begin,), chunks))
            inner(copy, part.filename)
    else:
        for _ in chunks:  # to its end, which is counted
            pass


def _unpacked(archive: ZipFile, part: ZipInfo, unpacking: Unpacking) -> Iterator[bytes]:
    """A part to its very end, whatever length the archive says it has: who unpacks it may not go by that either."""
    said, part.file_size = part.file_size, MOST + 1
    came = 0
    with archive.open(part) as unpacked:
        while chunk := unpacked.read(CHUNK):
            unpacking.count(len(chunk))
            came += len(chunk)
            yield chunk
    if came != said:
        raise BadZipFile


def _reader(name: str) -> Callable[[bytes, bool], object]:
    """What takes the content of a part that says what others are, bit by bit."""

    def begin(_: str, attributes: dict[str, str]) -> None:
        if any(one in attributes.get(said, "").lower() for said in _SAID for one in _MACRO_TYPES):
            raise _macros(name)

    def doctype(*_: object) -> None:
        raise Found.unreadable(name)  # no part of a document has one

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = doctype
    return parser.Parse


def _macros(place: str) -> Found:
    fix = (
        "请另存为不含宏的 .docx、.xlsx 或 .pptx 后重新上传",
        "save it as .docx, .xlsx or .pptx without macros",
    )
    return Found("macros", "含有宏", "it holds macros", *fix, place)
