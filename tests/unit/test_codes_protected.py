"""What a post may not ask of persons is found, what is about a trade or its customers is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import protected


def named(text: str) -> dict[str, str]:
    """Attribute → the words that ask for it."""
    return {demand.attribute.name: demand.words for demand in protected.demands(text)}


@pytest.mark.parametrize(
    ("text", "attribute", "words"),
    [
        ("会计，限女性，有证书", "gender", "限女性"),
        ("性别：男；本科", "gender", "性别：男"),
        ("男士优先", "gender", "男士优先"),
        ("Sales, females only.", "gender", "females only"),
        ("年龄在25-35岁之间", "age", "年龄在25-35岁之间"),
        ("年龄不超过35周岁，具有经验", "age", "年龄不超过35周岁"),
        ("大专以上，35岁以下", "age", "35岁以下"),
        ("20~30岁", "age", "20~30岁"),
        ("90后优先", "age", "90后优先"),
        ("aged 20 to 30", "age", "aged 20 to 30"),
        ("朝鲜族优先", "ethnicity", "朝鲜族优先"),
        ("限汉族", "ethnicity", "限汉族"),
        ("广东本地户口优先", "hometown", "广东本地户口优先"),
        ("仅限本市户籍人员", "hometown", "仅限本市户籍人员"),
        ("本地人优先", "hometown", "本地人优先"),
        ("简历需附带照片", "photo", "附带照片"),
        ("please attach a recent photo", "photo", "attach a recent photo"),
    ],
)
def test_a_demand_is_found_with_its_words(text: str, attribute: str, words: str) -> None:
    assert named(text) == {attribute: words}


@pytest.mark.parametrize(
    "text",
    [
        "性别不限，年龄不限，户籍不限",
        "男女不限",
        "女装设计师，熟悉男鞋打版",
        "负责少数民族音乐的整理，懂车一族",
        "面向 12-18岁的青少年开发课程",
        "年满18周岁以上",
        "管理层平均年龄27，公司已17周岁",
        "团队均为90后",
        "户籍管理系统开发，协助办理北京户口",
        "照片处理算法，提供产品方案",
        "Manager of local networks, average page load 20 ms",
        "",
    ],
)
def test_what_is_no_demand_is_none(text: str) -> None:
    assert named(text) == {}


def test_each_attribute_names_its_rule_and_is_found_once() -> None:
    text = "限男性，35岁以下，限汉族，本地人优先，附近照；男性优先"
    assert list(named(text)) == ["gender", "age", "ethnicity", "hometown", "photo"]
    assert all(one.rule and one.zh and one.en for one in protected.ATTRIBUTES)


@pytest.mark.parametrize("said", ["性别不限", "限女性", "年龄：20-30岁", "35岁以下", "限藏族", "本市户籍优先", "附照片"])
def test_words_of_it_are_left_out_and_the_rest_stays(said: str) -> None:
    assert [one.strip("，\n") for one in protected.without(f"仿真，{said}，封装").split("\n")] == ["仿真", "封装"]


@pytest.mark.parametrize(("text", "left"), [("女性健康", "健康"), ("男，汉族，28岁，会计", "会计"), ("女装设计", "女装设计")])
def test_what_a_person_is_is_left_out(text: str, left: str) -> None:
    assert protected.without(text).strip("，\n").split("\n")[-1].strip("，") == left


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert len(protected.without(text)) <= len(text)
    assert all(demand.words for demand in protected.demands(text))
