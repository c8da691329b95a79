"""The ranking core: what is found, in which order, and that many at a time come to what one at a time does."""

import random
import subprocess
import sys

import pytest

from matching import ranking
from matching.domain import lexical
from matching.domain.blend import blend
from matching.domain.passage import Passage
from matching.embedding import Bundled, Meanings, Memory, cosines
from matching.lexicon import Lexicon
from matching.ranking import Ranker

TEXTS = {
    "listings/1": "Java 开发工程师。负责后端服务的开发",
    "listings/2": "数据分析师。清洗数据，制作报表",
    "listings/3": "园林绿化工。种植与养护苗木",
    "listings/4": "Software developer. Writes Java services",
    "listings/5": "园林绿化工。种植与养护苗木",
    "listings/6": "",
}


@pytest.fixture(scope="module")
def meanings() -> Meanings:
    """One for all tests: the encoder takes a second to load."""
    return Meanings(Bundled(), Memory())


def ranker(meanings: Meanings, texts: dict[str, str] = TEXTS) -> Ranker:
    """Of such listings."""
    made = Ranker(meanings, Lexicon())
    made.put((name, Passage.read(text)) for name, text in texts.items())
    return made


def names(made: Ranker, query: str, most: int = 10) -> list[str]:
    """The listings closest to a query."""
    return [one.name for one in made.rank(Passage.read(query), most)]


def test_words_and_meanings_find(meanings: Meanings) -> None:
    made = ranker(meanings)
    assert names(made, "数据报表", 1) == ["listings/2"]
    assert names(made, "编写程序", 2) in (["listings/1", "listings/4"], ["listings/4", "listings/1"])  # shares no word with 4
    assert names(made, "java", 2) == ["listings/4", "listings/1"] or names(made, "java", 2) == ["listings/1", "listings/4"]


def test_of_the_same_closeness_by_name(meanings: Meanings) -> None:
    assert names(ranker(meanings), "苗木养护", 2) == ["listings/3", "listings/5"]


def test_the_order_of_arrival_changes_nothing(meanings: Meanings) -> None:
    turned = dict(reversed(TEXTS.items()))
    for query in TEXTS.values():
        one, other = ranker(meanings), ranker(meanings, turned)
        assert one.rank(Passage.read(query), 10) == other.rank(Passage.read(query), 10)


@pytest.mark.parametrize("together", [0, 100])
def test_revised_and_removed(meanings: Meanings, monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr(ranking, "_FRESH", together)
    made = ranker(meanings)
    assert names(made, "java", 2)  # indexed, and changed after that
    made.put([("listings/1", Passage.read("护士。照护病人"))])
    made.remove("listings/4")
    made.remove("listings/4")
    fresh = ranker(
        meanings, {**{name: text for name, text in TEXTS.items() if name != "listings/4"}, "listings/1": "护士。照护病人"}
    )
    for query in ("java", "病人", "绿化工"):  # the last one shares a character with what was revised
        assert made.rank(Passage.read(query), 10) == fresh.rank(Passage.read(query), 10)
    assert len(made) == 5


@pytest.mark.parametrize("query", ["", "。", "!?"])
def test_a_query_of_nothing_finds_nothing_close(meanings: Meanings, query: str) -> None:
    assert all(one.closeness.words == 0 for one in ranker(meanings).rank(Passage.read(query), 10))
    assert names(Ranker(meanings, Lexicon()), query) == []


def test_a_pair_is_as_close_from_either_side(meanings: Meanings) -> None:
    lexicon = Lexicon()
    demands, supplies = Ranker(meanings, lexicon), Ranker(meanings, lexicon)
    one, other = Passage.read("数据分析师。分析销售数据"), Passage.read("大数据技术。学习数据采集与数据分析")
    demands.put([("one", one)])
    supplies.put([("other", other)])
    assert supplies.rank(one, 1)[0].closeness == demands.rank(other, 1)[0].closeness


def test_all_at_once_is_as_one_by_one(meanings: Meanings) -> None:
    """The domain's own functions are the measure of the ranker's."""
    chance = random.Random(1)
    words = ["数据", "分析", "java", "farming", "园林", "开发", "报表", "services", "苗木"]
    texts = {
        f"listings/{n}": "。".join(" ".join(chance.choices(words, k=chance.randint(1, 6))) for _ in "12") for n in range(40)
    }
    made, counted = ranker(meanings, texts), {name: lexical.counts(Passage.read(text)) for name, text in texts.items()}

    def holding(term: str) -> int:
        return sum(term in one for one in counted.values())

    query = Passage.read("数据 分析。farming services 报表")
    asked = lexical.weights(lexical.counts(query), holding, len(texts))
    vectors = meanings.of([query, *(Passage.read(text) for text in texts.values())])
    near = dict(zip(texts, cosines(vectors[0], vectors[1:]).tolist(), strict=True))
    expected = {
        name: blend(lexical.closeness(asked, lexical.weights(one, holding, len(texts))), near[name])
        for name, one in counted.items()
    }
    found = dict(made.rank(query, 40))
    assert found.keys() == expected.keys()
    for name, closeness in found.items():
        assert closeness.words == pytest.approx(expected[name].words, abs=1)
        assert closeness.meaning == pytest.approx(expected[name].meaning, abs=1)


def test_candidates_are_bounded(meanings: Meanings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CANDIDATES", 2)
    monkeypatch.setattr(ranking, "_FRESH", 0)
    assert 2 <= len(names(ranker(meanings), "园林 java 数据")) <= 4


def test_beyond_the_exact_search_the_graph_finds(meanings: Meanings, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = names(ranker(meanings), "数据报表")
    monkeypatch.setattr(ranking, "_EXACT", 0)
    assert names(ranker(meanings), "数据报表") == exact


def test_fresh_ones_are_found_by_words_before_the_index_has_them(meanings: Meanings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CANDIDATES", 1)
    made = ranker(meanings, dict.fromkeys((f"listings/{number:03}" for number in range(ranking._FRESH + 1)), "护士"))
    assert len(names(made, "护士", 300)) <= 2  # in the index
    made.put((f"listings/new/{number:03}", Passage("园林")) for number in range(ranking._FRESH))
    assert sum(name.startswith("listings/new/") for name in names(made, "护士", 300)) == ranking._FRESH
    made.put([("listings/one-more", Passage("园林"))])
    assert len(names(made, "护士", 300)) <= 2


def test_another_model_runs_beside_the_indexes() -> None:
    """Native libraries of both in one process, in the order that the service loads them."""
    subprocess.run([sys.executable, "-c", "import matching.ranking, onnxruntime"], check=True)
