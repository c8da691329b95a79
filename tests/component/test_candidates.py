"""Candidates of an intake of employees: kept apart, read by the two sides, gone once erased."""

import asyncio
from collections.abc import Collection
from datetime import UTC, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.admin.v1 import admin_service_pb2 as admin
from alliance.admin.v1 import personal_data_service_pb2 as personal
from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as listings_rpc
from alliance.listings.v1 import person_service_pb2 as people_rpc
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import document_service_pb2 as documents
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.clock import BusinessClock, SystemClock, business_date
from chassis.database import Database
from chassis.housekeeping import purge
from registry.applications.papers import CandidatePapers
from tests import papers, world
from tests.applying import ENTERPRISE, UNIVERSITY, begun, called, refusal, take
from tests.world import Member

_NAME, _PHONE = "虚构的钱五六", "139-0713-2468"
_ANOTHER_PHONE = "139-0713-2469"
_SAID = f"{_NAME}要求"


def _set(member: Member, application: str, phone: str = _PHONE, named: str = _NAME, **more: Any) -> pb.Application:
    given: dict[str, Any] = {"evidence": "书面同意 2026-03-01", **more}
    candidate = rpc.Candidate(display_name=named, phone=phone, position="装配")
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
    employer = world.organization(platform, ENTERPRISE)
    university = world.verified(platform, world.organization(platform, UNIVERSITY))
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


def test_to_set_the_same_candidate_again_is_no_change(sides: tuple[Member, Member, pb.Application]) -> None:
    employer, _, made = sides
    first = _set(employer, made.name)
    assert _set(employer, made.name) == first
    other = _set(employer, made.name, evidence="书面同意 2026-03-02")
    assert (other.etag != first.etag, other.employee_intake.candidate != first.employee_intake.candidate) == (True, True)


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


