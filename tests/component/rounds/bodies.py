"""A body with its members and rounds, and a clock that is where a test wants it, on a database of their own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from access.listeners import on_body
from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import round_pb2
from alliance.registry.v1 import body_pb2, events_pb2, organization_pb2
from chassis.ids import resource
from listings import changes
from listings.changes import Change
from listings.domain.names import RoundChange, RoundKind, State
from listings.mapping import content_hash, message_of, written
from listings.rounds import changes as rounds
from listings.rounds import store
from listings.rounds.mapping import entry_message
from listings.rounds.store import WantedEntries
from listings.rpc import saw
from listings.store import get as listing_of
from tests.component.conftest import CAUSE, Probe

ENTERPRISE, UNIVERSITY, TASK_FORCE = (
    organization_pb2.ORG_TYPE_ENTERPRISE,
    organization_pb2.ORG_TYPE_UNIVERSITY,
    organization_pb2.ORG_TYPE_TASK_FORCE,
)
_EVERYTHING = Viewer(platform=True)
ADDED, REVISED, KEPT, REMOVED = (int(change) for change in RoundChange)


def noon(year: int, month: int, day: int) -> datetime:
    """Noon in Shanghai."""
    return datetime(year, month, day, 4, tzinfo=UTC)


class Body:
    """A formed body with members, in the probe's database."""

    def __init__(self, probe: Probe, kind: int) -> None:
        self.probe, self.kind, self.name = probe, kind, resource("bodies")

    async def formed(self, on: str = "2025-06-01") -> "Body":
        self.formed_on = on
        formed = (self.name, self.kind, body_pb2.BODY_STATE_FORMED, on)
        await self.probe.rows("INSERT INTO access_body VALUES ($1, '', $2, $3, $4, '', '', '{}')", *formed)
        return self

    async def suspended(self, on: str, until: str = "") -> "Body":
        """Suspended on a day, and resumed on another where one is given, as it is heard from registry."""
        state = body_pb2.BODY_STATE_FORMED if until or not on else body_pb2.BODY_STATE_SUSPENDED
        said = body_pb2.Body(name=self.name, kind=self.kind, state=state, formed_on=self.formed_on)  # type: ignore[arg-type]
        said.suspended_on, said.resumed_on = on, until
        async with self.probe.database.transaction(CAUSE) as tx:
            await on_body(tx, cast(Any, SimpleNamespace(message=events_pb2.BodyEvent(body=said))))
        return self

    async def member(self, org_type: int) -> str:
        name = resource("organizations")
        await self.probe.rows("INSERT INTO access_organization VALUES ($1, '', $2, true, '', '')", name, org_type)
        await self.probe.rows(
            "INSERT INTO access_membership VALUES ($1, $2, $3, '{}', '2025-01-01', NULL)",
            *(f"{self.name}/memberships/{name[-12:]}", self.name, name),
        )
        return name

    async def sweep(self, at: datetime) -> None:
        while True:
            async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
                if not await rounds.sweep(tx):
                    return

    async def publish(self, at: datetime, issuer: str, kind: int, *, until: str = "2029-12-31", **details: Any) -> str:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            content = pb.Listing(issuer=issuer, kind=kind, title="某项", bodies=[self.name], quantity=1, **details)  # type: ignore[arg-type]
            content.visibility, content.valid_to = content.visibility or pb.VISIBILITY_PUBLIC, until
            (draft,) = await changes.save(tx, [changes.created(content, content_hash(content))])
            (row,) = await changes.save(tx, [changes.taken(draft, "publish", "published")])
            return row.name

    async def take(self, at: datetime, name: str, verb: str, past: str) -> None:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await listing_of(tx, name, lock=True)
            assert row
            await changes.save(tx, [changes.taken(row, verb, past)])

    async def revise(self, at: datetime, name: str, *, leave: bool = False, title: str = "改过的某项") -> None:
        """Another title, or out of every body."""
        await self._revise(at, name, "bodies" if leave else "title", [] if leave else title)

    async def show(self, at: datetime, name: str, visibility: int) -> None:
        """For other eyes."""
        await self._revise(at, name, "visibility", visibility)

    async def undated(self, at: datetime, name: str, title: str) -> None:
        """Another title without dates, as a row that says none is imported: they are filled in anew."""
        await self._revise(at, name, "title", title, dated=False)

    async def join(self, at: datetime, name: str) -> None:
        """Let a listing name this body alone."""
        await self._revise(at, name, "bodies", [self.name])

    async def _revise(self, at: datetime, name: str, field: str, value: object, *, dated: bool = True) -> None:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await listing_of(tx, name, lock=True)
            assert row
            bare = written(message_of(row))
            bare.ClearField(field)  # type: ignore[arg-type]
            bare.MergeFrom(pb.Listing(**{field: value}))  # type: ignore[arg-type]
            if not dated:
                bare.valid_from = bare.valid_to = ""
            await changes.save(tx, [Change(row, bare, State.PUBLISHED, "revised", content_hash(bare), [field])])

    async def seen(self, viewer: Viewer, kind: RoundKind, period: str) -> set[str]:
        """What somebody sees of a closed round."""
        return {entry.listing.name for entry in await self.told(viewer, kind, period) if entry.version}

    async def told(
        self, viewer: Viewer, kind: RoundKind, period: str, changes: Sequence[int] = ()
    ) -> list[round_pb2.RoundEntry]:
        """What somebody is told by a closed round, of some changes."""
        return [entry_message(one) for one in await self.entries(kind, period, viewer, changes)]

    async def entries(
        self, kind: RoundKind, period: str, viewer: Viewer = _EVERYTHING, changes: Sequence[int] = ()
    ) -> list[store.Entry]:
        """What a closed round tells."""
        name = await self.round(kind, period)
        async with self.probe.database.transaction(CAUSE, read_only=True) as tx:
            row = await store.get(tx, name)
            assert row
            return await store.entries(tx, WantedEntries(row, changes), saw(viewer), "", 100)

    async def rounds(self, kind: RoundKind) -> list[tuple[str, int]]:
        """Period and state."""
        query = "SELECT period, state FROM round WHERE body = $1 AND kind = $2 ORDER BY period"
        return [tuple(row) for row in await self.probe.rows(query, self.name, kind)]

    async def round(self, kind: RoundKind, period: str) -> str:
        query = "SELECT name FROM round WHERE body = $1 AND kind = $2 AND period = $3"
        return str((await self.probe.rows(query, self.name, kind, period))[0]["name"])

    async def compile(self, at: datetime, kind: RoundKind, period: str) -> None:
        async with self.probe.database.transaction(CAUSE._replace(effective_at=at)) as tx:
            row = await store.get_locked(tx, await self.round(kind, period))
            assert row
            await rounds.compile_now(tx, row)

    async def holds(self, kind: RoundKind, period: str) -> dict[str, int]:
        """Listing → what became of it."""
        return {row.listing: row.change for row in await self.entries(kind, period)}

    async def states(self, kind: RoundKind, period: str) -> dict[str, int]:
        """Listing → its state as it is frozen, which its content says too."""
        found = await self.entries(kind, period)
        assert [pb.Listing.FromString(row.content).state for row in found] == [row.state for row in found]
        return {row.listing: row.state for row in found}

    async def silent(self, kind: RoundKind, period: str) -> list[tuple[str, str]]:
        name = await self.round(kind, period)
        query = "SELECT organization, last_round FROM silence WHERE round = $1 ORDER BY organization"
        return [tuple(row) for row in await self.probe.rows(query, name)]
