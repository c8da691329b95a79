"""Every RPC, called by everybody who has no right to it, with the resources of somebody else: refused, and nothing changed."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from alliance.admin.v1 import admin_service_pb2 as admin
from alliance.admin.v1 import personal_data_service_pb2 as personal_data
from alliance.common.v1 import access_pb2
from alliance.listings.v1 import booking_pb2, details_pb2, feed_pb2, listing_pb2
from alliance.listings.v1 import booking_service_pb2 as bookings
from alliance.listings.v1 import feed_service_pb2 as feeds
from alliance.listings.v1 import listings_service_pb2 as listings
from alliance.listings.v1 import person_service_pb2 as people
from alliance.matching.v1 import match_pb2, review_pb2, search_pb2, statistics_service_pb2
from alliance.matching.v1 import matching_service_pb2 as matching
from alliance.matching.v1 import review_service_pb2 as reviews
from alliance.matching.v1 import search_service_pb2 as searches
from alliance.notify.v1 import notify_pb2
from alliance.notify.v1 import notify_service_pb2 as notify
from alliance.registry.v1 import application_pb2, body_pb2, grant_pb2, organization_pb2
from alliance.registry.v1 import application_service_pb2 as applications
from alliance.registry.v1 import document_service_pb2 as documents
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance.reporting.v1 import report_pb2
from alliance.reporting.v1 import reporting_service_pb2 as reporting
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.auth import AUTHENTICATED, PUBLIC
from tests import papers, rpcs, world
from tests.world import Member, until

_REFUSED = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED}
_WHY = "测试"


@dataclass
class Scene:
    """What belongs to others, and those who reach for it."""

    body: str
    draft: str
    owner: Member
    college: Member
    listing: listing_pb2.Listing
    match: match_pb2.Match
    review: str
    search: str
    membership: str
    round: str
    report: report_pb2.Report
    booking: str
    feed: str
    subscription: str
    delivery: str
    message: str
    grant: str
    application: str
    document: str
    operator: Caller
    strangers: dict[str, Caller] = field(default_factory=dict)


@pytest.fixture(scope="module")
def scene(platform: Platform) -> Scene:
    operator = world.operator(platform)
    body, council = world.formed_alliance(platform)
    owner, rival = council[0], council[2]
    college = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY)
    membership = world.join(platform, body.name, college)
    hook = f"http://127.0.0.1:{platform.port('webhook')}/{college.name}"
    event = "alliance.matching.match.proposed.v1"
    subscription = world.subscribe(college, event, channel=notify_pb2.CHANNEL_WEBHOOK, webhook_url=hook).name
    world.subscribe(college, event, channel=notify_pb2.CHANNEL_INBOX)
    hidden = {"visibility": listing_pb2.VISIBILITY_MEMBERS}
    title = world.unique("封装")
    listing = world.publish(owner, world.job(owner.name, title, (body.name,), **hidden))
    supply = world.publish(college, world.talent(college.name, title, (body.name,), **hidden))
    match = world.matched(owner, listing.name, supply.name)
    deliveries = notify.ListDeliveriesRequest(subscription=subscription)
    delivery = until(lambda: college.caller.notify.ListDeliveries(deliveries).deliveries)[0].name
    inbox = notify.ListInboxMessagesRequest(organization=college.name)
    message = until(lambda: college.caller.notify.ListInboxMessages(inbox).messages)[0].name
    rounds = listings.ListRoundsRequest(body=body.name)
    compile_ = reporting.CompileReportRequest(
        body=body.name, kind=report_pb2.REPORT_KIND_ALLIANCE_QUARTERLY, period=world.period_of(body.formed_on)
    )
    grants = registry.ListGrantsRequest(organization=owner.name)
    return Scene(
        body=body.name,
        draft=world.alliance(platform).name,
        owner=owner,
        college=college,
        listing=listing,
        match=match,
        review=_review(owner, match.name),
        search=_search(college),
        membership=membership.name,
        round=until(lambda: operator.listings.ListRounds(rounds).rounds)[0].name,
        report=operator.reporting.CompileReport(compile_),
        booking=_booking(platform, owner, college),
        feed=_feed(platform, owner),
        subscription=subscription,
        delivery=delivery,
        message=message,
        grant=operator.registry.ListGrants(grants).grants[0].name,
        application=_application(platform, owner),
        document=papers.upload(owner).name,
        operator=operator,
        strangers=_strangers(platform, rival),
    )


def _review(owner: Member, match: str) -> str:
    request = reviews.RequestReviewRequest(match=match, organization=owner.name, reason=_WHY)
    made: str = owner.caller.reviews.RequestReview(request).name
    return made


def _search(member: Member) -> str:
    search = search_pb2.SavedSearch(organization=member.name, display_name="封装", query="封装")
    made: str = member.caller.searches.SaveSearch(searches.SaveSearchRequest(search=search)).name
    return made


def _booking(platform: Platform, owner: Member, college: Member) -> str:
    """The college's, of the owner's equipment."""
    details = details_pb2.EquipmentSharing(model="SEM-1", bookable=True)
    given = listing_pb2.Listing(issuer=owner.name, kind=listing_pb2.LISTING_KIND_EQUIPMENT_SHARING, title="扫描电镜")
    given.equipment_sharing.CopyFrom(details)
    given.visibility = listing_pb2.VISIBILITY_PUBLIC
    booking = booking_pb2.Booking(equipment=world.publish(owner, given).name, organization=college.name, purpose=_WHY)
    world.verified(platform, college)
    world.settle(platform)
    begins = world.noon(platform, days=2)
    booking.begin_time.FromDatetime(begins)
    booking.end_time.FromDatetime(begins + timedelta(hours=1))
    made = college.caller.bookings.CreateBooking(bookings.CreateBookingRequest(booking=booking))
    return str(made.name)


def _feed(platform: Platform, owner: Member) -> str:
    """Of the owner's, paused at once: there is nobody to exchange with."""
    given = feed_pb2.Feed(
        issuer=owner.name,
        display_name=world.unique("接口"),
        direction=feed_pb2.FEED_DIRECTION_IN,
        system=feed_pb2.OUTSIDE_SYSTEM_SME_SERVICE_NETWORK,
        url="http://127.0.0.1:9/jobs",
        kind=listing_pb2.LISTING_KIND_JOB_POSITION,
        mapping="zh_job_postings",
    )
    made = owner.caller.feeds.CreateFeed(feeds.CreateFeedRequest(feed=given))
    owner.caller.feeds.PauseFeed(feeds.PauseFeedRequest(name=made.name, reason=_WHY))
    return str(made.name)


