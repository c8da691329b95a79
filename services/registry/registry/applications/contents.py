"""Contents of documents on their way in: as the header says they are, and never whole in memory."""

import asyncio
import hashlib
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping
from typing import IO, NamedTuple
from zipfile import BadZipFile

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from chassis.errors import Violation, refuse
from chassis.personal import screen
from registry.inspecting import archives, inspect
from registry.inspecting.finding import Found

MAX_SIZE = 20 * 1024 * 1024  # bytes of a document
MAX_PART = 1024 * 1024  # bytes of a part
_READ = 256 * 1024  # bytes that are read at once
PDF = "application/pdf"
_OFFICE = "application/vnd.openxmlformats-officedocument."


class _Type(NamedTuple):
    """A type of content: endings of its files' names, how it begins, and the folder that every archive of it has."""

    endings: tuple[str, ...]
    begins: bytes
    folder: str = ""


TYPES: Mapping[str, _Type] = {
    PDF: _Type((".pdf",), b"%PDF-"),
    "image/png": _Type((".png",), b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": _Type((".jpg", ".jpeg"), b"\xff\xd8\xff"),
    f"{_OFFICE}wordprocessingml.document": _Type((".docx",), b"PK\x03\x04", "word/"),
    f"{_OFFICE}spreadsheetml.sheet": _Type((".xlsx",), b"PK\x03\x04", "xl/"),
    f"{_OFFICE}presentationml.presentation": _Type((".pptx",), b"PK\x03\x04", "ppt/"),
}
"""By media type; what Office documents hold: ECMA-376 part 2."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode's categories of what is not seen
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
    kind = TYPES.get(header.media_type)
    if kind is None:
        listed = "、".join(TYPES)
        found.append(Violation("header.media_type", "type", f"可接收：{listed}", f"it can be {', '.join(TYPES)}"))
    elif not _is_named(header.file_name, kind):
        endings = " ".join(kind.endings)
        zh, en = f"文件名须以 {endings} 结尾，其前有可见字符", f"it ends in {endings}, after something that can be seen"
        found.append(Violation("header.file_name", "ending", zh, en))
    if not 0 < header.size <= MAX_SIZE:
        most = MAX_SIZE // 1024 // 1024
        found.append(Violation("header.size", "size", f"大小须在 1 字节至 {most} MiB 之间", f"it has 1 byte to {most} MiB"))
    if not _HASH.fullmatch(header.sha256):
        found.append(
            Violation("header.sha256", "hash", "须为 64 位小写十六进制", "it has 64 hexadecimal digits in lower case")
        )
    return found + list(screen("header.file_name", header.file_name))


def _is_named(name: str, kind: _Type) -> bool:
    """Whether a file's name says what it is: who opens it goes by the ending."""
    stem = next((name[: -len(one)] for one in kind.endings if name.lower().endswith(one)), "")
    return bool(stem.strip(" .")) and all(unicodedata.category(one) not in _UNSEEN for one in name)


async def receive(header: pb.Document, requests: AsyncIterator[rpc.UploadDocumentRequest], file: IO[bytes]) -> None:
    """Write a content into a file, part by part. Raises `Invalid` where it is not as the header says."""
    digest, size = hashlib.sha256(), 0

    def write(part: bytes) -> None:
        digest.update(part)
        file.write(part)

    async for request in requests:
        if request.HasField("header"):
            refuse(
                [
                    Violation(
                        "header", "once", "一次上传只有一个 header，且在最前", "an upload has one header, the first message"
                    )
                ]
            )
        size += len(request.part)
        if len(request.part) > MAX_PART or size > header.size:
            long = "内容比 header.size 长，或一段超过 1 MiB", "more than header.size, or a part over 1 MiB"
            refuse([Violation("part", "size", *long)])
        await asyncio.to_thread(write, request.part)
    file.seek(0)
    kind = TYPES[header.media_type]
    if size != header.size:
        refuse([Violation("header.size", "size", f"实收 {size} 字节", f"{size} bytes came")])
    if digest.hexdigest() != header.sha256:
        wrong = "内容与哈希不符；请重新上传", "the content has another hash; upload it again"
        refuse([Violation("header.sha256", "hash", *wrong)])
    if file.read(len(kind.begins)) != kind.begins or (
        kind.folder and not await asyncio.to_thread(_is_office, file, kind.folder)
    ):
        wrong = "内容与类型不符；请按其实际格式另存后上传", "the content is of another type; save it as what it says it is"
        refuse([Violation("header.media_type", "type", *wrong)])
    await asyncio.to_thread(_require_harmless, file, size)


def _is_office(file: IO[bytes], folder: str) -> bool:
    """Whether a file is an archive with the parts of an Office document; none of them is unpacked."""
    try:
        with archives.opened(file) as archive:
            names = archive.namelist()
    except (BadZipFile, ValueError, NotImplementedError):
        return False
    return archives.CONTENTS in names and any(name.startswith(folder) for name in names)


def _require_harmless(file: IO[bytes], size: int) -> None:
    """Raises `Invalid` where a file holds what runs, or can't be looked into."""
    try:
        inspect(file, size)
    except Found as found:
        refuse([Violation("part", found.rule, found.zh, found.en)])


async def parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file from its beginning, a part at a time."""
    file.seek(0)
    while part := await asyncio.to_thread(file.read, _READ):
        yield part
