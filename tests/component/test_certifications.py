"""Certification of regions, industries and enterprises, and the catalogue of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

import grpc

from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.clock import business_date
from tests import world
from tests.applying import (
    DEPARTMENT,
    ENTERPRISE,
    begun,
    called,
    community,
    placed,
    refusal,
    take,
)
from tests.world import Member


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
    known = facts or {"kind": pb.CERTIFIED_KIND_ENTERPRISE, "front_line_training_percent": 60}
    made = begun(applicant, call, certification=pb.CertificationFacts(**known))
    return take(applicant, made.name, "submit", "APPLICATION_FORM")


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
    for region in ("朝阳区（110105）", "110000"):
        made = certification(government, call, kind=pb.CERTIFIED_KIND_REGION, region_code=region)
        take(commission, made.name, "cultivate", "CULTIVATION_PLAN")
    entries = {one.region_code: one for one in catalogue(platform, organization=government.name)}
    assert set(entries) == {"110105", "110000"}
    for filters, found in (
        ({"region_code": "北京市"}, True),
        ({"region_code": "110108"}, False),
        ({"kinds": [pb.CERTIFIED_KIND_REGION], "states": [pb.CERTIFICATION_STATE_CULTIVATING]}, True),
        ({"kinds": [pb.CERTIFIED_KIND_ENTERPRISE]}, False),
        ({"states": [pb.CERTIFICATION_STATE_CERTIFIED]}, False),
    ):
        assert (entries["110105"] in catalogue(platform, **filters)) is found, filters
    assert "GB/T 2260" in refusal(catalogue, platform, region_code="999999")


def test_a_region_is_certified_for_those_that_govern_it(platform: Platform) -> None:
    call = called(platform, placed(platform, DEPARTMENT, "110000"), pb.PROGRAMME_CERTIFICATION)
    district = placed(platform, DEPARTMENT, "440305")
    region = {"kind": pb.CERTIFIED_KIND_REGION, "region_code": "440306"}
    told = refusal(certification, district, call, **region)
    assert all(one in told for one in ("ANOTHER_REGION", "广东省深圳市宝安区", "440306", "mend region_code")), told
    region["region_code"] = "440305"
    assert certification(district, call, **region).state == pb.APPLICATION_STATE_SUBMITTED


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
