"""What has to hold where an application begins: an open call, who may begin it, and a body and an applicant that fit."""

from collections.abc import Iterable
from datetime import date

from access.authority import Authority
from alliance.registry.v1 import application_pb2 as pb
from chassis.clock import business_date
from chassis.errors import AlreadyExists, Denied, Invalid, Precondition, Violation, refuse
from chassis.rpc import Call
from registry import guards, store
from registry.applications import store as rows
from registry.applications.mapping import call_message
from registry.applications.standing import college
from registry.applications.store import CallRow
from registry.applications.taking import admits, is_admitted
from registry.domain.calls import ALSO_LATE, BEGUN_BY_AUTHORITY, BODIES, BY_LEAD_DEPARTMENT, FORMING, ONCE_A_YEAR, WARNING
from registry.domain.conditions import Text
from registry.domain.life import STATES
from registry.domain.names import BODY_KINDS, BodyKind, BodyState, Programme
from registry.domain.procedure import FILLED_IN, State
from registry.domain.programmes import PROCEDURES
from registry.mapping.bodies import body_message
from registry.store import BodyRow, OrganizationRow

_CREATE = "registry.applications.create"


class Beginning:
    """Judges what a caller wants to begin."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def require(self, call: Call, message: pb.Application) -> None:
        """Fill in the authority and for whom it is begun; the body is locked. Raises the `Fault` that is in the way."""
        programme = Programme(message.programme)
        answered = await self._call_of(call, message, programme)
        message.authority = answered.authority
        message.begun_by = await self._beginner(call, message, programme)
        if programme not in ALSO_LATE and (programme not in WARNING or message.begun_by != message.authority):
            _require_open(answered, business_date(call.tx.now))
        applicant = await store.get(call.tx, OrganizationRow, message.applicant)
        if applicant is None:
            raise Invalid([guards.unknown("applicant", message.applicant)])
        await self._require_body(call, message, programme)
        await self._require_applicant(call, message, applicant, answered)
        await self._require_lead_department(call, message, programme)
        await self._require_the_first(call, message, programme, answered.year)

    async def _call_of(self, call: Call, message: pb.Application, programme: Programme) -> CallRow:
        row = await store.get(call.tx, CallRow, message.call)
        if row is None or row.programme != programme:
            problem = Violation(
                "call", "call", "请填写该程序的征集（见 call list）", "name a call of this programme; see call list"
            )
            raise Invalid([problem])
        return row

    async def _beginner(self, call: Call, message: pb.Application, programme: Programme) -> str:
        """For whom the caller begins it: the applicant or a college of it, that of the body where it is for one; or the
        authority, where it gives out the work.

        Raises `Denied`.
        """
        colleges = set(await store.colleges(call.tx, message.applicant))
        if message.body:
            colleges &= {college(message, await store.get(call.tx, BodyRow, message.body))}
        beginners = {message.applicant, *colleges}
        if programme in BEGUN_BY_AUTHORITY:
            beginners.add(message.authority)
        own = call.principal.organization if call.principal else ""
        for one in dict.fromkeys((own, message.applicant)):
            if one in beginners and await self._authority.permitted(call, _CREATE, one):
                return one
        raise Denied(_CREATE, message.applicant)

    async def _require_body(self, call: Call, message: pb.Application, programme: Programme) -> None:
        """The body is of a kind and in a state that fit the programme, and locked; a programme for none has none."""
        if programme not in BODIES:
            if message.body:
                refuse(
                    [Violation("body", "no-body", "该程序不针对组织；请留空", "this programme is for no body; leave it empty")]
                )
            return
        kinds, states = BODIES[programme]
        if not message.body:
            zh, en = _called(kinds)
            told = (
                f"该程序针对{zh}；请填写组织（见 body list）",
                f"this programme is for a body of these kinds: {en}; name the body (see body list)",
            )
            raise Invalid([Violation("body", "required", *told)])
        row = await store.get(call.tx, BodyRow, message.body, lock=True)
        if row is None:
            raise Invalid([guards.unknown("body", message.body)])
        if BodyKind(row.kind) not in kinds or BodyState(row.state) not in states:
            raise _does_not_fit(row.name, kinds, states)

    async def _require_applicant(
        self, call: Call, message: pb.Application, applicant: OrganizationRow, answered: CallRow
    ) -> None:
        """The applicant is one of those that the programme is for, and not who decides. Raises `Invalid`."""
        programme = Programme(message.programme)
        procedure = PROCEDURES[programme]
        if not await admits(call.tx, message, applicant.org_type):
            zh, en = procedure.applicants.title
            if programme in ONCE_A_YEAR and answered.year <= business_date(call.tx.now).year:
                zh, en = f"{zh}，以 {answered.year} 年内的任职为准", f"{en}, by the roles of {answered.year}"
            wrong = f"申报单位须为{zh}（{procedure.clause}）；请改填", f"it has to be {en} ({procedure.clause}); name another"
            refuse([Violation("applicant", "applicant", *wrong)])
        if procedure.is_decided and applicant.name == message.authority:
            own = (
                "主管单位不能办理自己的申报；请改由他方征集",
                "the authority does not decide on its own; answer another's call",
            )
            refuse([Violation("applicant", "authority", *own)])

    async def _require_lead_department(self, call: Call, message: pb.Application, programme: Programme) -> None:
        """The authority is a lead department of the alliance where none other decides. Raises `Precondition`."""
        if programme not in BY_LEAD_DEPARTMENT:
            return
        leads = body_message(await guards.found(call.tx, BodyRow, message.body)).alliance.lead_departments
        if message.authority in leads:
            return
        clause, known = PROCEDURES[programme].clause, await store.get_all(call.tx, OrganizationRow, leads)
        if not leads:
            raise Precondition(
                "NO_LEAD_DEPARTMENT",
                f"由专班牵头部门考核（{clause}），该联盟尚未登记牵头部门；请先登记（body update … --fact lead_departments=…）",
                f"a lead department assesses ({clause}), and none of the alliance is registered; enter it first "
                "(body update … --fact lead_departments=…)",
                {"body": message.body},
            )
        named = "、".join(f"{row.display_name}（{name}）" for name, row in known.items())
        raise Precondition(
            "NOT_THE_LEAD_DEPARTMENT",
            f"由该联盟的专班牵头部门考核（{clause}）：{named}；请答复其征集（见 call list）",
            f"a lead department of the alliance assesses ({clause}): {named}; answer a call of theirs (see call list)",
            {"body": message.body, "lead_departments": ",".join(leads)},
        )

    async def _require_the_first(self, call: Call, message: pb.Application, programme: Programme, year: int) -> None:
        """There is no other application where there can be one only; the body is locked. Raises `AlreadyExists`."""
        if programme in FORMING and (live := await rows.forming(call.tx, message.body)):
            told = ("该组织已有申报", "there is an application for this body")
            is_left = State(live.state) in FILLED_IN and not await is_admitted(call.tx, live)
            raise _is_left(*told, live.name) if is_left else _exists(*told, live.name)
        if programme in ONCE_A_YEAR and (
            known := await rows.of_the_year(call.tx, message.body, message.applicant, programme, year)
        ):
            raise _exists(f"该单位 {year} 年度已有申报", f"there is one of {year} for this organization", known)


def _require_open(answered: CallRow, today: date) -> None:
    """What is begun can still be handed in within the call's window. Raises `Precondition`."""
    closes_on, clause = call_message(answered).closes_on, PROCEDURES[Programme(answered.programme)].clause
    if closes_on and today.isoformat() > closes_on:
        raise Precondition(
            "WINDOW_CLOSED",
            f"征集 {answered.name} 已于 {closes_on} 截止（{clause}），今日 {today}；请答复受理中的征集（见 call list）",
            f"the call {answered.name} closed on {closes_on} ({clause}), and today is {today}; answer one that is open "
            "(see call list)",
            {"call": answered.name},
        )


