"""What the owner of shares does: scores every change against its demands, what is to be scored again, and what begins today.

Changes are scored in the order in which they came, several in one transaction that also writes down how far it has got. One
that can't be scored is put down to be tried again, and holds up nobody.
"""

import asyncio
import logging
import time
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from access.register import ProjectedRegister
from chassis import deadletter
from chassis.clock import business_date
from chassis.database import Cause, Database, Tx
from chassis.handling import as_effect, away, reason
from chassis.record import Record
from chassis.statements import Statements
from matching import again, metrics
from matching.again import Again
from matching.domain.pairs import STAMP
from matching.domain.shares import SHARES
from matching.following import Following
from matching.log import is_seen
from matching.proposing import Proposing
from matching.searches.telling import Telling
from matching.shares import LostError, Share, Shares

log = logging.getLogger(__name__)
ACTOR = "service:matching"
_GROUP = "matching.listing"
_TOGETHER = 50  # changes in one transaction
_TURN = 1.0  # seconds between two looks at the shares
_POLL = 0.5  # seconds between looks for what is to be scored again
_STRANGE = 5.0  # seconds until a row is looked at again whose version is not known here
_AWAY = 0.5  # seconds to wait where a part is away
_LATEST = timedelta(minutes=5)  # between two tries of one that fails
_LONG = timedelta(minutes=5)  # longer than a transaction may take: what it writes bears the time of its beginning


