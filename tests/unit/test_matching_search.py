"""Search: what a query finds, in which order."""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import replace
from itertools import product
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.visibility import Viewer, may_see
from alliance.listings.v1 import listing_pb2 as pb
from alliance.matching.v1 import matching_service_pb2 as rpc
from chassis.errors import Invalid
from matching import search as searching
from matching.domain import text
from matching.domain.facts import Facts
from matching.entry import Entry, Gone
from matching.index import Index
from matching.mapping import hit_of
from matching.search import REFRESH, Filter, ForgottenError, Found, Search
from tests.indexing import SIZE, entry, index_of
from tests.searching import asked, process

EVERYTHING = Viewer(platform=True)
_SHARE = 8  # of the snapshots that are kept, and of the minute for which they last, a test takes one in so many

_MANY = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))  # as many words as a text may hold
_TITLES = {
    "listings/1": "Java 开发工程师",
    "listings/2": "测试工程师",
    "listings/3": "库管",
    "listings/4": "数据分析",
}


def found(query: str, wanted: Filter | None = None) -> list[str]:
    """Titles that a query finds, best first."""
    index = Index(SIZE)
    search = Search(index)
    for name, title in _TITLES.items():
        words = text.weigh(title, [], ["负责数据"] if name == "listings/2" else [])
        index.put(entry(Facts(name, 1, "organizations/1", (), "JOB_POSITION", 1, words=words), title))
    return [entry.title for entry, _ in search.find(query, wanted or Filter(), EVERYTHING).hits if entry]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("java", ["Java 开发工程师"]),
        ("ＪＡＶＡ工程师", ["Java 开发工程师"]),
        ("数据分析", ["数据分析", "测试工程师"]),
        ("工程师", ["测试工程师", "Java 开发工程师"]),  # every post says it: in the titles then
        ("工程师 库", ["测试工程师", "库管", "Java 开发工程师"]),  # one of them is enough
        ("工程师 杀", ["测试工程师", "Java 开发工程师"]),
        ("杀 工程师", ["测试工程师", "Java 开发工程师"]),
        ("工程师杀", []),
        ("程师", []),
        ("库", ["库管"]),
        ("管", ["库管"]),
        ("与", []),
        ("!?", []),
        ("", ["数据分析", "库管", "测试工程师", "Java 开发工程师"]),  # newest first
        ("  ", ["数据分析", "库管", "测试工程师", "Java 开发工程师"]),
    ],
)
def test_what_a_query_finds(query: str, titles: list[str]) -> None:
    assert found(query) == titles


@pytest.mark.parametrize(("query", "number"), [("𠮷林", 1), ("𠮷", 1), ("\U000323af", 1), ("\U000323b0", 0), ("𬭎林", 0)])
def test_characters_beyond_the_basic_plane_are_words(query: str, number: int) -> None:
    title = "𠮷林厂\U000323af\U000323b0"
    index = Index(SIZE)
    index.put(entry(Facts("listings/1", 1, "organizations/1", (), "CASE", 1, words=text.weigh(title, [], [])), title))
    assert Search(index).find(query, Filter(), EVERYTHING).total == number


def test_what_was_removed_is_found_no_more() -> None:
    index = Index(SIZE)
    search = Search(index)
    index.put(Entry(Facts("listings/1", 1, "organizations/1", (), "JOB_POSITION", 1), b"", title="工程师"))
    assert search.find("工程师", Filter(), EVERYTHING).hits
    index.remove("listings/1", Gone(2, "WITHDRAWN"))
    for query in ("工程师", ""):
        assert search.find(query, Filter(), EVERYTHING).hits == []


def filled(*entries: Entry) -> Search:
    return Search(index_of(*entries))


def entry_of(number: int, **fields: Any) -> Entry:
    given = {"issuer": "organizations/1", "bodies": (), "kind": "JOB_POSITION", "visibility": pb.VISIBILITY_PUBLIC, **fields}
    source = given.pop("source", "")
    facts = Facts(f"listings/{number:03}", 1, words=text.weigh("数据分析", [], []), **given)
    return Entry(facts, b"", title="数据分析", source=source)


def names(page: Found) -> list[str]:
    return [entry.facts.name for entry, _ in page.hits if entry]


