"""Access: who may do what. What no grant allows is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from access.authority import Authority
from access.register import BodyRow, Grant, MembershipRow, OrganizationRow, Owner
from access.visibility import Viewer
from alliance.admin.v1 import admin_service_pb2
from alliance.common.v1 import access_pb2
from alliance.listings.v1 import booking_service_pb2, listings_service_pb2, person_service_pb2
from alliance.matching.v1 import matching_service_pb2, review_service_pb2, search_service_pb2, statistics_service_pb2
from alliance.notify.v1 import notify_service_pb2
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance.reporting.v1 import reporting_service_pb2
from chassis import topics
from chassis.auth import AUTHENTICATED, PUBLIC, Principal, allows
from chassis.clock import start_of_day
from chassis.contract import methods
from chassis.database import Cause, Database, Tx
from chassis.errors import Denied, Unavailable
from chassis.rpc import Call

OPERATOR, SECRETARIAT, AUDITOR = access_pb2.ROLE_PLATFORM_OPERATOR, access_pb2.ROLE_SECRETARIAT, access_pb2.ROLE_AUDITOR
ADMIN, EDITOR, SERVICE = access_pb2.ROLE_ORGANIZATION_ADMIN, access_pb2.ROLE_ORGANIZATION_EDITOR, access_pb2.ROLE_SERVICE
ORG, OTHER_ORG, BODY, OTHER_BODY = "organizations/a", "organizations/b", "bodies/a", "bodies/b"
LISTING = "listings/a"  # of ORG, known to the projection
FIRST, LAST = date(2026, 1, 31), date(2026, 6, 30)
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)

_CONTRACTS = (
    *(admin_service_pb2, registry_service_pb2, listings_service_pb2, person_service_pb2, booking_service_pb2),
    *(matching_service_pb2, review_service_pb2, search_service_pb2, statistics_service_pb2),
    *(reporting_service_pb2, notify_service_pb2),
)
# Asked for by the RPCs themselves: parties of an application check its body, too, and who fills it in changes that.
_ASKED = {f"registry.bodies.{verb}" for verb in ("check", "update")}
PERMISSIONS = {
    method.permission
    for contract in _CONTRACTS
    for service in contract.DESCRIPTOR.services_by_name.values()
    for method in methods(service)
} - {PUBLIC, AUTHENTICATED} | _ASKED
_ISSUING = {f"listings.listings.{verb}" for verb in ("create", "update", "publish", "withdraw", "fulfil", "import")}
_ISSUING |= {f"matching.matches.{verb}" for verb in ("get", "accept", "decline", "start", "complete")}
_ISSUING |= {"matching.reviews.request", "matching.reviews.get"}
_ISSUING |= {f"matching.searches.{verb}" for verb in ("save", "list", "delete")}
_ISSUING |= {"listings.people.set", "listings.people.erase"}
_ISSUING |= {f"listings.bookings.{verb}" for verb in ("create", "cancel", "get")}
_ISSUING |= {permission for permission in PERMISSIONS if permission.startswith("notify.")}
_OWN = {"registry.organizations.update", "registry.memberships.end", "registry.grants.create", "registry.grants.revoke"}
_RUNNING = {f"registry.bodies.{verb}" for verb in ("create", "update", "check", "form")}
_RUNNING |= {f"registry.memberships.{verb}" for verb in ("create", "update", "end")}
_RUNNING |= {"listings.rounds.open", "listings.rounds.compile", "listings.rounds.get", "listings.targets.get"}
_RUNNING |= {"matching.reviews.get", "matching.reviews.settle"}
_RUNNING |= {"matching.matches.get", "reporting.deadlines.list"}
_RUNNING |= {f"reporting.reports.{verb}" for verb in ("compile", "get", "submit", "amend")}
_READING = {"registry.bodies.check", "listings.rounds.get", "listings.targets.get", "matching.matches.get"}
_READING |= {"matching.reviews.get"}
_READING |= {"reporting.deadlines.list", "reporting.reports.get"}


@dataclass
class Known:
    """What one source knows of the register, in memory; as a projection, and as its owner."""

    granted: dict[str, list[Grant]] = field(default_factory=dict)
    memberships: list[MembershipRow] = field(default_factory=list)
    organizations_: dict[str, OrganizationRow] = field(default_factory=dict)
    bodies_: dict[str, BodyRow] = field(default_factory=dict)

    async def grants(self, tx: Tx, principal: str) -> list[Grant]:
        return self.granted.get(principal, [])

    async def member_bodies(self, tx: Tx, organization: str, on: date) -> frozenset[str]:
        days = [(row, row.valid_to or date.max) for row in self.memberships if row.organization == organization]
        return frozenset(row.body for row, last in days if row.valid_from <= on <= last)

    async def organizations(self, tx: Tx, names: Sequence[str]) -> dict[str, OrganizationRow]:
        return {name: self.organizations_[name] for name in names if name in self.organizations_}

    async def bodies(self, tx: Tx, names: Sequence[str]) -> dict[str, BodyRow]:
        return {name: self.bodies_[name] for name in names if name in self.bodies_}

    async def members(self, tx: Tx, body: str, on: date) -> list[MembershipRow]:
        return []


class Asked(Owner):
    """The owner, who answers out of what it knows; None: it can't be asked."""

    def __init__(self, known: Known | None) -> None:
        self.known = known
        self.count = 0

    async def grants(self, principal: str) -> list[Grant]:
        return await self._answering().grants(cast(Tx, None), principal)

    async def member_bodies(self, organization: str, on: date) -> frozenset[str]:
        return await self._answering().member_bodies(cast(Tx, None), organization, on)

    async def organizations(self, names: Sequence[str]) -> dict[str, OrganizationRow]:
        return await self._answering().organizations(cast(Tx, None), names)

    def _answering(self) -> Known:
        self.count += 1
        if self.known is None:
            raise Unavailable("不在", "away")
        return self.known


