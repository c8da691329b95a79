"""Contents of documents on their way in: as the header says they are, and never whole in memory."""

import asyncio
import hashlib
import re
import struct
from collections.abc import AsyncIterator, Mapping
from mmap import ACCESS_READ, mmap
from typing import IO
from zipfile import BadZipFile, ZipFile

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from chassis.errors import Violation, refuse
from chassis.personal import screen

MAX_SIZE = 20 * 1024 * 1024  # bytes of a document
MAX_PART = 1024 * 1024  # bytes of a part
_READ = 256 * 1024  # bytes that are read at once
PDF = "application/pdf"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_BEGINS: Mapping[str, bytes] = {
    PDF: b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    f"{_OFFICE}wordprocessingml.document": b"PK\x03\x04",
    f"{_OFFICE}spreadsheetml.sheet": b"PK\x03\x04",
    f"{_OFFICE}presentationml.presentation": b"PK\x03\x04",
}
"""Media type → how a content of it begins."""
_FOLDERS: Mapping[str, str] = {
    f"{_OFFICE}wordprocessingml.document": "word/",
    f"{_OFFICE}spreadsheetml.sheet": "xl/",
    f"{_OFFICE}presentationml.presentation": "ppt/",
}
"""Media type → where its parts lie in its archive (ECMA-376 part 2)."""
_TYPES = "[Content_Types].xml"
_MACROS = "vbaproject.bin"
_ENTRY, _MOST_ENTRIES = b"PK\x01\x02", 10_000  # how each entry of a ZIP's directory begins; a document has some dozens
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}")


def header_problems(header: pb.Document) -> list[Violation]:
    """Everything that is wrong with what an upload says of its content."""
    found = []
    if not _NAME.fullmatch(header.file_name):
        found.append(
            Violation(
                "header.file_name",
                "name",
                "文件名须为 1–200 个字符，不含斜线",
                "a file name has 1 to 200 characters and no slash",
            )
        )
    if header.media_type not in _BEGINS:
        listed = "、".join(_BEGINS)
        found.append(Violation("header.media_type", "type", f"可接收：{listed}", f"it can be {', '.join(_BEGINS)}"))
    if not 0 < header.size <= MAX_SIZE:
        most = MAX_SIZE // 1024 // 1024
        found.append(Violation("header.size", "size", f"大小须在 1 字节至 {most} MiB 之间", f"it has 1 byte to {most} MiB"))
    if not _HASH.fullmatch(header.sha256):
        found.append(
            Violation("header.sha256", "hash", "须为 64 位小写十六进制", "it has 64 hexadecimal digits in lower case")
        )
    return found + list(screen("header.file_name", header.file_name))


async def receive(header: pb.Document, requests: AsyncIterator[rpc.UploadDocumentRequest], file: IO[bytes]) -> None:
    """Write a content into a file, part by part. Raises `Invalid` where it is not as the header says."""
    digest, size = hashlib.sha256(), 0

    def write(part: bytes) -> None:
        digest.update(part)
        file.write(part)

    async for request in requests:
        size += len(request.part)
        if len(request.part) > MAX_PART or size > header.size:
            long = "内容比 header.size 长，或一段超过 1 MiB", "more than header.size, or a part over 1 MiB"
            refuse([Violation("part", "size", *long)])
        await asyncio.to_thread(write, request.part)
    file.seek(0)
    begins = _BEGINS[header.media_type]
    if size != header.size:
        refuse([Violation("header.size", "size", f"实收 {size} 字节", f"{size} bytes came")])
    if digest.hexdigest() != header.sha256:
        wrong = "内容与哈希不符；请重新上传", "the content has another hash; upload it again"
        refuse([Violation("header.sha256", "hash", *wrong)])
    folder = _FOLDERS.get(header.media_type, "")
    if file.read(len(begins)) != begins or (folder and not await asyncio.to_thread(_is_office, file, folder)):
        refuse([Violation("header.media_type", "type", "内容与类型不符", "the content is of another type")])


def _is_office(file: IO[bytes], folder: str) -> bool:
    """Whether a file is an archive with the parts of a document in a folder, and without macros. Its directory alone is read,
    and nothing is unpacked.
    """
    if _has_too_many_entries(file):
        return False
    try:
        names = ZipFile(file).namelist()
    except (BadZipFile, NotImplementedError, OSError, ValueError, struct.error):
        return False
    return (
        _TYPES in names
        and any(name.startswith(folder) for name in names)
        and not any(name.lower().endswith(_MACROS) for name in names)
    )


def _has_too_many_entries(file: IO[bytes]) -> bool:
    """Whether a ZIP's directory would take up much memory: the file itself takes none."""
    found = 0
    with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        at = content.find(_ENTRY)
        while at >= 0 and found <= _MOST_ENTRIES:
            found, at = found + 1, content.find(_ENTRY, at + 1)
    return found > _MOST_ENTRIES


async def parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file from its beginning, a part at a time."""
    file.seek(0)
    while part := await asyncio.to_thread(file.read, _READ):
        yield part
