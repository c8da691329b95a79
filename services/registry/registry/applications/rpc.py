"""The RPCs of applications: thin; what may be done is in `domain.programmes`, what is known and changed in `taking`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial

from sqlalchemy import ColumnElement, select

from access.authority import Authority
from access.visibility import Viewer
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import events_pb2
from chassis import etag, paging
from chassis.changing import masked
from chassis.clock import business_date, parsed_date
from chassis.errors import AlreadyExists, Denied, Invalid, NotFound, Precondition, Violation, refuse
from chassis.ids import resource
from chassis.personal import principal_problems
from chassis.rpc import Call
from codes import regions
from registry import guards, store
from registry.applications import candidates, catalogue
from registry.applications import store as rows
from registry.applications.beginning import Beginning
from registry.applications.documents import Documents, erased, fresh
from registry.applications.mapping import (
    APPLICATION_FIELDS,
    FACTS_OF,
    application_message,
    application_problems,
    call_message,
    call_problems,
    call_row,
    candidate_problems,
    changeable,
    document_problems,
    evaluation_message,
    evidence,
    keep_scores_back,
    step_message,
    untimely_facts,
)
from registry.applications.papers import CandidatePapers
from registry.applications.store import ApplicationRow, CallRow
from registry.applications.taking import Said, Taking
from registry.domain.calls import OF_GOVERNMENT, OF_UNIVERSITY, window
from registry.domain.names import LEADING, OrgType, Programme
from registry.domain.procedure import FILLED_IN, State
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.challenge import counts
from registry.domain.transitions import hurdle
from registry.mapping.checks import bad_date, coded, only
from registry.store import BodyRow, OrganizationRow

CALL = "alliance.internal.registry.call.v1"
_CREATE, _GET = "registry.applications.create", "registry.applications.get"
_MOST_EVALUATIONS = 20
_GIVEN = ("programme", "applicant", "body", "call", *APPLICATION_FIELDS)


class Applications:
    """`alliance.registry.v1.ApplicationService`."""

    def __init__(self, authority: Authority, taking: Taking, documents: Documents, papers: CandidatePapers) -> None:
        self._authority = authority
        self._beginning = Beginning(authority)
        self._taking = taking
        self._documents = documents
        self._papers = papers

    # Calls

    async def OpenCall(self, call: Call, request: rpc.OpenCallRequest) -> pb.ApplicationCall:
        """See the contract."""
        message = only(request.call, ("programme", "year", "authority", "opens_on", "closes_on"))
        refuse(call_problems(message))
        await self._require_authority(call, message)
        allowed = window(Programme(message.programme), message.year)
        message.opens_on = message.opens_on or (allowed.opens_on.isoformat() if allowed.opens_on else "")
        message.closes_on = message.closes_on or (allowed.closes_on.isoformat() if allowed.closes_on else "")
        message.name = resource("calls")
        row = call_row(message, 1, call.tx.now)
        await store.lock(call.tx, f"call {row.programme} {row.year} {row.authority}")
        if known := await rows.open_call(call.tx, row, business_date(call.tx.now)):
            raise AlreadyExists(
                "CALL_EXISTS",
                f"该主管单位该年度已有此征集 {known}，尚未截止；请直接答复它（application create … --call），"
                "待其截止后再发起，或改为另一年度",
                f"the authority has such a call of the year already that has not closed: {known}; answer that one "
                "(application create … --call), open another once it has closed, or one of another year",
                {"call": known},
            )
        await store.write(call.tx, row)
        call.tx.emit(CALL, row.name, 1, "opened", events_pb2.CallEvent(call=message))
        return message

    async def _require_authority(self, call: Call, message: pb.ApplicationCall) -> None:
        """Who decides is somebody known, and a department or a university where the documents say so. Raises `Invalid`."""
        row = await store.get(call.tx, OrganizationRow, message.authority)
        if row is None:
            raise Invalid([guards.unknown("authority", message.authority)])
        programme = Programme(message.programme)
        clause = PROCEDURES[programme].clause  # whose call it is comes first: verifying another would not help
        if programme in OF_UNIVERSITY and row.org_type != OrgType.UNIVERSITY:
            told = (
                f"该程序招收专业硕士、博士学位研究生，由普通高校（university）主管（{clause}）；请改填",
                f"a university decides in this programme, which leads to master's and doctoral degrees ({clause}); name one",
            )
            refuse([Violation("authority", clause, *told)])
        if programme in OF_GOVERNMENT and row.org_type not in LEADING:
            told = (
                f"该程序由政府部门（或园区管委会）主管（{clause}）；请改填",
                f"a government department, or a park's committee, decides in this programme ({clause}); name one",
            )
            refuse([Violation("authority", clause, *told)])
        if not row.verified:
            told = (
                "主管单位须已核验；请先核验（org verify）",
                "the authority has to be verified; have that done first (org verify)",
            )
            refuse([Violation("authority", "verified", *told)])

    async def ListCalls(self, call: Call, request: rpc.ListCallsRequest) -> rpc.ListCallsResponse:
        """See the contract."""
        c = rows.call.c
        conditions: list[ColumnElement[bool]] = []
        if request.programmes:
            conditions.append(c.programme.in_(request.programmes))
        if request.year:
            conditions.append(c.year == request.year)
        size, before = paging.page_size(request.page_size), paging.decode(request)
        if before:
            conditions.append(c.name < before[0])
        statement = select(CallRow).where(*conditions).order_by(c.name.desc()).limit(size + 1)
        found: Sequence[CallRow] = (await call.tx.session.execute(statement)).scalars().all()
        answer = rpc.ListCallsResponse(calls=[call_message(row) for row in found[:size]])
        if len(found) > size:
            answer.next_page_token = paging.encode(request, [found[size - 1].name])
        return answer

    # Applications

    async def CreateApplication(self, call: Call, request: rpc.CreateApplicationRequest) -> pb.Application:
        """See the contract."""
        message = only(request.application, _GIVEN)
        refuse([*application_problems(message), *candidate_problems(message)])
        _require_facts_in(State.DRAFT, Programme(message.programme), [message.WhichOneof("facts") or ""])
        await self._beginning.require(call, message)
        message.name = resource("applications")
        message.state = pb.APPLICATION_STATE_DRAFT
        await self._taking.save(call.tx, message, None, "created")
        return message

    async def GetApplication(self, call: Call, request: rpc.GetApplicationRequest) -> pb.Application:
        """See the contract."""
        (message,) = await self._shown(call, application_message(await self._found(call, request.name)))
        return message

    async def ListApplications(self, call: Call, request: rpc.ListApplicationsRequest) -> rpc.ListApplicationsResponse:
        """See the contract."""
        c = rows.application.c
        conditions = [await self._sees(call)]
        for column, values in ((c.programme, request.programmes), (c.state, request.states)):
            if values:
                conditions.append(column.in_(values))
        for column, value in ((c.applicant, request.applicant), (c.body, request.body), (c.call, request.call)):
            if value:
                conditions.append(column == value)
        size, before = paging.page_size(request.page_size), paging.decode(request)
        found = await rows.page(call.tx, conditions, before[0] if before else None, size + 1)
        shown = await self._shown(call, *(application_message(row) for row in found[:size]))
        answer = rpc.ListApplicationsResponse(applications=shown)
        if len(found) > size:
            answer.next_page_token = paging.encode(request, [found[size - 1].name])
        return answer

    async def UpdateApplication(self, call: Call, request: rpc.UpdateApplicationRequest) -> pb.Application:
        """See the contract."""
        row = await self._locked(call, request.application.name, request.application.etag)
        _require_state(row, FILLED_IN | PROCEDURES[Programme(row.programme)].facts_in)
        before = application_message(row)
        await self._taking.require_filling(call, before)
        _require_facts_in(State(row.state), Programme(row.programme), request.update_mask.paths)
        message = masked(
            before,
            request.application,
            request.update_mask,
            changeable(PROCEDURES[Programme(row.programme)], State(row.state)),
            deep=True,
        )
        candidate = before.employee_intake.candidate
        refuse([*application_problems(message), *candidate_problems(message, candidate)])
        if candidate:
            message.employee_intake.candidate = candidate
            refuse(await candidates.repeated_in(call.tx, message))
        if message == before:
            return before
        await self._taking.save(call.tx, message, row, "updated")
        return message

    async def AttachDocuments(self, call: Call, request: rpc.AttachDocumentsRequest) -> pb.Application:
        """See the contract."""
        row = await self._open(call, request.name, request.etag)
        message = application_message(row)
        await self._taking.require_filling(call, message)
        await self._require_documents(call, row, request.documents)
        gone = await erased(call.tx, row.name)
        given = await fresh(call.tx, request.documents, [one for one in message.documents if one.document not in gone])
        if given:
            await self._taking.attach(call.tx, message, given)
            await self._taking.save(call.tx, message, row, "updated")
        return message

    async def TakeStep(self, call: Call, request: rpc.TakeStepRequest) -> pb.Application:
        """See the contract."""
        await self._found(call, request.name)
        row = await self._locked(call, request.name, request.etag)
        refuse([*_said_problems(request), *_principal_problems(application_message(row), request.named_principal)])
        await self._require_documents(call, row, request.documents)
        said = Said(
            request.reason,
            request.named_organization,
            request.named_principal,
            request.score if request.HasField("score") else None,
            request.day,
            request.documents,
        )
        (message,) = await self._shown(call, await self._taking.take(call, row, request.step, said))
        return message

    async def ListCertifications(self, call: Call, request: rpc.ListCertificationsRequest) -> rpc.ListCertificationsResponse:
        """See the contract."""
        refuse(coded(request))
        c = catalogue.certification.c
        conditions: list[ColumnElement[bool]] = []
        if request.kinds:
            conditions.append(c.kind.in_(request.kinds))
        if request.states:
            conditions.append(c.state.in_(request.states))
        if request.organization:
            conditions.append(c.organization == request.organization)
        if request.region_code:
            conditions.append(catalogue.in_region(regions.prefix(request.region_code)))
        size, before = paging.page_size(request.page_size), paging.decode(request)
        found = await catalogue.page(call.tx, conditions, before[0] if before else None, size + 1)
        answer = rpc.ListCertificationsResponse(certifications=found[:size])
        if len(found) > size:
            answer.next_page_token = paging.encode(request, [found[size - 1].name])
        return answer

    async def ListEvaluations(self, call: Call, request: rpc.ListEvaluationsRequest) -> rpc.ListEvaluationsResponse:
        """See the contract."""
        conditions = await self._evaluations(call, request.organization)
        size, before = paging.page_size(request.page_size), paging.decode(request)
        found = await rows.page(call.tx, conditions, before[0] if before else None, size + 1)
        answer = rpc.ListEvaluationsResponse(evaluations=[evaluation_message(row) for row in found[:size]])
        if len(found) > size:
            answer.next_page_token = paging.encode(request, [found[size - 1].name])
        return answer

    async def GetProcedure(self, call: Call, request: rpc.GetProcedureRequest) -> rpc.ProcedureSteps:
        """See the contract."""
        if not request.application:
            if request.programme not in Programme._value2member_map_:
                refuse([Violation("programme", "required", "请填写程序或申报", "name a programme or an application")])
            steps = PROCEDURES[Programme(request.programme)].steps
            return rpc.ProcedureSteps(steps=[step_message(step, None) for step in steps])
        message = application_message(await self._found(call, request.application))
        procedure = PROCEDURES[Programme(message.programme)]
        case = await self._taking.case(call, message)
        return rpc.ProcedureSteps(steps=[step_message(step, hurdle(procedure, case, step)) for step in procedure.steps])

    async def CheckApplication(self, call: Call, request: rpc.CheckApplicationRequest) -> pb.ApplicationCheck:
        """See the contract."""
        row = await self._found(call, request.name)
        message, answer = application_message(row), pb.ApplicationCheck(application=row.name)
        if request.HasField("check_time"):
            at = guards.check_time(call.tx, request.check_time)
            answer.findings.extend(await self._taking.found_at(call.tx, message, at))
            guards.require_said(answer.findings, row, at)
            answer.check_time.FromDatetime(at)
            return answer
        procedure, gone = PROCEDURES[Programme(message.programme)], await erased(call.tx, message.name)
        kept = [one for one in message.documents if one.document not in gone]
        for one, documents in await self._taking.shown(call.tx, message):
            answer.findings.append(one)
            answer.findings[-1].evidence.extend(evidence(procedure, kept, documents))
        evaluations = await rows.page(call.tx, await self._evaluations(call, message.applicant), None, _MOST_EVALUATIONS)
        answer.evaluations.extend(evaluation_message(row) for row in evaluations)
        answer.check_time.FromDatetime(call.tx.now)
        return answer

    async def SetCandidate(self, call: Call, request: rpc.SetCandidateRequest) -> pb.Application:
        """See the contract."""
        row = await self._open(call, request.application, "")
        before = application_message(row).employee_intake.candidate
        message = await candidates.keep(call.tx, application_message(row), request)
        if message.employee_intake.candidate != before:
            await self._taking.save(call.tx, message, row, "updated")
        return message

    async def GetCandidate(self, call: Call, request: rpc.GetCandidateRequest) -> rpc.GetCandidateResponse:
        """See the contract. The read itself is recorded, so it has a transaction of its own."""
        message = application_message(await self._found(call, request.application))
        for one in (message.applicant, message.authority):
            if await self._authority.permitted(call, _GET, one):
                async with call.database.transaction(call.cause) as tx:
                    return await candidates.read(tx, message, request.purpose)
        raise Denied(_GET, request.application)

    async def EraseCandidate(self, call: Call, request: rpc.EraseCandidateRequest) -> pb.Application:
        """See the contract."""
        row = await self._locked(call, request.application, "")
        message = application_message(row)
        was_kept = await candidates.forget(call.tx, message, request.reason)
        is_platform = (await self._authority.viewer(call)).platform
        may = None if is_platform else partial(self._authority.permitted, call, "registry.documents.erase")
        await self._papers.erase_of(call.tx, [message.name], may)
        if was_kept:
            await self._taking.save(call.tx, message, row, "updated")
        return message

    async def GetChallengeCounts(self, call: Call, request: rpc.GetChallengeCountsRequest) -> rpc.ChallengeCounts:
        """See the contract."""
        await guards.found(call.tx, BodyRow, request.body)
        found = counts(await rows.by_state(call.tx, request.body, Programme.CHALLENGE, request.year))
        return rpc.ChallengeCounts(body=request.body, **found._asdict())

    async def _found(self, call: Call, name: str) -> ApplicationRow:
        """An application that the caller may see. Raises `NotFound`."""
        found = await rows.page(call.tx, [rows.application.c.name == name, await self._sees(call)], None, 1)
        if not found:
            raise NotFound(name)
        return found[0]

    async def _locked(self, call: Call, name: str, expected: str) -> ApplicationRow:
        row = await store.get(call.tx, ApplicationRow, name, lock=True)
        if row is None:
            raise NotFound(name)
        etag.check(expected, row.version, name)
        return row

    async def _open(self, call: Call, name: str, expected: str) -> ApplicationRow:
        """An application that can be filled in, locked. Raises `NotFound` or `Precondition`."""
        row = await self._locked(call, name, expected)
        _require_state(row, FILLED_IN)
        return row

    async def _require_documents(self, call: Call, row: ApplicationRow, given: Sequence[pb.ApplicationDocument]) -> None:
        procedure = PROCEDURES[Programme(row.programme)]
        refuse(document_problems(procedure, application_message(row).documents, given))
        await self._documents.require(call, given, procedure.pdf_only)

    async def _shown(self, call: Call, *messages: pb.Application) -> Sequence[pb.Application]:
        """Applications as the caller sees them: until one is decided, experts score without each other's scores, and nobody
        but the authority and the platform knows them (R30; ours, as the conflict of interest is).
        """
        reviewed = [one for one in messages if one.state == pb.APPLICATION_STATE_IN_REVIEW]
        viewer = await self._authority.viewer(call) if reviewed else Viewer()
        for one in reviewed:
            if not viewer.acts_for(one.authority):
                keep_scores_back(one, call.principal.sub if call.principal else "")
        return messages

    async def _sees(self, call: Call) -> ColumnElement[bool]:
        viewer = await self._authority.viewer(call)
        return rows.sees(viewer, call.principal.sub if call.principal else "")

    async def _evaluations(self, call: Call, organization: str) -> list[ColumnElement[bool]]:
        """Published evaluations that the caller may read: departments all of them, others those that they have a part in."""
        published = rows.published_evaluations(organization)
        if (await self._authority.viewer(call)).government:
            return published
        return [*published, await self._sees(call)]


def _require_state(row: ApplicationRow, states: Collection[State]) -> None:
    """Raises `Precondition`."""
    if row.state not in states:
        raise Precondition(
            "ILLEGAL_STATE",
            "只有起草或退回补正的申报可以修改（绩效考核的事实自指标下达后至自评为止）；此后的材料随步骤提交",
            "only a draft, or what was returned, can be changed (facts of an assessment from indicators to self-report); "
            "later documents come with a step",
        )


def _require_facts_in(state: State, programme: Programme, paths: Iterable[str]) -> None:
    """No path leads to facts, unless they are entered in the state. Raises `Invalid`."""
    procedure = PROCEDURES[programme]
    if state not in procedure.facts_in and FACTS_OF.get(programme) in {path.partition(".")[0] for path in paths}:
        refuse([untimely_facts(procedure, state)])


def _said_problems(request: rpc.TakeStepRequest) -> Iterator[Violation]:
    if request.HasField("score") and not 0 <= request.score <= 100:
        yield Violation("score", "range", "评分须在 0–100 之间", "a score is between 0 and 100")
    if request.day and parsed_date(request.day) is None:
        yield bad_date("day")


def _principal_problems(message: pb.Application, principal: str) -> list[Violation]:
    """Whom a step named before the rule can be taken off still."""
    if principal in {one.named_principal for one in message.steps}:
        return []
    return principal_problems("named_principal", principal)
