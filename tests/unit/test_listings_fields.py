"""Listings: what an issuer may write, field by field, both sides of every limit."""

from datetime import date
from typing import Any

import pytest

from alliance.common.v1 import field_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis.errors import Invalid, Violation
from codes import regions
from listings.checks import settled
from listings.checks.fields import MAX_WORD, MAX_WORDS
from listings.checks.listing import MAX_BODIES, MAX_DESCRIPTION, MAX_INDUSTRIES, MAX_REGIONS, MAX_TITLE
from listings.checks.texts import texts
from listings.domain.names import DETAILS, Kind
from listings.importing import check_header
from listings.mapping import changed_fields, content_hash, identity_problems, revised_fields, row_of, written

PUBLIC = pb.VISIBILITY_PUBLIC
REGIONS = [f"{number}0000" for number in range(11, 66) if regions.exists(f"{number}0000")] + [
    f"3201{number:02}" for number in range(1, 99) if regions.exists(f"3201{number:02}")
]
INDUSTRIES = [f"{number:02}" for number in range(1, 20)]


def listing(kind: int = pb.LISTING_KIND_JOB_POSITION, **fields: Any) -> pb.Listing:
    """A job position with these fields, as an issuer would write it."""
    given = {"title": "封装工程师", "visibility": PUBLIC, "quantity": 1, **fields}
    if kind == pb.LISTING_KIND_JOB_POSITION and not any(name in given for name in DETAILS.values()):
        given["job_position"] = pb.JobPosition()
    return pb.Listing(kind=kind, **given)  # type: ignore[arg-type]


def found(**fields: Any) -> list[tuple[str, str]]:
    """Field and rule of everything that is wrong."""
    return [(one.field, one.rule) for one in settled(listing(**fields))]


def only(*wrong: tuple[str, str]) -> list[tuple[str, str]]:
    return list(wrong)


