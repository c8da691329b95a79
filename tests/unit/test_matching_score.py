"""Matching: the verdict on one pair."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.domain import text
from matching.domain.blend import Closeness
from matching.domain.facts import Facts
from matching.domain.gap import UNMENTIONED
from matching.domain.pairs import LEAST_THRESHOLD, RULES, is_demand, partners
from matching.domain.passage import Passage
from matching.domain.score import CONDITIONS, FEATURES, Candidate, Partner, best, broken_condition, judge, score_of
from tests.indexing import entry, index_of

TODAY = date(2026, 3, 2)
SHANGHAI, BEIJING, CHAOYANG = "310000", "110000", "110105"


def listing(kind: str, title: str, prose: str = "", **given_fields: Any) -> Facts:
    """Facts of a listing of an issuer of its own kind."""
    fields: dict[str, Any] = {"name": f"listings/{kind}", "issuer": f"organizations/{kind}", **given_fields}
    labels = [*fields.get("majors", ()), *fields.get("skills", ()), fields.get("technology", "")]
    words = text.weigh(title, labels, [prose])
    return Facts(**{"version": 1, "bodies": (), "kind": kind, "visibility": 1, "words": words, **fields})


def post(title: str, prose: str = "", **fields: Any) -> Facts:
    return listing("JOB_POSITION", title, prose, **fields)


def supply(title: str, prose: str = "", **fields: Any) -> Facts:
    return listing("TALENT_SUPPLY", title, prose, **fields)


def test_the_rules_are_complete() -> None:
    for rule in RULES:
        assert sum(rule.weights.values()) == 1000
        assert set(rule.weights) <= {*FEATURES, "meaning"}
        assert set(rule.conditions) <= set(CONDITIONS)
        assert not is_demand(rule.supply)
        assert "text" in rule.unsaid
        assert {*rule.unsaid} <= {"text", "meaning"}
        wordless = sum(rule.weights.get(name, 0) for name in ("region", "education", "industry"))
        wordless += rule.weights.get("occupation", 0) * 400 // 1000  # what shares more shares the name of a minor group
        wordless += rule.weights.get("skills", 0) * UNMENTIONED // 1000
        assert wordless < LEAST_THRESHOLD, "a pair that shares no word can reach the threshold"
    assert partners("TALENT_SUPPLY") == ("TALENT_DEMAND", "JOB_POSITION", "INTERNSHIP")
    assert partners("TECH_DEMAND") == ("RESEARCH_OUTCOME", "EXPERT", "TECH_SERVICE")
    assert partners("COURSE") == ("TRAINING",)
    assert partners("PRACTICE_BASE") == ("PRACTICE_PROJECT",)
    assert partners("TEXTBOOK") == ()


def test_a_full_match_scores_a_thousand_and_says_why() -> None:
    same: dict[str, Any] = {
        "majors": ("软件工程",),
        "skills": ("Java", "MySQL"),
        "regions": (SHANGHAI,),
        "education": "21",
        "industries": ("6513",),
        "occupations": ("2-02-10-03",),
    }
    verdict = judge(post("Java 开发工程师", **same), supply("Java 开发工程师", **same), TODAY)
    assert verdict.score == 1000
    reasons = {part.feature: (part.zh, part.en) for part in verdict.parts}
    assert "java" in reasons["text"][0]
    assert "软件工程" in reasons["majors"][1]
    assert "上海市（310000）" in reasons["region"][0]
    assert "（21）" in reasons["education"][0]
    assert "（2-02-10-03）" in reasons["occupation"][1]
    assert verdict.gaps == ()


_FIELDS = st.fixed_dictionaries(
    {
        "majors": st.lists(st.sampled_from(["软件工程", "计算机", "计算机类", "080901", "0809", "护理学"]), max_size=3).map(
            tuple
        ),
        "skills": st.lists(st.sampled_from(["Java", "C++", "数控加工", "沟通能力"]), max_size=3).map(tuple),
        "regions": st.lists(st.sampled_from([SHANGHAI, BEIJING, CHAOYANG]), max_size=2).map(tuple),
        "industries": st.lists(st.sampled_from(["C", "39", "3973", "6513"]), max_size=2).map(tuple),
        "occupations": st.lists(st.sampled_from(["2", "2-02", "2-02-10", "2-02-10-03", "4-04-05-01"]), max_size=2).map(tuple),
        "education": st.sampled_from(["", "11", "14", "21", "31", "90"]),
        "technology": st.sampled_from(["", "集成电路", "新材料"]),
    }
)
TITLES = st.sampled_from(["Java 开发工程师", "数控加工", "集成电路封装测试", "的", "护士"])


@given(st.sampled_from(RULES), TITLES, TITLES, _FIELDS, _FIELDS, st.none() | st.integers(-1000, 1000))
def test_parts_sum_to_the_score_exactly(
    rule: Any, title: str, other: str, asked: dict[str, Any], offered: dict[str, Any], near: int | None
) -> None:
    demand, offer = listing(rule.demand, title, **asked), listing(rule.supply, other, **offered)
    verdict = judge(demand, offer, TODAY, near)
    if verdict.broken:
        assert not verdict.parts
        return
    assert sum(part.contribution for part in verdict.parts) == verdict.score == score_of(demand, offer, near)
    assert sum(part.weight for part in verdict.parts) == 1000
    assert all(part.contribution == part.weight * part.value // 1000 for part in verdict.parts)
    assert all(0 <= part.value <= 1000 and part.zh and part.en for part in verdict.parts)
    assert verdict == judge(demand, offer, TODAY, near)


def test_what_a_side_leaves_unsaid_goes_to_the_text() -> None:
    verdict = judge(post("后端开发", education="20"), supply("后端开发", majors=("软件工程",), skills=("Java",)), TODAY)
    weights = {part.feature: part.weight for part in verdict.parts}
    silent = ("meaning", "majors", "skills", "occupation", "region", "education", "industry", "seniority")
    assert weights == {"text": 1000, **dict.fromkeys(silent, 0)}


@pytest.mark.parametrize(
    ("near", "value"), [(-100, 0), (0, 0), (200, 0), (201, 1), (500, 500), (799, 998), (800, 1000), (1000, 1000)]
)
def test_meaning_counts_between_two_bounds(near: int, value: int) -> None:
    parts = judge(post("Java 开发"), supply("后端程序"), TODAY, near).parts
    (meaning,) = (part for part in parts if part.feature == "meaning")
    assert (meaning.value, meaning.weight, f"{near / 1000:.2f}" in meaning.zh) == (value, 100, True)


@pytest.mark.parametrize(
    ("given", "near", "texts"),
    [
        ({}, 500, (667, 333)),
        ({"regions": (SHANGHAI,)}, 500, (600, 300)),
        ({"technology": "集成电路"}, 500, (500, 250)),
        ({}, None, (1000, 0)),
    ],
)
def test_what_technology_leaves_unsaid_goes_to_words_and_meaning_as_they_weigh(
    given: dict[str, Any], near: int | None, texts: tuple[int, int]
) -> None:
    demand, outcome = (listing(kind, "封装散热", **given) for kind in ("TECH_DEMAND", "RESEARCH_OUTCOME"))
    weights = {part.feature: part.weight for part in judge(demand, outcome, TODAY, near).parts}
    assert (weights["text"], weights["meaning"]) == texts


@given(st.sampled_from(RULES), TITLES, TITLES, _FIELDS, _FIELDS, st.integers(-1000, 1000))
def test_nearer_in_meaning_is_never_worse(
    rule: Any, title: str, other: str, asked: dict[str, Any], offered: dict[str, Any], near: int
) -> None:
    demand, offer = listing(rule.demand, title, **asked), listing(rule.supply, other, **offered)
    assert score_of(demand, offer, near) <= score_of(demand, offer, near + 100)


def test_of_one_score_the_one_that_has_more_in_common_is_the_better() -> None:
    wanted = post("集成电路封装 XN40 热仿真")
    olds = [supply("集成电路封装 热仿真", name=f"listings/{number}") for number in range(10)]
    new = supply("集成电路封装 XN40 热仿真", name="listings/later")
    assert {score_of(wanted, one) for one in [*olds, new]} == {1000}
    index = index_of(*(entry(one) for one in [*olds, new]))
    found = best(wanted, index.candidates(entry(wanted)), TODAY, LEAST_THRESHOLD, 200)
    assert [one.facts for one in found] == [new, *olds]


@pytest.mark.parametrize(
    "values",
    [
        ("限男性", "限女性", "性别不限"),
        ("35岁以下", "年龄：22-45岁", "年龄不限"),
        ("汉族优先", "藏族优先", "限少数民族"),
        ("北京户籍优先", "本地人优先", "仅限外地户口"),
        ("附生活照", "附近照一张"),
        ("males only", "females only", "aged 20 to 30"),
        ("男", "女", "女性", "汉族", "26岁"),
        ("女生勿扰", "不招男的", "河南人勿投", "外地人勿扰", "沪籍优先"),
        ("不超过35周岁", "45岁（含）以下", "85后优先", "1990年以后出生"),
        ("no women", "not older than 35", "Han only", "local hukou required", "young"),
        ("小伙子", "姑娘", "未婚未育", "适合女生", "女生慎投", "宝妈勿扰", "近期无生育计划"),
        ("潮汕人优先", "温州人优先", "北京生源优先", "老乡优先", "有北京户口", "local hukou"),
        ("出生于1990年之后", "不超过35", "45以下", "under 35", "大龄勿扰"),
    ],
)
@given(TITLES, TITLES, st.sampled_from(["title", "prose", "skill"]))
def test_what_a_text_says_of_persons_changes_no_score(values: tuple[str, ...], title: str, other: str, place: str) -> None:
    offer = supply(other, "汉族，男，28岁，本地人优先", skills=(other,), majors=("软件工程",))
    scores = set()
    for value in ("", *values):
        said = {one: f"，{value}" if one == place else "" for one in ("title", "prose", "skill")}
        wanted = post(title + said["title"], f"{title}{said['prose']}", skills=(title + said["skill"],), majors=("软件工程",))
        scores.add(judge(wanted, offer, TODAY).score)
    assert len(scores) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("女文员", "男文员"),
        ("招聘女前台", "招聘男前台"),
        ("女司机", "男司机"),
        ("宝妈客服", "宝爸客服"),
        ("Salesman", "Saleswoman"),
        ("She leads sales", "He leads sales"),
        ("young accountant", "younger accountant"),
        ("Uyghur accountant", "Han accountant"),
        ("85后会计", "95后会计"),
    ],
)
def test_what_persons_are_is_in_no_term_and_in_no_vector(one: str, other: str) -> None:
    assert Passage.of(one, one) == Passage.of(other, other)
    assert text.words(one) == text.words(other)
    assert Passage.of(one, "").title, "what the work is stays"


def test_beijing_java_never_wins_over_shanghai_java_by_text() -> None:
    wanted = post("上海 Java 开发工程师", "在上海工作，也常去北京", regions=(SHANGHAI,))
    near = supply("上海 Java 开发", regions=(SHANGHAI,), name="listings/near")
    far = supply("北京 上海 Java 开发工程师 在上海工作，也常去北京", regions=(BEIJING,), name="listings/far")
    assert judge(wanted, far, TODAY).broken == "region"
    candidates = [Candidate(far, Closeness(750_000, 250_000), 900), Candidate(near, Closeness(0, 0), 300)]
    assert best(wanted, candidates, TODAY, LEAST_THRESHOLD, 200) == [Partner(near, 300)]
    without_code = [supply(f"{city} Java 开发", name=f"listings/{city}") for city in ("北京", "上海", "内蒙古")]
    assert len({score_of(wanted, one) for one in without_code}) == 1, "a place name in the text counts for nothing"


@pytest.mark.parametrize(
    ("asked", "offered", "meets"),
    [
        ((BEIJING,), (CHAOYANG,), True),
        ((CHAOYANG,), (BEIJING,), True),
        ((BEIJING,), (SHANGHAI,), False),
        ((BEIJING, SHANGHAI), (SHANGHAI,), True),
        ((CHAOYANG,), ("110108",), False),
        ((), (SHANGHAI,), True),
        ((BEIJING,), (), True),
    ],
)
def test_regions_meet_when_one_lies_in_the_other(asked: Any, offered: Any, meets: bool) -> None:
    broken = broken_condition(post("Java", regions=asked), supply("Java", regions=offered), TODAY)
    assert broken == ("" if meets else "region")


@pytest.mark.parametrize(
    ("asked", "offered", "broken"),
    [
        ("20", "31", "education"),  # bachelor asked, junior college offered
        ("20", "20", ""),
        ("21", "20", ""),  # the same level by another code
        ("20", "14", ""),
        ("11", "14", "education"),  # doctor asked, master offered
        ("11", "11", ""),
        ("", "31", ""),
        ("20", "", ""),
    ],
)
def test_education_boundary(asked: str, offered: str, broken: str) -> None:
    assert broken_condition(post("Java", education=asked), supply("Java", education=offered), TODAY) == broken


@pytest.mark.parametrize("side", ["demand", "supply"])
@pytest.mark.parametrize(
    ("valid_from", "valid_to", "broken"),
    [
        (date(2026, 3, 2), date(2026, 3, 2), ""),
        (date(2026, 3, 3), date(2026, 9, 1), "validity"),
        (date(2026, 1, 1), date(2026, 3, 1), "validity"),
    ],
)
def test_both_sides_must_be_valid_today(side: str, valid_from: date, valid_to: date, broken: str) -> None:
    pair = {"demand": post("Java"), "supply": supply("Java")}
    pair[side] = replace(pair[side], valid_from=valid_from, valid_to=valid_to)
    assert broken_condition(pair["demand"], pair["supply"], TODAY) == broken


def test_one_issuer_never_meets_itself() -> None:
    assert broken_condition(post("Java", issuer="o"), supply("Java", issuer="o"), TODAY) == "issuers"


def test_the_region_is_only_a_preference_of_technology() -> None:
    challenge = listing("INDUSTRY_CHALLENGE", "集成电路封装散热", technology="集成电路", regions=(BEIJING,))
    outcome = listing("RESEARCH_OUTCOME", "集成电路封装散热", technology="集成电路", regions=(SHANGHAI,))
    verdict = judge(challenge, outcome, TODAY)
    assert not verdict.broken
    assert {part.feature: part.value for part in verdict.parts}["region"] == 0


def test_gaps_are_what_is_asked_and_not_offered() -> None:
    wanted = post("后端开发", skills=("Java", "Kubernetes", "数据库设计"), majors=("软件工程", "计算机类"))
    offer = supply("后端开发", "做过数据库设计", skills=("ＪＡＶＡ",), majors=("护理学",))
    assert judge(wanted, offer, TODAY).gaps == ("Kubernetes", "软件工程", "计算机类")
    one_is_enough = replace(offer, majors=("计算机科学与技术",))
    assert judge(wanted, one_is_enough, TODAY).gaps == ("Kubernetes",)


def test_majors_meet_by_name_and_by_code() -> None:
    def value(asked: str, offered: str) -> int:
        parts = judge(post("x", majors=(asked,)), supply("y", majors=(offered,)), TODAY).parts
        return {part.feature: part.value for part in parts}["majors"]

    assert value("软件工程", "软件工程") == 1000
    assert value("0809", "080901") == value("计算机类", "计算机科学与技术") == 700
    assert (
        value("计算机类", "软件工程")
        == value("软件工程", "计算机类")
        == value("机械类", "车辆工程")
        == value("0809", "080902")
        == 700
    )
    assert value("工学", "软件工程") == value("计算机", "计算机科学与技术") == 700
    assert value("软件工程", "护理学") == value("机械类", "软件工程") == 0
    assert value("化学", "化学工程与工艺") == 0, "it begins as the other, and is another major"


@pytest.mark.parametrize(
    ("asked", "offered", "value"),
    [
        (("2-02-10-03",), ("2-02-10-03",), 1000),
        (("2-02-10",), ("2-02-10-03",), 1000),
        (("2-02-10-03",), ("2-02-10-01",), 700),
        (("2-02-10-03",), ("2-02-09-01",), 400),
        (("2-02-10-03",), ("2-02",), 400),
        (("2-02-10-03",), ("2-06-01-01",), 0),
        (("2-02-10-03",), ("2",), 0),
        (("2-02-10-03",), ("4-04-05-01",), 0),
        (("2-02-10-03", "4-04-05-01"), ("4-04-05-01",), 1000),
    ],
)
def test_occupations_meet_by_the_classification(asked: Any, offered: Any, value: int) -> None:
    """The same either way round, and one of several is enough."""
    for one, other in ((asked, offered), (offered, asked)):
        parts = judge(post("工程师", occupations=one), supply("工程师", occupations=other), TODAY).parts
        assert [part.value for part in parts if part.feature == "occupation"] == [value]


def test_an_occupation_that_one_side_does_not_state_is_no_evidence() -> None:
    unsaid = judge(post("Java 工程师"), supply("Java 开发"), TODAY).score
    assert judge(post("Java 工程师", occupations=("2-02-10-03",)), supply("Java 开发"), TODAY).score == unsaid
    assert judge(post("Java 工程师"), supply("Java 开发", occupations=("2-02-10-03",)), TODAY).score == unsaid


def test_words_leave_out_places_and_common_phrases() -> None:
    found = text.words("上海市 Java开发工程师，熟悉C++、Node.js 与新能源汽车")
    assert found == ["java", "开发", "c++", "node.js", "新能", "能源", "源汽", "汽车"]


def test_shared_phrases_join_neighbours() -> None:
    one, other = text.weigh("新能源汽车 Java", [], []), text.weigh("Java 新能源汽车电池", [], [])
    assert text.shared_phrases(one, other, 5) == ["新能源汽车", "java"]


def test_two_short_texts_do_not_agree_by_one_word() -> None:
    assert text.overlap(text.weigh("护士", [], []), text.weigh("护士", [], [])) < LEAST_THRESHOLD
