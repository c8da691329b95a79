"""Candidates of EMPLOYEE_INTAKE (R28): who they are is kept in the vault, the application has the random id of the record."""

from collections.abc import Mapping
from datetime import timedelta

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1.events_pb2 import ApplicationEvent
from chassis.changing import require_reason
from chassis.clock import business_date, parsed_date
from chassis.database import Tx
from chassis.errors import NotFound, Precondition, Violation, refuse
from chassis.personal import repeated
from chassis.persons import (
    LENGTHS,
    evidence_problems,
    fields_of,
    person_problems,
    purpose_problems,
    retention_problems,
    subjects,
)
from chassis.vault import Vault
from registry.applications.store import TOPIC

_KEEP_DAYS = 365  # from an application to the admission that ends it; our default: PIPL art. 19 asks for the shortest needed
_vault = Vault()


async def keep(tx: Tx, message: pb.Application, request: rpc.SetCandidateRequest) -> pb.Application:
    """The application with a record in place of the one before. Raises `Invalid`, `Precondition` for other programmes and for
    another person than before.
    """
    if message.programme != pb.PROGRAMME_EMPLOYEE_INTAKE:
        raise Precondition(
            "NO_CANDIDATE",
            "只有一线员工“申请+推荐+考核”招收（R28）有候选人",
            "only an intake of front-line employees (R28) has a candidate",
            {"application": message.name},
        )
    today = business_date(tx.now)
    until = parsed_date(request.retain_until) or today + timedelta(days=_KEEP_DAYS)
    fields = fields_of(request.candidate)
    refuse(
        [
            *person_problems("candidate", fields, reachable=True),
            *evidence_problems(request.evidence),
            *retention_problems(request.retain_until, until, today),
            *(repeated("application.display_name", message.display_name, [fields]) or await _told_before(tx, message, fields)),
        ]
    )
    kept, basis = {**fields, "application": message.name}, f"CONSENT: {request.evidence.strip()}"
    if before := message.employee_intake.candidate:
        if await _vault.says(tx, before, kept, basis, until if request.retain_until else None):
            return message
        await _require_the_same(tx, message, fields)
        await _vault.forget(tx, before)
    message.employee_intake.candidate = await _vault.keep(
        tx,
        subjects=subjects(fields),
        kind="candidate",
        fields=kept,
        purpose="一线员工招收 intake of front-line employees (R28)",
        legal_basis=basis,
        source="SetCandidate",
        retain_until=until,
    )
    return message


async def _told_before(tx: Tx, message: pb.Application, fields: Mapping[str, str]) -> list[Violation]:
    """What was kept of the application tells of them: an earlier title, or why a step was taken. No erasure reaches it."""
    told = {one.reason for one in message.steps}
    for payload in await tx.sql.column("SELECT payload FROM event WHERE topic = $1 AND key = $2", TOPIC, message.name):
        told.add(ApplicationEvent.FromString(payload).application.display_name)
    if not any(repeated("candidate", text, [fields]) for text in told):
        return []
    zh = "此申报以前的题名或步骤的原因写有候选人，历史不再更改，也无法删除；请撤回，另行申报"
    en = "an earlier title, or the reason of a step, tells of them, and history is neither changed nor erased; apply anew"
    return [Violation("candidate", "PIPL art. 47", zh, en)]


async def _require_the_same(tx: Tx, message: pb.Application, fields: Mapping[str, str]) -> None:
    """Papers are about the person who is set: another one's would be taken for theirs. Where there are any, a shared number,
    which may be the applicant's own, says nothing. Raises `Precondition`.
    """
    record = message.employee_intake.candidate
    if not await is_kept(tx, message):
        return
    if message.documents and not await _vault.is_about(tx, record, [], fields):
        zh, en = (
            "已附材料，而姓名与现有候选人不同",
            "there are papers, and the name is another than the candidate's who is set",
        )
    elif not await _vault.is_about(tx, record, subjects(fields), fields):
        zh, en = (
            "姓名、电话和电子邮箱都与现有候选人不同",
            "name, phone and e-mail are all others than those of the candidate who is set",
        )
    else:
        return
    raise Precondition(
        "ANOTHER_CANDIDATE",
        f"{zh}；换人请先删除现有候选人（candidate erase），其材料随之删除",
        f"{en}; to set another person, erase the present one first (candidate erase), whose papers go with it",
        {"application": message.name},
    )


async def repeated_in(tx: Tx, message: pb.Application) -> list[Violation]:
    """What the texts that stay, the application's name and the reason of the transaction, say of who the candidate is."""
    texts = [("application.display_name", message.display_name), ("reason", tx.cause.reason)]
    return await _vault.repeated(tx, [message.employee_intake.candidate], texts)


async def is_kept(tx: Tx, message: pb.Application) -> bool:
    """Whether somebody is kept whom an application refers to: an erasure of the person leaves the reference behind."""
    record = message.employee_intake.candidate
    return bool(record) and bool(await _vault.kept(tx, [record]))


async def read(tx: Tx, message: pb.Application, purpose: str) -> rpc.GetCandidateResponse:
    """Who the candidate is; the read is recorded. Raises `Invalid`, and `NotFound` where nobody is kept."""
    refuse(list(purpose_problems(purpose)))
    record = message.employee_intake.candidate
    found = await _vault.read(tx, record, purpose.strip()) if record else None
    if found is None:
        raise NotFound(f"{message.name} candidate")
    refuse(repeated("purpose", purpose, [found.fields]))
    return rpc.GetCandidateResponse(
        candidate=rpc.Candidate(**{field: found.fields.get(field, "") for field in LENGTHS}),
        retain_until=found.retain_until.isoformat(),
    )


async def forget(tx: Tx, message: pb.Application, reason: str) -> bool:
    """Erase who the candidate is and let the application refer to nobody; says whether it did before. Raises `Invalid`."""
    require_reason(reason)
    record = message.employee_intake.candidate
    if record:
        await _vault.forget(tx, record)
        message.employee_intake.candidate = ""
    return bool(record)
