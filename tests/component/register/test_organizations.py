"""Organizations in the register: what a verification vouches for, who is above whom, whose keys are whose."""

import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.component.register.asking import (
    DEPARTMENT,
    ENTERPRISE,
    TASK_FORCE,
    UNIVERSITY,
    child,
    read,
    refusal,
    update,
    verified,
    verify,
)

VERIFIED, UNVERIFIED = organization_pb2.VERIFICATION_STATE_VERIFIED, organization_pb2.VERIFICATION_STATE_UNVERIFIED


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
    same = update(member.caller, member.name, display_name=f"\u3000{name} \u200b")
    assert (same.display_name, same.etag) == (name, changed.etag), "a blank that nobody sees is no other name"
    assert "can't be seen" in str(refusal(update, member.caller, member.name, display_name=f"{name[:2]}\u200b{name[2:]}"))


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


def test_the_same_industries_in_another_order_are_no_change(platform: Platform) -> None:
    member = world.organization(platform, ENTERPRISE)
    first = update(member.caller, member.name, industry_codes=["3974", "3973"])
    again = update(member.caller, member.name, industry_codes=["3973", "3974"])
    assert (again.etag, list(again.industry_codes)) == (first.etag, ["3974", "3973"])
    assert update(member.caller, member.name, industry_codes=["3973"]).etag != first.etag


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
    subs = {one.name: one.name.rpartition("/")[2] for one in (body, elsewhere)}
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
