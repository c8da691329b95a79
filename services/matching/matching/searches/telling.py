"""Who has saved a search that a listing has come to meet is told of it, once, in the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from access.authority import Authority
from chassis.database import Cause, Database, Tx
from matching.domain.facts import Facts
from matching.domain.pairs import STAMP
from matching.domain.saved import anchors, meets
from matching.entry import Entry
from matching.index import Index
from matching.proposing import Viewers
from matching.searches import store
from matching.searches.mapping import found_of, offered_of, wanted_of

_TOGETHER = 500  # searches whose anchors are renewed in one transaction


class Telling:
    """Tells by the index."""

    def __init__(self, authority: Authority, index: Index) -> None:
        self._authority = authority
        self._index = index

    async def tell(self, tx: Tx, name: str, shares: frozenset[int], changed_at: datetime) -> None:
        """Tell the searches of some shares that a listing, as the index has it, has come to meet since it changed.

        What it met before and meets no more is told again when it comes to meet it again.
        """
        known = self._index.known(name)
        told = await store.met_by(tx, name, shares)
        if not isinstance(known, Entry):
            await store.lose(tx, name, told)
            return
        offered = offered_of(known)
        candidates = await store.may_meet(tx, offered, shares, changed_at)
        meeting = [row for row in candidates if meets(wanted_of(row), offered)]
        seeing = await self._seeing(tx, known.facts, meeting)
        await store.lose(tx, name, told - seeing)
        await store.tell(tx, seeing - told, found_of(known))

    async def renew(self, database: Database, actor: str) -> None:
        """Make the anchors of all searches anew that another version of the algorithm made, which may cut words otherwise."""
        while True:
            async with database.transaction(Cause(actor)) as tx:
                rows = await store.stale(tx, STAMP, _TOGETHER)
                await store.renew(tx, STAMP, {row.name: anchors(wanted_of(row)) for row in rows})
            if len(rows) < _TOGETHER:
                return

    async def _seeing(self, tx: Tx, facts: Facts, rows: Iterable[Any]) -> frozenset[str]:
        """Those of organizations that may see the listing, also by what is newer than the index; nobody has to be told of its
        own.
        """
        viewers = Viewers(tx, self._authority)
        others = [row for row in rows if row.organization != facts.issuer]
        return frozenset({row.name for row in others if await self._sees(viewers, row.organization, facts)})

    async def _sees(self, viewers: Viewers, organization: str, facts: Facts) -> bool:
        if not await viewers.sees(organization, facts):
            return False
        newer = self._index.newer
        return not newer or newer.allows(await viewers.of(organization), facts.name)
