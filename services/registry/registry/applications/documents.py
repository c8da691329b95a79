"""Documents 材料: uploaded with limits of size, type and hash, scanned, and kept apart from the database."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Index,
    Text,
    exists,
    func,
    or_,
    select,
    text,
    union,
    update,
)
from sqlmodel import Field

from access.authority import Authority
from access.visibility import Viewer
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from chassis.changing import require_reason
from chassis.database import Tx
from chassis.errors import Denied, Invalid, NotFound, Precondition, Unavailable, Violation, refuse
from chassis.ids import resource
from chassis.rpc import Call
from registry import guards, store
from registry.applications import store as rows
from registry.applications.contents import MAX_PART, PDF, header_problems, parts, receive
from registry.applications.objects import Objects
from registry.applications.scanning import Scanner
from registry.domain.calls import AMONG_RIVALS
from registry.store import Base, OrganizationRow

log = logging.getLogger(__name__)

_UPLOAD = "registry.documents.upload"
_KEPT, _ERASED = pb.DOCUMENT_STATE_KEPT, pb.DOCUMENT_STATE_ERASED
_INSTANT: Any = DateTime(timezone=True)


class DocumentRow(Base, table=True):
    """What is known of a document; its content is an object of the same name.

    It is on no topic: a file's name may say who somebody is.
    """

    __tablename__ = "document"
    __table_args__ = (
        Index("document_owner", "owner"),
        Index("document_content_left", "name", postgresql_where=text("content_left")),
    )

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
    content_left: bool = Field(sa_type=Boolean, default=False)
    """It is erased, and its object may still be there: see `clearing`."""


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
        name = resource("documents")
        with _reached("材料暂时无法保存", "the document can't be kept at present"), TemporaryFile() as file:
            await receive(header, requests, file)
            await self._scan(file)
            call.accepting()
            await self._objects.put(name, parts(file))
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
                # An upload takes a while: whoever may not any more by its end has uploaded nothing.
                await self._authority.authorise(replace(call, transaction=tx), _UPLOAD, [header.owner])
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
        with _reached("材料暂时无法读取", "the document can't be read at present"):
            return rpc.DocumentContent(content=await self._objects.read(row.name, request.offset, MAX_PART))

    async def EraseDocument(self, call: Call, request: rpc.EraseDocumentRequest) -> pb.Document:
        """See the contract."""
        require_reason(request.reason)
        await rows.lock_with(call.tx, request.name)
        row = await store.get(call.tx, DocumentRow, request.name, lock=True)
        if row is None:
            raise NotFound(request.name)
        await rows.lock_with(call.tx, request.name)  # and those that it was attached to while it was waited for
        if row.state == _KEPT:
            await self._require_free(call, row.name)
            await forget(call.tx, row)
        return document_message(row)

    async def _require_free(self, call: Call, name: str) -> None:
        """No application rests on a document, or the platform erases it, e.g. by the right to erasure of personal data."""
        used = await rows.resting_on(call.tx, name)
        if used and not (await self._authority.viewer(call)).platform:
            raise Precondition(
                "IN_USE",
                f"材料已随申报 {used} 提交，不能自行删除；请撤回申报，或请平台依法删除",
                f"the document was handed in with {used}; withdraw it, or ask the platform to erase it",
                {"document": name, "application": used},
            )

    async def require(self, call: Call, documents: Iterable[pb.ApplicationDocument], pdf_only: frozenset[str]) -> None:
        """What is attached is there, a PDF where its kind is in `pdf_only`, and the caller may act for its owner.

        Raises `Invalid` or `Denied`.
        """
        for one in sorted(documents, key=lambda one: one.document):
            row = await store.get(call.tx, DocumentRow, one.document, lock=True)
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
            if one.kind in pdf_only and row.media_type != PDF:
                wrong = f"{one.kind} 须为 PDF；请重新上传", f"{one.kind} has to be a PDF; upload it as one"
                refuse([Violation("documents.document", "pdf", *wrong)])
            if not await self._authority.permitted(call, _UPLOAD, row.owner):
                raise Denied(_UPLOAD, row.owner)

    async def _scan(self, file: IO[bytes]) -> None:
        with _reached("病毒扫描暂时不可用", "the virus scanner can't be asked at present"):
            found = await self._scanner.found(parts(file))
        if found:
            raise Precondition(
                "INFECTED",
                f"材料未通过病毒扫描：{found}；未予保存，请清除后重新上传",
                f"the scanner found {found}; nothing was kept, clean the file and upload it again",
            )

    async def _shown(self, call: Call, name: str) -> DocumentRow:
        viewer = await self._authority.viewer(call)
        c = document.c
        attached = exists().where(
            rows.attachment.c.document == c.name,
            rows.application.c.name == rows.attachment.c.application,
            rows.sees(viewer, call.principal.sub if call.principal else ""),
            _is_no_rivals(viewer),
        )
        mine = [attached, *([c.owner == viewer.organization] if viewer.organization else [])]
        condition = c.name.is_not(None) if viewer.platform else or_(*mine)
        statement = select(DocumentRow).where(c.name == name, condition)
        row: DocumentRow | None = (await call.tx.session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise NotFound(name)
        return row


def _is_no_rivals(viewer: Viewer) -> ColumnElement[bool]:
    """What is attached is not what another member handed in against the viewer's own; who is in one team works together."""
    a = rows.application.c
    theirs = [document.c.owner == a.applicant, a.body.in_(sorted(viewer.bodies_run))]
    if viewer.organization:
        theirs += [a.applicant == viewer.organization, a.authority == viewer.organization]
        theirs.append(rows.in_one_team(viewer.organization, document.c.owner))
    return or_(a.programme.not_in(sorted(AMONG_RIVALS)), *theirs)


