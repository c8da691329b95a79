"""Lists of supply and demand that a community makes public (R43), on a database of their own: by whom, and who reads what."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from access.visibility import Viewer
from alliance.listings.v1 import details_pb2
from alliance.listings.v1 import listing_pb2 as pb
from alliance.listings.v1 import listings_service_pb2 as rpc
from alliance.registry.v1 import body_pb2
from chassis.errors import Invalid, NotFound
from listings import references
from listings.domain.names import RoundKind
from listings.rpc import Listings
from listings.standing import Standing
from tests.component.conftest import CAUSE, Probe
from tests.component.rounds.bodies import ENTERPRISE, KEPT, Body, noon


class _Eyes:
    """An authority by which every call is of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    async def viewer(self, call: object, *, ask_owner: bool = False) -> Viewer:
        return self._viewer


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


async def test_a_list_is_made_public_by_who_speaks_for_the_community(probe: Probe) -> None:
    community = await Body(probe, body_pb2.BODY_KIND_COMMUNITY).formed()
    leads, secretariat, member = [await community.member(ENTERPRISE) for _ in range(3)]
    for name, role in ((leads, body_pb2.MEMBER_ROLE_LEAD_ENTERPRISE), (secretariat, body_pb2.MEMBER_ROLE_SECRETARIAT)):
        await probe.rows("UPDATE access_membership SET roles = ARRAY[$2::int] WHERE organization = $1", name, role)
    await community.sweep(noon(2026, 1, 2))
    await community.compile(noon(2026, 2, 1), RoundKind.TALENT_LIST, "2026")
    details = details_pb2.SupplyDemandList(round=await community.round(RoundKind.TALENT_LIST, "2026"))
    given = pb.Listing(kind=pb.LISTING_KIND_TALENT_SUPPLY_DEMAND_LIST, bodies=[community.name], supply_demand_list=details)
    standing = Standing(cast(Any, None))

    async def broken(issuer: str) -> list[str]:
        async with probe.database.transaction(CAUSE._replace(effective_at=noon(2026, 2, 2))) as tx:
            return [one.rule for one in await references.broken(tx, standing, given, issuer, given.kind)]

    assert [await broken(one) for one in (leads, secretariat, member)] == [[], [], ["R43"]]
