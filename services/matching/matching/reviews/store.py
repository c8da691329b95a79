"""The table of reviews, and the statements on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, DateTime, Index, LargeBinary, Table, Text, and_, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import Field

from alliance.matching.v1 import review_pb2
from chassis.database import Tx
from matching.domain.reviews import State
from matching.reviews.mapping import message_of
from matching.store import Base

TOPIC = "alliance.internal.matching.review.v1"
OVERDUE = "alliance.matching.review.overdue.v1"
_COUNT_OVERDUE = "SELECT count(*) FROM review WHERE state = 1 AND due_on < $1"
_UNTOLD = """
SELECT name FROM review WHERE state = 1 AND due_on < $1
AND NOT EXISTS (SELECT 1 FROM event WHERE topic = $2 AND key = review.name AND type = $3) ORDER BY name LIMIT $4
"""
_IS_TOLD = "SELECT EXISTS (SELECT 1 FROM event WHERE topic = $1 AND key = $2 AND type = $3)"
_INSTANT: Any = DateTime(timezone=True)


class ReviewRow(Base, table=True):
    """A review. Who is on which side, and in which bodies, is as it was when it was requested."""

    __tablename__ = "review"
    __table_args__ = (
        # One review of a match at a time.
        Index("review_open", "match", unique=True, postgresql_where=text("state = 1")),
        Index("review_match", "match"),
        Index("review_sides", "sides", postgresql_using="gin"),
        Index("review_bodies", "bodies", postgresql_using="gin"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    match: str = Field(sa_type=Text)
    shown: bytes = Field(sa_type=LargeBinary, description="the contract's match as it was then")
    sides: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    bodies: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    organization: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text, description="opaque id of the principal")
    reason: str = Field(sa_type=Text)
    state: int
    due_on: date
    finding: str = Field(sa_type=Text)
    reviewed_by: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    settle_time: datetime | None = Field(sa_type=_INSTANT, nullable=True)


review: Table = ReviewRow.__table__  # type: ignore[attr-defined]
metadata = Base.metadata
"""Of all tables of the service, now that this one is among them."""


@dataclass(frozen=True)
class Wanted:
    """What a list of reviews is asked for; exactly one of match, organization and body is set."""

    match: str
    organization: str
    body: str
    states: Sequence[State]


@dataclass(frozen=True)
class Place:
    """Where a page ends: last day in time and name of its last review."""

    due_on: date
    name: str


async def get(tx: Tx, name: str, *, lock: bool = False) -> ReviewRow | None:
    """One review."""
    query = select(ReviewRow).where(review.c.name == name).execution_options(populate_existing=True)
    return (await tx.session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def open_of(tx: Tx, match: str) -> str | None:
    """Name of the match's review that is not settled yet."""
    query = select(review.c.name).where(review.c.match == match, review.c.state == State.REQUESTED)
    return (await tx.conn.execute(query)).scalar_one_or_none()


async def count_overdue(tx: Tx, today: date) -> int:
    """How many are past their day and not settled."""
    return int(await tx.sql.value(_COUNT_OVERDUE, today))


async def untold(tx: Tx, today: date, limit: int) -> list[str]:
    """Names of those that are past their day and not settled, and of which nobody was told so."""
    return list(await tx.sql.column(_UNTOLD, today, TOPIC, OVERDUE, limit))


async def is_told(tx: Tx, name: str) -> bool:
    """Whether it was told that a review is overdue."""
    return bool(await tx.sql.value(_IS_TOLD, TOPIC, name, OVERDUE))


async def page(tx: Tx, wanted: Wanted, after: Place | None, limit: int) -> Sequence[ReviewRow]:
    """The next reviews, those first that are due first."""
    query = select(ReviewRow).where(_asked(wanted)).order_by(review.c.due_on, review.c.name).limit(limit)
    if wanted.states:
        query = query.where(review.c.state.in_(wanted.states))
    if after:
        same_day = and_(review.c.due_on == after.due_on, review.c.name > after.name)
        query = query.where(or_(review.c.due_on > after.due_on, same_day))
    return (await tx.session.execute(query)).scalars().all()


def _asked(wanted: Wanted) -> ColumnElement[bool]:
    if wanted.match:
        return review.c.match == wanted.match
    if wanted.organization:
        return review.c.sides.contains([wanted.organization])
    return review.c.bodies.contains([wanted.body])


async def write(tx: Tx, row: ReviewRow, verb: str) -> None:
    """Enter a review, or put it in place of what is there; with the event that says so."""
    statement = insert(review)
    changed = {name: statement.excluded[name] for name in ("version", "state", "finding", "reviewed_by", "settle_time")}
    await tx.run_each(statement.on_conflict_do_update(index_elements=["name"], set_=changed), [row.model_dump()])
    tx.emit(TOPIC, row.name, row.version, verb, review_pb2.ReviewEvent(review=message_of(row)))
