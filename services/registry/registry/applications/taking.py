"""Taking steps: what is known of an application out of the register, and what a step changes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from access.authority import Authority
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import body_pb2, events_pb2
from chassis.clock import business_date, parsed_date
from chassis.database import Tx
from chassis.errors import NotFound, Precondition, refuse
from chassis.rpc import Call
from registry import bodies, changes, checks, guards, store
from registry.applications import candidates, catalogue, sealing, standing
from registry.applications.documents import erased, fresh
from registry.applications.judging import ApplicationJudge, facts, has_ended
from registry.applications.mapping import FACTS_OF, application_message, application_row
from registry.applications.store import (
    TOPIC,
    ApplicationRow,
    CallRow,
    attach,
    led_by_others,
    lock,
    name_party,
    overdue,
    release_parties,
    to_remind,
)
from registry.domain.calls import BY_LEAD_DEPARTMENT, FORMING, ONCE_A_YEAR
from registry.domain.names import BodyState, MemberRole, Programme
from registry.domain.procedure import Case, Effect, Party, Refusal, State, Step, Taken, Unit, Window, remind_day
from registry.domain.programmes import PROCEDURES
from registry.domain.programmes.common import experts, is_college_of
from registry.domain.rules import Finding
from registry.domain.transitions import fill, take
from registry.judging import Judge
from registry.mapping.bodies import body_message, finding_message, vies_for
from registry.store import BodyRow, OrganizationRow

STEP = "registry.applications.step"
_MOST_STEPS = 500
_MOST_DOCUMENTS = 200  # of one application: its record has to fit a topic
_BATCH = 20  # applications in one transaction of the sweep
_NOBODY = Unit("", 0)
_LEADS = (MemberRole.LEAD_ENTERPRISE, MemberRole.LEAD_UNIVERSITY, MemberRole.LEAD_VOCATIONAL)


class Said(NamedTuple):
    """What the call says beside the step's name."""

    reason: str = ""
    organization: str = ""
    principal: str = ""
    score: int | None = None
    day: str = ""
    documents: Sequence[pb.ApplicationDocument] = ()


