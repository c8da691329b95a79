"""Listings 供需发布: what it offers, what it listens to, what it does by itself."""

from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from access.listeners import listeners
from access.register import Owner, ProjectedRegister
from alliance.listings.v1 import booking_service_pb2, listings_service_pb2, person_service_pb2
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from listings import rounds, store
from listings.bookings.rpc import Bookings
from listings.bookings.store import booking
from listings.people import People
from listings.rpc import Listings, scopes_of
from listings.settings import ListingsSettings
from listings.standing import Standing


class ListingsParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owner = Owner(context.channel(context.settings.registry_target))
        self._authority = Authority(ProjectedRegister(), scopes_of, self._owner)

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """Listings with their rounds, the persons behind them, bookings."""
        return [
            Offer(
                listings_service_pb2.DESCRIPTOR.services_by_name["ListingsService"],
                Listings(self._authority, Standing(self._owner)),
            ),
            Offer(person_service_pb2.DESCRIPTOR.services_by_name["PeopleService"], People(self._authority)),
            Offer(booking_service_pb2.DESCRIPTOR.services_by_name["BookingsService"], Bookings(self._authority)),
        ]

    def listens(self) -> Sequence[Listen]:
        """The register's facts."""
        return listeners()

    def tasks(self) -> Sequence[Task]:
        """Expiry of listings, opening and closing of rounds."""
        return [sweep(self.context, "service:listings", rounds.sweep)]

    async def due_work(self, tx: Tx) -> int:
        """What the sweep has not got to yet."""
        return await rounds.due(tx)


_AGGREGATES = (store.listing, store.round_, store.silence, booking)
SERVICE = Service("listings", ListingsSettings, Path(__file__).parent.parent / "migrations", ListingsParts, _AGGREGATES)
