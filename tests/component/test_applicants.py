"""Whom an application is for, and who reads it and takes its steps."""

import asyncio
from datetime import UTC
from typing import Any

import asyncpg
import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, document_service_pb2, organization_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.clock import business_date
from tests import papers, world
from tests.applying import (
    DEPARTMENT,
    ENTERPRISE,
    UNIVERSITY,
    YEAR,
    begun,
    called,
    college_of,
    led,
    move,
    pilot,
    placed,
    refusal,
    take,
)
from tests.world import Member


def test_an_application_is_read_by_those_who_have_a_part_in_it(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, stranger = placed(platform, ENTERPRISE, "110000"), world.organization(platform, ENTERPRISE)
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    request, everything = rpc.GetApplicationRequest(name=made.name), rpc.ListApplicationsRequest()
    for reader in (university.caller, centre.caller, world.operator(platform)):
        assert reader.applications.GetApplication(request).name == made.name
        assert made.name in {one.name for one in reader.applications.ListApplications(everything).applications}
    for other in (stranger.caller, Caller(platform, "newcomer", university.name)):
        assert "NOT_FOUND" in refusal(other.applications.GetApplication, request)
        assert not other.applications.ListApplications(everything).applications
    assert "PERMISSION_DENIED" in refusal(
        begun, stranger, pb.ApplicationCall(name=made.call, programme=made.programme), university.name, body=body.name
    )


@pytest.mark.parametrize("org_type", [organization_pb2.ORG_TYPE_SECONDARY_COLLEGE, ENTERPRISE])
def test_the_college_of_a_pilot_acts_for_its_university_and_no_other_child_does(platform: Platform, org_type: Any) -> None:
    """Once it is verified: anybody can name a parent."""
    body, university = pilot(platform)
    other = college_of(platform, university)
    made = begun(university, called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT), body=body.name)
    registry = world.operator(platform).registry
    given = organization_pb2.Organization(
        display_name=world.unique("学院"),
        org_type=org_type,
        parent=university.name,
        credit_code="" if org_type != ENTERPRISE else world.credit_code(),
    )
    child = registry.CreateOrganization(registry_service_pb2.CreateOrganizationRequest(organization=given)).name
    world.grant(platform, child.rpartition("/")[2], access_pb2.ROLE_ORGANIZATION_EDITOR, organization=child)
    dean = Member(child, Caller(platform, child.rpartition("/")[2], child))
    change = registry_service_pb2.UpdateBodyRequest(
        body=body_pb2.Body(name=body.name, pilot_unit=body_pb2.PilotUnitFacts(college=child)), reason="改由该学院实施"
    )
    change.update_mask.paths.append("pilot_unit.college")
    if org_type != ENTERPRISE:
        registry.UpdateBody(change)
    assert "NOT_FOUND" in refusal(take, dean, made.name, "withdraw", reason="试")
    registry.VerifyOrganization(registry_service_pb2.VerifyOrganizationRequest(name=child, reason="核验"))
    if org_type == ENTERPRISE:
        assert "NOT_FOUND" in refusal(take, dean, made.name, "withdraw", reason="试")
    else:
        assert "NOT_THE_PARTY" in refusal(take, other, made.name, "withdraw", reason="试"), "it has a pilot of its own at best"
        assert take(dean, made.name, "withdraw", reason="试").steps[-1].organization == child


def test_the_steps_that_can_be_taken_are_told_with_what_is_in_the_way(platform: Platform) -> None:
    body, university = pilot(platform)
    made = begun(university, called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT), body=body.name)
    steps = university.caller.applications.GetProcedure(rpc.GetProcedureRequest(application=made.name)).steps
    told = {one.step: one.refusal.zh for one in steps}
    assert "SEALED_FORM" in told["submit"]
    assert told["withdraw"] == ""
    assert "起草" in told["qualify"]


