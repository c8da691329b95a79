"""What a text denies, and other ways in which people write of skills 技能的否定与写法."""

import pytest

from alliance.listings.v1 import listing_pb2
from matching.documents import document_of
from matching.domain import lexical
from matching.domain.score import gaps, score_of
from matching.domain.skills import affirmed, asked, offered
from matching.entry import Entry
from matching.mapping import entry_of
from tests.unit.test_matching_skills import demand, told


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("不会Surpac，不会Leapfrog，会填图", ",,会填图"),
        ("只会Java不会C++。Go没学过，Python学过", "只会Java。,Python学过"),
        ("Know Go. No experience with Rust.", "Know Go. ."),
        *((one, one) for one in ("不少于3年Java经验", "不限于Java", "不仅会Java还会Go", "不断学习Java", "会用无人机，不出差")),
    ],
)
def test_what_a_supply_lacks_is_no_word_of_its_text(text: str, left: str) -> None:
    assert affirmed(text, is_demand=False).split() == left.split()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("熟悉CAD，不要求AutoCAD、不要求理正。无需日语；会英语", "熟悉CAD,。;会英语"),
        ("No German required. Must know Go", ". Must know Go"),
        *((one, one) for one in ("不少于3年Java经验", "不限于Java", "不会Java勿投", "无Go经验者勿扰", "无需出差，负责设计")),
    ],
)
def test_what_a_demand_does_not_need_is_no_word_of_its_text(text: str, left: str) -> None:
    assert affirmed(text, is_demand=True).split() == left.split()


def _read(kind: listing_pb2.ListingKind.ValueType, title: str, description: str) -> Entry:
    name = f"listings/{kind}"
    return entry_of(listing_pb2.Listing(name=name, issuer=name, kind=kind, title=title, description=description), 1)


def test_to_say_what_one_lacks_is_worth_no_more_than_silence() -> None:
    wanted = _read(listing_pb2.LISTING_KIND_JOB_POSITION, "地质建模", "会使用Surpac、Leapfrog、Micromine")
    silent, lacking = (
        _read(listing_pb2.LISTING_KIND_TALENT_SUPPLY, "毕业生", f"{said}会填图")
        for said in ("", "不会Surpac，不会Leapfrog，不会Micromine，")
    )
    assert score_of(wanted.facts, lacking.facts) <= score_of(wanted.facts, silent.facts)
    assert not {"surpac", "leapfrog"} & {*lacking.facts.words, *lexical.counts(lacking.passage)}
    needless = _read(listing_pb2.LISTING_KIND_JOB_POSITION, "绘图", "会使用Revit，不要求AutoCAD")
    having = _read(listing_pb2.LISTING_KIND_TALENT_SUPPLY, "毕业生", "会使用AutoCAD")
    assert "autocad" not in needless.facts.words
    assert "autocad" in having.facts.words


@pytest.mark.parametrize(
    "text",
    [
        "对Java一无所知",
        "Java一窍不通",
        "Java(不会)",
        "Java（未学）",
        "Java [无]",
        "Java掌握不好",
        "unable to use Java",
        "not yet able to use Java",
        "缺乏Java经验",
        "没碰过Java",
        "Java：无",
        "Java挂科",
        "I have never used Java",
        "对Java毫无了解",
        "Java完全没接触过",
        "Java欠缺",
        "Java经验不足",
        "Java能力较弱",
        "Java是短板",
        "Java不行",
        "Java不擅长",
        "不擅长Java",
        "没有Java基础",
        "尚无Java项目经验",
        "Java经验：无",
        "Java水平：零",
        "Java：不会",
        "Java：没有",
        "从没写过Java",
        "从未接触过Java",
        "Java学不会",
        "Java考试没过",
        "Java课程不及格",
        "Java没通过",
        "没写过Java",
        "没做过Java开发",
        "没听说过Java",
        "Java方面空白",
        "Java还没学",
        "未曾使用Java",
        "Java忘光了",
        "Java几乎不会",
        "Java门外汉",
        "无Java开发经历",
        "I don't know Java",
        "I do not know any Java",
        "Never worked with Java",
        "Java: none",
        "No knowledge of Java",
        "I lack Java skills",
        "lacking Java",
        "I have not used Java",
        "I failed Java",
        "Java is not among my skills",
        "Zero Java experience",
        "Have yet to learn Java",
        "new to Java",
        "not good at Java",
        "weak in Java",
        "could not learn Java",
        "didn't study Java",
    ],
)
def test_a_skill_that_is_denied_in_other_words_is_lacking(text: str) -> None:
    assert told(offered("", [text])) == "-java"
    assert "java" not in affirmed(text, is_demand=False).lower()


