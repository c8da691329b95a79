"""Changes of the register: row, event and public record together in one transaction."""

from collections.abc import Collection
from datetime import date, timedelta

from alliance.common.v1 import access_pb2
from alliance.public.v1 import public_pb2
from alliance.registry.v1 import body_pb2, events_pb2, organization_pb2
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import NotFound, Precondition
from chassis.ids import resource
from registry import checks, store
from registry.domain.life import IllegalStepError, step
from registry.domain.names import BodyState
from registry.mapping.bodies import body_message, body_row, membership_message, public_body
from registry.mapping.grants import grant_message
from registry.mapping.organizations import organization_message, organization_row, public_organization
from registry.store import BodyRow, GrantRow, MembershipRow

ORGANIZATION = "alliance.internal.registry.organization.v1"
BODY = "alliance.internal.registry.body.v1"
MEMBERSHIP = "alliance.internal.registry.membership.v1"
GRANT = "alliance.internal.registry.grant.v1"
PUBLIC_ORGANIZATION = "alliance.public.organization.v1"
PUBLIC_BODY = "alliance.public.body.v1"


async def save_organization(tx: Tx, message: organization_pb2.Organization, version: int, verb: str) -> None:
    """Write an organization in a new version; sets its etag and times."""
    row = organization_row(message, version, tx.now)
    await store.write(tx, row)
    tx.emit(ORGANIZATION, row.name, version, verb, events_pb2.OrganizationEvent(organization=message))
    public = public_pb2.PublicOrganizationEvent(organization=public_organization(message))
    tx.emit(PUBLIC_ORGANIZATION, row.name, version, "published", public)
    await checks.outdate(tx, [row.name])


async def unverify_dependants(tx: Tx, name: str) -> None:
    """Take the verification from those that an organization vouched for; none of them vouches for others."""
    for row in await store.dependants(tx, name):
        message = organization_message(row)
        message.verification = organization_pb2.VERIFICATION_STATE_UNVERIFIED
        await save_organization(tx, message, row.version + 1, "updated")


async def save_body(tx: Tx, message: body_pb2.Body, version: int, verb: str) -> None:
    """Write a body in a new version; sets its etag and times. Everybody may see one that was formed."""
    row = body_row(message, version, tx.now)
    await store.write(tx, row)
    tx.emit(BODY, row.name, version, verb, events_pb2.BodyEvent(body=message))
    if message.formed_on:
        public = public_pb2.PublicBodyEvent(body=public_body(message))
        tx.emit(PUBLIC_BODY, row.name, version, "published", public)


async def save_membership(tx: Tx, body: BodyRow, row: MembershipRow, verb: str) -> None:
    """Write a membership under its body's lock; the body's version rises and is the membership's."""
    body.version += 1
    row.version, row.update_time = body.version, tx.now
    # A copy: the session must not take the two rows for changes of its own.
    await store.write(tx, BodyRow(**body.model_dump()))
    await store.write(tx, MembershipRow(**row.model_dump()))
    tx.emit(MEMBERSHIP, row.name, row.version, verb, events_pb2.MembershipEvent(membership=membership_message(row)))


async def give_roles(tx: Tx, row: MembershipRow, roles: Collection[int]) -> None:
    """Have a member hold other roles from today on. What it held until yesterday stays known: who is assessed for a year is
    who held a role in it (R36). What is mended on the day on which it was entered was a slip, and is no history.
    """
    yesterday = business_date(tx.now) - timedelta(1)
    if row.valid_from <= yesterday and business_date(row.create_time) <= yesterday:
        await store.keep_roles(tx, row.name, row.roles, yesterday)
    row.roles = list(roles)


async def save_grant(tx: Tx, row: GrantRow, verb: str) -> None:
    """Write a grant."""
    await store.write(tx, GrantRow(**row.model_dump()))
    tx.emit(GRANT, row.name, row.version, verb, events_pb2.GrantEvent(grant=grant_message(row)))


async def locked_body(tx: Tx, name: str) -> BodyRow:
    """A body, locked. Raises `NotFound`."""
    row = await store.get(tx, BodyRow, name, lock=True)
    if row is None:
        raise NotFound(name)
    return row


def taken(row: BodyRow, verb: str) -> body_pb2.Body:
    """The body's message in the state after a verb. Raises `Precondition` where its state does not allow it."""
    try:
        after = step(BodyState(row.state), verb)
    except IllegalStepError as error:
        raise Precondition("ILLEGAL_STATE", error.zh, error.en, {"body": row.name}) from error
    message = body_message(row)
    message.state = int(after)  # type: ignore[assignment]
    return message


def last_day(row: MembershipRow, day: date) -> date:
    """The last day of a membership that ends with its body: the day, or its first where it had not begun."""
    return max(row.valid_from, day)


async def bootstrap(tx: Tx, principal: str) -> None:
    """Give the first platform grant, once and for ever."""
    await store.lock(tx, "platform operators")
    if await store.grants_ever(tx, access_pb2.ROLE_PLATFORM_OPERATOR):
        return
    row = GrantRow(
        name=resource("grants"),
        version=1,
        principal=principal,
        role=access_pb2.ROLE_PLATFORM_OPERATOR,
        organization="",
        body="",
        active=True,
        create_time=tx.now,
        update_time=tx.now,
    )
    await save_grant(tx, row, "created")
