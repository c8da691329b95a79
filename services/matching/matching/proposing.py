"""From a changed listing to its matches: index, candidates, plan, and what is written, in the listing's transaction.

One transaction at a time proposes, since what it sees of the index has to hold until it commits; what it changes in the
index becomes visible to others when it has committed, and never if it is rolled back.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from access.authority import Authority
from access.visibility import Viewer, may_see
from alliance.listings.v1 import listing_pb2
from chassis.clock import business_date
from chassis.database import Tx
from matching import metrics, store
from matching.domain import plan as planning
from matching.domain import score
from matching.domain.blend import Closeness
from matching.domain.facts import Facts
from matching.domain.life import OPEN, Change, Verb
from matching.domain.pairs import is_demand, partners
from matching.domain.passage import Passage
from matching.domain.plan import Day
from matching.embedding import Meanings, embedder
from matching.entry import Entry
from matching.index import Draft, Index
from matching.mapping import passage_of
from matching.settings import MatchingSettings
from matching.statistics import Statistics

_TOGETHER = 500  # listings whose vectors are read in one go
_JUDGED = 20  # listings that are judged by new counts in one transaction: other changes wait as long


class Proposing:
    """Keeps the index and proposes matches."""

    def __init__(self, authority: Authority, settings: MatchingSettings) -> None:
        self._authority = authority
        self._settings = settings
        self._meanings = Meanings(embedder(settings.sentence_model))
        self._turn = asyncio.Lock()
        self._draft: tuple[Tx, Draft] | None = None
        self._without: dict[str, None] = {}
        self._has_begun = False
        self._to_judge: list[str] = []  # names of demands, the next one last
        self.index = Index(passage_of)

    def recall(self, entry: Entry | None, name: str) -> None:
        """What had its effect before: into the index and nothing else; None for a listing that is not published."""
        if entry is None:
            self.index.remove(name)
            self._without.pop(name, None)
            return
        self.index.put(entry)
        if partners(entry.facts.kind) and not entry.facts.meaning:
            self._without[name] = None

    async def put(self, tx: Tx, entry: Entry) -> None:
        """A listing was published or revised."""
        draft = await self._drafted(tx)
        await self._forget_text(tx, draft, entry.facts.name, entry)
        if partners(entry.facts.kind):
            (meaning,) = await self._vectors(tx, [passage_of(entry)])
            entry = replace(entry, facts=replace(entry.facts, meaning=meaning))
        await self._plan(tx, draft, entry)
        draft.put(entry)
        tx.on_commit(lambda: self.recall(entry, entry.facts.name))

    async def remove(self, tx: Tx, name: str, state: int) -> None:
        """A listing is published no more: its open matches end."""
        draft = await self._drafted(tx)
        matches = await store.of_listing(tx, name)
        word = listing_pb2.ListingState.Name(state).removeprefix("LISTING_STATE_")  # type: ignore[arg-type]
        await store.write(tx, planning.close(matches, word, tx.now))
        await self._forget_text(tx, draft, name, None)
        draft.remove(name)
        tx.on_commit(lambda: self.recall(None, name))

    async def reconsider(self, tx: Tx, organization: str) -> None:
        """What an organization may see has changed: its listings are judged anew."""
        draft = await self._drafted(tx)  # first: a listing that is being indexed right now was judged without this change
        if not self.index.has_issuer(organization):
            return
        for entry in draft.where(lambda facts: facts.issuer == organization):
            await self._plan(tx, draft, entry)

    async def sweep(self, tx: Tx) -> int:
        """Judge all demands by new counts, and plan the listings whose first day has come; says whether there was any."""
        return await self._judge_anew(tx) or await self._begin(tx)

    async def due(self, tx: Tx) -> int:
        """Whether a day has begun that the sweep has not got to."""
        return int(await store.swept_on(tx) < business_date(tx.now))

    async def _begin(self, tx: Tx) -> int:
        """Plan the listings whose first day has come; says whether there was a new day."""
        today, swept = business_date(tx.now), await store.swept_on(tx)
        if swept >= today:
            return 0
        draft = await self._drafted(tx)
        beginning = draft.where(lambda facts: swept < facts.valid_from <= today)
        # At the very first sweep every listing has been planned on the day it came.
        for entry in beginning if swept.year > 1 else []:
            await self._plan(tx, draft, entry)
        await store.set_swept(tx, today)
        return 1

    async def _judge_anew(self, tx: Tx) -> int:
        """Take new counts where the listings have outgrown theirs, and plan every demand by them, some at a time; says whether
        there were any.
        """
        place, is_outgrown = await store.judged_to(tx), self.index.statistics.outgrown(len(self.index))
        if not (place or is_outgrown or self._without):
            return 0
        draft = await self._drafted(tx)
        if is_outgrown:
            await self._count(tx)
            return 1
        if not place:
            return 0
        if not self._to_judge:
            demands = (entry.facts.name for entry in self.index.entries() if is_demand(entry.facts.kind))
            self._to_judge = sorted((name for name in demands if name > place), reverse=True)
        names = self._to_judge[: -_JUDGED - 1 : -1]
        for entry in filter(None, map(draft.get, names)):
            await self._plan(tx, draft, entry)
        await store.set_judged(tx, names[-1] if names else "")
        tx.on_commit(lambda: self._judged(len(names)))
        return 1

    def _judged(self, number: int) -> None:
        del self._to_judge[len(self._to_judge) - number :]

    async def _count(self, tx: Tx) -> None:
        """Take counts of what is published."""
        listings = [entry.facts for entry in self.index.entries()]
        taken = await asyncio.to_thread(Statistics.taken, self.index.statistics.number + 1, listings)
        await store.keep_statistics(tx, taken)
        await store.set_judged(tx, "listings/")
        tx.on_commit(lambda: self._weigh_by(taken))

    def _weigh_by(self, taken: Statistics) -> None:
        self.index.statistics = taken
        self._to_judge = []

    async def _drafted(self, tx: Tx) -> Draft:
        """The index as this transaction sees it; waits for its turn."""
        if self._draft is None or self._draft[0] is not tx:
            await self._turn.acquire()
            self._draft = (tx, Draft(self.index))
            tx.on_end(self._finish)
            await self._complete(tx)
        return self._draft[1]

    def _finish(self) -> None:
        self._draft = None
        self._turn.release()

    async def _complete(self, tx: Tx) -> None:
        """Read what is not in the topic: the counts, and the vectors of what was recalled."""
        if not self._has_begun:
            self._weigh_by(await store.statistics(tx))
            self._has_begun = True
        while self._without:
            entries = [entry for name in islice(self._without, _TOGETHER) if (entry := self.index.get(name))]
            for entry, meaning in zip(entries, await self._vectors(tx, [passage_of(one) for one in entries]), strict=True):
                self.index.give_meaning(entry.facts.name, meaning)
                del self._without[entry.facts.name]

    async def _vectors(self, tx: Tx, passages: Sequence[Passage]) -> list[bytes]:
        """The vectors of passages; those that are not kept yet are embedded, beside the event loop, and kept."""
        keys = [self._meanings.key(passage) for passage in passages]
        kept = await store.vectors(tx, keys)
        missing = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in kept}
        if missing:
            made = await asyncio.to_thread(self._meanings.of, list(missing.values()))
            await store.keep_vectors(tx, dict(zip(missing, made, strict=True)))
            kept.update(zip(missing, made, strict=True))
        return [kept[key] for key in keys]

    async def _forget_text(self, tx: Tx, draft: Draft, name: str, newer: Entry | None) -> None:
        """Forget what is kept of a text that a listing no longer has."""
        before = draft.get(name)
        if before and partners(before.facts.kind) and (newer is None or passage_of(newer) != passage_of(before)):
            await store.forget_vector(tx, self._meanings.key(passage_of(before)))

    async def _plan(self, tx: Tx, draft: Draft, entry: Entry) -> None:
        facts = entry.facts
        day = Day(tx.now, business_date(tx.now), self._settings.match_threshold)
        viewers = _Viewers(tx, self._authority)
        matches = {match.partner(facts.name): match for match in await store.of_listing(tx, facts.name)}
        able = score.able(facts, draft.candidates(facts), day.today)
        closest = score.closest(zip(able, draft.closeness(facts, able), strict=True), self._settings.match_candidates)
        fitting = score.best(facts, closest, day.threshold)
        chosen = [other for other in fitting if await viewers.see_each_other(facts, other)][: self._settings.match_best]
        names = {other.name for other in chosen}
        others, gone = _others(draft, [name for name, match in matches.items() if match.state in OPEN and name not in names])
        hidden = {other.name for other in others if not await viewers.see_each_other(facts, other)}
        closeness = _measured(draft, entry, [*chosen, *others])
        changes: list[Change] = planning.plan(facts, chosen, others, hidden, matches, closeness, day)
        changes += planning.close([matches[name] for name in gone], "WITHDRAWN", tx.now)
        await store.write(tx, changes)
        proposed = sum(change.verb is Verb.PROPOSED for change in changes)
        tx.on_commit(lambda: metrics.PROPOSALS.observe(proposed))


def _measured(draft: Draft, entry: Entry, others: Sequence[Facts]) -> dict[str, Closeness]:
    """How close a listing is to others, by their names, with what both say."""
    found = {}
    for other, closeness in zip(others, draft.closeness(entry.facts, others), strict=True):
        demand, supply = score.sides(entry.facts, other)
        asking = entry if demand is entry.facts else draft.get(demand.name)
        found[other.name] = replace(closeness, shared=draft.shared(asking, supply) if asking else ())
    return found


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
