"""`alliance application candidate`: who the candidate of an intake of employees is (R28), kept apart as personal data."""

from collections.abc import Iterator
from typing import Annotated

import typer

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import document_service_pb2 as documents_rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import document
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, show_one
from alliance_cli.session import call

app = typer.Typer(no_args_is_help=True, help="候选人 · the candidate of an intake of employees")
_APPLICATION: list[Column] = [
    ("编号", "id", lambda a: ident(a.name)),
    ("标题", "title", lambda a: a.display_name),
    ("候选人", "candidate", lambda a: ident(a.employee_intake.candidate)),
]
_CANDIDATE: list[Column] = [
    ("姓名", "name", lambda one: one.candidate.display_name),
    ("电话", "phone", lambda one: one.candidate.phone),
    ("电子邮箱", "e-mail", lambda one: one.candidate.email),
    ("岗位", "position", lambda one: one.candidate.position),
    ("保存至", "kept until", lambda one: one.retain_until),
]


@app.command("set")
def set_(
    application: str,
    name: Annotated[str, typer.Option(help="姓名 · name")],
    evidence: Annotated[str, typer.Option(help="本人同意的出处，如“书面同意 2026-03-01” · where the consent is on record")],
    phone: Annotated[str, typer.Option(help="电话 · phone")] = "",
    email: Annotated[str, typer.Option(help="电子邮箱 · e-mail")] = "",
    position: Annotated[str, typer.Option(help="岗位 · post")] = "",
    until: Annotated[str, typer.Option(help="保存至 · kept until, YYYY-MM-DD")] = "",
) -> None:
    """登记候选人；个人信息另行保管 · say who the candidate is; kept apart from everything else."""
    with explained():
        request = rpc.SetCandidateRequest(
            application=_named(application),
            candidate=rpc.Candidate(display_name=name, phone=phone, email=email, position=position),
            evidence=evidence,
            retain_until=until,
        )
        show_one(call(stubs.applications().SetCandidate, request), _APPLICATION)


@app.command("show")
def show_(application: str, purpose: Annotated[str, typer.Option(help="读取目的，会被记录 · why; recorded")]) -> None:
    """查看候选人；每次查看都有记录 · read who it is; every read is recorded."""
    with explained():
        request = rpc.GetCandidateRequest(application=_named(application), purpose=purpose)
        show_one(call(stubs.applications().GetCandidate, request), _CANDIDATE)


@app.command()
def erase(application: str, reason: Annotated[str, typer.Option()]) -> None:
    """删除候选人的个人信息和材料 · erase who the candidate is, and the papers about them.

    已提交的材料由平台删除 · what was handed in is erased by the platform.
    """
    with explained():
        request = rpc.EraseCandidateRequest(application=_named(application), reason=reason)
        erased = call(stubs.applications().EraseCandidate, request)
        show_one(erased, _APPLICATION)
        document.tell_left(_kept(erased))


def _kept(application: pb.Application) -> Iterator[personal.PersonalPaper]:
    for one in application.documents:
        known = call(stubs.documents().GetDocument, documents_rpc.GetDocumentRequest(name=one.document))
        if known.state == pb.DOCUMENT_STATE_KEPT:
            yield personal.PersonalPaper(name=one.document, kind=one.kind, attached_to=[application.name])


def _named(text: str) -> str:
    return naming.resource("applications", text)
