"""A service as its `app.py` declares it: a short list of what it offers, listens to and does by itself."""

import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from sqlalchemy import Table

from chassis.client import channel
from chassis.clock import BusinessClock, Clock
from chassis.database import Database, Tx
from chassis.handling import Listen
from chassis.rpc import Authoriser, Reread
from chassis.settings import ServiceSettings
from chassis.tls import Files
from chassis.vault import NoPapers, Papers

Task = Callable[[], Awaitable[None]]
"""Work that goes on until cancelled; when it raises it is begun again after a pause."""


@dataclass(frozen=True)
class Offer:
    """One gRPC service and the object whose methods are named like its RPCs.

    `reread` names the commands whose response must not be stored and how to read it anew from the resource's name.
    """

    descriptor: ServiceDescriptor
    implementation: object
    reread: Mapping[str, Reread] = field(default_factory=dict)


@dataclass
class Context:
    """What the parts of a service are built with."""

    settings: Any
    database: Database
    clock: BusinessClock
    system_clock: Clock
    plumbing: Database
    """The database for leases and the like: few connections of its own, for which no call has to wait."""

    def channel(self, target: str) -> grpc.aio.Channel:
        """A channel to another service, with this service's token and, where it has one, its certificate."""
        return channel(target, self.settings.service_token_file, Files.of(self.settings))


class Parts:
    """A service's parts, built once at its start; a service overrides what it has."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def authoriser(self) -> Authoriser:
        """Who decides on its calls."""
        raise NotImplementedError

    def offers(self) -> Sequence[Offer]:
        """What it offers by gRPC, beside health, reflection and the operator's services."""
        return []

    def listens(self) -> Sequence[Listen]:
        """What it listens to."""
        return []

    def tasks(self) -> Sequence[Task]:
        """What it does by itself."""
        return []

    def papers(self) -> Papers:
        """What it keeps of persons beside their records."""
        return NoPapers()

    async def due_work(self, tx: Tx) -> int:
        """How much is due by the business clock and not yet done."""
        return 0


@dataclass(frozen=True)
class Service:
    """A service: its name, its settings, its migrations and its parts."""

    name: str
    settings: type[ServiceSettings]
    migrations: Path
    parts: Callable[[Context], Parts]
    aggregates: Sequence[Table] = ()
    """Tables of the aggregates whose events it writes, each with `name` and `version`."""

    @property
    def version(self) -> str:
        """Its package's; 0 for a service that is none."""
        declared = self.migrations.parent / "pyproject.toml"
        if not declared.exists():
            return "0"
        return str(tomllib.loads(declared.read_text(encoding="utf-8"))["project"]["version"])
