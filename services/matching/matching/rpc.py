"""The RPCs of matches and search: thin; rules are in `domain`, rows in `store`, the index in `proposing`."""

import asyncio
from collections.abc import Callable, Set
from functools import partial
from typing import Any

import grpc

from access.authority import Authority
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.matching.v1 import match_pb2
from alliance.matching.v1 import matching_service_pb2 as rpc
from chassis import etag, paging
from chassis.clock import business_date
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition, Unavailable, Violation, refuse
from chassis.rpc import Call
from matching import again, alternatives, store
from matching.domain import gap, life, text
from matching.domain.alike import like
from matching.domain.counterfactual import fits_until
from matching.domain.life import OPEN, AlreadyAcceptedError, Change, IllegalStepError, Match, State, Verb
from matching.domain.pairs import is_counted
from matching.entry import Entry
from matching.index import Index
from matching.mapping import (
    alike_of,
    alternative_of,
    area_of,
    declined_of,
    facets_of,
    filled_of,
    hit_of,
    message_of,
    outcome_of,
    over,
    query_problems,
    required,
    skill_of,
    states_of,
    step_of,
)
from matching.meanings import Asking
from matching.reviews import rpc as reviews
from matching.search import FACETS, REFRESH, Filter, ForgottenError, Found, Search
from matching.searches import rpc as searches
from matching.store import Place, Wanted

_OWNER_TIMEOUT = 2.0  # seconds
_PAGE = 100  # hits, at most
_AT_ONCE = 5  # hits that are read without a pause
_FORGOTTEN = Violation(
    "page_token",
    "AIP-158",
    "翻页标记已过期，或由另一副本给出，其检索结果已不再保留；请从第一页重新查询",
    "the page token has run out, or is of another replica: what it goes on with is not kept; start again from the first page",
)