def test_a_challenge_is_answered_by_members_of_the_body(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    poser, secretariat = council[0], council[1]
    school, stranger = world.organization(platform, UNIVERSITY), world.organization(platform, UNIVERSITY)
    world.join(platform, body.name, school)
    made = begun(poser, called(platform, world.verified(platform, secretariat), pb.PROGRAMME_CHALLENGE), body=body.name)
    take(poser, made.name, "publish")
    assert "NOT_FOUND" in refusal(take, stranger, made.name, "answer", "ANSWER")
    answer = take(school, made.name, "answer", "ANSWER").steps[-1].documents[0]
    read = document_service_pb2.GetDocumentContentRequest(name=answer)
    assert all(one.caller.documents.GetDocumentContent(read).content for one in (school, poser))
    assert "NOT_FOUND" in refusal(council[2].caller.documents.GetDocumentContent, read), "another member may answer, too"
    take(poser, made.name, "team", named_organization=school.name)
    assert take(poser, made.name, "start", day="2099-09-01").due_on == "2099-09-01"
    read.name = take(school, made.name, "deliver", "RESULT").steps[-1].documents[0]
    assert "NOT_FOUND" in refusal(council[2].caller.documents.GetDocumentContent, read)
    assert take(poser, made.name, "accept").state == pb.APPLICATION_STATE_COMPLETED
    world.grant(platform, secretariat.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    begun(poser, pb.ApplicationCall(name=made.call, programme=made.programme), body=body.name)
    for year, expected in ((0, (1, 1, 1)), (YEAR, (1, 1, 1)), (YEAR + 1, (0, 0, 0))):
        counting = rpc.GetChallengeCountsRequest(body=body.name, year=year)
        found = secretariat.caller.applications.GetChallengeCounts(counting)
        assert (found.published, found.taken_on, found.completed) == expected
        assert "PERMISSION_DENIED" in refusal(stranger.caller.applications.GetChallengeCounts, counting)


def test_who_is_in_the_team_of_a_challenge_reads_what_the_others_hand_in(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    poser, rivals = council[0], [world.organization(platform, UNIVERSITY) for _ in range(3)]
    for one in rivals:
        world.join(platform, body.name, one)
    made = begun(poser, called(platform, world.verified(platform, council[1]), pb.PROGRAMME_CHALLENGE), body=body.name)
    take(poser, made.name, "publish")
    answers = [take(one, made.name, "answer", "ANSWER").steps[-1].documents[0] for one in rivals]

    def reads(member: Member, document: str) -> bool:
        try:
            read = document_service_pb2.GetDocumentContentRequest(name=document)
            return bool(member.caller.documents.GetDocumentContent(read).content)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return False

    def readers(document: str) -> list[int]:
        return [place for place, one in enumerate(rivals) if reads(one, document)]

    assert [readers(one) for one in answers] == [[0], [1], [2]]
    for one in rivals[:2]:
        take(poser, made.name, "team", named_organization=one.name)
    take(poser, made.name, "start", day="2099-09-01")
    result = take(rivals[0], made.name, "deliver", "RESULT").steps[-1].documents[0]
    assert [readers(one) for one in (*answers, result)] == [[0, 1], [0, 1], [2], [0, 1]]


def test_an_application_is_for_those_whom_its_body_is_about(platform: Platform) -> None:
    """Others neither begin one nor hold its place (S0 附件1 二(三), 二(五); S1 五; S0 四(三))."""
    body, council = world.formed_alliance(platform)
    authority, school = placed(platform, DEPARTMENT, "110000"), world.organization(platform, UNIVERSITY)
    stranger = world.organization(platform, ENTERPRISE)
    world.join(platform, body.name, school)
    challenge = called(platform, authority, pb.PROGRAMME_CHALLENGE)
    for other in (stranger, school):
        assert "an enterprise of the body" in refusal(begun, other, challenge, body=body.name)
    meeting = called(platform, authority, pb.PROGRAMME_MEETING)
    for other in (stranger, council[0]):
        assert "the secretariat of the alliance" in refusal(begun, other, meeting, body=body.name)
    assert begun(council[1], meeting, body=body.name).state == pb.APPLICATION_STATE_DRAFT
    led(platform, body.name, authority)
    performance = called(platform, authority, pb.PROGRAMME_PERFORMANCE)
    for other in (stranger, school):
        assert "a lead university of the alliance" in refusal(begun, authority, performance, other.name, body=body.name)


def test_the_experts_of_a_meeting_are_the_alliances_own(platform: Platform) -> None:
    """S0 附件1 二(五): on the day they are named; each once."""
    body, council = world.formed_alliance(platform)
    secretariat, school = council[1], world.organization(platform, UNIVERSITY)
    world.grant(platform, secretariat.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_MEETING)
    today = str(business_date(call.create_time.ToDatetime(tzinfo=UTC)))
    made = begun(secretariat, call, body=body.name, meeting={"meeting_on": today})
    take(secretariat, made.name, "compile", "PROGRESS", "SUGGESTIONS")
    take(secretariat, made.name, "submit")
    naming: tuple[Any, ...] = (take, secretariat, made.name, "name_expert")
    told = refusal(*naming, named_organization=school.name)
    assert all(one in told for one in ("NOT_A_MEMBER", "S0 附件1 二(五)"))
    read = rpc.GetApplicationRequest(name=made.name)
    assert "NOT_FOUND" in refusal(school.caller.applications.GetApplication, read)
    departments = [placed(platform, DEPARTMENT, "110000") for _ in range(2)]
    led(platform, body.name, *departments)
    for one in departments:
        assert one.caller.applications.GetApplication(read).name == made.name, "both lead the alliance (S0 附件2)"
    world.join(platform, body.name, school)
    assert take(secretariat, made.name, "name_expert", named_organization=school.name).steps[-1].step == "name_expert"
    assert "ALREADY_DONE" in refusal(*naming, named_organization=school.name)
    assert school.caller.applications.GetApplication(read).name == made.name


def test_the_lead_institution_of_a_consortium_applies_for_it(platform: Platform) -> None:
    given = body_pb2.Body(display_name=world.unique("联合体"), kind=body_pb2.BODY_KIND_CONSORTIUM)
    body = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    lead, company = placed(platform, UNIVERSITY, "110000"), placed(platform, ENTERPRISE, "110000")
    stranger = placed(platform, UNIVERSITY, "110000")
    world.join(platform, body.name, lead, body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY)
    world.join(platform, body.name, company)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CONSORTIUM)
    for other in (company, stranger):
        assert "the lead institution of the consortium" in refusal(begun, other, call, body=body.name)
    assert begun(lead, call, body=body.name).applicant == lead.name


def test_who_leads_no_more_hands_nothing_in_and_takes_it_back(platform: Platform) -> None:
    given = body_pb2.Body(display_name=world.unique("联合体"), kind=body_pb2.BODY_KIND_CONSORTIUM)
    registry = world.operator(platform).registry
    body = registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    lead = placed(platform, UNIVERSITY, "110000")
    membership = world.join(platform, body.name, lead, body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CONSORTIUM)
    made = begun(lead, call, body=body.name)
    changed = body_pb2.Membership(name=membership.name, roles=[body_pb2.MEMBER_ROLE_PARTICIPANT])
    update = registry_service_pb2.UpdateMembershipRequest(membership=changed, reason="更换牵头单位")
    update.update_mask.paths.append("roles")
    registry.UpdateMembership(update)
    assert "NOT_ADMITTED" in refusal(take, lead, made.name, "submit", "APPLICATION_FORM")
    assert take(lead, made.name, "withdraw", reason="不再牵头").state == pb.APPLICATION_STATE_WITHDRAWN


def test_who_leads_instead_takes_back_what_was_begun_and_applies(platform: Platform) -> None:
    given = body_pb2.Body(display_name=world.unique("联合体"), kind=body_pb2.BODY_KIND_CONSORTIUM)
    body = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    former, latter = placed(platform, UNIVERSITY, "110000"), placed(platform, UNIVERSITY, "110000")
    membership = world.join(platform, body.name, former, body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY)
    world.join(platform, body.name, latter, body_pb2.MEMBER_ROLE_LEAD_VOCATIONAL)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CONSORTIUM)
    made = begun(former, call, body=body.name).name
    assert "go on there" in refusal(begun, latter, call, body=body.name)
    assert "NOT_WHO_BEGAN" in refusal(take, latter, made, "withdraw", reason="更换牵头单位"), "the two lead together"
    changed = body_pb2.Membership(name=membership.name, roles=[body_pb2.MEMBER_ROLE_PARTICIPANT])
    update = registry_service_pb2.UpdateMembershipRequest(membership=changed, reason="更换牵头单位")
    update.update_mask.paths.append("roles")
    world.operator(platform).registry.UpdateMembership(update)
    assert f"{made} withdraw" in refusal(begun, latter, call, body=body.name)
    company = placed(platform, ENTERPRISE, "110000")
    world.join(platform, body.name, company, body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE)
    assert "NOT_WHO_BEGAN" in refusal(take, company, made, "withdraw", reason="更换牵头单位"), "it could not apply instead"
    assert take(latter, made, "withdraw", reason="更换牵头单位").state == pb.APPLICATION_STATE_WITHDRAWN
    assert begun(latter, call, body=body.name).applicant == latter.name


def test_the_performance_of_a_unit_is_assessed_once_a_year_whoever_calls(platform: Platform) -> None:
    """R36, S0 四(三): 会同专班相关部门; two of the ten alliances have two lead departments."""
    body, council = world.formed_alliance(platform)
    first, second = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "110000")
    led(platform, body.name, first, second)
    made = begun(first, called(platform, first, pb.PROGRAMME_PERFORMANCE), council[1].name, body=body.name)
    again = called(platform, second, pb.PROGRAMME_PERFORMANCE)
    assert made.name in refusal(begun, second, again, council[1].name, body=body.name)
    asyncio.run(move(platform, again.name, closes_on="2026-01-31"))  # who is late is late, and assessed
    next_year = called(platform, second, pb.PROGRAMME_PERFORMANCE, again.year + 1)
    assert begun(second, next_year, council[1].name, body=body.name).state == pb.APPLICATION_STATE_DRAFT
    take(first, made.name, "withdraw", reason="由另一牵头部门考核")
    assert begun(second, again, council[1].name, body=body.name).name != made.name, "one mistake does not cost the year"


