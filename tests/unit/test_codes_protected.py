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
        # of a noun
        ("招聘女文员", "gender", "女"),
        ("男保安，两班倒", "gender", "男"),
        ("招男员工", "gender", "男"),
        # exclusions
        ("女生勿扰", "gender", "女生勿扰"),
        ("不招女性", "gender", "不招女性"),
        ("不要男的", "gender", "不要男的"),
        ("女性除外", "gender", "女性除外"),
        ("no women", "gender", "no women"),
        ("Women need not apply", "gender", "Women need not apply"),
        ("Gender: male", "gender", "Gender: male"),
        ("must be male", "gender", "must be male"),
        ("河南人勿投", "hometown", "河南人勿投"),
        ("外地人勿扰", "hometown", "外地人勿扰"),
        ("谢绝外地人", "hometown", "谢绝外地人"),
        ("沪籍优先", "hometown", "沪籍优先"),
        ("须有本地户口", "hometown", "须有本地户口"),
        ("户籍：上海", "hometown", "户籍：上海"),
        ("local hukou required", "hometown", "local hukou required"),
        ("不收藏族", "ethnicity", "不收藏族"),
        ("Han only", "ethnicity", "Han only"),
        ("Uyghurs need not apply", "ethnicity", "Uyghurs need not apply"),
        ("photo required", "photo", "photo required"),
        ("无照片勿投", "photo", "无照片勿"),
        # an age, as postings write it
        ("1.不超过35周岁，统招本科", "age", "不超过35周岁"),
        ("6、35周岁（含）以下", "age", "35周岁（含）以下"),
        ("2、30岁（含）以下", "age", "30岁（含）以下"),
        ("年龄须在45岁（含）以下", "age", "年龄须在45岁（含）以下"),
        ("1、85后优先", "age", "85后优先"),
        ("限95后", "age", "限95后"),
        ("18——30岁", "age", "18——30岁"),
        ("三十五岁以下", "age", "三十五岁以下"),
        ("1990年1月1日以后出生", "age", "1990年1月1日以后出生"),
        ("年轻者优先", "age", "年轻者优先"),
        ("not older than 35", "age", "not older than 35"),
        ("age: 25-35", "age", "age: 25-35"),
        ("25 to 35 years old", "age", "25 to 35 years old"),
        # for whom it is said to be, or not to be
        ("驻外岗位，适合女生", "gender", "适合女生"),
        ("工作强度大，更适合男生", "gender", "更适合男生"),
        ("不建议女生投递", "gender", "不建议女生投递"),
        ("女生慎投", "gender", "女生慎投"),
        ("男士佳", "gender", "男士佳"),
        ("女硕士优先", "gender", "女"),
        ("宝妈勿扰", "gender", "宝妈勿扰"),
        ("男 生 优 先", "gender", "男生优先"),
        ("前台（女）", "gender", "（女）"),
        ("未婚未育", "gender", "未婚未育"),
        ("已婚已育优先", "gender", "已婚已育优先"),
        ("近期无生育计划", "gender", "近期无生育计划"),
        ("出生于1990年之后", "age", "出生于1990年之后"),
        ("不超过35", "age", "不超过35"),
        ("本科，35以下", "age", "35以下"),
        ("大龄勿扰", "age", "大龄勿扰"),
        ("Accountant, under 35", "age", "under 35"),
        ("本地户口", "hometown", "本地户口"),
        ("本市户籍，本科", "hometown", "本市户籍"),
        ("有北京户口", "hometown", "有北京户口"),
        ("北京生源优先", "hometown", "北京生源优先"),
        ("老乡优先", "hometown", "老乡优先"),
        ("潮汕人优先", "hometown", "潮汕人优先"),
        ("温州人优先", "hometown", "温州人优先"),
        ("local hukou", "hometown", "local hukou"),
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
        "无性别要求，无年龄要求，35周岁以下不限",
        "男科护士，女鞋销售，男装店长，女子足球教练",
        "女员工享生理假，女性用户运营",
        "男/女均可；male or female",
        "women's wear designer, men's shoes",
        "儿童教育顾问，妇女儿童医院，子女教育补贴",
        "85后端开发，温度达到85后停机",
        "年轻化品牌，年轻的团队",
        "团队平均年龄25-30岁",
        "面向25-35岁女性用户，30岁左右的消费者",
        "children aged 10 to 12, ages 12-18 students",
        "no more than 35 pages, the company is 25 years old",
        "河南分公司，河南人民医院，本地部署，外地出差，本地人才政策",
        "要求熟悉户籍管理，需要办理户口迁移，带户口本复印件",
        "Tibetan language teacher, local deployment",
        "提供产品照片，上传商品照片，photo editing",
        "客户年龄：25-40，用户的年龄：18-24",
        "提供项目照片，附作品照片",
        "五险一金，北京户口，可解决北京户口，提供本地户口",
        "适合女性用户的产品，适合女生的服装，小伙伴优秀",
        "每次不超过35人，误差不超过35微米，35kV以下，负责人优先，持证人员优先，latency under 35 ms",
        "婚育不限，未育种地块，计划生育政策",
        "子女佳作展，研发团队温州人才政策",
        "男 装、女 装、鞋",
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


