"""OUT: the public listings that the other end does not have as they are, batch by batch, and never another.

What the other end may have is written down before it is sent: of what is offered and ends meanwhile it is told all the same.
"""

from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict

from alliance.listings.v1 import listing_pb2
from chassis import paging
from chassis.database import Database
from listings.feeds import metrics, settling, store
from listings.feeds.port import LIMIT, Batch, ExchangeError, Outbound, Record
from listings.feeds.store import Different, FeedRow
from listings.mapping import leave_persons

START = "0"
"""Cursor before the first batch."""


class Giving:
    """Sends what is public."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def exchange(self, given: FeedRow, peer: Outbound) -> None:
        """One batch of a claimed feed, empty where there is nothing. Raises `ExchangeError`."""
        batch = await self._offered(given)
        if batch is None:
            return
        acknowledged = await peer.deliver(batch)
        if acknowledged not in (batch.cursor, START):
            raise ExchangeError("对方确认的游标不是本批的", "the other end acknowledged another cursor than this batch's")
        async with self._database.transaction(settling.cause_of(given)) as tx:
            row = await store.claimed(tx, given)
            if row is None:
                return
            row.cursor = acknowledged
            if acknowledged == START:
                await store.send_again(tx, row.name)
            else:
                versions = {one.key: one.version for one in batch.records if one.data is not None}
                gone = [one.key for one in batch.records if one.data is None]
                await store.sent(tx, row.name, versions, gone)
                tx.on_commit(lambda: metrics.came("out", {"sent": len(versions), "removed": len(gone)}))
            await settling.heard(tx, row, is_new=False, more=batch.more and acknowledged != START)

    async def _offered(self, given: FeedRow) -> Batch | None:
        """The next batch, written down; None where the feed is another's by now."""
        async with self._database.transaction(settling.cause_of(given)) as tx:
            row = await store.claimed(tx, given)
            if row is None:
                return None
            found = await store.different(tx, row, LIMIT + 1)
            listings = [_listing(one) for one in found[:LIMIT]]
            fits = paging.fitting(listings)
            await store.offer(tx, row.name, [one.name for one in found[:fits] if one.content is not None])
        records = [_record(one, listing) for one, listing in zip(found[:fits], listings, strict=False)]
        return Batch(records, row.cursor, _after(row.cursor, tx.recorded_at), len(found) > fits)


def _after(cursor: str, now: datetime) -> str:
    """The next batch's number. A full read goes on above all numbers that were ever given (milliseconds since 1970; batches
    take longer), also before this database was put back: who is put back to one of those is to be known by it.
    """
    return str(int(cursor) + 1 if cursor != START else round(now.timestamp() * 1000))


def _listing(one: Different) -> listing_pb2.Listing:
    """The listing as everybody may see it: without persons, and without what is the platform's own."""
    message = listing_pb2.Listing.FromString(one.content or b"")
    message.ClearField("etag")
    leave_persons(message)
    return message


def _record(one: Different, listing: listing_pb2.Listing) -> Record:
    data: dict[str, Any] | None = None
    if one.content is not None:
        data = MessageToDict(listing, preserving_proto_field_name=True)
    return Record(one.name, one.version, data)
