"""Third-party evaluations: what was published is laid before whoever decides on the same organization, and departments."""

import grpc
import pytest

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.applying import DEPARTMENT, ENTERPRISE, UNIVERSITY, begun, called, led, placed, refusal, take, verified
from tests.world import Member


def _known(member: Member, application: str) -> list[tuple[str, str, int]]:
    """The evaluations that a check shows: which, by whom, with which score."""
    request = rpc.CheckApplicationRequest(name=application)
    found = member.caller.applications.CheckApplication(request).evaluations
    assert all(one.published_on and one.authority and one.display_name for one in found)
    return [(one.application, one.evaluator, one.score) for one in found]


def _listed(member: Member, organization: str = "") -> list[tuple[str, str, int]]:
    """The evaluations that a list shows, page by page: which, of whom, with which score."""
    request, found = rpc.ListEvaluationsRequest(organization=organization, page_size=1), list[pb.PublishedEvaluation]()
    while True:
        answer = member.caller.applications.ListEvaluations(request)
        found += answer.evaluations
        if not answer.next_page_token:
            return [(one.application, one.organization, one.score) for one in found]
        request.page_token = answer.next_page_token


def test_who_reads_an_application_reads_no_result_of_its_applicant_but_departments_and_itself(platform: Platform) -> None:
    """向政府部门公布，不向社会公布: a member reads the challenge of another, and not how that one was evaluated."""
    body, council = world.formed_alliance(platform)
    company, member = placed(platform, ENTERPRISE, "110000"), council[2]
    world.join(platform, body.name, company)
    department, third = placed(platform, DEPARTMENT, "110000"), placed(platform, ENTERPRISE, "310000")
    challenge = begun(company, called(platform, department, pb.PROGRAMME_CHALLENGE), body=body.name).name
    evaluation = begun(department, called(platform, department, pb.PROGRAMME_EVALUATION), applicant=company.name).name
    take(department, evaluation, "commission", named_organization=third.name)
    take(third, evaluation, "report", "REPORT", score=42)
    take(department, evaluation, "publish")
    assert _known(member, challenge) == []
    for reader in (company, department):
        assert _known(reader, challenge) == [(evaluation, third.name, 42)], reader.name


def test_an_evaluator_that_became_the_evaluated_ones_own_is_no_third_party(platform: Platform) -> None:
    """Looked at again when it reports and when the result is published, as the register has it then."""
    company, department = placed(platform, ENTERPRISE, "110000"), placed(platform, DEPARTMENT, "110000")
    call, third = called(platform, department, pb.PROGRAMME_EVALUATION), placed(platform, ENTERPRISE, "310000")
    made = begun(department, call, applicant=company.name).name
    take(department, made, "commission", named_organization=third.name)

    def belong(parent: str) -> None:
        given = organization_pb2.Organization(name=third.name, parent=parent)
        request = registry_service_pb2.UpdateOrganizationRequest(organization=given, reason="更正")
        request.update_mask.paths.append("parent")
        world.operator(platform).registry.UpdateOrganization(request)

    belong(company.name)
    assert "CONFLICT_OF_INTEREST" in refusal(take, third, made, "report", "REPORT", score=99)
    belong("")
    take(third, made, "report", "REPORT", score=99)
    belong(company.name)
    assert "CONFLICT_OF_INTEREST" in refusal(take, department, made, "publish")
    take(department, made, "return", reason="须回避")
    take(department, made, "cancel", reason="须回避")
    again = begun(department, call, applicant=company.name).name
    assert again != made


def test_who_leads_a_body_with_the_evaluated_one_is_no_third_party(platform: Platform) -> None:
    """Nor who stands in a body that it leads; who is another member beside it in a body of others is one."""
    body, council = world.formed_alliance(platform)
    department, beside, member = (
        placed(platform, DEPARTMENT, "110000"),
        *(placed(platform, ENTERPRISE, "110000") for _ in "12"),
    )
    for one in (beside, member):
        world.join(platform, body.name, one)
    call, lead = called(platform, department, pb.PROGRAMME_EVALUATION), council[1]
    guided = placed(platform, DEPARTMENT, "110000")
    led(platform, body.name, guided)
    run = placed(platform, UNIVERSITY, "110000")
    verified(platform, run, parent=guided.name)
    own, group = (placed(platform, ENTERPRISE, "110000") for _ in "12")
    verified(platform, own, parent=lead.name)
    verified(platform, lead, parent=group.name, credit_code=world.credit_code())
    for evaluated, evaluator, may in (
        (lead, beside, False),
        (beside, lead, False),
        (beside, own, False),  # what belongs to the lead
        (beside, group, False),  # whom it belongs to
        (guided, lead, False),  # which it assesses
        (beside, run, True),  # by a department, which does not tell it what to find
        (beside, member, True),
    ):
        made = begun(department, call, applicant=evaluated.name).name
        if may:
            take(department, made, "commission", named_organization=evaluator.name)
        else:
            assert "CONFLICT_OF_INTEREST" in refusal(take, department, made, "commission", named_organization=evaluator.name)
            take(department, made, "cancel", reason="须回避")


def test_a_published_evaluation_is_laid_before_who_decides_and_listed_for_departments(
    platform: Platform,
) -> None:
    company, other = placed(platform, ENTERPRISE, "110000"), placed(platform, ENTERPRISE, "110000")
    commission, third = placed(platform, DEPARTMENT, "110000"), placed(platform, ENTERPRISE, "310000")
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE)
    mine, others = [begun(one, call, certification=facts).name for one in (company, other)]

    evaluation = begun(commission, called(platform, commission, pb.PROGRAMME_EVALUATION), applicant=company.name).name
    take(commission, evaluation, "commission", named_organization=third.name)
    take(third, evaluation, "report", "REPORT", score=60)
    take(commission, evaluation, "return", reason="补充数据")
    take(third, evaluation, "report", "REPORT", score=88)
    assert _known(commission, mine) == [], "what is not published decides nothing"
    assert _listed(commission, company.name) == []
    take(commission, evaluation, "publish")
    assert _known(commission, mine) == [(evaluation, third.name, 88)]
    assert _known(company, mine) == [(evaluation, third.name, 88)]
    assert _known(commission, others) == []

    elsewhere = placed(platform, DEPARTMENT, "310000")
    unverified = world.organization(platform, DEPARTMENT)
    for reader, reads in ((elsewhere, True), (company, True), (third, True), (other, False), (unverified, False)):
        assert _listed(reader, company.name) == ([(evaluation, company.name, 88)] if reads else []), reader.name
    assert (evaluation, company.name, 88) in _listed(elsewhere)
    assert _listed(elsewhere, other.name) == []
    with pytest.raises(grpc.RpcError) as refused:
        Caller(platform).applications.ListEvaluations(rpc.ListEvaluationsRequest())
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
