"""The RPCs of the register: thin; rules are in `domain`, rows and events in `changes` and `store`."""

from collections.abc import Sequence
from datetime import UTC
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, exists, or_, true

from access.authority import Authority
from access.visibility import Viewer
from alliance.common.v1 import access_pb2
from alliance.registry.v1 import body_pb2, grant_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from chassis import etag, paging
from chassis.clock import business_date, parsed_date
from chassis.errors import AlreadyExists, Denied, Invalid, NotFound, Precondition, Violation
from chassis.ids import resource
from chassis.rpc import Call
from registry import bodies, changes, guards, store
from registry.applications import store as applications
from registry.domain.calls import FORMED_BY_APPLICATION
from registry.domain.names import BodyKind, BodyState
from registry.judging import Judge, stage_of
from registry.mapping.bodies import (
    BODY_FIELDS,
    HANDED_IN_FIELDS,
    MEMBERSHIP_FIELDS,
    body_message,
    body_problems,
    finding_message,
    membership_message,
    membership_problems,
    membership_row,
    tidy,
)
from registry.mapping.checks import masked, only, refuse
from registry.mapping.grants import grant_message, grant_problems
from registry.mapping.organizations import (
    ORGANIZATION_FIELDS,
    VERIFIED_FIELDS,
    organization_message,
    organization_problems,
    outside_organization,
)
from registry.store import BodyRow, GrantRow, MembershipRow, OrganizationRow

_EXCLUSIVE = ("R10", "R21.2")
"""Rules that a standing body must not break by a change of its own: others would have to give way."""
_CHECK, _GET_APPLICATION = "registry.bodies.check", "registry.applications.get"
_UNVERIFIED = organization_pb2.VERIFICATION_STATE_UNVERIFIED
_VERIFIED = organization_pb2.VERIFICATION_STATE_VERIFIED
_Message = TypeVar("_Message", bound=Message)
_GRANTED_BY_ORGANIZATIONS = {access_pb2.ROLE_ORGANIZATION_ADMIN, access_pb2.ROLE_ORGANIZATION_EDITOR}


