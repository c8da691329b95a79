"""What is asked again at a step: who was something when they were named may be it no longer."""

import asyncio
from datetime import UTC, timedelta
from typing import Any, cast

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, registry_service_pb2
from alliance_local.control import Platform
from chassis.clock import business_date
from tests import papers, world
from tests.applying import DEPARTMENT, ENTERPRISE, UNIVERSITY, begun, called, community, led, move, placed, refusal, take
from tests.world import Member


def test_who_has_left_the_body_since_joins_no_team(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CHALLENGE)
    made = begun(council[0], call, body=body.name)
    take(council[0], made.name, "publish")
    today = business_date(made.create_time.ToDatetime(tzinfo=UTC))

    def answered_and_left(days_ago: int) -> Member:
        school = world.organization(platform, UNIVERSITY)
        joined = world.join(platform, body.name, school, since=str(today - timedelta(days=2)))
        take(school, made.name, "answer", "ANSWER")
        last = str(today - timedelta(days=days_ago))
        end = registry_service_pb2.EndMembershipRequest(name=joined.name, valid_to=last, reason="退出")
        world.operator(platform).registry.EndMembership(end)
        return school

    assert "NOT_A_MEMBER" in refusal(take, council[0], made.name, "team", named_organization=answered_and_left(1).name)
    assert (
        take(council[0], made.name, "team", named_organization=answered_and_left(0).name).state == pb.APPLICATION_STATE_TEAMED
    )


def test_no_case_of_a_suspended_consortium_is_commended(platform: Platform) -> None:
    facts = body_pb2.ConsortiumFacts(
        industry_code="39", lead_independently_qualified=True, venue=True, equipment=True, funds=True, staff=True
    )
    given = body_pb2.Body(
        display_name=world.unique("联合体"), kind=body_pb2.BODY_KIND_CONSORTIUM, region_code="110000", consortium=facts
    )
    registry = world.operator(platform).registry
    body = registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    lead, department = placed(platform, UNIVERSITY, "110000"), placed(platform, DEPARTMENT, "110000")
    world.join(platform, body.name, lead, body_pb2.MEMBER_ROLE_LEAD_UNIVERSITY)
    world.join(platform, body.name, placed(platform, ENTERPRISE, "110000"))
    made = begun(lead, called(platform, department, pb.PROGRAMME_CONSORTIUM), body=body.name)
    take(lead, made.name, "submit", "APPLICATION_FORM")
    take(department, made.name, "list")
    registry.SuspendBody(registry_service_pb2.SuspendBodyRequest(name=body.name, reason="整顿"))
    assert "BODY_SUSPENDED" in refusal(take, department, made.name, "commend", "CASE")
    registry.ResumeBody(registry_service_pb2.ResumeBodyRequest(name=body.name, reason="整顿完毕"))
    assert take(department, made.name, "commend", "CASE").steps[-1].step == "commend"


