"""Papers go with the person: none for an erasure that is rolled back, all in the end, and nobody waits for ever."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from alliance.registry.v1 import application_pb2 as pb
from alliance_local.control import Platform
from chassis.clock import BusinessClock, SystemClock
from chassis.database import Cause, Database, Tx
from chassis.errors import Unavailable
from chassis.housekeeping import purge
from chassis.ids import resource
from chassis.vault import Erasure, Vault
from registry import store
from registry.applications import candidates
from registry.applications import store as rows
from registry.applications.clearing import clear, tidy
from registry.applications.documents import DocumentRow, document_message
from registry.applications.mapping import application_row
from registry.applications.objects import ObjectStore
from registry.applications.papers import CandidatePapers
from registry.applications.store import ApplicationRow
from registry.applications.taking import Taking, sweep
from tests import databases
from tests.waiting import until

_MIGRATIONS = Path(__file__).resolve().parents[2] / "services" / "registry" / "migrations"
_CAUSE = Cause("tester", reason="本人要求")
_PHONE = "139-0713-2470"
_PAST = date(2026, 1, 31)
_IN_TIME = date(2999, 1, 31)
_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_number = itertools.count(1)


class Shelf(ObjectStore):
    """A folder that does not give some of its objects up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri())
        self._folder = folder
        self.stuck: set[str] = set()

    async def delete(self, key: str) -> None:
        """See `Objects`."""
        if key in self.stuck:
            raise OSError("403 Forbidden")
        await super().delete(key)

    def has(self, key: str) -> bool:
        """Whether there is an object."""
        return (self._folder / key).exists()


class Filed:
    """Applications with a candidate and a paper each, in a database of their own."""

    def __init__(self, database: Database, url: str, shelf: Shelf) -> None:
        self.database, self.url, self.shelf = database, url, shelf

    async def one(self, until: date = _IN_TIME, remind_on: date | None = None, shared: Sequence[str] = ()) -> tuple[str, str]:
        """The names of an application and of its paper; it has some of other applications, too."""
        name, paper = resource("applications"), resource("documents")

        async def content() -> AsyncIterator[bytes]:
            yield b"%PDF-"

        await self.shelf.put(paper, content())
        message = pb.Application(name=name, programme=pb.PROGRAMME_EMPLOYEE_INTAKE, state=pb.APPLICATION_STATE_DRAFT)
        for document in (paper, *shared):
            message.documents.add(document=document, kind="APPLICATION_FORM")
        message.create_time.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
        known = DocumentRow(
            name=paper,
            owner=resource("organizations"),
            file_name="a.pdf",
            media_type="application/pdf",
            size=5,
            sha256="0" * 64,
            state=pb.DOCUMENT_STATE_KEPT,
            uploaded_by="tester",
            create_time=datetime(2026, 1, 1, tzinfo=UTC),
        )
        async with self.database.transaction(_CAUSE) as tx:
            message.employee_intake.candidate = await self.keep(tx, name, until)
            await store.write(tx, application_row(message, 1, None, remind_on, tx.now))
            await store.write(tx, known)
            await rows.attach(tx, name, [paper, *shared])
        return name, paper

    async def keep(self, tx: Tx, application: str, until: date = _IN_TIME, phone: str = _PHONE) -> str:
        """The name of a record of an application's candidate."""
        return await Vault().keep(
            tx,
            subjects=[phone],
            kind="candidate",
            fields={"phone": phone, "application": application},
            purpose="招收",
            legal_basis="CONSENT",
            source="test",
            retain_until=until,
        )

    async def erase(self) -> Erasure:
        """As ErasePersonalData does."""
        papers = CandidatePapers()
        async with self.database.transaction(_CAUSE) as tx:
            return await papers.erase(tx, await Vault().erase(tx, _PHONE, papers.lock))

    async def state(self, paper: str) -> int:
        """The state of a document."""
        async with self.database.transaction(_CAUSE, read_only=True) as tx:
            return document_message(await store.get(tx, DocumentRow, paper)).state

    async def records(self) -> int:
        """How many records the vault has."""
        return len(await databases.rows(self.url, "SELECT 1 FROM personal_data"))

    async def are_waiting(self, many: int) -> bool:
        """Whether so many wait for a lock."""
        return len(await databases.rows(self.url, _WAITING)) >= many


