"""What a body's state allows: rounds are a formed alliance's, and nothing new goes to one that is suspended or dissolved."""

from datetime import date, timedelta
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import LocalizedMessage
from grpc_status import rpc_status

from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2, organization_pb2
from alliance.registry.v1 import registry_service_pb2 as registry
from alliance_local.caller import Caller
from alliance_local.control import Platform
from chassis.ids import resource
from tests import world
from tests.world import Member

INVALID, PRECONDITION = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION
DAY = timedelta(days=1)


def act(platform: Platform, verb: str, body: str) -> None:
    request = getattr(registry, f"{verb}BodyRequest")(name=body, reason="整改")
    getattr(world.operator(platform).registry, f"{verb}Body")(request)


def first_round(platform: Platform, body: str, opens: date, closes: date, language: str = "zh") -> Any:
    caller = Caller(platform, world.OPERATOR, language=language)
    request = rpc.OpenFirstRoundRequest(body=body, council_opens_on=opens.isoformat(), council_closes_on=closes.isoformat())
    return caller.listings.OpenFirstRound(request)


def refusal(call: Any, *arguments: Any) -> tuple[grpc.StatusCode, str]:
    """The code of a refusal, and what it says in the caller's language."""
    with pytest.raises(grpc.RpcError) as refused:
        call(*arguments)
    status = rpc_status.from_call(cast(grpc.Call, refused.value))
    assert status
    said = LocalizedMessage()
    assert next(one for one in status.details if one.Is(LocalizedMessage.DESCRIPTOR)).Unpack(said)
    return refused.value.code(), said.message


def test_a_first_round_is_a_formed_alliances(platform: Platform) -> None:
    formed, _ = world.formed_alliance(platform)
    today = date.fromisoformat(formed.formed_on)
    draft, suspended, dissolved = (
        world.alliance(platform),
        world.formed_alliance(platform)[0],
        world.formed_alliance(platform)[0],
    )
    act(platform, "Suspend", suspended.name)
    act(platform, "Dissolve", dissolved.name)
    community = body_pb2.Body(display_name=world.unique("共同体"), kind=body_pb2.BODY_KIND_COMMUNITY)
    other = world.operator(platform).registry.CreateBody(registry.CreateBodyRequest(body=community))
    world.settle(platform)
    wrong = {one.name: PRECONDITION for one in (draft, suspended, dissolved, other)} | {resource("bodies"): INVALID}
    for name, code in wrong.items():
        for language, words in (("zh", "不能开启首期（R54）"), ("en", "no first round can be opened")):
            found, text = refusal(first_round, platform, name, today, today, language)
            assert found == code
            assert words in text
            assert "R54" in text
    assert first_round(platform, formed.name, today, today).body == formed.name
    act(platform, "Resume", suspended.name)
    assert first_round(platform, suspended.name, today, today).opens_on == today.isoformat()


def test_a_first_round_follows_its_council_with_a_reason(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    today = date.fromisoformat(body.formed_on)
    world.settle(platform)
    opened = first_round(platform, body.name, today, today)
    listings = world.operator(platform).listings

    def moved(opens: date, **more: Any) -> Any:
        days = {"council_opens_on": opens.isoformat(), "council_closes_on": (opens + DAY).isoformat()}
        return listings.MoveFirstRound(rpc.MoveFirstRoundRequest(name=opened.name, **days, **{"reason": "理事会改期", **more}))

    later = moved(today + 30 * DAY)
    assert (later.name, later.opens_on) == (opened.name, (today + 30 * DAY).isoformat())
    assert refusal(moved, today - DAY)[0] == INVALID, "before the alliance was formed"
    with pytest.raises(grpc.RpcError, match="ABORTED"):
        moved(today, etag=opened.etag)
    with pytest.raises(grpc.RpcError, match="reason"):
        moved(today, reason=" ")
    act(platform, "Suspend", body.name)
    world.settle(platform)
    assert moved(today + 60 * DAY).opens_on == (today + 60 * DAY).isoformat(), "or it would close with nothing in it"


def test_a_first_round_is_held_from_the_formation_on_and_within_a_year(platform: Platform) -> None:
    body, _ = world.formed_alliance(platform)
    today = date.fromisoformat(body.formed_on)
    for opens, closes in ((today - DAY, today), (today, today + 400 * DAY), (date.max, date.max), (today + DAY, today)):
        code, text = refusal(first_round, platform, body.name, opens, closes)
        assert code == INVALID, text
    assert first_round(platform, body.name, today, today + 30 * DAY).closes_on == (today + 30 * DAY).isoformat()


def _import(issuer: Member, listing: listing_pb2.Listing) -> list[rpc.ImportReceipt]:
    kind = listing_pb2.LISTING_KIND_JOB_POSITION
    header = rpc.ImportHeader(issuer=issuer.name, source="测试系统", kind=kind, publish=True)
    chunk = rpc.ImportChunk(rows=[rpc.ImportRow(row=1, listing=listing)])
    messages = [rpc.ImportListingsRequest(header=header), rpc.ImportListingsRequest(chunk=chunk)]
    return [one for answer in issuer.caller.listings.ImportListings(iter(messages)) for one in answer.receipts]


@pytest.mark.parametrize("verb", ["Suspend", "Dissolve"])
def test_nothing_new_names_a_body_that_is_suspended_or_dissolved(platform: Platform, verb: str) -> None:
    body, council = world.formed_alliance(platform)
    issuer = council[0]
    named = world.publish(issuer, world.job(issuer.name, "封装工程师", (body.name,)))
    elsewhere = world.publish(issuer, world.job(issuer.name, "测试工程师"))
    row = world.job(issuer.name, "版图工程师", (body.name,), external_key="known")
    assert _import(issuer, row)[0].outcome == rpc.IMPORT_OUTCOME_ACCEPTED
    act(platform, verb, body.name)
    world.settle(platform)
    job = world.job(issuer.name, "热仿真工程师", (body.name,))
    assert "已暂停或解散" in refusal(world.publish, issuer, job)[1]
    assert "已暂停或解散" in refusal(_revise, issuer, elsewhere.name, "bodies", {"bodies": [body.name]})[1]
    job.external_key = "new"
    (receipt,) = _import(issuer, job)
    assert [(one.field, one.rule) for one in receipt.problems] == [("bodies", "closed")]
    assert _import(issuer, row)[0].outcome == rpc.IMPORT_OUTCOME_UNCHANGED
    row.title = "资深版图工程师"
    assert _import(issuer, row)[0].outcome == rpc.IMPORT_OUTCOME_REVISED
    assert _revise(issuer, named.name, "title", {"title": "资深封装工程师"}).bodies == [body.name]
    if verb == "Suspend":
        act(platform, "Resume", body.name)
        assert world.publish(issuer, world.job(issuer.name, "热仿真工程师", (body.name,)))


def _revise(issuer: Member, name: str, path: str, fields: dict[str, Any]) -> listing_pb2.Listing:
    request = rpc.UpdateListingRequest(listing=listing_pb2.Listing(name=name, **fields), reason="修订")
    request.update_mask.paths.append(path)
    revised: listing_pb2.Listing = issuer.caller.listings.UpdateListing(request)
    return revised


def test_members_publish_while_a_body_is_being_prepared(platform: Platform) -> None:
    body, member = world.alliance(platform), world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    world.join(platform, body.name, member)
    assert world.publish(member, world.job(member.name, "封装工程师", (body.name,))).bodies == [body.name]