def _assessed_twice(platform: Platform) -> tuple[body_pb2.Body, Member, pb.ApplicationCall, pb.ApplicationCall]:
    """An alliance, the department that leads it, and its calls for this year and the one before."""
    body, _ = world.formed_alliance(platform)
    department = placed(platform, DEPARTMENT, "110000")
    led(platform, body.name, department)
    call = called(platform, department, pb.PROGRAMME_PERFORMANCE)
    before = called(platform, department, pb.PROGRAMME_PERFORMANCE, call.year - 1)
    return body, department, call, before


def test_who_led_in_the_year_is_assessed_and_nobody_who_came_after_it(platform: Platform) -> None:
    """年度绩效: a lead does not leave its assessment behind by leaving the alliance."""
    body, department, call, before = _assessed_twice(platform)
    role = body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY
    newcomer, former = (placed(platform, UNIVERSITY, "110000") for _ in "12")
    world.join(platform, body.name, newcomer, role, since=f"{call.year}-01-01")
    membership = world.join(platform, body.name, former, role, since=f"{before.year - 1}-03-01").name
    last = f"{before.year}-01-01"
    end = registry_service_pb2.EndMembershipRequest(name=membership, valid_to=last, reason="退出")
    world.operator(platform).registry.EndMembership(end)
    assert "lead university" in refusal(begun, department, before, newcomer.name, body=body.name)
    assert "lead university" in refusal(begun, department, call, former.name, body=body.name)
    assert begun(department, call, newcomer.name, body=body.name).applicant == newcomer.name
    assert begun(department, before, former.name, body=body.name).applicant == former.name


