"""`alliance person`: persons behind listings, and the rights of whoever's data is kept (PIPL art. 45, 47)."""

from typing import Annotated

import typer

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.listings.v1 import person_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, ident, instant, short, show, show_one, value_of
from alliance_cli.session import SERVICES, call

app = typer.Typer(no_args_is_help=True, help="联系人与个人信息 · persons and personal data")
_basis = short(rpc.LegalBasis, "LEGAL_BASIS_")
_LISTING: list[Column] = [
    ("编号", "id", lambda one: ident(one.name)),
    ("标题", "title", lambda one: one.title),
    ("联系人", "contact", lambda one: ident(one.contact)),
    ("专家", "expert", lambda one: ident(one.expert.person)),
]
_PERSON: list[Column] = [
    ("姓名", "name", lambda one: one.person.display_name),
    ("电话", "phone", lambda one: one.person.phone),
    ("电子邮箱", "e-mail", lambda one: one.person.email),
    ("职务、职称", "position", lambda one: one.person.position),
    ("处理依据", "legal basis", lambda one: _basis(one.legal_basis)),
    ("保存至", "kept until", lambda one: one.retain_until),
]
_RECORD: list[Column] = [
    ("编号", "id", lambda one: ident(one.name)),
    ("类别", "kind", lambda one: one.kind),
    ("内容", "data", lambda one: "\n".join(f"{key}: {value}" for key, value in sorted(one.fields.items()) if value)),
    ("目的", "purpose", lambda one: one.purpose),
    ("依据", "legal basis", lambda one: one.legal_basis),
    ("来源", "source", lambda one: one.source),
    ("保存至", "kept until", lambda one: one.retain_until),
    ("录入", "entered", lambda one: instant(one.create_time)),
]
_Role = Annotated[str, typer.Option("--role", help="contact | expert")]


@app.command("set")
def set_(
    listing: str,
    name: Annotated[str, typer.Option(help="姓名 · name")],
    basis: Annotated[str, typer.Option(help="处理依据 · legal basis: consent | contract")],
    evidence: Annotated[str, typer.Option(help="依据的出处，如“书面同意 2026-03-01” · where it is on record")],
    role: _Role = "contact",
    phone: Annotated[str, typer.Option(help="电话 · phone")] = "",
    email: Annotated[str, typer.Option(help="电子邮箱 · e-mail")] = "",
    position: Annotated[str, typer.Option(help="职务、职称 · position")] = "",
    disclosed: Annotated[
        bool, typer.Option(help="可供能看到该信息的已核验单位查看 · verified organizations that see the listing may read it")
    ] = False,
    until: Annotated[str, typer.Option(help="保存至 · kept until, YYYY-MM-DD")] = "",
) -> None:
    """登记联系人或专家；个人信息另行保管 · say who a person is to a listing; kept apart from everything else."""
    with explained():
        request = rpc.SetListingPersonRequest(
            listing=naming.resource("listings", listing),
            role=value_of(rpc.PersonRole, "PERSON_ROLE_", role),
            person=rpc.Person(display_name=name, phone=phone, email=email, position=position),
            legal_basis=value_of(rpc.LegalBasis, "LEGAL_BASIS_", basis),
            evidence=evidence,
            disclosed=disclosed,
            retain_until=until,
        )
        show_one(call(stubs.people().SetListingPerson, request), _LISTING)


@app.command("show")
def show_(
    listing: str, purpose: Annotated[str, typer.Option(help="读取目的，会被记录 · why; recorded")], role: _Role = "contact"
) -> None:
    """查看联系人或专家；每次查看都有记录 · read who it is; every read is recorded."""
    with explained():
        request = rpc.GetListingPersonRequest(
            listing=naming.resource("listings", listing), role=value_of(rpc.PersonRole, "PERSON_ROLE_", role), purpose=purpose
        )
        show_one(call(stubs.people().GetListingPerson, request), _PERSON)


@app.command()
def erase(listing: str, reason: Annotated[str, typer.Option()], role: _Role = "contact") -> None:
    """删除一条信息的联系人或专家 · erase who a person is to one listing."""
    with explained():
        request = rpc.EraseListingPersonRequest(
            listing=naming.resource("listings", listing), role=value_of(rpc.PersonRole, "PERSON_ROLE_", role), reason=reason
        )
        show_one(call(stubs.people().EraseListingPerson, request), _LISTING)


@app.command("export-data")
def export_data(subject: str, purpose: Annotated[str, typer.Option(help="目的，会被记录 · why; recorded")]) -> None:
    """导出平台保存的某人的全部个人信息 · everything that all services hold on a person (by phone, e-mail or sub)."""
    with explained():
        found: list[personal.PersonalRecord] = []
        for service in SERVICES:
            request = personal.ExportPersonalDataRequest(subject=subject, purpose=purpose)
            found += call(stubs.personal_data(service).ExportPersonalData, request).records
        show(found, _RECORD)


@app.command("erase-data")
def erase_data(subject: str, reason: Annotated[str, typer.Option()]) -> None:
    """删除平台保存的某人的全部个人信息 · erase everything that all services hold on a person."""
    with explained():
        for service in SERVICES:
            request = personal.ErasePersonalDataRequest(subject=subject, reason=reason)
            erased = call(stubs.personal_data(service).ErasePersonalData, request)
            show_one(erased, [("已删除", "erased", lambda one: one.erased)], title=service)