@pytest.mark.parametrize(
    "text",
    [
        "熟悉Java，一无所知的领域也愿学",
        "不仅会Java",
        "没有Java解决不了的问题",
        "Java无障碍开发",
        "Java：无所不知",
        "精通Java无死角",
        "缺乏经验但会Java",
        "从无到有搭建Java平台",
        "Java从零到一",
        "不断学习Java",
        "学习Java毫不费力",
        "Java挂科预警系统开发",
        "熟练使用Java，从未出错",
        "Java项目从未延期",
        "用Java做过无人机",
        "Java拿过奖，不挂科",
        "I have never failed a Java project",
        "No one knows Java better",
        "Never late; know Java",
        "不只学过Java",
        "Java基础好，无不良嗜好",
        "Java不错",
        "熟悉Java及弱电系统",
        "Java课程从未挂科",
        "英语不好，会Java",
        "缺陷检测Java平台",
        "不少于3年Java经验",
        "不低于两年Java开发经历",
        "Java不难",
        "Java水平：熟练",
    ],
)
def test_a_word_of_denial_of_something_else_denies_no_skill(text: str) -> None:
    assert "-java" not in told(offered("", [text]))
    assert "java" in affirmed(text, is_demand=False).lower()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("可以不会英语", "-英语"),
        ("熟悉Java，可以不懂日语", "java -日语"),
        ("可不会CAD", "-cad"),
        ("至少精通一门语言：Java/Go/C++", "java? go? c++?"),
        ("至少掌握一种编程语言：Java，Go，C++", "java? go? c++?"),
        ("至少熟练使用一门：Python、R", "python? r?"),
        ("Java、Go、C++三选一", "java? go? c++?"),
        ("至少会一种：Python/R/Matlab", "python? r? matlab?"),
        ("掌握一门编程语言（Java、Go、C++等）", "java? go? c++?"),
        ("Java/Go/Python均可", "java? go? python?"),
        ("必备：Java；优先：Go", "java go?"),
        ("编程语言：C、C++、R", "c c++ r"),
        ("会Java/Go二选一", "java? go?"),
        ("熟悉Vue、React任选其一", "vue? react?"),
        ("either Java or Kotlin; must know SQL", "java? kotlin? sql"),
        ("Proficient in either Go or Rust", "go? rust?"),
        ("加分项：1.会Rust 必须：1.会Java", "rust? java"),
        ("加分项：熟悉Rust\n必备：熟悉Java", "rust? java"),
        ("优先条件：会Rust 必备条件：会Java", "rust? java"),
        ("Nice to have: know Rust. Must: know Java", "rust? java"),
        ("技术栈：C、R、Vue", "c r vue"),
        ("技能：C、R", "c r"),
        ("熟悉C，R和Go", "c r go"),
        ("Proficient in C++ and R", "c++ r"),
        ("Proficient in R, C and Go", "r c go"),
        ("专业技能：Python，R", "python r"),
        ("CET-4", "英语四级"),
        ("3、CET-4", "英语四级"),
        ("英语四六级", "英语四级"),
        ("英语四、六级证书", "英语四级"),
        ("通过大学英语四六级", "英语四级"),
        ("CET4/6优先", "英语四级?"),
        ("优先项：Rust、Wasm", "rust? wasm?"),
        ("加分项：Docker，K8s", "docker? kubernetes?"),
        ("Java（精通）、Go（了解即可）", "java go"),
        ("Python（熟练）、数据库（掌握）、CAD（会用）", "python 数据库 cad"),
        ("了解Go即可", "go"),
        ("熟悉Java，了解即可", "java"),
        ("必须会Java", "java"),
        ("加分项：有责任心", ""),
        ("维生素C，R角加工", ""),
        ("熟悉Java，至少一年经验", "java"),
        ("必须：本科", ""),
        ("优先项：985、211院校", ""),
    ],
)
def test_a_demand_is_read_as_it_is_written(text: str, found: str) -> None:
    assert sorted(told(asked("", [text])).split()) == sorted(found.split())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("将于6月通过CET-4", ""),
        ("会CAD，计划考取电工证", "cad"),
        ("即将取得教师资格证", ""),
        ("预计2027年获得驾照", ""),
        ("熟悉Java，正在备考CET-6", "java"),
        ("已通过CET-4", "英语四级"),
        ("准备充分，会Java", "java"),
        ("计划管理，熟悉SAP", "sap"),
        ("通过CET-6，计划读研", "英语六级"),
    ],
)
def test_what_is_to_come_is_neither_offered_nor_lacking(text: str, found: str) -> None:
    assert sorted(told(offered("", [text])).split()) == sorted(found.split())


def test_who_denies_a_skill_in_any_words_is_not_credited_with_it() -> None:
    wanted = demand("精通Java")
    for text in ("对Java一无所知", "缺乏Java经验", "Java：无", "Java挂科", "I have never used Java"):
        lacking = _read(listing_pb2.LISTING_KIND_TALENT_SUPPLY, "毕业生", text).facts
        assert gaps(wanted, lacking) == ("Java",)
        assert score_of(wanted, lacking) < score_of(
            wanted, _read(listing_pb2.LISTING_KIND_TALENT_SUPPLY, "毕业生", "会Java").facts
        )


def test_a_search_finds_what_is_denied() -> None:
    found = document_of(_read(listing_pb2.LISTING_KIND_TALENT_SUPPLY, "毕业生", "不会Surpac，会填图").measured(b""))
    assert "surpac" in found["words"][0].split()
