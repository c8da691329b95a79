"""One organization in several parts: in several bodies, by several hands, under several departments."""

from typing import Any

from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2, registry_service_pb2
from alliance_local.control import Platform
from tests import world
from tests.applying import DEPARTMENT, ENTERPRISE, UNIVERSITY, YEAR, begun, called, college_of, placed, refusal, take
from tests.world import Member

LEADS, TAKES_PART, VICE = (
    body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY,
    body_pb2.MEMBER_ROLE_PARTICIPANT,
    body_pb2.MEMBER_ROLE_VICE_CHAIR,
)


def draft(platform: Platform, kind: Any, **facts: Any) -> str:
    """A draft of a body of a kind."""
    given = body_pb2.Body(display_name=world.unique("组织"), kind=kind, **facts)
    made: str = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given)).name
    return made


def roles(platform: Platform, member: Member) -> dict[str, list[int]]:
    """The roles that an organization has, by body, where its membership has no end."""
    request = registry_service_pb2.ListMembershipsRequest(parent="bodies/-", organization=member.name)
    found = world.operator(platform).registry.ListMemberships(request).memberships
    return {one.name.split("/memberships/")[0]: list(one.roles) for one in found if not one.valid_to}


def seen(platform: Platform, body: str, rule: str) -> dict[str, str]:
    """The facts that a rule sees of a body."""
    found = world.operator(platform).registry.CheckBody(registry_service_pb2.CheckBodyRequest(name=body)).findings
    return next(dict(one.facts) for one in found if one.rule == rule)


def test_one_organization_leads_one_body_and_takes_part_in_others(platform: Platform) -> None:
    university = placed(platform, UNIVERSITY, "110000")
    alliance, _ = world.formed_alliance(platform)
    led, joined = draft(platform, body_pb2.BODY_KIND_CONSORTIUM), draft(platform, body_pb2.BODY_KIND_COMMUNITY)
    held = {led: [LEADS], joined: [TAKES_PART], alliance.name: [VICE, TAKES_PART]}
    seats = {body: world.join(platform, body, university, *roles_there).name for body, roles_there in held.items()}
    assert roles(platform, university) == held
    assert seen(platform, led, "R19.1")["higher_education_leads"] == "1"
    assert seen(platform, joined, "R14")["lead_universities"] == "0", "what it leads elsewhere leads nothing here"
    assert seen(platform, alliance.name, "R11")["vice_chairs"] == "5"
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CONSORTIUM)
    assert begun(university, call, body=led).applicant == university.name
    end = registry_service_pb2.EndMembershipRequest(name=seats[alliance.name], reason="退出")
    world.operator(platform).registry.EndMembership(end)
    assert roles(platform, university) == {led: [LEADS], joined: [TAKES_PART]}


def test_the_colleges_of_a_university_apply_in_its_name_for_two_majors_once_each(platform: Platform) -> None:
    university, centre = placed(platform, UNIVERSITY, "110000"), placed(platform, ENTERPRISE, "110000")
    colleges = [college_of(platform, university) for _ in range(3)]
    call = called(platform, centre, pb.PROGRAMME_PILOT)
    submit = ("submit", "SEALED_FORM", "PLATFORM_RECEIPT")

    def applied(college: Member, major: str) -> pb.Application:
        facts = body_pb2.PilotUnitFacts(institution=university.name, college=college.name, major_code=major, call_year=YEAR)
        body = draft(platform, body_pb2.BODY_KIND_PILOT_UNIT, pilot_unit=facts)
        assert college.caller.registry.GetBody(registry_service_pb2.GetBodyRequest(name=body)).name == body
        made = begun(college, call, university.name, body=body)
        named = pb.Application(name=made.name, display_name=f"{made.display_name}（更正）")
        change = rpc.UpdateApplicationRequest(application=named, reason="更正")
        change.update_mask.paths.append("display_name")
        changed: pb.Application = college.caller.applications.UpdateApplication(change)
        return changed

    first = take(colleges[0], applied(colleges[0], "080901").name, *submit)
    assert (first.applicant, first.steps[-1].organization) == (university.name, colleges[0].name)
    assert "R21.2" in refusal(take, colleges[1], applied(colleges[1], "080901").name, *submit), "a major has one application"
    take(colleges[1], applied(colleges[1], "080902").name, *submit)
    assert "R21.2" in refusal(take, colleges[2], applied(colleges[2], "080903").name, *submit), "a unit has two majors"
    everything = rpc.ListApplicationsRequest(applicant=university.name)
    for reader in (university, *colleges):
        assert len(reader.caller.applications.ListApplications(everything).applications) == 4, "each acts for the whole"
    stranger = college_of(platform, placed(platform, UNIVERSITY, "110000"))
    assert not stranger.caller.applications.ListApplications(everything).applications
    assert "PERMISSION_DENIED" in refusal(begun, stranger, call, university.name, body=first.body)


def test_an_alliance_has_two_lead_departments_and_both_are_told_of_its_deadlines(platform: Platform) -> None:
    """As nos. 3 and 6 of S0 附件2 have; the task force belongs to the first."""
    departments = [placed(platform, DEPARTMENT, "110000") for _ in range(2)]
    registry = world.operator(platform).registry
    given = organization_pb2.Organization(
        display_name=world.unique("专班"), org_type=organization_pb2.ORG_TYPE_TASK_FORCE, parent=departments[0].name
    )
    facts = body_pb2.AllianceFacts(
        key_industry=world.unique("产业"),
        task_force=registry.CreateOrganization(registry_service_pb2.CreateOrganizationRequest(organization=given)).name,
        lead_departments=[one.name for one in departments],
    )
    body = draft(platform, body_pb2.BODY_KIND_ALLIANCE, alliance=facts)
    for role in (body_pb2.MEMBER_ROLE_CHAIR, *[VICE] * 4):
        world.join(platform, body, placed(platform, ENTERPRISE, "110000"), role, body_pb2.MEMBER_ROLE_SECRETARIAT)
    world.settle(platform)
    for one in departments:
        world.subscribe(one, "alliance.reporting.deadline.*.v1", channel=notify_pb2.CHANNEL_INBOX)
    formed = registry.FormBody(registry_service_pb2.FormBodyRequest(name=body, reason="成立"))
    assert list(formed.alliance.lead_departments) == [one.name for one in departments]
    world.settle(platform)
    told = [{message.subject for message in one.caller.notify.ListInboxMessages(_inbox(one)).messages} for one in departments]
    assert told[0] == told[1] != set()


def _inbox(member: Member) -> notify_service_pb2.ListInboxMessagesRequest:
    return notify_service_pb2.ListInboxMessagesRequest(organization=member.name)
