"""Search while the index is behind: nobody is shown what a newer state, which is on the topic by now, hides."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from alliance.matching.v1 import (
    match_pb2,
    matching_service_pb2,
    review_pb2,
    review_service_pb2,
    search_pb2,
    search_service_pb2,
)
from alliance_local.control import Platform
from chassis.database import Cause, Tx
from chassis.errors import Precondition, Unavailable
from matching.entry import Gone
from matching.index import Index
from matching.meanings import Asking
from matching.newer import Audience
from matching.reviews.rpc import Reviews
from matching.rpc import Matching
from matching.search import Filter, Found, Search
from matching.searches import store
from matching.searches.rpc import Searches
from tests.component.replicas import CAUSE, SIZE, Replica, World, quick_world
from tests.waiting import until

ANYONE, GOVERNMENT = Viewer(), Viewer(organization="organizations/gov", government=True)
KIND, NAME, TITLE = "TECH_DEMAND", "listings/1", "集成电路封装散热"


@pytest.fixture
async def world(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One with short leases; its embedder goes again at the end."""
    async with quick_world(platform, monkeypatch) as found:
        yield found
        found.by.goes.set()


async def indexed(world: World) -> Replica:
    """A replica that holds ten listings, and is behind from now on: what an import brought has to become vectors."""
    replica = world.starts("a")
    for number in range(10):
        world.publish(f"listings/{number}", KIND, TITLE)
    await until(world.is_done)
    world.by.goes.clear()
    for number in range(100, 500):
        world.publish(f"listings/{number}", KIND, f"{TITLE} {number}")
    return replica


def found(replica: Replica, viewer: Viewer, query: str = "散热", **how: Any) -> Found:
    return Search(replica.index).find(query, Filter(), viewer, facets=["kind"], **how)


def names(page: Found) -> set[str]:
    return {entry.facts.name for entry, _ in page.hits if entry}


@pytest.mark.parametrize("query", ["散热", ""])
async def test_what_is_narrowed_is_shown_at_once_to_nobody_else(world: World, query: str) -> None:
    replica = await indexed(world)
    assert NAME in names(found(replica, ANYONE, query))
    world.publish(NAME, KIND, "另行通知", visibility=pb.VISIBILITY_GOVERNMENT)
    await until(lambda: NAME not in names(found(replica, ANYONE, query)))
    hidden, all_of_it = found(replica, ANYONE, query), found(replica, GOVERNMENT, query)
    assert (hidden.total, all_of_it.total) == (9, 10)
    assert (hidden.facets["kind"], all_of_it.facets["kind"]) == ([(KIND, 9)], [(KIND, 10)])
    assert not any(one.startswith("listings/1") and len(one) > len(NAME) for one in names(all_of_it)), "the index is behind"
    world.by.goes.set()
    await until(world.is_done)
    assert len(replica.index.newer) == 0
    entry = replica.index.get(NAME)
    assert entry
    assert entry.title == "另行通知"
    assert (found(replica, ANYONE, "另行通知").total, found(replica, GOVERNMENT, "另行通知").total) == (0, 1)


async def test_what_is_withdrawn_is_shown_to_nobody_and_what_is_widened_again_is(world: World) -> None:
    replica = await indexed(world)
    world.publish(NAME, KIND, TITLE, "WITHDRAWN")
    world.publish("listings/2", KIND, TITLE, visibility=pb.VISIBILITY_MEMBERS)
    await until(lambda: len(replica.index.newer) == 2)
    for viewer, total in ((ANYONE, 8), (GOVERNMENT, 8), (Viewer(platform=True), 9)):
        assert found(replica, viewer).total == total
        assert NAME not in names(found(replica, viewer))
    search = Search(replica.index)
    first = search.find("散热", Filter(), ANYONE, size=4)
    world.publish("listings/2", KIND, TITLE)
    await until(lambda: len(replica.index.newer) == 1)
    assert found(replica, ANYONE).total == 9
    world.publish("listings/3", KIND, TITLE, visibility=pb.VISIBILITY_GOVERNMENT)
    await until(lambda: len(replica.index.newer) == 2)
    second = search.find("散热", Filter(), ANYONE, start=4, size=6, snapshot=first.snapshot, facets=["kind"])
    assert (second.total, second.facets["kind"]) == (8, [(KIND, 8)])
    assert not {NAME, "listings/3"} & names(second)
    world.by.goes.set()
    await until(world.is_done)
    assert len(replica.index.newer) == 0
    assert not {NAME, "listings/3"} & names(found(replica, ANYONE, "散热", size=1000))


