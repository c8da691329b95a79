"""From a changed listing to its matches: index, candidates, plan, and what is written, in the listing's transaction.

One transaction at a time proposes, since what it sees of the index has to hold until it commits; what it changes in the
index becomes visible to others when it has committed, and never if it is rolled back.
"""

import asyncio
from collections.abc import Iterable

from access.authority import Authority
from access.visibility import Viewer, may_see
from alliance.listings.v1 import listing_pb2
from chassis.clock import business_date
from chassis.database import Tx
from matching import metrics, store
from matching.domain import plan as planning
from matching.domain import score
from matching.domain.facts import Facts
from matching.domain.life import OPEN, Change, Verb
from matching.domain.plan import Day
from matching.index import Draft, Entry, Index
from matching.search import Search
from matching.settings import MatchingSettings


class Proposing:
    """Keeps the index and proposes matches."""

    def __init__(self, authority: Authority, settings: MatchingSettings) -> None:
        self._authority = authority
        self._settings = settings
        self._turn = asyncio.Lock()
        self._draft: tuple[Tx, Draft] | None = None
        self.index = Index()
        self.search = Search(self.index)

    def recall(self, entry: Entry | None, name: str) -> None:
        """What had its effect before: into the index and nothing else; None for a listing that is not published."""
        if entry is None:
            self.index.remove(name)
            self.search.remove(name)
        else:
            self.index.put(entry)
            self.search.put(entry)

    async def put(self, tx: Tx, entry: Entry) -> None:
        """A listing was published or revised."""
        draft = await self._drafted(tx)
        await self._plan(tx, draft, entry.facts)
        draft.put(entry)
        tx.on_commit(lambda: self.recall(entry, entry.facts.name))

    async def remove(self, tx: Tx, name: str, state: int) -> None:
        """A listing is published no more: its open matches end."""
        draft = await self._drafted(tx)
        matches = await store.of_listing(tx, name)
        word = listing_pb2.ListingState.Name(state).removeprefix("LISTING_STATE_")  # type: ignore[arg-type]
        await store.write(tx, planning.close(matches, word, tx.now))
        draft.remove(name)
        tx.on_commit(lambda: self.recall(None, name))

    async def reconsider(self, tx: Tx, organization: str) -> None:
        """What an organization may see has changed: its listings are judged anew."""
        draft = await self._drafted(tx)  # first: a listing that is being indexed right now was judged without this change
        if not self.index.has_issuer(organization):
            return
        for facts in draft.where(lambda facts: facts.issuer == organization):
            await self._plan(tx, draft, facts)

    async def sweep(self, tx: Tx) -> int:
        """Listings whose first day has come meet their partners; says whether there was a new day."""
        today, swept = business_date(tx.now), await store.swept_on(tx)
        if swept >= today:
            return 0
        draft = await self._drafted(tx)
        beginning = draft.where(lambda facts: swept < facts.valid_from <= today)
        # At the very first sweep every listing has been planned on the day it came.
        for facts in beginning if swept.year > 1 else []:
            await self._plan(tx, draft, facts)
        await store.set_swept(tx, today)
        return 1

    async def due(self, tx: Tx) -> int:
        """Whether a day has begun that the sweep has not got to."""
        return int(await store.swept_on(tx) < business_date(tx.now))

    async def _drafted(self, tx: Tx) -> Draft:
        """The index as this transaction sees it; waits for its turn."""
        if self._draft is None or self._draft[0] is not tx:
            await self._turn.acquire()
            self._draft = (tx, Draft(self.index))
            tx.on_end(self._finish)
        return self._draft[1]

    def _finish(self) -> None:
        self._draft = None
        self._turn.release()

    async def _plan(self, tx: Tx, draft: Draft, facts: Facts) -> None:
        day = Day(tx.now, business_date(tx.now), self._settings.match_threshold)
        viewers = _Viewers(tx, self._authority)
        matches = {match.partner(facts.name): match for match in await store.of_listing(tx, facts.name)}
        able = score.best(facts, draft.candidates(facts), day.today, day.threshold, self._settings.match_candidates)
        chosen = [other for other in able if await viewers.see_each_other(facts, other)][: self._settings.match_best]
        names = {other.name for other in chosen}
        others, gone = _others(draft, [name for name, match in matches.items() if match.state in OPEN and name not in names])
        hidden = {other.name for other in others if not await viewers.see_each_other(facts, other)}
        changes: list[Change] = planning.plan(facts, chosen, others, hidden, matches, day)
        changes += planning.close([matches[name] for name in gone], "WITHDRAWN", tx.now)
        await store.write(tx, changes)
        proposed = sum(change.verb is Verb.PROPOSED for change in changes)
        tx.on_commit(lambda: metrics.PROPOSALS.observe(proposed))


def _others(draft: Draft, names: Iterable[str]) -> tuple[list[Facts], list[str]]:
    """Facts of listings that are still published, and names of those that are not."""
    found, gone = [], []
    for name in sorted(names):
        entry = draft.get(name)
        if entry is None:
            gone.append(name)
        else:
            found.append(entry.facts)
    return found, gone


class _Viewers:
    """What issuers may see of each other, each asked for once a transaction."""

    def __init__(self, tx: Tx, authority: Authority) -> None:
        self._tx = tx
        self._authority = authority
        self._known: dict[str, Viewer] = {}

    async def see_each_other(self, one: Facts, other: Facts) -> bool:
        """Whether each issuer may see the other's listing."""
        return await self._sees(one.issuer, other) and await self._sees(other.issuer, one)

    async def _sees(self, organization: str, facts: Facts) -> bool:
        if facts.visibility == listing_pb2.VISIBILITY_PUBLIC:
            return True
        if organization not in self._known:
            self._known[organization] = await self._authority.viewer_of(self._tx, organization)
        return may_see(
            self._known[organization],
            issuer=facts.issuer,
            bodies=facts.bodies,
            visibility=facts.visibility,
            state=listing_pb2.LISTING_STATE_PUBLISHED,
        )
