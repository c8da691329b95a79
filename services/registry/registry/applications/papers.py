"""Papers 材料 of candidates: named where it is said what is kept of a person, and erased with who the candidate is."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from chassis.database import Tx
from chassis.vault import Erasure, Paper
from registry import store
from registry.applications import candidates, documents
from registry.applications import store as rows
from registry.applications.documents import DocumentRow
from registry.applications.mapping import application_message
from registry.applications.store import ApplicationRow
from registry.domain.names import Programme
from registry.domain.programmes import PROCEDURES

May = Callable[[str], Awaitable[bool]]
"""Whether the caller may erase the documents of an owner."""
_MOST_MENTIONS = 100


class CandidatePapers:
    """Implements `chassis.vault.Papers`: a candidate's record says which application it is of."""

    async def listed(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> list[Paper]:
        """See `Papers`."""
        return [one.paper for one in await _found(tx, _applications(records), lock=False)]

    async def lock(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> None:
        """See `Papers`."""
        await rows.lock(tx, _applications(records))

    async def erase(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Erasure:
        """See `Papers`. What was handed in goes, too: the right to erasure does not end with it (PIPL art. 47)."""
        return await self.erase_of(tx, _applications(records))

    async def mentions(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """See `Papers`: applications of whoever kept the records, and documents of theirs by what their files are called. What
        an application itself says is refused where it names its candidate; an applicant's others know nothing of them.
        """
        found = set[str]()
        for one in records:
            name, application = one.get("display_name"), await store.get(tx, ApplicationRow, one.get("application", ""))
            if name and application:
                found.update(await rows.saying(tx, name, application.applicant, _MOST_MENTIONS))
                found.update(await documents.called(tx, name, application.applicant, _MOST_MENTIONS))
        return sorted(found)[:_MOST_MENTIONS]

    async def erase_of(self, tx: Tx, applications: Collection[str], may: May | None = None) -> Erasure:
        """Erase papers of some applications, locked, that are about the candidates and that no other application has: where
        `may` is given, those that the caller may erase and no application rests on; otherwise also what was handed in, and
        what others have whose candidates are gone as well.
        """
        erased, left = list[Paper](), list[Paper]()
        for row, paper, is_personal in await _found(tx, applications, lock=True):
            others = set(paper.attached_to) - set(applications)
            is_theirs = not others or (may is None and await _are_past(tx, others))
            is_free = may is None or (await may(row.owner) and not await rows.resting_on(tx, row.name))
            if is_personal and is_theirs and is_free:
                await documents.forget(tx, row)
                erased.append(paper)
            else:
                left.append(paper)
        return Erasure(erased, left)


class _Found(NamedTuple):
    row: DocumentRow
    paper: Paper
    is_personal: bool


async def _found(tx: Tx, applications: Collection[str], *, lock: bool) -> list[_Found]:
    """Papers of some applications whose content is there; with `lock` the documents are locked, after the applications."""
    kinds: dict[str, tuple[str, bool]] = {}
    for _, application in sorted((await store.get_all(tx, ApplicationRow, applications)).items()):
        personal = PROCEDURES[Programme(application.programme)].personal
        attached = application_message(application).documents
        kinds.update({one.document: (one.kind, one.kind in personal) for one in attached})
    kept = await documents.kept(tx, kinds, lock=lock)
    having = await rows.attached_to(tx, [row.name for row in kept])
    return [
        _Found(row, Paper(row.name, kind, having[row.name], row.file_name), is_personal)
        for row in kept
        for kind, is_personal in [kinds[row.name]]
    ]


async def _are_past(tx: Tx, applications: Collection[str]) -> bool:
    """Whether all of some applications have had candidates of whom nothing is kept, by an erasure or their dates: records that
    end together go one by one, and what they share goes with the last. The paper is locked; they need not be.
    """
    found = map(application_message, (await store.get_all(tx, ApplicationRow, applications)).values())
    return all([one.employee_intake.candidate and not await candidates.is_kept(tx, one) for one in found])


def _applications(records: Sequence[Mapping[str, str]]) -> list[str]:
    return sorted({one["application"] for one in records if one.get("application")})
