"""What a change needs of other rows: that they are there, locked, free or in order. Raises what the caller is told."""

from collections.abc import Sequence, Sized
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from alliance.registry.v1 import body_pb2, organization_pb2
from chassis import etag
from chassis.clock import SHANGHAI
from chassis.database import Tx
from chassis.errors import AlreadyExists, Invalid, NotFound, Precondition, Violation, refuse
from registry import changes, store
from registry.applications import store as applications
from registry.applications.mapping import application_message
from registry.applications.store import ApplicationRow
from registry.domain.conditions import Text
from registry.domain.names import LEADING, WITHOUT_CODE, BodyState, OrgType, Programme
from registry.domain.procedure import STATES, State, Step
from registry.domain.programmes import PROCEDURES
from registry.domain.rules import Finding
from registry.domain.transitions import with_takers
from registry.mapping.bodies import named_organizations, vies_for
from registry.mapping.organizations import parent_problems
from registry.store import BodyRow, GrantRow, MembershipRow, OrganizationRow

_Row = TypeVar("_Row", OrganizationRow, BodyRow, MembershipRow, GrantRow)
_Keyed = TypeVar("_Keyed", OrganizationRow, BodyRow)
_MOST_NAMED = 10
_FORCE: Text = ("类型为工作专班（TASK_FORCE）的单位", "organization of the type TASK_FORCE")
_LEAD: Text = ("政府部门（GOV_DEPARTMENT）或园区管委会", "government department (GOV_DEPARTMENT) or park committee")
MAX_DEPENDANTS = 500
"""Verified organizations that one other vouches for: they lose their verification with it, in one transaction."""


def check_time(tx: Tx, asked: Timestamp) -> datetime:
    """The time of which verdicts are asked for. Raises `Invalid` for one that is still to come."""
    at = asked.ToDatetime(tzinfo=UTC)
    if at > tx.now:
        late = "检查时间尚未到来；请改为当前或以前的时间，或不填", "it is still to come; name a time that has, or none"
        refuse([Violation("check_time", "future", *late)])
    return at


def require_said(said: Sized, row: BodyRow | ApplicationRow, at: datetime) -> None:
    """Raises `NotFound` where nothing was said since what it would be of was entered later."""
    if not said and at < row.create_time:
        since = row.create_time.astimezone(SHANGHAI).isoformat(" ", "seconds")
        raise NotFound(
            row.name,
            f"登记于 {since}，此前没有结论；请改为此后的时间",
            f"it was entered at {since}, and nothing was said of it before; name a time since then",
        )


async def found(tx: Tx, kind: type[_Row], name: str) -> _Row:
    row = await store.get(tx, kind, name)
    if row is None:
        raise NotFound(name)
    return row


async def locked_organization(tx: Tx, name: str, expected: str = "") -> OrganizationRow:
    row = await store.get(tx, OrganizationRow, name, lock=True)
    if row is None:
        raise NotFound(name)
    etag.check(expected, row.version, name)
    return row


async def lock_verification(tx: Tx) -> None:
    """One at a time decides on verifications and parents: each looks at others' rows, up the line and down.

    Taken before any row is locked.
    """
    await store.lock(tx, "verification")


async def open_body(tx: Tx, name: str) -> BodyRow:
    """The body, locked; a dissolved one takes no changes."""
    body = await changes.locked_body(tx, name)
    if body.state == BodyState.DISSOLVED:
        raise Precondition(
            "ILLEGAL_STATE", "组织已解散，成员不能再变动", "the body is dissolved; its members stay as they were"
        )
    return body


async def joinable_body(tx: Tx, name: str) -> BodyRow:
    """The body, locked; a suspended one takes nobody in."""
    body = await open_body(tx, name)
    refuse_newcomers(body)
    return body


def refuse_newcomers(body: BodyRow) -> None:
    """Raises `Precondition` where a body takes nobody in, nor anybody back."""
    if body.state == BodyState.SUSPENDED:
        raise Precondition(
            "ILLEGAL_STATE",
            "组织已暂停，不能接收新成员；请先恢复",
            "the body is suspended and takes nobody in; resume it first",
        )


async def locked_membership(tx: Tx, name: str) -> tuple[BodyRow, MembershipRow]:
    """The membership with its body, whose lock comes first."""
    body = await open_body(tx, name.split("/memberships/")[0])
    row = await store.get(tx, MembershipRow, name, lock=True)
    if row is None:
        raise NotFound(name)
    return body, row


