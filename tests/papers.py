"""Documents for applications: small, of the right type, and nobody's."""

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from tests.world import Member

PDF = b"%PDF-1.7 an invented document for tests\n"


def header(owner: str, content: bytes = PDF, **more: Any) -> pb.Document:
    """What an upload says of its content."""
    known = {
        "owner": owner,
        "file_name": "虚构示例材料.pdf",
        "media_type": "application/pdf",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **more,
    }
    return pb.Document(**known)


def upload(member: Member, content: bytes = PDF, **more: Any) -> pb.Document:
    """Upload a document of a member's."""
    (answer,) = list(member.caller.documents.UploadDocument(_requests(header(member.name, content, **more), content)))
    made: pb.Document = answer.document
    return made


def _requests(head: pb.Document, content: bytes) -> Iterator[rpc.UploadDocumentRequest]:
    yield rpc.UploadDocumentRequest(header=head)
    for start in range(0, len(content), 1024 * 1024):
        yield rpc.UploadDocumentRequest(part=content[start : start + 1024 * 1024])


def attached(member: Member, *kinds: str) -> list[pb.ApplicationDocument]:
    """A document of each kind, uploaded; a sealed form is another one each time."""
    return [pb.ApplicationDocument(document=upload(member, _content(kind)).name, kind=kind) for kind in kinds]


def _content(kind: str) -> bytes:
    return PDF + (f"\n% {uuid4()}".encode() if kind == "SEALED_FORM" else b"")
