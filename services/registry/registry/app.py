"""Registry 成员库: what it offers and does by itself; it listens to nobody."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from alliance.registry.v1 import application_service_pb2, document_service_pb2, registry_service_pb2
from chassis.clock import business_date
from chassis.counting import counting
from chassis.database import Cause, Tx
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from registry import checks, metrics, store
from registry.applications import documents, taking
from registry.applications import store as applications
from registry.applications.clearing import clearing, tidying
from registry.applications.documents import Documents
from registry.applications.judging import ApplicationJudge
from registry.applications.objects import ObjectStore
from registry.applications.papers import CandidatePapers
from registry.applications.rpc import Applications
from registry.applications.scanning import Clamd, NoScanner, Scanner
from registry.changes import bootstrap
from registry.domain.limits import limits
from registry.domain.names import BodyKind, BodyState
from registry.judging import Judge
from registry.register import OwnRegister, scopes_of
from registry.rpc import Registry
from registry.settings import RegistrySettings

_SELF = "service:registry"
_MOST_DUE = 1000  # applications that are counted as due


class RegistryParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(OwnRegister(), scopes_of, owner=None)
        self._judge = Judge(limits(context.settings.policy_limits))
        self._applications = ApplicationJudge(self._judge)
        self._taking = taking.Taking(self._authority, self._judge)

    def authoriser(self) -> Authority:
        """Decides by its own tables."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """The register, applications, documents."""
        objects = ObjectStore(self.context.settings.objects_url)
        served = Documents(self._authority, objects, _scanner(self.context.settings.clamd))
        return [
            Offer(registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"], Registry(self._authority, self._judge)),
            Offer(
                application_service_pb2.DESCRIPTOR.services_by_name["ApplicationService"],
                Applications(self._authority, self._taking, served, CandidatePapers()),
            ),
            Offer(document_service_pb2.DESCRIPTOR.services_by_name["DocumentService"], served),
        ]

    def papers(self) -> CandidatePapers:
        """Papers of candidates."""
        return CandidatePapers()

    def tasks(self) -> Sequence[Task]:
        """The first platform grant; what the rules say of every body and application, day by day; what a deadline does;
        contents of erased documents, and documents that nothing has used; how many bodies.
        """
        return [
            self._bootstrap,
            self._judging,
            self._judging_applications,
            sweep(self.context, _SELF, self._lapse),
            clearing(self.context, ObjectStore(self.context.settings.objects_url)),
            tidying(self.context),
            counting(self.context.database, metrics.BODIES, store.BODIES, BodyKind, BodyState),
        ]

    async def _lapse(self, tx: Tx) -> int:
        return await taking.sweep(tx, self._taking)

    async def due_work(self, tx: Tx) -> int:
        """Bodies that nobody has looked at today; applications whose last day has passed or is near, or of which a day has
        changed what the rules say; erased documents whose contents are left.
        """
        today = business_date(tx.now)
        due = [*await applications.overdue(tx, today, _MOST_DUE), *await applications.to_remind(tx, today, _MOST_DUE)]
        due += await applications.turning(tx, today, _MOST_DUE)
        return await checks.count_unchecked(tx, today) + len(due) + await documents.count_uncleared(tx)

    async def _bootstrap(self) -> None:
        if principal := self.context.settings.bootstrap_admin_sub:
            async with self.context.database.transaction(Cause(_SELF, reason="bootstrap")) as tx:
                await bootstrap(tx, principal)
        await asyncio.Event().wait()

    async def _judging(self) -> None:
        async with self.context.database.transaction(Cause(_SELF, reason="rules and thresholds in force")) as tx:
            await self._judge.begin(tx)
        await sweep(self.context, _SELF, self._judge.sweep)()

    async def _judging_applications(self) -> None:
        async with self.context.database.transaction(Cause(_SELF, reason="rules and thresholds in force")) as tx:
            await self._applications.begin(tx)
        await sweep(self.context, _SELF, self._applications.sweep)()


def _scanner(address: str) -> Scanner:
    host, _, port = address.rpartition(":")
    return Clamd(host, int(port)) if host else NoScanner()


_AGGREGATES = (
    store.organization,
    store.body,
    store.membership,
    store.grant,
    applications.call,
    applications.application,
)
SERVICE = Service("registry", RegistrySettings, Path(__file__).parent.parent / "migrations", RegistryParts, _AGGREGATES)
