"""Documents on their way in: scanned by clamd, kept in S3 or a folder, never whole in memory; none that is refused is kept."""

import asyncio
import hashlib
import struct
import tracemalloc
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import asyncpg
import grpc
import pytest
from moto.server import ThreadedMotoServer

from access.authority import Authority
from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2, organization_pb2, registry_service_pb2
from alliance.registry.v1 import document_service_pb2 as rpc
from alliance.registry.v1.document_service_pb2_grpc import DocumentServiceStub
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.issuer import AUDIENCE, ISSUER, Issuer
from alliance_local.postgres import Postgres
from chassis.auth import Tokens
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Database
from chassis.limit import Limit
from chassis.rpc import Pipeline
from chassis.server import Server
from chassis.service import Offer
from registry.applications import contents
from registry.applications.documents import Documents
from registry.applications.objects import ObjectStore
from registry.applications.scanning import Clamd, NoScanner, Scanner
from registry.register import OwnRegister, scopes_of
from tests import papers, world
from tests.applying import DEPARTMENT, ENTERPRISE, begun, called, placed, take
from tests.waiting import until
from tests.world import Member

_MIB = 1024 * 1024
_EVIL = b"an invented signature that the scanner of this test knows"
_LIMIT = 2 * _MIB  # StreamMaxLength of the test's clamd


class Daemon:
    """clamd as clamd(8) describes INSTREAM; finds `_EVIL`, and hangs up without an answer on `b"crash"`."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
            if len(content) > _LIMIT:
                break
        if b"crash" not in content:
            writer.write(self._answer(content) + b"\0")
            await writer.drain()
        writer.close()

    def _answer(self, content: bytes) -> bytes:
        if len(content) > _LIMIT:
            return b"INSTREAM size limit exceeded. ERROR"
        self.received.append(content)
        return b"stream: Invented.Test.Signature FOUND" if _EVIL in content else b"stream: OK"


@pytest.fixture
async def daemon() -> AsyncIterator[tuple[Daemon, int]]:
    known = Daemon()
    server = await asyncio.start_server(known.serve, "127.0.0.1", 0)
    async with server:
        yield known, server.sockets[0].getsockname()[1]


@pytest.fixture
def member(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


@asynccontextmanager
async def served(platform: Platform, member: Member, store: str | ObjectStore, scanner: Scanner) -> AsyncIterator["Uploads"]:
    """The documents' RPCs on the platform's register, with a store and a scanner of their own."""
    system = SystemClock()
    database = Database(platform.database_url("registry"), system=system, business=BusinessClock(system))
    authority = Authority(OwnRegister(), scopes_of, owner=None)
    tokens = Tokens(Issuer(platform.state.folder("issuer")).jwks_file, ISSUER, AUDIENCE)
    pipeline = Pipeline(database, tokens, authority, Limit(16), lambda: None)
    documents = Documents(authority, ObjectStore(store) if isinstance(store, str) else store, scanner)
    offer = Offer(rpc.DESCRIPTOR.services_by_name["DocumentService"], documents)
    server = Server(pipeline, [offer], with_reflection=False)
    port = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Uploads(DocumentServiceStub(channel), member)
    await server.stop()
    await database.close()


class Uploads:
    """Uploads and reads for a member."""

    def __init__(self, stub: Any, member: Member) -> None:
        self._stub, self._member = stub, member
        self._metadata = tuple(member.caller.metadata())

    async def upload(self, content: bytes, **more: object) -> pb.Document:
        """Upload a content."""

        async def requests() -> AsyncIterator[rpc.UploadDocumentRequest]:
            yield rpc.UploadDocumentRequest(header=papers.header(self._member.name, content, **more))
            for start in range(0, len(content), _MIB):
                yield rpc.UploadDocumentRequest(part=content[start : start + _MIB])

        (answer,) = [one async for one in self._stub.UploadDocument(requests(), metadata=self._metadata)]
        made: pb.Document = answer.document
        return made

    async def refusal(self, content: bytes, **more: object) -> tuple[grpc.StatusCode, str]:
        """Why an upload is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.upload(content, **more)
        return refused.value.code(), world.said(refused.value)

    async def content(self, name: str) -> bytes:
        """The whole content of a document."""
        found = b""
        while True:
            request = rpc.GetDocumentContentRequest(name=name, offset=len(found))
            part = (await self._stub.GetDocumentContent(request, metadata=self._metadata)).content
            if not part:
                return found
            found += part

    async def erase(self, name: str) -> pb.Document:
        """Erase a document's content."""
        request = rpc.EraseDocumentRequest(name=name, reason="依申请删除")
        gone: pb.Document = await self._stub.EraseDocument(request, metadata=self._metadata)
        return gone


