"""Invented organizations and what they publish, for tests."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.json_format import MessageToJson
from google.rpc.error_details_pb2 import BadRequest, LocalizedMessage
from grpc_status import rpc_status

from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.matching.v1 import match_pb2, matching_service_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import body_pb2, grant_pb2, organization_pb2, registry_service_pb2
from alliance_local.caller import Caller
from alliance_local.clock import Clocks
from alliance_local.control import Platform
from alliance_local.state import SERVICES
from chassis.clock import SHANGHAI
from registry.domain.credit_code import check_character

_number = itertools.count(1)
_Found = TypeVar("_Found")
OPERATOR = "operator"


@dataclass(frozen=True)
class Member:
    """An organization and the caller that acts for it."""

    name: str
    caller: Caller


def unique(text: str) -> str:
    """A name that no other test uses; its last word, one to the matcher too, makes two that share it each other's best."""
    return f"虚构示例{text}n{time.time_ns()}{next(_number)}"


def operator(platform: Platform) -> Caller:
    """The platform's operator."""
    return Caller(platform, OPERATOR)


def organization(
    platform: Platform, org_type: int, role: int = access_pb2.ROLE_ORGANIZATION_ADMIN, called: str = "单位"
) -> Member:
    """A new organization with somebody who acts for it."""
    registry = operator(platform).registry
    given = organization_pb2.Organization(display_name=unique(called), org_type=cast(Any, org_type))
    made = registry.CreateOrganization(registry_service_pb2.CreateOrganizationRequest(organization=given))
    sub = made.name.rpartition("/")[2]  # whole: a part of it may look like a phone number
    grant(platform, sub, role, organization=made.name)
    return Member(made.name, Caller(platform, sub, made.name))


def grant(platform: Platform, sub: str, role: int, **scope: str) -> grant_pb2.Grant:
    """A grant."""
    given = grant_pb2.Grant(principal=sub, role=role, **scope)  # type: ignore[arg-type]
    made: grant_pb2.Grant = operator(platform).registry.CreateGrant(registry_service_pb2.CreateGrantRequest(grant=given))
    return made


def alliance(platform: Platform) -> body_pb2.Body:
    """A draft of an alliance."""
    given = body_pb2.Body(
        display_name=unique("联盟"),
        kind=body_pb2.BODY_KIND_ALLIANCE,
        alliance=body_pb2.AllianceFacts(key_industry=unique("产业")),
    )
    made: body_pb2.Body = operator(platform).registry.CreateBody(registry_service_pb2.CreateBodyRequest(body=given))
    return made


def join(platform: Platform, body: str, member: Member, *roles: int, since: str = "") -> body_pb2.Membership:
    """Take an organization into a body, from a day on; today where none is given."""
    given = body_pb2.Membership(organization=member.name, valid_from=since)
    given.roles.extend(cast(Any, roles or (body_pb2.MEMBER_ROLE_PARTICIPANT,)))
    request = registry_service_pb2.CreateMembershipRequest(parent=body, membership=given)
    made: body_pb2.Membership = operator(platform).registry.CreateMembership(request)
    return made


def formed_alliance(platform: Platform) -> tuple[body_pb2.Body, list[Member]]:
    """A formed alliance with its council: a chair, four vice chairs of which the first is the secretariat."""
    body = alliance(platform)
    council = [organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE) for _ in range(5)]
    join(platform, body.name, council[0], body_pb2.MEMBER_ROLE_CHAIR)
    join(platform, body.name, council[1], body_pb2.MEMBER_ROLE_VICE_CHAIR, body_pb2.MEMBER_ROLE_SECRETARIAT)
    for member in council[2:]:
        join(platform, body.name, member, body_pb2.MEMBER_ROLE_VICE_CHAIR)
    request = registry_service_pb2.FormBodyRequest(name=body.name, reason="测试")
    return operator(platform).registry.FormBody(request), council


def job(issuer: str, title: str, bodies: tuple[str, ...] = (), **more: Any) -> listing_pb2.Listing:
    """A post."""
    details = listing_pb2.JobPosition(skills=["封装", "热仿真"], majors=["微电子科学与工程"])
    fields = {"visibility": listing_pb2.VISIBILITY_PUBLIC, "job_position": details, **more}
    return listing_pb2.Listing(issuer=issuer, bodies=bodies, kind=listing_pb2.LISTING_KIND_JOB_POSITION, title=title, **fields)


