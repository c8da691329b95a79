"""Candidates of an intake of employees: kept apart, read by the two sides, gone once erased."""

from typing import Any

import grpc
import pytest

from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.listings.v1 import person_service_pb2 as people_rpc
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.applying import ENTERPRISE, UNIVERSITY, begun, called, refusal, take
from tests.world import Member

_NAME, _PHONE = "虚构的钱五六", "139-0713-2468"
_SAID = f"{_NAME}要求"


def _set(member: Member, application: str, **more: Any) -> pb.Application:
    given: dict[str, Any] = {"evidence": "书面同意 2026-03-01", **more}
    candidate = rpc.Candidate(display_name=_NAME, phone=_PHONE, position="装配")
    made: pb.Application = member.caller.applications.SetCandidate(
        rpc.SetCandidateRequest(application=application, candidate=candidate, **given)
    )
    return made


def _read(caller: Caller, application: str) -> rpc.Candidate:
    request = rpc.GetCandidateRequest(application=application, purpose="考核")
    found: rpc.GetCandidateResponse = caller.applications.GetCandidate(request)
    return found.candidate


@pytest.fixture
def sides(platform: Platform) -> tuple[Member, Member, pb.Application]:
    """An employer, a university, and an application that the one began for a call of the other."""
    employer, university = world.organization(platform, ENTERPRISE), world.organization(platform, UNIVERSITY)
    call = called(platform, university, pb.PROGRAMME_EMPLOYEE_INTAKE)
    facts = pb.EmployeeIntakeFacts(front_line_since="2020-01-01")
    return employer, university, begun(employer, call, employee_intake=facts)


def test_who_a_candidate_is_is_read_by_employer_and_university_and_stays_through_changes(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    employer, university, made = sides
    made = _set(employer, made.name)
    assert made.employee_intake.candidate.startswith("personalRecords/")
    assert _NAME not in str(made)
    made.employee_intake.front_line_since = "2021-01-01"
    made.employee_intake.candidate = ""
    request = rpc.UpdateApplicationRequest(application=made, reason="更正")
    request.update_mask.paths.append("employee_intake")
    changed = employer.caller.applications.UpdateApplication(request).employee_intake
    assert changed.candidate
    assert changed.front_line_since == "2021-01-01"
    request.application.employee_intake.candidate = _NAME
    request.application.ClearField("etag")
    request.ClearField("request_id")
    with pytest.raises(grpc.RpcError) as named:
        employer.caller.applications.UpdateApplication(request)
    assert "employee_intake.candidate" in world.said(named.value)
    take(employer, made.name, "apply", "APPLICATION_FORM")
    assert "ILLEGAL_STATE" in refusal(_set, employer, made.name)
    for reader in (employer, university):
        assert _read(reader.caller, made.name).phone == _PHONE
    stranger = world.organization(platform, UNIVERSITY)
    for caller in (stranger.caller, Caller(platform, "newcomer", university.name)):
        with pytest.raises(grpc.RpcError) as refused:
            _read(caller, made.name)
        assert refused.value.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)


def test_a_candidate_that_was_erased_is_nowhere(platform: Platform, sides: tuple[Member, Member, pb.Application]) -> None:
    employer, university, made = sides
    erase = rpc.EraseCandidateRequest(application=made.name, reason="本人要求")
    _set(employer, made.name)
    assert not employer.caller.applications.EraseCandidate(erase).employee_intake.candidate
    assert "NOT_FOUND" in refusal(_read, university.caller, made.name)
    apply = (employer, made.name, "apply", "APPLICATION_FORM")
    assert "employee_intake.candidate" in refusal(take, *apply)
    _set(employer, made.name)
    request = personal.ErasePersonalDataRequest(subject="+86 13907132468", reason="本人要求")
    assert world.operator(platform).personal_data("registry").ErasePersonalData(request).erased
    assert "NOT_FOUND" in refusal(_read, employer.caller, made.name)
    assert "employee_intake.candidate" in refusal(take, *apply), "nobody is kept"
    _set(employer, made.name)
    assert take(*apply).state == pb.APPLICATION_STATE_SUBMITTED


def test_neither_reason_nor_purpose_says_who_a_candidate_is(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    """Both outlive the erasure; what is refused erases nothing and tells nothing."""
    employer, _, made = sides
    _set(employer, made.name)
    staff = world.operator(platform).personal_data("registry")
    told = [
        refusal(employer.caller.applications.EraseCandidate, rpc.EraseCandidateRequest(application=made.name, reason=_SAID)),
        refusal(employer.caller.applications.GetCandidate, rpc.GetCandidateRequest(application=made.name, purpose=_SAID)),
        refusal(staff.ErasePersonalData, personal.ErasePersonalDataRequest(subject=_PHONE, reason=_SAID)),
        refusal(staff.ExportPersonalData, personal.ExportPersonalDataRequest(subject=_PHONE, purpose=_SAID)),
    ]
    for one in told:
        assert "INVALID_ARGUMENT" in one
        assert "the name" in one
        assert _NAME not in one
    assert "a mobile number" in refusal(
        staff.ExportPersonalData, personal.ExportPersonalDataRequest(subject="nobody@example.org", purpose=f"查 {_PHONE}")
    )
    assert _read(employer.caller, made.name).display_name == _NAME


def test_neither_reason_nor_purpose_says_whom_a_listing_names(platform: Platform) -> None:
    company, stranger = world.organization(platform, ENTERPRISE), world.organization(platform, ENTERPRISE)
    world.verified(platform, stranger)
    listing = world.publish(company, world.job(company.name, "虚构岗位")).name
    contact, people = people_rpc.PERSON_ROLE_CONTACT, company.caller.people
    people.SetListingPerson(
        people_rpc.SetListingPersonRequest(
            listing=listing,
            role=contact,
            person=people_rpc.Person(display_name=_NAME, phone=_PHONE),
            legal_basis=people_rpc.LEGAL_BASIS_CONSENT,
            evidence="书面同意 2026-03-01",
        )
    )
    reading = people_rpc.GetListingPersonRequest(listing=listing, role=contact, purpose=_SAID)
    erasing = people_rpc.EraseListingPersonRequest(listing=listing, role=contact, reason=_SAID)
    for told in (refusal(people.GetListingPerson, reading), refusal(people.EraseListingPerson, erasing)):
        assert "INVALID_ARGUMENT" in told
        assert "the name" in told
    assert "PERMISSION_DENIED" in refusal(stranger.caller.people.GetListingPerson, reading), "nobody learns a name by guessing"
    reading.purpose = erasing.reason = "本人要求"
    assert people.GetListingPerson(reading).person.display_name == _NAME
    assert not people.EraseListingPerson(erasing).contact


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"evidence": ""}, "evidence"),
        ({"evidence": "见 13812345678"}, "evidence"),
        ({"retain_until": "2099-01-01"}, "retain_until"),
    ],
)
def test_a_candidate_is_kept_for_a_reason_and_a_time(
    sides: tuple[Member, Member, pb.Application], wrong: dict[str, str], field: str
) -> None:
    employer, _, made = sides
    with pytest.raises(grpc.RpcError) as refused:
        _set(employer, made.name, **wrong)
    assert field in world.said(refused.value)