def _application(platform: Platform, owner: Member) -> str:
    """One that nobody else has a part in yet but its authority."""
    authority = world.verified(platform, world.organization(platform, organization_pb2.ORG_TYPE_GOV_DEPARTMENT))
    call = application_pb2.ApplicationCall(
        programme=application_pb2.PROGRAMME_CERTIFICATION, year=2026, authority=authority.name
    )
    opened = world.operator(platform).applications.OpenCall(applications.OpenCallRequest(call=call))
    given = application_pb2.Application(
        programme=call.programme, display_name=world.unique("认证"), applicant=owner.name, call=opened.name
    )
    made = owner.caller.applications.CreateApplication(applications.CreateApplicationRequest(application=given))
    return str(made.name)


def _strangers(platform: Platform, rival: Member) -> dict[str, Caller]:
    elsewhere = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    world.grant(platform, "other-secretariat", access_pb2.ROLE_SECRETARIAT, body=world.alliance(platform).name)
    world.grant(platform, "other-auditor", access_pb2.ROLE_AUDITOR, body=world.alliance(platform).name)
    editor = world.organization(platform, organization_pb2.ORG_TYPE_UNIVERSITY, access_pb2.ROLE_ORGANIZATION_EDITOR)
    return {
        "nobody": Caller(platform),
        "without grants": Caller(platform, "newcomer"),
        "claims the owner's organization": Caller(platform, "newcomer", rival.name),
        "member of the same body": rival.caller,
        "another organization": elsewhere.caller,
        "another organization's editor": editor.caller,
        "another body's secretariat": Caller(platform, "other-secretariat"),
        "another body's auditor": Caller(platform, "other-auditor"),
    }


