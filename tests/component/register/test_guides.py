"""Who guides and assesses an alliance: its task force and its lead departments (R10.2, R10.3, S0 四(三), 附件2)."""

import asyncio
from typing import Any

import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_service_pb2 as application_rpc
from alliance.registry.v1 import body_pb2
from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.caller import Caller
from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from tests import databases, world
from tests.component.register.asking import (
    DEPARTMENT,
    ENTERPRISE,
    SATISFIED,
    VIOLATED,
    child,
    refusal,
    said,
    verified,
    verify,
    write,
)


def written_by(caller: Caller, name: str, **facts: Any) -> body_pb2.Body:
    """Facts of an alliance changed by somebody."""
    request = rpc.UpdateBodyRequest(body=body_pb2.Body(name=name, alliance=body_pb2.AllianceFacts(**facts)), reason="补充")
    request.update_mask.paths.extend(f"alliance.{fact}" for fact in facts)
    made: body_pb2.Body = caller.registry.UpdateBody(request)
    return made


def secretariat_of(platform: Platform, body: str, member: world.Member) -> Caller:
    world.grant(platform, member.caller.sub, access_pb2.ROLE_SECRETARIAT, body=body)
    world.settle(platform)
    return member.caller


@pytest.mark.parametrize("field", ["task_force", "lead_departments"])
def test_an_enterprise_neither_guides_nor_leads_an_alliance(platform: Platform, field: str) -> None:
    enterprise = world.organization(platform, ENTERPRISE).name
    named: dict[str, Any] = {field: enterprise if field == "task_force" else [enterprise]}
    told = world.said(refusal(write, platform, world.alliance(platform).name, **named))
    assert all(part in told for part in (f"alliance.{field}", "S0 附件2", enterprise, "请改填")), told
    given = body_pb2.Body(
        display_name=world.unique("联盟"), kind=body_pb2.BODY_KIND_ALLIANCE, alliance=body_pb2.AllianceFacts(**named)
    )
    assert "S0 附件2" in world.said(refusal(world.operator(platform).registry.CreateBody, rpc.CreateBodyRequest(body=given)))


def test_two_departments_lead_as_for_the_third_and_the_sixth_alliance(platform: Platform) -> None:
    departments = [verified(platform, DEPARTMENT).name for _ in range(3)]
    body, _ = world.formed_alliance(platform)
    force = child(platform, departments[0])
    told = world.said(refusal(write, platform, body.name, task_force=force))
    assert all(part in told for part in ("alliance.task_force", "org verify")), "once it is formed: verified ones only"
    verify(platform, force)
    written = write(platform, body.name, task_force=force, lead_departments=departments[:2])
    assert list(written.alliance.lead_departments) == departments[:2]
    assert {said(platform, body.name, rule).verdict for rule in ("R10.2", "R10.3")} == {SATISFIED}
    assert "alliance.lead_departments" in world.said(refusal(write, platform, body.name, lead_departments=departments))


def test_a_draft_names_those_that_are_not_verified_yet_and_the_rule_says_so(platform: Platform) -> None:
    department = world.organization(platform, DEPARTMENT)
    body = world.alliance(platform)
    write(platform, body.name, lead_departments=[department.name])
    assert said(platform, body.name, "R10.2").verdict == SATISFIED
    finding = said(platform, body.name, "R10.3")
    assert (finding.verdict, finding.severity) == (VIOLATED, body_pb2.SEVERITY_IN_PRINCIPLE)
    world.verified(platform, department)
    assert said(platform, body.name, "R10.3").verdict == SATISFIED


def test_a_secretariat_does_not_choose_who_guides_and_assesses_it(platform: Platform) -> None:
    """It completes the draft; once the alliance stands the platform alone names others."""
    body, council = world.formed_alliance(platform)
    former, latter = (verified(platform, DEPARTMENT).name for _ in range(2))
    write(platform, body.name, lead_departments=[former])
    secretariat = secretariat_of(platform, body.name, council[1])
    for named in ([latter], [former, latter], []):
        told = world.said(refusal(written_by, secretariat, body.name, lead_departments=named))
        assert all(part in told for part in ("alliance.lead_departments", "S0 四(三)", "平台运营")), told
    kept = written_by(secretariat, body.name, lead_departments=[former], secretariat_full_time_staff=3)
    assert (list(kept.alliance.lead_departments), kept.alliance.secretariat_full_time_staff) == ([former], 3)
    assert list(write(platform, body.name, lead_departments=[latter]).alliance.lead_departments) == [latter]
    draft, member = world.alliance(platform), world.organization(platform, ENTERPRISE)
    written = written_by(secretariat_of(platform, draft.name, member), draft.name, lead_departments=[former])
    assert list(written.alliance.lead_departments) == [former]


def test_nor_to_which_commission_its_universities_results_go(platform: Platform) -> None:
    """市教委 of the region: once the alliance stands the platform alone changes that."""
    body, council = world.formed_alliance(platform)
    secretariat = secretariat_of(platform, body.name, council[1])

    def moves(caller: Caller, region: str) -> str:
        request = rpc.UpdateBodyRequest(body=body_pb2.Body(name=body.name, region_code=region), reason="更正")
        request.update_mask.paths.append("region_code")
        return str(caller.registry.UpdateBody(request).region_code)

    told = world.said(refusal(moves, secretariat, "310000"))
    assert all(part in told for part in ("region_code", "S0 四(三)", "平台运营")), told
    assert moves(world.operator(platform), "310000") == "310000"


def test_who_guides_an_alliance_reads_how_it_stands(platform: Platform) -> None:
    """And its challenges; who guides another reads nothing of it."""
    body, _ = world.formed_alliance(platform)
    other, _ = world.formed_alliance(platform)
    lead, another = (verified(platform, DEPARTMENT) for _ in range(2))
    write(platform, body.name, lead_departments=[lead.name])
    write(platform, other.name, lead_departments=[another.name])
    caller = Caller(platform, lead.caller.sub, lead.name)
    assert caller.registry.CheckBody(rpc.CheckBodyRequest(name=body.name)).findings
    assert caller.registry.ListFindings(rpc.ListFindingsRequest(parent=body.name)).findings
    assert caller.applications.GetChallengeCounts(application_rpc.GetChallengeCountsRequest(body=body.name, year=2026)).body
    assert "PERMISSION_DENIED" in str(refusal(caller.registry.CheckBody, rpc.CheckBodyRequest(name=other.name)))


def test_what_was_named_before_the_rule_is_a_finding_and_hinders_no_other_change(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    enterprise = world.organization(platform, ENTERPRISE)
    _name_by_hand(platform, body.name, enterprise.name)
    finding = said(platform, body.name, "R10.2")
    assert finding.verdict == VIOLATED
    assert finding.clause == "S0 四(三), 附件2"
    assert write(platform, body.name, secretariat_full_time_staff=2).alliance.task_force == enterprise.name
    assert not write(platform, body.name, "alliance.task_force").alliance.task_force
    assert said(platform, body.name, "R10.2").verdict == SATISFIED


def _name_by_hand(platform: Platform, name: str, task_force: str) -> None:
    """As a row stands that was written before there was the rule."""
    message = world.operator(platform).registry.GetBody(rpc.GetBodyRequest(name=name))
    message.alliance.task_force = task_force
    content = message.SerializeToString(deterministic=True)
    registry = Postgres(platform.state).url("registry", "postgres")
    write = "UPDATE body SET content = $2, task_force = $3 WHERE name = $1 RETURNING name"
    assert asyncio.run(databases.rows(registry, write, name, content, task_force))