_BODIES = ("bodies/1", "bodies/2")
_SETS = st.frozensets(st.sampled_from(_BODIES))
_VIEWERS = st.builds(
    Viewer,
    platform=st.booleans(),
    organization=st.sampled_from(["", "organizations/1", "organizations/2"]),
    bodies_run=_SETS,
    member_bodies=_SETS,
    government=st.booleans(),
)
_ENTRIES = [
    entry_of(number, issuer=issuer, bodies=bodies, visibility=visibility)
    for number, (issuer, bodies, visibility) in enumerate(
        product(("organizations/1", "organizations/3"), ((), _BODIES[:1], _BODIES), (1, 2, 3))
    )
]


@given(_VIEWERS, st.sampled_from(["", "数据", "数据分析工程师"]))
def test_exactly_what_a_viewer_may_see_is_found_and_counted(viewer: Viewer, query: str) -> None:
    found = _EVERYBODY.find(query, Filter(), viewer, facets=["issuer"])
    visible = [
        one.facts
        for one in _ENTRIES
        if may_see(
            viewer,
            issuer=one.facts.issuer,
            bodies=one.facts.bodies,
            visibility=one.facts.visibility,
            state=pb.LISTING_STATE_PUBLISHED,
        )
    ]
    assert sorted(names(found)) == [facts.name for facts in visible]
    assert found.total == len(visible)
    assert dict(found.facets["issuer"]) == Counter(facts.issuer for facts in visible)


_EVERYBODY = filled(*_ENTRIES)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(kinds=frozenset({"CASE"})), [2]),
        (Filter(kinds=frozenset({"CASE", "JOB_POSITION"})), [0, 1, 2, 3]),
        (Filter(area="110000"), [0, 1]),
        (Filter(area="110105"), [1]),
        (Filter(area="310000"), []),
        (Filter(body="bodies/1"), [2]),
        (Filter(issuer="organizations/2"), [3]),
        (Filter(source="erp"), [3]),
        (Filter(kinds=frozenset({"CASE"}), area="110000"), []),
    ],
)
def test_structure_is_a_condition(wanted: Filter, numbers: list[int]) -> None:
    search = filled(
        entry_of(0, regions=("110000",)),
        entry_of(1, regions=("110105", "440300")),
        entry_of(2, kind="CASE", bodies=("bodies/1",)),
        entry_of(3, issuer="organizations/2", source="erp"),
    )
    for query in ("", "数据"):
        assert sorted(names(search.find(query, wanted, EVERYTHING))) == [f"listings/{number:03}" for number in numbers]


def of_place(number: int, title: str, *places: str) -> Entry:
    """A post of some places, with its words and terms."""
    words = text.weigh(title, [], [])
    facts = Facts(f"listings/{number:03}", 1, "organizations/1", (), "JOB_POSITION", 1, places, words=words)
    return entry(facts, title)


@pytest.mark.parametrize(
    ("query", "wanted", "numbers"),
    [
        ("Java 后端", Filter(), [1, 0, 2, 3, 4]),
        ("上海 Java 后端", Filter(), [0, 2, 4, 1, 3]),
        ("北京Java后端", Filter(), [1, 4, 0, 2, 3]),
        ("上海市 Java 后端", Filter(), [0, 2, 4, 1, 3]),
        ("杭州 Java 后端", Filter(), [3, 4, 1, 0, 2]),  # what is for all of Zhejiang is for Hangzhou
        ("浙江 Java 后端", Filter(), [3, 4, 1, 0, 2]),
        ("上海 北京 Java 后端", Filter(), [1, 0, 2, 4, 3]),
        ("上海 Java 后端", Filter(area="110000"), [1]),
    ],
)
def test_what_can_be_where_the_query_says_comes_first(query: str, wanted: Filter, numbers: list[int]) -> None:
    search = filled(
        of_place(0, "Java", "310000"),
        of_place(1, "Java 后端", "110105"),
        of_place(2, "Java", "310115", "440300"),
        of_place(3, "Java", "330000"),
        of_place(4, "Java"),  # anywhere
    )
    page = search.find(query, wanted, EVERYTHING)
    assert names(page) == [f"listings/{number:03}" for number in numbers]
    relevances = [relevance for _, relevance in page.hits]
    assert relevances == sorted(relevances, reverse=True)
    assert all(0 < one <= 1 for one in relevances)


