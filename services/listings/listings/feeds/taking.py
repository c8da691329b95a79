"""IN: a page becomes listings by the code that takes imports, in one transaction with the feed's cursor.

A record of a lower version than was taken counts for nothing, so that repeats and reorders do no harm. One that is refused is
kept as a refusal and stops nobody.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis.database import Database, Tx
from chassis.errors import Violation
from chassis.ids import new_id
from chassis.personal import screen
from intake import Mapping, UnmappedError, WrongError
from listings import changes, importing
from listings import store as listings
from listings.domain.feeds import KEYLESS_DAYS, Lap, further
from listings.domain.life import may
from listings.domain.names import State
from listings.feeds import keys, metrics, settling, store
from listings.feeds.mappings import Mappings
from listings.feeds.port import LIMIT, ExchangeError, Flaw, Inbound, Page, Record
from listings.feeds.store import FeedRefusalRow, FeedRow, Held
from listings.standing import Standing

_MAX_TEXT = 300  # characters of a reason
_DELETED = Violation(
    "key",
    "deleted",
    "该编号的记录已删除，编号不能再用；请用新编号",
    "the record of this key was deleted, and its key does not come back; take a new key",
)
_UNNAMED = ("名称含有个人信息，不予列出", "its name holds personal data and is not repeated")
_OUTCOMES = {
    rpc.IMPORT_OUTCOME_ACCEPTED: "accepted",
    rpc.IMPORT_OUTCOME_REVISED: "revised",
    rpc.IMPORT_OUTCOME_UNCHANGED: "unchanged",
    rpc.IMPORT_OUTCOME_PUBLISHED: "published",
    rpc.IMPORT_OUTCOME_REFUSED: "refused",
}


class Taking:
    """Takes pages in."""

    def __init__(self, database: Database, standing: Standing, mappings: Mappings) -> None:
        self._database = database
        self._standing = standing
        self._mappings = mappings

    async def exchange(self, given: FeedRow, peer: Inbound) -> None:
        """One page of a claimed feed. Raises `ExchangeError`, after which nothing is different."""
        try:
            mapping = self._mappings.load(given.mapping)
        except WrongError as error:
            raise ExchangeError(error.zh, error.en) from error
        page = await peer.page(given.cursor, LIMIT)
        if page.more and page.cursor == given.cursor:
            raise ExchangeError("还有后续，但游标未前进", "there is more, but the cursor does not move")
        async with self._database.transaction(settling.cause_of(given)) as tx:
            row = await store.claimed(tx, given)
            if row is None:
                return
            _go_on(row, page)
            is_new = await _Taken(tx, row, mapping, self._standing).take(page)
            row.cursor = page.cursor
            if row.failures and page.more and not is_new:
                await settling.read_again(tx, row)
            else:
                await settling.heard(tx, row, is_new=is_new, more=page.more)


def _go_on(row: FeedRow, page: Page) -> None:
    """Raises `ExchangeError` where the pages that come without a pause come again and again."""
    if not page.more:
        return
    lap = further(Lap(row.lap_pages, row.lap_mark), page.cursor)
    if lap is None:
        raise ExchangeError("还有后续，但游标回到了先前的位置", "there is more, but the cursor comes back to where it was")
    row.lap_pages, row.lap_mark = lap


class _Taken:
    """One page in its transaction."""

    def __init__(self, tx: Tx, row: FeedRow, mapping: Mapping, standing: Standing) -> None:
        self._tx = tx
        self._row = row
        self._mapping = mapping
        self._standing = standing
        self._refused: dict[str, FeedRefusalRow] = {}
        self._taken: dict[str, Held] = {}
        self._outcomes: Counter[str] = Counter()

    async def take(self, page: Page) -> bool:
        """Take all records in; says whether one of them was new."""
        held = await store.held(self._tx, self._row.name, {one.key for one in page.records})
        for flaw in page.flaws:
            self._refuse(flaw, [flaw.problem])
        fresh: list[Record] = []
        ordered = sorted(page.records, key=lambda one: (one.key, one.version))
        for key, records in groupby(ordered, key=lambda one: one.key):
            fresh += self._fresh(list(records), held.get(key, Held()))
        await self._enter([one for one in fresh if one.data is not None])
        await self._withdraw([one for one in fresh if one.data is None])
        await self._write()
        return any(one.version > held.get(key, Held()).version for key, one in self._taken.items())

    def _fresh(self, records: Sequence[Record], held: Held) -> list[Record]:
        """Of the records of one key, in the order of their versions, those that say something new."""
        found: list[Record] = []
        deleted = held.deleted
        for one in records:
            if one.version < held.version or (one.version == held.version and not held.again):
                self._outcomes["stale"] += 1
            elif deleted and one.data is not None:
                self._refuse(one, [_DELETED])
            else:  # also deleted anew: what was refused of it meanwhile is right again
                found.append(one)
                deleted = one.data is None
        return found

    async def _enter(self, records: Sequence[Record]) -> None:
        row = self._row
        rows = [mapped for one in records if (mapped := self._mapped(one))]
        header = rpc.ImportHeader(issuer=row.issuer, source=row.source, kind=row.kind, publish=row.publish)  # type: ignore[arg-type]
        receipts = await importing.Chunk(self._tx, header, self._standing, withdrawn_stay=True).take(rows)
        by_line = {one.line: one for one in records}
        for receipt in receipts:
            record = by_line[receipt.row]
            if receipt.outcome == rpc.IMPORT_OUTCOME_REFUSED:
                self._refuse(record, _violations(receipt.problems))
            else:
                self._outcomes[_OUTCOMES[receipt.outcome]] += 1
                self._took(record)

    def _mapped(self, record: Record) -> rpc.ImportRow | None:
        if keys.problems(record.key):
            self._refuse(record)
            return None
        try:
            listing = self._mapping.listing({**(record.data or {}), self._mapping.key: record.key})
        except UnmappedError as error:
            self._refuse(record, [Violation(error.field, "mapping", error.zh, error.en)])
            return None
        return rpc.ImportRow(row=record.line, listing=listing)

    async def _withdraw(self, records: Sequence[Record]) -> None:
        """Listings whose records are gone, as far as they have not ended yet.

        A key that says who somebody is is refused here, too, unless a listing has it already: that one has to end.
        """
        row = self._row
        known = await listings.identified(self._tx, row.issuer, row.source, [one.key for one in records])
        ending = [one for one in known if may(State(one.state), "withdraw")]
        self._tx.cause = self._tx.cause._replace(reason=f"来源系统已删除 · deleted at its source ({row.name})")
        await changes.save(self._tx, [changes.taken(one, "withdraw", "withdrawn") for one in ending])
        self._tx.cause = settling.cause_of(row)
        taken = {one.external_key for one in known}
        for one in records:
            if one.key in taken or not keys.problems(one.key):
                self._outcomes["withdrawn"] += 1
                self._took(one)
            else:
                self._refuse(one)

    def _took(self, record: Record) -> None:
        if record.version >= self._taken.get(record.key, Held()).version:
            self._taken[record.key] = Held(record.version, record.data is None)

    def _refuse(self, record: Record | Flaw, problems: Iterable[Violation] = ()) -> None:
        """Refuse a record for its key, where that holds personal data and is not kept, and for these problems."""
        telling = keys.problems(record.key)
        name = record.digest if isinstance(record, Flaw) and not record.key else keys.called(record.key)
        self._outcomes["refused"] += 1
        self._refused[name] = FeedRefusalRow(
            feed=self._row.name,
            record=name,
            id=new_id(),
            external_key="" if telling else record.key,
            version=record.version,
            line=record.line,
            problems=[_kept(one)._asdict() for one in (*telling, *problems)],
            create_time=self._tx.now,
        )

    async def _write(self) -> None:
        name = self._row.name
        mended = {keys.called(key): one for key, one in self._taken.items()}
        await store.keep(self._tx, name, self._taken)
        await store.mended(self._tx, name, mended)
        await store.forget_keyless(self._tx, name, self._tx.now - timedelta(days=KEYLESS_DAYS))
        # What came right within the page is refused no more either; a version that could not be read (0) may be the newest.
        left = [one for one in self._refused.values() if not 0 < one.version <= mended.get(one.record, Held()).version]
        await store.refuse(self._tx, left)
        self._tx.on_commit(lambda: metrics.came("in", self._outcomes))


def _violations(problems: Iterable[rpc.ImportProblem]) -> list[Violation]:
    return [Violation(one.field, one.rule, one.message.zh, one.message.en) for one in problems]


def _kept(one: Violation) -> Violation:
    """What is kept of a reason: it may repeat what was given, a value or its name, which is not to be kept where that is
    personal data.
    """
    if screen("", one.field):
        field, zh, en = one.field.partition(".")[0], f"{one.zh}（{_UNNAMED[0]}）", f"{one.en} ({_UNNAMED[1]})"
        one = Violation(field, one.rule, zh, en)
    hidden = screen(one.field, f"{one.zh} {one.en}")
    return hidden[0] if hidden else one._replace(zh=_shown(one.zh), en=_shown(one.en))


def _shown(text: str) -> str:
    """A reason as long as it is shown, and as a database can hold it: a cell may be NUL, which none does."""
    return text[:_MAX_TEXT].replace("\0", "\N{REPLACEMENT CHARACTER}")
