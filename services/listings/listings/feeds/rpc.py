"""The RPCs of feeds: thin; exchanges go on by themselves (`exchanging`)."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from alliance.listings.v1 import feed_pb2 as pb
from alliance.listings.v1 import feed_service_pb2 as rpc
from chassis import etag, paging
from chassis.changing import masked, require_reason
from chassis.crypto import secret
from chassis.database import Tx
from chassis.errors import AlreadyExists, NotFound, Precondition, refuse
from chassis.ids import resource
from chassis.rpc import Call
from chassis.targets import Network
from listings.domain.feeds import MAX_ACTIVE, OVERLAP_HOURS, Lap
from listings.feeds import settling, store
from listings.feeds.giving import START
from listings.feeds.mapping import IDENTITY, WRITABLE, filled, message_of, problems, refusal_message
from listings.feeds.mappings import Mappings
from listings.feeds.store import FeedRow
from listings.standing import Standing


class Feeds:
    """`alliance.listings.v1.FeedsService`."""

    def __init__(
        self, standing: Standing, mappings: Mappings, *, allow_private: bool, networks: Sequence[Network] = ()
    ) -> None:
        """Addresses in private networks are refused, unless all are allowed or theirs is one of `networks`."""
        self._standing = standing
        self._mappings = mappings
        self._allow_private, self._networks = allow_private, networks

    async def CreateFeed(self, call: Call, request: rpc.CreateFeedRequest) -> pb.Feed:
        """See the contract."""
        given = filled(request.feed, self._mappings)
        self._refuse_wrong(given)
        await self._standing.require_organization(call.tx, given.issuer)
        await self._standing.require_body(call.tx, given.body)
        await _refuse_too_many(call.tx, given.issuer)
        if given.direction == pb.FEED_DIRECTION_IN:
            await _refuse_fed(call.tx, given)
        row = _row(call.tx, given)
        await store.add(call.tx, row, _new_secret())
        settling.emit(call.tx, row, "created")
        return await self.reread(call, row.name)

    async def reread(self, call: Call, name: str) -> pb.Feed:
        """The answer to CreateFeed and RotateFeedSecret with the secret, also when it is asked for again."""
        (message,) = await _messages(call.tx, [await _found(call.tx, name)])
        message.secret = next(iter(await store.secrets_of(call.tx, name)), "")
        return message

    async def GetFeed(self, call: Call, request: rpc.GetFeedRequest) -> pb.Feed:
        """See the contract."""
        return (await _messages(call.tx, [await _found(call.tx, request.name)]))[0]

    async def ListFeeds(self, call: Call, request: rpc.ListFeedsRequest) -> rpc.ListFeedsResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request)
        position, removed = before[0] if before else None, request.show_removed
        rows = await store.page(call.tx, request.issuer, position, size + 1, removed=removed)
        answer = rpc.ListFeedsResponse(feeds=await _messages(call.tx, rows[:size]))
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def UpdateFeed(self, call: Call, request: rpc.UpdateFeedRequest) -> pb.Feed:
        """See the contract."""
        row = await _locked(call.tx, request.feed.name, request.feed.etag)
        before = message_of(row)
        given = filled(masked(before, request.feed, request.update_mask, WRITABLE), self._mappings)
        self._refuse_wrong(given)
        if all(getattr(given, field) == getattr(before, field) for field in WRITABLE):
            return (await _messages(call.tx, [row]))[0]
        if given.body != before.body:
            await self._standing.require_body(call.tx, given.body)
        for field in WRITABLE:
            setattr(row, field, getattr(given, field))
        return await self._changed(call, row)

    async def PauseFeed(self, call: Call, request: rpc.PauseFeedRequest) -> pb.Feed:
        """See the contract."""
        require_reason(request.reason)
        row = await _locked(call.tx, request.name)
        if row.state == pb.FEED_STATE_PAUSED:
            return (await _messages(call.tx, [row]))[0]
        row.state, row.silent = pb.FEED_STATE_PAUSED, False
        return await self._changed(call, row)

    async def ResumeFeed(self, call: Call, request: rpc.ResumeFeedRequest) -> pb.Feed:
        """See the contract."""
        row = await _locked(call.tx, request.name)
        if row.state == pb.FEED_STATE_ACTIVE:
            return (await _messages(call.tx, [row]))[0]
        await _refuse_too_many(call.tx, row.issuer)
        row.state, row.failures, row.quiet_from = pb.FEED_STATE_ACTIVE, 0, call.tx.now
        return await self._changed(call, row)

    async def RemoveFeed(self, call: Call, request: rpc.RemoveFeedRequest) -> pb.Feed:
        """See the contract."""
        require_reason(request.reason)
        row = await _locked(call.tx, request.name)
        row.state, row.silent, row.claim = pb.FEED_STATE_REMOVED, False, None
        row.cursor, row.lap_mark = "", ""  # the other end's words: nobody goes on there any more
        await store.forget_secret(call.tx, row.name)
        await settling.changed(call.tx, row, "removed")
        return (await _messages(call.tx, [row]))[0]

    async def RunFeed(self, call: Call, request: rpc.RunFeedRequest) -> pb.Feed:
        """See the contract."""
        row = await _locked(call.tx, request.name)
        if row.state != pb.FEED_STATE_ACTIVE:
            raise Precondition(
                "FEED_PAUSED", "接口已暂停；请先恢复", "the feed is paused; resume it first", {"feed": row.name}
            )
        if request.from_start:
            await _start_over(call.tx, row)
        return await self._changed(call, row)

    async def RotateFeedSecret(self, call: Call, request: rpc.RotateFeedSecretRequest) -> pb.Feed:
        """See the contract."""
        require_reason(request.reason)
        row = await _locked(call.tx, request.name)
        until = None if request.at_once else call.tx.recorded_at + timedelta(hours=OVERLAP_HOURS)
        await store.rotate(call.tx, row.name, _new_secret(), until)
        await self._changed(call, row)
        return await self.reread(call, row.name)

    async def ListFeedRefusals(self, call: Call, request: rpc.ListFeedRefusalsRequest) -> rpc.ListFeedRefusalsResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request, UUID)
        rows = await store.refusals(call.tx, request.feed, before[0] if before else None, size + 1)
        answer = rpc.ListFeedRefusalsResponse(refusals=[refusal_message(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [str(rows[size - 1].id)])
        return answer

    def _refuse_wrong(self, given: pb.Feed) -> None:
        refuse(problems(given, self._mappings, allow_private=self._allow_private, networks=self._networks))

    async def _changed(self, call: Call, row: FeedRow) -> pb.Feed:
        """Write a feed that was changed: an exchange that is under way counts for nothing, and the next is due now."""
        row.claim, row.next_run_at = None, call.tx.recorded_at
        await settling.changed(call.tx, row, "updated")
        return (await _messages(call.tx, [row]))[0]


async def scopes_of(tx: Tx, resource: str) -> frozenset[str]:
    """Whose grants give authority over a feed: its organization's."""
    row = await store.get(tx, resource)
    return frozenset({row.issuer}) if row else frozenset()


