"""Saved searches on the running platform: from a listing's publication to the inbox, and only where it may be seen."""

import grpc
import pytest

from alliance.listings.v1 import listing_pb2
from alliance.matching.v1 import search_pb2 as pb
from alliance.matching.v1 import search_service_pb2 as rpc
from alliance.notify.v1 import notify_pb2, notify_service_pb2
from alliance.registry.v1 import organization_pb2
from alliance_local.control import Platform
from matching.searches.rpc import MOST
from tests import world
from tests.e2e.program import Alliance
from tests.world import Member

_MET = "alliance.matching.search.met.v1"


def _saved(member: Member, query: str) -> pb.SavedSearch:
    search = pb.SavedSearch(organization=member.name, display_name="封装岗位", query=query)
    made: pb.SavedSearch = member.caller.searches.SaveSearch(rpc.SaveSearchRequest(search=search))
    return made


def _inbox(member: Member) -> list[notify_pb2.InboxMessage]:
    request = notify_service_pb2.ListInboxMessagesRequest(organization=member.name, page_size=1000)
    return list(member.caller.notify.ListInboxMessages(request).messages)


def test_members_are_told_of_what_they_may_see(platform: Platform) -> None:
    body, council = world.formed_alliance(platform)
    member, outsider = council[2], world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    title = world.unique("封装")
    for one in (member, outsider):
        _saved(one, title)
        world.subscribe(one, _MET, channel=notify_pb2.CHANNEL_INBOX)
    world.settle(platform)
    hidden = world.job(council[0].name, f"{title}甲", (body.name,), visibility=listing_pb2.VISIBILITY_MEMBERS)
    shown = world.job(council[0].name, f"{title}乙", (body.name,))
    names = [world.publish(council[0], one).name for one in (hidden, shown)]
    world.until(lambda: len(_inbox(member)) == 2 and _inbox(outsider))
    world.settle(platform)
    assert {one.subject for one in _inbox(member)} == set(names)
    (message,) = _inbox(outsider)
    assert (message.subject, message.title) == (names[1], f"“封装岗位”有新结果：{title}乙")


def test_an_organization_has_so_many_at_most(platform: Platform) -> None:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    kept = [_saved(member, "封装").name for _ in range(MOST)]
    with pytest.raises(grpc.RpcError) as refused:
        _saved(member, "封装")
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    gone = member.caller.searches.DeleteSavedSearch(rpc.DeleteSavedSearchRequest(name=kept[0]))
    assert gone.state == pb.SAVED_SEARCH_STATE_FORGOTTEN
    newest = _saved(member, "封装").name
    request = rpc.ListSavedSearchesRequest(organization=member.name, page_size=60)
    first = member.caller.searches.ListSavedSearches(request)
    request.page_token = first.next_page_token
    rest = member.caller.searches.ListSavedSearches(request)
    listed = [one.name for one in (*first.saved_searches, *rest.saved_searches)]
    assert listed == [newest, *reversed(kept[1:])]


def test_the_command_line_saves_lists_and_forgets(platform: Platform, alliance: Alliance, employer: Member) -> None:
    title = world.unique("封装")
    for name in ("甲", "乙"):
        alliance.json("search", "save", name, title, "--kind", "job_position", "--region", "北京")
    saved = alliance.json("search", "saved")
    assert [(one["display_name"], one["region_code"]) for one in saved] == [("乙", "110000"), ("甲", "110000")]
    subscriptions = alliance.json("notify", "list")
    assert [one["event_types"] for one in subscriptions] == [[_MET]], "one subscription is enough for both"
    world.settle(platform)
    issuer = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    world.publish(issuer, world.job(issuer.name, title, region_codes=["110105"]))
    world.publish(issuer, world.job(issuer.name, title, region_codes=["320000"]))
    world.until(lambda: len(_inbox(employer)) == 2)
    assert title in alliance("search", title)
    assert len(alliance.json("search", title, "--issuer", issuer.name)) == 2
    assert alliance.json("search", title, "--issuer", employer.name) == []
    alliance("search", "forget", saved[0]["name"])
    assert [one["display_name"] for one in alliance.json("search", "saved")] == ["甲"]
    kept = alliance.json("search", "save", "丙", title, "--issuer", issuer.name)
    assert kept["issuer"] == issuer.name


@pytest.mark.parametrize("field", ["source", "issuer", "body"])
def test_what_a_search_is_narrowed_to_says_nothing_of_persons(platform: Platform, field: str) -> None:
    """Its service looks at name and query; behind it every text of a command is looked through, and nothing of it is kept."""
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    search = pb.SavedSearch(organization=member.name, display_name="封装岗位", query="封装")
    setattr(search, field, "bodies/13907135791")
    with pytest.raises(grpc.RpcError) as refused:
        member.caller.searches.SaveSearch(rpc.SaveSearchRequest(search=search))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f'"field": "search.{field}"' in world.said(refused.value)
    found = member.caller.searches.ListSavedSearches(rpc.ListSavedSearchesRequest(organization=member.name))
    assert not found.saved_searches
