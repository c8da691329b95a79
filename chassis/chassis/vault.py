"""The vault 个人信息保管: personal data, in one table, referred to by a random id, never on a topic (PIPL art. 6, 45, 47).

With each record go purpose, legal basis, source and the date until which it is kept; every read records reader and purpose.
`Papers` are files about the same persons, which go with their records.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, not_, select, true

from chassis import numbers
from chassis.clock import business_date
from chassis.crypto import hex_digest
from chassis.database import Tx
from chassis.errors import Unavailable, Violation, refuse
from chassis.ids import id_of, new_id
from chassis.personal import APART, repeated
from chassis.tables import personal_data, personal_data_access

COLLECTION = "personalRecords"


@dataclass(frozen=True)
class PersonalRecord:
    """One record of personal data; `name` is `personalRecords/{id}`."""

    name: str
    kind: str
    fields: Mapping[str, str]
    purpose: str
    legal_basis: str
    source: str
    retain_until: date
    created_at: datetime


class Paper(NamedTuple):
    """A file that is about somebody, e.g. `documents/{document}`, and the resources that it is attached to."""

    name: str
    kind: str
    attached_to: Sequence[str]
    file_name: str


class Erasure(NamedTuple):
    """Papers that were erased, and those that are left to judge."""

    erased: Sequence[Paper] = ()
    left: Sequence[Paper] = ()


class Papers(Protocol):
    """What a service keeps of persons beside the vault: files that are about whom its records tell of."""

    async def listed(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[Paper]:
        """Those of some records, which are given by their fields."""

    async def lock(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> None:
        """Lock what those of some records are attached to, in the order of names."""

    async def erase(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Erasure:
        """Erase those of some records, `lock`ed, as far as they are about nobody else. Contents go after the commit."""

    async def mentions(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """Resources of whoever kept some records whose texts hold a name of them, now or before: these stay."""


Lock = Callable[[Tx, Sequence[Mapping[str, str]]], Awaitable[None]]
"""Locks what records are of, e.g. `Papers.lock`."""


class NoPapers:
    """Of a service that keeps none."""

    async def listed(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[Paper]:
        """See `Papers`."""
        return ()

    async def lock(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> None:
        """See `Papers`."""

    async def erase(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Erasure:
        """See `Papers`."""
        return Erasure()

    async def mentions(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """See `Papers`."""
        return ()


class Vault:
    """The service's one table of personal data."""

    async def keep(
        self,
        tx: Tx,
        *,
        subjects: Collection[str],
        kind: str,
        fields: Mapping[str, str],
        purpose: str,
        legal_basis: str,
        source: str,
        retain_until: date,
    ) -> str:
        """Keep a record; returns its name. `subjects` (addresses, numbers, a `sub`) are what it is found by later."""
        identifier = new_id()
        await tx.conn.execute(
            insert(personal_data).values(
                id=identifier,
                subject_hashes=_hashes(subjects, fields),
                kind=kind,
                fields=dict(fields),
                purpose=purpose,
                legal_basis=legal_basis,
                source=source,
                retain_until=retain_until,
                created_at=tx.recorded_at,
            )
        )
        return f"{COLLECTION}/{identifier}"

    async def read(self, tx: Tx, name: str, purpose: str) -> PersonalRecord | None:
        """One record, or None once it was erased or is past its date; the read is recorded."""
        query = select(personal_data).where(personal_data.c.id == UUID(id_of(name)), _is_in_time(tx))
        row = (await tx.conn.execute(query)).one_or_none()
        if row is None:
            return None
        await self._record_read(tx, [row.id], purpose)
        return _record(row)

    async def kept(self, tx: Tx, names: Collection[str]) -> set[str]:
        """Which of some records are kept still: neither erased nor past their date. Nothing of them is read."""
        ids = [UUID(id_of(name)) for name in names]
        found = await tx.conn.execute(select(personal_data.c.id).where(personal_data.c.id.in_(ids), _is_in_time(tx)))
        return {f"{COLLECTION}/{one}" for one in found.scalars()}

    async def says(self, tx: Tx, name: str, fields: Mapping[str, str], legal_basis: str, retain_until: date | None) -> bool:
        """Whether a record is kept that says just this; None: until whatever day. Nothing of it is read."""
        c = personal_data.c
        until = true() if retain_until is None else c.retain_until == retain_until
        same = and_(c.fields == dict(fields), c.legal_basis == legal_basis, until)
        return (await tx.conn.execute(select(c.id).where(_is_called(name), same, _is_in_time(tx)))).first() is not None

    async def is_about(self, tx: Tx, name: str, subjects: Collection[str], fields: Mapping[str, str]) -> bool:
        """Whether a record is kept of a person with one of these subjects, or of this name. Nothing of it is read."""
        shared = personal_data.c.subject_hashes.overlap(_hashes(subjects, fields))
        found = await tx.conn.execute(select(personal_data.c.id).where(_is_called(name), shared, _is_in_time(tx)))
        return found.first() is not None

    async def of_subject(self, tx: Tx, subject: str, purpose: str) -> list[PersonalRecord]:
        """Everything that is kept on a subject and not past its date; the read is recorded."""
        query = select(personal_data).where(_is_of(subject), _is_in_time(tx)).order_by(personal_data.c.id)
        rows = (await tx.conn.execute(query)).all()
        await self._record_read(tx, [row.id for row in rows], purpose)
        return [_record(row) for row in rows]

    async def namesakes(self, tx: Tx, subject: str) -> int:
        """How many records bear a subject as a name and are kept by something else: they may be another person's."""
        of_the_name = personal_data.c.subject_hashes.contains([_name(subject)])
        query = select(func.count()).select_from(personal_data).where(of_the_name, not_(_is_of(subject)), _is_in_time(tx))
        return int((await tx.conn.execute(query)).scalar_one())

    async def erase(self, tx: Tx, subject: str, lock: Lock) -> Sequence[Mapping[str, str]]:
        """Erase everything that is kept on a subject; returns the fields of the records. Raises `Invalid` as `forget`, and
        `Unavailable` where a record came meanwhile.
        """
        erased = await self._locked_and_deleted(tx, _is_of(subject), lock)
        refuse(repeated("reason", tx.cause.reason, erased))
        return erased

    async def forget(self, tx: Tx, name: str) -> None:
        """Erase one record. Raises `Invalid` where the reason of the transaction, which stays, says what is to be erased."""
        erased = await self._deleted(tx, _is_called(name))
        refuse(repeated("reason", tx.cause.reason, list(erased.values())))

    async def repeated(self, tx: Tx, names: Collection[str], texts: Iterable[tuple[str, str]]) -> list[Violation]:
        """`repeated` of some records, for texts that stay with the names of their fields. Nothing of the records is told."""
        ids, said = [UUID(id_of(name)) for name in names if name], [(field, text) for field, text in texts if text]
        if not ids or not said:
            return []
        found = await tx.conn.execute(select(personal_data.c.fields).where(personal_data.c.id.in_(ids)))
        records = found.scalars().all()
        return [one for field, text in said for one in repeated(field, text, records)]

    async def past(self, tx: Tx) -> list[str]:
        """Names of records that are past their date, the oldest first."""
        c = personal_data.c
        found = await tx.conn.execute(select(c.id).where(not_(_is_in_time(tx))).order_by(c.retain_until, c.id))
        return [f"{COLLECTION}/{one}" for one in found.scalars()]

    async def purge(self, tx: Tx, name: str, lock: Lock) -> Sequence[Mapping[str, str]]:
        """Erase a record that is past its date; returns its fields, or nothing where it is gone already."""
        return await self._locked_and_deleted(tx, and_(_is_called(name), not_(_is_in_time(tx))), lock)

    async def _locked_and_deleted(self, tx: Tx, which: ColumnElement[bool], lock: Lock) -> Sequence[Mapping[str, str]]:
        """What records are of is locked before them, as by whoever changes one: the other way round, each would wait for the
        other. What came between the look and the locks is of something that is not locked.
        """
        c = personal_data.c
        found = {row.id: row.fields for row in await tx.conn.execute(select(c.id, c.fields).where(which))}
        await lock(tx, list(found.values()))
        erased = await self._deleted(tx, which)
        if erased.keys() - found.keys():
            raise Unavailable("个人信息记录刚有变动，请稍后重试", "records of the person have just changed; try again shortly")
        return list(erased.values())

    async def _deleted(self, tx: Tx, which: ColumnElement[bool]) -> dict[UUID, Mapping[str, str]]:
        c = personal_data.c
        return {
            row.id: row.fields for row in await tx.conn.execute(delete(personal_data).where(which).returning(c.id, c.fields))
        }

    async def _record_read(self, tx: Tx, records: list[UUID], purpose: str) -> None:
        if records:
            rows = [
                {"id": new_id(), "record": one, "reader": tx.cause.actor, "purpose": purpose, "read_at": tx.recorded_at}
                for one in records
            ]
            await tx.run_each(insert(personal_data_access), rows)