async def refuse_handed_in(tx: Tx, body: str) -> None:
    """What others seal or judge stays as it was handed in (R29, R30), until it comes back or is decided.

    The body is locked, as every step of such an application locks it.
    """
    row = await applications.handed_in(tx, body)
    if row is None:
        return
    state_zh, state_en = STATES[State(row.state)]
    fix_zh, fix_en = _way_back(row)
    raise Precondition(
        "HANDED_IN",
        f"申报 {row.name} 状态为“{state_zh}”，已交出的组织信息和成员不能变动；{fix_zh}",
        f"application {row.name} is {state_en}, and what it handed in of the body and its members stays as it is; {fix_en}",
        {"application": row.name},
    )


async def refuse_applied_for(tx: Tx, body: BodyRow) -> None:
    """A draft, which is locked, is neither formed nor dissolved below the application that is to form it: nobody could decide
    on that any more.
    """
    if body.state != BodyState.DRAFT or (row := await applications.forming(tx, body.name)) is None:
        return
    state_zh, state_en = STATES[State(row.state)]
    fix_zh, fix_en = _way_back(row)
    raise Precondition(
        "APPLIED_FOR",
        f"该筹建组织的申报 {row.name} 尚未办结（{state_zh}）；{fix_zh}",
        f"application {row.name}, which is to form this draft, has not ended ({state_en}); {fix_en}",
        {"application": row.name},
    )


async def refuse_under_way(tx: Tx, body: BodyRow) -> None:
    """A body, which is locked, is not dissolved below procedures that somebody has to end: its members take their steps.

    One that stands without a step that comes after it, an accepted community, hinders nothing.
    """
    found = [(row, out) for row in await applications.under_way(tx, body.name) if (out := _ways_out(row))]
    if not found:
        return
    listed = [(application_message(row).display_name, row.name, out) for row, out in found[:_MOST_NAMED]]
    named_zh = "；".join(
        f"{called}（{name}）：{'、'.join(f'{one.title[0]}（{one.name}）' for one in out)}" for called, name, out in listed
    )
    named_en = "; ".join(f"{called} ({name}): {', '.join(one.name for one in out)}" for called, name, out in listed)
    raise Precondition(
        "UNDER_WAY",
        f"该组织尚有 {len(found)} 项程序未办结，请先逐项办结后再解散——{named_zh}",
        f"{len(found)} procedures of the body have not ended; end each of them first: {named_en}",
        {"applications": ",".join(row.name for row, _ in found[:_MOST_NAMED])},
    )


def _ways_out(row: ApplicationRow) -> list[Step]:
    return PROCEDURES[Programme(row.programme)].ways_out(State(row.state))


def _way_back(row: ApplicationRow) -> Text:
    """How an application that was handed in comes back, in both languages."""
    back = PROCEDURES[Programme(row.programme)].ways_back(State(row.state))
    if not back:
        return "请待其审结", "wait for the decision"
    zh, en = with_takers(back, State(row.state))
    return f"须先办理其一：{zh}", f"one of these has to be taken first: {en}"


async def refuse_overlap(tx: Tx, row: MembershipRow) -> None:
    """An organization is a member of a body once at a time; the last day of a membership belongs to it."""
    others = await store.overlapping(tx, row)
    if not others:
        return
    other = others[0]
    zh = f"该单位在此组织已有成员资格 {other.name}（{other.valid_from} 至 {other.valid_to or '今后'}，末日仍为成员）"
    en = f"the organization is a member already from {other.valid_from} to {other.valid_to or 'further notice'}, that day "
    en += f"included: {other.name}"
    last = [one.valid_to for one in others]
    metadata = {"membership": other.name}
    if None in last:
        raise AlreadyExists(
            "MEMBERSHIP_OVERLAPS",
            f"{zh}；请改为修改它（body change-member）",
            f"{en}; change that one (body change-member)",
            metadata,
        )
    first = max(last) + timedelta(days=1)
    raise AlreadyExists(
        "MEMBERSHIP_OVERLAPS",
        f"{zh}；最早自 {first} 起再加入，或修改已有的（body change-member）",
        f"{en}; the first day of another can be {first}, or change that one (body change-member)",
        {**metadata, "first_day": first.isoformat()},
    )


async def refuse_known_key(tx: Tx, kind: type[_Keyed], key: str) -> None:
    if not key:
        return
    await store.lock(tx, f"{kind.__tablename__} {key}")
    if known := await store.with_external_key(tx, kind, key):
        raise AlreadyExists(
            "EXTERNAL_KEY_TAKEN", f"外部编号 {key} 已对应 {known}", f"external key {key} is {known} already", {"name": known}
        )


async def require_parent(tx: Tx, given: organization_pb2.Organization) -> None:
    """The parent is in the register, of a type that fits, and not below the organization itself."""
    if not given.parent:
        return
    parent = await store.get(tx, OrganizationRow, given.parent)
    if parent is None:
        raise Invalid([unknown("parent", given.parent)])
    refuse(parent_problems(given, parent.org_type))
    if given.name in await store.line(tx, parent.name):
        refuse(
            [
                Violation(
                    "parent",
                    "parent-line",
                    "上级不能是本单位或其下级；请改为实际的上级单位",
                    "the parent can be neither the organization itself nor one below it; name the one above it",
                )
            ]
        )


