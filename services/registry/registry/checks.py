"""Tables of what the rules said of bodies and applications, and of whom they have to be asked again."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import Field

from chassis.database import Tx
from registry.store import Base, body, membership

_INSTANT: Any = DateTime(timezone=True)
_NEVER = date(1, 1, 1)  # a day before all others


class FindingRow(Base, table=True):
    """What a rule said of a body or an application from a time on, until its next row; `content` is the message. Rows are only
    added.
    """

    __tablename__ = "finding"
    __table_args__ = (Index("finding_newest", "subject", "rule", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    subject: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=_INSTANT)
    version: int = Field(sa_type=BigInteger)
    content: bytes = Field(sa_type=LargeBinary)


class CheckRow(Base, table=True):
    """When a body that is not dissolved was last looked at, and by which rules and thresholds."""

    __tablename__ = "body_check"
    __table_args__ = (Index("body_check_day", "checked_on", "body"),)

    body: str = Field(sa_type=Text, primary_key=True)
    checked_on: date
    policy: str = Field(sa_type=Text)


class OutdatedRow(Base, table=True):
    """A body that is to be looked at again: something else changed by which it is judged.

    Rows are only entered and taken out, so that a change waits for nobody who looks at a body now. It commits with the change:
    whoever takes it out sees that, too.
    """

    __tablename__ = "body_outdated"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    body: str = Field(sa_type=Text)


finding: Table = FindingRow.__table__  # type: ignore[attr-defined]
body_check: Table = CheckRow.__table__  # type: ignore[attr-defined]
body_outdated: Table = OutdatedRow.__table__  # type: ignore[attr-defined]


async def checked(tx: Tx, name: str, day: date, policy: str) -> None:
    """A body was looked at."""
    statement = insert(body_check).values(body=name, checked_on=day, policy=policy)
    changed = {"checked_on": statement.excluded.checked_on, "policy": statement.excluded.policy}
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["body"], set_=changed))


async def last_checked(tx: Tx, name: str) -> date | None:
    """The day on which a body was last looked at, locked; None where nobody has, or where others than these rules did."""
    statement = select(body_check.c.checked_on).where(body_check.c.body == name).with_for_update()
    day: date | None = (await tx.conn.execute(statement)).scalar_one_or_none()
    return None if day == _NEVER else day


async def unchecked(tx: Tx, day: date, limit: int) -> Sequence[str]:
    """Names of bodies that were not looked at on a day."""
    c = body_check.c
    statement = select(c.body).where(c.checked_on < day).order_by(c.checked_on, c.body).limit(limit)
    return (await tx.conn.execute(statement)).scalars().all()


async def take_outdated(tx: Tx, limit: int) -> set[str]:
    """Names of bodies that are to be looked at again, by whoever took them."""
    c = body_outdated.c
    oldest = select(c.id).order_by(c.id).limit(limit).with_for_update(skip_locked=True)
    return set((await tx.conn.execute(delete(body_outdated).where(c.id.in_(oldest)).returning(c.body))).scalars())


async def count_unchecked(tx: Tx, day: date) -> int:
    """How many bodies were not looked at on a day, or are to be looked at again."""
    unchecked = select(func.count()).select_from(body_check).where(body_check.c.checked_on < day).scalar_subquery()
    outdated = select(func.count()).select_from(body_outdated).scalar_subquery()
    return int((await tx.conn.execute(select(unchecked + outdated))).scalar_one())


async def outdate_other(tx: Tx, policy: str) -> None:
    """Bodies that others than these rules and thresholds looked at are to be looked at again."""
    await tx.conn.execute(update(body_check).where(body_check.c.policy != policy).values(checked_on=_NEVER))


async def outdate(tx: Tx, changed: Collection[str]) -> None:
    """Bodies that are judged by what has changed, or that such an organization is a member of, are to be looked at again."""
    member_of = select(membership.c.body).where(membership.c.organization.in_(changed))
    judged = select(body.c.name).where(body.c.judged_by.overlap(list(changed)))
    theirs = select(body_check.c.body).where(body_check.c.body.in_(member_of.union(judged)))
    await tx.conn.execute(insert(body_outdated).from_select(["body"], theirs))


async def forget_check(tx: Tx, name: str) -> None:
    """Nobody looks at a body any more."""
    await tx.conn.execute(delete(body_check).where(body_check.c.body == name))


async def add_findings(tx: Tx, rows: Sequence[FindingRow]) -> None:
    """Keep what is said from now on."""
    await tx.run_each(insert(finding), [row.model_dump(exclude={"id"}) for row in rows])


async def findings_at(tx: Tx, name: str, at: datetime | None) -> Sequence[Any]:
    """What each rule said of a body or an application at a time, or last: content and the version that it was said of."""
    c = finding.c
    newest = select(c.content, c.version).ext(distinct_on(c.rule)).order_by(c.rule, c.id.desc())
    statement = newest.where(c.subject == name)
    return (await tx.conn.execute(statement if at is None else statement.where(c.since <= at))).all()


async def findings_of(tx: Tx, name: str, rule: str, before: int | None, limit: int) -> Sequence[Any]:
    """Id and content of what was said of a body, the newest first."""
    c = finding.c
    conditions = [c.subject == name]
    if rule:
        conditions.append(c.rule == rule)
    if before is not None:
        conditions.append(c.id < before)
    statement = select(c.id, c.content).where(*conditions).order_by(c.id.desc()).limit(limit)
    return (await tx.conn.execute(statement)).all()