def _requests(scene: Scene) -> dict[str, Message]:
    """For every RPC that asks for a permission: a request that its owner could make."""
    body, owner, college = scene.body, scene.owner.name, scene.college.name
    organization = organization_pb2.Organization(name=owner, display_name="改名")
    listing = listing_pb2.Listing(name=scene.listing.name, title="改名")
    side: Any = {"name": scene.match.name, "organization": owner, "reason": _WHY}
    given_grant = grant_pb2.Grant(principal="newcomer", role=access_pb2.ROLE_ORGANIZATION_ADMIN, organization=owner)
    subscription = notify_pb2.Subscription(
        organization=college, event_types=["alliance.matching.match.*.v1"], channel=notify_pb2.CHANNEL_INBOX
    )
    header = listings.ImportHeader(issuer=owner, source="test", kind=listing_pb2.LISTING_KIND_JOB_POSITION)
    found: list[Message] = [
        registry.CreateOrganizationRequest(organization=organization_pb2.Organization(display_name=world.unique("单位"))),
        registry.UpdateOrganizationRequest(organization=organization, reason=_WHY),
        registry.VerifyOrganizationRequest(name=owner, reason=_WHY),
        registry.CreateBodyRequest(body=body_pb2.Body(display_name=world.unique("联盟"))),
        registry.UpdateBodyRequest(body=body_pb2.Body(name=body, display_name="改名"), reason=_WHY),
        registry.CheckBodyRequest(name=body),
        registry.ListFindingsRequest(parent=body),
        applications.OpenCallRequest(call=application_pb2.ApplicationCall(year=2026, authority=owner)),
        applications.UpdateApplicationRequest(application=application_pb2.Application(name=scene.application), reason=_WHY),
        applications.AttachDocumentsRequest(name=scene.application),
        applications.GetChallengeCountsRequest(body=body),
        applications.SetCandidateRequest(application=scene.application),
        applications.EraseCandidateRequest(application=scene.application, reason=_WHY),
        documents.UploadDocumentRequest(header=papers.header(owner)),
        documents.EraseDocumentRequest(name=scene.document, reason=_WHY),
        registry.FormBodyRequest(name=scene.draft, reason=_WHY),
        registry.SuspendBodyRequest(name=body, reason=_WHY),
        registry.ResumeBodyRequest(name=body, reason=_WHY),
        registry.DissolveBodyRequest(name=body, reason=_WHY),
        registry.CreateMembershipRequest(parent=body, membership=body_pb2.Membership(organization=owner)),
        registry.UpdateMembershipRequest(membership=body_pb2.Membership(name=scene.membership), reason=_WHY),
        registry.EndMembershipRequest(name=scene.membership, reason=_WHY),
        registry.CreateGrantRequest(grant=given_grant, reason=_WHY),
        registry.RevokeGrantRequest(name=scene.grant, reason=_WHY),
        listings.CreateListingRequest(listing=world.job(owner, "代发")),
        listings.UpdateListingRequest(listing=listing, reason=_WHY),
        listings.PublishListingRequest(name=scene.listing.name),
        listings.WithdrawListingRequest(name=scene.listing.name, reason=_WHY),
        listings.FulfilListingRequest(name=scene.listing.name, reason=_WHY),
        listings.ImportListingsRequest(header=header),
        listings.OpenFirstRoundRequest(body=body),
        feeds.CreateFeedRequest(feed=feed_pb2.Feed(issuer=owner)),
        feeds.GetFeedRequest(name=scene.feed),
        feeds.ListFeedsRequest(issuer=owner),
        feeds.UpdateFeedRequest(feed=feed_pb2.Feed(name=scene.feed), reason=_WHY),
        feeds.PauseFeedRequest(name=scene.feed, reason=_WHY),
        feeds.ResumeFeedRequest(name=scene.feed, reason=_WHY),
        feeds.RunFeedRequest(name=scene.feed, reason=_WHY),
        feeds.RemoveFeedRequest(name=scene.feed, reason=_WHY),
        feeds.RotateFeedSecretRequest(name=scene.feed, reason=_WHY),
        feeds.ListFeedRefusalsRequest(feed=scene.feed),
        listings.GetRoundRequest(name=scene.round),
        listings.MoveFirstRoundRequest(name=scene.round, reason=_WHY),
        listings.CompileRoundRequest(name=scene.round, reason=_WHY),
        listings.ListRoundEntriesRequest(round=scene.round),
        listings.ListSilentMembersRequest(round=scene.round),
        listings.GetPracticeBaseTargetsRequest(body=body),
        people.SetListingPersonRequest(listing=scene.listing.name, role=people.PERSON_ROLE_CONTACT),
        people.EraseListingPersonRequest(listing=scene.listing.name, role=people.PERSON_ROLE_CONTACT, reason=_WHY),
        bookings.CreateBookingRequest(booking=booking_pb2.Booking(organization=college)),
        bookings.CancelBookingRequest(name=scene.booking, reason=_WHY),
        bookings.GetBookingRequest(name=scene.booking),
        bookings.ListBookingsRequest(organization=college),
        listings.ListRoundsRequest(body=body),
        matching.GetMatchRequest(name=scene.match.name),
        matching.ListMatchesRequest(organization=owner),
        matching.ExplainMatchRequest(name=scene.match.name),
        matching.AcceptMatchRequest(**side),
        matching.DeclineMatchRequest(**side),
        matching.StartMatchRequest(**side),
        matching.CompleteMatchRequest(**side, outcome=matching.MATCH_OUTCOME_FULFILLED),
        reviews.RequestReviewRequest(match=scene.match.name, organization=owner, reason=_WHY),
        reviews.SettleReviewRequest(name=scene.review, outcome=review_pb2.REVIEW_STATE_UPHELD, reason=_WHY),
        reviews.GetReviewRequest(name=scene.review),
        reviews.ListReviewsRequest(match=scene.match.name),
        statistics_service_pb2.GetAcceptanceRequest(organization=owner),
        searches.SaveSearchRequest(search=search_pb2.SavedSearch(organization=college, display_name=_WHY, query=_WHY)),
        searches.ListSavedSearchesRequest(organization=college),
        searches.DeleteSavedSearchRequest(name=scene.search),
        reporting.ListDeadlinesRequest(body=body),
        reporting.CompileReportRequest(body=body, period=scene.report.period, kind=scene.report.kind),
        reporting.GetReportRequest(name=scene.report.name),
        reporting.ListReportsRequest(body=body),
        reporting.SubmitReportRequest(name=scene.report.name, reason=_WHY),
        reporting.AmendReportRequest(name=scene.report.name, reason=_WHY),
        reporting.ExportReportRequest(name=scene.report.name),
        reporting.ExplainFigureRequest(report=scene.report.name, figure="members.total"),
        notify.CreateSubscriptionRequest(subscription=subscription),
        notify.GetSubscriptionRequest(name=scene.subscription),
        notify.ListSubscriptionsRequest(organization=college),
        notify.CancelSubscriptionRequest(name=scene.subscription, reason=_WHY),
        notify.ListInboxMessagesRequest(organization=college),
        notify.MarkInboxMessagesReadRequest(organization=college, names=[scene.message]),
        notify.ListDeliveriesRequest(subscription=scene.subscription),
        notify.ResendDeliveryRequest(name=scene.delivery, reason=_WHY),
        personal_data.ExportPersonalDataRequest(subject="13800138000", purpose=_WHY),
        personal_data.ErasePersonalDataRequest(subject="13800138000", reason=_WHY),
        admin.ListDeadLettersRequest(),
        admin.GetDeadLetterRequest(id="01890000-0000-7000-8000-000000000000"),
        admin.DropDeadLettersRequest(ids=["1"], reason=_WHY),
        admin.ReplayDeadLettersRequest(ids=["1"], reason=_WHY),
        admin.ListParkedEventsRequest(),
        admin.RetryParkedEventsRequest(seqs=[1], reason=_WHY),
        admin.GiveUpParkedEventsRequest(seqs=[1], reason=_WHY),
        admin.ReplayTopicRequest(topic="alliance.public.listing.v1", reason=_WHY),
        admin.ListGroupsRequest(),
        admin.RebuildGroupRequest(group="listings.access-grant", reason=_WHY),
        admin.GetJobRequest(id="01890000-0000-7000-8000-000000000000"),
        admin.ListJobsRequest(),
        admin.CancelJobRequest(id="01890000-0000-7000-8000-000000000000", reason=_WHY),
        admin.GetProgressRequest(),
        admin.SetClockRequest(),
    ]
    return {type(one).__name__.removesuffix("Request"): one for one in found}


