"""The RPCs of saved searches: thin; rules are in `domain.saved`."""

from typing import Any

from access.authority import Authority
from access.visibility import Viewer
from alliance.matching.v1 import search_pb2 as pb
from alliance.matching.v1 import search_service_pb2 as rpc
from chassis import etag, paging
from chassis.database import Tx
from chassis.errors import Invalid, NotFound, Precondition
from chassis.rpc import Call
from matching.entry import Entry, version_of
from matching.index import Index
from matching.mapping import area_of
from matching.newer import Audience
from matching.searches import store
from matching.searches.mapping import message_of, problems

MOST = 100
"""Saved searches of one organization."""


class Searches:
    """`alliance.matching.v1.SearchesService`."""

    def __init__(self, authority: Authority, index: Index) -> None:
        self._authority = authority
        self._index = index

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
        viewer = await self._authority.viewer_of(call.tx, request.organization)
        answer = rpc.ListSavedSearchesResponse(saved_searches=[self._shown(row, viewer) for row in rows[:size]])
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

    def _shown(self, row: Any, viewer: Viewer) -> pb.SavedSearch:
        """The search, with what met it last as long as its organization may see that."""
        search = message_of(row)
        if not self._is_seen(search.latest, viewer):
            search.ClearField("latest")
        return search

    def _is_seen(self, found: pb.FoundListing, viewer: Viewer) -> bool:
        """Whether a viewer may see a listing by now. The replica that told of it may know more of the topic than this one."""
        known, newer = self._index.known(found.listing), self._index.newer
        if version_of(known) < found.version:
            return Audience.of(found).holds(viewer) and newer.allows(viewer, found.listing)
        return isinstance(known, Entry) and newer.shows(viewer, known)


async def scopes_of(tx: Tx, name: str) -> frozenset[str]:
    """Whose grants give authority over a saved search: its organization's."""
    row = await store.get(tx, name)
    return frozenset({row.organization}) if row else frozenset()
