"""The register's facts for deciding on calls: from registry's own tables, where other services have a projection."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from access import register
from access.register import body_of, organization_of
from chassis.database import Tx
from registry import store
from registry.applications.documents import owner_of
from registry.applications.mapping import application_message
from registry.applications.standing import college
from registry.applications.store import ApplicationRow
from registry.domain.calls import BEGUN_BY_AUTHORITY
from registry.mapping.bodies import body_message
from registry.mapping.organizations import organization_message
from registry.store import BodyRow, GrantRow, MembershipRow, OrganizationRow


class OwnRegister:
    """Implements `access.register.Register`."""

    async def grants(self, tx: Tx, principal: str) -> list[register.Grant]:
        """See `Register`."""
        c = store.grant.c
        found = await tx.conn.execute(select(c.name, c.role, c.organization, c.body).where(c.principal == principal, c.active))
        return [register.Grant(*row) for row in found]

    async def member_bodies(self, tx: Tx, organization: str, on: date) -> frozenset[str]:
        """See `Register`."""
        c = store.membership.c
        found = await tx.conn.execute(select(c.body).where(c.organization == organization, store.valid_on(on)))
        return frozenset(found.scalars())

    async def organizations(self, tx: Tx, names: Sequence[str]) -> dict[str, register.OrganizationRow]:
        """See `Register`."""
        found = await store.get_all(tx, OrganizationRow, names)
        return {name: organization_of(organization_message(row)) for name, row in found.items()}

    async def bodies(self, tx: Tx, names: Sequence[str]) -> dict[str, register.BodyRow]:
        """See `Register`."""
        found = await store.get_all(tx, BodyRow, names)
        return {name: body_of(body_message(row)) for name, row in found.items()}

    async def members(self, tx: Tx, body: str, on: date) -> list[register.MembershipRow]:
        """See `Register`."""
        return [
            register.MembershipRow(row.name, row.body, row.organization, frozenset(row.roles), row.valid_from, row.valid_to)
            for row in await store.members_on(tx, body, on)
        ]


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a resource: a membership's body and organization, a grant's own scope, the applicant of
    an application with the secondary college that acts for it and the authority that begins such, the owner of a document.
    """
    if "/memberships/" in name:
        membership = await store.get(tx, MembershipRow, name)
        return frozenset({membership.body, membership.organization}) if membership else frozenset()
    if name.startswith("applications/"):
        found = await store.get(tx, ApplicationRow, name)
        return await _of_application(tx, found) if found else frozenset()
    if name.startswith("documents/"):
        return frozenset(one for one in (await owner_of(tx, name),) if one)
    row = await store.get(tx, GrantRow, name)
    return frozenset(one for one in (row.organization, row.body) if one) if row else frozenset()


async def _of_application(tx: Tx, row: ApplicationRow) -> frozenset[str]:
    authority = {row.authority} if row.programme in BEGUN_BY_AUTHORITY else set()
    body = await store.get(tx, BodyRow, row.body) if row.body else None
    acting = {college(application_message(row), body)}.intersection(await store.colleges(tx, row.applicant))
    return frozenset({row.applicant, *acting, *authority})