_OF_MEMBERS = {"GetRound", "ListRounds", "ListRoundEntries"}  # for one of the strangers too
_OF_PARTIES = {"CheckBody", "ListFindings", "UpdateBody"}
_BY_ITS_HANDLER = _OF_MEMBERS | _OF_PARTIES  # parties of an application have no grant on its body
_GUARDED = [
    (service, one)
    for service, one in rpcs.methods()
    if one.permission not in (PUBLIC, AUTHENTICATED) or one.name in _BY_ITS_HANDLER
]


def _state(scene: Scene) -> list[Message]:
    """What the strangers must not have changed."""
    operator, college, body = scene.operator, scene.college, scene.body
    return [
        operator.registry.GetOrganization(registry.GetOrganizationRequest(name=scene.owner.name)),
        operator.registry.GetBody(registry.GetBodyRequest(name=body)),
        operator.registry.GetBody(registry.GetBodyRequest(name=scene.draft)),
        operator.registry.ListMemberships(registry.ListMembershipsRequest(parent=body)),
        operator.registry.ListGrants(registry.ListGrantsRequest(organization=scene.owner.name)),
        operator.listings.ListListings(
            listings.ListListingsRequest(issuer=scene.owner.name, states=listing_pb2.ListingState.values()[1:])
        ),
        operator.listings.ListRounds(listings.ListRoundsRequest(body=body)),
        operator.matching.ExplainMatch(matching.ExplainMatchRequest(name=scene.match.name)),
        operator.reviews.GetReview(reviews.GetReviewRequest(name=scene.review)),
        college.caller.searches.ListSavedSearches(searches.ListSavedSearchesRequest(organization=college.name)),
        operator.reporting.GetReport(reporting.GetReportRequest(name=scene.report.name)),
        scene.owner.caller.feeds.GetFeed(feeds.GetFeedRequest(name=scene.feed)),
        college.caller.bookings.GetBooking(bookings.GetBookingRequest(name=scene.booking)),
        college.caller.notify.ListSubscriptions(notify.ListSubscriptionsRequest(organization=college.name)),
        college.caller.notify.ListInboxMessages(notify.ListInboxMessagesRequest(organization=college.name)),
        college.caller.notify.ListDeliveries(notify.ListDeliveriesRequest(subscription=scene.subscription)),
    ]


