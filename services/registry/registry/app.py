"""Registry 成员库: what it offers and does by itself; it listens to nobody."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from access.authority import Authority
from alliance.registry.v1 import registry_service_pb2
from chassis.database import Cause
from chassis.service import Context, Offer, Parts, Service, Task
from registry import store
from registry.changes import bootstrap
from registry.register import OwnRegister, scopes_of
from registry.rpc import Registry
from registry.settings import RegistrySettings


class RegistryParts(Parts):
    """The parts of this service."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(OwnRegister(), scopes_of, owner=None)

    def authoriser(self) -> Authority:
        """Decides by its own tables."""
        return self._authority

    def offers(self) -> Sequence[Offer]:
        """`RegistryService`."""
        descriptor = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"]
        return [Offer(descriptor, Registry(self._authority))]

    def tasks(self) -> Sequence[Task]:
        """The first platform grant."""
        return [self._bootstrap]

    async def _bootstrap(self) -> None:
        if principal := self.context.settings.bootstrap_admin_sub:
            async with self.context.database.transaction(Cause("service:registry", reason="bootstrap")) as tx:
                await bootstrap(tx, principal)
        await asyncio.Event().wait()


_AGGREGATES = (store.organization, store.body, store.membership, store.grant)
SERVICE = Service("registry", RegistrySettings, Path(__file__).parent.parent / "migrations", RegistryParts, _AGGREGATES)
