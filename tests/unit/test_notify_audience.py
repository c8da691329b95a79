"""Notify: which organizations may be told, by what the register says of them."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from access.authority import Authority
from access.register import BodyRow, OrganizationRow
from alliance.registry.v1 import body_pb2, organization_pb2
from chassis.database import Tx
from notify.audience import Rights
from notify.domain.events import About, Audience

FORCE, DEPARTMENT, UNVERIFIED, MEMBER, STRANGER = (f"organizations/{one}" for one in ("f", "d", "u", "m", "s"))
STANDING, DRAFT = "bodies/standing", "bodies/draft"


class Known:
    """What is known of the register: two bodies that name the same organizations."""

    async def member_bodies(self, tx: Tx, organization: str, on: Any) -> frozenset[str]:
        return frozenset({STANDING, DRAFT} if organization == MEMBER else ())

    async def members(self, tx: Tx, body: str, on: Any) -> list[Any]:
        return []

    async def organizations(self, tx: Tx, names: list[str]) -> dict[str, OrganizationRow]:
        kind = organization_pb2.ORG_TYPE_GOV_DEPARTMENT
        return {name: OrganizationRow(name, name, kind, name != UNVERIFIED) for name in names}

    async def bodies(self, tx: Tx, names: list[str]) -> dict[str, BodyRow]:
        leads = (DEPARTMENT, UNVERIFIED)
        formed = {STANDING: (body_pb2.BODY_STATE_FORMED, "2026-01-05"), DRAFT: (body_pb2.BODY_STATE_DRAFT, "")}
        return {
            name: BodyRow(name, name, body_pb2.BODY_KIND_ALLIANCE, *formed[name], task_force=FORCE, lead_departments=leads)
            for name in names
        }


class At:
    """A transaction of which only the business time is asked."""

    now = datetime(2026, 3, 2, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("audience", "body", "named", "told"),
    [
        (Audience.STEERING, STANDING, (), {FORCE, DEPARTMENT}),
        (Audience.STEERING, DRAFT, (), set()),
        (Audience.MEMBERS, DRAFT, (), {MEMBER}),
        (Audience.RECIPIENTS, STANDING, (), set()),
        (Audience.RECIPIENTS, STANDING, (FORCE, UNVERIFIED), {FORCE}),
        (Audience.SIDES, STANDING, (STRANGER,), {STRANGER}),
    ],
)
async def test_whom_the_register_lets_know(audience: Audience, body: str, named: tuple[str, ...], told: set[str]) -> None:
    rights = Rights(cast(Authority, None))
    rights._register = cast(Any, Known())
    about = About("e", "alliance.x.y.z.v1", "x/y", frozenset(named), frozenset({body}), audience=audience)
    everybody = (FORCE, DEPARTMENT, UNVERIFIED, MEMBER, STRANGER)
    assert {one for one in everybody if await rights.may_know(cast(Tx, At()), one, about)} == told


async def test_a_name_that_somebody_wrote_is_turned_into_no_drafts() -> None:
    rights = Rights(cast(Authority, None))
    rights._register = cast(Any, Known())
    about = About("e", "alliance.x.y.z.v1", "x/y", facts={"title": DRAFT, "body": STANDING, "issuer": MEMBER})
    assert await rights.names(cast(Tx, At()), about) == {STANDING: STANDING, MEMBER: MEMBER}
