"""Object store 对象存储: contents that lie apart from the database, in a folder or where S3 is spoken."""

from collections.abc import AsyncIterator
from typing import Protocol

import obstore
from obstore.store import from_url

_TIMEOUT = "20s"  # of one request


class Objects(Protocol):
    """Keeps bytes under keys."""

    async def put(self, key: str, parts: AsyncIterator[bytes]) -> None:
        """Keep what the parts make; nothing is kept where one of them raises."""

    async def read(self, key: str, offset: int, size: int) -> bytes:
        """So many bytes from an offset on, or fewer at the end. Raises FileNotFoundError."""

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no error."""


class ObjectStore:
    """A folder (`file:///…`) or a bucket (`s3://bucket/prefix`; credentials and endpoint by `AWS_*`)."""

    def __init__(self, url: str) -> None:
        options = {"client_options": {"timeout": _TIMEOUT}} if url.startswith("s3://") else {"mkdir": True}
        self._store = from_url(url, **options)

    async def put(self, key: str, parts: AsyncIterator[bytes]) -> None:
        """See `Objects`."""
        await obstore.put_async(self._store, key, parts)

    async def read(self, key: str, offset: int, size: int) -> bytes:
        """See `Objects`."""
        meta = await obstore.head_async(self._store, key)
        end = min(offset + size, meta["size"])
        if offset >= end:
            return b""
        return bytes(await obstore.get_range_async(self._store, key, start=offset, end=end))

    async def delete(self, key: str) -> None:
        """See `Objects`."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
