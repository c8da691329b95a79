"""May an organization be told of an event? Judged when the event comes, and again at every attempt to deliver it."""

from access.authority import Authority
from access.register import ProjectedRegister, guides
from access.visibility import may_see
from alliance.listings.v1 import listing_pb2
from alliance.registry.v1 import body_pb2, organization_pb2
from chassis.clock import business_date
from chassis.database import Tx
from notify.domain.events import About, Audience


class Rights:
    """What the register says of who may know what."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._register = ProjectedRegister()

    async def may_know(self, tx: Tx, organization: str, about: About) -> bool:
        """Whether the organization may be told of the event, today."""
        if about.audience is Audience.SEEKERS:
            return organization in about.organizations and await self._sees(tx, organization, about)
        if about.audience is Audience.RECIPIENTS and organization in about.organizations:
            return organization in await self._verified(tx, [organization])
        if about.audience is Audience.EVERYBODY or organization in about.organizations:
            return True
        if about.audience is Audience.VIEWERS:
            return await self._sees(tx, organization, about)
        if about.audience is Audience.MEMBERS:
            members = await self._register.member_bodies(tx, organization, business_date(tx.now))
            return bool(members & about.bodies)
        if about.audience in (Audience.PARTIES, Audience.SHARED):
            return await self._has_part(tx, organization, about)
        if await self._is_secretariat(tx, organization, about):
            return True
        return about.audience is Audience.STEERING and await self._steers(tx, organization, about)

    async def acts_no_more(self, tx: Tx, subscriber: str, organization: str) -> bool:
        """Whether who subscribed for the organization acts for it no more; where it is sent to may be that person's."""
        return await self._register.has_lost(tx, subscriber, organization)

    async def names(self, tx: Tx, about: About) -> dict[str, str]:
        """What people call the organizations and bodies that an event's facts name, where that is known; a draft's is not."""
        named = set(about.facts.values())
        organizations = await self._register.organizations(tx, [one for one in named if one.startswith("organizations/")])
        bodies = await self._register.bodies(tx, [one for one in named if one.startswith("bodies/")])
        called = {name: row.display_name for name, row in organizations.items()}
        return called | {name: row.display_name for name, row in bodies.items() if row.formed_on}

    async def _has_part(self, tx: Tx, organization: str, about: About) -> bool:
        """Who may read an application without being named in it (registry's `applications.store.sees`)."""
        row = (await self._register.organizations(tx, [organization])).get(organization)
        if row and row.verified and row.org_type == organization_pb2.ORG_TYPE_SECONDARY_COLLEGE and row.parent == about.issuer:
            return True
        if about.audience is Audience.PARTIES:
            return False
        members = await self._register.member_bodies(tx, organization, business_date(tx.now))
        guided = (await self._register.bodies(tx, sorted(about.bodies))).values()
        return bool(members & about.bodies) or any(organization == body.task_force for body in guided)

    async def _sees(self, tx: Tx, organization: str, about: About) -> bool:
        """Who could see a listing while it was published may know that it no longer is."""
        viewer = await self._authority.viewer_of(tx, organization)
        state = listing_pb2.LISTING_STATE_PUBLISHED if about.shown else listing_pb2.LISTING_STATE_DRAFT
        return may_see(viewer, issuer=about.issuer, bodies=about.bodies, visibility=about.visibility, state=state)

    async def _is_secretariat(self, tx: Tx, organization: str, about: About) -> bool:
        today = business_date(tx.now)
        for body in about.bodies & await self._register.member_bodies(tx, organization, today):
            for member in await self._register.members(tx, body, today):
                if member.organization == organization and body_pb2.MEMBER_ROLE_SECRETARIAT in member.roles:
                    return True
        return False

    async def _steers(self, tx: Tx, organization: str, about: About) -> bool:
        bodies = await self._register.bodies(tx, sorted(about.bodies))
        guiding = any(organization in guides(body) for body in bodies.values())
        return guiding and organization in await self._verified(tx, [organization])

    async def _verified(self, tx: Tx, organizations: list[str]) -> set[str]:
        found = await self._register.organizations(tx, organizations)
        return {name for name, row in found.items() if row.verified}