def test_what_is_there_is_found_behind_however_many_that_fit_better_by_words() -> None:
    others = [of_place(number, "Java 后端 开发", "110000") for number in range(250)]
    search = filled(of_place(300, "Java 小组", "310000"), *others)
    found = [search.find("上海 Java 后端", Filter(), EVERYTHING, start=start, size=100) for start in (0, 100, 200)]
    seen = [name for page in found for name in names(page)]
    assert seen[0] == "listings/300"
    assert sorted(seen) == sorted([one.facts.name for one in others] + ["listings/300"])
    relevances = [relevance for page in found for _, relevance in page.hits]
    assert relevances == sorted(relevances, reverse=True)


def test_facets_count_all_hits_and_not_only_the_page() -> None:
    search = filled(*(entry_of(n, regions=("110105",) if n % 3 else ("310000", "110000"), source="erp") for n in range(9)))
    found = search.find("", Filter(), EVERYTHING, size=2, facets=["kind", "region", "source"])
    assert found.facets == {
        "kind": [("JOB_POSITION", 9)],
        "region": [("110000", 9), ("310000", 3)],
        "source": [("erp", 9)],
    }


@pytest.mark.parametrize("query", ["", "数据分析"])
def test_pages_are_of_one_index_whatever_changes_meanwhile(query: str) -> None:
    index = index_of(*(entry_of(number) for number in range(30)))
    search = Search(index)
    seen: list[str] = []
    snapshot = ""
    for start in range(0, 30, 10):
        page = search.find(query, Filter(), EVERYTHING, start=start, size=10, snapshot=snapshot)
        seen, snapshot = seen + names(page), page.snapshot
        for number in (100 + start, 5 + start):
            index.put(entry_of(number))
        index.remove(f"listings/{29 - start // 10:03}", Gone(2, "WITHDRAWN"))
    assert len(seen) == len(set(seen))
    assert set(seen) >= {f"listings/{number:03}" for number in range(27)}
    assert search.find(query, Filter(), EVERYTHING, size=100).total == 30


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many snapshots are kept: a share of those that the service keeps, so that a test has a share of its minute only."""
    few = searching._KEPT // _SHARE
    monkeypatch.setattr(searching, "_KEPT", few)
    return few


@pytest.mark.parametrize("query", ["", "数据分析"])
def test_pages_can_be_followed_for_a_minute_of_changes_and_searches(query: str, kept: int) -> None:
    """What follows a page that was asked for within the minute is of the same index."""
    now = 0.0
    index = index_of(*(entry_of(number) for number in range(30)))
    search = Search(index, REFRESH, lambda: now)
    page = search.find(query, Filter(), EVERYTHING, size=10)
    seen = names(page)
    for start in (10, 20):
        for number in range(5 * 60 // _SHARE):
            now += 0.2
            index.put(entry_of(30 + number % 20))
            search.find("另一个", Filter(), EVERYTHING, size=1)
        page = search.find(query, Filter(), EVERYTHING, start=start, size=10, snapshot=page.snapshot)
        seen += names(page)
    assert sorted(seen) == [f"listings/{number:03}" for number in range(30)]


def test_changes_wait_for_half_a_second_at_most() -> None:
    now, totals = 0.0, list[int]()
    index = index_of(entry_of(0))
    search = Search(index, REFRESH, lambda: now)
    for number, at in enumerate((0.0, 0.49, 0.5, 0.99, 1.0), 1):
        now = at
        index.put(entry_of(number))
        totals.append(search.find("数据", Filter(), EVERYTHING).total)
    assert totals == [2, 2, 4, 4, 6]


@pytest.mark.parametrize("query", ["", "数据"])
def test_a_page_of_a_snapshot_that_is_kept_no_more_is_refused(query: str, kept: int) -> None:
    index = index_of(*(entry_of(number) for number in range(5)))
    search = Search(index)
    first = search.find(query, Filter(), EVERYTHING, size=3)
    for number in range(kept + 2):
        index.put(entry_of(number % 5))
        search.find("", Filter(), EVERYTHING, size=3)
    for wanted in (first.snapshot, "another"):
        with pytest.raises(ForgottenError):
            search.find(query, Filter(), EVERYTHING, start=3, size=3, snapshot=wanted)


def test_an_order_that_is_kept_no_more_is_not_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words count otherwise by now, so that what was on the page before could come again."""
    monkeypatch.setattr(searching, "_TOPS", 2)
    index = index_of(*(entry_of(number) for number in range(5)))
    search = Search(index)
    first = search.find("数据", Filter(), EVERYTHING, size=3)
    for query in ("分析", "数据分析"):
        search.find(query, Filter(), EVERYTHING)
    with pytest.raises(ForgottenError):
        search.find("数据", Filter(), EVERYTHING, start=3, size=3, snapshot=first.snapshot)