async def test_what_the_index_takes_late_is_hidden_until_it_has_what_is_newer(world: World) -> None:
    """A listing that the import brought is narrowed before the index has heard of it."""
    replica = await indexed(world)
    late = "listings/499"
    world.publish(late, KIND, TITLE, visibility=pb.VISIBILITY_GOVERNMENT)
    await until(lambda: len(replica.index.newer) == 1)
    shown = False

    def is_done() -> bool:
        nonlocal shown
        shown = shown or late in names(found(replica, ANYONE, "散热", size=1000))
        return len(replica.index.newer) == 0

    world.by.goes.set()
    await until(is_done)
    assert not shown
    assert late in names(found(replica, GOVERNMENT, "散热", size=1000))


async def test_a_topic_made_anew_hides_no_more_than_before(world: World) -> None:
    replica = await indexed(world)
    world.publish(NAME, KIND, TITLE, visibility=pb.VISIBILITY_GOVERNMENT)
    await until(lambda: len(replica.index.newer) == 1)
    world.topic = replica.topic = world.topic.anew()
    world.publish("listings/2", KIND, TITLE, "WITHDRAWN")
    await until(lambda: len(replica.index.newer) == 2)
    assert found(replica, ANYONE).total == 8
    world.by.goes.set()
    await until(world.is_done)
    assert (len(replica.index.newer), found(replica, ANYONE).total, found(replica, GOVERNMENT).total) == (0, 408, 409)


# What else shows a listing's content


async def test_a_saved_search_shows_what_met_it_as_long_as_its_organization_may_see_it(world: World) -> None:
    seeker = "organizations/seeker"
    replica = world.starts("a")
    behind, ahead = Index(SIZE), Index(SIZE)
    ahead.remove(NAME, Gone(2, "WITHDRAWN"))
    async with world.database.transaction(CAUSE) as tx:
        row = store.row_of(tx, search_pb2.SavedSearch(organization=seeker, display_name="散热", query="散热"), "")
        await store.enter(tx, row)

    async def latest(index: Index = replica.index) -> str:
        async with world.database.transaction(CAUSE, read_only=True) as tx:
            request = search_service_pb2.ListSavedSearchesRequest(organization=seeker)
            (search,) = (await Searches(replica.authority, index).ListSavedSearches(_call(tx), request)).saved_searches
            return search.latest.title

    assert await latest() == ""
    world.publish(NAME, KIND, TITLE)
    await until(world.is_done)
    assert await latest() == TITLE
    assert await latest(behind) == TITLE, "on a replica that has not heard of it"
    assert await latest(ahead) == ""
    behind.newer.learn(NAME, 2, None)
    assert await latest(behind) == ""
    world.by.goes.clear()
    world.publish(NAME, KIND, "另行通知", visibility=pb.VISIBILITY_GOVERNMENT)
    await until(lambda: len(replica.index.newer))
    assert await latest() == "", "while the index is behind"
    world.by.goes.set()
    await until(world.is_done)
    assert await latest() == "", "and afterwards"
    async with world.database.transaction(CAUSE) as tx:
        request = search_service_pb2.DeleteSavedSearchRequest(name=row.name)
        assert (
            await Searches(replica.authority, replica.index).DeleteSavedSearch(_call(tx), request)
        ).latest == search_pb2.FoundListing()
    (told,) = await world.rows("SELECT payload FROM event WHERE type = 'alliance.matching.search.forgotten.v1'")
    assert TITLE.encode() not in told["payload"]