class Taking:
    """Takes steps, for callers and, where a last day has passed, for the platform."""

    def __init__(self, authority: Authority, judge: Judge) -> None:
        self._authority = authority
        self._judge = judge
        self._own = ApplicationJudge(judge)

    async def case(self, call: Call, message: pb.Application, said: Said = Said()) -> Case:  # noqa: B008 - it is a tuple
        """What is known of an application for a caller who wants to take a step."""
        case = await self._known(call.tx, message, said)
        unit = await self._unit(call, case)
        actor = call.principal.sub if call.principal else ""
        case = await _with_grants(call.tx, replace(case, unit=unit, actor=actor), message.body)
        return replace(case, parties=await self._parties(call, message, case))

    async def take(self, call: Call, row: ApplicationRow, name: str, said: Said) -> pb.Application:
        """Take a step. Raises `Precondition` where the procedure refuses it."""
        message = application_message(row)
        if row.programme == Programme.CERTIFICATION:
            await catalogue.lock(call.tx, message)
        if row.programme in FORMING:  # the body stays as the step finds it, and rivals wait: see `guards`
            await guards.lock_rivals(call.tx, body_message(await changes.locked_body(call.tx, row.body)))
        case = await self.case(call, message, said)
        if row.programme in BY_LEAD_DEPARTMENT:
            await self._require_lead(call.tx, message, case)
        step = take(PROCEDURES[Programme(row.programme)], case, name)
        if isinstance(step, Refusal):
            raise Precondition(step.reason, step.zh, step.en, {"application": row.name, "step": name[:100]})
        if len(message.steps) >= _MOST_STEPS:  # the platform's own step, at a last day, is never held up by it
            raise Precondition(
                "TOO_MANY_STEPS",
                f"步骤已满 {_MOST_STEPS} 次；请另行申报",
                f"{_MOST_STEPS} steps were taken already; begin another application",
            )
        refuse(await candidates.repeated_in(call.tx, message))
        return await self._done(call.tx, row, message, case, step, said)

    async def require_filling(self, call: Call, message: pb.Application) -> None:
        """The caller is one who fills the application in, where the programme says who does. Raises `Precondition`."""
        procedure = PROCEDURES[Programme(message.programme)]
        if procedure.filling and (refusal := fill(procedure, await self.case(call, message))):
            raise Precondition(refusal.reason, refusal.zh, refusal.en, {"application": message.name})

    async def lapse(self, tx: Tx, row: ApplicationRow) -> bool:
        """Take the step that the platform takes after a last day; says whether there was one."""
        message = application_message(row)
        case = replace(await self._known(tx, message, Said()), actor=tx.cause.actor, parties=frozenset({Party.PLATFORM}))
        step = PROCEDURES[Programme(row.programme)].overdue(case)
        if step is None:
            return False
        await self._done(tx, row, message, case, step, Said(reason=step.title[0]))
        return True

    async def attach(self, tx: Tx, message: pb.Application, given: Sequence[pb.ApplicationDocument]) -> None:
        """Attach documents to an application that is written next, but for those that it has: whoever may see it may read
        them.
        """
        message.documents.extend(one for one in given if one not in message.documents)
        if len(message.documents) > _MOST_DOCUMENTS:
            raise Precondition(
                "TOO_MANY_DOCUMENTS",
                f"一份申报最多 {_MOST_DOCUMENTS} 份材料；请合并后上传",
                f"an application has at most {_MOST_DOCUMENTS} documents; put them together",
            )
        await attach(tx, message.name, [one.document for one in given])

    async def findings(self, tx: Tx, message: pb.Application) -> list[Finding]:
        """What every rule says of an application and of the body that it is for."""
        found: list[Finding] = []
        if message.body:
            body = await store.get(tx, BodyRow, message.body)
            found += await self._judge.said(tx, body_message(body)) if body else []
        return found + await self._own.said(tx, message)

    async def shown(self, tx: Tx, message: pb.Application) -> list[tuple[body_pb2.RuleFinding, tuple[str, ...]]]:
        """What every rule says now, or said at the end of an application that has ended; with the kinds of its evidence."""
        said = [(finding_message(one), one.documents) for one in await self.findings(tx, message)]
        if not has_ended(message):
            return said
        kept = {one.rule: one for one in await self._judge.kept_at(tx, message.name, tx.now)}
        return [(kept.get(one.rule, one), documents) for one, documents in said]

    async def found_at(self, tx: Tx, message: pb.Application, at: datetime) -> list[body_pb2.RuleFinding]:
        """What was said of an application at a business time, or at its end before, and of the body that it is for."""
        found: list[body_pb2.RuleFinding] = []
        if message.body and (body := await store.get(tx, BodyRow, message.body)):
            found += (await self._judge.said_at(tx, body, at)).findings
        return found + await self._judge.kept_at(tx, message.name, at)

    async def _known(self, tx: Tx, message: pb.Application, said: Said) -> Case:
        today = business_date(tx.now)
        members = await store.members_on(tx, message.body, today) if message.body else []
        known = await store.get_all(tx, OrganizationRow, _named(message, said) | {one.organization for one in members})
        units = {name: _unit(row) for name, row in known.items()}
        if said.organization and said.organization not in units:
            raise NotFound(said.organization)
        call = await store.get(tx, CallRow, message.call) if message.call else None
        known_facts, gone = await facts(tx, message), await erased(tx, message.name)
        body = await store.get(tx, BodyRow, message.body) if message.body else None
        found = await self.findings(tx, message)
        if call:
            known_facts["year"] = call.year
        return Case(
            state=State(message.state),
            today=today,
            applicant=units[message.applicant],
            unit=_NOBODY,
            actor="",
            parties=frozenset(),
            window=_window(call),
            call=message.call,
            authority=message.authority,
            begun_by=message.begun_by,
            college=standing.college(message, body),
            region=body_message(body).region_code if body else "",
            is_suspended=body is not None and body.state == BodyState.SUSPENDED,
            leads={role: units[one.organization] for role in _LEADS for one in members if role in one.roles},
            members=frozenset(one.organization for one in members),
            bound=await self._bound(tx, message, said),
            documents=frozenset(one.kind for one in message.documents if one.document not in gone),
            brought=frozenset(one.kind for one in said.documents),
            new=frozenset(one.kind for one in await fresh(tx, said.documents, message.documents)),
            content=await sealing.content(tx, message, body, said.documents),
            taken=tuple(_taken(one) for one in message.steps),
            facts=known_facts,
            named=units.get(said.organization),
            principal=said.principal,
            score=said.score,
            day=parsed_date(said.day) if said.day else None,
            reason=said.reason,
            hindering=tuple(one for one in found if one.hinders),
            untold=tuple(one for one in found if one.suspends),
            is_admitted=await admits(tx, message, known[message.applicant].org_type),
            units=units,
            names={name: row.display_name for name, row in known.items()},
        )

    async def _bound(self, tx: Tx, message: pb.Application, said: Said) -> frozenset[str]:
        """See `Case.bound`; only of an evaluation anybody asks."""
        if Programme(message.programme) is not Programme.EVALUATION:
            return frozenset()
        return await standing.bound(tx, message.applicant, _named(message, said), business_date(tx.now))

    async def _unit(self, call: Call, case: Case) -> Unit:
        """The organization that the caller acts for, if it lets the caller take steps for it."""
        name = call.principal.organization if call.principal else ""
        if not name or not await self._authority.acts_for(call, STEP, name):
            return _NOBODY
        row = await store.get(call.tx, OrganizationRow, name)
        return _unit(row) if row else _NOBODY

    async def _parties(self, call: Call, message: pb.Application, case: Case) -> frozenset[Party]:
        """In which parts a caller can take steps."""
        parts = set(_parties_of(message, case))
        if message.body:
            body = await store.get(call.tx, BodyRow, message.body)
            if body and case.unit.name and case.unit.name == body.task_force:
                parts.add(Party.TASK_FORCE)
            if await self._authority.permitted(call, STEP, message.body) and case.unit.name in case.members:
                parts.add(Party.SECRETARIAT)
        return frozenset(parts)

    async def _done(
        self, tx: Tx, row: ApplicationRow, message: pb.Application, case: Case, step: Step, said: Said
    ) -> pb.Application:
        state = step.leads_to(case)
        message.state = int(state)  # type: ignore[assignment]
        await self.attach(tx, message, said.documents)
        if step.sets:
            setattr(getattr(message, FACTS_OF[message.programme]), step.sets, said.day)
        taken = message.steps.add(
            step=step.name,
            state=int(state),
            actor=case.actor,
            organization=case.unit.name,
            reason=said.reason,
            named_organization=said.organization,
            named_principal=said.principal,
            score=said.score,
            documents=[one.document for one in said.documents],
            released=sorted(step.releases(case)),
            sealed=case.content if step.name == "seal" else "",
            open_findings=[finding_message(one) for one in await self.findings(tx, message) if one.is_open],
        )
        taken.take_time.FromDatetime(tx.now)
        taken.title.zh, taken.title.en = step.title
        await name_party(tx, message.name, said.organization, said.principal)
        await release_parties(tx, message.name, taken.released)
        await self._effect(tx, step.effect, message.body)
        await self.save(tx, message, row, "stepped")
        return message

    async def hand_over(self, tx: Tx, before: body_pb2.Body, after: body_pb2.Body) -> None:
        """What a lead department decides on that leads the alliance no more goes to the one that took its place (S0 四(三)).

        The body is locked. The former one reads on what it began.
        """
        leads = list(after.alliance.lead_departments)
        if not leads:
            return
        successor = next((one for one in leads if one not in before.alliance.lead_departments), leads[0])
        for row in await led_by_others(tx, after.name, leads):
            message = application_message(row)
            await name_party(tx, message.name, message.authority, "")
            message.authority = successor
            await self.save(tx, message, row, "updated")

    async def _require_lead(self, tx: Tx, message: pb.Application, case: Case) -> None:
        """Who decides leads the alliance today. Raises `Precondition`, which says who does, for all but the applicant."""
        leads = body_message(await guards.found(tx, BodyRow, message.body)).alliance.lead_departments
        if Party.APPLICANT in case.parties or (Party.AUTHORITY in case.parties and message.authority in leads):
            return
        known = await store.get_all(tx, OrganizationRow, [message.authority])
        now = f"{known[message.authority].display_name}（{message.authority}）"
        if message.authority not in leads:
            raise Precondition(
                "NOT_THE_LEAD_DEPARTMENT",
                f"{now}已不是该联盟的牵头部门（S0 四(三)）；请先登记现牵头部门（body update … --fact lead_departments=…）",
                f"{now} leads the alliance no more (S0 四(三)); have the platform's operator enter who does "
                "(body update … --fact lead_departments=…)",
                {"application": message.name},
            )
        raise Precondition(
            "NOT_THE_LEAD_DEPARTMENT",
            f"由该联盟现牵头部门考核（S0 四(三)）：{now}；请由其办理",
            f"the lead department that the alliance has now assesses (S0 四(三)): {now}; leave it to them",
            {"application": message.name, "authority": message.authority},
        )

    async def _effect(self, tx: Tx, effect: Effect, body: str) -> None:
        if effect is Effect.NONE or not body:
            return
        row = await changes.locked_body(tx, body)
        await (bodies.form if effect is Effect.FORM else bodies.dissolve)(tx, self._judge, row)

    async def save(self, tx: Tx, message: pb.Application, before: ApplicationRow | None, verb: str) -> None:
        """Write an application in a new version; sets its last day, etag and times."""
        version = before.version + 1 if before else 1
        if before:
            await self._own.turn(tx, before)
        case = await self._known(tx, message, Said())
        programme = Programme(message.programme)
        procedure = PROCEDURES[programme]
        due_before, due = message.due_on, procedure.due(case)
        message.ClearField("due_title")
        message.due_on = due[0].isoformat() if due else ""
        if due:
            message.due_title.zh, message.due_title.en = due[1].title
        remind_on = remind_day(due[0], case.today) if due else None
        if before and message.due_on == due_before:
            remind_on = None if verb == "reminded" else before.remind_on
        if programme is Programme.CERTIFICATION:
            await catalogue.keep(tx, message, case)
        lapses_on = due[0] if due and due[1].step else None
        row = application_row(message, version, lapses_on, remind_on, tx.now)
        await store.write(tx, row)
        if programme in FORMING and (before is None or (before.state, before.call) != (row.state, row.call)):
            await _outdate_rivals(tx, row.body)
        await self._own.keep(tx, message, before, version)
        tx.emit(TOPIC, row.name, version, verb, events_pb2.ApplicationEvent(application=message))