def talent(issuer: str, title: str, bodies: tuple[str, ...] = (), **more: Any) -> listing_pb2.Listing:
    """A group of graduates."""
    details = listing_pb2.TalentSupply(skills=["封装"], majors=["微电子科学与工程"], graduation_year=2027)
    fields = {"visibility": listing_pb2.VISIBILITY_PUBLIC, "talent_supply": details, **more}
    return listing_pb2.Listing(
        issuer=issuer, bodies=bodies, kind=listing_pb2.LISTING_KIND_TALENT_SUPPLY, title=title, **fields
    )


def publish(member: Member, listing: listing_pb2.Listing) -> listing_pb2.Listing:
    """Enter a listing and publish it."""
    listings = member.caller.listings
    made = listings.CreateListing(listings_service_pb2.CreateListingRequest(listing=listing))
    published: listing_pb2.Listing = listings.PublishListing(listings_service_pb2.PublishListingRequest(name=made.name))
    return published


def subscribe(member: Member, event_type: str, **channel: Any) -> notify_pb2.Subscription:
    """A subscription to a type of event, for the member's organization."""
    given = notify_pb2.Subscription(organization=member.name, event_types=[event_type], **channel)
    request = notify_service_pb2.CreateSubscriptionRequest(subscription=given)
    made: notify_pb2.Subscription = member.caller.notify.CreateSubscription(request)
    return made


def received(platform: Platform, sink: str) -> list[dict[str, Any]]:
    """What the mail sink (`smtp`) or the webhook receiver (`webhook`) has got so far."""
    file = platform.state.root / "received" / f"{sink}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def matched(member: Member, demand: str, supply: str) -> match_pb2.Match:
    """The match of two listings, as soon as it is there."""
    request = matching_service_pb2.ListMatchesRequest(listing=demand, page_size=1000)

    def found() -> match_pb2.Match | None:
        return next((one for one in member.caller.matching.ListMatches(request).matches if one.supply == supply), None)

    return until(found)


def period_of(day: str) -> str:
    """The quarter of a date, like `2026Q1`."""
    return f"{day[:4]}Q{(int(day[5:7]) - 1) // 3 + 1}"


def verified(platform: Platform, member: Member) -> Member:
    """Give an organization a code of its own, and verify it."""
    registry = operator(platform).registry
    given = organization_pb2.Organization(name=member.name, credit_code=credit_code())
    request = registry_service_pb2.UpdateOrganizationRequest(organization=given, reason="补充代码")
    request.update_mask.paths.append("credit_code")
    registry.UpdateOrganization(request)
    registry.VerifyOrganization(registry_service_pb2.VerifyOrganizationRequest(name=member.name, reason="已核验"))
    return member


def credit_code() -> str:
    """A unified social credit code that no other test uses, with its check character; no real organization has it."""
    first = f"91{time.time_ns() % 10**13:013d}{next(_number) % 100:02d}"
    return first + check_character(first)


def said(error: grpc.RpcError) -> str:
    """What a refusal says: the fields that it names, with their texts."""
    status = rpc_status.from_call(cast(grpc.Call, error))
    found = [(error.details() if isinstance(error, grpc.Call) else "") or ""]
    for detail in status.details if status else ():
        for kind in (BadRequest(), LocalizedMessage()):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
                found.append(MessageToJson(kind, ensure_ascii=False))
    return "\n".join(found)


def noon(platform: Platform, days: int) -> datetime:
    """Noon in Shanghai so many days from today, by the business clock."""
    with Clocks(platform, ["listings"]) as clocks:
        day = clocks.now().astimezone(SHANGHAI).date() + timedelta(days=days)
    return datetime.combine(day, time_of_day(12), SHANGHAI)


def settle(platform: Platform) -> None:
    """Wait until no service has anything left to do."""
    with Clocks(platform, SERVICES) as clocks:
        clocks.settle(400)  # thousands of postings are embedded first


def until(look: Callable[[], _Found | None], seconds: float = 60.0) -> _Found:
    """What `look` finds, once it finds anything; fails where it does not in time."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing found within {seconds:.0f} s")
        time.sleep(0.05)
    return found
