"""Candidates of the index: what is found, in which order, and that many at a time come to what one at a time does."""

import random
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matching import index as indexing
from matching import vectors
from matching.domain import lexical
from matching.domain.blend import blend
from matching.domain.facts import Facts
from matching.domain.passage import Passage
from matching.domain.score import Candidate
from matching.embedding import Bundled
from matching.entry import Entry, Gone, from_bytes, to_bytes
from matching.index import Index
from matching.vectors import Vectors
from tests.indexing import index_of, meant

TEXTS = {
    "listings/1": "Java 开发工程师。负责后端服务的开发",
    "listings/2": "数据分析师。清洗数据，制作报表",
    "listings/3": "园林绿化工。种植与养护苗木",
    "listings/4": "Software developer. Writes Java services",
    "listings/5": "园林绿化工。种植与养护苗木",
    "listings/6": "",
}
GONE = Gone(9, "WITHDRAWN")


@pytest.fixture(scope="module")
def by() -> Bundled:
    """One for all tests: the encoder takes a second to load."""
    return Bundled()


def outcome(name: str, text: str, kind: str = "RESEARCH_OUTCOME", **fields: Any) -> Entry:
    """A listing of a kind that demands of technology meet."""
    facts = Facts(
        **{
            "name": name,
            "version": 1,
            "issuer": f"organizations/{kind}",
            "bodies": (),
            "visibility": 1,
            **fields,
            "kind": kind,
        }
    )
    return Entry(facts, b"", passage=Passage.read(text))


def made(by: Bundled, texts: dict[str, str] = TEXTS) -> Index:
    """An index of such listings."""
    return index_of(*meant([outcome(name, text) for name, text in texts.items()], by))


def asked(by: Bundled, query: str, kind: str = "TECH_DEMAND", **fields: Any) -> Entry:
    """What looks for them."""
    return meant([outcome("listings/asked", query, kind, **fields)], by)[0]


def ranked(index: Index, by: Bundled, query: str, most: int = 10) -> list[Candidate]:
    """The listings closest to a query."""
    return list(islice(index.candidates(asked(by, query)), most))


def names(index: Index, by: Bundled, query: str, most: int = 10) -> list[str]:
    """Their names."""
    return [one.facts.name for one in ranked(index, by, query, most)]


@pytest.fixture(params=["fresh", "taken in"])
def index(request: pytest.FixtureRequest, by: Bundled) -> Index:
    """An index whose listings are fresh, or taken in."""
    found = made(by)
    if request.param == "taken in":
        found.commit()
    return found


def test_words_and_meanings_find(by: Bundled, index: Index) -> None:
    assert names(index, by, "数据报表", 1) == ["listings/2"]
    assert set(names(index, by, "编写程序", 2)) == {"listings/1", "listings/4"}  # shares no word with 4
    assert set(names(index, by, "java", 2)) == {"listings/1", "listings/4"}


def test_of_the_same_closeness_by_name(by: Bundled, index: Index) -> None:
    assert names(index, by, "苗木养护", 2) == ["listings/3", "listings/5"]


def test_the_order_of_arrival_changes_nothing(by: Bundled, index: Index) -> None:
    turned = made(by, dict(reversed(TEXTS.items())))
    for query in TEXTS.values():
        assert ranked(index, by, query) == ranked(turned, by, query)


def test_revised_and_removed(by: Bundled, index: Index) -> None:
    index.put(meant([outcome("listings/1", "护士。照护病人", version=2)], by)[0])
    index.remove("listings/4", GONE)
    index.remove("listings/4", GONE)
    texts = {**TEXTS, "listings/1": "护士。照护病人"}
    del texts["listings/4"]
    fresh = made(by, texts)
    for query in ("java", "病人", "绿化工"):  # the last one shares a character with what was revised
        found = [(one.facts.name, one.closeness, one.near) for one in ranked(index, by, query)]
        assert found == [(one.facts.name, one.closeness, one.near) for one in ranked(fresh, by, query)]
    assert len(index) == 5
    assert index.known("listings/4") == GONE
    index.commit()
    assert index.known("listings/4") == GONE
    assert index.get("listings/4") is None
    assert index.known("listings/7") is None