async def test_what_would_change_a_match_is_told_of_listings_that_the_caller_may_see(world: World) -> None:
    replica = world.starts("a")
    world.publish(NAME, KIND, TITLE)
    world.publish("listings/2", "RESEARCH_OUTCOME", TITLE)
    await until(world.is_done)
    (match,) = await world.rows("SELECT name, demand_issuer FROM match")
    matching = Matching(replica.authority, replica.index, Asking(world.by, SIZE), replica.following.require_all)
    reviews = Reviews(replica.authority, replica.index, "letters", 15, replica.following.require_all)
    async with world.database.transaction(CAUSE) as tx:
        asked = review_service_pb2.RequestReviewRequest(
            match=match["name"], organization=match["demand_issuer"], reason="不符"
        )
        review = await reviews.RequestReview(_call(tx), asked)

    async def told() -> tuple[bool, bool]:
        async with world.database.transaction(CAUSE, read_only=True) as tx:
            why = matching_service_pb2.ExplainMatchRequest(name=match["name"])
            report = await reviews.GetReview(_call(tx), review_service_pb2.GetReviewRequest(name=review.name))
            return bool((await matching.ExplainMatch(_call(tx), why)).fits_until), report.HasField("recomputation")

    assert await told() == (True, True)
    world.by.goes.clear()
    world.publish("listings/2", "RESEARCH_OUTCOME", "另行通知", visibility=pb.VISIBILITY_GOVERNMENT)
    await until(lambda: len(replica.index.newer))
    assert await told() == (False, False)


async def test_nobody_is_brought_together_with_what_is_hidden_from_it_by_now(world: World) -> None:
    """What has been proposed stands until the index has the newer state, which knows the reason of its end."""
    replica = world.starts("a")
    kept, hidden = world.demand(1, ""), world.demand(2, "")
    world.supply(1, "")
    await until(world.is_done)
    assert (await world.matches()).keys() == {kept}
    government = Audience("organizations/TECH_DEMAND", (), pb.VISIBILITY_GOVERNMENT)
    replica.index.newer.learn("listings/d1", 2, None)
    replica.index.newer.learn("listings/d2", 2, government)
    world.supply(1, "")
    world.supply(2, "")
    await until(world.is_done)
    assert await world.matches() == {kept: "PROPOSED"}
    world.demand(1, "", state="WITHDRAWN")
    world.demand(2, "")
    await until(world.is_done)
    assert await world.matches() == {kept: "EXPIRED", hidden: "PROPOSED"}


@pytest.mark.parametrize("narrowed", [None, Audience("organizations/TECH_DEMAND", (), pb.VISIBILITY_GOVERNMENT)])
async def test_nobody_is_told_that_what_is_hidden_from_it_by_now_met_its_search(
    world: World, narrowed: Audience | None
) -> None:
    replica = world.starts("a")
    async with world.database.transaction(CAUSE) as tx:
        given = search_pb2.SavedSearch(organization="organizations/seeker", display_name="散热", query="散热")
        await store.enter(tx, store.row_of(tx, given, ""))
    replica.index.newer.learn(NAME, 2, narrowed)
    met = "SELECT 1 FROM event WHERE type = 'alliance.matching.search.met.v1'"
    world.publish(NAME, KIND, TITLE)
    await until(world.is_done)
    assert not await world.rows(met)
    world.publish(NAME, KIND, TITLE, visibility=pb.VISIBILITY_GOVERNMENT)
    world.publish(NAME, KIND, TITLE)
    await until(world.is_done)
    assert len(await world.rows(met)) == 1, "it is for everybody again"


