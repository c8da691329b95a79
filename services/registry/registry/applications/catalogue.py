"""The catalogue 认证名录 of what is certified as 产教融合型 (S3 十五; R32): written with the step that changes it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Index, Table, Text, func, select
from sqlmodel import Field

from alliance.registry.v1 import application_pb2 as pb
from chassis.database import Tx
from registry import checks, store
from registry.domain.names import CertificationState, CertifiedKind
from registry.domain.procedure import Case
from registry.domain.programmes.certification import Subject, catalogued, kind_of, subject_of
from registry.store import Base, organization

_STANDING = (CertificationState.CULTIVATING, CertificationState.CERTIFIED)


class CertificationRow(Base, table=True):
    """An entry. `region_code` and `industry_code` are what is certified; "" for an enterprise."""

    __tablename__ = "certification"
    __table_args__ = (Index("certification_organization", "organization"),)

    name: str = Field(sa_type=Text, primary_key=True)
    application: str = Field(sa_type=Text)
    organization: str = Field(sa_type=Text)
    kind: int
    region_code: str = Field(sa_type=Text)
    industry_code: str = Field(sa_type=Text)
    state: int
    cultivated_on: date
    certified_on: date | None
    exited_on: date | None


certification: Table = CertificationRow.__table__  # type: ignore[attr-defined]


async def keep(tx: Tx, message: pb.Application, case: Case) -> None:
    """Write how an application stands in the catalogue; bodies of the organization are looked at again."""
    state, kind = catalogued(case), kind_of(case)
    if state is None or kind is None:
        return
    row = CertificationRow(
        name=_name(message.name),
        application=message.name,
        organization=message.applicant,
        kind=kind,
        region_code=message.certification.region_code,
        industry_code=message.certification.industry_code,
        state=state,
        cultivated_on=case.steps("cultivate")[-1].day,
        certified_on=next((one.day for one in case.steps("certify")), None),
        exited_on=case.taken[-1].day if state is CertificationState.EXITED else None,
    )
    await store.write(tx, row)
    await checks.outdate(tx, [message.applicant])


async def lock(tx: Tx, message: pb.Application) -> None:
    """One at a time decides on what an application is to have certified: the same thing never stands twice."""
    await store.lock(tx, f"catalogue {' '.join(map(str, _subject(message)))}")


def _subject(message: pb.Application) -> Subject:
    facts = message.certification
    return subject_of(facts.kind, facts.region_code, facts.industry_code, message.applicant)


def _is_of(subject: Subject) -> list[ColumnElement[bool]]:
    """Entries of a thing."""
    c = certification.c
    if subject.organization:
        return [c.kind == subject.kind, c.organization == subject.organization]
    return [c.kind == subject.kind, func.concat(c.region_code, c.industry_code) == subject.code]


async def standing(tx: Tx, message: pb.Application) -> str:
    """The application of another standing entry of the same thing; "" for none."""
    c, same = certification.c, _is_of(_subject(message))
    statement = select(c.application).where(*same, c.state.in_(_STANDING), c.application != message.name).limit(1)
    return (await tx.conn.execute(statement)).scalar_one_or_none() or ""


async def is_certified(tx: Tx, enterprise: str) -> bool | None:
    """Whether an enterprise is certified; None where the catalogue knows nothing of it."""
    c = certification.c
    mine = (c.organization == enterprise, c.kind == CertifiedKind.ENTERPRISE)
    found = (await tx.conn.execute(select(c.state).where(*mine))).scalars().all()
    return CertificationState.CERTIFIED in found if found else None


def in_region(prefix: str) -> ColumnElement[bool]:
    """Entries of an area, by the digits that the codes in it begin with."""
    return _region().startswith(prefix)


async def page(tx: Tx, conditions: Sequence[ColumnElement[bool]], before: str | None, limit: int) -> list[pb.Certification]:
    """Entries, the newest first."""
    c = certification.c
    statement = (
        select(certification, organization.c.display_name, _region().label("region"))
        .join(organization, organization.c.name == c.organization)
        .where(*conditions)
        .order_by(c.name.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(c.name < before)
    return [_message(row) for row in await tx.conn.execute(statement)]


def _region() -> ColumnElement[str]:
    """What is certified, else where its organization is."""
    return func.coalesce(func.nullif(certification.c.region_code, ""), organization.c.region_code)


def _message(row: Any) -> pb.Certification:
    def day(value: date | None) -> str:
        return value.isoformat() if value else ""

    return pb.Certification(
        name=row.name,
        application=row.application,
        kind=row.kind,
        organization=row.organization,
        display_name=row.display_name,
        region_code=row.region,
        industry_code=row.industry_code,
        state=row.state,
        cultivated_on=day(row.cultivated_on),
        certified_on=day(row.certified_on),
        exited_on=day(row.exited_on),
    )


def _name(application: str) -> str:
    return application.replace("applications/", "certifications/", 1)
