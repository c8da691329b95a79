"""Notify 通知: what it offers, what it listens to, what it does by itself."""

from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from access.register import Owner, ProjectedRegister
from alliance.notify.v1 import notify_service_pb2
from chassis.counting import counting
from chassis.database import Tx
from chassis.handling import Listen
from chassis.service import Context, Offer, Parts, Service, Task
from notify import metrics, store
from notify.audience import Rights
from notify.delivering import Delivering
from notify.events import Events
from notify.rpc import Notify, scopes_of
from notify.settings import NotifySettings


class NotifyParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        owner = Owner(context.channel(context.settings.registry_target))
        self._authority = Authority(ProjectedRegister(), scopes_of, owner)
        self._rights = Rights(self._authority)

    def authoriser(self) -> Authority:
        """Decides by the projected register."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """`NotifyService`; the answer that holds a secret is not stored."""
        descriptor = notify_service_pb2.DESCRIPTOR.services_by_name["NotifyService"]
        notify = Notify(self.context.settings)
        return [Offer(descriptor, notify, {"CreateSubscription": notify.reread})]

    def listens(self) -> Sequence[Listen]:
        """Everything that can be subscribed to, and the register's facts."""
        return Events(self._rights).listens()

    def tasks(self) -> Sequence[Task]:
        """Sends mails and webhooks; how many have not arrived."""
        context = self.context
        return [
            Delivering(context.database, self._rights, context.settings, context.system_clock).run,
            counting(context.database, metrics.OPEN, store.OPEN, store.OPEN_STATES.__getitem__),
        ]

    async def due_work(self, tx: Tx) -> int:
        """Deliveries to be tried at once."""
        return await store.count_due(tx)


_AGGREGATES = (store.subscription, store.delivery)
SERVICE = Service("notify", NotifySettings, Path(__file__).parent.parent / "migrations", NotifyParts, _AGGREGATES)
