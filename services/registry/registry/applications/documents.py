"""Documents 材料: uploaded with limits of size, type and hash, scanned, and kept apart from the database."""

import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, Text, exists, or_, select
from sqlmodel import Field

from access.authority import Authority
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from chassis.database import Tx
from chassis.errors import Denied, Invalid, NotFound, Precondition, Unavailable, Violation
from chassis.ids import resource
from chassis.personal import screen
from chassis.rpc import Call
from registry import guards, store
from registry.applications import store as rows
from registry.applications.objects import Objects
from registry.applications.scanning import Scanner
from registry.mapping.checks import refuse
from registry.store import Base, OrganizationRow

MAX_SIZE = 20 * 1024 * 1024  # bytes of a document
MAX_PART = 1024 * 1024  # bytes of a part
_KEPT, _ERASED = pb.DOCUMENT_STATE_KEPT, pb.DOCUMENT_STATE_ERASED
_OFFICE = "application/vnd.openxmlformats-officedocument."
_BEGINS: Mapping[str, bytes] = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    f"{_OFFICE}wordprocessingml.document": b"PK\x03\x04",
    f"{_OFFICE}spreadsheetml.sheet": b"PK\x03\x04",
    f"{_OFFICE}presentationml.presentation": b"PK\x03\x04",
}
"""Media type → how a content of it begins."""
_INSTANT: Any = DateTime(timezone=True)
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}")


class DocumentRow(Base, table=True):
    """What is known of a document; its content is an object of the same name.

    It is on no topic: a file's name may say who somebody is.
    """

    __tablename__ = "document"
    __table_args__ = (Index("document_owner", "owner"),)

    name: str = Field(sa_type=Text, primary_key=True)
    owner: str = Field(sa_type=Text)
    file_name: str = Field(sa_type=Text)
    media_type: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    sha256: str = Field(sa_type=Text)
    state: int
    uploaded_by: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    erased_by: str = Field(sa_type=Text, default="")
    erase_reason: str = Field(sa_type=Text, default="")


