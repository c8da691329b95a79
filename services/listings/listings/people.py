"""The RPCs of persons behind listings: who they are is kept in the vault, the listing has the random id of the record."""

from collections.abc import Iterator, Mapping, Sequence

from access.authority import Authority
from access.visibility import may_see
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import person_service_pb2 as rpc
from chassis.changing import require_reason
from chassis.clock import business_date, parsed_date
from chassis.database import Tx
from chassis.errors import Denied, Invalid, NotFound, Violation, refuse
from chassis.personal import repeated
from chassis.persons import (
    LENGTHS,
    MOST_DAYS,
    evidence_problems,
    fields_of,
    person_problems,
    purpose_problems,
    retention_problems,
    subjects,
)
from chassis.rpc import Call
from chassis.vault import NoPapers, PersonalRecord, Vault
from listings import changes, store
from listings.changes import Change
from listings.checks.texts import KEYS, published, texts
from listings.domain.names import Kind, State
from listings.domain.people import retention
from listings.mapping import message_of
from listings.standing import Standing
from listings.store import ListingRow

_FIELDS: Mapping[int, str] = {rpc.PERSON_ROLE_CONTACT: "contact", rpc.PERSON_ROLE_EXPERT: "expert.person"}
_PURPOSES: Mapping[int, str] = {
    rpc.PERSON_ROLE_CONTACT: "供需对接联系 to be turned to about a listing",
    rpc.PERSON_ROLE_EXPERT: "专家库 to be found as an expert (R47)",
}
_READ = "listings.people.get"
_MOST_MENTIONS = 100
_ANEW = (
    "；该项不能修改，请撤回该信息，以不含个人信息的编号、来源重新录入",
    "; this can't change: withdraw the listing and enter it anew under a key and source that name nobody",
)


class People:
    """`alliance.listings.v1.PeopleService`."""

    def __init__(self, authority: Authority, standing: Standing) -> None:
        self._authority = authority
        self._standing = standing
        self._vault = Vault()

    async def SetListingPerson(self, call: Call, request: rpc.SetListingPersonRequest) -> pb.Listing:
        """See the contract."""
        row = await _locked(call.tx, request.listing)
        today = business_date(call.tx.now)
        until = retention(parsed_date(request.retain_until), row.valid_to, today, MOST_DAYS)
        fields = fields_of(request.person)
        if found := [
            *person_problems("person", fields, reachable=request.role == rpc.PERSON_ROLE_CONTACT),
            *_request_problems(request, row),
            *retention_problems(request.retain_until, until, today),
        ]:
            raise Invalid(found)
        message = message_of(row)
        refuse(_naming(message, fields))
        kept = {**fields, "listing": row.name, "disclosed": str(request.disclosed)}
        legal_basis = f"{rpc.LegalBasis.Name(request.legal_basis)}: {request.evidence.strip()}"
        if before := _record_of(message, request.role):
            if await self._vault.says(call.tx, before, kept, legal_basis, until if request.retain_until else None):
                return message
            await self._vault.forget(call.tx, before)
        record = await self._vault.keep(
            call.tx,
            subjects=subjects(fields),
            kind=f"listing_{_FIELDS[request.role].split('.')[0]}",
            fields=kept,
            purpose=_PURPOSES[request.role],
            legal_basis=legal_basis,
            source="SetListingPerson",
            retain_until=until,
        )
        return await _refer(call.tx, row, message, request.role, record)

    async def GetListingPerson(self, call: Call, request: rpc.GetListingPersonRequest) -> rpc.GetListingPersonResponse:
        """See the contract. The read itself is recorded, so it has a transaction of its own."""
        if found := [*_role_problems(request.role), *purpose_problems(request.purpose)]:
            raise Invalid(found)
        async with call.database.transaction(call.cause) as tx:
            row = await store.get(tx, request.listing)
            if row is None:
                raise NotFound(request.listing)
            is_issuers = await self._authority.permitted(call, _READ, row.issuer)
            if not is_issuers and not await self._may_be_told(call, tx, row):
                raise Denied(_READ, request.listing)
            record = await self._read(tx, message_of(row), request)
            if not is_issuers and record.fields.get("disclosed") != "True":
                raise Denied(_READ, request.listing)
            refuse(repeated("purpose", request.purpose, [record.fields]))
        return _response(record)

    async def EraseListingPerson(self, call: Call, request: rpc.EraseListingPersonRequest) -> pb.Listing:
        """See the contract."""
        require_reason(request.reason)
        row = await _locked(call.tx, request.listing)
        if found := _role_problems(request.role):
            raise Invalid(found)
        message = message_of(row)
        if not (record := _record_of(message, request.role)):
            return message
        await self._vault.forget(call.tx, record)
        return await _refer(call.tx, row, message, request.role, "")

    async def _may_be_told(self, call: Call, tx: Tx, row: ListingRow) -> bool:
        """Whether the caller acts for a verified organization that may see the listing."""
        viewer = await self._authority.viewer(call, ask_owner=True)
        if not viewer.organization or not may_see(
            viewer, issuer=row.issuer, bodies=row.bodies, visibility=row.visibility, state=row.state
        ):
            return False
        return await self._standing.is_verified(tx, viewer.organization)

    async def _read(self, tx: Tx, message: pb.Listing, request: rpc.GetListingPersonRequest) -> PersonalRecord:
        name = _record_of(message, request.role)
        record = await self._vault.read(tx, name, request.purpose.strip()) if name else None
        if record is None:
            raise NotFound(f"{request.listing} {rpc.PersonRole.Name(request.role)}")
        return record