async def _entered_yesterday(platform: Platform, membership: str) -> None:
    registry = await asyncpg.connect(platform.database_url("registry"))
    moved = "UPDATE membership SET create_time = create_time - interval '1 day' WHERE name = $1"
    await registry.execute(moved, membership)
    await registry.close()


def test_other_roles_from_today_on_change_nothing_of_the_years_before(platform: Platform) -> None:
    """The secretariat, which is assessed itself, lets nobody out of a year by taking a role from it, nor puts anybody in."""
    body, department, call, before = _assessed_twice(platform)
    lead, vice = body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY, body_pb2.MEMBER_ROLE_VICE_CHAIR
    former, latter = (placed(platform, UNIVERSITY, "110000") for _ in "12")
    registry, since = world.operator(platform).registry, f"{before.year - 1}-03-01"
    slip = placed(platform, UNIVERSITY, "110000")
    for member, role, other in ((former, lead, vice), (latter, vice, lead), (slip, lead, vice)):
        joined = world.join(platform, body.name, member, role, since=since)
        if member is not slip:
            asyncio.run(_entered_yesterday(platform, joined.name))
        for roles in ([role, other], [other]):  # twice a day
            joined.roles[:] = roles
            request = registry_service_pb2.UpdateMembershipRequest(membership=joined, reason="换届")
            request.update_mask.paths.append("roles")
            joined = registry.UpdateMembership(request)
    for one in (latter, slip):
        assert f"roles of {before.year}" in refusal(begun, department, before, one.name, body=body.name)
    assert begun(department, before, former.name, body=body.name).applicant == former.name
    assert begun(department, call, latter.name, body=body.name).applicant == latter.name


