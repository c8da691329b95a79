"""Search: what a query finds, in which order."""

from collections import Counter
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.visibility import Viewer, may_see
from alliance.listings.v1 import listing_pb2 as pb
from matching.domain import text
from matching.domain.facts import Facts
from matching.entry import Entry, Gone
from matching.index import Index
from matching.search import Filter, Found, Search
from tests.indexing import SIZE, entry, index_of

EVERYTHING = Viewer(platform=True)

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


def test_a_page_of_a_snapshot_that_is_kept_no_more_goes_on_in_the_index_as_it_is() -> None:
    index = index_of(*(entry_of(number) for number in range(5)))
    search = Search(index)
    first = search.find("", Filter(), EVERYTHING, size=3)
    for number in range(40):
        index.put(entry_of(number % 5))
        search.find("", Filter(), EVERYTHING, size=3)
    assert names(search.find("", Filter(), EVERYTHING, start=3, size=3, snapshot=first.snapshot)) == [
        "listings/001",
        "listings/000",
    ]
    assert names(search.find("", Filter(), EVERYTHING, start=2**40, snapshot="another")) == []


@pytest.mark.parametrize(
    ("told", "sought", "marked"),
    [
        ("数据分析工程师", ["数据", "据分", "分析"], ["数据分析"]),
        ("Java 和 JavaScript，JAVA", ["java"], ["Java", "JAVA"]),
        ("C++ 与 c", ["c++"], ["C++"]),
        ("数据仓库与数据分析", ["数据", "分析"], ["数据", "数据分析"]),
        ("库管", ["库", "管", "库管"], ["库管"]),
        ("İ 数据", ["数据"], []),
        ("", ["数据"], []),
    ],
)
def test_words_are_marked_where_they_stand(told: str, sought: list[str], marked: list[str]) -> None:
    assert [told[start:end] for start, end in text.spans(told, sought)] == marked


def test_the_part_of_a_text_is_shown_in_which_the_words_stand() -> None:
    told = "一" * 200 + "负责数据分析" + "二" * 200
    part = text.excerpt(told, ["数据", "据分", "分析"], 80)
    assert "数据分析" in part
    assert len(part) == 80
    assert text.excerpt("短", ["数据"], 80) == "短"
    assert text.excerpt(told, ["没有"], 80) == told[:80]
