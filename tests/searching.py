"""SearchListings as an anonymous caller is answered, of an index in memory."""

from types import SimpleNamespace
from typing import Any, cast

from access.authority import Authority
from access.register import ProjectedRegister
from alliance.matching.v1 import matching_service_pb2 as rpc
from matching.embedder import EmbedderGoneError
from matching.embedding import Vectors
from matching.index import Index
from matching.meanings import Asking
from matching.rpc import Matching
from tests.indexing import SIZE


class _Nobody:
    async def embed(self, _: Any) -> Vectors:
        raise EmbedderGoneError


async def _nothing(*_: Any) -> frozenset[str]:
    return frozenset()


def process(index: Index) -> Matching:
    """One that has all of an index, as others may have."""
    authority = Authority(ProjectedRegister(), _nothing, None)
    return Matching(authority, index, Asking(_Nobody(), SIZE), lambda: None)


async def asked(by: Index | Matching, request: rpc.SearchListingsRequest) -> rpc.SearchListingsResponse:
    """What an anonymous caller is answered, by a process, or by one that has just begun with an index."""
    matching = process(by) if isinstance(by, Index) else by
    return await matching.SearchListings(cast(Any, SimpleNamespace(principal=None)), request)
