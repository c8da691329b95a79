"""Between messages, rows and the domain."""

from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from alliance.listings.v1 import booking_pb2 as pb
from alliance.listings.v1 import booking_service_pb2 as rpc
from alliance.listings.v1 import listing_pb2
from chassis.clock import SHANGHAI
from chassis.etag import etag
from listings.bookings.store import BookingRow
from listings.domain.bookings import Span, Taken, Terms


def terms_of(equipment: listing_pb2.Listing) -> Terms:
    """On which terms published equipment can be booked."""
    details = equipment.equipment_sharing
    return Terms(
        units=equipment.quantity,
        opens=details.open_from,
        closes=details.open_until,
        max_hours=details.max_hours,
        first=date.fromisoformat(equipment.valid_from),
        last=date.fromisoformat(equipment.valid_to),
    )


def span(begins: Timestamp, ends: Timestamp) -> Span:
    """The time between two instants, on Shanghai's clock."""
    return Span(local(begins), local(ends))


def local(instant: Timestamp) -> datetime:
    """An instant on Shanghai's clock."""
    return instant.ToDatetime(tzinfo=UTC).astimezone(SHANGHAI)


def taken(row: BookingRow) -> Taken:
    """When a unit is taken."""
    return Taken(row.unit, Span(row.begin_time.astimezone(SHANGHAI), row.end_time.astimezone(SHANGHAI)))


def busy_time(row: BookingRow) -> rpc.BusyTime:
    """When a unit is taken, without saying by whom."""
    found = rpc.BusyTime(unit=row.unit)
    found.begin_time.FromDatetime(row.begin_time)
    found.end_time.FromDatetime(row.end_time)
    return found


def message_of(row: BookingRow) -> pb.Booking:
    """The booking of a row."""
    found = pb.Booking(
        name=row.name,
        equipment=row.equipment,
        organization=row.organization,
        issuer=row.issuer,
        unit=row.unit,
        purpose=row.purpose,
        state=row.state,  # type: ignore[arg-type]
        reason=row.reason,
        etag=etag(row.version),
    )
    for field in ("begin_time", "end_time", "create_time", "update_time"):
        getattr(found, field).FromDatetime(getattr(row, field))
    return found