class Matching:
    """`alliance.matching.v1.MatchingService`."""

    def __init__(self, authority: Authority, index: Index, asking: Asking, require_all: Callable[[], None]) -> None:
        """`require_all` raises `Unavailable` while the index has not all yet."""
        self._authority = authority
        self._index = index
        self._asking = asking
        self._require_all = require_all
        self._search = Search(index, REFRESH)

    async def GetMatch(self, call: Call, request: rpc.GetMatchRequest) -> match_pb2.Match:
        """See the contract."""
        return message_of(await _found(call.tx, request.name))

    async def ListMatches(self, call: Call, request: rpc.ListMatchesRequest) -> rpc.ListMatchesResponse:
        """See the contract."""
        asked = [request.listing, request.organization, request.body]
        if sum(map(bool, asked)) != 1:
            raise Invalid(
                [
                    Violation(
                        "listing",
                        "one-of",
                        "请在 listing、organization、body 中填写一个",
                        "set exactly one of listing, organization and body",
                    )
                ]
            )
        size, after = paging.page_size(request.page_size), paging.decode(request, paging.number, str)
        wanted = Wanted(request.listing, request.organization, request.body, states_of(request.states))
        place = Place(*after) if after else None
        found = await store.page(call.tx, wanted, await self._authority.viewer(call), place, size + 1)
        answer = rpc.ListMatchesResponse(matches=[message_of(match) for match in found[:size]])
        if len(found) > size:
            last = found[size - 1]
            answer.next_page_token = paging.encode(request, [str(last.score), last.name])
        return answer

    async def ExplainMatch(self, call: Call, request: rpc.ExplainMatchRequest) -> rpc.MatchExplanation:
        """See the contract."""
        match = await _found(call.tx, request.name)
        steps = [step_of(row) for row in await store.steps(call.tx, request.name)]
        answer = rpc.MatchExplanation(match=message_of(match), steps=steps)
        if decided := await store.alike(call.tx, like(match)):
            answer.alike.CopyFrom(alike_of(like(match), decided))
        if match.state in OPEN:
            await self._compare(call, match, answer)
        return answer

    async def _compare(self, call: Call, match: Match, answer: rpc.MatchExplanation) -> None:
        """Say what follows of an open match from its two listings as they are now, as far as the caller sees both."""
        self._require_all()
        demand, supply = self._index.get(match.demand), self._index.get(match.supply)
        if demand and supply and await self._sees(call, demand, supply):
            found = await alternatives.of_pair(demand, supply, self._asking, business_date(call.tx.now))
            answer.alternatives.extend(alternative_of(one) for one in found)
            answer.skills.extend(skill_of(one) for one in gap.asked(demand.facts, supply.facts))
            answer.fits_until = fits_until(demand.facts, supply.facts).isoformat()

    async def _sees(self, call: Call, *entries: Entry) -> bool:
        """Whether the caller may see listings as they are now: one of a match may be hidden from the other side by now."""
        viewer = await self._authority.viewer(call)
        return all(self._index.newer.shows(viewer, one) for one in entries)

    async def AcceptMatch(self, call: Call, request: rpc.AcceptMatchRequest) -> match_pb2.Match:
        """See the contract."""
        match = await _side(call.tx, request.name, request.organization, request.etag)
        if match.state is State.PROPOSED:  # any other refuses the step itself
            self._require_published(match)
        return await _take(call.tx, match, lambda: life.accept(match, request.organization, request.reason, call.tx.now))

    def _require_published(self, match: Match) -> None:
        """Neither listing has been withdrawn, fulfilled or run out, which is about to end the match. Raises `Precondition`."""
        self._require_all()
        for name, version in ((match.demand, match.demand_version), (match.supply, match.supply_version)):
            if self._index.is_ended(name, version):
                raise Precondition(
                    "LISTING_ENDED",
                    f"{name} 已不在发布中，匹配即将失效，不能接受",
                    f"{name} is published no more, and its match is about to expire; it can't be accepted",
                    {"match": match.name, "listing": name},
                )

    async def DeclineMatch(self, call: Call, request: rpc.DeclineMatchRequest) -> match_pb2.Match:
        """See the contract."""
        why, reason = declined_of(request.decline_reason, request.reason)
        match = await _side(call.tx, request.name, request.organization, request.etag)
        return await _take(call.tx, match, lambda: life.decline(match, why, reason, call.tx.now))

    async def StartMatch(self, call: Call, request: rpc.StartMatchRequest) -> match_pb2.Match:
        """See the contract."""
        match = await _side(call.tx, request.name, request.organization, request.etag)
        return await _take(call.tx, match, lambda: life.step(match, Verb.STARTED, request.reason, call.tx.now))

    async def CompleteMatch(self, call: Call, request: rpc.CompleteMatchRequest) -> match_pb2.Match:
        """See the contract."""
        reason = required("reason", request.reason, "请填写结果说明", "say what came of it and why")
        outcome, filled = outcome_of(request.outcome), filled_of(request.outcome, request.quantity)
        match = await _side(call.tx, request.name, request.organization, request.etag)
        if outcome is Verb.FAILED:
            return await _take(call.tx, match, lambda: life.step(match, outcome, reason, call.tx.now))
        if match.state is State.IN_PROGRESS:  # any other refuses the step itself
            await self._require_left(call.tx, match, filled)
        answer = await _take(call.tx, match, lambda: life.fulfil(match, filled, reason, call.tx.now))
        for listing in (match.demand, match.supply):  # where nothing is left of it, its other matches end
            await again.of_listing(call.tx, listing, has_changed=False)
        return answer

    async def _require_left(self, tx: Tx, match: Match, wanted: int) -> None:
        """No more is filled than there is of either side; who completes other matches of theirs waits. Raises `Invalid`."""
        self._require_all()
        known = [self._index.known(name) for name in (match.demand, match.supply)]
        counted = [one.facts for one in known if isinstance(one, Entry) and is_counted(one.facts.kind)]
        filled = await store.filled_and_locked(tx, [one.name for one in counted])
        left = {one.name: one.quantity - filled.get(one.name, 0) for one in counted}
        refuse([over(wanted, there, name) for name, there in left.items() if wanted > there])

    async def SearchListings(self, call: Call, request: rpc.SearchListingsRequest) -> rpc.SearchListingsResponse:
        """See the contract."""
        _check(request)
        size, after = (
            paging.page_size(request.page_size, default=20, most=_PAGE),
            paging.decode(request, paging.number, str, paging.number),
        )
        start, snapshot, before = after or (0, "", 0)
        self._require_all()
        viewer, meaning = await self._authority.viewer(call), await self._asking.of(request.query)
        find = partial(self._search.find, request.query, _filter(request), viewer, meaning=meaning)
        try:
            first = find(start=start, size=min(size, _AT_ONCE), facets=request.facets, snapshot=snapshot)
            shown, end = await _shown(find, first, text.sought(request.query), range(start, start + size))
        except ForgottenError as error:
            raise Invalid([_FORGOTTEN]) from error
        fits = paging.fitting(hit for _, hit in shown)
        hits = [hit for _, hit in shown[:fits]]
        answer = rpc.SearchListingsResponse(hits=hits, total_size=first.total, facets=facets_of(first.facets))
        end = shown[fits][0] if fits < len(shown) else end
        before += len(hits)
        if end < first.places and before < first.total:  # nor is it told that there is what is left out
            answer.next_page_token = paging.encode(request, [str(end), first.snapshot, str(before)])
        return answer


