"""How the register's facts arrive: one `state` listener a topic, each an upsert of the whole record.

A record without content takes its row away: the register was restored to a point before it. Each says whether anything is
different now: what comes again, as in a rebuild, is no news to whoever acts on it.
"""

from dataclasses import asdict
from datetime import date
from typing import Any, cast

from sqlalchemy import Table, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from access import tables
from access.register import active, body_of, organization_of
from alliance.registry.v1 import events_pb2
from chassis.database import Tx
from chassis.handling import Handler, Listen, Projection
from chassis.record import Record


def listeners() -> list[Listen]:
    """What a service listens to in order to decide who may see and do what."""
    return [
        _listen("organization", on_organization, tables.organization),
        _listen("body", on_body, tables.body),
        _listen("membership", on_membership, tables.membership),
        _listen("grant", on_grant, tables.grant),
    ]


def _listen(aggregate: str, handler: Handler, table: Table) -> Listen:
    topic = f"alliance.internal.registry.{aggregate}.v1"
    return Listen(topic, f"access-{aggregate}", handler, mode="state", projection=Projection([table], "name"))


async def on_organization(tx: Tx, record: Record) -> bool:
    """Keeps an organization."""
    if record.message is None:
        return await _remove(tx, tables.organization, record.key)
    event = cast(events_pb2.OrganizationEvent, record.message)
    return await _upsert(tx, tables.organization, asdict(organization_of(event.organization)))


async def on_body(tx: Tx, record: Record) -> bool:
    """Keeps a body."""
    if record.message is None:
        return await _remove(tx, tables.body, record.key)
    event = cast(events_pb2.BodyEvent, record.message)
    row = body_of(event.body)
    return await _upsert(tx, tables.body, {**asdict(row), "lead_departments": list(row.lead_departments)})


async def on_membership(tx: Tx, record: Record) -> bool:
    """Keeps a membership."""
    if record.message is None:
        return await _remove(tx, tables.membership, record.key)
    membership = cast(events_pb2.MembershipEvent, record.message).membership
    row = {
        "name": membership.name,
        "body": membership.name.split("/memberships/")[0],
        "organization": membership.organization,
        "roles": list(membership.roles),
        "valid_from": date.fromisoformat(membership.valid_from),
        "valid_to": date.fromisoformat(membership.valid_to) if membership.valid_to else None,
    }
    return await _upsert(tx, tables.membership, row)


async def organization_of_membership(tx: Tx, membership: str) -> str:
    """The organization of a membership that is kept; "" of another."""
    t = tables.membership
    return (await tx.conn.execute(select(t.c.organization).where(t.c.name == membership))).scalar_one_or_none() or ""


async def on_grant(tx: Tx, record: Record) -> bool:
    """Keeps a grant; a revoked one stays as not active."""
    if record.message is None:
        return await _remove(tx, tables.grant, record.key)
    grant = cast(events_pb2.GrantEvent, record.message).grant
    row = {
        "name": grant.name,
        "principal": grant.principal,
        "role": grant.role,
        "organization": grant.organization,
        "body": grant.body,
        "active": active(grant),
    }
    return await _upsert(tx, tables.grant, row)


async def _upsert(tx: Tx, table: Table, row: dict[str, Any]) -> bool:
    statement = insert(table).values(row)
    changed = {name: statement.excluded[name] for name in row if name != "name"}
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in changed.items()))
    done = await tx.conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed, where=differs))
    return done.rowcount > 0


async def _remove(tx: Tx, table: Table, name: str) -> bool:
    return (await tx.conn.execute(delete(table).where(table.c.name == name))).rowcount > 0