def kept(folder: Path) -> list[str]:
    """What lies in a folder of objects, parts of unfinished ones too."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


async def test_a_clean_document_is_taken_and_an_infected_one_leaves_nothing(
    platform: Platform, member: Member, daemon: tuple[Daemon, int], tmp_path: Path
) -> None:
    clamd, port = daemon
    async with served(platform, member, tmp_path.as_uri(), Clamd("127.0.0.1", port)) as documents:
        clean = papers.PDF + bytes(_MIB + 1)
        made = await documents.upload(clean)
        assert clamd.received == [clean]
        assert kept(tmp_path) == [made.name]
        code, said = await documents.refusal(papers.PDF + bytes(_MIB) + _EVIL)
        assert code == grpc.StatusCode.FAILED_PRECONDITION
        assert "Invented.Test.Signature" in said
        assert "请清除后重新上传" in said
        for odd in (papers.PDF + b"crash", papers.PDF + bytes(_LIMIT)):
            assert (await documents.refusal(odd))[0] == grpc.StatusCode.UNAVAILABLE, "it can't say that it is clean"
        assert kept(tmp_path) == [made.name]


async def test_without_its_scanner_nothing_is_taken(platform: Platform, member: Member, tmp_path: Path) -> None:
    async with served(platform, member, tmp_path.as_uri(), Clamd("127.0.0.1", 1)) as documents:
        code, said = await documents.refusal(papers.PDF)
        assert code == grpc.StatusCode.UNAVAILABLE
        assert "病毒扫描暂时不可用，请稍后重试" in said
        assert kept(tmp_path) == []


async def test_what_is_not_as_its_header_says_leaves_nothing(platform: Platform, member: Member, tmp_path: Path) -> None:
    async with served(platform, member, tmp_path.as_uri(), NoScanner()) as documents:
        content = papers.PDF + bytes(7 * _MIB)
        for wrong in ({"sha256": "0" * 64}, {"size": len(content) - 1}, {"size": len(content) + 1}):
            assert (await documents.refusal(content, **wrong))[0] == grpc.StatusCode.INVALID_ARGUMENT
        assert kept(tmp_path) == []
        assert await documents.content((await documents.upload(content)).name) == content


class _Slow(NoScanner):
    """A scanner that takes its time: so long that something happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile = meanwhile

    async def found(self, parts: AsyncIterator[bytes]) -> str:
        """See `Scanner`."""
        await asyncio.to_thread(self._meanwhile)
        return await super().found(parts)


async def test_who_may_not_any_more_by_its_end_has_uploaded_nothing(
    platform: Platform, member: Member, tmp_path: Path
) -> None:
    sub = world.unique("clerk")[-20:]
    grant = world.grant(platform, sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=member.name)
    clerk, registry = Member(member.name, Caller(platform, sub, member.name)), world.operator(platform).registry
    revoke = registry_service_pb2.RevokeGrantRequest(name=grant.name, reason="离职")
    async with served(platform, clerk, tmp_path.as_uri(), _Slow(lambda: registry.RevokeGrant(revoke))) as documents:
        code, said = await documents.refusal(papers.PDF)
        assert code == grpc.StatusCode.PERMISSION_DENIED, said
        assert kept(tmp_path) == []


_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_nothing_is_handed_in_with_a_document_that_was_attached_while_its_erasure_waited(
    platform: Platform, tmp_path: Path
) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE, front_line_training_percent=60)
    made = begun(company, called(platform, commission, pb.PROGRAMME_CERTIFICATION), certification=facts)
    async with served(platform, company, tmp_path.as_uri(), NoScanner()) as documents:
        paper = pb.ApplicationDocument(document=(await documents.upload(papers.PDF)).name, kind="APPLICATION_FORM")
        attach = application_service_pb2.AttachDocumentsRequest(name=made.name, documents=[paper])
        url = Postgres(platform.state).url("registry", "registry")
        holder, gate = await asyncpg.connect(url), await asyncpg.connect(url)

        async def waiting(many: int) -> bool:
            return bool(await holder.fetchval(_WAITING) >= many)

        async with gate.transaction():
            await gate.execute("LOCK TABLE document IN SHARE MODE")  # the erasure is not written before it is let
            async with holder.transaction():
                await holder.execute("SELECT 1 FROM document WHERE name = $1 FOR UPDATE", paper.document)
                attaching = asyncio.create_task(asyncio.to_thread(company.caller.applications.AttachDocuments, attach))
                await until(lambda: waiting(1))
                erasing = asyncio.create_task(documents.erase(paper.document))
                await until(lambda: waiting(2))
            await attaching
            await until(lambda: waiting(1))
            submitting = asyncio.create_task(asyncio.to_thread(take, company, made.name, "submit"))
            await until(lambda: waiting(2))
        await asyncio.gather(holder.close(), gate.close())
        assert (await erasing).state == pb.DOCUMENT_STATE_ERASED
        with pytest.raises(grpc.RpcError, match="DOCUMENT_REQUIRED"):
            await submitting


