"""Search: what a query finds, in which order."""

import pytest

from matching.domain import text
from matching.domain.facts import Facts
from matching.index import Entry, Index
from matching.search import Filter, Search

_TITLES = {
    "listings/1": "Java 开发工程师",
    "listings/2": "测试工程师",
    "listings/3": "库管",
    "listings/4": "数据分析",
}


def found(query: str, wanted: Filter | None = None) -> list[str]:
    """Titles that a query finds, best first."""
    index = Index()
    search = Search(index)
    for name, title in _TITLES.items():
        words = text.weigh(title, [], ["负责数据"] if name == "listings/2" else [])
        entry = Entry(Facts(name, 1, "organizations/1", (), "JOB_POSITION", 1, words=words), b"", title=title)
        index.put(entry)
        search.put(entry)
    return [entry.title for entry, _ in search.find(query, wanted or Filter(), lambda _: True)]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("java", ["Java 开发工程师"]),
        ("ＪＡＶＡ工程师", ["Java 开发工程师"]),
        ("数据分析", ["数据分析", "测试工程师"]),
        ("工程师", ["测试工程师", "Java 开发工程师"]),  # every post says it: in the titles then
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
    index = Index()
    search = Search(index)
    entry = Entry(Facts("listings/1", 1, "organizations/1", (), "JOB_POSITION", 1), b"", title="工程师")
    index.put(entry)
    search.put(entry)
    assert search.find("工程师", Filter(), lambda _: True)
    index.remove("listings/1")
    search.remove("listings/1")
    assert search.find("工程师", Filter(), lambda _: True) == []
