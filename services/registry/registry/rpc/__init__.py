"""The RPCs of the register, an aggregate a module: thin; rules are in `domain`, rows and events in `changes` and `store`."""

from registry.rpc.bodies import Bodies
from registry.rpc.grants import Grants
from registry.rpc.memberships import Memberships
from registry.rpc.organizations import Organizations


class Registry(Organizations, Bodies, Memberships, Grants):
    """`alliance.registry.v1.RegistryService`."""