async def require_named(tx: Tx, given: body_pb2.Body) -> None:
    """The organizations that a body's facts name are in the register."""
    fields = {name: field for field, names in named_organizations(given).items() for name in names}
    known = await store.get_all(tx, OrganizationRow, fields)
    refuse([unknown(field, name) for name, field in fields.items() if name not in known])


async def require_guides(tx: Tx, before: body_pb2.AllianceFacts, given: body_pb2.AllianceFacts, *, verified: bool) -> None:
    """Whom an alliance newly names as task force and lead departments are such, and verified where that is asked.

    What it named before stays: a rule says what is wrong with it (R10.2, R10.3).
    """
    asked = (
        ("task_force", {given.task_force} - {before.task_force, ""}, frozenset({OrgType.TASK_FORCE}), _FORCE),
        ("lead_departments", {*given.lead_departments} - {*before.lead_departments}, LEADING, _LEAD),
    )
    known = await store.get_all(tx, OrganizationRow, {name for _, names, _, _ in asked for name in names})
    problems = []
    for field, names, types, (zh, en) in asked:
        for row in (known[name] for name in sorted(names)):
            path, called = f"alliance.{field}", f"{row.display_name}（{row.name}）"
            if row.org_type not in types:
                told = f"{called}不是{zh}；请改填", f"{called} is no {en}; name another"
                problems.append(Violation(path, "S0 附件2", *told))
            elif verified and not row.verified:
                told = f"{called}尚未核验；请先核验（org verify）", f"{called} is not verified; verify it first (org verify)"
                problems.append(Violation(path, "verified", *told))
    refuse(problems)


async def require_verifiable(tx: Tx, message: organization_pb2.Organization) -> None:
    """A legal person needs a code that no other verified one has; others a verified parent of a type that fits."""
    if int(message.org_type) in WITHOUT_CODE:
        await _require_vouching(tx, message)
        return
    if not message.credit_code:
        raise Precondition(
            "CODE_REQUIRED",
            "核验法人单位须有统一社会信用代码；请先补充 credit_code",
            "a legal person is verified by its unified social credit code; enter credit_code first",
        )
    await store.lock(tx, f"credit code {message.credit_code}")
    if other := await store.verified_with_code(tx, message.credit_code):
        raise AlreadyExists(
            "CODE_TAKEN", f"该信用代码已属于 {other}", f"this code is {other}'s already", {"organization": other}
        )


async def _require_vouching(tx: Tx, message: organization_pb2.Organization) -> None:
    parent = await store.get(tx, OrganizationRow, message.parent)
    if parent is None or not parent.verified:
        raise Precondition(
            "PARENT_NOT_VERIFIED",
            "请先核验其上级单位",
            "verify the organization that it belongs to first",
            {"parent": message.parent},
        )
    if wrong := parent_problems(message, parent.org_type):
        raise Precondition("PARENT_TYPE", wrong[0].zh, wrong[0].en, {"parent": message.parent})
    if await store.count_dependants(tx, parent.name) >= MAX_DEPENDANTS:
        raise Precondition(
            "TOO_MANY_DEPENDANTS",
            f"该上级单位名下已核验的单位已满 {MAX_DEPENDANTS} 家；请核对上级单位是否正确",
            f"{MAX_DEPENDANTS} verified organizations belong to this parent already; see whether it is the right one",
            {"parent": message.parent},
        )


async def lock_rivals(tx: Tx, message: body_pb2.Body) -> None:
    """One at a time decides for a key industry, or for an institution's majors: two bodies never pass R10 or R21 together."""
    for what in vies_for(message):
        await store.lock(tx, what)


def refuse_violated(found: Sequence[Finding]) -> None:
    violated = [one for one in found if one.hinders]
    if violated:
        raise Precondition(
            "RULES_VIOLATED",
            "；".join(f"{one.rule}（{one.clause}）{one.zh}：{one.fix[0]}" for one in violated),
            "; ".join(f"{one.rule} ({one.clause}) {one.en}: {one.fix[1]}" for one in violated),
            {"rules": ",".join(one.rule for one in violated)},
        )


def unknown(field: str, name: str) -> Violation:
    """What is wrong with a name that the register does not know, or with none where one has to be given."""
    if not name:
        return Violation(field, "required", "请填写（见 org list、body list）", "it is required; see org list or body list")
    return Violation(field, "registered", f"成员库中没有 {name}；请先登记", f"{name} is not in the register; enter it first")