@pytest.fixture
async def filed(platform: Platform, tmp_path: Path) -> AsyncIterator[Filed]:
    system = SystemClock()
    name = f"erasures_{os.getpid()}_{next(_number)}"
    async with databases.made(platform, name, "registry", _MIGRATIONS) as (url, _):
        database = Database(url, system=system, business=BusinessClock(system))
        yield Filed(database, url, Shelf(tmp_path))
        await database.close()


async def test_a_content_goes_once_its_erasure_is_committed_and_not_before(filed: Filed) -> None:
    _, paper = await filed.one()
    papers = CandidatePapers()

    async def refused() -> None:
        async with filed.database.transaction(_CAUSE) as tx:
            erasure = await papers.erase(tx, await Vault().erase(tx, _PHONE, papers.lock))
            assert [one.name for one in erasure.erased] == [paper]
            assert await clear(filed.database, filed.shelf) == 0, "it is not committed"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await refused()
    assert await clear(filed.database, filed.shelf) == 0
    assert filed.shelf.has(paper)
    assert await filed.state(paper) == pb.DOCUMENT_STATE_KEPT
    assert await filed.records() == 1

    await filed.erase()
    assert await filed.state(paper) == pb.DOCUMENT_STATE_ERASED
    assert await clear(filed.database, filed.shelf) == 0
    assert not filed.shelf.has(paper)


async def test_a_content_that_can_t_be_deleted_holds_up_no_other_and_goes_in_the_end(filed: Filed) -> None:
    known = sorted([(await filed.one())[1] for _ in range(3)])
    await filed.erase()
    await filed.shelf.delete(known[1])  # whoever deleted it came no further
    filed.shelf.stuck.add(known[0])
    assert await clear(filed.database, filed.shelf) == 1
    assert [filed.shelf.has(one) for one in known] == [True, False, False]
    filed.shelf.stuck.clear()
    assert await clear(filed.database, filed.shelf) == 0
    assert not filed.shelf.has(known[0])
    assert not await databases.rows(filed.url, "SELECT 1 FROM document WHERE content_left")


@pytest.mark.parametrize(("days", "state"), [(29, pb.DOCUMENT_STATE_KEPT), (30, pb.DOCUMENT_STATE_ERASED)])
async def test_what_is_attached_to_nothing_for_long_is_erased(filed: Filed, days: int, state: int) -> None:
    """Its file may be called after a person whose erasure can't find it; what is attached stays, however old."""
    (_, used), (application, unused) = await filed.one(), await filed.one()
    uploaded = filed.database.system_time() - timedelta(days=days, seconds=1)
    await databases.rows(filed.url, "UPDATE document SET create_time = $2 WHERE name = $1", unused, uploaded)
    await databases.rows(filed.url, "DELETE FROM application_document WHERE application = $1", application)
    assert await tidy(filed.database) == (state == pb.DOCUMENT_STATE_ERASED)
    assert (await filed.state(used), await filed.state(unused)) == (pb.DOCUMENT_STATE_KEPT, state)