def test_every_guarded_rpc_is_tried(scene: Scene) -> None:
    assert set(_requests(scene)) == {method.name for _, method in _GUARDED}


def test_strangers_are_refused_and_change_nothing(platform: Platform, scene: Scene) -> None:
    world.settle(platform)
    before, requests = _state(scene), _requests(scene)
    let_in = []
    for service, method in _GUARDED:
        for who, caller in scene.strangers.items():
            if who == "member of the same body" and method.name in _OF_MEMBERS:
                continue
            request = type(requests[method.name])()
            request.CopyFrom(requests[method.name])
            try:
                rpcs.call(caller, service, method, request)
                let_in.append((method.name, who, "OK"))
            except grpc.RpcError as error:
                if error.code() not in _REFUSED:
                    let_in.append((method.name, who, str(error.code())))
    assert not let_in
    assert _state(scene) == before


@pytest.mark.parametrize("verb", ["Accept", "Decline", "Start", "Complete"])
def test_only_a_side_of_a_match_can_take_a_step(scene: Scene, verb: str) -> None:
    """A stranger that names its own organization passes the access rule; the match refuses it."""
    stranger = scene.strangers["another organization"]
    request = getattr(matching, f"{verb}MatchRequest")(name=scene.match.name, organization=stranger.organization, reason=_WHY)
    if verb == "Complete":
        request.outcome = matching.MATCH_OUTCOME_FULFILLED
    with pytest.raises(grpc.RpcError) as refused:
        getattr(stranger.matching, f"{verb}Match")(request)
    assert refused.value.code() in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}