class Scoring:
    """Of this replica's shares."""

    def __init__(
        self, following: Following, shares: Shares, proposing: Proposing, telling: Telling, database: Database
    ) -> None:
        self._following = following
        self._shares = shares
        self._proposing = proposing
        self._telling = telling
        self._database = database
        self._next = 0  # number of the first change in the log that one of these shares may not have scored
        self._next_of: Mapping[int, Share] = {}
        self._passed_at = 0.0
        self._strange: dict[int, float] = {}  # rows of which this replica does not know the version, and when to look again
        self._recalled = datetime.min.replace(tzinfo=UTC)
        self._names: list[str] = []  # of all listings, in order, while they are scored by other rules than before

    async def run(self) -> None:
        """Score until cancelled."""
        await self._following.is_caught_up.wait()
        await self._renew()
        turning = asyncio.create_task(self._turns())
        try:
            while True:
                self._following.woken.clear()
                if not await self._step():
                    await self._idle()
        finally:
            turning.cancel()
            await asyncio.gather(turning, return_exceptions=True)
            await self._shares.leave()

    async def _renew(self) -> None:
        """See `Telling.renew`; until it is done nothing is scored."""
        while True:
            try:
                return await self._telling.renew(self._database, ACTOR)
            except Exception as error:
                if not away(error):
                    raise
                log.warning("scoring: waiting for a part", extra={"error": reason(error)})
                await asyncio.sleep(_AWAY)

    async def due(self, tx: Tx) -> int:
        """How much is not scored yet."""
        waiting = len(self._following.log) + await again.waiting(tx)
        today = business_date(tx.now)
        days = sum(share.swept_on < today for share in self._shares.mine.values())
        rules = sum(share.stamp != STAMP for share in self._shares.mine.values())
        return waiting + days + rules + (len(self._shares.mine) + len(self._shares.others) != SHARES)

    async def _turns(self) -> None:
        """Keep the shares, whatever goes on."""
        while True:
            try:
                if not self._following.is_live:  # another may know more of the topic
                    await self._shares.leave()
                elif await self._shares.turn(self._following.topic):
                    self._following.woken.set()
                self._drop()
                await self._tell()
            except Exception as error:
                if not away(error):
                    log.exception("shares: not renewed")
            await asyncio.sleep(_TURN)

    async def _tell(self) -> None:
        metrics.BACKLOG.set(len(self._following.log))
        metrics.SHARES.set(len(self._shares.mine))
        async with self._database.alone() as sql:
            metrics.PUT_OFF.set(await again.failing(sql))
            await self._recall(sql)

    async def _recall(self, sql: Statements) -> None:
        """Take what is no dead letter any more, whichever process had it replayed: each has an index of its own."""
        until = self._database.system_time() - _LONG
        for record in await deadletter.replayed(sql, _GROUP, self._recalled):
            try:
                await self._following.recall([record])
            except Exception as error:
                if away(error):
                    raise
                log.exception("scoring: not recalled", extra={"listing": record.key})
        self._recalled = until

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(_POLL):
                await self._following.woken.wait()
        except TimeoutError:
            pass

    async def _step(self) -> bool:
        """Do some of what is to be done; says whether there was anything."""
        try:
            return await self._changes() or await self._days() or await self._again() or await self._rules()
        except LostError:
            log.warning("scoring: a share was taken by another")
            self._shares.forget()
        except Exception as error:
            if not away(error):
                raise
            log.warning("scoring: waiting for a part", extra={"error": reason(error)})
        await asyncio.sleep(_AWAY)
        return False

    # Changes

    async def _changes(self) -> bool:
        some, seen = self._unseen()
        if not some:
            await self._passed(seen)
            return False
        try:
            await self._scored(some, seen)
        except LostError:
            raise
        except Exception as error:
            if away(error):
                raise
            await self._one_by_one(some)
        self._drop()
        return True

    async def _passed(self, seen: "_Seen") -> None:
        """Write down, now and then, that what was read meanwhile is nothing to score: other replicas keep it until then."""
        now = time.monotonic()
        if seen and now - self._passed_at > _TURN:
            self._passed_at = now
            async with self._database.transaction(Cause(ACTOR)) as tx:
                await self._shares.advance(tx, seen)
            _have_seen(seen)

    def _unseen(self) -> "tuple[list[_Unseen], _Seen]":
        """The next changes with the shares that have not scored them, and what those will have seen then."""
        ready = self._ready()
        if self._shares.mine != self._next_of:  # one that was just taken may have scored less than what is passed by already
            self._next, self._next_of = 0, dict(self._shares.mine)
        seen = {share: dict(share.seen) for share in ready}
        some: list[_Unseen] = []
        for number, change in self._following.log.since(self._next):
            shares = [share for share, places in seen.items() if not is_seen(change, places)]
            if shares:
                some.append((change, shares))
                for share in shares:
                    seen[share][change.partition] = change.offset + 1
            elif not some and len(ready) == len(self._shares.mine):
                self._next = number + 1
            if len(some) == _TOGETHER:
                break
        else:  # of all that was read, nothing else is to be scored
            for places in seen.values():
                places.update(self._following.places)
        return some, {share: places for share, places in seen.items() if places != share.seen}

    def _ready(self) -> list[Share]:
        """Those of its shares that it can score against."""
        return [share for share in self._shares.mine.values() if self._is_ready(share)]

    def _is_ready(self, share: Share) -> bool:
        """Whether the index has all that was scored against the share: else a pair is passed by, or made of what is gone."""
        following = self._following
        is_known = all(following.places.get(partition, 0) >= offset for partition, offset in share.seen.items())
        # Who has not noticed yet that a partition lost its end would take old offsets for what comes there now.
        is_sure = not share.is_cut or following.still_at > share.taken_at
        return following.is_live and share.topic == following.topic and is_known and is_sure

    async def _scored(self, some: "Sequence[_Unseen]", seen: "_Seen") -> None:
        async with self._database.transaction(Cause(ACTOR)) as tx:
            for change, shares in some:
                await as_effect(tx, ACTOR, _GROUP, change, self._changed(tx, change.key, _numbers(shares), change.time))
            await self._shares.advance(tx, seen)
            at = tx.recorded_at
        _have_seen(seen)
        for change, _ in some:
            metrics.FRESHNESS.observe(max(0.0, (at - change.time).total_seconds()))

    async def _changed(self, tx: Tx, name: str, shares: frozenset[int], at: datetime) -> None:
        """All that follows from a listing's change."""
        await self._proposing.plan(tx, name, shares)
        await self._telling.tell(tx, name, shares, at)

    async def _one_by_one(self, some: "Sequence[_Unseen]") -> None:
        """Each alone; those that fail are to be tried again, and count as seen."""
        for change, shares in some:
            seen = {share: {**share.seen, change.partition: change.offset + 1} for share in shares}
            try:
                await self._scored([(change, shares)], seen)
            except LostError:
                raise
            except Exception as error:
                if away(error):
                    raise
                log.exception("scoring: put off", extra={"listing": change.key})
                async with self._database.transaction(Cause(ACTOR, event_id=change.id)) as tx:
                    await again.put_off(tx, change.key, _numbers(shares), reason(error), has_changed=True)
                    await self._shares.advance(tx, seen)
                _have_seen(seen)

    def _drop(self) -> None:
        """Forget changes that every share has scored; of another topic, what they have seen says nothing."""
        if self._shares.topic != self._following.topic:
            return
        everybody = [share.seen for share in self._shares.mine.values()] + list(self._shares.others.values())
        if len(everybody) == SHARES:
            self._following.log.drop(lambda change: all(is_seen(change, seen) for seen in everybody))

    # Again

    async def _again(self) -> bool:
        """What has no change of its own: an organization that sees more, or less, and what could not be scored before."""
        ready = self._ready()
        async with self._database.transaction(Cause(ACTOR), read_only=True) as tx:
            found = await again.due(tx, _numbers(ready), self._strange_now())
            if any(one.listing for one in found):  # it may have been a dead letter, of which this process has not heard yet
                await self._recall(tx.sql)
        for one in found:
            await self._anew(one, [share for share in ready if share.number in one.shares])
        return bool(found)

    async def _anew(self, one: Again, shares: Collection[Share]) -> None:
        if one.version > self._following.version(one.listing):
            self._strange[one.id] = time.monotonic() + _STRANGE
            return
        names = [one.listing] if one.listing else self._following.index.of_issuer(one.issuer)
        try:
            for start in range(0, len(names), _TOGETHER):
                await self._planned(names[start : start + _TOGETHER], shares, one.cause, has_changed=one.has_changed)
                await self._changes()  # an organization may have very many: what is published meanwhile does not wait for all
        except LostError:
            raise
        except Exception as error:
            if away(error):
                raise
            log.exception("scoring: put off again", extra={"listing": one.listing, "issuer": one.issuer})
            pause = min(timedelta(seconds=2**one.tries), _LATEST)
            async with self._database.transaction(Cause(ACTOR)) as tx:
                await again.failed(tx, one.id, reason(error), tx.recorded_at + pause)
            return
        async with self._database.transaction(Cause(ACTOR)) as tx:
            await self._shares.guard(tx, shares)
            await again.done(tx, one.id, _numbers(shares))

    def _strange_now(self) -> list[int]:
        now = time.monotonic()
        self._strange = {number: at for number, at in self._strange.items() if at > now}
        return list(self._strange)

    async def _planned(
        self, names: Sequence[str], shares: Collection[Share], cause: str = "", *, has_changed: bool = False
    ) -> None:
        """Score listings against shares, in one transaction; `has_changed`: they could not be scored when they changed."""
        async with self._database.transaction(Cause(ACTOR, event_id=cause)) as tx:
            await self._shares.guard(tx, shares)
            for name in names:
                if has_changed:
                    await self._changed(tx, name, _numbers(shares), tx.recorded_at)
                else:
                    await self._proposing.plan(tx, name, _numbers(shares))

    # Days

    async def _days(self) -> bool:
        """Listings whose first day has come meet their partners."""
        async with self._database.transaction(Cause(ACTOR), read_only=True) as tx:
            today = business_date(tx.now)
        late = [share for share in self._ready() if share.swept_on < today]
        for since in {share.swept_on for share in late}:
            shares = [share for share in late if share.swept_on == since]
            # At the very first day every listing has been planned when it came.
            names = await self._turned(since, today) if since.year > 1 else []
            for start in range(0, len(names), _TOGETHER):
                await self._planned(names[start : start + _TOGETHER], shares)
                await self._changes()
            async with self._database.transaction(Cause(ACTOR)) as tx:
                await self._shares.swept(tx, shares, today)
            for share in shares:
                share.swept_on = today
        return bool(late)

    async def _turned(self, after: date, until: date) -> list[str]:
        """Listings that days alone make another matter of: it is their first, or of a membership of who issued them, or a
        membership has ended.
        """
        index = self._following.index
        async with self._database.transaction(Cause(ACTOR), read_only=True) as tx:
            organizations = await ProjectedRegister().turned(tx, after, until)
        names = {name for one in organizations for name in index.of_issuer(one)}
        return sorted(names.union(index.beginning(after, until)))

    # Rules

    async def _rules(self) -> bool:
        """Where the rules are others than those by which all was scored, everything is scored anew, some at a time and behind
        all else. What is published meanwhile is scored by the rules of now in any case.
        """
        late = [share for share in self._ready() if share.stamp != STAMP]
        if not late:
            self._names = []
            return False
        self._names = self._names or self._following.index.names()
        stamp, after = min((share.stamp, _reached(share)) for share in late)
        shares = [share for share in late if (share.stamp, _reached(share)) == (stamp, after)]
        first = bisect_right(self._names, after)
        # Of a share for which nothing was ever scored nothing is to be scored anew: what comes is scored by the rules of now.
        names = self._names[first : first + _TOGETHER] if stamp else []
        for name in await self._not_planned(names, shares):
            async with self._database.transaction(Cause(ACTOR)) as tx:
                await again.put_off(tx, name, _numbers(shares), "by other rules", has_changed=False)
        told = (stamp, f"{STAMP} {names[-1]}") if len(names) == _TOGETHER else (STAMP, "")
        async with self._database.transaction(Cause(ACTOR)) as tx:
            await self._shares.stamped(tx, shares, *told)
        for share in shares:
            share.stamp, share.restamped = told
        return True

    async def _not_planned(self, names: Sequence[str], shares: Collection[Share]) -> list[str]:
        """Score listings against shares, together or else each alone; returns those that can't be."""
        try:
            await self._planned(names, shares)
        except LostError:
            raise
        except Exception as error:
            if away(error):
                raise
            log.exception("scoring: put off", extra={"listings": names})
            return [*names] if len(names) == 1 else [one for name in names for one in await self._not_planned([name], shares)]
        return []


def _reached(share: Share) -> str:
    """The last listing that is scored by the rules of now."""
    stamp, _, name = share.restamped.partition(" ")
    return name if stamp == STAMP else ""


_Unseen = tuple[Record, Sequence[Share]]
_Seen = Mapping[Share, Mapping[int, int]]


def _numbers(shares: Collection[Share]) -> frozenset[int]:
    return frozenset(share.number for share in shares)


def _have_seen(seen: _Seen) -> None:
    for share, places in seen.items():
        share.seen = dict(places)