async def _outdate_rivals(tx: Tx, name: str) -> None:
    """A body that is applied for counts among its rivals, in the year of the call, while its application stands (R21.2)."""
    body = await store.get(tx, BodyRow, name)
    if body and (rivals := vies_for(body_message(body))):
        await checks.outdate(tx, rivals)


async def admits(tx: Tx, message: pb.Application, org_type: int) -> bool:
    """Whether the applicant, of a type, is one of those that the programme is for: today, or in the year that is assessed."""
    body = await store.get(tx, BodyRow, message.body) if message.body else None
    days = await _days(tx, message)
    roles = await standing.roles_within(tx, body.name, message.applicant, *days) if body else None
    is_the_body = body is not None and body.applicant == message.applicant
    return PROCEDURES[Programme(message.programme)].applicants.admit(org_type, roles, is_the_body)


async def _days(tx: Tx, message: pb.Application) -> tuple[date, date]:
    """First and last day of which one has to be right. Who leaves is assessed for the year all the same, and who came after
    it is not; before the year it is for those who stand there now.
    """
    today = business_date(tx.now)
    call = await store.get(tx, CallRow, message.call) if Programme(message.programme) in ONCE_A_YEAR else None
    if call is None or call.year > today.year:
        return today, today
    return date(call.year, 1, 1), min(date(call.year, 12, 31), today)


