"""Applications on real parts: what each step records, what it does to the body, what a deadline does."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, document_service_pb2, organization_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.clock import business_date
from chassis.ids import resource
from tests import world
from tests.applying import (
    COLLEGE,
    DEPARTMENT,
    ENTERPRISE,
    UNIVERSITY,
    YEAR,
    begun,
    called,
    community,
    move,
    pilot,
    placed,
    refusal,
    state_of,
    take,
)
from tests.waiting import until
from tests.world import Member


def test_a_community_goes_from_its_draft_to_the_ministry(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    call = called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099)
    assert (call.opens_on, call.closes_on) == ("2099-01-01", "2099-10-31")
    made = begun(leads[0], call, body=body.name)
    assert made.due_on == call.closes_on
    steps = leads[0].caller.applications.GetProcedure(rpc.GetProcedureRequest(application=made.name)).steps
    assert {one.step: list(one.optional_inputs) for one in steps if one.optional_inputs} == {"start_sealing": ["organization"]}
    assert next(one.parties for one in steps if one.step == "start_sealing") == ["申报单位 · the applicant"]
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    for sealer in (*leads, province):
        take(sealer, made.name, "seal")
    assert "WINDOW_CLOSED" in refusal(take, leads[0], made.name, "submit", "SEALED_FORM")
    asyncio.run(move(platform, call.name, opens_on="2020-01-01"))
    take(leads[0], made.name, "submit", "SEALED_FORM")
    take(province, made.name, "approve")
    done = take(ministry, made.name, "accept", reason="入库")
    assert done.state == pb.APPLICATION_STATE_RUNNING
    assert state_of(platform, body.name) == body_pb2.BODY_STATE_FORMED
    world.join(platform, body.name, world.organization(platform, ENTERPRISE))  # a body that was formed goes on
    assert [one.step for one in done.steps] == ["start_sealing", *["seal"] * 4, "submit", "approve", "accept"]
    assert {one.organization for one in done.steps} == {one.name for one in (*leads, province, ministry)}
    assert all(one.actor and one.HasField("take_time") for one in done.steps)


def placed_in(member: Member, region: str) -> None:
    """Let an organization, by its own word, be somewhere else."""
    given = organization_pb2.Organization(name=member.name, region_code=region)
    request = registry_service_pb2.UpdateOrganizationRequest(organization=given)
    request.update_mask.paths.append("region_code")
    member.caller.registry.UpdateOrganization(request)


def test_a_community_is_not_handed_in_by_way_of_a_province_that_no_lead_is_in_any_more(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    call = called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099)
    asyncio.run(move(platform, call.name, opens_on="2020-01-01"))
    made = begun(leads[0], call, body=body.name)
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    for sealer in (*leads, province):
        take(sealer, made.name, "seal")
    for step in ("submit", "resubmit"):
        placed_in(leads[1], "440000")
        assert "NOT_A_PROVINCE_OF_A_LEAD" in refusal(take, leads[0], made.name, step, "SEALED_FORM")
        placed_in(leads[1], "120100")
        assert take(leads[0], made.name, step, "SEALED_FORM").state == pb.APPLICATION_STATE_SUBMITTED
        placed_in(leads[1], "440000")
        told = refusal(take, province, made.name, "approve")
        assert all(part in told for part in ("NOT_A_PROVINCE_OF_A_LEAD", "start_sealing"))
        take(province, made.name, "return", reason="补正")


def rewrite(caller: Caller, body: str, **facts: Any) -> body_pb2.Body:
    """Change facts of a pilot."""
    given = body_pb2.Body(name=body, pilot_unit=body_pb2.PilotUnitFacts(**facts))
    request = registry_service_pb2.UpdateBodyRequest(body=given, reason="更正")
    request.update_mask.paths.extend(f"pilot_unit.{fact}" for fact in facts)
    made: body_pb2.Body = caller.registry.UpdateBody(request)
    return made


def test_what_was_submitted_of_a_body_stays_until_it_comes_back(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, operator = placed(platform, ENTERPRISE, "110000"), world.operator(platform)
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    world.grant(platform, university.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    assert rewrite(university.caller, body.name, major_code="080902").pilot_unit.major_code == "080902", "a draft's"
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    for caller in (university.caller, operator):
        told = refusal(rewrite, caller, body.name, major_code="130101")
        assert all(
            part in told for part in ("HANDED_IN", made.name, "return by the authority", "withdraw by the applicant")
        ), told
    keyed = body_pb2.Body(name=body.name, external_key=world.unique("键"))
    request = registry_service_pb2.UpdateBodyRequest(body=keyed, reason="对接")
    request.update_mask.paths.append("external_key")
    operator.registry.UpdateBody(request)  # that is not handed in
    take(centre, made.name, "return", reason="专业代码有误")
    assert rewrite(university.caller, body.name, major_code="130101").pilot_unit.major_code == "130101"


def test_a_draft_is_not_dissolved_below_its_application(platform: Platform) -> None:
    body, university = pilot(platform)
    operator = world.operator(platform).registry
    centre = placed(platform, ENTERPRISE, "110000")
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    dissolve = registry_service_pb2.DissolveBodyRequest(name=body.name, reason="不再筹建")
    assert "withdraw" in refusal(operator.DissolveBody, dissolve), "a draft can be submitted yet"
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    told = refusal(operator.DissolveBody, dissolve)
    assert all(part in told for part in ("APPLIED_FOR", made.name, "withdraw")), told
    take(university, made.name, "withdraw", reason="不再筹建")
    operator.DissolveBody(dissolve)
    assert state_of(platform, body.name) == body_pb2.BODY_STATE_DISSOLVED


def test_the_members_that_a_form_is_sealed_for_stay_but_who_wants_to_leave(platform: Platform) -> None:
    body, leads = community(platform)
    leaver, newcomer = world.organization(platform, ENTERPRISE), world.organization(platform, UNIVERSITY)
    joined = world.join(platform, body.name, leaver)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    made = begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    registry = world.operator(platform).registry
    changed = body_pb2.Membership(name=joined.name, roles=[body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY])
    update = registry_service_pb2.UpdateMembershipRequest(membership=changed, reason="更换")
    update.update_mask.paths.append("roles")
    end = registry_service_pb2.EndMembershipRequest(name=joined.name, reason="退出")
    assert "reopen" in refusal(registry.UpdateMembership, update)
    assert "HANDED_IN" in refusal(world.join, platform, body.name, newcomer)
    assert "HANDED_IN" in refusal(registry.EndMembership, end)
    assert leaver.caller.registry.EndMembership(end).valid_to
    take(leads[0], made.name, "reopen", reason="更换成员")
    assert world.join(platform, body.name, newcomer).name


def test_a_province_that_is_dropped_reads_the_draft_no_more(platform: Platform) -> None:
    body, leads = community(platform)
    ministry = placed(platform, DEPARTMENT, "110000")
    first, second = placed(platform, DEPARTMENT, "120000", "教育厅"), placed(platform, DEPARTMENT, "310000", "教委")
    made = begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    read = rpc.GetApplicationRequest(name=made.name)
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=first.name)
    (paper, *_) = first.caller.applications.GetApplication(read).documents
    document = document_service_pb2.GetDocumentRequest(name=paper.document)
    assert first.caller.documents.GetDocument(document).name == paper.document
    take(leads[0], made.name, "reopen", reason="更换推荐省份")
    assert "NOT_FOUND" in refusal(first.caller.applications.GetApplication, read)
    assert "NOT_FOUND" in refusal(first.caller.documents.GetDocument, document)
    take(leads[0], made.name, "start_sealing", named_organization=second.name)
    assert "NOT_FOUND" in refusal(first.caller.applications.GetApplication, read)
    assert second.caller.applications.GetApplication(read).name == made.name


def test_who_decides_on_a_draft_reads_it_until_its_application_ends(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    stranger = placed(platform, DEPARTMENT, "120000", "教育厅")
    get = registry_service_pb2.GetBodyRequest(name=body.name)
    members = registry_service_pb2.ListMembershipsRequest(parent=body.name)
    check = registry_service_pb2.CheckBodyRequest(name=body.name)

    def reads(member: Member) -> bool:
        registry = member.caller.registry
        found = {one.organization for one in registry.ListMemberships(members).memberships}
        if not found:
            assert "NOT_FOUND" in refusal(registry.GetBody, get)
            assert "PERMISSION_DENIED" in refusal(registry.CheckBody, check)
            return False
        assert found == {lead.name for lead in leads}
        assert registry.GetBody(get).community.industry_code == "39"
        assert registry.CheckBody(check).findings
        return True

    assert not reads(ministry)
    made = begun(leads[0], called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099), body=body.name)
    assert reads(ministry)
    assert not reads(province), "nobody has named it yet"
    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    assert reads(province)
    assert not reads(stranger)
    take(leads[0], made.name, "reopen", reason="修改")
    assert not reads(province)
    take(leads[0], made.name, "withdraw", reason="不再申报")
    assert not reads(ministry)


def test_a_body_has_one_application_at_a_time_and_is_not_formed_without(platform: Platform) -> None:
    body, university = pilot(platform)
    call = called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT)
    made = begun(university, call, body=body.name)
    assert "APPLICATION_EXISTS" in refusal(begun, university, call, body=body.name)
    world.grant(platform, university.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    request = registry_service_pb2.FormBodyRequest(name=body.name)
    assert "PERMISSION_DENIED" in refusal(university.caller.registry.FormBody, request)
    take(university, made.name, "withdraw", reason="重新准备")
    assert begun(university, call, body=body.name).state == pb.APPLICATION_STATE_DRAFT


def test_what_is_not_handed_in_lapses_after_the_last_day(platform: Platform) -> None:
    body, university = pilot(platform)
    centre = placed(platform, ENTERPRISE, "110000")
    call = called(platform, centre, pb.PROGRAMME_PILOT, closes_on="2099-12-31")
    made = begun(university, call, body=body.name)
    assert made.due_on == "2099-12-31"
    asyncio.run(move(platform, call.name, closes_on="2020-12-31"))
    read = rpc.GetApplicationRequest(name=made.name)

    def lapsed() -> bool:
        return bool(university.caller.applications.GetApplication(read).state == pb.APPLICATION_STATE_LAPSED)

    asyncio.run(until(lapsed))
    last = university.caller.applications.GetApplication(read).steps[-1]
    assert (last.step, last.actor, last.organization) == ("lapse", "service:registry", "")


async def _fill(platform: Platform, application: str, steps: int) -> None:
    """Let an application have so many steps."""
    registry = await asyncpg.connect(platform.database_url("registry"))
    content = await registry.fetchval("SELECT content FROM application WHERE name = $1", application)
    message = pb.Application.FromString(content)
    for _ in range(steps):
        message.steps.add(step="withdraw", state=message.state).take_time.FromDatetime(datetime.now(UTC))
    content = message.SerializeToString()
    await registry.execute("UPDATE application SET content = $2 WHERE name = $1", application, content)
    await registry.close()


def test_a_full_list_of_steps_holds_up_no_last_day(platform: Platform) -> None:
    body, university = pilot(platform)
    call = called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT, closes_on="2099-12-31")
    made = begun(university, call, body=body.name)
    asyncio.run(_fill(platform, made.name, 500))
    assert "TOO_MANY_STEPS" in refusal(take, university, made.name, "withdraw", reason="撤回")
    asyncio.run(move(platform, call.name, closes_on="2020-12-31"))
    read = rpc.GetApplicationRequest(name=made.name)
    lapsed = pb.APPLICATION_STATE_LAPSED
    world.until(lambda: university.caller.applications.GetApplication(read).state == lapsed)
    assert len(university.caller.applications.GetApplication(read).steps) == 501


def test_a_call_that_has_closed_is_not_answered(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    today = business_date(call.create_time.ToDatetime(tzinfo=UTC))
    asyncio.run(move(platform, call.name, closes_on=(today - timedelta(days=1)).isoformat()))
    assert "WINDOW_CLOSED" in refusal(begun, company, call)
    asyncio.run(move(platform, call.name, closes_on=today.isoformat()))
    assert begun(company, call).state == pb.APPLICATION_STATE_DRAFT


def test_who_decides_is_verified_and_a_department_where_the_documents_say_so(platform: Platform) -> None:
    unknown = world.organization(platform, DEPARTMENT)
    assert "has to be verified" in refusal(called, platform, unknown, pb.PROGRAMME_CERTIFICATION)
    company, college = placed(platform, ENTERPRISE, "110000"), placed(platform, UNIVERSITY, "110000")
    for one in (company, college):
        for programme in (pb.PROGRAMME_CERTIFICATION, pb.PROGRAMME_COMMUNITY, pb.PROGRAMME_PERFORMANCE):
            assert "a government department" in refusal(called, platform, one, programme)
    nobody = Member("", world.operator(platform))
    assert "it is required" in refusal(called, platform, nobody, pb.PROGRAMME_CERTIFICATION)


def test_a_university_alone_takes_in_employees_as_graduates(platform: Platform) -> None:
    """Master's and doctoral degrees are its own (S0 三(二)); a pilot's call stays whoever's it is (S4)."""
    university = placed(platform, UNIVERSITY, "110000")
    unknown = world.organization(platform, COLLEGE)
    assert "a university decides" in refusal(called, platform, unknown, pb.PROGRAMME_EMPLOYEE_INTAKE), "verified or not"
    for org_type in (COLLEGE, organization_pb2.ORG_TYPE_VOCATIONAL_UNDERGRADUATE, DEPARTMENT, ENTERPRISE):
        told = refusal(called, platform, placed(platform, org_type, "110000"), pb.PROGRAMME_EMPLOYEE_INTAKE)
        assert "S0 三(二)" in told
        assert "a university decides" in told
    assert called(platform, university, pb.PROGRAMME_EMPLOYEE_INTAKE).authority == university.name
    assert called(platform, university, pb.PROGRAMME_PILOT).authority == university.name


