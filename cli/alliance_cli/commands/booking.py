"""`alliance booking`: bookings 预约 of shared equipment."""

from collections.abc import Sequence
from typing import Annotated

import typer

from alliance.listings.v1 import booking_pb2 as pb
from alliance.listings.v1 import booking_service_pb2 as rpc
from alliance_cli import naming, stubs
from alliance_cli.errors import explained
from alliance_cli.output import Column, called, ident, instant, show, show_one, typed_instant
from alliance_cli.session import call, context

app = typer.Typer(no_args_is_help=True, help="设备预约 · bookings of equipment")
_state = called(pb.BookingState, "BOOKING_STATE_")
COLUMNS: list[Column] = [
    ("编号", "id", lambda b: ident(b.name)),
    ("设备", "equipment", lambda b: ident(b.equipment)),
    ("台", "unit", lambda b: b.unit),
    ("单位", "organization", lambda b: ident(b.organization)),
    ("起", "from", lambda b: instant(b.begin_time)),
    ("止", "to", lambda b: instant(b.end_time)),
    ("用途", "purpose", lambda b: b.purpose),
    ("状态", "state", lambda b: _state(b.state)),
    ("原因", "reason", lambda b: b.reason),
]
_BUSY: list[Column] = [
    ("台", "unit", lambda b: b.unit),
    ("起", "from", lambda b: instant(b.begin_time)),
    ("止", "to", lambda b: instant(b.end_time)),
]
_When = "2026-03-05T09:00"


@app.command()
def create(
    equipment: str,
    begins: Annotated[str, typer.Option("--from", help=f"起，如 {_When} · from")],
    ends: Annotated[str, typer.Option("--to", help="止 · to")],
    purpose: Annotated[str, typer.Option(help="用途 · what for")],
    as_: Annotated[str, typer.Option("--as", help="预约单位 · organization")] = "",
) -> None:
    """预约一台设备；同一时段不会重复预约 · book a unit; no unit is booked twice at one time."""
    with explained():
        booking = pb.Booking(
            equipment=naming.resource("listings", equipment), organization=naming.organization(as_), purpose=purpose
        )
        booking.begin_time.FromDatetime(typed_instant(begins))
        booking.end_time.FromDatetime(typed_instant(ends))
        show_one(call(stubs.bookings().CreateBooking, rpc.CreateBookingRequest(booking=booking)), COLUMNS)


@app.command()
def cancel(booking: str, reason: Annotated[str, typer.Option()]) -> None:
    """取消预约 · cancel a booking."""
    with explained():
        request = rpc.CancelBookingRequest(name=naming.resource("bookings", booking), reason=reason)
        show_one(call(stubs.bookings().CancelBooking, request), COLUMNS)


@app.command("list")
def list_(
    equipment: Annotated[str, typer.Option(help="某设备的预约 · of this equipment")] = "",
    as_: Annotated[str, typer.Option("--as", help="某单位的预约 · of this organization")] = "",
) -> None:
    """列出本单位的预约，或本单位设备的预约 · list what an organization has booked, or who has booked equipment."""
    with explained():
        request = rpc.ListBookingsRequest(page_size=naming.PAGE)
        if equipment:
            request.equipment = naming.resource("listings", equipment)
        else:
            request.organization = naming.organization(as_)
        found = naming.every(stubs.bookings().ListBookings, request, "bookings")
        show(found, _named(found) if found and context.output != "json" else COLUMNS)


def _named(found: Sequence[pb.Booking]) -> list[Column]:
    """Columns with the names of equipment and organizations beside their ids."""
    titles = naming.titles(one.equipment for one in found)
    names = naming.shown(*(one.organization for one in found))
    beside: dict[str, list[Column]] = {
        "equipment": [("设备名称", "name of equipment", lambda b: titles.get(b.equipment, ""))],
        "organization": [("单位名称", "name of organization", lambda b: names.get(b.organization, ""))],
    }
    return [shown for column in COLUMNS for shown in (column, *beside.get(column[1], []))]


@app.command()
def busy(
    equipment: str,
    begins: Annotated[str, typer.Option("--from", help="起，缺省现在 · from; now")] = "",
    ends: Annotated[str, typer.Option("--to", help="止，缺省 7 天后 · to; 7 days later")] = "",
) -> None:
    """设备已被占用的时段 · when equipment is taken."""
    with explained():
        request = rpc.GetBusyTimesRequest(equipment=naming.resource("listings", equipment))
        if begins:
            request.begin_time.FromDatetime(typed_instant(begins))
        if ends:
            request.end_time.FromDatetime(typed_instant(ends))
        show(call(stubs.bookings().GetBusyTimes, request).times, _BUSY)
