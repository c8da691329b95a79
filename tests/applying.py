"""Invented applications and who takes their steps, for tests."""

from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.clock import business_date
from chassis.ids import resource
from tests import papers, world
from tests.world import Member

ENTERPRISE, UNIVERSITY = organization_pb2.ORG_TYPE_ENTERPRISE, organization_pb2.ORG_TYPE_UNIVERSITY
COLLEGE, DEPARTMENT = organization_pb2.ORG_TYPE_HIGHER_VOCATIONAL, organization_pb2.ORG_TYPE_GOV_DEPARTMENT
LEADS = (
    (ENTERPRISE, body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE, "110000"),
    (UNIVERSITY, body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY, "120000"),
    (COLLEGE, body_pb2.MEMBER_ROLE_LEAD_VOCATIONAL, "310000"),
)
YEAR = 2026
_LEADS_ARE = (
    *("matching_discipline", "research_direction_and_team", "masters_authority", "doctoral_authority"),
    *("matching_speciality", "independent_training_body"),
)
"""What is entered of a community's university and vocational school (R15, R16)."""
MAJOR: dict[str, Any] = {
    "enrolling_since": "2010-09-01",
    "fits_regional_plan": True,
    "strong_major": True,
    "field": body_pb2.PILOT_FIELD_AI,
    "cooperation_experience": True,
}
"""What is entered of a pilot's major (R22–R24)."""
_GONE_BY = date(2020, 12, 31)


def called(platform: Platform, authority: Member, programme: Any, year: int = 0, **more: Any) -> pb.ApplicationCall:
    """A call of a year; one that assesses a year is of this one, in which its members are members."""
    year = year or (business_date(datetime.now(UTC)).year if programme == pb.PROGRAMME_PERFORMANCE else YEAR)
    if programme in (pb.PROGRAMME_PILOT, pb.PROGRAMME_SUPPORT):
        more = {"closes_on": "2099-12-31", **more}
    given = pb.ApplicationCall(programme=programme, year=year, authority=authority.name, **more)
    made: pb.ApplicationCall = world.operator(platform).applications.OpenCall(rpc.OpenCallRequest(call=given, reason="启动"))
    return made


def begun(member: Member, call: pb.ApplicationCall, applicant: str = "", **more: Any) -> pb.Application:
    if call.programme == pb.PROGRAMME_CHALLENGE:
        more = {"challenge": {"listing": resource("listings")}, **more}
    given = pb.Application(
        programme=call.programme,
        display_name=world.unique("申报"),
        applicant=applicant or member.name,
        call=call.name,
        **more,
    )
    made: pb.Application = member.caller.applications.CreateApplication(rpc.CreateApplicationRequest(application=given))
    return made


def take(member: Member, application: str, step: str, *kinds: str, **more: Any) -> pb.Application:
    documents = papers.attached(member, *kinds)
    request = rpc.TakeStepRequest(name=application, step=step, documents=documents, **more)
    made: pb.Application = member.caller.applications.TakeStep(request)
    return made


def refusal(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments, **more)
    return str(refused.value)


def placed(platform: Platform, org_type: Any, region: str, called: str = "单位") -> Member:
    """A verified organization somewhere."""
    member = world.organization(platform, org_type, called=called)
    verified(platform, member, region_code=region, credit_code=world.credit_code())
    return member


def verified(platform: Platform, member: Member, **entered: Any) -> None:
    """What is entered of an organization, verified."""
    operator = world.operator(platform).registry
    given = organization_pb2.Organization(name=member.name, **entered)
    request = registry_service_pb2.UpdateOrganizationRequest(organization=given, reason="登记")
    request.update_mask.paths.extend(entered)
    operator.UpdateOrganization(request)
    operator.VerifyOrganization(registry_service_pb2.VerifyOrganizationRequest(name=member.name, reason="核验"))


def community(platform: Platform, **facts: Any) -> tuple[body_pb2.Body, list[Member]]:
    """A draft of a community with its three leads."""
    given = body_pb2.Body(
        display_name=world.unique("共同体"),
        kind=body_pb2.BODY_KIND_COMMUNITY,
        community=body_pb2.CommunityFacts(**{"industry_code": "39", **dict.fromkeys(_LEADS_ARE, True), **facts}),
    )
    body = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    leads = []
    for org_type, role, region in LEADS:
        leads.append(placed(platform, org_type, region))
        world.join(platform, body.name, leads[-1], role)
    return body, leads


