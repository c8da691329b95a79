"""Organizations: entered, read, changed, verified."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from alliance.registry.v1 import organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from chassis import paging
from chassis.changing import masked
from chassis.errors import Violation, refuse
from chassis.ids import resource
from chassis.rpc import Call
from registry import changes, guards, store
from registry.mapping.checks import only
from registry.mapping.organizations import (
    ORGANIZATION_FIELDS,
    VERIFIED_FIELDS,
    organization_message,
    organization_problems,
    outside_organization,
)
from registry.rpc.callers import Rpcs, readable
from registry.store import OrganizationRow

_UNVERIFIED = organization_pb2.VERIFICATION_STATE_UNVERIFIED
_VERIFIED = organization_pb2.VERIFICATION_STATE_VERIFIED


class Organizations(Rpcs):
    """What is asked and changed of organizations."""

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
            conditions += [c.external_key == request.external_key, readable(await self._authority.viewer(call))]
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
        if sorted(message.industry_codes) == sorted(before.industry_codes):
            message.industry_codes[:] = before.industry_codes  # in another order they say the same
        if message == before:
            return before
        if message.external_key != before.external_key:
            await self._require_platform(call, "registry.organizations.create")
            await guards.refuse_known_key(call.tx, OrganizationRow, message.external_key)
        if (message.parent, message.org_type) != (before.parent, before.org_type):
            await guards.require_parent(call.tx, message)
        # Locked before bodies are, as a step goes.
        judged = await self._applications.turn_of(call.tx, row.name) if message.org_type != row.org_type else []
        if row.verified and any(getattr(before, field) != getattr(message, field) for field in VERIFIED_FIELDS):
            message.verification = _UNVERIFIED
            await changes.unverify_dependants(call.tx, row.name)
        await changes.save_organization(call.tx, message, row.version + 1, "updated")
        for one in judged:
            await self._applications.renew(call.tx, one)
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
        reads = readable(await self._authority.viewer(call))
        whole = await store.names_where(call.tx, OrganizationRow, [row.name for row in rows], reads)
        return [organization_message(row) if row.name in whole else outside_organization(row) for row in rows]
