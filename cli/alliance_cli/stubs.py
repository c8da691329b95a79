"""One stub a service, made when first used."""

from functools import cache
from typing import Any

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
from alliance_cli.session import channel


@cache
def registry() -> Any:
    """RegistryService."""
    return RegistryServiceStub(channel("registry"))


@cache
def applications() -> Any:
    """ApplicationService, which registry serves."""
    return ApplicationServiceStub(channel("registry"))


@cache
def documents() -> Any:
    """DocumentService, which registry serves."""
    return DocumentServiceStub(channel("registry"))


@cache
def listings() -> Any:
    """ListingsService."""
    return ListingsServiceStub(channel("listings"))


@cache
def people() -> Any:
    """PeopleService, which listings serves."""
    return PeopleServiceStub(channel("listings"))


@cache
def bookings() -> Any:
    """BookingsService, which listings serves."""
    return BookingsServiceStub(channel("listings"))


@cache
def feeds() -> Any:
    """FeedsService, which listings serves."""
    return FeedsServiceStub(channel("listings"))


@cache
def matching() -> Any:
    """MatchingService."""
    return MatchingServiceStub(channel("matching"))


@cache
def reviews() -> Any:
    """ReviewsService, which matching serves."""
    return ReviewsServiceStub(channel("matching"))


@cache
def searches() -> Any:
    """SearchesService, which matching serves."""
    return SearchesServiceStub(channel("matching"))


@cache
def statistics() -> Any:
    """StatisticsService, which matching serves."""
    return StatisticsServiceStub(channel("matching"))


@cache
def reporting() -> Any:
    """ReportingService."""
    return ReportingServiceStub(channel("reporting"))


@cache
def notify() -> Any:
    """NotifyService."""
    return NotifyServiceStub(channel("notify"))


@cache
def personal_data(service: str) -> Any:
    """PersonalDataService of one service."""
    return PersonalDataServiceStub(channel(service))


@cache
def admin(service: str) -> Any:
    """AdminService of one service."""
    return AdminServiceStub(channel(service))