def test_a_listing_with_its_details_is_right() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": "工"}, only(("title", "length"))),
        ({"title": "工程"}, []),
        ({"title": "工" * MAX_TITLE}, []),
        ({"title": "工" * (MAX_TITLE + 1)}, only(("title", "length"))),
        ({"title": "封装\n工程师"}, only(("title", "one-line"))),
        ({"title": "封装\u2028工程师"}, only(("title", "one-line"))),
        ({"description": "述" * MAX_DESCRIPTION}, []),
        ({"description": "述" * (MAX_DESCRIPTION + 1)}, only(("description", "length"))),
        ({"quantity": 0}, only(("quantity", "range"))),
        ({"quantity": -1}, only(("quantity", "range"))),
        ({"bodies": [f"bodies/{n}" for n in range(MAX_BODIES)]}, []),
        ({"bodies": [f"bodies/{n}" for n in range(MAX_BODIES + 1)]}, only(("bodies", "range"))),
        ({"bodies": ["bodies/a", "集成电路产教联盟"]}, only(("bodies", "AIP-122"))),
        ({"bodies": ["bodies/a", "bodies/a"]}, only(("bodies", "range"))),
        ({"industry_codes": INDUSTRIES[:MAX_INDUSTRIES]}, []),
        ({"industry_codes": INDUSTRIES[: MAX_INDUSTRIES + 1]}, only(("industry_codes", "range"))),
        ({"industry_codes": ["9999"]}, only(("industry_codes", "GB/T 4754"))),
        ({"region_codes": ["110000", "110105"]}, []),
        ({"region_codes": REGIONS[:MAX_REGIONS]}, []),
        ({"region_codes": REGIONS[: MAX_REGIONS + 1]}, only(("region_codes", "range"))),
        ({"job_position": pb.JobPosition(skills=["焊" * MAX_WORD] * MAX_WORDS)}, []),
        ({"job_position": pb.JobPosition(skills=["焊"] * (MAX_WORDS + 1))}, only(("job_position.skills", "range"))),
        ({"job_position": pb.JobPosition(skills=["焊" * (MAX_WORD + 1)])}, only(("job_position.skills", "length"))),
        ({"region_codes": ["北京", "北京市朝阳区", "110108 海淀区"]}, []),
        ({"region_codes": ["朝阳区"]}, only(("region_codes", "GB/T 2260"))),
        ({"region_codes": ["110105 海淀区"]}, only(("region_codes", "GB/T 2260"))),
        ({"field_codes": ["AI", "大数据"]}, []),
        ({"field_codes": ["炼金术"]}, only(("field_codes", "S4 三(一)"))),
        ({"region_codes": ["110000", "119999"]}, only(("region_codes", "GB/T 2260"))),
        ({"valid_from": "2026-02-28", "valid_to": "2026-02-28"}, []),
        ({"valid_from": "2026-02-28", "valid_to": "2026-02-27"}, only(("valid_from", "order"), ("valid_to", "order"))),
        ({"valid_from": "2026-02-29"}, only(("valid_from", "ISO 8601"))),
        ({"valid_to": "2026-2-1"}, only(("valid_to", "ISO 8601"))),
        ({"valid_to": "20260201"}, only(("valid_to", "ISO 8601"))),
        ({"visibility": 0}, only(("visibility", "required"))),
        ({"visibility": 9}, only(("visibility", "required"))),
        ({"source": "s" * 64, "external_key": "k" * 128}, []),
        ({"source": "s" * 65, "external_key": "k" * 129}, only(("source", "length"), ("external_key", "length"))),
    ],
)
def test_limits(fields: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    assert found(**fields) == wrong


@pytest.mark.parametrize("kind", [0, 99])
def test_a_kind_is_one_of_the_contract(kind: int) -> None:
    assert [(one.field, one.rule) for one in settled(listing(kind))] == [("kind", "required")]


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_needs_details_of_its_own(kind: Kind) -> None:
    without = listing(int(kind), job_position=None)
    assert (DETAILS[kind], "required") in [(one.field, one.rule) for one in settled(without)]
    other = DETAILS[Kind.TECH_DEMAND if kind is not Kind.TECH_DEMAND else Kind.TALENT_DEMAND]
    getattr(without, other).SetInParent()
    assert (other, "details-kind") in [(one.field, one.rule) for one in settled(without)]


@pytest.mark.parametrize(
    ("details", "wrong"),
    [
        (pb.JobPosition(salary=pb.SalaryRange(min=0, max=0)), []),
        (pb.JobPosition(salary=pb.SalaryRange(min=8000, max=8000)), []),
        (pb.JobPosition(salary=pb.SalaryRange(min=8001, max=8000)), only(("job_position.salary", "range"))),
        (pb.JobPosition(salary=pb.SalaryRange(min=-1, max=8000)), only(("job_position.salary", "range"))),
        (pb.JobPosition(experience_years=0), []),
        (pb.JobPosition(experience_years=-1), only(("job_position.experience_years", "range"))),
        (pb.JobPosition(education_code="20"), []),
        (pb.JobPosition(education_code="本科"), []),
        (pb.JobPosition(education_code="20 研究生"), only(("job_position.education_code", "GB/T 4658"))),
        (pb.JobPosition(occupation_code="计算机软件工程技术人员"), []),
        (pb.JobPosition(occupation_code="软件工程师"), only(("job_position.occupation_code", "职业分类大典 2022"))),
        (pb.JobPosition(majors=["软件工程", "080901", "计算机类", "电子商务"]), []),
        (pb.JobPosition(majors=["微电子"]), only(("job_position.majors", "专业目录"))),
        (pb.JobPosition(majors=["控制科学与工程"], education_code="硕士"), []),
        (pb.JobPosition(majors=["控制科学与工程"], education_code="本科"), only(("job_position.majors", "专业目录"))),
    ],
)
def test_a_job_position(details: pb.JobPosition, wrong: list[tuple[str, str]]) -> None:
    assert found(job_position=details) == wrong


@pytest.mark.parametrize(("weeks", "right"), [(0, False), (1, True), (104, True), (105, False)])
def test_an_internship_has_its_weeks(weeks: int, right: bool) -> None:
    given = listing(pb.LISTING_KIND_INTERNSHIP, internship=pb.Internship(weeks=weeks))
    assert [one.field for one in settled(given)] == ([] if right else ["internship.weeks"])


@pytest.mark.parametrize(("level", "right"), [(-1, False), (0, True), (9, True), (10, False)])
def test_an_outcome_has_a_readiness_level(level: int, right: bool) -> None:
    given = listing(pb.LISTING_KIND_RESEARCH_OUTCOME, research_outcome=pb.ResearchOutcome(readiness_level=level))
    assert [one.field for one in settled(given)] == ([] if right else ["research_outcome.readiness_level"])


@pytest.mark.parametrize(
    ("employed_in_industry", "employed", "graduates", "wrong"),
    [
        (0, 0, 0, []),
        (10, 10, 10, []),
        (11, 10, 10, ["employed_in_industry", "employed"]),
        (5, 11, 10, ["employed", "graduates"]),
        (12, 11, 10, ["employed", "graduates", "employed_in_industry", "employed"]),
    ],
)
def test_graduates_are_at_least_those_employed_and_only_the_numbers_that_disagree_are_named(
    employed_in_industry: int, employed: int, graduates: int, wrong: list[str]
) -> None:
    details = pb.GraduateEmploymentInfo(employed_in_industry=employed_in_industry, employed=employed, graduates=graduates)
    found = settled(listing(pb.LISTING_KIND_GRADUATE_EMPLOYMENT_INFO, graduate_employment_info=details))
    assert [one.field for one in found] == [f"graduate_employment_info.{field}" for field in wrong]
    assert all(one.field.partition(".")[2] in one.zh and one.field.partition(".")[2] in one.en for one in found)
    assert all("请" in one.zh and "mend" in one.en for one in found)


@pytest.mark.parametrize(
    ("unread", "told"),
    [
        ((), ["title", "job_position.salary", "job_position.majors"]),
        (("title",), ["job_position.salary", "job_position.majors"]),
        (("job_position.salary.min",), ["title", "job_position.majors"]),
        (("job_position.education_code",), ["title", "job_position.salary"]),  # postgraduates' majors are in no catalogue
        (("job_position",), ["title"]),
        (("job",), ["title", "job_position.salary", "job_position.majors"]),
    ],
)
def test_of_what_was_not_read_and_of_what_depends_on_it_nothing_is_said(unread: tuple[str, ...], told: list[str]) -> None:
    details = pb.JobPosition(salary=pb.SalaryRange(min=2, max=1), majors=["没有的专业"], skills=["封装"])
    found = settled(listing(title="", job_position=details), unread)
    assert sorted(one.field for one in found) == sorted(told)


def test_a_relation_with_a_number_that_was_not_read_is_not_judged() -> None:
    details = pb.GraduateEmploymentInfo(employed_in_industry=5, employed=0, graduates=10)
    given = listing(pb.LISTING_KIND_GRADUATE_EMPLOYMENT_INFO, graduate_employment_info=details)
    assert len(settled(given)) == 2
    assert settled(given, ["graduate_employment_info.employed"]) == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": "电话13812345678"}, "title"),
        ({"description": "联系 zhang@example.com"}, "description"),
        ({"external_key": "赵六13812345678"}, "external_key"),
        ({"source": "zhang@example.com"}, "source"),
        ({"job_position": pb.JobPosition(skills=["封装", "加微信１３８１２３４５６７８"])}, "job_position.skills"),
    ],
)
def test_personal_data_has_no_place_in_any_text(fields: dict[str, Any], path: str) -> None:
    assert found(**fields) == [(path, "personal-data")]
    assert not any("13812345678" in one.zh + one.en for one in settled(listing(**fields)))