def test_a_call_that_has_closed_bars_no_other_of_the_year(platform: Platform) -> None:
    """A second round, or another day in place of a wrong one."""
    commission = placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    today = business_date(call.create_time.ToDatetime(tzinfo=UTC))
    assert call.name in refusal(called, platform, commission, pb.PROGRAMME_CERTIFICATION)
    asyncio.run(move(platform, call.name, closes_on=str(today + timedelta(days=1))))
    assert call.name in refusal(called, platform, commission, pb.PROGRAMME_CERTIFICATION)
    asyncio.run(move(platform, call.name, closes_on=str(today - timedelta(days=1))))
    again = called(platform, commission, pb.PROGRAMME_CERTIFICATION, closes_on="2099-12-31")
    assert again.name != call.name
    assert again.name in refusal(called, platform, commission, pb.PROGRAMME_CERTIFICATION)


@pytest.mark.parametrize(("closes", "may"), [("2024-12-31", False), ("2025-01-01", True)])
def test_a_call_closes_in_its_year_or_near_it(platform: Platform, closes: str, may: bool) -> None:
    commission = placed(platform, DEPARTMENT, "110000")
    if may:
        assert called(platform, commission, pb.PROGRAMME_PERFORMANCE, YEAR, closes_on=closes).closes_on == closes
    else:
        told = refusal(called, platform, commission, pb.PROGRAMME_PERFORMANCE, YEAR, closes_on=closes)
        assert f"does not close on {closes}" in told


