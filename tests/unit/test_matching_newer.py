"""Matching: who may see a listing by what is newer than the index, while the index is behind."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.visibility import Viewer
from alliance.listings.v1 import events_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.matching.v1 import matching_service_pb2 as rpc
from chassis.record import Record
from chassis.relay import BATCH
from matching.ahead import Ahead
from matching.domain import text
from matching.domain.facts import Facts
from matching.entry import Entry, Gone
from matching.following import _state_of
from matching.index import Index
from matching.newer import Audience, Newer
from matching.rpc import Matching
from matching.search import Filter, Found, Search
from tests import searching
from tests.indexing import SIZE, index_of

ANYONE, GOVERNMENT, PLATFORM = Viewer(), Viewer(government=True), Viewer(platform=True)
ISSUER, SECRETARIAT = Viewer(organization="organizations/1"), Viewer(bodies_run=frozenset({"bodies/1"}))
MEMBER = Viewer(organization="organizations/9", member_bodies=frozenset({"bodies/1"}))
VIEWERS = (ANYONE, GOVERNMENT, PLATFORM, ISSUER, SECRETARIAT, MEMBER)
FOR_GOVERNMENT = Audience("organizations/1", ("bodies/1",), pb.VISIBILITY_GOVERNMENT)
FOR_MEMBERS = FOR_GOVERNMENT._replace(visibility=pb.VISIBILITY_MEMBERS)
FOR_OTHERS = FOR_MEMBERS._replace(bodies=("bodies/2",))
FOR_ALL = FOR_GOVERNMENT._replace(visibility=pb.VISIBILITY_PUBLIC)
NAME = "listings/000"


def entry_of(number: int, version: int = 1, visibility: int = pb.VISIBILITY_PUBLIC, **fields: Any) -> Entry:
    words = text.weigh("数据分析", [], [])
    facts = Facts(
        f"listings/{number:03}", version, "organizations/1", ("bodies/1",), "JOB_POSITION", visibility, words=words, **fields
    )
    return Entry(facts, b"", title="数据分析", source="erp" if number % 2 else "")


def record(version: int, *, offset: int = 0, verb: str = "revised", name: str = NAME, **fields: Any) -> Record:
    """A version of a listing, on the topic."""
    given = {"state": pb.LISTING_STATE_PUBLISHED, "kind": pb.LISTING_KIND_JOB_POSITION, "visibility": pb.VISIBILITY_PUBLIC}
    listing = pb.Listing(name=name, issuer="organizations/1", bodies=["bodies/1"], title="数据分析", **{**given, **fields})
    kind, at = f"alliance.listings.listing.{verb}.v1", datetime(2026, 3, 2, tzinfo=UTC)
    return Record("", 0, offset, name, version, kind, "", at, events_pb2.ListingEvent(listing=listing), "")


def seeing(index: Index) -> set[Viewer]:
    """Who is shown the listing."""
    entry = index.get(NAME)
    return {viewer for viewer in VIEWERS if entry and index.newer.shows(viewer, entry)}


@pytest.mark.parametrize(
    ("audience", "viewers"),
    [
        (None, set()),
        (FOR_GOVERNMENT, {GOVERNMENT, PLATFORM, ISSUER, SECRETARIAT}),
        (FOR_MEMBERS, {MEMBER, PLATFORM, ISSUER, SECRETARIAT}),
        (FOR_OTHERS, {PLATFORM, ISSUER}),
        (FOR_GOVERNMENT._replace(issuer="organizations/9"), {GOVERNMENT, PLATFORM, SECRETARIAT, MEMBER}),
        (FOR_ALL, set(VIEWERS)),
    ],
)
def test_what_is_newer_decides_who_sees_a_listing(audience: Audience | None, viewers: set[Viewer]) -> None:
    index = index_of(entry_of(0))
    index.newer.learn(NAME, 2, audience)
    assert seeing(index) == viewers
    assert {viewer for viewer in VIEWERS if index.newer.hidden(viewer) != [NAME]} == viewers
    assert len(index.newer) == (audience != FOR_ALL), "what is public narrows nothing"


def test_it_never_shows_more_than_the_index_holds() -> None:
    index = index_of(entry_of(0, visibility=pb.VISIBILITY_GOVERNMENT))
    index.newer.learn(NAME, 2, FOR_MEMBERS)
    assert seeing(index) == {PLATFORM, ISSUER, SECRETARIAT}
    index.newer.learn(NAME, 3, FOR_ALL)
    assert seeing(index) == {GOVERNMENT, PLATFORM, ISSUER, SECRETARIAT}


@pytest.mark.parametrize(("version", "is_kept"), [(1, False), (2, False), (3, True)])
def test_only_what_is_newer_than_the_index_is_kept(version: int, is_kept: bool) -> None:
    for index in (index_of(entry_of(0, 2)), _gone(2)):
        index.newer.learn(NAME, version, FOR_GOVERNMENT)
        assert len(index.newer) == is_kept


def _gone(version: int) -> Index:
    index = index_of(entry_of(0))
    index.remove(NAME, Gone(version, "WITHDRAWN"))
    return index


@pytest.mark.parametrize(("version", "is_kept"), [(2, True), (3, False), (4, False)])
def test_it_goes_once_the_index_holds_that_version_or_a_newer_one(version: int, is_kept: bool) -> None:
    for is_published in (True, False):
        index = index_of(entry_of(0))
        index.newer.learn(NAME, 3, FOR_GOVERNMENT)
        if is_published:
            index.put(entry_of(0, version))
        else:
            index.remove(NAME, Gone(version, "EXPIRED"))
        assert len(index.newer) == is_kept
        assert bool(index.newer.hidden(ANYONE)) is (is_kept and is_published)


def test_an_older_state_that_the_index_takes_later_is_hidden_as_well() -> None:
    index = Index(SIZE)
    index.newer.learn(NAME, 3, FOR_GOVERNMENT)
    assert index.newer.hidden(ANYONE) == [], "the index holds nothing of it yet"
    index.put(entry_of(0, 1))
    assert index.newer.hidden(ANYONE) == [NAME]
    index.remove(NAME, Gone(2, "WITHDRAWN"))
    assert index.newer.hidden(ANYONE) == []


@pytest.mark.parametrize(
    ("versions", "viewers"),
    [
        ((2, FOR_GOVERNMENT, 3, FOR_ALL), set(VIEWERS)),
        ((2, FOR_ALL, 3, FOR_GOVERNMENT), {GOVERNMENT, PLATFORM, ISSUER, SECRETARIAT}),
        ((3, FOR_GOVERNMENT, 2, FOR_ALL), {GOVERNMENT, PLATFORM, ISSUER, SECRETARIAT}),
        ((2, None, 3, FOR_MEMBERS), {MEMBER, PLATFORM, ISSUER, SECRETARIAT}),
        ((3, None, 2, FOR_MEMBERS), set()),
    ],
)
def test_the_newest_counts_in_whatever_order_they_come(versions: Any, viewers: set[Viewer]) -> None:
    index = index_of(entry_of(0))
    first, one, second, other = versions
    for version, audience in ((first, one), (second, other)):
        index.newer.learn(NAME, version, audience)
    assert seeing(index) == viewers


_STATES = st.sampled_from([FOR_ALL, FOR_GOVERNMENT, FOR_MEMBERS, FOR_OTHERS, None])
_STEPS = st.lists(st.tuples(st.sampled_from(["written", "read", "taken", "again"]), st.integers(0, 2)), max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), _STATES), min_size=1, max_size=12), _STEPS)
def test_nothing_is_shown_that_a_state_that_was_read_hides(
    written: list[tuple[int, Any]], steps: list[tuple[str, int]]
) -> None:
    """Whatever is read and taken when; and nothing is hidden for long: once the index holds all, nothing is kept."""
    history = defaultdict[int, list[Any]](list)
    for listing, state in written:
        history[listing].append(state)
    read, taken, comes_again = Counter[int](), Counter[int](), False
    known: dict[int, Entry | Gone] = {}
    newer = Newer(lambda name: known.get(int(name[-3:])))

    def take(one: int) -> None:
        taken[one] += 1
        state = history[one][taken[one] - 1]
        known[one] = _known(one, taken[one], state)
        newer.took(f"listings/{one:03}", taken[one], is_published=state is not None)

    for step, one in steps:
        if step == "read" and read[one] < len(history[one]):
            read[one] += 1
            newer.learn(f"listings/{one:03}", read[one], history[one][read[one] - 1])
        elif step == "again" and read[one]:
            comes_again = True
            newer.learn(f"listings/{one:03}", 1, history[one][0])
        elif step == "taken" and taken[one] < len(history[one]):
            take(one)
        for viewer in VIEWERS:
            hidden = newer.hidden(viewer)
            for which in history:
                entry = known.get(which)
                if not isinstance(entry, Entry):
                    continue
                newest = history[which][max(read[which], taken[which]) - 1]
                allowed = _may(viewer, history[which][taken[which] - 1]) and _may(viewer, newest)
                shown = newer.shows(viewer, entry)
                assert allowed or not shown
                assert shown or not allowed or comes_again
                assert not (shown and entry.facts.name in hidden)
    for one, states in history.items():
        while taken[one] < len(states):
            take(one)
    assert len(newer) == 0
    assert not newer.hidden(ANYONE)


def _known(number: int, version: int, state: Audience | None) -> Entry | Gone:
    if state is None:
        return Gone(version, "WITHDRAWN")
    facts = Facts(f"listings/{number:03}", version, state.issuer, state.bodies, "JOB_POSITION", state.visibility)
    return Entry(facts, b"")


def _may(viewer: Viewer, state: Audience | None) -> bool:
    return state is not None and state.holds(viewer)


# Search


def found(search: Search, viewer: Viewer, query: str = "", **how: Any) -> Found:
    return search.find(query, Filter(), viewer, facets=["kind", "source"], **how)


def shown(page: Found) -> list[str]:
    return [entry.facts.name for entry, _ in page.hits if entry]


@pytest.mark.parametrize("query", ["", "数据", "工程师"])
@pytest.mark.parametrize("audience", [None, FOR_GOVERNMENT])
def test_hits_total_and_facets_leave_it_out(query: str, audience: Audience | None) -> None:
    index = index_of(*(entry_of(number) for number in range(6)))
    search = Search(index)
    before = found(search, ANYONE, query)
    index.newer.learn("listings/003", 2, audience)
    after = found(search, ANYONE, query)
    if query == "工程师":
        assert before.total == after.total == 0
        return
    assert (before.total, dict(before.facets["source"])) == (6, {"erp": 3})
    assert (after.total, dict(after.facets["source"]), dict(after.facets["kind"])) == (5, {"erp": 2}, {"JOB_POSITION": 5})
    assert set(shown(after)) == set(shown(before)) - {"listings/003"}
    assert found(search, GOVERNMENT, query).total == (6 if audience else 5)
    assert found(search, PLATFORM, query).total == (6 if audience else 5)
    index.newer.learn("listings/003", 3, FOR_ALL)
    assert shown(found(search, ANYONE, query)) == shown(before)


@pytest.mark.parametrize("query", ["", "数据"])
def test_the_second_page_leaves_it_out_and_shifts_nothing(query: str) -> None:
    index = index_of(*(entry_of(number) for number in range(9)))
    search = Search(index)
    first = found(search, ANYONE, query, size=3)
    order = shown(found(search, ANYONE, query, size=9))
    for place in (1, 4):  # of the page that was read, and of the next one
        index.newer.learn(order[place], 2, FOR_GOVERNMENT)
    second, third = (found(search, ANYONE, query, start=start, size=3, snapshot=first.snapshot) for start in (3, 6))
    assert shown(first) + shown(second) + shown(third) == [*order[:4], *order[5:]]
    for page in (second, third):
        assert (page.total, page.places, dict(page.facets["kind"])) == (7, 9, {"JOB_POSITION": 7})


def test_what_the_index_took_since_the_snapshot_is_judged_by_what_it_is_now() -> None:
    index = index_of(*(entry_of(number) for number in range(6)))
    search = Search(index)
    first = found(search, ANYONE, size=3)
    index.put(entry_of(1, 2, pb.VISIBILITY_GOVERNMENT))
    second = found(search, ANYONE, start=3, size=3, snapshot=first.snapshot)
    assert shown(second) == ["listings/002", "listings/000"]


async def asked(by: Index | Matching, size: int, token: str = "", query: str = "数据") -> rpc.SearchListingsResponse:
    """What an anonymous caller is answered."""
    request = rpc.SearchListingsRequest(query=query, page_size=size, page_token=token, facets=["kind"])
    return await searching.asked(by, request)


@pytest.mark.parametrize("query", ["", "数据"])
async def test_no_token_tells_that_there_is_what_is_left_out(query: str) -> None:
    index = index_of(*(entry_of(number) for number in range(4)))
    for number in range(4):
        index.newer.learn(f"listings/{number:03}", 2, FOR_GOVERNMENT)
        answer = await asked(index, 2, query=query)
        assert (answer.total_size, bool(answer.next_page_token)) == (3 - number, number < 3 and len(answer.hits) < 3 - number)
    assert answer == rpc.SearchListingsResponse()


@pytest.mark.parametrize("query", ["", "数据"])
async def test_nor_does_a_later_page_that_shows_the_last(query: str) -> None:
    index = index_of(*(entry_of(number) for number in range(6)))
    index.newer.learn("listings/000", 2, FOR_GOVERNMENT)
    process = searching.process(index)
    answer = await asked(process, 1, query=query)
    hits = len(answer.hits)
    while answer.next_page_token:
        answer = await asked(process, 1, answer.next_page_token, query)
        hits += len(answer.hits)
    assert (hits, len(answer.hits)) == (5, 1)


# The follower


class Topic:
    """Where twelve partitions end."""

    def __init__(self, **ends: int) -> None:
        self.id = uuid4()
        self.now = dict.fromkeys(range(12), 0) | {int(number[1:]): end for number, end in ends.items()}

    async def ends(self) -> dict[int, int]:
        return self.now


async def test_it_begins_near_the_end_and_goes_on_where_it_stopped() -> None:
    ahead, topic = Ahead(Index(SIZE)), Topic(p0=5 * BATCH, p1=3)
    places = await ahead.beginning(topic.id, topic.ends)
    assert (places[0], places[1], places[2]) == (4 * BATCH, 0, 0)
    await ahead.take([record(1, offset=5 * BATCH)])
    topic.now[0] = 9 * BATCH
    assert (await ahead.beginning(topic.id, topic.ends))[0] == 5 * BATCH + 1


async def test_a_topic_made_anew_is_read_from_its_start_and_so_is_a_partition_that_lost_its_end() -> None:
    ahead, topic = Ahead(Index(SIZE)), Topic(p0=5 * BATCH, p1=5 * BATCH)
    await ahead.beginning(topic.id, topic.ends)
    topic.now[0] = 4 * BATCH - 1
    assert await ahead.beginning(topic.id, topic.ends) == {1: 4 * BATCH, **dict.fromkeys(range(2, 12), 0)}
    topic.now[1] = 4 * BATCH
    assert (await ahead.beginning(topic.id, topic.ends))[1] == 4 * BATCH
    assert await ahead.beginning(UUID(int=1), topic.ends) == {}
    index = index_of(entry_of(0, 5))
    again = Ahead(index)
    await again.beginning(topic.id, topic.ends)
    await again.take([record(version, visibility=pb.VISIBILITY_GOVERNMENT) for version in range(1, 6)])
    assert len(index.newer) == 0, "what the index has known all along narrows nothing"


@pytest.mark.parametrize(
    ("told", "viewers"),
    [
        (record(2, visibility=pb.VISIBILITY_GOVERNMENT), {GOVERNMENT, PLATFORM, ISSUER, SECRETARIAT}),
        (record(2, visibility=pb.VISIBILITY_UNSPECIFIED), {PLATFORM, ISSUER, SECRETARIAT}),
        (record(2), set(VIEWERS)),
        (record(2, state=pb.LISTING_STATE_WITHDRAWN, verb="withdrawn"), set()),
        (record(2, state=pb.LISTING_STATE_EXPIRED, verb="expired"), set()),
        (record(2, state=77), set()),
        (record(2, kind=999), set()),
        (record(2, state=pb.LISTING_STATE_DRAFT, verb="created"), set(VIEWERS)),
        (record(2, state=pb.LISTING_STATE_DRAFT, verb="restored"), set()),
        (record(2, verb="restored")._replace(message=None), set()),
        (record(2, verb="withdrawn")._replace(message=None), set(VIEWERS)),
    ],
)
async def test_what_a_record_says(told: Record, viewers: set[Viewer]) -> None:
    index = index_of(entry_of(0))
    await Ahead(index).take([told])
    assert seeing(index) == viewers


@pytest.mark.parametrize("told", [record(2, state=state) for state in pb.ListingState.values()])
def test_it_takes_for_gone_what_the_index_takes_for_gone(told: Record) -> None:
    index = index_of(entry_of(0))
    Ahead(index).learn(told)
    state = _state_of(told)
    assert (seeing(index) == set()) is isinstance(state, Gone)