class Scopes:
    """Whose grants give authority over a match, a review, a saved search or a listing: the issuers', the bodies'."""

    def __init__(self, index: Index, listings: Any) -> None:
        """`listings` is the owner's stub, or None where nobody is to be asked."""
        self._index = index
        self._listings = listings

    async def of(self, tx: Tx, resource: str) -> frozenset[str]:
        """See `access.authority.ScopesOf`."""
        if resource.startswith("matches/"):
            match = await store.get(tx, resource)
            return frozenset({match.demand_issuer, match.supply_issuer, *match.bodies}) if match else frozenset()
        if resource.startswith("reviews/"):
            return await reviews.scopes_of(tx, resource)
        if resource.startswith("searches/"):
            return await searches.scopes_of(tx, resource)
        entry = self._index.get(resource)
        if entry is not None:
            return frozenset({entry.facts.issuer, *entry.facts.bodies})
        return await store.issuers_and_bodies(tx, resource) or await self._asked(resource)

    async def _asked(self, listing: str) -> frozenset[str]:
        """Of a listing not heard of yet, as its owner says."""
        if self._listings is None:
            return frozenset()
        try:
            request = listings_service_pb2.GetListingRequest(name=listing)
            found = await self._listings.GetListing(request, timeout=_OWNER_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return frozenset()
            raise Unavailable("供需发布暂时无法查询，请稍后重试", "listings can't be asked right now; try again") from error
        return frozenset({found.issuer, *found.bodies})


async def _found(tx: Tx, name: str) -> Match:
    match = await store.get(tx, name)
    if match is None:
        raise NotFound(name)
    return match


async def _side(tx: Tx, name: str, organization: str, expected: str) -> Match:
    """The match, locked, for one of its two sides; for anybody else there is none."""
    match = await store.get(tx, name, lock=True)
    if match is None or organization not in (match.demand_issuer, match.supply_issuer):
        raise NotFound(name)
    etag.check(expected, match.version, name)
    return match


async def _take(tx: Tx, match: Match, change: Callable[[], Change]) -> match_pb2.Match:
    """Take a step and write it. Raises `Precondition` where the match's state does not allow it."""
    try:
        changed = change()
    except IllegalStepError as error:
        possible = "、".join(error.possible) or "无（终态）"
        raise Precondition(
            "ILLEGAL_STATE",
            f"匹配当前状态为 {error.state}，不能 {error.verb}；可进行：{possible}",
            f"the match is {error.state} and can't be {error.verb}; possible: {', '.join(error.possible) or 'nothing'}",
            {"match": match.name},
        ) from error
    except AlreadyAcceptedError as error:
        raise Precondition(
            "ALREADY_ACCEPTED",
            "本方已接受，等待对方",
            "this side has accepted already; it is the other side's turn",
            {"match": match.name},
        ) from error
    await store.write(tx, [changed])
    return message_of(changed.match)


async def _shown(
    find: Callable[..., Found], first: Found, sought: Set[str], places: range
) -> tuple[list[tuple[int, rpc.SearchHit]], int]:
    """What of some places is shown, each with its place, and the place behind the last; `first` is of their beginning.

    A few at once are read, and each is marked by itself: other calls go on between them, however long the texts are.
    """
    shown, place, found = list[tuple[int, rpc.SearchHit]](), places.start, first
    while found.hits:
        for entry, relevance in found.hits:
            if entry:
                shown.append((place, hit_of(entry, relevance, sought)))
                await asyncio.sleep(0)
            place += 1
        if (left := min(places.stop, first.places) - place) <= 0:
            break
        found = find(start=place, size=min(left, _AT_ONCE), snapshot=first.snapshot)
    return shown, place


def _check(request: rpc.SearchListingsRequest) -> None:
    """Raises `Invalid` for facets that there are none of, and for a query that is too long."""
    problems = query_problems(request.query, "query")
    if unknown := sorted(set(request.facets) - set(FACETS)):
        zh, en = (
            f"没有 {', '.join(unknown)}；可用：{', '.join(FACETS)}",
            f"there is no {', '.join(unknown)}; there are {', '.join(FACETS)}",
        )
        problems.append(Violation("facets", "known", zh, en))
    refuse(problems)


def _filter(request: rpc.SearchListingsRequest) -> Filter:
    names = (listing_pb2.ListingKind.Name(kind).removeprefix("LISTING_KIND_") for kind in request.kinds if kind)
    return Filter(frozenset(names), area_of(request.region_code, "region_code"), request.body, request.issuer, request.source)
