"""Lists of supply and demand that a community makes public (R43), on a database of their own: by whom, and who reads what."""

import asyncio
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from access.register import Owner
from access.visibility import Viewer
from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2
from chassis.errors import Invalid, NotFound
from listings import changes, references
from listings.domain.names import RoundKind
from listings.importing import Chunk
from listings.mapping import content_hash
from listings.rounds import store as rounds
from listings.rpc import Listings
from listings.standing import Standing
from listings.store import get as listing_of
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import ENTERPRISE, KEPT, REMOVED, REVISED, Body, noon
from tests.waiting import running, until


class _Eyes:
    """An authority by which every call is of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    async def viewer(self, call: object, *, ask_owner: bool = False) -> Viewer:
        return self._viewer


class _Registry(Owner):
    """Registry, which knows what organizations are in a body, also where the projection has not heard of it yet."""

    def __init__(self, **roles: int) -> None:
        self._roles = roles

    async def roles(self, organization: str, body: str, on: date) -> frozenset[int]:
        return frozenset({self._roles[organization]} if organization in self._roles else ())


async def test_a_published_list_is_read_by_whoever_sees_it_and_of_it_what_each_may_see(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    member = await community.member(ENTERPRISE)
    await community.sweep(noon(2026, 1, 2))
    job, intern = pb.LISTING_KIND_JOB_POSITION, pb.LISTING_KIND_INTERNSHIP
    public = await community.publish(noon(2026, 1, 3), member, job)
    training = await community.publish(noon(2026, 1, 3), member, intern)
    inside = await community.publish(noon(2026, 1, 3), member, job, visibility=pb.VISIBILITY_MEMBERS)
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    details = details_pb2.SupplyDemandList(round=await community.round(RoundKind.TALENT_LIST, "2026"))

    async def published(visibility: int) -> str:
        kind = pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST
        return await community.publish(noon(2026, 2, 2), member, kind, visibility=visibility, supply_demand_list=details)

    for_all, for_members = [await published(one) for one in (pb.VISIBILITY_PUBLIC, pb.VISIBILITY_MEMBERS)]
    await community.take(noon(2026, 2, 3), public, "withdraw", "withdrawn")

    async def read(viewer: Viewer, listing: str, **how: Any) -> list[str]:
        """All of it, page by page."""
        request, found = rpc.ListSupplyDemandEntriesRequest(listing=listing, page_size=1, **how), []
        async with probe.database.transaction(CAUSE, read_only=True) as tx:
            while True:
                call, service = cast(Any, SimpleNamespace(tx=tx)), Listings(cast(Any, _Eyes(viewer)), cast(Any, None))
                answer = await service.ListSupplyDemandEntries(call, request)
                found += [entry.listing.name for entry in answer.entries]
                if not answer.next_page_token:
                    return found
                request.page_token = answer.next_page_token

    anybody, belongs = Viewer(), Viewer(organization="organizations/b", member_bodies=frozenset({community.name}))
    assert await read(anybody, for_all) == [public, training], "what is frozen stays as it was"
    assert await read(belongs, for_all) == [public, training, inside]
    assert await read(belongs, for_members) == [public, training, inside]
    assert await read(anybody, for_all, kinds=[intern]) == [training]
    assert await read(anybody, for_all, changes=[KEPT]) == []
    with pytest.raises(NotFound):
        await read(anybody, for_members)
    with pytest.raises(Invalid, match="R43"):
        await read(anybody, training)
    await community.take(noon(2026, 2, 4), for_all, "withdraw", "withdrawn")
    with pytest.raises(NotFound):
        await read(anybody, for_all)


async def test_what_is_narrowed_after_it_was_told_is_told_to_be_gone_by_the_next_list(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    member, job = await community.member(ENTERPRISE), pb.LISTING_KIND_JOB_POSITION
    await community.sweep(noon(2026, 1, 2))
    stays, narrow = [await community.publish(noon(2026, 1, 3), member, job) for _ in range(2)]
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    await community.show(noon(2026, 2, 2), narrow, pb.VISIBILITY_MEMBERS)
    belongs = Viewer(organization="organizations/b", member_bodies=frozenset({community.name}))
    told: list[list[dict[str, int]]] = []
    for year in (2027, 2028):
        await community.sweep(noon(year, 1, 2))
        await community.compile(noon(year, 2, 1), RoundKind.TALENT_LIST, str(year))
        found = [await community.told(viewer, RoundKind.TALENT_LIST, str(year)) for viewer in (Viewer(), belongs)]
        told.append([{one.listing.name: one.change for one in entries} for entries in found])
    assert told[0] == [{stays: KEPT, narrow: REMOVED}, {stays: KEPT, narrow: REVISED}]
    assert told[1] == [{stays: KEPT}, {stays: KEPT, narrow: KEPT}]


async def test_a_list_is_made_public_by_who_speaks_for_the_community(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    leads, secretariat, entered, member = [await community.member(ENTERPRISE) for _ in range(4)]
    for name, role in ((leads, body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE), (secretariat, body_pb2.MEMBER_ROLE_SECRETARIAT)):
        await probe.rows("UPDATE access_membership SET roles = ARRAY[$2::int] WHERE organization = $1", name, role)
    await community.sweep(noon(2026, 1, 2))
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    details = details_pb2.SupplyDemandList(round=await community.round(RoundKind.TALENT_LIST, "2026"))
    given = pb.Listing(kind=pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST, bodies=[community.name], supply_demand_list=details)
    standing = Standing(_Registry(**{entered: body_pb2.MEMBER_ROLE_CHAIR, member: body_pb2.MEMBER_ROLE_PARTICIPANT}))

    async def broken(issuer: str) -> list[str]:
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            return [one.rule for one in await references.broken(tx, standing, given, issuer, given.kind)]

    assert [await broken(one) for one in (leads, secretariat, entered, member)] == [[], [], [], ["R43"]]


async def test_a_list_is_published_once_while_it_stands(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    leads, chairs = [await community.member(ENTERPRISE) for _ in range(2)]
    for name, role in ((leads, body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE), (chairs, body_pb2.MEMBER_ROLE_CHAIR)):
        await probe.rows("UPDATE access_membership SET roles = ARRAY[$2::int] WHERE organization = $1", name, role)
    await community.sweep(noon(2026, 1, 2))
    lists = {
        pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST: RoundKind.TALENT_LIST,
        pb.LISTING_KIND_TECH_SUPPLY_DEMAND_LIST: RoundKind.TECH_LIST,
    }
    for kind in lists.values():
        await community.compile(noon(2026, 2, 1), kind, "2026")
    details = {kind: details_pb2.SupplyDemandList(round=await community.round(lists[kind], "2026")) for kind in lists}
    talents, techniques = lists
    standing = Standing(Owner(grpc.aio.insecure_channel("localhost:1")))  # nobody is there, and nothing has to be asked

    async def broken(issuer: str, kind: pb.ListingKind.ValueType, known: str = "") -> list[str]:
        given = pb.Listing(kind=kind, bodies=[community.name], supply_demand_list=details[kind])
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            row = await listing_of(tx, known) if known else None
            return [one.zh for one in await references.broken(tx, standing, given, issuer, kind, row)]

    async def receipts(issuer: str, *keys: str, withdrawn_stay: bool = False) -> list[list[str]]:
        """Rules that rows of these keys break; what is imported is published."""
        listed = pb.Listing(
            title="清单", visibility=pb.VISIBILITY_PUBLIC, bodies=[community.name], supply_demand_list=details[talents]
        )
        rows = [rpc.ImportRow(row=place, listing=listed) for place in range(len(keys))]
        for row, key in zip(rows, keys, strict=True):
            row.listing.external_key = key
        header = rpc.ImportHeader(issuer=issuer, source="erp", kind=talents, publish=True)
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            taken = await Chunk(tx, header, standing, withdrawn_stay=withdrawn_stay).take(rows)
            return [[one.rule for one in receipt.problems] for receipt in taken]

    assert await receipts(leads, "a", "b", "a") == [[], ["R43"], []], "of one key, and of another"
    (published,) = [row["name"] for row in await probe.rows("SELECT name FROM listing WHERE state = 2")]
    assert await receipts(leads, "a", "b") == [[], ["R43"]]
    assert [published in said for said in await broken(chairs, talents)] == [True]
    assert await broken(leads, talents, known=published) == [], "it may be revised"
    async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
        call, service = cast(Any, SimpleNamespace(tx=tx, cause=CAUSE)), Listings(cast(Any, _Eyes(Viewer())), standing)
        revised = rpc.UpdateListingRequest(listing=pb.Listing(name=published, title="供需清单"))
        revised.update_mask.paths.append("title")
        assert (await service.UpdateListing(call, revised)).title == "供需清单"
    assert await broken(chairs, techniques) == [], "another list"
    await community.take(noon(2026, 2, 2), published, "withdraw", "withdrawn")
    assert await broken(chairs, talents) == []
    assert await receipts(leads, "b", "c") == [[], ["R43"]]
    (published,) = [row["name"] for row in await probe.rows("SELECT name FROM listing WHERE state = 2")]
    await community.take(noon(2026, 2, 2), published, "withdraw", "withdrawn")
    assert await receipts(leads, "b", "c", withdrawn_stay=True) == [[], []], "what is withdrawn and stays publishes nothing"
    assert [row["external_key"] for row in await probe.rows("SELECT external_key FROM listing WHERE state = 2")] == ["c"]


async def test_no_two_publish_a_list_at_once(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    leads = await community.member(ENTERPRISE)
    role = body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE
    await probe.rows("UPDATE access_membership SET roles = ARRAY[$2::int] WHERE organization = $1", leads, role)
    await community.sweep(noon(2026, 1, 2))
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    details = details_pb2.SupplyDemandList(round=await community.round(RoundKind.TALENT_LIST, "2026"))
    content = pb.Listing(issuer=leads, kind=pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST, title="清单", bodies=[community.name])
    content.supply_demand_list.CopyFrom(details)
    content.visibility = pb.VISIBILITY_PUBLIC

    async def publish() -> bool:
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            if await references.broken(tx, Standing(cast(Any, None)), content, leads, content.kind):
                return False
            (draft,) = await changes.save(tx, [changes.created(content, content_hash(content))])
            await changes.save(tx, [changes.taken(draft, "publish", "published")])
            return True

    assert sum(await asyncio.gather(*(publish() for _ in range(4)))) == 1


async def test_a_list_is_waited_for_by_who_may_publish_it_alone(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    leads, member = [await community.member(ENTERPRISE) for _ in range(2)]
    role = body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE
    await probe.rows("UPDATE access_membership SET roles = ARRAY[$2::int] WHERE organization = $1", leads, role)
    await community.sweep(noon(2026, 1, 2))
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    name = await community.round(RoundKind.TALENT_LIST, "2026")
    given = pb.Listing(kind=pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST, bodies=[community.name])
    given.supply_demand_list.round = name

    async def broken(issuer: str) -> list[str]:
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            return [one.rule for one in await references.broken(tx, Standing(_Registry()), given, issuer, given.kind)]

    async with probe.database.transaction(CAUSE) as tx:
        assert await rounds.get_locked(tx, name)
        assert await asyncio.wait_for(broken(member), 10) == ["R43"]
        waits = asyncio.create_task(broken(leads))
        assert await asyncio.wait((waits,), timeout=1) == (set(), {waits})
    assert await waits == []


async def test_an_import_locks_lists_in_the_order_of_their_names(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    issuer = await community.member(ENTERPRISE)
    await community.sweep(noon(2026, 1, 2))
    await community.sweep(noon(2027, 1, 2))  # which compiles that of 2026
    await community.compile(noon(2027, 2, 1), RoundKind.TALENT_LIST, "2027")
    first, last = sorted([await community.round(RoundKind.TALENT_LIST, year) for year in ("2026", "2027")])
    rows = [rpc.ImportRow(row=place) for place in (1, 2)]
    for row, name in zip(rows, (last, first), strict=True):
        row.listing.external_key = name
        row.listing.supply_demand_list.round = name
    header = rpc.ImportHeader(issuer=issuer, source="erp", kind=pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST)
    standing = Standing(Owner(grpc.aio.insecure_channel("localhost:1")))  # nobody is there, and nothing has to be asked

    async def imported() -> None:
        async with probe.database.transaction(CAUSE) as tx:
            await Chunk(tx, header, standing).take(rows)

    async def is_held_up() -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await probe.rows(waiting))

    async with probe.database.transaction(CAUSE) as tx:
        assert await rounds.get_locked(tx, first)
        async with running(imported):
            await until(is_held_up)
            assert await probe.rows("SELECT name FROM round WHERE name = $1 FOR UPDATE NOWAIT", last)
