"""Calling the local platform's services as one principal; for the demo and the tests."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import grpc

from alliance.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from alliance.admin.v1.personal_data_service_pb2_grpc import PersonalDataServiceStub
from alliance.listings.v1.booking_service_pb2_grpc import BookingsServiceStub
from alliance.listings.v1.feed_service_pb2_grpc import FeedsServiceStub
from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub
from alliance.listings.v1.person_service_pb2_grpc import PeopleServiceStub
from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from alliance.matching.v1.review_service_pb2_grpc import ReviewsServiceStub
from alliance.matching.v1.search_service_pb2_grpc import SearchesServiceStub
from alliance.matching.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from alliance.notify.v1.notify_service_pb2_grpc import NotifyServiceStub
from alliance.registry.v1.application_service_pb2_grpc import ApplicationServiceStub
from alliance.registry.v1.document_service_pb2_grpc import DocumentServiceStub
from alliance.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from alliance.reporting.v1.reporting_service_pb2_grpc import ReportingServiceStub
from alliance_local.control import Platform

TIMEOUT = 30.0  # seconds a call may take
_RECONNECT_MS = 1000  # between two tries to connect; gRPC's own go up to two minutes
# What is away for a moment is waited for, and asked again: a command's request id makes that safe.
_RETRY = {
    "methodConfig": [
        {
            "name": [{}],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.5s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ]
}
_STUBS: dict[str, Callable[[grpc.Channel], Any]] = {
    "registry": RegistryServiceStub,
    "applications": ApplicationServiceStub,
    "documents": DocumentServiceStub,
    "listings": ListingsServiceStub,
    "people": PeopleServiceStub,
    "bookings": BookingsServiceStub,
    "feeds": FeedsServiceStub,
    "matching": MatchingServiceStub,
    "reviews": ReviewsServiceStub,
    "searches": SearchesServiceStub,
    "statistics": StatisticsServiceStub,
    "reporting": ReportingServiceStub,
    "notify": NotifyServiceStub,
}
_SERVED_BY = {
    **dict.fromkeys(("applications", "documents"), "registry"),
    **dict.fromkeys(("people", "bookings", "feeds"), "listings"),
    **dict.fromkeys(("reviews", "searches", "statistics"), "matching"),
}


def patient_channel(target: str) -> grpc.Channel:
    """A channel whose calls wait for a service that is just being started again."""
    options = [("grpc.service_config", json.dumps(_RETRY)), ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS)]
    return grpc.insecure_channel(target, options)


class Caller:
    """One principal; `caller.listings.PublishListing(request)`. Without `sub` it is nobody and sends no token."""

    registry: Any
    applications: Any
    documents: Any
    listings: Any
    people: Any
    bookings: Any
    feeds: Any
    matching: Any
    reviews: Any
    searches: Any
    statistics: Any
    reporting: Any
    notify: Any

    def __init__(self, platform: Platform, sub: str = "", organization: str = "", language: str = "zh") -> None:
        self.platform = platform
        self.sub = sub
        self.organization = organization
        self._language = language
        self._channels: dict[str, grpc.Channel] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in _STUBS:
            raise AttributeError(name)
        return _Bound(self, _STUBS[name](self.channel(_SERVED_BY.get(name, name))))

    def admin(self, service: str) -> Any:
        """The operator's RPCs of a service."""
        return _Bound(self, AdminServiceStub(self.channel(service)))

    def personal_data(self, service: str) -> Any:
        """The rights of persons, of a service."""
        return _Bound(self, PersonalDataServiceStub(self.channel(service)))

    def channel(self, service: str) -> grpc.Channel:
        """The channel to a service."""
        if service not in self._channels:
            self._channels[service] = patient_channel(self.platform.target(service))
        return self._channels[service]

    def metadata(self) -> list[tuple[str, str]]:
        """Language and token."""
        sent = [("accept-language", self._language)]
        if self.sub:
            sent.append(("authorization", f"Bearer {self.platform.token(self.sub, self.organization)}"))
        return sent


class _Bound:
    """A stub whose calls carry the caller's metadata, a deadline and, for commands, a request id."""

    def __init__(self, caller: Caller, stub: Any) -> None:
        self._caller = caller
        self._stub = stub

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._stub, name)

        def call(request: Any, **more: Any) -> Any:
            descriptor = getattr(request, "DESCRIPTOR", None)
            if descriptor is not None and "request_id" in descriptor.fields_by_name and not request.request_id:
                request.request_id = str(uuid.uuid4())
            return method(request, metadata=self._caller.metadata(), **{"timeout": TIMEOUT, **more})

        return call