def test_pages_go_on_as_they_began_whoever_asks_for_the_same_meanwhile() -> None:
    """Of the same index, once before the query's meaning was there, and once after it."""
    index = index_of(*(entry_of(number) for number in range(9)))
    search, meaning = Search(index), bytes([1] * SIZE)
    worded = search.find("数据", Filter(), EVERYTHING, size=3)
    meant = search.find("数据", Filter(), EVERYTHING, size=3, meaning=meaning)
    assert worded.snapshot != meant.snapshot
    for first, then in ((worded, meaning), (meant, b"")):
        second = search.find("数据", Filter(), EVERYTHING, start=3, size=6, snapshot=first.snapshot, meaning=then)
        assert (second.snapshot, second.total) == (first.snapshot, first.total)
        assert sorted(names(first) + names(second)) == [f"listings/{number:03}" for number in range(9)]


@pytest.mark.parametrize("query", ["", "数据"])
async def test_the_token_of_another_process_is_refused(query: str) -> None:
    index = index_of(*(entry_of(number) for number in range(5)))
    first = await asked(index, rpc.SearchListingsRequest(query=query, page_size=3))
    with pytest.raises(Invalid) as caught:
        await asked(index, rpc.SearchListingsRequest(query=query, page_size=3, page_token=first.next_page_token))
    (violation,) = caught.value.violations
    assert violation.field == "page_token"
    assert "另一副本" in violation.zh


@pytest.mark.parametrize(
    ("told", "sought", "marked"),
    [
        ("数据分析工程师", ["数据", "据分", "分析"], ["数据分析"]),
        ("数据分工", ["数据", "据分"], ["数据分"]),
        ("3D打印与Node.js", ["d", "打印", "node.js", "node"], ["D打印", "Node.js"]),
        ("Java 和 JavaScript，JAVA", ["java"], ["Java", "JAVA"]),
        ("C++ 与 c", ["c++"], ["C++"]),
        ("数据仓库与数据分析", ["数据", "分析"], ["数据", "数据分析"]),
        ("库管", ["库", "管", "库管"], ["库管"]),
        ("İ 数据", ["数据"], ["数据"]),
        ("ＪＡＶＡ与Ｃ＋＋", ["java", "c++"], ["ＪＡＶＡ", "Ｃ＋＋"]),
        ("ﬁnance，ﬁ数据", ["finance", "数据"], ["ﬁnance", "数据"]),
        ("㎡与㍿的社员", ["会社", "社员"], ["㍿", "社员"]),
        ("𠮷野家与𬭎", ["𠮷野", "野家", "𬭎"], ["𠮷野家", "𬭎"]),
        ("", ["数据"], []),
    ],
)
def test_words_are_marked_where_they_stand(told: str, sought: list[str], marked: list[str]) -> None:
    assert [told[start:end] for start, end in text.spans(told, frozenset(sought))] == marked


_LETTERS = "数据分析𠮷 ab+.，"


@given(st.text(_LETTERS, max_size=40), st.text(_LETTERS, max_size=8))
def test_what_is_marked_is_exactly_what_holds_words_that_are_sought(told: str, query: str) -> None:
    sought = text.sought(query)
    latin = re.compile(r"[a-z]+(?:[+#]+|\.[a-z]+)*")
    marked = {at for start, end in text.spans(told, sought) for at in range(start, end)}
    places = [one.span() for one in latin.finditer(told)]
    places += [(at, at + size) for size in (1, 2) for at in range(len(told) - size + 1) if told[at] >= "㐀"]
    assert marked == {at for start, end in places if told[start:end] in sought for at in range(start, end)}


def test_the_part_of_a_text_is_shown_in_which_the_words_stand() -> None:
    told = "一" * 200 + "负责数据分析" + "二" * 200
    sought = frozenset({"数据", "据分", "分析"})
    part = text.excerpt(told, sought, 80)
    assert "数据分析" in part
    assert len(part) == 80
    assert text.excerpt("短", sought, 80) == "短"
    assert text.excerpt(told, frozenset({"没有"}), 80) == told[:80]