@pytest.mark.parametrize(
    "texts",
    [
        ("招聘女文员", "招聘男文员"),
        ("女前台", "男前台"),
        ("女员工福利", "男员工福利"),
        ("女子足球教练", "男子足球教练"),
        ("会计，女生勿扰", "会计，男生勿扰"),
        ("宝妈客服", "宝爸客服"),
        ("小姐姐客服", "小哥哥客服"),
        ("woman driver", "man driver"),
        ("He leads", "She leads"),
        ("his team", "her team"),
        ("Salesman", "Saleswoman"),
        ("ladies' fitness", "gentlemen's fitness"),
        ("85后会计", "95后会计"),
        ("会计，不超过35周岁", "会计，不超过45周岁"),
        ("会计，35岁（含）以下", "会计，四十岁以下"),
        ("young accountant", "younger accountant"),
        ("会计，1985年以后出生", "会计，1990年以后出生"),
        ("维吾尔族会计", "汉族会计"),
        ("Uyghur accountant", "Han accountant"),
        ("会计，河南人勿投", "会计，外地人勿投"),
        ("沪籍优先", "京籍优先"),
        ("Shanghai hukou required", "local hukou required"),
        ("小伙子会计", "姑娘会计"),
        ("妈妈岗", "爸爸岗"),
        ("会计，潮汕人优先", "会计，温州人优先"),
        ("会计，北京生源优先", "会计，外地人勿投"),
        ("会计，出生于1990年之后", "会计，出生于1985年以前"),
        ("会计，不超过35", "会计，45以下"),
        ("Accountant, under 35", "Accountant, below 45"),
        ("会计，未婚未育", "会计，已婚已育"),
        ("会计（男）", "会计（女）"),
        ("会计，适合男生", "会计，不适合女生"),
        ("会计，男 生 优 先", "会计，女生优先"),
    ],
)
def test_one_word_of_it_for_another_changes_nothing(texts: tuple[str, str]) -> None:
    one, other = map(protected.without, texts)
    assert one == other
    assert one != texts[0]


@pytest.mark.parametrize(
    "text",
    [
        "女装设计",
        "男科护士",
        "women's wear",
        "85后端",
        "年轻化品牌",
        "本地人才政策",
        "锆石年龄，性别研究",
        "医院HIS、LIS接口",
        "京族自治县",
        "Tibetan language",
        "there, the chef, other",
        "man-machine interface",
    ],
)
def test_a_word_of_a_trade_stays(text: str) -> None:
    assert protected.without(text) == text


def test_a_text_of_blanks_is_read_at_once() -> None:
    text = "年龄" + " " * 20_000 + "35" + " " * 20_000
    assert named(text) == {}
    assert protected.without(text) == text


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert len(protected.without(text)) <= len(text)
    assert all(demand.words for demand in protected.demands(text))