@dataclass
class At:
    """A transaction of which only the business time is asked."""

    now: datetime


async def scopes_of(tx: Tx, resource: str) -> frozenset[str]:
    return frozenset({ORG}) if resource == LISTING else frozenset()


def authority(*grants: Grant, sub: str = "someone", owner: Owner | None = None, **known: Any) -> Authority:
    return Authority(Known({sub: list(grants)}, **known), scopes_of, owner)


def call(sub: str = "someone", organization: str = "", now: datetime = NOON) -> Call:
    principal = Principal(sub, organization) if sub else None
    return Call("/x/Y", principal, "zh", cast(Database, None), Cause(actor=sub), lambda: None, cast(Tx, At(now)))


def a(role: int, *, organization: str = "", body: str = "") -> Grant:
    return Grant("grants/a", role, organization, body)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (OPERATOR, PERMISSIONS),
        (ADMIN, _ISSUING | _OWN),
        (EDITOR, _ISSUING),
        (SECRETARIAT, _RUNNING),
        (AUDITOR, _READING),
        (SERVICE, {"registry.bodies.check", "matching.matches.get"}),
        (access_pb2.ROLE_UNSPECIFIED, set()),
        (99, set()),
    ],
)
def test_a_role_may_do_this_and_nothing_else(role: int, expected: set[str]) -> None:
    assert {permission for permission in PERMISSIONS if allows(role, permission)} == expected


@pytest.mark.parametrize("permission", ["", "*", "listings", "listings.listings", "listings.*", "listings.listings.x.y"])
def test_what_is_no_permission_no_scoped_role_has(permission: str) -> None:
    assert not any(allows(role, permission) for role in (ADMIN, EDITOR, SECRETARIAT, AUDITOR))


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
@pytest.mark.parametrize("resource", ["", ORG, BODY, LISTING, "listings/unheard-of"])
async def test_without_a_grant_nothing_is_permitted(permission: str, resource: str) -> None:
    assert not await authority().permitted(call(), permission, resource)
    assert not await authority().permitted(call(organization=ORG), permission, resource)
    assert not await authority(a(OPERATOR)).permitted(call(sub=""), permission, resource)
    assert not await authority(a(OPERATOR)).permitted(call(sub="someone-else"), permission, resource)


