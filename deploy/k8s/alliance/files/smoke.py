"""`helm test`: two invented organizations publish what fits each other, and matching proposes it.

Run by a service's image. Environment: `SMOKE_REGISTRY`, `SMOKE_LISTINGS`, `SMOKE_MATCHING` (addresses), `SMOKE_TOKEN` (file
with a platform operator's token), `SMOKE_TLS` (folder with tls.crt, tls.key and ca.crt; plain without). Both listings are
withdrawn at the end, and the organizations are the same at every run.
"""

import os
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.matching.v1 import matching_service_pb2
from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance.registry.v1.registry_service_pb2_grpc import RegistryServiceStub

_TIMEOUT = 20.0  # seconds a call may take, waiting for a service included
_PATIENCE = 60.0  # seconds in which the match has to be there
_WORD = "冒烟测试"


def main() -> None:
    """Play it; raises where anything is refused or does not come about."""
    registry = RegistryServiceStub(_channel("REGISTRY"))
    listings = ListingsServiceStub(_channel("LISTINGS"))
    matching = MatchingServiceStub(_channel("MATCHING"))
    enterprise = _organization(registry, "smoke-enterprise", organization_pb2.ORG_TYPE_ENTERPRISE)
    college = _organization(registry, "smoke-college", organization_pb2.ORG_TYPE_HIGHER_VOCATIONAL)
    title = f"虚构示例{_WORD} n{time.time_ns()}"
    skills, majors = ["封装"], ["微电子科学与工程"]
    job = listing_pb2.JobPosition(skills=skills, majors=majors)
    talent = listing_pb2.TalentSupply(skills=skills, majors=majors, graduation_year=time.gmtime().tm_year + 1)
    published: list[str] = []
    try:
        for kind, issuer, details in (
            (listing_pb2.LISTING_KIND_TALENT_SUPPLY, college, {"talent_supply": talent}),
            (listing_pb2.LISTING_KIND_JOB_POSITION, enterprise, {"job_position": job}),
        ):
            given: Any = {
                "issuer": issuer,
                "kind": kind,
                "title": title,
                "visibility": listing_pb2.VISIBILITY_PUBLIC,
                **details,
            }
            create = listings_service_pb2.CreateListingRequest(listing=listing_pb2.Listing(**given))
            name = _call(listings.CreateListing, create).name
            _call(listings.PublishListing, listings_service_pb2.PublishListingRequest(name=name))
            published.append(name)
            print(f"已发布 · published {name}")
        supply, demand = published
        wanted = matching_service_pb2.ListMatchesRequest(listing=demand, page_size=1000)
        match = _until(lambda: [one for one in _call(matching.ListMatches, wanted).matches if one.supply == supply])[0]
        print(f"已匹配 · matched: {match.name}, {match.score}/1000")
    finally:
        for name in published:
            _call(listings.WithdrawListing, listings_service_pb2.WithdrawListingRequest(name=name, reason=_WORD))


def _organization(registry: Any, key: str, org_type: int) -> str:
    """The organization of a key, entered where there is none."""
    known = _call(registry.ListOrganizations, registry_service_pb2.ListOrganizationsRequest(external_key=key)).organizations
    if known:
        return str(known[0].name)
    given: Any = {"display_name": f"虚构示例{_WORD} {key}", "org_type": org_type, "external_key": key}
    create = registry_service_pb2.CreateOrganizationRequest(organization=organization_pb2.Organization(**given))
    return str(_call(registry.CreateOrganization, create).name)


def _channel(name: str) -> grpc.Channel:
    target = os.environ[f"SMOKE_{name}"]
    if folder := os.environ.get("SMOKE_TLS"):
        root, key, cert = (Path(folder, file).read_bytes() for file in ("ca.crt", "tls.key", "tls.crt"))
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(root, key, cert))
    return grpc.insecure_channel(target)


def _call(method: Callable[..., Any], request: Any) -> Any:
    """One call as the operator."""
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id = str(uuid.uuid4())
    token = Path(os.environ["SMOKE_TOKEN"]).read_text(encoding="utf-8").strip()
    metadata = [("authorization", f"Bearer {token}"), ("accept-language", "zh")]
    # Asked of the call: what a service config says holds once the name resolves, and a service without a ready pod has none.
    return method(request, timeout=_TIMEOUT, metadata=metadata, wait_for_ready=True)


def _until(look: Callable[[], list[Any]]) -> list[Any]:
    """What is there at last. Raises TimeoutError where it does not come."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{_PATIENCE:.0f} s 内没有匹配 · no match within that time")
        time.sleep(0.2)
    return found


if __name__ == "__main__":
    try:
        main()
    except (grpc.RpcError, TimeoutError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
