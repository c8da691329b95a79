"""The register: what a verification vouches for, whose keys are whose, and what a formed body has open."""

from datetime import date, timedelta
from typing import Any

import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.world import Member

DEPARTMENT, TASK_FORCE = organization_pb2.ORG_TYPE_GOV_DEPARTMENT, organization_pb2.ORG_TYPE_TASK_FORCE
ENTERPRISE, UNIVERSITY = organization_pb2.ORG_TYPE_ENTERPRISE, organization_pb2.ORG_TYPE_UNIVERSITY
VERIFIED, UNVERIFIED = organization_pb2.VERIFICATION_STATE_VERIFIED, organization_pb2.VERIFICATION_STATE_UNVERIFIED
CHAIR, VICE, SECRETARIAT = body_pb2.MEMBER_ROLE_CHAIR, body_pb2.MEMBER_ROLE_VICE_CHAIR, body_pb2.MEMBER_ROLE_SECRETARIAT
VIOLATED, UNKNOWN = body_pb2.VERDICT_VIOLATED, body_pb2.VERDICT_CANNOT_BE_TOLD
BOTH_UNKNOWN = {"R12": UNKNOWN, "R13": UNKNOWN}


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
    member = world.organization(platform, org_type)
    update(world.operator(platform), member.name, credit_code=world.credit_code())
    verify(platform, member.name)
    return member


def child(platform: Platform, parent: str, org_type: Any = TASK_FORCE) -> str:
    given = organization_pb2.Organization(display_name=world.unique("专班"), org_type=org_type, parent=parent)
    request = rpc.CreateOrganizationRequest(organization=given)
    return str(world.operator(platform).registry.CreateOrganization(request).name)


def refusal(call: Any, *arguments: Any, **more: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments, **more)
    return refused.value


@pytest.mark.parametrize("field", ["display_name", "org_type", "credit_code", "parent"])
def test_a_change_of_what_was_verified_ends_the_verification(platform: Platform, field: str) -> None:
    member = verified(platform, ENTERPRISE)
    values = {
        "display_name": world.unique("改名"),
        "org_type": organization_pb2.ORG_TYPE_RESEARCH_INSTITUTE,
        "credit_code": world.credit_code(),
        "parent": world.organization(platform, ENTERPRISE).name,
    }
    assert update(member.caller, member.name, **{field: values[field]}).verification == UNVERIFIED


def test_a_change_of_anything_else_leaves_it(platform: Platform) -> None:
    member = verified(platform, ENTERPRISE)
    name = read(member.caller, member.name).display_name
    changed = update(member.caller, member.name, region_code="110105", industry_codes=["3973"], display_name=name)
    assert changed.verification == VERIFIED


def test_those_that_it_vouched_for_lose_theirs_with_it(platform: Platform) -> None:
    department, operator = verified(platform, DEPARTMENT), world.operator(platform)
    first, second, unverified = (child(platform, department.name) for _ in range(3))
    company = verified(platform, ENTERPRISE)
    update(operator, company.name, parent=department.name)
    for name in (first, second, company.name):
        verify(platform, name)
    before = {name: read(operator, name) for name in (first, second, unverified, company.name)}
    update(department.caller, department.name, display_name=world.unique("改名"))
    after = {name: read(operator, name) for name in before}
    assert [after[name].verification for name in (first, second, unverified)] == [UNVERIFIED] * 3
    assert after[first].etag != before[first].etag
    assert after[unverified] == before[unverified]
    assert after[company.name] == before[company.name], "a legal person is verified by its own code"
    assert "PARENT_NOT_VERIFIED" in str(refusal(verify, platform, first))