def led(platform: Platform, body: str, *departments: Member) -> None:
    """Enter the lead departments of an alliance."""
    given = body_pb2.Body(name=body, alliance={"lead_departments": [one.name for one in departments]})  # type: ignore[arg-type]
    request = registry_service_pb2.UpdateBodyRequest(body=given, reason="登记")
    request.update_mask.paths.append("alliance.lead_departments")
    world.operator(platform).registry.UpdateBody(request)


def guides(platform: Platform) -> tuple[Member, Member]:
    """A task force and its department, both verified, with somebody who acts for each."""
    department = placed(platform, DEPARTMENT, "110000")
    operator = world.operator(platform).registry
    given = organization_pb2.Organization(
        display_name=world.unique("专班"), org_type=organization_pb2.ORG_TYPE_TASK_FORCE, parent=department.name
    )
    force = operator.CreateOrganization(registry_service_pb2.CreateOrganizationRequest(organization=given)).name
    operator.VerifyOrganization(registry_service_pb2.VerifyOrganizationRequest(name=force, reason="登记"))
    sub = force.rpartition("/")[2]
    world.grant(platform, sub, access_pb2.ROLE_ORGANIZATION_ADMIN, organization=force)
    return Member(force, Caller(platform, sub, force)), department


def guided(platform: Platform, body: str, force: Member, department: Member, external_key: str = "", **facts: Any) -> None:
    """Name who guides an alliance, and what else is to be entered of it."""
    alliance = body_pb2.AllianceFacts(task_force=force.name, lead_departments=[department.name], **facts)
    given = body_pb2.Body(name=body, external_key=external_key, alliance=alliance)
    request = registry_service_pb2.UpdateBodyRequest(body=given, reason="登记")
    request.update_mask.paths.extend(f"alliance.{fact}" for fact in ("task_force", "lead_departments", *facts))
    if external_key:
        request.update_mask.paths.append("external_key")
    world.operator(platform).registry.UpdateBody(request)


def state_of(platform: Platform, body: str) -> int:
    found = world.operator(platform).registry.GetBody(registry_service_pb2.GetBodyRequest(name=body))
    return int(found.state)


def pilot(platform: Platform, major: str = "080901", **facts: Any) -> tuple[body_pb2.Body, Member]:
    """A draft of a pilot of which everything is entered, and its university."""
    university = placed(platform, UNIVERSITY, "110000")
    known = {"college": college_of(platform, university).name, **MAJOR, **facts}
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit=body_pb2.PilotUnitFacts(institution=university.name, major_code=major, call_year=YEAR, **known),
    )
    body = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    return body, university


def major_of(platform: Platform, university: Member, major: str, year: int | None = YEAR) -> str:
    """A draft of another pilot of a university."""
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit=body_pb2.PilotUnitFacts(institution=university.name, major_code=major, call_year=year),
    )
    made = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    return str(made.name)


def college_of(platform: Platform, university: Member) -> Member:
    """A verified secondary college with somebody who acts for it."""
    registry = world.operator(platform).registry
    given = organization_pb2.Organization(
        display_name=world.unique("学院"), org_type=organization_pb2.ORG_TYPE_SECONDARY_COLLEGE, parent=university.name
    )
    name = registry.CreateOrganization(registry_service_pb2.CreateOrganizationRequest(organization=given)).name
    registry.VerifyOrganization(registry_service_pb2.VerifyOrganizationRequest(name=name, reason="核验"))
    world.grant(platform, name.rpartition("/")[2], access_pb2.ROLE_ORGANIZATION_EDITOR, organization=name)
    return Member(name, Caller(platform, name.rpartition("/")[2], name))


def expert(platform: Platform, organization: Member) -> Member:
    sub = world.unique("expert")[-20:]
    world.grant(platform, sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=organization.name)
    return Member(organization.name, Caller(platform, sub, organization.name))


async def move(platform: Platform, call: str, **dates: str) -> None:
    """Give a call other dates, as if the days had gone by."""
    registry = await asyncpg.connect(Postgres(platform.state).url("registry", "registry"))
    content = await registry.fetchval("SELECT content FROM application_call WHERE name = $1", call)
    message = pb.ApplicationCall.FromString(content)
    for field, day in dates.items():
        setattr(message, field, day)
    await registry.execute("UPDATE application_call SET content = $2 WHERE name = $1", call, message.SerializeToString())
    await registry.execute("UPDATE application SET due_on = $2 WHERE call = $1 AND due_on IS NOT NULL", call, _GONE_BY)
    await registry.close()