def test_nobody_is_recommended_assessed_or_admitted_once_erased(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    employer, university, made = sides
    staff = world.operator(platform).personal_data("registry")
    steps: list[tuple[Member, str, tuple[str, ...], dict[str, Any]]] = [
        (employer, "recommend", ("RECOMMENDATION",), {}),
        (university, "assess", (), {"score": 90}),
        (university, "admit", (), {}),
    ]
    call = pb.ApplicationCall(programme=made.programme, name=made.call)
    for before, (member, step, kinds, said) in enumerate(steps):
        one = begun(employer, call, employee_intake=pb.EmployeeIntakeFacts(front_line_since="2020-01-01"))
        _set(employer, one.name)
        take(employer, one.name, "apply", "APPLICATION_FORM")
        for taker, earlier, brought, more in steps[:before]:
            take(taker, one.name, earlier, *brought, **more)
        erase = personal.ErasePersonalDataRequest(subject=_PHONE, reason="本人要求")
        assert staff.ErasePersonalData(erase).erased
        assert "NO_CANDIDATE" in refusal(take, member, one.name, step, *kinds, **said)
        ended = take(university, one.name, "reject", reason="候选人信息已删除")
        assert ended.state == pb.APPLICATION_STATE_REJECTED


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


def test_no_history_of_an_application_says_who_its_candidate_is(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    """An erasure would not reach it: such a one is begun anew."""
    employer, _, made = sides
    name = world.unique("虚构的人")
    for title in (f"{name}的申报", "普通申报"):
        changed, mask = pb.Application(name=made.name, display_name=title), FieldMask(paths=["display_name"])
        employer.caller.applications.UpdateApplication(rpc.UpdateApplicationRequest(application=changed, update_mask=mask))
    told = refusal(_set, employer, made.name, _PHONE, name)
    assert "apply anew" in told
    assert name not in told
    assert _set(employer, made.name).employee_intake.candidate, "another is not told of"


def test_neither_reason_nor_purpose_says_whom_a_listing_names(platform: Platform) -> None:
    company, stranger = world.organization(platform, ENTERPRISE), world.organization(platform, ENTERPRISE)
    world.verified(platform, stranger)
    listing = world.publish(company, world.job(company.name, "虚构岗位")).name
    contact, people = people_rpc.PERSON_ROLE_CONTACT, company.caller.people
    people.SetListingPerson(_contact(listing))
    reading = people_rpc.GetListingPersonRequest(listing=listing, role=contact, purpose=_SAID)
    erasing = people_rpc.EraseListingPersonRequest(listing=listing, role=contact, reason=_SAID)
    for told in (refusal(people.GetListingPerson, reading), refusal(people.EraseListingPerson, erasing)):
        assert "INVALID_ARGUMENT" in told
        assert "the name" in told
    assert "PERMISSION_DENIED" in refusal(stranger.caller.people.GetListingPerson, reading), "nobody learns a name by guessing"
    reading.purpose = erasing.reason = "本人要求"
    assert people.GetListingPerson(reading).person.display_name == _NAME
    assert not people.EraseListingPerson(erasing).contact


def test_no_text_of_a_listing_and_no_reason_says_who_is_behind_it(platform: Platform) -> None:
    """Both outlive the record: they are on topics, in the event log and in indexes."""
    company = world.organization(platform, ENTERPRISE)
    listings, people = company.caller.listings, company.caller.people
    listing = world.publish(company, world.job(company.name, f"虚构岗位（{_NAME}）")).name

    def revise(title: str, reason: str = "") -> listing_pb2.Listing:
        changed = listing_pb2.Listing(name=listing, title=title)
        request = listings_rpc.UpdateListingRequest(listing=changed, update_mask=FieldMask(paths=["title"]), reason=reason)
        revised: listing_pb2.Listing = listings.UpdateListing(request)
        return revised

    told = refusal(people.SetListingPerson, _contact(listing))
    assert "INVALID_ARGUMENT" in told
    assert "the name of the personal record" in told
    revise("虚构岗位")
    people.SetListingPerson(_contact(listing))
    for title, reason in ((f"由{_NAME[:-1]}·{_NAME[-1]}带教的岗位", ""), ("另一岗位", _SAID)):
        assert "the personal record" in refusal(revise, title, reason)
    assert revise("另一岗位", "本人要求").title == "另一岗位"
    erasing = people_rpc.EraseListingPersonRequest(listing=listing, role=people_rpc.PERSON_ROLE_CONTACT, reason="测试结束")
    assert not people.EraseListingPerson(erasing).contact


def test_an_erasure_says_which_listings_of_the_issuer_name_the_person_in_their_texts(platform: Platform) -> None:
    """In an earlier version, or in another listing; those of others are none of theirs."""
    name, number = world.unique("虚构的人"), "+86 139-0713-5799"
    company, other = world.organization(platform, ENTERPRISE), world.organization(platform, ENTERPRISE)
    named = [world.publish(company, world.job(company.name, f"岗位，联系{name}")).name for _ in range(2)]
    silent = world.publish(company, world.job(company.name, "虚构岗位")).name
    world.publish(other, world.job(other.name, f"岗位，联系{name}"))
    changed = listing_pb2.Listing(name=named[0], title="虚构岗位")
    company.caller.listings.UpdateListing(
        listings_rpc.UpdateListingRequest(listing=changed, update_mask=FieldMask(paths=["title"]))
    )
    for listing in (named[0], silent):
        request = _contact(listing)
        request.person.display_name, request.person.phone = name, number
        company.caller.people.SetListingPerson(request)
    vault = world.operator(platform).personal_data("listings")
    erased = vault.ErasePersonalData(personal.ErasePersonalDataRequest(subject=number, reason="本人要求"))
    assert (erased.erased, sorted(erased.mentioned_in)) == (2, sorted(named))
    again = vault.ErasePersonalData(personal.ErasePersonalDataRequest(subject=number, reason="本人要求"))
    assert (again.erased, list(again.mentioned_in)) == (0, [])


def test_an_erasure_says_which_applications_and_files_of_the_employer_name_the_candidate(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    """In an earlier version, in the reason of a step, or in what a file is called; those of others are none of theirs."""
    employer, _, made = sides
    name, number = world.unique("虚构的人"), "+86 139-0713-5798"
    call = pb.ApplicationCall(programme=made.programme, name=made.call)
    titled, ended, silent = [begun(employer, call).name for _ in range(3)]
    for title in (f"{name}另行报考", "另行报考"):
        changed, mask = pb.Application(name=titled, display_name=title), FieldMask(paths=["display_name"])
        employer.caller.applications.UpdateApplication(rpc.UpdateApplicationRequest(application=changed, update_mask=mask))
    take(employer, ended, "withdraw", reason=f"{name}不再报考")
    other = world.organization(platform, ENTERPRISE)
    take(other, begun(other, call).name, "withdraw", reason=f"{name}不再报考")
    papers.upload(other, file_name=f"{name}.pdf")
    loose, filed, own = (papers.upload(employer, file_name=f"{one}{name}.pdf").name for one in ("", "推荐", "申请"))
    for application, document in ((silent, filed), (made.name, own)):
        attached = [pb.ApplicationDocument(document=document, kind="APPLICATION_FORM")]
        employer.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=application, documents=attached))
    _set(employer, made.name, number, name)
    vault, asked = world.operator(platform).personal_data("registry"), personal.ErasePersonalDataRequest(subject=number)
    asked.reason = "本人要求"
    told = vault.ErasePersonalData(asked)
    assert [one.name for one in told.erased_papers] == [own]
    assert (told.erased, list(told.mentioned_in)) == (1, sorted([titled, ended, loose, filed]))
    asked.ClearField("request_id")
    again = vault.ErasePersonalData(asked)
    assert (again.erased, list(again.mentioned_in)) == (0, [])


@pytest.mark.parametrize("field", ["source", "external_key"])
def test_neither_key_nor_source_of_a_listing_says_who_is_to_stand_behind_it(platform: Platform, field: str) -> None:
    """Both are public, and nothing changes them: the person is kept where the listing is called otherwise."""
    company = world.organization(platform, ENTERPRISE)

    def entered(called: str) -> str:
        job = world.job(company.name, "虚构岗位")
        setattr(job, field, called)
        return world.publish(company, job).name

    with pytest.raises(grpc.RpcError) as refused:
        company.caller.people.SetListingPerson(_contact(entered(f"专家库-{_NAME}")))
    told = world.said(refused.value)
    assert f'"field": "{field}"' in told
    assert "withdraw the listing and enter it anew" in told
    other = entered("专家库-7")
    assert company.caller.people.SetListingPerson(_contact(other)).contact
    erasing = people_rpc.EraseListingPersonRequest(listing=other, role=people_rpc.PERSON_ROLE_CONTACT, reason="测试结束")
    assert not company.caller.people.EraseListingPerson(erasing).contact


def _contact(listing: str) -> people_rpc.SetListingPersonRequest:
    return people_rpc.SetListingPersonRequest(
        listing=listing,
        role=people_rpc.PERSON_ROLE_CONTACT,
        person=people_rpc.Person(display_name=_NAME, phone=_PHONE),
        legal_basis=people_rpc.LEGAL_BASIS_CONSENT,
        evidence="书面同意 2026-03-01",
    )


def _file(member: Member, application: str, *kinds: str) -> dict[str, str]:
    """Kind → document of papers that are uploaded and attached; their files are called by the candidate's name."""
    attached = [
        pb.ApplicationDocument(document=papers.upload(member, file_name=f"{_NAME}{kind}.pdf").name, kind=kind)
        for kind in kinds
    ]
    member.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=application, documents=attached))
    return {one.kind: one.document for one in attached}