async def _start_over(tx: Tx, row: FeedRow) -> None:
    if row.direction == pb.FEED_DIRECTION_IN:
        row.cursor, (row.lap_pages, row.lap_mark) = "", Lap()
        await store.take_again(tx, row.name)
    else:
        row.cursor = START
        await store.send_again(tx, row.name)


def _row(tx: Tx, given: pb.Feed) -> FeedRow:
    return FeedRow(
        name=resource("feeds"),
        version=1,
        **{field: getattr(given, field) for field in (*WRITABLE, *IDENTITY)},
        state=pb.FEED_STATE_ACTIVE,
        cursor="" if given.direction == pb.FEED_DIRECTION_IN else START,
        last_heard_at=None,
        last_record_at=None,
        quiet_from=tx.now,
        silent=False,
        failures=0,
        error_zh="",
        error_en="",
        next_run_at=tx.recorded_at,
        claim=None,
        create_time=tx.now,
        update_time=tx.now,
    )


async def _messages(tx: Tx, rows: Sequence[FeedRow]) -> list[pb.Feed]:
    refused = await store.refused(tx, [row.name for row in rows])
    return [message_of(row, refused.get(row.name, 0)) for row in rows]


async def _found(tx: Tx, name: str) -> FeedRow:
    row = await store.get(tx, name)
    if row is None:
        raise NotFound(name)
    return row


async def _locked(tx: Tx, name: str, expected: str = "") -> FeedRow:
    row = await store.get(tx, name, lock=True)
    if row is None:
        raise NotFound(name)
    etag.check(expected, row.version, name)
    if row.state == pb.FEED_STATE_REMOVED:
        raise Precondition(
            "FEED_REMOVED",
            "接口已删除，不能再变动；如需继续，请新建",
            "the feed is removed and stays as it was; make a new one to go on",
            {"feed": name},
        )
    return row


async def _refuse_too_many(tx: Tx, issuer: str) -> None:
    if await store.count_active(tx, issuer) >= MAX_ACTIVE:
        raise Precondition(
            "TOO_MANY_FEEDS",
            f"一个单位最多同时运行 {MAX_ACTIVE} 个接口；请先暂停不用的",
            f"an organization has at most {MAX_ACTIVE} active feeds; pause one that is not needed",
        )


async def _refuse_fed(tx: Tx, given: pb.Feed) -> None:
    """Two feeds of one source would take each other's records for older ones."""
    if name := await store.fed(tx, given.issuer, given.source):
        raise AlreadyExists(
            "SOURCE_FED",
            f"该单位的来源 {given.source} 已有接口 {name}；请用那一个，或改用其他来源名",
            f"{given.source} of this organization has the feed {name} already; use that one, or another source",
            {"feed": name},
        )


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secret()).decode()}"
