"""Registry 成员库: what it offers and does by itself; it listens to nobody."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from alliance.registry.v1 import registry_service_pb2
from chassis.clock import business_date
from chassis.database import Cause, Tx
from chassis.service import Context, Offer, Parts, Service, Task
from chassis.sweep import sweep
from registry import store
from registry.changes import bootstrap
from registry.domain.limits import limits
from registry.judging import Judge
from registry.register import OwnRegister, scopes_of
from registry.rpc import Registry
from registry.settings import RegistrySettings

_SELF = "service:registry"


class RegistryParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(OwnRegister(), scopes_of, owner=None)
        self._judge = Judge(limits(context.settings.policy_limits))

    def authoriser(self) -> Authority:
        """Decides by its own tables."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """`RegistryService`."""
        descriptor = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"]
        return [Offer(descriptor, Registry(self._authority, self._judge))]

    def tasks(self) -> Sequence[Task]:
        """The first platform grant; what the rules say of every body, day by day."""
        return [self._bootstrap, self._judging]

    async def due_work(self, tx: Tx) -> int:
        """Bodies that nobody has looked at today."""
        return await store.count_unchecked(tx, business_date(tx.now))

    async def _bootstrap(self) -> None:
        if principal := self.context.settings.bootstrap_admin_sub:
            async with self.context.database.transaction(Cause(_SELF, reason="bootstrap")) as tx:
                await bootstrap(tx, principal)
        await asyncio.Event().wait()

    async def _judging(self) -> None:
        async with self.context.database.transaction(Cause(_SELF, reason="rules and thresholds in force")) as tx:
            await self._judge.begin(tx)
        await sweep(self.context, _SELF, self._judge.sweep)()


_AGGREGATES = (store.organization, store.body, store.membership, store.grant)
SERVICE = Service("registry", RegistrySettings, Path(__file__).parent.parent / "migrations", RegistryParts, _AGGREGATES)