def _states(platform: Platform, names: Collection[str]) -> set[int]:
    """States of documents; of what is erased neither the file's name nor its content is there."""
    reader, found = world.operator(platform).documents, set[int]()
    for name in names:
        known = reader.GetDocument(documents.GetDocumentRequest(name=name))
        is_erased = known.state == pb.DOCUMENT_STATE_ERASED
        assert bool(known.file_name) is not is_erased
        content = documents.GetDocumentContentRequest(name=name)
        if is_erased:
            assert "ERASED" in refusal(reader.GetDocumentContent, content)
        else:
            assert reader.GetDocumentContent(content).content == papers.PDF
        found.add(known.state)
    return found


_KEPT, _ERASED = {pb.DOCUMENT_STATE_KEPT}, {pb.DOCUMENT_STATE_ERASED}
_FORMS = ("APPLICATION_FORM", "RECOMMENDATION")


def test_papers_about_a_candidate_are_named_and_go_with_the_record(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    """Also what was handed in, where the person's right is exercised with the platform; what others have as well is named."""
    employer, university, made = sides
    _set(employer, made.name, _ANOTHER_PHONE)
    own = _file(employer, made.name, *_FORMS)
    facts = pb.EmployeeIntakeFacts(front_line_since="2020-01-01")
    other = begun(employer, called(platform, university, pb.PROGRAMME_EMPLOYEE_INTAKE, 2027), employee_intake=facts).name
    shared = pb.ApplicationDocument(document=own["RECOMMENDATION"], kind="RECOMMENDATION")
    employer.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=other, documents=[shared]))
    take(employer, made.name, "apply")
    staff = world.operator(platform).personal_data("registry")

    asked = personal.ExportPersonalDataRequest(subject=_ANOTHER_PHONE, purpose="本人查阅")
    named = {one.name: one for one in staff.ExportPersonalData(asked).papers}
    assert {one.kind: name for name, one in named.items()} == own
    assert {one.file_name for one in named.values()} == {f"{_NAME}{kind}.pdf" for kind in _FORMS}
    assert sorted(named[shared.document].attached_to) == sorted([made.name, other])

    refused = personal.ErasePersonalDataRequest(subject=_ANOTHER_PHONE, reason=_SAID)
    assert "INVALID_ARGUMENT" in refusal(staff.ErasePersonalData, refused)
    assert _states(platform, own.values()) == _KEPT, "what is refused erases no paper"
    told = staff.ErasePersonalData(personal.ErasePersonalDataRequest(subject=_ANOTHER_PHONE, reason="本人要求"))
    assert ([one.name for one in told.erased_papers], [one.name for one in told.papers_left]) == (
        [own["APPLICATION_FORM"]],
        [shared.document],
    )
    assert told.erased == 1
    assert _NAME not in str(told), "the answer is kept for a while"
    assert _states(platform, [own["APPLICATION_FORM"]]) == _ERASED
    assert _states(platform, [shared.document]) == _KEPT
    again = staff.ErasePersonalData(personal.ErasePersonalDataRequest(subject=_ANOTHER_PHONE, reason="本人要求"))
    assert (again.erased, list(again.erased_papers)) == (0, [])
    erase = documents.EraseDocumentRequest(name=shared.document, reason="涉及本人")
    world.operator(platform).documents.EraseDocument(erase)
    assert _states(platform, own.values()) == _ERASED


