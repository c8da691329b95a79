"""Matching: saved searches ask what SearchListings asks, and are found by keys of what meets them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import search_pb2 as pb
from codes import regions
from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.saved import Offered, Wanted, anchors, asked, keys, meets
from matching.entry import Entry
from matching.search import Filter, Search
from matching.searches.mapping import offered_of, problems
from tests.indexing import index_of

EVERYTHING = Viewer(platform=True)
_TITLES = ("Java 开发工程师", "测试工程师", "库管", "数据分析", "北京 Java")
_PROSE = ("", "负责数据分析", "封装与热仿真", "java")
_PLACES = ("110000", "110105", "320000", "320100")
_KINDS = ("JOB_POSITION", "TALENT_SUPPLY")
_NAMES = ("a", "b")

listings = st.builds(
    lambda title, prose, places, kind, body, issuer, source: Entry(
        Facts(
            "listings/1",
            1,
            f"organizations/{issuer}",
            tuple(f"bodies/{one}" for one in body),
            kind,
            listing_pb2.VISIBILITY_PUBLIC,
            tuple(sorted(places)),
            words=text.weigh(title, [], [prose]),
        ),
        b"",
        source,
        title,
    ),
    st.sampled_from(_TITLES),
    st.sampled_from(_PROSE),
    st.frozensets(st.sampled_from(_PLACES), max_size=2),
    st.sampled_from(_KINDS),
    st.frozensets(st.sampled_from(_NAMES), max_size=2),
    st.sampled_from(_NAMES),
    st.sampled_from(("", *_NAMES)),
)
queries = st.sampled_from(("", "java", "数据 测试", "工程师", "库", "工程师 库", "工程师 杀", "热仿真"))
filters = st.builds(
    Filter,
    kinds=st.frozensets(st.sampled_from(_KINDS), max_size=1),
    area=st.sampled_from(("", *_PLACES)),
    body=st.sampled_from(("", "bodies/a")),
    issuer=st.sampled_from(("", "organizations/a")),
    source=st.sampled_from(("", "a")),
)


INDEX = index_of()  # each example takes the place of the one before: to make an index takes longer than to ask it


def wanted_of(query: str, wanted: Filter) -> Wanted:
    return Wanted(*asked(query), wanted.kinds, wanted.area, wanted.body, wanted.issuer, wanted.source)


@settings(max_examples=400, deadline=None)
@given(listings, queries, filters)
def test_a_saved_search_is_met_by_what_the_search_finds(entry: Entry, query: str, asked_for: Filter) -> None:
    INDEX.put(entry)
    found = Search(INDEX).find(query, asked_for, EVERYTHING).total
    assert meets(wanted_of(query, asked_for), offered_of(entry)) is bool(found)


@settings(max_examples=400, deadline=None)
@given(listings, queries, filters)
def test_whatever_meets_a_search_has_one_of_its_anchors(entry: Entry, query: str, asked_for: Filter) -> None:
    wanted = wanted_of(query, asked_for)
    if wanted == Wanted():  # refused when it is to be saved
        assert not anchors(wanted)
    elif meets(wanted, offered_of(entry)):
        assert anchors(wanted) & keys(offered_of(entry))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(words=frozenset({"java", "封装"}), area="110000"), {"word java", "word 封装"}),
        (Wanted(titles=frozenset({frozenset({"工", "工程", "程"})})), {"title 工程"}),
        (Wanted(titles=frozenset({frozenset({"工", "工程", "程"}), frozenset({"库"})})), {"title 工程", "title 库"}),
        (Wanted(issuer="organizations/a", words=frozenset({"java"})), {"issuer organizations/a"}),
        (Wanted(area="110000", kinds=frozenset({"COURSE"})), {"area 110000"}),
        (Wanted(kinds=frozenset({"COURSE", "EXPERT"})), {"kind COURSE", "kind EXPERT"}),
    ],
)
def test_anchors_are_of_the_condition_that_few_fulfil(wanted: Wanted, found: set[str]) -> None:
    assert anchors(wanted) == found


def test_a_listing_lies_in_every_area_around_it() -> None:
    offered = Offered.of(Facts("listings/1", 1, "o", (), "COURSE", 1, ("110105",)), "课程", "")
    assert offered.areas == set(regions.path("110105"))
    assert {"area 110000", "area 110105"} <= keys(offered)


def given_search(**fields: Any) -> pb.SavedSearch:
    return pb.SavedSearch(**{"organization": "organizations/a", "display_name": "岗位", "query": "封装", **fields})


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, []),
        ({"display_name": "名" * 100, "query": "词" * 200}, []),
        ({"display_name": "名" * 101}, [("search.display_name", "length")]),
        ({"display_name": " "}, [("search.display_name", "length")]),
        ({"query": "词" * 201}, [("search.query", "length")]),
        ({"query": ""}, [("search.query", "required")]),
        ({"query": " ", "region_code": "110000"}, []),
        ({"query": "", "kinds": [listing_pb2.LISTING_KIND_UNSPECIFIED]}, [("search.query", "required")]),
        ({"query": "", "kinds": [listing_pb2.LISTING_KIND_COURSE]}, []),
        ({"query": "!?"}, [("search.query", "words")]),
        ({"query": "java 13800138000"}, [("search.query", "personal-data")]),
    ],
)
def test_what_can_be_saved(fields: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    assert [(one.field, one.rule) for one in problems(given_search(**fields))] == wrong