def test_every_refusal_says_what_to_do_in_both_languages() -> None:
    wrong = pb.JobPosition(
        skills=["焊" * (MAX_WORD + 1)] * (MAX_WORDS + 1),
        experience_years=-1,
        salary=pb.SalaryRange(min=2, max=1),
        education_code="没有",
        majors=["没有"],
    )
    given = listing(title="一", valid_from="2026-02-02", valid_to="2026-02-01", bodies=["x", "x"], job_position=wrong)
    given.source, given.external_key = "s" * 65, "k" * 129
    given.region_codes.extend(["没有"] * 41)
    given.description = "加微信 zhangsan88" + "字" * MAX_DESCRIPTION
    found = [*settled(given), *settled(listing(title="", visibility=0)), *settled(listing(title="一\n二", valid_to="x"))]
    assert len({(one.field, one.rule) for one in found}) >= 20
    assert [one for one in found if "请" not in one.zh] == []
    assert [one for one in found if not ("; " in one.en or one.en.startswith("choose"))] == []


_FREE = (field_pb2.TEXT_FORMAT_UNSPECIFIED, field_pb2.TEXT_FORMAT_HTTPS)


def test_every_free_text_is_screened_wherever_it_stands() -> None:
    """A new text field is screened without anybody having to think of it."""
    for name in DETAILS.values():
        field = pb.Listing.DESCRIPTOR.fields_by_name[name]
        assert field.message_type
        for inner in field.message_type.fields:
            known = inner.GetOptions().Extensions[field_pb2.field]
            if inner.type != inner.TYPE_STRING or known.format not in _FREE:
                continue
            given = pb.Listing()
            details = getattr(given, name)
            if inner.is_repeated:
                getattr(details, inner.name).append("甲")
            else:
                setattr(details, inner.name, "甲")
            assert list(texts(given)) == [(f"{name}.{inner.name}", "甲")]


