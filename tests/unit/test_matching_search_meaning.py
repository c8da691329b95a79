"""Search by what a query means: what is found without a word in common, in which order, on which pages."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from access.visibility import Viewer
from alliance.listings.v1 import listing_pb2 as pb
from matching import search as searching
from matching.domain import text
from matching.domain.facts import Facts
from matching.domain.passage import Passage
from matching.embedder import Child, EmbedderGoneError
from matching.embedding import Bundled, Vectors, meanings, texts_of
from matching.entry import Entry
from matching.index import Index
from matching.meanings import Asking
from matching.search import Filter, Search
from tests.indexing import SIZE, entry, index_of, meant

EVERYTHING, ANYBODY = Viewer(platform=True), Viewer()


@pytest.fixture(scope="module")
def by() -> Bundled:
    """One for all tests: the encoder takes a second to load."""
    return Bundled()


def post(number: int, title: str, **fields: Any) -> Entry:
    given = {"visibility": pb.VISIBILITY_PUBLIC, "issuer": "organizations/1", **fields}
    facts = Facts(f"listings/{number:03}", 1, bodies=(), kind="JOB_POSITION", words=text.weigh(title, [], []), **given)
    return entry(facts, title)


def of(by: Bundled, query: str) -> bytes:
    """What a query means."""
    passage = Passage.of(query, "")
    texts = texts_of([passage])
    return meanings([passage], dict(zip(texts, by.embed(texts), strict=True)), by.size).tobytes()


def titles(search: Search, by: Bundled, query: str, viewer: Viewer = EVERYTHING) -> list[str]:
    found = search.find(query, Filter(), viewer, meaning=of(by, query))
    assert found.total == len(found.hits)
    return [one.title for one, _ in found.hits if one]


@pytest.fixture(scope="module")
def posts(by: Bundled) -> Search:
    told = ("Web 前端开发", "后端 Java 研发", "银行柜员", "市场专员", "厨师")
    hidden = post(9, "网页制作", visibility=pb.VISIBILITY_GOVERNMENT)
    return Search(index_of(*meant([*(post(number, title) for number, title in enumerate(told)), hidden], by)))


def test_what_means_the_same_is_found_without_a_word_in_common(posts: Search, by: Bundled) -> None:
    assert titles(posts, by, "market specialist") == ["市场专员"]
    assert posts.find("market specialist", Filter(), EVERYTHING).total == 0


def test_what_nothing_is_near_to_finds_nothing(posts: Search, by: Bundled) -> None:
    for query in ("飞机发动机维修", "zzzz", "13800138000"):
        assert titles(posts, by, query) == []


def test_words_and_meaning_rank_together(posts: Search, by: Bundled) -> None:
    assert titles(posts, by, "java 后端")[0] == "后端 Java 研发"


def test_nobody_finds_by_meaning_what_he_may_not_see(posts: Search, by: Bundled) -> None:
    assert "网页制作" in titles(posts, by, "web design")
    assert "网页制作" not in titles(posts, by, "web design", ANYBODY)


def test_facets_count_what_was_found_by_meaning(posts: Search, by: Bundled) -> None:
    query = "market specialist"
    found = posts.find(query, Filter(), EVERYTHING, meaning=of(by, query), facets=["kind"])
    assert found.facets == {"kind": [("JOB_POSITION", 1)]}


def test_pages_hold_each_once_the_closest_first(by: Bundled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_FIRST", 10)
    worded = meant([post(number, f"数据分析{'员' * (number % 5)}{number}") for number in range(40)], by)
    index = index_of(*worded, *meant([post(90, "statistician")], by))
    search, query = Search(index), "数据分析 统计"
    seen: list[str] = []
    relevances: list[float] = []
    snapshot = ""
    while len(seen) < 41:
        page = search.find(query, Filter(), EVERYTHING, meaning=of(by, query), start=len(seen), size=7, snapshot=snapshot)
        assert page.total == 41
        seen += [one.facts.name for one, _ in page.hits if one]
        relevances += [relevance for _, relevance in page.hits]
        snapshot = page.snapshot
        index.put(meant([post(100 + len(seen), "数据分析")], by)[0])
    assert len(set(seen)) == 41
    assert relevances == sorted(relevances, reverse=True)
    assert all(relevances)


def test_a_listing_of_no_text_beside_others_spoils_nothing() -> None:
    index = Index(SIZE)
    one, other = post(1, ""), post(2, "数据分析")
    index.put(one)
    supply = Facts("listings/3", 1, "organizations/2", (), "TALENT_SUPPLY", 1)
    assert list(index.candidates(entry(supply, "数据分析"))) == []
    index.put(other)
    assert [found.facts.name for found in index.candidates(entry(supply, "数据分析"))] == ["listings/002"]


async def test_a_query_means_what_the_encoder_says(by: Bundled) -> None:
    child = Child("", SIZE)
    try:
        asking, query = Asking(child, SIZE), "数据分析师"
        await child.embed(["一"])  # it takes a second to load
        assert await asking.of(query) == of(by, query)
        assert await asking.of("工程师") == b""  # what every post says
    finally:
        child._end()


class _Gone:
    async def embed(self, texts: Sequence[str]) -> Vectors:
        raise EmbedderGoneError


class _Slow:
    async def embed(self, texts: Sequence[str]) -> Vectors:
        await asyncio.sleep(1)
        return np.zeros((len(texts), SIZE), np.float32)


@pytest.mark.parametrize("by", [_Gone(), _Slow()])
async def test_words_alone_are_looked_for_where_the_encoder_is_away_or_slow(by: Any) -> None:
    assert await Asking(by, SIZE).of("数据分析") == b""