async def is_admitted(tx: Tx, row: ApplicationRow) -> bool:
    """The same of an application's own applicant."""
    applicant = await guards.found(tx, OrganizationRow, row.applicant)
    return await admits(tx, application_message(row), applicant.org_type)


def _named(message: pb.Application, said: Said) -> set[str]:
    """The organizations that an application and its steps name."""
    steps = {one.named_organization for one in message.steps}
    return {name for name in (message.applicant, message.begun_by, said.organization, *steps) if name}


def _parties_of(message: pb.Application, case: Case) -> Iterable[Party]:
    """What the application itself says of whoever wants to take a step."""
    unit = case.unit
    if unit.name:
        if unit.name == case.applicant.name or (unit.name == case.college and is_college_of(unit, case.applicant)):
            yield Party.APPLICANT
        if unit.name == message.authority:
            yield Party.AUTHORITY
        if unit.name in {lead.name for lead in case.leads.values()}:
            yield Party.LEAD
        if unit.name in case.members:
            yield Party.PARTNER
        for step, part in (("start_sealing", Party.PROVINCE), ("commission", Party.EVALUATOR)):
            if (named := case.steps(step)) and named[-1].subject == unit.name:
                yield part
        if unit.name in {one.subject for one in case.steps("team")}:
            yield Party.TEAM
    if case.actor in experts(case):
        yield Party.EXPERT


