"""Reporting 报送: what it offers, what it listens to, what it does by itself."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from access.authority import Authority
from access.register import Owner, ProjectedRegister
from alliance.reporting.v1 import reporting_service_pb2
from chassis.counting import counting
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from reporting import deadlines, events, metrics, store
from reporting.compiling import Compiler
from reporting.rpc import Reporting, scopes_of
from reporting.settings import ReportingSettings


class ReportingParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owner = Owner(context.channel(context.settings.registry_target))
        self._authority = Authority(ProjectedRegister(), scopes_of, self._owner)

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """`ReportingService`."""
        descriptor = reporting_service_pb2.DESCRIPTOR.services_by_name["ReportingService"]
        return [Offer(descriptor, Reporting(Compiler(ProjectedRegister(), self._owner, self.context.settings)))]

    def listens(self) -> Sequence[Listen]:
        """Everything that a report counts, and the register's facts."""
        return events.listens()

    def tasks(self) -> Sequence[Task]:
        """Deadlines by the business clock; how many there are, and what each alliance has."""
        days = self.context.settings.report_due_days
        return [
            sweep(self.context, "service:reporting", partial(deadlines.sweep, report_days=days)),
            counting(self.context.database, metrics.DEADLINES, store.DEADLINES, str, str),
            counting(self.context.database, metrics.ALLIANCES, store.ALLIANCES, str, str, str),
        ]

    async def due_work(self, tx: Tx) -> int:
        """What the sweep has not got to yet."""
        return await deadlines.due(tx)


_AGGREGATES = (store.deadline, store.report)
SERVICE = Service("reporting", ReportingSettings, Path(__file__).parent.parent / "migrations", ReportingParts, _AGGREGATES)
