"""May this caller do this? The decision behind every RPC's access rule.

A principal acts for the one organization that its token names. Its grants count platform-wide, for that organization,
or for the bodies that they name. What the projection has not heard of yet is asked of registry before anything is
refused; lists and searches (`viewer` without `ask_owner`) decide by the projection alone.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import date

from access.register import Grant, Owner, Register, guides, is_government
from access.visibility import Viewer
from alliance.common.v1 import access_pb2
from chassis.auth import Principal, allows
from chassis.clock import business_date
from chassis.database import Cause, Tx
from chassis.errors import Denied
from chassis.rpc import Call

ScopesOf = Callable[[Tx, str], Awaitable[frozenset[str]]]

_SEE = "listings.listings.get"
_OF_GUIDES = frozenset({"registry.bodies.check", "listings.targets.get", "listings.rounds.get"})
"""What an alliance's task force and lead departments, which guide and assess it (S0 四), may read of it; of no draft."""
_SERVICES = frozenset(f"service:{name}" for name in ("registry", "listings", "matching", "reporting", "notify"))
_SERVICE_GRANT = Grant(name="", role=access_pb2.ROLE_SERVICE)


class Authority:
    """Decides by the register's facts; the chassis asks it before it runs a handler."""

    def __init__(self, register: Register, scopes_of: ScopesOf, owner: Owner | None) -> None:
        """`scopes_of(tx, resource)` names the organizations and bodies whose grants give authority over a resource.

        It is empty for a resource that is not known: without platform-wide authority that is PERMISSION_DENIED
        (AIP-211), so that nobody learns what exists. `owner` is None in registry itself.
        """
        self._register = register
        self._scopes_of = scopes_of
        self._owner = owner

    async def authorise(self, call: Call, permission: str, resources: list[str]) -> None:
        """Raises `Denied` unless the caller holds the permission on every resource (on the platform for none)."""
        for resource in resources or [""]:
            if not await self.permitted(call, permission, resource):
                raise Denied(permission, resource)

    async def permitted(self, call: Call, permission: str, resource: str) -> bool:
        """Whether the caller holds the permission on the resource ("" = the platform)."""
        if call.principal is None:
            return False
        async with _reading(call) as tx:
            scopes = await self._scopes(tx, resource)
            grants = await self._register.grants(tx, call.principal.sub)
            guiding = await self._guiding(tx, permission, scopes)
        if _permits(_effective(call.principal, grants), permission, scopes, guiding):
            return True
        return _permits(await self._asked(call.principal), permission, scopes, guiding)

    async def acts_for(self, call: Call, permission: str, organization: str) -> bool:
        """Whether the caller holds the permission for its token's organization by a grant of that one: what an organization
        says of itself, nobody says by a grant for the whole platform.
        """
        if call.principal is None or call.principal.organization != organization:
            return False
        async with _reading(call) as tx:
            grants = await self._register.grants(tx, call.principal.sub)
        return any(one.organization == organization and allows(one.role, permission) for one in grants)

    async def viewer(self, call: Call, *, ask_owner: bool = False) -> Viewer:
        """For whose eyes the call reads; `ask_owner` for one named resource that the projection would not show."""
        principal = call.principal
        if principal is None:
            return Viewer()
        async with _reading(call) as tx:
            grants = _effective(principal, await self._register.grants(tx, principal.sub))
            if ask_owner:
                grants += await self._asked(principal)
            seeing = [grant for grant in grants if allows(grant.role, _SEE)]
            if any(_platform(grant) for grant in seeing):
                return Viewer(platform=True)
            organization = next((grant.organization for grant in seeing if grant.organization), "")
            standing = await self._standing(tx, organization, business_date(tx.now), ask_owner=ask_owner)
        return Viewer(
            organization=organization,
            bodies_run=frozenset(grant.body for grant in seeing if grant.body),
            member_bodies=standing.member_bodies,
            government=standing.government,
        )

    async def viewer_of(self, tx: Tx, organization: str) -> Viewer:
        """What an organization as such may see, whoever acts for it."""
        standing = await self._standing(tx, organization, business_date(tx.now), ask_owner=False)
        return Viewer(
            organization=organization,
            member_bodies=standing.member_bodies,
            government=standing.government,
        )

    async def _scopes(self, tx: Tx, resource: str) -> frozenset[str]:
        if resource.startswith(("organizations/", "bodies/")) and resource.count("/") == 1:
            return frozenset({resource})
        return await self._scopes_of(tx, resource) if resource else frozenset()

    async def _guiding(self, tx: Tx, permission: str, scopes: Collection[str]) -> frozenset[str]:
        """The organizations that guide a resource's body, where that gives the permission."""
        bodies = [one for one in scopes if one.startswith("bodies/")]
        if permission not in _OF_GUIDES or not bodies:
            return frozenset()
        found = (await self._register.bodies(tx, bodies)).values()
        named = sorted({name for body in found for name in guides(body)})
        known = await self._register.organizations(tx, named) if named else {}
        return frozenset(name for name, one in known.items() if one.verified)

    async def _asked(self, principal: Principal) -> list[Grant]:
        if self._owner is None or _is_service(principal):
            return []
        return _effective(principal, await self._owner.grants(principal.sub))

    async def _standing(self, tx: Tx, organization: str, on: date, *, ask_owner: bool) -> "_Standing":
        if not organization:
            return _Standing()
        bodies = await self._register.member_bodies(tx, organization, on)
        known = await self._register.organizations(tx, [organization])
        if ask_owner and self._owner is not None:
            bodies |= await self._owner.member_bodies(organization, on)
            known = await self._owner.organizations([organization])
        return _Standing(bodies, is_government(known.get(organization)))


@dataclass(frozen=True)
class _Standing:
    member_bodies: frozenset[str] = frozenset()
    government: bool = False


def _is_service(principal: Principal) -> bool:
    return principal.sub in _SERVICES


def _effective(principal: Principal, grants: Sequence[Grant]) -> list[Grant]:
    """The grants that count for a token: platform-wide, of its organization, of a body."""
    own = [grant for grant in grants if grant.organization in ("", principal.organization)]
    return [*own, _SERVICE_GRANT] if _is_service(principal) else own


def _permits(grants: Sequence[Grant], permission: str, scopes: frozenset[str], guiding: frozenset[str]) -> bool:
    return any(
        (grant.organization in guiding and allows(grant.role, _SEE))
        or (allows(grant.role, permission) and (_platform(grant) or grant.organization in scopes or grant.body in scopes))
        for grant in grants
    )


def _platform(grant: Grant) -> bool:
    return not grant.organization and not grant.body


def _reading(call: Call) -> AbstractAsyncContextManager[Tx]:
    """The call's own transaction, or a short one of its own for a streaming call."""
    if call.transaction is not None:
        return nullcontext(call.transaction)
    return call.database.transaction(Cause(actor=""), read_only=True)
