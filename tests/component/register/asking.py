"""What the tests of the register ask it for and change in it."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.world import Member

DEPARTMENT, TASK_FORCE = organization_pb2.ORG_TYPE_GOV_DEPARTMENT, organization_pb2.ORG_TYPE_TASK_FORCE
ENTERPRISE, UNIVERSITY = organization_pb2.ORG_TYPE_ENTERPRISE, organization_pb2.ORG_TYPE_UNIVERSITY
CHAIR, SECRETARIAT = body_pb2.MEMBER_ROLE_CHAIR, body_pb2.MEMBER_ROLE_SECRETARIAT
SATISFIED, VIOLATED, UNKNOWN = body_pb2.VERDICT_SATISFIED, body_pb2.VERDICT_VIOLATED, body_pb2.VERDICT_CANNOT_BE_TOLD


def update(caller: Caller, name: str, **fields: Any) -> organization_pb2.Organization:
    given = organization_pb2.Organization(name=name, **fields)
    request = rpc.UpdateOrganizationRequest(organization=given, reason="更正")
    request.update_mask.paths.extend(fields)
    made: organization_pb2.Organization = caller.registry.UpdateOrganization(request)
    return made


def verify(platform: Platform, name: str) -> None:
    world.operator(platform).registry.VerifyOrganization(rpc.VerifyOrganizationRequest(name=name, reason="已核验"))


def read(caller: Caller, name: str) -> organization_pb2.Organization:
    found: organization_pb2.Organization = caller.registry.GetOrganization(rpc.GetOrganizationRequest(name=name))
    return found


def verified(platform: Platform, org_type: int) -> Member:
    """A new organization that is verified."""
    return world.verified(platform, world.organization(platform, org_type))


def child(platform: Platform, parent: str, org_type: Any = TASK_FORCE) -> str:
    given = organization_pb2.Organization(display_name=world.unique("专班"), org_type=org_type, parent=parent)
    request = rpc.CreateOrganizationRequest(organization=given)
    return str(world.operator(platform).registry.CreateOrganization(request).name)


def write(platform: Platform, name: str, *paths: str, **facts: Any) -> body_pb2.Body:
    request = rpc.UpdateBodyRequest(body=body_pb2.Body(name=name, alliance=body_pb2.AllianceFacts(**facts)), reason="补充")
    request.update_mask.paths.extend(paths or [f"alliance.{fact}" for fact in facts])
    made: body_pb2.Body = world.operator(platform).registry.UpdateBody(request)
    return made


def membership(platform: Platform, body: str, role: Any) -> body_pb2.Membership:
    """The first that has a role and is not the secretariat."""
    listed = world.operator(platform).registry.ListMemberships(rpc.ListMembershipsRequest(parent=body)).memberships
    found: body_pb2.Membership = next(one for one in listed if role in one.roles and SECRETARIAT not in one.roles)
    return found


def open_findings(platform: Platform, name: str) -> dict[str, int]:
    body = world.operator(platform).registry.GetBody(rpc.GetBodyRequest(name=name))
    return {one.rule: one.verdict for one in body.open_findings}


def said(platform: Platform, body: str, rule: str, at: Timestamp | None = None) -> body_pb2.RuleFinding:
    """What a rule says of a body, or said at a time."""
    found = world.operator(platform).registry.CheckBody(rpc.CheckBodyRequest(name=body, check_time=at)).findings
    one: body_pb2.RuleFinding = next(one for one in found if one.rule == rule)
    return one


def history(platform: Platform, body: str, rule: str) -> list[body_pb2.RuleFinding]:
    """All that a rule said, the newest first, asked for one by one."""
    registry = world.operator(platform).registry
    found, token = list[body_pb2.RuleFinding](), ""
    while True:
        page = registry.ListFindings(rpc.ListFindingsRequest(parent=body, rule=rule, page_size=1, page_token=token))
        found += page.findings
        token = page.next_page_token
        if not token:
            return found


def refusal(call: Any, *arguments: Any, **more: Any) -> grpc.RpcError:
    """With what a call is refused."""
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments, **more)
    return refused.value
