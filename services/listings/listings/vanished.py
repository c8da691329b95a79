"""Listings whose rows vanished from an issuer's file: withdrawn on request, once the whole file was read.

What was in the file is known to the stream that brought it, and to nobody else. A stream that breaks off withdraws nothing,
and the import done again sees the whole file again; so there is no state that a retry or a crash could leave wrong.
"""

from array import array
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from access.authority import Authority
from alliance.listings.v1 import listings_service_pb2 as rpc
from chassis.errors import refuse
from chassis.rpc import Call
from listings import changes, store
from listings.domain.names import State
from listings.people import named_in
from listings.store import ListingRow

PAGE = 500  # listings looked at in one transaction
PERMISSION = "listings.listings.withdraw"


class Seen:
    """The external keys of a file, 8 bytes each: a hash, so that of two keys that share it one is kept, and none withdrawn."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self.keyless = 0

    def add(self, keys: Iterable[str]) -> None:
        """Rows with these keys are in the file; "" for a row without one, or with one that can't be told."""
        for key in keys:
            if key:
                self._hashes.append(hash(key))
            else:
                self.keyless += 1

    def hashes(self) -> frozenset[int]:
        """The hashes of all keys."""
        return frozenset(self._hashes)


async def withdraw(
    call: Call, header: rpc.ImportHeader, seen: Seen, authority: Authority
) -> AsyncIterator[list[rpc.ImportReceipt]]:
    """Withdraw what the header's issuer, source and kind have standing and no row named; receipts page by page.

    Nothing is withdrawn where the header does not ask for it, where a row had no key (it may be any of them), or where there
    was no row at all: that is a file that could not be read, hardly one that says that all is gone.
    Raises `Denied` where the caller may not withdraw any more, and `Invalid` where the reason names who is behind one of them.
    """
    if not header.withdraw_vanished:
        return
    hashes, after = seen.hashes(), ""
    if seen.keyless or not hashes:
        yield [_unknowable(seen.keyless) if seen.keyless else _empty()]
        return
    cause = call.cause._replace(reason=header.reason)
    while True:
        call.accepting()
        async with call.database.transaction(cause) as tx:
            await authority.authorise(replace(call, transaction=tx), PERMISSION, [header.issuer])
            await store.lock_identities(tx, header.issuer, header.source)
            keys = await store.standing_keys(tx, header.issuer, header.source, header.kind, after, PAGE)
            vanished = [key for key in keys if hash(key) not in hashes]
            locked = await store.identified(tx, header.issuer, header.source, vanished)
            rows = [row for row in locked if row.state in (State.DRAFT, State.PUBLISHED)]
            for row in rows:
                refuse(await named_in(tx, row, reason=header.reason))
            if not header.dry_run:
                await changes.save(tx, [changes.taken(row, "withdraw", "withdrawn") for row in rows])
        if rows:
            yield [_receipt(row) for row in rows]
        if len(keys) < PAGE:
            return
        after = keys[-1]


def _receipt(row: ListingRow) -> rpc.ImportReceipt:
    return rpc.ImportReceipt(external_key=row.external_key, outcome=rpc.IMPORT_OUTCOME_WITHDRAWN, listing=row.name)


def _unknowable(keyless: int) -> rpc.ImportReceipt:
    return _refused(
        "required",
        f"有 {keyless} 行没有外部编号或编号看不清，看不出哪些信息已不在文件中，一条也没有撤回；请补正编号后重新导入",
        f"{keyless} row(s) have no external key that can be told, so nothing was taken for vanished; mend them",
    )


def _empty() -> rpc.ImportReceipt:
    return _refused(
        "rows",
        "文件中没有任何一行，一条也没有撤回；若确已全部失效，请逐条撤回",
        "there was no row at all, so nothing was taken for vanished; where all is over indeed, withdraw each",
    )


def _refused(rule: str, zh: str, en: str) -> rpc.ImportReceipt:
    found = rpc.ImportProblem(field="external_key", rule=rule)
    found.message.zh, found.message.en = zh, en
    return rpc.ImportReceipt(outcome=rpc.IMPORT_OUTCOME_REFUSED, problems=[found])