def test_what_the_authority_began_only_it_withdraws(platform: Platform) -> None:
    school, department = placed(platform, UNIVERSITY, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, department, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    for first, second in ((school, department), (department, school)):
        made = begun(first, call, school.name)
        assert made.begun_by == first.name
        assert "NOT_WHO_BEGAN" in refusal(take, second, made.name, "withdraw", reason="撤回")
        assert take(first, made.name, "withdraw", reason="撤回").state == pb.APPLICATION_STATE_WITHDRAWN
    body, council = world.formed_alliance(platform)
    led(platform, body.name, department)
    made = begun(department, called(platform, department, pb.PROGRAMME_PERFORMANCE), council[1].name, body=body.name)
    assert "NOT_WHO_BEGAN" in refusal(take, council[1], made.name, "withdraw", reason="不愿考核")
    assert take(department, made.name, "withdraw", reason="选错年度").state == pb.APPLICATION_STATE_WITHDRAWN


def test_a_draft_of_a_major_is_for_who_began_it(platform: Platform) -> None:
    """A warning's draft is not the school's to hand in or fill in, and a proposal's not the authority's to warn on."""
    school, department = placed(platform, UNIVERSITY, "110000"), placed(platform, DEPARTMENT, "110000")
    call = called(platform, department, pb.PROGRAMME_MAJOR_ADJUSTMENT)
    facts = pb.MajorAdjustmentFacts(change=pb.MAJOR_CHANGE_ADJUST, major_code="080901", practice_hours_percent=55)

    def updated(member: Member, name: str) -> pb.Application:
        request = rpc.UpdateApplicationRequest(application=pb.Application(name=name, display_name="改题"), reason="改题")
        request.update_mask.paths.append("display_name")
        return member.caller.applications.UpdateApplication(request)  # type: ignore[no-any-return]

    def attached(member: Member, name: str) -> pb.Application:
        documents = papers.attached(member, "PROPOSAL", "PROGRAMME")
        request = rpc.AttachDocumentsRequest(name=name, documents=documents)
        return member.caller.applications.AttachDocuments(request)  # type: ignore[no-any-return]

    for first, second, own, others in ((school, department, "submit", "warn"), (department, school, "warn", "submit")):
        made = begun(first, call, school.name, major_adjustment=facts)
        for changing in (updated, attached):
            assert "NOT_WHO_BEGAN" in refusal(changing, second, made.name)
            assert changing(first, made.name).state == pb.APPLICATION_STATE_DRAFT
        assert "NOT_WHO_BEGAN" in refusal(take, second, made.name, others, reason="就业率低")
        steps = second.caller.applications.GetProcedure(rpc.GetProcedureRequest(application=made.name)).steps
        assert "发起" in next(one.refusal.zh for one in steps if one.step == others)
        assert take(first, made.name, own, reason="就业率低").steps[-1].step == own


def test_seals_end_where_form_evidence_or_facts_change(platform: Platform) -> None:
    body, leads = community(platform)
    ministry, province = placed(platform, DEPARTMENT, "110000"), placed(platform, DEPARTMENT, "120000", "教育厅")
    call = called(platform, ministry, pb.PROGRAMME_COMMUNITY, 2099)
    asyncio.run(move(platform, call.name, opens_on="2020-01-01"))
    made = begun(leads[0], call, body=body.name)

    def sealed() -> None:
        for one in (*leads, province):
            assert len(take(one, made.name, "seal").steps[-1].sealed) == 64

    def returned() -> None:
        take(province, made.name, "return", reason="补正")

    def resubmitted() -> int:
        return int(take(leads[0], made.name, "resubmit", "SEALED_FORM").state)

    def entered(**facts: str) -> None:
        request = registry_service_pb2.UpdateBodyRequest(body=body_pb2.Body(name=body.name, **cast(Any, facts)), reason="更正")
        request.update_mask.paths.extend(facts)
        world.operator(platform).registry.UpdateBody(request)

    def evidence(content: bytes) -> None:
        document = papers.upload(leads[0], content).name
        attach = rpc.AttachDocumentsRequest(name=made.name)
        attach.documents.add(document=document, kind="EVIDENCE")
        leads[0].caller.applications.AttachDocuments(attach)

    take(leads[0], made.name, "start_sealing", "APPLICATION_FORM", "EVIDENCE", named_organization=province.name)
    sealed()
    first = papers.upload(leads[0], papers.PDF + b"\n% sealed")
    given = rpc.TakeStepRequest(name=made.name, step="submit")
    given.documents.add(document=first.name, kind="SEALED_FORM")
    form = leads[0].caller.applications.TakeStep(given).documents[-1]
    returned()
    entered(external_key=world.unique("键"))  # that is not handed in
    evidence(papers.PDF)  # the same again
    assert resubmitted() == pb.APPLICATION_STATE_SUBMITTED
    take(province, made.name, "return", "EVIDENCE", reason="审核意见")  # what a reviewer adds was not sealed
    assert resubmitted() == pb.APPLICATION_STATE_SUBMITTED
    returned()
    evidence(papers.PDF + b"more")
    assert "SEALS_MISSING" in refusal(resubmitted)
    take(leads[0], made.name, "start_sealing", named_organization=province.name)
    sealed()
    copy = pb.ApplicationDocument(
        document=papers.upload(leads[0], papers.PDF + b"\n% sealed").name, kind="SEALED_FORM"
    )  # the same paper, uploaded once more
    for again in ([], [form], [copy]):
        old = rpc.TakeStepRequest(name=made.name, step="submit", documents=again)
        assert "FORM_OUTDATED" in refusal(leads[0].caller.applications.TakeStep, old)
    take(leads[0], made.name, "submit", "SEALED_FORM")
    returned()
    entered(region_code="120000")
    assert "SEALS_MISSING" in refusal(resubmitted)
    take(leads[0], made.name, "start_sealing", named_organization=province.name)
    sealed()
    take(leads[0], made.name, "submit", "SEALED_FORM")
    take(province, made.name, "approve")
    assert take(ministry, made.name, "accept").state == pb.APPLICATION_STATE_RUNNING
