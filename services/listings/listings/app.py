"""Listings 供需发布: what it offers, what it listens to, what it does by itself."""

from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from access.listeners import listeners
from access.register import Owner, ProjectedRegister
from alliance.listings.v1 import booking_service_pb2, feed_service_pb2, listings_service_pb2, person_service_pb2
from chassis import outgoing
from chassis.counting import counting
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from listings import metrics, store
from listings.bookings import changes as bookings
from listings.bookings.rpc import Bookings
from listings.bookings.store import booking
from listings.domain.names import Kind, State
from listings.feeds.exchanging import AT_ONCE, Exchanging
from listings.feeds.giving import Giving
from listings.feeds.http import HttpPeer
from listings.feeds.mappings import Mappings
from listings.feeds.rpc import Feeds
from listings.feeds.store import feed
from listings.feeds.taking import Taking
from listings.people import Mentions, People
from listings.rounds import changes as rounds
from listings.rounds.store import round_, silence
from listings.rpc import Listings, scopes_of
from listings.settings import ListingsSettings
from listings.standing import Standing


class ListingsParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owner = Owner(context.channel(context.settings.registry_target))
        self._authority = Authority(ProjectedRegister(), scopes_of, self._owner)
        self._standing = Standing(self._owner)
        self._mappings = Mappings(context.settings.feed_mappings)

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """Listings with their rounds, the persons behind them, bookings, feeds."""
        settings = self.context.settings
        feeds = Feeds(
            self._standing,
            self._mappings,
            allow_private=settings.allow_private_targets,
            networks=settings.private_networks,
        )
        secret = {"CreateFeed": feeds.reread, "RotateFeedSecret": feeds.reread}
        return [
            Offer(
                listings_service_pb2.DESCRIPTOR.services_by_name["ListingsService"],
                Listings(self._authority, self._standing),
            ),
            Offer(person_service_pb2.DESCRIPTOR.services_by_name["PeopleService"], People(self._authority, self._standing)),
            Offer(
                booking_service_pb2.DESCRIPTOR.services_by_name["BookingsService"], Bookings(self._authority, self._standing)
            ),
            Offer(feed_service_pb2.DESCRIPTOR.services_by_name["FeedsService"], feeds, secret),
        ]

    def listens(self) -> Sequence[Listen]:
        """The register's facts."""
        return listeners()

    def papers(self) -> Mentions:
        """Texts that name somebody of whom a record is erased."""
        return Mentions()

    def tasks(self) -> Sequence[Task]:
        """Expiry of listings, rounds and bookings that fall due; exchanges with outside systems; how many listings."""
        exchanging = self._exchanging()
        return [
            sweep(self.context, "service:listings", rounds.sweep),
            sweep(self.context, "service:listings", lambda tx: bookings.sweep(tx, self._standing)),
            exchanging.run,
            lambda: exchanging.watch(self.context.clock),
            counting(self.context.database, metrics.LISTINGS, store.LISTINGS, Kind, State),
        ]

    async def due_work(self, tx: Tx) -> int:
        """What the sweep has not got to yet."""
        return await rounds.due(tx) + await bookings.due(tx)

    def _exchanging(self) -> Exchanging:
        context, settings = self.context, self.context.settings
        timeout: float = settings.feed_timeout
        client = outgoing.client(
            allow_private=settings.allow_private_targets,
            networks=settings.private_networks,
            at_once=AT_ONCE,
            timeout=timeout,
        )
        return Exchanging(
            context.database,
            Taking(context.database, self._standing, self._mappings),
            Giving(context.database),
            lambda url, secrets: HttpPeer(client, context.system_clock, url, secrets, timeout),
            timeout,
        )


_AGGREGATES = (store.listing, round_, silence, booking, feed)
SERVICE = Service("listings", ListingsSettings, Path(__file__).parent.parent / "migrations", ListingsParts, _AGGREGATES)
