"""One stub a service, made when first used; its module is loaded then too, since nobody should wait for all the others'."""

from functools import cache
from typing import Any

from alliance_cli.session import channel


@cache
def registry() -> Any:
    """RegistryService."""
    from alliance.registry.v1.registry_service_pb2_grpc import RegistryServiceStub

    return RegistryServiceStub(channel("registry"))


@cache
def applications() -> Any:
    """ApplicationService, which registry serves."""
    from alliance.registry.v1.application_service_pb2_grpc import ApplicationServiceStub

    return ApplicationServiceStub(channel("registry"))


@cache
def documents() -> Any:
    """DocumentService, which registry serves."""
    from alliance.registry.v1.document_service_pb2_grpc import DocumentServiceStub

    return DocumentServiceStub(channel("registry"))


@cache
def listings() -> Any:
    """ListingsService."""
    from alliance.listings.v1.listings_service_pb2_grpc import ListingsServiceStub

    return ListingsServiceStub(channel("listings"))


@cache
def people() -> Any:
    """PeopleService, which listings serves."""
    from alliance.listings.v1.person_service_pb2_grpc import PeopleServiceStub

    return PeopleServiceStub(channel("listings"))


@cache
def bookings() -> Any:
    """BookingsService, which listings serves."""
    from alliance.listings.v1.booking_service_pb2_grpc import BookingsServiceStub

    return BookingsServiceStub(channel("listings"))


@cache
def feeds() -> Any:
    """FeedsService, which listings serves."""
    from alliance.listings.v1.feed_service_pb2_grpc import FeedsServiceStub

    return FeedsServiceStub(channel("listings"))


@cache
def matching() -> Any:
    """MatchingService."""
    from alliance.matching.v1.matching_service_pb2_grpc import MatchingServiceStub

    return MatchingServiceStub(channel("matching"))


@cache
def reviews() -> Any:
    """ReviewsService, which matching serves."""
    from alliance.matching.v1.review_service_pb2_grpc import ReviewsServiceStub

    return ReviewsServiceStub(channel("matching"))


@cache
def searches() -> Any:
    """SearchesService, which matching serves."""
    from alliance.matching.v1.search_service_pb2_grpc import SearchesServiceStub

    return SearchesServiceStub(channel("matching"))


@cache
def statistics() -> Any:
    """StatisticsService, which matching serves."""
    from alliance.matching.v1.statistics_service_pb2_grpc import StatisticsServiceStub

    return StatisticsServiceStub(channel("matching"))


@cache
def reporting() -> Any:
    """ReportingService."""
    from alliance.reporting.v1.reporting_service_pb2_grpc import ReportingServiceStub

    return ReportingServiceStub(channel("reporting"))


@cache
def notify() -> Any:
    """NotifyService."""
    from alliance.notify.v1.notify_service_pb2_grpc import NotifyServiceStub

    return NotifyServiceStub(channel("notify"))


@cache
def personal_data(service: str) -> Any:
    """PersonalDataService of one service."""
    from alliance.admin.v1.personal_data_service_pb2_grpc import PersonalDataServiceStub

    return PersonalDataServiceStub(channel(service))


@cache
def admin(service: str) -> Any:
    """AdminService of one service."""
    from alliance.admin.v1.admin_service_pb2_grpc import AdminServiceStub

    return AdminServiceStub(channel(service))
