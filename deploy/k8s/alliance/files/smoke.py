"""`helm test`: all services take calls, two invented organizations publish what fits each other, and matching proposes it.

Run by a service's image. Environment: `SMOKE_REGISTRY` and so on (the services' addresses), `SMOKE_TOKEN` (file with a
platform operator's token), `SMOKE_TLS` (folder with tls.crt, tls.key and ca.crt; plain without). The organizations are the
same at every run, and all that they have is withdrawn at its end, and at the start of the next. Where it fails, its last line
says what does not answer.
"""

import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from alliance.listings.v1 import listing_pb2, listings_service_pb2
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.matching.v1 import matching_service_pb2
from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from alliance.registry.v1 import organization_pb2, registry_service_pb2
from alliance.registry.v1.registry_service_pb2_grpc import RegistryServiceStub

SERVICES = ("registry", "listings", "matching", "reporting", "notify")
_TIMEOUT = 20.0  # seconds a call may take
_PATIENCE = 60.0  # seconds in which a service has to take calls, and the match to be there
_LEAST = 5.0  # seconds of them that each service has, however long those before it took
_LOOK = 1.0  # seconds between two questions whether it does
_OPTIONS = (
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
)  # gRPC waits 30 s, and 120
_WORD = "冒烟测试"
_OPEN = (listing_pb2.LISTING_STATE_DRAFT, listing_pb2.LISTING_STATE_PUBLISHED)


class FailedError(Exception):
    """Which service takes no calls, or what it answers instead."""


def main() -> None:
    """Play it; raises where anything is refused or does not come about."""
    channels = {service: _channel(service) for service in SERVICES}
    serving(channels, _PATIENCE)
    registry = RegistryServiceStub(channels["registry"])
    listings = ListingsServiceStub(channels["listings"])
    matching = MatchingServiceStub(channels["matching"])
    enterprise = _organization(registry, "smoke-enterprise", organization_pb2.ORG_TYPE_ENTERPRISE)
    college = _organization(registry, "smoke-college", organization_pb2.ORG_TYPE_HIGHER_VOCATIONAL)
    title = f"虚构示例{_WORD} n{time.time_ns()}"
    skills, majors = ["封装"], ["微电子科学与工程"]
    job = listing_pb2.JobPosition(skills=skills, majors=majors)
    talent = listing_pb2.TalentSupply(skills=skills, majors=majors, graduation_year=time.gmtime().tm_year + 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what it has published is withdrawn
    _withdrawn(listings, (college, enterprise))  # of a run that was killed
    try:
        supply = _published(listings, college, listing_pb2.LISTING_KIND_TALENT_SUPPLY, title, talent_supply=talent)
        demand = _published(listings, enterprise, listing_pb2.LISTING_KIND_JOB_POSITION, title, job_position=job)
        wanted = matching_service_pb2.ListMatchesRequest(listing=demand, page_size=1000)
        match = _until(lambda: [one for one in _call(matching.ListMatches, wanted).matches if one.supply == supply])[0]
        print(f"已匹配 · matched: {match.name}, {match.score}/1000")
    finally:
        left = _withdrawn(listings, (college, enterprise))
    if left:
        raise FailedError(left[0])


def _published(listings: Any, issuer: str, kind: Any, title: str, **details: Any) -> str:
    """The name of a new public listing."""
    given: Any = {"issuer": issuer, "kind": kind, "title": title, "visibility": listing_pb2.VISIBILITY_PUBLIC, **details}
    create = listings_service_pb2.CreateListingRequest(listing=listing_pb2.Listing(**given))
    name = str(_call(listings.CreateListing, create).name)
    _call(listings.PublishListing, listings_service_pb2.PublishListingRequest(name=name))
    print(f"已发布 · published {name}")
    return name


def _withdrawn(listings: Any, issuers: Sequence[str]) -> list[str]:
    """Withdraw all that some organizations have, drafts among it; what failed of it, which keeps no other from it."""
    failed = []
    for issuer in issuers:
        try:
            there = _call(
                listings.ListListings, listings_service_pb2.ListListingsRequest(issuer=issuer, states=_OPEN)
            ).listings
        except FailedError as error:
            failed.append(str(error))
            continue
        for one in there:
            try:
                _call(listings.WithdrawListing, listings_service_pb2.WithdrawListingRequest(name=one.name, reason=_WORD))
            except FailedError as error:
                failed.append(f"{error} ({one.name})")
    for one in failed:
        print(f"未能撤回 · not withdrawn: {one}", flush=True)
    return failed


def serving(channels: Mapping[str, grpc.Channel], patience: float) -> None:
    """Wait until each service takes calls, so many seconds for all, and say for which. Raises FailedError with the others."""
    deadline = time.monotonic() + patience
    silent: dict[str, str] = {}
    for service, channel in channels.items():
        said = ""
        ends = max(deadline, time.monotonic() + min(_LEAST, patience))
        while why := _why_not(channel, min(_TIMEOUT, max(_LOOK, ends - time.monotonic()))):
            if why != said:
                print(f"等待 {service} · waiting for {service}: {why}", flush=True)
                said = why
            if time.monotonic() > ends:
                silent[service] = why
                break
            time.sleep(_LOOK)
        else:
            print(f"{service} 可用 · {service} takes calls", flush=True)
    if silent:
        named = "; ".join(f"{service} ({why})" for service, why in silent.items())
        raise FailedError(f"{patience:.0f} s 内不可用 · no calls taken within {patience:.0f} s: {named}")


def _why_not(channel: grpc.Channel, timeout: float) -> str:
    """Why a service takes no calls; empty where it does."""
    try:
        status = HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=timeout).status
    except grpc.RpcError as error:
        return _said(error)
    return (
        "" if status == health_pb2.HealthCheckResponse.SERVING else health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    )


