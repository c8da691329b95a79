"""Who fills in an application enters what its form says of the body that is to be formed (R29–R31), and nothing more."""

from typing import Any

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import body_pb2, registry_service_pb2
from alliance_local.control import Platform
from tests import world
from tests.applying import (
    DEPARTMENT,
    ENTERPRISE,
    LEADS,
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

_DENIED = "PERMISSION_DENIED"


def entered(member: Member, body: str, kind: str, **facts: Any) -> body_pb2.Body:
    """Enter facts of a body."""
    given = body_pb2.Body(name=body, **{kind: facts})  # type: ignore[arg-type]
    request = registry_service_pb2.UpdateBodyRequest(body=given, reason="填报")
    request.update_mask.paths.extend(f"{kind}.{fact}" for fact in facts)
    made: body_pb2.Body = member.caller.registry.UpdateBody(request)
    return made


def of_industry(member: Member, body: body_pb2.Body, code: str) -> str:
    """Enter the industry of a community."""
    return entered(member, body.name, "community", industry_code=code).community.industry_code


def test_the_lead_enterprise_fills_in_until_it_hands_in(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    assert _DENIED in refusal(of_industry, leads[0], body, "38")
    made = begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    assert of_industry(leads[0], body, "38") == "38"
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    told = refusal(of_industry, leads[0], body, "39")
    assert "HANDED_IN" in told, told
    assert "reopen" in told, told
    take(leads[0], made.name, "reopen", reason="补正")
    assert of_industry(leads[0], body, "39") == "39"
    take(leads[0], made.name, "withdraw", reason="不再申报")
    assert _DENIED in refusal(of_industry, leads[0], body, "38")


def test_nobody_else_fills_in_for_it_and_its_members_stay_who_they_are(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, stranger = placed(platform, DEPARTMENT, "110000"), world.organization(platform, ENTERPRISE)
    begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    for other in (stranger, leads[1], ministry):
        assert _DENIED in refusal(of_industry, other, body, "38")
    assert _DENIED in refusal(entered, leads[0], "bodies/none", "community", industry_code="38")
    given = body_pb2.Membership(organization=stranger.name, roles=[body_pb2.MEMBER_ROLE_PARTICIPANT])
    request = registry_service_pb2.CreateMembershipRequest(parent=body.name, membership=given)
    assert _DENIED in refusal(leads[0].caller.registry.CreateMembership, request)


def test_who_leads_no_more_fills_in_no_more(platform: Platform) -> None:
    body, (lead, *_) = community(platform)
    begun(lead, called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    registry = world.operator(platform).registry
    (membership,) = registry.ListMemberships(
        registry_service_pb2.ListMembershipsRequest(parent=body.name, organization=lead.name)
    ).memberships
    for roles, is_admitted in (([body_pb2.MEMBER_ROLE_PARTICIPANT], False), ([LEADS[0][1]], True)):
        changed = body_pb2.Membership(name=membership.name, roles=roles)
        request = registry_service_pb2.UpdateMembershipRequest(membership=changed, reason="更换")
        request.update_mask.paths.append("roles")
        registry.UpdateMembership(request)
        if is_admitted:
            assert of_industry(lead, body, "38") == "38"
        else:
            assert _DENIED in refusal(of_industry, lead, body, "38")


def test_a_body_is_not_formed_past_its_application(platform: Platform) -> None:
    body, (lead, *_) = community(platform)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_COMMUNITY, 2099)
    made, form = begun(lead, call, body=body.name), registry_service_pb2.FormBodyRequest(name=body.name, reason="成立")
    registry = world.operator(platform).registry
    told = refusal(registry.FormBody, form)
    assert all(part in told for part in ("APPLIED_FOR", made.name, "withdraw")), told
    take(lead, made.name, "withdraw", reason="不经申报")
    assert registry.FormBody(form).state == body_pb2.BODY_STATE_FORMED
    assert _DENIED in refusal(of_industry, lead, body, "38")


def test_a_college_fills_in_for_its_university_and_leaves_the_pilot_the_universitys(platform: Platform) -> None:
    body, university = pilot(platform)
    other = placed(platform, UNIVERSITY, "110000")
    centre = placed(platform, ENTERPRISE, "110000")
    begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    own, another = college_of(platform, university), college_of(platform, university)
    entered(university, body.name, "pilot_unit", college=own.name)
    assert _DENIED in refusal(entered, another, body.name, "pilot_unit", major_code="130101")
    for who, major in ((university, "080902"), (own, "130101")):
        assert entered(who, body.name, "pilot_unit", major_code=major).pilot_unit.major_code == major
        told = refusal(entered, who, body.name, "pilot_unit", institution=other.name, college="")
        assert "whose body it is does not change" in told, told
    operator = Member("", world.operator(platform))
    changed = entered(operator, body.name, "pilot_unit", institution=other.name, college="")
    assert changed.pilot_unit.institution == other.name, "the platform's operator may"
