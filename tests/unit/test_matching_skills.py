"""Matching: skills that texts speak of, and what of them a supply offers. Every sentence is invented."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.listings.v1 import listing_pb2
from matching.domain import gap
from matching.domain.counterfactual import changes
from matching.domain.facts import Facts
from matching.domain.pairs import INDEX_VERSION, LEAST_THRESHOLD, STAMP, is_skilled
from matching.domain.score import Part, gaps, judge, score_of
from matching.domain.skills import MOST, Level, Skill, asked, canonical, offered
from matching.entry import Entry, from_bytes, to_bytes
from matching.mapping import entry_of, skill_of
from tests.unit.test_matching_score import TODAY, post, supply

MARKS = {Level.REQUIRED: "", Level.PREFERRED: "?", Level.NEGATED: "-"}


def told(skills: tuple[Skill, ...]) -> str:
    """`java plc? -go`: required, preferred, negated."""
    return " ".join(f"-{one.key}" if one.level is Level.NEGATED else f"{one.key}{MARKS[one.level]}" for one in skills)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # cues and enumerations
        ("熟悉CAD、SolidWorks等制图软件", "cad solidworks 制图软件"),
        ("精通数控加工工艺、机械制图和公差配合", "数控加工工艺 机械制图 公差配合"),
        ("会使用办公软件（Word、Excel）", "办公软件 word excel"),
        ("熟练使用Photoshop/Illustrator，了解HTML5+CSS3", "photoshop illustrator html css"),
        ("掌握Linux操作系统，Shell脚本", "linux shell"),
        ("熟悉TCP/IP协议、Modbus通信", "tcp/ip modbus"),
        ("了解区块链的原理", "区块链"),
        ("熟悉C语言和单片机开发", "c 单片机开发"),
        ("具有2年以上电气控制柜装配经验", "电气控制柜装配"),
        ("具备PLC编程能力", "plc"),
        ("会计电算化熟练，SQL基础扎实", "会计电算化 sql"),
        ("包括但不限于Java、Python", "java python"),
        ("1、熟悉Go；2、熟悉Rust", "go rust"),
        ("熟悉数据清洗和图像标注-具有钢琴演奏经验", "数据清洗 图像标注 钢琴演奏"),
        ("熟悉摄像头模组如：串口、传感器的调试", "摄像头模组 串口 传感器"),
        ("精通安卓，了解Android", "android"),
        ("有良好的编程习惯，参加过培训，通过面试环节者", ""),
        ("一、熟悉钣金展开\n二、看懂液压原理图", "钣金展开 液压原理图"),
        # certificates
        ("持有电工证，英语四级以上", "电工证 英语四级"),
        ("须持焊工操作证上岗", "焊工证"),
        ("普通话二级甲等以上，取得教师资格证", "普通话二级甲等 教师资格证"),
        # English
        ("Proficient in Java, Python and AutoCAD.", "java python cad"),
        ("Familiar with injection moulding or die casting", "injectionmoulding diecasting"),
        ("At least 3 years of experience in welding. Ability to use a lathe.", "welding lathe"),
        # nothing of the work
        ("具备良好的沟通能力和团队合作精神，有责任心", ""),
        ("熟悉常用的开发工具和方法", ""),
        ("参加每周会议，社会保险齐全，机会多", ""),
        ("Good communication skills and a positive attitude", ""),
        ("", ""),
        # what is said of something, of whom, of which: pieces that name nothing
        ("熟悉PLC，动手能力比较好，做事认真负责的实习生", "plc"),
        ("具有较强的责任心、突出的沟通能力", ""),
        ("有良好的口头与书面表达能力", ""),
        ("具备归纳总结、持续改进的能力", "归纳总结 持续改进"),
        ("熟悉Python、R语言等其中一种编程语言", "python? r?"),
        ("掌握任何一种可视化工具", "可视化工具"),
        ("了解边缘计算的进展", "边缘计算"),
        ("熟悉高并发、并行计算原理4", "高并发 并行计算原理"),
        ("熟悉数据库或缓存之一", "数据库? 缓存?"),
        # a letter that is a name, years before one, a certificate by its letters, a list of names beneath a heading
        ("精通C、C++、C#", "c c++ c#"),
        ("会C/C++", "c c++"),
        ("熟悉R", "r"),
        ("3年以上Java开发经验", "java"),
        ("3年以上工作经验", ""),
        ("CET-4以上", "英语四级"),
        ("技术栈：Java+SpringCloud+Vue", "java springcloud vue"),
        ("必备技能：Java；加分技能：Kafka", "java kafka?"),
        ("Java（必备）、Kafka（加分）", "java kafka?"),
        ("熟悉Java，不熟悉勿投", "java"),
        # one of several will do
        ("有MySQL或Oracle其中一种", "mysql? oracle?"),
        ("熟悉React/Vue等至少一种", "react? vue?"),
        ("熟悉MySQL和Oracle", "mysql oracle"),
        ("擅长如何处理投诉，能够胜任加班", ""),
        ("熟悉Linux，Work closely with customers of our team", "linux"),
        ("熟悉Linux及Responsible for the delivery of SAP projects", "linux sap"),
        # what duties say is no demand, except for what is surely a skill
        ("岗位职责：掌握库存周转，使用SAP下单。任职要求：掌握叉车操作", "sap 叉车操作"),
    ],
)
def test_what_stands_behind_a_cue_is_a_skill(text: str, found: str) -> None:
    assert told(asked("", [text])) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # required
        ("必须熟悉PLC编程", "plc"),
        ("要求精通SolidWorks", "solidworks"),
        ("熟练掌握Java", "java"),
        ("Must know AutoCAD", "cad"),
        # preferred, in its own part alone
        ("有PLC经验者优先", "plc?"),
        ("熟悉Java，Python优先", "java python?"),
        ("熟悉Java、MySQL，有Spring Boot经验者优先", "java mysql springboot?"),
        ("精通Java；懂日语更佳", "java 日语?"),
        ("熟悉Java。会Go加分", "java go?"),
        ("有驾照者优先", "驾驶证?"),
        ("懂日语，会英语者优先", "日语 英语?"),
        ("有Java经验优先（非必须）", "java?"),
        ("Experience with Docker is a plus", "docker?"),
        ("Familiar with Java. Knowledge of Kotlin preferred.", "java kotlin?"),
        # preferred, of all that is enumerated
        ("熟悉Spring，Redis，Kafka者优先", "spring? redis? kafka?"),
        ("熟悉Hadoop、Spark，优先考虑", "hadoop? spark?"),
        ("Experience with Java, Go and Rust preferred", "java? go? rust?"),
        ("Experience with Java, Rust is a plus", "java rust?"),
        # by the heading above it, until the next
        ("加分项：1、熟悉Docker；2、了解K8S。任职要求：1、精通Go", "docker? kubernetes? go"),
        ("加分项：熟悉Docker；必须会Go", "docker? go"),
        # not needed
        ("无需焊接经验", "-焊接"),
        ("不要求会Java", "-java"),
        ("精通C++，不要求会Java", "c++ -java"),
        ("精通C++但不要求会Java", "c++ -java"),
        ("Kubernetes经验不作要求", "-kubernetes"),
        ("无Java经验亦可", "-java"),
        ("不会CAD也可以培训", "-cad"),
        ("Java不是必须", "-java"),
        ("不用会Java", "-java"),
        ("Java是必须的", "java"),
        ("无经验亦可，提供培训", ""),
        ("接受无经验", ""),
        ("熟悉C++，Java零基础亦可", "c++ -java"),
        ("熟悉C++，Java没学过也可", "c++ -java"),
        ("不限专业但须会Python", "python"),
        ("No Java experience required", "-java"),
        ("Proficient in Go; Kubernetes not required", "go -kubernetes"),
        ("Python is optional, but you must know SQL", "-python sql"),
        # named twice: the higher level
        ("熟悉Java者优先；必须熟悉Java", "java"),
        ("无需Java基础；有Java经验优先", "java?"),
    ],
)
def test_a_demand_tells_what_must_be_from_what_is_welcome_and_what_is_not_needed(text: str, found: str) -> None:
    assert told(asked("", [text])) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("掌握Java、Python，不会C++", "java python -c++"),
        ("会CAD，没学过SolidWorks", "cad -solidworks"),
        ("会CAD不会SolidWorks", "cad -solidworks"),
        ("未学过Go语言", "-go"),
        ("不熟悉Linux", "-linux"),
        ("不懂日语，英语六级", "-日语 英语六级"),
        ("没有PLC经验", "-plc"),
        ("已取得电工证，无焊接经验", "电工证 -焊接"),
        ("尚未取得教师资格证", "-教师资格证"),
        ("零基础Python", "-python"),
        # said behind the name
        ("Java没学过", "-java"),
        ("英语不会", "-英语"),
        ("Java零基础", "-java"),
        ("PLC未接触", "-plc"),
        ("对单片机不了解", "-mcu"),
        ("Java、Python都不会", "-java -python"),
        ("焊接无经验", "-焊接"),
        ("Java经验没有", "-java"),
        ("电工证未取得", "-电工证"),
        ("熟悉Java，Python没用过", "java -python"),
        ("Python不太会，会CAD", "-python cad"),
        ("Familiar with Go, Java never used", "go -java"),
        # no word of lacking, though its characters stand there
        ("具备无人驾驶ROS开发经验", "ros"),
        ("熟悉无监督Python建模经验", "python"),
        ("掌握无线通信Matlab仿真经验", "matlab"),
        ("使用Simulink验证无刷电机", "simulink"),
        ("无障碍设计，有Figma经验", "figma"),
        ("熟悉Java，没有落下Python验证", "java python"),
        ("零基础学会Python", "python"),
        ("从零基础开始自学，熟悉Java", "java"),
        ("熟悉Java，面向零基础学员讲授", "java"),
        ("不仅熟悉Java", "java"),
        # and where it is one
        ("无Java经验", "-java"),
        ("目前无机械设计经验", "-机械设计"),
        ("无电工证", "-电工证"),
        ("没有驾照", "-驾驶证"),
        ("no Java experience", "-java"),
        ("无人机操作熟练，持无人机驾驶证", "无人机驾驶证 无人机"),
        ("未掌握西门子PLC，但学过三菱PLC", "plc"),
        ("学过有限元分析，用过ANSYS", "有限元分析 ansys"),
        ("优先考虑长三角的岗位，熟悉Java", "java"),
        ("Familiar with Java; no experience with Go", "java -go"),
        ("I have not learned Python but know Java", "-python java"),
        ("Can use AutoCAD. Cannot use SolidWorks.", "cad -solidworks"),
        ("Unfamiliar with Linux", "-linux"),
    ],
)
def test_a_supply_tells_what_it_offers_from_what_it_lacks(text: str, found: str) -> None:
    assert sorted(told(offered("", [text])).split()) == sorted(found.split())


@pytest.mark.parametrize(
    ("writings", "key"),
    [
        (("Java", "ｊａｖａ", "Java8", "JAVA 8", "Java编程", "java开发语言"), "java"),
        (("C++", "c++", "CPP", "C++编程"), "c++"),
        (("CET-4", "CET4", "英语四级", "大学英语四级"), "英语四级"),
        (("PLC", "可编程控制器", "PLC编程"), "plc"),
        (("Office", "办公软件", "MS Office", "WPS"), "办公软件"),
        (("Spring Boot", "SpringBoot", "spring-boot"), "springboot"),
        (("Vue.js", "VueJS", "Vue", "Vue3"), "vue"),
        (("AutoCAD", "CAD", "AutoCAD 2020"), "cad"),
        (("驾照", "驾驶证", "机动车驾驶证"), "驾驶证"),
    ],
)
def test_writings_of_one_skill_have_one_key(writings: tuple[str, ...], key: str) -> None:
    assert {canonical(one) for one in writings} == {key}


def test_different_skills_keep_their_keys() -> None:
    names = [
        "C",
        "C++",
        "C#",
        "Java",
        "JavaScript",
        "ISO9001",
        "ISO14001",
        "S7-200",
        "S7-1200",
        "英语四级",
        "英语六级",
        "3D建模",
    ]
    assert len({canonical(one) for one in names}) == len(names)


def test_latin_words_of_a_chinese_title_are_asked_for() -> None:
    assert told(asked("PLC 电气工程师（GP708917）", [])) == "plc"
    assert told(asked("数控操作工", ["熟悉FANUC系统"])) == "fanuc"


def test_no_more_than_the_first_ones_count() -> None:
    names = [f"Tool{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(MOST + 1)]
    assert len(asked("", [f"熟悉{'、'.join(names[:MOST])}"])) == MOST
    assert [one.written for one in asked("", [f"熟悉{'、'.join(names)}"])] == names[:MOST]


SENTENCES = st.sampled_from(
    [
        "熟悉Java、MySQL",
        "有PLC经验者优先",
        "无需焊接经验",
        "持有电工证",
        "必须会Go",
        "Experience with Docker is a plus.",
        "不会SolidWorks",
        "汉族，男，28岁",
        "加分项：",
    ]
)


@given(st.permutations(["熟悉Java", "有Java经验者优先", "无需Java基础", "持有电工证", "必须会Go"]))
def test_levels_do_not_depend_on_the_order(sentences: list[str]) -> None:
    for given_texts in ([*sentences], ["；".join(sentences)], ["\n".join(sentences)]):
        assert set(told(asked("", given_texts)).split()) == {"java", "电工证", "go"}


@given(st.text(alphabet="熟悉Java、C+#。；,.0123优先不会无需证\n()（） abc", max_size=60), st.lists(SENTENCES, max_size=5))
def test_any_text_can_be_read_and_reads_the_same_again(text: str, sentences: list[str]) -> None:
    for read in (asked, offered):
        found = read(text, sentences)
        assert found == read(text, sentences)
        assert len({one.key for one in found}) == len(found) <= MOST
        assert all(one.key for one in found)


@pytest.mark.parametrize(
    "value", ["男性优先", "限女性", "35岁以下", "汉族优先", "北京户籍优先", "附生活照", "males only", "26岁"]
)
def test_what_a_text_says_of_persons_is_no_skill_and_changes_no_level(value: str) -> None:
    text = "熟悉Java，持有电工证{}；有PLC经验者优先，{}；必须会Go{}"
    said, unsaid = text.format(*[f"，{value}"] * 3), text.format("", "", "")
    assert asked(f"电工，{value}", [said]) == asked("电工", [unsaid])
    assert offered(f"电工，{value}", [said]) == offered("电工", [unsaid])


# The pair

NAMES = st.sampled_from(["Java", "PLC", "EPLAN", "电工证", "Go", "焊接", "CAD"])
TOLD = st.lists(st.builds(Skill, NAMES, st.sampled_from(Level)), max_size=6, unique_by=lambda one: one.key).map(tuple)
LABELS = st.lists(NAMES, max_size=3, unique=True).map(tuple)
WORDS = st.sampled_from(["电气", "电气 Java PLC", "焊接 电气 CAD", "护理"])
NEAR = st.none() | st.integers(-1000, 1000)


def demand(*texts: str, **fields: Any) -> Facts:
    return post("电气工程师", told=asked("", texts), **fields)


def offer(*texts: str, **fields: Any) -> Facts:
    return supply("电气专业毕业生", *texts, told=offered("", texts), **fields)


def test_the_gap_is_what_must_be_and_is_not_offered() -> None:
    wanted = demand("必须熟悉PLC和EPLAN，持有电工证；有日语基础者优先；无需焊接经验")
    has = offer("熟悉可编程控制器")
    verdict = judge(wanted, has, TODAY)
    assert verdict.gaps == ("EPLAN", "电工证")
    assert [(one.written, one.level, one.is_offered) for one in gap.asked(wanted, has)] == [
        ("PLC", Level.REQUIRED, True),
        ("EPLAN", Level.REQUIRED, False),
        ("电工证", Level.REQUIRED, False),
        ("日语", Level.PREFERRED, False),
    ]
    (part,) = (part for part in verdict.parts if part.feature == "skills")
    assert part.value == (2 * 1000 + 2 * 400 + 2 * 400 + 400) // 7
    assert part.zh == "技能满足 1/3：PLC；优先项满足 0/1；供方未提及 3 项，未提及不视为不具备，每项按 0.4 计"
    assert part.en == (
        "skills met 1/3: PLC; preferred met 0/1;"
        " the supply does not mention 3; that is unknown, not lacking, and counts 0.4 each"
    )


def skills_part(wanted: Facts, has: Facts) -> Part:
    (part,) = (part for part in judge(wanted, has, TODAY).parts if part.feature == "skills")
    return part


def test_a_supply_that_says_nothing_of_skills_is_unknown_and_not_without_any() -> None:
    wanted = demand("熟悉PLC和EPLAN")
    silent, lacking, partly = offer(), offer("不会PLC，不会EPLAN"), offer("熟悉PLC，不会EPLAN")
    assert [skills_part(wanted, one).value for one in (lacking, silent, partly)] == [0, 400, 500]
    assert skills_part(wanted, silent).zh == "技能满足 0/2；供方未填写任何技能，未提及不视为不具备，每项按 0.4 计"
    assert "says nothing of skills; that is unknown, not lacking" in skills_part(wanted, silent).en
    assert "未提及" not in skills_part(wanted, lacking).zh
    assert gaps(wanted, silent) == ("PLC", "EPLAN"), "what is not offered stays a gap to ask about"


@given(
    TOLD,
    LABELS.filter(bool),
    st.sampled_from([(), ("软件工程",), ("护理学",)]),
    WORDS,
    st.sampled_from(["电气", "护理"]),
    NEAR,
)
def test_silence_alone_never_decides_whether_a_pair_fits(
    wants: Any, labels: Any, majors: Any, title: str, other: str, near: int | None
) -> None:
    wanted, silent = post(title, told=wants, skills=labels, majors=("软件工程",)), supply(other, majors=majors)
    rest = [part for part in judge(wanted, silent, TODAY, near).parts if part.feature != "skills"]
    fits_without = 1000 * sum(part.contribution for part in rest) >= LEAST_THRESHOLD * sum(part.weight for part in rest)
    assert (score_of(wanted, silent, near) >= LEAST_THRESHOLD) == fits_without


def test_a_label_and_the_text_ask_for_one_skill_once() -> None:
    wanted = demand("有PLC经验者优先", skills=("可编程控制器",))
    assert [(one.written, one.level) for one in gap.asked(wanted, offer())] == [("可编程控制器", Level.REQUIRED)]


def test_what_a_supply_says_it_lacks_is_not_offered_by_its_words() -> None:
    wanted = demand("熟悉SolidWorks")
    assert gaps(wanted, offer("课程设计用到SolidWorks")) == ()
    assert gaps(wanted, offer("SolidWorks没学过")) == gaps(wanted, offer("SolidWorks零基础")) == ("SolidWorks",)
    assert gaps(wanted, offer("零基础学会SolidWorks")) == gaps(wanted, offer("无刷电机的SolidWorks验证")) == ()
    lacking = offer("会CAD，不会SolidWorks")
    assert gaps(wanted, lacking) == ("SolidWorks",)
    (part,) = (part for part in judge(wanted, lacking, TODAY).parts if part.feature == "skills")
    assert (part.contribution, part.zh) == (0, "技能满足 0/1；供方写明不具备：SolidWorks")
    assert skill_of(gap.asked(wanted, lacking)[0]).is_lacking
    assert gaps(wanted, replace(lacking, skills=("solidworks",))) == (), "what it offers in one place, it offers"


def test_what_is_preferred_raises_and_is_no_gap() -> None:
    wanted = demand("熟悉PLC；会EPLAN优先")
    without, with_it = offer("熟悉PLC"), offer("熟悉PLC", skills=("EPLAN",))
    assert gaps(wanted, without) == gaps(wanted, with_it) == ()
    assert score_of(wanted, with_it) > score_of(wanted, without)
    must = demand("熟悉PLC；必须会EPLAN")
    assert score_of(must, without) < score_of(wanted, without), "what must be counts more than what is welcome"


def test_what_is_not_needed_counts_nowhere() -> None:
    wanted, free = demand("熟悉PLC；无需EPLAN"), demand("熟悉PLC")
    for has in (offer(), offer("熟悉PLC"), offer("熟悉EPLAN")):
        assert judge(wanted, has, TODAY) == judge(free, has, TODAY)


def test_changes_name_what_the_texts_ask_for() -> None:
    wanted = demand("熟悉PLC；会EPLAN优先；无需日语")
    assert [one.value for one in changes(wanted, offer()) if one.feature == "skills"] == ["PLC", "EPLAN"]
    assert [one.value for one in changes(wanted, offer("熟悉PLC")) if one.feature == "skills"] == ["EPLAN"]


def test_labels_and_texts_have_a_half_each() -> None:
    def part(wanted: Facts, has: Facts) -> tuple[int, int]:
        (found,) = (one for one in judge(wanted, has, TODAY).parts if one.feature == "skills")
        return found.weight, found.value

    by_text, by_both, by_label = demand("熟悉EPLAN"), demand("熟悉EPLAN", skills=("PLC",)), demand(skills=("PLC",))
    assert [part(one, offer("熟悉PLC")) for one in (by_text, by_both, by_label)] == [(100, 400), (200, 700), (200, 1000)]
    assert [part(one, offer("熟悉EPLAN")) for one in (by_text, by_both, by_label)] == [(100, 1000), (200, 700), (200, 400)]
    assert [part(one, offer()) for one in (by_text, by_both, by_label)] == [(100, 400), (200, 400), (200, 400)]
    neither = offer("不会PLC，不会EPLAN")
    assert [part(one, neither) for one in (by_text, by_both, by_label)] == [(100, 0), (200, 0), (200, 0)]
    assert part(demand(), offer("熟悉PLC")) == (0, 0), "what nobody asks for counts for nothing"


@given(TOLD, LABELS, WORDS, TOLD, LABELS, WORDS, NAMES, NEAR)
def test_more_skills_of_a_supply_never_hurt(
    wants: Any, labels: Any, title: str, has: Any, own: Any, other: str, more: str, near: int | None
) -> None:
    wanted = post(title, told=wants, skills=labels)
    before = supply(other, told=has, skills=own)
    by_label = replace(before, skills=(*own, more))
    rest = tuple(one for one in has if one.written != more)
    by_text = replace(before, told=(*rest, Skill(more)))
    for after in (by_label, by_text):
        assert score_of(wanted, after, near) >= score_of(wanted, before, near)
        assert set(gaps(wanted, after)) <= set(gaps(wanted, before))


@given(TOLD, LABELS, WORDS, TOLD, WORDS, NAMES, NEAR)
def test_to_ask_for_what_is_offered_never_hurts(
    wants: Any, labels: Any, title: str, has: Any, other: str, more: str, near: int | None
) -> None:
    offers = supply(other, told=(*(one for one in has if one.written != more), Skill(more)))
    rest = tuple(one for one in wants if one.written != more)
    before, after = post(title, told=rest, skills=labels), post(title, told=(*rest, Skill(more)), skills=labels)
    assert score_of(after, offers, near) >= score_of(before, offers, near)


@given(TOLD, LABELS, WORDS, TOLD, LABELS, WORDS, NEAR)
def test_parts_sum_to_the_score_exactly(
    wants: Any, labels: Any, title: str, has: Any, own: Any, other: str, near: int | None
) -> None:
    wanted, offers = post(title, told=wants, skills=labels), supply(other, told=has, skills=own)
    verdict = judge(wanted, offers, TODAY, near)
    assert verdict.score == sum(part.contribution for part in verdict.parts) == score_of(wanted, offers, near)
    assert sum(part.weight for part in verdict.parts) == 1000
    assert all(part.contribution == part.weight * part.value // 1000 for part in verdict.parts)
    shuffled = replace(wanted, told=wants[::-1]), replace(offers, told=has[::-1], skills=own[::-1])
    assert judge(*shuffled, TODAY, near).score == verdict.score


# The index


def test_a_listing_is_read_once_and_kept() -> None:
    listing = listing_pb2.Listing(
        name="listings/1",
        kind=listing_pb2.LISTING_KIND_JOB_POSITION,
        title="PLC 工程师",
        description="熟悉EPLAN；有日语基础者优先；无需焊接经验",
    )
    entry = entry_of(listing, 1)
    assert entry.facts.told == (Skill("PLC"), Skill("EPLAN"), Skill("日语", Level.PREFERRED), Skill("焊接", Level.NEGATED))
    kept = from_bytes(to_bytes(entry)).entry()
    assert kept == entry
    assert all(isinstance(one, Skill) and isinstance(one.level, Level) for one in kept.facts.told)
    listing.kind = listing_pb2.LISTING_KIND_TALENT_SUPPLY
    listing.description = "不会EPLAN"
    assert entry_of(listing, 1).facts.told == (Skill("PLC"), Skill("EPLAN", Level.NEGATED))


def test_only_kinds_whose_pairs_weigh_skills_are_read() -> None:
    assert is_skilled("INTERNSHIP")
    assert is_skilled("COURSE")
    assert not is_skilled("TECH_DEMAND")
    listing = listing_pb2.Listing(name="listings/1", kind=listing_pb2.LISTING_KIND_TECH_DEMAND, description="熟悉EPLAN")
    assert entry_of(listing, 1).facts.told == ()


def test_a_match_is_stamped_with_algorithm_and_index() -> None:
    assert f"words-meaning-skills-12/index-{INDEX_VERSION}" == STAMP
    assert isinstance(entry_of(listing_pb2.Listing(name="listings/1"), 1), Entry)