def test_an_employer_erases_papers_that_nothing_rests_on(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    """As it may erase each of them: what was handed in is the platform's to erase, and the candidate is gone all the same."""
    employer, _, made = sides
    erase = rpc.EraseCandidateRequest(application=made.name, reason="本人要求")
    _set(employer, made.name)
    drafted = _file(employer, made.name, *_FORMS).values()
    employer.caller.applications.EraseCandidate(erase)
    assert _states(platform, drafted) == _ERASED
    _set(employer, made.name)
    handed_in = _file(employer, made.name, *_FORMS).values()
    take(employer, made.name, "apply")
    erase.ClearField("request_id")
    assert not employer.caller.applications.EraseCandidate(erase).employee_intake.candidate
    assert _states(platform, handed_in) == _KEPT
    erase.ClearField("request_id")
    world.operator(platform).applications.EraseCandidate(erase)
    assert _states(platform, handed_in) == _ERASED, "also where the candidate went before"


def test_an_employer_erases_no_paper_of_an_owner_for_whom_it_does_not_act(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    employer, _, made = sides
    owner = world.organization(platform, ENTERPRISE)
    _set(employer, made.name)
    (own,) = _file(employer, made.name, "APPLICATION_FORM").values()
    others = papers.upload(owner, file_name=f"{_NAME}.pdf").name
    attached = pb.ApplicationDocument(document=others, kind="RECOMMENDATION")
    request = rpc.AttachDocumentsRequest(name=made.name, documents=[attached])
    world.operator(platform).applications.AttachDocuments(request)
    employer.caller.applications.EraseCandidate(rpc.EraseCandidateRequest(application=made.name, reason="本人要求"))
    assert (_states(platform, [own]), _states(platform, [others])) == (_ERASED, _KEPT)


def test_another_person_is_set_only_after_the_one_before_is_erased(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    """Else the papers of the one would be taken for the other's."""
    employer, _, made = sides
    _set(employer, made.name)
    _set(employer, made.name, named="虚构的钱五")  # a name is put right, as long as there are no papers
    assert "ANOTHER_CANDIDATE" in refusal(_set, employer, made.name, _ANOTHER_PHONE, named="虚构的赵七")
    filed = _file(employer, made.name, *_FORMS).values()
    _set(employer, made.name, _ANOTHER_PHONE, named="虚构的钱五")  # a number is put right
    for phone in (_PHONE, _ANOTHER_PHONE):  # the employer's own may stand for one after the other
        told = refusal(_set, employer, made.name, phone, named="虚构的赵七")
        assert "ANOTHER_CANDIDATE" in told
        assert "candidate erase" in told
    assert _read(employer.caller, made.name).display_name == "虚构的钱五"
    employer.caller.applications.EraseCandidate(rpc.EraseCandidateRequest(application=made.name, reason="换人"))
    assert _states(platform, filed) == _ERASED
    _set(employer, made.name, named="虚构的赵七")
    assert _read(employer.caller, made.name).display_name == "虚构的赵七"


async def test_papers_go_with_a_record_that_is_past_its_date(
    platform: Platform, sides: tuple[Member, Member, pb.Application]
) -> None:
    employer, _, made = sides
    today = world.operator(platform).admin("registry").GetProgress(admin.GetProgressRequest()).business_time.ToDatetime(UTC)
    _set(employer, made.name, retain_until=business_date(today).isoformat())
    filed = _file(employer, made.name, *_FORMS).values()
    for day, state in ((0, _KEPT), (1, _ERASED)):
        clock = BusinessClock(SystemClock(), today - SystemClock().now() + timedelta(days=day))
        database = Database(platform.database_url("registry"), system=SystemClock(), business=clock)
        assert await purge(database, CandidatePapers()) == 0
        await database.close()
        assert await asyncio.to_thread(_states, platform, filed) == state


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
