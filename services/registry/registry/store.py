"""Tables of the register, and the statements on them.

Rows of organizations and bodies hold the whole message beside the columns that look-ups and rules need. A body and its
memberships change under the body's row lock and share its version.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import Field, SQLModel

from chassis.database import Tx
from registry.domain import industry
from registry.domain.names import WITHOUT_CODE, OrgType

_INSTANT: Any = DateTime(timezone=True)


class Base(SQLModel):
    """All tables of the register."""

    metadata = MetaData()


class OrganizationRow(Base, table=True):
    """An organization; `content` is its message."""

    __tablename__ = "organization"
    __table_args__ = (
        Index("organization_external", "external_key", unique=True, postgresql_where=text("external_key <> ''")),
        Index("organization_code", "credit_code", unique=True, postgresql_where=text("verified AND credit_code <> ''")),
        Index("organization_name", "display_name", "name"),
        Index("organization_dependants", "parent", postgresql_where=text("verified AND parent <> ''")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    display_name: str = Field(sa_type=Text)
    org_type: int
    verified: bool
    credit_code: str = Field(sa_type=Text)
    parent: str = Field(sa_type=Text)
    region_code: str = Field(sa_type=Text)
    external_key: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    content: bytes = Field(sa_type=LargeBinary)


class BodyRow(Base, table=True):
    """A body; `content` is its message."""

    __tablename__ = "body"
    __table_args__ = (
        Index("body_external", "external_key", unique=True, postgresql_where=text("external_key <> ''")),
        Index("body_industry", text("lower(key_industry)"), postgresql_where=text("key_industry <> ''")),
        Index("body_applicant", "applicant", postgresql_where=text("applicant <> ''")),
        Index("body_task_force", "task_force", postgresql_where=text("task_force <> ''")),
        Index("body_judged_by", "judged_by", postgresql_using="gin"),
        Index("body_name", "display_name", "name"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    display_name: str = Field(sa_type=Text)
    kind: int
    state: int
    formed: bool = Field(sa_type=Boolean)
    """Whether it has ever been; until then it is its own people's."""
    key_industry: str = Field(sa_type=Text)
    """The stem of an ALLIANCE's key industry (`industry.stem`)."""
    applicant: str = Field(sa_type=Text)
    """The institution or unit that a PILOT_UNIT or SUPPORT_UNIT is."""
    task_force: str = Field(sa_type=Text)
    """The task force that guides an ALLIANCE."""
    judged_by: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """What the rules look at beside the body and its members (`mapping.bodies.judged_by`)."""
    external_key: str = Field(sa_type=Text)
    create_time: datetime = Field(sa_type=_INSTANT)
    content: bytes = Field(sa_type=LargeBinary)


class MembershipRow(Base, table=True):
    """One organization in one body; `version` is the body's at its last change."""

    __tablename__ = "membership"
    __table_args__ = (Index("membership_organization", "organization"), Index("membership_body", "body"))

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
    organization: str = Field(sa_type=Text)
    roles: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    valid_from: date
    valid_to: date | None
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class FormerRolesRow(Base, table=True):
    """The roles that a membership had until the end of a day, before it was given others (`registry.domain.tenure`)."""

    __tablename__ = "former_roles"

    membership: str = Field(sa_type=Text, primary_key=True)
    last: date = Field(primary_key=True)
    roles: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


