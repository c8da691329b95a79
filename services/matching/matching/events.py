"""What matching hears: listings (every replica follows them, into its index, and ahead of it) and the register's facts."""

from dataclasses import replace
from typing import cast

from access import listeners as access
from alliance.registry.v1 import events_pb2 as registry_pb2
from chassis.database import Tx
from chassis.handling import Listen
from chassis.record import Record
from matching import again
from matching.ahead import Ahead
from matching.following import Following

_LISTINGS = "alliance.internal.listings.listing.v1"


class Events:
    """The handlers."""

    def __init__(self, following: Following, ahead: Ahead) -> None:
        self._following = following
        self._ahead = ahead

    def listens(self) -> list[Listen]:
        """The projection's listeners, two of which make listings be judged anew, and the listings themselves."""
        anew = {"access-organization": self.on_organization, "access-membership": self.on_membership}
        projection = [replace(one, handler=anew.get(one.name, one.handler)) for one in access.listeners()]
        listings = [
            Listen(_LISTINGS, "listing", self.on_listing, mode="state", follower=self._following),
            Listen(_LISTINGS, "ahead", self.on_audience, mode="state", follower=self._ahead),
        ]
        return [*projection, *listings]

    async def on_listing(self, tx: Tx, record: Record) -> None:
        """A listing that could not be taken before. Other replicas take it from the dead letters (`matching.scoring`)."""
        await self._following.recall([record])
        await again.of_listing(tx, record.key, has_changed=True)
        tx.on_commit(self._following.woken.set)

    async def on_audience(self, _: Tx, record: Record) -> None:
        """Who may see a listing, where that could not be taken before."""
        self._ahead.learn(record)

    async def on_membership(self, tx: Tx, record: Record) -> None:
        """Keeps the membership; what its organization may see may have changed."""
        before = await access.organization_of_membership(tx, record.key)
        if not await access.on_membership(tx, record):
            return
        event = cast(registry_pb2.MembershipEvent | None, record.message)
        for organization in sorted({before, event.membership.organization if event else ""} - {""}):
            await self._reconsider(tx, organization)

    async def on_organization(self, tx: Tx, record: Record) -> None:
        """Keeps the organization; verified, a government department may see more."""
        if await access.on_organization(tx, record):
            await self._reconsider(tx, record.key)

    async def _reconsider(self, tx: Tx, organization: str) -> None:
        await again.of_issuer(tx, organization)
        tx.on_commit(self._following.woken.set)
