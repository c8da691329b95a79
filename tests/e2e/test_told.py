"""What leaves by webhook and inbox of a record is what its owner's RPCs show to that very subscriber."""

import json
from typing import Any

import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import application_pb2 as pb
from alliance.registry.v1 import application_service_pb2 as applications
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1 import reporting_service_pb2 as reporting
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.applying import ENTERPRISE, begun, called, expert, guided, guides, pilot, placed, take
from tests.world import Member

_WHY = "测试"


def listen(platform: Platform, event: str, *members: Member) -> None:
    """Have events of a type posted and written to each."""
    for one in members:
        url = f"http://127.0.0.1:{platform.port('webhook')}/{one.name}"
        world.subscribe(one, event, channel=notify_pb2.CHANNEL_WEBHOOK, webhook_url=url)
        world.subscribe(one, event, channel=notify_pb2.CHANNEL_INBOX)


def posted(platform: Platform, member: Member, subject: str) -> list[dict[str, Any]]:
    """What was posted to a member of a record, the oldest first."""
    mine = [one for one in world.received(platform, "webhook") if one["path"].endswith(member.name)]
    found = [json.loads(one["body"])["data"] for one in mine]
    return [one["resource"] for one in sorted(found, key=lambda one: one["version"]) if one["subject"] == subject]


def written(member: Member, subject: str) -> str:
    """What the inbox says to a member of a record."""
    request = notify_service_pb2.ListInboxMessagesRequest(organization=member.name, page_size=1000)
    found = member.caller.notify.ListInboxMessages(request).messages
    return "\n".join(f"{one.title} {one.text}" for one in found if one.subject == subject)