def test_an_application_is_nobodys_who_has_no_part_in_it(scene: Scene) -> None:
    """Its RPCs are open to every principal, and say nothing of it."""
    name = scene.application
    wanted = [
        (documents.GetDocumentRequest(name=scene.document), "documents", "GetDocument"),
        (documents.GetDocumentContentRequest(name=scene.document), "documents", "GetDocumentContent"),
        (applications.GetApplicationRequest(name=name), "applications", "GetApplication"),
        (applications.TakeStepRequest(name=name, step="withdraw", reason=_WHY), "applications", "TakeStep"),
        (applications.GetProcedureRequest(application=name), "applications", "GetProcedure"),
        (applications.CheckApplicationRequest(name=name), "applications", "CheckApplication"),
        (applications.GetCandidateRequest(application=name, purpose=_WHY), "applications", "GetCandidate"),
    ]
    for who, caller in scene.strangers.items():
        for request, service, method in wanted:
            with pytest.raises(grpc.RpcError) as refused:
                getattr(getattr(caller, service), method)(request)
            assert refused.value.code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAUTHENTICATED}, (who, method)
        if caller.sub:
            assert not caller.applications.ListApplications(applications.ListApplicationsRequest()).applications, who
            assert not caller.applications.ListEvaluations(applications.ListEvaluationsRequest()).evaluations, who


def test_messages_of_another_inbox_stay_unread(scene: Scene) -> None:
    stranger = scene.strangers["another organization"]
    request = notify.MarkInboxMessagesReadRequest(organization=stranger.organization, names=[scene.message])
    assert stranger.notify.MarkInboxMessagesRead(request).marked == 0
    inbox = notify.ListInboxMessagesRequest(organization=scene.college.name)
    (message,) = (one for one in scene.college.caller.notify.ListInboxMessages(inbox).messages if one.name == scene.message)
    assert not message.read


def test_open_lists_keep_what_is_hidden(scene: Scene) -> None:
    """RPCs that everybody may call say nothing of drafts, of members' listings, and of others' grants."""
    for who, caller in scene.strangers.items():
        bodies = caller.registry.ListBodies(registry.ListBodiesRequest(page_size=1000)).bodies
        assert scene.draft not in {one.name for one in bodies}, who
        if who != "member of the same body":
            batch = listings.BatchGetListingsRequest(names=[scene.listing.name])
            assert not caller.listings.BatchGetListings(batch).listings, who
        if who != "nobody":
            own = caller.registry.ListGrants(registry.ListGrantsRequest(page_size=1000)).grants
            assert scene.grant not in {one.name for one in own}, who
            with pytest.raises(grpc.RpcError) as refused:
                caller.registry.ListGrants(registry.ListGrantsRequest(organization=scene.owner.name))
            assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