class _Broken(CandidatePapers):
    """Papers of which some can't be erased."""

    def __init__(self, application: str) -> None:
        self._application = application

    async def erase(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Erasure:
        """See `Papers`."""
        done = await super().erase(tx, records)
        if any(one["application"] == self._application for one in records):
            raise ValueError("broken on purpose")
        return done


async def test_what_can_t_be_purged_keeps_nothing_else_past_its_date(filed: Filed) -> None:
    (stuck, its_paper), (_, other), (_, in_time) = [await filed.one(day) for day in (_PAST, _PAST, _IN_TIME)]

    async def states() -> list[bool]:
        return [await filed.state(one) == pb.DOCUMENT_STATE_ERASED for one in (its_paper, other, in_time)]

    assert await purge(filed.database, _Broken(stuck)) == 1
    assert (await states(), await filed.records()) == ([False, True, False], 2)
    assert await purge(filed.database, CandidatePapers()) == 0
    assert (await states(), await filed.records()) == ([True, True, False], 1)


async def test_what_applications_share_goes_with_the_last_record(filed: Filed) -> None:
    """Their records go one by one, on one day or on two."""
    (_, one), (_, other) = await filed.one(_PAST), await filed.one(_PAST)
    await filed.one(_PAST, shared=[one])
    await filed.one(_IN_TIME, shared=[other])
    assert await purge(filed.database, CandidatePapers()) == 0
    assert [await filed.state(name) for name in (one, other)] == [pb.DOCUMENT_STATE_ERASED, pb.DOCUMENT_STATE_KEPT]
    await filed.erase()
    assert await filed.state(other) == pb.DOCUMENT_STATE_ERASED


async def test_an_erasure_waits_for_who_changes_a_candidate_and_they_not_for_it(filed: Filed) -> None:
    name, paper = await filed.one(_PAST)

    async def purged() -> bool:
        return await purge(filed.database, CandidatePapers()) == 0

    for erase in (filed.erase, purged):
        async with filed.database.transaction(_CAUSE) as tx:
            row = await store.get(tx, ApplicationRow, name, lock=True)
            assert row
            erasing = asyncio.ensure_future(erase())
            await until(lambda: filed.are_waiting(1))
            message = pb.Application.FromString(row.content)
            assert await candidates.forget(tx, message, "本人要求")
            message.employee_intake.candidate = await filed.keep(tx, name, _PAST, "13907132471")
            await store.write(tx, application_row(message, row.version + 1, None, None, tx.now))
        assert await erasing
    assert await filed.state(paper) == pb.DOCUMENT_STATE_KEPT, "what was to be erased had gone by then"
    assert await filed.records() == 1


class _Reminding(Taking):
    """Says that a last day is near, and changes nothing."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def save(self, tx: Tx, message: pb.Application, before: ApplicationRow | None, verb: str) -> None:
        """See `Taking`."""
        self.told.append(message.name)


async def test_an_erasure_and_a_sweep_of_the_same_applications_take_turns(filed: Filed) -> None:
    """The sweep takes the nearest day first, and locks in the order of names."""
    (first, _), (second, _) = await filed.one(remind_on=date(2026, 1, 2)), await filed.one(remind_on=date(2026, 1, 1))
    assert first < second
    taking = _Reminding()

    async def swept() -> int:
        async with filed.database.transaction(_CAUSE) as tx:
            return await sweep(tx, taking)

    async with filed.database.transaction(_CAUSE) as tx:
        await store.get(tx, ApplicationRow, first, lock=True)
        erasing = asyncio.ensure_future(filed.erase())
        await until(lambda: filed.are_waiting(1))
        sweeping = asyncio.ensure_future(swept())
        await until(lambda: filed.are_waiting(2))
    assert len((await erasing).erased) == 2
    assert await sweeping == 2
    assert taking.told == [second, first]


async def test_a_record_that_comes_while_an_erasure_waits_is_left_to_the_next(filed: Filed) -> None:
    """Its application is not locked: nothing is done, and it is said."""
    name, paper = await filed.one()
    async with filed.database.transaction(_CAUSE) as tx:
        await store.get(tx, ApplicationRow, name, lock=True)
        erasing = asyncio.ensure_future(filed.erase())
        await until(lambda: filed.are_waiting(1))
        await filed.one()
    with pytest.raises(Unavailable):
        await erasing
    assert await filed.records() == 2
    assert [one.name for one in (await filed.erase()).erased if one.name == paper] == [paper]
    assert await filed.records() == 0
