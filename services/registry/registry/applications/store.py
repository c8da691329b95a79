"""Tables of applications and calls, and the statements on them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Index,
    LargeBinary,
    Table,
    Text,
    and_,
    any_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlmodel import Field

from access.visibility import Viewer
from alliance.registry.v1 import application_pb2 as pb
from chassis import tables
from chassis.database import Tx
from registry.domain.calls import BY_LEAD_DEPARTMENT, FORMING, HANDED_IN, SHARED
from registry.domain.names import BodyKind, BodyState, Programme
from registry.domain.procedure import State
from registry.store import Base, BodyRow, body, grant, is_college_of

TOPIC = "alliance.internal.registry.application.v1"
_INSTANT: Any = DateTime(timezone=True)
FINAL = (State.COMPLETED, State.REJECTED, State.WITHDRAWN, State.LAPSED, State.REMOVED)
"""States in which an application has ended."""
_OUTDATED = date(1, 1, 1)  # a day before all others
_WITHOUT_RESULT = (State.REJECTED, State.WITHDRAWN, State.LAPSED)
_STANDING = (BodyState.FORMED, BodyState.SUSPENDED)
_SUBMITTED = (State.SUBMITTED, State.RETURNED, State.QUALIFIED, State.IN_REVIEW, State.RUNNING, State.WARNED, State.COMPLETED)


class CallRow(Base, table=True):
    """A call; `content` is its message."""

    __tablename__ = "application_call"
    __table_args__ = (Index("call_of", "programme", "year", "authority"),)

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    programme: int
    year: int
    authority: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    content: bytes = Field(sa_type=LargeBinary)


class ApplicationRow(Base, table=True):
    """An application; `content` is its message.

    `due_on` is the day after which the platform takes a step, `remind_on` the day on which it says that the last day is near.
    """

    __tablename__ = "application"
    __table_args__ = (
        Index("application_applicant", "applicant"),
        Index("application_body", "body", postgresql_where=text("body <> ''")),
        Index("application_call_of", "call"),
        Index("application_authority", "authority"),
        Index("application_due", "due_on", postgresql_where=text("due_on IS NOT NULL")),
        Index("application_remind", "remind_on", postgresql_where=text("remind_on IS NOT NULL")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    programme: int
    state: int
    applicant: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    call: str = Field(sa_type=Text)
    authority: str = Field(sa_type=Text)
    due_on: date | None
    remind_on: date | None
    create_time: datetime = Field(sa_type=_INSTANT)
    content: bytes = Field(sa_type=LargeBinary)


class PartyRow(Base, table=True):
    """Whom a step of an application named: an organization, a principal, or both."""

    __tablename__ = "application_party"
    __table_args__ = (
        Index("party_organization", "organization", postgresql_where=text("organization <> ''")),
        Index("party_principal", "principal", postgresql_where=text("principal <> ''")),
    )

    application: str = Field(sa_type=Text, primary_key=True)
    organization: str = Field(sa_type=Text, primary_key=True)
    principal: str = Field(sa_type=Text, primary_key=True)


class AttachmentRow(Base, table=True):
    """A document that is attached to an application."""

    __tablename__ = "application_document"
    __table_args__ = (Index("attachment_document", "document"),)

    application: str = Field(sa_type=Text, primary_key=True)
    document: str = Field(sa_type=Text, primary_key=True)


class TurnRow(Base, table=True):
    """Of an application that has not ended, the next day on which the calendar alone changes what its programme's rules say,
    and which rules and thresholds last said something.
    """

    __tablename__ = "application_turn"
    __table_args__ = (Index("application_turn_day", "turns_on", "application", postgresql_where=text("turns_on IS NOT NULL")),)

    application: str = Field(sa_type=Text, primary_key=True)
    turns_on: date | None
    policy: str = Field(sa_type=Text)


call: Table = CallRow.__table__  # type: ignore[attr-defined]
application: Table = ApplicationRow.__table__  # type: ignore[attr-defined]
party: Table = PartyRow.__table__  # type: ignore[attr-defined]
attachment: Table = AttachmentRow.__table__  # type: ignore[attr-defined]
turn: Table = TurnRow.__table__  # type: ignore[attr-defined]


async def name_party(tx: Tx, name: str, organization: str, principal: str) -> None:
    """Write down whom a step named; they may read the application from then on."""
    if organization or principal:
        row = {"application": name, "organization": organization, "principal": principal}
        await tx.conn.execute(insert(party).values(row).on_conflict_do_nothing())


async def release_parties(tx: Tx, name: str, released: Collection[str]) -> None:
    """Organizations and principals have no part in an application any more."""
    c = party.c
    theirs = or_(c.principal.in_(released), c.organization.in_(released))
    await tx.conn.execute(delete(party).where(c.application == name, theirs))


async def named(tx: Tx, name: str) -> set[str]:
    """The organizations that steps of an application named and that have a part in it."""
    c = party.c
    found = await tx.conn.execute(select(c.organization).where(c.application == name, c.organization != text("''")))
    return set(found.scalars())


async def is_sent_to(tx: Tx, name: str, principal: str) -> bool:
    """Whether a step of an application named a principal who still acts for the organization that it named them for."""
    statement = select(party.c.application).where(party.c.application == name, _is_sent(principal)).limit(1)
    return (await tx.conn.execute(statement)).first() is not None


async def attach(tx: Tx, name: str, documents: Sequence[str]) -> None:
    """Attach documents: whoever may see the application may read them."""
    for one in documents:
        row = {"application": name, "document": one}
        await tx.conn.execute(insert(attachment).values(row).on_conflict_do_nothing())


async def lock(tx: Tx, names: Collection[str]) -> None:
    """Lock applications, in the order of names."""
    c = application.c
    await tx.conn.execute(select(c.name).where(c.name.in_(names)).order_by(c.name).with_for_update())


async def lock_with(tx: Tx, document: str) -> None:
    """Lock the applications that a document is attached to: none is handed in while it is erased.

    Before the document, as whoever attaches it goes.
    """
    c = application.c
    statement = select(c.name).join(attachment, attachment.c.application == c.name).where(attachment.c.document == document)
    await tx.conn.execute(statement.order_by(c.name).with_for_update(of=application))


async def attached_to(tx: Tx, documents: Collection[str]) -> dict[str, list[str]]:
    """Document → the names of the applications that it is attached to."""
    c = attachment.c
    statement = select(c.document, c.application).where(c.document.in_(documents)).order_by(c.document, c.application)
    found: dict[str, list[str]] = {}
    for document, name in await tx.conn.execute(statement):
        found.setdefault(document, []).append(name)
    return found


async def resting_on(tx: Tx, document: str) -> str:
    """The name of an application that a document was handed in with, and that did not end without a decision; "" for none."""
    c, free = application.c, (State.DRAFT, State.RETURNED, State.WITHDRAWN, State.LAPSED)
    statement = select(c.name).join(attachment, attachment.c.application == c.name)
    found = await tx.conn.execute(statement.where(attachment.c.document == document, c.state.not_in(free)).limit(1))
    return found.scalar_one_or_none() or ""


async def saying(tx: Tx, words: str, applicant: str, limit: int) -> Sequence[str]:
    """Names of an applicant's applications that hold words in this very writing, now or in an earlier version. Their events
    are found by their names: nobody else's are looked through.
    """
    t, c = tables.event.c, application.c
    theirs = (await tx.conn.execute(select(c.name).where(c.applicant == applicant))).scalars().all()
    holds = func.position(literal(words.encode(), LargeBinary).op("IN")(t.payload)) > 0
    statement = select(t.key).distinct().where(t.topic == TOPIC, t.key == any_(literal(theirs, ARRAY(Text))), holds)
    return (await tx.conn.execute(statement.order_by(t.key).limit(limit))).scalars().all()


async def forming(tx: Tx, body: str) -> ApplicationRow | None:
    """The application by which a body is to be formed, as long as it has not ended."""
    c = application.c
    live = (c.body == body, c.body != text("''"), c.programme.in_(sorted(FORMING)), c.state.not_in(FINAL))
    return (await tx.session.execute(select(ApplicationRow).where(*live).limit(1))).scalar_one_or_none()


async def under_way(tx: Tx, body: str) -> Sequence[ApplicationRow]:
    """Applications of a body that have not ended, the oldest first."""
    c = application.c
    statement = select(ApplicationRow).where(c.body == body, c.body != text("''"), c.state.not_in(FINAL)).order_by(c.name)
    return (await tx.session.execute(statement)).scalars().all()


async def handed_in(tx: Tx, body: str) -> ApplicationRow | None:
    """The application by which a body is to be formed, while others seal or judge it."""
    c = application.c
    others_have_it = (c.body == body, c.body != text("''"), c.programme.in_(sorted(FORMING)), c.state.in_(sorted(HANDED_IN)))
    return (await tx.session.execute(select(ApplicationRow).where(*others_have_it).limit(1))).scalar_one_or_none()


async def of_the_year(tx: Tx, body: str, applicant: str, programme: int, year: int) -> str:
    """The name of an application that an organization of a body has in a programme and year; "" for none."""
    c = application.c
    same = (c.body == body, c.applicant == applicant, c.programme == programme, call.c.year == year)
    statement = select(c.name).join(call, call.c.name == c.call).where(*same, c.state.not_in(_WITHOUT_RESULT)).limit(1)
    return (await tx.conn.execute(statement)).scalar_one_or_none() or ""


def published_evaluations(organization: str = "") -> list[ColumnElement[bool]]:
    """Evaluations whose result was published; of an organization, or of all."""
    c = application.c
    published = [c.programme == int(Programme.EVALUATION), c.state == int(State.PUBLISHED)]
    return [*published, c.applicant == organization] if organization else published


async def led_by_others(tx: Tx, body: str, leads: Collection[str]) -> Sequence[ApplicationRow]:
    """Applications of a body that its lead department decides on and that have not ended, with another authority; locked."""
    c = application.c
    open_ones = (
        c.body == body,
        c.programme.in_(sorted(BY_LEAD_DEPARTMENT)),
        c.state.not_in(FINAL),
        c.authority.not_in(leads),
    )
    statement = select(ApplicationRow).where(*open_ones).order_by(c.name).with_for_update()
    return (await tx.session.execute(statement)).scalars().all()


async def by_state(tx: Tx, body: str, programme: int, year: int) -> dict[State, int]:
    """How many applications of a body and a programme are in each state; of the calls of a year, or all where it is 0."""
    c = application.c
    statement = select(c.state, func.count()).where(c.body == body, c.programme == programme).group_by(c.state)
    if year:
        statement = statement.join(call, call.c.name == c.call).where(call.c.year == year)
    return {State(state): number for state, number in await tx.conn.execute(statement)}


async def overdue(tx: Tx, today: date, limit: int) -> Sequence[str]:
    """Names of applications whose last day has passed."""
    c = application.c
    statement = select(c.name).where(c.due_on.is_not(None), c.due_on < today).order_by(c.due_on, c.name).limit(limit)
    return (await tx.conn.execute(statement)).scalars().all()


async def to_remind(tx: Tx, today: date, limit: int) -> Sequence[str]:
    """Names of applications whose last day is near, and of which that is not said yet."""
    c = application.c
    near = (c.remind_on.is_not(None), c.remind_on <= today)
    return (await tx.conn.execute(select(c.name).where(*near).order_by(c.remind_on, c.name).limit(limit))).scalars().all()


async def of_applicant(tx: Tx, applicant: str, kind: int, but: str) -> Sequence[BodyRow]:
    """Other bodies of a kind that an applicant is: those that stand, and those that it has applied for."""
    c = body.c
    applied = exists().where(application.c.body == c.name, application.c.state.in_(_SUBMITTED))
    mine = (c.applicant == applicant, c.applicant != text("''"), c.kind == kind, c.name != but)
    counting = or_(c.state.in_(_STANDING), and_(c.state == BodyState.DRAFT, applied))
    statement = select(BodyRow).where(*mine, counting).order_by(c.display_name, c.name)
    return (await tx.session.execute(statement)).scalars().all()


async def open_of(tx: Tx, applicant: str) -> Sequence[ApplicationRow]:
    """An organization's applications that have not ended and that are judged by themselves, locked in the order of names."""
    c = application.c
    statement = select(ApplicationRow).join(turn, turn.c.application == c.name).where(c.applicant == applicant)
    statement = statement.where(c.state.not_in(FINAL)).order_by(c.name).with_for_update(of=application)
    return (await tx.session.execute(statement)).scalars().all()


