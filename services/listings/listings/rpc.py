"""The RPCs of listings and rounds: thin; rules are in `domain`, rows and events in `changes` and `store`."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import date

from sqlalchemy import ColumnElement, FromClause, Integer, case, literal

from access.authority import Authority
from access.register import BodyRow, ProjectedRegister
from access.visibility import Viewer, may_see, sees
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.listings.v1 import round_pb2
from alliance.registry.v1 import body_pb2
from chassis import etag, paging
from chassis.changing import masked, require_reason
from chassis.clock import business_date, parsed_date
from chassis.database import Tx
from chassis.errors import AlreadyExists, Invalid, NotFound, Precondition, Violation, refuse
from chassis.rpc import Call
from codes import NoCodeError, regions
from listings import changes, importing, references, store, vanished
from listings.bookings import changes as bookings_changes
from listings.bookings import rpc as bookings
from listings.changes import Change
from listings.checks import settled
from listings.domain.bases import TARGET, Base, counted
from listings.domain.names import Kind, State
from listings.domain.rounds import Span, council, council_problem
from listings.domain.window import is_over
from listings.feeds import rpc as feeds
from listings.mapping import (
    WRITABLE,
    base_of,
    content_hash,
    identity_problems,
    message_of,
    revised_fields,
    shown,
    target_message,
    written,
)
from listings.people import named_in
from listings.rounds import changes as rounds
from listings.rounds import store as rounds_store
from listings.rounds.mapping import entry_message, round_message, silence_message
from listings.rounds.store import RoundRow, Shown, SilenceRow, WantedEntries
from listings.standing import Standing
from listings.store import ListingRow, Wanted, listing
from listings.vanished import Seen

_NOBODY = pb.VISIBILITY_UNSPECIFIED  # a version that is no more is shown to nobody but those who run it
_COUNCIL = Violation(
    "council_opens_on",
    "R54",
    "请填写首次理事会的开始和结束日期（如 2026-01-31），结束不早于开始",
    "give the first and last day of the first council (like 2026-01-31), in this order",
)
_NO_LIST = (
    "不是行业人才供需清单或技术供需清单（R43）；请用清单的编号",
    "it is no list of talent or technology, supply and demand (R43); name one that is",
)


class Listings:
    """`alliance.listings.v1.ListingsService`."""

    def __init__(self, authority: Authority, standing: Standing) -> None:
        self._authority = authority
        self._standing = standing
        self._register = ProjectedRegister()

    async def CreateListing(self, call: Call, request: rpc.CreateListingRequest) -> pb.Listing:
        """See the contract."""
        bare = written(request.listing)
        refuse([*importing.key_form(bare.external_key), *settled(bare)])
        await self._standing.require_organization(call.tx, bare.issuer)
        refuse(await references.broken(call.tx, self._standing, bare, bare.issuer, bare.kind))
        if bare.external_key:
            await _refuse_known(call.tx, bare)
        (row,) = await changes.save(call.tx, [changes.created(bare, content_hash(bare))])
        return message_of(row)

    async def GetListing(self, call: Call, request: rpc.GetListingRequest) -> pb.Listing:
        """See the contract."""
        row, viewer = await self._seen(call, request.name)
        return shown(message_of(row), viewer)

    async def GetListingVersion(self, call: Call, request: rpc.GetListingVersionRequest) -> pb.Listing:
        """See the contract."""
        found = await store.at_version(call.tx, request.name, request.version)
        for ask_owner in (False, True):
            viewer = await self._authority.viewer(call, ask_owner=ask_owner)
            if found and may_see(viewer, issuer=found.issuer, bodies=found.bodies, visibility=_NOBODY, state=found.state):
                return shown(found, viewer)
        raise NotFound(f"{request.name}@{request.version}")

    async def BatchGetListings(self, call: Call, request: rpc.BatchGetListingsRequest) -> rpc.BatchGetListingsResponse:
        """See the contract."""
        if len(request.names) > paging.MAX_PAGE:
            refuse([Violation("names", "AIP-231", "一次最多 1000 个；请分批", "at most 1000 at once; ask in parts")])
        viewer = await self._authority.viewer(call)
        found = await store.get_all(call.tx, request.names, _sees(viewer))
        listings = [shown(message_of(found[name]), viewer) for name in request.names if name in found]
        if paging.fitting(listings) < len(listings):
            refuse([Violation("names", "size", "内容超过一次应答的上限；请分批", "more than one answer holds; ask in parts")])
        return rpc.BatchGetListingsResponse(listings=listings)

    async def ListListings(self, call: Call, request: rpc.ListListingsRequest) -> rpc.ListListingsResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request)
        wanted = Wanted(
            kinds=request.kinds,
            states=request.states or [State.PUBLISHED],
            issuer=request.issuer,
            body=request.body,
            area=_area_of(request.region_code),
            source=request.source,
            external_key=request.external_key,
        )
        viewer = await self._authority.viewer(call)
        rows = await store.page(call.tx, wanted, _sees(viewer), before[0] if before else None, size + 1)
        found = [shown(message_of(row), viewer) for row in rows[:size]]
        fits = paging.fitting(found)
        answer = rpc.ListListingsResponse(listings=found[:fits])
        if len(rows) > fits:
            answer.next_page_token = paging.encode(request, [rows[fits - 1].name])
        return answer

    async def UpdateListing(self, call: Call, request: rpc.UpdateListingRequest) -> pb.Listing:
        """See the contract."""
        row = await _locked(call.tx, request.listing.name, request.listing.etag)
        state = changes.after(row, "revise")
        before = written(message_of(row))
        bare = masked(before, written(request.listing), request.update_mask, WRITABLE)
        refuse([*identity_problems(before, bare), *settled(bare)])
        refuse(await named_in(call.tx, row, bare, reason=call.tx.cause.reason))
        if state is State.PUBLISHED:
            await self._require_publishable(call, bare, before.bodies)
        refuse(await references.broken(call.tx, self._standing, bare, bare.issuer, bare.kind, row))
        fields = revised_fields(row, bare, business_date(call.tx.now))
        if not fields:
            return message_of(row)
        (saved,) = await changes.save(call.tx, [Change(row, bare, state, "revised", content_hash(bare), fields)])
        await bookings_changes.rejudge(call.tx, self._standing, [saved])
        return message_of(saved)

    async def PublishListing(self, call: Call, request: rpc.PublishListingRequest) -> pb.Listing:
        """See the contract."""
        row = await _locked(call.tx, request.name, request.etag)
        change = changes.taken(row, "publish", "published")
        await self._require_publishable(call, change.content)
        # What a draft refers to may have ended since it was entered.
        refuse(await references.broken(call.tx, self._standing, change.content, row.issuer, row.kind, row))
        (saved,) = await changes.save(call.tx, [change])
        return message_of(saved)

    async def WithdrawListing(self, call: Call, request: rpc.WithdrawListingRequest) -> pb.Listing:
        """See the contract."""
        return await self._end(call, request.name, request.etag, request.reason, "withdraw", "withdrawn")

    async def FulfilListing(self, call: Call, request: rpc.FulfilListingRequest) -> pb.Listing:
        """See the contract."""
        return await self._end(call, request.name, request.etag, request.reason, "fulfil", "fulfilled")

    async def ImportListings(
        self, call: Call, requests: AsyncIterator[rpc.ImportListingsRequest]
    ) -> AsyncIterator[rpc.ImportListingsResponse]:
        """See the contract."""
        header = (await anext(requests)).header
        importing.check_header(header)
        if header.withdraw_vanished:
            await self._authority.authorise(call, vanished.PERMISSION, [header.issuer])
        async with call.database.transaction(call.cause, read_only=True) as tx:
            await self._standing.require_organization(tx, header.issuer)
        seen = Seen()
        async for request in requests:
            if request.HasField("end"):
                async for receipts in vanished.withdraw(call, header, seen, self._authority):
                    yield rpc.ImportListingsResponse(receipts=receipts)
                return
            call.accepting()
            receipts = await importing.take(call, header, request.chunk, self._standing, self._authority)
            yield rpc.ImportListingsResponse(receipts=receipts)
            if header.withdraw_vanished:
                seen.add(importing.sought(row.listing) for row in request.chunk.rows)
                seen.add(request.chunk.unread_keys)

    async def OpenFirstRound(self, call: Call, request: rpc.OpenFirstRoundRequest) -> round_pb2.Round:
        """See the contract."""
        alliance = await self._standing.formed_alliance(call.tx, request.body)
        row = await rounds.open_first(call.tx, request.body, _council(call.tx, alliance, request))
        return await self._round(call.tx, row.name)

    async def MoveFirstRound(self, call: Call, request: rpc.MoveFirstRoundRequest) -> round_pb2.Round:
        """See the contract."""
        require_reason(request.reason)
        row = await rounds_store.get_locked(call.tx, request.name)
        if row is None:
            raise NotFound(request.name)
        etag.check(request.etag, row.version, request.name)
        rounds.require_movable(row, business_date(call.tx.now))
        alliance = await self._standing.known_body(call.tx, row.body)  # also while it is suspended
        await rounds.move_first(call.tx, row, _council(call.tx, alliance, request))
        return await self._round(call.tx, row.name)

    async def CompileRound(self, call: Call, request: rpc.CompileRoundRequest) -> round_pb2.Round:
        """See the contract."""
        require_reason(request.reason)
        row = await rounds_store.get_locked(call.tx, request.name)
        if row is None:
            raise NotFound(request.name)
        etag.check(request.etag, row.version, request.name)
        await rounds.compile_now(call.tx, row)
        return await self._round(call.tx, row.name)

    async def GetRound(self, call: Call, request: rpc.GetRoundRequest) -> round_pb2.Round:
        """See the contract."""
        await self._require_reader(call, request.name)
        return await self._round(call.tx, request.name)

    async def ListRounds(self, call: Call, request: rpc.ListRoundsRequest) -> rpc.ListRoundsResponse:
        """See the contract."""
        await self._require_reader(call, request.body)
        size, before = paging.page_size(request.page_size), paging.decode(request)
        rows = await rounds_store.page(call.tx, request.body, before[0] if before else None, size + 1)
        counted = await rounds_store.counts(call.tx, [row.name for row in rows])
        answer = rpc.ListRoundsResponse(rounds=[round_message(row, counted[row.name]) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def ListRoundEntries(self, call: Call, request: rpc.ListRoundEntriesRequest) -> rpc.ListRoundEntriesResponse:
        """See the contract."""
        await self._require_reader(call, request.round)
        wanted = WantedEntries(await _closed(call.tx, request.round), request.changes)
        found, token = await _entries(call.tx, request, wanted, await self._authority.viewer(call))
        return rpc.ListRoundEntriesResponse(entries=found, next_page_token=token)

    async def ListSupplyDemandEntries(
        self, call: Call, request: rpc.ListSupplyDemandEntriesRequest
    ) -> rpc.ListSupplyDemandEntriesResponse:
        """See the contract."""
        row, viewer = await self._seen(call, request.listing)
        if row.kind not in references.LISTS:
            raise Invalid([Violation("listing", "R43", *_NO_LIST)])
        round_name = message_of(row).supply_demand_list.round
        wanted = WantedEntries(await _closed(call.tx, round_name), request.changes, request.kinds)
        found, token = await _entries(call.tx, request, wanted, viewer)
        return rpc.ListSupplyDemandEntriesResponse(entries=found, next_page_token=token)

    async def GetPracticeBaseTargets(self, call: Call, request: rpc.GetPracticeBaseTargetsRequest) -> rpc.PracticeBaseTargets:
        """See the contract."""
        schools, enterprises = counted(await self._practice_bases(call.tx, request.body), business_date(call.tx.now))
        body = (await self._register.bodies(call.tx, [request.body])).get(request.body)
        least, most = TARGET if body is None or body.kind == body_pb2.BODY_KIND_ALLIANCE else (0, 0)
        return rpc.PracticeBaseTargets(
            body=request.body,
            schools=target_message(schools),
            enterprises=target_message(enterprises),
            target_min=least,
            target_max=most,
        )

    async def ListSilentMembers(self, call: Call, request: rpc.ListSilentMembersRequest) -> rpc.ListSilentMembersResponse:
        """See the contract."""
        row = await rounds_store.get(call.tx, request.round)
        if row is None:
            raise NotFound(request.round)
        size, after = paging.page_size(request.page_size), paging.decode(request)
        silent: Sequence[SilenceRow]
        if row.state == round_pb2.ROUND_STATE_CLOSED:
            silent = await rounds_store.silences(call.tx, row.name)
        else:
            silent = await rounds.silences(call.tx, row, business_date(call.tx.now))
            for one in silent:
                one.name = ""
        rows = [one for one in silent if not after or one.organization > after[0]]
        answer = rpc.ListSilentMembersResponse(silences=[silence_message(one, row) for one in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].organization])
        return answer

    async def _seen(self, call: Call, name: str) -> tuple[ListingRow, Viewer]:
        """A listing and whose eyes see it. Raises `NotFound`."""
        row = await store.get(call.tx, name)
        if row is None:
            raise NotFound(name)
        viewer = await self._authority.viewer(call)
        if not _visible(viewer, row):  # what the projection would hide is asked of registry before it is denied
            viewer = await self._authority.viewer(call, ask_owner=True)
            if not _visible(viewer, row):
                raise NotFound(name)
        return row, viewer

    async def _practice_bases(self, tx: Tx, body: str) -> list[Base]:
        bases = [message_of(row) for row in await store.published(tx, body, Kind.PRACTICE_BASE)]
        concerned = {name for base in bases for name in (base.issuer, *base.practice_base.sharing)}
        known = await self._register.organizations(tx, sorted(concerned))
        return [base_of(base, known) for base in bases]

    async def _require_reader(self, call: Call, resource: str) -> None:
        """Raises `Denied` unless the caller is of a member of the body, or may read the body or round all the same."""
        row = await rounds_store.get(call.tx, resource)
        viewer = await self._authority.viewer(call, ask_owner=True)
        if (row.body if row else resource) not in viewer.member_bodies:
            await self._authority.authorise(call, "listings.rounds.get", [resource])

    async def _round(self, tx: Tx, name: str) -> round_pb2.Round:
        row = await rounds_store.get(tx, name)
        if row is None:
            raise NotFound(name)
        return round_message(row, (await rounds_store.counts(tx, [name]))[name])

    async def _require_publishable(self, call: Call, bare: pb.Listing, named: Collection[str] = ()) -> None:
        """Its last day is not past, its issuer is a member of every body it names, today, and those that were not named
        before are open.
        """
        today = business_date(call.tx.now)
        if (last := parsed_date(bare.valid_to)) and is_over(last, today):
            raise Precondition(
                "VALIDITY_OVER",
                f"有效期已于 {bare.valid_to} 结束；请先修改 valid_to",
                f"it was valid until {bare.valid_to}; change valid_to first",
            )
        await self._standing.require_member(call.tx, bare.issuer, bare.bodies, today)
        await self._standing.require_open(call.tx, set(bare.bodies).difference(named))

    async def _end(self, call: Call, name: str, expected: str, reason: str, verb: str, past: str) -> pb.Listing:
        require_reason(reason)
        row = await _locked(call.tx, name, expected)
        refuse(await named_in(call.tx, row, reason=reason))
        (saved,) = await changes.save(call.tx, [changes.taken(row, verb, past)])
        return message_of(saved)


def _council(tx: Tx, alliance: BodyRow, request: rpc.OpenFirstRoundRequest | rpc.MoveFirstRoundRequest) -> Span:
    """The days of an alliance's first council, as a request names them. Raises `Invalid`."""
    opens_on, closes_on = parsed_date(request.council_opens_on), parsed_date(request.council_closes_on)
    if opens_on is None or closes_on is None or closes_on < opens_on:
        raise Invalid([_COUNCIL])
    span = council(opens_on, closes_on)
    if wrong := council_problem(span, date.fromisoformat(alliance.formed_on), business_date(tx.now)):
        raise Invalid([Violation(f"council_{wrong.field}", "R54", wrong.zh, wrong.en)])
    return span


