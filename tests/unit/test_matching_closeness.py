"""How close two passages are: titles, terms, weights, and the parts of a blend."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.domain import lexical
from matching.domain.blend import WHOLE, blend
from matching.domain.passage import MEANT, Passage
from matching.domain.text import places

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
    assert len(Passage("题", "文" * (MEANT - 2)).whole) == MEANT
    assert len(Passage("题", "文" * (MEANT - 1)).whole) == MEANT


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("数据BI", ["数", "据", "数据", "bi", "_bi_"]),
        ("𠮷林BI", ["𠮷", "林", "𠮷林", "bi", "_bi_"]),
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


def weights(texts: list[str]) -> list[dict[str, float]]:
    """Weights of texts that are all there is."""
    counted = [lexical.counts(Passage.read(text)) for text in texts]
    return [lexical.weights(one, lambda term: sum(term in other for other in counted), len(counted)) for one in counted]


def test_closeness_of_words() -> None:
    data, java, _, nothing = weights(TEXTS)
    assert lexical.closeness(data, data) == pytest.approx(1)
    assert lexical.closeness(data, java) == 0
    assert lexical.closeness(data, nothing) == 0
    assert nothing == {}


def test_it_is_the_same_from_either_side() -> None:
    one, other = weights(["数据分析。负责报表", "数据采集员。负责采集数据与上报"])
    assert 0 < lexical.closeness(one, other) == lexical.closeness(other, one) < 1


def test_what_fewer_hold_weighs_more() -> None:
    assert lexical.idf(1, 1000) > lexical.idf(500, 1000) > lexical.idf(1000, 1000) > 0
    common, rare = weights(["土壤 检测", "检测", "检测 仪器"])[0], weights(["土壤 检测", "土壤", "土壤 肥料"])[0]
    assert common["土壤"] > common["检测"]
    assert rare["土壤"] < rare["检测"]


def test_a_term_that_nobody_holds_is_left_out() -> None:
    found = lexical.weights({"数": 1, "据": 9}, {"数": 1}.get, 1)  # type: ignore[arg-type]
    assert found == {"数": 1}


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
        ("销售。在广西工作", "销售。在宁夏工作"),
        ("护士。限女性，35岁以下，汉族", "护士。限男性，25岁以下，回族"),
    ],
)
def test_places_and_what_persons_are_change_nothing(one: str, other: str) -> None:
    assert Passage.read(one) == Passage.read(other)
    assert not set("北京上海女男汉回") & set(Passage.read(one).whole)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        *[
            ("大理石板材切割", []),
            ("红河谷文山会海", []),
            ("广西壮族自治区", ["450000"]),
            ("驻广西、宁夏", ["450000", "640000"]),
        ],
        *[("大理白族自治州", ["532900"]), ("海南岛", ["460000"])],
    ],
)
def test_places_that_a_text_names(text: str, codes: list[str]) -> None:
    """Short names of prefectures are words, too: marble is no place."""
    assert places(text) == codes
