"""Bodies in the register: who joins, which industry or major is whose, whom a pilot or support unit names."""

from datetime import date, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.control import Platform
from tests import world
from tests.component.register.asking import (
    ENTERPRISE,
    SATISFIED,
    UNIVERSITY,
    VIOLATED,
    child,
    refusal,
    said,
    update,
    verified,
    verify,
    write,
)


def test_who_left_joins_again_the_day_after_its_last(platform: Platform) -> None:
    """The last day of a membership belongs to it; the refusal says which day is the first that is possible."""
    body, member = world.alliance(platform), world.organization(platform, ENTERPRISE)
    registry = world.operator(platform).registry

    def joined(since: str, until: str = "") -> body_pb2.Membership:
        role = body_pb2.MEMBER_ROLE_PARTICIPANT
        given = body_pb2.Membership(organization=member.name, roles=[role], valid_from=since, valid_to=until)
        made: body_pb2.Membership = registry.CreateMembership(rpc.CreateMembershipRequest(parent=body.name, membership=given))
        return made

    first = joined("2026-01-01")
    told = str(refusal(joined, "2026-03-01"))
    assert first.name in told
    assert "change-member" in told, "it has no end: no day is possible"
    registry.EndMembership(rpc.EndMembershipRequest(name=first.name, valid_to="2026-01-31", reason="退出"))
    assert "2026-02-01" in str(refusal(joined, "2026-01-31"))
    joined("2026-02-01", "2026-02-28")
    assert "2026-03-01" in str(refusal(joined, "2026-01-31")), "after both"
    joined("2026-03-01")


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


@pytest.mark.parametrize(("days_ago", "comes_back"), [(0, True), (1, False)])
def test_a_suspended_body_takes_no_member_back(platform: Platform, days_ago: int, comes_back: bool) -> None:
    """Who is a member today may stay on; whose membership is over is a newcomer."""
    body, _ = world.formed_alliance(platform)
    registry, joined = world.operator(platform).registry, date.fromisoformat(body.formed_on)
    last = str(joined - timedelta(days=days_ago))
    made = world.join(platform, body.name, world.organization(platform, UNIVERSITY), since="2020-01-01")
    ended = registry.EndMembership(rpc.EndMembershipRequest(name=made.name, valid_to=last, reason="退出"))
    registry.SuspendBody(rpc.SuspendBodyRequest(name=body.name, reason="整改"))
    ended.valid_to = ""
    request = rpc.UpdateMembershipRequest(membership=ended, update_mask=FieldMask(paths=["valid_to"]))
    if comes_back:
        assert not registry.UpdateMembership(request).valid_to
    else:
        assert refusal(registry.UpdateMembership, request).code() == grpc.StatusCode.FAILED_PRECONDITION


def test_an_update_that_changes_nothing_is_no_change(platform: Platform) -> None:
    """As with listings and feeds: no new version, no event, no line in the history."""
    body, _ = world.formed_alliance(platform)
    member = world.organization(platform, UNIVERSITY)
    joined, operator = world.join(platform, body.name, member), world.operator(platform)
    before, organization = (
        write(platform, body.name, key_industry="集成电路"),
        update(operator, member.name, region_code="110000"),
    )
    assert write(platform, body.name, key_industry="集成电路").etag == before.etag
    assert update(operator, member.name, region_code="北京市").etag == organization.etag

    def given(*roles: body_pb2.MemberRole.ValueType) -> body_pb2.Membership:
        membership = body_pb2.Membership(name=joined.name, roles=roles)
        request = rpc.UpdateMembershipRequest(membership=membership, update_mask=FieldMask(paths=["roles"]), reason="更正")
        made: body_pb2.Membership = operator.registry.UpdateMembership(request)
        return made

    vice, lead = body_pb2.MEMBER_ROLE_VICE_CHAIR, body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY
    assert given(*joined.roles).etag == joined.etag
    assert given(vice, lead).etag == given(lead, vice).etag != joined.etag
    assert update(operator, member.name, region_code="天津市").etag != organization.etag


