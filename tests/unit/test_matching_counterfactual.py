"""Matching: what would change the verdict on a pair."""

from dataclasses import replace
from datetime import date

from hypothesis import given

from matching.domain.counterfactual import alternatives, fits_until
from matching.domain.score import judge
from tests.unit.test_matching_score import BEIJING, SHANGHAI, TITLES, TODAY, post, supply


def test_each_missing_skill_says_what_it_would_bring() -> None:
    wanted = post("封装工程师", skills=("封装", "热仿真", "可靠性"), majors=("微电子",))
    offer = supply("封装毕业生", skills=("封装",), majors=("微电子",))
    found = [one for one in alternatives(wanted, offer) if one.feature == "skills"]
    assert [(one.zh, one.en) for one in found] == [
        ("具备技能“可靠性”", "the skill 可靠性"),
        ("具备技能“热仿真”", "the skill 热仿真"),
    ]
    now = judge(wanted, offer, TODAY).score
    for one in found:
        skill = one.en.removeprefix("the skill ")
        then = judge(wanted, replace(offer, skills=(*offer.skills, skill)), TODAY).score
        assert one.score == then > now


def test_what_fits_wholly_can_not_fit_better() -> None:
    wanted = post("封装 热仿真", skills=("封装",), majors=("微电子",), regions=(SHANGHAI,), education="20", industries=("39",))
    offer = supply(
        "封装 热仿真", skills=("封装",), majors=("微电子",), regions=(SHANGHAI,), education="20", industries=("39",)
    )
    assert alternatives(wanted, offer) == []


def test_regions_and_industries_are_named() -> None:
    wanted = post("封装", regions=(BEIJING,), industries=("39",), occupations=("2-02-10-03",))
    offer = supply("封装", regions=("110105",), industries=("C",), occupations=("2-02-10-01",))
    told = [one.zh for one in alternatives(wanted, offer)]
    assert told == ["职业含“计算机软件工程技术人员”", "地区含北京市"], "an industry that holds the other is as good"


@given(TITLES, TITLES)
def test_an_alternative_always_raises_the_score_and_the_best_stands_first(title: str, other: str) -> None:
    wanted = post(
        title,
        skills=("Java", title),
        majors=("软件工程",),
        regions=(BEIJING,),
        education="20",
        industries=("39",),
        occupations=("2-02-10-03",),
    )
    offer = supply(other, skills=(other,), majors=("护理",), industries=("65",))
    scores = [one.score for one in alternatives(wanted, offer)]
    assert scores == sorted(scores, reverse=True)
    assert all(one > judge(wanted, offer, TODAY).score for one in scores)


def test_a_pair_fits_until_the_first_of_both_ends() -> None:
    early, late = date(2026, 3, 31), date(2026, 4, 1)
    assert fits_until(post("封装", valid_to=late), supply("封装", valid_to=early)) == early
