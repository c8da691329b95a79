"""Who sees a listing: on every way out, by the same rule."""

from dataclasses import dataclass

import grpc
import pytest

from alliance.common.v1 import access_pb2
from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.matching.v1 import matching_service_pb2
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.world import Member

_SHOWN = {
    "anonymous": {"public"},
    "stranger": {"public"},
    "member": {"public", "members"},
    "department": {"public", "government"},
    "unverified department": {"public"},
    "secretariat": {"public", "members", "government"},
    "issuer": {"public", "members", "government", "draft"},
    "operator": {"public", "members", "government", "draft"},
}
_VISIBILITY = {
    "public": listing_pb2.VISIBILITY_PUBLIC,
    "members": listing_pb2.VISIBILITY_MEMBERS,
    "government": listing_pb2.VISIBILITY_GOVERNMENT,
    "draft": listing_pb2.VISIBILITY_PUBLIC,
}


@dataclass(frozen=True)
class Scene:
    """Four listings of one issuer, and everybody who looks at them."""

    word: str
    issuer: str
    listings: dict[str, str]
    callers: dict[str, Caller]
    watchers: dict[str, Member]

    def of(self, names: set[str]) -> set[str]:
        """Which of the four are among some names."""
        return {label for label, name in self.listings.items() if name in names}


@pytest.fixture(scope="module")
def scene(platform: Platform) -> Scene:
    body = world.alliance(platform)
    issuer, member, stranger, clerk = (_enterprise(platform) for _ in range(4))
    department, unverified = (_department(platform, verified=verified) for verified in (True, False))
    world.join(platform, body.name, issuer)
    world.join(platform, body.name, member)
    world.join(platform, body.name, clerk, body_pb2.MEMBER_ROLE_SECRETARIAT)
    sub = body.name.rpartition("/")[2]
    world.grant(platform, sub, access_pb2.ROLE_SECRETARIAT, body=body.name)
    watchers = {"stranger": stranger, "member": member, "department": department, "unverified department": unverified}
    for watcher in watchers.values():
        world.subscribe(watcher, "alliance.listings.listing.published.v1", channel=notify_pb2.CHANNEL_INBOX)
    word = world.unique("封测")
    listings = {label: _entered(issuer, body.name, word, label) for label in _VISIBILITY}
    world.settle(platform)
    callers = {label: watcher.caller for label, watcher in watchers.items()}
    callers |= {"issuer": issuer.caller, "operator": world.operator(platform)}
    callers |= {"anonymous": Caller(platform), "secretariat": Caller(platform, sub)}
    return Scene(word, issuer.name, listings, callers, watchers)


def _enterprise(platform: Platform) -> Member:
    return world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)


def _department(platform: Platform, *, verified: bool) -> Member:
    member = world.organization(platform, organization_pb2.ORG_TYPE_GOV_DEPARTMENT)
    return world.verified(platform, member) if verified else member


def _entered(issuer: Member, body: str, word: str, label: str) -> str:
    job = world.job(issuer.name, f"{word}工程师", (body,), visibility=_VISIBILITY[label])
    if label != "draft":
        return world.publish(issuer, job).name
    return str(issuer.caller.listings.CreateListing(listings_service_pb2.CreateListingRequest(listing=job)).name)


@pytest.mark.parametrize("who", _SHOWN)
def test_lists_and_reads_show_the_same(scene: Scene, who: str) -> None:
    caller, names = scene.callers[who], list(scene.listings.values())
    batch = caller.listings.BatchGetListings(listings_service_pb2.BatchGetListingsRequest(names=names)).listings
    request = listings_service_pb2.ListListingsRequest(issuer=scene.issuer, states=listing_pb2.ListingState.values()[1:])
    listed = caller.listings.ListListings(request).listings
    assert scene.of({name for name in names if _readable(caller, name)}) == _SHOWN[who]
    assert scene.of({one.name for one in batch}) == _SHOWN[who]
    assert scene.of({one.name for one in listed}) == _SHOWN[who]


def _readable(caller: Caller, name: str) -> bool:
    try:
        caller.listings.GetListing(listings_service_pb2.GetListingRequest(name=name))
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return True


@pytest.mark.parametrize("who", _SHOWN)
def test_search_finds_what_is_published_and_may_be_seen(scene: Scene, who: str) -> None:
    request = matching_service_pb2.SearchListingsRequest(query=scene.word, page_size=100)
    hits = scene.callers[who].matching.SearchListings(request).hits
    assert scene.of({hit.listing.name for hit in hits}) == _SHOWN[who] - {"draft"}


@pytest.mark.parametrize("who", ["stranger", "member", "department", "unverified department"])
def test_the_inbox_tells_of_what_may_be_seen(scene: Scene, who: str) -> None:
    watcher = scene.watchers[who]
    request = notify_service_pb2.ListInboxMessagesRequest(organization=watcher.name, page_size=1000)
    messages = watcher.caller.notify.ListInboxMessages(request).messages
    assert scene.of({one.subject for one in messages}) == _SHOWN[who]