@pytest.mark.parametrize("query", ["", "。", "!?"])
def test_a_query_of_nothing_finds_nothing_close(by: Bundled, index: Index, query: str) -> None:
    assert all(one.closeness.words == 0 for one in ranked(index, by, query))
    assert names(index_of(), by, query) == names(index, by, "") == []


def test_a_pair_is_as_close_from_either_side(by: Bundled) -> None:
    one, other = asked(by, "数据分析师。分析销售数据"), outcome("listings/other", "大数据技术。学习数据采集与数据分析")
    index = index_of(one, *meant([other], by))
    index.commit()
    (there,), (back,) = index.candidates(one), index.candidates(meant([other], by)[0])
    assert (there.closeness, there.near) == (back.closeness, back.near)


def test_all_at_once_is_as_one_by_one(by: Bundled) -> None:
    """The domain's own functions are the measure of the index's."""
    chance = random.Random(1)
    words = ["数据", "分析", "java", "farming", "园林", "开发", "报表", "services", "苗木"]
    texts = {
        f"listings/{n}": "。".join(" ".join(chance.choices(words, k=chance.randint(1, 6))) for _ in "12") for n in range(40)
    }
    index, counted = made(by, texts), {name: lexical.counts(Passage.read(text)) for name, text in texts.items()}
    index.commit()

    def holding(term: str) -> int:
        return sum(term in one for one in counted.values())

    query = asked(by, "数据 分析。farming services 报表")
    weights = lexical.weights(lexical.counts(query.passage), holding, len(texts))
    found = list(index.candidates(query))
    assert {one.facts.name for one in found} == texts.keys()
    for one in found:
        words_in_common = lexical.closeness(weights, lexical.weights(counted[one.facts.name], holding, len(texts)))
        entry = index.get(one.facts.name)
        assert entry is not None
        left, right = (np.frombuffer(vector, np.int8).astype(float) for vector in (query.meaning, entry.meaning))
        cosine = float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
        assert one.near == pytest.approx(1000 * cosine, abs=1)
        assert one.closeness.words == pytest.approx(blend(words_in_common, 0).words, abs=1)
        assert one.closeness.meaning == pytest.approx(blend(0, cosine).meaning, abs=1)


def test_candidates_are_bounded(by: Bundled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "CANDIDATES", 2)
    monkeypatch.setattr(indexing, "NEAREST", 2)
    index = made(by)
    index.commit()
    assert 2 <= len(names(index, by, "园林 java 数据")) <= 4


def test_beyond_the_exact_search_the_graphs_find(by: Bundled, monkeypatch: pytest.MonkeyPatch) -> None:
    index = made(by)
    index.commit()
    exact = names(index, by, "数据报表")
    monkeypatch.setattr(vectors, "_EXACT", 0)
    assert names(index, by, "数据报表") == exact


def test_structure_is_a_condition_of_candidates(by: Bundled) -> None:
    """Closer ones that break a condition take nobody's place."""
    text = "Java 开发工程师"
    posts = [
        outcome("listings/far", text, "JOB_POSITION", regions=("310000",)),
        outcome("listings/master", text, "JOB_POSITION", regions=("110105",), education="14"),
        outcome("listings/own", text, "JOB_POSITION", issuer="organizations/TALENT_SUPPLY"),
        outcome("listings/part", "开发", "JOB_POSITION", regions=("110105",), education="20"),
        outcome("listings/whole", "开发", "JOB_POSITION", regions=("110000",), education="30"),
        outcome("listings/anywhere", "开发", "JOB_POSITION"),
    ]
    index = index_of(*meant(posts, by))
    index.commit()
    graduate = asked(by, text, "TALENT_SUPPLY", regions=("110105",), education="20")
    found = [one.facts.name for one in index.candidates(graduate)]
    assert sorted(found) == ["listings/anywhere", "listings/part", "listings/whole"]
    index = index_of(graduate)
    index.commit()
    meets = {post.facts.name: any(index.candidates(post)) for post in meant(posts, by)}
    assert {name for name, is_found in meets.items() if is_found} == {"listings/anywhere", "listings/part", "listings/whole"}


