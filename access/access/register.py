"""The register's facts, as a service asks for them: by projection (`ProjectedRegister`) or of the owner (`Owner`)."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeVar

import grpc
from google.protobuf.message import Message
from sqlalchemy import ColumnElement, and_, or_, select

from access import tables
from alliance.listings.v1 import listing_pb2
from alliance.registry.v1 import body_pb2, grant_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from chassis.database import Tx
from chassis.errors import Unavailable

_Answer = TypeVar("_Answer")

_OWNER_TIMEOUT = 2.0  # seconds; a caller waits for this beside its own work
_PAGE = 1000
_GOVERNMENT = frozenset({organization_pb2.ORG_TYPE_GOV_DEPARTMENT, organization_pb2.ORG_TYPE_TASK_FORCE})
# Asked by every call: as texts, since putting a statement together costs as much as running it.
_GRANTS = """
SELECT g.name, g.role, g.organization, g.body, o.display_name, o.org_type, o.verified, o.parent, o.region_code
FROM access_grant g LEFT JOIN access_organization o ON o.name = g.organization WHERE g.principal = $1 AND g.active
"""
_HAS_LOST = """
SELECT NOT EXISTS (
    SELECT FROM access_grant WHERE principal = $1 AND active AND (organization = $2 OR organization || body = '')
) AND EXISTS (
    SELECT FROM access_grant WHERE principal = $1 AND NOT active AND (organization = $2 OR organization || body = '')
)
"""
_ORGANIZATIONS = """
SELECT name, display_name, org_type, verified, parent, region_code FROM access_organization WHERE name = ANY($1::text[])
"""


@dataclass(frozen=True)
class Grant:
    """A grant in force. Neither organization nor body: the whole platform."""

    name: str
    role: int
    organization: str = ""
    body: str = ""


@dataclass(frozen=True)
class OrganizationRow:
    """What other services need to know of an organization."""

    name: str
    display_name: str
    org_type: int
    verified: bool
    parent: str = ""
    region_code: str = ""


@dataclass(frozen=True)
class BodyRow:
    """What other services need to know of a body; industry, task force and lead departments are known of alliances only."""

    name: str
    display_name: str
    kind: int
    state: int
    formed_on: str = ""
    key_industry: str = ""
    task_force: str = ""
    lead_departments: tuple[str, ...] = ()
    suspended_on: str = ""
    resumed_on: str = ""


@dataclass(frozen=True)
class MembershipRow:
    """One organization in one body; dates are business dates, `valid_to` inclusive and None while open."""

    name: str
    body: str
    organization: str
    roles: frozenset[int] = field(default_factory=frozenset)
    valid_from: date = date.min
    valid_to: date | None = None


class Register(Protocol):
    """What every service asks of the register. Registry answers from its own tables, the others from a projection."""

    async def grants(self, tx: Tx, principal: str) -> list[Grant]:
        """Grants in force of one principal."""

    async def member_bodies(self, tx: Tx, organization: str, on: date) -> frozenset[str]:
        """Bodies in which the organization's membership is valid on the day."""

    async def organizations(self, tx: Tx, names: Sequence[str]) -> dict[str, OrganizationRow]:
        """The named organizations that are known."""

    async def bodies(self, tx: Tx, names: Sequence[str]) -> dict[str, BodyRow]:
        """The named bodies that are known."""

    async def members(self, tx: Tx, body: str, on: date) -> list[MembershipRow]:
        """Memberships of a body that are valid on the day."""


class ProjectedRegister:
    """The register as this service has heard of it (see `listeners`)."""

    async def grants(self, tx: Tx, principal: str) -> list[Grant]:
        """See `Register`."""
        rows = await tx.sql.rows(_GRANTS, principal)
        # Most calls ask next for the organization that the caller acts for.
        tx.memo[OrganizationRow] = {
            row.organization: OrganizationRow(row.organization, *row[4:]) for row in rows if row.org_type is not None
        }
        return [Grant(*row[:4]) for row in rows]

    async def has_lost(self, tx: Tx, principal: str, organization: str) -> bool:
        """Whether a principal who acted for an organization does so no more: all its grants there were revoked."""
        return bool(await tx.sql.value(_HAS_LOST, principal, organization))

    async def member_bodies(self, tx: Tx, organization: str, on: date) -> frozenset[str]:
        """See `Register`."""
        t = tables.membership
        found = await tx.conn.execute(select(t.c.body).where(t.c.organization == organization, _valid(on)))
        return frozenset(found.scalars())

    async def organizations(self, tx: Tx, names: Sequence[str]) -> dict[str, OrganizationRow]:
        """See `Register`."""
        known: dict[str, OrganizationRow] = tx.memo.get(OrganizationRow, {})
        if known.keys() >= set(names):
            return {name: known[name] for name in names}
        return {row["name"]: OrganizationRow(*row) for row in await tx.sql.rows(_ORGANIZATIONS, list(names))}

    async def bodies(self, tx: Tx, names: Sequence[str]) -> dict[str, BodyRow]:
        """See `Register`."""
        found = await tx.conn.execute(select(tables.body).where(tables.body.c.name.in_(names)))
        return {row.name: body_row(row) for row in found}

    async def members(self, tx: Tx, body: str, on: date) -> list[MembershipRow]:
        """See `Register`."""
        t = tables.membership
        found = await tx.conn.execute(select(t).where(t.c.body == body, _valid(on)).order_by(t.c.name))
        return [MembershipRow(r.name, r.body, r.organization, frozenset(r.roles), r.valid_from, r.valid_to) for r in found]

    async def audience(self, tx: Tx, visibility: int, bodies: Sequence[str], on: date) -> frozenset[str] | None:
        """The organizations that as such see a published listing of another on the day, by `access.visibility.may_see`; None
        where everybody does.
        """
        if visibility == listing_pb2.VISIBILITY_PUBLIC:
            return None
        o, m = tables.organization.c, tables.membership.c
        if visibility == listing_pb2.VISIBILITY_MEMBERS:
            asked = select(m.organization).distinct().where(m.body.in_(bodies), _valid(on))
        elif visibility == listing_pb2.VISIBILITY_GOVERNMENT:
            asked = select(o.name).where(o.verified, o.org_type.in_(_GOVERNMENT))
        else:
            return frozenset()
        return frozenset((await tx.conn.execute(asked)).scalars())

    async def turned(self, tx: Tx, after: date, until: date) -> frozenset[str]:
        """Organizations of which a membership begins or has ended on a day in (after, until]."""
        t = tables.membership
        begins = and_(t.c.valid_from > after, t.c.valid_from <= until)
        ended = and_(t.c.valid_to >= after, t.c.valid_to < until)
        found = await tx.conn.execute(select(t.c.organization).distinct().where(or_(begins, ended)))
        return frozenset(found.scalars())


