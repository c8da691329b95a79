"""What came of an exchange: when the next one is, and whether the feed is silent. The feed's row is locked.

Silence is judged after an attempt, never between: that the platform was away, or its clock jumped, makes no feed silent.
"""

import random
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message

from alliance.listings.v1 import events_pb2, feed_pb2
from chassis.clock import business_date
from chassis.database import Cause, Tx
from listings.domain.feeds import A_DAY, DAY_ENDS, Lap, delay, is_silent, is_stopped
from listings.feeds import store
from listings.feeds.mapping import message_of
from listings.feeds.port import ExchangeError
from listings.feeds.store import FeedRow

TOPIC = "alliance.internal.listings.feed.v1"
_STAYS_HERE = ("url", "cursor", "secret", "next_run_time")


def cause_of(row: FeedRow) -> Cause:
    """Why something happens in a feed's exchange."""
    return Cause("service:listings", on_behalf_of=row.issuer, reason=row.name)


async def heard(tx: Tx, row: FeedRow, *, is_new: bool, more: bool) -> None:
    """A good answer came; `is_new` where a record was."""
    row.failures, row.error_zh, row.error_en = 0, "", ""
    if not more:
        row.lap_pages, row.lap_mark = Lap()
    row.last_heard_at = tx.now
    if is_new:
        row.last_record_at = tx.now
    if is_new or row.silence != feed_pb2.FEED_SILENCE_RECORD:
        row.quiet_from = tx.now
    await _settle(tx, row, timedelta(seconds=0 if more else row.interval))


async def read_again(tx: Tx, row: FeedRow) -> None:
    """A page with more behind it came to a feed that failed, and all of it was known: it may be one of a circle, so that the
    feed counts as failing until something new comes or the reading is at its end.
    """
    await _settle(tx, row, timedelta())


async def failed(tx: Tx, row: FeedRow, error: ExchangeError) -> None:
    """No good answer came. Of the reading that failed nothing is waited for: the source may mend it at any of its pages."""
    row.failures += 1
    row.lap_pages, row.lap_mark = Lap()
    row.error_zh, row.error_en = error.zh, error.en
    await _settle(tx, row, delay(row.failures, row.interval, random.random()))  # noqa: S311 - spreads load, guards nothing


async def _settle(tx: Tx, row: FeedRow, wait: timedelta) -> None:
    row.claim, row.next_run_at = None, tx.recorded_at + wait
    silent = is_silent(row.quiet_from, row.expected_every, tx.now) or _has_stopped(tx, row)
    if silent is not row.silent:
        row.silent = silent
        await changed(tx, row, "silent" if silent else "heard")
    else:
        await store.save(tx, row)


def _has_stopped(tx: Tx, row: FeedRow) -> bool:
    """Whether, its day ended, a feed fails that was to answer within a day, or to bring records within whatever time: it is
    told of the same day.
    """
    if not row.failures or (row.silence != feed_pb2.FEED_SILENCE_RECORD and row.expected_every > A_DAY):
        return False
    unanswered_from = max(row.quiet_from, row.last_heard_at or row.quiet_from)
    has_ended = business_date(tx.now + DAY_ENDS) > business_date(unanswered_from)
    return has_ended and is_stopped(unanswered_from, row.interval, tx.now)


async def changed(tx: Tx, row: FeedRow, verb: str) -> None:
    """Write a feed in a new version, with its event."""
    row.version += 1
    row.update_time = tx.now
    await store.save(tx, row)
    emit(tx, row, verb)


def emit(tx: Tx, row: FeedRow, verb: str) -> None:
    """The event of a feed: no address, and nothing that the other end gave."""
    event: Any = events_pb2.FeedEvent(feed=message_of(row))
    _bare(event.feed)
    tx.emit(TOPIC, row.name, row.version, verb, event)


def _bare(message: Message) -> None:
    for field in _STAYS_HERE:
        message.ClearField(field)