def test_its_own_kind_and_what_was_leave_room_for_what_is_near_in_meaning(by: Bundled) -> None:
    """None of them shares a word: candidates are found by meaning alone."""
    (demand,) = meant([outcome("listings/demand", "Pflege von Bäumen", "TECH_DEMAND")], by)
    own = [replace(demand, facts=replace(demand.facts, name=f"listings/own{number}")) for number in range(450)]
    (near,) = meant([outcome("listings/near", "园林绿化")], by)
    index = index_of(near, *own)
    index.commit()
    for number in range(450):  # the same listing again and again, in other words that mean as much
        index.put(replace(near, facts=replace(near.facts, name="listings/changing"), passage=Passage.read(f"园林 {number}")))
    index.remove("listings/changing", GONE)
    index.commit()
    assert [one.facts.name for one in index.candidates(demand)] == ["listings/near"]


def test_of_those_that_are_near_in_meaning_none_is_left_out_by_chance(by: Bundled) -> None:
    (demand,) = meant([outcome("listings/demand", "Pflege von Bäumen", "TECH_DEMAND")], by)
    (near,) = meant([outcome("listings/near", "园林绿化")], by)
    index = index_of(*(replace(near, facts=replace(near.facts, name=f"listings/{number}")) for number in range(399)), near)
    index.commit()
    assert len(list(index.candidates(demand))) == 400


def test_a_listing_whose_texts_stay_keeps_its_slot(by: Bundled) -> None:
    index = made(by)
    index.commit()
    slots, known = index.next_slot, index.get("listings/1")
    assert known is not None
    for commits in (False, True):
        changed = replace(known, facts=replace(known.facts, version=known.facts.version + 1, regions=("110000",)))
        index.put(changed)
        if commits:
            index.commit()
        assert index.next_slot == slots
        assert index.get("listings/1") == changed
        (found,) = (one for one in index.candidates(asked(by, TEXTS["listings/1"])) if one.facts.name == "listings/1")
        assert found.facts == changed.facts
    assert len(index) == len(TEXTS)
    index.put(replace(known, passage=Passage.read("另一段文字")))
    assert index.next_slot == slots + 1


def test_an_entry_comes_back_as_it_was(by: Bundled) -> None:
    facts = Facts(
        "listings/1", 3, "organizations/1", ("bodies/1", "bodies/2"), "JOB_POSITION", 2, ("110000",), ("6513",),
        majors=("软件工程",), skills=("Java", "C++"), technology="集成电路", education="20", words={"java": 8, "开发": 4},
    )  # fmt: skip
    (entry,) = meant([Entry(facts, b"\x00\x01", "erp", 'Java "开发"', Passage.read("Java 开发。后端"))], by)
    assert from_bytes(to_bytes(entry)).entry() == entry
    bare = Entry(Facts("listings/2", 1, "organizations/1", (), "CASE", 1), b"")
    assert from_bytes(to_bytes(bare)).entry() == bare


def test_segments_are_sealed_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_FULL", 10)
    chance = np.random.default_rng(1)
    rows = chance.integers(-127, 128, (25, 16)).astype(np.int8)
    kept, files = Vectors(16), list[str]()
    for slot, row in enumerate(rows):
        kept.add(slot, row)
        if slot % 6 == 5:
            files = kept.save(tmp_path, str(slot))
    files = kept.save(tmp_path, "last")
    read = Vectors(16)
    read.load(tmp_path, files)
    for slot, row in enumerate(rows):
        assert vectors.nearest([read], row, 3)[0] == slot
        assert vectors.nearest([read], row, 3) == vectors.nearest([kept], row, 3)
    read.add(25, rows[0] // 2)
    assert set(vectors.nearest([read], rows[0], 2)) == {0, 25}
    assert [file.rpartition(".")[2] for file in files] == ["gone", *["vectors"] * 3]


@pytest.mark.parametrize("exact", [0, 50_000])
def test_vectors_that_are_gone_take_nobodys_place_also_when_they_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact: int
) -> None:
    monkeypatch.setattr(vectors, "_EXACT", exact)
    row, kept = np.full(16, 100, np.int8), Vectors(16)
    for slot in range(500):
        kept.add(slot, row)
        kept.remove(slot)
    away = row.copy()
    away[:8] = -100
    kept.add(500, away)
    read = Vectors(16)
    read.load(tmp_path, kept.save(tmp_path, "a"))
    for one in (kept, read):
        assert vectors.nearest([one], row, 3) == [500]


def test_another_model_runs_beside_the_indexes() -> None:
    """Native libraries of both in one process, in the order that the service loads them."""
    subprocess.run([sys.executable, "-c", "import matching.index, onnxruntime"], check=True)