class GrantRow(Base, table=True):
    """A grant."""

    __tablename__ = "access_grant"
    __table_args__ = (
        Index("grant_once", "principal", "role", "organization", "body", unique=True, postgresql_where=text("active")),
        Index("grant_organization", "organization"),
        Index("grant_body", "body"),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    principal: str = Field(sa_type=Text)
    role: int
    organization: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    active: bool = Field(sa_type=Boolean)
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


organization: Table = OrganizationRow.__table__  # type: ignore[attr-defined]
body: Table = BodyRow.__table__  # type: ignore[attr-defined]
BODIES = "SELECT kind, state, count(*) FROM body GROUP BY kind, state"
membership: Table = MembershipRow.__table__  # type: ignore[attr-defined]
former_roles: Table = FormerRolesRow.__table__  # type: ignore[attr-defined]
grant: Table = GrantRow.__table__  # type: ignore[attr-defined]
metadata = Base.metadata
_Row = TypeVar("_Row", bound=Base)


async def get(tx: Tx, kind: type[_Row], name: str, *, lock: bool = False) -> _Row | None:
    """One row of a table by name."""
    statement = select(kind).where(_table(kind).c.name == name)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def get_all(tx: Tx, kind: type[_Row], names: Collection[str]) -> dict[str, _Row]:
    """Rows by name."""
    found = await tx.session.execute(select(_table(kind).c.name, kind).where(_table(kind).c.name.in_(names)))
    return {row[0]: row[1] for row in found}


async def write(tx: Tx, row: _Row) -> None:
    """Enter a row or put it in place of what is there."""
    table = _table(type(row))
    statement = insert(table).values(row.model_dump())
    changed = {name: statement.excluded[name] for name in type(row).model_fields if name != "name"}
    await tx.conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


async def page(
    tx: Tx, kind: type[_Row], conditions: Sequence[ColumnElement[bool]], after: list[str] | None, limit: int
) -> Sequence[_Row]:
    """Rows by display name and name."""
    c = _table(kind).c
    statement = select(kind).where(*conditions).order_by(c.display_name, c.name).limit(limit)
    if after is not None:
        later = and_(c.display_name == after[0], c.name > after[1])
        statement = statement.where(or_(c.display_name > after[0], later))
    return (await tx.session.execute(statement)).scalars().all()


async def page_by_name(
    tx: Tx, kind: type[_Row], conditions: Sequence[ColumnElement[bool]], after: list[str] | None, limit: int
) -> Sequence[_Row]:
    """Rows by name."""
    c = _table(kind).c
    statement = select(kind).where(*conditions).order_by(c.name).limit(limit)
    if after is not None:
        statement = statement.where(c.name > after[0])
    return (await tx.session.execute(statement)).scalars().all()


async def type_of(tx: Tx, name: str) -> int | None:
    """An organization's type as the transaction has written it; None where there is no such organization."""
    c = organization.c
    return (await tx.conn.execute(select(c.org_type).where(c.name == name))).scalar_one_or_none()


async def with_external_key(tx: Tx, kind: type[_Row], key: str) -> str:
    """The name of the row that has an external key; "" where there is none."""
    c = _table(kind).c
    return (await tx.conn.execute(select(c.name).where(c.external_key == key))).scalar_one_or_none() or ""


async def verified_with_code(tx: Tx, code: str) -> str:
    """The name of the verified organization that has a credit code; "" where there is none."""
    mine = and_(organization.c.verified, organization.c.credit_code == code)
    return (await tx.conn.execute(select(organization.c.name).where(mine))).scalar_one_or_none() or ""


async def line(tx: Tx, name: str) -> set[str]:
    """Names of an organization and of all above it."""
    c = organization.c
    start = select(c.name, c.parent).where(c.name == name).cte("line", recursive=True)
    above = start.union(select(c.name, c.parent).where(c.name == start.c.parent))
    return set((await tx.conn.execute(select(above.c.name))).scalars())


def _dependants(name: str) -> ColumnElement[bool]:
    c = organization.c
    return and_(c.verified, c.parent == name, c.parent != text("''"), c.org_type.in_(sorted(WITHOUT_CODE)))


async def dependants(tx: Tx, name: str) -> Sequence[OrganizationRow]:
    """Verified organizations that another vouches for, locked."""
    statement = select(OrganizationRow).where(_dependants(name)).order_by(organization.c.name).with_for_update()
    return (await tx.session.execute(statement)).scalars().all()


async def count_dependants(tx: Tx, name: str) -> int:
    """How many of them there are."""
    statement = select(func.count()).select_from(organization).where(_dependants(name))
    return int((await tx.conn.execute(statement)).scalar_one())


def _college(university: Any) -> tuple[ColumnElement[bool], ...]:
    """What a university's secondary college is, which acts for it (`programmes.common.is_college_of`)."""
    c = organization.c
    return c.parent == university, c.parent != text("''"), c.verified, c.org_type == OrgType.SECONDARY_COLLEGE


def is_college_of(name: str, university: ColumnElement[str]) -> ColumnElement[bool]:
    """An organization is a verified secondary college of a university."""
    return exists().where(organization.c.name == name, *_college(university))


async def colleges(tx: Tx, university: str) -> Sequence[str]:
    """Names of a university's verified secondary colleges."""
    return (await tx.conn.execute(select(organization.c.name).where(*_college(university)))).scalars().all()


async def names_where(tx: Tx, kind: type[_Row], names: Collection[str], condition: ColumnElement[bool]) -> set[str]:
    """Those of the names whose rows fulfil a condition."""
    c = _table(kind).c
    return set((await tx.conn.execute(select(c.name).where(c.name.in_(names), condition))).scalars())


async def lock(tx: Tx, what: str) -> None:
    """Let one transaction at a time decide about something, until its end."""
    await tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))