def test_a_parent_fits_when_it_is_set_and_when_it_is_verified(platform: Platform) -> None:
    operator, department = world.operator(platform), verified(platform, DEPARTMENT)
    company, university = world.organization(platform, ENTERPRISE), world.organization(platform, UNIVERSITY)
    college = organization_pb2.ORG_TYPE_SECONDARY_COLLEGE
    for wrong, org_type in ((company, TASK_FORCE), (university, TASK_FORCE), (company, college), (department, college)):
        assert "S0 附件2" in str(refusal(child, platform, wrong.name, org_type))
    task_force = child(platform, department.name)
    assert child(platform, university.name, college)
    assert "S0 附件2" in str(refusal(update, operator, task_force, parent=company.name))
    assert "S0 附件2" in str(refusal(update, operator, task_force, org_type=college))
    update(operator, department.name, org_type=ENTERPRISE)
    verify(platform, department.name)
    assert "PARENT_TYPE" in str(refusal(verify, platform, task_force))


def test_nobody_is_its_own_parent_nor_below_itself(platform: Platform) -> None:
    operator = world.operator(platform)
    first, second, third = (world.organization(platform, ENTERPRISE).name for _ in range(3))
    update(operator, second, parent=first)
    update(operator, third, parent=second)
    for parent in (first, second, third):
        assert refusal(update, operator, first, parent=parent).code() == grpc.StatusCode.INVALID_ARGUMENT
    update(operator, second, parent="")
    assert update(operator, first, parent=third).parent == third


def test_an_external_key_is_the_platforms_to_give(platform: Platform) -> None:
    member, key = world.organization(platform, ENTERPRISE), world.unique("key")
    denied = refusal(update, member.caller, member.name, external_key=key)
    assert denied.code() == grpc.StatusCode.PERMISSION_DENIED
    assert update(world.operator(platform), member.name, external_key=key).external_key == key
    assert update(member.caller, member.name, external_key=key, region_code="110105").external_key == key


def test_codes_and_keys_are_read_by_those_whom_they_concern(platform: Platform) -> None:
    member, key, code = world.organization(platform, ENTERPRISE), world.unique("key"), world.credit_code()
    operator = world.operator(platform)
    parent = world.organization(platform, ENTERPRISE).name
    update(operator, member.name, external_key=key, credit_code=code, parent=parent)
    body, elsewhere = world.alliance(platform), world.alliance(platform)
    world.join(platform, body.name, member)
    subs = {one.name: f"secretariat-{one.name[-12:]}" for one in (body, elsewhere)}
    for name, sub in subs.items():
        world.grant(platform, sub, access_pb2.ROLE_SECRETARIAT, body=name)
    stranger = world.organization(platform, ENTERPRISE)
    seen = {
        operator: True,
        member.caller: True,
        Caller(platform, subs[body.name]): True,
        Caller(platform, subs[elsewhere.name]): False,
        stranger.caller: False,
        Caller(platform, "newcomer", member.name): False,
        Caller(platform): False,
    }
    for caller, whole in seen.items():
        listed = caller.registry.ListOrganizations(
            rpc.ListOrganizationsRequest(display_name=read(operator, member.name).display_name)
        )
        batch = caller.registry.BatchGetOrganizations(rpc.BatchGetOrganizationsRequest(names=[member.name]))
        for found in (read(caller, member.name), listed.organizations[0], batch.organizations[0]):
            assert (found.external_key, found.credit_code) == ((key, code) if whole else ("", "")), caller.sub
            assert (found.name, found.parent) == (member.name, parent)
        by_key = caller.registry.ListOrganizations(rpc.ListOrganizationsRequest(external_key=key)).organizations
        assert [one.name for one in by_key] == ([member.name] if whole else []), caller.sub


def open_findings(platform: Platform, name: str) -> dict[str, int]:
    body = world.operator(platform).registry.GetBody(rpc.GetBodyRequest(name=name))
    return {one.rule: one.verdict for one in body.open_findings}


def write(platform: Platform, name: str, *paths: str, **facts: Any) -> body_pb2.Body:
    request = rpc.UpdateBodyRequest(body=body_pb2.Body(name=name, alliance=body_pb2.AllianceFacts(**facts)), reason="补充")
    request.update_mask.paths.extend(paths or [f"alliance.{fact}" for fact in facts])
    made: body_pb2.Body = world.operator(platform).registry.UpdateBody(request)
    return made


