"""What matching hears: listings (as a tail, since the index is in memory) and the register's facts."""

from dataclasses import replace
from typing import cast

from access import listeners as access
from alliance.listings.v1 import events_pb2 as listings_pb2
from alliance.listings.v1 import listing_pb2
from alliance.registry.v1 import events_pb2 as registry_pb2
from chassis.clock import Clock
from chassis.database import Tx
from chassis.handling import Listen
from chassis.record import Record
from matching.mapping import entry_of
from matching.metrics import FRESHNESS
from matching.proposing import Proposing


class Events:
    """The handlers."""

    def __init__(self, proposing: Proposing, system_clock: Clock) -> None:
        self._proposing = proposing
        self._clock = system_clock

    def listens(self) -> list[Listen]:
        """The projection's listeners, two of which make listings be judged anew, and the listings themselves."""
        anew = {"access-organization": self.on_organization, "access-membership": self.on_membership}
        projection = [replace(one, handler=anew.get(one.name, one.handler)) for one in access.listeners()]
        listing = Listen("alliance.internal.listings.listing.v1", "listing", self.on_listing, mode="state", recall=self.recall)
        return [*projection, listing]

    async def on_listing(self, tx: Tx, record: Record) -> None:
        """A listing's newest state: proposes, scores anew, or ends matches."""
        listing = _listing(record)
        if listing and listing.state == listing_pb2.LISTING_STATE_PUBLISHED:
            await self._proposing.put(tx, entry_of(listing, record.version))
            tx.on_commit(lambda: self._observe(record))
        elif record.restored_to is not None:  # it may never have been published, or never have been
            await self._proposing.remove(tx, record.key, listing_pb2.LISTING_STATE_WITHDRAWN)
        elif listing and listing.state != listing_pb2.LISTING_STATE_DRAFT:
            await self._proposing.remove(tx, record.key, listing.state)

    def recall(self, record: Record) -> None:
        """What had its effect before this process began."""
        listing = _listing(record)
        published = listing if listing and listing.state == listing_pb2.LISTING_STATE_PUBLISHED else None
        self._proposing.recall(entry_of(published, record.version) if published else None, record.key)

    async def on_membership(self, tx: Tx, record: Record) -> None:
        """Keeps the membership; what its organization may see may have changed."""
        before = await access.organization_of_membership(tx, record.key)
        if not await access.on_membership(tx, record):
            return
        event = cast(registry_pb2.MembershipEvent | None, record.message)
        for organization in {before, event.membership.organization if event else ""} - {""}:
            await self._proposing.reconsider(tx, organization)

    async def on_organization(self, tx: Tx, record: Record) -> None:
        """Keeps the organization; verified, a government department may see more."""
        if await access.on_organization(tx, record):
            await self._proposing.reconsider(tx, record.key)

    def _observe(self, record: Record) -> None:
        FRESHNESS.observe(max(0.0, (self._clock.now() - record.time).total_seconds()))


def _listing(record: Record) -> listing_pb2.Listing | None:
    return cast(listings_pb2.ListingEvent, record.message).listing if record.message else None
