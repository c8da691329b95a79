"""Import 批量导入: rows in, a receipt per row out; a chunk is one transaction, committed before its receipts are sent.

A row's identity is (issuer, source, external key); a row without a key is the listing that it names, which has none either,
as an export brings it. The same content again is unchanged, whatever became of its bodies since, another is a revision. Of a
listing that has ended a revision is refused: it would not be on offer. What was fulfilled or ran out is unchanged as long as
its row says the same, since a source goes on naming it; what was withdrawn is refused then too, but in feeds. Rows of one key
in one chunk are folded in their order: a key that stands twice is a row and its revision, unless the last of them says what is
stored; then nothing is written, so that a file with such keys is unchanged as a whole when it comes again.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from access.authority import Authority
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis import wellformed
from chassis.clock import business_date, parsed_date
from chassis.database import Tx
from chassis.errors import Invalid, Violation
from chassis.personal import screen
from chassis.rpc import Call
from listings import changes, references, store
from listings.bookings import changes as bookings
from listings.changes import Change
from listings.checks import flagged, settled
from listings.checks.relations import concerns
from listings.domain.life import may
from listings.domain.names import STATE_NAMES, State
from listings.domain.window import is_over
from listings.mapping import content_hash, revised_fields, written
from listings.people import named_in
from listings.rounds import store as rounds
from listings.standing import Standing, is_closed, not_a_member
from listings.store import ListingRow

MAX_ROWS = 1000
PERMISSION = "listings.listings.import"
_UNSEEN = ("Cc", "Cf", "Cs")  # Unicode's categories of controls, formats and halves of characters


_APART: Mapping[str, tuple[str, str]] = {
    "source": (
        "此行出自另一来源：请以 listing export --source 按来源分开导出，再各以 import --source 导入",
        "the row is of another source: export each apart by listing export --source, and import it with the same --source",
    ),
}
"""What to do with a row of another import, where there is more to say than that."""

_TWICE = Violation(
    "supply_demand_list.round",
    "R43",
    "前面一行已发布该期清单，每期只发布一次；请删去此行，或改填其他期次",
    "a row before publishes the list already, and it is published once: leave this row out, or name another list",
)


class _DryRunError(Exception):
    """Ends the transaction of a dry run without a trace; carries its receipts."""

    def __init__(self, receipts: list[rpc.ImportReceipt]) -> None:
        self.receipts = receipts


def check_header(header: rpc.ImportHeader) -> None:
    """Raises `Invalid` for a header that is not complete."""
    found = []
    if not 1 <= len(header.source) <= 64:
        found.append(
            Violation("header.source", "length", "请填写来源系统（1–64 字符）", "name the source, 1 to 64 characters")
        )
    elif _is_no_key(header.source):
        found.append(
            Violation(
                "header.source",
                "form",
                "来源首尾有空白，或含看不见的字符，会被当成另一来源；请删去这些字符",
                "the source begins or ends with blanks, or holds characters that can't be seen, and would be another one;"
                " take them out",
            )
        )
    if not header.kind:
        found.append(Violation("header.kind", "required", "请填写信息类型", "the kind is required"))
    if not header.issuer:
        found.append(
            Violation(
                "header.issuer",
                "required",
                "首条消息须为 header；请先发 header，并填写发布单位（issuer）",
                "send the header first, with the issuer",
            )
        )
    if header.withdraw_vanished:
        found += _reason_problems(header.reason)
    if found:
        raise Invalid(found)


def _reason_problems(reason: str) -> list[Violation]:
    if not reason.strip():
        return [
            Violation(
                "header.reason", "required", "撤回须有原因；请填写 reason", "withdrawing needs a reason; say why in reason"
            )
        ]
    return screen("header.reason", reason)


async def take(
    call: Call, header: rpc.ImportHeader, chunk: rpc.ImportChunk, standing: Standing, authority: Authority
) -> list[rpc.ImportReceipt]:
    """Take a chunk in; returns a receipt a row once all is committed.

    Raises `Denied` where the caller may not import any more: a stream can go on for longer than a grant.
    """
    rows = chunk.rows
    if max(len(rows), len(chunk.unread_keys), len(chunk.unread_rows)) > MAX_ROWS:
        raise Invalid(
            [
                Violation(
                    "chunk.rows",
                    "size",
                    f"每批最多 {MAX_ROWS} 行；请分批",
                    f"at most {MAX_ROWS} rows a chunk; send more chunks",
                )
            ]
        )
    try:
        async with call.database.transaction(call.cause) as tx:
            await authority.authorise(replace(call, transaction=tx), PERMISSION, [header.issuer])
            receipts = await Chunk(tx, header, standing).take(rows, chunk.unread_rows)
            if header.dry_run:
                raise _DryRunError(receipts)
    except _DryRunError as dry:
        return dry.receipts
    return receipts


def identity(listing: pb.Listing | ListingRow) -> str:
    """What tells an issuer's listings of a source from each other: the key, or the name of one without a key."""
    return listing.external_key or listing.name


