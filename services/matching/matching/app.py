"""Matching 匹配: what it offers, what it listens to, what it does by itself."""

from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from access.register import Owner, ProjectedRegister
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.matching.v1 import matching_service_pb2
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from matching import store
from matching.events import Events
from matching.proposing import Proposing
from matching.rpc import Matching, Scopes
from matching.settings import MatchingSettings


class MatchingParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: MatchingSettings = context.settings
        owner = Owner(context.channel(settings.registry_target))
        listings = ListingsServiceStub(context.channel(settings.listings_target)) if settings.listings_target else None
        self._authority = Authority(ProjectedRegister(), lambda tx, name: self._scopes.of(tx, name), owner)
        self._proposing = Proposing(self._authority, settings)
        self._scopes = Scopes(self._proposing.index, listings)

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """`MatchingService`."""
        descriptor = matching_service_pb2.DESCRIPTOR.services_by_name["MatchingService"]
        return [Offer(descriptor, Matching(self._authority, self._proposing))]

    def listens(self) -> Sequence[Listen]:
        """Listings, and the register's facts."""
        return Events(self._proposing, self.context.system_clock).listens()

    def tasks(self) -> Sequence[Task]:
        """Listings whose first day has come."""
        return [sweep(self.context, "service:matching", self._proposing.sweep)]

    async def due_work(self, tx: Tx) -> int:
        """A day that the sweep has not got to."""
        return await self._proposing.due(tx)


_AGGREGATES = (store.match,)
SERVICE = Service("matching", MatchingSettings, Path(__file__).parent.parent / "migrations", MatchingParts, _AGGREGATES)