def test_a_number_that_begins_in_the_title_and_goes_on_below_is_refused() -> None:
    def found(title: str, description: str) -> list[str]:
        given = listing(title=title, description=description)
        return [one.field for one in settled(given) if one.rule == "personal-data"]

    assert found("工程师 138", "0013 8000") == ["description"]
    assert found("工程师 138", "0013 号楼") == []


def test_what_the_platform_sets_is_no_content() -> None:
    given = listing(title="  封装工程师 ", quantity=0)
    given.name, given.etag, given.state = "listings/a", '"7"', pb.LISTING_STATE_PUBLISHED
    given.publish_time.FromJsonString("2026-01-01T00:00:00Z")
    assert written(given) == listing()
    assert content_hash(written(given)) == content_hash(listing())


def test_another_content_has_another_hash() -> None:
    assert content_hash(listing()) != content_hash(listing(title="封装测试工程师"))


@pytest.mark.parametrize("field", ["bodies", "region_codes", "industry_codes", "field_codes"])
def test_the_hash_is_the_same_in_whatever_order_codes_and_bodies_are_named(field: str) -> None:
    """Else a source that names them in no order of its own is revised, and renewed, every night."""

    def named(*values: str) -> pb.Listing:
        given = listing()
        getattr(given, field)[:] = values
        return given

    given = named("b", "a")
    assert content_hash(given) == content_hash(named("a", "b")) != content_hash(named("a"))
    assert getattr(given, field) == ["b", "a"]


def test_a_revision_names_the_fields_that_changed() -> None:
    after = listing(title="测试工程师", region_codes=["110000"])
    assert changed_fields(listing(), listing()) == []
    assert changed_fields(listing(), after) == ["title", "region_codes"]


@pytest.mark.parametrize("field", ["bodies", "region_codes", "industry_codes", "field_codes"])
def test_what_is_named_in_another_order_is_the_same(field: str) -> None:
    named: list[dict[str, Any]] = [{field: list(order)} for order in ("ab", "ba", "ac")]
    before, after, another = [listing(**one) for one in named]
    assert changed_fields(before, after) == []
    assert changed_fields(before, another) == [field]
    skills = [pb.Listing(job_position=pb.JobPosition(skills=list(order))) for order in ("ab", "ba")]
    assert changed_fields(*skills) == ["job_position"], "what is read in its order"


