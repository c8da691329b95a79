"""Listings published one after the other, by a pod of the cluster: `python3 -c SCRIPT FOLDER REGISTRY LISTINGS`.

Runs in a service's image, until FOLDER/stop is there. The targets are gRPC addresses; FOLDER/token is a platform operator's.
A call that gets no answer, or ends as CANCELLED by a server that stops, is sent again with the same `request_id`, as callers
are asked to. Prints a line of JSON for each listing once it is acknowledged, {"name": …, "tries": …}, and for each call that
sending again did not save, {"lost": …}.
"""

import asyncio
import itertools
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import grpc

from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance.registry.v1.registry_service_pb2_grpc import RegistryServiceStub

_CALLERS = 4
_PAUSE = 0.2  # seconds of each caller between two listings
_TIMEOUT = 10.0  # seconds a call may take
_PATIENCE = 60.0  # seconds in which a command has to be answered, however often it is sent
_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
_OPTIONS = [
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),  # pods come and go; by itself gRPC asks for names every 30 s at most
]
_KEY = "cluster-college"


class Caller:
    """A platform operator that publishes for an invented college."""

    def __init__(self, registry: str, listings: str, token: str) -> None:
        self._registry: Any = RegistryServiceStub(grpc.aio.insecure_channel(registry, options=_OPTIONS))
        self._listings: Any = ListingsServiceStub(grpc.aio.insecure_channel(listings, options=_OPTIONS))
        self._metadata = [("authorization", f"Bearer {token}")]

    async def issuer(self) -> str:
        """The college's name; entered where it is not there."""
        wanted = registry_service_pb2.ListOrganizationsRequest(external_key=_KEY)
        (known, _) = await self._called(self._registry.ListOrganizations, wanted)
        if known.organizations:
            return str(known.organizations[0].name)
        college: Any = {"display_name": "虚构示例集群学院", "external_key": _KEY}
        college |= {"org_type": organization_pb2.ORG_TYPE_HIGHER_VOCATIONAL}
        create = registry_service_pb2.CreateOrganizationRequest(organization=organization_pb2.Organization(**college))
        (made, _) = await self._called(self._registry.CreateOrganization, create)
        return str(made.name)

    async def publish(self, issuer: str) -> dict[str, Any]:
        """One listing, created and published."""
        supply = listing_pb2.TalentSupply(skills=["护理"], majors=["护理学"], graduation_year=time.gmtime().tm_year + 1)
        given: Any = {"issuer": issuer, "kind": listing_pb2.LISTING_KIND_TALENT_SUPPLY, "title": "虚构示例集群供给"}
        listing = listing_pb2.Listing(talent_supply=supply, visibility=listing_pb2.VISIBILITY_PUBLIC, **given)
        create = listings_service_pb2.CreateListingRequest(listing=listing)
        made, first = await self._called(self._listings.CreateListing, create)
        publish = listings_service_pb2.PublishListingRequest(name=made.name)
        published, second = await self._called(self._listings.PublishListing, publish)
        return {"name": published.name, "tries": first + second}

    async def _called(self, method: Any, request: Any) -> tuple[Any, int]:
        """The answer, and how often the call was sent. Raises what the last one got."""
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid.uuid4())
        ending = time.monotonic() + _PATIENCE
        for tries in itertools.count(1):
            try:
                return await method(request, timeout=_TIMEOUT, metadata=self._metadata), tries
            except grpc.aio.AioRpcError as error:
                if error.code() not in _AGAIN or time.monotonic() > ending:
                    raise
            await asyncio.sleep(min(0.1 * 2**tries, 2.0))
        raise AssertionError


async def main(folder: Path, registry: str, listings: str, token: str) -> None:
    """Publish until it is told to stop."""
    caller = Caller(registry, listings, token)
    issuer = await caller.issuer()
    await asyncio.gather(*(_publish(caller, issuer, folder / "stop") for _ in range(_CALLERS)))


async def _publish(caller: Caller, issuer: str, stop: Path) -> None:
    while not await asyncio.to_thread(stop.exists):
        try:
            said: dict[str, Any] = await caller.publish(issuer)
        except grpc.aio.AioRpcError as error:
            said = {"lost": f"{error.code().name} {error.details()}"}
        print(json.dumps(said, ensure_ascii=False), flush=True)
        await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    place, first, second = sys.argv[1:]
    asyncio.run(main(Path(place), first, second, Path(place, "token").read_text(encoding="utf-8").strip()))