def sought(listing: pb.Listing) -> str:
    """Its identity as far as that can be told; "" where its key is missing, or none that a listing can have."""
    return "" if _is_no_key(listing.external_key) else identity(listing)


def _is_no_key(key: str) -> bool:
    return key != key.strip() or any(unicodedata.category(one) in _UNSEEN for one in key)


@dataclass
class _Row:
    """One sound row: its receipt, which is still to be filled in, and what it says."""

    identity: str
    receipt: rpc.ImportReceipt
    bare: pb.Listing
    problems: list[Violation]
    hashed: str


class Chunk:
    """One chunk in its transaction."""

    def __init__(self, tx: Tx, header: rpc.ImportHeader, standing: Standing, *, withdrawn_stay: bool = False) -> None:
        """`withdrawn_stay`: a row that says nothing new of what was withdrawn is unchanged, and not refused."""
        self._tx = tx
        self._header = header
        self._standing = standing
        self._withdrawn_stay = withdrawn_stay
        self._today = business_date(tx.now)
        self._known: dict[str, ListingRow] = {}
        self._taken: dict[str, ListingRow] = {}
        self._lists: dict[str, str] = {}
        """Round of the list that each listing made public here, by the listing's identity."""
        self._foreign: frozenset[str] = frozenset()
        self._closed: frozenset[str] = frozenset()
        self._broken: dict[int, list[Violation]] = {}
        self._naming: dict[int, list[Violation]] = {}

    async def take(self, rows: Sequence[rpc.ImportRow], unread: Sequence[rpc.UnreadRow] = ()) -> list[rpc.ImportReceipt]:
        """Take all rows in; returns their receipts in their order, then those of the rows that could not be read."""
        header, tx = self._header, self._tx
        await store.lock_identities(tx, header.issuer, header.source)
        receipts = [_receipt(row) for row in (*rows, *(one.row for one in unread))]
        sound = [(receipt, row.listing) for receipt, row in zip(receipts, rows, strict=False) if not receipt.problems]
        partly = [
            (receipt, one.row.listing, one.fields)
            for receipt, one in zip(receipts[len(rows) :], unread, strict=True)
            if not receipt.problems
        ]
        await self._learn([*(given for _, given in sound), *(given for _, given, _ in partly)])
        taken = self.fold(sound, self._known)
        for receipt, given, fields in partly:
            _refuse(receipt, self._read(receipt, given, fields).problems)
        await changes.write(tx, taken)
        await bookings.rejudge(tx, self._standing, taken)
        return receipts

    async def _learn(self, listings: Sequence[pb.Listing]) -> None:
        """What has to be known of the listings before they are judged."""
        header, tx = self._header, self._tx
        keys = {given.external_key for given in listings if given.external_key}
        names = {given.name for given in listings if given.name and not given.external_key}
        bodies = {body for given in listings for body in given.bodies}
        self._foreign = frozenset(await self._standing.foreign_bodies(tx, header.issuer, bodies, self._today))
        self._closed = frozenset(await self._standing.closed_bodies(tx, bodies - self._foreign))
        known = await store.identified(tx, header.issuer, header.source, keys, names)
        self._known = {identity(row): row for row in known}
        # Of all rows at once, in the order that everybody keeps.
        if (list_kind := references.LISTS.get(header.kind)) is not None:
            await rounds.lock_closed(tx, {given.supply_demand_list.round for given in listings}, list_kind)
        if header.kind == pb.LISTING_KIND_INDUSTRY_CHALLENGE:
            await rounds.hold(tx, bodies)
        for given in listings:
            row = self._known.get(identity(given))
            self._broken[id(given)] = await references.broken(tx, self._standing, given, header.issuer, header.kind, row)
            self._naming[id(given)] = await named_in(tx, row, written(given)) if row else []

    def fold(self, sound: Iterable[tuple[rpc.ImportReceipt, pb.Listing]], known: dict[str, ListingRow]) -> list[ListingRow]:
        """Take steps for rows, those of one key together and in their order; returns the listings that changed, each once."""
        self._known = known
        by_key: dict[str, list[_Row]] = {}
        for receipt, given in sound:
            row = self._read(receipt, given)
            if row.problems:
                _refuse(receipt, row.problems)
            else:
                receipt.warnings.extend(_problem(one) for one in flagged(row.bare))
                by_key.setdefault(row.identity, []).append(row)
        for rows in by_key.values():
            self._fold(rows)
        return list(self._taken.values())

    def _read(self, receipt: rpc.ImportReceipt, given: pb.Listing, unread: Sequence[str] = ()) -> _Row:
        bare, known = written(given), self._known.get(identity(given))
        bare.issuer, bare.source, bare.kind = self._header.issuer, self._header.source, self._header.kind
        if known is not None and not given.external_key:
            bare.source = known.source
        found = [
            *_key_problems(given, known),
            *_foreign_problems(given, bare),
            *settled(bare, unread),
            *_other_kind_problems(bare, known),
        ]
        hashed = content_hash(bare)
        if known is None or not self._is_to_stay(known, bare, hashed):
            found += _over_problems(known) or [
                *self._naming.get(id(given), ()),
                *(self._broken.get(id(given), ()) if "bodies" not in unread else ()),  # a list is looked for among them
                *self._standing_problems(bare, known),
            ]
        found = [one for one in found if not concerns(one.field, unread)]
        return _Row(identity(given), receipt, bare, found, hashed)

    def _is_to_stay(self, known: ListingRow, bare: pb.Listing, hashed: str) -> bool:
        """Whether a row changes nothing of its listing, so that neither time nor membership is asked anew: a source goes on
        naming what was fulfilled or ran out. What was withdrawn was withdrawn on purpose, which whoever imports is told.
        """
        if (known.state == State.WITHDRAWN and not self._withdrawn_stay) or (
            known.state == State.DRAFT and self._header.publish
        ):
            return False
        return hashed == known.content_hash or not revised_fields(known, bare, self._today)

    def _fold(self, rows: Sequence[_Row]) -> None:
        """Rows of one key. The last one says what is to be: where that is there already, none of them changes anything."""
        key = rows[0].identity
        known = self._known.get(key)
        if known is not None and rows[-1].hashed == known.content_hash:
            for row in rows:
                row.receipt.outcome = rpc.IMPORT_OUTCOME_UNCHANGED
        else:
            for row in rows:
                self._enter(row)
        taken = [row for row in rows if row.receipt.outcome != rpc.IMPORT_OUTCOME_REFUSED]
        if taken and self._header.publish and (current := self._known[key]).state == State.DRAFT:
            self._publish(current, taken[-1].receipt)
        for row in rows:
            if row.receipt.outcome != rpc.IMPORT_OUTCOME_REFUSED and not (self._header.dry_run and known is None):
                row.receipt.listing = self._known[key].name

    def _enter(self, row: _Row) -> None:
        """Enter or revise a listing and fill in the receipt; nothing happens where it says so already."""
        known = self._known.get(row.identity)
        fields = revised_fields(known, row.bare, self._today) if known else []
        if known is not None and (known.content_hash == row.hashed or not fields):
            row.receipt.outcome = rpc.IMPORT_OUTCOME_UNCHANGED  # without a field, where it says what publication filled in
        elif self._is_public_here(row.identity, row.bare) and (self._header.publish or _is_published(known)):
            _refuse(row.receipt, [_TWICE])
        elif known is None:
            row.receipt.outcome = rpc.IMPORT_OUTCOME_ACCEPTED
            self._advance(changes.created(row.bare, row.hashed, imported=True))
        else:
            row.receipt.outcome = rpc.IMPORT_OUTCOME_REVISED
            self._advance(Change(known, row.bare, State(known.state), "revised", row.hashed, fields, imported=True))

    def _publish(self, draft: ListingRow, receipt: rpc.ImportReceipt) -> None:
        change = changes.taken(draft, "publish", "published")
        if self._is_public_here(identity(draft), change.content):
            _refuse(receipt, [_TWICE])
            return
        self._advance(change)
        if receipt.outcome == rpc.IMPORT_OUTCOME_UNCHANGED:
            receipt.outcome = rpc.IMPORT_OUTCOME_PUBLISHED

    def _advance(self, change: Change) -> None:
        after = changes.advance(self._tx, change)
        self._known[identity(after)] = self._taken[identity(after)] = after
        if after.state == State.PUBLISHED and change.content.HasField("supply_demand_list"):
            self._lists[identity(after)] = change.content.supply_demand_list.round

    def _is_public_here(self, key: str, content: pb.Listing) -> bool:
        """Whether its list is made public in this chunk already, by a listing of another identity."""
        return any(other != key and content.supply_demand_list.round == one for other, one in self._lists.items())

    def _standing_problems(self, bare: pb.Listing, known: ListingRow | None) -> list[Violation]:
        found = []
        if foreign := sorted(self._foreign.intersection(bare.bodies)):
            found.append(Violation("bodies", "membership", *not_a_member(foreign)))
        elif closed := sorted(self._closed.intersection(bare.bodies).difference(_named(known))):
            found.append(Violation("bodies", "closed", *is_closed(closed)))
        last = parsed_date(bare.valid_to)
        if last and is_over(last, self._today):
            found.append(Violation("valid_to", "over", "有效期已过；请修改截止日期", "its last day is past; change valid_to"))
        return found