@pytest.mark.parametrize(
    ("state", "on", "given", "changed"),
    [
        (pb.LISTING_STATE_PUBLISHED, date(2026, 3, 2), {"valid_to": ""}, []),
        (pb.LISTING_STATE_PUBLISHED, date(2026, 3, 2), {"valid_from": "", "valid_to": ""}, []),
        (pb.LISTING_STATE_PUBLISHED, date(2026, 3, 2), {"valid_to": "", "title": "测试"}, ["title"]),
        (pb.LISTING_STATE_PUBLISHED, date(2026, 3, 3), {"valid_to": ""}, ["valid_to"]),
        (pb.LISTING_STATE_PUBLISHED, date(2026, 3, 3), {"valid_from": ""}, ["valid_from"]),
        (pb.LISTING_STATE_DRAFT, date(2026, 3, 2), {"valid_to": ""}, ["valid_to"]),
    ],
)
def test_dates_that_are_filled_in_as_they_are_change_nothing(
    state: pb.ListingState.ValueType, on: date, given: dict[str, str], changed: list[str]
) -> None:
    content, published = listing(valid_from="2026-03-02", valid_to="2026-08-29"), date(2026, 3, 2)
    message = pb.Listing()
    message.CopyFrom(content)
    message.state = state
    row = row_of(message, version=1, today=published, hashed="", counts_on=None, published_at=None)
    for field, value in given.items():
        setattr(content, field, value)
    assert revised_fields(row, content, on) == changed


@pytest.mark.parametrize("field", ["issuer", "source", "external_key"])
def test_whose_listing_it_is_never_changes(field: str) -> None:
    after = listing()
    setattr(after, field, "other")
    assert [(one.field, one.rule) for one in identity_problems(listing(), after)] == [(field, "immutable")]
    assert changed_fields(listing(), after) == []


@pytest.mark.parametrize(
    ("header", "wrong"),
    [
        ({}, []),
        ({"source": ""}, ["header.source"]),
        ({"source": "s" * 64}, []),
        ({"source": "s" * 65}, ["header.source"]),
        ({"kind": 0}, ["header.kind"]),
        ({"issuer": ""}, ["header.issuer"]),
    ],
)
def test_a_header_is_complete(header: dict[str, Any], wrong: list[str]) -> None:
    whole = {"source": "erp", "kind": pb.LISTING_KIND_JOB_POSITION, "issuer": "organizations/a", **header}
    violations: list[Violation] = []
    try:
        check_header(rpc.ImportHeader(**whole))
    except Invalid as refused:
        violations = refused.violations
    assert [one.field for one in violations] == wrong


def test_what_is_for_members_names_their_body() -> None:
    assert found(visibility=pb.VISIBILITY_MEMBERS) == [("bodies", "required")]
    assert found(visibility=pb.VISIBILITY_MEMBERS, bodies=["bodies/1"]) == []


@pytest.mark.parametrize(
    ("details", "other", "is_same"),
    [
        ({"majors": ["080901", "080902"]}, {"majors": ["080902", "080901"]}, True),
        ({"majors": ["080901"]}, {"majors": ["080902"]}, False),
        ({"skills": ["Java", "Go"]}, {"skills": ["Go", "Java"]}, False),  # in the issuer's own words and order
    ],
)
def test_codes_of_details_say_the_same_in_any_order(details: dict[str, Any], other: dict[str, Any], is_same: bool) -> None:
    one, two = (pb.Listing(title="甲", job_position=pb.JobPosition(**given)) for given in (details, other))
    assert (content_hash(one) == content_hash(two)) is is_same
    assert (changed_fields(one, two) == []) is is_same
    assert list(two.job_position.majors) == other.get("majors", []), "what was written stays"
