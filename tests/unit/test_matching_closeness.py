"""How close two listings are: titles, terms, weights, meanings, and the parts of a blend."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.domain import lexical
from matching.domain.blend import WHOLE, blend
from matching.domain.facts import Facts
from matching.domain.passage import LIMIT, Passage
from matching.statistics import Statistics

TEXTS = ["数据分析。负责数据", "Java 开发。写代码", "farming and agriculture", ""]


@pytest.mark.parametrize(
    ("text", "title", "prose"),
    [
        ("现代教育技术。1.具有能力；2.掌握。", "现代教育技术", "1.具有能力；2.掌握。"),
        ("Legislators. Develop, introduce. U.S. too.", "Legislators", "Develop, introduce. U.S. too."),
        ("Node.js 开发", "Node.js 开发", ""),
        ("Aquaculture.", "Aquaculture", ""),
        ("标题\n正文", "标题", "正文"),
        ("没有句号", "没有句号", ""),
        ("。", "", ""),
        ("  ", "", ""),
    ],
)
def test_the_first_sentence_is_the_title(text: str, title: str, prose: str) -> None:
    assert Passage.read(text) == Passage(title, prose)


def test_the_whole_ends_at_the_limit() -> None:
    assert Passage("题", "文").whole == "题\n文"
    assert len(Passage("题", "文" * (LIMIT - 2)).whole) == LIMIT
    assert len(Passage("题", "文" * (LIMIT - 1)).whole) == LIMIT


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("数据BI", ["数", "据", "数据", "bi", "_bi_"]),
        ("数、据", ["数", "据"]),  # no pair across a mark
        ("Ｆarms", ["farms", "_far", "farm", "arms", "rms_"]),
        ("C", ["c"]),
        ("データ 개발", ["デ", "ー", "タ", "デー", "ータ", "개", "발", "개발"]),
        ("müllér", ["müllér", "_mül", "müll", "üllé", "llér", "lér_"]),
        ("разработка"[:5], ["разра", "_раз", "разр", "азра", "зра_"]),
        ("2。_-", ["2"]),
        ("", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert lexical.terms(text) == terms


def test_forms_of_a_word_share_terms() -> None:
    assert set(lexical.terms("agricultural")) & set(lexical.terms("agriculture"))
    assert not set(lexical.terms("law")) & set(lexical.terms("soil"))


def test_a_word_of_the_title_counts_four_times() -> None:
    assert lexical.counts(Passage("育种", "育")) == {"育": 5, "种": 4, "育种": 4}


def test_the_most_frequent_terms_are_kept() -> None:
    prose = " ".join(f"{number:03}" for number in range(lexical.MOST // 3 + 1))  # a word and two parts of it each
    counted = lexical.counts(Passage("题", f"{prose} 000"))
    assert len(counted) == lexical.MOST
    assert (counted["题"], counted["000"], counted["001"]) == (4, 2, 1)
    assert "128_" not in counted


def facts(text: str, meaning: bytes = b"") -> Facts:
    """A listing of such a text."""
    return Facts(text, 1, "", (), "JOB_POSITION", 1, terms=lexical.pack(Passage.read(text)), meaning=meaning)


def close(one: str, other: str, of: Statistics | None = None) -> float:
    """The cosine of two texts by words."""
    return (of or Statistics.none()).closeness(facts(one), [facts(other)])[0].words / (WHOLE * 3 // 4)


def counted(*texts: str) -> Statistics:
    """Counts of texts."""
    return Statistics.taken(1, map(facts, texts))


def test_closeness_of_words() -> None:
    data, java, _, nothing = TEXTS
    assert close(data, data) == pytest.approx(1, abs=1e-6)
    assert close(data, java) == 0
    assert close(data, nothing) == close(nothing, data) == close(nothing, nothing) == 0
    assert Statistics.none().closeness(facts(data), []) == []


@given(st.text("数据分析报表采集", max_size=12), st.text("数据分析报表采集", max_size=12))
def test_it_is_the_same_from_either_side(one: str, other: str) -> None:
    of = counted(*TEXTS, "数据采集员。负责采集数据与上报")
    assert of.closeness(facts(one), [facts(other)]) == of.closeness(facts(other), [facts(one)])


def test_what_fewer_hold_weighs_more() -> None:
    common, rare = counted("土壤 检测", "检测", "检测 仪器"), counted("土壤 检测", "土壤", "土壤 肥料")
    assert close("土壤 检测", "土壤", common) > close("土壤 检测", "土壤", Statistics.none())
    assert close("土壤 检测", "土壤", rare) < close("土壤 检测", "土壤", Statistics.none())
    weights = common.weights(lexical.pack(Passage("土壤 检测")))
    assert weights[lexical.bucket("土壤")] > weights[lexical.bucket("检测")] > 0
    assert sum(weight**2 for weight in weights.values()) == pytest.approx(1)


def test_all_at_once_is_as_by_the_formula() -> None:
    """log(1 + count) × idf, of length 1, multiplied."""
    chance = random.Random(1)
    words = ["数据", "分析", "java", "farming", "园林", "开发", "报表", "services", "苗木"]
    texts = ["。".join(" ".join(chance.choices(words, k=chance.randint(1, 6))) for _ in "12") for _ in range(40)]
    terms = [lexical.counts(Passage.read(text)) for text in texts]

    def weights(of: dict[str, int]) -> dict[str, float]:
        holding = {term: sum(term in other for other in terms) for term in of}
        mass = {
            term: math.log1p(count) * math.log1p((len(texts) - holding[term] + 0.5) / (holding[term] + 0.5))
            for term, count in of.items()
        }
        length = math.sqrt(sum(one**2 for one in mass.values()))
        return {term: one / length for term, one in mass.items()}

    found = counted(*texts).closeness(facts(texts[0]), [facts(text) for text in texts])
    asked = weights(terms[0])
    for closeness, of in zip(found, terms, strict=True):
        expected = sum(weight * asked.get(term, 0) for term, weight in weights(of).items())
        assert closeness.words == pytest.approx(expected * WHOLE * 3 / 4, abs=2)
        assert closeness.statistics == 1


def test_closeness_of_meanings() -> None:
    north, east, west = (bytes(np.array(one, np.int8)) for one in ([0, 127], [127, 0], [-127, 0]))
    found = Statistics.none().closeness(facts("", north), [facts("", one) for one in (north, east, west, b"")])
    assert [one.meaning for one in found] == [WHOLE // 4, 0, 0, 0]
    assert Statistics.none().closeness(facts(""), [facts("", north)])[0].meaning == 0
    diagonal = Statistics.none().closeness(facts("", east), [facts("", bytes(np.array([127, 127], np.int8)))])
    assert diagonal[0].meaning == pytest.approx(WHOLE / 4 / math.sqrt(2), abs=1)


def test_counts_are_kept_whole_and_in_little_room() -> None:
    of = counted(*TEXTS)
    packed = of.packed()
    assert len(packed) < 100_000
    again = Statistics.unpacked(of.number, of.listings, packed)
    assert (again.listings, again.number, again.holding.tolist()) == (4, 1, of.holding.tolist())


@pytest.mark.parametrize(
    ("counted", "listings", "outgrown"),
    [
        (0, 0, False),
        (0, 99, False),
        (0, 100, True),
        (100, 0, True),
        (100, 399, False),
        (100, 400, True),
        (400, 101, False),
        (400, 100, True),
        (400, 1, True),
    ],
)
def test_counts_are_outgrown(counted: int, listings: int, outgrown: bool) -> None:
    assert Statistics(1, counted, Statistics.none().holding).outgrown(listings) is outgrown


def test_a_text_says_all_of_a_short_one() -> None:
    held = lexical.pack(Passage("数据库设计", "C++ 与 Java")).known()
    assert all(lexical.hold(held, one) for one in ("数据库", "java", "C++"))
    assert not any(lexical.hold(held, one) for one in ("C", "设计数据", ""))


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_parts_sum_to_the_total(lexically: float, semantically: float) -> None:
    found = blend(lexically, semantically)
    assert found.words + found.meaning == found.total
    assert 0 <= found.total <= WHOLE


def test_weights_of_the_parts() -> None:
    assert blend(1, 1).total == WHOLE
    assert (blend(1, 0).words, blend(0, 1).meaning) == (750_000, 250_000)
    assert blend(-1, -0.1).total == 0
    assert blend(1 + 1e-7, 0) == blend(1, 0)
    assert blend(math.nextafter(0, 1), 0).total == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("北京 Java 开发。在北京市工作", "上海 Java 开发。在上海市工作"),
        ("护士。限女性，35岁以下，汉族", "护士。限男性，25岁以下，回族"),
    ],
)
def test_places_and_what_persons_are_change_nothing(one: str, other: str) -> None:
    assert Passage.read(one) == Passage.read(other)
    assert not set("北京上海女男汉回") & set(Passage.read(one).whole)
