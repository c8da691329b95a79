"""Import 批量导入: rows in, a receipt per row out; a chunk is one transaction, committed before its receipts are sent.

A row's identity is (issuer, source, external key). The same content again is unchanged, another is a revision; rows of one
chunk are taken in their order, so a key that stands twice is a row and its revision.
"""

from collections.abc import Iterable, Sequence

from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis import wellformed
from chassis.clock import business_date, parsed_date
from chassis.database import Tx
from chassis.errors import Invalid, Violation
from chassis.rpc import Call
from listings import changes, store
from listings.changes import Change
from listings.domain.life import IllegalStepError, step
from listings.domain.names import State
from listings.domain.window import is_over, window
from listings.mapping import changed_fields, content_hash, message_of, problems, written
from listings.standing import Standing, not_a_member
from listings.store import ListingRow

MAX_ROWS = 1000


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
    if not header.kind:
        found.append(Violation("header.kind", "required", "请填写信息类型", "the kind is required"))
    if not header.issuer:
        found.append(
            Violation(
                "header.issuer", "required", "首条消息须为 header，并填写发布单位", "send the header first, with the issuer"
            )
        )
    if found:
        raise Invalid(found)


async def take(
    call: Call, header: rpc.ImportHeader, rows: Sequence[rpc.ImportRow], standing: Standing
) -> list[rpc.ImportReceipt]:
    """Take a chunk in; returns a receipt a row once all is committed."""
    if len(rows) > MAX_ROWS:
        raise Invalid([Violation("chunk.rows", "size", f"每批最多 {MAX_ROWS} 行", f"at most {MAX_ROWS} rows a chunk")])
    try:
        async with call.database.transaction(call.cause) as tx:
            receipts = await _Chunk(tx, header, standing).take(rows)
            if header.dry_run:
                raise _DryRunError(receipts)
    except _DryRunError as dry:
        return dry.receipts
    return receipts


