"""Calls of a server of its own: as many at once as it is set to take, and one more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import LocalizedMessage, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from alliance.matching.v1 import matching_service_pb2 as rpc
from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from chassis.auth import Tokens
from chassis.limit import Limit
from chassis.rpc import Call, Pipeline
from chassis.server import Server
from chassis.service import Offer
from tests.component.conftest import Probe
from tests.metrics import Rise
from tests.waiting import until

_MOST = 2
_STORM = 200
_METHOD = "SearchListings"


class _AnybodyMay:
    async def authorise(self, call: Call, permission: str, resources: list[str]) -> None:
        """See `chassis.rpc.Authoriser`."""


class _Searches:
    """Takes searches, and answers once it may."""

    def __init__(self) -> None:
        self.taken = 0
        self.may = asyncio.Event()

    async def SearchListings(self, call: Call, request: rpc.SearchListingsRequest) -> rpc.SearchListingsResponse:
        """Answers with nothing."""
        self.taken += 1
        await self.may.wait()
        return rpc.SearchListingsResponse()

    def __getattr__(self, name: str) -> object:
        """Nobody calls the others."""
        return None


@pytest.fixture
async def searches() -> _Searches:
    return _Searches()


@pytest.fixture
async def channel(probe: Probe, searches: _Searches) -> AsyncIterator[grpc.aio.Channel]:
    pipeline = Pipeline(probe.database, Tokens(Path(), "", ""), _AnybodyMay(), Limit(_MOST), lambda: None)
    offer = Offer(rpc.DESCRIPTOR.services_by_name["MatchingService"], searches)
    server = Server(pipeline, [offer], with_reflection=False)
    port = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as found:
        yield found
    await server.stop()


async def test_one_call_more_than_it_takes_at_once_is_shed_and_counted(channel: grpc.aio.Channel, searches: _Searches) -> None:
    shed, timed = Rise("alliance_rpc_shed_total"), Rise("alliance_rpc_seconds_count", method=_METHOD)
    answered = Rise("alliance_rpc_calls_total", method=_METHOD, code="OK")
    refused = Rise("alliance_rpc_calls_total", method=_METHOD, code="RESOURCE_EXHAUSTED")
    stub, request = MatchingServiceStub(channel), rpc.SearchListingsRequest()
    waiting = asyncio.gather(*(stub.SearchListings(request) for _ in range(_MOST)))
    await until(lambda: searches.taken == _MOST)
    assert shed() == 0
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.SearchListings(request)
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    searches.may.set()
    await waiting
    await stub.SearchListings(request)
    assert (shed(), refused(), answered(), timed()) == (1, 1, _MOST + 1, _MOST + 1)


@pytest.mark.parametrize(("runs_out", "code"), [(True, "DEADLINE_EXCEEDED"), (False, "CANCELLED")])
async def test_a_call_that_runs_out_of_time_is_told_from_one_that_is_given_up(
    channel: grpc.aio.Channel, searches: _Searches, runs_out: bool, code: str
) -> None:
    """Else a platform that hangs would look as one whose callers change their minds."""
    counted = {one: Rise("alliance_rpc_calls_total", method=_METHOD, code=one) for one in ("DEADLINE_EXCEEDED", "CANCELLED")}
    waiting = MatchingServiceStub(channel).SearchListings(rpc.SearchListingsRequest(), timeout=0.5 if runs_out else 60.0)
    await until(lambda: searches.taken == 1)
    if not runs_out:
        waiting.cancel()
    assert (await waiting.code()).name == code
    await until(lambda: sum(rise() for rise in counted.values()) == 1)
    assert counted[code]() == 1


@pytest.mark.parametrize(("language", "locale"), [("en-GB, zh;q=0.5", "en"), ("zh", "zh-CN"), ("", "zh-CN")])
async def test_a_refusal_says_why_and_when_to_try_again(
    channel: grpc.aio.Channel, searches: _Searches, language: str, locale: str
) -> None:
    stub, request = MatchingServiceStub(channel), rpc.SearchListingsRequest()
    waiting = asyncio.gather(*(stub.SearchListings(request) for _ in range(_MOST)))
    await until(lambda: searches.taken == _MOST)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.SearchListings(request, metadata=[("accept-language", language), ("authorization", "Bearer none")])
    status = rpc_status.from_call(cast(grpc.Call, error.value))
    assert status is not None
    message, retry = LocalizedMessage(), RetryInfo()
    assert (status.details[1].Unpack(message), status.details[2].Unpack(retry)) == (True, True)
    assert (status.message, message.locale, retry.retry_delay.seconds) == (error.value.details(), locale, 1)
    searches.may.set()
    await waiting


async def test_many_refusals_leave_calls_and_health_answered(channel: grpc.aio.Channel, searches: _Searches) -> None:
    stub, request = MatchingServiceStub(channel), rpc.SearchListingsRequest()
    waiting = asyncio.gather(*(stub.SearchListings(request) for _ in range(_MOST)))
    await until(lambda: searches.taken == _MOST)
    refused = [stub.SearchListings(request, timeout=5.0) for _ in range(_STORM)]
    health: Any = health_pb2_grpc.HealthStub(channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5.0)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert {await call.code() for call in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    searches.may.set()
    await waiting
    assert searches.taken == _MOST