def test_a_lead_department_of_the_alliance_assesses_and_no_other(platform: Platform) -> None:
    """S0 四(三): 专班牵头部门. Whoever is assessed does not choose by whom."""
    body, council = world.formed_alliance(platform)
    lead, other = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "110000")
    call, elsewhere = (called(platform, one, pb.PROGRAMME_PERFORMANCE) for one in (lead, other))
    told = refusal(begun, council[1], call, body=body.name)
    assert all(part in told for part in ("NO_LEAD_DEPARTMENT", "lead_departments=")), told
    led(platform, body.name, lead)
    told = refusal(begun, council[1], elsewhere, body=body.name)
    assert all(part in told for part in ("NOT_THE_LEAD_DEPARTMENT", lead.name)), told
    assert begun(council[1], call, body=body.name).authority == lead.name


def test_an_assessment_goes_to_the_department_that_leads_now(platform: Platform) -> None:
    """S0 四(三): the former lead department is told who assesses, the present one sees it and goes on."""
    body, council = world.formed_alliance(platform)
    former, second, latter = (placed(platform, DEPARTMENT, "110000") for _ in range(3))
    led(platform, body.name, former, second)
    made = begun(former, called(platform, former, pb.PROGRAMME_PERFORMANCE), council[1].name, body=body.name)
    take(former, made.name, "set_indicators", "INDICATORS")
    take(council[1], made.name, "report", "SELF_REPORT")
    led(platform, body.name)
    assert "lead_departments=" in refusal(take, former, made.name, "rate", score=90, reason="好"), "nobody leads"
    read = rpc.GetApplicationRequest(name=made.name)
    assert "NOT_FOUND" in refusal(latter.caller.applications.GetApplication, read)
    led(platform, body.name, second, latter)
    told = refusal(take, former, made.name, "rate", score=90, reason="好")
    assert all(part in told for part in ("NOT_THE_LEAD_DEPARTMENT", "S0 四(三)", second.name)), told
    led(platform, body.name, latter)
    told = refusal(take, second, made.name, "rate", score=90, reason="好")
    assert all(part in told for part in ("NOT_THE_LEAD_DEPARTMENT", latter.name)), told
    assert former.caller.applications.GetApplication(read).authority == latter.name, "it reads on what it began"
    assert take(latter, made.name, "rate", score=90, reason="好").state == pb.APPLICATION_STATE_SCORED
    assert take(latter, made.name, "close").state == pb.APPLICATION_STATE_COMPLETED
    led(platform, body.name, former)
    assert former.caller.applications.GetApplication(read).authority == latter.name, "what has ended stays whose it was"