def key_form(key: str) -> list[Violation]:
    """What is wrong with an external key as such: people would take it for another's, and no file could name it."""
    if not _is_no_key(key):
        return []
    zh = "外部编号首尾有空白，或含看不见的字符，会被当成另一行的编号；请删去这些字符"
    en = "the external key begins or ends with blanks, or holds characters that can't be seen; take them out"
    return [Violation("external_key", "form", zh, en)]


def _key_problems(given: pb.Listing, known: ListingRow | None) -> list[Violation]:
    if found := key_form(given.external_key):
        return found
    if known is not None and given.name not in ("", known.name):
        zh = f"外部编号是 {known.name} 的，编号却是另一条的；请核对，删去其一"
        en = f"the external key is that of {known.name}, the id is another's; check them, and take one out"
        return [Violation("name", "contradiction", zh, en)]
    if given.external_key or known is not None:
        return []
    if given.name:
        zh = f"本单位没有编号为 {given.name} 且无外部编号的信息；请核对编号，或填写外部编号"
        en = f"this issuer has no listing {given.name} without an external key; check the id, or give the row a key"
        return [Violation("name", "found", zh, en)]
    return [
        Violation(
            "external_key",
            "required",
            "导入行须有外部编号，它与发布单位、来源共同标识一行；请填写",
            "a row needs an external key: with issuer and source it says which row it is; give it one",
        )
    ]