def refused(call: Any, request: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as error:
        call(request)
    code: grpc.StatusCode = error.value.code()
    return code


def test_a_score_is_told_to_the_authority_alone_until_it_is_decided(platform: Platform) -> None:
    body, university = pilot(platform)
    centre = placed(platform, ENTERPRISE, "110000")
    judges = [expert(platform, placed(platform, ENTERPRISE, "110000")) for _ in range(2)]
    made = begun(university, called(platform, centre, pb.PROGRAMME_PILOT), body=body.name)
    take(university, made.name, "submit", "SEALED_FORM", "PLATFORM_RECEIPT")
    take(centre, made.name, "qualify")
    for judge in judges:
        named = {"named_organization": judge.name, "named_principal": judge.caller.sub}
        take(centre, made.name, "assign_expert", **named)
    world.settle(platform)
    listen(platform, "alliance.registry.application.*.v1", university, centre, *judges)
    for judge, score in zip(judges, (37, 80), strict=True):
        take(judge, made.name, "score", score=score, reason=f"评语{score}")
    world.settle(platform)

    def scores(member: Member) -> list[tuple[int | None, str | None]]:
        """As the newest post has them."""
        steps = posted(platform, member, made.name)[-1]["steps"]
        return [(one.get("score"), one.get("reason")) for one in steps if one["step"] == "score"]

    both: list[tuple[int | None, str | None]] = [(37, "评语37"), (80, "评语80")]
    assert scores(centre) == both
    assert "评语37" in written(centre, made.name)
    for one in (university, *judges):
        assert scores(one) == [(None, None)] * 2
        assert "专家评分" in written(one, made.name)
        assert "评语" not in written(one, made.name)
    read = applications.GetApplicationRequest(name=made.name)
    shown = [one.reason for one in university.caller.applications.GetApplication(read).steps if one.step == "score"]
    assert shown == ["", ""], "as the RPC does"
    take(centre, made.name, "select")
    world.settle(platform)
    assert scores(university) == both, "once it is decided"


def test_codes_and_keys_of_an_organization_are_told_to_itself_alone(platform: Platform) -> None:
    member, stranger = (world.organization(platform, ENTERPRISE) for _ in range(2))
    listen(platform, "alliance.registry.organization.*.v1", member, stranger)
    code, key = world.credit_code(), world.unique("键")
    given = organization_pb2.Organization(name=member.name, credit_code=code, external_key=key)
    update = registry.UpdateOrganizationRequest(organization=given, reason=_WHY)
    update.update_mask.paths.extend(["credit_code", "external_key"])
    operator = world.operator(platform).registry
    operator.UpdateOrganization(update)
    operator.VerifyOrganization(registry.VerifyOrganizationRequest(name=member.name, reason=_WHY))
    world.settle(platform)
    mine, others = (posted(platform, one, member.name) for one in (member, stranger))
    assert [(one["credit_code"], one["external_key"]) for one in mine] == [(code, key)] * 2
    assert [one["verification"] for one in others][-1] == "VERIFICATION_STATE_VERIFIED"
    assert code not in str(others)
    assert key not in str(others)


def test_a_report_is_its_secretariats_until_it_is_submitted(platform: Platform) -> None:
    """Whom it is to go to (R56) reads no draft of it."""
    force, lead = guides(platform)
    body, council = world.formed_alliance(platform)
    guided(platform, body.name, force, lead)
    world.settle(platform)
    listen(platform, "alliance.reporting.report.*.v1", force, lead, council[1])
    request = reporting.CompileReportRequest(
        body=body.name, kind=report_pb2.REPORT_KIND_ALLIANCE_QUARTERLY, period=world.period_of(body.formed_on)
    )
    report = world.operator(platform).reporting.CompileReport(request)
    world.settle(platform)
    assert posted(platform, council[1], report.name)[0]["figures"]
    for one in (force, lead):
        assert posted(platform, one, report.name) == []
        assert written(one, report.name) == ""
        read = reporting.GetReportRequest(name=report.name)
        assert refused(one.caller.reporting.GetReport, read) == grpc.StatusCode.PERMISSION_DENIED


def test_a_draft_is_not_read_by_whom_it_merely_names(platform: Platform) -> None:
    force, lead = guides(platform)
    member = world.organization(platform, ENTERPRISE)
    body = world.alliance(platform)
    key = world.unique("键")
    guided(platform, body.name, force, lead, external_key=key)
    world.join(platform, body.name, member)
    world.settle(platform)
    listen(platform, "alliance.registry.body.*.v1", force, lead, member)
    guided(platform, body.name, force, lead, secretariat_full_time_staff=9)
    world.settle(platform)
    check, read = registry.CheckBodyRequest(name=body.name), registry.GetBodyRequest(name=body.name)
    found = registry.ListFindingsRequest(parent=body.name)
    for one in (force, lead):
        assert posted(platform, one, body.name) == []
        assert written(one, body.name) == ""
        assert refused(one.caller.registry.GetBody, read) == grpc.StatusCode.NOT_FOUND
        assert refused(one.caller.registry.CheckBody, check) == grpc.StatusCode.PERMISSION_DENIED
        assert refused(one.caller.registry.ListFindings, found) == grpc.StatusCode.PERMISSION_DENIED
    (told,) = posted(platform, member, body.name)
    assert told["alliance"]["secretariat_full_time_staff"] == 9
    assert key not in str(told), "which is the operator's and the secretariat's"
    operator = world.operator(platform).registry
    formed, _ = world.formed_alliance(platform)
    guided(platform, formed.name, force, lead)
    world.settle(platform)
    assert lead.caller.registry.CheckBody(registry.CheckBodyRequest(name=formed.name)).findings, "as long as it stands"
    assert operator.GetBody(read).external_key == key


def test_a_draft_that_comes_to_nothing_is_shown_to_nobody_else(platform: Platform) -> None:
    """Neither read nor told; it used to be everybody's from then on, with all that was entered of it."""
    member, stranger = (world.organization(platform, ENTERPRISE) for _ in range(2))
    body = world.alliance(platform)
    world.join(platform, body.name, member)
    world.settle(platform)
    listen(platform, "alliance.registry.body.*.v1", member, stranger)
    dissolve = registry.DissolveBodyRequest(name=body.name, reason=_WHY)
    world.operator(platform).registry.DissolveBody(dissolve)
    world.settle(platform)
    assert [one["state"] for one in posted(platform, member, body.name)] == ["BODY_STATE_DISSOLVED"]
    assert posted(platform, stranger, body.name) == []
    read, listed = registry.GetBodyRequest(name=body.name), registry.ListBodiesRequest(page_size=1000)
    members = registry.ListMembershipsRequest(parent=body.name)
    for caller in (stranger.caller, Caller(platform)):
        assert refused(caller.registry.GetBody, read) == grpc.StatusCode.NOT_FOUND
        assert body.name not in {one.name for one in caller.registry.ListBodies(listed).bodies}
        assert not caller.registry.ListMemberships(members).memberships
    assert member.caller.registry.GetBody(read).state == body_pb2.BODY_STATE_DISSOLVED, "as long as it was a member today"


def test_a_listing_that_is_gone_is_told_of_and_shown_no_more(platform: Platform) -> None:
    issuer, watcher = (world.organization(platform, ENTERPRISE) for _ in range(2))
    listen(platform, "alliance.listings.listing.*.v1", issuer, watcher)
    listing = world.publish(issuer, world.job(issuer.name, world.unique("封装"), description="只在发布时可见"))
    world.settle(platform)
    withdraw = listings_service_pb2.WithdrawListingRequest(name=listing.name, reason=_WHY)
    issuer.caller.listings.WithdrawListing(withdraw)
    world.settle(platform)
    first, last = posted(platform, watcher, listing.name)
    assert (first["description"], "job_position" in first) == ("只在发布时可见", True)
    assert (last["state"], last["title"], last["issuer"]) == ("LISTING_STATE_WITHDRAWN", listing.title, issuer.name)
    assert not {"description", "job_position"}.intersection(last)
    assert posted(platform, issuer, listing.name)[-1]["description"] == "只在发布时可见"
    read = listings_service_pb2.GetListingRequest(name=listing.name)
    assert refused(watcher.caller.listings.GetListing, read) == grpc.StatusCode.NOT_FOUND
    assert listing.visibility == listing_pb2.VISIBILITY_PUBLIC


def test_the_key_of_a_body_is_read_by_those_whom_it_concerns(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    key, operator = world.unique("键"), world.operator(platform)
    update = registry.UpdateBodyRequest(body=body_pb2.Body(name=body.name, external_key=key), reason=_WHY)
    update.update_mask.paths.append("external_key")
    assert operator.registry.UpdateBody(update).external_key == key
    subs = [world.unique("who")[-20:] for _ in range(3)]
    elsewhere = world.alliance(platform).name
    for sub, where in zip(subs, (body.name, body.name, elsewhere), strict=True):
        role = access_pb2.ROLE_AUDITOR if sub == subs[1] else access_pb2.ROLE_SECRETARIAT
        world.grant(platform, sub, role, body=where)
    seen = {
        operator: True,
        Caller(platform, subs[0]): True,
        Caller(platform, subs[1]): True,
        Caller(platform, subs[2]): False,
        council[0].caller: False,
        Caller(platform): False,
    }
    by_key = registry.ListBodiesRequest(external_key=key)
    for caller, whole in seen.items():
        assert caller.registry.GetBody(registry.GetBodyRequest(name=body.name)).external_key == (key if whole else "")
        assert [one.name for one in caller.registry.ListBodies(by_key).bodies] == ([body.name] if whole else []), caller.sub
        listed = caller.registry.ListBodies(registry.ListBodiesRequest(page_size=1000)).bodies
        assert {one.external_key for one in listed if one.name == body.name} == {key if whole else ""}
