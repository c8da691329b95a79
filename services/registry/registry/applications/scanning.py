"""Scanning documents for viruses: a port, with clamd's protocol where an address is set."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Protocol

_TIMEOUT = 30.0  # seconds for one document


class Scanner(Protocol):
    """Looks at a document's content."""

    async def found(self, parts: AsyncIterator[bytes]) -> str:
        """The name of what was found; "" where there is nothing. Raises OSError where it can't be asked."""


class NoScanner:
    """Where none is set: finds nothing."""

    async def found(self, parts: AsyncIterator[bytes]) -> str:
        """See `Scanner`."""
        del parts
        return ""


class Clamd:
    """ClamAV's daemon by its INSTREAM command (clamd(8)): parts with their length before them, an empty one at the end."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def found(self, parts: AsyncIterator[bytes]) -> str:
        """See `Scanner`."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                answer = await self._asked(parts)
        except EOFError as error:
            raise OSError("clamd: closed without an answer") from error
        if answer.endswith(" FOUND"):
            return answer.removeprefix("stream: ").removesuffix(" FOUND")
        if answer != "stream: OK":  # e.g. a document over its StreamMaxLength
            raise OSError(f"clamd: {answer[:100]}")
        return ""

    async def _asked(self, parts: AsyncIterator[bytes]) -> str:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\0")
            async for part in parts:
                writer.write(struct.pack("!I", len(part)) + part)
                await writer.drain()
            writer.write(struct.pack("!I", 0))
            await writer.drain()
            return (await reader.readuntil(b"\0")).rstrip(b"\0").decode("utf-8", "replace")
        finally:
            writer.close()