class Bucket:
    """A bucket of an S3-compatible server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def listed(self, what: str) -> str:
        """The answer to a list of the bucket: its objects, or uploads that are not finished."""
        return urllib.request.urlopen(f"{self.url}?{what}").read().decode()  # type: ignore[no-any-return]  # noqa: S310

    def keys(self) -> int:
        """How many objects there are."""
        return self.listed("list-type=2").count("<Key>")

    def unfinished(self) -> int:
        """How many uploads are not finished."""
        return self.listed("uploads").count("<UploadId>")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bucket, ThreadedMotoServer]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "ENDPOINT": f"http://{host}:{port}",
        "ALLOW_HTTP": "true",
        "REGION": "us-east-1",
        "ACCESS_KEY_ID": "invented",
        "SECRET_ACCESS_KEY": "invented",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    bucket = Bucket(f"http://{host}:{port}/papers")
    for method, url in (("POST", f"http://{host}:{port}/moto-api/reset"), ("PUT", bucket.url)):
        urllib.request.urlopen(urllib.request.Request(url, method=method))  # noqa: S310
    yield bucket, server
    server.stop()


async def test_documents_are_kept_in_s3(
    platform: Platform, member: Member, s3: tuple[Bucket, ThreadedMotoServer], caplog: pytest.LogCaptureFixture
) -> None:
    bucket, server = s3
    async with served(platform, member, "s3://papers/documents-of-test", NoScanner()) as documents:
        small, large = papers.PDF, papers.PDF + bytes(range(256)) * 4096 * 12  # of one part and of several
        names = [(await documents.upload(content)).name for content in (small, large)]
        assert [await documents.content(name) for name in names] == [small, large]
        assert (await documents.refusal(large, sha256="0" * 64))[0] == grpc.StatusCode.INVALID_ARGUMENT
        assert (bucket.keys(), bucket.unfinished()) == (2, 0)
        for _ in range(2):  # one that is not there is no error
            await ObjectStore("s3://papers/documents-of-test").delete(names[0])
            assert bucket.keys() == 1
        server.stop()
        assert (await documents.refusal(small))[0] == grpc.StatusCode.UNAVAILABLE
        with pytest.raises(grpc.aio.AioRpcError) as away:
            await documents.content(names[1])
        assert away.value.code() == grpc.StatusCode.UNAVAILABLE
        told = [one for one in caplog.records if one.message == "documents: a part is away"]
        assert len(told) == 2
        assert all("refused" in getattr(one, "why", "") for one in told), "the operator finds why"


async def test_what_breaks_off_leaves_no_part_of_itself(s3: tuple[Bucket, ThreadedMotoServer], tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield bytes(_MIB)
        raise EOFError

    for url in ("s3://papers", tmp_path.as_uri()):
        with pytest.raises(EOFError):
            await ObjectStore(url).put("documents/broken", broken())
    await until(lambda: (s3[0].keys(), s3[0].unfinished(), kept(tmp_path)) == (0, 0, []))  # the store clears up by itself


async def test_a_content_is_never_whole_in_memory() -> None:
    """What Python holds at once while 20 MiB come in, are scanned and are read again."""
    size = contents.MAX_SIZE
    begin = b"%PDF-"
    digest = hashlib.sha256(begin + bytes(size - len(begin))).hexdigest()
    header = pb.Document(media_type="application/pdf", size=size, sha256=digest)

    async def requests() -> AsyncIterator[rpc.UploadDocumentRequest]:
        left, start = size, begin
        while left:
            part = start + bytes(min(left, contents.MAX_PART) - len(start))
            left, start = left - len(part), b""
            yield rpc.UploadDocumentRequest(part=part)

    tracemalloc.start()
    with TemporaryFile() as file:
        await contents.receive(header, requests(), file)
        assert sum([len(part) async for part in contents.parts(file)]) == size
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 6 * _MIB, most