@pytest.mark.parametrize(("opens", "closes", "is_open"), [(1, 9, False), (0, 9, True), (-9, 0, True), (-9, -1, False)])
def test_the_dates_of_a_call_count_in_every_programme(platform: Platform, opens: int, closes: int, is_open: bool) -> None:
    """A challenge is published within them, and not begun after them: the day before, the first, the last, the day after."""
    body, council = world.formed_alliance(platform)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CHALLENGE)
    made = begun(council[0], call, body=body.name)
    today = business_date(call.create_time.ToDatetime(tzinfo=UTC))
    first, last = str(today + timedelta(days=opens)), str(today + timedelta(days=closes))
    asyncio.run(move(platform, call.name, opens_on=first, closes_on=last))
    if is_open:
        assert take(council[0], made.name, "publish").state == pb.APPLICATION_STATE_ANSWERING
    else:
        told = refusal(take, council[0], made.name, "publish")
        assert all(one in told for one in ("WINDOW_CLOSED", call.name, str(today), first if opens > 0 else "call list"))
    if closes < 0:
        assert call.name in refusal(begun, council[0], call, body=body.name)
    else:
        assert begun(council[0], call, body=body.name).state == pb.APPLICATION_STATE_DRAFT


def test_a_challenge_names_a_listing_and_a_day_that_is_to_come(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CHALLENGE)
    for listing in ("listings/x", council[0].name):
        assert "the name of the listing" in refusal(begun, council[0], call, body=body.name, challenge={"listing": listing})
    today = business_date(call.create_time.ToDatetime(tzinfo=UTC))
    facts = {"listing": resource("listings"), "due_on": str(today - timedelta(days=1))}
    made = begun(council[0], call, body=body.name, challenge=facts)
    assert "DAY_IS_PAST" in refusal(take, council[0], made.name, "publish")
    facts["due_on"] = str(today + timedelta(days=1))  # the clock may pass midnight
    request = rpc.UpdateApplicationRequest(application={"name": made.name, "challenge": facts})  # type: ignore[arg-type]
    request.update_mask.paths.append("challenge")
    council[0].caller.applications.UpdateApplication(request)
    assert take(council[0], made.name, "publish").state == pb.APPLICATION_STATE_ANSWERING


def test_what_is_missing_or_no_day_is_told_as_such(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CHALLENGE)
    assert "name the body (see body list)" in refusal(begun, council[0], call)
    assert "is not in the register" in refusal(begun, council[0], call, body=resource("bodies"))
    made = begun(council[0], call, body=body.name)
    for day in ("2027-13-01", "20270301", "明天"):
        assert "a day of the calendar, as 2026-01-31" in refusal(take, council[0], made.name, "start", day=day)
    assert "ILLEGAL_STATE" in refusal(take, council[0], made.name, "start", day="2027-12-01")


def test_a_warning_comes_whenever_it_has_to(platform: Platform) -> None:
    school, department = placed(platform, UNIVERSITY, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, department, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    asyncio.run(move(platform, call.name, closes_on="2020-12-31"))
    assert "WINDOW_CLOSED" in refusal(begun, school, call)
    facts = pb.MajorAdjustmentFacts(major_code="080901")
    made = begun(department, call, school.name, major_adjustment=facts)
    assert take(department, made.name, "warn", reason="就业率低").state == pb.APPLICATION_STATE_WARNED