def test_the_part_is_the_first_in_which_they_stand_thickest() -> None:
    sought = frozenset({"数据"})
    told = "数据" + "一" * 98 + "数据，数据" + "二" * 95 + "数据，数据" + "三" * 95
    assert text.excerpt(told, sought, 80) == told[84:164]


def test_of_a_text_as_much_is_looked_at_as_counts() -> None:
    edge = "一" * (text.PROSE_LIMIT - 2)
    assert text.spans(edge + "数据", frozenset({"数据"})) == [(text.PROSE_LIMIT - 2, text.PROSE_LIMIT)]
    assert text.spans("一" + edge + "数据", frozenset({"数据"})) == []


class _LookedUp(Set[str]):
    """Words that count how often one is looked up; they are gone through by nobody."""

    def __init__(self, words: Set[str]) -> None:
        self._words = words
        self.times = 0

    def __contains__(self, word: object) -> bool:
        self.times += 1
        return word in self._words

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a search must not cost the text for each of its words")


@pytest.mark.parametrize("told", [_MANY * 10, "数据" * 10_000, "一" * 20_000, "java " * 4_000])
def test_marking_costs_the_characters_of_a_text_and_not_the_words_of_the_query(told: str) -> None:
    sought = _LookedUp(text.sought(_MANY) | {"数据", "java"})
    text.spans(told, sought)
    assert 0 < sought.times <= 2 * text.PROSE_LIMIT


def steps(work: Callable[[], object]) -> int:
    """Lines of Python that some work takes."""
    taken = 0

    def count(_frame: FrameType, event: str, _: Any) -> Any:
        nonlocal taken
        taken += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return taken


@pytest.mark.parametrize("told", [_MANY, "数据，" * 7_000])
def test_what_a_hit_costs_is_bounded_by_the_characters_that_count(told: str) -> None:
    sought = text.sought(_MANY[:200] + "数据")
    found = Entry(Facts("listings/1", 1, "o", (), "CASE", 1), pb.Listing(title="数据", description=told).SerializeToString())
    assert steps(lambda: hit_of(found, 1.0, sought)) <= 20 * text.PROSE_LIMIT


@pytest.mark.parametrize(("asked_for", "hits"), [(0, 20), (1, 1), (99, 99), (100, 100), (101, 100), (1000, 100)])
async def test_a_page_holds_a_hundred_hits_at_most(asked_for: int, hits: int) -> None:
    index = index_of(*(entry_of(number) for number in range(120)))
    answer = await asked(index, rpc.SearchListingsRequest(query="数据", page_size=asked_for))
    assert len(answer.hits) == hits
    assert answer.total_size == 120
    assert answer.next_page_token


@pytest.mark.parametrize("query", ["", "数据"])
async def test_pages_of_any_size_hold_each_hit_once(query: str) -> None:
    entries = [entry_of(number) for number in range(45)]
    by = process(index_of(*(replace(one, listing=pb.Listing(name=one.facts.name).SerializeToString()) for one in entries)))
    for size in (7, 10, 11, 44, 45, 100):
        seen, request = list[str](), rpc.SearchListingsRequest(query=query, page_size=size)
        while True:
            answer = await asked(by, request)
            seen += [hit.listing.name for hit in answer.hits]
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
        assert sorted(seen) == [one.facts.name for one in entries]


async def test_other_calls_go_on_between_the_hits_of_a_page() -> None:
    index, turns = index_of(*(entry_of(number) for number in range(100))), 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await asked(index, rpc.SearchListingsRequest(query="数据", page_size=100))
    beside.cancel()
    assert turns >= 100


@pytest.mark.parametrize(("length", "wrong"), [(200, []), (201, [("query", "length")])])
async def test_a_query_has_two_hundred_characters_at_most(length: int, wrong: list[tuple[str, str]]) -> None:
    try:
        await asked(Index(SIZE), rpc.SearchListingsRequest(query="词" * length))
        found = []
    except Invalid as error:
        found = error.violations
    assert [(one.field, one.rule) for one in found] == wrong
    assert all("201" in one.zh and "请删减" in one.zh and "shorten" in one.en for one in found)