@pytest.mark.parametrize(
    ("grant", "acting_for", "permission", "resource", "expected"),
    [
        (a(OPERATOR), "", "registry.bodies.create", "", True),
        (a(OPERATOR), ORG, "listings.listings.update", "listings/unheard-of", True),
        (a(EDITOR, organization=ORG), ORG, "listings.listings.update", LISTING, True),
        (a(EDITOR, organization=ORG), ORG, "listings.listings.create", ORG, True),
        (a(EDITOR, organization=ORG), ORG, "listings.listings.create", OTHER_ORG, False),
        (a(EDITOR, organization=ORG), ORG, "listings.listings.create", "", False),
        (a(EDITOR, organization=ORG), ORG, "listings.listings.update", "listings/unheard-of", False),
        (a(EDITOR, organization=ORG), "", "listings.listings.update", LISTING, False),
        (a(EDITOR, organization=ORG), OTHER_ORG, "listings.listings.update", LISTING, False),
        (a(EDITOR, organization=OTHER_ORG), OTHER_ORG, "listings.listings.update", LISTING, False),
        (a(EDITOR, organization=ORG), ORG, "registry.organizations.update", ORG, False),
        (a(ADMIN, organization=ORG), ORG, "registry.organizations.update", ORG, True),
        (a(ADMIN, organization=ORG), ORG, "registry.organizations.create", "", False),
        (a(SECRETARIAT, body=BODY), "", "registry.bodies.form", BODY, True),
        (a(SECRETARIAT, body=BODY), OTHER_ORG, "registry.bodies.form", BODY, True),
        (a(SECRETARIAT, body=BODY), "", "registry.bodies.form", OTHER_BODY, False),
        (a(SECRETARIAT, body=BODY), "", "registry.bodies.create", "", False),
        (a(SECRETARIAT, body=BODY), "", "registry.platform.dissolve", "", False),
        (a(AUDITOR, body=BODY), "", "registry.bodies.check", BODY, True),
        (a(AUDITOR, body=BODY), "", "registry.bodies.update", BODY, False),
        (a(AUDITOR, body=BODY), "", "registry.bodies.check", OTHER_BODY, False),
        (a(AUDITOR), "", "registry.bodies.check", OTHER_BODY, True),
        (a(AUDITOR), "", "admin.deadletters.list", "", False),
        (a(99), "", "registry.bodies.check", BODY, False),
    ],
)
async def test_a_grant_counts_for_its_role_in_its_scope(
    grant: Grant, acting_for: str, permission: str, resource: str, expected: bool
) -> None:
    assert await authority(grant).permitted(call(organization=acting_for), permission, resource) is expected


@pytest.mark.parametrize("guides", [{"task_force": ORG}, {"lead_departments": (OTHER_ORG, ORG)}, {"task_force": OTHER_ORG}])
async def test_who_guides_an_alliance_reads_how_it_stands_and_no_more(guides: dict[str, Any]) -> None:
    """And of no other alliance, nor of a draft that names it; nor does who acts for an organization that guides none."""
    draft = "bodies/draft"
    bodies = {BODY: BodyRow(BODY, "联盟", 1, 2, "2026-01-05", **guides), draft: BodyRow(draft, "筹建", 1, 1, **guides)}

    def of(*roles: int, verified: bool = True) -> Authority:
        rows = {one: OrganizationRow(one, one, 14, verified) for one in (ORG, OTHER_ORG)}
        return authority(*(a(role, organization=ORG) for role in roles), organizations_=rows, bodies_=bodies)

    found, caller = of(EDITOR), call(organization=ORG)
    assert not await of(99).permitted(caller, "registry.bodies.check", BODY), "a role that nobody knows"
    assert not await of(EDITOR, verified=False).permitted(caller, "registry.bodies.check", BODY)
    reads = {
        (permission, body)
        for permission in sorted(PERMISSIONS)
        for body in (BODY, OTHER_BODY, draft)
        if await found.permitted(caller, permission, body)
    }
    may = {(permission, BODY) for permission in ("registry.bodies.check", "listings.targets.get", "listings.rounds.get")}
    assert reads == (may if ORG in (guides.get("task_force"), *guides.get("lead_departments", ())) else set())


async def test_grants_do_not_lend_each_other_their_scopes() -> None:
    two = authority(a(EDITOR, organization=ORG), a(SECRETARIAT, body=BODY))
    assert not await two.permitted(call(organization=ORG), "registry.bodies.form", ORG)
    assert not await two.permitted(call(organization=ORG), "listings.listings.create", BODY)


async def test_a_permission_is_needed_on_every_resource() -> None:
    editor = authority(a(EDITOR, organization=ORG))
    await editor.authorise(call(organization=ORG), "listings.listings.create", [ORG, LISTING])
    for resources in ([ORG, OTHER_ORG], [OTHER_ORG, ORG], []):
        with pytest.raises(Denied):
            await editor.authorise(call(organization=ORG), "listings.listings.create", resources)