def _is_in_time(tx: Tx) -> ColumnElement[bool]:
    """Its date is the last day on which it is kept: what is past it counts as erased, also before `purge` comes by."""
    return personal_data.c.retain_until >= business_date(tx.now)


def _is_called(name: str) -> ColumnElement[bool]:
    return personal_data.c.id == UUID(id_of(name))


def _is_of(subject: str) -> ColumnElement[bool]:
    return personal_data.c.subject_hashes.contains([_subject(subject)])


def _hashes(subjects: Collection[str], fields: Mapping[str, str]) -> list[str]:
    """What a record is found by: its subjects, and its person's name as one."""
    name = fields.get("display_name", "")
    return sorted({*map(_subject, subjects), *([_name(name)] if name else [])})


def _subject(subject: str) -> str:
    """Hash of a subject, however it is written: `+86 138-0000-0000` is `13800000000`, `张 三` is `张三`."""
    return hex_digest((numbers.canonical(subject) or _plain(subject)).encode())


def _name(name: str) -> str:
    """Hash of a name as one, which is no subject's: a subject has no blanks."""
    return hex_digest(f"name {_plain(name)}".encode())


def _plain(text: str) -> str:
    """However a name or an address is spaced, and a name that is not in ASCII dotted: `买买提·吐尔逊` is `买买提吐尔逊`, but
    `li.si@…` is another than `lisi@…`.
    """
    plain = "".join(numbers.usual(text).split())
    return plain if plain.isascii() else re.sub(APART, "", plain)


def _record(row: Any) -> PersonalRecord:
    return PersonalRecord(
        f"{COLLECTION}/{row.id}",
        row.kind,
        row.fields,
        row.purpose,
        row.legal_basis,
        row.source,
        row.retain_until,
        row.created_at,
    )
