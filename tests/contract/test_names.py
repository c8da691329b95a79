"""Names and numbers of the contract: what every reader may count on."""

import re
from enum import IntEnum
from uuid import UUID

import pytest
from google.protobuf.descriptor_pb2 import EnumDescriptorProto

from alliance.common.v1 import access_pb2, field_pb2
from alliance.listings.v1 import booking_pb2, listing_pb2, round_pb2
from alliance.matching.v1 import review_pb2
from alliance.registry.v1 import application_pb2, body_pb2, organization_pb2
from chassis import topics
from chassis.ids import id_of, resource
from listings.domain import bookings
from listings.domain import names as listing_names
from matching.domain import reviews
from notify.domain.events import SHARED_PROGRAMMES
from registry.domain import names as registry_names
from registry.domain import procedure
from registry.domain.calls import SHARED
from tests.contract.descriptors import SNAKE, enums

_COLLECTION = re.compile(r"[a-z]+([A-Z][a-z]+)*")

BODY_KINDS = ["ALLIANCE", "CONSORTIUM", "COMMUNITY", "PILOT_UNIT", "SUPPORT_UNIT", "MUNICIPAL_CONSORTIUM"]
ORG_TYPES = [
    *("PARK_COMMITTEE", "PARK", "UNIVERSITY", "HIGHER_VOCATIONAL", "VOCATIONAL_UNDERGRADUATE", "SECONDARY_VOCATIONAL"),
    *("SECONDARY_COLLEGE", "ENTERPRISE", "INDUSTRY_ASSOCIATION", "RESEARCH_INSTITUTE", "NEW_RND_ORG", "SME_SERVICE_CENTER"),
    *("PROFESSIONAL_SERVICE_ORG", "GOV_DEPARTMENT", "TASK_FORCE"),
]
MEMBER_ROLES = [
    *("CHAIR", "VICE_CHAIR", "SECRETARIAT", "LEAD_ENTERPRISE", "LEAD_UNIVERSITY", "LEAD_VOCATIONAL", "PARTICIPANT"),
]
LISTING_KINDS = [
    *("TALENT_DEMAND", "TECH_DEMAND", "PROJECT_DEMAND", "INDUSTRY_CHALLENGE", "JOB_POSITION", "INTERNSHIP"),
    *("TALENT_SUPPLY", "RESEARCH_OUTCOME", "GRADUATE_EMPLOYMENT_INFO"),
    *("TALENT_SUPPLY_DEMAND_LIST", "TECH_SUPPLY_DEMAND_LIST"),
    *("PRACTICE_BASE", "PRACTICE_PROJECT", "EQUIPMENT_SHARING", "TECH_SERVICE", "EXPERT"),
    *("COURSE", "MICRO_MAJOR", "MICRO_COURSE", "MICRO_CREDENTIAL", "TEXTBOOK", "TEACHING_RESOURCE", "TEACHING_EQUIPMENT"),
    *("TRAINING", "TRAINING_MODE", "TEACHER_POST", "CASE", "ISSUE", "SUGGESTION", "VEHICLE"),
]
PLATFORM_ROLES = ["PLATFORM_OPERATOR", "ORGANIZATION_ADMIN", "ORGANIZATION_EDITOR", "SECRETARIAT", "AUDITOR", "SERVICE"]


@pytest.mark.parametrize("enum", enums(), ids=lambda enum: enum.name)
def test_an_enum_begins_with_unspecified_and_its_values_bear_its_name(enum: EnumDescriptorProto) -> None:
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper()
    assert (enum.value[0].name, enum.value[0].number) == (f"{prefix}_UNSPECIFIED", 0)
    assert all(re.fullmatch(rf"{prefix}_[A-Z][A-Z0-9_]*", value.name) for value in enum.value)
    assert [value.number for value in enum.value] == list(range(len(enum.value)))


@pytest.mark.parametrize(
    ("prefix", "wanted", "actual"),
    [
        ("BODY_KIND", BODY_KINDS, body_pb2.BodyKind.items()),
        ("ORG_TYPE", ORG_TYPES, organization_pb2.OrgType.items()),
        ("MEMBER_ROLE", MEMBER_ROLES, body_pb2.MemberRole.items()),
        ("LISTING_KIND", LISTING_KINDS, listing_pb2.ListingKind.items()),
        ("VISIBILITY", ["PUBLIC", "MEMBERS", "GOVERNMENT"], listing_pb2.Visibility.items()),
        ("ROLE", PLATFORM_ROLES, access_pb2.Role.items()),
    ],
)
def test_the_values_that_the_documents_name_are_there(prefix: str, wanted: list[str], actual: list[tuple[str, int]]) -> None:
    assert {(f"{prefix}_{name}", number) for number, name in enumerate(wanted, 1)} <= set(actual)