async def test_a_service_reads_and_its_owner_is_not_asked() -> None:
    owner = Asked(Known({"service:matching": [a(OPERATOR)]}))
    served = authority(owner=owner)
    assert await served.permitted(call("service:matching"), "registry.bodies.check", BODY)
    assert not await served.permitted(call("service:matching"), "listings.listings.create", ORG)
    for stranger in ("services", "service:", "service:x", "service:matching2", "Service:matching"):
        assert not await served.permitted(call(stranger), "registry.bodies.check", BODY)
    assert owner.count == 5


async def test_the_owner_is_asked_before_anything_is_refused_and_not_otherwise() -> None:
    owner = Asked(Known({"someone": [a(EDITOR, organization=ORG)]}))
    assert await authority(owner=owner).permitted(call(organization=ORG), "listings.listings.update", LISTING)
    assert owner.count == 1
    assert await authority(a(OPERATOR), owner=owner).permitted(call(), "listings.listings.update", LISTING)
    assert owner.count == 1
    assert not await authority(owner=owner).permitted(call(organization=OTHER_ORG), "listings.listings.update", LISTING)


async def test_where_the_owner_cannot_be_asked_nothing_is_refused_or_allowed() -> None:
    with pytest.raises(Unavailable):
        await authority(owner=Asked(None)).permitted(call(organization=ORG), "listings.listings.update", LISTING)


def member(first: date = FIRST, last: date | None = LAST) -> MembershipRow:
    return MembershipRow(f"{BODY}/memberships/a", BODY, ORG, frozenset({7}), first, last)


EDITS = a(EDITOR, organization=ORG)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (start_of_day(FIRST) - timedelta(microseconds=1), False),
        (start_of_day(FIRST), True),
        (start_of_day(LAST), True),
        (start_of_day(LAST + timedelta(days=1)) - timedelta(microseconds=1), True),
        (start_of_day(LAST + timedelta(days=1)), False),
    ],
)
async def test_a_member_sees_from_the_first_day_to_the_last_in_shanghai(now: datetime, expected: bool) -> None:
    viewer = await authority(EDITS, memberships=[member()]).viewer(call(organization=ORG, now=now))
    assert viewer == Viewer(organization=ORG, member_bodies=frozenset({BODY} if expected else ()))


async def test_a_caller_without_a_token_or_a_grant_sees_what_everybody_sees() -> None:
    assert await authority(EDITS).viewer(call(sub="")) == Viewer()
    assert await authority(memberships=[member()]).viewer(call(organization=ORG)) == Viewer()
    assert await authority(EDITS, memberships=[member()]).viewer(call(organization=OTHER_ORG)) == Viewer()


@pytest.mark.parametrize("role", [SECRETARIAT, AUDITOR])
async def test_who_runs_or_audits_a_body_sees_for_it(role: int) -> None:
    assert await authority(a(role, body=BODY)).viewer(call()) == Viewer(bodies_run=frozenset({BODY}))


@pytest.mark.parametrize(("sub", "grants"), [("someone", [a(OPERATOR)]), ("someone", [a(AUDITOR)]), ("service:notify", [])])
async def test_operators_platform_auditors_and_services_see_everything(sub: str, grants: list[Grant]) -> None:
    assert await authority(*grants, sub=sub).viewer(call(sub)) == Viewer(platform=True)


@pytest.mark.parametrize("org_type", range(1, 16))
@pytest.mark.parametrize("verified", [True, False])
async def test_government_is_a_verified_department_or_task_force(org_type: int, verified: bool) -> None:
    department, task_force = organization_pb2.ORG_TYPE_GOV_DEPARTMENT, organization_pb2.ORG_TYPE_TASK_FORCE
    known = {ORG: OrganizationRow(ORG, "虚构示例单位", org_type, verified)}
    viewer = await authority(EDITS, organizations_=known).viewer(call(organization=ORG))
    assert viewer.government is (verified and org_type in {int(department), int(task_force)})


async def test_the_owner_is_asked_for_one_resource_only() -> None:
    owner = Asked(Known({"someone": [EDITS]}, [member()]))
    heard_of_nothing = authority(owner=owner)
    assert await heard_of_nothing.viewer(call(organization=ORG)) == Viewer()
    assert owner.count == 0
    asked = await heard_of_nothing.viewer(call(organization=ORG), ask_owner=True)
    assert asked == Viewer(organization=ORG, member_bodies=frozenset({BODY}))


@pytest.mark.parametrize("name", sorted({topic.owner for topic in topics.load().all}))
async def test_every_service_of_the_platform_is_one(name: str) -> None:
    assert await authority().permitted(call(f"service:{name}"), "registry.bodies.check", BODY)