async def scopes_of(tx: Tx, resource: str) -> frozenset[str]:
    """Whose grants give authority over a listing or feed, a round, a booking: its issuer's, its body's, both sides'."""
    if resource.startswith("feeds/"):
        return await feeds.scopes_of(tx, resource)
    if resource.startswith("bookings/"):
        return await bookings.scopes_of(tx, resource)
    if resource.startswith("rounds/"):
        round_ = await rounds_store.get(tx, resource)
        return frozenset({round_.body}) if round_ else frozenset()
    row = await store.get(tx, resource)
    return frozenset({row.issuer}) if row else frozenset()


def _visible(viewer: Viewer, row: ListingRow) -> bool:
    return may_see(viewer, issuer=row.issuer, bodies=row.bodies, visibility=row.visibility, state=row.state)


def _area_of(text: str) -> str:
    """The code of an area written as code, name or both; "" for none. Raises `Invalid` with the nearest ones."""
    try:
        return regions.read(text) if text else ""
    except NoCodeError as error:
        raise Invalid([Violation("region_code", "GB/T 2260", error.zh, error.en)]) from error


def _sees(viewer: Viewer) -> ColumnElement[bool]:
    c = listing.c
    return sees(viewer, issuer=c.issuer, bodies=c.bodies, visibility=c.visibility, state=c.state)