def test_an_assessment_stays_with_who_still_leads(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    first, second = (placed(platform, DEPARTMENT, "110000") for _ in range(2))
    led(platform, body.name, second)
    made = begun(second, called(platform, second, pb.PROGRAMME_PERFORMANCE), council[1].name, body=body.name)
    led(platform, body.name, first, second)
    read = rpc.GetApplicationRequest(name=made.name)
    assert first.caller.applications.GetApplication(read).authority == second.name, "both lead, and both are in it"
    assert "leave it to them" in refusal(take, first, made.name, "set_indicators", "INDICATORS"), "one department assesses"
    stranger = placed(platform, DEPARTMENT, "110000")
    assert "NOT_FOUND" in refusal(stranger.caller.applications.GetApplication, read)
    assert take(second, made.name, "set_indicators", "INDICATORS").state == pb.APPLICATION_STATE_ASSIGNED


def test_a_body_is_not_dissolved_below_its_procedures(platform: Platform) -> None:
    """Its members take their steps, and its end would leave nobody to take them."""
    body, council = world.formed_alliance(platform)
    department, secretariat = placed(platform, DEPARTMENT, "110000"), council[1]
    world.grant(platform, secretariat.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    meeting = begun(secretariat, called(platform, department, pb.PROGRAMME_MEETING), body=body.name)
    challenge = begun(council[0], called(platform, department, pb.PROGRAMME_CHALLENGE), body=body.name)
    take(council[0], challenge.name, "publish")
    registry = world.operator(platform).registry
    dissolve = registry_service_pb2.DissolveBodyRequest(name=body.name, reason="合并")
    told = refusal(registry.DissolveBody, dissolve)
    named = (meeting.display_name, meeting.name, "cancel", challenge.display_name, challenge.name, "withdraw")
    assert all(part in told for part in ("UNDER_WAY", *named)), told
    take(council[0], challenge.name, "withdraw", reason="联盟合并")
    told = refusal(registry.DissolveBody, dissolve)
    assert meeting.name in told
    assert challenge.name not in told
    take(secretariat, meeting.name, "cancel", reason="联盟合并")
    assert registry.DissolveBody(dissolve).state == body_pb2.BODY_STATE_DISSOLVED


def test_an_authority_does_not_decide_on_its_own(platform: Platform) -> None:
    department = placed(platform, DEPARTMENT, "110000")
    call = called(platform, department, pb.PROGRAMME_CERTIFICATION)
    assert "does not decide on its own" in refusal(begun, department, call)
    assert "an educational institution" in refusal(
        begun, placed(platform, ENTERPRISE, "110000"), called(platform, department, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    )


def test_a_performance_assessment_is_begun_by_the_authority(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    department = placed(platform, DEPARTMENT, "110000")
    led(platform, body.name, department)
    call = called(platform, department, pb.PROGRAMME_PERFORMANCE)
    share = pb.Application(performance=pb.PerformanceFacts(performance_pay_percent=70))
    told = refusal(begun, department, call, council[1].name, body=body.name, performance=share.performance)
    assert "entered while it is assigned" in told, "the figure is the assessed's to say, once the indicators are set"
    made = begun(department, call, council[1].name, body=body.name)

    def says(member: Member, path: str, given: pb.Application) -> pb.Application:
        given.name = made.name
        request = rpc.UpdateApplicationRequest(application=given)
        request.update_mask.paths.append(path)
        found: pb.Application = member.caller.applications.UpdateApplication(request)
        return found

    for path in ("performance", "performance.performance_pay_percent"):
        assert "entered while it is assigned" in refusal(says, department, path, share)
    assert "NOT_WHO_BEGAN" in refusal(says, council[1], "performance.performance_pay_percent", share)
    take(department, made.name, "set_indicators", "INDICATORS")
    assert "NOT_THE_ASSESSED" in refusal(says, department, "performance.performance_pay_percent", share)
    by_the_platform = Member(council[1].name, Caller(platform, world.OPERATOR, council[1].name))
    assert "NOT_THE_ASSESSED" in refusal(says, by_the_platform, "performance.performance_pay_percent", share)
    assert "leave it to them" in refusal(take, by_the_platform, made.name, "report", "SELF_REPORT")
    title = pb.Application(display_name="改名的考核")
    assert "update_mask" in refusal(says, council[1], "display_name", title), "facts alone"
    paper = papers.attached(council[1], "INDICATORS")
    attach = rpc.AttachDocumentsRequest(name=made.name, documents=paper)
    assert "ILLEGAL_STATE" in refusal(council[1].caller.applications.AttachDocuments, attach)
    said = says(council[1], "performance.performance_pay_percent", share)
    assert says(council[1], "performance.performance_pay_percent", share).etag == said.etag, "it changes nothing"
    assert said.performance.performance_pay_percent == 70
    take(council[1], made.name, "report", "SELF_REPORT")
    assert "ILLEGAL_STATE" in refusal(says, council[1], "performance.performance_pay_percent", share)
    take(department, made.name, "rate", score=91, reason="优秀")
    assert take(department, made.name, "close").state == pb.APPLICATION_STATE_COMPLETED
    assert "NOT_FOUND" in refusal(council[2].caller.applications.GetApplication, rpc.GetApplicationRequest(name=made.name))
