"""One listing from the RPC to a webhook, through all five services on real Kafka and PostgreSQL."""

import json
from typing import Any

from standardwebhooks import Webhook

from alliance.listings.v1 import listings_service_pb2
from alliance.matching.v1 import match_pb2, matching_service_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.reporting.v1 import report_pb2, reporting_service_pb2
from alliance_local.control import Platform
from tests import world
from tests.world import Member, until


def test_a_listing_goes_from_the_call_to_the_webhook(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    enterprise = council[0]
    college = world.organization(platform, organization_pb2.ORG_TYPE_HIGHER_VOCATIONAL)
    world.join(platform, body.name, college)
    hook = f"http://127.0.0.1:{platform.port('webhook')}/{college.name}"
    proposed = "alliance.matching.match.proposed.v1"
    webhook = world.subscribe(college, proposed, channel=notify_pb2.CHANNEL_WEBHOOK, webhook_url=hook)
    world.subscribe(college, proposed, channel=notify_pb2.CHANNEL_EMAIL, email="office@college.example")
    world.subscribe(enterprise, "alliance.matching.match.*.v1", channel=notify_pb2.CHANNEL_INBOX)

    supply = world.publish(college, world.talent(college.name, "集成电路封装方向毕业生", (body.name,)))
    demand = world.publish(enterprise, world.job(enterprise.name, "集成电路封装工程师", (body.name,)))

    match = world.matched(enterprise, demand.name, supply.name)
    assert match.score == sum(part.contribution for part in match.parts)
    assert match.bodies == [body.name]

    # The webhook, signed; and it belongs to the trace that began with the publishing call.
    def about_the_match() -> list[dict[str, Any]]:
        mine = [one for one in world.received(platform, "webhook") if one["path"].endswith(college.name)]
        return [one for one in mine if match.name in one["body"]]

    came = until(about_the_match)[0]
    Webhook(webhook.webhook_secret).verify(came["body"], came["headers"])
    content = json.loads(came["body"])
    assert content["type"] == proposed
    assert content["data"]["subject"] == match.name
    _same_trace(platform, demand.name, came["headers"]["traceparent"])
    until(lambda: [one for one in world.received(platform, "smtp") if one["to"] == ["office@college.example"]])

    inbox = notify_service_pb2.ListInboxMessagesRequest(organization=enterprise.name)
    message = until(
        lambda: [one for one in enterprise.caller.notify.ListInboxMessages(inbox).messages if one.subject == match.name]
    )
    assert [one.event_type for one in message] == [proposed]

    _both_accept(enterprise, college, match)
    _reported(platform, body, council[1])


def _both_accept(enterprise: Member, college: Member, match: match_pb2.Match) -> None:
    for side in (enterprise, college):
        request = matching_service_pb2.AcceptMatchRequest(name=match.name, organization=side.name, reason="合适")
        after = side.caller.matching.AcceptMatch(request)
    assert after.state == match_pb2.MATCH_STATE_ACCEPTED
    explained = enterprise.caller.matching.ExplainMatch(matching_service_pb2.ExplainMatchRequest(name=match.name))
    assert [step.verb for step in explained.steps] == ["proposed", "accepted", "accepted"]
    assert [(one.text.en, one.score > match.score) for one in explained.alternatives] == [("the skill 热仿真", True)]
    wanted = listings_service_pb2.BatchGetListingsRequest(names=[match.demand, match.supply])
    ends = [one.valid_to for one in enterprise.caller.listings.BatchGetListings(wanted).listings]
    assert (len(ends), explained.fits_until) == (2, min(ends))


def _reported(platform: Platform, body: body_pb2.Body, secretariat: Member) -> None:
    """The report counts the two listings and the match, and leads back to their events."""
    operator = world.operator(platform)
    period = world.period_of(body.formed_on)
    compile_ = reporting_service_pb2.CompileReportRequest(
        body=body.name, kind=report_pb2.REPORT_KIND_ALLIANCE_QUARTERLY, period=period
    )
    wanted = {"listings.demand.published": 1, "listings.supply.published": 1, "matches.accepted": 1, "members.total": 6}

    def compiled() -> report_pb2.Report | None:
        report: report_pb2.Report = operator.reporting.CompileReport(compile_)
        compile_.request_id = ""
        values = {figure.id: figure.value for figure in report.figures}
        return report if all(values[name] == value for name, value in wanted.items()) else None

    report = until(compiled)
    explain = reporting_service_pb2.ExplainFigureRequest(report=report.name, figure="matches.accepted")
    sources = operator.reporting.ExplainFigure(explain).sources
    assert [source.event_type for source in sources] == ["alliance.matching.match.accepted.v1"]


def _same_trace(platform: Platform, listing: str, traceparent: str) -> None:
    """The webhook's trace began with PublishListing and went through listings, matching and notify."""
    trace = traceparent.split("-")[1]
    folder = platform.state.root / "traces"
    spans = [
        span
        for file in folder.glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
        if (span := json.loads(line))["trace"] == trace
    ]
    names = {(span["service"], span["name"]) for span in spans}
    assert ("listings", "/alliance.listings.v1.ListingsService/PublishListing") in names, names
    assert ("listings", "publish alliance.internal.listings.listing.v1") in names, names
    assert ("matching", "matching.listing handles published") in names, names
    assert ("matching", "publish alliance.internal.matching.match.v1") in names, names
    assert ("notify", "notify.match handles proposed") in names, names
    told = {span["name"]: span["attributes"] for span in spans}
    called, handled = told["/alliance.listings.v1.ListingsService/PublishListing"], told["notify.match handles proposed"]
    assert (called["rpc.method"], called["rpc.grpc.status_code"]) == ("PublishListing", 0)
    assert handled["messaging.destination.name"] == "alliance.internal.matching.match.v1"
    assert handled["messaging.consumer.group.name"] == "notify.match"


def test_a_withdrawn_listing_ends_its_open_matches(platform: Platform) -> None:
    enterprise = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    college = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    title = world.unique("封装")
    demand = world.publish(enterprise, world.job(enterprise.name, title))
    supply = world.publish(college, world.talent(college.name, title))
    match = world.matched(enterprise, demand.name, supply.name)
    assert match.state == match_pb2.MATCH_STATE_PROPOSED
    college.caller.listings.WithdrawListing(listings_service_pb2.WithdrawListingRequest(name=supply.name, reason="名额已满"))
    read = matching_service_pb2.GetMatchRequest(name=match.name)
    until(lambda: enterprise.caller.matching.GetMatch(read).state == match_pb2.MATCH_STATE_EXPIRED)
