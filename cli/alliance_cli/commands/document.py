"""`alliance document`: documents 材料 that are attached to applications."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import grpc
import typer

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import document_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained, is_refusal
from alliance_cli.files import whole, written
from alliance_cli.output import Column, console, errors, ident, instant, short, show_one
from alliance_cli.session import call, metadata, t

app = typer.Typer(no_args_is_help=True, help="材料 · documents")
_state = short(pb.DocumentState, "DOCUMENT_STATE_")
_PART = 512 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES: Mapping[str, str] = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
}
"""What a document can be, by the ending of its name: the same on every machine, whatever its own table of types says."""
_FOR_NOTHING = "所办步骤被拒绝，上传的材料未附上 the step that it was uploaded for was refused"
_UPLOAD = 120.0  # seconds that an upload may take
COLUMNS: list[Column] = [
    ("编号", "id", lambda d: ident(d.name)),
    ("单位", "owner", lambda d: ident(d.owner)),
    ("文件", "file", lambda d: d.file_name),
    ("类型", "type", lambda d: d.media_type),
    ("字节", "bytes", lambda d: d.size),
    ("SHA-256", "SHA-256", lambda d: d.sha256),
    ("状态", "state", lambda d: _state(d.state)),
    ("上传", "uploaded", lambda d: instant(d.create_time)),
]


@app.command()
def upload(
    file: Path, owner: Annotated[str, typer.Option(help="所属单位 · whose it is; your own where left out")] = ""
) -> None:
    """上传 · upload a file."""
    with explained():
        show_one(uploaded(file, owner), COLUMNS)


@app.command("show")
def show_(document: str) -> None:
    """查看 · what is known of a document."""
    with explained():
        show_one(call(stubs.documents().GetDocument, rpc.GetDocumentRequest(name=_named(document))), COLUMNS)


@app.command()
def download(document: str, file: Path) -> None:
    """下载 · write a document's content into a new file; whole, or not at all."""
    if file.exists():
        raise typer.BadParameter(t(f"{file} 已存在；请换一个文件名", f"{file} is there already; name another file"))
    with whole(file) as part, explained(), written(part) as target:
        offset = 0
        while some := call(
            stubs.documents().GetDocumentContent, rpc.GetDocumentContentRequest(name=_named(document), offset=offset)
        ).content:
            target.write(some)
            offset += len(some)
    console.print(t(f"已写入 {file}（{offset} 字节）", f"{offset} bytes written to {file}"), highlight=False)


@app.command()
def erase(document: str, reason: Annotated[str, typer.Option(help="原因 · why")]) -> None:
    """删除内容 · erase a document's content for good."""
    with explained():
        request = rpc.EraseDocumentRequest(name=_named(document), reason=reason)
        show_one(call(stubs.documents().EraseDocument, request), COLUMNS)


def tell_left(papers: Iterable[personal.PersonalPaper]) -> None:
    """Name papers that an erasure left to judge, each with the command that erases it, or the platform."""
    for one in papers:
        name, having = ident(one.name), ", ".join(map(ident, one.attached_to))
        zh = f"材料尚存，请判断是否涉及本人（{one.kind}，附于 {having}；已随申报提交的请平台运营删除）"
        en = f"a paper is left, judge whether it is about the person ({one.kind}, attached to {having}; "
        en += "one that was handed in is erased by the platform's operator)"
        errors.print(f"{t(zh, en)}: alliance document erase {name} --reason …", highlight=False, markup=False)


def uploaded(file: Path, owner: str = "") -> pb.Document:
    """The document of a file that is uploaded now."""
    if not file.is_file():
        raise typer.BadParameter(t(f"没有文件 {file}", f"there is no file {file}"))
    kind = media_type(file.name)
    with file.open("rb") as opened:
        header = pb.Document(
            owner=naming.organization(owner),
            file_name=file.name,
            media_type=kind,
            size=file.stat().st_size,
            sha256=hashlib.file_digest(opened, "sha256").hexdigest(),
        )
        opened.seek(0)
        requests = _requests(header, opened)
        (answer,) = list(stubs.documents().UploadDocument(requests, metadata=metadata(), timeout=_UPLOAD))
    document: pb.Document = answer.document
    return document


@contextmanager
def attached(typed: Iterable[str]) -> Iterator[list[pb.ApplicationDocument]]:
    """The documents that are typed as KIND=FILE, for one call: within is that call alone. What was uploaded for it is erased
    where it is refused, or where not all could be uploaded.
    """
    made: list[str] = []
    is_called = False
    try:
        found = [_attached(one, made) for one in typed]
        is_called = True
        yield found
    except Exception as error:
        if not is_called or (isinstance(error, grpc.RpcError) and is_refusal(error)):
            _take_back(made)
        raise


def _attached(typed: str, made: list[str]) -> pb.ApplicationDocument:
    """One of them; where it is uploaded now, its name is among those that were made."""
    kind, equals, file = typed.partition("=")
    if not equals:
        raise typer.BadParameter(t(f"{typed}：请写成 种类=文件", f"{typed}: write KIND=FILE"))
    if not file.startswith("documents/"):
        file = uploaded(Path(file)).name
        made.append(file)
    return pb.ApplicationDocument(kind=kind.upper(), document=file)


def _take_back(names: Iterable[str]) -> None:
    """Erase what was uploaded for nothing. A failure is told, since it is not what the command failed of."""
    for name in names:
        try:
            call(stubs.documents().EraseDocument, rpc.EraseDocumentRequest(name=name, reason=_FOR_NOTHING))
        except grpc.RpcError as error:
            zh = f"刚上传的材料未能删除（{error.code().name}），30 天内未附于申报即自动删除；现在删除"
            en = f"what was uploaded could not be erased ({error.code().name}), and will be after 30 days; to erase it now"
            command = f"alliance document erase {ident(name)} --reason …"
            errors.print(f"{t(zh, en)}: {command}", highlight=False, markup=False)
        else:
            zh, en = "未办成，刚上传的材料已删除", "it came to nothing, so what was uploaded for it is erased"
            errors.print(f"{t(zh, en)}: {ident(name)}", highlight=False, markup=False)


def media_type(name: str) -> str:
    """The type of a file by its name. Raises `BadParameter` for one that no document can have."""
    kind = _TYPES.get(Path(name).suffix.lower())
    if kind is None:
        endings = " ".join(_TYPES)
        raise typer.BadParameter(
            t(f"{name}：文件名须以 {endings} 结尾", f"{name}: a document's name ends in one of {endings}")
        )
    return kind


def _requests(header: pb.Document, content: IO[bytes]) -> Iterator[rpc.UploadDocumentRequest]:
    yield rpc.UploadDocumentRequest(header=header)
    while part := content.read(_PART):
        yield rpc.UploadDocumentRequest(part=part)


def _named(text: str) -> str:
    return naming.resource("documents", text)