class Registry:
    """`alliance.registry.v1.RegistryService`."""

    def __init__(self, authority: Authority, judge: Judge) -> None:
        self._authority = authority
        self._judge = judge

    # Organizations

    async def CreateOrganization(self, call: Call, request: rpc.CreateOrganizationRequest) -> organization_pb2.Organization:
        """See the contract."""
        message = only(request.organization, ORGANIZATION_FIELDS)
        refuse(organization_problems(message))
        await guards.refuse_known_key(call.tx, OrganizationRow, message.external_key)
        await guards.require_parent(call.tx, message)
        message.name = resource("organizations")
        message.verification = _UNVERIFIED
        await changes.save_organization(call.tx, message, 1, "created")
        return message

    async def GetOrganization(self, call: Call, request: rpc.GetOrganizationRequest) -> organization_pb2.Organization:
        """See the contract."""
        (found,) = await self._shown(call, [await guards.found(call.tx, OrganizationRow, request.name)])
        return found

    async def BatchGetOrganizations(
        self, call: Call, request: rpc.BatchGetOrganizationsRequest
    ) -> rpc.BatchGetOrganizationsResponse:
        """See the contract."""
        if len(request.names) > paging.MAX_PAGE:
            refuse([Violation("names", "AIP-231", "一次最多 1000 个；请分批", "at most 1000 at once; ask in parts")])
        found = await store.get_all(call.tx, OrganizationRow, request.names)
        rows = [found[name] for name in request.names if name in found]
        return rpc.BatchGetOrganizationsResponse(organizations=await self._shown(call, rows))

    async def ListOrganizations(self, call: Call, request: rpc.ListOrganizationsRequest) -> rpc.ListOrganizationsResponse:
        """See the contract."""
        c = store.organization.c
        conditions: list[ColumnElement[bool]] = []
        if request.org_types:
            conditions.append(c.org_type.in_(request.org_types))
        if request.display_name:
            conditions.append(c.display_name.contains(request.display_name, autoescape=True))
        if request.external_key:  # whoever can't read it can't find by it either
            conditions += [c.external_key == request.external_key, _reads(await self._authority.viewer(call))]
        size = paging.page_size(request.page_size)
        rows = await store.page(call.tx, OrganizationRow, conditions, paging.decode(request, str, str), size + 1)
        answer = rpc.ListOrganizationsResponse(organizations=await self._shown(call, rows[:size]))
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = paging.encode(request, [last.display_name, last.name])
        return answer

    async def UpdateOrganization(self, call: Call, request: rpc.UpdateOrganizationRequest) -> organization_pb2.Organization:
        """See the contract."""
        await guards.lock_verification(call.tx)
        row = await guards.locked_organization(call.tx, request.organization.name, request.organization.etag)
        before = organization_message(row)
        message = masked(before, request.organization, request.update_mask, ORGANIZATION_FIELDS)
        refuse(organization_problems(message))
        if message.external_key != before.external_key:
            await self._require_platform(call, "registry.organizations.create")
            await guards.refuse_known_key(call.tx, OrganizationRow, message.external_key)
        if (message.parent, message.org_type) != (before.parent, before.org_type):
            await guards.require_parent(call.tx, message)
        if row.verified and any(getattr(before, field) != getattr(message, field) for field in VERIFIED_FIELDS):
            message.verification = _UNVERIFIED
            await changes.unverify_dependants(call.tx, row.name)
        await changes.save_organization(call.tx, message, row.version + 1, "updated")
        return message

    async def VerifyOrganization(self, call: Call, request: rpc.VerifyOrganizationRequest) -> organization_pb2.Organization:
        """See the contract."""
        await guards.lock_verification(call.tx)
        row = await guards.locked_organization(call.tx, request.name)
        message = organization_message(row)
        if row.verified:
            return message
        await guards.require_verifiable(call.tx, message)
        message.verification = _VERIFIED
        await changes.save_organization(call.tx, message, row.version + 1, "verified")
        return message

    async def _shown(self, call: Call, rows: Sequence[OrganizationRow]) -> list[organization_pb2.Organization]:
        """Organizations as the caller may see them."""
        reads = _reads(await self._authority.viewer(call))
        whole = await store.names_where(call.tx, OrganizationRow, [row.name for row in rows], reads)
        return [organization_message(row) if row.name in whole else outside_organization(row) for row in rows]

    async def _require_platform(self, call: Call, permission: str) -> None:
        """An external key is that of the system that enters records: who may enter them may change it, nobody else."""
        if not await self._authority.permitted(call, permission, ""):
            raise Denied(permission)

    # Bodies

    async def CreateBody(self, call: Call, request: rpc.CreateBodyRequest) -> body_pb2.Body:
        """See the contract."""
        message = only(request.body, (*BODY_FIELDS, "kind"))
        tidy(message)
        refuse(body_problems(message))
        await guards.refuse_known_key(call.tx, BodyRow, message.external_key)
        await guards.require_named(call.tx, message)
        message.name = resource("bodies")
        message.state = body_pb2.BODY_STATE_DRAFT
        return await bodies.save(call.tx, self._judge, message, 1, "created")

    async def GetBody(self, call: Call, request: rpc.GetBodyRequest) -> body_pb2.Body:
        """See the contract."""
        row = await guards.found(call.tx, BodyRow, request.name)
        seen = await store.names_where(call.tx, BodyRow, [row.name], _sees(await self._authority.viewer(call)))
        if not seen and not await self._judges(call, row.name):
            raise NotFound(request.name)
        return body_message(row)

    async def ListBodies(self, call: Call, request: rpc.ListBodiesRequest) -> rpc.ListBodiesResponse:
        """See the contract."""
        c = store.body.c
        conditions = [_sees(await self._authority.viewer(call))]
        if request.kinds:
            conditions.append(c.kind.in_(request.kinds))
        if request.states:
            conditions.append(c.state.in_(request.states))
        if request.external_key:
            conditions.append(c.external_key == request.external_key)
        size = paging.page_size(request.page_size)
        rows = await store.page(call.tx, BodyRow, conditions, paging.decode(request, str, str), size + 1)
        answer = rpc.ListBodiesResponse(bodies=[body_message(row) for row in rows[:size]])
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = paging.encode(request, [last.display_name, last.name])
        return answer

    async def UpdateBody(self, call: Call, request: rpc.UpdateBodyRequest) -> body_pb2.Body:
        """See the contract."""
        row = await changes.locked_body(call.tx, request.body.name)
        etag.check(request.body.etag, row.version, row.name)
        if row.state == BodyState.DISSOLVED:
            raise Precondition("ILLEGAL_STATE", "组织已解散，不能修改", "the body is dissolved and can't change")
        before = body_message(row)
        message = masked(before, request.body, request.update_mask, BODY_FIELDS)
        tidy(message)
        refuse(body_problems(message))
        await guards.require_named(call.tx, message)
        if any(getattr(before, field) != getattr(message, field) for field in HANDED_IN_FIELDS):
            await guards.refuse_handed_in(call.tx, row.name)
        if message.external_key != before.external_key:
            await self._require_platform(call, "registry.bodies.create")
            await guards.refuse_known_key(call.tx, BodyRow, message.external_key)
        if row.state != BodyState.DRAFT:
            await guards.lock_rivals(call.tx, message)
            guards.refuse_violated([one for one in await self._judge.said(call.tx, message) if one.rule in _EXCLUSIVE])
        return await bodies.save(call.tx, self._judge, message, row.version + 1, "updated")

    async def CheckBody(self, call: Call, request: rpc.CheckBodyRequest) -> body_pb2.BodyCheck:
        """See the contract."""
        await self._require_check(call, request.name)
        row = await guards.found(call.tx, BodyRow, request.name)
        if request.HasField("check_time"):
            at = request.check_time.ToDatetime(tzinfo=UTC)
            if at > call.tx.now:
                late = "检查时间尚未到来；请改为当前或以前的时间，或不填", "it is still to come; name a time that has, or none"
                refuse([Violation("check_time", "future", *late)])
            return await self._judge.said_at(call.tx, row, at)
        message = body_message(row)
        if row.state == BodyState.DISSOLVED:
            return await self._judge.said_at(call.tx, row, call.tx.now)
        found = [finding_message(one) for one in await self._judge.said(call.tx, message)]
        answer = body_pb2.BodyCheck(body=row.name, findings=found, body_version=row.version)
        answer.stage = int(stage_of(message))  # type: ignore[assignment]
        answer.check_time.FromDatetime(call.tx.now)
        return answer

    async def ListFindings(self, call: Call, request: rpc.ListFindingsRequest) -> rpc.ListFindingsResponse:
        """See the contract."""
        await self._require_check(call, request.parent)
        await guards.found(call.tx, BodyRow, request.parent)
        size = paging.page_size(request.page_size)
        after = paging.decode(request, int)
        rows = await store.findings_of(call.tx, request.parent, request.rule, after[0] if after else None, size + 1)
        answer = rpc.ListFindingsResponse(findings=[body_pb2.RuleFinding.FromString(row.content) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].id])
        return answer

    async def _require_check(self, call: Call, name: str) -> None:
        """The caller runs or audits the body, or is a party of the application that is to form it."""
        if not await self._authority.permitted(call, _CHECK, name) and not await self._judges(call, name):
            raise Denied(_CHECK, name)

    async def _judges(self, call: Call, name: str) -> bool:
        """Whether the caller is a party of the application that is to form a body: applies, decides, or was named."""
        row = await applications.forming(call.tx, name) if call.principal else None
        if row is None or call.principal is None:
            return False
        organizations, principals = await applications.named(call.tx, row.name)
        if call.principal.sub in principals:
            return True
        parties = {row.applicant, row.authority, *await store.colleges(call.tx, row.applicant)} | organizations
        for one in sorted(parties):
            if await self._authority.permitted(call, _GET_APPLICATION, one):
                return True
        return False

    async def FormBody(self, call: Call, request: rpc.FormBodyRequest) -> body_pb2.Body:
        """See the contract."""
        row = await changes.locked_body(call.tx, request.name)
        etag.check(request.etag, row.version, row.name)
        if BodyKind(row.kind) in FORMED_BY_APPLICATION:
            await self._require_platform(call, "registry.bodies.form")
        return await bodies.form(call.tx, self._judge, row)

    async def SuspendBody(self, call: Call, request: rpc.SuspendBodyRequest) -> body_pb2.Body:
        """See the contract."""
        return await self._step(call, request.name, request.reason, "suspend", "suspended")

    async def ResumeBody(self, call: Call, request: rpc.ResumeBodyRequest) -> body_pb2.Body:
        """See the contract."""
        return await self._step(call, request.name, request.reason, "resume", "resumed")

    async def DissolveBody(self, call: Call, request: rpc.DissolveBodyRequest) -> body_pb2.Body:
        """See the contract."""
        guards.require_reason(request.reason)
        row = await changes.locked_body(call.tx, request.name)
        await guards.refuse_applied_for(call.tx, row)
        await guards.refuse_under_way(call.tx, row)
        return await bodies.dissolve(call.tx, self._judge, row)

    async def _step(self, call: Call, name: str, reason: str, verb: str, past: str) -> body_pb2.Body:
        guards.require_reason(reason)
        row = await changes.locked_body(call.tx, name)
        return await bodies.save(call.tx, self._judge, changes.taken(row, verb), row.version + 1, past)

    # Memberships

    async def CreateMembership(self, call: Call, request: rpc.CreateMembershipRequest) -> body_pb2.Membership:
        """See the contract."""
        refuse(membership_problems(request.membership))
        body = await guards.joinable_body(call.tx, request.parent)
        await guards.refuse_handed_in(call.tx, body.name)
        if await store.get(call.tx, OrganizationRow, request.membership.organization) is None:
            refuse([guards.unknown("membership.organization", request.membership.organization)])
        message = body_pb2.Membership()
        message.CopyFrom(request.membership)
        message.name = f"{body.name}/{resource('memberships')}"
        row = membership_row(message, body.name, 0, business_date(call.tx.now), call.tx.now)
        await guards.refuse_overlap(call.tx, row)
        await self._judge.turn(call.tx, body)
        await changes.save_membership(call.tx, body, row, "created")
        await self._judge.renew(call.tx, body, body.version)
        return membership_message(row)

    async def UpdateMembership(self, call: Call, request: rpc.UpdateMembershipRequest) -> body_pb2.Membership:
        """See the contract."""
        body, row = await guards.locked_membership(call.tx, request.membership.name)
        await guards.refuse_handed_in(call.tx, body.name)
        etag.check(request.membership.etag, row.version, row.name)
        merged = masked(membership_message(row), request.membership, request.update_mask, MEMBERSHIP_FIELDS)
        refuse(membership_problems(merged))
        await self._judge.turn(call.tx, body)
        row.roles = list(merged.roles)
        row.valid_from = parsed_date(merged.valid_from) or row.valid_from
        row.valid_to = parsed_date(merged.valid_to)
        await guards.refuse_overlap(call.tx, row)
        await changes.save_membership(call.tx, body, row, "updated")
        await self._judge.renew(call.tx, body, body.version)
        return membership_message(row)

    async def EndMembership(self, call: Call, request: rpc.EndMembershipRequest) -> body_pb2.Membership:
        """See the contract."""
        guards.require_reason(request.reason)
        body, row = await guards.locked_membership(call.tx, request.name)
        if not (call.principal and call.principal.organization == row.organization):  # who wants to leave may always
            await guards.refuse_handed_in(call.tx, body.name)
        last = parsed_date(request.valid_to) if request.valid_to else business_date(call.tx.now)
        if last is None or not row.valid_from <= last <= (row.valid_to or last):
            problem = Violation(
                "valid_to",
                "order",
                f"最后一日须为日期（如 2026-01-31），自 {row.valid_from} 起，且不能延后；延长由秘书处修改成员资格",
                f"the last day has to be a date (like 2026-01-31) from {row.valid_from} on, and none that prolongs it: "
                "for that the secretariat updates the membership",
            )
            raise Invalid([problem])
        await self._judge.turn(call.tx, body)
        row.valid_to = last
        await changes.save_membership(call.tx, body, row, "ended")
        await self._judge.renew(call.tx, body, body.version)
        return membership_message(row)

    async def ListMemberships(self, call: Call, request: rpc.ListMembershipsRequest) -> rpc.ListMembershipsResponse:
        """See the contract."""
        if request.parent == "bodies/-" and not request.organization:
            refuse([Violation("organization", "required", "查询全部组织时须指定单位", "with bodies/- name an organization")])
        c = store.membership.c
        viewer = await self._authority.viewer(call)
        conditions: list[ColumnElement[bool]] = []
        if request.parent != "bodies/-":
            conditions.append(c.body == request.parent)
        if request.parent == "bodies/-" or not await self._judges(call, request.parent):
            conditions.append(store.body.select().where(store.body.c.name == c.body, _sees(viewer)).exists())
        if request.organization:
            conditions.append(c.organization == request.organization)
        if request.valid_on:
            day = parsed_date(request.valid_on)
            if day is None:
                raise Invalid([Violation("valid_on", "ISO 8601", "日期格式须为 2026-01-31", "it has to look like 2026-01-31")])
            conditions.append(store.valid_on(day))
        size = paging.page_size(request.page_size)
        rows = await store.page_by_name(call.tx, MembershipRow, conditions, paging.decode(request), size + 1)
        answer = rpc.ListMembershipsResponse(memberships=[membership_message(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    # Grants

    async def CreateGrant(self, call: Call, request: rpc.CreateGrantRequest) -> grant_pb2.Grant:
        """See the contract. Roles beyond an organization's own are the platform's to grant."""
        given = request.grant
        refuse(grant_problems(given))
        if given.role not in _GRANTED_BY_ORGANIZATIONS and not await self._authority.permitted(
            call, "registry.grants.create", ""
        ):
            raise Denied("registry.grants.create")
        if given.organization and await store.get(call.tx, OrganizationRow, given.organization) is None:
            refuse([guards.unknown("grant.organization", given.organization)])
        if given.body and await store.get(call.tx, BodyRow, given.body) is None:
            refuse([guards.unknown("grant.body", given.body)])
        row = GrantRow(
            name=resource("grants"),
            version=1,
            principal=given.principal,
            role=given.role,
            organization=given.organization,
            body=given.body,
            active=True,
            create_time=call.tx.now,
            update_time=call.tx.now,
        )
        await store.lock(call.tx, f"grant {row.principal} {row.role} {row.organization} {row.body}")
        if known := await store.active_grant(call.tx, row):
            raise AlreadyExists("GRANT_EXISTS", f"已有相同授权 {known}", f"the same grant is there: {known}", {"grant": known})
        await changes.save_grant(call.tx, row, "created")
        return grant_message(row)

    async def RevokeGrant(self, call: Call, request: rpc.RevokeGrantRequest) -> grant_pb2.Grant:
        """See the contract. The last platform operator stays."""
        guards.require_reason(request.reason)
        await store.lock(call.tx, "platform operators")
        row = await store.get(call.tx, GrantRow, request.name, lock=True)
        if row is None:
            raise NotFound(request.name)
        if not row.active:
            return grant_message(row)
        operator = access_pb2.ROLE_PLATFORM_OPERATOR
        if row.role == operator and await store.active_with_role(call.tx, operator) == 1:
            raise Precondition(
                "LAST_OPERATOR", "不能撤销最后一位平台运营的授权", "the last platform operator's grant can't be revoked"
            )
        row.active, row.version, row.update_time = False, row.version + 1, call.tx.now
        await changes.save_grant(call.tx, row, "revoked")
        return grant_message(row)

    async def ListGrants(self, call: Call, request: rpc.ListGrantsRequest) -> rpc.ListGrantsResponse:
        """See the contract."""
        c = store.grant.c
        own = call.principal.sub if call.principal else ""
        wanted = {"principal": request.principal, "organization": request.organization, "body": request.body}
        if not any(wanted.values()):
            wanted["principal"] = own
        scope = request.organization or request.body
        permission = "registry.grants.list"
        if wanted["principal"] != own and not await self._authority.permitted(call, permission, scope):
            raise Denied(permission, scope)
        conditions = [c.active, *(c[name] == value for name, value in wanted.items() if value)]
        size = paging.page_size(request.page_size)
        rows = await store.page_by_name(call.tx, GrantRow, conditions, paging.decode(request), size + 1)
        answer = rpc.ListGrantsResponse(grants=[grant_message(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer


def _reads(viewer: Viewer) -> ColumnElement[bool]:
    """Whose credit code and external key the viewer may read: its own, and those of members of the bodies that it runs."""
    if viewer.platform:
        return true()
    c = store.organization.c
    member = exists().where(store.membership.c.organization == c.name, store.membership.c.body.in_(sorted(viewer.bodies_run)))
    return or_(c.name == viewer.organization, member)


def _sees(viewer: Viewer) -> ColumnElement[bool]:
    """The bodies that the viewer may read: of drafts those that it runs, is a member of, or is itself."""
    if viewer.platform:
        return true()
    c = store.body.c
    seen = or_(c.state != int(BodyState.DRAFT), c.name.in_(sorted(viewer.bodies_run | viewer.member_bodies)))
    if not viewer.organization:
        return seen
    return or_(seen, c.applicant == viewer.organization, store.is_college_of(viewer.organization, c.applicant))
