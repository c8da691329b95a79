"""Matching 匹配: what it offers, what it listens to, what it does by itself."""

import logging
import signal
from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from access.register import Owner, ProjectedRegister
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.matching.v1 import matching_service_pb2, review_service_pb2, search_service_pb2, statistics_service_pb2
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from matching import store
from matching.ahead import Ahead
from matching.embedder import Child
from matching.embedding import embedder
from matching.events import Events
from matching.following import Following
from matching.index import Index
from matching.meanings import Asking, Meanings
from matching.proposing import Proposing
from matching.reviews.overdue import Overdue
from matching.reviews.rpc import Reviews
from matching.reviews.store import review
from matching.rpc import Matching, Scopes
from matching.scoring import Scoring
from matching.searches.rpc import Searches
from matching.searches.store import saved_search
from matching.searches.telling import Telling
from matching.settings import MatchingSettings
from matching.shares import Shares
from matching.snapshot import Snapshots
from matching.statistics import Statistics

log = logging.getLogger(__name__)


class MatchingParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: MatchingSettings = context.settings
        owner = Owner(context.channel(settings.registry_target))
        listings = ListingsServiceStub(context.channel(settings.listings_target)) if settings.listings_target else None
        self._authority = Authority(ProjectedRegister(), lambda tx, name: self._scopes.of(tx, name), owner)
        by = embedder(settings.sentence_model)
        self._model = by.name
        self._index = Index(by.size)
        self._scopes = Scopes(self._index, listings)
        child = Child(settings.sentence_model, by.size)
        self._asking = Asking(Child(settings.sentence_model, by.size), by.size)
        self._shares = Shares(settings.slot, context.plumbing)
        meanings = Meanings(child, by.name, by.size, context.plumbing, self._shares.falls_here)
        self._snapshots = Snapshots(settings.index_folder, by.name, self._index) if settings.index_folder else None
        load = self._snapshots.load if self._snapshots else _nothing
        self._following = Following(self._index, meanings, self._shares, load, context.plumbing)
        self._overdue = Overdue()
        proposing = Proposing(self._authority, self._index, settings)
        self._scoring = Scoring(
            self._following, self._shares, proposing, Telling(self._authority, self._index), context.database
        )

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """Matches with search, their reviews and figures, and saved searches."""
        days = self.context.settings.match_review_days
        reviews = Reviews(self._authority, self._index, self._model, days, self._following.require_all)
        matching = Matching(self._authority, self._index, self._asking, self._following.require_all)
        return [
            Offer(matching_service_pb2.DESCRIPTOR.services_by_name["MatchingService"], matching),
            Offer(review_service_pb2.DESCRIPTOR.services_by_name["ReviewsService"], reviews),
            Offer(search_service_pb2.DESCRIPTOR.services_by_name["SearchesService"], Searches(self._authority, self._index)),
            Offer(statistics_service_pb2.DESCRIPTOR.services_by_name["StatisticsService"], Statistics()),
        ]

    def listens(self) -> Sequence[Listen]:
        """Listings, and the register's facts."""
        return Events(self._following, Ahead(self._index)).listens()

    def tasks(self) -> Sequence[Task]:
        """Scoring of its shares, keeping the index, ending without it, having searches' child ready for the first, and telling
        of overdue reviews.
        """
        overdue = sweep(self.context, "service:matching", self._overdue.sweep)
        kept = [self._keep_index] if self._snapshots else []
        return [self._scoring.run, self._end_without_index, self._asking.begin, overdue, *kept]

    async def _keep_index(self) -> None:
        if self._snapshots:
            await self._snapshots.keep(self._following)

    async def _end_without_index(self) -> None:
        """End as if told to: whoever started this process starts it again, and it reads what it has not from the topic. Until
        it has all, health says so, which a process that filled its index anew could not.
        """
        await self._index.lost.wait()
        log.error("index: lost; ending, to begin anew")
        signal.raise_signal(signal.SIGTERM)

    async def due_work(self, tx: Tx) -> int:
        """What is not scored yet, and the overdue reviews that nobody was told of yet."""
        return await self._scoring.due(tx) + await self._overdue.due(tx)


def _nothing(_: str) -> dict[int, int]:
    return {}


_AGGREGATES = (store.match, review, saved_search)
SERVICE = Service("matching", MatchingSettings, Path(__file__).parent.parent / "migrations", MatchingParts, _AGGREGATES)
