"""Matching: what the index keeps of a listing, out of the contract's message."""

from datetime import date
from typing import Any

import pytest

from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from matching.domain.pairs import RULES, PairRule
from matching.domain.score import judge
from matching.mapping import entry_of

TODAY = date(2026, 3, 2)


def listing(kind: str, **fields: object) -> pb.Listing:
    return pb.Listing(name=f"listings/{kind}", issuer=f"organizations/{kind}", kind=f"LISTING_KIND_{kind}", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "kept"),
    [
        (["110105"], ("110105",)),
        (["330104"], ("330100",)),  # 江干区 is no more
        (["330104", "330100"], ("330100",)),
        (["990000"], ()),
        ([], ()),
    ],
)
def test_of_a_region_that_is_there_no_more_the_one_is_kept_that_it_lay_in(codes: list[str], kept: tuple[str, ...]) -> None:
    assert entry_of(listing("CASE", region_codes=codes), 1).facts.regions == kept


def test_a_post_elsewhere_does_not_meet_who_is_of_a_region_that_is_there_no_more() -> None:
    post = entry_of(listing("JOB_POSITION", title="封装", region_codes=["110000"]), 1).facts
    assert (
        judge(post, entry_of(listing("TALENT_SUPPLY", title="封装", region_codes=["330104"]), 1).facts, TODAY).broken
        == "region"
    )


@pytest.mark.parametrize(
    ("asked", "offered", "value"), [("0809", "080902", 700), ("0802", "080207", 700), ("0809", "080207", 0)]
)
def test_a_class_of_majors_takes_in_its_majors(asked: str, offered: str, value: int) -> None:
    post = entry_of(listing("JOB_POSITION", title="开发", job_position=pb.JobPosition(majors=[asked])), 1).facts
    graduates = entry_of(listing("TALENT_SUPPLY", title="开发", talent_supply=pb.TalentSupply(majors=[offered])), 1).facts
    verdict = judge(post, graduates, TODAY)
    assert {part.feature: part.value for part in verdict.parts}["majors"] == value
    assert bool(verdict.gaps) == (value == 0)


def test_occupations_of_a_minor_group_share_words_by_which_they_are_found() -> None:
    details = pb.JobPosition(occupation_code="2-02-10-03")
    post = entry_of(listing("JOB_POSITION", title="开发", job_position=details), 1)
    looked_for = pb.TalentSupply(occupation_codes=["2-02-10-01", "9-99-99-99", "2"])
    graduates = entry_of(listing("TALENT_SUPPLY", title="开发", talent_supply=looked_for), 1)
    assert post.facts.occupations == ("2-02-10-03",)
    assert graduates.facts.occupations == ("2-02-10-01", "2")
    assert post.passage.prose == "信息和通信工程技术人员\n计算机软件工程技术人员"
    assert graduates.passage.prose == "信息和通信工程技术人员\n通信工程技术人员"
    assert post.facts.words == entry_of(listing("JOB_POSITION", title="开发"), 1).facts.words, "to name one costs nothing"


# Field of the details that a feature is read from; text, meaning, region and industry every kind has.
_FIELDS = {
    "majors": {"majors"},
    "skills": {"skills"},
    "technology": {"field"},
    "occupation": {"occupation_code", "occupation_codes"},
    "education": {"education_code"},
}


def fields_of(kind: str) -> set[str]:
    """Fields of a kind's details."""
    details = pb.Listing.DESCRIPTOR.fields_by_name[kind.lower()].message_type
    assert details is not None
    return set(details.fields_by_name)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.demand}-{rule.supply}")
def test_a_feature_has_a_weight_where_both_kinds_have_a_field_for_it(rule: PairRule) -> None:
    kinds = (rule.demand, rule.supply)
    able = {feature for feature, names in _FIELDS.items() if all(names & fields_of(kind) for kind in kinds)}
    assert {feature for feature in rule.weights if feature in _FIELDS} == able


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("PRACTICE_BASE", {"practice_base": details_pb2.PracticeBase(facilities=["贴片机"])}),
        ("TECH_SERVICE", {"tech_service": details_pb2.TechService(deliverables=["贴片机标定报告"])}),
        ("MICRO_MAJOR", {"micro_major": details_pb2.MicroMajor(courses=["贴片机操作"])}),
        ("EQUIPMENT_SHARING", {"equipment_sharing": details_pb2.EquipmentSharing(capabilities=["贴片机"])}),
    ],
)
def test_what_a_listing_names_in_its_details_is_among_its_words(kind: str, details: dict[str, Any]) -> None:
    entry = entry_of(listing(kind, title="平台", **details), 1)
    assert "贴片" in entry.facts.words
    assert "贴片机" in entry.passage.prose


@pytest.mark.parametrize(("given", "kept"), [(0, 1), (1, 1), (3, 3)])
def test_one_is_meant_where_no_quantity_is_said(given: int, kept: int) -> None:
    assert entry_of(listing("JOB_POSITION", title="封装", quantity=given), 1).facts.quantity == kept


def test_what_is_kept_to_be_shown_refers_to_nobody() -> None:
    given = listing(
        "EXPERT",
        title="封装专家",
        contact="personalRecords/a",
        expert=details_pb2.Expert(person="personalRecords/b", field="封装"),
    )
    kept = pb.Listing.FromString(entry_of(given, 1).listing)
    assert (kept.contact, kept.expert.person, kept.expert.field) == ("", "", "封装")
    assert given.contact == "personalRecords/a", "what came is left as it was"