def _said(error: Any) -> str:
    """An error on one line."""
    return f"{error.code().name} {' '.join((error.details() or '').split())}".strip()


def _organization(registry: Any, key: str, org_type: int) -> str:
    """The organization of a key, entered where there is none."""
    known = _call(registry.ListOrganizations, registry_service_pb2.ListOrganizationsRequest(external_key=key)).organizations
    if known:
        return str(known[0].name)
    given: Any = {"display_name": f"虚构示例{_WORD} {key}", "org_type": org_type, "external_key": key}
    create = registry_service_pb2.CreateOrganizationRequest(organization=organization_pb2.Organization(**given))
    return str(_call(registry.CreateOrganization, create).name)


def _channel(service: str) -> grpc.Channel:
    target = os.environ[f"SMOKE_{service.upper()}"]
    if folder := os.environ.get("SMOKE_TLS"):
        root, key, cert = (Path(folder, file).read_bytes() for file in ("ca.crt", "tls.key", "tls.crt"))
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(root, key, cert), _OPTIONS)
    return grpc.insecure_channel(target, _OPTIONS)


def _call(method: Callable[..., Any], request: Any) -> Any:
    """One call as the operator. Raises FailedError with what is answered instead, and by whom."""
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id = str(uuid.uuid4())
    token = Path(os.environ["SMOKE_TOKEN"]).read_text(encoding="utf-8").strip()
    metadata = [("authorization", f"Bearer {token}"), ("accept-language", "zh")]
    # Asked of the call: what a service config says holds once the name resolves, and a service without a ready pod has none.
    try:
        return method(request, timeout=_TIMEOUT, metadata=metadata, wait_for_ready=True)
    except grpc.RpcError as error:
        package, _, called = type(request).DESCRIPTOR.full_name.rpartition(".")
        service, call = package.split(".")[1], called.removesuffix("Request")
        raise FailedError(f"{service} 答复 {call} · {service} answers {call}: {_said(error)}") from error


def _until(look: Callable[[], list[Any]]) -> list[Any]:
    """What is there at last. Raises FailedError where it does not come."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise FailedError(f"matching: {_PATIENCE:.0f} s 内没有匹配 · no match within {_PATIENCE:.0f} s")
        time.sleep(0.2)
    return found


if __name__ == "__main__":
    try:
        main()
    except FailedError as error:
        sys.exit(str(error))
