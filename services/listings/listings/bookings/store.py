"""The table of bookings, and the statements on it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, Index, Table, Text, any_, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field

from access.tables import membership
from alliance.listings.v1 import listing_pb2
from chassis.database import Tx
from listings.domain.bookings import State
from listings.domain.names import Kind
from listings.domain.names import State as ListingState
from listings.store import Base, listing

_INSTANT: Any = DateTime(timezone=True)


class BookingRow(Base, table=True):
    """A booking of one unit."""

    __tablename__ = "booking"
    __table_args__ = (
        # Of the equipment's bookings only those that are not over are asked for.
        Index("booking_equipment", "equipment", "end_time", postgresql_where=text("state = 1")),
        Index("booking_organization", "organization", "name"),
        Index("booking_of_equipment", "equipment", "name"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    equipment: str = Field(sa_type=Text)
    issuer: str = Field(sa_type=Text)
    organization: str = Field(sa_type=Text)
    unit: int
    begin_time: datetime = Field(sa_type=_INSTANT)
    end_time: datetime = Field(sa_type=_INSTANT)
    purpose: str = Field(sa_type=Text)
    state: int
    reason: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


booking: Table = BookingRow.__table__  # type: ignore[attr-defined]
metadata = Base.metadata
"""Of all tables of the service, now that this one is among them."""
_BOOKED = booking.c.state == text(f"{State.BOOKED:d}")  # as the index has it


async def get(tx: Tx, name: str, *, lock: bool = False) -> BookingRow | None:
    """One booking."""
    query = select(BookingRow).where(booking.c.name == name)
    return (await tx.session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def taken(tx: Tx, equipment: str, begins: datetime, ends: datetime | None = None) -> Sequence[BookingRow]:
    """What is booked of equipment and not over at an instant, by beginning; where an end is given, before it."""
    query = select(BookingRow).where(booking.c.equipment == equipment, booking.c.end_time > begins, _BOOKED)
    if ends is not None:
        query = query.where(booking.c.begin_time < ends)
    return (await tx.session.execute(query.order_by(booking.c.begin_time, booking.c.name))).scalars().all()


async def coming(tx: Tx, equipment: Collection[str], now: datetime) -> Sequence[BookingRow]:
    """What is booked of these and not over, locked."""
    query = select(BookingRow).where(booking.c.equipment.in_(equipment), booking.c.end_time > now, _BOOKED)
    return (await tx.session.execute(query.order_by(booking.c.name).with_for_update())).scalars().all()


async def left(tx: Tx, today: date, now: datetime, limit: int) -> Sequence[BookingRow]:
    """What is booked, and not over, of equipment that is for members, by who was one and is none today, as far as this service
    has heard; locked with the equipment. What another transaction holds is left to it.
    """
    query = select(BookingRow).join(listing, listing.c.name == booking.c.equipment).where(*_left(today, now))
    query = query.order_by(booking.c.name).limit(limit).with_for_update(of=[booking, listing], skip_locked=True)
    return (await tx.session.execute(query)).scalars().all()


async def count_left(tx: Tx, today: date, now: datetime) -> int:
    """How many of these there are."""
    query = select(func.count()).select_from(booking).join(listing, listing.c.name == booking.c.equipment)
    return int((await tx.conn.execute(query.where(*_left(today, now)))).scalar_one())


def _left(today: date, now: datetime) -> list[ColumnElement[bool]]:
    c, m = listing.c, membership.c
    theirs = (m.organization == booking.c.organization, m.body == any_(c.bodies))
    shown = (
        c.kind == Kind.EQUIPMENT_SHARING,
        c.state == ListingState.PUBLISHED,
        c.visibility == listing_pb2.VISIBILITY_MEMBERS,
    )
    is_member = exists().where(*theirs, m.valid_from <= today, or_(m.valid_to.is_(None), m.valid_to >= today))
    was_member = exists().where(*theirs, m.valid_to < today)
    others = booking.c.organization != c.issuer  # an issuer sees its own, a member or not
    return [*shown, others, booking.c.end_time > now, _BOOKED, was_member, ~is_member]


async def page(tx: Tx, column: str, value: str, before: str | None, limit: int) -> Sequence[BookingRow]:
    """Bookings of an organization or of equipment, newest first."""
    query = select(BookingRow).where(booking.c[column] == value).order_by(booking.c.name.desc()).limit(limit)
    if before is not None:
        query = query.where(booking.c.name < before)
    return (await tx.session.execute(query)).scalars().all()


async def write(tx: Tx, rows: Sequence[BookingRow]) -> None:
    """Enter rows or put them in place of what is there."""
    values = [row.model_dump() for row in rows]
    statement = insert(booking)
    changed = {name: statement.excluded[name] for name in ("version", "state", "reason", "update_time")}
    await tx.run_each(statement.on_conflict_do_update(index_elements=["name"], set_=changed), values)