@contextmanager
def _reached(zh: str, en: str) -> Iterator[None]:
    """Raises `Unavailable` where a part that keeps or scans contents can't be reached; the operator finds why in the log."""
    try:
        yield
    except OSError as error:
        log.warning("documents: a part is away", extra={"said": en, "why": str(error)})
        raise Unavailable(f"{zh}，请稍后重试", f"{en}; try again shortly") from error


async def forget(tx: Tx, row: DocumentRow) -> None:
    """Erase a document, locked, for the reason of the transaction; nobody reads it from then on, and its object goes once that
    is committed (`clearing`).
    """
    row.content_left = True
    row.state, row.erased_by, row.erase_reason = _ERASED, tx.cause.actor, tx.cause.reason
    row.file_name = ""
    await store.write(tx, DocumentRow(**row.model_dump()))


async def kept(tx: Tx, names: Collection[str], *, lock: bool) -> list[DocumentRow]:
    """Documents whose content is there, locked where wanted."""
    c = document.c
    statement = select(DocumentRow).where(c.name.in_(names), c.state == _KEPT).order_by(c.name)
    return list((await tx.session.execute(statement.with_for_update() if lock else statement)).scalars())


async def called(tx: Tx, words: str, applicant: str, limit: int) -> Sequence[str]:
    """Names of an applicant's documents, and of those that are attached to its applications, of which the file's name holds
    words in this very writing.
    """
    c, a, attached = document.c, rows.application.c, rows.attachment.c
    saying = select(c.name).where(func.strpos(c.file_name, words) > 0)
    having = saying.join(rows.attachment, attached.document == c.name).join(rows.application, a.name == attached.application)
    found = union(saying.where(c.owner == applicant), having.where(a.applicant == applicant))
    return (await tx.conn.execute(found.order_by("name").limit(limit))).scalars().all()


async def unused(tx: Tx, before: datetime, limit: int) -> list[DocumentRow]:
    """Documents uploaded before an instant and attached to nothing, locked, by name, out of the first so many that look so."""
    c, attached = document.c, rows.attachment.c.document
    old = (c.state == _KEPT, c.create_time < before, ~exists().where(attached == c.name))
    statement = select(DocumentRow).where(*old).order_by(c.name).limit(limit).with_for_update(skip_locked=True)
    found = list((await tx.session.execute(statement)).scalars())
    having = await rows.attached_to(tx, [row.name for row in found])  # one may have been attached before it was locked
    return [row for row in found if row.name not in having]


async def uncleared(tx: Tx) -> Sequence[str]:
    """Names of erased documents whose objects may still be there."""
    c = document.c
    return (await tx.conn.execute(select(c.name).where(c.content_left).order_by(c.name))).scalars().all()


async def count_uncleared(tx: Tx) -> int:
    """How many those are."""
    c = document.c
    return int((await tx.conn.execute(select(func.count()).where(c.content_left))).scalar_one())


async def cleared(tx: Tx, name: str) -> None:
    """The object of an erased document is gone."""
    c = document.c
    await tx.conn.execute(update(document).where(c.name == name).values(content_left=False))


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


async def erased(tx: Tx, application: str) -> frozenset[str]:
    """Names of the documents of an application whose content is no longer there."""
    c = document.c
    statement = select(c.name).join(rows.attachment, rows.attachment.c.document == c.name)
    gone = await tx.conn.execute(statement.where(rows.attachment.c.application == application, c.state == _ERASED))
    return frozenset(gone.scalars())


async def hashes(tx: Tx, names: Collection[str]) -> dict[str, str]:
    """SHA-256 of documents by name; of erased ones, too."""
    c = document.c
    return {row.name: row.sha256 for row in await tx.conn.execute(select(c.name, c.sha256).where(c.name.in_(names)))}


async def fresh(
    tx: Tx, brought: Sequence[pb.ApplicationDocument], there: Collection[pb.ApplicationDocument]
) -> list[pb.ApplicationDocument]:
    """Those documents whose kind and content are not there yet, each once: the same paper, uploaded once more, is none."""
    if not brought:
        return []
    known = await hashes(tx, {one.document for one in (*brought, *there)})
    known_there = {(one.kind, known.get(one.document)) for one in there}
    papers = {(one.kind, known.get(one.document)): one for one in reversed(brought)}
    return [one for paper, one in reversed(papers.items()) if paper not in known_there]


async def owner_of(tx: Tx, name: str) -> str:
    """Whose a document is; "" where there is none."""
    row = await store.get(tx, DocumentRow, name)
    return row.owner if row else ""


document: Any = DocumentRow.__table__  # type: ignore[attr-defined]
