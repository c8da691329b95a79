"""From a listing to its matches: candidates of the index, plan, and what is written, in the caller's transaction.

What follows for demands of the given shares is written, whichever side changed; the best are chosen out of all there are.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice

from access.authority import Authority
from access.register import ProjectedRegister
from access.visibility import Viewer, may_see
from alliance.listings.v1 import listing_pb2
from chassis.clock import business_date
from chassis.database import Tx
from matching import metrics, store
from matching.documents import sights_of
from matching.domain import plan as planning
from matching.domain import score
from matching.domain.facts import Facts
from matching.domain.life import OPEN, Change, Match, Verb
from matching.domain.pairs import is_counted, is_demand
from matching.domain.plan import Day
from matching.domain.score import Candidate, Partner
from matching.domain.shares import SHARES, share_of
from matching.entry import Entry, Gone
from matching.index import Index, Reach, near
from matching.settings import MatchingSettings


class Proposing:
    """Proposes matches out of the index."""

    def __init__(self, authority: Authority, index: Index, settings: MatchingSettings) -> None:
        self._authority = authority
        self._index = index
        self._settings = settings

    async def plan(self, tx: Tx, name: str, shares: frozenset[int]) -> None:
        """Propose, score anew or end the matches of a listing as the index has it."""
        known = self._index.known(name)
        matches = await store.of_listing(tx, name, shares)
        if isinstance(known, Gone):
            await store.write(tx, planning.close(matches, known.state, tx.now))
        elif known is not None and (share_of(name) in shares or not is_demand(known.facts.kind)):
            await self._plan(tx, known, {match.partner(name): match for match in matches}, shares)

    async def _plan(self, tx: Tx, entry: Entry, matches: dict[str, Match], shares: frozenset[int]) -> None:
        facts = entry.facts
        day = Day(tx.now, business_date(tx.now), self._settings.match_threshold)
        viewers = Viewers(tx, self._authority)
        best = await self._best(tx, viewers, entry, day, await self._with_others(tx, facts, matches, shares))
        chosen = [one for one in best if share_of(score.sides(facts, one.facts)[0].name) in shares]
        names = {other.facts.name for other in chosen}
        left = [name for name, match in matches.items() if match.state in OPEN and name not in names]
        others, gone = self._others(entry, left)
        barred = await _barred(tx, viewers, facts, [one.facts for one in others])
        changes: list[Change] = planning.plan(facts, chosen, others, barred, matches, day)
        for name, state in gone.items():
            changes += planning.close([matches[name]], state, tx.now)
        await store.write(tx, changes)
        proposed = sum(change.verb is Verb.PROPOSED for change in changes)
        tx.on_commit(lambda: metrics.PROPOSALS.observe(proposed))

    async def _with_others(self, tx: Tx, facts: Facts, matches: dict[str, Match], shares: frozenset[int]) -> dict[str, Match]:
        """Its matches with demands of all shares, by partner."""
        if is_demand(facts.kind) or len(shares) == SHARES:
            return matches
        return matches | {match.demand: match for match in await store.elsewhere(tx, facts.name, shares)}

    async def _best(self, tx: Tx, viewers: "Viewers", entry: Entry, day: Day, matches: dict[str, Match]) -> list[Partner]:
        """The best partners of a listing, in whichever shares they are: how many it has does not depend on the replicas."""
        facts = entry.facts
        if await _used_up(tx, [facts]):
            return []
        candidates = self._index.candidates(entry, await self._reach(viewers, facts, day.today))
        free = (one for one in candidates if planning.is_free(facts, one.facts, matches))
        able, found, most = score.able(facts, free, day.today), list[Candidate](), self._settings.match_candidates
        while some := list(islice(able, most - len(found))):
            used_up = await _used_up(tx, [one.facts for one in some])
            found += [one for one in some if one.facts.name not in used_up]
        return await self._seen(viewers, facts, score.best(facts, found, day.today, day.threshold, most))

    async def _reach(self, viewers: "Viewers", facts: Facts, today: date) -> Reach:
        """Whom it can be brought together with: who sees it, and what its issuer sees."""
        sights = sights_of(await viewers.of(facts.issuer))
        return Reach(today, frozenset(sights), await viewers.audience(facts))

    async def _seen(self, viewers: "Viewers", facts: Facts, able: Iterable[Partner]) -> list[Partner]:
        """The best of those whose issuers may see each other's listing."""
        chosen: list[Partner] = []
        for other in able:
            if len(chosen) == self._settings.match_best:
                break
            if await viewers.see_each_other(facts, other.facts) and await self._stays_so(viewers, facts, other.facts):
                chosen.append(other)
        return chosen

    async def _stays_so(self, viewers: "Viewers", one: Facts, other: Facts) -> bool:
        """Whether nothing that is newer than the index hides one from the other's issuer: then they are not brought together
        now. What they have had stands until that is scored, which knows the reason.
        """
        newer = self._index.newer
        return not newer or (
            newer.allows(await viewers.of(one.issuer), other.name) and newer.allows(await viewers.of(other.issuer), one.name)
        )

    def _others(self, entry: Entry, names: Iterable[str]) -> tuple[list[Partner], dict[str, str]]:
        """Listings that are still published, and what became of those that are not."""
        found: list[Partner] = []
        gone: dict[str, str] = {}
        for name in sorted(names):
            known = self._index.known(name)
            if isinstance(known, Entry):
                found.append(Partner(known.facts, near(entry, known)))
            elif known is not None:
                gone[name] = known.state
        return found, gone


async def _barred(tx: Tx, viewers: "Viewers", facts: Facts, others: Sequence[Facts]) -> dict[str, str]:
    """What keeps some partners from a listing that their facts do not say: name → a word of `life.BROKEN`."""
    if not others:
        return {}
    used_up = await _used_up(tx, [facts, *others])
    barred = {one.name: "quantity" for one in others if used_up & {one.name, facts.name}}
    return barred | {one.name: "visibility" for one in others if not await viewers.see_each_other(facts, one)}


async def _used_up(tx: Tx, some: Iterable[Facts]) -> set[str]:
    """Names of those of some listings of which nothing is left."""
    counted = {one.name: one.quantity for one in some if is_counted(one.kind)}
    return {name for name, filled in (await store.filled(tx, counted)).items() if filled >= counted[name]}


class Viewers:
    """What issuers may see of each other, each asked for once a transaction."""

    def __init__(self, tx: Tx, authority: Authority) -> None:
        self._tx = tx
        self._authority = authority
        self._known: dict[str, Viewer] = tx.memo.setdefault(Viewers, {})

    async def see_each_other(self, one: Facts, other: Facts) -> bool:
        """Whether each issuer may see the other's listing."""
        return await self.sees(one.issuer, other) and await self.sees(other.issuer, one)

    async def of(self, organization: str) -> Viewer:
        """What an organization as such is to listings."""
        if organization not in self._known:
            self._known[organization] = await self._authority.viewer_of(self._tx, organization)
        return self._known[organization]

    async def audience(self, facts: Facts) -> frozenset[str] | None:
        """Organizations that see a listing of another; None where everybody does."""
        return await ProjectedRegister().audience(self._tx, facts.visibility, facts.bodies, business_date(self._tx.now))

    async def sees(self, organization: str, facts: Facts) -> bool:
        """Whether an organization as such may see a published listing."""
        if facts.visibility == listing_pb2.VISIBILITY_PUBLIC:
            return True
        return may_see(
            await self.of(organization),
            issuer=facts.issuer,
            bodies=facts.bodies,
            visibility=facts.visibility,
            state=listing_pb2.LISTING_STATE_PUBLISHED,
        )
