"""Commands on the running listings service: once for every request id, in whole or not at all, with errors that help."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, LocalizedMessage
from grpc_status import rpc_status

from alliance.listings.v1 import listing_pb2
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import organization_pb2
from alliance_local.caller import Caller
from alliance_local.control import Platform
from tests import world
from tests.world import Member


@pytest.fixture
def issuer(platform: Platform) -> Member:
    member = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    world.settle(platform)  # lists decide by what the service has heard of the register
    return member


def _create(issuer: Member, title: str, request_id: str = "") -> listing_pb2.Listing:
    request = rpc.CreateListingRequest(listing=world.job(issuer.name, title), request_id=request_id or str(uuid4()))
    made: listing_pb2.Listing = issuer.caller.listings.CreateListing(request)
    return made


def _drafts(issuer: Member) -> int:
    request = rpc.ListListingsRequest(issuer=issuer.name, states=[listing_pb2.LISTING_STATE_DRAFT])
    return len(issuer.caller.listings.ListListings(request).listings)


def test_the_same_request_again_gives_the_first_answer(issuer: Member) -> None:
    request_id = str(uuid4())
    assert _create(issuer, "封装工程师", request_id) == _create(issuer, "封装工程师", request_id)
    assert _drafts(issuer) == 1


def test_twenty_at_once_are_one(issuer: Member) -> None:
    request_id = str(uuid4())
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: _create(issuer, "封装工程师", request_id), range(20)))
    assert len({one.name for one in made}) == 1
    assert _drafts(issuer) == 1


def test_a_request_id_serves_one_request_only(issuer: Member) -> None:
    request_id = str(uuid4())
    _create(issuer, "封装工程师", request_id)
    with pytest.raises(grpc.RpcError) as refused:
        _create(issuer, "测试工程师", request_id)
    assert _fields(refused.value) == ["request_id"]
    assert _drafts(issuer) == 1


def test_a_request_id_is_the_callers_own(platform: Platform, issuer: Member) -> None:
    other = world.organization(platform, organization_pb2.ORG_TYPE_ENTERPRISE)
    request_id = str(uuid4())
    assert _create(issuer, "封装工程师", request_id).name != _create(other, "封装工程师", request_id).name


def test_a_refusal_names_every_field_with_rule_and_fix(issuer: Member) -> None:
    listing = world.job(issuer.name, "", region_codes=["999999"], valid_to="2026-13-01")
    for language, fixes in (("zh", ("须", "请填")), ("en", ("has to", "enter"))):
        caller = Caller(issuer.caller.platform, issuer.caller.sub, issuer.name, language)
        with pytest.raises(grpc.RpcError) as refused:
            caller.listings.CreateListing(rpc.CreateListingRequest(listing=listing))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert set(_fields(refused.value)) == {"title", "region_codes", "valid_to"}
        for one in _violations(refused.value):
            assert one.reason
            assert any(fix in one.localized_message.message for fix in fixes), one
    assert _drafts(issuer) == 0


def test_what_the_contract_does_not_know_is_named(issuer: Member) -> None:
    request = rpc.ListListingsRequest(issuer="organizations/\x00")
    request.states.append(99)  # type: ignore[arg-type]
    with pytest.raises(grpc.RpcError) as refused:
        issuer.caller.listings.ListListings(request)
    assert sorted(_fields(refused.value)) == ["issuer", "states[0]"]


@pytest.mark.parametrize("content", [b"\x0a\x02\xff\xfe", b"\xff" * 40], ids=["no UTF-8", "no protobuf"])
def test_what_can_not_be_read_is_the_callers_fault(platform: Platform, content: bytes) -> None:
    channel: Any = Caller(platform).channel("listings")
    service, metadata = "/alliance.listings.v1.ListingsService", world.operator(platform).metadata()
    ways: list[Callable[[], Any]] = [
        lambda: channel.unary_unary(f"{service}/GetListing")(content, metadata=metadata, timeout=10),
        lambda: list(channel.stream_stream(f"{service}/ImportListings")(iter([content]), metadata=metadata, timeout=10)),
    ]
    for way in ways:
        with pytest.raises(grpc.RpcError) as refused:
            way()
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert [one.reason for one in _violations(refused.value)] == ["protobuf"]


def _violations(error: grpc.RpcError) -> list[BadRequest.FieldViolation]:
    status = rpc_status.from_call(cast(grpc.Call, error))
    assert status is not None
    kinds = {detail.TypeName() for detail in status.details}
    assert LocalizedMessage.DESCRIPTOR.full_name in kinds
    found = BadRequest()
    assert next(detail for detail in status.details if detail.Is(BadRequest.DESCRIPTOR)).Unpack(found)
    return list(found.field_violations)


def _fields(error: grpc.RpcError) -> list[str]:
    return [one.field for one in _violations(error)]


def test_an_etag_guards_against_lost_changes(issuer: Member) -> None:
    made = _create(issuer, "封装工程师")
    changed = listing_pb2.Listing(name=made.name, title="测试工程师", etag=made.etag)
    request = rpc.UpdateListingRequest(listing=changed, reason="改名")
    request.update_mask.paths.append("title")
    issuer.caller.listings.UpdateListing(request)
    request.request_id = ""
    request.listing.title = "热仿真工程师"
    with pytest.raises(grpc.RpcError) as refused:
        issuer.caller.listings.UpdateListing(request)
    assert refused.value.code() == grpc.StatusCode.ABORTED
    assert issuer.caller.listings.GetListing(rpc.GetListingRequest(name=made.name)).title == "测试工程师"


def test_personal_data_in_a_reason_is_refused(issuer: Member) -> None:
    made = world.publish(issuer, world.job(issuer.name, "封装工程师"))
    request = rpc.WithdrawListingRequest(name=made.name, reason="请联系 13800138000")
    with pytest.raises(grpc.RpcError) as refused:
        issuer.caller.listings.WithdrawListing(request)
    assert _fields(refused.value) == ["reason"]