def test_a_body_says_when_its_last_suspension_began_and_ended(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    registry, today = world.operator(platform).registry, body.formed_on
    assert (body.suspended_on, body.resumed_on) == ("", "")
    for _ in range(2):  # the second time like the first
        suspended = registry.SuspendBody(rpc.SuspendBodyRequest(name=body.name, reason="整改"))
        assert (suspended.suspended_on, suspended.resumed_on) == (today, "")
        resumed = registry.ResumeBody(rpc.ResumeBodyRequest(name=body.name, reason="整改完成"))
        assert (resumed.suspended_on, resumed.resumed_on) == (today, today)
    mask = FieldMask(paths=["suspended_on"])
    refused = refusal(registry.UpdateBody, rpc.UpdateBodyRequest(body=resumed, update_mask=mask))
    assert refused.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_an_industry_written_otherwise_is_the_same_industry(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    industry = body.alliance.key_industry
    second, _ = world.formed_alliance(platform)
    for wording in ("{}产业", "{}行业", "{}领域", "{}产业行业领域", "{}产业链", "重点产业：{}", "{}（核心）", "“{}”"):
        assert "R10" in str(refusal(write, platform, second.name, key_industry=wording.format(industry))), wording
    assert write(platform, second.name, key_industry=f"{industry}设备产业").alliance.key_industry == f"{industry}设备产业"
    twisted = f" {industry[:2]}\u3000{industry[2:]} "
    assert "R10" in str(refusal(write, platform, second.name, key_industry=twisted))
    draft = body_pb2.Body(display_name=world.unique("联盟"), kind=body_pb2.BODY_KIND_ALLIANCE)
    draft.alliance.key_industry = twisted
    registry = world.operator(platform).registry
    made = registry.CreateBody(rpc.CreateBodyRequest(body=draft))
    assert made.alliance.key_industry == industry
    said = registry.CheckBody(rpc.CheckBodyRequest(name=made.name))
    assert next(one.verdict for one in said.findings if one.rule == "R10") == VIOLATED


def test_the_councils_of_a_plan_are_not_those_of_the_next(platform: Platform) -> None:
    body, year = world.alliance(platform).name, date.today().year
    planned = write(platform, body, annual_plan_year=year, full_councils_in_year=2)
    assert planned.alliance.full_councils_in_year == 2
    assert write(platform, body, three_year_goals=True).alliance.full_councils_in_year == 2
    assert write(platform, body, annual_plan_year=year).alliance.full_councils_in_year == 2, "the same year"
    assert not write(platform, body, annual_plan_year=year + 1).alliance.HasField("full_councils_in_year")
    assert write(platform, body, annual_plan_year=year, full_councils_in_year=2).alliance.full_councils_in_year == 2
    before_any_plan = world.alliance(platform).name
    write(platform, before_any_plan, full_councils_in_year=2)
    assert write(platform, before_any_plan, annual_plan_year=year).alliance.full_councils_in_year == 2


def pilot(platform: Platform, institution: str, major: str, **facts: Any) -> body_pb2.Body:
    """A draft of a pilot unit."""
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit=body_pb2.PilotUnitFacts(institution=institution, major_code=major, call_year=2026, **facts),
    )
    made: body_pb2.Body = world.operator(platform).registry.CreateBody(rpc.CreateBodyRequest(body=given))
    return made


def test_what_is_missing_is_what_was_not_entered(platform: Platform) -> None:
    registry, university = world.operator(platform).registry, verified(platform, UNIVERSITY)
    facts = body_pb2.PilotUnitFacts(institution=university.name)
    draft = body_pb2.Body(display_name=world.unique("试点"), kind=body_pb2.BODY_KIND_PILOT_UNIT, pilot_unit=facts)
    made = registry.CreateBody(rpc.CreateBodyRequest(body=draft))
    said = registry.CheckBody(rpc.CheckBodyRequest(name=made.name))
    assert next(list(one.missing) for one in said.findings if one.rule == "R21.2") == ["major_code", "call_year"]


def test_an_institution_has_two_pilots_of_two_majors_in_a_call(platform: Platform) -> None:
    registry = world.operator(platform).registry
    university = verified(platform, UNIVERSITY)
    first, again, second, third = (
        pilot(platform, university.name, major) for major in ("080901", "080901", "080902", "080903")
    )
    registry.FormBody(rpc.FormBodyRequest(name=first.name, reason="遴选确定"))
    assert "R21.2" in str(refusal(registry.FormBody, rpc.FormBodyRequest(name=again.name)))
    registry.FormBody(rpc.FormBodyRequest(name=second.name, reason="遴选确定"))
    assert "R21.2" in str(refusal(registry.FormBody, rpc.FormBodyRequest(name=third.name)))
    changed = body_pb2.Body(name=second.name, pilot_unit=body_pb2.PilotUnitFacts(major_code="080901"))
    request = rpc.UpdateBodyRequest(body=changed, reason="更正")
    request.update_mask.paths.append("pilot_unit.major_code")
    assert "R21.2" in str(refusal(registry.UpdateBody, request))
    later = pilot(platform, university.name, "080901")
    next_call = body_pb2.Body(name=later.name, pilot_unit=body_pb2.PilotUnitFacts(call_year=2027))
    request = rpc.UpdateBodyRequest(body=next_call, reason="下一年度")
    request.update_mask.paths.append("pilot_unit.call_year")
    registry.UpdateBody(request)
    assert registry.FormBody(rpc.FormBodyRequest(name=later.name)).state == body_pb2.BODY_STATE_FORMED


def test_a_pilot_is_run_by_a_college_of_its_own_institution(platform: Platform) -> None:
    university, other = verified(platform, UNIVERSITY), verified(platform, UNIVERSITY)
    college = organization_pb2.ORG_TYPE_SECONDARY_COLLEGE
    for parent, verdict in ((university, SATISFIED), (other, VIOLATED)):
        own = child(platform, parent.name, college)
        body = pilot(platform, university.name, "080901", college=own)
        assert said(platform, body.name, "R21.1").verdict == VIOLATED, "anybody can name a parent"
        verify(platform, own)
        assert said(platform, body.name, "R21.1").verdict == verdict
    for one in (verified(platform, ENTERPRISE), world.organization(platform, UNIVERSITY)):
        assert said(platform, pilot(platform, one.name, "080901").name, "R21.1").verdict == VIOLATED


def test_a_support_unit_is_a_verified_legal_person(platform: Platform) -> None:
    company = world.organization(platform, ENTERPRISE)
    given = body_pb2.Body(
        display_name=world.unique("支撑"),
        kind=body_pb2.BODY_KIND_SUPPORT_UNIT,
        support_unit=body_pb2.SupportUnitFacts(unit=company.name),
    )
    body = world.operator(platform).registry.CreateBody(rpc.CreateBodyRequest(body=given))
    assert said(platform, body.name, "R25.1").verdict == VIOLATED
    update(world.operator(platform), company.name, credit_code=world.credit_code())
    verify(platform, company.name)
    assert said(platform, body.name, "R25.1").verdict == SATISFIED


@pytest.mark.parametrize("field", ["institution", "college"])
def test_whom_a_pilot_names_is_in_the_register(platform: Platform, field: Any) -> None:
    nobody = world.organization(platform, UNIVERSITY).name[:-4] + "ffff"
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit={field: nobody},  # type: ignore[arg-type]
    )
    registry = world.operator(platform).registry
    assert nobody in str(refusal(registry.CreateBody, rpc.CreateBodyRequest(body=given)))