def saw(viewer: Viewer) -> Shown:
    """Who saw a listing in its round: it may be for others by now. What ran out or was fulfilled is shown as it was published;
    what its issuer had taken back when the round closed is not.
    """

    def shown(held: FromClause) -> ColumnElement[bool]:
        c = held.c
        state = case((c.state == State.WITHDRAWN, c.state), else_=literal(State.PUBLISHED, Integer))
        return sees(viewer, issuer=c.issuer, bodies=c.bodies, visibility=c.visibility, state=state)

    return shown


async def _entries(
    tx: Tx, request: rpc.ListRoundEntriesRequest | rpc.ListSupplyDemandEntriesRequest, wanted: WantedEntries, viewer: Viewer
) -> tuple[list[round_pb2.RoundEntry], str]:
    """A page of what a viewer sees of a closed round, and the token of the next one."""
    size, after = paging.page_size(request.page_size), paging.decode(request)
    rows = await rounds_store.entries(tx, wanted, saw(viewer), after[0] if after else "", size + 1)
    found = [entry_message(one) for one in rows[:size]]
    fits = paging.fitting(found)
    return found[:fits], paging.encode(request, [rows[fits - 1].listing]) if len(rows) > fits else ""


async def _closed(tx: Tx, name: str) -> RoundRow:
    row = await rounds_store.get(tx, name)
    if row is None:
        raise NotFound(name)
    if row.state != round_pb2.ROUND_STATE_CLOSED:
        raise Precondition(
            "ROUND_OPEN",
            f"{row.period} 尚未截止（至 {row.closes_on}），内容未定；请于截止或编制后再查",
            f"{row.period} is open until {row.closes_on}, so what it holds is not final; ask again once it is closed",
            {"round": row.name},
        )
    return row


async def _locked(tx: Tx, name: str, expected: str) -> ListingRow:
    row = await store.get(tx, name, lock=True)
    if row is None:
        raise NotFound(name)
    etag.check(expected, row.version, name)
    return row


async def _refuse_known(tx: Tx, bare: pb.Listing) -> None:
    await store.lock_identities(tx, bare.issuer, bare.source)
    known = await store.identified(tx, bare.issuer, bare.source, [bare.external_key])
    if known:
        name = known[0].name
        raise AlreadyExists(
            "EXTERNAL_KEY_TAKEN",
            f"外部编号 {bare.external_key} 已对应 {name}；请改为修订该信息",
            f"external key {bare.external_key} is {name} already; revise that one",
            {"listing": name},
        )
