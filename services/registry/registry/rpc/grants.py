"""Grants: made, revoked, listed."""

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import grant_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from chassis import paging
from chassis.changing import require_reason
from chassis.errors import AlreadyExists, Denied, NotFound, Precondition, refuse
from chassis.ids import resource
from chassis.rpc import Call
from registry import changes, guards, store
from registry.mapping.grants import grant_message, grant_problems
from registry.rpc.callers import Rpcs
from registry.store import BodyRow, GrantRow, OrganizationRow

_GRANTED_BY_ORGANIZATIONS = {access_pb2.ROLE_ORGANIZATION_ADMIN, access_pb2.ROLE_ORGANIZATION_EDITOR}


class Grants(Rpcs):
    """What is asked and changed of grants."""

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
        require_reason(request.reason)
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