@pytest.mark.parametrize("ended", [KIND, "RESEARCH_OUTCOME"])
async def test_nobody_accepts_what_is_withdrawn_by_now(world: World, ended: str) -> None:
    replica = world.starts("a")
    world.publish(NAME, KIND, TITLE)
    world.publish("listings/2", "RESEARCH_OUTCOME", TITLE)
    await until(world.is_done)
    (match,) = await world.rows("SELECT name, demand_issuer, supply_issuer FROM match")
    matching = Matching(replica.authority, replica.index, Asking(world.by, SIZE), replica.following.require_all)

    async def accepted(side: str) -> match_pb2.Match:
        async with world.database.transaction(Cause("tester", reason="a test")) as tx:
            request = matching_service_pb2.AcceptMatchRequest(name=match["name"], organization=match[side])
            return await matching.AcceptMatch(_call(tx), request)

    assert (await accepted("demand_issuer")).demand_accepted
    name = NAME if ended == KIND else "listings/2"
    replica.index.newer.learn(name, 2, None)  # while the index is behind
    with pytest.raises(Precondition, match=f"{name} is published no more"):
        await accepted("supply_issuer")
    assert set((await world.matches()).values()) == {"PROPOSED"}
    world.publish(name, ended, TITLE, "WITHDRAWN")
    await until(world.is_done)
    with pytest.raises(Precondition, match="the match is EXPIRED"):
        await accepted("supply_issuer")


def test_what_ended_before_a_version_is_not_ended_since() -> None:
    index = Index(SIZE)
    index.remove(NAME, Gone(3, "WITHDRAWN"))
    assert [index.is_ended(NAME, version) for version in (2, 3)] == [True, False]
    index.newer.learn(NAME, 5, None)
    assert [index.is_ended(NAME, version) for version in (4, 5)] == [True, False]
    index.newer.learn(NAME, 6, Audience("organizations/1", (), pb.VISIBILITY_GOVERNMENT))
    assert [index.is_ended(NAME, version) for version in (3, 6)] == [False, False], "it is published anew"


def _call(tx: Tx) -> Any:
    """An anonymous call, as far as these look at it."""
    return cast(Any, SimpleNamespace(tx=tx, principal=None))


async def test_a_process_that_has_not_read_all_answers_nothing_of_what_needs_it(world: World) -> None:
    """A part of the listings would be taken for all, and a match for one whose listings are as they were."""
    first = world.starts("a")
    world.publish(NAME, KIND, TITLE)
    world.publish("listings/2", "RESEARCH_OUTCOME", TITLE)
    await until(world.is_done)
    (match,) = await world.rows("SELECT name, demand_issuer FROM match")
    name, side = match["name"], match["demand_issuer"]
    settled = review_service_pb2.SettleReviewRequest(outcome=review_pb2.REVIEW_STATE_OVERTURNED, reason="不符")
    reads: list[tuple[str, Any]] = [
        ("SearchListings", matching_service_pb2.SearchListingsRequest(query="散热")),
        ("ExplainMatch", matching_service_pb2.ExplainMatchRequest(name=name)),
        ("AcceptMatch", matching_service_pb2.AcceptMatchRequest(name=name, organization=side)),
        ("GetReview", review_service_pb2.GetReviewRequest()),
        ("SettleReview", settled),
    ]

    async def answered(replica: Replica, method: str, request: Any) -> Any:
        whole = replica.following.require_all
        by = (
            Matching(replica.authority, replica.index, Asking(world.by, SIZE), whole),
            Reviews(replica.authority, replica.index, "letters", 15, whole),
        )
        async with world.database.transaction(Cause(method, reason="a test")) as tx:  # who asks for a review can't settle it
            offer = next(one for one in by if hasattr(one, method))
            return await getattr(offer, method)(_call(tx), request)

    wanted = review_service_pb2.RequestReviewRequest(match=name, organization=side, reason="不符")
    review = await answered(first, "RequestReview", wanted)
    for _, request in reads[-2:]:
        request.name = review.name
    second = world.starts("b")
    second.stands_still = True
    for method, request in reads:
        with pytest.raises(Unavailable, match="still being read") as caught:
            await answered(second, method, request)
        assert caught.value.retry_after > 0
    second.stands_still = False
    await until(second.following.is_caught_up.is_set)
    for method, request in reads:
        assert await answered(second, method, request)