class Mentions(NoPapers):
    """Texts of an issuer's listings that name a person whom it kept a record of: such a text is no record, and stays."""

    async def mentions(self, tx: Tx, records: Sequence[Mapping[str, str]]) -> Sequence[str]:
        """See `Papers`."""
        found = set[str]()
        for one in records:
            found.update(await store.saying(tx, one["display_name"], one["listing"], _MOST_MENTIONS))
        return sorted(found)[:_MOST_MENTIONS]


async def named_in(tx: Tx, row: ListingRow, listing: pb.Listing | None = None, **said: str) -> list[Violation]:
    """What a listing as it is to be, and what is `said` beside it (field → text: a reason, a booking's purpose), say of the
    persons behind it: all of it outlives their erasure.
    """
    message = message_of(row)
    if not (records := [one for one in (message.contact, message.expert.person) if one]):
        return []
    return await Vault().repeated(tx, records, [*(texts(listing) if listing else ()), *said.items()])


def _naming(message: pb.Listing, fields: Mapping[str, str]) -> list[Violation]:
    """What a listing says of a person who is to stand behind it; its key and source can't be mended, so it says what can."""
    found = [one for path, text in published(message) for one in repeated(path, text, [fields])]
    return [one._replace(zh=one.zh + _ANEW[0], en=one.en + _ANEW[1]) if one.field in KEYS else one for one in found]


async def _locked(tx: Tx, name: str) -> ListingRow:
    row = await store.get(tx, name, lock=True)
    if row is None:
        raise NotFound(name)
    return row


def _record_of(message: pb.Listing, role: int) -> str:
    return message.contact if role == rpc.PERSON_ROLE_CONTACT else message.expert.person


async def _refer(tx: Tx, row: ListingRow, message: pb.Listing, role: int, record: str) -> pb.Listing:
    """Let the listing refer to another record; that is no revision, so that no round counts it."""
    if role == rpc.PERSON_ROLE_CONTACT:
        message.contact = record
    else:
        message.expert.person = record
    change = Change(row, message, State(row.state), changes.ASSIGNED, row.content_hash, [_FIELDS[role]])
    (saved,) = await changes.save(tx, [change])
    return message_of(saved)


def _response(record: PersonalRecord) -> rpc.GetListingPersonResponse:
    basis = record.legal_basis.partition(":")[0]
    return rpc.GetListingPersonResponse(
        person=rpc.Person(**{field: record.fields.get(field, "") for field in LENGTHS}),
        legal_basis=rpc.LegalBasis.Value(basis),
        retain_until=record.retain_until.isoformat(),
    )


def _role_problems(role: int) -> list[Violation]:
    if role in _FIELDS:
        return []
    return [Violation("role", "required", "请选择：联系人或专家", "the role is CONTACT or EXPERT")]


def _request_problems(request: rpc.SetListingPersonRequest, row: ListingRow) -> Iterator[Violation]:
    yield from _role_problems(request.role)
    if request.role == rpc.PERSON_ROLE_EXPERT and row.kind != Kind.EXPERT:
        yield Violation(
            "role",
            "kind",
            "只有专家类信息有专家；请改为联系人，或换专家类信息",
            "only a listing of kind EXPERT has an expert; set a contact, or name such a listing",
        )
    if request.legal_basis not in (rpc.LEGAL_BASIS_CONSENT, rpc.LEGAL_BASIS_CONTRACT):
        yield Violation(
            "legal_basis",
            "PIPL art. 13",
            "请填写处理依据：本人同意（CONSENT）或订立履行合同所必需（CONTRACT）",
            "the legal basis is CONSENT or CONTRACT",
        )
    yield from evidence_problems(request.evidence)