def _exists(zh: str, en: str, known: str) -> AlreadyExists:
    return AlreadyExists(
        "APPLICATION_EXISTS", f"{zh} {known}；请在其中办理", f"{en}: {known}; go on there", {"application": known}
    )


def _is_left(zh: str, en: str, known: str) -> AlreadyExists:
    return AlreadyExists(
        "APPLICATION_EXISTS",
        f"{zh} {known}，其申报单位已不能再申报；请先由其或接替它的牵头单位撤回（application take {known} withdraw），"
        "再另行申报",
        f"{en}, {known}, whose applicant may apply no more; have it, or the lead that took its place, take that back "
        f"(application take {known} withdraw), and apply anew",
        {"application": known},
    )


def _called(kinds: Iterable[BodyKind]) -> Text:
    titles = [BODY_KINDS[one] for one in sorted(kinds)]
    return "、".join(zh for zh, _ in titles), " or ".join(en for _, en in titles)


def _does_not_fit(body: str, kinds: Iterable[BodyKind], states: Iterable[BodyState]) -> Precondition:
    zh, en = _called(kinds)
    state_zh, state_en = "、".join(STATES[one] for one in states), " or ".join(one.name.lower() for one in states)
    return Precondition(
        "BODY_DOES_NOT_FIT",
        f"该程序面向状态为“{state_zh}”的{zh}；请另选组织",
        f"this programme is for a {en} that is {state_en}; choose another body",
        {"body": body},
    )