def test_states_of_applications_have_one_chinese_name() -> None:
    values = application_pb2.ApplicationState.DESCRIPTOR.values_by_number
    named = {
        procedure.State(number): value.GetOptions().Extensions[field_pb2.zh] for number, value in values.items() if number
    }
    assert named == {state: zh for state, (zh, _) in procedure.STATES.items()}
    assert all(one.GetOptions().Extensions[field_pb2.zh] for one in application_pb2.Programme.DESCRIPTOR.values[1:])


def test_notices_of_applications_go_to_whom_registry_shows_them() -> None:
    assert SHARED_PROGRAMMES == SHARED


@pytest.mark.parametrize(
    ("known", "prefix", "actual", "whole"),
    [
        (registry_names.BodyKind, "BODY_KIND", body_pb2.BodyKind.items(), True),
        (registry_names.BodyState, "BODY_STATE", body_pb2.BodyState.items(), True),
        (registry_names.Verdict, "VERDICT", body_pb2.Verdict.items(), True),
        (registry_names.Programme, "PROGRAMME", application_pb2.Programme.items(), True),
        (registry_names.CertifiedKind, "CERTIFIED_KIND", application_pb2.CertifiedKind.items(), True),
        (registry_names.CertificationState, "CERTIFICATION_STATE", application_pb2.CertificationState.items(), True),
        (procedure.State, "APPLICATION_STATE", application_pb2.ApplicationState.items(), True),
        (registry_names.OrgType, "ORG_TYPE", organization_pb2.OrgType.items(), False),
        (registry_names.MemberRole, "MEMBER_ROLE", body_pb2.MemberRole.items(), False),
        (listing_names.State, "LISTING_STATE", listing_pb2.ListingState.items(), True),
        (listing_names.Kind, "LISTING_KIND", listing_pb2.ListingKind.items(), True),
        (listing_names.RoundKind, "ROUND_KIND", round_pb2.RoundKind.items(), True),
        (listing_names.RoundState, "ROUND_STATE", round_pb2.RoundState.items(), True),
        (listing_names.RoundChange, "ROUND_CHANGE", round_pb2.RoundChange.items(), True),
        (listing_names.BodyKind, "BODY_KIND", body_pb2.BodyKind.items(), False),
        (listing_names.OrgType, "ORG_TYPE", organization_pb2.OrgType.items(), False),
        (bookings.State, "BOOKING_STATE", booking_pb2.BookingState.items(), True),
        (reviews.State, "REVIEW_STATE", review_pb2.ReviewState.items(), True),
    ],
)
def test_the_rules_know_the_contracts_numbers(
    known: type[IntEnum], prefix: str, actual: list[tuple[str, int]], whole: bool
) -> None:
    named = {(f"{prefix}_{one.name}", int(one)) for one in known}
    assert named <= set(actual)
    if whole:
        assert named == {one for one in actual if one[1]}


def test_kinds_with_details_have_a_field_of_their_name() -> None:
    details = listing_pb2.Listing.DESCRIPTOR.oneofs_by_name["details"]
    assert set(listing_names.DETAILS.values()) == {field.name for field in details.fields}


@pytest.mark.parametrize("collection", ["organizations", "bodies", "listings", "grants", "personalRecords"])
def test_a_resource_name_is_a_collection_and_a_uuid7(collection: str) -> None:
    name = resource(collection)
    assert re.fullmatch(rf"{collection}/[0-9a-f]{{8}}-[0-9a-f]{{4}}-7[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}", name)
    assert UUID(id_of(name)).version == 7


def test_resource_names_rise() -> None:
    named = [resource("listings") for _ in range(10_000)]
    assert named == sorted(set(named))


@pytest.mark.parametrize("key", sorted({topic.key for topic in topics.load().all}))
def test_a_key_is_made_of_collections_and_ids(key: str) -> None:
    parts = key.split("/")
    assert len(parts) % 2 == 0
    assert all(_COLLECTION.fullmatch(part) and part.endswith("s") for part in parts[::2])
    assert all(re.fullmatch(rf"{{{SNAKE.pattern}}}", part) for part in parts[1::2])
