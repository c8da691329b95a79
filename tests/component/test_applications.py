"""Applications on real parts: who may do what, what each step records, what it does to the body, what a deadline does."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import asyncpg
import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2, registry_service_pb2
from alliance.registry.v1 import document_service_pb2 as documents
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.clock import business_date
from tests import papers, world
from tests.applying import (
    COLLEGE,
    DEPARTMENT,
    ENTERPRISE,
    UNIVERSITY,
    YEAR,
    begun,
    called,
    college_of,
    community,
    expert,
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
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000")
    call = called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099)
    assert (call.opens_on, call.closes_on) == ("2099-01-01", "2099-10-31")
    made = begun(leads[0], call, body=body.name)
    assert made.due_on == call.closes_on
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
        assert all(part in told for part in ("HANDED_IN", made.name, "return, withdraw")), told
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
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000")
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


def test_a_pilot_is_reviewed_by_experts_without_an_interest_and_formed(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, institute = placed(platform, ENTERPRISE, "110000"), placed(platform, ENTERPRISE, "110000")
    call = called(platform, centre, pb.PROGRAMME_PILOT)
    made = begun(university, call, body=body.name)
    assert "PLATFORM_RECEIPT" in refusal(take, university, made.name, "submit", "SEALED_FORM")
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    assert "NOT_THE_PARTY" in refusal(take, university, made.name, "qualify")
    take(centre, made.name, "qualify")
    own = expert(platform, university)
    for named in (university, institute):  # in whosever name
        assign = {"named_organization": named.name, "named_principal": own.caller.sub}
        assert "CONFLICT_OF_INTEREST" in refusal(take, centre, made.name, "assign_expert", **assign)
    dean = expert(platform, college_of(platform, university))
    stranger = {"named_organization": institute.name, "named_principal": "somebody"}
    assert "NOT_OF_THE_ORGANIZATION" in refusal(take, centre, made.name, "assign_expert", **stranger)
    for person, other in ((dean, institute), (centre, centre)):
        assign = {"named_organization": other.name, "named_principal": person.caller.sub}
        assert "CONFLICT_OF_INTEREST" in refusal(take, centre, made.name, "assign_expert", **assign)
    judge = expert(platform, institute)
    assert "NOT_FOUND" in refusal(take, judge, made.name, "score", score=80, reason="可行")
    take(centre, made.name, "assign_expert", named_organization=institute.name, named_principal=judge.caller.sub)
    assert "INPUT_REQUIRED" in refusal(take, judge, made.name, "score")
    assert "score" in refusal(take, judge, made.name, "score", score=101, reason="可行")
    assert "SCORES_MISSING" in refusal(take, centre, made.name, "select")
    absent = expert(platform, institute)
    read = rpc.GetApplicationRequest(name=made.name)
    take(centre, made.name, "assign_expert", named_organization=institute.name, named_principal=absent.caller.sub)
    take(centre, made.name, "unassign_expert", named_principal=absent.caller.sub, reason="无法参加")
    assert "NOT_FOUND" in refusal(Caller(platform, absent.caller.sub).applications.GetApplication, read)
    own_since = world.grant(platform, judge.caller.sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=university.name)
    assert "CONFLICT_OF_INTEREST" in refusal(take, judge, made.name, "score", score=80, reason="可行")
    revoke = registry_service_pb2.RevokeGrantRequest(name=own_since.name, reason="已离职")
    world.operator(platform).registry.RevokeGrant(revoke)
    take(judge, made.name, "score", score=80, reason="可行")
    done = take(centre, made.name, "select")
    assert (done.state, done.steps[-2].score) == (pb.APPLICATION_STATE_RUNNING, 80)
    assert done.due_on[:4] == str(business_date(done.steps[-1].take_time.ToDatetime(tzinfo=UTC)).year + 2)
    assert state_of(platform, body.name) == body_pb2.BODY_STATE_FORMED
    take(centre, made.name, "remove", reason="考核不合格")
    assert state_of(platform, body.name) == body_pb2.BODY_STATE_DISSOLVED


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


def major_of(platform: Platform, university: Member, major: str, year: int | None = YEAR) -> str:
    """A draft of another pilot of a university."""
    given = body_pb2.Body(
        display_name=world.unique("试点"),
        kind=body_pb2.BODY_KIND_PILOT_UNIT,
        pilot_unit=body_pb2.PilotUnitFacts(institution=university.name, major_code=major, call_year=year),
    )
    made = world.operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    return str(made.name)


def test_an_institution_applies_for_two_majors_in_a_call(platform: Platform) -> None:
    university = placed(platform, UNIVERSITY, "110000")
    call = called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT)
    submit = ("submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    for major, year in (("080901", YEAR), ("080902", YEAR - 1)):  # whatever is entered: the call's year counts
        take(university, begun(university, call, body=major_of(platform, university, major, year)).name, *submit)
    for major, entered in (("080903", YEAR), ("080903", YEAR + 1), ("080903", None), ("080901", None)):
        made = begun(university, call, body=major_of(platform, university, major, entered))
        assert "R21.2" in refusal(take, university, made.name, *submit)
    later = called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT, YEAR + 1)
    made = begun(university, later, body=major_of(platform, university, "080901", YEAR))
    assert take(university, made.name, *submit).state == pb.APPLICATION_STATE_SUBMITTED


def test_two_applications_for_one_major_are_not_submitted_together(platform: Platform) -> None:
    call = called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT)
    for _ in range(3):
        university = placed(platform, UNIVERSITY, "110000")
        made = [begun(university, call, body=major_of(platform, university, "080901")).name for _ in range(2)]
        given = papers.attached(university, "SEALED_FORM", "PLATFORM_RECEIPT")

        def submitted(name: str, member: Member = university, given: Any = given) -> str:
            try:
                member.caller.applications.TakeStep(rpc.TakeStepRequest(name=name, step="submit", documents=given))
            except grpc.RpcError as refused:
                return str(refused)
            return ""

        with ThreadPoolExecutor(2) as both:
            told = sorted(both.map(submitted, made))
        assert told[0] == "", told
        assert "R21.2" in told[1]


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
def test_a_secondary_college_acts_for_its_university_and_no_other_child_does(platform: Platform, org_type: Any) -> None:
    """Once it is verified: anybody can name a parent."""
    body, university = pilot(platform)
    made = begun(university, called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT), body=body.name)
    registry = world.operator(platform).registry
    given = organization_pb2.Organization(
        display_name=world.unique("学院"),
        org_type=org_type,
        parent=university.name,
        credit_code="" if org_type != ENTERPRISE else world.credit_code(),
    )
    child = registry.CreateOrganization(registry_service_pb2.CreateOrganizationRequest(organization=given)).name
    world.grant(platform, f"dean-{child[-12:]}", access_pb2.ROLE_ORGANIZATION_EDITOR, organization=child)
    dean = Member(child, Caller(platform, f"dean-{child[-12:]}", child))
    assert "NOT_FOUND" in refusal(take, dean, made.name, "withdraw", reason="试")
    registry.VerifyOrganization(registry_service_pb2.VerifyOrganizationRequest(name=child, reason="核验"))
    if org_type == ENTERPRISE:
        assert "NOT_FOUND" in refusal(take, dean, made.name, "withdraw", reason="试")
    else:
        assert take(dean, made.name, "withdraw", reason="试").steps[-1].organization == child


def test_the_steps_that_can_be_taken_are_told_with_what_is_in_the_way(platform: Platform) -> None:
    body, university = pilot(platform)
    made = begun(university, called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT), body=body.name)
    steps = university.caller.applications.GetProcedure(rpc.GetProcedureRequest(application=made.name)).steps
    told = {one.step: one.refusal.zh for one in steps}
    assert "SEALED_FORM" in told["submit"]
    assert told["withdraw"] == ""
    assert "起草" in told["qualify"]


def test_a_certified_enterprise_spends_its_funds_on_the_front_line(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE, front_line_training_percent=59)
    made = begun(company, call, certification=facts)
    assert "R27.1" in refusal(take, company, made.name, "submit", "APPLICATION_FORM")
    changed = pb.Application(name=made.name, certification=pb.CertificationFacts(front_line_training_percent=60))
    request = rpc.UpdateApplicationRequest(application=changed, reason="更正")
    request.update_mask.paths.append("certification.front_line_training_percent")
    company.caller.applications.UpdateApplication(request)
    found = company.caller.applications.CheckApplication(rpc.CheckApplicationRequest(name=made.name)).findings
    assert [(one.rule, one.verdict) for one in found] == [("R27.1", body_pb2.VERDICT_SATISFIED)]
    take(company, made.name, "submit", "APPLICATION_FORM")
    take(commission, made.name, "cultivate", "CULTIVATION_PLAN")
    assert take(commission, made.name, "certify", "CULTIVATION_REPORT").state == pb.APPLICATION_STATE_CERTIFIED


def catalogue(platform: Platform, **filters: Any) -> list[pb.Certification]:
    """Entries of the catalogue as anybody reads it, page by page."""
    found: list[pb.Certification] = []
    request = rpc.ListCertificationsRequest(page_size=2, **filters)
    while True:
        answer = Caller(platform).applications.ListCertifications(request)
        found += answer.certifications
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def certification(applicant: Member, call: pb.ApplicationCall, **facts: Any) -> pb.Application:
    """An application that was submitted; of an enterprise where nothing else is said."""
    known = facts or {"kind": pb.CERTIFIED_KIND_ENTERPRISE}
    made = begun(applicant, call, certification=pb.CertificationFacts(**known))
    return take(applicant, made.name, "submit", "APPLICATION_FORM")


def test_a_call_that_has_closed_is_not_answered(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    today = business_date(call.create_time.ToDatetime(tzinfo=UTC))
    asyncio.run(move(platform, call.name, closes_on=(today - timedelta(days=1)).isoformat()))
    assert "WINDOW_CLOSED" in refusal(begun, company, call)
    asyncio.run(move(platform, call.name, closes_on=today.isoformat()))
    assert begun(company, call).state == pb.APPLICATION_STATE_DRAFT


def test_the_catalogue_holds_what_is_cultivated_certified_and_was(platform: Platform) -> None:
    commission, company = placed(platform, DEPARTMENT, "110000"), placed(platform, ENTERPRISE, "320100")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    first = certification(company, call)
    own = {"organization": company.name}
    assert catalogue(platform, **own) == []
    assert take(commission, first.name, "cultivate", "CULTIVATION_PLAN")
    (entry,) = catalogue(platform, **own)
    today = business_date(first.update_time.ToDatetime(tzinfo=UTC)).isoformat()
    assert (entry.state, entry.kind) == (pb.CERTIFICATION_STATE_CULTIVATING, pb.CERTIFIED_KIND_ENTERPRISE)
    assert (entry.application, entry.region_code) == (first.name, "320100")
    assert (entry.cultivated_on, entry.certified_on, entry.exited_on) == (today, "", "")
    assert "ALREADY_CATALOGUED" in refusal(certification, company, call)
    take(commission, first.name, "certify", "CULTIVATION_REPORT")
    take(company, first.name, "exit", reason="迁出")
    (entry,) = catalogue(platform, **own)
    assert (entry.state, entry.certified_on, entry.exited_on) == (pb.CERTIFICATION_STATE_EXITED, today, today)
    again = certification(company, call)
    take(commission, again.name, "cultivate", "CULTIVATION_PLAN")
    take(commission, again.name, "reject", reason="未达标")
    assert [one.state for one in catalogue(platform, **own)] == [pb.CERTIFICATION_STATE_EXITED] * 2

    government = placed(platform, DEPARTMENT, "110000")
    for region in ("朝阳区（110105）", "310000"):
        made = certification(government, call, kind=pb.CERTIFIED_KIND_REGION, region_code=region)
        take(commission, made.name, "cultivate", "CULTIVATION_PLAN")
    entries = {one.region_code: one for one in catalogue(platform, organization=government.name)}
    assert set(entries) == {"110105", "310000"}
    for filters, found in (
        ({"region_code": "北京市"}, True),
        ({"region_code": "110108"}, False),
        ({"kinds": [pb.CERTIFIED_KIND_REGION], "states": [pb.CERTIFICATION_STATE_CULTIVATING]}, True),
        ({"kinds": [pb.CERTIFIED_KIND_ENTERPRISE]}, False),
        ({"states": [pb.CERTIFICATION_STATE_CERTIFIED]}, False),
    ):
        assert (entries["110105"] in catalogue(platform, **filters)) is found, filters
    assert "GB/T 2260" in refusal(catalogue, platform, region_code="999999")


def test_a_region_is_certified_once_whoever_applies(platform: Platform) -> None:
    commission = placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    first, second = placed(platform, DEPARTMENT, "440000"), placed(platform, DEPARTMENT, "440000")
    region = {"kind": pb.CERTIFIED_KIND_REGION, "region_code": "440300"}
    made = certification(first, call, **region)
    also = certification(second, call, **region)
    take(commission, made.name, "cultivate", "CULTIVATION_PLAN")
    assert "ALREADY_CATALOGUED" in refusal(take, commission, also.name, "cultivate", "CULTIVATION_PLAN")
    assert "ALREADY_CATALOGUED" in refusal(certification, second, call, **region)
    other = certification(second, call, kind=pb.CERTIFIED_KIND_REGION, region_code="440100")
    assert other.state == pb.APPLICATION_STATE_SUBMITTED


def test_what_is_the_same_region_is_cultivated_for_one_of_two_at_once(platform: Platform) -> None:
    commission = placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    region = {"kind": pb.CERTIFIED_KIND_REGION, "region_code": "440600"}
    made = [certification(placed(platform, DEPARTMENT, "440000"), call, **region).name for _ in range(2)]

    def cultivated(name: str) -> bool:
        try:
            take(commission, name, "cultivate", "CULTIVATION_PLAN")
        except grpc.RpcError as refused:
            return "ALREADY_CATALOGUED" not in str(refused)
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(cultivated, made)) == [False, True]


def test_the_catalogue_says_whether_a_lead_enterprise_is_certified(platform: Platform) -> None:
    body, (company, *_) = community(platform, lead_is_central_soe=False, lead_is_top_500=False)
    commission = placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)

    def said() -> tuple[int, str]:
        request = registry_service_pb2.CheckBodyRequest(name=body.name)
        (found,) = (one for one in world.operator(platform).registry.CheckBody(request).findings if one.rule == "R17")
        return found.verdict, found.facts.get("lead_is_certified", "")

    def kept() -> int:
        """What the sweep kept of it."""
        request = registry_service_pb2.ListFindingsRequest(parent=body.name, rule="R17")
        return int(world.operator(platform).registry.ListFindings(request).findings[0].verdict)

    assert said() == (body_pb2.VERDICT_CANNOT_BE_TOLD, "")
    write = body_pb2.Body(name=body.name, community=body_pb2.CommunityFacts(lead_is_certified=True))
    request = registry_service_pb2.UpdateBodyRequest(body=write, reason="外省认证")
    request.update_mask.paths.append("community.lead_is_certified")
    world.operator(platform).registry.UpdateBody(request)
    assert said() == (body_pb2.VERDICT_SATISFIED, "true"), "as it was entered"
    made = certification(company, call)
    take(commission, made.name, "cultivate", "CULTIVATION_PLAN")
    assert said() == (body_pb2.VERDICT_VIOLATED, "false"), "the catalogue goes first"
    take(commission, made.name, "certify", "CULTIVATION_REPORT")
    assert said() == (body_pb2.VERDICT_SATISFIED, "true")
    world.until(lambda: kept() == body_pb2.VERDICT_SATISFIED)
    take(commission, made.name, "exit", reason="不再符合")
    assert said() == (body_pb2.VERDICT_VIOLATED, "false")
    world.until(lambda: kept() == body_pb2.VERDICT_VIOLATED)


def test_a_check_says_which_evidence_is_attached(platform: Platform) -> None:
    school, commission = placed(platform, COLLEGE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    facts = pb.MajorAdjustmentFacts(
        change=pb.MAJOR_CHANGE_NEW, major_code="460301", deep_cooperation_enterprises=1, practice_hours_percent=55
    )
    made = begun(school, call, major_adjustment=facts)

    def evidence() -> dict[str, dict[str, list[str]]]:
        found = school.caller.applications.CheckApplication(rpc.CheckApplicationRequest(name=made.name)).findings
        return {one.rule: {piece.kind: list(piece.documents) for piece in one.evidence} for one in found}

    assert evidence() == {"R26": {"PROGRAMME": []}, "R27.2": {"PROGRAMME": []}}
    attached = papers.attached(school, "PROGRAMME")
    request = rpc.AttachDocumentsRequest(name=made.name, documents=attached)
    stranger = world.organization(platform, ENTERPRISE)
    assert "PERMISSION_DENIED" in refusal(stranger.caller.applications.AttachDocuments, request)
    assert list(school.caller.applications.AttachDocuments(request).documents) == attached
    assert evidence() == {rule: {"PROGRAMME": [attached[0].document]} for rule in ("R26", "R27.2")}
    take(school, made.name, "submit", "PROPOSAL")
    assert "ILLEGAL_STATE" in refusal(
        school.caller.applications.AttachDocuments, rpc.AttachDocumentsRequest(name=made.name, documents=attached)
    )


def test_an_application_has_no_more_documents_than_a_record_holds(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    made = begun(company, called(platform, commission, pb.PROGRAMME_CERTIFICATION))
    (paper,) = papers.attached(company, "APPLICATION_FORM")
    attach = company.caller.applications.AttachDocuments
    attach(rpc.AttachDocumentsRequest(name=made.name, documents=[paper] * 200))
    assert "TOO_MANY_DOCUMENTS" in refusal(attach, rpc.AttachDocumentsRequest(name=made.name, documents=[paper]))


def test_a_challenge_is_answered_by_members_of_the_body(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    poser, secretariat = council[0], council[1]
    school, stranger = world.organization(platform, UNIVERSITY), world.organization(platform, UNIVERSITY)
    world.join(platform, body.name, school)
    made = begun(poser, called(platform, secretariat, pb.PROGRAMME_CHALLENGE), body=body.name)
    take(poser, made.name, "publish")
    assert "NOT_FOUND" in refusal(take, stranger, made.name, "answer", "ANSWER")
    take(school, made.name, "answer", "ANSWER")
    take(poser, made.name, "team", named_organization=school.name)
    assert take(poser, made.name, "start", day="2099-09-01").due_on == "2099-09-01"
    take(school, made.name, "deliver", "RESULT")
    assert take(poser, made.name, "accept").state == pb.APPLICATION_STATE_COMPLETED
    world.grant(platform, secretariat.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    begun(poser, pb.ApplicationCall(name=made.call, programme=made.programme), body=body.name)
    for year, expected in ((0, (1, 1, 1)), (YEAR, (1, 1, 1)), (YEAR + 1, (0, 0, 0))):
        counting = rpc.GetChallengeCountsRequest(body=body.name, year=year)
        found = secretariat.caller.applications.GetChallengeCounts(counting)
        assert (found.published, found.taken_on, found.completed) == expected
        assert "PERMISSION_DENIED" in refusal(stranger.caller.applications.GetChallengeCounts, counting)


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
    performance = called(platform, authority, pb.PROGRAMME_PERFORMANCE)
    for other in (stranger, school):
        assert "a lead university of the alliance" in refusal(begun, authority, performance, other.name, body=body.name)


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


def test_the_performance_of_a_unit_is_assessed_once_a_year_whoever_calls(platform: Platform) -> None:
    """R36, S0 四(三): 会同专班相关部门; two of the ten alliances have two lead departments."""
    body, council = world.formed_alliance(platform)
    first, second = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "110000")
    made = begun(first, called(platform, first, pb.PROGRAMME_PERFORMANCE), council[1].name, body=body.name)
    again = called(platform, second, pb.PROGRAMME_PERFORMANCE)
    assert made.name in refusal(begun, second, again, council[1].name, body=body.name)
    next_year = called(platform, second, pb.PROGRAMME_PERFORMANCE, YEAR + 1)
    assert begun(second, next_year, council[1].name, body=body.name).state == pb.APPLICATION_STATE_DRAFT


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
    call = called(platform, department, pb.PROGRAMME_PERFORMANCE)
    made = begun(department, call, council[1].name, body=body.name)
    take(department, made.name, "set_indicators", "INDICATORS")
    take(council[1], made.name, "report", "SELF_REPORT")
    take(department, made.name, "rate", score=91, reason="优秀")
    assert take(department, made.name, "close").state == pb.APPLICATION_STATE_COMPLETED
    assert "NOT_FOUND" in refusal(council[2].caller.applications.GetApplication, rpc.GetApplicationRequest(name=made.name))


def test_what_was_erased_is_no_longer_there_for_a_step(platform: Platform) -> None:
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE, front_line_training_percent=60)
    made = begun(company, called(platform, commission, pb.PROGRAMME_CERTIFICATION), certification=facts)
    (paper,) = papers.attached(company, "APPLICATION_FORM")
    company.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=made.name, documents=[paper]))
    company.caller.documents.EraseDocument(documents.EraseDocumentRequest(name=paper.document, reason="有误"))
    assert "DOCUMENT_REQUIRED" in refusal(take, company, made.name, "submit")
    found = company.caller.applications.CheckApplication(rpc.CheckApplicationRequest(name=made.name)).findings
    assert [list(one.evidence[0].documents) for one in found] == [[]]
    take(company, made.name, "submit", "APPLICATION_FORM")


def test_a_document_is_not_erased_while_it_is_handed_in(platform: Platform) -> None:
    """Whichever comes first: either the step finds no document, or the erasure is refused."""
    company, commission = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE, front_line_training_percent=60)

    def answer(what: Any) -> str:
        try:
            what()
        except grpc.RpcError as refused:
            return str(refused)
        return ""

    for attached in (True, False) * 4:
        made, papers_of_it = begun(company, call, certification=facts), papers.attached(company, "APPLICATION_FORM")
        if attached:
            company.caller.applications.AttachDocuments(rpc.AttachDocumentsRequest(name=made.name, documents=papers_of_it))
        submit = rpc.TakeStepRequest(name=made.name, step="submit", documents=[] if attached else papers_of_it)
        erase = documents.EraseDocumentRequest(name=papers_of_it[0].document, reason="有误")
        both = (
            partial(company.caller.applications.TakeStep, submit),
            partial(company.caller.documents.EraseDocument, erase),
        )
        with ThreadPoolExecutor(2) as pool:
            submitted, erased = pool.map(answer, both)
        assert "IN_USE" in erased if not submitted else not erased


def test_a_document_counts_as_one_kind_and_a_sealed_form_is_a_pdf(platform: Platform) -> None:
    body, university = pilot(platform)
    made = begun(university, called(platform, placed(platform, ENTERPRISE, "110000"), pb.PROGRAMME_PILOT), body=body.name)
    attach = university.caller.applications.AttachDocuments
    image = papers.upload(university, b"\x89PNG\r\n\x1a\n an invented picture", media_type="image/png").name
    sealed = pb.ApplicationDocument(document=image, kind="SEALED_FORM")
    assert "PDF" in refusal(attach, rpc.AttachDocumentsRequest(name=made.name, documents=[sealed]))
    (sealed,) = papers.attached(university, "SEALED_FORM")
    receipt = pb.ApplicationDocument(document=sealed.document, kind="PLATFORM_RECEIPT")
    assert "attached as SEALED_FORM already" in refusal(
        attach, rpc.AttachDocumentsRequest(name=made.name, documents=[sealed, receipt])
    )
    attach(rpc.AttachDocumentsRequest(name=made.name, documents=[sealed]))
    assert "attached as SEALED_FORM already" in refusal(
        attach, rpc.AttachDocumentsRequest(name=made.name, documents=[receipt])
    )
    (again,) = papers.attached(university, "PLATFORM_RECEIPT")
    assert papers.upload(university).sha256 == papers.upload(university).sha256
    two = attach(rpc.AttachDocumentsRequest(name=made.name, documents=[again])).documents
    assert [one.kind for one in two] == ["SEALED_FORM", "PLATFORM_RECEIPT"], "the same bytes, and another upload of them"
    picture = pb.ApplicationDocument(document=image, kind="PLATFORM_RECEIPT")
    assert len(attach(rpc.AttachDocumentsRequest(name=made.name, documents=[picture])).documents) == 3


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def archive(*names: str) -> bytes:
    """A ZIP with some names in it."""
    file = BytesIO()
    with ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "an invented part")
    return file.getvalue()


@pytest.mark.parametrize(
    ("media_type", "names", "is_one"),
    [
        (WORD, ("[Content_Types].xml", "word/document.xml"), True),
        (SHEET, ("[Content_Types].xml", "xl/workbook.xml"), True),
        (WORD, ("[Content_Types].xml", "xl/workbook.xml"), False),
        (WORD, ("word/vbaProject.bin",), False),
        (SHEET, ("META-INF/MANIFEST.MF",), False),
    ],
)
def test_an_office_document_is_not_just_any_archive(
    platform: Platform, media_type: str, names: tuple[str, ...], is_one: bool
) -> None:
    member, content = world.organization(platform, ENTERPRISE), archive(*names)
    if is_one:
        assert papers.upload(member, content, media_type=media_type).size == len(content)
    else:
        assert "another type" in refusal(papers.upload, member, content, media_type=media_type)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"media_type": "text/html"}, "it can be application/pdf"),
        ({"media_type": "image/png"}, "another type"),
        ({"size": 3}, "header.size"),
        ({"size": 20 * 1024 * 1024 + 1}, "20 MiB"),
        ({"sha256": "0" * 64}, "another hash"),
        ({"file_name": "../etc/passwd"}, "slash"),
    ],
)
def test_a_document_is_what_it_says_it_is(platform: Platform, changed: dict[str, Any], field: str) -> None:
    member = world.organization(platform, ENTERPRISE)
    english = Member(member.name, Caller(platform, member.caller.sub, member.name, "en"))
    assert field in refusal(papers.upload, english, **changed)


def test_a_document_is_read_by_whoever_sees_what_it_is_attached_to_until_it_is_erased(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, stranger = placed(platform, ENTERPRISE, "110000"), world.organization(platform, ENTERPRISE)
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    read_by = {university: True, centre: False, stranger: False}

    def check(name: str) -> None:
        for reader, reads in read_by.items():
            request = documents.GetDocumentContentRequest(name=name)
            if reads:
                assert reader.caller.documents.GetDocumentContent(request).content == papers.PDF
            else:
                assert "NOT_FOUND" in refusal(reader.caller.documents.GetDocumentContent, request)

    name = papers.upload(university).name
    check(name)
    attached = [pb.ApplicationDocument(document=name, kind="SEALED_FORM"), *papers.attached(university, "PLATFORM_RECEIPT")]
    university.caller.applications.TakeStep(rpc.TakeStepRequest(name=made.name, step="submit", documents=attached))
    read_by[centre] = True
    check(name)
    erase = documents.EraseDocumentRequest(name=name, reason="依申请删除")
    assert "PERMISSION_DENIED" in refusal(stranger.caller.documents.EraseDocument, erase)
    assert "IN_USE" in refusal(university.caller.documents.EraseDocument, erase)
    gone = world.operator(platform).documents.EraseDocument(documents.EraseDocumentRequest(name=name, reason="依法删除"))
    assert (gone.state, gone.file_name) == (pb.DOCUMENT_STATE_ERASED, "")
    assert "ERASED" in refusal(university.caller.documents.GetDocumentContent, documents.GetDocumentContentRequest(name=name))
    assert not (platform.state.folder("objects") / name).exists()
