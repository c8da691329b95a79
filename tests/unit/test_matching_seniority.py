"""Matching: what a title says of education and seniority. Every title is invented."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.listings.v1 import listing_pb2
from matching.domain.facts import Facts
from matching.domain.score import broken_condition, judge, score_of
from matching.domain.seniority import Seniority, asked, educations, offered
from matching.entry import from_bytes, to_bytes
from matching.mapping import entry_of
from tests.unit.test_matching_score import TODAY

FRESH, EXPERIENCED, LEADING, UNSAID = Seniority.FRESH, Seniority.EXPERIENCED, Seniority.LEADING, Seniority.UNSAID


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        ("博士后", ["11"]),
        ("计算机视觉工程师（博士后）", ["11"]),
        ("材料方向博士后研究员", ["11"]),
        ("Postdoctoral Fellow", ["11"]),
        ("Postdoc, robotics", ["11"]),
        ("博士研发工程师", []),
        ("算法工程师-博士", ["11"]),
        ("博士工程师", ["11"]),
        ("电气研发工程师（硕士/博士学历）", ["14", "11"]),
        ("算法岗 本科、硕士及以上", ["20", "14"]),
        ("软件工程硕士研究生", ["14"]),
        ("材料学博士研究生", ["11"]),
        ("材料学博士（研究生）", ["11"]),
        ("材料学硕士（本科）", ["20", "14"]),
        ("博士研究生及以上 算法岗", ["11"]),
        ("算法岗（博士/硕士研究生）", ["14", "11"]),
        ("算法岗（硕士、博士研究生）", ["14", "11"]),
        ("算法岗（研究生）", ["10"]),
        ("算法岗（硕博）", ["14", "11"]),
        ("算法岗（本硕博）", ["20", "14", "11"]),
        ("算法岗（本硕）", ["20", "14"]),
        ("博士后/博士研究生", ["11"]),
        # preferred, welcome, denied: no least education
        ("算法工程师（博士优先）", []),
        ("算法工程师（硕士/博士优先）", []),
        ("算法工程师（博士研究生优先）", []),
        ("算法工程师（硕博优先）", []),
        ("算法工程师（非博士）", []),
        ("测试工程师（接受大专）", []),
        ("测试工程师（大专可）", []),
        ("测试工程师 学历不限", []),
        # of somebody or something else
        ("博士眼镜验光师", []),
        ("（博士后工作站）技术管理", []),
        ("博士研究生院教务", []),
        ("软件测试工程师", []),
    ],
)
def test_a_title_names_levels_of_education(title: str, codes: list[str]) -> None:
    assert educations(title) == codes


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("研发总监（合伙人）", LEADING),
        ("首席科学家", LEADING),
        ("Sales Director", LEADING),
        ("Partner, Audit", LEADING),
        ("CTO", LEADING),
        ("高级Java工程师", EXPERIENCED),
        ("中高级前端", EXPERIENCED),
        ("资深测试工程师", EXPERIENCED),
        ("车间主任", EXPERIENCED),
        ("总监理工程师", EXPERIENCED),
        ("Senior Data Analyst", EXPERIENCED),
        # not of whom the post is for
        ("总监助理", UNSAID),
        ("总经理秘书", UNSAID),
        ("班主任", UNSAID),
        ("客户主任", UNSAID),
        ("高级中学语文教师", UNSAID),
        ("Business Partner", UNSAID),
        ("Internal Auditor", UNSAID),
        ("非高级岗位 Java工程师", UNSAID),
        ("Java工程师", UNSAID),
        # who has no experience is welcome, whatever else stands there
        ("测试工程师（应届生优先）", FRESH),
        ("高级测试工程师（接受应届）", FRESH),
        ("前端实习生", FRESH),
        ("2026届校招 研发岗", FRESH),
        ("初/中/高级Java工程师", FRESH),
        ("Summer Intern", FRESH),
        ("客服 无需经验", FRESH),
        # who has none is not
        ("Java工程师（非应届）", EXPERIENCED),
        ("Java工程师（不接受应届生）", EXPERIENCED),
        ("总监（应届勿扰）", LEADING),
    ],
)
def test_a_title_says_how_senior_its_post_is(title: str, level: Seniority) -> None:
    assert asked(title) is level


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("软件工程专业毕业生", FRESH),
        ("2026届机械类毕业生", FRESH),
        ("无经验毕业生", FRESH),
        ("有3年工作经验的在职研究生", EXPERIENCED),
        ("资深电工班学员", EXPERIENCED),
    ],
)
def test_graduates_come_without_experience_unless_they_say_so(title: str, level: Seniority) -> None:
    assert offered(title) is level


@pytest.mark.parametrize("value", ["男", "女性优先", "35岁以下", "汉族优先", "本地人优先", "附照片", "males only"])
@given(st.sampled_from(["研发总监", "博士后", "应届生", "高级测试工程师", "测试工程师"]))
def test_what_a_title_says_of_persons_changes_nothing(value: str, title: str) -> None:
    assert asked(f"{title}（{value}）") is asked(title)
    assert educations(f"{title}（{value}）") == educations(title)


# The pair


def read(kind: str, title: str, **details: Any) -> Any:
    """Facts as the index keeps them."""
    listing = listing_pb2.Listing(
        name=f"listings/{kind}",
        issuer=f"organizations/{kind}",
        kind=listing_pb2.ListingKind.Value(f"LISTING_KIND_{kind}"),
        title=title,
    )
    getattr(listing, kind.lower()).SetInParent()
    for name, value in details.items():
        one = getattr(listing, kind.lower())
        one.majors.extend(value) if name == "majors" else setattr(one, name, value)
    entry = from_bytes(to_bytes(entry_of(listing, 1))).entry()
    assert entry == entry_of(listing, 1)
    return entry.facts


def post(title: str, **details: Any) -> Any:
    return read("JOB_POSITION", title, **details)


def graduates(title: str, **details: Any) -> Any:
    return read("TALENT_SUPPLY", title, **details)


@pytest.mark.parametrize(
    ("asks", "has", "broken"),
    [
        (post("博士后（机器视觉）"), graduates("机器视觉毕业生", majors=["080902"]), "education"),
        (post("博士后（机器视觉）", education_code="20"), graduates("机器视觉毕业生", education_code="14"), "education"),
        (post("博士后（机器视觉）"), graduates("机器视觉毕业生", education_code="11"), ""),
        (post("博士后（机器视觉）"), graduates("机器视觉博士毕业生", majors=["080902"]), ""),
        (post("机器视觉工程师（博士优先）"), graduates("机器视觉毕业生", majors=["080902"]), ""),
        (post("机器视觉博士研究生"), graduates("机器视觉硕士毕业生"), "education"),
        (post("机器视觉博士研究生"), graduates("机器视觉博士研究生"), ""),
        (post("机器视觉工程师（硕博）"), graduates("机器视觉硕博毕业生"), ""),
        (post("机器视觉工程师（硕士/博士）"), graduates("机器视觉硕士毕业生"), ""),
        (post("机器视觉工程师（硕士/博士）"), graduates("机器视觉毕业生", majors=["080902"]), "education"),
        (post("机器视觉工程师", education_code="20"), graduates("机器视觉毕业生", majors=["460104"]), "education"),
        (post("机器视觉工程师", education_code="20"), graduates("机器视觉毕业生", majors=["080902"]), ""),
        (post("机器视觉工程师", education_code="20"), graduates("机器视觉毕业生", majors=["机器视觉"]), ""),
    ],
)
def test_what_the_title_asks_of_education_must_be_there(asks: Facts, has: Facts, broken: str) -> None:
    assert broken_condition(asks, has, TODAY) == broken


def scored(asks: Facts, has: Facts) -> tuple[int, int, str]:
    """The score, and weight and reason of the part of seniority."""
    verdict = judge(asks, has, TODAY, 700)
    (part,) = (part for part in verdict.parts if part.feature == "seniority")
    assert verdict.score == sum(one.contribution for one in verdict.parts) == score_of(asks, has, 700)
    assert sum(one.weight for one in verdict.parts) == 1000
    return verdict.score, part.weight, part.zh


def test_graduates_without_experience_stand_behind_where_it_is_asked_for() -> None:
    fresh, experienced = graduates("机器视觉毕业生"), graduates("机器视觉毕业生（3年工作经验）")
    plain = scored(post("机器视觉工程师"), fresh)[0]
    for title, lost in (("高级机器视觉工程师", 150), ("机器视觉研发总监（合伙人）", 400)):
        score, weight, why = scored(post(title), fresh)
        assert (weight, "应届毕业生" in why) == (lost, True)
        assert score < plain * (1000 - lost) // 1000 + 50
        assert scored(post(title), experienced)[1] == 0
    for title in ("高级机器视觉工程师（接受应届）", "机器视觉实习生", "机器视觉总监助理", "机器视觉工程师"):
        assert scored(post(title), fresh)[1] == 0


@pytest.mark.parametrize(
    ("title", "years", "weight"),
    [("工程师", 2, 0), ("工程师", 3, 150), ("工程师（应届）", 3, 0), ("总监", 3, 400), ("工程师", 0, 0)],
)
def test_years_that_are_stated_count_where_the_title_says_nothing(title: str, years: int, weight: int) -> None:
    assert scored(post(f"机器视觉{title}", experience_years=years), graduates("机器视觉毕业生"))[1] == weight


def test_kinds_without_graduates_are_not_read() -> None:
    facts = read("RESEARCH_OUTCOME", "首席科学家团队：博士后研究成果")
    assert (facts.seniority, facts.education) == (UNSAID, "")