def test_a_fact_that_becomes_false_stays_open(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    write(platform, body.name, secretariat_full_time_staff=0)
    assert open_findings(platform, body.name) == {"R12": VIOLATED, "R13": UNKNOWN}
    write(platform, body.name, secretariat_full_time_staff=1, secretariat_space=True, secretariat_funding=True)
    assert open_findings(platform, body.name) == {"R13": UNKNOWN}


def test_a_council_that_loses_its_chair_says_so(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    registry = world.operator(platform).registry
    listed = registry.ListMemberships(rpc.ListMembershipsRequest(parent=body.name)).memberships
    chair = next(one for one in listed if CHAIR in one.roles)
    registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, reason="退出"))
    assert open_findings(platform, body.name) == {"R11": VIOLATED, **BOTH_UNKNOWN}
    world.join(platform, body.name, world.organization(platform, ENTERPRISE), CHAIR)
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
    vice = next(one for one in listed if VICE in one.roles and SECRETARIAT not in one.roles)
    changed = body_pb2.Membership(name=vice.name, roles=[body_pb2.MEMBER_ROLE_PARTICIPANT])
    request = rpc.UpdateMembershipRequest(membership=changed, reason="调整")
    request.update_mask.paths.append("roles")
    registry.UpdateMembership(request)
    assert open_findings(platform, body.name) == {"R11": VIOLATED, **BOTH_UNKNOWN}


def test_a_member_that_changes_nothing_of_that_makes_no_version_of_the_body(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    registry = world.operator(platform).registry
    before = registry.GetBody(rpc.GetBodyRequest(name=body.name))
    joined = world.join(platform, body.name, world.organization(platform, ENTERPRISE))
    after = registry.GetBody(rpc.GetBodyRequest(name=body.name))
    assert (after.update_time, after.etag) == (before.update_time, joined.etag)


def test_a_draft_has_nothing_open(platform: Platform) -> None:
    body = world.alliance(platform)
    world.join(platform, body.name, world.organization(platform, ENTERPRISE), CHAIR)
    assert open_findings(platform, body.name) == {}


@pytest.mark.parametrize("verb", ["Suspend", "Dissolve"])
def test_nobody_joins_a_body_that_is_suspended_or_dissolved(platform: Platform, verb: str) -> None:
    body, _ = world.formed_alliance(platform)
    registry, newcomer = world.operator(platform).registry, world.organization(platform, ENTERPRISE)
    getattr(registry, f"{verb}Body")(getattr(rpc, f"{verb}BodyRequest")(name=body.name, reason="整改"))
    refused = refusal(world.join, platform, body.name, newcomer)
    assert refused.code() == grpc.StatusCode.FAILED_PRECONDITION
    if verb == "Suspend":
        registry.ResumeBody(rpc.ResumeBodyRequest(name=body.name, reason="整改完成"))
        assert world.join(platform, body.name, newcomer)


def test_an_industry_written_otherwise_is_the_same_industry(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    industry = body.alliance.key_industry
    second, _ = world.formed_alliance(platform)
    twisted = f" {industry[:2]}\u3000{industry[2:]} "
    assert "R10" in str(refusal(write, platform, second.name, key_industry=twisted))
    draft = body_pb2.Body(display_name=world.unique("联盟"), kind=body_pb2.BODY_KIND_ALLIANCE)
    draft.alliance.key_industry = twisted
    registry = world.operator(platform).registry
    made = registry.CreateBody(rpc.CreateBodyRequest(body=draft))
    assert made.alliance.key_industry == industry
    said = registry.CheckBody(rpc.CheckBodyRequest(name=made.name))
    assert next(one.verdict for one in said.findings if one.rule == "R10") == VIOLATED


def test_a_seat_that_is_given_up_later_is_held_until_then(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    registry = world.operator(platform).registry
    listed = registry.ListMemberships(rpc.ListMembershipsRequest(parent=body.name)).memberships
    chair = next(one for one in listed if CHAIR in one.roles)
    last = date.fromisoformat(chair.valid_from) + timedelta(days=1)
    registry.EndMembership(rpc.EndMembershipRequest(name=chair.name, valid_to=last.isoformat(), reason="退出"))
    assert open_findings(platform, body.name) == BOTH_UNKNOWN