class _Chunk:
    """One chunk in its transaction."""

    def __init__(self, tx: Tx, header: rpc.ImportHeader, standing: Standing) -> None:
        self._tx = tx
        self._header = header
        self._standing = standing
        self._today = business_date(tx.now)
        self._known: dict[str, ListingRow] = {}
        self._foreign: frozenset[str] = frozenset()

    async def take(self, rows: Sequence[rpc.ImportRow]) -> list[rpc.ImportReceipt]:
        header, tx = self._header, self._tx
        await store.lock_identities(tx, header.issuer, header.source)
        receipts: list[rpc.ImportReceipt] = []
        sound: list[rpc.ImportRow] = []
        for row in rows:
            if found := wellformed.problems(row.listing):
                receipts.append(_refused(row, found))
            else:
                sound.append(row)
        keys = {row.listing.external_key for row in sound if row.listing.external_key}
        self._known = await store.identified(tx, header.issuer, header.source, keys)
        bodies = {body for row in sound for body in row.listing.bodies}
        self._foreign = frozenset(await self._standing.foreign_bodies(tx, header.issuer, bodies, self._today))
        for wave in _waves(sound):
            receipts += await self._wave(wave)
        return sorted(receipts, key=lambda receipt: receipt.row)

    async def _wave(self, rows: Iterable[rpc.ImportRow]) -> list[rpc.ImportReceipt]:
        """Rows of different keys: each takes its steps, then all are written at once."""
        receipts: list[rpc.ImportReceipt] = []
        taken: list[ListingRow] = []
        for row in rows:
            receipt = _receipt(row)
            receipts.append(receipt)
            after = self._steps(row.listing, receipt)
            if after is not None:
                self._known[after.external_key] = after
                taken.append(after)
        await changes.write(self._tx, taken)
        return receipts

    def _steps(self, given: pb.Listing, receipt: rpc.ImportReceipt) -> ListingRow | None:
        """Enter or revise a listing, and publish it where the header says so; None where nothing changes."""
        change = self._judge(given, receipt)
        after = changes.advance(self._tx, change) if change else None
        if receipt.outcome == rpc.IMPORT_OUTCOME_REFUSED:
            return None
        current = after or self._known[receipt.external_key]
        if self._header.publish and current.state == State.DRAFT:
            after = changes.advance(self._tx, changes.taken(current, "publish", "published"))
        receipt.listing = current.name
        if self._header.dry_run and receipt.outcome == rpc.IMPORT_OUTCOME_ACCEPTED:
            receipt.listing = ""
        return after

    def _judge(self, given: pb.Listing, receipt: rpc.ImportReceipt) -> Change | None:
        """Fill the receipt; returns the change that the row brings, if any."""
        bare = written(given)
        bare.issuer, bare.source, bare.kind = self._header.issuer, self._header.source, self._header.kind
        found = [*self._key_problems(bare), *problems(bare), *self._standing_problems(bare)]
        known = self._known.get(bare.external_key)
        hashed = content_hash(bare)
        if not found and known is not None:
            if known.content_hash == hashed:
                receipt.outcome = rpc.IMPORT_OUTCOME_UNCHANGED
                return None
            found = _final_problems(known)
        if found:
            _refuse(receipt, found)
            return None
        if known is None:
            receipt.outcome = rpc.IMPORT_OUTCOME_ACCEPTED
            return changes.created(bare, hashed, imported=True)
        receipt.outcome = rpc.IMPORT_OUTCOME_REVISED
        fields = changed_fields(written(message_of(known)), bare)
        return Change(known, bare, State(known.state), "revised", hashed, fields, imported=True)

    def _key_problems(self, bare: pb.Listing) -> list[Violation]:
        if bare.external_key:
            return []
        return [
            Violation(
                "external_key",
                "required",
                "导入行须有外部编号，它与发布单位、来源共同标识一行",
                "a row needs an external key: with issuer and source it says which row it is",
            )
        ]

    def _standing_problems(self, bare: pb.Listing) -> list[Violation]:
        found = []
        if foreign := sorted(self._foreign.intersection(bare.bodies)):
            zh, en = not_a_member(foreign)
            found.append(Violation("bodies", "membership", zh, en))
        last = parsed_date(bare.valid_to)
        if last and is_over(window(None, last, self._today)[1], self._today):
            found.append(Violation("valid_to", "over", "有效期已过；请修改截止日期", "its last day is past; change valid_to"))
        return found


def _waves(rows: Sequence[rpc.ImportRow]) -> list[list[rpc.ImportRow]]:
    """The rows in waves in which every key stands once; the n-th row of a key is in the n-th wave."""
    waves: list[list[rpc.ImportRow]] = []
    seen: dict[str, int] = {}
    for row in rows:
        key = row.listing.external_key
        place = seen.get(key, 0) if key else 0
        if place == len(waves):
            waves.append([])
        waves[place].append(row)
        seen[key] = place + 1
    return waves


def _final_problems(known: ListingRow) -> list[Violation]:
    try:
        step(State(known.state), "revise")
    except IllegalStepError as error:
        return [Violation("external_key", "state", error.zh, error.en)]
    return []


def _receipt(row: rpc.ImportRow) -> rpc.ImportReceipt:
    return rpc.ImportReceipt(row=row.row, external_key=row.listing.external_key)


def _refused(row: rpc.ImportRow, found: Iterable[Violation]) -> rpc.ImportReceipt:
    receipt = _receipt(row)
    _refuse(receipt, found)
    return receipt


def _refuse(receipt: rpc.ImportReceipt, found: Iterable[Violation]) -> None:
    receipt.outcome = rpc.IMPORT_OUTCOME_REFUSED
    receipt.problems.extend(_problem(one) for one in found)


def _problem(one: Violation) -> rpc.ImportProblem:
    found = rpc.ImportProblem(field=one.field, rule=one.rule)
    found.message.zh, found.message.en = one.zh, one.en
    return found
