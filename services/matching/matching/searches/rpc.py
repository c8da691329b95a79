"""The RPCs of saved searches: thin; rules are in `domain.saved`."""

from alliance.matching.v1 import search_pb2 as pb
from alliance.matching.v1 import search_service_pb2 as rpc
from chassis import etag, paging
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition
from chassis.rpc import Call
from matching.mapping import area_of
from matching.searches import store
from matching.searches.mapping import message_of, problems

MOST = 100
"""Saved searches of one organization."""


class Searches:
    """`alliance.matching.v1.SearchesService`."""

    async def SaveSearch(self, call: Call, request: rpc.SaveSearchRequest) -> pb.SavedSearch:
        """See the contract."""
        given, tx = request.search, call.tx
        if found := problems(given):
            raise Invalid(found)
        if await store.count(tx, given.organization) >= MOST:
            raise Precondition(
                "TOO_MANY",
                f"每个单位最多保存 {MOST} 个检索；请先删除不再需要的",
                f"an organization has at most {MOST} saved searches; forget one that is no longer needed",
                {"organization": given.organization},
            )
        row = store.row_of(tx, given, area_of(given.region_code, "search.region_code"))
        await store.enter(tx, row)
        return message_of(row)

    async def ListSavedSearches(self, call: Call, request: rpc.ListSavedSearchesRequest) -> rpc.ListSavedSearchesResponse:
        """See the contract."""
        size, before = paging.page_size(request.page_size), paging.decode(request)
        rows = await store.page(call.tx, request.organization, before[0] if before else None, size + 1)
        answer = rpc.ListSavedSearchesResponse(saved_searches=[message_of(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.encode(request, [rows[size - 1].name])
        return answer

    async def DeleteSavedSearch(self, call: Call, request: rpc.DeleteSavedSearchRequest) -> pb.SavedSearch:
        """See the contract."""
        row = await store.get(call.tx, request.name, lock=True)
        if row is None:
            raise NotFound(request.name)
        etag.check(request.etag, row.version, row.name)
        return await store.remove(call.tx, row)


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a saved search: its organization's."""
    row = await store.get(tx, name)
    return frozenset({row.organization}) if row else frozenset()