def _other_kind_problems(bare: pb.Listing, known: ListingRow | None) -> list[Violation]:
    """A listing keeps its kind: the row means another one."""
    if known is None or known.kind == bare.kind:
        return []
    was = pb.ListingKind.Name(known.kind)  # type: ignore[arg-type]
    zh = f"该编号已是 {was} 的 {known.name}；请改用其他编号，或另写来源"
    return [Violation("external_key", "immutable", zh, f"the key is that of {known.name}, a {was}; use another key or source")]


def _is_published(known: ListingRow | None) -> TypeGuard[ListingRow]:
    return known is not None and known.state == State.PUBLISHED


def _named(known: ListingRow | None) -> Sequence[str]:
    """Bodies in whose rounds the listing counts already."""
    return known.bodies if _is_published(known) else ()


def _foreign_problems(given: pb.Listing, bare: pb.Listing) -> Iterator[Violation]:
    """A row that names another issuer, source or kind belongs to another import: an export of many, say."""
    for field in ("issuer", "source", "kind"):
        value, ours = getattr(given, field), getattr(bare, field)
        if value and value != ours:
            name = pb.ListingKind.Name(ours) if field == "kind" else ours
            zh, en = _APART.get(field, ("请删去此行，或另行导入", "import the row apart"))
            yield Violation(field, "header", f"此次导入的是 {name}；{zh}", f"this import is of {name}; {en}")


def _over_problems(known: ListingRow | None) -> list[Violation]:
    """A listing that has ended stays so, and keeps its key: a row that changes it asks for what no import can do."""
    if known is None or may(State(known.state), "revise"):
        return []
    state_zh, state_en = STATE_NAMES[State(known.state)]
    if known.external_key:
        field, zh, en = "external_key", "为此行换一个新的外部编号", "give the row a new external key"
    else:
        field, zh, en = "name", "删去此行的编号并填写外部编号", "take out the row's id and give it an external key"
    return [
        Violation(
            field,
            "state",
            f"此行对应的 {known.name} {state_zh}，不能再修订或发布；如要重新发布，请{zh}后再导入，否则请删去此行",
            f"the row is that of {known.name}, which is {state_en} and can't be revised or published again; "
            f"to publish it anew, {en} and import it again, else leave the row out",
        )
    ]


def _receipt(row: rpc.ImportRow) -> rpc.ImportReceipt:
    """The receipt of a row; refused already where no database could hold the row."""
    receipt = rpc.ImportReceipt(row=row.row, external_key=row.listing.external_key)
    if found := wellformed.problems(row.listing):
        _refuse(receipt, found)
    return receipt


def _refuse(receipt: rpc.ImportReceipt, found: Iterable[Violation]) -> None:
    receipt.outcome = rpc.IMPORT_OUTCOME_REFUSED
    receipt.problems.extend(_problem(one) for one in found)


def _problem(one: Violation) -> rpc.ImportProblem:
    found = rpc.ImportProblem(field=one.field, rule=one.rule)
    found.message.zh, found.message.en = one.zh, one.en
    return found
