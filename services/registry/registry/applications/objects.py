"""Object store 对象存储: contents that lie apart from the database, in a folder or where S3 is spoken."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

_TIMEOUT = "20s"  # of one request
_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_SHOWN = 2_000  # characters of why it can't be reached: the cause stands innermost
_CHUNK = 5 * 1024 * 1024  # bytes that are sent at once: the least that S3 takes for a part but the last


class Objects(Protocol):
    """Keeps bytes under keys. All of it raises OSError where the store can't be reached."""

    async def put(self, key: str, parts: AsyncIterator[bytes]) -> None:
        """Keep what the parts make; nothing is kept where one of them raises."""

    async def read(self, key: str, offset: int, size: int) -> bytes:
        """So many bytes from an offset on, or fewer at the end. Raises FileNotFoundError."""

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no error."""


class ObjectStore:
    """A folder (`file:///…`) or a bucket (`s3://bucket/prefix`; credentials and endpoint by `AWS_*`)."""

    def __init__(self, url: str) -> None:
        plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"  # client options take the place of those in AWS_*
        options: Any = (
            {"client_options": {"timeout": _TIMEOUT, "allow_http": plain}, "retry_config": _RETRY}
            if url.startswith("s3://")
            else {"mkdir": True}
        )
        self._store = from_url(url, **options)

    async def put(self, key: str, parts: AsyncIterator[bytes]) -> None:
        """See `Objects`."""
        with _reached():
            await obstore.put_async(self._store, key, parts, chunk_size=_CHUNK, max_concurrency=1)

    async def read(self, key: str, offset: int, size: int) -> bytes:
        """See `Objects`."""
        with _reached():
            meta = await obstore.head_async(self._store, key)
            end = min(offset + size, meta["size"])
            if offset >= end:
                return b""
            return bytes(await obstore.get_range_async(self._store, key, start=offset, end=end))

    async def delete(self, key: str) -> None:
        """See `Objects`."""
        try:
            with _reached():
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise OSError(f"object store: {' '.join(str(error).split())[:_SHOWN]}") from error
