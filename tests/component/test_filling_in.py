"""Who fills in an application enters what its form says of the body and its members (R29–R31), and nothing more."""

from typing import Any

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import body_pb2, grant_pb2, registry_service_pb2
from alliance_local.control import Platform
from tests import world
from tests.applying import (
    COLLEGE,
    DEPARTMENT,
    ENTERPRISE,
    UNIVERSITY,
    begun,
    called,
    college_of,
    community,
    pilot,
    placed,
    refusal,
    take,
)
from tests.world import Member


def entered(member: Member, body: str, kind: str, **facts: Any) -> body_pb2.Body:
    """Enter facts of a body."""
    given = body_pb2.Body(name=body, **{kind: facts})  # type: ignore[arg-type]
    request = registry_service_pb2.UpdateBodyRequest(body=given, reason="填报")
    request.update_mask.paths.extend(f"{kind}.{fact}" for fact in facts)
    made: body_pb2.Body = member.caller.registry.UpdateBody(request)
    return made


def taken_in(member: Member, body: str, organization: Member, role: Any) -> body_pb2.Membership:
    """Take an organization into a body."""
    given = body_pb2.Membership(organization=organization.name, roles=[role])
    request = registry_service_pb2.CreateMembershipRequest(parent=body, membership=given, reason="填报")
    made: body_pb2.Membership = member.caller.registry.CreateMembership(request)
    return made


def given_role(member: Member, membership: str, role: Any) -> body_pb2.Membership:
    """Give a member another role."""
    given = body_pb2.Membership(name=membership, roles=[role])
    request = registry_service_pb2.UpdateMembershipRequest(membership=given, reason="填报")
    request.update_mask.paths.append("roles")
    made: body_pb2.Membership = member.caller.registry.UpdateMembership(request)
    return made


def ended(member: Member, membership: str) -> body_pb2.Membership:
    """End a membership."""
    request = registry_service_pb2.EndMembershipRequest(name=membership, reason="填报")
    made: body_pb2.Membership = member.caller.registry.EndMembership(request)
    return made


def test_the_lead_enterprise_fills_in_what_its_form_says_of_the_community(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    newcomer, participant = placed(platform, COLLEGE, "310000"), body_pb2.MEMBER_ROLE_PARTICIPANT
    assert "PERMISSION_DENIED" in refusal(entered, leads[0], body.name, "community", industry_code="38")
    made = begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    assert entered(leads[0], body.name, "community", industry_code="38").community.industry_code == "38"
    joined = taken_in(leads[0], body.name, newcomer, participant)
    for role in (body_pb2.MEMBER_ROLE_LEAD_VOCATIONAL, participant):
        assert given_role(leads[0], joined.name, role).roles == [role]
    assert ended(leads[0], joined.name).valid_to
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    for late in (
        lambda: entered(leads[0], body.name, "community", industry_code="39"),
        lambda: taken_in(leads[0], body.name, world.organization(platform, UNIVERSITY), participant),
        lambda: given_role(leads[0], joined.name, participant),
    ):
        told = refusal(late)
        assert "HANDED_IN" in told, told
        assert "reopen" in told, told
    take(leads[0], made.name, "reopen", reason="补正")
    assert entered(leads[0], body.name, "community", industry_code="39").community.industry_code == "39"
    take(leads[0], made.name, "withdraw", reason="不再申报")
    assert "PERMISSION_DENIED" in refusal(entered, leads[0], body.name, "community", industry_code="38")


def test_nobody_else_fills_in_for_it_and_it_gives_nobody_a_grant(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, stranger = placed(platform, DEPARTMENT, "110000"), world.organization(platform, ENTERPRISE)
    member = world.organization(platform, UNIVERSITY)
    joined = world.join(platform, body.name, member)
    begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    lead = body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY
    for other in (stranger, member, leads[1], ministry):
        assert "PERMISSION_DENIED" in refusal(entered, other, body.name, "community", industry_code="38")
        assert "PERMISSION_DENIED" in refusal(taken_in, other, body.name, stranger, lead)
        assert "PERMISSION_DENIED" in refusal(given_role, other, joined.name, lead)
    for other in (stranger, leads[1], ministry):
        assert "PERMISSION_DENIED" in refusal(ended, other, joined.name)
    assert ended(member, joined.name).valid_to, "who wants to leave may"
    itself = grant_pb2.Grant(principal="somebody", role=access_pb2.ROLE_SECRETARIAT, body=body.name)
    request = registry_service_pb2.CreateGrantRequest(grant=itself)
    assert "PERMISSION_DENIED" in refusal(leads[0].caller.registry.CreateGrant, request)
    assert "PERMISSION_DENIED" in refusal(entered, leads[0], "bodies/none", "community", industry_code="38")
    assert "NOT_FOUND" in refusal(ended, leads[0], f"{body.name}/memberships/none")


def test_a_college_fills_in_for_its_university_and_leaves_the_pilot_the_universitys(platform: Platform) -> None:
    body, university = pilot(platform)
    other = placed(platform, UNIVERSITY, "110000")
    centre = placed(platform, ENTERPRISE, "110000")
    college = college_of(platform, university)
    begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    for who, major in ((university, "080902"), (college, "130101")):
        assert entered(who, body.name, "pilot_unit", major_code=major).pilot_unit.major_code == major
        told = refusal(entered, who, body.name, "pilot_unit", institution=other.name, college="")
        assert "whose body it is does not change" in told, told
    operator = Member("", world.operator(platform))
    changed = entered(operator, body.name, "pilot_unit", institution=other.name, college="")
    assert changed.pilot_unit.institution == other.name, "the platform's operator may"