async def judged(tx: Tx, name: str, turns_on: date | None, policy: str) -> None:
    """Something was said of an application by some rules and thresholds, which stands until a day comes."""
    statement = insert(turn).values(application=name, turns_on=turns_on, policy=policy)
    changed = {"turns_on": statement.excluded.turns_on, "policy": statement.excluded.policy}
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["application"], set_=changed))


async def settle(tx: Tx, name: str) -> None:
    """Nothing is said of an application any more."""
    await tx.conn.execute(delete(turn).where(turn.c.application == name))


async def turns_on(tx: Tx, name: str) -> date | None:
    """The day from which on something else is said of an application; None where there is none, or where others than these
    rules said it, who are not asked what they would have said since.
    """
    day: date | None = (await tx.conn.execute(select(turn.c.turns_on).where(turn.c.application == name))).scalar_one_or_none()
    return None if day == _OUTDATED else day


async def turning(tx: Tx, today: date, limit: int) -> Sequence[str]:
    """Names of applications of which a day has changed what is said."""
    c = turn.c
    due = (c.turns_on.is_not(None), c.turns_on <= today)
    return (
        (await tx.conn.execute(select(c.application).where(*due).order_by(c.turns_on, c.application).limit(limit)))
        .scalars()
        .all()
    )


async def outdate_judged(tx: Tx, programmes: Collection[int], policy: str) -> None:
    """Applications of some programmes that have not ended are to be looked at again where others than these rules and
    thresholds last said something, or nobody has.
    """
    c = application.c
    others = select(c.name, literal(_OUTDATED, Date), literal("", Text)).join(turn, turn.c.application == c.name, isouter=True)
    others = others.where(c.programme.in_(sorted(programmes)), c.state.not_in(FINAL), turn.c.policy.is_distinct_from(policy))
    statement = insert(turn).from_select(["application", "turns_on", "policy"], others)
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["application"], set_={"turns_on": _OUTDATED}))


