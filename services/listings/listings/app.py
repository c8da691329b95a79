"""Listings 供需发布: what it offers, what it listens to, what it does by itself."""

from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from access.listeners import listeners
from access.register import Owner, ProjectedRegister
from alliance.listings.v1 import feed_service_pb2, listings_service_pb2
from chassis import outgoing
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from listings import rounds, rpc, store
from listings.feeds import rpc as feeds
from listings.feeds import store as feed_store
from listings.feeds.exchanging import AT_ONCE, Exchanging
from listings.feeds.giving import Giving
from listings.feeds.http import HttpPeer
from listings.feeds.mappings import Mappings
from listings.feeds.taking import Taking
from listings.settings import ListingsSettings
from listings.standing import Standing


class ListingsParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owner = Owner(context.channel(context.settings.registry_target))
        self._authority = Authority(ProjectedRegister(), _scopes_of, self._owner)
        self._standing = Standing(self._owner)
        self._mappings = Mappings(context.settings.feed_mappings)

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """`ListingsService` and `FeedService`."""
        settings: ListingsSettings = self.context.settings
        listings = listings_service_pb2.DESCRIPTOR.services_by_name["ListingsService"]
        feed = feed_service_pb2.DESCRIPTOR.services_by_name["FeedService"]
        made = feeds.Feeds(self._standing, self._mappings, allow_private=settings.allow_private_targets)
        return [
            Offer(listings, rpc.Listings(self._authority, self._standing)),
            Offer(feed, made, {"CreateFeed": made.reread}),
        ]

    def listens(self) -> Sequence[Listen]:
        """The register's facts."""
        return listeners()

    def tasks(self) -> Sequence[Task]:
        """Expiry of listings, opening and closing of rounds; exchanges with outside systems."""
        exchanging = self._exchanging()
        return [
            sweep(self.context, "service:listings", rounds.sweep),
            exchanging.run,
            lambda: exchanging.watch(self.context.clock),
        ]

    async def due_work(self, tx: Tx) -> int:
        """What the sweep has not got to yet."""
        return await rounds.due(tx)

    def _exchanging(self) -> Exchanging:
        context, settings = self.context, self.context.settings
        timeout: float = settings.feed_timeout
        client = outgoing.client(allow_private=settings.allow_private_targets, at_once=AT_ONCE, timeout=timeout)
        return Exchanging(
            context.database,
            Taking(context.database, self._standing, self._mappings),
            Giving(context.database),
            lambda url, secret: HttpPeer(client, context.system_clock, url, secret, timeout),
            timeout,
        )


async def _scopes_of(tx: Tx, resource: str) -> frozenset[str]:
    """Whose grants give authority over what this service has."""
    found = feeds.scopes_of if resource.startswith("feeds/") else rpc.scopes_of
    return await found(tx, resource)


_AGGREGATES = (store.listing, store.round_, feed_store.feed)
SERVICE = Service("listings", ListingsSettings, Path(__file__).parent.parent / "migrations", ListingsParts, _AGGREGATES)
