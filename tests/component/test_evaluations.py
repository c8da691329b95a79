"""Third-party evaluations: what was published is laid before whoever decides on the same organization."""

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance_local.control import Platform
from tests import world
from tests.applying import DEPARTMENT, ENTERPRISE, begun, called, placed, take
from tests.world import Member


def _known(member: Member, application: str) -> list[tuple[str, str, int]]:
    """The evaluations that a check shows: which, by whom, with which score."""
    request = rpc.CheckApplicationRequest(name=application)
    found = member.caller.applications.CheckApplication(request).evaluations
    assert all(one.published_on and one.authority and one.display_name for one in found)
    return [(one.application, one.evaluator, one.score) for one in found]


def test_a_published_evaluation_is_laid_before_who_decides_on_the_same_organization(platform: Platform) -> None:
    company, other = placed(platform, ENTERPRISE, "110000"), placed(platform, ENTERPRISE, "110000")
    commission, third = placed(platform, DEPARTMENT, "110000"), world.organization(platform, ENTERPRISE)
    call = called(platform, commission, pb.PROGRAMME_CERTIFICATION)
    facts = pb.CertificationFacts(kind=pb.CERTIFIED_KIND_ENTERPRISE)
    mine, others = [begun(one, call, certification=facts).name for one in (company, other)]

    evaluation = begun(commission, called(platform, commission, pb.PROGRAMME_EVALUATION), applicant=company.name).name
    take(commission, evaluation, "commission", named_organization=third.name)
    take(third, evaluation, "report", "REPORT", score=60)
    take(commission, evaluation, "return", reason="补充数据")
    take(third, evaluation, "report", "REPORT", score=88)
    assert _known(commission, mine) == [], "what is not published decides nothing"
    take(commission, evaluation, "publish")
    assert _known(commission, mine) == [(evaluation, third.name, 88)]
    assert _known(company, mine) == [(evaluation, third.name, 88)]
    assert _known(commission, others) == []