async def call_years(tx: Tx, bodies: Collection[str]) -> dict[str, int]:
    """The year of the call that a body's last application to be formed answers, of those bodies that have one that counts."""
    c = application.c
    counting = (c.body.in_(bodies), c.programme.in_(sorted(FORMING)), c.state.not_in(_WITHOUT_RESULT))
    statement = select(c.body, call.c.year).join(call, call.c.name == c.call).where(*counting)
    newest = statement.ext(distinct_on(c.body)).order_by(c.body, c.name.desc())
    return {row.body: row.year for row in await tx.conn.execute(newest)}


async def open_call(tx: Tx, row: CallRow, today: date) -> str:
    """The name of the call of an authority's programme and year that has not closed; "" for none."""
    c = call.c
    same = (c.programme == row.programme, c.year == row.year, c.authority == row.authority)
    found = (await tx.conn.execute(select(c.name, c.content).where(*same))).all()
    closings = {one.name: pb.ApplicationCall.FromString(one.content).closes_on for one in found}
    return next((name for name, day in closings.items() if not day or day >= today.isoformat()), "")


def sees(viewer: Viewer, principal: str) -> ColumnElement[bool]:
    """The applications that somebody has a part in."""
    c = application.c
    if viewer.platform:
        return c.name.is_not(None)
    named = and_(party.c.application == c.name, or_(*_is_named(viewer, principal)))
    shared = c.programme.in_(sorted(SHARED))
    own = [and_(shared, c.body.in_(sorted(viewer.member_bodies | viewer.bodies_run))), exists().where(named)]
    if viewer.organization:
        own += [c.applicant == viewer.organization, c.authority == viewer.organization]
        own.append(is_college_of(viewer.organization, c.applicant))
        own.append(and_(c.programme.in_(sorted(SHARED | BY_LEAD_DEPARTMENT)), _guided(viewer)))
    return or_(*own)