class Documents:
    """`alliance.registry.v1.DocumentService`."""

    def __init__(self, authority: Authority, objects: Objects, scanner: Scanner) -> None:
        self._authority = authority
        self._objects = objects
        self._scanner = scanner

    async def UploadDocument(
        self, call: Call, requests: AsyncIterator[rpc.UploadDocumentRequest]
    ) -> AsyncIterator[rpc.UploadDocumentResponse]:
        """See the contract."""
        header = (await anext(requests)).header
        refuse(header_problems(header))
        async with call.database.transaction(call.cause, read_only=True) as tx:
            if await store.get(tx, OrganizationRow, header.owner) is None:
                refuse([guards.unknown("header.owner", header.owner)])
        content = await _content(header, requests)
        await self._scan(content)
        call.accepting()
        name = resource("documents")
        await self._objects.put(name, _once(content))
        row = DocumentRow(
            name=name,
            owner=header.owner,
            file_name=header.file_name,
            media_type=header.media_type,
            size=header.size,
            sha256=header.sha256,
            state=_KEPT,
            uploaded_by=call.cause.actor,
            create_time=call.database.system_time(),
        )
        try:
            async with call.database.transaction(call.cause) as tx:
                await store.write(tx, row)
        except BaseException:  # nobody knows of it: what is left of a crash in between is known by no row
            await self._objects.delete(name)
            raise
        yield rpc.UploadDocumentResponse(document=document_message(row))

    async def GetDocument(self, call: Call, request: rpc.GetDocumentRequest) -> pb.Document:
        """See the contract."""
        return document_message(await self._shown(call, request.name))

    async def GetDocumentContent(self, call: Call, request: rpc.GetDocumentContentRequest) -> rpc.DocumentContent:
        """See the contract."""
        row = await self._shown(call, request.name)
        if request.offset < 0:
            refuse([Violation("offset", "range", "不能为负数", "it can't be negative")])
        if row.state == _ERASED:
            raise Precondition("ERASED", "材料内容已删除", "the document's content is erased", {"document": row.name})
        try:
            return rpc.DocumentContent(content=await self._objects.read(row.name, request.offset, MAX_PART))
        except OSError as error:
            raise Unavailable(
                "材料暂时无法读取，请稍后重试", "the document can't be read at present; try again shortly"
            ) from error

    async def EraseDocument(self, call: Call, request: rpc.EraseDocumentRequest) -> pb.Document:
        """See the contract. The object goes first: an erasure that ends half way is asked for again."""
        guards.require_reason(request.reason)
        row = await store.get(call.tx, DocumentRow, request.name, lock=True)
        if row is None:
            raise NotFound(request.name)
        if row.state == _KEPT:
            await self._objects.delete(row.name)
            row.state, row.erased_by, row.erase_reason = _ERASED, call.cause.actor, request.reason
            row.file_name = ""
            await store.write(call.tx, DocumentRow(**row.model_dump()))
        return document_message(row)

    async def require(self, call: Call, documents: Iterable[pb.ApplicationDocument]) -> None:
        """What is attached is there, and the caller may act for its owner. Raises `Invalid` or `Denied`."""
        for one in documents:
            row = await store.get(call.tx, DocumentRow, one.document)
            if row is None or row.state == _ERASED:
                raise Invalid(
                    [
                        Violation(
                            "documents.document",
                            "document",
                            f"没有材料 {one.document[:60]}",
                            f"there is no {one.document[:60]}",
                        )
                    ]
                )
            if not await self._authority.permitted(call, "registry.documents.upload", row.owner):
                raise Denied("registry.documents.upload", row.owner)

    async def _scan(self, content: bytes) -> None:
        try:
            found = await self._scanner.found(content)
        except (OSError, TimeoutError) as error:
            raise Unavailable(
                "病毒扫描暂时不可用，请稍后重试", "the virus scanner can't be asked at present; try again shortly"
            ) from error
        if found:
            raise Precondition("INFECTED", f"材料未通过病毒扫描：{found}", f"the scanner found {found}; nothing was kept")

    async def _shown(self, call: Call, name: str) -> DocumentRow:
        viewer = await self._authority.viewer(call)
        c = document.c
        attached = exists().where(
            rows.attachment.c.document == c.name,
            rows.application.c.name == rows.attachment.c.application,
            rows.sees(viewer, call.principal.sub if call.principal else ""),
        )
        mine = [attached, *([c.owner == viewer.organization] if viewer.organization else [])]
        condition = c.name.is_not(None) if viewer.platform else or_(*mine)
        statement = select(DocumentRow).where(c.name == name, condition)
        row: DocumentRow | None = (await call.tx.session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise NotFound(name)
        return row


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


async def _content(header: pb.Document, requests: AsyncIterator[rpc.UploadDocumentRequest]) -> bytes:
    """The whole content, as the header says it is. Raises `Invalid`."""
    content = bytearray()
    async for request in requests:
        if len(request.part) > MAX_PART or len(content) + len(request.part) > header.size:
            raise Invalid(
                [
                    Violation(
                        "part",
                        "size",
                        "内容比 header.size 长，或一段超过 1 MiB",
                        "more than header.size, or a part over 1 MiB",
                    )
                ]
            )
        content += request.part
    wrong = []
    if len(content) != header.size:
        wrong.append(Violation("header.size", "size", f"实收 {len(content)} 字节", f"{len(content)} bytes came"))
    elif hashlib.sha256(content).hexdigest() != header.sha256:
        wrong.append(
            Violation("header.sha256", "hash", "内容与哈希不符；请重新上传", "the content has another hash; upload it again")
        )
    elif not content.startswith(_BEGINS[header.media_type]):
        wrong.append(Violation("header.media_type", "type", "内容与类型不符", "the content is of another type"))
    refuse(wrong)
    return bytes(content)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def document_message(row: Any) -> pb.Document:
    """The document of a row."""
    message = pb.Document(
        name=row.name,
        owner=row.owner,
        file_name=row.file_name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        state=row.state,
    )
    message.create_time.FromDatetime(row.create_time)
    return message


async def owner_of(tx: Tx, name: str) -> str:
    """Whose a document is; "" where there is none."""
    row = await store.get(tx, DocumentRow, name)
    return row.owner if row else ""


document: Any = DocumentRow.__table__  # type: ignore[attr-defined]
