"""The RPCs of bookings. A booking locks its equipment, so that two never look for a free unit at once."""

from datetime import datetime, timedelta

from access.authority import Authority
from access.visibility import may_see
from alliance.listings.v1 import booking_pb2 as pb
from alliance.listings.v1 import booking_service_pb2 as rpc
from chassis import etag, paging
from chassis.clock import SHANGHAI
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition, Violation, refuse
from chassis.ids import resource
from chassis.personal import screen
from chassis.rpc import Call
from listings import store as listings
from listings.bookings import changes, store
from listings.bookings.mapping import busy_time, local, message_of, span, taken, terms_of
from listings.bookings.store import BookingRow
from listings.domain.bookings import Span, State, Terms, free_unit, next_free, problems
from listings.domain.names import Kind
from listings.domain.names import State as ListingState
from listings.mapping import message_of as listing_of
from listings.people import named_in
from listings.standing import Standing
from listings.store import ListingRow

_MOST_DAYS = 31
_DAYS = 7
_PURPOSE = 200


class Bookings:
    """`alliance.listings.v1.BookingsService`."""

    def __init__(self, authority: Authority, standing: Standing) -> None:
        self._authority = authority
        self._standing = standing

    async def CreateBooking(self, call: Call, request: rpc.CreateBookingRequest) -> pb.Booking:
        """See the contract."""
        given, tx = request.booking, call.tx
        wanted = span(given.begin_time, given.end_time)
        equipment = await self._equipment(call, given.equipment, lock=True)
        listing = listing_of(equipment)
        await self._require_bookable(call, equipment, given.organization, is_bookable=listing.equipment_sharing.bookable)
        terms, now = terms_of(listing), tx.now.astimezone(SHANGHAI)
        if found := [*_purpose_problems(given.purpose), *_time_problems(wanted, terms, now)]:
            raise Invalid(found)
        refuse(await _named_in(tx, equipment, "booking.purpose", given.purpose))
        busy = [taken(one) for one in await store.taken(tx, equipment.name, wanted.begins)]
        unit = free_unit(wanted, terms.units, busy)
        if unit is None:
            raise _no_unit(wanted, next_free(wanted, terms, busy, now))
        row = BookingRow(
            name=resource("bookings"),
            version=1,
            equipment=equipment.name,
            issuer=equipment.issuer,
            organization=given.organization,
            unit=unit,
            begin_time=wanted.begins,
            end_time=wanted.ends,
            purpose=given.purpose.strip(),
            state=State.BOOKED,
            reason="",
            create_time=tx.now,
            update_time=tx.now,
        )
        await changes.enter(tx, row)
        return message_of(row)

    async def CancelBooking(self, call: Call, request: rpc.CancelBookingRequest) -> pb.Booking:
        """See the contract."""
        if not request.reason.strip():
            raise Invalid([Violation("reason", "required", "请填写取消的原因（reason）", "say in reason why it is cancelled")])
        row = await _booking(call.tx, request.name, lock=True)
        etag.check(request.etag, row.version, row.name)
        if row.state != State.BOOKED or row.end_time <= call.tx.now:
            raise Precondition(
                "BOOKING_OVER",
                "该预约（booking）已取消或已结束，不能再取消；请核对编号，仍要使用设备请另行预约",
                "the booking is cancelled or over, so it can't be cancelled; check its id, or book anew to use the equipment",
                {"booking": row.name},
            )
        if equipment := await listings.get(call.tx, row.equipment):
            refuse(await _named_in(call.tx, equipment, "reason", request.reason))
        await changes.cancel(call.tx, [row], request.reason.strip())
        return message_of(row)

    async def GetBooking(self, call: Call, request: rpc.GetBookingRequest) -> pb.Booking:
        """See the contract."""
        return message_of(await _booking(call.tx, request.name))

    async def ListBookings(self, call: Call, request: rpc.ListBookingsRequest) -> rpc.ListBookingsResponse:
        """See the contract."""
        if bool(request.organization) == bool(request.equipment):
            text = (
                "organization（单位）与 equipment（设备）须填且只填一项；请补上或去掉其一",
                "it is listed by organization or by equipment; give one of the two, and not both",
            )
            raise Invalid([Violation("organization", "one-of", *text)])
        column, value = ("organization", request.organization) if request.organization else ("equipment", request.equipment)
        size, before = paging.page_size(request.page_size), paging.decode(request)
        rows = await store.page(call.tx, column, value, before[0] if before else None, size + 1)
        answer = rpc.ListBookingsResponse(bookings=[message_of(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def GetBusyTimes(self, call: Call, request: rpc.GetBusyTimesRequest) -> rpc.GetBusyTimesResponse:
        """See the contract."""
        equipment = await self._equipment(call, request.equipment)
        begins = local(request.begin_time) if request.HasField("begin_time") else call.tx.now
        ends = local(request.end_time) if request.HasField("end_time") else begins + timedelta(days=_DAYS)
        if not timedelta() < ends - begins <= timedelta(days=_MOST_DAYS):
            text = (
                f"结束时间（end_time）须晚于开始时间（begin_time），最多晚 {_MOST_DAYS} 天；请缩短，更长的分次查询",
                f"end_time is after begin_time, by {_MOST_DAYS} days at most; shorten it, and ask in parts for more",
            )
            raise Invalid([Violation("end_time", "range", *text)])
        rows = await store.taken(call.tx, equipment.name, begins, ends)
        return rpc.GetBusyTimesResponse(times=[busy_time(row) for row in rows], units=listing_of(equipment).quantity)

    async def _equipment(self, call: Call, name: str, *, lock: bool = False) -> ListingRow:
        """The equipment, which the caller may see. Raises `NotFound` for what is none."""
        row = await listings.get(call.tx, name, lock=lock)
        viewer = await self._authority.viewer(call, ask_owner=True)
        if (
            row is None
            or row.kind != Kind.EQUIPMENT_SHARING
            or not may_see(viewer, issuer=row.issuer, bodies=row.bodies, visibility=row.visibility, state=row.state)
        ):
            raise NotFound(name)
        return row

    async def _require_bookable(self, call: Call, row: ListingRow, organization: str, *, is_bookable: bool) -> None:
        if row.state != ListingState.PUBLISHED or not is_bookable:
            raise Precondition(
                "NOT_BOOKABLE",
                "该设备（equipment）当前不接受在线预约；请与发布单位联系，或另选设备",
                "this equipment takes no bookings here now; turn to its issuer, or choose another",
                {"equipment": row.name},
            )
        if not await self._standing.is_verified(call.tx, organization):
            raise Precondition(
                "NOT_VERIFIED",
                f"预约单位（organization）{organization} 尚未核验，不能预约；请先完成核验",
                f"organization {organization} is not verified, so it can't book; have it verified first",
                {"organization": organization},
            )


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a booking: both sides'."""
    row = await store.get(tx, name)
    return frozenset({row.organization, row.issuer}) if row else frozenset()


async def _named_in(tx: Tx, equipment: ListingRow, field: str, text: str) -> list[Violation]:
    """What a text of a booking says of who is behind the equipment: it stays with the booking, which both sides read."""
    return [one._replace(field=field) for one in await named_in(tx, equipment, said=text)]


async def _booking(tx: Tx, name: str, *, lock: bool = False) -> BookingRow:
    row = await store.get(tx, name, lock=lock)
    if row is None:
        raise NotFound(name)
    return row


def _purpose_problems(purpose: str) -> list[Violation]:
    found = screen("booking.purpose", purpose)
    if not 2 <= len(purpose.strip()) <= _PURPOSE:
        text = (
            f"用途（purpose）须为 2–{_PURPOSE} 字；请补充或缩短",
            f"purpose has to have 2 to {_PURPOSE} characters; say more, or less",
        )
        found.append(Violation("booking.purpose", "length", *text))
    return found


def _time_problems(wanted: Span, terms: Terms, now: datetime) -> list[Violation]:
    return [Violation(f"booking.{field}", "R46", *text) for field, text in problems(wanted, terms, now)]


def _no_unit(wanted: Span, free: Span | None) -> Precondition:
    shown = f"{free.begins:%Y-%m-%d %H:%M}–{free.ends:%m-%d %H:%M}" if free else ""
    free_zh = f"请改约最近的空闲时段 {shown}" if free else "共享期内已无这样长的空闲时段，请缩短时长或另选设备"
    free_en = (
        f"book the next free time, {shown}" if free else "none as long is free any more: shorten it, or choose other equipment"
    )
    return Precondition(
        "TAKEN",
        f"开始时间（begin_time）{wanted.begins:%Y-%m-%d %H:%M} 起的时段已约满；{free_zh}",
        f"every unit is taken from begin_time {wanted.begins:%Y-%m-%d %H:%M}; {free_en}",
        {"next_free": free.begins.isoformat() if free else ""},
    )