def in_one_team(organization: str, other: ColumnElement[str]) -> ColumnElement[bool]:
    """Steps of the application named an organization and another."""
    one, two, a = party.alias(), party.alias(), application.c
    both = exists().where(
        *(one.c.application == a.name, one.c.organization == organization),
        *(two.c.application == a.name, two.c.organization == other),
    )
    return both.correlate_except(one, two)  # the other is of whatever encloses it, however far out


def _guided(viewer: Viewer) -> ColumnElement[bool]:
    """The viewer guides the alliance: its task force, or a lead department of it, also beside the one that decides (S0 四(三):
    专班牵头部门会同专班相关部门).
    """
    b = body.c
    guides = (b.kind == BodyKind.ALLIANCE, b.judged_by.overlap([viewer.organization]))
    return exists().where(b.name == application.c.body, *guides)


def _is_named(viewer: Viewer, principal: str) -> list[ColumnElement[bool]]:
    mine = [_is_sent(principal)] if principal else []
    if viewer.organization:
        mine.append(party.c.organization == viewer.organization)
    return mine or [party.c.principal == text("NULL")]


def _is_sent(principal: str) -> ColumnElement[bool]:
    """A step named a principal, who still acts for the organization that it named them for."""
    own = (grant.c.principal == principal, grant.c.active, grant.c.organization == party.c.organization)
    return and_(party.c.principal == principal, exists().where(*own))


async def page(tx: Tx, conditions: Sequence[ColumnElement[bool]], before: str | None, limit: int) -> Sequence[ApplicationRow]:
    """Applications, the newest first."""
    c = application.c
    statement = select(ApplicationRow).where(*conditions).order_by(c.name.desc()).limit(limit)
    if before is not None:
        statement = statement.where(c.name < before)
    return (await tx.session.execute(statement)).scalars().all()
