"""`alliance person`: persons behind listings, and the rights of whoever's data is kept (PIPL art. 45, 47)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import grpc
import typer

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.listings.v1 import person_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.commands import document
from alliance_cli.errors import PARTLY, explain, explained, fail
from alliance_cli.output import Column, as_json, called, errors, ident, instant, print_json, show, show_one, value_of
from alliance_cli.session import SERVICES, call, context, t

app = typer.Typer(no_args_is_help=True, help="联系人与个人信息 · persons and personal data")
_basis = called(rpc.LegalBasis, "LEGAL_BASIS_")
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
_PAPER: list[Column] = [
    ("编号", "id", lambda one: ident(one.name)),
    ("类别", "kind", lambda one: one.kind),
    ("附于", "attached to", lambda one: "\n".join(map(ident, one.attached_to))),
    ("文件", "file", lambda one: one.file_name),
]
_ERASED: list[Column] = [
    ("已删除记录", "records erased", lambda one: one.erased),
    ("已删除材料", "papers erased", lambda one: "\n".join(f"{ident(each.name)} {each.kind}" for each in one.erased_papers)),
]
_SUBJECT = (
    "电话、电子邮箱或 sub；姓名只找没有电话和邮箱的记录 · "
    "phone, e-mail or sub; a name finds records without number and address alone"
)
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
def export_data(
    subject: Annotated[str, typer.Argument(help=_SUBJECT)],
    purpose: Annotated[str, typer.Option(help="目的，会被记录 · why; recorded")],
) -> None:
    """导出平台保存的某人的全部个人信息和材料 · everything that all services hold on a person, and the papers about them."""
    asked = personal.ExportPersonalDataRequest(subject=subject, purpose=purpose)
    found, failed = _of_each(lambda stub: stub.ExportPersonalData, asked)
    records = [one for answer in found.values() for one in answer.records]
    papers = [one for answer in found.values() for one in answer.papers]
    if context.output == "json":
        print_json([as_json(one) for one in (*records, *papers)])
    else:
        show(records, _RECORD)
        if papers:
            show(papers, _PAPER, title=t("材料（document download 取内容）", "papers (document download has the content)"))
    _tell_namesakes(found)
    _end(found, failed)


@app.command("erase-data")
def erase_data(subject: Annotated[str, typer.Argument(help=_SUBJECT)], reason: Annotated[str, typer.Option()]) -> None:
    """删除平台保存的某人的全部个人信息和材料 · erase everything that all services hold on a person, and the papers about them.

    逐个服务删除，一个不可用不影响其余；可重复执行 · service by service, one that is away keeps no other; can be run again.
    """
    asked = personal.ErasePersonalDataRequest(subject=subject, reason=reason)
    found, failed = _of_each(lambda stub: stub.ErasePersonalData, asked)
    if context.output == "json":
        print_json([{"service": name, **as_json(one)} for name, one in found.items()])
    else:
        for name, one in found.items():
            show_one(one, _ERASED, title=name)
    document.tell_left([one for answer in found.values() for one in answer.papers_left])
    _tell_mentions([one for answer in found.values() for one in answer.mentioned_in])
    _tell_namesakes(found)
    _tell_other_addresses()
    _end(found, failed)


def _of_each(method: Callable[[Any], Any], request: Any) -> tuple[dict[str, Any], list[int]]:
    """What each service answers, and the exit codes of those that failed, which is said. All addresses are known before."""
    found, failed = dict[str, Any](), list[int]()
    for service, stub in [(one, stubs.personal_data(one)) for one in SERVICES]:
        try:
            found[service] = call(method(stub), request)
        except grpc.RpcError as error:
            failed.append(explain(error, of=service))
    return found, failed


def _tell_mentions(names: Sequence[str]) -> None:
    """Name what still says who it is: texts are no records."""
    for one in names:
        zh = "文字中（含旧版本）或文件名写有该姓名，不随记录删除，请所属单位修改、撤回或删除；"
        zh += "已结束的信息、已提交的申报、已关闭的期次和已送达的通知不再变动"
        en = "a text (now or in an earlier version) or a file's name says the name, and stays; whose it is revises, withdraws "
        en += "or erases it; what has ended or was handed in, closed rounds and what was delivered stay as they are"
        errors.print(f"{t(zh, en)}: alliance {one.partition('/')[0].removesuffix('s')} show {ident(one)}", highlight=False)


def _tell_namesakes(found: Mapping[str, Any]) -> None:
    if number := sum(one.namesakes for one in found.values()):
        zh = f"另有 {number} 条记录姓名相同，按电话或邮箱保管，未包括在内：同名未必同一人，请核实其电话或邮箱，再按号码办理"
        en = (
            f"{number} more records bear this name and are kept by a number or an address. They are not included, for two "
            "persons can have one name: ask the person for the number or address, and run this again with it"
        )
        errors.print(t(zh, en), highlight=False)


def _tell_other_addresses() -> None:
    """What is kept by another number or address of theirs is not found by this one."""
    zh = "按其他电话、邮箱或账号保管的同一人的记录（如通知订阅）未包括在内；请逐一按其办理"
    en = "what is kept by another number, address or account of theirs (a subscription) is not included; run this with each"
    errors.print(t(zh, en), highlight=False)


def _end(found: Mapping[str, Any], failed: Sequence[int]) -> None:
    """End with what the failures come to; what was done stays done."""
    if not failed:
        return
    if not found:
        raise SystemExit(failed[0])
    away = [one for one in SERVICES if one not in found]
    zh, en = "以上服务未完成，请排除原因后重新执行", "these services have not done it; mend the reason and run it again"
    fail(PARTLY, t(f"{zh}：{'、'.join(away)}", f"{en}: {', '.join(away)}"))
