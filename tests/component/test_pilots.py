"""Pilots on real parts: reviewed by experts without an interest, two majors of an institution in a call."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.clock import business_date
from tests import papers, world
from tests.applying import (
    ENTERPRISE,
    MAJOR,
    UNIVERSITY,
    YEAR,
    begun,
    called,
    college_of,
    expert,
    major_of,
    pilot,
    placed,
    refusal,
    state_of,
    take,
)
from tests.world import Member


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
    number = {"named_organization": institute.name, "named_principal": "13712340987"}
    told = refusal(take, centre, made.name, "assign_expert", **number)
    assert "INVALID_FIELDS" in told
    assert "13712340987" not in told
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


def test_an_expert_is_asked_again_who_they_are_at_the_score_and_at_the_selection(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, institute = placed(platform, ENTERPRISE, "110000"), placed(platform, ENTERPRISE, "110000")
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    take(centre, made.name, "qualify")
    registry = world.operator(platform).registry
    read = rpc.GetApplicationRequest(name=made.name)
    draft = registry_service_pb2.GetBodyRequest(name=body.name)

    def assigned() -> tuple[Member, str]:
        """An expert of the institute, and their grant of it."""
        sub = world.unique("expert")[-20:]
        grant = world.grant(platform, sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=institute.name)
        take(centre, made.name, "assign_expert", named_organization=institute.name, named_principal=sub)
        return Member(institute.name, Caller(platform, sub, institute.name)), grant.name

    (gone, own), (judge, _) = assigned(), assigned()
    alone = Caller(platform, gone.caller.sub)
    assert alone.applications.GetApplication(read).name == made.name
    assert alone.registry.GetBody(draft).name == body.name
    registry.RevokeGrant(registry_service_pb2.RevokeGrantRequest(name=own, reason="离职"))
    for caller in (alone, gone.caller):
        assert "NOT_FOUND" in refusal(caller.applications.GetApplication, read)
        assert "NOT_FOUND" in refusal(caller.registry.GetBody, draft)
    assert "NOT_FOUND" in refusal(take, Member(institute.name, alone), made.name, "score", score=10, reason="低")
    world.grant(platform, gone.caller.sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=institute.name)
    assert alone.applications.GetApplication(read).name == made.name
    first = take(gone, made.name, "score", score=80, reason="甲以为可行")
    assert [one.score for one in first.steps if one.step == "score"] == [80], "who gave it"
    second = take(judge, made.name, "score", score=70, reason="乙以为可行")

    def scores(message: pb.Application) -> list[tuple[int | None, str]]:
        given = [one for one in message.steps if one.step == "score"]
        return [(one.score if one.HasField("score") else None, one.reason) for one in given]

    def read_by(member: Member) -> list[list[tuple[int | None, str]]]:
        listed = member.caller.applications.ListApplications(rpc.ListApplicationsRequest(body=body.name)).applications
        return [scores(one) for one in (member.caller.applications.GetApplication(read), *listed)]

    both = [(80, "甲以为可行"), (70, "乙以为可行")]
    assert scores(second) == [(None, ""), both[1]]
    assert read_by(judge) == 2 * [[(None, ""), both[1]]]
    assert read_by(university) == 2 * [[(None, ""), (None, "")]]
    assert read_by(centre) == 2 * [both]
    since = world.grant(platform, judge.caller.sub, access_pb2.ROLE_ORGANIZATION_EDITOR, organization=university.name)
    told = refusal(take, centre, made.name, "select")
    assert all(part in told for part in ("CONFLICT_OF_INTEREST", judge.caller.sub, "R30", "unassign_expert")), told
    assert gone.caller.sub not in told
    (offered,) = (
        one
        for one in centre.caller.applications.GetProcedure(rpc.GetProcedureRequest(application=made.name)).steps
        if one.step == "select"
    )
    assert judge.caller.sub in offered.refusal.zh
    registry.RevokeGrant(registry_service_pb2.RevokeGrantRequest(name=since.name, reason="误授"))
    assert take(centre, made.name, "select").state == pb.APPLICATION_STATE_RUNNING
    assert read_by(university) == 2 * [both], "once it is decided"


def test_a_pilot_of_which_a_required_fact_is_unknown_is_not_qualified(platform: Platform) -> None:
    body, university = pilot(platform, enrolling_since="", cooperation_experience=None)
    centre = placed(platform, ENTERPRISE, "110000")
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    with pytest.raises(grpc.RpcError) as refused:
        take(centre, made.name, "qualify")
    told = world.said(refused.value)
    for one in ("R22.1", "enrolling_since", "R24.1", "cooperation_experience", "alliance body update", "return"):
        assert one in told
    assert "R24.2" not in told, "a priority hinders nothing"
    take(centre, made.name, "return", reason="请补登")
    given = body_pb2.Body(name=body.name, pilot_unit=body_pb2.PilotUnitFacts(**MAJOR))
    request = registry_service_pb2.UpdateBodyRequest(body=given, reason="补登")
    request.update_mask.paths.extend(f"pilot_unit.{fact}" for fact in MAJOR)
    world.operator(platform).registry.UpdateBody(request)
    take(university, made.name, "resubmit")
    assert take(centre, made.name, "qualify").state == pb.APPLICATION_STATE_QUALIFIED


def test_the_parties_of_a_pilots_application_see_what_the_rules_say_of_it_and_nobody_else(platform: Platform) -> None:
    body, university = pilot(platform)
    centre, stranger = placed(platform, ENTERPRISE, "110000"), placed(platform, ENTERPRISE, "110000")
    college = college_of(platform, university)
    check = registry_service_pb2.CheckBodyRequest(name=body.name)
    history = registry_service_pb2.ListFindingsRequest(parent=body.name)
    for one in (university, centre):
        assert "PERMISSION_DENIED" in refusal(one.caller.registry.CheckBody, check)
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    for one in (university, college, centre):
        assert {finding.rule for finding in one.caller.registry.CheckBody(check).findings} >= {"R21.1", "R22.1"}
        assert one.caller.registry.ListFindings(history).findings
    other, _ = pilot(platform)
    auditor = world.unique("auditor")[-20:]
    world.grant(platform, auditor, access_pb2.ROLE_AUDITOR, organization=university.name)
    for who, request in (
        (stranger.caller, check),
        (Caller(platform, auditor, university.name), check),  # reads, but runs no applications
        (university.caller, registry_service_pb2.CheckBodyRequest(name=other.name)),
        (centre.caller, registry_service_pb2.CheckBodyRequest(name=other.name)),
        (centre.caller, registry_service_pb2.CheckBodyRequest(name="bodies/none")),
    ):
        assert "PERMISSION_DENIED" in refusal(who.registry.CheckBody, request)
    assert "PERMISSION_DENIED" in refusal(stranger.caller.registry.ListFindings, history)
    change = registry_service_pb2.UpdateBodyRequest(
        body=body_pb2.Body(name=body.name, display_name="虚构示例他人改名"), reason="改名"
    )
    change.update_mask.paths.append("display_name")
    assert "PERMISSION_DENIED" in refusal(centre.caller.registry.UpdateBody, change)
    take(university, made.name, "withdraw", reason="不再申报")
    for one in (university, centre):
        assert "PERMISSION_DENIED" in refusal(one.caller.registry.CheckBody, check)


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