async def _with_grants(tx: Tx, case: Case, body: str) -> Case:
    """The case with what the persons in it act for."""
    persons = {case.actor, case.principal, *experts(case)} - {""}
    grants = await store.scopes(tx, persons)
    known = await store.get_all(tx, OrganizationRow, {one.organization for one in grants})
    units = {name: _unit(row) for name, row in known.items()}
    acts_for = {
        person: frozenset(units[one.organization] for one in grants if one.principal == person and one.organization)
        for person in persons
    }
    return replace(case, acts_for=acts_for, runs_body=frozenset(one.principal for one in grants if body and one.body == body))


def _unit(row: Any) -> Unit:
    return Unit(row.name, row.org_type, row.region_code, row.parent, row.verified)


def _taken(one: pb.TakenStep) -> Taken:
    day = business_date(one.take_time.ToDatetime(tzinfo=UTC))
    score = one.score if one.HasField("score") else None
    return Taken(one.step, one.organization, one.actor, day, one.named_organization, one.named_principal, score, one.sealed)


def _window(call: Any) -> Window:
    if call is None:
        return Window(None, None)
    message = pb.ApplicationCall.FromString(call.content)
    return Window(parsed_date(message.opens_on), parsed_date(message.closes_on))


async def sweep(tx: Tx, taking: Taking) -> int:
    """Take the platform's steps where a last day has passed, and say where one is near, of some; returns of how many."""
    today = business_date(tx.now)
    late, near = await overdue(tx, today, _BATCH), await to_remind(tx, today, _BATCH)
    await lock(tx, {*late, *near})  # at once, in the order of names: an erasure may want several of them, too
    done = set[str]()
    for name in late:
        row = await store.get(tx, ApplicationRow, name)
        if row and await taking.lapse(tx, row):
            done.add(name)
    for name in near:
        row = await store.get(tx, ApplicationRow, name)
        if name not in done and row and row.remind_on and row.remind_on <= today:
            await taking.save(tx, application_message(row), row, "reminded")
            done.add(name)
    return len(done)