class Owner:
    """The same questions, asked of registry itself; raises `Unavailable` where it cannot be asked."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = RegistryServiceStub(channel)

    async def grants(self, principal: str) -> list[Grant]:
        """Grants in force of one principal."""
        found: list[Grant] = []
        request = rpc.ListGrantsRequest(principal=principal, page_size=_PAGE)
        while True:
            answer = await self._ask(self._stub.ListGrants, request)
            found += [Grant(g.name, g.role, g.organization, g.body) for g in answer.grants]
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    async def member_bodies(self, organization: str, on: date) -> frozenset[str]:
        """Bodies in which the organization's membership is valid on the day."""
        return frozenset([one.name.split("/memberships/")[0] for one in await self._memberships(organization, on)])

    async def roles(self, organization: str, body: str, on: date) -> frozenset[int]:
        """What the organization is in a body on the day; nothing where it is no member."""
        return frozenset([role for one in await self._memberships(organization, on, body) for role in one.roles])

    async def _memberships(self, organization: str, on: date, body: str = "bodies/-") -> list[body_pb2.Membership]:
        """Memberships of an organization, in any body or in one, that are valid on the day."""
        found: list[body_pb2.Membership] = []
        request = rpc.ListMembershipsRequest(parent=body, organization=organization, valid_on=on.isoformat(), page_size=_PAGE)
        while True:
            answer = await self._ask(self._stub.ListMemberships, request)
            found += answer.memberships
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    async def organizations(self, names: Sequence[str]) -> dict[str, OrganizationRow]:
        """The named organizations that exist."""
        request = rpc.BatchGetOrganizationsRequest(names=names)
        answer = await self._ask(self._stub.BatchGetOrganizations, request)
        return {found.name: organization_of(found) for found in answer.organizations}

    async def bodies(self, names: Iterable[str]) -> dict[str, BodyRow]:
        """The named bodies that exist."""
        found: dict[str, BodyRow] = {}
        for name in names:
            try:
                found[name] = body_of(await self._ask(self._stub.GetBody, rpc.GetBodyRequest(name=name)))
            except KeyError:
                continue
        return found

    async def _ask(self, method: Callable[..., Awaitable[_Answer]], request: Message) -> _Answer:
        try:
            return await method(request, timeout=_OWNER_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                raise KeyError from error
            raise Unavailable(
                "成员库暂时无法查询，请稍后重试",
                "the register can't be asked right now; try again shortly",
                1.0,
            ) from error


def organization_of(message: organization_pb2.Organization) -> OrganizationRow:
    """The row of an organization's message."""
    return OrganizationRow(
        name=message.name,
        display_name=message.display_name,
        org_type=message.org_type,
        verified=message.verification == organization_pb2.VERIFICATION_STATE_VERIFIED,
        parent=message.parent,
        region_code=message.region_code,
    )


def body_of(message: body_pb2.Body) -> BodyRow:
    """The row of a body's message."""
    return BodyRow(
        name=message.name,
        display_name=message.display_name,
        kind=message.kind,
        state=message.state,
        formed_on=message.formed_on,
        key_industry=message.alliance.key_industry,
        task_force=message.alliance.task_force,
        lead_departments=tuple(message.alliance.lead_departments),
        suspended_on=message.suspended_on,
        resumed_on=message.resumed_on,
    )


def guides(body: BodyRow) -> frozenset[str]:
    """Who guides and assesses an alliance (S0 四): its task force and lead departments. A draft merely names them."""
    return frozenset((body.task_force, *body.lead_departments) if body.formed_on else ()) - {""}


def is_government(row: OrganizationRow | None) -> bool:
    """Whether an organization reads what is for the government: a verified department or task force."""
    return row is not None and row.verified and row.org_type in _GOVERNMENT


def active(message: grant_pb2.Grant) -> bool:
    """Whether a grant is in force."""
    return message.state == grant_pb2.GRANT_STATE_ACTIVE


def body_row(row: object) -> BodyRow:
    """The row of the projection's table."""
    values = {name: getattr(row, name) for name in BodyRow.__dataclass_fields__}
    return BodyRow(**{**values, "lead_departments": tuple(values["lead_departments"])})


def _valid(on: date) -> ColumnElement[bool]:
    t = tables.membership
    return and_(t.c.valid_from <= on, or_(t.c.valid_to.is_(None), t.c.valid_to >= on))