async def formed_alliances(tx: Tx, key_industry: str, but: str) -> list[str]:
    """Names of other formed or suspended alliances of a key industry, however they write it."""
    same = func.lower(body.c.key_industry).in_(industry.writings(key_industry))
    standing = (same, body.c.state.in_((2, 3)), body.c.name != but)
    found = await tx.conn.execute(select(body.c.display_name).where(*standing).order_by(body.c.display_name))
    return list(found.scalars())


async def members_on(tx: Tx, name: str, day: date) -> Sequence[Any]:
    """Memberships of a body that are valid on a day, with type, region, verification and name of their organization."""
    o = organization.c
    found = await tx.conn.execute(
        select(membership, o.org_type, o.region_code, o.verified, o.display_name)
        .join(organization, o.name == membership.c.organization)
        .where(membership.c.body == name, valid_on(day))
        .order_by(membership.c.name)
    )
    return found.all()


async def keep_roles(tx: Tx, name: str, roles: Sequence[int], last: date) -> None:
    """A membership had these roles up to a day; what is known of that day already stays, as today's were changed today."""
    statement = insert(former_roles).values(membership=name, last=last, roles=roles)
    await tx.conn.execute(statement.on_conflict_do_nothing())


async def membership_days(tx: Tx, name: str) -> list[date]:
    """The days on which memberships of a body begin, and the days after their last."""
    c = membership.c
    found = (await tx.conn.execute(select(c.valid_from, c.valid_to).where(c.body == name))).all()
    ended = [row.valid_to + timedelta(days=1) for row in found if row.valid_to and row.valid_to < date.max]
    return [*(row.valid_from for row in found), *ended]


async def open_memberships(tx: Tx, name: str, day: date) -> Sequence[MembershipRow]:
    """Memberships of a body that last beyond a day."""
    beyond = or_(membership.c.valid_to.is_(None), membership.c.valid_to > day)
    statement = select(MembershipRow).where(membership.c.body == name, beyond).order_by(membership.c.name)
    return (await tx.session.execute(statement)).scalars().all()


async def overlapping(tx: Tx, row: MembershipRow) -> Sequence[Any]:
    """Other memberships of the organization in the body that overlap this one, by their first days: name and days."""
    ends_before = and_(membership.c.valid_to.is_not(None), membership.c.valid_to < row.valid_from)
    conditions = [
        membership.c.body == row.body,
        membership.c.organization == row.organization,
        membership.c.name != row.name,
        ~ends_before,
    ]
    if row.valid_to is not None:
        conditions.append(membership.c.valid_from <= row.valid_to)
    c = membership.c
    return (await tx.conn.execute(select(c.name, c.valid_from, c.valid_to).where(*conditions).order_by(c.valid_from))).all()


def valid_on(day: date) -> ColumnElement[bool]:
    """The membership is valid on a day."""
    c = membership.c
    return and_(c.valid_from <= day, or_(c.valid_to.is_(None), c.valid_to >= day))


async def active_grant(tx: Tx, row: GrantRow) -> str:
    """The name of an active grant for the same thing; "" for none."""
    same = [grant.c[name] == getattr(row, name) for name in ("principal", "role", "organization", "body")]
    return (await tx.conn.execute(select(grant.c.name).where(grant.c.active, *same))).scalar_one_or_none() or ""


async def scopes(tx: Tx, principals: Collection[str]) -> Sequence[Any]:
    """What principals have active grants for: principal, organization and body, each "" where the grant has none."""
    c = grant.c
    found = await tx.conn.execute(select(c.principal, c.organization, c.body).where(c.principal.in_(principals), c.active))
    return found.all()


async def active_with_role(tx: Tx, role: int) -> int:
    """How many active platform-wide grants of a role there are."""
    conditions = (grant.c.active, grant.c.role == role, grant.c.organization == "", grant.c.body == "")
    return int((await tx.conn.execute(select(func.count()).select_from(grant).where(*conditions))).scalar_one())


async def grants_ever(tx: Tx, role: int) -> bool:
    """Whether a platform-wide grant of a role was ever made."""
    conditions = (grant.c.role == role, grant.c.organization == "", grant.c.body == "")
    return (await tx.conn.execute(select(grant.c.name).where(*conditions).limit(1))).first() is not None


def _table(kind: type[SQLModel]) -> Table:
    table: Table = kind.__table__  # type: ignore[attr-defined]
    return table
